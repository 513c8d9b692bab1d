// The forward pass of METER in pieces, each on the rows that are still alive (vlm_spec §3).
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

// One layer in place over x (rows, D). kv: what forward_memory() gave for the other stream (keys rows); NULL where the
// layer has no MCA. live_msa, live_mca: a byte per head, NULL for all.
struct layer_input {
    const struct layer *layer;
    float *x;
    int rows;
    const float *kv;
    int keys;
    const char *name; // of this layer in the fixtures, "vit_block00"; NULL: not shown to the probe
    const uint8_t *live_msa, *live_mca;
    struct attention_trace msa, mca;
};
void forward_layer(struct forward *forward, const struct layer_input *input);

// K and V of MCA from the other stream's input states: kv (rows, 2D). Dropped heads' columns are left untouched.
void forward_memory(struct forward *forward, const struct layer *layer, const float *other, int rows,
                    const uint8_t *live, float *kv);

// Attention probabilities of one head of MSA or MCA: probs (rows, keys). x is the input of the layer; for MCA the MSA
// before it is computed too, which changes x.
void forward_probabilities(struct forward *forward, const struct layer_input *input, bool mca, int head, float *probs);

// Text embeddings (§3.3): out (count, D).
void forward_embed_text(struct forward *forward, const int *ids, int count, float *out);
// Patches, class row, positions, ln_pre (§3.2): pixels (3, side, side) planar, normalised; out (patches + 1, D).
void forward_embed_image(struct forward *forward, const float *pixels, float *out);

// After the last layer of an encoder, in place: ln_post (image), transform, token type, position. rows_of: the
// original index of each row (the image's position table needs it). type: row of token_type_embeddings.
void forward_finish_text(struct forward *forward, float *x, int rows);
void forward_finish_image(struct forward *forward, float *x, int rows, const int *rows_of, int type);

// Poolers and answer head on the CLS rows of each pass (1, or 2 for NLVR2): logits (labels).
void forward_answer(struct forward *forward, const float *const text[], const float *const image[], float *logits);

#endif
