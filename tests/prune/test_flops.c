// The formulas against the counts of the original implementation (reference: fixtures/flops.txt; 2 FLOPs each).
#include "tests/support/cmocka_all.h"

#include "engine/prune/flops.h"

static struct model_config meter(int image_size)
{
    struct model_config c;
    model_config_default(&c);
    c.image_size = image_size;
    c.position_grid = image_size / 16;
    c.width = 768;
    c.heads = 12;
    c.image_layers = 11;
    c.text_layers = 12;
    c.fusion_layers = 6;
    c.image_ffn = c.text_ffn = c.image_fusion_ffn = c.text_fusion_ffn = 3072;
    c.vocabulary = 50265;
    c.positions = 514;
    c.labels = 3129;
    c.head_hidden = 1536;
    return c;
}

static uint64_t flops(const struct macs *macs) { return 2 * flops_total(macs); }

// Row by row as the table has them: conv, ViT, transforms, RoBERTa, both fusion stacks, poolers and head, total.
static void test_vqa_totals(void **state)
{
    (void)state;
    static const struct {
        int size;
        uint64_t conv, vit, image_transform, fusion_text, fusion_image, total;
    } golden[] = {
        {224, 231211008, 31987000320, 232390656, 7970844672, 21125486592, 70208231424},
        {288, 382205952, 54176179200, 383385600, 9900748800, 35158579200, 108662396928},
        {384, 679477248, 101097047040, 680656896, 13700247552, 64551278592, 189370005504},
        {480, 1061683200, 167730275328, 1062862848, 18585317376, 105781745664, 302883182592},
        {576, 1528823808, 258805662720, 1530003456, 24555958272, 161429870592, 456511617024},
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        struct model_config c = meter(golden[i].size);
        int n = model_grid(&c) * model_grid(&c) + 1;
        struct macs conv = {0}, vit = {0}, image = {0}, fusion_text = {0}, fusion_image = {0}, roberta = {0}, text = {0},
                    head = {0}, total = {0};
        flops_embed_image(&c, &conv);
        for (int l = 0; l < 11; l++)
            flops_layer(&c, &(struct flops_layer){STACK_IMAGE, n, 0, 12, 0}, &vit);
        flops_finish(&c, n, &image);
        for (int l = 0; l < 12; l++)
            flops_layer(&c, &(struct flops_layer){STACK_TEXT, 50, 0, 12, 0}, &roberta);
        flops_finish(&c, 50, &text);
        for (int l = 0; l < 6; l++) {
            flops_layer(&c, &(struct flops_layer){STACK_FUSION_TEXT, 50, n, 12, 12}, &fusion_text);
            flops_layer(&c, &(struct flops_layer){STACK_FUSION_IMAGE, n, 50, 12, 12}, &fusion_image);
        }
        flops_answer(&c, &head);
        flops_dense(&c, 50, &total);
        assert_int_equal(flops(&conv), golden[i].conv);
        assert_int_equal(flops(&vit), golden[i].vit);
        assert_int_equal(flops(&image), golden[i].image_transform);
        assert_int_equal(flops(&roberta), 8585625600);
        assert_int_equal(flops(&text), 58982400);
        assert_int_equal(flops(&fusion_text), golden[i].fusion_text);
        assert_int_equal(flops(&fusion_image), golden[i].fusion_image);
        assert_int_equal(flops(&head), 2359296 + 14330880);
        assert_int_equal(flops(&total), golden[i].total);
    }
}

// Components of one layer at 576 pixels (vlm_spec §7).
static void test_components(void **state)
{
    (void)state;
    struct model_config c = meter(576);
    struct macs vit = {0}, text = {0}, image = {0};
    flops_layer(&c, &(struct flops_layer){STACK_IMAGE, 1297, 0, 12, 0}, &vit);
    assert_int_equal(2 * vit.qkv, 4590010368);
    assert_int_equal(2 * vit.attention, 2583873024 + 2583873024);
    assert_int_equal(2 * vit.projection, 1530003456);
    assert_int_equal(2 * vit.ffn, 6120013824 + 6120013824);
    flops_layer(&c, &(struct flops_layer){STACK_FUSION_TEXT, 50, 1297, 12, 12}, &text);
    assert_int_equal(2 * text.qkv, 176947200 + 58982400 + 3060006912);
    assert_int_equal(2 * text.attention, 7680000 + 99609600 + 99609600);
    assert_int_equal(2 * text.projection, 58982400 + 58982400);
    flops_layer(&c, &(struct flops_layer){STACK_FUSION_IMAGE, 1297, 50, 12, 12}, &image);
    assert_int_equal(2 * image.qkv, 4590010368 + 1530003456 + 117964800);
    assert_int_equal(2 * image.attention, 2583873024 + 2583873024 + 99609600 + 99609600);
    assert_int_equal(2 * image.ffn, 12240027648);
}

// The other tasks. The original encodes the words of an NLVR2 pair twice, this engine once.
static void test_tasks(void **state)
{
    (void)state;
    struct model_config c = meter(384);
    struct macs snli = {0}, nlvr2 = {0}, text = {0};
    c.task = TASK_SNLI;
    c.labels = 3;
    flops_dense(&c, 50, &snli);
    assert_int_equal(flops(&snli), 189360402432);
    c = meter(288);
    c.task = TASK_NLVR2;
    c.pictures = 2;
    c.labels = 2;
    flops_dense(&c, 50, &nlvr2);
    for (int l = 0; l < 12; l++)
        flops_layer(&c, &(struct flops_layer){STACK_TEXT, 50, 0, 12, 0}, &text);
    flops_finish(&c, 50, &text);
    assert_int_equal(flops(&nlvr2) + flops(&text), 217305575424);
}

// A dropped head takes its twelfth of QKV, attention and projection, and a dropped token its share of everything.
static void test_pruned_layer(void **state)
{
    (void)state;
    struct model_config c = meter(384);
    struct macs dense = {0}, heads = {0}, none = {0};
    flops_layer(&c, &(struct flops_layer){STACK_FUSION_IMAGE, 577, 50, 12, 12}, &dense);
    flops_layer(&c, &(struct flops_layer){STACK_FUSION_IMAGE, 577, 50, 3, 3}, &heads);
    flops_layer(&c, &(struct flops_layer){STACK_FUSION_IMAGE, 577, 50, 0, 0}, &none);
    assert_int_equal(4 * heads.qkv, dense.qkv);
    assert_int_equal(4 * heads.attention, dense.attention);
    assert_int_equal(4 * heads.projection, dense.projection);
    assert_int_equal(heads.ffn, dense.ffn);
    assert_int_equal(flops_total(&none), dense.ffn);
}

// Retrieval at 384 pixels with 40 words, match and rank heads, as the original was counted.
static void test_retrieval(void **state)
{
    (void)state;
    struct model_config c = meter(384);
    struct macs total = {0};
    c.task = TASK_RETRIEVAL;
    c.labels = 2;
    c.head_hidden = 0;
    c.ranked = true;
    flops_dense(&c, 40, &total);
    assert_int_equal(flops(&total), 186250260480);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retrieval),
        cmocka_unit_test(test_vqa_totals),
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_pruned_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
