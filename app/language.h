// Which language the program speaks: --lang, anywhere on the command line, before the environment.
#ifndef TRIMSCOPE_APP_LANGUAGE_H
#define TRIMSCOPE_APP_LANGUAGE_H

#include "engine/base/error.h"
#include "ui/words.h"

// Takes --lang out of argv (what stands behind "--" is left) and speaks the language it names, else the one
// that the environment asks for. Where the terminal is not UTF-8 that is English. False when --lang names
// none that we have.
bool language_begin(int *argc, char **argv, struct error *err);

// Speaks a language by its name ("auto": the environment's); false and *err when there is none of that name,
// or its words are not installed.
bool language_use(const char *name, struct error *err);

#endif
