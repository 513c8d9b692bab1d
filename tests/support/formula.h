// The weights of the fixture models: every parameter is a formula of its name (reference: the fixtures' README).
#ifndef TRIMSCOPE_TESTS_SUPPORT_FORMULA_H
#define TRIMSCOPE_TESTS_SUPPORT_FORMULA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// n values of the parameter `name` of this shape.
void formula_values(const char *name, uint64_t seed, int rank, const int64_t *shape, float *out, size_t n);

// Builds the .safetensors of a list "name <tab> [shape] <tab> dtype" (state_dict_keys.txt). False and a line on stderr
// when something is wrong.
bool formula_checkpoint(const char *keys_path, uint64_t seed, const char *out_path);

#endif
