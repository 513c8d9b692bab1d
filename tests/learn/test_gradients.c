// Every backward pass against central differences, in double precision (the Makefile compiles the training sources
// once more with LEARN_DOUBLE for it).
#include "engine/learn/cost.h"
#include "engine/learn/net.h"
#include "engine/learn/upkeep.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <stdint.h>
// cmocka needs the headers above first.
#include <cmocka.h>

enum { QUESTIONS = 3, TEXT = 7, WRITTEN = 7, DIRECTION = 12288, HEADS_WEIGHT = 7, WORDS_WEIGHT = 11 };

struct fixture {
    struct model_config config;
    struct params params;
    struct net net;
    struct tape tape;
    real *gradient, *pixels, *weights;
    real *second_pixels; // in `pixels`, behind the first picture
    int ids[QUESTIONS * TEXT], text_count[QUESTIONS], answer_words[11], patches[5], written[WRITTEN];
    struct net_batch batch;
    struct net_trimming trimming;
    real cost_weight;
    bool pair; // a statement about two pictures instead of questions about one
    int rows; // of the picture, summed over the fusion layers of every pass
};

// TRIMMERS: in every layer. CONCAT: with an MLP as their cross-modal part. FROZEN: and nothing else is trained.
enum trimming { DENSE, TRIMMERS, CONCAT, FROZEN };

struct setup {
    bool blip;
    enum model_task task;
    enum model_stem stem;
    enum fusion_norm order;
    enum trimming trimming;
    bool subset; // of the patches
    int fusion_layers; // 0: 2
};

// Patches are wider than words, so that no width can be taken for the other.
static void blip_config(struct model_config *c, const struct setup *setup, int fusion_layers)
{
    bool writes = setup->task == TASK_VQA, captions = setup->task == TASK_CAPTION, judges = setup->task == TASK_NLVR2;
    bool trimmers = setup->trimming != DENSE, concat = setup->trimming == CONCAT;
    model_config_default_blip(c, setup->task);
    c->image_size = 64;
    c->position_grid = 4;
    c->width = 8;
    c->heads = 2;
    c->image_width = 12;
    c->image_heads = 3;
    c->image_layers = 2;
    c->fusion_layers = fusion_layers;
    c->image_ffn = 14;
    c->text_fusion_ffn = 9;
    c->vocabulary = 13;
    c->positions = 12;
    c->max_tokens = 10;
    c->labels = writes ? 5 : captions ? 0 : 2;
    c->decoder_layers = writes ? 2 : 0;
    c->decoder_ffn = writes ? 10 : 0;
    c->projection = writes || captions || judges ? 0 : 4;
    c->head_hidden = judges ? 11 : 0;
    c->merge_from = judges ? 1 : 0; // the first layer takes the mean of both pictures
    c->image_eps = c->text_eps = c->fusion_eps = c->head_eps = c->trimmer_eps = 1e-5f;
    for (int l = 0; trimmers && l < 2; l++)
        c->trimmers[STACK_IMAGE][l] = (struct trimmer_config){3, 4, true, false, concat};
    for (int l = 0; trimmers && l < fusion_layers; l++) {
        c->trimmers[STACK_FUSION_IMAGE][l] = (struct trimmer_config){3, 4, false, false, concat};
        if (!captions)
            c->trimmers[STACK_FUSION_TEXT][l] = (struct trimmer_config){4, 3, true, true, concat};
    }
    if (trimmers && writes)
        c->trimmers[STACK_DECODER][0] = (struct trimmer_config){3, 5, false, false, concat};
}

