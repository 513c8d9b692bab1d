#include "engine/learn/sample.h"

#include "engine/text/tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// An object shows in a patch when it covers more than this share of it (training.md).
static const float SHOWS = 0.25f;

static void normalize(struct sample *sample, struct random *jitter, float brightness)
{
    static const float mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
    static const float deviation[3] = {0.26862954f, 0.26130258f, 0.27577711f};
    float gain = jitter ? random_range(jitter, 1 - brightness, 1 + brightness) : 1, shift = jitter ? random_range(jitter, -0.04f, 0.04f) : 0;
    for (int c = 0; c < 3; c++) {
        float tint = jitter ? random_range(jitter, 0.96f, 1.04f) : 1;
        real *out = sample->pixels + c * WORLD_SIDE * WORLD_SIDE;
        for (int i = 0; i < WORLD_SIDE * WORLD_SIDE; i++) {
            float v = (float)sample->scene.pixels[i * 3 + c] / 255.0f * gain * tint + shift;
            v = v < 0 ? 0 : v > 1 ? 1 : v;
            out[i] = (real)((v - mean[c]) / deviation[c]);
        }
    }
}

static float overlap(int low, int high, int start)
{
    int a = low > start ? low : start, b = high < start + WORLD_PATCH ? high : start + WORLD_PATCH;
    return b > a ? (float)(b - a) / (float)WORLD_PATCH : 0;
}

static float box_coverage(struct world_box box, int patch)
{
    return overlap(box.x0, box.x1, patch % WORLD_GRID * WORLD_PATCH) *
           overlap(box.y0, box.y1, patch / WORLD_GRID * WORLD_PATCH);
}

static void label_patches(struct sample *sample)
{
    for (int p = 0; p < SAMPLE_PATCHES; p++) {
        float best = 0;
        int object = -1;
        for (int i = 0; i < sample->scene.object_count; i++) {
            float coverage = box_coverage(sample->scene.objects[i].box, p);
            if (coverage > best) {
                best = coverage;
                object = i;
            }
        }
        sample->coverage[p] = best;
        bool shows = best > SHOWS;
        sample->patch_kind[p] = shows ? sample->scene.objects[object].kind : -1;
        sample->patch_color[p] = shows ? sample->scene.objects[object].color : -1;
        for (int q = 0; q < sample->question_count; q++) {
            float needed = 0, other = 0;
            for (int i = 0; i < sample->scene.object_count; i++) {
                float coverage = box_coverage(sample->scene.objects[i].box, p);
                float *to = sample->questions[q].needed >> i & 1 ? &needed : &other;
                *to = coverage > *to ? coverage : *to;
            }
            sample->needed[q][p] = needed > SHOWS;
            sample->other[q][p] = needed <= 0 && other > SHOWS;
        }
    }
}

static void label_places(struct sample *sample, int q)
{
    const struct world_question *question = &sample->questions[q];
    float x = 0, y = 0;
    int n = 0;
    for (int i = 0; i < sample->scene.object_count; i++)
        if (question->needed >> i & 1) {
            struct world_box box = sample->scene.objects[i].box;
            x += (float)(box.x0 + box.x1) / WORLD_SIDE - 1;
            y += (float)(box.y0 + box.y1) / WORLD_SIDE - 1;
            n++;
        }
    sample->places[q][0] = n ? x / (float)n : NAN;
    sample->places[q][1] = n ? y / (float)n : NAN;
    for (int k = 0; k < 4; k++)
        sample->places[q][2 + k] = question->centres[k];
    for (int k = 0; k < 2; k++)
        sample->counts[q][k] = question->counts[k] >= SAMPLE_COUNTS ? SAMPLE_COUNTS - 1 : question->counts[k];
}

// Ids of the questions' texts.
static void encode_texts(struct sample *sample, const struct language *language)
{
    struct token tokens[WORLD_QUESTIONS][SAMPLE_TOKENS];
    sample->text_stride = 0;
    for (int q = 0; q < sample->question_count; q++) {
        int n = tokenizer_encode(language->tokenizer, sample->questions[q].text, tokens[q], SAMPLE_TOKENS);
        sample->text_count[q] = n;
        sample->text_stride = n > sample->text_stride ? n : sample->text_stride;
    }
    for (int q = 0; q < sample->question_count; q++)
        for (int t = 0; t < sample->text_stride; t++)
            sample->ids[q * sample->text_stride + t] = t < sample->text_count[q] ? tokens[q][t].id : 1;
}

bool sample_make(struct sample *sample, const struct world *world, const struct language *language, uint64_t seed,
                 uint64_t index, int want, struct random *jitter, double brightness)
{
    if (!world_make_scene(world, seed, index, &sample->scene))
        return false;
    sample->question_count = world_make_questions(world, seed, index, &sample->scene, sample->questions, want);
    if (sample->question_count < 1)
        return false;
    encode_texts(sample, language);
    for (int q = 0; q < sample->question_count; q++) {
        sample->answers[q] = world_answer_find(world, sample->questions[q].answer);
        label_places(sample, q);
    }
    normalize(sample, jitter, (float)brightness);
    label_patches(sample);
    return true;
}

bool sample_make_pair(struct sample pictures[2], const struct world *world, const struct language *language, uint64_t seed,
                      uint64_t index, int want, struct random *jitter, double brightness)
{
    struct world_scene scenes[2];
    struct world_statement statements[WORLD_QUESTIONS];
    if (!world_make_pair(world, seed, index, scenes))
        return false;
    int count = world_make_statements(world, seed, index, scenes, statements, want);
    if (count < 1)
        return false;
    for (int p = 0; p < 2; p++) {
        struct sample *sample = &pictures[p];
        sample->scene = scenes[p];
        sample->question_count = count;
        for (int q = 0; q < count; q++) {
            struct world_question *question = &sample->questions[q];
            *question = (struct world_question){.needed = statements[q].needed[p], .counts = {-1, -1},
                                                .centres = {NAN, NAN, NAN, NAN}};
            memcpy(question->text, statements[q].text, sizeof question->text);
            sample->answers[q] = statements[q].truth;
            label_places(sample, q);
        }
        encode_texts(sample, language);
        normalize(sample, jitter, (float)brightness);
        label_patches(sample);
    }
    return true;
}

struct ranked {
    float rank;
    int patch;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->rank < y->rank) - (x->rank > y->rank);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void sample_choose_patches(struct sample *sample, int count, struct random *random)
{
    struct ranked ranked[SAMPLE_PATCHES];
    for (int p = 0; p < SAMPLE_PATCHES; p++)
        ranked[p] = (struct ranked){sample->coverage[p] + 0.5f * random_unit(random), p};
    qsort(ranked, SAMPLE_PATCHES, sizeof *ranked, by_rank);
    for (int i = 0; i < count; i++)
        sample->patches[i] = ranked[i].patch;
    qsort(sample->patches, (size_t)count, sizeof *sample->patches, by_number);
}

struct net_batch sample_batch(const struct sample *sample, int patch_count)
{
    return (struct net_batch){
        .questions = sample->question_count,
        .text_stride = sample->text_stride,
        .pixels = sample->pixels,
        .ids = sample->ids,
        .text_count = sample->text_count,
        .patch_count = patch_count < SAMPLE_PATCHES ? patch_count : 0,
        .patches = sample->patches,
    };
}
