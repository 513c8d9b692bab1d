// Reads a question of the world back from its text alone: an independent check of what the world claims.
#ifndef TRIMSCOPE_TESTS_SUPPORT_WORLD_READING_H
#define TRIMSCOPE_TESTS_SUPPORT_WORLD_READING_H

#include "engine/text/tokenizer.h"
#include "engine/world/world.h"

struct reading {
    int tokens, unknown; // with <s> and </s>
    int kind[4], kinds;  // named, in order; a colour's name before a kind is not counted as a kind
    int color;           // named before a kind, or -1
    int category;        // named, or -1
    bool left, right, top, bottom, middle, above, below, more, fewer;
    char key[WORLD_TEXT]; // the words that carry meaning, in order: the same for all paraphrases
};

void reading_make(const struct world *world, const struct tokenizer *tokenizer, const char *text,
                  struct reading *reading);

// Opens a world and its tokenizer; fails the test when it cannot.
struct world *reading_open(const struct world_options *options, struct tokenizer **tokenizer);

#endif
