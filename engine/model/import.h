// From a checkpoint that somebody else has written (PyTorch or safetensors) to a weights file of this program: what it is
// is recognised from the names and shapes of its tensors; what inference does not read is left out and told.
#ifndef TRIMSCOPE_MODEL_IMPORT_H
#define TRIMSCOPE_MODEL_IMPORT_H

#include "engine/model/config.h"

#include <stddef.h>

struct import_options {
    const char *name;              // of the model; NULL: the file's own, or the architecture's
    const char *task;              // NULL: what the tensors show
    const char *trimmers;          // a file whose trimmers.* tensors are taken; NULL: those of the file itself
    const char *const *vocabulary; // files or folders (text/vocabulary.h)
    int vocabulary_count;
    const char *bert;    // BERT's vocabulary, for a BLIP whose words are these, where no other is given; NULL: none
    const char *roberta; // likewise the folder that RoBERTa's vocabulary is in, for METER
    const char *answers; // a file (text/answers.h); NULL: none
    int image_size;      // pixels of a side that the position tables are resized for; 0: as they are
    bool half;           // store fp16
};

// What tensors are that are left out.
enum leftover_kind {
    LEFTOVER_UNKNOWN,
    LEFTOVER_CLIP_TEXT, // METER's file keeps pieces of CLIP's text encoder
    LEFTOVER_POOLER,    // RoBERTa's own
    LEFTOVER_COUNTING,  // position_ids: 0, 1, 2, …
    LEFTOVER_HEAD,      // of other tasks
    LEFTOVER_TIED,      // the word table once more
    LEFTOVER_MOMENTUM,  // BLIP's slow copies
    LEFTOVER_TRAINING,  // queues, temperature, auxiliary heads
    LEFTOVER_STACK,     // an encoder or decoder of another task
};
struct leftover {
    enum leftover_kind kind;
    char names[96]; // the first one, or what the names of several begin with, followed by "*"
    int tensors;
    size_t bytes;
};
enum { LEFTOVERS = 48 };

struct import_report {
    const struct model_config *config; // of the file that will be written
    const char *container;             // "zip", "legacy" or "safetensors"
    const char *place;                 // the key under which the tensors stood; "" for none
    const char *calls;                 // what the pickle asked to be called, which was not done; NULL: nothing
    const char *beside;                // what stood beside the tensors' place, which is not read; NULL: nothing
    int tensors;                       // that will be written
    int file_grid;                     // patches of a side that the file's position tables are for
    int tokens, answers;               // of the tokenizer and the list of answers that go into the file; 0: none
    bool twins;                        // BLIP's cross-attention was copied for two pictures
    struct leftover leftovers[LEFTOVERS];
    int leftover_count; // the last one stands for all others where there are too many
};

struct import;

// Opens, recognises and checks; nothing is written yet. NULL and one sentence in *err: what is missing or has another
// shape is named.
struct import *import_open(const char *path, const struct import_options *options, struct error *err);
void import_close(struct import *import);
const struct import_report *import_report(const struct import *import);

// Writes the file, whole or not at all; `progress` (may be NULL) is told how many elements of how many are done, and may
// stop it by returning false (ERROR_CANCELLED). A number that is not finite is an error.
bool import_write(struct import *import, const char *path, bool (*progress)(void *context, double done, double total),
                  void *context, struct error *err);

#endif
