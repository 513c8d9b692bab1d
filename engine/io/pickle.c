// The machine that reads a pickle: a stack, a memo, and opcodes as Lib/pickle.py names them.
#include "engine/base/memory.h"
#include "engine/io/pickle_opcodes.h"
#include "engine/io/pickle_private.h"

#include <stdlib.h>
#include <string.h>

struct list {
    struct pickle_value **values;
    size_t count, room;
};

struct machine {
    struct pickle *pickle;
    const unsigned char *data;
    size_t size, at;
    struct list stack, memo; // of the memo: NULL where nothing was put
    size_t memo_count;
    size_t marks[PICKLE_MARKS];
    int mark_count;
    bool ok, stopped;
    struct error *err;
};

// Where an error goes: only the first is told.
static struct error *first(const struct machine *m)
{
    return m->ok ? m->err : NULL;
}

static void no_memory(struct machine *m)
{
    m->ok = error_no_memory(first(m), "the pickle");
}

// Room for one more value at *count, or for the index that is given.
static bool grow(struct list *list, size_t index)
{
    if (index < list->room)
        return true;
    size_t room = index < 32 ? 64 : 2 * (index + 1);
    struct pickle_value **values = realloc(list->values, room * sizeof *values);
    if (!values)
        return false;
    memset(values + list->room, 0, (room - list->room) * sizeof *values);
    list->values = values;
    list->room = room;
    return true;
}

// --- bytes ---------------------------------------------------------------------------------------------------------

static const unsigned char *take(struct machine *m, uint64_t count)
{
    if (!m->ok || count > m->size - m->at) {
        m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: it is cut short within a value",
                          m->at);
        return NULL;
    }
    m->at += (size_t)count;
    return m->data + m->at - count;
}

static uint64_t take_number(struct machine *m, int bytes)
{
    const unsigned char *p = take(m, (uint64_t)bytes);
    uint64_t number = 0;
    for (int i = bytes; p && i-- > 0;)
        number = number << 8 | p[i];
    return number;
}

// A line of the protocol's text part, without its end.
static const char *take_line(struct machine *m, size_t *length)
{
    const unsigned char *from = m->data + m->at, *end = memchr(from, '\n', m->size - m->at);
    if (!end) {
        m->ok =
            error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: it is cut short within a name", m->at);
        return NULL;
    }
    *length = (size_t)(end - from);
    m->at += *length + 1;
    return (const char *)from;
}

// --- values and the stack ------------------------------------------------------------------------------------------

static struct pickle_value *make(struct machine *m, enum pickle_kind kind)
{
    struct pickle_value *value = m->ok ? pickle_make(m->pickle, kind) : NULL;
    if (!value)
        no_memory(m);
    return value;
}

static void push(struct machine *m, struct pickle_value *value)
{
    if (!m->ok)
        return;
    if (grow(&m->stack, m->stack.count))
        m->stack.values[m->stack.count++] = value;
    else
        no_memory(m);
}

// The values above the last mark are all that may be taken.
static size_t floor_of(const struct machine *m)
{
    return m->mark_count ? m->marks[m->mark_count - 1] : 0;
}

static struct pickle_value *pop(struct machine *m)
{
    if (m->ok && m->stack.count > floor_of(m))
        return m->stack.values[--m->stack.count];
    m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: a value is taken that is not there",
                      m->at);
    return NULL;
}

static struct pickle_value *top(struct machine *m)
{
    struct pickle_value *value = pop(m);
    push(m, value);
    return value;
}

// Takes the last mark away; what was above it is stack[*from ..], still there.
static bool pop_mark(struct machine *m, size_t *from)
{
    if (m->ok && m->mark_count) {
        *from = m->marks[--m->mark_count];
        return true;
    }
    m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: a mark is missing", m->at);
    return false;
}

static void add_items(struct machine *m, struct pickle_value *to, size_t from, size_t count)
{
    if (m->ok && !pickle_add_items(to, m->stack.values + from, count))
        no_memory(m);
}

// Pushes a value of the top `count` values of the stack, which it takes.
static void gather(struct machine *m, enum pickle_kind kind, size_t count)
{
    struct pickle_value *value = make(m, kind);
    if (m->ok && m->stack.count - floor_of(m) < count)
        m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: values are missing", m->at);
    if (!m->ok)
        return;
    m->stack.count -= count;
    add_items(m, value, m->stack.count, count);
    push(m, value);
}

static void gather_from_mark(struct machine *m, enum pickle_kind kind)
{
    size_t from;
    if (!pop_mark(m, &from))
        return;
    if (kind == PICKLE_DICT && (m->stack.count - from) % 2)
        m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: a key has no value", m->at);
    gather(m, kind, m->stack.count - from);
}

