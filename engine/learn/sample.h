// One scene of the world with its questions, as numbers to train on.
#ifndef TRIMSCOPE_LEARN_SAMPLE_H
#define TRIMSCOPE_LEARN_SAMPLE_H

#include "engine/base/random.h"
#include "engine/learn/language.h"
#include "engine/learn/net.h"
#include "engine/world/world.h"

enum {
    SAMPLE_PATCHES = WORLD_GRID * WORLD_GRID,
    SAMPLE_TOKENS = 24,  // of a question at most
    SAMPLE_COUNTS = 8,   // classes of the auxiliary count: 0 .. 6 and more
    SAMPLE_PLACES = 6,   // centroid of what is needed, centres of the first and second object: x, y each
};

struct sample {
    struct world_scene scene;
    struct world_question questions[WORLD_QUESTIONS];
    int question_count;
    real pixels[3 * WORLD_SIDE * WORLD_SIDE]; // normalised
    int ids[WORLD_QUESTIONS * SAMPLE_TOKENS], text_count[WORLD_QUESTIONS], text_stride;
    int answers[WORLD_QUESTIONS];
    int patch_kind[SAMPLE_PATCHES], patch_color[SAMPLE_PATCHES]; // of the object that covers the patch; -1: none
    float coverage[SAMPLE_PATCHES];                              // share of the patch that objects cover
    real needed[WORLD_QUESTIONS][SAMPLE_PATCHES];                // 1: shows an object that the question needs
    real other[WORLD_QUESTIONS][SAMPLE_PATCHES];                 // 1: shows only objects that it does not need
    float places[WORLD_QUESTIONS][SAMPLE_PLACES];                // NaN: none
    int counts[WORLD_QUESTIONS][2];                              // -1: none
    int patches[SAMPLE_PATCHES];                                 // of sample_choose_patches
};

// Scene `index` of the world `seed` with up to `want` questions. `jitter` NULL: as it is; otherwise brightness, by at most
// that share, and tint vary. False when there is no such scene or it has no question: take another index.
bool sample_make(struct sample *sample, const struct world *world, const struct language *language, uint64_t seed,
                 uint64_t index, int want, struct random *jitter, double brightness);

// Two pictures with statements about them, `index` of the pairs of the world `seed`: one sample a picture, with the same
// texts, and the truth (0, 1) of each as its answer. The world must be a reworded one, whose words they use.
bool sample_make_pair(struct sample pictures[2], const struct world *world, const struct language *language, uint64_t seed,
                      uint64_t index, int want, struct random *jitter, double brightness);

// Chooses `count` patches, those with objects likelier, increasing.
void sample_choose_patches(struct sample *sample, int count, struct random *random);

// The batch that the network reads; it borrows from the sample.
struct net_batch sample_batch(const struct sample *sample, int patch_count);

#endif
