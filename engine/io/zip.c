#include "engine/io/zip.h"

#include "engine/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    COMMENT_LIMIT = 65535,
    ENTRY_LIMIT = 1 << 18, // a full checkpoint with its optimizer has some thousands
};

static const char end_mark[] = "PK\5\6", end64_mark[] = "PK\6\6", locator_mark[] = "PK\6\7", central_mark[] = "PK\1\2",
                  local_mark[] = "PK\3\4";

struct zip {
    const unsigned char *data;
    size_t size;
    struct zip_entry *entries; // by name
    int count;
};

// What the end records say of the central directory.
struct directory {
    uint64_t count, size, from;
    uint64_t end; // where the records behind it begin
};

static uint16_t get16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const unsigned char *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const unsigned char *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool marked(const unsigned char *p, const char *mark)
{
    return memcmp(p, mark, 4) == 0;
}

bool zip_recognise(const unsigned char *data, size_t size)
{
    return size >= 4 && (marked(data, local_mark) || marked(data, end_mark));
}

// The end record's comment must reach the end of the file: one inside a comment is none.
static bool find_end(const struct zip *zip, size_t *at, struct error *err)
{
    for (size_t back = END_SIZE; back <= zip->size && back <= END_SIZE + COMMENT_LIMIT; back++) {
        *at = zip->size - back;
        if (marked(zip->data + *at, end_mark) && get16(zip->data + *at + 20) == back - END_SIZE)
            return true;
    }
    return error_set(err, ERROR_INPUT, "the archive has no end: the file is cut short, or was not downloaded in full");
}

// A field of the end record may be saturated, and is then the ZIP64 record's alone; two that differ are a trick.
static bool agree(uint64_t small, uint64_t saturated, uint64_t large)
{
    return small == saturated || small == large;
}

static bool read_end64(const struct zip *zip, const unsigned char *end, struct directory *directory, struct error *err)
{
    const unsigned char *locator = end - LOCATOR_SIZE;
    uint64_t at = get64(locator + 8), before = (uint64_t)(locator - zip->data);
    if (before < END64_SIZE || at > before - END64_SIZE || !marked(zip->data + at, end64_mark))
        return error_set(err, ERROR_INPUT, "the archive's ZIP64 end record is not where its locator says");
    const unsigned char *p = zip->data + at;
    if (get32(p + 16) || get32(p + 20) || get64(p + 24) != get64(p + 32))
        return error_set(err, ERROR_INPUT, "the archive is one of several parts; put them together first");
    *directory = (struct directory){.count = get64(p + 32), .size = get64(p + 40), .from = get64(p + 48), .end = at};
    if (!agree(get16(end + 10), 0xffff, directory->count) || !agree(get32(end + 12), 0xffffffff, directory->size) ||
        !agree(get32(end + 16), 0xffffffff, directory->from))
        return error_set(err, ERROR_INPUT, "the archive's two end records contradict each other");
    return true;
}

static bool read_end(const struct zip *zip, struct directory *directory, struct error *err)
{
    size_t at = 0;
    if (!find_end(zip, &at, err))
        return false;
    const unsigned char *end = zip->data + at;
    if (at >= LOCATOR_SIZE && marked(end - LOCATOR_SIZE, locator_mark)) {
        if (!read_end64(zip, end, directory, err))
            return false;
    } else {
        if (get16(end + 4) || get16(end + 6) || get16(end + 8) != get16(end + 10))
            return error_set(err, ERROR_INPUT, "the archive is one of several parts; put them together first");
        *directory = (struct directory){get16(end + 10), get32(end + 12), get32(end + 16), at};
    }
    if (directory->from > directory->end || directory->size > directory->end - directory->from)
        return error_set(err, ERROR_INPUT, "the archive's directory of %llu bytes at byte %llu does not fit into it",
                         (unsigned long long)directory->size, (unsigned long long)directory->from);
    if (directory->count > directory->size / CENTRAL_SIZE || directory->count > ENTRY_LIMIT)
        return error_set(err, ERROR_INPUT,
                         "the archive claims %llu entries; its directory has room for %llu, and %d is "
                         "the limit",
                         (unsigned long long)directory->count, (unsigned long long)(directory->size / CENTRAL_SIZE),
                         ENTRY_LIMIT);
    return true;
}

struct sizes {
    uint64_t stored, plain, header;
};

// The ZIP64 extra field holds those of the three numbers, in this order, that the record's own field cannot.
static bool read_extra64(const unsigned char *extra, size_t length, struct sizes *sizes)
{
    uint64_t *const fields[] = {&sizes->plain, &sizes->stored, &sizes->header};
    for (size_t at = 0; at + 4 <= length;) {
        size_t size = get16(extra + at + 2), used = 0;
        if (size > length - at - 4)
            return false;
        const unsigned char *field = extra + at + 4;
        for (int i = 0; get16(extra + at) == 1 && i < 3; i++)
            if (*fields[i] == 0xffffffff) {
                if (size - used < 8)
                    return false;
                *fields[i] = get64(field + used);
                used += 8;
            }
        at += 4 + size;
    }
    return true;
}

// The data lies behind the local header, whose extra field has a length of its own.
static bool locate(const struct zip *zip, struct zip_entry *entry, const struct sizes *sizes, uint64_t end)
{
    uint64_t at = sizes->header;
    if (at > end || end - at < LOCAL_SIZE || !marked(zip->data + at, local_mark))
        return false;
    const unsigned char *local = zip->data + at;
    uint64_t before = LOCAL_SIZE + (uint64_t)get16(local + 26) + get16(local + 28);
    if (end - at < before || end - at - before < sizes->plain || get16(local + 8) != 0 ||
        get16(local + 26) != entry->name_length || memcmp(local + LOCAL_SIZE, entry->name, entry->name_length) != 0)
        return false;
    entry->header = at;
    entry->data = local + before;
    entry->size = (size_t)sizes->plain;
    return true;
}

