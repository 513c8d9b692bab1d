// What the trainer does with two pictures and statements about them, where each has a pass of its own (METER): both pass with
// the same words, a head of its own judges, and the costs of both count half. Words are trimmed in each pass by itself; a run,
// which shows them once, keeps a word in both passes when either picture needs it, and so spends a little more.
#include "engine/learn/trainer_private.h"

#include <math.h>
#include <string.h>

int trainer_pair_scenes(const struct trainer *t)
{
    return trainer_pairs_alone(t) ? t->settings.scenes : (int)lround(t->settings.pairs * t->settings.scenes);
}

static void pass(struct tape *tape, const struct net *net, const struct net_batch batches[2],
                 const struct net_trimming *trimming, struct net_state states[2], struct answer_head_state *head)
{
    for (int p = 0; p < 2; p++)
        net_forward(tape, net, &batches[p], trimming, &states[p]);
    net_pair_forward(tape, net, states, head);
}

// The full model's judgement of both pictures with all their patches, in w->teacher_logits.
static void teach(const struct trainer *t, struct worker *w, const struct net_batch batches[2])
{
    const struct net_trimming open = {0};
    struct net_batch whole[2] = {batches[0], batches[1]};
    struct net_state states[2];
    struct answer_head_state head;
    const real *student = w->tape.P;
    whole[0].patch_count = whole[1].patch_count = 0;
    w->tape.P = t->teacher.value;
    pass(&w->tape, &t->teacher.net, whole, &open, states, &head);
    memcpy(w->teacher_logits, head.logits, (size_t)(whole[0].questions * 2) * sizeof(real));
    w->tape.P = student;
    arena_rewind(&w->tape.arena, 0);
}

// Both pictures with the same statements, of a world or of a set.
struct pair {
    struct net_batch batches[2];
    struct objective_target target;
    const struct sample *samples[2]; // of a world
};

static struct pair world_pair(struct worker *w, const int patches[2])
{
    struct pair pair = {.samples = {&w->sample[0], &w->sample[1]}};
    for (int p = 0; p < 2; p++) {
        pair.batches[p] = sample_batch(&w->sample[p], patches[p]);
        pair.batches[p].picture = p;
    }
    pair.target = (struct objective_target){w->sample->question_count, w->sample->answers, w->sample};
    return pair;
}

static struct pair set_pair(struct worker *w)
{
    struct pair pair = {.target = {w->set_sample.questions, learn_set_wanted(&w->set_sample), NULL}};
    for (int p = 0; p < 2; p++)
        pair.batches[p] = learn_set_batch(&w->set_sample, p);
    return pair;
}

// False: the worker has failed.
static bool draw(const struct trainer *t, struct worker *w, uint64_t index, struct random *random, struct pair *pair)
{
    const struct train_settings *s = &t->settings;
    if (!t->world) {
        int group = learn_set_turn(&t->set, (uint64_t)s->seed, index);
        w->failed = !learn_set_draw(&t->set, group, s->questions, random, &w->set_sample, &w->error);
        *pair = set_pair(w);
        return !w->failed;
    }
    // A pair that cannot be laid out is replaced by one far beyond those that this run reaches.
    for (uint64_t at = index; !sample_make_pair(w->sample, t->world, &t->language, (uint64_t)s->seed, at, s->questions,
                                                random, s->brightness);)
        at += (uint64_t)1 << 40;
    int patches[2];
    for (int p = 0; p < 2; p++) {
        patches[p] = trainer_patches(t, random);
        sample_choose_patches(&w->sample[p], patches[p], random);
    }
    *pair = world_pair(w, patches);
    return true;
}

static struct objective_pair objective_of(const struct pair *pair, const struct net_state states[2],
                                          const struct answer_head_state *head)
{
    return (struct objective_pair){.target = pair->target, .samples = {pair->samples[0], pair->samples[1]},
                                   .batches = {&pair->batches[0], &pair->batches[1]}, .states = states, .head = head};
}

// Half a pass's measures each: the pair is one instance.
static void measure(const struct trainer *t, struct worker *w, const struct pair *pair, const struct net_state states[2])
{
    for (int p = 0; p < 2; p++) {
        struct trainer_material material = {pair->batches[p], pair->target};
        material.target.sample = pair->samples[p];
        trainer_measure(t, &material, &states[p], 0.5, &w->sums);
    }
}

void trainer_pair(struct trainer *t, struct worker *w, uint64_t index)
{
    const struct train_settings *s = &t->settings;
    struct random random;
    struct pair material;
    random_init(&random, (uint64_t)s->seed, index * 2 + 1);
    if (!draw(t, w, index, &random, &material))
        return;
    const struct net_batch *batches = material.batches;
    double question_scale = 1.0 / ((double)s->scenes * batches[0].questions);
    struct net_trimming trimming = trainer_trimming(t, &random);
    struct net_state states[2];
    struct answer_head_state head;
    struct net_gradients gradients[2];
    arena_rewind(&w->tape.arena, 0);
    if (trainer_taught(t))
        teach(t, w, batches);
    pass(&w->tape, &t->net, batches, &trimming, states, &head);
    const struct objective_pair pair = objective_of(&material, states, &head);
    objective_apply_pair(&w->tape, &t->net, &t->objective, &pair, trainer_taught(t) ? w->teacher_logits : NULL,
                         (real)question_scale, (real)(1.0 / s->scenes), gradients, &w->sums.objective);
    bool counts = trainer_counts(t, &trimming);
    if (counts)
        measure(t, w, &material, states);
    for (int p = 0; p < 2; p++) {
        if (counts)
            trainer_push_costs(t, &batches[p], &states[p], question_scale / 2);
        net_backward(&w->tape, &t->net, &batches[p], &states[p], &gradients[p]);
    }
}

bool trainer_evaluate_pair(const struct trainer *t, struct worker *w, int index, const struct net_trimming *trimming)
{
    const int all[2] = {SAMPLE_PATCHES, SAMPLE_PATCHES};
    bool taught = t->teacher.value && !t->world;
    struct net_state states[2];
    struct answer_head_state head;
    if (t->world ? !sample_make_pair(w->sample, t->world, &t->language, t->eval_seed, (uint64_t)index, WORLD_QUESTIONS, NULL, 0)
                 : index >= t->held_out.group_count)
        return false;
    w->failed = !t->world && !learn_set_draw(&t->held_out, index, t->settings.questions, NULL, &w->set_sample, &w->error);
    if (w->failed)
        return false;
    struct pair material = t->world ? world_pair(w, all) : set_pair(w);
    arena_rewind(&w->tape.arena, 0);
    if (taught)
        teach(t, w, material.batches);
    pass(&w->tape, &t->net, material.batches, trimming, states, &head);
    const struct objective_pair pair = objective_of(&material, states, &head);
    objective_score_pair(&pair, taught ? w->teacher_logits : NULL, &w->sums.objective);
    if (trimming->on)
        measure(t, w, &material, states);
    return true;
}
