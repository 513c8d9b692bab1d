// trimscope import as a person calls it: what it prints, what it writes, and what runs afterwards.
#include "app/commands.h"
#include "engine/io/safetensors.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/command.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"
#include "tests/support/torch_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(...) command_run(cmd_import, (const char *const[]){"import", __VA_ARGS__, NULL})

// METER's fixture model as a Lightning checkpoint.
static const char *checkpoint(void)
{
    enum { TENSORS = 512 };
    static struct tensor_source sources[TENSORS];
    struct error err = {0};
    const char *plain = scratch_path("plain.safetensors"), *path = scratch_path("meter.ckpt");
    assert_true(formula_checkpoint("tests/fixtures/meter_vqa/state_dict_keys.txt", 7, plain));
    struct tensor_list *list = safetensors_open(plain, &err);
    assert_non_null(list);
    for (int i = 0; i < tensor_list_count(list); i++) {
        const struct tensor *t = tensor_list_at(list, i);
        sources[i] = (struct tensor_source){.name = t->name, .rank = t->rank, .data = t->data};
        memcpy(sources[i].shape, t->shape, sizeof sources[i].shape);
    }
    torch_file_write(path, "state_dict", sources, tensor_list_count(list), NULL);
    tensor_list_close(list);
    return path;
}

// The 256 bytes as RoBERTa spells them, without any merge: every text has tokens.
static const char *vocabulary(void)
{
    json_t *ids = json_object();
    static const char *const specials[] = {"<s>", "<pad>", "</s>", "<unk>"};
    for (int i = 0; i < 4; i++)
        json_object_set_new(ids, specials[i], json_integer(i));
    for (int byte = 0, moved = 0; byte < 256; byte++) {
        bool printable = (byte >= 33 && byte < 127) || (byte >= 161 && byte < 173) || byte >= 174;
        int code = printable ? byte : 256 + moved++;
        char text[3] = {(char)code};
        if (code >= 128) {
            text[0] = (char)(0xC0 | code >> 6);
            text[1] = (char)(0x80 | (code & 63));
        }
        json_object_set_new(ids, text, json_integer(4 + byte));
    }
    json_object_set_new(ids, "<mask>", json_integer(260));
    char *text = json_dumps(ids, 0);
    const char *path = scratch_write("vocab.json", text, strlen(text));
    free(text);
    json_decref(ids);
    return path;
}

static const char *answers(void)
{
    char text[1024] = "";
    for (int i = 0; i < 50; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "thing %d\n", i);
    return scratch_write("answers.txt", text, strlen(text));
}

static void expect(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void test_import_then_verify_and_run(void **state)
{
    (void)state;
    const char *out = scratch_path("meter.safetensors");
    static const char merges[] = "#version: 0.2\n";
    struct command_output o =
        IMPORT(checkpoint(), out, "--vocab", vocabulary(), "--vocab",
               scratch_write("merges.txt", merges, sizeof merges - 1), "--answers", answers(), "--name", "My METER");
    if (o.status)
        fail_msg("%s", o.err);
    expect(o.out, "PyTorch (zip), tensors under \"state_dict\"");
    expect(o.out, "My METER (METER)");
    expect(o.out, "vqa, 50 answers");
    expect(o.out, "64 x 64 pixels, 4 x 4 patches of 16");
    expect(o.out, "2 layers of width 128, 2 heads, FFN 512");
    expect(o.out, "261 tokens, in the file");
    expect(o.out, "50 answers, in the file");
    expect(o.out, "text_transformer.pooler.dense.*: 2 tensors, 66.0 kB, RoBERTa's own pooler, not used");
    expect(o.err, "wrote ");
    command_free(&o);
    o = command_run(cmd_verify, (const char *const[]){"verify", out, "tests/fixtures/meter_vqa", NULL});
    assert_int_equal(o.status, 0);
    expect(o.out, " 0 do not");
    command_free(&o);
    o = command_run(cmd_run, (const char *const[]){"run", "assets/pictures/airplane.jpg", "what is it?", "--model", out,
                                                   "--policy", "cls-attention", "--budget", "0.8", NULL});
    if (o.status)
        fail_msg("%s", o.err);
    expect(o.out, "thing ");
    command_free(&o);
}

static void test_names_are_checked(void **state)
{
    (void)state;
    const char *path = checkpoint();
    struct command_output o = IMPORT(scratch_path("none.ckpt"), path);
    assert_int_equal(o.status, ERROR_USAGE);
    expect(o.err, "must end in .safetensors");
    command_free(&o);
    const char *same = scratch_path("plain.safetensors");
    o = IMPORT(same, same);
    assert_int_equal(o.status, ERROR_USAGE);
    expect(o.err, "written over by itself");
    command_free(&o);
    o = IMPORT("tests/fixtures/containers/hostile_reduce.ckpt", scratch_path("out.safetensors"));
    assert_int_equal(o.status, ERROR_INPUT);
    expect(o.err, "not the weights of METER or BLIP");
    command_free(&o);
    o = IMPORT("tests", scratch_path("out.safetensors"));
    assert_int_equal(o.status, ERROR_INPUT);
    expect(o.err, "tests is not a file but a folder");
    command_free(&o);
    o = IMPORT(path, scratch_path("out.safetensors"), "--task", "vqx");
    assert_int_equal(o.status, ERROR_USAGE);
    expect(o.err, "there is no task vqx; known are vqa, ");
    command_free(&o);
    o = IMPORT(path, scratch_path("out.safetensors"), "--name", "caf\xe9");
    assert_int_equal(o.status, ERROR_USAGE);
    expect(o.err, "the name \"caf?\" is not UTF-8");
    command_free(&o);
    o = IMPORT(path, scratch_path("out.safetensors"), "--name",
               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9"); // the 64th byte is half a letter
    assert_int_equal(o.status, ERROR_USAGE);
    expect(o.err, "the name has 65 bytes; expected 1 to 63");
    command_free(&o);
    o = IMPORT(path, scratch_path("out.safetensors"), "--resolution", "100");
    assert_int_equal(o.status, ERROR_INPUT);
    expect(o.err, "multiple");
    command_free(&o);
}

static void test_resolution_is_told(void **state)
{
    (void)state;
    struct command_output o = IMPORT(checkpoint(), scratch_path("out.safetensors"), "--resolution", "96", "--half");
    assert_int_equal(o.status, 0);
    expect(o.out, "96 x 96 pixels, 6 x 6 patches of 16");
    expect(o.out, "resized from 4 x 4 patches");
    expect(o.out, "none: give --vocab, or questions cannot be asked");
    command_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_then_verify_and_run),
        cmocka_unit_test(test_names_are_checked),
        cmocka_unit_test(test_resolution_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
