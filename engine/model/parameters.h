// Every tensor of a model: the one list that the loader, the trainer and the tests read.
#ifndef TRIMSCOPE_MODEL_PARAMETERS_H
#define TRIMSCOPE_MODEL_PARAMETERS_H

#include "engine/model/config.h"

enum { PARAMETER_NAME = 96 };

struct parameter {
    char name[PARAMETER_NAME]; // as in the file, engine/model/names.md
    int rank;
    int64_t shape[4];
    int64_t elements;
    bool decay;   // a matrix, convolution or table: weight decay applies; false for biases, norms and scalars
    bool trimmer; // belongs to a trimmer, not to the backbone
};

// Calls `visit` for every tensor that a file with this configuration must hold, in the order of the forward pass.
// Tensors of a published file that inference does not use (CLIP's text tower, poolers, metric buffers) are not among
// them. Stops and returns false as soon as `visit` does.
typedef bool parameter_visitor(void *context, const struct parameter *parameter);
bool model_parameters(const struct model_config *config, parameter_visitor *visit, void *context);

// Where the tensors of BLIP's text layers are: "text_encoder.", or in a model for captions "text_decoder.bert.".
const char *model_blip_text(const struct model_config *config);

// Sum of the elements of all parameters.
int64_t model_parameter_count(const struct model_config *config);

#endif
