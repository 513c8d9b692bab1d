// A BLIP of one's own from the published file to a pruned run, as a person does it: import, train trimmers on pictures and
// questions without answers, ask; and trimmers carried to another import of the same file.
#include "app/commands.h"
#include "engine/io/picture.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/command.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 4, ASKED = 3 };

static const char vocabulary[] = "tests/fixtures/tokenizers/mini_vocab.txt";
static const char *const questions[ASKED] = {"what color is the cat?", "how many people are there?", "is the ball red?"};

// Copies, since scratch_path() has one buffer.
static char *scratch(const char *name)
{
    char *path = strdup(scratch_path(name));
    assert_non_null(path);
    return path;
}

static void write_picture(int index)
{
    char name[24];
    struct error err = {0};
    struct picture picture = tiny_picture((uint64_t)index + 1);
    snprintf(name, sizeof name, "p%d.png", index);
    assert_true(picture_save_png(&picture, scratch_path(name), &err));
    picture_free(&picture);
}

// Questions about each picture, or statements about it and the next one.
static char *set_file(bool pairs)
{
    char text[4096] = "";
    for (int p = 0; p < PICTURES; p++)
        write_picture(p);
    for (int p = 0; p < PICTURES; p++)
        for (int q = 0; q < ASKED; q++) {
            char pictures[48];
            snprintf(pictures, sizeof pictures, pairs ? "[\"p%d.png\", \"p%d.png\"]" : "\"p%d.png\"", p, (p + 1) % PICTURES);
            snprintf(text + strlen(text), sizeof text - strlen(text), "{\"picture\": %s, \"question\": \"%s\"}\n", pictures,
                     questions[q]);
        }
    scratch_write("set.jsonl", text, strlen(text));
    return scratch("set.jsonl");
}

static void check_command(int (*command)(int, char **), const char *const words[])
{
    struct command_output output = command_run(command, words);
    if (output.status)
        fail_msg("%s: status %d, %s", words[0], output.status, output.err);
    command_free(&output);
}

// The answer to the first question, malloc'ed, and the share of the dense multiply-adds of a run with learned trimmers.
static char *ask(const char *model, int picture, bool pairs, double *share)
{
    char name[24];
    snprintf(name, sizeof name, "p%d.png", picture);
    char *path = scratch(name);
    snprintf(name, sizeof name, "p%d.png", (picture + 1) % PICTURES);
    char *next = scratch(name);
    const char *words[10] = {"run", path};
    int count = 2;
    if (pairs)
        words[count++] = next;
    memcpy(words + count, (const char *const[]){questions[0], "--model", model, "--policy", "learned", "--json"},
           6 * sizeof *words);
    struct command_output output = command_run(cmd_run, words);
    free(path);
    free(next);
    if (output.status)
        fail_msg("%s", output.err);
    json_t *trace = json_loads(output.out, 0, NULL), *macs = json_object_get(trace, "macs");
    const char *answer = json_string_value(json_object_get(json_object_get(trace, "answer"), "text"));
    assert_non_null(answer);
    *share = json_number_value(json_object_get(macs, "spent")) / json_number_value(json_object_get(macs, "dense"));
    char *copy = strdup(answer);
    json_decref(trace);
    command_free(&output);
    return copy;
}

// answers: the option and its file, NULL where the model's are known.
static void check_import_train_run(const char *fixture, bool pairs, const char *answers)
{
    char keys[160], trained[64];
    snprintf(trained, sizeof trained, "%s.safetensors", fixture); // its state stays beside it
    char *raw = scratch("raw.safetensors"), *full = scratch("full.safetensors"), *pruned = scratch(trained);
    char *carried = scratch("carried.safetensors"), *set = set_file(pairs);
    const char *option = answers ? "--answers" : NULL;
    snprintf(keys, sizeof keys, "tests/fixtures/%s/state_dict_keys.txt", fixture);
    assert_true(formula_checkpoint(keys, 7, raw));
    check_command(cmd_import, (const char *const[]){"import", raw, full, "--vocab", vocabulary, option, answers, NULL});
    check_command(cmd_train, (const char *const[]){"train", "--freeze-backbone", "--init", full, "--set", set, "--out", pruned,
                                                   "--threads", "2", "--calibrate", "4", "image_trimmers=1", "target=0.7",
                                                   "scenes=3", "questions=3", "total=720", "trimmer_rate=0.01", "budget=0",
                                                   "curriculum=0", NULL});
    // The trimmers alone, in the same backbone imported once more.
    check_command(cmd_import, (const char *const[]){"import", raw, carried, "--vocab", vocabulary, "--trimmers", pruned, option,
                                                    answers, NULL});
    double mean = 0;
    for (int p = 0; p < PICTURES; p++) {
        double share, again;
        char *answer = ask(pruned, p, pairs, &share), *other = ask(carried, p, pairs, &again);
        assert_string_equal(answer, other);
        assert_true(share == again);
        mean += share / PICTURES;
        free(answer);
        free(other);
    }
    print_message("%s: share %.3f of the dense multiply-adds\n", fixture, mean);
    assert_true(fabs(mean - 0.7) < 0.08);
    char *const owned[] = {raw, full, pruned, carried, set};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static void test_import_train_run(void **state)
{
    (void)state;
    static const char list[] = "yes\nno\nred\nblue\ntwo\ncat\n";
    scratch_write("answers.txt", list, strlen(list));
    char *answers = scratch("answers.txt");
    check_import_train_run("blip_vqa", false, answers);
    free(answers);
}

// BLIP's NLVR2, with a linear map of both pictures in its last layers.
static void test_two_pictures(void **state)
{
    (void)state;
    check_import_train_run("blip_nlvr", true, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_import_train_run), cmocka_unit_test(test_two_pictures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
