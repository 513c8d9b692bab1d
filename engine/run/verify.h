// Comparing a model with the tensors that another implementation dumped: a folder of .npy files as the fixtures have
// them (in_image, in_image1, in_text_ids, in_text_mask, and whatever else is to be compared, by name; a batch of any size;
// name__2 is the second call of a module; reload_* is a second run at another resolution).
#ifndef TRIMSCOPE_RUN_VERIFY_H
#define TRIMSCOPE_RUN_VERIFY_H

#include "engine/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct thread_pool;

enum { VERIFY_NAME = 64, VERIFY_ENTRIES = 1024 };

struct verify_entry {
    char name[VERIFY_NAME];
    bool known;        // the model has a tensor of this name in this shape; in another shape: false, infinite excess
    size_t elements;   // compared
    double difference; // the largest |ours - theirs|
    double excess;     // the largest |ours - theirs| / tolerance; above 1 is a mismatch
    bool argmax;       // logits: the best answers agree (true elsewhere)
};

// Tolerances: 5e-5 + 1e-4 |theirs| on states, 1e-4 on logits (vlm_spec §8), and the same best answer.
struct verify_report {
    struct verify_entry *entries; // by name
    int count;
};
static inline bool verify_matches(const struct verify_entry *entry)
{
    return entry->known && entry->excess <= 1 && entry->argmax;
}

// False and one sentence when the comparison could not be made; a mismatch is not an error.
bool verify_dumps(struct verify_report *report, const char *model_path, const char *folder, struct thread_pool *pool,
                  struct error *err);
void verify_report_free(struct verify_report *report);

#endif
