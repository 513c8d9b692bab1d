// What the plain mode says about a run: whole sentences on lines of their own, without signs that a screen reader stumbles
// over.
#ifndef TRIMSCOPE_UI_PLAIN_TELL_H
#define TRIMSCOPE_UI_PLAIN_TELL_H

#include "ui/view.h"

#include <stdio.h>

// Question, pictures, policy, answer, and what is to be noted about them.
void plain_tell_input(const struct view *view, FILE *out);

// The stage that the view is at: what happened in it; what the model would answer; words, patches (row by row, alike rows
// together), heads; what it spends. Nothing where there is no stage.
void plain_tell_stage(const struct view *view, FILE *out);
void plain_tell_answers(const struct view *view, FILE *out);
void plain_tell_words(const struct view *view, FILE *out);
void plain_tell_patches(const struct view *view, FILE *out);
void plain_tell_heads(const struct view *view, FILE *out);
void plain_tell_cost(const struct view *view, FILE *out);

// Where a token was dropped, and its score at the view's stage, or where it was dropped.
void plain_tell_token(const struct view *view, int stream, int token, FILE *out);

#endif
