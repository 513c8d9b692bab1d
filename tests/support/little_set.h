// A question set with pictures and a model for it, small enough that a test asks all of it again and again.
#ifndef TRIMSCOPE_TESTS_SUPPORT_LITTLE_SET_H
#define TRIMSCOPE_TESTS_SUPPORT_LITTLE_SET_H

struct little_set {
    const char *name;       // of its file
    int pictures, each;     // questions about each picture
    const char *even, *odd; // the true answers of every other question; so are their types called
};

// Writes them to the scratch folder, and the paths to *model (weights) and *set.
void little_set_write(const struct little_set *make, const char **model, const char **set);

#endif
