// A made-up run for tests of the screen: a drawn picture with a few objects, a question about two of them,
// and the trace of a model with 2 text, 2 image and 6 fusion layers that lets go of what does not matter.
#ifndef TRIMSCOPE_TESTS_SUPPORT_SAMPLE_TRACE_H
#define TRIMSCOPE_TESTS_SUPPORT_SAMPLE_TRACE_H

#include "engine/run/trace.h"

#include <stdint.h>

enum { SAMPLE_SIDE = 192, SAMPLE_GRID = 12, SAMPLE_STAGES = 13, SAMPLE_HEADS = 4 };

// Draws the picture: SAMPLE_SIDE x SAMPLE_SIDE RGB.
void sample_picture(unsigned char *rgb);

// The whole run at a budget (1: hardly anything is dropped; 0.5 is typical), or its first `stages` stages.
void sample_trace(struct trace *trace, const char *question, const char *policy, double budget,
                  const struct intervention *interventions, int intervention_count, int stages);

#endif
