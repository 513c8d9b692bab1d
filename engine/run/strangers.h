// Pictures of nothing that the training world holds: stand-ins for photographs, drawings and pages, made from noise.
//
// Whoever asks whether a picture is unlike the pictures of some set needs examples of "unlike", and a collection of
// photographs is no part of this program. Most stand-ins are therefore scenes in the manner of the dead leaves model:
// surfaces of all sizes that hide one another, the sizes following a power law, which is what gives photographs their
// statistics (Ruderman, "Origins of scaling in natural images", Vision Research 1997; Lee, Mumford and Huang,
// "Occlusion models for natural images", IJCV 2001), with textures of 1/f type, slopes of light, skies, and blur
// before and behind the plane of focus. The rest are pure noise, pages of strokes, and empty pictures.
#ifndef TRIMSCOPE_RUN_STRANGERS_H
#define TRIMSCOPE_RUN_STRANGERS_H

#include "engine/io/picture.h"

#include <stdbool.h>
#include <stdint.h>

struct strangers; // textures: immutable once made, shared by threads

// NULL when there is no memory. Release with strangers_free().
struct strangers *strangers_new(uint64_t seed);
void strangers_free(struct strangers *strangers);

// Draws number `index` of the sequence `seed` over the whole of `picture` (RGB, square). False: no memory.
bool strangers_draw(const struct strangers *strangers, uint64_t seed, uint64_t index, struct picture *picture);

#endif
