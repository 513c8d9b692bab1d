// The shape of the bundled model: a small METER for the procedural world.
#ifndef TRIMSCOPE_LEARN_SHAPE_H
#define TRIMSCOPE_LEARN_SHAPE_H

#include "engine/learn/language.h"
#include "engine/model/config.h"

// The dense model; give it trimmers with shape_add_trimmers().
struct model_config shape_default(const struct language *language);

// Token trimmers (own importance and, unless `cross` is false, importance to the other modality) and, if `heads`, head
// trimmers in every fusion layer of both streams.
void shape_add_trimmers(struct model_config *config, bool cross, bool heads);

#endif