static void tiny_config(struct model_config *c, const struct setup *setup)
{
    enum trimming trimming = setup->trimming;
    enum model_stem stem = setup->stem;
    enum fusion_norm order = setup->order;
    int fusion_layers = setup->fusion_layers ? setup->fusion_layers : 2;
    if (setup->blip) {
        blip_config(c, setup, fusion_layers);
        return;
    }
    model_config_default(c);
    bool matches = setup->task == TASK_RETRIEVAL;
    c->task = setup->task;
    c->pictures = 1;
    c->image_size = 64;
    c->patch_size = 16;
    c->position_grid = 4;
    c->width = 8;
    c->heads = 2;
    c->image_layers = 2;
    c->text_layers = 1;
    c->fusion_layers = fusion_layers;
    c->image_ffn = 12;
    c->text_ffn = 10;
    c->image_fusion_ffn = 14;
    c->text_fusion_ffn = 9;
    c->vocabulary = 13;
    c->positions = 12;
    c->max_tokens = 10;
    c->token_types = 3;
    c->pair_hidden = matches ? 0 : 15;
    c->labels = matches ? 2 : 11;
    c->head_hidden = matches ? 0 : 16;
    c->stem = stem;
    if (stem == STEM_CONV) {
        c->stem_channels[0] = 5;
        c->stem_channels[1] = 6;
        c->stem_blocks = 2;
        c->stem_expansion = 7;
    }
    c->fusion_norm = order;
    c->fusion_position = order == FUSION_PRE;
    c->answer_words = order == FUSION_PRE && !matches;
    c->image_eps = c->text_eps = c->fusion_eps = c->head_eps = c->trimmer_eps = 1e-5f;
    if (trimming == DENSE)
        return;
    bool concat = trimming == CONCAT;
    for (int l = 0; l < 2; l++)
        c->trimmers[STACK_IMAGE][l] = (struct trimmer_config){3, 4, true, false, concat};
    c->trimmers[STACK_TEXT][0] = (struct trimmer_config){3, 0, true, false, false};
    for (int l = 0; l < fusion_layers; l++) {
        c->trimmers[STACK_FUSION_IMAGE][l] = (struct trimmer_config){3, 4, true, true, concat};
        c->trimmers[STACK_FUSION_TEXT][l] = (struct trimmer_config){4, 3, true, true, concat};
    }
}

static const int answer_first[] = {0, 2, 6, WRITTEN};

static uint32_t digest_of(const char *name)
{
    uint32_t digest = 2166136261u;
    for (; *name; name++)
        digest = (digest ^ (uint32_t)(unsigned char)*name) * 16777619u;
    return digest;
}

static void fixture_init(struct fixture *f, const struct setup *setup)
{
    enum trimming trimming = setup->trimming;
    *f = (struct fixture){0};
    tiny_config(&f->config, setup);
    assert_true(params_init(&f->params, &f->config, trimming == FROZEN ? PARAMS_TRIMMERS : PARAMS_ALL, 0, 0));
    params_randomize(&f->params, &f->config, 5);
    struct random random;
    // Larger than a start value, so that no gradient hides behind a small weight; trimmers near the undecided point.
    for (int i = 0; i < f->params.count; i++) {
        const struct param *p = &f->params.items[i];
        random_init(&random, 9, (uint64_t)digest_of(p->info.name)); // whatever the order of parameters
        bool decision = strstr(p->info.name, ".out.bias") && p->info.trimmer;
        for (int64_t k = 0; k < p->info.elements; k++) {
            real *value = &f->params.value[p->offset + (size_t)k];
            *value = (decision ? 0.3 : *value) + 0.2 * (real)random_normal(&random);
        }
    }
    random_init(&random, 9, 0);
    struct error err;
    for (int a = 0; a < 11; a++)
        f->answer_words[a] = a % 3 == 0 ? -1 : a + 1;
    assert_true(net_init(&f->net, &f->config, &f->params, f->answer_words, &err));
    f->gradient = memory_alloc(f->params.total, sizeof *f->gradient);
    f->weights = memory_alloc(1 << 16, sizeof *f->weights);
    for (int i = 0; i < 1 << 16; i++)
        f->weights[i] = (real)random_normal(&random);
    f->pixels = memory_alloc(2 * 3 * 64 * 64, sizeof *f->pixels);
    for (int i = 0; i < 3 * 64 * 64; i++)
        f->pixels[i] = (real)random_normal(&random);
    f->second_pixels = f->pixels + 3 * 64 * 64;
    for (int i = 0; i < 3 * 64 * 64; i++)
        f->second_pixels[i] = (real)sin(i * 0.7);
    for (int q = 0; q < QUESTIONS; q++) {
        f->text_count[q] = TEXT - q;
        for (int t = 0; t < TEXT; t++)
            f->ids[q * TEXT + t] = t < f->text_count[q] ? (int)random_below(&random, 13) : 1;
    }
    for (int w = 0; w < WRITTEN; w++)
        f->written[w] = (int)random_below(&random, 13);
    int patches[5] = {0, 3, 7, 8, 15};
    memcpy(f->patches, patches, sizeof patches);
    f->batch = (struct net_batch){.questions = QUESTIONS, .text_stride = TEXT, .pixels = f->pixels, .ids = f->ids,
                                  .text_count = f->text_count, .patch_count = setup->subset ? 5 : 0, .patches = f->patches,
                                  .answer_rows = {.n = QUESTIONS, .stride = 4, .first = answer_first},
                                  .answer_ids = f->written};
    bool trimmers = trimming != DENSE;
    f->trimming = (struct net_trimming){.on = trimmers, .heads = trimmers, .sampling = {.temperature = 1, .relaxed = true}};
    f->cost_weight = trimmers ? 30 : 0;
    f->tape.kernels = learn_kernels_get();
    f->tape.P = f->params.value;
    f->tape.trained = f->params.trained;
    assert_true(arena_init(&f->tape.arena, net_arena_size(&f->net, QUESTIONS, TEXT, WRITTEN) * 4));
}

