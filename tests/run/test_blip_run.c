// BLIP stage by stage: what each stage costs, what pruning changes, and that going back leads to the same run again.
#include "tests/support/cmocka_all.h"

#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/prune/flops.h"
#include "engine/run/run.h"
#include "engine/run/run_private.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const enum model_task tasks[] = {TASK_VQA, TASK_CAPTION, TASK_NLVR2, TASK_RETRIEVAL};
enum { TASKS = sizeof tasks / sizeof *tasks };

static struct model *blip(enum model_task task, bool trimmers)
{
    struct tiny_options tiny = tiny_everything();
    tiny.blip = true;
    tiny.task = task;
    tiny.text_trimmers = false;
    tiny.image_trimmers = tiny.fusion_trimmers = tiny.decoder_trimmers = tiny.head_trimmers = trimmers;
    return tiny_model(&tiny);
}

static struct run *finished(const struct model *model, const struct run_options *options, uint64_t seed)
{
    struct run *run = tiny_run(model, options, seed);
    tiny_finish(run);
    return run;
}

static struct run_options with_policy(enum policy policy, double budget)
{
    struct run_options options = run_options_default();
    options.policy = policy;
    options.budget = budget;
    return options;
}

static const struct stage *find_stage(const struct trace *trace, const char *name)
{
    for (int i = 0; i < trace->stage_count; i++)
        if (!strcmp(trace->stages[i].name, name))
            return &trace->stages[i];
    fail_msg("there is no stage %s", name);
    return NULL;
}

// Unpruned, what was counted where the products are made is what the formulas say, stage by stage.
static void check_dense(const struct model *model, const struct run_options *options)
{
    struct run *run = finished(model, options, 3);
    const struct trace *trace = run_trace(run);
    for (int i = 0; i < trace->stage_count; i++) {
        const struct trace_macs *macs = &trace->stages[i].macs;
        if (macs->spent != macs->dense)
            fail_msg("%s: counted %.0f, formula %.0f", trace->stages[i].name, macs->spent, macs->dense);
    }
    const struct stage *last = &trace->stages[trace->stage_count - 1];
    assert_int_equal(last->kind, STAGE_ANSWER);
    assert_true(last->answer_count > 1);
    assert_true(trace->answer.p > 0 && trace->answer.p <= 1);
    assert_true(strlen(trace->answer.text) > 0);
    assert_string_equal(trace->architecture, "blip");
    assert_int_equal(trace->stage_total, trace->stage_count);
    run_free(run);
}

static void test_ledger(void **state)
{
    (void)state;
    struct run_options options = with_policy(POLICY_NONE, (double)NAN);
    for (int t = 0; t < TASKS; t++) {
        struct model *model = blip(tasks[t], false);
        check_dense(model, &options);
        if (tasks[t] == TASK_VQA) {
            struct run_options written = options;
            written.generate = true;
            check_dense(model, &written);
        }
        model_free(model);
    }
}

// With every mask open nothing but the trimmers' work is added, the pass over the words that guides the patches included.
static void test_open_equals_dense(void **state)
{
    (void)state;
    for (int t = 0; t < TASKS; t++) {
        struct model *model = blip(tasks[t], true);
        struct run_options open = with_policy(POLICY_LEARNED, 1), none = with_policy(POLICY_NONE, (double)NAN);
        struct run *a = finished(model, &open, 5), *b = finished(model, &none, 5);
        const struct trace *x = run_trace(a), *y = run_trace(b);
        double trimmer = 0;
        assert_int_equal(x->stage_count, y->stage_count);
        for (int i = 0; i < x->stage_count; i++) {
            trimmer += x->stages[i].macs.by[MAC_TRIMMER];
            assert_int_equal(x->stages[i].answer_count, y->stages[i].answer_count);
            for (int k = 0; k < x->stages[i].answer_count; k++) {
                assert_string_equal(x->stages[i].answers[k].text, y->stages[i].answers[k].text);
                assert_true(x->stages[i].answers[k].p == y->stages[i].answers[k].p);
            }
        }
        assert_true(x->stages[0].macs.by[MAC_TRIMMER] > 0);
        assert_true(y->stages[0].macs.by[MAC_TRIMMER] == 0);
        assert_true(x->spent_macs == y->spent_macs + trimmer);
        run_free(a);
        run_free(b);
        model_free(model);
    }
}

static int alive(const struct trace_tokens *tokens)
{
    int n = 0;
    for (int i = 0; i < tokens->count; i++)
        n += tokens->alive[i];
    return n;
}

// scores (patches) of the words' queries and the patches' keys, both made forwards, as `asks` makes them: in units of the
// spread over the patches, the largest over the words.
static void expected_similarity(const struct model *model, const struct attention_weights *asks, const float *words, int word_rows,
                                const float *z, int rows, double *score)
{
    enum { ROWS = 40, WIDTH = 32, BOTH = 2 * WIDTH };
    static float q[ROWS * WIDTH], kv[ROWS * BOTH], zero[64], none[BOTH];
    struct math math = {0};
    uint64_t macs = 0;
    int from = asks->memory.in;
    assert_true(model->config.width == WIDTH && rows <= ROWS && word_rows <= ROWS && from <= 64);
    assert_true(arena_init(&math.scratch, linear_scratch(from, 1)));
    linear_apply(&math, &asks->in, words, WIDTH, word_rows, q, WIDTH, ACTIVATION_NONE, NULL, 0, NULL, NULL, &macs);
    linear_apply(&math, &asks->memory, z, from, rows, kv, BOTH, ACTIVATION_NONE, NULL, 0, NULL, NULL, &macs);
    linear_apply(&math, &asks->memory, zero, from, 1, none, BOTH, ACTIVATION_NONE, NULL, 0, NULL, NULL, &macs);
    arena_free(&math.scratch);
    for (int w = 0; w < word_rows; w++) {
        double cosine[ROWS], sum = 0, squares = 0;
        for (int r = 1; r < rows; r++) {
            double length = 0;
            for (int i = 0; i < from; i++)
                length += (double)z[r * from + i] * (double)z[r * from + i];
            cosine[r] = 0;
            for (int i = 0; i < WIDTH; i++)
                cosine[r] += (double)q[w * WIDTH + i] * ((double)kv[r * BOTH + i] - (double)none[i]) / sqrt(length);
            sum += cosine[r];
            squares += cosine[r] * cosine[r];
        }
        double mean = sum / (rows - 1), spread = sqrt(squares / (rows - 1) - mean * mean);
        for (int r = 1; r < rows; r++)
            score[r] = w ? fmax(score[r], (cosine[r] - mean) / spread) : (cosine[r] - mean) / spread;
    }
}

