// BLIP's weights files: recognised from names and shapes alone, and complete.
#include "tests/support/cmocka_all.h"

#include "engine/model/model.h"
#include "engine/model/parameters.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct model *open_fixture(const char *fixture)
{
    struct error err = {0};
    char keys[160];
    const char *path = scratch_path("blip.safetensors");
    snprintf(keys, sizeof keys, "tests/fixtures/%s/state_dict_keys.txt", fixture);
    assert_true(formula_checkpoint(keys, 7, path));
    struct model *model = model_open(path, NULL, &err);
    if (!model)
        fail_msg("%s", err.text);
    return model;
}

// What every fixture has; parameters as PyTorch counted them.
static void check_common(const struct model_config *c, enum model_task task, int layers, int64_t parameters)
{
    assert_int_equal(c->architecture, ARCHITECTURE_BLIP);
    assert_int_equal(c->task, task);
    assert_int_equal(c->width, 128);
    assert_int_equal(c->heads, 2);
    assert_int_equal(model_image_width(c), 128);
    assert_int_equal(model_image_heads(c), 2);
    assert_int_equal(c->image_size, 64);
    assert_int_equal(c->image_layers, 3);
    assert_int_equal(c->fusion_layers, layers);
    assert_int_equal(c->text_layers, 0);
    assert_int_equal(c->vocabulary, 134);
    assert_int_equal(c->token_start, 132);
    assert_int_equal(c->token_encode, 133);
    assert_int_equal(c->token_end, 3);
    assert_true(c->image_eps < 2e-6f && c->text_eps < 1e-11f && c->fusion_eps < 1e-11f);
    assert_int_equal(model_parameter_count(c), parameters);
}

static void test_fixtures(void **state)
{
    (void)state;
    struct model *model = open_fixture("blip_vqa");
    check_common(&model->config, TASK_VQA, 3, 2351366);
    assert_int_equal(model->config.decoder_layers, 3);
    assert_int_equal(model->config.max_tokens, 35);
    assert_int_equal(model->config.labels, 0);
    assert_null(model->answers);
    model_free(model);
    model = open_fixture("blip_caption");
    check_common(&model->config, TASK_CAPTION, 3, 1532038);
    assert_int_equal(model->config.max_tokens, 20);
    model_free(model);
    model = open_fixture("blip_nlvr");
    check_common(&model->config, TASK_NLVR2, 8, 3448962);
    assert_int_equal(model->config.pictures, 2);
    assert_int_equal(model->config.merge_from, 6);
    assert_string_equal(model->answers[1], "True");
    model_free(model);
}

static struct model_config published(enum model_task task, int image_size)
{
    struct model_config c;
    model_config_default_blip(&c, task);
    c.image_size = image_size;
    c.position_grid = image_size / 16;
    c.width = c.image_width = 768;
    c.heads = c.image_heads = 12;
    c.image_layers = c.fusion_layers = 12;
    c.image_ffn = c.text_fusion_ffn = 3072;
    c.vocabulary = 30524;
    c.token_start = 30522;
    c.token_encode = 30523;
    c.positions = 512;
    if (task == TASK_VQA) {
        c.decoder_layers = 12;
        c.decoder_ffn = 3072;
    }
    if (task == TASK_NLVR2) {
        c.labels = 2;
        c.head_hidden = 768;
        c.merge_from = 6;
    }
    if (task == TASK_RETRIEVAL) {
        c.labels = 2;
        c.projection = 256;
    }
    return c;
}

// The published models (vlm_spec §4), without what only training uses.
static void test_published_counts(void **state)
{
    (void)state;
    struct error err = {0};
    struct model_config vqa = published(TASK_VQA, 480), caption = published(TASK_CAPTION, 384),
                        nlvr = published(TASK_NLVR2, 384), retrieval = published(TASK_RETRIEVAL, 384);
    assert_true(model_config_check(&vqa, &err) && model_config_check(&caption, &err));
    assert_true(model_config_check(&nlvr, &err) && model_config_check(&retrieval, &err));
    assert_int_equal(model_parameter_count(&vqa), 361478972);
    assert_int_equal(model_parameter_count(&caption), 223971644);
    assert_int_equal(model_parameter_count(&nlvr), 259372034);
    // Momentum copies of all but itm_head, and the temperature; queues are no parameters.
    int64_t match = 2 * 768 + 2;
    assert_int_equal(2 * (model_parameter_count(&retrieval) - match) + match + 1, 447486979);
}

// A file like the published ViT-L: the words are narrower than the patches, the size of a head is the same.
static void test_wide_image(void **state)
{
    (void)state;
    struct error err = {0};
    struct model_config c = published(TASK_CAPTION, 384);
    c.image_width = 1024;
    c.image_heads = 16;
    c.image_ffn = 4096;
    c.image_layers = 24;
    assert_true(model_config_check(&c, &err));
    assert_int_equal(model_stack_width(&c, STACK_IMAGE), 1024);
    assert_int_equal(model_stack_heads(&c, STACK_FUSION_TEXT), 12);
    c.image_heads = 12;
    assert_false(model_config_check(&c, &err));
    assert_non_null(strstr(err.text, "1024"));
}

// What the decoder reads has a token trimmer, and no more; a model without a decoder has not even that.
static void test_decoder_trimmer(void **state)
{
    (void)state;
    for (int task = 0; task < 2; task++) {
        struct tiny_options tiny = {.task = task ? TASK_CAPTION : TASK_VQA, .blip = true, .decoder_trimmers = true};
        struct model_config c;
        struct error err = {0};
        tiny_config(&tiny, &c);
        assert_int_equal(model_stack_layers(&c, STACK_DECODER), !task);
        assert_int_equal(model_trimmed_layers(&c), !task);
        assert_true(model_config_check(&c, &err));
        c.trimmers[STACK_DECODER][0].msa = true;
        assert_int_equal(model_config_check(&c, &err), task);
        assert_true(task || strstr(err.text, "decoder.0 is for heads"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test(test_published_counts),
        cmocka_unit_test(test_wide_image),
        cmocka_unit_test(test_decoder_trimmer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
