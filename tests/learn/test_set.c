// Training on pictures and questions of one's own: trimmers of a small METER and a small BLIP of the published layouts, with
// nothing known but what the full model answers.
#include "tests/support/cmocka_all.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/picture.h"
#include "engine/io/safetensors.h"
#include "engine/learn/learn_set.h"
#include "engine/learn/shape.h"
#include "engine/learn/trainer.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PICTURES = 6, ASKED = 3 };

static const struct tiny_options meter = {.task = TASK_VQA, .published = true, .seed = 7};
static const struct tiny_options blip = {.task = TASK_VQA, .blip = true, .seed = 7};
static const struct tiny_options captioner = {.task = TASK_CAPTION, .blip = true, .seed = 7};
static const struct tiny_options matcher = {.task = TASK_RETRIEVAL, .blip = true, .seed = 7};
static const struct tiny_options meter_matcher = {.task = TASK_RETRIEVAL, .published = true, .seed = 7};
static const struct tiny_options judge = {.task = TASK_NLVR2, .published = true, .seed = 7};
static const struct tiny_options blip_judge = {.task = TASK_NLVR2, .blip = true, .seed = 7};

static const char *picture_path(int index)
{
    static char path[512];
    snprintf(path, sizeof path, "%s%d.png", scratch_path("set"), index);
    return path;
}

// A set in which every third question has its answer, of as many pictures a row as the model takes. Its path.
static const char *write_set(const char *name, const struct model_config *config)
{
    bool pairs = config->pictures == 2;
    struct error err = {0};
    char text[8192] = "";
    for (int p = 0; p < PICTURES; p++) {
        struct picture picture = tiny_picture((uint64_t)p + 1);
        assert_true(picture_save_png(&picture, picture_path(p), &err));
        picture_free(&picture);
    }
    for (int q = 0; q < ASKED; q++) // a picture's questions need not stand together
        for (int p = 0; p < PICTURES; p++) {
            char line[512];
            char left[32], right[32];
            snprintf(left, sizeof left, "%s", strrchr(picture_path(p), '/') + 1);
            snprintf(right, sizeof right, "%s", strrchr(picture_path((p * 3 + 1) % PICTURES), '/') + 1); // two share their right one
            snprintf(line, sizeof line, pairs ? "{\"picture\": [\"%s\", \"%s\"], " : "{\"picture\": \"%s\", ", left, right);
            strcat(text, line);
            snprintf(line, sizeof line, "\"question\": \"%s\"%s%s}\n", tiny_questions[(p + q) % 8], q ? "" : ", \"answer\": ",
                     q ? "" : pairs ? "\"True\"" : "\"blue\"");
            strcat(text, line);
        }
    return scratch_write(name, text, strlen(text));
}

struct fixture {
    struct model_config config;
    struct tensor_list *file;
    const char *set;
};

static void fixture_init(struct fixture *f, const struct tiny_options *options)
{
    struct error err = {0};
    openblas_set_num_threads(1);
    f->file = safetensors_open(tiny_write("full.safetensors", options), &err);
    if (!f->file || !model_config_read(&f->config, f->file, &err))
        fail_msg("%s", err.text);
    f->set = write_set("questions.jsonl", &f->config);
}

static struct train_settings frozen_settings(int steps)
{
    struct train_settings s = train_settings_default(true);
    s.freeze = 1;
    s.scenes = s.questions = 3;
    s.total = steps * 9;
    s.curriculum = 0.3;
    s.trimmer_rate = 0.01;
    s.budget = 0;
    s.target = 0.6;
    return s;
}

static atomic_bool stop;

static struct trainer *start(struct fixture *f, const struct train_settings *settings, int threads, struct error *err)
{
    struct trainer_options options = {.config = f->config, .settings = *settings, .set = f->set, .held_out = f->set,
                                      .init = f->file, .threads = threads, .stop = &stop};
    if (settings->trim)
        shape_add_trimmers(&options.config, &options.settings);
    return trainer_new(&options, err);
}

