// The training loop on a tiny model: the same settings give the same bits, an interrupted run loses nothing, and what
// training is for happens.
#include "tests/support/cmocka_all.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/safetensors.h"
#include "engine/learn/shape.h"
#include "engine/learn/trainer.h"
#include "tests/support/scratch.h"

#include <cblas.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world *world;
static struct model_config dense_config;

static int open_world(void **state)
{
    (void)state;
    struct error err = {0};
    struct language language;
    openblas_set_num_threads(1); // as the program does: workers are the parallelism
    world = world_open("assets", &WORLD_DEFAULT, &err);
    if (!world || !language_init(&language, world, &err))
        return -1;
    struct model_config *c = &dense_config;
    *c = shape_default(&language);
    c->width = c->image_ffn = c->text_ffn = c->image_fusion_ffn = c->text_fusion_ffn = c->head_hidden = 32;
    c->heads = 2;
    c->image_layers = c->text_layers = c->stem_blocks = 1;
    c->fusion_layers = 2;
    c->stem_channels[0] = c->stem_channels[1] = 8;
    c->stem_expansion = 32;
    language_free(&language);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

static struct train_settings small_settings(bool trim, int steps)
{
    struct train_settings s = train_settings_default(trim);
    s.scenes = 3;
    s.questions = 4;
    s.total = steps * s.scenes * s.questions;
    s.rate = 2e-3;
    return s;
}

static struct trainer *start(const struct train_settings *settings, int threads, const struct tensor_list *init)
{
    struct error err = {0};
    struct trainer_options options = {.config = dense_config, .settings = *settings, .world = world,
                                      .threads = threads, .init = init};
    if (settings->trim || settings->blend > 0)
        options.teacher = init;
    if (settings->trim)
        shape_add_trimmers(&options.config, &options.settings);
    struct trainer *trainer = trainer_new(&options, &err);
    if (!trainer)
        fail_msg("%s", err.text);
    return trainer;
}

static void steps(struct trainer *trainer, int count)
{
    for (int i = 0; i < count; i++)
        assert_true(trainer_step(trainer));
}

struct bytes {
    unsigned char *data;
    size_t size;
};

// The trainer's weights, auxiliary heads, settings and position as a file's bytes.
static struct bytes weights_of(struct trainer *trainer)
{
    struct error err = {0};
    struct bytes bytes = {0};
    const char *path = scratch_path("weights.safetensors");
    if (!trainer_save_model(trainer, path, false, NULL, &err) ||
        !file_read(path, 1 << 26, &bytes.data, &bytes.size, &err))
        fail_msg("%s", err.text);
    return bytes;
}

static void check_same(struct bytes a, struct bytes b)
{
    assert_int_equal(a.size, b.size);
    assert_true(memcmp(a.data, b.data, a.size) == 0);
    memory_free(a.data);
    memory_free(b.data);
}

static const char *dense_start(void)
{
    struct train_settings settings = small_settings(false, 2);
    struct error err = {0};
    struct trainer *trainer = start(&settings, 1, NULL);
    steps(trainer, 2);
    const char *path = scratch_path("start.safetensors");
    assert_true(trainer_save_model(trainer, path, false, NULL, &err));
    trainer_free(trainer);
    return path;
}

static struct tensor_list *open_start(void)
{
    struct error err = {0};
    struct tensor_list *file = safetensors_open(dense_start(), &err);
    assert_non_null(file);
    return file;
}

static void check_repeatable(const struct train_settings *settings, const struct tensor_list *init)
{
    struct bytes results[2];
    for (int i = 0; i < 2; i++) {
        struct trainer *trainer = start(settings, 2, init);
        steps(trainer, 4);
        results[i] = weights_of(trainer);
        trainer_free(trainer);
    }
    check_same(results[0], results[1]);
}

static void test_repeatable(void **state)
{
    (void)state;
    struct tensor_list *init = open_start();
    struct train_settings dense = small_settings(false, 9), trim = small_settings(true, 9);
    check_repeatable(&dense, NULL);
    check_repeatable(&trim, init);
    // And not because nothing happens.
    struct trainer *trainer = start(&dense, 2, NULL);
    struct bytes before = weights_of(trainer);
    steps(trainer, 1);
    struct bytes after = weights_of(trainer);
    assert_true(before.size != after.size || memcmp(before.data, after.data, before.size));
    trainer_free(trainer);
    memory_free(before.data);
    memory_free(after.data);
    tensor_list_close(init);
}

static void check_resumable(const struct train_settings *settings, const struct tensor_list *init)
{
    struct error err = {0};
    const char *path = scratch_path("run.state");
    struct trainer *whole = start(settings, 2, init), *first = start(settings, 2, init);
    steps(whole, 7);
    struct bytes expected = weights_of(whole);
    trainer_free(whole);
    steps(first, 3);
    assert_true(trainer_save_state(first, path, &err));
    trainer_free(first);
    struct trainer *second = start(settings, 2, init);
    if (!trainer_resume(second, path, false, &err))
        fail_msg("%s", err.text);
    assert_int_equal(trainer_progress(second).step, 3);
    steps(second, 4);
    check_same(expected, weights_of(second));
    trainer_free(second);
}

static void test_resume(void **state)
{
    (void)state;
    struct tensor_list *init = open_start();
    struct train_settings dense = small_settings(false, 9), trim = small_settings(true, 9);
    trim.curriculum = 0.2; // the running means of cost and budgets count
    check_resumable(&dense, NULL);
    check_resumable(&trim, init);
    tensor_list_close(init);
}

static void test_resume_refuses(void **state)
{
    (void)state;
    struct error err = {0};
    struct train_settings settings = small_settings(false, 3);
    struct trainer *trainer = start(&settings, 1, NULL);
    // A model is no state; half a state is none; another model's state is none.
    assert_false(trainer_resume(trainer, dense_start(), false, &err));
    assert_non_null(strstr(err.text, "optimizer.moment1"));
    const char *path = scratch_path("good.state");
    assert_true(trainer_save_state(trainer, path, &err));
    unsigned char *data;
    size_t size;
    assert_true(file_read(path, 1 << 26, &data, &size, &err));
    assert_false(trainer_resume(trainer, scratch_write("half.state", data, size / 2), false, &err));
    memory_free(data);
    struct tensor_list *init = open_start();
    struct train_settings trim = small_settings(true, 3);
    struct trainer *other = start(&trim, 1, init);
    assert_false(trainer_resume(other, path, false, &err));
    assert_int_equal(err.code, ERROR_INPUT);
    trainer_free(other);
    trainer_free(trainer);
    tensor_list_close(init);
}

// A process that trains and saves is killed somewhere; what it leaves is a whole state.
static void test_kill(void **state)
{
    (void)state;
    struct train_settings settings = small_settings(false, 400);
    const char *path = scratch_path("killed.state");
    for (int round = 0; round < 3; round++) {
        unlink(path);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct error err;
            struct trainer *trainer = start(&settings, 1, NULL);
            while (trainer_step(trainer))
                if (!trainer_save_state(trainer, path, &err))
                    _exit(1);
            _exit(0);
        }
        while (access(path, F_OK) != 0)
            usleep(1000);
        usleep((useconds_t)(3000 + 11000 * round)); // somewhere inside a later step or write
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        struct error err = {0};
        struct trainer *resumed = start(&settings, 1, NULL), *fresh = start(&settings, 1, NULL);
        if (!trainer_resume(resumed, path, false, &err))
            fail_msg("%s", err.text);
        long done = trainer_progress(resumed).step;
        assert_in_range(done, 1, 399);
        steps(fresh, (int)done);
        check_same(weights_of(fresh), weights_of(resumed));
        trainer_free(resumed);
        trainer_free(fresh);
    }
}

