#include "engine/io/npy.h"

#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are mapped, not converted: little-endian only");

enum { MAGIC = 6, HEADER_LIMIT = 65536 };

static const struct {
    char descr[4];
    size_t bytes;
} types[NPY_TYPE_COUNT] = {
#define NPY_TYPE_ROW(name, descr, bytes) {descr, bytes},
    NPY_TYPES(NPY_TYPE_ROW)
#undef NPY_TYPE_ROW
};

// The header is a Python dictionary; this walks over it.
struct scanner {
    const char *at, *end;
};

static void skip_space(struct scanner *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n'))
        scan->at++;
}

static bool accept(struct scanner *scan, const char *text)
{
    size_t length = strlen(text);
    skip_space(scan);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, text, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool scan_string(struct scanner *scan, char *out, size_t size)
{
    skip_space(scan);
    char quote = scan->at < scan->end ? *scan->at : '\0';
    if (quote != '\'' && quote != '"')
        return false;
    const char *from = ++scan->at;
    while (scan->at < scan->end && *scan->at != quote)
        scan->at++;
    size_t length = (size_t)(scan->at - from);
    if (scan->at == scan->end || length >= size)
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    scan->at++;
    return true;
}

static bool scan_number(struct scanner *scan, int64_t *out)
{
    skip_space(scan);
    const char *from = scan->at;
    *out = 0;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++)
        if (__builtin_mul_overflow(*out, (int64_t)10, out) ||
            __builtin_add_overflow(*out, (int64_t)(*scan->at - '0'), out))
            return false;
    return scan->at > from;
}

static bool scan_shape(struct scanner *scan, struct npy *npy)
{
    npy->rank = 0;
    npy->elements = 1;
    if (!accept(scan, "("))
        return false;
    while (!accept(scan, ")")) {
        if (npy->rank == NPY_RANK || !scan_number(scan, &npy->shape[npy->rank]) ||
            __builtin_mul_overflow(npy->elements, (size_t)npy->shape[npy->rank], &npy->elements))
            return false;
        npy->rank++;
        if (!accept(scan, ",")) // a shape of one number ends in a comma; the last of several need not
            return npy->rank > 1 && accept(scan, ")");
    }
    return true;
}

static bool find_type(const char *descr, struct npy *npy, struct error *err)
{
    for (int i = 0; i < NPY_TYPE_COUNT; i++)
        if (!strcmp(types[i].descr, descr)) {
            npy->type = (enum npy_type)i;
            return true;
        }
    return error_set(err, ERROR_INPUT, "its element type \"%s\" is not supported", descr);
}

// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, the keys in any order, each once.
static bool parse_header(struct scanner scan, struct npy *npy, struct error *err)
{
    char key[24], descr[16];
    bool typed = false, ordered = false, shaped = false, fortran = false;
    bool ok = accept(&scan, "{");
    while (ok && !accept(&scan, "}")) {
        ok = scan_string(&scan, key, sizeof key) && accept(&scan, ":");
        if (ok && !strcmp(key, "descr") && !typed) {
            typed = ok = scan_string(&scan, descr, sizeof descr);
        } else if (ok && !strcmp(key, "fortran_order") && !ordered) {
            fortran = accept(&scan, "True");
            ordered = ok = fortran || accept(&scan, "False");
        } else if (ok && !strcmp(key, "shape") && !shaped) {
            shaped = ok = scan_shape(&scan, npy);
        } else {
            ok = false;
        }
        if (ok && !accept(&scan, ",")) {
            ok = accept(&scan, "}");
            break;
        }
    }
    skip_space(&scan);
    if (!ok || !typed || !ordered || !shaped || scan.at != scan.end)
        return error_set(err, ERROR_INPUT, "its header is not that of a plain numeric array");
    if (fortran && npy->rank > 1)
        return error_set(err, ERROR_INPUT, "it is in Fortran order; save it with numpy.ascontiguousarray");
    return find_type(descr, npy, err);
}

static bool parse(struct npy *npy, struct error *err)
{
    const unsigned char *bytes = npy->map.data;
    if (npy->map.size < MAGIC + 6 || memcmp(bytes, "\x93NUMPY", MAGIC) != 0)
        return error_set(err, ERROR_INPUT, "it is not an .npy file");
    unsigned version = bytes[MAGIC];
    if (version < 1 || version > 3)
        return error_set(err, ERROR_INPUT, "its format version is %u; 1 to 3 are supported", version);
    size_t start = MAGIC + 2 + (version == 1 ? 2 : 4), length = bytes[MAGIC + 2] | (size_t)bytes[MAGIC + 3] << 8;
    if (version > 1)
        length |= (size_t)bytes[MAGIC + 4] << 16 | (size_t)bytes[MAGIC + 5] << 24;
    if (length > HEADER_LIMIT || length > npy->map.size - start)
        return error_set(err, ERROR_INPUT, "it is cut short: its header claims %zu bytes", length);
    const char *text = (const char *)bytes + start;
    if (!parse_header((struct scanner){text, text + length}, npy, err))
        return false;
    size_t expected, found = npy->map.size - start - length;
    if (__builtin_mul_overflow(npy->elements, types[npy->type].bytes, &expected) || expected != found)
        return error_set(err, ERROR_INPUT, "its shape holds %zu elements of type %s, but %zu bytes follow",
                         npy->elements, types[npy->type].descr, found);
    npy->data = text + length;
    return true;
}

bool npy_open(struct npy *npy, const char *path, struct error *err)
{
    *npy = (struct npy){0};
    if (!file_map(&npy->map, path, err))
        return false;
    if (parse(npy, err))
        return true;
    npy_close(npy);
    return error_prefix(err, "cannot use %s", path);
}

void npy_close(struct npy *npy)
{
    file_unmap(&npy->map);
    *npy = (struct npy){0};
}

#define LOAD(type)                                                                                             \
    {                                                                                                          \
        type value;                                                                                            \
        memcpy(&value, (const unsigned char *)npy->data + index * sizeof value, sizeof value);                 \
        return (double)value;                                                                                  \
    }

double npy_value(const struct npy *npy, size_t index)
{
    switch (npy->type) {
    case NPY_F32:
        LOAD(float)
    case NPY_F64:
        LOAD(double)
    case NPY_I64:
        LOAD(int64_t)
    case NPY_I32:
        LOAD(int32_t)
    case NPY_U8:
    case NPY_BOOL:
        LOAD(uint8_t)
    case NPY_TYPE_COUNT:
        break;
    }
    return 0;
}

void npy_floats(const struct npy *npy, float *out)
{
    for (size_t i = 0; i < npy->elements; i++)
        out[i] = (float)npy_value(npy, i);
}
