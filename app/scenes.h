// The bundled pictures and the questions that go with them: assets/pictures/questions.jsonl, in the format of
// `trimscope world`.
#ifndef TRIMSCOPE_APP_SCENES_H
#define TRIMSCOPE_APP_SCENES_H

#include "app/assets.h"
#include "engine/base/error.h"

struct scene_choice {
    char picture[ASSETS_PATH];
    char question[256];
};

// What the screen starts with: `picture` NULL: the first bundled one, `question` NULL: the first that is asked of that
// picture in the list, or a general one for a picture of the person's own.
bool scenes_choose(struct scene_choice *choice, const char *picture, const char *question, struct error *err);

#endif
