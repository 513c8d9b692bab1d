// The whole run as one page of HTML that opens anywhere, offline: film strip, words, heads, cost, answers, and a slider
// over the stages; several runs stand side by side under one slider, with what only some of them keep marked. The page is assets/export/run.html with the run's data filled in; nothing in it is fetched from
// outside, and what comes from outside (questions, words, answers) is data to it, never markup.
#ifndef TRIMSCOPE_UI_EXPORT_HTML_H
#define TRIMSCOPE_UI_EXPORT_HTML_H

#include "ui/bytes.h"
#include "ui/figure.h"

// `assets` is the folder of the bundled files; the pictures of the rows are as many as their traces have (rgb NULL: a grey
// board).
bool export_html(const struct figure *runs, const char *assets, struct bytes *out, struct error *err);

#endif
