// Where each parameter of the model lives in the flat array: the pieces that both architectures are looked up with.
#ifndef TRIMSCOPE_LEARN_NET_REFS_H
#define TRIMSCOPE_LEARN_NET_REFS_H

#include "engine/learn/net.h"

struct lookup {
    const struct params *params;
    char prefix[PARAMETER_NAME];
};

// Names that are looked up from now on follow this prefix.
void lookup_section(struct lookup *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t lookup_offset(const struct lookup *at, const char *name);
struct linear_ref lookup_linear(const struct lookup *at, const char *name, int out, int in);
struct norm_ref lookup_norm(const struct lookup *at, const char *name, int width, float epsilon);

// A pre-LN layer of the image encoder by its tensors' names, trimmers included.
struct vit_layer_names {
    const char *qkv_weight, *qkv_bias, *out, *norm, *up, *down, *ffn_norm;
    bool quick; // quick-GELU
};
void lookup_vit_layer(struct lookup *at, const struct model_config *c, int layer, const struct vit_layer_names *names,
                      struct layer_refs *refs);

// The pieces of a BERT-type layer: attention (name: "attention" or "crossattention") to states of `memory` numbers, and FFN.
// which: "0" or "1" of two cross-attentions that share a LayerNorm, else "".
struct bert_shape {
    enum norm_order order;
    int width, heads, ffn;
    float epsilon;
};
struct attention_refs lookup_bert_attention(const struct lookup *at, const char *name, const char *which,
                                            const struct bert_shape *shape, int memory);
struct ffn_refs lookup_bert_ffn(const struct lookup *at, const struct bert_shape *shape);

// Changes the prefix.
void lookup_trimmers(struct lookup *at, const struct model_config *c, enum model_stack stack, int layer,
                     struct layer_refs *refs);

// answer_words as net_init() gets them.
void net_refs_meter(struct lookup *at, struct net *net, const int *answer_words);
// False and a sentence for trimmers that training is not made for.
bool net_refs_blip(struct lookup *at, struct net *net, struct error *err);

#endif
