// What the readers of METER's and of BLIP's configuration share.
#ifndef TRIMSCOPE_MODEL_CONFIG_PRIVATE_H
#define TRIMSCOPE_MODEL_CONFIG_PRIVATE_H

#include "engine/model/config.h"

enum { TABLE_LIMIT = 1 << 20 }; // rows of a table at most

int model_task_pictures(enum model_task task);

// Size `axis` of a tensor that must have `rank` axes.
bool model_config_size(const struct tensor_list *file, const char *name, int rank, int axis, int *size,
                       struct error *err);
// How many of the names before0after, before1after, … are there, without a gap, at most `limit`.
int model_config_layers(const struct tensor_list *file, const char *before, const char *after, int limit);
// position_grid, and image_size where it is not set, from a position table (…, 1 + grid², D) of `rank` axes.
bool model_config_grid(struct model_config *config, const struct tensor_list *file, const char *table, int rank,
                       struct error *err);

// config_blip.c: BLIP's names; the task that they show, with its defaults; the sizes.
bool model_config_is_blip(const struct tensor_list *file);
bool model_config_blip_task(struct model_config *config, const struct tensor_list *file, struct error *err);
bool model_config_blip_sizes(struct model_config *config, const struct tensor_list *file, struct error *err);

#endif