// Lists and dictionaries take items; what is made by a call may have methods for it, which nobody calls.
static void extend(struct machine *m, enum pickle_kind kind, size_t from)
{
    size_t count = m->ok ? m->stack.count - from : 0;
    m->stack.count -= count;
    struct pickle_value *to = top(m);
    if (kind == PICKLE_DICT && count % 2)
        m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: a key has no value", m->at);
    if (!m->ok)
        return;
    if (to->kind == kind || (kind == PICKLE_LIST && to->kind == PICKLE_SET))
        add_items(m, to, from, count);
    else if (to->kind != PICKLE_CALL)
        m->ok = error_set(first(m), ERROR_INPUT,
                          "the pickle is damaged at byte %zu: items are put into what holds none", m->at);
}

static void extend_from_mark(struct machine *m, enum pickle_kind kind)
{
    size_t from;
    if (pop_mark(m, &from))
        extend(m, kind, from);
}

static void extend_by(struct machine *m, enum pickle_kind kind, size_t count)
{
    if (m->stack.count - floor_of(m) <= count)
        m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: values are missing", m->at);
    else
        extend(m, kind, m->stack.count - count);
}

// --- what opcodes do -----------------------------------------------------------------------------------------------

static void push_text(struct machine *m, enum pickle_kind kind, uint64_t length)
{
    const unsigned char *text = take(m, length);
    struct pickle_value *value = make(m, kind);
    if (!m->ok)
        return;
    value->text = (const char *)text;
    value->length = (size_t)length;
    push(m, value);
}

static void push_integer(struct machine *m, enum pickle_kind kind, int64_t integer)
{
    struct pickle_value *value = make(m, kind);
    if (value)
        value->integer = integer;
    push(m, value);
}

static void push_long(struct machine *m)
{
    int bytes = (int)take_number(m, 1);
    if (bytes > 8) {
        push_text(m, PICKLE_LARGE, (uint64_t)bytes);
        return;
    }
    uint64_t number = take_number(m, bytes);
    int above = 64 - 8 * bytes; // the highest byte carries the sign
    push_integer(m, PICKLE_INT, bytes ? (int64_t)(number << above) >> above : 0);
}

static void push_float(struct machine *m)
{
    const unsigned char *p = take(m, 8);
    struct pickle_value *value = make(m, PICKLE_FLOAT);
    if (!m->ok)
        return;
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | p[i];
    memcpy(&value->number, &bits, sizeof bits);
    push(m, value);
}

static void push_global(struct machine *m)
{
    for (int i = 0; i < 2; i++) {
        size_t length = 0;
        const char *line = take_line(m, &length);
        struct pickle_value *text = make(m, PICKLE_TEXT);
        if (!m->ok)
            return;
        text->text = line;
        text->length = length;
        push(m, text);
    }
    gather(m, PICKLE_GLOBAL, 2);
}

static void stack_global(struct machine *m)
{
    gather(m, PICKLE_GLOBAL, 2);
    const struct pickle_value *global = top(m);
    if (m->ok && (global->items[0]->kind != PICKLE_TEXT || global->items[1]->kind != PICKLE_TEXT))
        m->ok = error_set(first(m), ERROR_INPUT, "the pickle is damaged at byte %zu: a class has no name", m->at);
}

// A call is kept, not made. OrderedDict() alone becomes what it would give.
static void reduce(struct machine *m)
{
    const struct pickle_value *arguments = top(m);
    if (m->ok && arguments->kind != PICKLE_TUPLE)
        m->ok = error_set(first(m), ERROR_INPUT,
                          "the pickle is damaged at byte %zu: the arguments of a call are no tuple", m->at);
    gather(m, PICKLE_CALL, 2);
    struct pickle_value *call = top(m);
    if (m->ok && arguments->length == 0 && pickle_is_call(call, "collections", "OrderedDict")) {
        call->kind = PICKLE_DICT;
        call->length = 0;
    }
}

static void put(struct machine *m, uint64_t index)
{
    struct pickle_value *value = top(m);
    if (m->ok && index >= PICKLE_LIMIT)
        m->ok = error_set(first(m), ERROR_INPUT,
                          "the pickle is damaged at byte %zu: it numbers a value higher than it has any", m->at);
    if (!m->ok)
        return;
    if (!grow(&m->memo, (size_t)index))
        no_memory(m);
    else
        m->memo.values[index] = value;
    m->memo_count++;
}

static void get(struct machine *m, uint64_t index)
{
    if (index < m->memo.room && m->memo.values[index])
        push(m, m->memo.values[index]);
    else
        m->ok = error_set(first(m), ERROR_INPUT,
                          "the pickle is damaged at byte %zu: it refers to a value that it does not have", m->at);
}

static void mark(struct machine *m)
{
    if (m->mark_count == PICKLE_MARKS)
        m->ok = error_set(m->err, ERROR_INPUT, "the pickle nests values more than %d deep", PICKLE_MARKS);
    else
        m->marks[m->mark_count++] = m->stack.count;
}

static void stop(struct machine *m)
{
    m->pickle->root = pop(m);
    m->stopped = true;
}

