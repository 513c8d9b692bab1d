// One or two sentences that say what just happened in a stage, with its real numbers.
#ifndef TRIMSCOPE_UI_NARRATE_H
#define TRIMSCOPE_UI_NARRATE_H

#include "ui/view.h"

// Writes the sentences about stage `stage` of the view's trace, one a line, the most important first: the
// screen shows as many as it has room for.
void narrate_stage(const struct view *view, int stage, char *out, size_t size);

#endif
