// The numbers of a run, a question set or a sweep as tables for spreadsheets and scripts: comma separated values (RFC 4180), UTF-8.
#ifndef TRIMSCOPE_UI_EXPORT_CSV_H
#define TRIMSCOPE_UI_EXPORT_CSV_H

#include "engine/run/results.h"
#include "engine/run/sweep.h"
#include "engine/run/trace.h"
#include "ui/bytes.h"

// A line for each stage, stream and token that the stage says something about; what has no number is empty. Numbers
// count as on the screen and in the options (intervention_text.h), from 1; only the token, where 0 is CLS, as in the JSON
// trace. dropped_at is a stage, too. forced: keep or drop, by hand.
void export_csv_scores(const struct trace *trace, struct bytes *out);
// A line for each stage, stream, attention module and head; forced: on or off, by hand.
void export_csv_heads(const struct trace *trace, struct bytes *out);

// A line for each question: those of `order` (places in the results), NULL: the first `count`. What has not been answered is
// empty.
void export_csv_questions(const struct results *results, const int *order, int count, struct bytes *out);
// A line for each point of a sweep that has been evaluated.
void export_csv_points(const struct sweep_point *points, int count, struct bytes *out);

#endif
