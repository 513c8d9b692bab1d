// The losses against central differences, in double precision like test_gradients.c, each term alone and all together;
// and their values against formulas written here.
#include "tests/support/cmocka_all.h"

#include "engine/learn/objective.h"

#include <math.h>
#include <string.h>

enum { QUESTIONS = 3, TEXT = 6, KINDS = 4, COLORS = 3, LABELS = 9, CHOSEN = 11, WIDTH = 8, DIRECTION = 8192 };

struct fixture {
    struct model_config config;
    struct params params;
    struct net net;
    struct tape tape;
    struct language language;
    struct sample *sample;
    struct objective objective;
    struct net_batch batch;
    struct objective_sums sums;
    real *gradient, teacher[QUESTIONS * LABELS];
    int answer_words[LABELS], kind_words[KINDS];
};

static const real QUESTION_SCALE = 0.21, SCENE_SCALE = 0.37;

// Grids are those of the world, because losses look at every patch of it; everything else is tiny.
static void fixture_config(struct model_config *c)
{
    model_config_default(c);
    c->image_size = WORLD_SIDE;
    c->position_grid = WORLD_GRID;
    c->width = WIDTH;
    c->heads = 2;
    c->image_layers = c->text_layers = 1;
    c->fusion_layers = 2;
    c->image_ffn = c->text_ffn = c->image_fusion_ffn = c->text_fusion_ffn = 8;
    c->vocabulary = 13;
    c->positions = 12;
    c->max_tokens = 10;
    c->labels = LABELS;
    c->head_hidden = 10;
    c->fusion_norm = FUSION_PRE;
    c->answer_words = true;
    c->fusion_eps = 1e-5f;
}

// Every case that a label can be: objects and background, with and without colour, places and counts known or not.
static void fill_sample(struct sample *sample, struct random *random)
{
    sample->question_count = QUESTIONS;
    sample->text_stride = TEXT;
    for (int i = 0; i < 3 * WORLD_SIDE * WORLD_SIDE; i++)
        sample->pixels[i] = (real)random_normal(random);
    for (int p = 0; p < SAMPLE_PATCHES; p++) {
        sample->patch_kind[p] = (int)random_below(random, KINDS + 3) - 3;
        sample->patch_kind[p] = sample->patch_kind[p] < 0 ? -1 : sample->patch_kind[p];
        sample->patch_color[p] = sample->patch_kind[p] < 0 ? -1 : (int)random_below(random, COLORS + 1) - 1;
    }
    for (int i = 0; i < CHOSEN; i++)
        sample->patches[i] = 2 + 13 * i;
    for (int q = 0; q < QUESTIONS; q++) {
        sample->text_count[q] = TEXT - q;
        sample->answers[q] = (int)random_below(random, LABELS);
        for (int t = 0; t < TEXT; t++)
            sample->ids[q * TEXT + t] = t < TEXT - q ? (int)random_below(random, 13) : 1;
        for (int p = 0; p < SAMPLE_PATCHES; p++)
            sample->needed[q][p] = random_chance(random, 0.3f);
        for (int k = 0; k < SAMPLE_PLACES; k++)
            sample->places[q][k] = (k + q) % 3 ? random_range(random, -1, 1) : NAN;
        sample->counts[q][0] = q;
        sample->counts[q][1] = q == 1 ? SAMPLE_COUNTS - 1 : -1;
    }
}

static void fixture_init(struct fixture *f, struct objective_weights weights, bool subset)
{
    struct error err;
    *f = (struct fixture){0};
    fixture_config(&f->config);
    assert_true(params_init(&f->params, &f->config, PARAMS_ALL, KINDS, COLORS));
    params_randomize(&f->params, &f->config, 5);
    struct random random;
    random_init(&random, 4, 0);
    for (size_t i = 0; i < f->params.total; i++)
        f->params.value[i] += 0.2 * (real)random_normal(&random);
    for (int a = 0; a < LABELS; a++)
        f->answer_words[a] = a % 3 ? a : -1;
    for (int k = 0; k < KINDS; k++)
        f->kind_words[k] = 12 - 2 * k;
    for (int i = 0; i < QUESTIONS * LABELS; i++)
        f->teacher[i] = (real)random_normal(&random) * 2;
    f->language = (struct language){.kinds = KINDS, .colors = COLORS, .answers = LABELS, .vocabulary = 13,
                                    .kind_words = f->kind_words, .answer_words = f->answer_words};
    f->sample = memory_alloc(1, sizeof *f->sample);
    f->gradient = memory_alloc(f->params.total, sizeof *f->gradient);
    assert_true(f->sample && f->gradient);
    fill_sample(f->sample, &random);
    assert_true(net_init(&f->net, &f->config, &f->params, f->answer_words, &err));
    objective_init(&f->objective, &f->params, &f->config, &f->language, weights);
    f->batch = (struct net_batch){.questions = QUESTIONS, .text_stride = TEXT, .pixels = f->sample->pixels,
                                  .ids = f->sample->ids, .text_count = f->sample->text_count,
                                  .patch_count = subset ? CHOSEN : 0, .patches = f->sample->patches};
    f->tape = (struct tape){.kernels = learn_kernels_get(), .P = f->params.value,
                            .trained = f->params.trained};
    assert_true(arena_init(&f->tape.arena, 4 * net_arena_size(&f->net, QUESTIONS, TEXT, 0)));
}

static void fixture_free(struct fixture *f)
{
    params_free(&f->params);
    memory_free(f->sample);
    memory_free(f->gradient);
    arena_free(&f->tape.arena);
}