// One opcode a line.
// clang-format off
static void step(struct machine *m, int op)
{
    size_t from;
    switch (op) {
    case OP_PROTO: take(m, 1); break;
    case OP_FRAME: take(m, 8); break;
    case OP_STOP: stop(m); break;
    case OP_MARK: mark(m); break;
    case OP_POP: pop(m); break;
    case OP_DUP: push(m, top(m)); break;
    case OP_POP_MARK:
        if (pop_mark(m, &from))
            m->stack.count = from;
        break;
    case OP_NONE: push(m, make(m, PICKLE_NONE)); break;
    case OP_NEWTRUE: push_integer(m, PICKLE_BOOL, 1); break;
    case OP_NEWFALSE: push_integer(m, PICKLE_BOOL, 0); break;
    case OP_BININT: push_integer(m, PICKLE_INT, (int32_t)take_number(m, 4)); break;
    case OP_BININT1: push_integer(m, PICKLE_INT, (int64_t)take_number(m, 1)); break;
    case OP_BININT2: push_integer(m, PICKLE_INT, (int64_t)take_number(m, 2)); break;
    case OP_LONG1: push_long(m); break;
    case OP_BINFLOAT: push_float(m); break;
    case OP_BINUNICODE:
    case OP_BINSTRING: push_text(m, PICKLE_TEXT, take_number(m, 4)); break;
    case OP_SHORT_BINUNICODE:
    case OP_SHORT_BINSTRING: push_text(m, PICKLE_TEXT, take_number(m, 1)); break;
    case OP_BINUNICODE8: push_text(m, PICKLE_TEXT, take_number(m, 8)); break;
    case OP_BINBYTES: push_text(m, PICKLE_BYTES, take_number(m, 4)); break;
    case OP_SHORT_BINBYTES: push_text(m, PICKLE_BYTES, take_number(m, 1)); break;
    case OP_EMPTY_TUPLE: push(m, make(m, PICKLE_TUPLE)); break;
    case OP_EMPTY_LIST: push(m, make(m, PICKLE_LIST)); break;
    case OP_EMPTY_DICT: push(m, make(m, PICKLE_DICT)); break;
    case OP_EMPTY_SET: push(m, make(m, PICKLE_SET)); break;
    case OP_TUPLE1: gather(m, PICKLE_TUPLE, 1); break;
    case OP_TUPLE2: gather(m, PICKLE_TUPLE, 2); break;
    case OP_TUPLE3: gather(m, PICKLE_TUPLE, 3); break;
    case OP_TUPLE: gather_from_mark(m, PICKLE_TUPLE); break;
    case OP_LIST: gather_from_mark(m, PICKLE_LIST); break;
    case OP_DICT: gather_from_mark(m, PICKLE_DICT); break;
    case OP_APPEND: extend_by(m, PICKLE_LIST, 1); break;
    case OP_APPENDS:
    case OP_ADDITEMS: extend_from_mark(m, PICKLE_LIST); break;
    case OP_SETITEM: extend_by(m, PICKLE_DICT, 2); break;
    case OP_SETITEMS: extend_from_mark(m, PICKLE_DICT); break;
    case OP_GLOBAL: push_global(m); break;
    case OP_STACK_GLOBAL: stack_global(m); break;
    case OP_REDUCE:
    case OP_NEWOBJ: reduce(m); break;
    case OP_BUILD:
        pop(m);
        top(m);
        break;
    case OP_BINPERSID: gather(m, PICKLE_PERSISTENT, 1); break;
    case OP_BINPUT: put(m, take_number(m, 1)); break;
    case OP_LONG_BINPUT: put(m, take_number(m, 4)); break;
    case OP_MEMOIZE: put(m, m->memo_count); break;
    case OP_BINGET: get(m, take_number(m, 1)); break;
    case OP_LONG_BINGET: get(m, take_number(m, 4)); break;
    default:
        m->at--;
        if (m->ok)
            m->ok = error_set(m->err, ERROR_INPUT,
                              "the pickle has the opcode 0x%02x at byte %zu, which no file of "
                              "tensors needs",
                              (unsigned)op, m->at);
    }
}

// clang-format on
struct pickle *pickle_read(const unsigned char *data, size_t size, size_t *used, struct error *err)
{
    struct machine m = {.data = data, .size = size, .ok = true, .err = err};
    m.pickle = memory_alloc(1, sizeof *m.pickle);
    if (!m.pickle)
        no_memory(&m);
    for (size_t steps = 0; m.ok && !m.stopped; steps++) {
        const unsigned char *op = take(&m, 1);
        if (steps == PICKLE_LIMIT)
            m.ok = error_set(err, ERROR_INPUT, "the pickle has more than %d opcodes", PICKLE_LIMIT);
        else if (op)
            step(&m, *op);
    }
    free(m.stack.values);
    free(m.memo.values);
    *used = m.at;
    if (m.ok)
        return m.pickle;
    pickle_free(m.pickle);
    return NULL;
}
