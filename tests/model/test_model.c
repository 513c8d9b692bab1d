// Weights files: what is in them is read, and what is wrong with them is said.
#include "tests/support/cmocka_all.h"

#include "engine/io/safetensors.h"
#include "engine/model/model.h"
#include "engine/model/parameters.h"
#include "engine/model/position.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The configuration that is read back is the one that was written.
static void test_round_trip(void **state)
{
    (void)state;
    const enum model_task tasks[] = {TASK_VQA, TASK_NLVR2};
    for (int published = 0; published < 2; published++)
        for (int t = 0; t < 2; t++) {
            struct tiny_options tiny = tiny_everything();
            struct model_config config;
            tiny.published = published;
            tiny.task = tasks[t];
            tiny.text_trimmers = t == 0;
            tiny_config(&tiny, &config);
            struct model *model = tiny_model(&tiny);
            assert_memory_equal(&model->config, &config, sizeof config);
            assert_true(model->parameters == (double)model_parameter_count(&config));
            model_free(model);
        }
}

static void test_published_files(void **state)
{
    (void)state;
    struct error err = {0};
    const char *path = scratch_path("published.safetensors");
    assert_true(formula_checkpoint("tests/fixtures/meter_nlvr2/state_dict_keys.txt", 7, path));
    struct model *model = model_open(path, NULL, &err);
    assert_non_null(model);
    const struct model_config *c = &model->config;
    assert_int_equal(c->task, TASK_NLVR2);
    assert_int_equal(c->pictures, 2);
    assert_int_equal(c->width, 128);
    assert_int_equal(c->heads, 2);
    assert_int_equal(c->image_size, 64);
    assert_int_equal(c->image_layers, 2);
    assert_int_equal(c->text_layers, 2);
    assert_int_equal(c->fusion_layers, 2);
    assert_int_equal(c->vocabulary, 1000);
    assert_int_equal(c->max_tokens, 50);
    assert_int_equal(c->fusion_norm, FUSION_POST);
    assert_true(c->fusion_eps < 1e-11f && c->text_eps > 9e-6f && c->image_eps > 9e-6f);
    assert_string_equal(model->answers[1], "True");
    assert_null(model->tokenizer);
    char buffer[32];
    assert_string_equal(model_answer(model, 7, buffer, sizeof buffer), "answer 7");
    model_free(model);
}

// A copy of the tiny file with one thing changed.
struct change {
    const char *drop, *reshape, *config; // a tensor to leave out, one to give another shape; metadata config instead
    const char *key, *value;             // other metadata instead
    bool no_key;
    const char *spoil;                   // a tensor whose last number becomes `number`
    float number;
    const char *expect;                  // part of the sentence
};

static const char *write_changed(const struct change *change)
{
    struct tiny_options tiny = tiny_everything();
    struct error err = {0};
    const char *path = scratch_path("changed.safetensors");
    struct tensor_list *file = safetensors_open(tiny_write("whole.safetensors", &tiny), &err);
    assert_non_null(file);
    int count = tensor_list_count(file), kept = 0, pairs = 0;
    struct tensor_source *sources = calloc((size_t)count, sizeof *sources);
    for (int i = 0; i < count; i++) {
        const struct tensor *t = tensor_list_at(file, i);
        if (change->drop && !strcmp(t->name, change->drop))
            continue;
        struct tensor_source *s = &sources[kept++];
        float *data = malloc(t->elements * sizeof *data);
        tensor_floats(t, data);
        if (change->spoil && !strcmp(t->name, change->spoil))
            data[t->elements - 1] = change->number;
        *s = (struct tensor_source){t->name, TENSOR_F32, t->rank, {0}, data};
        memcpy(s->shape, t->shape, sizeof t->shape);
        if (change->reshape && !strcmp(t->name, change->reshape)) {
            s->shape[0] = (int64_t)t->elements / 2;
            s->shape[1] = 2;
            s->rank = 2;
        }
    }
    static const char *const keys[] = {"config", "tokenizer", "answers", "answer_words"};
    struct metadata_pair metadata[5];
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *value = tensor_list_metadata(file, keys[k]);
        if (change->config && k == 0)
            value = change->config;
        if (change->key && !strcmp(keys[k], change->key))
            value = change->no_key ? NULL : change->value;
        if (value)
            metadata[pairs++] = (struct metadata_pair){keys[k], value};
    }
    assert_true(safetensors_write(path, sources, kept, metadata, pairs, &err));
    for (int i = 0; i < kept; i++)
        free((void *)(size_t)sources[i].data);
    free(sources);
    tensor_list_close(file);
    return path;
}

