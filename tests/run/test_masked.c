// Pruning by gathering against pruning by masks: a plain reference, written from names.md, computes every token and head
// and masks what the run dropped (keys of dropped tokens but each token's own, contexts of dropped heads). It also
// scores tokens and heads by the formulas. The run and the reference share nothing but the weights file and the
// embeddings.
#include "tests/support/cmocka_all.h"

#include "engine/io/safetensors.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "engine/text/tokenizer.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 32, H = 4, SIZE = D / H, PATCHES = 37, WORDS = 16, WIDE = 256 };

struct sequence {
    int n;
    double x[PATCHES][WIDE];
};

static struct {
    struct tensor_list *file;
    const struct model_config *config;
    struct sequence text, image;
    bool have_text, have_image;
    double compared;
    bool similar; // the run scores patches by their likeness to the words, and nothing else
} ref;

static const float *load(const char *prefix, const char *name, int64_t *rows, int64_t *columns)
{
    static float buffer[8][65536];
    static int next;
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const struct tensor *t = tensor_list_find(ref.file, full);
    if (!t)
        fail_msg("no tensor %s", full);
    float *out = buffer[next++ % 8];
    assert_true(t->elements <= 65536);
    tensor_floats(t, out);
    if (rows)
        *rows = t->shape[0];
    if (columns)
        *columns = t->rank > 1 ? t->shape[1] : 1;
    return out;
}

static void linear(const struct sequence *x, const char *prefix, const char *name, bool bias, struct sequence *y)
{
    char full[256];
    int64_t out, in;
    struct sequence result = {.n = x->n};
    snprintf(full, sizeof full, "%s.weight", name);
    const float *w = load(prefix, full, &out, &in);
    snprintf(full, sizeof full, "%s.bias", name);
    const float *b = bias ? load(prefix, full, NULL, NULL) : NULL;
    assert_true(out <= WIDE && in <= WIDE);
    for (int r = 0; r < x->n; r++)
        for (int o = 0; o < out; o++) {
            double sum = b ? (double)b[o] : 0;
            for (int i = 0; i < in; i++)
                sum += (double)w[o * in + i] * x->x[r][i];
            result.x[r][o] = sum;
        }
    *y = result;
}

static void norm(const struct sequence *x, const char *prefix, const char *name, int width, double eps,
                 struct sequence *y)
{
    char full[256];
    snprintf(full, sizeof full, "%s.weight", name);
    const float *gamma = load(prefix, full, NULL, NULL);
    snprintf(full, sizeof full, "%s.bias", name);
    const float *beta = load(prefix, full, NULL, NULL);
    struct sequence result = {.n = x->n};
    for (int r = 0; r < x->n; r++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < width; i++)
            mean += x->x[r][i] / width;
        for (int i = 0; i < width; i++)
            variance += (x->x[r][i] - mean) * (x->x[r][i] - mean) / width;
        for (int i = 0; i < width; i++)
            result.x[r][i] = (x->x[r][i] - mean) / sqrt(variance + eps) * (double)gamma[i] + (double)beta[i];
    }
    *y = result;
}

static double gelu(double x) { return 0.5 * x * (1 + erf(x / sqrt(2))); }

static void apply(struct sequence *x, int width, bool quick)
{
    for (int r = 0; r < x->n; r++)
        for (int i = 0; i < width; i++)
            x->x[r][i] = quick ? x->x[r][i] / (1 + exp(-1.702 * x->x[r][i])) : gelu(x->x[r][i]);
}

static void add(struct sequence *x, const struct sequence *y)
{
    for (int r = 0; r < x->n; r++)
        for (int i = 0; i < D; i++)
            x->x[r][i] += y->x[r][i];
}

// own: MSA, where a token always sees itself.
static void attention(const struct sequence *q, const struct sequence *k, const struct sequence *v,
                      const uint8_t *key_alive, const uint8_t *head_on, bool own, struct sequence *ctx)
{
    *ctx = (struct sequence){.n = q->n};
    for (int h = 0; h < H; h++)
        for (int i = 0; i < q->n && head_on[h]; i++) {
            double p[PATCHES], sum = 0;
            for (int j = 0; j < k->n; j++) {
                double dot = 0;
                for (int c = 0; c < SIZE; c++)
                    dot += q->x[i][h * SIZE + c] * k->x[j][h * SIZE + c];
                p[j] = key_alive[j] || (own && i == j) ? exp(dot / sqrt(SIZE)) : 0;
                sum += p[j];
            }
            for (int j = 0; j < k->n; j++)
                for (int c = 0; c < SIZE; c++)
                    ctx->x[i][h * SIZE + c] += p[j] / sum * v->x[j][h * SIZE + c];
        }
}

