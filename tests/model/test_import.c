// Checkpoints of formula weights in PyTorch's containers: what is recognised, written, told and refused. The weights of
// the fixtures in a folder are written by hand into the container (tests/support/torch_file.h).
#include "engine/io/npy.h"
#include "engine/io/torch.h"
#include "engine/model/import.h"
#include "engine/model/model.h"
#include "engine/run/verify.h"
#include "engine/base/thread.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"
#include "tests/support/torch_file.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define METER "tests/fixtures/meter_vqa"
#define BLIP  "tests/fixtures/blip_vqa"
#define NLVR  "tests/fixtures/blip_nlvr"

enum { TENSORS = 1024 };

// Changes a tensor of a checkpoint that is being made; false leaves it out. `name` has room for 128 bytes.
typedef bool change_tensor(char *name, struct tensor_source *source, float *values);

static bool as_it_is(char *name, struct tensor_source *source, float *values)
{
    (void)name, (void)source, (void)values;
    return true;
}

// The formula weights of a fixture, changed, in a zip container under `place`.
static const char *make_checkpoint(const char *folder, const char *place, change_tensor *change)
{
    static struct tensor_source sources[TENSORS];
    static char names[TENSORS][128];
    char keys[128];
    struct error err = {0};
    snprintf(keys, sizeof keys, "%s/state_dict_keys.txt", folder);
    const char *plain = scratch_path("plain.safetensors"), *path = scratch_path("made.ckpt");
    assert_true(formula_checkpoint(keys, 7, plain));
    struct tensor_list *list = safetensors_open(plain, &err);
    assert_non_null(list);
    int count = 0;
    float *values[TENSORS];
    for (int i = 0; i < tensor_list_count(list); i++) {
        const struct tensor *t = tensor_list_at(list, i);
        struct tensor_source *s = &sources[count];
        values[count] = malloc((t->elements + 1) * sizeof(float));
        assert_non_null(values[count]);
        tensor_floats(t, values[count]);
        *s = (struct tensor_source){.name = names[count], .rank = t->rank, .data = values[count]};
        memcpy(s->shape, t->shape, sizeof s->shape);
        snprintf(names[count], sizeof names[count], "%s", t->name);
        if (change(names[count], s, values[count]))
            count++;
        else
            free(values[count]);
    }
    torch_file_write(path, place, sources, count, NULL);
    for (int i = 0; i < count; i++)
        free(values[i]);
    tensor_list_close(list);
    return path;
}

static struct import *open_or_fail(const char *path, const struct import_options *options)
{
    struct error err = {0};
    struct import *import = import_open(path, options, &err);
    if (!import)
        fail_msg("%s", err.text);
    return import;
}

static const char *import_or_fail(const char *path, const struct import_options *options)
{
    struct error err = {0};
    struct import *import = open_or_fail(path, options);
    const char *out = scratch_path("imported.safetensors");
    if (!import_write(import, out, NULL, NULL, &err))
        fail_msg("%s", err.text);
    import_close(import);
    return out;
}

