// A question set: one JSON object a line, as `trimscope world` writes them.
#ifndef TRIMSCOPE_IO_QUESTION_SET_H
#define TRIMSCOPE_IO_QUESTION_SET_H

#include "engine/base/error.h"

enum { QUESTION_PICTURES = 2 };

struct question_box {
    double x0, y0, x1, y1; // pixels of the picture file, x1 and y1 exclusive
};

struct question {
    char *pictures[QUESTION_PICTURES]; // paths, as the file names them but below its folder; [1] NULL for one picture
    char *text, *answer, *type;        // type "" where there is none
    struct question_box *needed, *others;
    int needed_count, other_count;
    int line; // of the file, from 1 on
};

struct question_set {
    struct question *questions;
    int count, capacity;
    char *path; // of the file; NULL where it is no set's
};

// {"picture": "a.jpg" or ["a.jpg", "b.jpg"], "question", "answer", "type", "needed": [[x0, y0, x1, y1] ..], "others"};
// the last three may be missing. At most `limit` lines (0: all). On failure *set is left empty and *err names the line.
bool question_set_read(struct question_set *set, const char *path, int limit, struct error *err);
// The same of lines that need no "answer": it is "" where there is none.
bool question_set_read_unanswered(struct question_set *set, const char *path, int limit, struct error *err);
// An error about this question: says before it where the question stands. Returns false.
bool question_set_blame(const struct question_set *set, int index, struct error *err);
// How many pictures the set's first question is about.
int question_set_pictures(const struct question_set *set);
void question_set_free(struct question_set *set);

#endif