// Pictures are grouped, known answers are labels, the tensors are what inference makes of the same picture and question.
static void test_material(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    struct learn_set set;
    struct set_sample sample = {0};
    fixture_init(&f, &meter);
    if (!learn_set_open(&set, f.set, &f.config, f.file, &err))
        fail_msg("%s", err.text);
    assert_int_equal(set.group_count, PICTURES);
    assert_int_equal(set.labelled, PICTURES);
    assert_true(learn_set_sample_init(&sample, &set));
    assert_true(learn_set_draw(&set, 0, 12, NULL, &sample, &err));
    assert_int_equal(sample.questions, ASKED);
    assert_int_equal(sample.answers[0], 1); // "blue" is the model's second answer
    assert_int_equal(sample.answers[1], -1);
    assert_true(sample.text_count[0] <= sample.text_stride);
    // Each picture comes once a round, in another order the next time.
    for (uint64_t round = 0; round < 3; round++) {
        int seen = 0;
        for (int i = 0; i < PICTURES; i++)
            seen |= 1 << learn_set_turn(&set, 5, round * PICTURES + (uint64_t)i);
        assert_int_equal(seen, (1 << PICTURES) - 1);
    }
    learn_set_sample_free(&sample);
    learn_set_close(&set);
    tensor_list_close(f.file);
}

// BLIP's questions begin with [ENC]; a given answer is what its decoder shall write, from [DEC] to [SEP], and any other
// one begins with [DEC] and is not known.
static void test_written_material(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    struct learn_set set;
    struct set_sample sample = {0};
    fixture_init(&f, &blip);
    if (!learn_set_open(&set, f.set, &f.config, f.file, &err))
        fail_msg("%s", err.text);
    assert_int_equal(set.labelled, PICTURES);
    assert_int_equal(set.config.labels, 9);
    assert_true(learn_set_sample_init(&sample, &set));
    assert_true(learn_set_draw(&set, 0, 12, NULL, &sample, &err));
    struct net_batch batch = learn_set_batch(&sample, 0);
    static const int first[] = {0, 2, 3, 4}, ids[] = {28, 13, 28, 28}, wanted[] = {13, 3, -1, -1}; // "blue" is 13
    assert_int_equal(batch.ids[0], 29);
    assert_int_equal(rows_total(batch.answer_rows), 4);
    assert_memory_equal(batch.answer_rows.first, first, sizeof first);
    assert_memory_equal(batch.answer_ids, ids, sizeof ids);
    assert_memory_equal(learn_set_wanted(&sample), wanted, sizeof wanted);
    // The second answer becomes "cup", the third ends at once.
    float logits[4 * 30] = {0};
    logits[2 * 30 + 20] = logits[3 * 30 + 3] = 1;
    writing_continue(&sample.writing, logits, 30);
    batch = learn_set_batch(&sample, 0);
    assert_int_equal(rows_total(batch.answer_rows), 5);
    assert_int_equal(batch.answer_ids[3], 20);
    assert_true(writing_unfinished(&sample.writing));
    float ends[5 * 30] = {0};
    ends[3 * 30 + 3] = 1;
    writing_continue(&sample.writing, ends, 30);
    assert_false(writing_unfinished(&sample.writing));
    learn_set_sample_free(&sample);
    learn_set_close(&set);
    tensor_list_close(f.file);
}