static void fixture_free(struct fixture *f)
{
    params_free(&f->params);
    memory_free(f->gradient);
    memory_free(f->weights);
    memory_free(f->pixels);
    arena_free(&f->tape.arena);
}

static real weighted(const real *x, const real *w, size_t n)
{
    real sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * w[i];
    return sum;
}

// A loss that touches everything that losses can touch. Differentiates too when the tape has a gradient.
static real loss(struct fixture *f)
{
    arena_rewind(&f->tape.arena, 0);
    struct net_state state;
    net_forward(&f->tape, &f->net, &f->batch, &f->trimming, &state);
    size_t width = (size_t)f->config.width, wide = (size_t)model_image_width(&f->config);
    size_t encoded = (size_t)rows_total(state.image_rows) * wide, image = (size_t)rows_total(state.rows[NET_IMAGE]) * wide;
    size_t logits = (size_t)(rows_total(state.answer_rows) * f->net.labels);
    assert_true(logits <= 100 && encoded <= 1700);
    real *w = f->weights, total = weighted(state.logits, w, logits) + weighted(state.encoded, w + 300, encoded);
    if (state.pooled)
        total += weighted(state.pooled, w + 100, QUESTIONS * 2 * width);
    if (!f->trimming.compact)
        total += weighted(state.fusion[0][NET_IMAGE].output, w + 2000, image);
    for (int l = 0; l < f->config.fusion_layers; l++)
        f->rows += rows_total(state.fusion[l][NET_IMAGE].compact.at);
    double share[QUESTIONS];
    if (f->cost_weight > 0) {
        cost_shares(&f->net, &f->batch, &state, share);
        for (int q = 0; q < QUESTIONS; q++)
            total += f->cost_weight * share[q];
        struct upkeep upkeep = {0};
        upkeep_measure(&f->net, &f->batch, &state, &upkeep);
        total += HEADS_WEIGHT * upkeep.heads + WORDS_WEIGHT * upkeep.words;
    }
    if (f->tape.G) {
        struct net_gradients g = {.logits = w, .pooled = w + 100, .encoded = w + 300};
        if (!f->trimming.compact)
            g.fusion_image[0] = w + 2000;
        if (f->cost_weight > 0)
            cost_back(&f->net, &f->batch, &state, f->cost_weight);
        if (f->cost_weight > 0)
            upkeep_push(&f->net, &f->batch, &state, HEADS_WEIGHT, WORDS_WEIGHT);
        net_backward(&f->tape, &f->net, &f->batch, &state, &g);
    }
    return total;
}