// One record of the directory; *at moves to the next.
static bool read_entry(const struct zip *zip, uint64_t *at, uint64_t end, uint64_t data_end, struct zip_entry *entry,
                       struct error *err)
{
    const unsigned char *p = zip->data + *at;
    if (end - *at < CENTRAL_SIZE || !marked(p, central_mark))
        return error_set(err, ERROR_INPUT, "the archive's directory is damaged at byte %llu", (unsigned long long)*at);
    size_t name = get16(p + 28), extra = get16(p + 30), whole = CENTRAL_SIZE + name + extra + get16(p + 32);
    if (end - *at < whole)
        return error_set(err, ERROR_INPUT, "the archive's directory is damaged at byte %llu", (unsigned long long)*at);
    *entry = (struct zip_entry){
        .name = (const char *)p + CENTRAL_SIZE, .name_length = name, .checksum = get32(p + 16)};
    *at += whole;
    if (get16(p + 8) & 1)
        return error_set(err, ERROR_INPUT, "the entry %.*s is encrypted", (int)name, entry->name);
    if (get16(p + 10) != 0)
        return error_set(err, ERROR_INPUT, "the entry %.*s is compressed; PyTorch stores weights as they are",
                         (int)name, entry->name);
    struct sizes sizes = {get32(p + 20), get32(p + 24), get32(p + 42)};
    if (!read_extra64(p + CENTRAL_SIZE + name, extra, &sizes) || sizes.stored != sizes.plain)
        return error_set(err, ERROR_INPUT, "the sizes of the entry %.*s contradict each other", (int)name, entry->name);
    if (!locate(zip, entry, &sizes, data_end))
        return error_set(err, ERROR_INPUT, "the entry %.*s of %llu bytes is not where the archive's directory says",
                         (int)name, entry->name, (unsigned long long)sizes.plain);
    return true;
}

static int compare_text(const char *a, size_t n, const char *b, size_t m)
{
    int order = memcmp(a, b, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static int compare_names(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;
    return compare_text(x->name, x->name_length, y->name, y->name_length);
}

static int compare_places(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;
    return (x->header > y->header) - (x->header < y->header);
}

static bool check_entries(struct zip *zip, struct error *err)
{
    size_t size = sizeof *zip->entries;
    qsort(zip->entries, (size_t)zip->count, size, compare_places);
    for (int i = 1; i < zip->count; i++) {
        const struct zip_entry *a = &zip->entries[i - 1], *b = &zip->entries[i];
        if (a->data + a->size > zip->data + b->header)
            return error_set(err, ERROR_INPUT, "the entries %.*s and %.*s overlap", (int)a->name_length, a->name,
                             (int)b->name_length, b->name);
    }
    qsort(zip->entries, (size_t)zip->count, size, compare_names);
    for (int i = 1; i < zip->count; i++)
        if (!compare_names(&zip->entries[i - 1], &zip->entries[i]))
            return error_set(err, ERROR_INPUT, "there are two entries called %.*s", (int)zip->entries[i].name_length,
                             zip->entries[i].name);
    return true;
}

static bool read_entries(struct zip *zip, const struct directory *directory, struct error *err)
{
    uint64_t at = directory->from, end = directory->from + directory->size;
    for (uint64_t i = 0; i < directory->count; i++)
        if (!read_entry(zip, &at, end, directory->from, &zip->entries[zip->count++], err))
            return false;
    return zip->count == 0 || check_entries(zip, err);
}

struct zip *zip_open(const unsigned char *data, size_t size, struct error *err)
{
    struct zip archive = {.data = data, .size = size}, *zip = NULL;
    struct directory directory = {0};
    if (!read_end(&archive, &directory, err))
        return NULL;
    archive.entries = memory_alloc((size_t)directory.count, sizeof *archive.entries);
    zip = memory_alloc(1, sizeof *zip);
    if (!zip || !archive.entries) {
        error_no_memory(err, "the archive's directory");
    } else if (read_entries(&archive, &directory, err)) {
        *zip = archive;
        return zip;
    }
    memory_free(archive.entries);
    memory_free(zip);
    return NULL;
}

void zip_close(struct zip *zip)
{
    if (!zip)
        return;
    memory_free(zip->entries);
    memory_free(zip);
}

int zip_count(const struct zip *zip)
{
    return zip->count;
}

const struct zip_entry *zip_at(const struct zip *zip, int index)
{
    return &zip->entries[index];
}

const struct zip_entry *zip_find(const struct zip *zip, const char *prefix, size_t prefix_length, const char *name,
                                 size_t length)
{
    int low = 0, high = zip->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        const struct zip_entry *entry = &zip->entries[middle];
        size_t head = entry->name_length < prefix_length ? entry->name_length : prefix_length;
        int order = compare_text(prefix, prefix_length, entry->name, head);
        if (!order)
            order = compare_text(name, length, entry->name + head, entry->name_length - head);
        if (!order)
            return entry;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void zip_sum_add(struct zip_sum *sum, const unsigned char *data, size_t size)
{
    sum->value = (uint32_t)crc32_z(sum->value, data, size);
}

bool zip_sum_fits(const struct zip_sum *sum, const struct zip_entry *entry)
{
    return !entry->checksum || sum->value == entry->checksum;
}
