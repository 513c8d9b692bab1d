// What the trainer does with one scene: draw it, ask the full model, pass forward and back.
#include "engine/learn/trainer_private.h"

#include "engine/learn/cost.h"
#include "engine/learn/schedule.h"

#include <string.h>

// The patches of needed and other objects that a question's mask keeps, pooled over the questions that have both.
static void measure_lift(const struct sample *sample, int q, const real *alive, int stride, struct step_sums *sums)
{
    double needed = 0, other = 0;
    for (int p = 1; p < stride; p++) {
        needed += (double)sample->needed[q][p - 1];
        other += (double)sample->other[q][p - 1];
    }
    if (needed <= 0 || other <= 0)
        return;
    sums->needed_all += needed;
    sums->other_all += other;
    for (int p = 1; p < stride; p++) {
        real stays = alive ? alive[p] : 1;
        sums->needed_alive += (double)(stays * sample->needed[q][p - 1]);
        sums->other_alive += (double)(stays * sample->other[q][p - 1]);
    }
}

void trainer_measure(const struct trainer *t, const struct trainer_material *material, const struct net_state *state,
                     double weight, struct step_sums *sums)
{
    const struct net_batch *batch = &material->batch;
    double share[WORLD_QUESTIONS];
    cost_shares(&t->net, batch, state, share);
    int stride = state->rows[NET_IMAGE].stride, layers = t->config.fusion_layers, pictures = t->net.pictures;
    sums->measured += weight * batch->questions;
    for (int q = 0; q < batch->questions; q++)
        sums->share += weight * share[q];
    struct upkeep upkeep = {0};
    upkeep_measure(&t->net, batch, state, &upkeep);
    sums->upkeep.heads += weight * upkeep.heads;
    sums->upkeep.words += weight * upkeep.words;
    for (int l = 0; l < layers; l++)
        for (int i = 0; i < pictures * batch->questions; i++) {
            const real *mask = state->fusion[l][NET_IMAGE].alive, *alive = mask ? mask + i * stride : NULL;
            double sum = 0;
            for (int p = 1; p < stride; p++)
                sum += alive ? (double)alive[p] : 1;
            sums->alive[l] += weight * sum / (pictures * (stride - 1));
            if (l == layers - 1 && material->target.sample)
                measure_lift(material->target.sample, i, alive, stride, sums);
        }
}

// The hinge (mean - kept)^2 above what may be kept, as a slope per question.
static double hinge_slope(const struct trainer *t, double mean, double keep, double question_scale)
{
    return mean > keep ? 2 * t->settings.budget * (mean - keep) * question_scale : 0;
}

// d(loss) / d(share of patches alive after layer l) of two hinges: more stays than the layer's budget, or more goes in this
// one layer than its part of all that go.
static double patches_slope(const struct trainer *t, int l)
{
    const double *alive = t->at.alive;
    double kept = alive[l] - schedule_budget(&t->settings, trainer_done(t), l);
    double dropped = (l ? alive[l - 1] : 1) - alive[l], all = 1 - alive[t->config.fusion_layers - 1];
    double hasty = dropped - t->settings.pace * all;
    return 2 * t->settings.budget * ((kept > 0 ? kept : 0) - (hasty > 0 ? hasty : 0));
}

void trainer_push_costs(const struct trainer *t, const struct net_batch *batch, struct net_state *state,
                        double question_scale)
{
    double over = t->at.share - schedule_target(&t->settings, trainer_done(t));
    cost_back(&t->net, batch, state, 2 * t->settings.cost * over * question_scale);
    double heads = schedule_keep(&t->settings, trainer_done(t), t->settings.head_keep);
    double words = schedule_keep(&t->settings, trainer_done(t), t->settings.word_keep);
    upkeep_push(&t->net, batch, state, hinge_slope(t, t->at.heads, heads, question_scale),
                hinge_slope(t, t->at.words, words, question_scale));
    int stride = state->rows[NET_IMAGE].stride;
    for (int l = 0; l < t->config.fusion_layers; l++) {
        real *dalive = state->fusion[l][NET_IMAGE].dalive;
        real push = (real)(patches_slope(t, l) * question_scale / (t->net.pictures * (stride - 1)));
        for (int i = 0; dalive && push != 0 && i < rows_total(state->rows[NET_IMAGE]); i++)
            if (i % stride)
                dalive[i] += push;
    }
}

struct trainer_material trainer_set_material(struct worker *w)
{
    struct trainer_material material = {.batch = learn_set_batch(&w->set_sample, 0)};
    material.target = (struct objective_target){w->set_sample.questions, learn_set_wanted(&w->set_sample), NULL};
    return material;
}

// Reads the answers as they stand; a caption has gone through the fusion layers without its last word.
static void read_answers(struct worker *w, const struct net *net, struct net_state *state,
                         const struct trainer_material *material)
{
    const struct net_trimming open = {0};
    if (net->captions)
        net_fuse(&w->tape, net, &material->batch, &open, state);
    net_answer(&w->tape, net, &material->batch, &open, state);
}

// The same from the encodings that *state holds; they stay in the arena.
static void teach(struct worker *w, const struct net *net, struct net_state *state, struct trainer_material *material)
{
    const struct net_trimming open = {0};
    struct writing *writing = &w->set_sample.writing;
    size_t mark = w->tape.arena.used;
    net_fuse(&w->tape, net, &material->batch, &open, state);
    net_remember_patches(net, state, net->captions);
    while (net->writes && writing_unfinished(writing)) {
        size_t fused = w->tape.arena.used;
        read_answers(w, net, state, material);
        writing_continue(writing, state->logits, net->labels);
        *material = trainer_set_material(w);
        arena_rewind(&w->tape.arena, fused);
    }
    read_answers(w, net, state, material);
    memcpy(w->teacher_logits, state->logits,
           (size_t)rows_total(state->answer_rows) * (size_t)net->labels * sizeof(real));
    net_remember_patches(net, state, false);
    arena_rewind(&w->tape.arena, mark);
}

