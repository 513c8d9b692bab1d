// What writing, reading and merging results have in common.
#ifndef TRIMSCOPE_RUN_RESULTS_PRIVATE_H
#define TRIMSCOPE_RUN_RESULTS_PRIVATE_H

#include "engine/io/question_private.h"
#include "engine/run/results.h"

// The first line of a file; NULL when there is no memory.
json_t *results_header_json(const struct results_header *header);

// Puts the rows into the order of their ids; on failure nothing has changed.
bool results_sort(struct results *results, struct error *err);

#endif
