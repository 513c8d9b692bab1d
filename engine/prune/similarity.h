// How like the words the patches are: guidance by the question that nobody had to train.
#ifndef TRIMSCOPE_PRUNE_SIMILARITY_H
#define TRIMSCOPE_PRUNE_SIMILARITY_H

#include "engine/model/forward.h"

// Scores of the patches x (rows, D; row 0 is CLS) beside the words (word_rows, D) that have left their encoder: the cosine
// to each word, in units of its spread over the patches, and of those the largest. In the image encoder (`encoder`) patches
// are read as if it ended here, through ln_post. METER's words are compared with them through cross_modal_image_transform;
// in its fusion both are in one space already. BLIP's two have no space in common but that of cross-attention: `asks`
// (METER: NULL), of the text layer that reads these patches (of the first, while they are in the image encoder), whose
// queries the words are made into and whose keys the patches are.
void similarity_score(struct forward *forward, const float *x, int rows, const float *words, int word_rows,
                      const struct attention_weights *asks, bool encoder, float *score);

#endif
