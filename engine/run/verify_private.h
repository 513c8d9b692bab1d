// Inside verify: the dumps of a folder, and one tensor of ours beside its dump.
#ifndef TRIMSCOPE_RUN_VERIFY_PRIVATE_H
#define TRIMSCOPE_RUN_VERIFY_PRIVATE_H

#include "engine/io/npy.h"
#include "engine/run/verify.h"

struct model;

enum { VERIFY_PATH = 4096, VERIFY_CALLS = 256, VERIFY_TOKENS = 512 };

// The comparison at hand: one sample of the batch, at one resolution.
struct verifier {
    struct verify_report *report;
    const char *folder, *prefix; // "" or "reload_"
    int sample, batch;
    int rows[VERIFY_TOKENS], row_count; // rows of the dumped text that are no padding
    const char *only;                   // compares nothing but names that begin so; NULL: all
    struct {
        char name[VERIFY_NAME];
        int count;
    } calls[VERIFY_CALLS];
    int call_count;
};

bool verify_open(struct npy *npy, const char *folder, const char *name, struct error *err);
struct verify_entry *verify_find(struct verify_report *report, const char *name);

// A probe (engine/model/forward.h) with a struct verifier as its context: compares what it sees with the dump of that
// name, and counts how often it has seen it.
void verify_see(void *context, const char *name, const float *x, int rows, int width);

// The position table of a resolution; it is the same for every sample.
void verify_positions(struct verifier *v, const struct model *model);

#endif
