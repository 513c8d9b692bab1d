// The forward pass of METER and BLIP in pieces, each on the rows that are still alive (vlm_spec §3, §4).
//
// States are (rows, D) row-major without gaps; row 0 is CLS. The pieces know nothing of pruning policies: they get the
// rows that are left and a byte per head.
#ifndef TRIMSCOPE_MODEL_FORWARD_H
#define TRIMSCOPE_MODEL_FORWARD_H

#include "engine/model/model.h"

// Multiply-adds that were really executed.
struct macs {
    uint64_t qkv, attention, projection, ffn, trimmer, other;
};

// What a pass needs besides its operands. `probe`, where not NULL, sees every tensor that the parity fixtures name
// (x: rows x width without gaps), under the name that it has there.
typedef void forward_probe(void *context, const char *name, const float *x, int rows, int width);
struct forward {
    const struct model *model;
    struct math *math;
    struct macs macs;
    double aside; // seconds spent on what only the display needs; the stage's time leaves them out
    forward_probe *probe;
    void *probe_context;
};

// What an attention module leaves behind for policies and the display; each may be NULL.
struct attention_trace {
    float *cls;        // (keys): attention of query row 0, mean over live heads; 0 with no head left
    float *mass;       // (keys): attention received, mean over queries and live heads; 0 with no head left
    float *redundancy; // mean pairwise cosine between the live heads' contexts, averaged over queries; NaN below 2
};

// Bytes of scratch (math.scratch) that any piece needs for a run of this model with `workers` threads.
size_t forward_scratch(const struct model *model, int workers);

// A token trimmer scores many rows in blocks of at least so many (and less than twice as many), each of which takes
// forward_scoring_scratch() bytes.
enum { FORWARD_SCORED_ROWS = 128 };
size_t forward_scoring_scratch(int width, int hidden, int rank, int rows);

// Self-attention in which each row attends to keys of its own (causal, or with padding): the keys of a sequence lie one
// after the other in `kv` (2D numbers each, K and V). The layer adds those of its rows, and each row attends to the first
// keys[r] of its sequence.
struct ragged {
    float *kv;
    const int *first; // per row: where its sequence begins in kv, in keys
    const int *place; // per row: where in its sequence its own key goes
    const int *keys;
    bool kept;        // words to come read it too, by all heads: those that are switched off here are not there
};

// One layer in place over x (rows, D). kv: what forward_memory() gave for the other stream (keys rows); NULL leaves MCA
// out. twin_kv: the same for the second picture of BLIP's NLVR2. live_...: a byte per head, NULL for all. A ragged pass
// fills of `msa` the redundancy alone.
struct layer_input {
    const struct layer *layer;
    float *x;
    int rows;
    const float *kv, *twin_kv;
    int keys, twin_keys;
    const struct ragged *ragged; // NULL: every row attends to every row
    const char *name; // of this layer in the fixtures, "vit_block00"; NULL: not shown to the probe
    const uint8_t *live_msa, *live_mca, *live_twin;
    struct attention_trace msa, mca, twin;
};
void forward_layer(struct forward *forward, const struct layer_input *input);

// K and V of MCA (of the second picture's with `twin`) from the other stream's input states (rows, its width): kv
// (rows, 2D). Dropped heads' columns are left untouched.
void forward_memory(struct forward *forward, const struct layer *layer, bool twin, const float *other, int rows,
                    const uint8_t *live, float *kv);

// Attention probabilities of one head of a module: probs (rows, keys). x is the input of the layer; for MCA the MSA
// before it is computed too, which changes x. Of a ragged layer MCA alone can be asked for.
enum forward_module { FORWARD_MSA, FORWARD_MCA, FORWARD_TWIN };
void forward_probabilities(struct forward *forward, const struct layer_input *input, enum forward_module module,
                           int head, float *probs);

// Text embeddings (§3.3, §4.2) of the question: out (count, D). forward_embed_words(): of any tokens, by their
// positions in their sequences (NULL: 0, 1, 2, …).
void forward_embed_text(struct forward *forward, const int *ids, int count, float *out);
void forward_embed_words(const struct model *model, const struct text_embedding *embedding, const int *ids,
                         const int *positions, int count, float *out);
// Patches, class row, positions, METER's ln_pre (§3.2): pixels (3, side, side) planar, normalised; out (patches + 1, D).
void forward_embed_image(struct forward *forward, const float *pixels, float *out);

// After the last layer of an encoder, in place: ln_post (image) and METER's transform, token type, position. rows_of:
// the original index of each row (the image's position table needs it). type: row of token_type_embeddings.
void forward_finish_text(struct forward *forward, float *x, int rows);
void forward_finish_image(struct forward *forward, float *x, int rows, const int *rows_of, int type);

// Poolers and answer head on the CLS rows of each pass (1, or 2 for NLVR2): logits (labels), and behind them the rank score
// of a model that has one.
void forward_answer(struct forward *forward, const float *const text[], const float *const image[], float *logits);
// BLIP's classifier (NLVR2, match or no match) on the words' first row: logits (labels).
void forward_classify(struct forward *forward, const float *cls, float *logits);
// BLIP's word head (§4.2) on rows (rows, D) of its decoder: logits (rows, vocabulary).
void forward_word_head(struct forward *forward, const float *x, int rows, float *logits);
// BLIP's contrastive feature of a stream's first row (FUSION_TEXT: encoded without a picture): out (projection), of
// length 1; the similarity of words and picture is their product (§4.8).
void forward_project(struct forward *forward, int stream, const float *cls, float *out);

#endif
