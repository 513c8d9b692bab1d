// The same without a screen: line by line, for screen readers, dumb terminals and pipes. Nothing is drawn, nothing
// moves; each stage is told in sentences, and each command answers in some.
#ifndef TRIMSCOPE_UI_PLAIN_H
#define TRIMSCOPE_UI_PLAIN_H

#include "ui/backend.h"

#include <stdio.h>

// Reads commands from `in` until "quit" or its end and answers on `out`; a prompt is written where `prompted`. False
// and *err when the first run cannot be made.
bool plain_run(const struct backend *backend, FILE *in, FILE *out, bool prompted, struct error *err);

#endif