// Of a caption the question is the beginning, and its last token is where the first word comes from; as many words may be
// written as have room behind it.
static void test_caption_material(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    struct learn_set set;
    struct set_sample sample = {0};
    fixture_init(&f, &captioner);
    const char text[] = "{\"picture\": \"set0.png\", \"question\": \"\"}\n{\"picture\": \"set0.png\", \"question\": \"the red cup\", "
                        "\"answer\": \"is there\"}\n";
    const char *path = scratch_write("captions.jsonl", text, strlen(text));
    if (!learn_set_open(&set, path, &f.config, f.file, &err))
        fail_msg("%s", err.text);
    assert_int_equal(set.labelled, 1);
    assert_true(learn_set_sample_init(&sample, &set));
    assert_true(learn_set_draw(&set, 0, 12, NULL, &sample, &err));
    struct net_batch batch = learn_set_batch(&sample, 0);
    static const int first[] = {0, 1, 4}, ids[] = {19, 20, 8, 17}, wanted[] = {-1, 8, 17, 3}; // "of", "cup is there"
    assert_int_equal(batch.ids[0], 28);
    assert_int_equal(batch.text_count[0], 4); // [DEC] a picture of
    assert_int_equal(batch.text_count[1], 4);
    assert_memory_equal(batch.answer_rows.first, first, sizeof first);
    assert_memory_equal(batch.answer_ids, ids, sizeof ids);
    assert_memory_equal(learn_set_wanted(&sample), wanted, sizeof wanted);
    assert_int_equal(sample.writing.most[0], f.config.max_tokens - 4 + 1);
    static float never[64 * 30];
    for (int r = 0; r < 64; r++)
        never[r * 30 + 12] = 1;
    for (int w = 0; w < 40 && writing_unfinished(&sample.writing); w++) {
        writing_continue(&sample.writing, never, 30);
        batch = learn_set_batch(&sample, 0);
    }
    assert_int_equal(rows_count(batch.answer_rows, 0) + batch.text_count[0] - 1, f.config.max_tokens);
    learn_set_sample_free(&sample);
    learn_set_close(&set);
    tensor_list_close(f.file);
}

struct logits {
    float values[16];
    int count;
};

static void see(void *context, const char *name, const float *x, int rows, int width)
{
    struct logits *logits = context;
    if (strcmp(name, "logits") || rows != 1)
        return;
    memcpy(logits->values, x, (size_t)width * sizeof *x);
    logits->count = width;
}

// The trainer's forward pass of a published layout is the engine's, with everything kept.
static void test_forward(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    struct learn_set set;
    struct set_sample sample = {0};
    struct params params;
    struct net net;
    struct net_state pass;
    struct net_trimming open = {0};
    struct tape tape = {.kernels = learn_kernels_get()};
    fixture_init(&f, &meter);
    assert_true(learn_set_open(&set, f.set, &f.config, f.file, &err) && learn_set_sample_init(&sample, &set));
    assert_true(params_init(&params, &f.config, PARAMS_TRIMMERS, 0, 0) &&
                params_load(&params, f.file, PARAMS_LOAD_START, &err) && net_init(&net, &f.config, &params, NULL, &err));
    assert_int_equal(params.trained, 0);
    tape.P = params.value;
    assert_true(arena_init(&tape.arena, net_arena_size(&net, ASKED, f.config.max_tokens, 0)));
    assert_true(learn_set_draw(&set, 2, ASKED, NULL, &sample, &err));
    struct net_batch batch = learn_set_batch(&sample, 0);
    net_forward(&tape, &net, &batch, &open, &pass);
    struct model *model = model_open(scratch_path("full.safetensors"), NULL, &err);
    assert_non_null(model);
    const float *pixels[1] = {sample.pixels};
    struct run_options options = run_options_default();
    options.policy = POLICY_NONE;
    float largest = 0, spread = 0;
    for (int q = 0; q < batch.questions; q++) {
        struct logits seen = {.count = 0};
        struct run *run = run_new_from_tensors(model, pixels, sample.ids + q * sample.text_stride, sample.text_count[q],
                                               &options, see, &seen, &err);
        assert_non_null(run);
        while (!run_finished(run))
            assert_true(run_step(run, &err));
        assert_int_equal(seen.count, f.config.labels);
        for (int a = 0; a < seen.count; a++) {
            largest = fmaxf(largest, fabsf(seen.values[a] - pass.head.logits[q * seen.count + a]));
            spread = fmaxf(spread, fabsf(seen.values[a] - seen.values[0]));
        }
        run_free(run);
    }
    print_message("largest difference of a logit %.2e of up to %.2f\n", (double)largest, (double)spread);
    assert_true(largest < 1e-4f && spread > 1e-2f);
    model_free(model);
    arena_free(&tape.arena);
    params_free(&params);
    learn_set_sample_free(&sample);
    learn_set_close(&set);
    tensor_list_close(f.file);
}

