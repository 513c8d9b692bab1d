// Where the bundled files are.
#ifndef TRIMSCOPE_APP_ASSETS_H
#define TRIMSCOPE_APP_ASSETS_H

#include "engine/base/error.h"

enum { ASSETS_PATH = 4096 };

// The folder with model, world, pictures and so on: beside the program that runs or above it (a build tree), in its
// share/trimscope (an installed copy), where `make install` was told to put it, or in the current folder.
bool assets_find(char folder[ASSETS_PATH], struct error *err);

// The folder with the translations (LANGUAGE/LC_MESSAGES/trimscope.mo): locale beside the program or above it (a build
// tree), or in its share/locale (an installed copy), or where `make install` was told to put it. False: there is none.
bool assets_locale(char folder[ASSETS_PATH]);

// A picture as a person names it: where there is no such file here, the name alone stands for the bundled picture that is
// called so (airplane.jpg). Returns the path to open: `name` itself or `path`.
const char *assets_picture(const char *name, char path[ASSETS_PATH]);

// The bundled model's weights in it.
bool assets_model(char path[ASSETS_PATH], struct error *err);

#endif
