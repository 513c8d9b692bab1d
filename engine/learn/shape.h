// The shape of the bundled model: a small METER for the procedural world.
#ifndef TRIMSCOPE_LEARN_SHAPE_H
#define TRIMSCOPE_LEARN_SHAPE_H

#include "engine/learn/language.h"
#include "engine/learn/settings.h"
#include "engine/model/config.h"

// The bundled dense model.
struct model_config shape_default(const struct language *language);

// Makes the settings' shape the model's, where they name one, and says in the settings what the model is. A model that
// exists already (`fixed`: read from start weights) cannot change: a setting that asks for another one is an error.
bool shape_settle(struct model_config *config, struct train_settings *settings, bool fixed, struct error *err);

// Trimmers in every fusion layer of both streams, and in the encoders and the decoder where the settings say so; settings->hidden and
// rank become what they are.
void shape_add_trimmers(struct model_config *config, struct train_settings *settings);

#endif
