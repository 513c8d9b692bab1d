// All trained numbers of a model in one flat array, with names, so that gradients, moments and threads' copies are
// flat arrays too.
#ifndef TRIMSCOPE_LEARN_PARAMS_H
#define TRIMSCOPE_LEARN_PARAMS_H

#include "engine/base/error.h"
#include "engine/base/random.h"
#include "engine/learn/real.h"
#include "engine/model/parameters.h"

#include <stdbool.h>
#include <stddef.h>

struct tensor_list;

struct param {
    struct parameter info;
    size_t offset; // of its first element in the flat arrays; a multiple of 16
    bool aux;      // an auxiliary head that exists for training only
};

struct params {
    struct param *items;
    int count;
    size_t total;   // elements of a flat array, padding included
    size_t trained; // of which so many, from the first on, are trained: gradients and moments have no more
    real *value;
};

// What is trained: every parameter, or the trimmers alone.
enum params_trained { PARAMS_ALL, PARAMS_TRIMMERS };

// Every parameter of the configuration, then the auxiliary heads (`aux.*`: see objective.h) for a world with `kinds`
// kinds and `colors` colours (kinds 0: none). All values 0. False when there is no memory.
bool params_init(struct params *params, const struct model_config *config, enum params_trained trained, int kinds,
                 int colors);
void params_free(struct params *params);

// Offset of the parameter's first element; the name must exist (a programmer's error otherwise).
size_t params_offset(const struct params *params, const char *name);
const struct param *params_find(const struct params *params, const char *name);

// Start values for training from nothing: normal weights, LayerNorms at 1, trimmers that keep everything
// (DESIGN.md: b2 near +4), sine features in the fusion position table.
void params_randomize(struct params *params, const struct model_config *config, uint64_t seed);

// Copies the tensors of `file` that the model has: as start weights, of which auxiliary heads and trimmers may be missing
// and then keep their values, or everything that is trained. What else is missing, a tensor of another shape, and a
// number that is not finite are errors. PARAMS_LOAD_GROWN takes a smaller model too, or a deeper one, whose last layers are
// left out: its numbers go where all indices are
// lowest, what a unit that was there would read from a new one starts at 0, so that it goes on as it did, and the rest
// keeps its start values (what lies before a LayerNorm changes a little; the manner of Net2Net, Chen et al., ICLR 2016).
enum params_load { PARAMS_LOAD_START, PARAMS_LOAD_GROWN, PARAMS_LOAD_TRAINED };
bool params_load(struct params *params, const struct tensor_list *file, enum params_load what, struct error *err);

#endif
