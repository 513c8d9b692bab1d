// What a set of results says, printed: `eval`, `merge` and `sweep` say it alike.
#ifndef TRIMSCOPE_APP_SUMMARY_H
#define TRIMSCOPE_APP_SUMMARY_H

#include "engine/run/results.h"

#include <jansson.h>

// The types of a set in the order of their first question; more than SUMMARY_TYPES are left out of tables by type.
enum { SUMMARY_TYPES = 64 };
struct summary_types {
    const char *names[SUMMARY_TYPES]; // of the set
    int count;
};
void summary_find_types(const struct question_set *set, struct summary_types *types);
// Columns for their names in a table, as they are shown.
int summary_type_width(const struct summary_types *types);

// The summary of what has been answered, by type and of all, to stdout: a table, or one JSON object.
struct summary_source {
    const char *policy;
    double budget; // NaN: as trained
    const struct question_set *set;
    const struct evaluation *results;
};
bool summary_print_table(const struct summary_source *source, struct error *err);
bool summary_print_json(const struct summary_source *source, struct error *err);

// Pieces of such JSON: a number, null for what is not finite; an interval; the whole summary.
json_t *summary_number(double value);
json_t *summary_interval(struct estimate estimate);
json_t *summary_json(const struct evaluation_summary *summary);
// Prints and frees it. False when there is no memory (root NULL too).
bool summary_put_json(json_t *root, struct error *err);

// "budget 0.50" or "as trained".
const char *summary_budget(double budget, char *out, size_t size);

#endif
