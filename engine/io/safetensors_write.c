// Writing .safetensors that every reader accepts: data without gaps, in the order of the header.
#include "engine/base/half.h"
#include "engine/io/safetensors.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_LIMIT = 8 << 20, CHUNK = 8192, DATA_ALIGNMENT = 64 };

static size_t source_elements(const struct tensor_source *source)
{
    size_t elements = 1;
    for (int i = 0; i < source->rank; i++)
        elements *= (size_t)source->shape[i];
    return elements;
}

static size_t source_size(const struct tensor_source *source)
{
    return source->stored == TENSOR_F16 ? 2 : 4;
}

static json_t *describe(const struct tensor_source *source, size_t from)
{
    json_t *shape = json_array();
    for (int i = 0; i < source->rank; i++)
        json_array_append_new(shape, json_integer(source->shape[i]));
    size_t to = from + source_elements(source) * source_size(source);
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", source->stored == TENSOR_F16 ? "F16" : "F32", "shape", shape,
                     "data_offsets", (json_int_t)from, (json_int_t)to);
}

static bool check_source(const struct tensor_source *source, struct error *err)
{
    if (source->stored != TENSOR_F32 && source->stored != TENSOR_F16)
        return error_set(err, ERROR_INPUT, "tensor %s: only F32 and F16 can be written", source->name);
    if (source->rank < 0 || source->rank > TENSOR_RANK)
        return error_set(err, ERROR_INPUT, "tensor %s has %d dimensions; at most %d can be written", source->name,
                         source->rank, TENSOR_RANK);
    return true;
}

static bool add_entry(json_t *object, const char *key, json_t *value, struct error *err)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return error_set(err, ERROR_INPUT, "the name %s is given twice", key);
    }
    if (json_object_set_new(object, key, value) != 0)
        return error_set(err, ERROR_INPUT, "%s: its name or value is not UTF-8, or there is no memory for it", key);
    return true;
}

static bool fill_header(json_t *header, const struct tensor_source *tensors, int count,
                        const struct metadata_pair *metadata, int metadata_count, struct error *err)
{
    if (metadata_count > 0) {
        json_t *object = json_object();
        if (!add_entry(header, "__metadata__", object, err))
            return false;
        for (int i = 0; i < metadata_count; i++)
            if (!add_entry(object, metadata[i].key, json_string(metadata[i].value), err))
                return false;
    }
    // F32 data goes first, so that every element is aligned to its size although there are no gaps.
    size_t from = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < count; i++) {
            if (tensors[i].stored != (pass ? TENSOR_F16 : TENSOR_F32))
                continue;
            if (!add_entry(header, tensors[i].name, describe(&tensors[i], from), err))
                return false;
            from += source_elements(&tensors[i]) * source_size(&tensors[i]);
        }
    return true;
}

// The text is padded with spaces, so that the data behind it is aligned; *size is its padded length.
static char *make_header(const struct tensor_source *tensors, int count, const struct metadata_pair *metadata,
                         int metadata_count, size_t *size, struct error *err)
{
    json_t *header = json_object();
    char *text = NULL, *padded = NULL;
    if (fill_header(header, tensors, count, metadata, metadata_count, err)) {
        text = json_dumps(header, JSON_COMPACT);
        size_t length = text ? strlen(text) : 0;
        *size = (sizeof(uint64_t) + length + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT - sizeof(uint64_t);
        padded = text && *size <= HEADER_LIMIT ? realloc(text, *size) : NULL;
        if (padded)
            memset(padded + length, ' ', *size - length);
        else if (text && *size > HEADER_LIMIT)
            error_set(err, ERROR_INPUT, "the header would have %zu bytes; the limit is %d", *size, HEADER_LIMIT);
        else
            error_no_memory(err, "the header");
        if (!padded)
            free(text);
    }
    json_decref(header);
    return padded;
}

// Why the stream failed is told by file_writer_give_up().
struct writing {
    FILE *stream;
    const struct safetensors_watch *watch; // may be NULL
};

static bool write_halves(const struct writing *w, const struct tensor_source *source, const float *values, size_t count,
                         struct error *err)
{
    uint16_t halves[CHUNK];
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i]) && fabsf(values[i]) >= 65520.0f)
            return error_set(err, ERROR_INPUT, "tensor %s holds %g, too large for F16; store it as F32", source->name,
                             (double)values[i]);
        halves[i] = half_from_float(values[i]);
    }
    return fwrite(halves, sizeof *halves, count, w->stream) == count;
}

static const float *next_piece(const struct tensor_source *source, const struct tensor *from, size_t first,
                               size_t count, float *buffer)
{
    if (!from)
        return source->data + first;
    struct tensor piece = *from;
    piece.data = (const unsigned char *)piece.data + first * tensor_type_size(piece.type);
    piece.elements = count;
    tensor_floats(&piece, buffer);
    return buffer;
}

static bool write_data(const struct writing *w, const struct tensor_source *source, int index, struct error *err)
{
    float buffer[CHUNK];
    size_t elements = source_elements(source);
    for (size_t i = 0; i < elements; i += CHUNK) {
        size_t n = elements - i < CHUNK ? elements - i : CHUNK;
        const float *values = next_piece(source, w->watch ? w->watch->from[index] : NULL, i, n, buffer);
        if (w->watch && !w->watch->piece(w->watch->context, index, values, n, err))
            return false;
        if (source->stored == TENSOR_F16 ? !write_halves(w, source, values, n, err)
                                         : fwrite(values, sizeof *values, n, w->stream) != n)
            return false;
    }
    return true;
}

static bool write_file(const struct writing *w, const char *header, uint64_t size, const struct tensor_source *tensors,
                       int count, struct error *err)
{
    if (fwrite(&size, sizeof size, 1, w->stream) != 1 || fwrite(header, 1, (size_t)size, w->stream) != size)
        return false;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < count; i++)
            if (tensors[i].stored == (pass ? TENSOR_F16 : TENSOR_F32) && !write_data(w, &tensors[i], i, err))
                return false;
    return true;
}

bool safetensors_write_watched(const char *path, const struct tensor_source *tensors, int count,
                               const struct metadata_pair *metadata, int metadata_count,
                               const struct safetensors_watch *watch, struct error *err)
{
    for (int i = 0; i < count; i++)
        if (!check_source(&tensors[i], err))
            return error_prefix(err, "cannot write %s", path);
    size_t size;
    char *header = make_header(tensors, count, metadata, metadata_count, &size, err);
    if (!header)
        return error_prefix(err, "cannot write %s", path);
    struct file_writer writer;
    bool ok = file_writer_open(&writer, path, err);
    if (ok)
        ok = write_file(&(struct writing){writer.stream, watch}, header, size, tensors, count, err)
                 ? file_writer_commit(&writer, err)
                 : file_writer_give_up(&writer, err);
    free(header);
    return ok;
}

bool safetensors_write(const char *path, const struct tensor_source *tensors, int count,
                       const struct metadata_pair *metadata, int metadata_count, struct error *err)
{
    return safetensors_write_watched(path, tensors, count, metadata, metadata_count, NULL, err);
}
