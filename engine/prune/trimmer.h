// The trimmers of SmartTrim at inference (Wang et al., LREC-COLING 2024, arXiv 2305.15033; the algebra is DESIGN.md's).
#ifndef TRIMSCOPE_PRUNE_TRIMMER_H
#define TRIMSCOPE_PRUNE_TRIMMER_H

#include "engine/model/forward.h"

// Scores of the rows of x (rows, D): self (rows), and cross (rows) towards `context`, the CLS row (D) of the other
// modality. Where there is no context or no cross-modal part, cross is NaN.
void trimmer_score_tokens(struct forward *forward, const struct token_trimmer *trimmer, const float *x, int rows,
                          const float *context, float *self, float *cross);

// One logit per head from the own CLS row, and for MCA the other stream's (NULL for MSA).
void trimmer_score_heads(struct forward *forward, const struct head_trimmer *trimmer, const float *own,
                         const float *other, float *logits);

// What of each logit with an `other` comes from the own CLS row, the constant included; the rest is the other's.
void trimmer_split_heads(struct forward *forward, const struct head_trimmer *trimmer, const float *own,
                         const float *other, float *from_own);

#endif
