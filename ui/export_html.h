// The whole run as one page of HTML that opens anywhere, offline: film strip, words, heads, cost, answers, and a slider
// over the stages. The page is assets/export/run.html with the run's data filled in; nothing in it is fetched from
// outside, and what comes from outside (questions, words, answers) is data to it, never markup.
#ifndef TRIMSCOPE_UI_EXPORT_HTML_H
#define TRIMSCOPE_UI_EXPORT_HTML_H

#include "ui/backend.h"
#include "ui/bytes.h"

// `assets` is the folder of the bundled files; `pictures` are as many as the trace has (rgb NULL: a grey board).
bool export_html(const struct trace *trace, const struct backend_picture *pictures, const char *assets,
                 struct bytes *out, struct error *err);

#endif
