// Room for large things that are made once and read once: in a file without a name, whose pages the system may take back.
#ifndef TRIMSCOPE_BASE_SPILL_H
#define TRIMSCOPE_BASE_SPILL_H

#include "engine/base/error.h"
#include "engine/base/file.h"

struct spill {
    struct file_map map; // NULL data: nothing was taken yet
    int file;
    size_t used;
};

// `bytes` (not aligned) of the `most` that all calls together may take; the file lies in $TMPDIR or /tmp. They count as
// memory until spill_settle(). NULL and one sentence in *err, where the disk has no room for them too.
void *spill_take(struct spill *spill, size_t bytes, size_t most, struct error *err);
// What was taken is written: its pages are read again when somebody looks.
void spill_settle(const struct spill *spill, const void *data, size_t bytes);
void spill_close(struct spill *spill);

#endif