static void check_near(double ours, double expected, const char *what)
{
    if (fabs(ours - expected) > 2e-4 * (1 + fabs(expected)))
        fail_msg("%s: %.7f, expected %.7f", what, ours, expected);
    ref.compared++;
}

// Scores by similarity, the transform applied to every patch as the encoder's end does it.
static void check_similarity(const struct stage *stage, int index)
{
    const struct trace_tokens *tokens = &stage->tokens[0];
    struct sequence y = ref.image;
    double expected[PATCHES], cosine[PATCHES];
    bool encoder = stage->kind == STAGE_IMAGE;
    if (encoder)
        norm(&ref.image, "vit_model.visual.", "ln_post", D, 1e-5, &y);
    struct sequence z = y;
    if (encoder)
        linear(&z, "cross_modal_", "image_transform", false, &y);
    for (int t = 1; t < y.n; t++)
        expected[t] = -INFINITY;
    for (int w = 0; w < ref.text.n; w++) {
        double sum = 0, squares = 0, count = 0;
        for (int t = 1; t < y.n; t++) {
            double dot = 0, length = 0;
            for (int i = 0; i < D; i++) {
                dot += y.x[t][i] * ref.text.x[w][i];
                length += z.x[t][i] * z.x[t][i];
            }
            bool here = tokens->dropped_at[t] < 0 || tokens->dropped_at[t] == index;
            cosine[t] = dot / sqrt(length);
            sum += here ? cosine[t] : 0;
            squares += here ? cosine[t] * cosine[t] : 0;
            count += here;
        }
        for (int t = 1; t < y.n; t++)
            expected[t] = fmax(expected[t], (cosine[t] - sum / count) /
                                                sqrt(squares / count - sum / count * (sum / count)));
    }
    for (int t = 1; t < y.n; t++) {
        bool here = tokens->dropped_at[t] < 0 || tokens->dropped_at[t] == index;
        assert_int_equal(here, !isnan(tokens->score[t]));
        if (here)
            check_near((double)tokens->score[t], expected[t], "similarity");
    }
}

// Token scores that the trace shows against the formula on the reference's own states.
static void check_tokens(const char *stack, int layer, const struct sequence *x, const double *context,
                         const struct trace_tokens *tokens, int stage)
{
    char prefix[64];
    struct sequence z, hidden, self, query, key, c = {.n = 1};
    if (ref.similar)
        return;
    snprintf(prefix, sizeof prefix, "trimmers.%s.%d.token.", stack, layer);
    norm(x, prefix, "norm", D, 1e-5, &z);
    linear(&z, prefix, "self", true, &hidden);
    apply(&hidden, 4, false);
    linear(&hidden, prefix, "out", true, &self);
    double alpha = 0, length = 0;
    if (context) {
        memcpy(c.x[0], context, sizeof(double) * D);
        norm(&c, prefix, "context_norm", D, 1e-5, &c);
        linear(&c, prefix, "key", false, &key);
        linear(&z, prefix, "query", false, &query);
        alpha = (double)load(prefix, "alpha", NULL, NULL)[0];
        for (int i = 0; i < 6; i++)
            length += key.x[0][i] * key.x[0][i];
    }
    for (int t = 1; t < x->n; t++) {
        bool here = tokens->dropped_at[t] < 0 || tokens->dropped_at[t] == stage;
        double cross = 0;
        assert_int_equal(here, !isnan(tokens->score[t]));
        if (!here)
            continue;
        for (int i = 0; context && i < 6; i++)
            cross += alpha * query.x[t][i] * key.x[0][i] / (sqrt(length) + 1e-6);
        check_near((double)tokens->self_score[t], self.x[t][0], "self score");
        if (context)
            check_near((double)tokens->cross_score[t], cross, "cross score");
        else
            assert_true(isnan(tokens->cross_score[t]));
    }
}

static void check_heads(const char *stack, int layer, const char *module, const double *own, const double *other,
                        const struct trace_heads *heads)
{
    char prefix[64];
    struct sequence z = {.n = 1}, logits;
    if (ref.similar)
        return;
    snprintf(prefix, sizeof prefix, "trimmers.%s.%d.%s.", stack, layer, module);
    memcpy(z.x[0], own, sizeof(double) * D);
    if (other)
        memcpy(z.x[0] + D, other, sizeof(double) * D);
    norm(&z, prefix, "norm", other ? 2 * D : D, 1e-5, &z);
    linear(&z, prefix, "out", true, &logits);
    for (int h = 0; h < H; h++) {
        check_near((double)heads->score[h], logits.x[0][h], "head score");
        assert_int_equal(heads->on[h], heads->score[h] >= 0);
    }
}

