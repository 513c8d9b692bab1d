// Multiply-adds of the pieces of a METER model as formulas of how much is left: what the unpruned model would cost, what
// a plan of token and head counts will cost, and what tests hold the executed count against (vlm_spec §7; 1 multiply-add
// = 2 FLOPs). Each function adds to *macs.
#ifndef TRIMSCOPE_PRUNE_FLOPS_H
#define TRIMSCOPE_PRUNE_FLOPS_H

#include "engine/model/config.h"
#include "engine/model/forward.h"

// rows: tokens that take part; keys: rows of the other stream; heads: those computed.
void flops_msa(const struct model_config *config, int rows, int heads, struct macs *macs);
void flops_mca(const struct model_config *config, int rows, int keys, int heads, struct macs *macs);
void flops_ffn(const struct model_config *config, int rows, int hidden, struct macs *macs);

// One layer of a stack: MSA, MCA in fusion stacks (keys rows of the other stream), FFN.
struct flops_layer {
    enum model_stack stack;
    int rows, keys, msa, mca; // msa, mca: heads computed
};
void flops_layer(const struct model_config *config, const struct flops_layer *layer, struct macs *macs);

// Scoring `rows` rows by the token trimmer of a layer, with or without its cross-modal part; scoring its heads.
void flops_token_trimmer(const struct model_config *config, const struct trimmer_config *trimmer, int rows, bool guided,
                         struct macs *macs);
void flops_head_trimmer(const struct model_config *config, bool mca, struct macs *macs);

// Scoring `rows` patches beside `words` words by similarity (prune/similarity.h).
void flops_similarity(const struct model_config *config, int rows, int words, bool encoder, struct macs *macs);

void flops_embed_image(const struct model_config *config, struct macs *macs);
// What follows the last layer of an encoder: the transform of `rows` rows.
void flops_finish(const struct model_config *config, int rows, struct macs *macs);
void flops_answer(const struct model_config *config, struct macs *macs);

// The whole unpruned model on a question of `tokens` tokens. With two pictures the text encoder runs once.
void flops_dense(const struct model_config *config, int tokens, struct macs *macs);

uint64_t flops_total(const struct macs *macs);

#endif
