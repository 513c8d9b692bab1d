#include "tests/support/torch_file.h"

#include <stdlib.h>
#include <string.h>

static void put(FILE *stream, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++, number >>= 8)
        putc((int)(number & 255), stream);
}

void zip_file_begin(struct zip_file *zip, FILE *stream)
{
    *zip = (struct zip_file){.stream = stream};
}

struct zip_file_entry *zip_file_add(struct zip_file *zip, const char *name, uint64_t size)
{
    if (zip->count == zip->room) {
        zip->room = zip->room ? 2 * zip->room : 16;
        zip->entries = realloc(zip->entries, (size_t)zip->room * sizeof *zip->entries);
        if (!zip->entries)
            abort();
    }
    struct zip_file_entry *entry = &zip->entries[zip->count++];
    *entry = (struct zip_file_entry){.header = (uint64_t)ftell(zip->stream), .size = size, .flags = 0x0808};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    size_t length = strlen(entry->name), before = (size_t)entry->header + 30 + length + 4;
    size_t padding = (64 - before % 64) % 64;
    fputs("PK\3\4", zip->stream);
    put(zip->stream, 0, 2);
    put(zip->stream, entry->flags, 2);
    put(zip->stream, 0, 2 + 4 + 4 + 4 + 4); // method, time, crc and sizes: the directory has them
    put(zip->stream, length, 2);
    put(zip->stream, 4 + padding, 2);
    fputs(entry->name, zip->stream);
    put(zip->stream, 'F' | 'B' << 8, 2);
    put(zip->stream, padding, 2);
    for (size_t i = 0; i < padding; i++)
        putc('Z', zip->stream);
    return entry;
}

void zip_file_put(struct zip_file *zip, const char *name, const void *bytes, size_t size)
{
    zip_file_add(zip, name, size);
    fwrite(bytes, 1, size, zip->stream);
}

static void put_central(const struct zip_file *zip, const struct zip_file_entry *entry)
{
    uint64_t limit = zip->zip64 ? 0xffffffff : 0;
    fputs("PK\1\2", zip->stream);
    put(zip->stream, 0, 2 + 2);
    put(zip->stream, entry->flags, 2);
    put(zip->stream, entry->method, 2);
    put(zip->stream, 0, 4 + 4); // time, crc
    put(zip->stream, limit ? limit : entry->size, 4);
    put(zip->stream, limit ? limit : entry->size, 4);
    put(zip->stream, strlen(entry->name), 2);
    put(zip->stream, limit ? 28 : 0, 2);
    put(zip->stream, 0, 2 + 2 + 2 + 4);
    put(zip->stream, limit ? limit : entry->header, 4);
    fputs(entry->name, zip->stream);
    if (limit) {
        put(zip->stream, 1, 2);
        put(zip->stream, 24, 2);
        put(zip->stream, entry->size, 8);
        put(zip->stream, entry->size, 8);
        put(zip->stream, entry->header, 8);
    }
}

void zip_file_end(struct zip_file *zip)
{
    uint64_t from = (uint64_t)ftell(zip->stream), count = (uint64_t)zip->count;
    zip->zip64 = zip->zip64 || from > 0xffffffff;
    for (int i = 0; i < zip->count; i++)
        put_central(zip, &zip->entries[i]);
    uint64_t end = (uint64_t)ftell(zip->stream);
    fputs("PK\6\6", zip->stream);
    put(zip->stream, 44, 8);
    put(zip->stream, 0x1e031e, 4);
    put(zip->stream, 0, 4 + 4);
    put(zip->stream, count, 8);
    put(zip->stream, count, 8);
    put(zip->stream, end - from, 8);
    put(zip->stream, from, 8);
    fputs("PK\6\7", zip->stream);
    put(zip->stream, 0, 4);
    put(zip->stream, end, 8);
    put(zip->stream, 1, 4);
    fputs("PK\5\6", zip->stream);
    put(zip->stream, 0, 4);
    put(zip->stream, count, 2);
    put(zip->stream, count, 2);
    put(zip->stream, zip->zip64 ? 0xffffffff : end - from, 4);
    put(zip->stream, zip->zip64 ? 0xffffffff : from, 4);
    put(zip->stream, 0, 2);
    free(zip->entries);
    *zip = (struct zip_file){0};
}

// --- the pickle ----------------------------------------------------------------------------------------------------

static void put_text(FILE *stream, const char *text)
{
    putc('X', stream);
    put(stream, strlen(text), 4);
    fputs(text, stream);
}

static void put_integer(FILE *stream, uint64_t number)
{
    putc(number < (1u << 31) ? 'J' : 0x8a, stream);
    if (number >= 1u << 31)
        putc(8, stream);
    put(stream, number, number < (1u << 31) ? 4 : 8);
}

static size_t elements_of(const struct tensor_source *source)
{
    size_t elements = 1;
    for (int i = 0; i < source->rank; i++)
        elements *= (size_t)source->shape[i];
    return elements;
}

static void put_tuple(FILE *stream, const struct tensor_source *source, bool strides)
{
    uint64_t stride = elements_of(source);
    putc('(', stream);
    for (int i = 0; i < source->rank; i++) {
        stride /= (uint64_t)source->shape[i];
        put_integer(stream, strides ? stride : (uint64_t)source->shape[i]);
    }
    putc('t', stream);
}

static void put_tensor(FILE *stream, const struct tensor_source *source, int key)
{
    char name[16];
    snprintf(name, sizeof name, "%d", key);
    fputs("ctorch._utils\n_rebuild_tensor_v2\n((", stream);
    put_text(stream, "storage");
    fputs("ctorch\nFloatStorage\n", stream);
    put_text(stream, name);
    put_text(stream, "cpu");
    put_integer(stream, elements_of(source));
    fputs("tQK", stream);
    putc(0, stream);
    put_tuple(stream, source, false);
    put_tuple(stream, source, true);
    fputs("\x89"
          "ccollections\nOrderedDict\n)RtR",
          stream);
}

void torch_file_write(const char *path, const char *place, const struct tensor_source *tensors, int count,
                      void (*fill)(const struct tensor_source *source, float *out, size_t elements))
{
    char *pickle = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&pickle, &size), *file = fopen(path, "wb");
    if (!stream || !file)
        abort();
    fputs("\x80\2}", stream);
    if (*place) {
        put_text(stream, place);
        fputs("ccollections\nOrderedDict\n)R", stream);
    }
    putc('(', stream);
    for (int i = 0; i < count; i++) {
        put_text(stream, tensors[i].name);
        put_tensor(stream, &tensors[i], i);
    }
    fputs(*place ? "us." : "u.", stream);
    fclose(stream);
    struct zip_file zip;
    zip_file_begin(&zip, file);
    zip_file_put(&zip, "archive/data.pkl", pickle, size);
    for (int i = 0; i < count; i++) {
        char name[64];
        size_t elements = elements_of(&tensors[i]);
        float *made = tensors[i].data || !fill ? NULL : malloc((elements + 1) * sizeof *made);
        if (made)
            fill(&tensors[i], made, elements);
        snprintf(name, sizeof name, "archive/data/%d", i);
        if (made || tensors[i].data) {
            zip_file_put(&zip, name, made ? made : tensors[i].data, elements * sizeof(float));
        } else {
            zip_file_add(&zip, name, elements * sizeof(float));
            fseek(file, (long)(elements * sizeof(float)), SEEK_CUR);
        }
        free(made);
    }
    zip_file_put(&zip, "archive/version", "3\n", 2);
    zip_file_end(&zip);
    if (fclose(file) != 0)
        abort();
    free(pickle);
}
