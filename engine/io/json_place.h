// Reading JSON that anybody may have written: each value is reached through a struct place, which knows its way from the
// root, so that an error names the member that is wrong: `the trace's member "stages[0].ms" should be ...; found ...`.
#ifndef TRIMSCOPE_IO_JSON_PLACE_H
#define TRIMSCOPE_IO_JSON_PLACE_H

#include "engine/base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct place {
    const struct place *parent;
    const char *subject; // of the root: what the file is, "the trace"
    const char *key;     // NULL: an element of a list
    size_t index;
    const json_t *value; // NULL: missing
};

// A place refers to its parent, which has to stay where it is.
struct place place_member(const struct place *parent, const char *key);
struct place place_element(const struct place *parent, size_t index);

// Says that something else should stand there; returns false.
bool place_refuse(const struct place *place, struct error *err, const char *expected);
bool place_refuse_found(const struct place *place, struct error *err, const char *expected, const char *found);

// Each reads one value or says what should stand there. Numbers: null or nothing is NaN.
bool place_read_int(struct place place, int low, int high, int *out, struct error *err);
bool place_read_number(struct place place, double low, double high, double *out, struct error *err);
bool place_read_float(struct place place, float low, float high, float *out, struct error *err);
bool place_read_bool(struct place place, bool *out, struct error *err);
bool place_read_text(struct place place, char *out, size_t size, struct error *err);
// At most `limit` bytes, malloc'ed.
bool place_read_string(struct place place, size_t limit, char **out, struct error *err);
// The names come from a function that gives NULL for what is no value of the enum.
bool place_read_name(struct place place, const char *(*name)(int value), int *out, struct error *err);

// How many elements a list has; refused when it is no list or longer than `limit`, or not of this very length.
bool place_read_length(const struct place *place, size_t limit, size_t *length, struct error *err);
bool place_check_length(const struct place *place, int length, struct error *err);

// Refuses what is no object, or has a member that is not among `known` (ends in NULL): what is misspelt would be lost in
// silence.
bool place_check_members(const struct place *place, const char *const *known, struct error *err);

#endif