// The passes of both pictures, and what the head for them says: the engine's, with everything kept and pruned. The words are
// left alone: a run keeps one for both pictures, where either needs it.
static void check_pair(const struct tiny_options *tiny, bool pruned)
{
    struct fixture f;
    struct error err = {0};
    struct learn_set set;
    struct set_sample sample = {0};
    struct params params;
    struct net net;
    struct net_state pass[2];
    struct answer_head_state head;
    const struct net_trimming trimming = {.on = pruned, .sampling = {.temperature = 1}};
    struct tape tape = {.kernels = learn_kernels_get()};
    fixture_init(&f, tiny);
    if (!learn_set_open(&set, f.set, &f.config, f.file, &err) || !learn_set_sample_init(&sample, &set))
        fail_msg("%s", err.text);
    assert_int_equal(set.group_count, PICTURES);
    assert_int_equal(set.labelled, PICTURES); // "True" needs no list of answers
    assert_true(params_init(&params, &f.config, PARAMS_TRIMMERS, 0, 0) &&
                params_load(&params, f.file, PARAMS_LOAD_START, &err) && net_init(&net, &f.config, &params, NULL, &err));
    tape.P = params.value;
    assert_true(arena_init(&tape.arena, 2 * net_arena_size(&net, ASKED, f.config.max_tokens, 0)));
    struct model *model = model_open(scratch_path("full.safetensors"), &(struct model_options){.pictures = 2}, &err);
    assert_non_null(model);
    struct run_options options = run_options_default();
    options.policy = pruned ? POLICY_LEARNED : POLICY_NONE;
    float largest = 0, spread = 0;
    int dropped = 0;
    for (int group = 0; group < PICTURES; group++) {
        assert_true(learn_set_draw(&set, group, ASKED, NULL, &sample, &err));
        arena_rewind(&tape.arena, 0);
        struct net_batch batches[2] = {learn_set_batch(&sample, 0), learn_set_batch(&sample, 1)};
        for (int p = 0; p < 2; p++)
            net_forward(&tape, &net, &batches[p], &trimming, &pass[p]);
        net_pair_forward(&tape, &net, pass, &head);
        const float *pixels[2] = {batches[0].pixels, batches[1].pixels};
        for (int q = 0; q < sample.questions; q++) {
            struct logits seen = {.count = 0};
            struct run *run = run_new_from_tensors(model, pixels, sample.ids + q * sample.text_stride, sample.text_count[q],
                                                   &options, see, &seen, &err);
            assert_non_null(run);
            tiny_finish(run);
            assert_int_equal(seen.count, 2);
            for (int a = 0; a < 2; a++)
                largest = fmaxf(largest, fabsf(seen.values[a] - head.logits[q * 2 + a]));
            spread = fmaxf(spread, fabsf(seen.values[1] - seen.values[0]));
            const struct stage *last = &run_trace(run)->stages[run_trace(run)->stage_count - 1];
            for (int p = 0; p < 2; p++)
                for (int t = 0; t < last->tokens[p].count; t++)
                    dropped += !last->tokens[p].alive[t];
            run_free(run);
        }
    }
    print_message("largest difference of a logit %.2e of up to %.2f, %d patches dropped\n", (double)largest, (double)spread,
                  dropped);
    assert_true(largest < 1e-4f && spread > 1e-2f && (dropped > 20) == pruned);
    model_free(model);
    arena_free(&tape.arena);
    params_free(&params);
    learn_set_sample_free(&sample);
    learn_set_close(&set);
    tensor_list_close(f.file);
}

static void test_pair(void **state)
{
    (void)state;
    struct tiny_options trimmed = judge;
    trimmed.fusion_trimmers = trimmed.image_trimmers = trimmed.words_open = true;
    check_pair(&judge, false);
    check_pair(&trimmed, true);
}

