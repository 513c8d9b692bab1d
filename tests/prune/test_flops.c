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
        flops_dense(&c, NULL, 50, &total);
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
    flops_dense(&c, NULL, 50, &snli);
    assert_int_equal(flops(&snli), 189360402432);
    c = meter(288);
    c.task = TASK_NLVR2;
    c.pictures = 2;
    c.labels = 2;
    flops_dense(&c, NULL, 50, &nlvr2);
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
    flops_dense(&c, NULL, 40, &total);
    assert_int_equal(flops(&total), 186250260480);
}

static struct model_config blip(enum model_task task, int image_size)
{
    struct model_config c;
    model_config_default_blip(&c, task);
    c.image_size = image_size;
    c.position_grid = image_size / 16;
    c.width = 768;
    c.heads = 12;
    c.image_layers = c.fusion_layers = 12;
    c.image_ffn = c.text_fusion_ffn = 3072;
    c.vocabulary = 30524;
    c.positions = 512;
    c.decoder_layers = task == TASK_VQA ? 12 : 0;
    c.decoder_ffn = task == TASK_VQA ? 3072 : 0;
    c.labels = task == TASK_NLVR2 || task == TASK_RETRIEVAL ? 2 : 0;
    c.head_hidden = task == TASK_NLVR2 ? 768 : 0;
    c.merge_from = task == TASK_NLVR2 ? 6 : 0;
    c.projection = task == TASK_RETRIEVAL ? 256 : 0;
    return c;
}

static uint64_t image_flops(const struct model_config *c)
{
    int n = model_grid(c) * model_grid(c) + 1;
    struct macs macs = {0};
    flops_embed_image(c, &macs);
    for (int l = 0; l < c->image_layers; l++)
        flops_layer(c, &(struct flops_layer){STACK_IMAGE, n, 0, 12, 0}, &macs);
    flops_finish(c, n, &macs); // BLIP has no transform
    return flops(&macs);
}

static uint64_t text_flops(const struct model_config *c, int words)
{
    int n = model_grid(c) * model_grid(c) + 1;
    struct macs macs = {0};
    for (int l = 0; l < c->fusion_layers; l++) {
        flops_layer(c, &(struct flops_layer){STACK_FUSION_TEXT, words, n, 12, 12}, &macs);
        flops_layer(c, &(struct flops_layer){STACK_FUSION_IMAGE, n, words, 12, 12}, &macs); // its patches cost nothing
        if (c->pictures > 1)
            flops_twin(c, l, words, n, 12, &macs);
    }
    return flops(&macs);
}

// The encoders of BLIP, and of NLVR2 with its head (fixtures/flops.txt).
static void test_blip_encoders(void **state)
{
    (void)state;
    struct model_config vqa = blip(TASK_VQA, 480), retrieval = blip(TASK_RETRIEVAL, 384), nlvr = blip(TASK_NLVR2, 384);
    struct model_config small = blip(TASK_CAPTION, 224);
    assert_int_equal(image_flops(&small), 35126120448);
    assert_int_equal(image_flops(&retrieval), 110967164928);
    assert_int_equal(image_flops(&vqa), 184040165376);
    assert_int_equal(text_flops(&vqa, 12), 28290760704);
    assert_int_equal(text_flops(&vqa, 16), 29220470784);
    assert_int_equal(text_flops(&vqa, 35), 33652703232);
    assert_int_equal(text_flops(&retrieval, 35), 24061722624);
    struct macs head = {0}, total = {0};
    flops_answer(&nlvr, &head);
    flops_dense(&nlvr, NULL, 10, &total);
    assert_int_equal(text_flops(&nlvr, 10) + flops(&head), 35508292608);
    assert_int_equal(flops(&total), 2 * 110967164928 + 35508292608);
    // The words alone for contrastive features, and the two projections to 256.
    struct macs alone = {0};
    flops_contrast(&retrieval, 35, &alone);
    assert_int_equal(flops(&alone), 5990584320 + 2 * 2 * 768 * 256);
    flops_dense(&retrieval, NULL, 35, (total = (struct macs){0}, &total));
    assert_int_equal(flops(&total), 110967164928 + 24061722624 + 2 * 2 * 768 + flops(&alone));
}

// Answers and captions as the original computes them: K and V of cross-attention again for every word and candidate, the
// word head on every position, pads included; and what this engine computes instead.
static void test_blip_words(void **state)
{
    (void)state;
    static const struct {
        int words;
        uint64_t first, candidates, generated;
    } golden[] = {{12, 586463232, 296396783616, 15838488576}, {16, 699856896, 311043293184, 18900117504}};
    struct model_config c = blip(TASK_VQA, 480);
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        int words = golden[i].words;
        struct macs first = {0}, candidates = {0}, generated = {0}, ours = {0};
        for (int l = 0; l < 12; l++)
            flops_memory(&c, words, &first);
        flops_words(&c, &(struct flops_words){1, 12, (uint64_t)(12 * words), 1}, &first);
        assert_int_equal(flops(&first), golden[i].first);
        flops_published_ranking(&c, words, 128, 8, &candidates);
        assert_int_equal(flops(&candidates), golden[i].candidates);
        for (int at = 0; at < 9; at++) {
            for (int l = 0; l < 3 * 12; l++)
                flops_memory(&c, words, &generated);
            flops_words(&c, &(struct flops_words){3, (uint64_t)(3 * 12 * (at + 1)), (uint64_t)(3 * 12 * words), 3},
                        &generated);
        }
        assert_int_equal(flops(&generated), golden[i].generated);
        // All 128 answers two pieces long (most have one): less than a quarter.
        flops_words(&c, &(struct flops_words){2 * 128, 12 * 128 * (2 + 3), (uint64_t)(12 * 2 * 128 * words), 2 * 128},
                    &ours);
        assert_true(4 * flops(&ours) < golden[i].candidates);
    }
    assert_int_equal(image_flops(&c) + text_flops(&c, 16) + golden[1].first + golden[1].candidates, 525003786240);
    assert_int_equal(image_flops(&c) + text_flops(&c, 16) + golden[1].generated, 232160753664);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retrieval),
        cmocka_unit_test(test_vqa_totals),
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_pruned_layer),
        cmocka_unit_test(test_blip_encoders),
        cmocka_unit_test(test_blip_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