// Training learns: the loss on what it sees falls well below a uniform guess and below the start.
static void test_learns(void **state)
{
    (void)state;
    struct train_settings settings = small_settings(false, 60);
    struct trainer *trainer = start(&settings, 2, NULL);
    steps(trainer, 5);
    struct train_progress first = trainer_progress(trainer);
    steps(trainer, 45);
    trainer_progress(trainer);
    steps(trainer, 10);
    struct train_progress last = trainer_progress(trainer);
    assert_false(trainer_step(trainer)); // the run is complete
    assert_int_equal(last.step, last.steps);
    print_message("answer loss %.2f -> %.2f, patch %.2f -> %.2f\n", first.loss[TERM_ANSWER], last.loss[TERM_ANSWER],
                  first.loss[TERM_PATCH], last.loss[TERM_PATCH]);
    assert_true(last.loss[TERM_ANSWER] < 0.75 * first.loss[TERM_ANSWER]);
    assert_true(last.loss[TERM_PATCH] < 0.9 * first.loss[TERM_PATCH]);
    trainer_free(trainer);
}

// The cost objective moves the share of multiply-adds to its target, and the deterministic model goes along.
static void test_cost_objective(void **state)
{
    (void)state;
    struct tensor_list *init = open_start();
    struct train_settings settings = small_settings(true, 120);
    settings.curriculum = 0.3;
    settings.trimmer_rate = 0.003;
    settings.target = 0.6;
    settings.budget = 0;
    struct trainer *trainer = start(&settings, 2, init);
    double share, lift;
    trainer_evaluate(trainer, 99, 4, true, &share, &lift);
    assert_true(share > 0.99); // trimmers start by keeping everything
    steps(trainer, 60);
    trainer_progress(trainer);
    steps(trainer, 60); // a mean over many: with so few questions a step the share swings
    struct train_progress progress = trainer_progress(trainer);
    struct objective_sums sums = trainer_evaluate(trainer, 99, 8, true, &share, &lift);
    print_message("share %.3f in training, %.3f without noise (target 0.6)\n", progress.share, share);
    assert_true(fabs(progress.share - 0.6) < 0.15);
    assert_true(share < 0.9 && share > 0.3);
    assert_true(sums.questions > 50 && !(lift < 0)); // NaN where nothing else is left
    double dense_share;
    trainer_evaluate(trainer, 99, 2, false, &dense_share, NULL);
    assert_true(dense_share >= 1);
    trainer_free(trainer);
    tensor_list_close(init);
}

