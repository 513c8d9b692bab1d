// METER's and BLIP's forward passes against the dumps of the original implementation (reference: vlm_spec §8, §9).
#include "tests/support/cmocka_all.h"

#include "engine/io/safetensors.h"
#include "engine/run/verify.h"
#include "tests/support/formula.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Every dumped tensor is compared, and the comparison's size is known, so that nothing is left out in silence.
static void check_fixture(const char *name, const char *like, uint64_t seed, int tensors)
{
    char keys[160], folder[128];
    struct verify_report report;
    struct error err = {0};
    snprintf(folder, sizeof folder, "tests/fixtures/%s", name);
    snprintf(keys, sizeof keys, "tests/fixtures/%s/state_dict_keys.txt", like);
    const char *weights = scratch_path("fixture.safetensors");
    assert_true(formula_checkpoint(keys, seed, weights));
    if (!verify_dumps(&report, weights, folder, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(report.count, tensors);
    for (int i = 0; i < report.count; i++) {
        const struct verify_entry *e = &report.entries[i];
        printf("  %-24s %8zu numbers, largest difference %.2e, %.3f of the tolerance\n", e->name, e->elements,
               e->difference, e->excess);
        assert_true(e->known);
        assert_true(e->elements > 0);
        assert_true(e->argmax);
        assert_true(e->excess <= 1);
    }
    verify_report_free(&report);
}

static void test_vqa(void **state)
{
    (void)state;
    check_fixture("meter_vqa", "meter_vqa", 7, 29);
}

static void test_nlvr2(void **state)
{
    (void)state;
    check_fixture("meter_nlvr2", "meter_nlvr2", 7, 50);
}

// Answers chosen from a list and written by beam search; the second picture is larger than the model was made for.
static void test_blip_vqa(void **state)
{
    (void)state;
    check_fixture("blip_vqa", "blip_vqa", 7, 30);
}

// Three models, so that beams end early and late, and sentences overtake one another.
static void test_blip_caption(void **state)
{
    (void)state;
    check_fixture("blip_caption", "blip_caption", 7, 25);
    check_fixture("blip_caption_s1", "blip_caption", 1, 17);
    check_fixture("blip_caption_s2", "blip_caption", 2, 17);
}

static void test_blip_nlvr2(void **state)
{
    (void)state;
    check_fixture("blip_nlvr", "blip_nlvr", 7, 34);
}

// The comparison sees a wrong weight: one bias of the first image layer is moved by 0.01.
static void test_mismatch_is_seen(void **state)
{
    (void)state;
    struct error err = {0};
    struct verify_report report;
    const char *weights = scratch_path("wrong.safetensors");
    assert_true(formula_checkpoint("tests/fixtures/meter_vqa/state_dict_keys.txt", 7, weights));
    struct tensor_list *file = safetensors_open(weights, &err);
    assert_non_null(file);
    int count = tensor_list_count(file);
    struct tensor_source *sources = calloc((size_t)count, sizeof *sources);
    for (int i = 0; i < count; i++) {
        const struct tensor *t = tensor_list_at(file, i);
        float *data = malloc(t->elements * sizeof *data);
        tensor_floats(t, data);
        if (!strcmp(t->name, "vit_model.visual.transformer.resblocks.0.mlp.c_proj.bias"))
            data[5] += 0.01f;
        sources[i] = (struct tensor_source){t->name, TENSOR_F32, t->rank, {0}, data};
        memcpy(sources[i].shape, t->shape, sizeof t->shape);
    }
    const char *changed = scratch_path("changed.safetensors");
    assert_true(safetensors_write(changed, sources, count, NULL, 0, &err));
    for (int i = 0; i < count; i++)
        free((void *)(size_t)sources[i].data);
    free(sources);
    tensor_list_close(file);
    assert_true(verify_dumps(&report, changed, "tests/fixtures/meter_vqa", NULL, &err));
    int wrong = 0;
    for (int i = 0; i < report.count; i++) {
        wrong += !verify_matches(&report.entries[i]);
        if (!strcmp(report.entries[i].name, "vit_block00"))
            assert_true(report.entries[i].difference > 0.009 && report.entries[i].difference < 0.011);
        if (!strcmp(report.entries[i].name, "vit_ln_pre") || !strcmp(report.entries[i].name, "txt_transform"))
            assert_true(verify_matches(&report.entries[i]));
    }
    assert_true(wrong > 10);
    verify_report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vqa),          cmocka_unit_test(test_nlvr2),      cmocka_unit_test(test_blip_vqa),
        cmocka_unit_test(test_blip_caption), cmocka_unit_test(test_blip_nlvr2), cmocka_unit_test(test_mismatch_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