// A run in which every stage finds the scratch full of NaN: what is read there was written there before.
static struct run *finished_on_waste(const struct model *model, const struct run_options *options, const struct intervention *change)
{
    struct error err = {0};
    struct run *run = tiny_run(model, options, 2);
    if (change)
        assert_true(run_intervene(run, change) >= 0);
    do
        memset(run->math.scratch.base + run->math.scratch.used, 0xff, run->math.scratch.size - run->math.scratch.used);
    while (run_step(run, &err));
    if (!run_finished(run))
        fail_msg("%s", err.text);
    return run;
}

// Heads that are switched off, by trimmers or by hand, leave nothing behind that words to come read.
static void test_scratch_is_written_before_it_is_read(void **state)
{
    (void)state;
    for (int t = 0; t < TASKS; t++)
        for (int by_hand = 0; by_hand < 2; by_hand++) {
            struct model *model = blip(tasks[t], !by_hand);
            struct run_options options = with_policy(by_hand ? POLICY_NONE : POLICY_LEARNED, (double)NAN);
            struct intervention off = {.kind = INTERVENE_HEAD_OFF, .stream = TRACE_TEXT_STREAM, .module = MODULE_MSA, .head = 1};
            struct run *clean = tiny_run(model, &options, 2);
            off.stage = run_fusion_stage(clean, 1);
            if (by_hand)
                assert_true(run_intervene(clean, &off) >= 0);
            tiny_finish(clean);
            struct run *waste = finished_on_waste(model, &options, by_hand ? &off : NULL);
            tiny_check_same_trace(run_trace(clean), run_trace(waste));
            run_free(clean);
            run_free(waste);
            model_free(model);
        }
}

// Similarity is what the text layer that reads the patches asks of them: the first one while they are in the image encoder.
static void test_similarity(void **state)
{
    (void)state;
    static const enum model_task tested[] = {TASK_VQA, TASK_NLVR2};
    for (int t = 0; t < 2; t++) {
        struct model *model = blip(tested[t], false);
        struct run_options options = with_policy(POLICY_TEXT_SIMILARITY, (double)NAN);
        struct run *run = finished(model, &options, 2);
        int width = model_image_width(&model->config), compared = 0;
        for (int i = 1; i < run->trace.stage_count; i++)
            for (int s = 0; s < model->config.pictures; s++) {
                const struct stage_plan *plan = &run->plan[i];
                bool encoder = plan->kind == STAGE_IMAGE && plan->stream == s && plan->layer > 0;
                if (!encoder && plan->kind != STAGE_FUSION)
                    continue;
                const struct layer *layer = &model->fusion[FUSION_TEXT][encoder ? 0 : plan->layer];
                const struct stream_state *in = run_input(run, i, s);
                const struct stream_state *words =
                    encoder ? &run->snapshots[0].streams[TRACE_TEXT_STREAM] : run_input(run, i, TRACE_TEXT_STREAM);
                double score[40];
                static float z[40 * 64];
                memcpy(z, run_rows(in, 0), (size_t)(in->alive * width) * sizeof *z);
                if (encoder)
                    norm_apply(NULL, &model->image_norm_post, z, in->alive, width, z);
                expected_similarity(model, s ? &layer->twin : &layer->mca, run_rows(words, s), words->alive, z, in->alive, score);
                for (int r = 1; r < in->alive; r++, compared++) {
                    double found = (double)run->trace.stages[i].tokens[s].score[in->rows[r]];
                    if (!(fabs(found - score[r]) < 1e-3))
                        fail_msg("%s, stream %d, row %d: %.6f, should be %.6f", run->trace.stages[i].name, s, r, found, score[r]);
                }
            }
        assert_true(compared > 60);
        run_free(run);
        model_free(model);
    }
}

// Every policy leaves fewer patches to the text layers, whose K and V are then fewer, and keeps within its budget.
static void test_policies(void **state)
{
    (void)state;
    static const enum policy policies[] = {POLICY_CROSS_ATTENTION, POLICY_CLS_ATTENTION, POLICY_TEXT_SIMILARITY, POLICY_RANDOM,
                                           POLICY_LEARNED};
    for (int t = 0; t < TASKS; t++)
        for (size_t p = 0; p < sizeof policies / sizeof *policies; p++) {
            bool learned = policies[p] == POLICY_LEARNED;
            struct model *model = blip(tasks[t], learned);
            struct run_options options = with_policy(policies[p], (double)NAN);
            struct run *run = finished(model, &options, 2);
            const struct trace *trace = run_trace(run);
            const struct stage *first = find_stage(trace, "fusion 1"), *last = find_stage(trace, "fusion 3");
            for (int picture = 0; picture < model->config.pictures; picture++) {
                assert_int_equal(last->tokens[picture].count, 37);
                assert_true(alive(&last->tokens[picture]) < 37);
                assert_true(alive(&last->tokens[picture]) <= alive(&first->tokens[picture]));
            }
            assert_true(last->macs.by[MAC_QKV] < last->macs.dense);
            assert_true(trace->spent_macs < trace->dense_macs || learned);
            if (policies[p] == POLICY_CROSS_ATTENTION)
                assert_true(last->macs.spent < first->macs.spent);
            run_free(run);
            model_free(model);
        }
}

