// The numbers of a run as tables for spreadsheets and scripts: comma separated values (RFC 4180), UTF-8.
#ifndef TRIMSCOPE_UI_EXPORT_CSV_H
#define TRIMSCOPE_UI_EXPORT_CSV_H

#include "engine/run/trace.h"
#include "ui/bytes.h"

// A line for each stage, stream and token that the stage says something about; what has no number is empty. All indices
// count from 0, as in the JSON trace: token 0 of a picture is CLS.
void export_csv_scores(const struct trace *trace, struct bytes *out);
// A line for each stage, stream, attention module and head.
void export_csv_heads(const struct trace *trace, struct bytes *out);

#endif