static void expect_refusal(const char *path, const struct import_options *options, const char *words)
{
    struct error err = {0};
    struct import *import = import_open(path, options, &err);
    if (import)
        fail_msg("it was taken; expected \"%s\"", words);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

// Every tensor of the file has the values of the formula, to the last bit.
static void check_formula(const char *path, const char *shifted)
{
    struct error err = {0};
    struct tensor_list *list = safetensors_open(path, &err);
    assert_non_null(list);
    for (int i = 0; i < tensor_list_count(list); i++) {
        const struct tensor *t = tensor_list_at(list, i);
        float *expected = malloc(t->elements * sizeof *expected), *found = malloc(t->elements * sizeof *found);
        assert_true(expected && found);
        formula_values(t->name, 7, t->rank, t->shape, expected, t->elements);
        if (!strcmp(t->name, shifted))
            expected[3] += 0.5f; // rule 1 of reference/README.md
        tensor_floats(t, found);
        if (memcmp(expected, found, t->elements * sizeof *found) != 0)
            fail_msg("%s has other values", t->name);
        free(expected);
        free(found);
    }
    tensor_list_close(list);
}

static const struct import_options plain;

static void test_meter(void **state)
{
    (void)state;
    const char *path = make_checkpoint(METER, "state_dict", as_it_is);
    struct import *import = open_or_fail(path, &plain);
    const struct import_report *r = import_report(import);
    assert_string_equal(r->container, "zip");
    assert_string_equal(r->place, "state_dict");
    assert_null(r->calls);
    assert_int_equal(r->config->architecture, ARCHITECTURE_METER);
    assert_int_equal(r->config->task, TASK_VQA);
    assert_int_equal(r->config->labels, 50);
    assert_int_equal(r->config->image_size, 64);
    assert_int_equal(r->config->vocabulary, 1000);
    int unknown = 0, left = 0;
    for (int i = 0; i < r->leftover_count; i++) {
        unknown += r->leftovers[i].kind == LEFTOVER_UNKNOWN;
        left += r->leftovers[i].tensors;
    }
    assert_int_equal(unknown, 0);
    assert_int_equal(left, 5); // CLIP's text tower 3, RoBERTa's pooler 2; position_ids are no floats and not made here
    import_close(import);
    const char *out = import_or_fail(path, &plain);
    check_formula(out, "");
    struct thread_pool *pool = thread_pool_new(1);
    struct verify_report report;
    struct error err = {0};
    if (!verify_dumps(&report, out, METER, pool, &err))
        fail_msg("%s", err.text);
    assert_true(report.count > 20);
    for (int i = 0; i < report.count; i++)
        assert_true(verify_matches(&report.entries[i]));
    verify_report_free(&report);
    thread_pool_free(pool);
}

static bool behind_module(char *name, struct tensor_source *source, float *values)
{
    (void)source, (void)values;
    memmove(name + 7, name, strlen(name) + 1);
    memcpy(name, "module.", 7);
    return true;
}

static void test_names_behind_module(void **state)
{
    (void)state;
    check_formula(import_or_fail(make_checkpoint(METER, "", behind_module), &plain), "");
}

static void test_blip_stores_tied_weights_once(void **state)
{
    (void)state;
    struct error err = {0};
    const char *out = import_or_fail(make_checkpoint(BLIP, "model", as_it_is), &plain);
    check_formula(out, "text_decoder.cls.predictions.bias");
    struct tensor_list *list = safetensors_open(out, &err);
    assert_non_null(tensor_list_find(list, "text_decoder.bert.embeddings.word_embeddings.weight"));
    assert_null(tensor_list_find(list, "text_decoder.cls.predictions.decoder.weight"));
    tensor_list_close(list);
}

static bool untied(char *name, struct tensor_source *source, float *values)
{
    (void)source;
    if (!strcmp(name, "text_decoder.cls.predictions.decoder.weight"))
        values[5] += 1;
    return true;
}

// What a file for one picture becomes for two.
static bool one_picture(char *name, struct tensor_source *source, float *values)
{
    (void)source, (void)values;
    if (strstr(name, ".self1.") || strstr(name, ".dense1.") || strstr(name, "merge_layer"))
        return false;
    char *digit = strstr(name, ".self0.")    ? strstr(name, ".self0.") + 5
                  : strstr(name, ".dense0.") ? strstr(name, ".dense0.") + 6
                                             : NULL;
    if (digit)
        memmove(digit, digit + 1, strlen(digit));
    return true;
}

static void test_blip_for_two_pictures_copies_cross_attention(void **state)
{
    (void)state;
    struct error err = {0};
    const char *path = make_checkpoint(NLVR, "model", one_picture);
    struct import *import = open_or_fail(path, &plain);
    assert_true(import_report(import)->twins);
    assert_int_equal(import_report(import)->config->pictures, 2);
    import_close(import);
    struct tensor_list *list = safetensors_open(import_or_fail(path, &plain), &err);
    static const char *const parts[][2] = {{"self0.query.weight", "self1.query.weight"},
                                           {"self0.value.bias", "self1.value.bias"},
                                           {"output.dense0.weight", "output.dense1.weight"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct tensor *twins[2];
        for (int p = 0; p < 2; p++) {
            char name[128];
            snprintf(name, sizeof name, "text_encoder.encoder.layer.1.crossattention.%s", parts[i][p]);
            twins[p] = tensor_list_find(list, name);
            assert_non_null(twins[p]);
        }
        assert_memory_equal(twins[0]->data, twins[1]->data, tensor_bytes(twins[0]));
    }
    tensor_list_close(list);
}

// The published file has both.
static void test_blip_for_two_pictures(void **state)
{
    (void)state;
    const char *path = make_checkpoint(NLVR, "model", as_it_is);
    struct import *import = open_or_fail(path, &plain);
    assert_false(import_report(import)->twins);
    import_close(import);
    check_formula(import_or_fail(path, &plain), "");
}

static void test_half(void **state)
{
    (void)state;
    struct error err = {0};
    const struct import_options options = {.half = true};
    struct tensor_list *list = safetensors_open(import_or_fail(make_checkpoint(METER, "", as_it_is), &options), &err);
    assert_non_null(list);
    for (int i = 0; i < tensor_list_count(list); i++) {
        const struct tensor *t = tensor_list_at(list, i);
        float *expected = malloc(t->elements * sizeof *expected), *found = malloc(t->elements * sizeof *found);
        assert_int_equal(t->type, TENSOR_F16);
        formula_values(t->name, 7, t->rank, t->shape, expected, t->elements);
        tensor_floats(t, found);
        for (size_t k = 0; k < t->elements; k++)
            assert_true(fabsf(expected[k] - found[k]) <= fabsf(expected[k]) * 0x1p-11f + 0x1p-25f);
        free(expected);
        free(found);
    }
    tensor_list_close(list);
}

// The original's own table at the other resolution (reload_pos_embed of its second run).
static void check_resolution(const char *folder, const char *place, const char *table)
{
    struct error err = {0};
    char dump[128];
    struct npy npy;
    snprintf(dump, sizeof dump, "%s/reload_pos_embed.npy", folder);
    assert_true(npy_open(&npy, dump, &err));
    int rows = (int)npy.shape[npy.rank - 2], grid = (int)lround(sqrt(rows - 1));
    const struct import_options options = {.image_size = 16 * grid};
    const char *out = import_or_fail(make_checkpoint(folder, place, as_it_is), &options);
    struct tensor_list *list = safetensors_open(out, &err);
    const struct tensor *t = tensor_list_find(list, table);
    assert_non_null(t);
    assert_int_equal(t->elements, npy.elements);
    float *found = malloc(t->elements * sizeof *found);
    tensor_floats(t, found);
    for (size_t i = 0; i < t->elements; i++)
        assert_true(fabs((double)found[i] - npy_value(&npy, i)) < 1e-6);
    free(found);
    npy_close(&npy);
    struct model_config config;
    assert_true(model_config_read(&config, list, &err));
    assert_int_equal(config.image_size, 16 * grid);
    assert_int_equal(config.position_grid, grid);
    tensor_list_close(list);
}

static void test_resolution(void **state)
{
    (void)state;
    check_resolution(METER, "state_dict", "vit_model.visual.positional_embedding");
    check_resolution(BLIP, "model", "visual_encoder.pos_embed");
    const struct import_options odd = {.image_size = 100};
    expect_refusal(make_checkpoint(METER, "", as_it_is), &odd, "100");
}

static void test_words_and_answers_go_in(void **state)
{
    (void)state;
    struct error err = {0};
    static const char *const vocabulary[] = {"tests/fixtures/tokenizers/mini_vocab.txt"};
    const struct import_options options = {.vocabulary = vocabulary,
                                           .vocabulary_count = 1,
                                           .answers = scratch_write("answers.txt", "red\nblue\n2\n", 11),
                                           .name = "my BLIP"};
    struct import *import = open_or_fail(make_checkpoint(BLIP, "model", as_it_is), &options);
    assert_int_equal(import_report(import)->tokens, 134);
    assert_int_equal(import_report(import)->answers, 3);
    import_close(import);
    struct model *model = model_open(import_or_fail(make_checkpoint(BLIP, "model", as_it_is), &options), NULL, &err);
    if (!model)
        fail_msg("%s", err.text);
    assert_string_equal(model->config.name, "my BLIP");
    assert_non_null(model->tokenizer);
    assert_string_equal(model->answers[2], "2");
    model_free(model);
    // Once more: what the file carries is told.
    const char *once = import_or_fail(make_checkpoint(BLIP, "model", as_it_is), &options);
    char *copy = strdup(once);
    import = open_or_fail(copy, &plain);
    assert_int_equal(import_report(import)->answers, 3);
    import_close(import);
    free(copy);
    const struct import_options few = {.answers = options.answers};
    expect_refusal(make_checkpoint(METER, "", as_it_is), &few, "50");
    const struct import_options many = {.vocabulary = (const char *const[]){"assets/vocabularies/bert"},
                                        .vocabulary_count = 1};
    expect_refusal(make_checkpoint(BLIP, "model", as_it_is), &many, "word table only 134 rows");
}

// Trimmers of one file on the backbone of another, and through a second import.
static void check_trimmers_of_another_file(struct tiny_options whole)
{
    struct error err = {0};
    struct tiny_options bare = whole;
    bare.text_trimmers = bare.image_trimmers = bare.fusion_trimmers = bare.decoder_trimmers = bare.head_trimmers = false;
    const char *base = tiny_write("base.safetensors", &bare), *trimmers = tiny_write("trimmers.safetensors", &whole);
    const struct import_options options = {.trimmers = trimmers};
    const char *out = import_or_fail(base, &options);
    struct tensor_list *made = safetensors_open(out, &err), *expected = safetensors_open(trimmers, &err);
    assert_int_equal(tensor_list_count(made), tensor_list_count(expected));
    for (int i = 0; i < tensor_list_count(expected); i++) {
        const struct tensor *e = tensor_list_at(expected, i), *m = tensor_list_find(made, e->name);
        assert_true(m && tensor_bytes(m) == tensor_bytes(e));
        assert_memory_equal(m->data, e->data, tensor_bytes(e));
    }
    // What belongs to the words stays.
    assert_string_equal(tensor_list_metadata(made, "tokenizer"), tensor_list_metadata(expected, "tokenizer"));
    if (!whole.blip)
        assert_string_equal(tensor_list_metadata(made, "answer_words"), tensor_list_metadata(expected, "answer_words"));
    tensor_list_close(made);
    tensor_list_close(expected);
    struct model *model = model_open(out, NULL, &err);
    if (!model)
        fail_msg("%s", err.text);
    model_free(model);
    const struct import_options none = {.trimmers = base};
    expect_refusal(base, &none, "holds no trimmers");
}

static void test_trimmers_of_another_file(void **state)
{
    (void)state;
    check_trimmers_of_another_file(tiny_everything());
    check_trimmers_of_another_file((struct tiny_options){
        .task = TASK_VQA, .blip = true, .image_trimmers = true, .fusion_trimmers = true, .decoder_trimmers = true, .seed = 3});
}

static bool without_one(char *name, struct tensor_source *source, float *values)
{
    (void)source, (void)values;
    return strcmp(name, "cross_modal_text_layers.1.crossattention.self.key.bias") != 0;
}

static bool with_a_gap(char *name, struct tensor_source *source, float *values)
{
    (void)source, (void)values;
    return strcmp(name, "text_transformer.encoder.layer.0.output.LayerNorm.weight") != 0;
}

static bool without_the_first_of_the_last(char *name, struct tensor_source *source, float *values)
{
    (void)source, (void)values;
    return strcmp(name, "vit_model.visual.transformer.resblocks.1.ln_1.weight") != 0;
}

static bool turned(char *name, struct tensor_source *source, float *values)
{
    (void)values;
    if (!strcmp(name, "text_transformer.encoder.layer.1.intermediate.dense.weight")) {
        int64_t rows = source->shape[0];
        source->shape[0] = source->shape[1];
        source->shape[1] = rows;
    }
    return true;
}

static bool swin(char *name, struct tensor_source *source, float *values)
{
    (void)source, (void)values;
    if (!strcmp(name, "vit_model.ln_final.weight"))
        strcpy(name, "vit_model.layers.0.blocks.0.norm1.weight");
    return true;
}

static bool with_a_stranger(char *name, struct tensor_source *source, float *values)
{
    (void)source, (void)values;
    if (!strcmp(name, "vit_model.ln_final.weight"))
        strcpy(name, "my.own.thing");
    return true;
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    expect_refusal(make_checkpoint(METER, "", without_one), &plain,
                   "cross_modal_text_layers.1.crossattention.self.key.bias");
    expect_refusal(make_checkpoint(METER, "", with_a_gap), &plain, "text layer count is 0");
    expect_refusal(make_checkpoint(METER, "", without_the_first_of_the_last), &plain,
                   "resblocks.1.ln_1.weight is missing");
    expect_refusal(
        make_checkpoint(METER, "", turned), &plain,
        "text_transformer.encoder.layer.1.intermediate.dense.weight has shape [128, 512]; expected [512, 128]");
    expect_refusal(make_checkpoint(METER, "", swin), &plain, "Swin");
    expect_refusal(make_checkpoint(BLIP, "model", untied), &plain, "are one tensor in BLIP, but differ");
    expect_refusal(
        "tests/fixtures/containers/lightning_zip.ckpt", &plain,
        "not the weights of METER or BLIP: none of 10 tensors has one of their names; the first is a.weight");
    struct import *import = open_or_fail(make_checkpoint(METER, "", with_a_stranger), &plain);
    const struct import_report *r = import_report(import);
    bool told = false;
    for (int i = 0; i < r->leftover_count; i++)
        told = told || (r->leftovers[i].kind == LEFTOVER_UNKNOWN && !strcmp(r->leftovers[i].names, "my.own.thing"));
    assert_true(told);
    import_close(import);
}

static bool not_finite(char *name, struct tensor_source *source, float *values)
{
    (void)source;
    if (!strcmp(name, "vqa_classifier.3.bias"))
        values[7] = NAN;
    return true;
}

static bool too_large_for_half(char *name, struct tensor_source *source, float *values)
{
    (void)source;
    if (!strcmp(name, "vqa_classifier.3.bias"))
        values[7] = 70000;
    return true;
}

static int files_in(const char *folder)
{
    DIR *stream = opendir(folder);
    int count = 0;
    while (readdir(stream))
        count++;
    closedir(stream);
    return count;
}

static bool stop_halfway(void *context, double done, double total)
{
    *(int *)context += 1;
    return done < total / 2;
}

// Neither OUT nor a temporary file is left, and an older OUT stays.
static void test_whole_or_not_at_all(void **state)
{
    (void)state;
    struct error err = {0};
    static const struct {
        change_tensor *change;
        bool half, stop;
        enum error_code code;
        const char *words;
    } cases[] = {
        {not_finite, false, false, ERROR_INPUT, "vqa_classifier.3.bias holds numbers that are infinite"},
        {too_large_for_half, true, false, ERROR_INPUT, "too large for F16"},
        {as_it_is, false, true, ERROR_CANCELLED, "nothing was written"},
    };
    const char *folder = scratch_path(""), *old = scratch_write("old.safetensors", "precious", 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct import_options options = {.half = cases[i].half};
        struct import *import = open_or_fail(make_checkpoint(METER, "", cases[i].change), &options);
        int before = files_in(folder), calls = 0;
        assert_false(import_write(import, old, cases[i].stop ? stop_halfway : NULL, &calls, &err));
        assert_int_equal(err.code, cases[i].code);
        if (!strstr(err.text, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].words);
        assert_int_equal(files_in(folder), before);
        char found[16] = "";
        FILE *stream = fopen(old, "rb");
        assert_int_equal(fread(found, 1, sizeof found, stream), 8);
        fclose(stream);
        assert_memory_equal(found, "precious", 8);
        import_close(import);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meter),
        cmocka_unit_test(test_names_behind_module),
        cmocka_unit_test(test_blip_stores_tied_weights_once),
        cmocka_unit_test(test_blip_for_two_pictures),
        cmocka_unit_test(test_blip_for_two_pictures_copies_cross_attention),
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_resolution),
        cmocka_unit_test(test_words_and_answers_go_in),
        cmocka_unit_test(test_trimmers_of_another_file),
        cmocka_unit_test(test_what_is_missing_is_named),
        cmocka_unit_test(test_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