static double alive_with_budgets(const struct tensor_list *init, double weight)
{
    struct train_settings settings = small_settings(true, 40);
    settings.curriculum = 0.3;
    settings.trimmer_rate = 0.002;
    settings.cost = 0;
    settings.budget = weight;
    settings.budgets[0] = 1;
    settings.budgets[1] = 0.4;
    settings.budget_count = 2;
    struct trainer *trainer = start(&settings, 2, init);
    steps(trainer, 25);
    trainer_progress(trainer);
    steps(trainer, 5);
    double alive = trainer_progress(trainer).alive[1];
    trainer_free(trainer);
    return alive;
}

static void test_budgets(void **state)
{
    (void)state;
    struct tensor_list *init = open_start();
    double free_of_cost = alive_with_budgets(init, 0), pushed = alive_with_budgets(init, 5);
    print_message("patches alive in the second layer: %.2f without a budget, %.2f with one of 0.4\n", free_of_cost,
                  pushed);
    assert_true(free_of_cost > 0.9);
    assert_true(pushed < 0.8);
    tensor_list_close(init);
}

// Part of all dropped patches that goes in the first of two fusion layers, whose budget asks for it.
static double first_drops(const struct tensor_list *init, double pace)
{
    struct train_settings settings = small_settings(true, 120);
    settings.curriculum = 0.5;
    settings.trimmer_rate = 0.003;
    settings.cost = 0;
    settings.budget = 1;
    settings.pace = pace;
    settings.budgets[0] = settings.budgets[1] = 0.4;
    settings.budget_count = 2;
    struct trainer *trainer = start(&settings, 2, init);
    steps(trainer, 80);
    trainer_progress(trainer);
    steps(trainer, 40);
    struct train_progress progress = trainer_progress(trainer);
    trainer_free(trainer);
    return (1 - progress.alive[0]) / (1 - progress.alive[1]);
}

static void test_pace(void **state)
{
    (void)state;
    struct tensor_list *init = open_start();
    double hasty = first_drops(init, 1), paced = first_drops(init, 0.5);
    print_message("the first layer drops %.2f of what goes, with a pace of 0.5 %.2f\n", hasty, paced);
    assert_true(hasty > 0.95);
    assert_true(paced < 0.85);
    tensor_list_close(init);
}

// Scenes with other thresholds are not held to the target: were they counted, the others would be pressed far below it.
static void test_shifted(void **state)
{
    (void)state;
    struct tensor_list *init = open_start();
    struct train_settings settings = small_settings(true, 120);
    settings.scenes = 6;
    settings.total *= 2;
    settings.curriculum = 0.3;
    settings.trimmer_rate = 0.003;
    settings.target = 0.6;
    settings.budget = 0;
    settings.shifted = 0.6;
    struct trainer *trainer = start(&settings, 2, init);
    steps(trainer, 120);
    double share;
    trainer_evaluate(trainer, 99, 8, true, &share, NULL);
    print_message("share %.3f with thresholds as they are (target 0.6)\n", share);
    assert_true(share > 0.5);
    trainer_free(trainer);
    tensor_list_close(init);
}

