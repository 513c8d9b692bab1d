// Python pickles as data: the opcodes that files of tensors use (protocols 2 to 4), read into a tree of values. Nothing is
// ever imported or called: a class or function is a name, a call is a value that says what would have been called with
// what, and persistent ids are values, too. What such a value is told after it was made (BUILD, items) is forgotten.
#ifndef TRIMSCOPE_IO_PICKLE_H
#define TRIMSCOPE_IO_PICKLE_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_LARGE, // an integer of more than 64 bits: `text` is its bytes, the lowest first, two's complement
    PICKLE_FLOAT,
    PICKLE_TEXT,
    PICKLE_BYTES,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_SET,
    PICKLE_DICT,       // items: key, value, key, value, …; OrderedDict() is one
    PICKLE_GLOBAL,     // items: module, name (texts)
    PICKLE_CALL,       // items: what would have been called, its arguments
    PICKLE_PERSISTENT, // items: the id
};

// A value may hold itself (through a list or dictionary): walk down known paths only, never all of it.
struct pickle_value {
    enum pickle_kind kind;
    union {
        int64_t integer;  // INT, BOOL
        double number;    // FLOAT
        const char *text; // TEXT, BYTES, LARGE: in the pickle's bytes, not ended by a 0 byte
    };
    size_t length; // of `text`, or how many `items`
    struct pickle_value **items;
    size_t room;
};

struct pickle;

// Reads one pickle from the beginning of `data`, which must stay where it is; *used gets how many bytes it has. Time and
// memory are bounded by PICKLE_LIMIT opcodes, whatever the bytes say. NULL and one sentence in *err when it is damaged,
// too large, or uses what files of tensors do not.
enum { PICKLE_LIMIT = 1 << 20, PICKLE_MARKS = 256 };
struct pickle *pickle_read(const unsigned char *data, size_t size, size_t *used, struct error *err);
void pickle_free(struct pickle *pickle);

const struct pickle_value *pickle_root(const struct pickle *pickle);
// Every value there is, in the order in which they were made; NULL behind the last.
const struct pickle_value *pickle_at(const struct pickle *pickle, size_t index);

bool pickle_is_text(const struct pickle_value *value, const char *text);
bool pickle_is_global(const struct pickle_value *value, const char *module, const char *name);
// Whether it is a call of that global; its arguments are items[1], a tuple.
bool pickle_is_call(const struct pickle_value *value, const char *module, const char *name);
// The value of a key that is text: the last one, as Python has it. NULL when `value` is no dictionary or has none.
const struct pickle_value *pickle_get(const struct pickle_value *value, const char *key);

#endif
