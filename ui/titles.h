// Names that are typed or stand in files (policies, types of questions) as a person reads them: the name, and beside it what
// it is called in the person's language. In English the name says it.
#ifndef TRIMSCOPE_UI_TITLES_H
#define TRIMSCOPE_UI_TITLES_H

#include <stddef.h>

// "learned", in Chinese "learned（可学习）". A name that we do not know comes back as it is.
const char *title_policy(const char *name);
int title_policy_width(void); // columns of the widest, at least 16

// A type of questions, as world/ names them.
const char *title_question_type(const char *name);

// A part of what training minimises, as learn/ names them.
const char *title_loss_term(const char *name);

// "1h05m left", "4m09s left".
void title_time_left(char *out, size_t size, double seconds);

#endif