// The teacher sees every patch: what one sees that does not is copied too.
void trainer_teach(const struct trainer *t, struct worker *w, struct trainer_material *material)
{
    const struct net_trimming open = {0};
    struct net_state state;
    const real *student = w->tape.P;
    int patches = material->batch.patch_count;
    material->batch.patch_count = 0;
    w->tape.P = t->teacher.value;
    net_encode(&w->tape, &t->teacher.net, &material->batch, &open, &state);
    teach(w, &t->teacher.net, &state, material);
    w->tape.P = student;
    material->batch.patch_count = patches;
    arena_rewind(&w->tape.arena, 0);
}

int trainer_patches(const struct trainer *t, struct random *random)
{
    const struct train_settings *s = &t->settings;
    if (trainer_done(t) >= 1 - s->full_tail)
        return SAMPLE_PATCHES;
    return s->patches_low + (int)random_below(random, (uint32_t)(s->patches_high - s->patches_low + 1));
}

void trainer_make_scene(const struct trainer *t, struct sample *sample, uint64_t index, struct random *random)
{
    uint64_t seed = (uint64_t)t->settings.seed;
    // A scene that cannot be laid out is replaced by one far beyond those that this run reaches.
    for (uint64_t at = index; !sample_make(sample, t->world, &t->language, seed, at, t->settings.questions, random,
                                           t->settings.brightness);)
        at += (uint64_t)1 << 40;
}

// A scene of the world, made on the spot.
static void draw_scene(const struct trainer *t, struct worker *w, uint64_t index, struct random *random,
                       struct trainer_material *material)
{
    struct sample *sample = t->fixed ? &t->fixed[index % (uint64_t)t->fixed_scenes] : w->sample;
    if (!t->fixed)
        trainer_make_scene(t, sample, index, random);
    int patches = trainer_patches(t, random);
    sample_choose_patches(sample, patches, random);
    material->batch = sample_batch(sample, patches);
    material->target = (struct objective_target){sample->question_count, sample->answers, sample};
}

static bool draw(const struct trainer *t, struct worker *w, uint64_t index, struct random *random,
                 struct trainer_material *material)
{
    if (t->world) {
        draw_scene(t, w, index, random, material);
        return true;
    }
    int group = learn_set_turn(&t->set, (uint64_t)t->settings.seed, index);
    if (!learn_set_draw(&t->set, group, t->settings.questions, random, &w->set_sample, &w->error))
        return false;
    *material = trainer_set_material(w);
    return true;
}

// The student's pass. A backbone that teaches its own trimmers encodes picture and question once for both.
static void pass(const struct trainer *t, struct worker *w, struct trainer_material *material,
                 const struct net_trimming *trimming, struct net_state *state)
{
    const struct net *net = &t->net;
    bool same_encoders = net->first_image == net->config.image_layers && net->first_text == net->text_layers;
    bool once = same_encoders && t->teacher.value == t->params.value;
    if (trainer_taught(t) && !once)
        trainer_teach(t, w, material);
    net_encode(&w->tape, net, &material->batch, trimming, state);
    if (trainer_taught(t) && once)
        teach(w, net, state, material);
    net_fuse(&w->tape, net, &material->batch, trimming, state);
    net_answer(&w->tape, net, &material->batch, trimming, state);
}

struct net_trimming trainer_trimming(const struct trainer *t, struct random *random)
{
    const struct train_settings *s = &t->settings;
    struct net_trimming trimming = {
        .on = s->trim,
        .heads = s->heads,
        .compact = s->ground <= 0, // the grounding loss reads the outputs of all patches
        .sampling = {.random = random, .noise = (real)schedule_noise(s, trainer_done(t)), .temperature = (real)s->gumbel},
    };
    if (s->shifted > 0 && (double)random_unit(random) < s->shifted)
        trimming.sampling.shift = TIGHTEST_SHIFT + (LOOSEST_SHIFT - TIGHTEST_SHIFT) * (real)random_unit(random);
    return trimming;
}

bool trainer_counts(const struct trainer *t, const struct net_trimming *trimming)
{
    return t->settings.trim && trimming->sampling.shift == 0;
}

void trainer_scene(struct trainer *t, struct worker *w, uint64_t index)
{
    const struct train_settings *s = &t->settings;
    struct random random;
    struct trainer_material material;
    random_init(&random, (uint64_t)s->seed, index * 2 + 1);
    if (!draw(t, w, index, &random, &material)) {
        w->failed = true;
        return;
    }
    double question_scale = 1.0 / ((double)s->scenes * material.batch.questions);
    struct net_trimming trimming = trainer_trimming(t, &random);
    arena_rewind(&w->tape.arena, 0);
    struct net_state state;
    struct net_gradients gradients;
    pass(t, w, &material, &trimming, &state);
    objective_apply(&w->tape, &t->net, &t->objective, &material.target, &material.batch, &state,
                    trainer_taught(t) ? w->teacher_logits : NULL, (real)question_scale, (real)(1.0 / s->scenes), &gradients,
                    &w->sums.objective);
    if (trainer_counts(t, &trimming)) {
        trainer_measure(t, &material, &state, 1, &w->sums);
        trainer_push_costs(t, &material.batch, &state, question_scale);
    }
    net_backward(&w->tape, &t->net, &material.batch, &state, &gradients);
}
