// What reading question sets and reading results have in common.
#ifndef TRIMSCOPE_IO_QUESTION_PRIVATE_H
#define TRIMSCOPE_IO_QUESTION_PRIVATE_H

#include "engine/io/question_set.h"

#include <jansson.h>

// Another, empty question at the end; NULL when there is no memory. Questions may move when one is added.
struct question *question_set_add(struct question_set *set, struct error *err);

// Whether a line was a JSON object; where: what json_loadb() said of it otherwise.
bool question_check_object(const json_t *root, const json_error_t *where, struct error *err);

// Names of one or two pictures, below the folder that the file `base` lies in unless they are absolute.
bool question_read_pictures(struct question *question, const json_t *value, const char *base, struct error *err);

// A string member of an object, copied to *to; "" where it is missing and not needed.
bool question_read_text(char **to, const json_t *root, const char *key, bool needed, struct error *err);

#endif
