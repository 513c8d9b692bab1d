// A model that is opened in the background: stages run as soon as their weights are there, and give what they always give.
#include "tests/support/cmocka_all.h"

#include "engine/io/safetensors.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const struct model_options background = {.background = true};

static void test_same_run(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++)
        for (int pictures = 1; pictures <= 2; pictures++) {
            struct tiny_options tiny = tiny_everything();
            struct run_options options = run_options_default();
            struct error err = {0};
            tiny.published = published;
            tiny.task = pictures == 2 ? TASK_NLVR2 : TASK_VQA;
            struct model *whole = tiny_model(&tiny);
            struct model *parts = model_open(scratch_path("tiny.safetensors"), &background, &err);
            assert_non_null(parts);
            struct run *x = tiny_run(whole, &options, 5), *y = tiny_run(parts, &options, 5);
            tiny_finish(x);
            while (!run_finished(y)) {
                assert_true(run_ready(y, 10));
                assert_true(run_step(y, &err));
            }
            tiny_check_same_trace(run_trace(x), run_trace(y));
            assert_true(model_await(parts, PART_FUSION, whole->config.fusion_layers - 1, 10, &err) == MODEL_READY);
            assert_true(fabs(model_loaded(parts) - 1) < 1e-9 && fabs(model_loaded(whole) - 1) < 1e-9);
            run_free(x);
            run_free(y);
            model_free(whole);
            model_free(parts);
        }
}

// Overwrites the first number of a tensor in a file.
static void spoil(const char *path, const char *name)
{
    struct error err = {0};
    struct tensor_list *file = safetensors_open(path, &err);
    const struct tensor *first = tensor_list_at(file, 0), *found = tensor_list_find(file, name);
    assert_non_null(found);
    for (int i = 0; i < tensor_list_count(file); i++)
        first = tensor_list_at(file, i)->data < first->data ? tensor_list_at(file, i) : first;
    off_t into = (const char *)found->data - (const char *)first->data;
    uint64_t header;
    float wrong = NAN;
    tensor_list_close(file);
    int fd = open(path, O_RDWR);
    assert_true(pread(fd, &header, sizeof header, 0) == sizeof header);
    assert_true(pwrite(fd, &wrong, sizeof wrong, (off_t)(sizeof header + header) + into) == sizeof wrong);
    close(fd);
}

// The stages before the damage run; then one sentence names file and tensor.
static void test_damage_is_told_late(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct run_options options = run_options_default();
    struct error err = {0};
    const char *path = tiny_write("spoilt.safetensors", &tiny);
    spoil(path, "cross_modal_image_layers.1.output.dense.bias");
    assert_null(model_open(path, NULL, &err));
    err = (struct error){0};
    struct model *model = model_open(path, &background, &err);
    assert_non_null(model);
    struct run *run = tiny_run(model, &options, 5);
    while (run_step(run, &err)) {
    }
    assert_int_equal(err.code, ERROR_INPUT);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "cross_modal_image_layers.1.output.dense.bias"));
    const struct trace *trace = run_trace(run);
    assert_string_equal(trace->stages[trace->stage_count - 1].name, "fusion 1");
    assert_true(run_ready(run, 0)); // the failure need not be waited for
    assert_false(run_step(run, &err));
    run_free(run);
    model_free(model);
}

static void test_closed_meanwhile(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct run_options options = run_options_default();
    const char *path = tiny_write("closed.safetensors", &tiny);
    for (int i = 0; i < 30; i++) {
        struct error err = {0};
        struct model *model = model_open(path, &background, &err);
        assert_non_null(model);
        struct run *run = tiny_run(model, &options, (uint64_t)i);
        for (int stages = i % 5; stages > 0; stages--)
            run_step(run, &err);
        model_stop_loading(model); // nobody waits for ever
        while (run_step(run, &err)) {
        }
        assert_true(run_finished(run) || err.code == ERROR_CANCELLED);
        run_free(run);
        model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_run),
        cmocka_unit_test(test_damage_is_told_late),
        cmocka_unit_test(test_closed_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