static void test_damaged_files(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {.drop = "vqa_classifier.3.weight", .expect = "answer head"},
        {.spoil = "cross_modal_text_layers.1.crossattention.self.value.weight", .number = NAN,
         .expect = "cross_modal_text_layers.1.crossattention.self.value.weight holds numbers that are infinite"},
        {.spoil = "text_transformer.embeddings.word_embeddings.weight", .number = -INFINITY, .expect = "word_embeddings"},
        {.spoil = "trimmers.fusion_image.0.token.alpha", .number = INFINITY, .expect = "alpha"},
        {.drop = "vit_model.visual.class_embedding", .expect = "class_embedding"},
        {.drop = "vit_model.visual.stem.blocks.1.depthwise.bias", .expect = "stem.blocks.1.depthwise.bias"},
        {.drop = "cross_modal_text_layers.2.output.dense.weight", .expect = "cross_modal_text_layers.2.output.dense.weight"},
        {.drop = "trimmers.fusion_image.1.token.alpha", .expect = "trimmers.fusion_image.1.token.alpha"},
        {.drop = "trimmers.image.0.token.self.weight", .expect = "trimmer image.0"},
        {.drop = "cross_modal_image_position", .expect = "cross_modal_image_position"},
        {.reshape = "cross_modal_image_pooler.dense.weight", .expect = "has shape [512, 2]; expected [32, 32]"},
        {.reshape = "vit_model.visual.positional_embedding", .expect = "not a square"},
        {.reshape = "vit_model.visual.ln_pre.weight", .expect = "ln_pre.weight"},
        {.reshape = "text_transformer.embeddings.position_embeddings.weight", .expect = "position"},
        {.reshape = "trimmers.image.0.msa.out.bias", .expect = "trimmers.image.0.msa.out.bias"},
        {.config = "{", .expect = "not JSON"},
        {.config = "[]", .expect = "not a JSON object"},
        {.config = "{\"architecture\": \"blip2\"}", .expect = "blip2"},
        {.config = "{\"max_tokens\": 16, \"heads\": 5, \"stem\": \"conv\"}", .expect = "5 heads"},
        {.config = "{\"heads\": 0, \"stem\": \"conv\"}", .expect = "heads"},
        {.config = "{\"heads\": 1e9, \"stem\": \"conv\"}", .expect = "heads"},
        {.config = "{\"heads\": NaN}", .expect = "not JSON"},
        {.config = "{\"heads\": \"4\"}", .expect = "heads"},
        {.config = "{\"stem\": \"conv\", \"heads\": 4, \"max_tokens\": 16, \"image_size\": 1048576}", .expect = "image size"},
        {.config = "{\"stem\": \"conv\", \"heads\": 4, \"max_tokens\": 16, \"image_size\": 100}", .expect = "image size"},
        {.config = "{\"stem\": \"conv\", \"heads\": 4, \"max_tokens\": 16, \"patch_size\": 8}", .expect = "conv stem"},
        {.config = "{\"stem\": \"conv\", \"heads\": 4, \"max_tokens\": 60}", .expect = "position"},
        {.config = "{\"stem\": \"conv\", \"heads\": 4, \"max_tokens\": 16, \"task\": \"nlvr2\"}", .expect = "nlvr2_classifier"},
        {.config = "{\"stem\": \"patch\", \"heads\": 4, \"max_tokens\": 16}", .expect = "vit_model.visual.conv1.weight"},
        {.config = "{\"stem\": \"conv\", \"heads\": 4, \"fusion_position\": 1}", .expect = "true or false"},
        {.key = "answers", .value = "[\"a\"]", .expect = "1 entries"},
        {.key = "answers", .value = "{}", .expect = "not a JSON list"},
        {.key = "answers", .value = "[1,2,3,4,5,6,7,8,9]", .expect = "not a string"},
        {.key = "answer_words", .no_key = true, .expect = "answer_words"},
        {.key = "answer_words", .value = "[99, 1, 1, 1, 1, 1, 1, 1, 1]", .expect = "no token id"},
        {.key = "answer_words", .value = "[-2, 1, 1, 1, 1, 1, 1, 1, 1]", .expect = "no token id"},
        {.key = "tokenizer", .value = "{}", .expect = "tokenizer"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct error err = {0};
        struct model *model = model_open(write_changed(&changes[i]), NULL, &err);
        if (model || !strstr(err.text, changes[i].expect))
            fail_msg("change %zu: expected \"%s\", got \"%s\"", i, changes[i].expect, model ? "a model" : err.text);
        assert_int_equal(err.code, ERROR_INPUT);
    }
    struct change none = {.drop = NULL};
    struct model *whole = model_open(write_changed(&none), NULL, NULL);
    assert_non_null(whole); // the copy itself is good
    model_free(whole);
}

