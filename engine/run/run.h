// One picture (or two) and one question passing through a model, stage by stage.
#ifndef TRIMSCOPE_RUN_RUN_H
#define TRIMSCOPE_RUN_RUN_H

#include "engine/base/error.h"
#include "engine/prune/policy.h"
#include "engine/run/trace.h"

#include <stdatomic.h>
#include <stdbool.h>

struct budget_counts;
struct model;
struct picture;
struct picture_origin;
struct run;
struct thread_pool;

struct run_options {
    enum policy policy;
    double budget;          // share of the dense multiply-adds, on average over the calibration set; NaN: as trained
    bool trim_tokens, trim_heads;
    uint64_t seed;          // of POLICY_RANDOM
    bool exact;             // pictures shall be read to the bit as the model's own code reads them (run_reading())
    // How BLIP answers; 0 and false: as published (vlm_spec §4.4, §4.5, §4.8). What a model has no use for is refused.
    bool generate;          // VQA: write the answer even where the model has a list to choose from
    int candidates;         // that are ranked to their ends when an answer is chosen; 0: 128
    int beams;              // of the search when it is written; 0: 3
    int min_length, max_length; // tokens of a written text, the prompt counted: no end before, none left after; 0: 5 and 20
                                // of a caption, 1 and 10 of an answer ([DEC] is its prompt)
    const char *prompt;     // captions: what they begin with where the question is ""; NULL: MODEL_PROMPT. Must outlive the run
    bool cls;               // retrieval: the text begins with [CLS], as in the code's demo, not with [ENC], as where it
                            // is evaluated
    int padding;            // of the ids that run_new_from_tensors() gets: so many at their end are padding, which
                            // attends, but is not attended to (what a batch of the original does to its shorter texts)
    bool bare;              // the answer alone counts: no redundancy, no answers before the end (NaN, none in the trace)
    struct thread_pool *pool;
    const atomic_bool *stop; // set by another thread or a signal handler: run_step() ends within milliseconds. NULL: never
};
struct run_options run_options_default(void);

// Prepares a run; computes nothing yet. The model must outlive the run; pictures are copied (as many as the task
// needs). A word that the vocabulary lacks is no error. NULL and *err on bad input.
struct run *run_new(const struct model *model, const struct picture *const pictures[], int picture_count,
                    const char *question, const struct run_options *options, struct error *err);
void run_free(struct run *run);

// The same from tensors as another implementation dumped them: pixels[p] (3, side, side) normalised, token ids. `probe`
// (may be NULL) sees the intermediate tensors under the names that they have in the dumps (engine/model/forward.h).
typedef void run_probe(void *context, const char *name, const float *x, int rows, int width);
struct run *run_new_from_tensors(const struct model *model, const float *const pixels[], const int *ids, int id_count,
                                 const struct run_options *options, run_probe *probe, void *context,
                                 struct error *err);

// How the pictures of a run shall be read from their files: exact, whole and with EXIF's orientation ignored; else upright,
// and large ones at a reduced size with enough pixels for the model and `side`.
struct picture_reading run_reading(const struct model *model, bool exact, int side);

// What the trace says about a picture's file: a run itself sees pixels only.
bool run_describe_picture(struct run *run, int index, const char *path, const struct picture_origin *origin,
                          struct error *err);

// Computes exactly one stage and appends it to the trace. False when all are done (or on error: *err is set). Stopped, it is
// ERROR_CANCELLED; the next call computes the stage from its beginning.
// Once warm (a run of the same shape has been made with this struct run) it allocates nothing but trace memory.
bool run_step(struct run *run, struct error *err);
bool run_finished(const struct run *run);

// Whether the next run_step() can begin at once; it waits at most so many seconds for that. False only while the
// weights are still being opened in the background (model_open()): run_step() itself would wait for them.
bool run_ready(const struct run *run, double seconds);

// Owned by the run, changed by run_step() and interventions only.
const struct trace *run_trace(const struct run *run);

// Records an intervention (its `stage` becomes the stage where it acts), drops the stages it changes (see DESIGN.md) and
// leaves them to run_step(); stages that it cannot change come back at once without being computed. Returns the index
// of the first stage to be stepped again; -1 when there is no such token or head, or it is CLS, or no memory.
//   TOKEN_KEEP: the token stays from the stage on where it was dropped. TOKEN_DROP: it goes in `stage`, or the next stage
//   that touches its stream. HEAD_ON, HEAD_OFF: that head in that stage. REOPEN: every token and head stays, from the
//   first stage on where anything was dropped. Of contradictory interventions the later one counts.
int run_intervene(struct run *run, const struct intervention *intervention);

// Several as one change, each at exactly the stage given (or the next that touches its stream), as a trace lists them:
// the same list on the same input leads to the same run, whatever had been computed before. -1 when one of them cannot
// be: nothing has changed then.
int run_intervene_all(struct run *run, const struct intervention list[], int count);

// The last change is taken back, or the last one taken back is made again; the index of the first stage to be stepped
// again, -1 if there is none. A new intervention forgets what could be made again. run_undone(): how many interventions
// that is.
int run_undo(struct run *run);
int run_redo(struct run *run);
int run_undone(const struct run *run);

// Other question, pictures, policy or budget: keeps the stages that cannot change (they come back from run_step()
// without being computed). A new question or picture forgets the interventions. On failure nothing has changed.
bool run_ask(struct run *run, const char *question, struct error *err);
bool run_show(struct run *run, const struct picture *const pictures[], int picture_count, struct error *err);
bool run_set_policy(struct run *run, enum policy policy, double budget, struct error *err);

// Computes everything again from the first stage on; interventions stay.
void run_restart(struct run *run);

// A policy that keeps counts, with these very counts, whatever the calibration says (engine/prune/budget.h; an
// experiment may want the same share in every layer). Computes everything again.
void run_set_counts(struct run *run, enum policy policy, const struct budget_counts *counts);

// Attention probabilities of one head in a finished stage: out[queries * keys], rows and columns over the ORIGINAL
// tokens of the query and key streams, NaN where a token was dropped, everywhere when the head was. Recomputed on demand
// from the snapshots. `module` MSA: keys are the same stream. With two pictures the words look at the first one.
bool run_attention(struct run *run, int stage, int stream, enum attention_module module, int head, float *out,
                   int *queries, int *keys, struct error *err);

// Where the word that a finished stage writes looks, in one layer of the decoder (0 .. run_word_layers() - 1): of each head the
// attention over the original tokens of *stream, out (heads, keys), NaN where one was dropped. It is that of the text which
// leads after this word; the first word of a caption looks from the end of its beginning.
int run_word_layers(const struct run *run);
bool run_word_attention(struct run *run, int stage, int layer, float *out, int *stream, int *keys, struct error *err);

// How much each word of the question has looked at each patch in BLIP's text layers, which must be done: out (tokens,
// patches + 1), the mean over all layers and heads; 0 where one of the two had been dropped. Through them an answer that
// looks at the words comes from the patches.
bool run_words_to_patches(struct run *run, int picture, float *out, struct error *err);

#endif
