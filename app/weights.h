// Opening the weights that a command names, or the bundled ones.
#ifndef TRIMSCOPE_APP_WEIGHTS_H
#define TRIMSCOPE_APP_WEIGHTS_H

#include "engine/model/model.h"

// path NULL: the bundled model. The caller's, to be freed by model_free(); NULL and one sentence otherwise.
struct model *weights_open_model(const char *path, const struct model_options *options, struct error *err);

#endif