// The weighted sum that objective_apply() says it differentiates; differentiates when the tape has a gradient.
static real loss(struct fixture *f)
{
    struct net_state state;
    struct net_gradients gradients;
    struct net_trimming open = {0};
    real *given = f->tape.G;
    f->sums = (struct objective_sums){0};
    arena_rewind(&f->tape.arena, 0);
    net_forward(&f->tape, &f->net, &f->batch, &open, &state);
    if (!given) // losses always differentiate; let the sums go where nobody looks
        f->tape.G = tape_alloc(&f->tape, f->params.total);
    struct objective_target target = {QUESTIONS, f->sample->answers, f->sample};
    objective_apply(&f->tape, &f->net, &f->objective, &target, &f->batch, &state, f->teacher, QUESTION_SCALE,
                    SCENE_SCALE, &gradients, &f->sums);
    if (given)
        net_backward(&f->tape, &f->net, &f->batch, &state, &gradients);
    f->tape.G = given;
    const struct objective_weights *w = &f->objective.weights;
    const double *l = f->sums.loss;
    return QUESTION_SCALE * (w->answer * l[TERM_ANSWER] + w->distill * l[TERM_DISTILL] + w->ground * l[TERM_GROUND] +
                             w->where * l[TERM_WHERE] + w->count * l[TERM_COUNT]) +
           SCENE_SCALE * (w->patch * l[TERM_PATCH] + w->color * l[TERM_COLOR]);
}

// Returns how many parameters the loss depends on.
static int check(struct objective_weights weights, bool subset)
{
    struct fixture f;
    struct random random;
    int moved = 0;
    fixture_init(&f, weights, subset);
    random_init(&random, 8, 1);
    f.tape.G = f.gradient;
    loss(&f);
    f.tape.G = NULL;
    for (int i = 0; i < f.params.count; i++) {
        const struct param *p = &f.params.items[i];
        real direction[DIRECTION], slope = 0, value[2];
        const real step = 2e-5;
        assert_true(p->info.elements <= DIRECTION);
        for (int64_t k = 0; k < p->info.elements; k++)
            direction[k] = (real)random_normal(&random);
        for (int side = 0; side < 2; side++) {
            for (int64_t k = 0; k < p->info.elements; k++)
                f.params.value[p->offset + (size_t)k] += (side ? -2 : 1) * step * direction[k];
            value[side] = loss(&f);
        }
        for (int64_t k = 0; k < p->info.elements; k++) {
            f.params.value[p->offset + (size_t)k] += step * direction[k];
            slope += f.gradient[p->offset + (size_t)k] * direction[k];
        }
        real measured = (value[0] - value[1]) / (2 * step), scale = fabs(measured) + fabs(slope) + 1e-2;
        if (fabs(measured - slope) > 2e-5 * scale)
            fail_msg("%s: backward %.9g, central difference %.9g", p->info.name, slope, measured);
        moved += fabs(measured) > 1e-7;
    }
    fixture_free(&f);
    return moved;
}

static void test_each_term(void **state)
{
    (void)state;
    assert_true(check((struct objective_weights){.answer = 1.3, .temperature = 1}, true) > 100);
    assert_true(check((struct objective_weights){.distill = 0.9, .temperature = 2.5}, true) > 100);
    assert_true(check((struct objective_weights){.patch = 1.1, .color = 0.7, .temperature = 1}, true) > 10);
    assert_true(check((struct objective_weights){.ground = 1.2, .temperature = 1}, true) > 100);
    assert_true(check((struct objective_weights){.where = 0.8, .count = 1.4, .temperature = 1}, true) > 100);
}

static void test_all_terms_all_patches(void **state)
{
    (void)state;
    struct objective_weights all = {.answer = 1, .distill = 0.5, .temperature = 2, .patch = 0.4, .color = 0.3,
                                    .ground = 0.6, .where = 1.5, .count = 0.4};
    assert_true(check(all, false) > 100);
}

// The reported losses, from the network's outputs by the definitions.
static void test_values(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, (struct objective_weights){.answer = 1, .distill = 1, .temperature = 3}, true);
    loss(&f);
    struct net_state net;
    struct net_trimming open = {0};
    arena_rewind(&f.tape.arena, 0);
    net_forward(&f.tape, &f.net, &f.batch, &open, &net);
    double answer = 0, distill = 0;
    int right = 0;
    for (int q = 0; q < QUESTIONS; q++) {
        const real *s = net.head.logits + q * LABELS, *t = f.teacher + q * LABELS;
        double sum = 0, soft_s = 0, soft_t = 0;
        int best = 0;
        for (int a = 0; a < LABELS; a++) {
            sum += exp(s[a]);
            soft_s += exp(s[a] / 3);
            soft_t += exp(t[a] / 3);
            best = s[a] > s[best] ? a : best;
        }
        answer -= log(exp(s[f.sample->answers[q]]) / sum);
        for (int a = 0; a < LABELS; a++)
            distill += 9 * exp(t[a] / 3) / soft_t * log(exp(t[a] / 3) / soft_t / (exp(s[a] / 3) / soft_s));
        right += best == f.sample->answers[q];
    }
    assert_true(fabs(f.sums.loss[TERM_ANSWER] - answer) < 1e-12 * answer);
    assert_true(fabs(f.sums.loss[TERM_DISTILL] - distill) < 1e-12 * distill);
    assert_int_equal(f.sums.right, right);
    assert_int_equal(f.sums.questions, QUESTIONS);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_term),
        cmocka_unit_test(test_all_terms_all_patches),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