static void image_layer(int layer, const struct stage *stage, int index)
{
    char prefix[96];
    struct sequence h, qkv, q, k, v;
    check_tokens("image", layer, &ref.image, ref.text.x[0], &stage->tokens[0], index);
    if (ref.similar && layer > 0)
        check_similarity(stage, index);
    check_heads("image", layer, "msa", ref.image.x[0], NULL, &stage->heads[0][MODULE_MSA]);
    snprintf(prefix, sizeof prefix, "vit_model.visual.transformer.resblocks.%d.", layer);
    norm(&ref.image, prefix, "ln_1", D, 1e-5, &h);
    int64_t out;
    const float *w = load(prefix, "attn.in_proj_weight", &out, NULL), *b = load(prefix, "attn.in_proj_bias", NULL, NULL);
    qkv = (struct sequence){.n = h.n};
    for (int r = 0; r < h.n; r++)
        for (int o = 0; o < 3 * D; o++) {
            qkv.x[r][o] = (double)b[o];
            for (int i = 0; i < D; i++)
                qkv.x[r][o] += (double)w[o * D + i] * h.x[r][i];
        }
    q = k = v = qkv;
    for (int r = 0; r < h.n; r++) {
        memcpy(k.x[r], qkv.x[r] + D, sizeof(double) * D);
        memcpy(v.x[r], qkv.x[r] + 2 * D, sizeof(double) * D);
    }
    attention(&q, &k, &v, stage->tokens[0].alive, stage->heads[0][MODULE_MSA].on, true, &h);
    linear(&h, prefix, "attn.out_proj", true, &h);
    add(&ref.image, &h);
    norm(&ref.image, prefix, "ln_2", D, 1e-5, &h);
    linear(&h, prefix, "mlp.c_fc", true, &h);
    apply(&h, 96, true);
    linear(&h, prefix, "mlp.c_proj", true, &h);
    add(&ref.image, &h);
}

// x += f(LN(x)) or x = LN(x + f(x)): before and after f.
static void before(const struct sequence *x, const char *prefix, const char *name, bool pre, struct sequence *h)
{
    *h = *x;
    if (pre)
        norm(x, prefix, name, D, 1e-5, h);
}
static void after(struct sequence *x, const char *prefix, const char *name, bool pre, double eps,
                  const struct sequence *h)
{
    add(x, h);
    if (!pre)
        norm(x, prefix, name, D, eps, x);
}

// Text encoder (other NULL) and fusion layers.
static void bert_layer(const char *prefix, struct sequence *x, const struct sequence *other, bool pre, double eps,
                       int ffn, const uint8_t *alive, const uint8_t *other_alive, const struct trace_heads heads[])
{
    struct sequence h, c, q, k, v;
    before(x, prefix, "attention.output.LayerNorm", pre, &h);
    linear(&h, prefix, "attention.self.query", true, &q);
    linear(&h, prefix, "attention.self.key", true, &k);
    linear(&h, prefix, "attention.self.value", true, &v);
    attention(&q, &k, &v, alive, heads[MODULE_MSA].on, true, &h);
    linear(&h, prefix, "attention.output.dense", true, &h);
    after(x, prefix, "attention.output.LayerNorm", pre, eps, &h);
    if (other) {
        before(x, prefix, "crossattention.output.LayerNorm", pre, &h);
        before(other, prefix, "crossattention.context.LayerNorm", pre, &c);
        linear(&h, prefix, "crossattention.self.query", true, &q);
        linear(&c, prefix, "crossattention.self.key", true, &k);
        linear(&c, prefix, "crossattention.self.value", true, &v);
        attention(&q, &k, &v, other_alive, heads[MODULE_MCA].on, false, &h);
        linear(&h, prefix, "crossattention.output.dense", true, &h);
        after(x, prefix, "crossattention.output.LayerNorm", pre, eps, &h);
    }
    before(x, prefix, "output.LayerNorm", pre, &h);
    linear(&h, prefix, "intermediate.dense", true, &h);
    apply(&h, ffn, false);
    linear(&h, prefix, "output.dense", true, &h);
    after(x, prefix, "output.LayerNorm", pre, eps, &h);
}