static double whole_loss(const struct train_settings *s, const struct train_progress *p)
{
    return s->distill * p->loss[TERM_DISTILL] + s->cost * (p->share - s->target) * (p->share - s->target);
}

static void save(struct trainer *trainer, const char *path)
{
    struct error err = {0};
    if (!trainer_save_model(trainer, path, false, NULL, &err))
        fail_msg("%s", err.text);
}

// Trimmers learn to spend what is asked for while the answers stay near the full model's.
static void check_learns(const struct tiny_options *tiny, bool image_trimmers, double target)
{
    enum { STEPS = 160 };
    struct fixture f;
    struct error err = {0};
    fixture_init(&f, tiny);
    struct train_settings s = frozen_settings(STEPS);
    s.answer = 0; // no label counts
    s.image_trimmers = image_trimmers;
    s.decoder_trimmers = f.config.decoder_layers > 0;
    s.curriculum = 0; // the same loss from the first step on
    s.target = target;
    struct trainer *trainer = start(&f, &s, 2, &err);
    if (!trainer)
        fail_msg("%s", err.text);
    for (int i = 0; i < 5; i++)
        assert_true(trainer_step(trainer));
    struct train_progress first = trainer_progress(trainer);
    for (int i = 5; i < STEPS - 40; i++)
        assert_true(trainer_step(trainer));
    trainer_progress(trainer);
    while (trainer_step(trainer)) {}
    assert_null(trainer_broken(trainer));
    struct train_progress last = trainer_progress(trainer);
    double share;
    struct objective_sums sums = trainer_evaluate(trainer, 0, 100, true, &share, NULL);
    print_message("loss %.3f -> %.3f, share %.2f -> %.2f (target %.2f; without noise %.2f), %d of %d answers are the full model's\n",
                  whole_loss(&s, &first), whole_loss(&s, &last), first.share, last.share, target, share, sums.right,
                  sums.questions);
    assert_true(whole_loss(&s, &last) < 0.5 * whole_loss(&s, &first));
    assert_true(first.share > 0.9 && fabs(last.share - target) < 0.08);
    assert_int_equal(sums.questions, PICTURES * ASKED);
    const char *path = scratch_path("pruned.safetensors");
    save(trainer, path);
    trainer_free(trainer);
    tensor_list_close(f.file);
    // What was written is a model that reads questions and prunes.
    struct model *model = model_open(path, &(struct model_options){.pictures = tiny->task == TASK_NLVR2 ? 2 : 1}, &err);
    if (!model)
        fail_msg("%s", err.text);
    struct run_options options = run_options_default();
    options.policy = POLICY_LEARNED;
    struct run *run = tiny_run(model, &options, 3);
    tiny_finish(run);
    const struct trace *trace = run_trace(run);
    assert_true(trace->spent_macs < trace->dense_macs);
    run_free(run);
    model_free(model);
}

static void test_learns(void **state)
{
    (void)state;
    check_learns(&meter, false, 0.75);
    check_learns(&meter, true, 0.6);
    check_learns(&blip, true, 0.6);
    check_learns(&matcher, true, 0.6);
    check_learns(&captioner, true, 0.75);
    check_learns(&meter_matcher, true, 0.6);
    check_learns(&judge, true, 0.6);
    check_learns(&blip_judge, true, 0.6);
}

// A backbone that teaches its own trimmers encodes once for both; a second copy of it as teacher gives the same.
static void check_shared_encoders(const struct tiny_options *tiny)
{
    struct fixture f;
    struct error err = {0};
    fixture_init(&f, tiny);
    double losses[2];
    for (int i = 0; i < 2; i++) {
        struct train_settings s = frozen_settings(100);
        s.target = 0.9;
        struct trainer_options options = {.config = f.config, .settings = s, .set = f.set, .init = f.file,
                                          .teacher = i ? f.file : NULL, .threads = 1};
        shape_add_trimmers(&options.config, &options.settings);
        struct trainer *trainer = trainer_new(&options, &err);
        if (!trainer)
            fail_msg("%s", err.text);
        for (int k = 0; k < 8; k++)
            assert_true(trainer_step(trainer));
        losses[i] = trainer_progress(trainer).loss[TERM_DISTILL];
        trainer_free(trainer);
    }
    assert_true(losses[0] > 0 && losses[0] == losses[1]);
    tensor_list_close(f.file);
}

