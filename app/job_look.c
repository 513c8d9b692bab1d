// Jobs on pixels that no file holds, and on how alike tokens and heads are over a set.
#include "app/assets.h"
#include "app/jobs.h"

#include "engine/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- JOB_LOOK ---------------------------------------------------------------------------------------------------

// The session's run for looking, with the request's picture and question; made the first time.
static bool prepare_look(struct job *job, struct error *err)
{
    struct session *s = job->session;
    const struct backend_look_request *request = &job->request->look;
    struct picture picture = {request->picture.width, request->picture.height, 3, request->picture.rgb};
    const struct picture *list[] = {&picture};
    struct run_options options = session_run_options(job->session);
    struct backend_run_request as_shown = {.policy = ""};
    if (!job->lane->run)
        return error_set(err, ERROR_USAGE, "there is no run on the screen to start from");
    if (!job_choose_policy(job, &as_shown, &options, err))
        return false;
    if (!s->look) {
        s->look = run_new(s->model, list, 1, request->question, &options, err);
        return s->look != NULL;
    }
    const struct trace *trace = run_trace(s->look);
    bool same_budget = trace->budget == options.budget || (isnan(trace->budget) && isnan(options.budget));
    bool same = same_budget && !strcmp(trace->policy, policy_name(options.policy));
    return (same || run_set_policy(s->look, options.policy, options.budget, err)) && run_show(s->look, list, 1, err) &&
           (!strcmp(trace->question, request->question) || run_ask(s->look, request->question, err));
}

bool job_do_look(struct job *job, struct error *err)
{
    struct backend_job_news *news = calloc(1, sizeof *news);
    bool ok = news || error_no_memory(err, "a run");
    ok = ok && prepare_look(job, err);
    while (ok && !run_finished(job->session->look))
        ok = job_go_on(job, NAN, "computing") && run_step(job->session->look, err);
    if (ok && !trace_copy(&news->run, run_trace(job->session->look)))
        ok = error_no_memory(err, "a run");
    if (ok)
        job_publish(job, JOB_DONE, news);
    else
        free(news);
    return ok;
}

// ---- JOB_REDUNDANCY ---------------------------------------------------------------------------------------------

struct measuring {
    struct job *job;
    int seen, total;
    bool cancelled;
};

// Questions are run on this thread alone, so that the pool is free for the runs on the screen in job_go_on().
static void measure_visit(void *context, int index, const struct trace *trace)
{
    struct measuring *m = context;
    (void)index, (void)trace;
    m->seen++;
    m->cancelled = m->cancelled || !job_go_on(m->job, (float)m->seen / (float)m->total, "measuring");
}

static bool measure_progress(void *context, int done, int total)
{
    (void)done, (void)total;
    return !((struct measuring *)context)->cancelled;
}

static bool publish_redundancy(struct job *job, struct redundancy of[2], bool done, struct error *err)
{
    struct backend_job_news *news = calloc(1, sizeof *news);
    bool ok = news != NULL;
    for (int i = 0; ok && i < 2; i++)
        ok = redundancy_copy(&news->redundancy[i], &of[i]);
    if (ok) {
        job_publish(job, done ? JOB_DONE : JOB_PART, news);
        return true;
    }
    for (int i = 0; news && i < 2; i++)
        redundancy_free(&news->redundancy[i]);
    free(news);
    return error_no_memory(err, "the likeness of tokens and heads");
}

static bool measure_set(struct job *job, const struct question_set *set, struct redundancy of[2], struct error *err)
{
    struct backend_run_request as_shown = {.policy = ""};
    struct run_options options = session_run_options(job->session), dense = options;
    struct measuring measuring = {.job = job, .total = 2 * set->count};
    if (!job->lane->run || !job_choose_policy(job, &as_shown, &options, err))
        return err->code || error_set(err, ERROR_USAGE, "there is no run on the screen to start from");
    int runs = options.policy == POLICY_NONE ? 1 : 2;
    dense.policy = POLICY_NONE;
    options.pool = NULL;
    for (int i = 0; i < runs; i++)
        if (!redundancy_of_set_watched(job->session->model, set, i == 0 ? &dense : &options, measure_progress,
                                       measure_visit, &measuring, &of[i], err) ||
            !publish_redundancy(job, of, i == runs - 1, err))
            return false;
    return true;
}

bool job_do_redundancy(struct job *job, struct error *err)
{
    char path[ASSETS_PATH + 32];
    struct question_set set;
    struct redundancy of[2] = {{0}, {0}};
    const char *given = job->request->redundancy.set;
    if (!given && !assets_find(path, err))
        return false;
    if (!given)
        strcat(path, "/pictures/questions.jsonl");
    if (!question_set_read(&set, given ? given : path, 0, err))
        return false;
    bool ok = measure_set(job, &set, of, err);
    for (int i = 0; i < 2; i++)
        redundancy_free(&of[i]);
    question_set_free(&set);
    return ok;
}

// ---- JOB_WORLD --------------------------------------------------------------------------------------------------

bool job_do_world(struct job *job, struct error *err)
{
    char assets[ASSETS_PATH];
    struct backend_job_news *news = calloc(1, sizeof *news);
    if (!news)
        return error_no_memory(err, "the world");
    if (!assets_find(assets, err) || !(news->world = world_open(assets, &WORLD_DEFAULT, err))) {
        free(news);
        return false;
    }
    job_publish(job, JOB_DONE, news);
    return true;
}

// ---- JOB_HEADS --------------------------------------------------------------------------------------------------

