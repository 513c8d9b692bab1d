// The answers that the labels of a model stand for, from a file to the metadata `answers` of a weights file.
#ifndef TRIMSCOPE_TEXT_ANSWERS_H
#define TRIMSCOPE_TEXT_ANSWERS_H

#include "engine/base/error.h"

// Reads one answer a line (an empty line is an empty answer, as METER's list has one), a JSON list of strings, a JSON
// object {"0": "net", ...} or one that holds such an object as "id2label". labels: how many there must be, 0: as many as
// there are. Returns a JSON list in the order of the labels, for free(); *count (may be NULL) gets its length. NULL and
// one sentence in *err that begins with the path.
char *answers_read(const char *path, int labels, int *count, struct error *err);

#endif