// A patch that is gone is no key: the text layer gives what it gives on the others alone.
static void test_dropped_patch_is_no_key(void **state)
{
    (void)state;
    struct model *model = blip(TASK_CAPTION, false);
    struct run_options options = with_policy(POLICY_NONE, (double)NAN);
    struct run *run = finished(model, &options, 1);
    const struct trace *trace = run_trace(run);
    float weights[16 * 37];
    int queries, keys, fusion = run_fusion_stage(run, 1), word = run->words_from + 1;
    struct error err;
    struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = fusion, .stream = 0, .token = 7};
    assert_int_equal(run_intervene(run, &drop), fusion);
    tiny_finish(run);
    assert_true(run_attention(run, fusion, TRACE_TEXT_STREAM, MODULE_MCA, 1, weights, &queries, &keys, &err));
    assert_int_equal(keys, 37);
    for (int q = 0; q < queries; q++) {
        double sum = 0;
        for (int k = 0; k < keys; k++) {
            assert_int_equal(isnan(weights[q * keys + k]), k == 7);
            sum += k == 7 ? 0 : (double)weights[q * keys + k];
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
    // The words read it before it went, in the first layer, and nowhere after it.
    const struct trace_tokens *read = &trace->stages[word].tokens[0];
    assert_false(read->alive[7]);
    assert_true(isnan(read->cross_score[7]) || read->cross_score[7] < 0.1f);
    // Dropped when a word is written, it is gone from all layers at once.
    assert_int_equal(run_undo(run), fusion);
    tiny_finish(run);
    drop.stage = word;
    assert_int_equal(run_intervene(run, &drop), word);
    tiny_finish(run);
    double total = 0;
    for (int k = 0; k < 37; k++)
        total += k == 7 ? 0 : (double)trace->stages[word].tokens[0].cross_score[k];
    assert_true(fabs(total - 1) < 1e-5);
    assert_true(isnan(trace->stages[word].tokens[0].cross_score[7]));
    run_free(run);
    model_free(model);
}

// Words end early or late; whatever is changed and taken back, the same run comes again.
static void test_undo(void **state)
{
    (void)state;
    for (int t = 0; t < TASKS; t++)
        for (int written = 0; written < 2; written++) {
            struct model *model = blip(tasks[t], false);
            struct run_options options = with_policy(POLICY_NONE, (double)NAN);
            options.generate = written && tasks[t] == TASK_VQA;
            struct trace before;
            struct run *run = finished(model, &options, 6);
            assert_true(trace_copy(&before, run_trace(run)));
            for (int at = 1; at < before.stage_count; at += 2) {
                struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = at, .stream = 0, .token = 9};
                if (run_intervene(run, &drop) < 0)
                    continue;
                tiny_finish(run);
                assert_true(run_undo(run) >= 0);
                tiny_finish(run);
                tiny_check_same_trace(&before, run_trace(run));
            }
            trace_free(&before);
            run_free(run);
            model_free(model);
        }
}

// A run beside another one, and one that starts anew, come to the same.
static void test_twin(void **state)
{
    (void)state;
    for (int t = 0; t < TASKS; t++) {
        struct model *model = blip(tasks[t], false);
        struct error err;
        struct run_options options = with_policy(POLICY_CROSS_ATTENTION, (double)NAN);
        options.bare = true;
        struct run *run = finished(model, &options, 4), *twin = run_twin(run, &err), *again = finished(model, &options, 4);
        assert_non_null(twin);
        assert_true(run_sync(twin, run, &err));
        tiny_check_same_trace(run_trace(run), run_trace(twin));
        struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = run_fusion_stage(run, 0), .stream = 0, .token = 3};
        assert_true(run_intervene(twin, &drop) >= 0 && run_intervene(again, &drop) >= 0);
        tiny_finish(twin);
        tiny_finish(again);
        tiny_check_same_trace(run_trace(again), run_trace(twin));
        run_free(twin);
        run_free(again);
        run_free(run);
        model_free(model);
    }
}

// What is asked of a model becomes the tokens that it wants.
static void test_tokens(void **state)
{
    (void)state;
    struct model *model = blip(TASK_VQA, false);
    struct run *run = tiny_run(model, NULL, 0); // "what color is the dog?"
    static const int question[] = {29, 6, 7, 8, 9, 10, 27, 3};
    assert_int_equal(run->token_count, 8);
    assert_memory_equal(run->ids, question, sizeof question);
    assert_int_equal(run_trace(run)->tokens[5].from, 18);
    run_free(run);
    model_free(model);
    model = blip(TASK_CAPTION, false);
    struct error err;
    run = tiny_run(model, NULL, 0);
    static const int prompt[] = {28, 23, 24, 19};
    assert_true(run_ask(run, "", &err));
    assert_int_equal(run->token_count, 4);
    assert_memory_equal(run->ids, prompt, sizeof prompt);
    assert_string_equal(run_trace(run)->question, MODEL_PROMPT);
    tiny_finish(run);
    assert_true(run_trace(run)->stage_count <= run->words_from + 12 + 1);
    run_free(run);
    model_free(model);
}

