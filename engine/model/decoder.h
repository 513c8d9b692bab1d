// BLIP's decoder: a pass over new words, and answers ranked by how likely it finds them (vlm_spec §4.2 to §4.5).
#ifndef TRIMSCOPE_MODEL_DECODER_H
#define TRIMSCOPE_MODEL_DECODER_H

#include "engine/model/forward.h"

// What its cross-attention reads, by layer: K and V (keys, 2D) of the question's last states, or of the patches of a
// picture to be described; they are computed once for all words. rows: which token each key was, NULL: 0, 1, 2, ….
struct decoder_memory {
    const float *kv[MODEL_LAYERS];
    const int *rows[MODEL_LAYERS];
    int keys[MODEL_LAYERS];
};

// One pass over `rows` new words, each of a sequence of its own. Sequence r has cache.room keys in each layer, which begin at
// cache.kv + (layer * rows + r) * room * 2D: those of what came before, and here each word adds its own.
struct decoder_cache {
    float *kv;
    int room;
    int used[MODEL_LAYERS]; // keys of each sequence before this pass
};
struct decoder_pass {
    const char *name; // of the pass in the fixtures: "dec"
    const struct decoder_memory *memory;
    int rows, position; // words; their position in the text
    const int *ids;
    struct decoder_cache *cache;
    float *mass; // (tokens that memory->rows names) or NULL: the attention each gets, mean over words, layers, heads;
                 // added to what is there
    float *x;    // (rows, D): the words' last states
};
void decoder_run(struct forward *forward, const struct decoder_pass *pass);

// Where one word of such a pass looks in one layer: the attention of each head, probs (heads, memory->keys[layer]). Its
// states and cache are left as they are then.
void decoder_look(struct forward *forward, const struct decoder_pass *pass, int layer, int row, float *probs);

// Layers and tables of the decoder: of answers (VQA), or the text layers themselves (captions).
const struct layer *decoder_layers(const struct model *model, int *count);
const struct text_embedding *decoder_embedding(const struct model *model);

#define DECODER_SMOOTHING 0.1 // of the labels, in training and when answers are ranked

enum {
    RANK_CANDIDATES = 128, // answers ranked to their ends
    RANK_ROWS = 256,       // their pieces in one pass
    RANK_LOGITS = 128,     // of them whose logits are made together: 30524 numbers each
};
// How many are ranked where so many are asked for; 0: as published.
static inline int rank_most(int asked)
{
    return asked > 0 && asked < RANK_CANDIDATES ? asked : RANK_CANDIDATES;
}

// The `most` answers with the likeliest first piece, given the logits (vocabulary) of the word after [DEC]: by falling
// probability, the lower index first among equals. Fills top and p (NULL: not wanted), returns how many.
int rank_select(const struct answer_list *answers, const float *logits, int vocabulary, int most, int top[], float p[]);

// The loss of each of `count` answers (label smoothing 0.1, summed over its pieces; the lowest wins), which continue a pass
// over [DEC] alone; logits: of the word after it. rows (NULL: not wanted): how many pieces were computed. An answer's pads and its last piece are
// not computed, and all answers share the memory's K and V.
struct rank_start {
    const struct decoder_memory *memory;
    const float *kv; // K and V of [DEC]: those of layer l are 2D numbers from kv + l * stride on
    size_t stride;
    const float *logits;
};
void rank_losses(struct forward *forward, const struct rank_start *start, const struct answer_list *answers,
                 const int top[], int count, double losses[], int *rows);

#endif
