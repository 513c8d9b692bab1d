// Weights that come at once, or part by part while a run already uses the first ones.
#ifndef TRIMSCOPE_MODEL_LOADING_H
#define TRIMSCOPE_MODEL_LOADING_H

#include "engine/model/model.h"

struct tensor_list;

// Loads all parts of the weights into a model that has its configuration. In the background: starts a thread that does so,
// sets model->loading and takes `file` over; errors come with model_await(), beginning with `path`.
bool loading_start(struct model *model, struct tensor_list *file, const char *path, bool background,
                   struct error *err);

// Stops the thread, if there is one, as soon as the part at hand is done, and closes the file.
void loading_stop(struct model *model);

#endif