static void text_layer(int layer, const struct stage *stage, int index)
{
    char prefix[96];
    const struct trace_tokens *tokens = &stage->tokens[TRACE_TEXT_STREAM];
    const struct trace_heads *heads = stage->heads[TRACE_TEXT_STREAM];
    snprintf(prefix, sizeof prefix, "text_transformer.encoder.layer.%d.", layer);
    check_tokens("text", layer, &ref.text, NULL, tokens, index);
    check_heads("text", layer, "msa", ref.text.x[0], NULL, &heads[MODULE_MSA]);
    bert_layer(prefix, &ref.text, NULL, false, 1e-5, 64, tokens->alive, NULL, heads);
}

static void finish_encoder(struct sequence *x, const char *transform, int type, bool place)
{
    const float *types, *positions = place ? load("", "cross_modal_image_position", NULL, NULL) : NULL;
    linear(x, "cross_modal_", transform, true, x);
    types = load("", "token_type_embeddings.weight", NULL, NULL);
    for (int r = 0; r < x->n; r++)
        for (int i = 0; i < D; i++)
            x->x[r][i] += (double)types[type * D + i] + (place ? (double)positions[r * D + i] : 0);
}

static void fusion_layer(int layer, const struct stage *stage, int index, bool pre)
{
    char prefix[96];
    struct sequence text = ref.text, image = ref.image;
    const struct trace_tokens *words = &stage->tokens[TRACE_TEXT_STREAM], *patches = &stage->tokens[0];
    const struct trace_heads *text_heads = stage->heads[TRACE_TEXT_STREAM], *image_heads = stage->heads[0];
    double eps = pre ? 1e-5 : 1e-12;
    if (ref.similar)
        check_similarity(stage, index);
    check_tokens("fusion_text", layer, &text, image.x[0], words, index);
    check_tokens("fusion_image", layer, &image, text.x[0], patches, index);
    check_heads("fusion_text", layer, "msa", text.x[0], NULL, &text_heads[MODULE_MSA]);
    check_heads("fusion_text", layer, "mca", text.x[0], image.x[0], &text_heads[MODULE_MCA]);
    check_heads("fusion_image", layer, "msa", image.x[0], NULL, &image_heads[MODULE_MSA]);
    check_heads("fusion_image", layer, "mca", image.x[0], text.x[0], &image_heads[MODULE_MCA]);
    snprintf(prefix, sizeof prefix, "cross_modal_text_layers.%d.", layer);
    bert_layer(prefix, &ref.text, &image, pre, eps, 80, words->alive, patches->alive, text_heads);
    snprintf(prefix, sizeof prefix, "cross_modal_image_layers.%d.", layer);
    bert_layer(prefix, &ref.image, &text, pre, eps, 128, patches->alive, words->alive, image_heads);
}

static void pool(struct sequence x, const char *stream, bool pre, double *out)
{
    char name[64];
    x.n = 1;
    snprintf(name, sizeof name, "%s_norm", stream);
    if (pre)
        norm(&x, "cross_modal_", name, D, 1e-5, &x);
    snprintf(name, sizeof name, "%s_pooler.dense", stream);
    linear(&x, "cross_modal_", name, true, &x);
    for (int i = 0; i < D; i++)
        out[i] = tanh(x.x[0][i]);
}

static int answer(bool pre, bool words, double *p)
{
    static const int tokens[9] = {11, 12, 20, 21, 9, 10, 19, -1, -1};
    struct sequence features = {.n = 1}, h, logits, meaning;
    double sum = 0;
    int best = 0;
    pool(ref.text, "text", pre, features.x[0]);
    pool(ref.image, "image", pre, features.x[0] + D);
    linear(&features, "vqa_classifier.", "0", true, &h);
    norm(&h, "vqa_classifier.", "1", 2 * D, 1e-5, &h);
    apply(&h, 2 * D, false);
    linear(&h, "vqa_classifier.", "3", true, &logits);
    if (words) {
        linear(&h, "vqa_classifier.", "words", true, &meaning);
        const float *table = load("", "text_transformer.embeddings.word_embeddings.weight", NULL, NULL);
        for (int a = 0; a < 9; a++)
            for (int i = 0; tokens[a] >= 0 && i < D; i++)
                logits.x[0][a] += meaning.x[0][i] * (double)table[tokens[a] * D + i];
    }
    for (int a = 0; a < 9; a++) {
        sum += exp(logits.x[0][a]);
        best = logits.x[0][a] > logits.x[0][best] ? a : best;
    }
    *p = exp(logits.x[0][best]) / sum;
    return best;
}

