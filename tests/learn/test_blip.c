// The trainer's BLIP: its forward pass is the original's and the engine's, with everything kept and with trimmers deciding;
// its losses on an answer are those that answers are ranked by. Central differences: test_gradients.c.
#include "tests/support/cmocka_all.h"

#include "engine/base/memory.h"
#include "engine/io/npy.h"
#include "engine/io/safetensors.h"
#include "engine/learn/cost.h"
#include "engine/learn/objective.h"
#include "engine/learn/writing.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "engine/text/tokenizer.h"
#include "tests/support/formula.h"
#include "tests/support/net_compare.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { QUESTIONS = 8, TEXT = 16, VOCABULARY = 30, RANKED = 9 };

struct fixture {
    struct model_config config;
    struct params params;
    struct net net;
    struct tape tape;
};

static void load(struct fixture *f, const char *path, int text)
{
    struct error err = {0};
    *f = (struct fixture){0};
    struct tensor_list *file = safetensors_open(path, &err);
    if (!file || !model_config_read(&f->config, file, &err))
        fail_msg("%s", err.text);
    // As a model that is opened (metadata answers).
    f->config.labels = model_writes(&f->config) ? RANKED : f->config.labels;
    assert_true(params_init(&f->params, &f->config, PARAMS_ALL, 0, 0));
    if (!params_load(&f->params, file, PARAMS_LOAD_START, &err) || !net_init(&f->net, &f->config, &f->params, NULL, &err))
        fail_msg("%s", err.text);
    tensor_list_close(file);
    f->tape = (struct tape){.kernels = learn_kernels_get(), .P = f->params.value};
    assert_true(arena_init(&f->tape.arena, net_arena_size(&f->net, QUESTIONS, text, WRITING_ROWS)));
}

static void unload(struct fixture *f)
{
    arena_free(&f->tape.arena);
    params_free(&f->params);
}

// ---- the original's dumps ---------------------------------------------------------------------------------------

static float *dump(const char *fixture, const char *name, int64_t shape[NPY_RANK])
{
    char path[160];
    struct npy npy;
    struct error err = {0};
    snprintf(path, sizeof path, "tests/fixtures/%s/%s.npy", fixture, name);
    if (!npy_open(&npy, path, &err))
        fail_msg("%s", err.text);
    float *values = memory_alloc(npy.elements, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < npy.elements; i++)
        values[i] = (float)npy_value(&npy, i);
    memcpy(shape, npy.shape, sizeof npy.shape);
    npy_close(&npy);
    return values;
}

// The first `rows` rows of sample b of a dump (samples, all rows, width) against ours.
static void check_dump(const char *fixture, const char *name, int b, const float *ours, int rows)
{
    int64_t shape[NPY_RANK];
    float *values = dump(fixture, name, shape), largest = 0;
    int64_t width = shape[2] ? shape[2] : shape[1], all = shape[2] ? shape[1] : 1;
    assert_true(rows <= all);
    for (int64_t i = 0; i < rows * width; i++) {
        float theirs = values[b * all * width + i];
        largest = fmaxf(largest, fabsf(theirs - ours[i]));
        assert_true(fabsf(theirs - ours[i]) <= 5e-5f + 1e-4f * fabsf(theirs));
    }
    print_message("  %-18s %d: largest difference %.2e\n", name, b, (double)largest);
    memory_free(values);
}

// What a fixture's inputs and its answer are called; second: the second picture, NULL where there is none.
struct original {
    const char *fixture, *second, *ids, *mask, *logits;
};

static void check_sample(struct fixture *f, const struct original *o, int b, int samples, const float *pixels, int *words,
                         int count)
{
    struct net_batch batch = {.questions = 1, .text_stride = count, .text_count = &count, .ids = words, .pixels = pixels,
                              .answer_rows = {.n = 1, .stride = 1}, .answer_ids = &f->config.token_start};
    struct net_trimming open = {0};
    struct net_state net;
    arena_rewind(&f->tape.arena, 0);
    net_forward(&f->tape, &f->net, &batch, &open, &net);
    for (int p = 0; p < f->net.pictures; p++) // the original's batch has the second pictures behind the first ones
        check_dump(o->fixture, "vit_norm", p * samples + b,
                   net.encoded + p * net.image_rows.stride * model_image_width(&f->config), net.image_rows.stride);
    for (int l = 0; l < f->config.fusion_layers; l++) {
        char name[16];
        snprintf(name, sizeof name, "enc_l%02d", l);
        check_dump(o->fixture, name, b, net.fusion[l][NET_TEXT].output, count);
    }
    check_dump(o->fixture, o->logits, b, net.logits, 1);
}

