// ZIP archives of stored entries (APPNOTE.TXT 6.3.9; ZIP64): the container of PyTorch's files. Everything is read from
// the central directory, which must agree with the local headers; compressed and encrypted entries are refused, so that
// an archive never holds more than its own bytes.
#ifndef TRIMSCOPE_IO_ZIP_H
#define TRIMSCOPE_IO_ZIP_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zip_entry {
    const char *name; // in the archive, not ended by a 0 byte
    size_t name_length;
    const unsigned char *data;
    size_t size;
    uint64_t header; // where its local header begins
    uint32_t checksum; // CRC-32; 0: the writer has taken none
};

struct zip;

// Starts as an archive does?
bool zip_recognise(const unsigned char *data, size_t size);

// The bytes must stay where they are as long as the archive is used. No two entries have the same name or share a byte.
// NULL and one sentence in *err when it is not a whole archive.
struct zip *zip_open(const unsigned char *data, size_t size, struct error *err);
void zip_close(struct zip *zip);
int zip_count(const struct zip *zip);
// In the order of their names.
const struct zip_entry *zip_at(const struct zip *zip, int index);
// The entry called prefix[0..prefix_length) followed by name[0..length); NULL where there is none.
const struct zip_entry *zip_find(const struct zip *zip, const char *prefix, size_t prefix_length, const char *name,
                                 size_t length);

// The CRC-32 of an entry's data, piece by piece, and whether it is the one that the archive says.
struct zip_sum {
    uint32_t value;
};
void zip_sum_add(struct zip_sum *sum, const unsigned char *data, size_t size);
bool zip_sum_fits(const struct zip_sum *sum, const struct zip_entry *entry);

#endif
