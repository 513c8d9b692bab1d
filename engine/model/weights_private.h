// The pieces that both architectures' weights are loaded with.
#ifndef TRIMSCOPE_MODEL_WEIGHTS_PRIVATE_H
#define TRIMSCOPE_MODEL_WEIGHTS_PRIVATE_H

#include "engine/io/tensors.h"
#include "engine/model/weights.h"

struct loader {
    struct model *model;
    const struct tensor_list *file;
    float *matrix, *bias;         // room for the largest matrix, and the longest bias, of a linear layer
    const struct tensor *damaged; // the first with numbers that are not finite
    bool few_rows;                // what is packed now is for words or for a CLS row, not for patches
    bool ok;
};

const struct tensor *weights_find(const struct loader *loader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void weights_take(struct loader *loader, const struct tensor *tensor, float *out);
// A table or vector, copied; a position table for the run's grid.
const float *weights_table(struct loader *loader, const struct tensor *tensor);
const float *weights_positions(struct loader *loader, const char *name);
struct norm weights_norm(struct loader *loader, float eps, const char *prefix, const char *name);
void weights_embedding(struct loader *loader, const char *prefix, struct text_embedding *embedding);

// One linear layer; up to three of the file side by side (out columns of one after the other) as one; one of a weight of
// any rank, as (shape[0], the rest), and a bias or NULL.
void weights_linear(struct loader *loader, struct linear *linear, const char *prefix, const char *name, int in_block);
void weights_stack(struct loader *loader, struct linear *linear, const char *prefix, const char *const names[],
                   int count, int out_block, int in_block);
void weights_matrix(struct loader *loader, struct linear *linear, const struct tensor *weight,
                    const struct tensor *bias);

// A pre-LN layer of the image encoder, by its tensors' names ("attn.in_proj_" is followed by weight, bias).
struct vit_names {
    const char *msa_norm, *qkv, *out, *ffn_norm, *up, *down;
    enum activation activation;
};
void weights_vit_layer(struct loader *loader, const char *prefix, const struct vit_names *names, struct layer *layer);
// MSA and FFN of a BERT-type layer; its cross-attention but for the LayerNorm (twin: "", or "0" and "1"), whose K and V are
// of words or of patches.
void weights_bert_layer(struct loader *loader, struct layer *layer, const char *prefix, float eps);
void weights_cross(struct loader *loader, const char *prefix, const char *twin, bool of_words, struct attention_weights *mca);

// weights_blip.c: a part of BLIP but for its trimmers.
void weights_blip(struct loader *loader, enum model_part part, int layer);

#endif
