// Inside the stepper: the plan of stages, the snapshot that each leaves, and the pieces that fill them.
#ifndef TRIMSCOPE_RUN_RUN_PRIVATE_H
#define TRIMSCOPE_RUN_RUN_PRIVATE_H

#include "engine/base/thread.h"
#include "engine/model/beam.h"
#include "engine/model/decoder.h"
#include "engine/model/forward.h"
#include "engine/prune/budget.h"
#include "engine/run/run.h"
#include "engine/text/tokenizer.h"

struct picture;

enum { RUN_STAGES = 3 + 4 * MODEL_LAYERS + 1 + BEAM_LENGTH + 1 };

// One stage of the plan, which only the model decides.
struct stage_plan {
    char name[TRACE_NAME];
    enum stage_kind kind;
    int layer, stream;        // as in struct stage
    int word;                 // of a stage that writes: which one, from 0
    bool touches[TRACE_STREAMS];
    int input[TRACE_STREAMS]; // stage whose snapshot holds the stream's state before this one; -1: none
};

// One stream after one stage. Arrays that say "per token" have room for every original token, in original order; "per
// row" follows the rows that are alive.
struct stream_state {
    int count, alive; // original tokens; rows
    int *rows;        // per row: original index
    float *x[TRACE_PICTURES]; // per row (alive, D); [1] only for the words beside a second picture in fusion
    float *self, *cross, *score, *keep; // per token: scores given in this stage, NaN
    int16_t *dropped_at;                // per token
    float *cls, *mass;                  // per row: attention received in this layer, where a policy reads it
    float *size;                        // per row: of how many patches it is the mean, where a policy merges
    int *partner;                       // per row of the stage's input: into which it was to be merged, -1
    struct trace_heads heads[MODULES];
};

// What BLIP's stages leave for those that write (D: of the words). NULL where a stage leaves no such thing.
struct words_state {
    float *guide; // embedding of the words: their first row as encoded without a picture, which may guide the image (D)
    float *memory; // K and V for the words to come: of this layer's patches (captions), or of the question's states that
                   // are left in each decoder layer (layers, tokens, 2D)
    float *cache;  // K and V of the words of this stage: of this layer (tokens, 2D) or of all (layers, beams, 2D)
    float *logits; // first word of an answer that is chosen from a list: of each word of the vocabulary
    struct beam_search *beams; // after this word
};

struct snapshot {
    bool valid; // what it holds is what computing the stage again would give
    uint64_t serial; // another one: computed anew; 0: unknown
    struct stream_state streams[TRACE_STREAMS];
    struct macs spent, dense;
    double ms;
    float redundancy_image, redundancy_text, redundancy_heads, redundancy_heads_of[2]; // as in struct stage
    struct trace_answer answers[TRACE_ANSWERS];
    int answer_count;
    float rank, similarity;
    struct words_state words;
};

struct run {
    const struct model *model;
    struct run_options options;
    struct budget budget;
    struct stage_plan plan[RUN_STAGES];
    int stage_count;
    int words_from, words_most; // stage of the first word that is written, and how many there may be; 0: none is
    struct snapshot snapshots[RUN_STAGES];
    struct arena store; // everything the snapshots point to
    struct math math;
    float *pixels[TRACE_PICTURES], *logits;
    float *word_logits, *word_cache,
        *word_memory;           // of a word that is written: (beams, vocabulary), struct decoder_cache,
    int *word_rows;             // and what it attends to where that is less than the snapshots hold
    int padding;                // of the ids at their end: attends, but is not attended to
    struct answer_list answers; // to choose from; count 0: none, the answer is written
    int beams, min_length, max_length; // of a text that is written
    int8_t *forced; // per token of the stream at hand: 1 stay, -1 go, 0 as the policy says
    int *order;       // rows that may stay, or those that do
    uint8_t *kept;    // per row of the stage's input
    float *row_scores[3]; // self, cross, score of the rows at hand, of two passes
    int *ids, token_count;
    struct token *tokens;
    struct trace trace;
    struct intervention *undone; // what run_redo() can make again, the change undone last at the end
    int undone_count;
    uint64_t computed; // stages so far: the next serial
    bool twin;         // made by run_twin(): what it computes itself has no serial
    run_probe *probe;
    void *probe_context;
};

// run_writing.c: how the run answers, from its options; before its stages are planned. False and one sentence where the
// model has no use for what was asked.
bool run_take_writing(struct run *run, struct error *err);
bool run_describe_writing(struct run *run, struct error *err); // in the trace
struct flops_text run_plan_text(const struct run *run);        // what its budget plans for