static void check_original(const struct original *o)
{
    struct fixture f;
    int64_t shape[NPY_RANK], image[NPY_RANK];
    const char *path = scratch_path("fixture.safetensors");
    char keys[160];
    snprintf(keys, sizeof keys, "tests/fixtures/%s/state_dict_keys.txt", o->fixture);
    assert_true(formula_checkpoint(keys, 7, path));
    float *ids = dump(o->fixture, o->ids, shape), *mask = dump(o->fixture, o->mask, shape);
    float *pictures[2] = {dump(o->fixture, "in_image", image), o->second ? dump(o->fixture, o->second, image) : NULL};
    size_t picture = (size_t)(image[1] * image[2] * image[3]);
    float *pixels = memory_alloc(2 * picture, sizeof *pixels);
    assert_non_null(pixels);
    load(&f, path, (int)shape[1]);
    assert_int_equal(f.net.pictures, o->second ? 2 : 1);
    for (int b = 0; b < shape[0]; b++) {
        int words[64], count = 0;
        assert_true(shape[1] <= 64);
        for (int t = 0; t < shape[1]; t++) {
            words[t] = (int)ids[b * shape[1] + t];
            count += mask[b * shape[1] + t] > 0;
        }
        for (int p = 0; p < f.net.pictures; p++)
            memcpy(pixels + (size_t)p * picture, pictures[p] + (size_t)b * picture, picture * sizeof *pixels);
        check_sample(&f, o, b, (int)shape[0], pixels, words, count);
    }
    memory_free(pixels);
    memory_free(pictures[0]);
    memory_free(pictures[1]);
    memory_free(ids);
    memory_free(mask);
    unload(&f);
}

static void test_original(void **state)
{
    (void)state;
    check_original(&(struct original){"blip_vqa", NULL, "in_question_ids", "in_question_mask", "rank_first_logits"});
    check_original(&(struct original){"blip_nlvr", "in_image1", "in_text_ids", "in_text_mask", "logits"});
}

// ---- the engine -------------------------------------------------------------------------------------------------

struct seen {
    float logits[VOCABULARY], top[RANKED], loss[RANKED];
    float words[TEXT][VOCABULARY]; // logits of each word of a caption
    int count, ranked, word_count, caption[TEXT];
};

static void see(void *context, const char *name, const float *x, int rows, int width)
{
    struct seen *seen = context;
    if (!strcmp(name, "logits") || !strcmp(name, "rank_first_logits")) {
        assert_true(rows == 1 && width <= VOCABULARY);
        memcpy(seen->logits, x, (size_t)width * sizeof *x);
        seen->count = width;
    }
    if (!strcmp(name, "dec_logits") && width == VOCABULARY && seen->word_count < TEXT) // the last row is the newest word's
        memcpy(seen->words[seen->word_count++], x + (size_t)(rows - 1) * (size_t)width, (size_t)width * sizeof *x);
    for (int i = 0; i < width && i < TEXT && !strcmp(name, "generated_ids"); i++)
        seen->caption[i] = (int)x[i];
    if (!strcmp(name, "rank_stable_topk_ids"))
        memcpy(seen->top, x, (size_t)width * sizeof *x);
    if (!strcmp(name, "rank_stable_loss")) {
        memcpy(seen->loss, x, (size_t)width * sizeof *x);
        seen->ranked = width;
    }
}

// The tiny model, and one picture, or two, with questions as ids.
enum { PICTURE = 3 * 96 * 96 };
struct scene {
    struct fixture f;
    struct model *model;
    float *pixels;
    int ids[QUESTIONS * TEXT], count[QUESTIONS];
    struct writing writing;
};

static struct tiny_options tiny_of(enum model_task task, bool trimmers)
{
    return (struct tiny_options){.task = task, .blip = true, .image_trimmers = trimmers, .fusion_trimmers = trimmers,
                                 .decoder_trimmers = trimmers, .head_trimmers = trimmers, .seed = 11};
}

