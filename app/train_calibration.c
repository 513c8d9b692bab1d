#include "app/train_calibration.h"

#include "app/weights.h"
#include "engine/base/memory.h"
#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/run/calibrate.h"
#include "engine/run/familiar.h"
#include "engine/io/question_set.h"
#include "engine/world/world.h"

#include <string.h>

enum { QUESTIONS = 4, SCENES = TRAIN_CALIBRATION_MOST / QUESTIONS };

// Neither training's nor validation's.
static const uint64_t CALIBRATION_WORLD = 1000033;

struct calibration_set {
    struct world_scene scenes[SCENES];
    struct picture pictures[SCENES];
    struct world_question questions[SCENES][QUESTIONS];
    struct world_statement statements[SCENES / 2][QUESTIONS];
    struct calibration_sample samples[SCENES * QUESTIONS];
    int count;
};

static void fill(struct calibration_set *set, const struct world *world)
{
    for (int s = 0; s < SCENES; s++) {
        struct world_scene *scene = &set->scenes[s];
        if (!world_make_scene(world, CALIBRATION_WORLD, (uint64_t)s, scene))
            continue;
        set->pictures[s] = (struct picture){WORLD_SIDE, WORLD_SIDE, 3, scene->pixels};
        int asked = world_make_questions(world, CALIBRATION_WORLD, (uint64_t)s, scene, set->questions[s], QUESTIONS);
        for (int q = 0; q < asked; q++)
            set->samples[set->count++] =
                (struct calibration_sample){{&set->pictures[s], NULL}, set->questions[s][q].text};
    }
}

static void fill_pairs(struct calibration_set *set, const struct world *world)
{
    for (int s = 0; s + 1 < SCENES; s += 2) {
        uint64_t index = (uint64_t)s / 2;
        if (!world_make_pair(world, CALIBRATION_WORLD, index, &set->scenes[s]))
            continue;
        for (int p = 0; p < 2; p++)
            set->pictures[s + p] = (struct picture){WORLD_SIDE, WORLD_SIDE, 3, set->scenes[s + p].pixels};
        int stated = world_make_statements(world, CALIBRATION_WORLD, index, &set->scenes[s], set->statements[index], QUESTIONS);
        for (int q = 0; q < stated; q++)
            set->samples[set->count++] = (struct calibration_sample){{&set->pictures[s], &set->pictures[s + 1]},
                                                                     set->statements[index][q].text};
    }
}

static char *calibrate_file(const char *weights, int pictures, const struct calibration_sample *samples, int count, int threads,
                            const atomic_bool *stop, struct error *err)
{
    const struct model_options opening = {.pictures = pictures};
    struct model *model = weights_open_model(weights, &opening, err);
    struct thread_pool *pool = model ? thread_pool_new(threads) : NULL;
    char *text = pool ? calibrate(model, samples, count, pool, stop, err) : NULL;
    if (model && !pool)
        error_no_memory(err, "the calibration");
    thread_pool_free(pool);
    model_free(model);
    return text;
}

static char *calibrate_on_world(const char *weights, const struct world *world, int pictures, int count,
                                int threads, const atomic_bool *stop, struct error *err)
{
    struct calibration_set *set = memory_alloc(1, sizeof *set);
    if (!set) {
        error_no_memory(err, "the calibration");
        return NULL;
    }
    (pictures == 2 ? fill_pairs : fill)(set, world);
    char *text = calibrate_file(weights, pictures, set->samples, count < set->count ? count : set->count, threads, stop, err);
    memory_free(set);
    return text;
}

char *train_calibration(const char *weights, const struct world *world, int count, int threads, const atomic_bool *stop,
                        struct error *err)
{
    return calibrate_on_world(weights, world, 1, count, threads, stop, err);
}

char *train_pair_calibration(const char *weights, const struct world *world, int count, int threads, const atomic_bool *stop,
                             struct error *err)
{
    return calibrate_on_world(weights, world, 2, count, threads, stop, err);
}

char *train_calibration_on_set(const char *weights, const char *set, int count, int threads, const atomic_bool *stop,
                               struct error *err)
{
    struct question_set questions;
    char *text = NULL;
    if (!question_set_read_unanswered(&questions, set, 0, err))
        return NULL;
    count = count < questions.count ? count : questions.count;
    int each = question_set_pictures(&questions);
    struct picture *pictures = memory_alloc((size_t)(count * each), sizeof *pictures);
    struct calibration_sample *samples = memory_alloc((size_t)count, sizeof *samples);
    bool ok = (pictures && samples) || error_no_memory(err, "the calibration");
    for (int i = 0; ok && i < count; i++) { // spread over the whole set
        const struct question *q = &questions.questions[(int)((int64_t)i * questions.count / count)];
        samples[i] = (struct calibration_sample){.question = q->text};
        for (int p = 0; ok && p < each; p++) {
            struct picture *picture = &pictures[i * each + p];
            ok = picture_load(picture, q->pictures[p], (struct picture_reading){0}, NULL, err) ||
                 question_set_blame(&questions, (int)(q - questions.questions), err);
            samples[i].pictures[p] = picture;
        }
    }
    if (ok)
        text = calibrate_file(weights, each, samples, count, threads, stop, err);
    for (int i = 0; pictures && i < count * each; i++)
        picture_free(&pictures[i]);
    memory_free(pictures);
    memory_free(samples);
    question_set_free(&questions);
    return text;
}

char *train_familiarity(const struct world *world, int threads, struct error *err)
{
    enum { FAMILIAR_SEED = 770077 }; // neither training's nor evaluation's
    struct familiarity_world source = {world, FAMILIAR_SEED};
    struct familiarity_plan plan = familiarity_plan_world(&source);
    struct familiarity familiarity;
    struct thread_pool *pool = thread_pool_new(threads);
    char *text = NULL;
    if (familiarity_measure(&familiarity, &plan, pool, err) && !(text = familiarity_to_json(&familiarity)))
        error_no_memory(err, "the familiarity");
    thread_pool_free(pool);
    return text;
}
