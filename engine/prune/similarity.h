// How like the words the patches are: guidance by the question that nobody had to train.
#ifndef TRIMSCOPE_PRUNE_SIMILARITY_H
#define TRIMSCOPE_PRUNE_SIMILARITY_H

#include "engine/model/forward.h"

// Scores of the patches x (rows, D; row 0 is CLS) beside the words (word_rows, D) that have left their encoder: the cosine
// to each word, in units of its spread over the patches, and of those the largest. In the image encoder (`encoder`) patches
// are read as if it ended here, through ln_post and cross_modal_image_transform; in fusion both are in one space already.
void similarity_score(struct forward *forward, const float *x, int rows, const float *words, int word_rows,
                      bool encoder, float *score);

#endif