// The rows of the query, one for each head of a module.
static bool find_looks(struct job *job, const struct stage *stage, enum attention_module module, float *map,
                       struct backend_looks *out, struct error *err)
{
    const struct backend_heads_request *r = &job->request->heads;
    const struct trace_heads *heads = &stage->heads[r->stream][module];
    int other = r->stream == TRACE_TEXT_STREAM ? 0 : TRACE_TEXT_STREAM, queries, keys;
    int stream = module == MODULE_MSA ? r->stream : other, count = stage->tokens[stream].count;
    if (heads->count == 0 || count == 0)
        return true;
    *out = (struct backend_looks){stream, count, malloc((size_t)heads->count * (size_t)count * sizeof(float))};
    if (!out->weights)
        return error_no_memory(err, "attention");
    for (int h = 0; h < heads->count; h++) {
        if (!run_attention(job->lane->run, r->stage, r->stream, module, h, map, &queries, &keys, err))
            return false;
        memcpy(out->weights + (size_t)h * (size_t)count, map + (size_t)r->query * (size_t)keys,
               (size_t)count * sizeof(float));
    }
    return true;
}

// Adds one layer's attention to the mean of `layers`; NaN stays only where no layer has that token.
static void add_layer(float *sum, const float *layer, int count, int layers)
{
    for (int i = 0; i < count; i++)
        if (!isnan(layer[i]))
            sum[i] = (isnan(sum[i]) ? 0 : sum[i]) + layer[i] / (float)layers;
}

// Which patches reach a word of an answer: through the question's words, which it looks at.
static bool find_patches_behind(struct job *job, struct backend_heads *heads, struct error *err)
{
    const struct model_config *c = &job->session->model->config;
    const struct backend_looks *words = &heads->of[1];
    int count = model_grid(c) * model_grid(c) + 1;
    float *map = malloc((size_t)words->count * (size_t)count * sizeof *map);
    float *weights = calloc((size_t)heads->heads * (size_t)count, sizeof *weights);
    bool ok = (map && weights) || error_no_memory(err, "attention");
    ok = ok && run_words_to_patches(job->lane->run, 0, map, err);
    for (int h = 0; ok && h < heads->heads; h++)
        for (int w = 0; w < words->count; w++) {
            float share = words->weights[h * words->count + w];
            for (int k = 0; !isnan(share) && k < count; k++)
                weights[h * count + k] += share * map[w * count + k];
        }
    free(map);
    if (ok)
        heads->of[0] = (struct backend_looks){0, count, weights};
    else
        free(weights);
    return ok;
}

// Of a word that is written: one layer of the decoder, or the mean over all.
static bool find_word_looks(struct job *job, struct backend_heads *heads, struct error *err)
{
    struct run *run = job->lane->run;
    const struct backend_heads_request *r = &heads->request;
    const struct model_config *c = &job->session->model->config;
    int first = r->layer < 0 ? 0 : r->layer, last = r->layer < 0 ? run_word_layers(run) - 1 : r->layer, stream, keys = 0;
    size_t most = (size_t)(c->heads * (model_grid(c) * model_grid(c) + 1 + c->max_tokens));
    float *one = malloc(most * sizeof *one), *sum = malloc(most * sizeof *sum);
    bool ok = (one && sum) || error_no_memory(err, "attention");
    for (size_t i = 0; ok && i < most; i++)
        sum[i] = NAN;
    for (int l = first; ok && l <= last; l++) {
        ok = run_word_attention(run, r->stage, l, one, &stream, &keys, err);
        if (ok)
            add_layer(sum, one, c->heads * keys, last - first + 1);
    }
    free(one);
    if (!ok) {
        free(sum);
        return false;
    }
    heads->heads = c->heads;
    heads->layers = run_word_layers(run);
    heads->of[1] = (struct backend_looks){stream, keys, sum};
    return stream != TRACE_TEXT_STREAM || find_patches_behind(job, heads, err);
}

static bool check_heads(struct job *job, struct error *err)
{
    const struct backend_heads_request *r = &job->request->heads;
    const struct trace *trace = job->lane->run ? run_trace(job->lane->run) : NULL;
    bool stage = trace && r->stage >= 0 && r->stage < trace->stage_count && r->stream >= 0 && r->stream < TRACE_STREAMS;
    if (stage && trace->stages[r->stage].kind == STAGE_DECODE)
        return true;
    if (stage && r->query >= 0 && r->query < trace->stages[r->stage].tokens[r->stream].count)
        return true;
    return error_set(err, ERROR_USAGE, "there is no attention of that token in this stage");
}

bool job_do_heads(struct job *job, struct error *err)
{
    struct backend_job_news *news = NULL;
    if (!check_heads(job, err))
        return false;
    const struct stage *stage = &run_trace(job->lane->run)->stages[job->request->heads.stage];
    size_t most = 0;
    for (int s = 0; s < TRACE_STREAMS; s++)
        most = (size_t)stage->tokens[s].count > most ? (size_t)stage->tokens[s].count : most;
    float *map = memory_alloc(most * most, sizeof *map);
    bool ok = (map && (news = calloc(1, sizeof *news))) || error_no_memory(err, "attention");
    if (ok) {
        news->heads.request = job->request->heads;
        news->heads.heads = stage->heads[job->request->heads.stream][MODULE_MSA].count;
        ok = stage->kind == STAGE_DECODE ? find_word_looks(job, &news->heads, err)
                                         : find_looks(job, stage, MODULE_MSA, map, &news->heads.of[0], err) &&
                                               find_looks(job, stage, MODULE_MCA, map, &news->heads.of[1], err);
    }
    memory_free(map);
    if (ok) {
        job_publish(job, JOB_DONE, news);
        return true;
    }
    for (int i = 0; news && i < 2; i++)
        free(news->heads.of[i].weights);
    free(news);
    return false;
}
