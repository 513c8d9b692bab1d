// How far a picture is from the pictures that a model was trained on.
//
// A model answers any picture, also one that it cannot know anything about. What tells is measured on the pixels as the
// model sees them: per patch the energy, direction and sparseness of luminance and chrominance detail at four scales and
// the mean colour (Haar bands), and over the patches the quantiles of each and how much neighbours differ. A logistic
// discriminant over these features and their squares, fitted between training pictures and stand-ins for everything
// else (run/strangers.h), gives a score; held-out training pictures give the scale on which it is read. Training
// pictures and stand-ins are fitted and read with JPEG loss and other brightness too, so that these do not count as
// being unlike.
//
// The metadata `familiarity` of a weights file holds the statistics as JSON; a model without it says nothing.
#ifndef TRIMSCOPE_RUN_FAMILIAR_H
#define TRIMSCOPE_RUN_FAMILIAR_H

#include "engine/base/error.h"
#include "engine/io/picture.h"

#include <stdbool.h>
#include <stdint.h>

struct thread_pool;
struct world;

enum {
    FAMILIAR_PATCH = 16,    // pixels of a patch's side, whatever the model's own patches are
    FAMILIAR_LEVELS = 4,    // scales of detail: 2, 4, 8 and 16 pixels
    FAMILIAR_MEASURES = 26, // of a patch
    FAMILIAR_SUMMARIES = 6, // of a measure over the patches
    FAMILIAR_FEATURES = FAMILIAR_MEASURES * FAMILIAR_SUMMARIES,
    FAMILIAR_SIDE_MOST = 4096,
};

struct familiarity {
    int side;                           // of the pictures that it was made from
    int pictures;                       // held-out training pictures behind median and threshold
    double share;                       // of them that lie above the threshold
    double median, threshold;           // scores
    double bias;
    float mean[FAMILIAR_FEATURES], scale[FAMILIAR_FEATURES];
    float weight[2 * FAMILIAR_FEATURES]; // of the standardised features, then of their squares
};

// Features of a picture (RGB; width and height multiples of FAMILIAR_PATCH, 2 patches at least). False: no memory.
bool familiarity_features(const struct picture *picture, float features[FAMILIAR_FEATURES]);

// 0 for the median training picture, 1 at the threshold, above it for pictures that are unlike; negative for those
// that are more typical than the median. `fitted` is the picture as the model sees it (picture_fit()). NaN when its
// side is not the one that the statistics are of, or there is no memory.
double familiarity_distance(const struct familiarity *familiarity, const struct picture *fitted);

// Whether the distance is above 1.
bool familiarity_unlike(const struct familiarity *familiarity, const struct picture *fitted);

// The metadata as text, malloc'ed (NULL: no memory), and back. Text from outside that is not such metadata is an
// ERROR_INPUT with one sentence.
char *familiarity_to_json(const struct familiarity *familiarity);
bool familiarity_from_json(struct familiarity *familiarity, const char *text, struct error *err);

// Fits mean, scale, weight and bias so that `unlike` rows of features score high and `familiar` ones low. The rows need
// no order. False: no memory, or fewer than 2 rows of either.
bool familiarity_fit(struct familiarity *familiarity, const float (*familiar)[FAMILIAR_FEATURES], int familiar_count,
                     const float (*unlike)[FAMILIAR_FEATURES], int unlike_count, struct error *err);

// Sets median and threshold from training pictures that were not fitted: the score that `share` of them exceed.
bool familiarity_calibrate(struct familiarity *familiarity, const float (*held_out)[FAMILIAR_FEATURES], int count,
                           double share, struct error *err);

// Everything, from a source of training pictures. `draw` writes picture number `index` into `picture` (RGB, side x side,
// allocated) or returns false when there is none of that number; it is called from the pool's threads, with numbers
// from 0 on for fitting and from `fitted` on for calibrating, each once.
struct familiarity_plan {
    bool (*draw)(void *context, uint64_t index, struct picture *picture);
    void *context;
    int side;
    int fitted, held_out, strangers; // pictures of each kind
    double share;                    // of held-out pictures above the threshold
    uint64_t seed;                   // of stand-ins and alterations
};
bool familiarity_measure(struct familiarity *familiarity, const struct familiarity_plan *plan,
                         struct thread_pool *pool, struct error *err);

// The plan for scenes of the procedural world: 6,000 to fit, 6,000 held out, 4,000 stand-ins, threshold at 0.1 %. The
// world must outlive the plan. `seed` is the world's: take one that neither training nor evaluation uses.
struct familiarity_world {
    const struct world *world;
    uint64_t seed;
};
struct familiarity_plan familiarity_plan_world(struct familiarity_world *source);

#endif