// Weights that are not numbers give an answer that is none, and nothing worse.
static void test_other_files(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(model_open(scratch_path("absent.safetensors"), NULL, &err));
    assert_int_equal(err.code, ERROR_INPUT);
    const char *text = scratch_write("text.safetensors", "this is no model", 16);
    assert_null(model_open(text, NULL, &err));
    struct model_options options = {.image_size = 1 << 30};
    struct tiny_options tiny = tiny_everything();
    assert_null(model_open(tiny_write("whole.safetensors", &tiny), &options, &err));
    assert_non_null(strstr(err.text, "image size"));
}

// Every parameter has a name of its own.
struct names {
    char list[1024][PARAMETER_NAME];
    int count;
    int64_t elements;
    int trimmers;
};

static bool note_name(void *context, const struct parameter *p)
{
    struct names *names = context;
    for (int i = 0; i < names->count; i++)
        assert_string_not_equal(names->list[i], p->name);
    assert_true(names->count < 1024);
    snprintf(names->list[names->count++], PARAMETER_NAME, "%s", p->name);
    names->elements += p->elements;
    names->trimmers += p->trimmer;
    assert_int_equal(p->trimmer, !strncmp(p->name, "trimmers.", 9));
    assert_int_equal(p->decay, p->rank >= 2);
    return true;
}

static bool stop_at_third(void *context, const struct parameter *p)
{
    (void)p;
    return ++*(int *)context < 3;
}

static void test_parameters(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct model_config config;
    static struct names names;
    int seen = 0;
    tiny_config(&tiny, &config);
    assert_true(model_parameters(&config, note_name, &names));
    assert_true(names.elements == model_parameter_count(&config));
    assert_int_equal(names.trimmers, 2 * (6 + 4) + 2 * (11 + 4) + 6 * (11 + 4 + 4));
    assert_false(model_parameters(&config, stop_at_third, &seen));
    assert_int_equal(seen, 3);
    // METER-VQA at 576 pixels: 327,200,825 parameters (vlm_spec §3), of which inference leaves out CLIP's text tower
    // (77 * 512 + 2 * 512) and RoBERTa's pooler (768 * 769); position_ids are not parameters.
    model_config_default(&config);
    config.image_size = 576;
    config.position_grid = 36;
    config.width = 768;
    config.heads = 12;
    config.image_layers = 11;
    config.text_layers = 12;
    config.fusion_layers = 6;
    config.image_ffn = config.text_ffn = config.image_fusion_ffn = config.text_fusion_ffn = 3072;
    config.vocabulary = 50265;
    config.positions = 514;
    config.labels = 3129;
    config.head_hidden = 1536;
    assert_int_equal(model_parameter_count(&config), 327200825 - 77 * 512 - 2 * 512 - 768 * 769);
}

// Constant tables stay constant at any size (the taps sum to 1), and the class row is copied.
static void test_position_resize(void **state)
{
    (void)state;
    float from[(5 * 5 + 1) * 3], to[(8 * 8 + 1) * 3];
    for (int i = 0; i < 26 * 3; i++)
        from[i] = i < 3 ? -1 : 0.25f * (float)(i % 3 + 1);
    position_resize(from, 5, to, 8, 3);
    assert_true(to[0] == -1 && to[2] == -1);
    for (int i = 3; i < 65 * 3; i++)
        assert_true(fabsf(to[i] - 0.25f * (float)(i % 3 + 1)) < 1e-6f);
    position_resize(from, 5, to, 3, 3);
    assert_true(fabsf(to[3] - 0.25f) < 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_published_files),
        cmocka_unit_test(test_damaged_files), cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_parameters),    cmocka_unit_test(test_position_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