// Half the full model: every number in the middle of where it began and where training took it; trimmers, and heads that only
// training has, are the student's. Returns how many tensors were.
static int check_blend(bool trim)
{
    struct error err = {0};
    struct tensor_list *init = open_start();
    struct train_settings settings = small_settings(trim, 3);
    settings.blend = 0.5;
    struct trainer *trainer = start(&settings, 1, init);
    steps(trainer, 3);
    const char *paths[] = {scratch_path("before.safetensors"), scratch_path("after.safetensors")};
    assert_true(trainer_save_model(trainer, paths[0], false, NULL, &err));
    trainer_blend(trainer);
    assert_true(trainer_save_model(trainer, paths[1], false, NULL, &err));
    struct tensor_list *before = safetensors_open(paths[0], &err), *after = safetensors_open(paths[1], &err);
    assert_true(before && after);
    static float a[1 << 18], b[1 << 18], c[1 << 18];
    int moved = 0, trimmers = 0;
    for (int i = 0; i < tensor_list_count(after); i++) {
        const struct tensor *t = tensor_list_at(after, i), *full = tensor_list_find(init, t->name);
        assert_true(t->elements <= 1 << 18);
        tensor_floats(tensor_list_find(before, t->name), a);
        tensor_floats(t, b);
        full = strncmp(t->name, "aux.", 4) ? full : NULL; // heads that only training has are not in the full model
        trimmers += !full;
        if (full)
            tensor_floats(full, c);
        for (size_t k = 0; k < t->elements; k++) {
            assert_true(fabs((double)b[k] - (full ? ((double)a[k] + (double)c[k]) / 2 : (double)a[k])) < 1e-6);
            moved += full && a[k] != c[k];
        }
    }
    assert_true(moved > 1000);
    tensor_list_close(before);
    tensor_list_close(after);
    tensor_list_close(init);
    trainer_free(trainer);
    return trimmers;
}

static void test_blend(void **state)
{
    (void)state;
    int aux = check_blend(false);
    assert_true(check_blend(true) > aux);
}

static void check_refused(struct model_config config, const char *path, const char *what)
{
    struct error err = {0};
    struct train_settings settings = small_settings(false, 3);
    struct trainer_options options = {.config = config, .settings = settings, .world = world, .threads = 1};
    struct tensor_list *init = path ? safetensors_open(path, &err) : NULL;
    if (path)
        assert_non_null(init);
    options.init = init;
    assert_null(trainer_new(&options, &err));
    if (!strstr(err.text, what))
        fail_msg("\"%s\" does not say \"%s\"", err.text, what);
    assert_int_equal(err.code, ERROR_INPUT);
    tensor_list_close(init);
}

// Writes `from` again with one tensor's first number changed, one tensor left out, or other metadata.
static const char *altered(const char *from, const char *spoil, float value, const char *omit, const char *key,
                           const char *metadata)
{
    struct error err = {0};
    struct tensor_list *file = safetensors_open(from, &err);
    assert_non_null(file);
    int count = tensor_list_count(file), kept = 0;
    struct tensor_source *sources = calloc((size_t)count, sizeof *sources);
    float **data = calloc((size_t)count, sizeof *data);
    assert_true(sources && data);
    for (int i = 0; i < count; i++) {
        const struct tensor *t = tensor_list_at(file, i);
        data[i] = malloc(t->elements * sizeof **data);
        tensor_floats(t, data[i]);
        if (spoil && !strcmp(t->name, spoil))
            data[i][0] = value;
        if (omit && !strcmp(t->name, omit))
            continue;
        sources[kept] = (struct tensor_source){t->name, TENSOR_F32, t->rank, {0}, data[i]};
        memcpy(sources[kept++].shape, t->shape, sizeof t->shape);
    }
    const char *keys[] = {"config", "answers", "answer_words", "tokenizer"};
    struct metadata_pair pairs[4];
    for (int i = 0; i < 4; i++)
        pairs[i] = (struct metadata_pair){keys[i], key && !strcmp(key, keys[i]) ? metadata
                                                                               : tensor_list_metadata(file, keys[i])};
    const char *path = scratch_path("altered.safetensors");
    assert_true(safetensors_write(path, sources, kept, pairs, 4, &err));
    for (int i = 0; i < count; i++)
        free(data[i]);
    free(data);
    free(sources);
    tensor_list_close(file);
    return path;
}