static void scene_init(struct scene *s, const struct tiny_options *options)
{
    struct error err = {0};
    const char *path = tiny_write("tiny.safetensors", options);
    memset(s, 0, sizeof *s);
    load(&s->f, path, TEXT);
    s->model = model_open(path, NULL, &err);
    assert_non_null(s->model);
    s->pixels = memory_alloc(2 * PICTURE, sizeof *s->pixels);
    assert_non_null(s->pixels);
    writing_start(&s->writing, s->model->config.token_end);
    for (int q = 0; q < QUESTIONS; q++) {
        struct token tokens[TEXT];
        s->count[q] = model_encode_question(s->model, tiny_questions[q], tokens);
        for (int t = 0; t < s->count[q]; t++)
            s->ids[q * TEXT + t] = tokens[t].id;
        const struct answer_list *answers = &s->model->answer_pieces;
        int a = answers->count ? q % answers->count : 0;
        if (answers->count)
            writing_add(&s->writing, s->model->config.token_start, WORDS_ANSWER, answers->ids + answers->start[a],
                        answers->start[a + 1] - answers->start[a] - 1);
    }
}

static void scene_free(struct scene *s)
{
    memory_free(s->pixels);
    model_free(s->model);
    unload(&s->f);
}

static void take_picture(struct scene *s, uint64_t seed)
{
    for (int p = 0; p < 2; p++) {
        struct picture picture = tiny_picture(seed + (uint64_t)p * 1000);
        picture_normalize_clip(&picture, s->pixels + p * PICTURE);
        picture_free(&picture);
    }
}

static struct net_batch batch_of(struct scene *s)
{
    struct net_batch batch = {.questions = QUESTIONS, .text_stride = TEXT, .pixels = s->pixels, .ids = s->ids,
                              .text_count = s->count};
    if (s->f.net.writes) {
        batch.answer_rows = writing_lay_out(&s->writing);
        batch.answer_ids = s->writing.ids;
    }
    return batch;
}

// The engine's run of question q to its end; what it says on the way goes into *seen.
static struct run *whole_run(struct scene *s, int q, const struct run_options *options, struct seen *seen)
{
    struct error err = {0};
    const float *pixels[2] = {s->pixels, s->pixels + PICTURE};
    *seen = (struct seen){.count = 0};
    struct run *run = run_new_from_tensors(s->model, pixels, s->ids + q * TEXT, s->count[q], options, see, seen, &err);
    if (!run)
        fail_msg("%s", err.text);
    while (!run_finished(run))
        assert_true(run_step(run, &err));
    return run;
}

static struct run *engine_run(struct scene *s, int q, enum policy policy, struct seen *seen)
{
    struct run_options options = run_options_default();
    options.policy = policy;
    struct run *run = whole_run(s, q, &options, seen);
    assert_int_equal(seen->count, s->f.net.labels);
    return run;
}

// Logits of question q's first row, [DEC]'s where the model writes.
static float difference_of(const struct scene *s, const struct net_state *net, int q, const struct seen *seen)
{
    const float *ours = net->logits + rows_first(net->answer_rows, q) * s->f.net.labels;
    float largest = 0;
    for (int i = 0; i < seen->count; i++)
        largest = fmaxf(largest, fabsf(ours[i] - seen->logits[i]));
    return largest;
}

// What ranking thinks of question q's answer; NAN: it was not among the candidates.
static double ranked_loss(const struct scene *s, int q, const struct seen *seen)
{
    for (int k = 0; k < seen->ranked; k++)
        if ((int)seen->top[k] == q % s->model->answer_pieces.count)
            return (double)seen->loss[k];
    return (double)NAN;
}

static void check_dense(enum model_task task)
{
    struct scene s;
    struct tiny_options options = tiny_of(task, false);
    options.answers = "[\"red dog\", \"blue\", \"a picture of the cup\", \"no\", \"2 cats\", \"cat\", \"yes\", \"2\", "
                      "\"nothing\"]";
    struct net_trimming open = {0};
    struct net_state net;
    float largest = 0, spread = 0;
    double worst = 0;
    scene_init(&s, &options);
    take_picture(&s, 4);
    struct net_batch batch = batch_of(&s);
    net_forward(&s.f.tape, &s.f.net, &batch, &open, &net);
    for (int q = 0; q < QUESTIONS; q++) {
        struct seen seen;
        run_free(engine_run(&s, q, POLICY_NONE, &seen));
        largest = fmaxf(largest, difference_of(&s, &net, q, &seen));
        spread = fmaxf(spread, difference_of(&s, &net, (q + 1) % QUESTIONS, &seen));
        if (!s.f.net.writes)
            continue;
        // The loss of this answer alone: the others are not wanted.
        int wanted[WRITING_ROWS];
        struct objective objective = {.weights = {.answer = 1}};
        struct objective_target target = {QUESTIONS, wanted, NULL};
        struct objective_sums sums = {0};
        struct net_gradients gradients;
        for (int r = 0; r < rows_total(batch.answer_rows); r++) {
            bool own = r >= s.writing.first[q] && r < s.writing.first[q + 1];
            wanted[r] = own ? s.writing.wanted[r] : -1;
        }
        objective_apply(&s.f.tape, &s.f.net, &objective, &target, &batch, &net, NULL, 1, 1, &gradients, &sums);
        double off = fabs(sums.loss[TERM_ANSWER] - ranked_loss(&s, q, &seen));
        assert_true(off < 1e-4 * sums.loss[TERM_ANSWER]);
        worst = fmax(worst, off);
    }
    print_message("%s: largest difference of a logit %.2e, of a ranked loss %.2e; questions differ by up to %.2f\n",
                  model_task_name(task), (double)largest, worst, (double)spread);
    assert_true(largest < 1e-4f && spread > 1e-2f);
    scene_free(&s);
}

