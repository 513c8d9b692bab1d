// A JSON Schema validator for the keywords that this project's schemas use (draft 2020-12). A keyword that it does not
// know makes the validation fail, so that nothing goes unchecked.
#ifndef TRIMSCOPE_TESTS_SUPPORT_SCHEMA_H
#define TRIMSCOPE_TESTS_SUPPORT_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

// On failure `problem` says where and why.
bool schema_validate(const json_t *schema, const json_t *value, char *problem, size_t size);

#endif