// A budget without calibration counts the words that will be written: what it plans is what is spent where no text can end
// early, and no more where one can.
static void test_budget_counts_all(void **state)
{
    (void)state;
    for (int t = 0; t < TASKS; t++) {
        struct model *model = blip(tasks[t], false);
        struct budget_request request = {.policy = POLICY_CLS_ATTENTION, .tokens = 8, .trim_tokens = true, .trim_heads = true};
        struct error err = {0};
        double least;
        assert_true(budget_least(model, &request, &least, &err));
        assert_true(least > 0 && least < 1);
        double share = (1 + least) / 2;
        struct run_options options = with_policy(POLICY_CLS_ATTENTION, share);
        struct run *run = finished(model, &options, 3);
        double spent = run_trace(run)->spent_macs / run_trace(run)->dense_macs;
        struct macs planned = {0};
        request.tokens = run->token_count;
        budget_cost(&model->config, &request, &run->budget.counts, &planned);
        bool writes = tasks[t] == TASK_VQA || tasks[t] == TASK_CAPTION;
        double off = run_trace(run)->spent_macs / (double)flops_total(&planned) - 1; // what reading CLS costs is planned roughly
        if (spent >= 1 || (!writes && (fabs(off) > 1e-3 || fabs(spent - share) > 0.02)))
            fail_msg("task %d: asked for %.3f (least %.3f), spent %.3f: %.0f, planned %.0f", (int)tasks[t], share, least,
                     spent, run_trace(run)->spent_macs, (double)flops_total(&planned));
        run_free(run);
        model_free(model);
    }
}

// However a text is written: one that cannot end before its longest costs what was planned.
static void check_share(const struct model *model, enum policy policy, struct run_options options)
{
    struct budget_request request = {.policy = policy, .tokens = 8, .trim_tokens = true, .trim_heads = true};
    request.text = flops_text(&model->config, &model->answer_pieces, options.generate, options.candidates, options.beams, options.max_length);
    struct error err = {0};
    double least;
    assert_true(budget_least(model, &request, &least, &err));
    options.policy = policy;
    options.budget = (1 + least) / 2;
    struct run *run = finished(model, &options, 3);
    double share = run_trace(run)->spent_macs / run_trace(run)->dense_macs;
    if (share > options.budget + 0.004 || share < options.budget - 0.02)
        fail_msg("%d beams, %d tokens, %d candidates: asked for %.3f (least %.3f), spent %.3f", options.beams, options.max_length,
                 options.candidates, options.budget, least, share);
    run_free(run);
}

// Answers to choose from may be longer than a word.
static void test_budget_counts_long_answers(void **state)
{
    (void)state;
    enum { ANSWERS = 9 };
    static const enum policy policies[] = {POLICY_CLS_ATTENTION, POLICY_TEXT_SIMILARITY, POLICY_RANDOM};
    struct model *model = blip(TASK_VQA, false);
    int ids[6 * ANSWERS], start[ANSWERS + 1] = {0};
    for (int a = 0, used = 0; a < ANSWERS; a++) {
        for (int i = 0; i < 1 + a % 5; i++)
            ids[used++] = 5 + (a * 3 + i) % 20;
        ids[used++] = model->config.token_end;
        start[a + 1] = used;
    }
    assert_true(model_set_answers(model, &(struct answer_list){ANSWERS, ids, start}));
    for (int p = 0; p < 3; p++)
        check_share(model, policies[p], run_options_default());
    model_free(model);
}

// Patches of both pictures are scored.
static void test_budget_counts_both_pictures(void **state)
{
    (void)state;
    static const enum policy policies[] = {POLICY_TEXT_SIMILARITY, POLICY_MERGING, POLICY_RANDOM};
    struct model *model = blip(TASK_NLVR2, false);
    for (int p = 0; p < 3; p++)
        check_share(model, policies[p], run_options_default());
    model_free(model);
}

static void test_budget_counts_beams(void **state)
{
    (void)state;
    static const int beams[] = {1, 3, 8}, lengths[] = {12, 20};
    struct model *captions = blip(TASK_CAPTION, false), *answers = blip(TASK_VQA, false);
    for (int b = 0; b < 3; b++)
        for (int l = 0; l < 2; l++) {
            struct run_options options = run_options_default();
            options.beams = beams[b];
            options.min_length = options.max_length = lengths[l];
            check_share(captions, POLICY_CLS_ATTENTION, options);
            options.generate = true;
            check_share(answers, POLICY_CLS_ATTENTION, options);
        }
    struct run_options few = run_options_default();
    few.candidates = 1;
    check_share(answers, POLICY_CLS_ATTENTION, few);
    model_free(captions);
    model_free(answers);
}

static int heads_on(const struct trace_heads *heads)
{
    int n = 0;
    for (int h = 0; h < heads->count; h++)
        n += heads->on[h];
    return n;
}

// What was left where, as a plan of counts.
static struct budget_counts counts_of(const struct model_config *c, const struct trace *trace)
{
    struct budget_counts counts = {0};
    for (int i = 0; i < trace->stage_count; i++) {
        const struct stage *stage = &trace->stages[i];
        const struct trace_heads *words = stage->heads[TRACE_TEXT_STREAM];
        if (stage->kind == STAGE_IMAGE) {
            counts.tokens[STACK_IMAGE][stage->layer] = alive(&stage->tokens[0]);
            counts.msa[STACK_IMAGE][stage->layer] = heads_on(&stage->heads[0][MODULE_MSA]);
        }
        if (stage->kind == STAGE_MEMORY)
            counts.tokens[STACK_DECODER][0] = alive(&stage->tokens[TRACE_TEXT_STREAM]);
        if (stage->kind != STAGE_FUSION)
            continue;
        counts.tokens[STACK_FUSION_IMAGE][stage->layer] = alive(&stage->tokens[0]);
        counts.tokens[STACK_FUSION_TEXT][stage->layer] = alive(&stage->tokens[TRACE_TEXT_STREAM]);
        counts.msa[STACK_FUSION_TEXT][stage->layer] = heads_on(&words[MODULE_MSA]);
        counts.mca[STACK_FUSION_TEXT][stage->layer] = heads_on(&words[MODULE_MCA]);
        assert_int_equal(words[MODULE_MSA].count, c->heads);
    }
    return counts;
}