// The same of statements about two pictures: the head's logits, and one picture's poolers beside it.
static real pair_loss(struct fixture *f)
{
    arena_rewind(&f->tape.arena, 0);
    struct net_batch batches[2] = {f->batch, f->batch};
    struct net_state states[2];
    struct answer_head_state head;
    batches[1].pixels = f->second_pixels;
    batches[1].picture = 1;
    for (int p = 0; p < 2; p++)
        net_forward(&f->tape, &f->net, &batches[p], &f->trimming, &states[p]);
    net_pair_forward(&f->tape, &f->net, states, &head);
    size_t pooled = (size_t)(QUESTIONS * 2 * f->config.width);
    real *w = f->weights, total = weighted(head.logits, w, QUESTIONS * 2);
    total += weighted(states[1].pooled, w + 100, pooled);
    if (f->tape.G) {
        real *dpooled = tape_alloc(&f->tape, pooled);
        memcpy(dpooled, w + 100, pooled * sizeof *w);
        struct net_gradients g[2] = {{.logits = NULL}, {.pooled = dpooled}};
        net_pair_backward(&f->tape, &f->net, &head, w, QUESTIONS, g);
        for (int p = 0; p < 2; p++)
            net_backward(&f->tape, &f->net, &batches[p], &states[p], &g[p]);
    }
    return total;
}

static real any_loss(struct fixture *f)
{
    return f->pair ? pair_loss(f) : loss(f);
}

static void check_gradients(struct fixture *f)
{
    f->tape.G = f->gradient;
    any_loss(f);
    f->tape.G = NULL;
    struct random random;
    random_init(&random, 3, 3);
    for (int i = 0; i < f->params.count; i++) {
        const struct param *p = &f->params.items[i];
        // A random direction through the whole tensor, then two single elements.
        for (int trial = 0; trial < 3; trial++) {
            real direction[DIRECTION] = {0}, slope = 0;
            int64_t n = p->info.elements;
            assert_true(n <= DIRECTION);
            for (int64_t k = 0; k < n; k++)
                direction[k] = trial ? 0 : (real)random_normal(&random);
            if (trial)
                direction[random_below(&random, (uint32_t)n)] = 1;
            const real step = 2e-5;
            real value[2];
            for (int side = 0; side < 2; side++) {
                for (int64_t k = 0; k < n; k++)
                    f->params.value[p->offset + (size_t)k] += (side ? -2 : 1) * step * direction[k];
                value[side] = any_loss(f);
            }
            for (int64_t k = 0; k < n; k++) {
                f->params.value[p->offset + (size_t)k] += step * direction[k];
                slope += f->gradient[p->offset + (size_t)k] * direction[k];
            }
            real measured = (value[0] - value[1]) / (2 * step), scale = fabs(measured) + fabs(slope) + 1e-2;
            if (fabs(measured - slope) > 2e-5 * scale)
                fail_msg("%s: backward %.9g, central difference %.9g", p->info.name, slope, measured);
        }
    }
}

static void check_all(struct setup setup)
{
    struct fixture f;
    fixture_init(&f, &setup);
    check_gradients(&f);
    fixture_free(&f);
}

static void test_post_norm(void **state)
{
    (void)state;
    check_all((struct setup){.trimming = DENSE});
}

static void test_pre_norm_conv_stem(void **state)
{
    (void)state;
    check_all((struct setup){.stem = STEM_CONV, .order = FUSION_PRE});
}

static void test_patch_subset(void **state)
{
    (void)state;
    check_all((struct setup){.stem = STEM_CONV, .order = FUSION_PRE, .subset = true});
}

static void test_trimmers_post_norm(void **state)
{
    (void)state;
    check_all((struct setup){.trimming = TRIMMERS});
}

static void test_trimmers_pre_norm(void **state)
{
    (void)state;
    check_all((struct setup){.stem = STEM_CONV, .order = FUSION_PRE, .trimming = TRIMMERS});
}