static void test_shared_encoders(void **state)
{
    (void)state;
    check_shared_encoders(&meter);
    check_shared_encoders(&blip);
    check_shared_encoders(&captioner);
    check_shared_encoders(&judge);
    check_shared_encoders(&blip_judge);
}

// A run that is stopped and goes on from its state ends with the very file of one that was not.
static void check_resumes(const struct tiny_options *tiny)
{
    struct fixture f;
    struct error err = {0};
    fixture_init(&f, tiny);
    struct train_settings s = frozen_settings(9);
    s.image_trimmers = 1;
    s.target = 0.7;
    s.decoder_trimmers = f.config.decoder_layers > 0;
    const char *paths[2];
    for (int stopped = 0; stopped < 2; stopped++) {
        struct trainer *trainer = start(&f, &s, 2, &err);
        if (!trainer)
            fail_msg("%s", err.text);
        for (int i = 0; i < 4; i++)
            assert_true(trainer_step(trainer));
        if (stopped) {
            const char *path = scratch_path("stopped.state");
            assert_true(trainer_save_state(trainer, path, &err));
            trainer_free(trainer);
            trainer = start(&f, &s, 2, &err);
            if (!trainer_resume(trainer, path, false, &err))
                fail_msg("%s", err.text);
        }
        // A step that is stopped leaves everything as it was.
        stop = stopped;
        assert_true(trainer_step(trainer) == !stopped);
        assert_true(trainer_stopped(trainer) == stopped);
        stop = false;
        while (trainer_step(trainer)) {}
        paths[stopped] = strdup(scratch_path(stopped ? "stopped.safetensors" : "straight.safetensors"));
        save(trainer, paths[stopped]);
        trainer_free(trainer);
    }
    unsigned char *data[2];
    size_t size[2];
    for (int i = 0; i < 2; i++)
        assert_true(file_read(paths[i], 1 << 26, &data[i], &size[i], &err));
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(data[0], data[1], size[0]);
    for (int i = 0; i < 2; i++) {
        memory_free(data[i]);
        free((void *)(size_t)paths[i]);
    }
    tensor_list_close(f.file);
}

static void test_resumes(void **state)
{
    (void)state;
    check_resumes(&meter);
    check_resumes(&blip);
    check_resumes(&captioner);
    check_resumes(&judge);
    check_resumes(&blip_judge);
}

static void check_refused(struct fixture *f, const struct train_settings *settings, const char *what)
{
    struct error err = {0};
    assert_null(start(f, settings, 1, &err));
    if (!strstr(err.text, what))
        fail_msg("\"%s\" does not say \"%s\"", err.text, what);
}