// The formulas count what learned trimmers did, and what deciding it took, to the unit: patches are wider than words here,
// and the words are encoded once more to guide the image encoder.
static void test_trimmed_ledger(void **state)
{
    (void)state;
    static const enum model_task of_one_picture[] = {TASK_RETRIEVAL, TASK_VQA};
    for (int t = 0; t < 2; t++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct model *model = blip(of_one_picture[t], true);
            const struct model_config *c = &model->config;
            struct run_options options = with_policy(POLICY_LEARNED, (double)NAN);
            struct run *run = finished(model, &options, seed);
            const struct trace *trace = run_trace(run);
            struct budget_request request = {.policy = POLICY_LEARNED, .tokens = run->token_count, .trim_tokens = true,
                                             .trim_heads = true};
            struct budget_counts counts = counts_of(c, trace);
            struct macs planned = {0}, words = {0}, memory = {0};
            struct flops_text text = flops_text(c, NULL, false, 0, 0, 0);
            int read = counts.tokens[STACK_DECODER][0];
            double spent = 0;
            budget_cost(c, &request, &counts, &planned);
            if (model_writes(c)) // how many words are written no plan can know
                flops_writing(c, &text, request.tokens, (uint64_t)(c->decoder_layers * read), &words);
            for (int l = 0; l < c->decoder_layers; l++)
                flops_memory(c, read, &memory);
            for (int i = 0; i < trace->stage_count; i++)
                if (!model_writes(c) || trace->stages[i].kind < STAGE_DECODE)
                    spent += trace->stages[i].macs.spent;
            assert_true(counts.tokens[STACK_FUSION_IMAGE][2] < 37 && model_image_width(c) > c->width);
            assert_true(read <= counts.tokens[STACK_FUSION_TEXT][2]);
            assert_true(spent == (double)(flops_total(&planned) - flops_total(&words) + flops_total(&memory)));
            run_free(run);
            model_free(model);
        }
}

// A model with a trimmer before its decoder alone.
static struct model *reader(void)
{
    struct tiny_options tiny = {.task = TASK_VQA, .blip = true, .decoder_trimmers = true, .seed = 12};
    return tiny_model(&tiny);
}

static void check_same_answers(const struct trace *x, const struct trace *y)
{
    const struct stage *a = &x->stages[x->stage_count - 1], *b = &y->stages[y->stage_count - 1];
    assert_int_equal(a->answer_count, b->answer_count);
    for (int k = 0; k < a->answer_count; k++) {
        assert_string_equal(a->answers[k].text, b->answers[k].text);
        assert_true(fabsf(a->answers[k].p - b->answers[k].p) < 1e-5f);
    }
}

// What the decoder's trimmer drops no word looks at, ranked or written; the same words left out by hand, before K and V are
// made or after it, lead to the same answers.
static void check_memory(const struct model *model, uint64_t seed, bool generate, int *dropped, int *kept)
{
    struct run_options learned = with_policy(POLICY_LEARNED, (double)NAN), none = with_policy(POLICY_NONE, (double)NAN);
    learned.generate = none.generate = generate;
    struct run *run = finished(model, &learned, seed), *by_hand = finished(model, &none, seed), *late = finished(model, &none, seed);
    const struct trace *trace = run_trace(run);
    const struct trace_tokens *memory = &find_stage(trace, "memory")->tokens[TRACE_TEXT_STREAM];
    const struct trace_tokens *word = &find_stage(trace, "word 1")->tokens[TRACE_TEXT_STREAM];
    const struct stage *open = find_stage(run_trace(late), "memory"), *closed = find_stage(trace, "memory");
    int at = run->words_from - 1, gone = 0, stream, keys;
    float looks[4 * 16];
    struct error err;
    assert_true(run_word_attention(run, at + 1, 1, looks, &stream, &keys, &err));
    for (int t = 1; t < memory->count; t++) {
        struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = at, .stream = TRACE_TEXT_STREAM, .token = t};
        assert_false(isnan(memory->score[t]));
        assert_true(memory->score[t] == memory->self_score[t] + memory->cross_score[t]);
        assert_int_equal(memory->alive[t], memory->score[t] >= 0);
        assert_int_equal(word->alive[t], memory->alive[t]);
        assert_int_equal(isnan(looks[t]), !memory->alive[t]);
        *kept += memory->alive[t];
        if (memory->alive[t])
            continue;
        assert_int_equal(memory->dropped_at[t], at);
        assert_int_equal(run_intervene(by_hand, &drop), at);
        drop.stage = at + 1;
        assert_int_equal(run_intervene(late, &drop), at + 1);
        gone++;
    }
    assert_true(closed->macs.by[MAC_QKV] * memory->count == open->macs.by[MAC_QKV] * (memory->count - gone));
    tiny_finish(by_hand);
    tiny_finish(late);
    check_same_answers(trace, run_trace(by_hand));
    check_same_answers(trace, run_trace(late));
    // Kept by hand, they are read again.
    struct intervention reopen = {.kind = INTERVENE_REOPEN};
    if (gone) {
        assert_int_equal(run_intervene(run, &reopen), at);
        tiny_finish(run);
        while (run_undo(by_hand) >= 0)
            continue;
        tiny_finish(by_hand);
        check_same_answers(trace, run_trace(by_hand));
    }
    *dropped += gone;
    run_free(run);
    run_free(by_hand);
    run_free(late);
}