static void test_match(void **state)
{
    (void)state;
    check_all((struct setup){.task = TASK_RETRIEVAL});
    check_all((struct setup){.task = TASK_RETRIEVAL, .order = FUSION_PRE, .trimming = TRIMMERS});
}

static void test_pair(void **state)
{
    (void)state;
    for (int trimmers = 0; trimmers < 2; trimmers++) {
        struct fixture f;
        fixture_init(&f, &(struct setup){.stem = STEM_CONV, .order = FUSION_PRE, .trimming = trimmers ? TRIMMERS : DENSE});
        f.pair = true;
        check_gradients(&f);
        fixture_free(&f);
    }
}

// Rows that cannot matter are left out: loss and gradients stay what they are with every row, masks being 0 and 1.
static void check_compact(struct setup setup)
{
    struct fixture f;
    setup.trimming = TRIMMERS;
    setup.fusion_layers = 4;
    fixture_init(&f, &setup);
    f.trimming.sampling.relaxed = false;
    memset(f.weights + 2000, 0, (1 << 15) * sizeof *f.weights); // no loss on the outputs of fusion layers
    real *whole = memory_alloc(f.params.total, sizeof *whole), loss_whole;
    f.tape.G = whole;
    loss_whole = loss(&f);
    int rows_whole = f.rows;
    f.rows = 0;
    f.trimming.compact = true;
    f.tape.G = f.gradient;
    real loss_compact = loss(&f), largest = 0, difference = 0;
    for (size_t i = 0; i < f.params.total; i++) {
        largest = fmax(largest, fabs(whole[i]));
        difference = fmax(difference, fabs(whole[i] - f.gradient[i]));
    }
    print_message("%d of %d rows; loss off by %g, gradients by %g of at most %g\n", f.rows, rows_whole,
                  fabs(loss_whole - loss_compact), difference, largest);
    assert_true(f.rows < rows_whole * 4 / 5);
    assert_true(fabs(loss_whole - loss_compact) < 1e-10 * fabs(loss_whole));
    assert_true(difference < 1e-11 * largest);
    memory_free(whole);
    fixture_free(&f);
}

static void test_compact(void **state)
{
    (void)state;
    check_compact((struct setup){.stem = STEM_CONV, .order = FUSION_PRE});
    check_compact((struct setup){.stem = STEM_CONV, .order = FUSION_POST});
    check_compact((struct setup){.blip = true, .task = TASK_VQA});
    check_compact((struct setup){.blip = true, .task = TASK_RETRIEVAL});
    check_compact((struct setup){.blip = true, .task = TASK_CAPTION});
    check_compact((struct setup){.blip = true, .task = TASK_NLVR2});
}

static void test_concat(void **state)
{
    (void)state;
    check_all((struct setup){.trimming = CONCAT});
    check_all((struct setup){.stem = STEM_CONV, .order = FUSION_PRE, .trimming = CONCAT});
}

