// Multiply-adds of the pieces of a METER or BLIP model as formulas of how much is left: what the unpruned model would cost, what
// a plan of token and head counts will cost, and what tests hold the executed count against (vlm_spec §7; 1 multiply-add
// = 2 FLOPs). Each function adds to *macs.
#ifndef TRIMSCOPE_PRUNE_FLOPS_H
#define TRIMSCOPE_PRUNE_FLOPS_H

#include "engine/model/config.h"
#include "engine/model/forward.h"

// One layer of a stack: MSA, MCA in fusion stacks, FFN. rows: tokens that take part; keys: rows of the other stream; msa,
// mca: heads computed. BLIP's patches cost nothing in their own fusion stack, its
// question's states nothing in the decoder's.
struct flops_layer {
    enum model_stack stack;
    int rows, keys, msa, mca;
};
void flops_layer(const struct model_config *config, const struct flops_layer *layer, struct macs *macs);
// What BLIP's NLVR2 adds in a text layer for the second picture: its cross-attention and the linear map, where there is one.
void flops_twin(const struct model_config *config, int layer, int rows, int keys, int heads, struct macs *macs);

// Whether a trimmer of this size multiplies its query's weights with the one key first, instead of with every row: it does
// where that is worth its while.
enum { FOLDS_FROM = 1 << 16 }; // weights
static inline bool flops_query_folds(int width, int rank)
{
    return width * rank >= FOLDS_FROM;
}
// Scoring `rows` rows by the token trimmer of a layer, with or without its cross-modal part; scoring its heads.
void flops_token_trimmer(const struct model_config *config, enum model_stack stack, int layer, int rows, bool guided,
                         struct macs *macs);
void flops_head_trimmer(const struct model_config *config, enum model_stack stack, bool mca, struct macs *macs);
// What guides BLIP's image encoder: its `tokens` words encoded without a picture.
void flops_guide(const struct model_config *config, int tokens, struct macs *macs);

// Scoring `rows` patches beside `words` words by similarity (prune/similarity.h).
void flops_similarity(const struct model_config *config, int rows, int words, bool encoder, struct macs *macs);

void flops_embed_image(const struct model_config *config, struct macs *macs);
// What follows the last layer of an encoder: the transform of `rows` rows.
void flops_finish(const struct model_config *config, int rows, struct macs *macs);
void flops_answer(const struct model_config *config, struct macs *macs);
// BLIP's contrastive features: the text of `tokens` tokens encoded without a picture, and both projections. Nothing in a model
// that has none.
void flops_contrast(const struct model_config *config, int tokens, struct macs *macs);

// BLIP's decoder: K and V of one layer for `keys` rows that it attends to; a pass over `rows` new words. own_keys,
// other_keys: how many keys all rows together attend to in all layers, of their own text and of the other stream; heads:
// rows that the word head reads.
struct flops_words {
    int rows;
    uint64_t own_keys, other_keys;
    int heads;
};
void flops_memory(const struct model_config *config, int keys, struct macs *macs);
void flops_words(const struct model_config *config, const struct flops_words *words, struct macs *macs);

// Answers ranked to their ends as the published code does it: each of `candidates` padded to `longest` tokens, K and V of the
// question's `tokens` again for each, the word head on every position.
void flops_published_ranking(const struct model_config *config, int tokens, int candidates, int longest,
                             struct macs *macs);

// The layers that write: of the decoder of answers, or the text layers of a model of captions.
int flops_writing_layers(const struct model_config *config);
// How a BLIP model that writes is to answer, for the plans made before anything is known of the answer: in so many beams, a
// text of `longest` tokens, its beginning counted; or from so many answers that are ranked (0: none are), each as long as the
// answers of the list are on average: so many pieces, which attend to so many of their own text.
struct flops_text {
    int beams, longest, candidates;
    double pieces, own_keys;
};
// As struct run_options asks for it; 0 and false: as published. answers: the list; NULL where it is not known, which counts as
// answers of one piece.
struct flops_text flops_text(const struct model_config *config, const struct answer_list *answers, bool generate, int candidates,
                             int beams, int longest);
// What follows the text layers then. keys: of the other stream that a new word attends to, in all layers together.
void flops_writing(const struct model_config *config, const struct flops_text *text, int tokens, uint64_t keys,
                   struct macs *macs);

// The whole unpruned model on a question of `tokens` tokens. With two pictures the text encoder runs once. text: of a model
// that writes; NULL: as published.
void flops_dense(const struct model_config *config, const struct flops_text *text, int tokens, struct macs *macs);

uint64_t flops_total(const struct macs *macs);

#endif
