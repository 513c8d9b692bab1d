// How good the model is that is being trained.
#include "engine/learn/trainer_private.h"

#include "engine/base/thread.h"

#include <math.h>

// What is evaluated: a scene of the world, or a picture of the held-out set with its first questions. False: none.
static bool draw(const struct trainer *t, struct worker *w, int index, struct trainer_material *material)
{
    if (t->world) {
        if (!sample_make(w->sample, t->world, &t->language, t->eval_seed, (uint64_t)index, WORLD_QUESTIONS, NULL, 0))
            return false;
        material->batch = sample_batch(w->sample, SAMPLE_PATCHES);
        material->target = (struct objective_target){w->sample->question_count, w->sample->answers, w->sample};
        return true;
    }
    if (index >= t->held_out.group_count)
        return false;
    w->failed = !learn_set_draw(&t->held_out, index, t->settings.questions, NULL, &w->set_sample, &w->error);
    *material = trainer_set_material(w);
    return !w->failed;
}

static void evaluate_job(void *context, int index, int worker)
{
    (void)worker;
    struct trainer *t = context;
    struct worker *w = &t->worker[index];
    w->sums = (struct step_sums){0};
    w->tape.G = NULL;
    struct net_trimming trimming = {.on = t->eval_trim, .heads = t->settings.heads, .compact = true,
                                    .sampling = {.temperature = 1}};
    bool pairs_alone = trainer_pairs_alone(t);
    for (int i = index; i < t->eval_scenes && !w->failed && !trainer_stopped(t) && !pairs_alone; i += t->workers) {
        struct trainer_material material;
        struct net_state state;
        if (!draw(t, w, i, &material))
            continue;
        arena_rewind(&w->tape.arena, 0);
        if (t->teacher.value && !t->world)
            trainer_teach(t, w, &material);
        net_forward(&w->tape, &t->net, &material.batch, &trimming, &state);
        objective_score(&material.target, &state, t->teacher.value && !t->world ? w->teacher_logits : NULL,
                        t->net.labels, &w->sums.objective);
        if (t->eval_trim)
            trainer_measure(t, &material, &state, 1, &w->sums);
    }
    for (int i = index; (t->settings.pairs > 0 || pairs_alone) && i < t->eval_scenes && !w->failed && !trainer_stopped(t); i += t->workers)
        trainer_evaluate_pair(t, w, i, &trimming);
}

struct objective_sums trainer_evaluate(struct trainer *t, uint64_t seed, int scenes, bool trim, double *share,
                                       double *lift)
{
    t->eval_seed = seed;
    t->eval_scenes = scenes;
    t->eval_trim = trim;
    thread_pool_run(t->pool, evaluate_job, t, t->workers);
    struct step_sums sums = {0};
    for (int w = 0; w < t->workers; w++) {
        if (t->worker[w].failed)
            t->broken = t->worker[w].error;
        const struct step_sums *from = &t->worker[w].sums;
        objective_sums_add(&sums.objective, &from->objective);
        sums.share += from->share;
        sums.needed_alive += from->needed_alive;
        sums.needed_all += from->needed_all;
        sums.other_alive += from->other_alive;
        sums.other_all += from->other_all;
    }
    if (share)
        *share = trim ? sums.share / (sums.objective.questions + sums.objective.statements) : 1;
    if (lift)
        *lift = sums.other_alive > 0 ? sums.needed_alive / sums.needed_all / (sums.other_alive / sums.other_all) : (double)NAN;
    return sums.objective;
}
