// `trimscope bench bundled`: the numbers hang together and the model keeps the budget that is measured.
#include "tests/support/cmocka_all.h"

#include "app/commands.h"
#include "engine/base/error.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The command's JSON, from stdout in a temporary file. Release with json_decref().
static json_t *bench_json(int argc, const char *const *arguments)
{
    char *argv[8] = {NULL};
    assert_true(argc < 8);
    for (int i = 0; i < argc; i++)
        assert_non_null(argv[i] = strdup(arguments[i]));
    FILE *file = tmpfile();
    int saved = dup(STDOUT_FILENO);
    assert_true(file && saved >= 0);
    fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    int status = cmd_bench(argc, argv);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    rewind(file);
    json_t *results = json_loadf(file, 0, NULL);
    fclose(file);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    assert_int_equal(status, ERROR_NONE);
    assert_non_null(results);
    return results;
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void test_numbers(void **state)
{
    (void)state;
    const char *const arguments[] = {"bench", "--json", "--rounds=1", "bundled"};
    json_t *results = bench_json(4, arguments), *bundled = json_object_get(results, "bundled");
    const json_t *dense = json_object_get(bundled, "dense"), *pruned = json_object_get(bundled, "pruned");
    assert_true(number(dense, "ms") > 0 && number(pruned, "ms") > 0);
    double cut = number(dense, "mflop") / number(pruned, "mflop"), gain = number(dense, "ms") / number(pruned, "ms");
    assert_true(fabs(1 / cut - 0.4) < 0.06); // forty questions are not the calibration set
    assert_true(fabs(number(pruned, "flops_reduction") / cut - 1) < 1e-3);
    assert_true(fabs(number(pruned, "efficiency") / (gain / cut) - 1) < 1e-3);
    const json_t *bar = json_array_get(json_object_get(bundled, "bars"), 0);
    assert_true(fabs(number(bar, "value") / number(pruned, "efficiency") - 1) < 1e-3);
    assert_true(number(bar, "bar") == 0.8);
    assert_true(number(bundled, "peak_memory_mb") > 8);
    json_decref(results);
}

static void test_without_model(void **state)
{
    (void)state;
    const char *const arguments[] = {"bench", "--json", "--rounds=1", "--model=nowhere.safetensors", "bundled"};
    json_t *results = bench_json(5, arguments), *bundled = json_object_get(results, "bundled");
    assert_non_null(json_object_get(bundled, "absent"));
    assert_null(json_object_get(bundled, "bars"));
    json_decref(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_without_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