static void test_decoder_trimmer(void **state)
{
    (void)state;
    struct model *model = reader();
    int dropped = 0, kept = 0;
    for (uint64_t seed = 0; seed < 6; seed++)
        for (int generate = 0; generate < 2; generate++)
            check_memory(model, seed, generate, &dropped, &kept);
    print_message("%d words dropped, %d kept\n", dropped, kept);
    assert_true(dropped > 10 && kept > 10);
    model_free(model);
}

// Without trimmers the words that the decoder reads go by what [ENC] attended to in the last text layer, or by lot; the other
// policies have nothing to say of them.
static void test_memory_without_training(void **state)
{
    (void)state;
    static const enum policy policies[] = {POLICY_CLS_ATTENTION, POLICY_RANDOM, POLICY_CROSS_ATTENTION, POLICY_MERGING};
    struct model *model = blip(TASK_VQA, false);
    for (size_t p = 0; p < sizeof policies / sizeof *policies; p++) {
        struct budget_request request = {.policy = policies[p], .tokens = 8, .trim_tokens = true};
        double least;
        struct error err = {0};
        assert_true(budget_least(model, &request, &least, &err));
        struct run_options options = with_policy(policies[p], least + 0.001);
        struct run *run = finished(model, &options, 8);
        const struct trace_tokens *read = &find_stage(run_trace(run), "memory")->tokens[TRACE_TEXT_STREAM];
        assert_int_equal(read->count, 8);
        if (p > 1) {
            assert_int_equal(alive(read), 8);
            assert_true(isnan(read->score[3]));
            run_free(run);
            continue;
        }
        assert_in_range(alive(read), 1, 4);
        float looks[16 * 16], mean[8] = {0};
        int queries, keys;
        for (int h = 0; h < 4; h++) {
            assert_true(run_attention(run, run_fusion_stage(run, 2), TRACE_TEXT_STREAM, MODULE_MSA, h, looks, &queries, &keys, &err));
            for (int t = 0; t < keys; t++)
                mean[t] += looks[t] / 4;
        }
        for (int t = 1; t < 8; t++) {
            assert_true(policies[p] == POLICY_RANDOM || fabsf(mean[t] - read->score[t]) < 1e-5f);
            for (int u = 1; u < 8; u++)
                assert_true(!read->alive[t] || read->alive[u] || read->score[t] >= read->score[u]);
        }
        run_free(run);
    }
    model_free(model);
}

static void check_attention(struct run *run, int stage, int stream, enum attention_module module, bool causal)
{
    static float probs[64 * 64];
    struct error err = {0};
    int queries, keys;
    if (!run_attention(run, stage, stream, module, 0, probs, &queries, &keys, &err))
        fail_msg("%s", err.text);
    assert_in_range(queries * keys, 1, 64 * 64);
    for (int q = 0; q < queries; q++) {
        float sum = 0;
        for (int k = 0; k < keys; k++) {
            sum += probs[q * keys + k];
            assert_true(!causal || k <= q || probs[q * keys + k] == 0);
        }
        assert_float_equal(sum, 1, 1e-4);
    }
}

// The maps that the screen shows are of the attention that the layer used: a prompt looks back only.
static void test_attention(void **state)
{
    (void)state;
    for (int t = 0; t < TASKS; t++) {
        struct model *model = blip(tasks[t], false);
        struct run_options options = with_policy(POLICY_NONE, (double)NAN);
        struct run *run = finished(model, &options, 3);
        for (int s = 0; s < run_trace(run)->stage_count; s++) {
            const struct stage *stage = &run_trace(run)->stages[s];
            if (stage->kind == STAGE_IMAGE && stage->heads[0][MODULE_MSA].count)
                check_attention(run, s, 0, MODULE_MSA, false);
            if (stage->kind != STAGE_FUSION)
                continue;
            check_attention(run, s, TRACE_TEXT_STREAM, MODULE_MSA, tasks[t] == TASK_CAPTION);
            check_attention(run, s, TRACE_TEXT_STREAM, MODULE_MCA, false);
        }
        run_free(run);
        model_free(model);
    }
}

// Where each word that is written looks: the mean over heads and layers is what the stage itself has counted, where one text
// alone is written.
static void test_words_look(void **state)
{
    (void)state;
    for (int t = 0; t < 2; t++)
        for (int policy = 0; policy < 2; policy++) {
            struct model *model = blip(tasks[t], false);
            struct run_options options = with_policy(policy ? POLICY_CROSS_ATTENTION : POLICY_NONE, (double)NAN);
            options.generate = tasks[t] == TASK_VQA;
            options.beams = 1;
            struct run *run = finished(model, &options, 3);
            float looks[4 * 64];
            struct error err = {0};
            int stream, keys, words = 0, layers = run_word_layers(run);
            for (int s = 0; s < run_trace(run)->stage_count; s++) {
                const struct stage *stage = &run_trace(run)->stages[s];
                double mean[64] = {0};
                if (stage->kind != STAGE_DECODE) {
                    assert_false(run_word_attention(run, s, 0, looks, &stream, &keys, &err));
                    continue;
                }
                for (int l = 0; l < layers; l++) {
                    assert_true(run_word_attention(run, s, l, looks, &stream, &keys, &err));
                    assert_int_equal(stream, tasks[t] == TASK_VQA ? TRACE_TEXT_STREAM : 0);
                    assert_int_equal(keys, stage->tokens[stream].count);
                    for (int h = 0; h < 4; h++) {
                        double sum = 0;
                        for (int k = 0; k < keys; k++)
                            if (!isnan(looks[h * keys + k])) {
                                sum += (double)looks[h * keys + k];
                                mean[k] += (double)looks[h * keys + k] / (4 * layers);
                            }
                        assert_true(fabs(sum - 1) < 1e-4);
                    }
                }
                // The first word of a caption: the stage counts all words of its beginning.
                for (int k = 0; k < keys && (words > 0 || tasks[t] == TASK_VQA); k++)
                    if (!isnan(stage->tokens[stream].cross_score[k]))
                        assert_true(fabs(mean[k] - (double)stage->tokens[stream].cross_score[k]) < 1e-4);
                words++;
            }
            assert_true(words > 1);
            assert_false(run_word_attention(run, run_trace(run)->stage_count - 2, layers, looks, &stream, &keys, &err));
            run_free(run);
            model_free(model);
        }
}