static void see(void *context, const char *name, const float *x, int rows, int width)
{
    (void)context;
    struct sequence *to = !strcmp(name, "txt_embeddings") ? &ref.text : !strcmp(name, "vit_ln_pre") ? &ref.image : NULL;
    if (!to)
        return;
    to->n = rows;
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < width; i++)
            to->x[r][i] = (double)x[r * width + i];
}

static void replay(const struct model *model, const struct trace *trace, bool pre)
{
    for (int i = 0; i < trace->stage_count; i++) {
        const struct stage *stage = &trace->stages[i];
        if (stage->kind == STAGE_TEXT) {
            text_layer(stage->layer, stage, i);
            if (stage->layer == model->config.text_layers - 1)
                finish_encoder(&ref.text, "text_transform", 0, false);
        }
        if (stage->kind == STAGE_IMAGE) {
            image_layer(stage->layer, stage, i);
            if (stage->layer == model->config.image_layers - 1) {
                norm(&ref.image, "vit_model.visual.", "ln_post", D, 1e-5, &ref.image);
                finish_encoder(&ref.image, "image_transform", 1, model->config.fusion_position);
            }
        }
        if (stage->kind == STAGE_FUSION)
            fusion_layer(stage->layer, stage, i, pre);
    }
}

// Returns how many states had lost some of their tokens but not all.
static int check_model(bool published, bool similar, uint64_t seed)
{
    struct tiny_options tiny = tiny_everything();
    struct run_options options = run_options_default();
    struct error err = {0};
    int ids[] = {0, 5, 6, 7, 8, 9, 17, 18, 8, 19, 2}, partly = 0, off = 0;
    static float pixels[3 * 96 * 96];
    const float *list[] = {pixels};
    for (int i = 0; i < 3 * 96 * 96; i++)
        pixels[i] = sinf((float)i * 0.37f * (float)(seed + 1)) + cosf((float)(i / 96) * 0.11f);
    tiny.published = published;
    tiny.seed = 20 + seed;
    ids[5] = 9 + (int)seed;
    const char *path = tiny_write("masked.safetensors", &tiny);
    struct model *model = model_open(path, NULL, &err);
    assert_non_null(model);
    ref.file = safetensors_open(path, &err);
    ref.compared = 0;
    ref.similar = similar;
    options.policy = similar ? POLICY_TEXT_SIMILARITY : POLICY_LEARNED;
    options.budget = similar ? 0.7 : (double)NAN;
    struct run *run = run_new_from_tensors(model, list, ids, 11, &options, see, NULL, &err);
    assert_non_null(run);
    tiny_finish(run);
    const struct trace *trace = run_trace(run);
    replay(model, trace, !published);
    double p;
    int best = answer(!published, model->config.answer_words, &p);
    assert_string_equal(trace->answer.text, model->answers[best]);
    check_near((double)trace->answer.p, p, "answer");
    // The comparison is about something: tokens and heads were dropped, and scores were there to compare.
    for (int i = 0; i < trace->stage_count; i++)
        for (int s = 0; s < TRACE_STREAMS; s++) {
            const struct trace_tokens *tokens = &trace->stages[i].tokens[s];
            int alive = 0;
            for (int t = 0; t < tokens->count; t++)
                alive += tokens->alive[t];
            partly += alive > 1 && alive < tokens->count;
            for (int m = 0; m < MODULES; m++)
                for (int h = 0; h < trace->stages[i].heads[s][m].count; h++)
                    off += !trace->stages[i].heads[s][m].on[h];
        }
    printf("  %d states with some tokens dropped, %d heads off, %.0f numbers compared\n", partly, off, ref.compared);
    assert_true(similar || off >= 5);
    assert_true(ref.compared > (similar ? 60 : 120));
    run_free(run);
    tensor_list_close(ref.file);
    model_free(model);
    return partly;
}

static void test_gathered_equals_masked(void **state)
{
    (void)state;
    int partly = 0;
    for (uint64_t seed = 0; seed < 5; seed++)
        partly += check_model(false, false, seed);
    assert_true(partly >= 15);
}

static void test_gathered_equals_masked_post_norm(void **state)
{
    (void)state;
    int partly = 0;
    for (uint64_t seed = 0; seed < 5; seed++)
        partly += check_model(true, false, seed);
    assert_true(partly >= 15);
}

static void test_gathered_equals_masked_by_similarity(void **state)
{
    (void)state;
    int partly = 0;
    for (uint64_t seed = 0; seed < 6; seed++)
        partly += check_model(seed % 2, true, seed % 3);
    assert_true(partly >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gathered_equals_masked),
        cmocka_unit_test(test_gathered_equals_masked_post_norm),
        cmocka_unit_test(test_gathered_equals_masked_by_similarity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