static void test_bad_start_weights(void **state)
{
    (void)state;
    const char *good = dense_start(), *bias = "cross_modal_text_pooler.dense.bias";
    struct model_config other = dense_config;
    other.image_ffn = 40;
    check_refused(other, good, "mlp.c_fc");
    check_refused(dense_config, altered(good, NULL, 0, bias, NULL, NULL), bias);
    check_refused(dense_config, altered(good, bias, NAN, NULL, NULL, NULL), "not finite");
    check_refused(dense_config, altered(good, NULL, 0, NULL, "tokenizer", "{\"type\":\"words\"}"), "vocabulary");
    check_refused(dense_config, altered(good, NULL, 0, NULL, "answers", "[\"yes\",\"no\"]"), "answers");
    other = dense_config;
    other.vocabulary++;
    check_refused(other, NULL, "tokens");
    other = dense_config;
    other.image_size *= 2;
    check_refused(other, NULL, "pixels");
    unsigned char *data;
    size_t size;
    struct error err = {0};
    assert_true(file_read(good, 1 << 26, &data, &size, &err));
    assert_null(safetensors_open(scratch_write("half.safetensors", data, size / 2), &err));
    assert_int_equal(err.code, ERROR_INPUT);
    memory_free(data);
}

static void test_bad_combinations(void **state)
{
    (void)state;
    struct error err = {0};
    struct train_settings good = small_settings(false, 3), bad[3] = {good, good, small_settings(true, 3)};
    const char *what[3] = {"patches_low", "budgets", "every patch"};
    bad[0].patches_low = 100;
    bad[0].patches_high = 90;
    bad[1].budget_count = 3; // two fusion layers
    bad[2].full_tail = 0.5;
    bad[2].patches_low = 100;
    for (int i = 0; i < 3; i++) {
        struct trainer_options options = {.config = dense_config, .settings = bad[i], .world = world, .threads = 1};
        assert_null(trainer_new(&options, &err));
        assert_non_null(strstr(err.text, what[i]));
    }
}

// Statements about two pictures beside questions about one, in both stages.
static void test_pairs(void **state)
{
    (void)state;
    struct error err = {0};
    struct train_settings settings = small_settings(false, 2);
    settings.pairs = 0.34; // one scene of three
    settings.reworded = 0;
    struct trainer_options options = {.config = dense_config, .settings = settings, .world = world, .threads = 2};
    assert_null(trainer_new(&options, &err)); // the words of statements are not those of this world
    assert_non_null(strstr(err.text, "reworded"));

    struct world_options kind = WORLD_DEFAULT;
    kind.styles = 1;
    struct world *reworded = world_open("assets", &kind, &err);
    struct language language;
    assert_true(reworded && language_init(&language, reworded, &err));
    options.world = reworded;
    options.settings.reworded = 1; // and now those of this one are
    options.config.vocabulary = language.vocabulary;
    language_free(&language);
    assert_null(trainer_new(&options, &err)); // no head for them
    assert_non_null(strstr(err.text, "head"));

    const char *path = scratch_path("pairs.safetensors");
    struct tensor_list *dense = NULL;
    for (int trim = 0; trim < 2; trim++) {
        options.settings = small_settings(trim, 2);
        options.settings.pairs = 0.34;
        options.settings.reworded = 1;
        options.init = options.teacher = dense;
        assert_true(shape_settle(&options.config, &options.settings, trim, &err));
        assert_int_equal(options.config.token_types, 3);
        if (trim)
            shape_add_trimmers(&options.config, &options.settings);
        struct bytes weights[2];
        for (int again = 0; again < 2; again++) {
            struct trainer *trainer = trainer_new(&options, &err);
            if (!trainer)
                fail_msg("%s", err.text);
            steps(trainer, 2);
            struct train_progress progress = trainer_progress(trainer);
            assert_true(progress.statement_accuracy >= 0 && progress.statement_accuracy <= 1);
            assert_true(progress.loss[TERM_ANSWER] > 0.1 && progress.gradient_norm > 0);
            double share;
            struct objective_sums sums = trainer_evaluate(trainer, 99, 4, trim, &share, NULL);
            assert_true(sums.statements > 10 && sums.questions > 10);
            assert_true(share > 0.1 && share <= 1.01);
            weights[again] = weights_of(trainer);
            if (!trim && !again)
                assert_true(trainer_save_model(trainer, path, false, NULL, &err));
            trainer_free(trainer);
        }
        check_same(weights[0], weights[1]);
        if (!trim)
            assert_non_null(dense = safetensors_open(path, &err));
    }
    struct model_config read;
    assert_true(model_config_read(&read, dense, &err));
    assert_int_equal(read.pair_hidden, options.config.pair_hidden);
    tensor_list_close(dense);
    world_free(reworded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill), // forks: before anything has started threads
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_refuses),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_cost_objective),
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_shifted),
        cmocka_unit_test(test_blend),
        cmocka_unit_test(test_bad_start_weights),
        cmocka_unit_test(test_bad_combinations),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