static void test_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, &meter);
    struct train_settings s = frozen_settings(10);
    s.distill = 0;
    check_refused(&f, &s, "no answer that the model knows");
    s = frozen_settings(10);
    s.target = 0.1;
    check_refused(&f, &s, "image_trimmers=1");
    s = train_settings_default(false);
    check_refused(&f, &s, "the world alone");
    s = frozen_settings(10);
    s.decoder_trimmers = 1;
    check_refused(&f, &s, "decoder_trimmers at 0"); // METER has none
    s.tokens = 0;
    check_refused(&f, &s, "tokens = 0 says to drop none");
    s = train_settings_default(false);
    s.decoder_trimmers = 1;
    check_refused(&f, &s, "decoder_trimmers is a setting of trimmers");
    s = frozen_settings(10);
    const char *whole = f.set;
    const char *gone = "{\"picture\": \"nowhere.png\", \"question\": \"is it?\"}";
    const char *pair = "{\"picture\": [\"a.png\", \"b.png\"], \"question\": \"is it?\"}";
    f.set = scratch_write("gone.jsonl", gone, strlen(gone));
    check_refused(&f, &s, "gone.jsonl, line 1: cannot open ");
    check_refused(&f, &s, "nowhere.png: No such file");
    f.set = scratch_write("pair.jsonl", pair, strlen(pair));
    check_refused(&f, &s, "pair.jsonl, line 1: the task vqa needs 1 picture(s); 2 given");
    f.set = whole;
    struct fixture written;
    fixture_init(&written, &blip);
    s.text_trimmers = 1;
    check_refused(&written, &s, "text_trimmers at 0");
    tensor_list_close(written.file);
    s.text_trimmers = 0;
    fixture_init(&written, &captioner);
    s.tokens = 0;
    check_refused(&written, &s, "leave no trimmer"); // the words of a caption have none
    tensor_list_close(written.file);
    s.tokens = 1;
    // A picture that turns out to be none stops the run with its name.
    struct error err = {0};
    struct trainer *trainer = start(&f, &s, 2, &err);
    assert_non_null(trainer);
    FILE *stream = fopen(picture_path(3), "wb");
    assert_true(stream && fputs("no picture", stream) >= 0 && fclose(stream) == 0);
    int steps = 0;
    while (trainer_step(trainer))
        steps++;
    assert_true(steps < 10);
    assert_non_null(trainer_broken(trainer));
    assert_non_null(strstr(trainer_broken(trainer)->text, "3.png"));
    assert_non_null(strstr(trainer_broken(trainer)->text, ".jsonl, line "));
    trainer_free(trainer);
    tensor_list_close(f.file);
}

static void test_pictures_a_row(void **state)
{
    (void)state;
    struct fixture one, two;
    struct train_settings s = frozen_settings(10);
    fixture_init(&two, &judge);
    fixture_init(&one, &meter); // whose set has taken the place of the other
    check_refused(&two, &s, "the task nlvr2 needs 2 picture(s); 1 given");
    tensor_list_close(one.file);
    tensor_list_close(two.file);
}

// With answers alone, and everything trained: the same code without a teacher.
static void test_dense(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = {0};
    fixture_init(&f, &meter);
    char text[512];
    snprintf(text, sizeof text, "{\"picture\": \"%s\", \"question\": \"is the cup red?\", \"answer\": \"no\"}\n",
             strrchr(picture_path(0), '/') + 1);
    f.set = scratch_write("one.jsonl", text, strlen(text));
    struct train_settings s = train_settings_default(false);
    s.patch = s.color = s.ground = s.where = s.count = 0;
    s.scenes = s.questions = 1;
    s.total = 0; // as many as the set is worth: for one question the least
    struct trainer *trainer = start(&f, &s, 1, &err);
    if (!trainer)
        fail_msg("%s", err.text);
    assert_int_equal(trainer_total(trainer), 1000);
    assert_int_equal(trainer_progress(trainer).steps, 1000);
    trainer_free(trainer);
    s.total = 40;
    trainer = start(&f, &s, 1, &err);
    if (!trainer)
        fail_msg("%s", err.text);
    assert_int_equal(trainer_total(trainer), 40);
    assert_true(trainer_step(trainer));
    double first = trainer_progress(trainer).loss[TERM_ANSWER];
    for (int i = 0; i < 38; i++)
        assert_true(trainer_step(trainer));
    trainer_progress(trainer);
    assert_true(trainer_step(trainer));
    double last = trainer_progress(trainer).loss[TERM_ANSWER];
    print_message("answer loss %.3f -> %.3f\n", first, last);
    assert_true(last < 0.2 * first);
    trainer_free(trainer);
    tensor_list_close(f.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_material),        cmocka_unit_test(test_forward), cmocka_unit_test(test_pair), cmocka_unit_test(test_pictures_a_row), cmocka_unit_test(test_learns),
        cmocka_unit_test(test_written_material), cmocka_unit_test(test_caption_material), cmocka_unit_test(test_resumes),
        cmocka_unit_test(test_shared_encoders), cmocka_unit_test(test_refused), cmocka_unit_test(test_dense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