// run_layout.c
// The stage of a fusion layer; of the last stage of a picture's encoder.
int run_fusion_stage(const struct run *run, int layer);
int run_image_end(const struct run *run, int picture);
bool run_is_blip(const struct run *run);
bool run_has_module(const struct run *run, int stage, int stream, int module);
// How many words may be written, or have been: the stages after the last word are planned again.
void run_plan_words(struct run *run, int count);
int run_text_stages(const struct model_config *config);
void run_plan_stages(struct run *run);
bool run_allocate(struct run *run, struct error *err);
bool run_stream_is_text(int stream);
// Tokens that a stream has before anything is dropped.
int run_stream_count(const struct run *run, int stream);
enum model_stack run_stack(const struct stage_plan *plan, int stream);
// Whether the policy may do anything in this stage, or must remember something in it.
bool run_policy_acts(const struct run *run, enum policy policy, int stage);
// Whether the stage reads the words although it does not change them (a guided image layer).
bool run_stage_guided(const struct run *run, enum policy policy, int stage);
// Whether the words and the pictures meet in the stage: fusion, and the states that a decoder will read.
bool run_stage_joint(const struct run *run, int stage);
// Marks a stage and all that follows from it as to be computed again; returns the first such stage.
int run_invalidate(struct run *run, int stage);

// run.c: the parts of making a run that another question or picture makes again.
bool run_take_pictures(struct run *run, const struct picture *const pictures[], int picture_count, struct error *err);
bool run_take_question(struct run *run, const char *question, struct error *err);
void run_describe_budget(struct run *run);

// run_change.c: a policy that decides by threshold with this very shift, whatever the calibration says.
void run_set_shift(struct run *run, enum policy policy, double shift);

// run_copy.c: a run beside another one of the same model, to try things on; NULL and *err when there is no memory. The
// other run and its pool must outlive it.
struct run *run_twin(const struct run *run, struct error *err);
// Makes the twin equal to the run (or to another twin of it): input, policy, interventions, states, trace. Copies only the states that differ.
// What is undone is not copied. False when there is no memory: the twin is to be used for nothing then.
bool run_sync(struct run *twin, const struct run *run, struct error *err);

// run_stage.c: computes stage `index` into its snapshot.
void run_compute(struct run *run, int index);
// The state that a stage's stream has before the stage, and the layer input that its own decisions lead to.
const struct stream_state *run_input(const struct run *run, int index, int stream);
// The words' self-attention in a layer of BLIP's where it is not all to all: the prompt of a caption is read from left to
// right; padding attends, but is not attended to. NULL where it is. In math.scratch.
const struct ragged *run_ragged_words(struct run *run, int index, struct ragged *ragged);
// Numbers in a row of a stream's states.
int run_stream_width(const struct run *run, int stream);
// Rows of the stage's input that take part in it, copied to out (alive, D). `pass`: which picture's, for the words.
void run_gather(const struct run *run, int index, int stream, int pass, float *out);
// The state's rows in one pass; the words have a second copy only where two pictures have made them differ.
static inline float *run_rows(const struct stream_state *state, int pass)
{
    return state->x[pass] ? state->x[pass] : state->x[0];
}

// What stages of BLIP do: run_blip.c, run_words.c.
void run_fuse_blip(struct run *run, struct forward *forward, int index);
void run_guide(struct run *run, struct forward *forward);               // fills words.guide of the first stage
void run_classify(struct run *run, struct forward *forward, int index); // after fusion stage `index`: run->logits
void run_contrast(struct run *run, struct forward *forward, int index); // similarity and rank of the answer stage
void run_make_memory(struct run *run, struct forward *forward, int index); // what the decoder of answers attends to
void run_write_word(struct run *run, struct forward *forward, int index);
void run_lens_words(struct run *run, int index); // the answers of stage `index`: the word that would come first
void run_written_answer(struct run *run, struct forward *forward, int index);
// Mean of those that are known, NaN where none is.
void run_mean(float *to, const float *values, int count);
const uint8_t *run_live_heads(const struct trace_heads *heads);

// run_decide.c: which rows and heads take part; fills the stream's state but its x.
void run_decide_tokens(struct run *run, struct forward *forward, int index, int stream);
void run_decide_heads(struct run *run, struct forward *forward, int index, int stream);
// What of the score of a cross-attention head of a finished stage comes from the own CLS, and what from the other
// modality's: they sum to the score. For a stage whose policy scored its heads.
void run_split_head(const struct run *run, struct forward *forward, int index, int stream, int head, float *self,
                    float *cross);

// run_report.c
void run_measure_redundancy(struct run *run, int index);
void run_rank_answers(const struct run *run, struct snapshot *snapshot);
bool run_report(struct run *run, int index); // appends the stage to the trace; false: no memory

#endif
