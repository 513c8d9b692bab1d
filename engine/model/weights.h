// Filling a struct model from a weights file whose tensors are known to be there (model_config_read()).
#ifndef TRIMSCOPE_MODEL_WEIGHTS_H
#define TRIMSCOPE_MODEL_WEIGHTS_H

#include "engine/model/model.h"

struct tensor_list;

// model->config is set; packs every linear layer and copies tables and norms. On failure what was made so far is left
// in *model for model_free().
bool weights_load(struct model *model, const struct tensor_list *file, struct error *err);

#endif