static void test_dense(void **state)
{
    (void)state;
    check_dense(TASK_VQA);
    check_dense(TASK_RETRIEVAL);
    check_dense(TASK_NLVR2);
}

// Trimmers that decide: the same patches, words and heads go, the same is counted, the same comes out.
static void check_pruned(enum model_task task)
{
    struct scene s;
    struct tiny_options options = tiny_of(task, true);
    struct net_trimming trimming = {.on = true, .heads = true, .sampling = {.temperature = 1}};
    int compared = 0, dropped = 0, off = 0, unread = 0;
    float largest = 0;
    double least = 1, most = 0;
    scene_init(&s, &options);
    assert_true(s.f.net.guide);
    for (uint64_t picture = 0; picture < 4; picture++) {
        struct net_state net;
        double shares[QUESTIONS];
        take_picture(&s, picture);
        struct net_batch batch = batch_of(&s);
        arena_rewind(&s.f.tape.arena, 0);
        net_forward(&s.f.tape, &s.f.net, &batch, &trimming, &net);
        cost_shares(&s.f.net, &batch, &net, shares);
        for (int q = 0; q < QUESTIONS; q++) {
            struct seen seen;
            if (net_close_call(&s.f.net, &net, q))
                continue;
            struct run *run = engine_run(&s, q, POLICY_LEARNED, &seen);
            const struct trace *trace = run_trace(run);
            net_compare_trace(&s.f.net, &net, q, trace, &dropped, &off);
            for (int t = 0; t < s.count[q] && s.f.net.writes; t++)
                unread += net.decoder[0].mask[q * TEXT + t] < 1 && net.fusion[s.f.config.fusion_layers - 1][NET_TEXT].alive[q * TEXT + t] > 0;
            largest = fmaxf(largest, difference_of(&s, &net, q, &seen));
            double share = trace->spent_macs / trace->dense_macs;
            if (fabs(shares[q] - share) > 1e-9)
                fail_msg("question %d: training counts a share of %.9f, the ledger %.9f", q, shares[q], share);
            least = fmin(least, share);
            most = fmax(most, share);
            compared++;
            run_free(run);
        }
    }
    print_message("%s: %d questions, %d tokens (%d by the decoder) and %d heads dropped, shares %.3f to %.3f, largest difference of a logit %.2e\n",
                  model_task_name(task), compared, dropped, unread, off, least, most, (double)largest);
    assert_true(compared >= 16 && (unread > 5 || !s.f.net.writes) && dropped > 100 && off > 5 && most > least + 0.005);
    assert_true(largest < 1e-4f);
    scene_free(&s);
}

static void test_pruned(void **state)
{
    (void)state;
    check_pruned(TASK_VQA);
    check_pruned(TASK_RETRIEVAL);
    check_pruned(TASK_NLVR2);
}

// Captions of the greatest length, so that what was counted is what a plan counts: `beams` at once.
static struct run *caption_run(struct scene *s, int q, enum policy policy, int beams, struct seen *seen)
{
    struct run_options options = run_options_default();
    options.policy = policy;
    options.beams = beams;
    options.min_length = options.max_length = TEXT;
    return whole_run(s, q, &options, seen);
}