// What the question's words have looked at, in all layers and heads together, is a whole for each.
static void test_words_to_patches(void **state)
{
    (void)state;
    struct model *model = blip(TASK_VQA, false);
    struct run_options options = with_policy(POLICY_CROSS_ATTENTION, (double)NAN);
    struct run *run = finished(model, &options, 3);
    static float all[16 * 37], one[16 * 37], mean[16 * 37];
    struct error err = {0};
    int queries, keys;
    assert_true(run_words_to_patches(run, 0, all, &err));
    for (int l = 0; l < 3; l++)
        for (int h = 0; h < 4; h++) {
            assert_true(run_attention(run, run_fusion_stage(run, l), TRACE_TEXT_STREAM, MODULE_MCA, h, one, &queries, &keys, &err));
            for (int i = 0; i < queries * keys; i++)
                mean[i] += isnan(one[i]) ? 0 : one[i] / 12;
        }
    for (int q = 0; q < queries; q++) {
        float sum = 0;
        for (int k = 0; k < keys; k++) {
            sum += all[q * keys + k];
            assert_true(fabsf(all[q * keys + k] - mean[q * keys + k]) < 1e-5f);
        }
        assert_true(fabsf(sum - 1) < 1e-4f);
    }
    run_free(run);
    model_free(model);
}

static int likeliest(const float *logits, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        best = logits[i] > logits[best] ? i : best;
    return best;
}

// A single beam takes the likeliest word each time; lengths hold; what is counted is what the formulas say for any number of
// beams.
static void test_beams_and_lengths(void **state)
{
    (void)state;
    for (int t = 0; t < 2; t++) {
        struct model *model = blip(tasks[t], false);
        struct run_options options = with_policy(POLICY_NONE, (double)NAN);
        options.generate = tasks[t] == TASK_VQA;
        options.beams = 1;
        options.min_length = options.max_length = 14;
        struct run *run = tiny_run(model, &options, 3);
        struct error err = {0};
        int words = 0, length = 0;
        while (run_step(run, &err)) {
            const struct snapshot *snapshot = &run->snapshots[run_trace(run)->stage_count - 1];
            if (run_trace(run)->stages[run_trace(run)->stage_count - 1].kind != STAGE_DECODE)
                continue;
            const struct beam_search *beams = snapshot->words.beams;
            run->word_logits[model->config.token_end] = -1e9f; // which it may not say so early
            assert_int_equal(beams->ids[0][beams->length - 1], likeliest(run->word_logits, model->config.vocabulary));
            words++;
            length = beams->length;
        }
        assert_int_equal(length, 14);
        assert_int_equal(words, 14 - (tasks[t] == TASK_VQA ? 1 : run->token_count));
        run_free(run);
        for (options.beams = 2; options.beams <= BEAMS_MOST; options.beams += 3)
            check_dense(model, &options);
        model_free(model);
    }
}

static void check_refused(const struct model *model, const struct run_options *options, const char *why)
{
    struct error err = {0};
    struct picture picture = tiny_picture(0);
    const struct picture *list[2] = {&picture, &picture};
    assert_null(run_new(model, list, model->config.pictures, tiny_questions[0], options, &err));
    if (!strstr(err.text, why))
        fail_msg("it says \"%s\", nothing of \"%s\"", err.text, why);
    picture_free(&picture);
}

// What a model has no use for is no silent success.
static void test_refusals(void **state)
{
    (void)state;
    struct run_options beams = run_options_default(), generate = beams, candidates = beams, cls = beams, prompt = beams;
    beams.beams = 4;
    generate.generate = true;
    candidates.candidates = 5;
    cls.cls = true;
    prompt.prompt = "";
    for (int t = 0; t < TASKS; t++) {
        struct model *model = blip(tasks[t], false);
        if (tasks[t] != TASK_CAPTION) {
            check_refused(model, &prompt, "beginning");
            check_refused(model, &beams, tasks[t] == TASK_VQA ? "chooses one from a list" : "writes none");
        }
        if (tasks[t] != TASK_VQA) {
            check_refused(model, &generate, "write its answer");
            check_refused(model, &candidates, "candidates");
        }
        if (tasks[t] != TASK_RETRIEVAL)
            check_refused(model, &cls, "[CLS]");
        model_free(model);
    }
    struct model *model = blip(TASK_CAPTION, false);
    struct run_options lengths = run_options_default();
    lengths.min_length = 9;
    lengths.max_length = 8;
    check_refused(model, &lengths, "longer than the longest");
    lengths.min_length = 1;
    lengths.max_length = 3; // the question has more tokens
    check_refused(model, &lengths, "beginning has");
    model_free(model);
}