// With a frozen backbone the trimmers' gradients are what they are without, and there are no others; where no trimmer
// sits the backward pass does not go.
static void check_frozen(bool blip, enum model_task task, bool encoders, bool decoder_alone)
{
    struct fixture whole, frozen;
    fixture_init(&whole, &(struct setup){.blip = blip, .task = task, .trimming = TRIMMERS, .fusion_layers = 3});
    fixture_init(&frozen, &(struct setup){.blip = blip, .task = task, .trimming = FROZEN, .fusion_layers = 3});
    for (int i = 0; i < 2 && !encoders; i++) {
        struct fixture *f = i ? &frozen : &whole;
        memset(f->config.trimmers[STACK_IMAGE], 0, sizeof f->config.trimmers[STACK_IMAGE]);
        memset(f->config.trimmers[STACK_TEXT], 0, sizeof f->config.trimmers[STACK_TEXT]);
        memset(f->config.trimmers[STACK_FUSION_IMAGE], 0, sizeof *f->config.trimmers[STACK_FUSION_IMAGE]);
        memset(f->config.trimmers[STACK_FUSION_TEXT], 0, sizeof *f->config.trimmers[STACK_FUSION_TEXT]);
        for (int l = 0; l < 3 && decoder_alone; l++)
            f->config.trimmers[STACK_FUSION_IMAGE][l] = f->config.trimmers[STACK_FUSION_TEXT][l] = (struct trimmer_config){0};
        assert_true(net_init(&f->net, &f->config, &f->params, f->answer_words, NULL));
    }
    assert_int_equal(frozen.net.first_image, encoders ? 0 : 2);
    assert_int_equal(frozen.net.first_fusion, encoders ? 0 : decoder_alone ? 3 : 1);
    whole.tape.G = whole.gradient;
    frozen.tape.G = frozen.gradient;
    assert_true(loss(&whole) == loss(&frozen));
    int compared = 0;
    for (int i = 0; i < whole.params.count; i++) {
        const struct param *p = &whole.params.items[i], *q = params_find(&frozen.params, p->info.name);
        assert_int_equal(q->offset < frozen.params.trained, p->info.trimmer);
        for (int64_t k = 0; p->info.trimmer && k < p->info.elements; k++, compared++)
            if (whole.gradient[p->offset + (size_t)k] != frozen.gradient[q->offset + (size_t)k])
                fail_msg("%s: %g, frozen %g", p->info.name, whole.gradient[p->offset + (size_t)k],
                         frozen.gradient[q->offset + (size_t)k]);
    }
    assert_true(compared > 100);
    for (size_t i = frozen.params.trained; i < frozen.params.total; i++)
        assert_true(frozen.gradient[i] == 0);
    fixture_free(&whole);
    fixture_free(&frozen);
}

static void test_frozen(void **state)
{
    (void)state;
    for (int blip = 0; blip < 2; blip++) {
        check_frozen(blip, TASK_VQA, true, false);
        check_frozen(blip, TASK_VQA, false, false);
    }
    check_frozen(true, TASK_VQA, false, true);
    check_frozen(true, TASK_NLVR2, true, false);
    check_frozen(true, TASK_NLVR2, false, false);
}

static void test_blip_answers(void **state)
{
    (void)state;
    check_all((struct setup){.blip = true, .task = TASK_VQA});
    check_all((struct setup){.blip = true, .task = TASK_VQA, .trimming = TRIMMERS});
    check_all((struct setup){.blip = true, .task = TASK_VQA, .trimming = CONCAT});
}

static void test_blip_captions(void **state)
{
    (void)state;
    check_all((struct setup){.blip = true, .task = TASK_CAPTION});
    check_all((struct setup){.blip = true, .task = TASK_CAPTION, .trimming = TRIMMERS});
    check_all((struct setup){.blip = true, .task = TASK_CAPTION, .trimming = CONCAT});
}

static void test_blip_matches(void **state)
{
    (void)state;
    check_all((struct setup){.blip = true, .task = TASK_RETRIEVAL});
    check_all((struct setup){.blip = true, .task = TASK_RETRIEVAL, .trimming = TRIMMERS});
}

// Two pictures read side by side, merged by a mean in the first layer and by a linear map in the second.
static void test_blip_pairs(void **state)
{
    (void)state;
    check_all((struct setup){.blip = true, .task = TASK_NLVR2});
    check_all((struct setup){.blip = true, .task = TASK_NLVR2, .subset = true});
    check_all((struct setup){.blip = true, .task = TASK_NLVR2, .trimming = TRIMMERS});
    check_all((struct setup){.blip = true, .task = TASK_NLVR2, .trimming = CONCAT});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_post_norm),          cmocka_unit_test(test_pre_norm_conv_stem),
        cmocka_unit_test(test_patch_subset),       cmocka_unit_test(test_trimmers_post_norm),
        cmocka_unit_test(test_trimmers_pre_norm),  cmocka_unit_test(test_compact),
        cmocka_unit_test(test_concat),             cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_pair), cmocka_unit_test(test_match),               cmocka_unit_test(test_blip_answers),
        cmocka_unit_test(test_blip_matches),       cmocka_unit_test(test_blip_captions),
        cmocka_unit_test(test_blip_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