// A teacher's captions, which grow by a word from pass to pass while the patches' K and V are remembered.
static void check_growing(struct scene *s, const struct seen seen[QUESTIONS])
{
    const struct net_trimming open = {0};
    struct net_state net;
    struct net_batch batch;
    int steps = 0;
    writing_start(&s->writing, s->model->config.token_end);
    for (int q = 0; q < QUESTIONS; q++)
        writing_add(&s->writing, s->ids[q * TEXT + s->count[q] - 1], TEXT - s->count[q] + 1, NULL, 0);
    batch = batch_of(s);
    arena_rewind(&s->f.tape.arena, 0);
    net_encode(&s->f.tape, &s->f.net, &batch, &open, &net);
    net_fuse(&s->f.tape, &s->f.net, &batch, &open, &net);
    net_remember_patches(&s->f.net, &net, true);
    size_t mark = s->f.tape.arena.used;
    for (; steps < 4; steps++, arena_rewind(&s->f.tape.arena, mark)) {
        batch = batch_of(s);
        net_fuse(&s->f.tape, &s->f.net, &batch, &open, &net);
        net_answer(&s->f.tape, &s->f.net, &batch, &open, &net);
        for (int q = 0; q < QUESTIONS; q++) {
            const float *last = net.logits + (rows_first(net.answer_rows, q + 1) - 1) * VOCABULARY;
            for (int i = 0; i < VOCABULARY; i++)
                assert_true(fabsf(last[i] - seen[q].words[steps][i]) < 1e-4f);
            s->writing.words[q][s->writing.count[q]++] = seen[q].caption[s->count[q] + steps];
        }
    }
}

// The engine writes word by word from what it remembers; a training pass reads the same text whole.
static void check_captions(bool trimmers)
{
    struct scene s;
    struct tiny_options options = tiny_of(TASK_CAPTION, trimmers);
    options.words_open = true;
    static struct seen seen[QUESTIONS], wide;
    enum policy policy = trimmers ? POLICY_LEARNED : POLICY_NONE;
    struct net_trimming trimming = {.on = trimmers, .heads = trimmers, .sampling = {.temperature = 1}};
    int compared = 0, words = 0, dropped = 0, off = 0;
    float largest = 0, spread = 0;
    double least = 1, most = 0;
    scene_init(&s, &options);
    for (uint64_t picture = 0; picture < 3; picture++) {
        struct run *runs[QUESTIONS];
        struct net_state net;
        double shares[QUESTIONS];
        take_picture(&s, picture);
        writing_start(&s.writing, s.model->config.token_end);
        for (int q = 0; q < QUESTIONS; q++) {
            int begun = s.count[q];
            runs[q] = caption_run(&s, q, policy, 1, &seen[q]);
            assert_int_equal(seen[q].word_count, TEXT - begun);
            writing_add(&s.writing, s.ids[q * TEXT + begun - 1], TEXT - begun + 1, seen[q].caption + begun, TEXT - begun);
        }
        struct net_batch batch = batch_of(&s);
        arena_rewind(&s.f.tape.arena, 0);
        net_forward(&s.f.tape, &s.f.net, &batch, &trimming, &net);
        cost_shares(&s.f.net, &batch, &net, shares);
        for (int q = 0; q < QUESTIONS; q++) {
            bool close = net_close_call(&s.f.net, &net, q);
            if (!close)
                net_compare_trace(&s.f.net, &net, q, run_trace(runs[q]), &dropped, &off);
            for (int w = 0; w < seen[q].word_count && !close; w++, words++)
                for (int i = 0; i < VOCABULARY; i++) {
                    const float *ours = net.logits + (rows_first(net.answer_rows, q) + w) * VOCABULARY;
                    largest = fmaxf(largest, fabsf(ours[i] - seen[q].words[w][i]));
                    spread = fmaxf(spread, fabsf(ours[i] - seen[q].words[0][i]));
                }
            run_free(runs[q]);
            if (close)
                continue;
            struct run *run = caption_run(&s, q, policy, BEAMS, &wide);
            double share = run_trace(run)->spent_macs / run_trace(run)->dense_macs;
            if (fabs(shares[q] - share) > 1e-9)
                fail_msg("caption %d: training counts a share of %.9f, the ledger %.9f", q, shares[q], share);
            least = fmin(least, share);
            most = fmax(most, share);
            run_free(run);
            compared++;
        }
        if (!trimmers)
            check_growing(&s, seen);
    }
    print_message("captions: %d with %d words, %d tokens and %d heads dropped, shares %.3f to %.3f, largest difference of a logit "
                  "%.2e of up to %.2f\n",
                  compared, words, dropped, off, least, most, (double)largest, (double)spread);
    assert_true(compared >= 12 && words > 60 && largest < 1e-4f && spread > 0.1f);
    assert_true(trimmers ? dropped > 100 && off > 5 && most > least + 0.005 : dropped == 0 && least == 1 && most == 1);
    scene_free(&s);
}

static void test_captions(void **state)
{
    (void)state;
    check_captions(false);
    check_captions(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_original),
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_pruned),
        cmocka_unit_test(test_captions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
