// What tests of the screen have in common: one terminal in the program, and the screen on a fake backend in it.
#ifndef TRIMSCOPE_TESTS_SUPPORT_SCREEN_TEST_H
#define TRIMSCOPE_TESTS_SUPPORT_SCREEN_TEST_H

#include "tests/support/screen_term.h"

extern struct screen_term term;

// Runs the screen on a fake backend; for screen_term_start(). `needed`: NULL, or lines that must have been asked of the
// backend (status 2 otherwise, and what was asked on stderr).
int run_fake_screen(void *needed);
// Starts it in a terminal of this size, and waits until its whole run is there.
void start_fake_screen(int rows, int columns, bool sixel, const char *needed);

// Waits for a text, or until it is gone; the test fails, with the screen printed, when that does not come.
void expect(const char *text);
void reject(const char *text);

// Types these keys, which quit: the program must end well and leave the terminal as it was.
void finish(const char *keys);

#endif