// A long sentence is kept as it is, one that is too long up to its last whole character, in JSON as well.
static void test_long_answer(void **state)
{
    (void)state;
    char text[2 * TRACE_ANSWER] = "";
    struct trace_answer answer = {.p = 1};
    while (strlen(text) + 8 < sizeof text)
        strcat(text, "a \xe7\x8c\xab "); // five bytes and a space
    trace_set_answer(&answer, text);
    assert_in_range(strlen(answer.text), TRACE_ANSWER - 4, TRACE_ANSWER - 1);
    assert_memory_equal(answer.text, text, strlen(answer.text));
    struct model *model = blip(TASK_CAPTION, false);
    struct run_options options = with_policy(POLICY_NONE, (double)NAN);
    options.beams = 2;
    struct run *run = finished(model, &options, 0);
    struct trace copy, back;
    struct error err = {0};
    assert_true(trace_copy(&copy, run_trace(run)));
    copy.answer = answer;
    char *json = trace_to_json(&copy);
    if (!trace_from_json(&back, json, strlen(json), &err))
        fail_msg("%s", err.text);
    assert_string_equal(back.answer.text, answer.text);
    assert_int_equal(back.writing.beams, 2);
    assert_int_equal(back.writing.max_length, 0);
    free(json);
    trace_free(&copy);
    trace_free(&back);
    run_free(run);
    model_free(model);
}

// A caption without any beginning.
static void test_captions(void **state)
{
    (void)state;
    struct model *model = blip(TASK_CAPTION, false);
    struct run_options options = with_policy(POLICY_NONE, (double)NAN);
    struct error err = {0};
    options.prompt = "";
    options.min_length = options.max_length = 20;
    struct run *run = tiny_run(model, &options, 0);
    assert_true(run_ask(run, "", &err));
    assert_int_equal(run->token_count, 1);
    assert_int_equal(run->ids[0], model->config.token_start);
    tiny_finish(run);
    const struct beam_search *beams = run->snapshots[run->stage_count - 2].words.beams;
    struct hypothesis best;
    beam_best(beams, &best);
    assert_int_equal(best.length, 20);
    char *text = tokenizer_decode(model->tokenizer, best.ids, best.length);
    assert_string_equal(run_trace(run)->answer.text, text);
    free(text);
    run_free(run);
    model_free(model);
}

// Picture and text, each encoded by itself: the same by whatever the text begins with for the match, with whatever is
// dropped; the rank is the match's logit plus it.
static void test_contrast(void **state)
{
    (void)state;
    struct model *model = blip(TASK_RETRIEVAL, false);
    struct run_options options = with_policy(POLICY_NONE, (double)NAN), cls = options, pruned = options;
    cls.cls = true;
    pruned.policy = POLICY_CROSS_ATTENTION;
    struct run *a = finished(model, &options, 3), *b = finished(model, &cls, 3), *c = finished(model, &pruned, 3);
    const struct run *runs[] = {a, b, c};
    float first = run_trace(a)->stages[run_trace(a)->stage_count - 1].similarity;
    assert_true(first >= -1 && first <= 1 && fabsf(first) > 1e-4f);
    for (int i = 0; i < 3; i++) {
        const struct stage *last = &run_trace(runs[i])->stages[run_trace(runs[i])->stage_count - 1];
        assert_true(last->similarity == first);
        assert_float_equal(last->rank, runs[i]->logits[1] + first, 1e-6);
        assert_true(isnan(last[-1].similarity));
    }
    assert_int_equal(a->ids[0], model->config.token_encode);
    assert_int_equal(b->ids[0], model->config.token_cls);
    assert_true(run_trace(a)->answer.p != run_trace(b)->answer.p);
    // By hand: the text encoder without its cross-attention from [CLS] on, and CLS of the encoded picture.
    int width = model->config.width, rows = a->token_count, n = model->config.projection;
    float *x = calloc((size_t)(rows * width + 2 * n), sizeof *x), *text = x + rows * width, *image = text + n;
    struct forward forward = {.model = model, .math = &a->math};
    a->ids[0] = model->config.token_cls;
    forward_embed_text(&forward, a->ids, rows, x);
    for (int l = 0; l < model->config.fusion_layers; l++)
        forward_layer(&forward, &(struct layer_input){.layer = &model->fusion[FUSION_TEXT][l], .x = x, .rows = rows});
    forward_project(&forward, FUSION_TEXT, x, text);
    forward_project(&forward, FUSION_IMAGE, a->snapshots[run_image_end(a, 0)].streams[0].x[0], image);
    double dot = 0, one = 0, two = 0;
    for (int i = 0; i < n; i++) {
        dot += (double)text[i] * (double)image[i];
        one += (double)text[i] * (double)text[i];
        two += (double)image[i] * (double)image[i];
    }
    assert_true(fabs(dot / sqrt(one * two) - (double)first) < 1e-5);
    free(x);
    for (int i = 0; i < 3; i++)
        run_free((struct run *)(size_t)runs[i]);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger),        cmocka_unit_test(test_open_equals_dense),
        cmocka_unit_test(test_scratch_is_written_before_it_is_read),
        cmocka_unit_test(test_similarity),    cmocka_unit_test(test_budget_counts_long_answers),
        cmocka_unit_test(test_budget_counts_both_pictures),
        cmocka_unit_test(test_policies),      cmocka_unit_test(test_dropped_patch_is_no_key),
        cmocka_unit_test(test_undo),          cmocka_unit_test(test_twin),
        cmocka_unit_test(test_tokens),        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_budget_counts_all), cmocka_unit_test(test_budget_counts_beams), cmocka_unit_test(test_trimmed_ledger),
        cmocka_unit_test(test_decoder_trimmer), cmocka_unit_test(test_memory_without_training),
        cmocka_unit_test(test_beams_and_lengths),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_captions), cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_contrast),      cmocka_unit_test(test_words_look),
        cmocka_unit_test(test_words_to_patches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
