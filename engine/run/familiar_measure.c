// Making the metadata `familiarity` of a weights file from the pictures that the model was trained on.
#include "engine/run/familiar.h"

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/base/thread.h"
#include "engine/run/strangers.h"
#include "engine/world/world.h"

#include <stdlib.h>
#include <string.h>

// What a picture may have gone through on its way here without becoming unlike.
static const float LOSSY = 0.6f, RELIT = 0.6f; // shares of pictures
enum { QUALITY_LEAST = 40, QUALITY_MOST = 95 };
static const float GAIN_LEAST = 0.75f, GAIN_MOST = 1.25f;

struct work {
    const struct familiarity_plan *plan;
    const struct strangers *strangers; // NULL: training pictures are drawn
    uint64_t first;                    // number of the first picture
    float (*rows)[FAMILIAR_FEATURES];
    bool *drawn;
    struct error *errors; // per worker
};

static void relight(struct picture *picture, float gain)
{
    for (int i = 0; i < picture->width * picture->height * 3; i++) {
        float v = (float)picture->pixels[i] * gain + 0.5f;
        picture->pixels[i] = (unsigned char)(v > 255 ? 255 : v);
    }
}

// The picture as it comes out of a JPEG file.
static bool degrade(struct picture *picture, int quality, struct error *err)
{
    unsigned char *bytes;
    size_t size;
    if (!picture_encode_jpeg(picture, quality, &bytes, &size, err))
        return false;
    struct picture decoded = {0};
    bool ok = picture_decode(&decoded, bytes, size, (struct picture_reading){0}, NULL, err);
    if (ok)
        memcpy(picture->pixels, decoded.pixels, (size_t)picture->width * (size_t)picture->height * 3);
    picture_free(&decoded);
    free(bytes);
    return ok;
}

static bool alter(struct picture *picture, struct random *random, struct error *err)
{
    if (random_chance(random, RELIT))
        relight(picture, random_range(random, GAIN_LEAST, GAIN_MOST));
    if (!random_chance(random, LOSSY))
        return true;
    return degrade(picture, QUALITY_LEAST + (int)random_below(random, QUALITY_MOST - QUALITY_LEAST + 1), err);
}

static void measure_one(void *context, int index, int worker)
{
    struct work *work = context;
    const struct familiarity_plan *plan = work->plan;
    struct error *err = &work->errors[worker];
    uint64_t number = work->first + (uint64_t)index;
    struct picture picture = {0};
    struct random random;
    random_init(&random, plan->seed, 2 * number + (work->strangers != NULL));
    work->drawn[index] = false;
    if (err->code != ERROR_NONE || !picture_alloc(&picture, plan->side, plan->side, 3, err))
        return;
    bool there = work->strangers ? strangers_draw(work->strangers, plan->seed, number, &picture)
                                 : plan->draw(plan->context, number, &picture);
    if (!there && work->strangers)
        error_no_memory(err, "a picture to compare with");
    if (there && alter(&picture, &random, err)) {
        work->drawn[index] = familiarity_features(&picture, work->rows[index]);
        if (!work->drawn[index])
            error_no_memory(err, "the features of a picture");
    }
    picture_free(&picture);
}

// Fills rows with the features of pictures first .. first + want - 1; *got of them exist. False on an error.
static bool measure_rows(struct work *work, int want, struct thread_pool *pool, int *got, struct error *err)
{
    thread_pool_run(pool, measure_one, work, want);
    *got = 0;
    for (int i = 0; i < want; i++)
        if (work->drawn[i]) {
            if (*got < i)
                memcpy(work->rows[*got], work->rows[i], sizeof *work->rows);
            ++*got;
        }
    for (int w = 0; w < (pool ? thread_pool_workers(pool) : 1); w++)
        if (work->errors[w].code != ERROR_NONE) {
            if (err)
                *err = work->errors[w];
            return false;
        }
    return true;
}

static bool measure_all(struct familiarity *familiarity, struct work *work, float (*unlike)[FAMILIAR_FEATURES],
                        struct strangers *strangers, struct thread_pool *pool, struct error *err)
{
    const struct familiarity_plan *plan = work->plan;
    int familiar_count, unlike_count, held_out_count;
    float (*familiar)[FAMILIAR_FEATURES] = work->rows;
    if (!measure_rows(work, plan->fitted, pool, &familiar_count, err))
        return false;
    work->rows = unlike;
    work->strangers = strangers;
    bool ok = measure_rows(work, plan->strangers, pool, &unlike_count, err) &&
              familiarity_fit(familiarity, (const float (*)[FAMILIAR_FEATURES])familiar, familiar_count,
                              (const float (*)[FAMILIAR_FEATURES])unlike, unlike_count, err);
    work->rows = familiar;
    work->strangers = NULL;
    work->first = (uint64_t)plan->fitted;
    return ok && measure_rows(work, plan->held_out, pool, &held_out_count, err) &&
           familiarity_calibrate(familiarity, (const float (*)[FAMILIAR_FEATURES])familiar, held_out_count,
                                 plan->share, err);
}

bool familiarity_measure(struct familiarity *familiarity, const struct familiarity_plan *plan,
                         struct thread_pool *pool, struct error *err)
{
    *familiarity = (struct familiarity){.side = plan->side};
    if (plan->side < 2 * FAMILIAR_PATCH || plan->side > FAMILIAR_SIDE_MOST || plan->side % FAMILIAR_PATCH)
        return error_set(err, ERROR_INPUT, "familiarity is measured on pictures of %d to %d pixels, a multiple of %d; found %d",
                         2 * FAMILIAR_PATCH, FAMILIAR_SIDE_MOST, FAMILIAR_PATCH, plan->side);
    int most = plan->fitted > plan->held_out ? plan->fitted : plan->held_out;
    most = most > plan->strangers ? most : plan->strangers;
    int workers = pool ? thread_pool_workers(pool) : 1;
    struct work work = {.plan = plan};
    struct strangers *strangers = strangers_new(plan->seed);
    float (*unlike)[FAMILIAR_FEATURES] = memory_alloc((size_t)most, sizeof *unlike);
    float (*familiar)[FAMILIAR_FEATURES] = memory_alloc((size_t)most, sizeof *familiar);
    work.rows = familiar;
    work.drawn = memory_alloc((size_t)most, sizeof *work.drawn);
    work.errors = memory_alloc((size_t)workers, sizeof *work.errors);
    bool ok = strangers && unlike && familiar && work.drawn && work.errors;
    if (ok) {
        memset(work.errors, 0, (size_t)workers * sizeof *work.errors);
        ok = measure_all(familiarity, &work, unlike, strangers, pool, err);
    } else {
        error_no_memory(err, "the familiarity of pictures");
    }
    strangers_free(strangers);
    memory_free(unlike);
    memory_free(familiar);
    memory_free(work.drawn);
    memory_free(work.errors);
    return ok;
}

static bool draw_scene(void *context, uint64_t index, struct picture *picture)
{
    const struct familiarity_world *source = context;
    struct world_scene *scene = memory_alloc(1, sizeof *scene);
    bool ok = scene && world_make_scene(source->world, source->seed, index, scene);
    if (ok)
        memcpy(picture->pixels, scene->pixels, sizeof scene->pixels);
    memory_free(scene);
    return ok;
}

struct familiarity_plan familiarity_plan_world(struct familiarity_world *source)
{
    return (struct familiarity_plan){
        .draw = draw_scene,
        .context = source,
        .side = WORLD_SIDE,
        .fitted = 6000,
        .held_out = 6000,
        .strangers = 4000,
        .share = 0.001,
        .seed = source->seed,
    };
}
