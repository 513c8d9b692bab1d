// The bundled pictures, the questions that go with them (assets/pictures/questions.jsonl) and statements about two
// (statements.jsonl), in the format of `trimscope world`.
#ifndef TRIMSCOPE_APP_SCENES_H
#define TRIMSCOPE_APP_SCENES_H

#include "app/assets.h"
#include "engine/base/error.h"

enum { SCENES_QUESTION = 4096 };

struct scene_choice {
    char picture[ASSETS_PATH], second[ASSETS_PATH]; // second "": none was named
    char question[SCENES_QUESTION];
    bool unasked; // it is not the person's own
};

// What the screen starts with, from `[PICTURE [PICTURE] [QUESTION]]` as it was typed: without a picture the first bundled
// one, without a question the first that is asked of that picture (stated about those two) in the list, or a general one
// for pictures of the person's own. Of two arguments the second is a picture where it names a file, else the question.
bool scenes_choose(struct scene_choice *choice, const char *const arguments[], int count, struct error *err);

// The questions that are asked of this file in the list, or the statements about it and `second` (NULL: none), in their
// order; none when these are no bundled pictures. Returns how many were put into `out`, at most `most`.
int scenes_questions(const char *path, const char *second, char out[][SCENES_QUESTION], int most);

// The first of them, or a general question about a bundled picture that has none (of a pair: statements); else false.
bool scenes_question(const char *path, const char *second, char question[SCENES_QUESTION]);

#endif
