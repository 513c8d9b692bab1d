// The walk over the tensors of a model, which both architectures are written in.
#ifndef TRIMSCOPE_MODEL_PARAMETERS_PRIVATE_H
#define TRIMSCOPE_MODEL_PARAMETERS_PRIVATE_H

#include "engine/model/parameters.h"

// A prefix that sections of the model set, and whether the visitor has not stopped it.
struct walk {
    const struct model_config *config;
    parameter_visitor *visit;
    void *context;
    char prefix[PARAMETER_NAME];
    bool trimmer, going;
};

void walk_section(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
// One tensor; a, b, c, d are its sizes up to the first 0.
void walk_tensor(struct walk *walk, const char *name, int a, int b, int c, int d);
void walk_vector(struct walk *walk, const char *name, int n);
void walk_matrix(struct walk *walk, const char *name, int rows, int columns);
void walk_linear(struct walk *walk, const char *name, int out, int in);
void walk_norm(struct walk *walk, const char *name, int n);
void walk_convolution(struct walk *walk, const char *name, int out, int in, int side);
void walk_trimmers(struct walk *walk, enum model_stack stack, int layer);

// The pieces of a BERT-type layer: self-attention; cross-attention to states of `memory` numbers without its LayerNorm
// (twin: "", or "0" and "1" for BLIP's two pictures); FFN.
void walk_bert_msa(struct walk *walk);
void walk_bert_mca(struct walk *walk, const char *twin, int memory);
void walk_bert_ffn(struct walk *walk, int ffn);

void walk_blip(struct walk *walk); // parameters_blip.c

#endif
