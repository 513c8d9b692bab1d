// Filling a struct model from a weights file whose tensors are known to be there (model_config_read()).
#ifndef TRIMSCOPE_MODEL_WEIGHTS_H
#define TRIMSCOPE_MODEL_WEIGHTS_H

#include "engine/model/model.h"

struct tensor_list;
struct loader;

// Memory for loading; model->config is set, and both must outlive the loader. NULL and *err: no memory.
struct loader *weights_begin(struct model *model, const struct tensor_list *file, struct error *err);

// Packs the linear layers of one part and copies its tables and norms; layer -1 where the part is no layer. The parts come
// in their order. False and *err: what was made so far is left in *model for model_free().
bool weights_load_part(struct loader *loader, enum model_part part, int layer, struct error *err);

void weights_end(struct loader *loader);

#endif
