// `trimscope bench` end to end: its JSON, its tables and its refusals.
#include "tests/math/check.h"

#include "app/commands.h"
#include "engine/base/error.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Runs the command with stdout in a temporary file, whose text is left in `text`.
static int bench(char *text, size_t size, int argc, const char *const *arguments)
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
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return status;
}

static void test_json(void **state)
{
    (void)state;
    static char text[1 << 16];
    const char *const arguments[] = {"bench", "--json", "--rounds=1", "--sample=0", "attention"};
    assert_int_equal(bench(text, sizeof text, 5, arguments), ERROR_NONE);
    json_t *results = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(results);
    assert_string_equal(json_string_value(json_object_get(json_object_get(results, "machine"), "kernels")),
                        math_variant());
    json_t *modules = json_object_get(json_object_get(results, "attention"), "modules");
    assert_true(json_array_size(modules) >= 5);
    size_t i;
    json_t *module;
    json_array_foreach(modules, i, module)
    {
        double ours = json_real_value(json_object_get(module, "ours_gflops"));
        double openblas = json_real_value(json_object_get(module, "openblas_gflops"));
        double ratio = json_real_value(json_object_get(module, "speed_against_openblas"));
        assert_true(ours > 0 && openblas > 0);
        expect_near(ratio, ours / openblas, 1e-3 * ratio, "ratio", (int)i, 0); // printed with five digits
    }
    assert_null(json_object_get(results, "linear"));
    json_decref(results);
}

static void test_table(void **state)
{
    (void)state;
    static char text[1 << 16];
    const char *const arguments[] = {"bench", "--rounds=1", "--sample=0", "attention"};
    assert_int_equal(bench(text, sizeof text, 4, arguments), ERROR_NONE);
    assert_non_null(strstr(text, math_variant()));
    assert_non_null(strstr(text, "577 x 577       12 x 64"));
}

static void test_unknown_section(void **state)
{
    (void)state;
    char text[4096];
    const char *const arguments[] = {"bench", "speed"};
    assert_int_equal(bench(text, sizeof text, 2, arguments), ERROR_USAGE);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_unknown_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
