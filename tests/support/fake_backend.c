#include "tests/support/fake_backend.h"

#include "engine/base/thread.h"
#include "tests/support/sample_trace.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

static void fake_log(struct fake_backend *fake, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void fake_log(struct fake_backend *fake, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(fake->log + fake->log_used, sizeof fake->log - fake->log_used, format, arguments);
    va_end(arguments);
    if (length > 0 && fake->log_used + (size_t)length < sizeof fake->log)
        fake->log_used += (size_t)length;
    else
        fake->log_used = 0;
}

static void wake(struct fake_backend *fake)
{
    ssize_t ignored = write(fake->wake[1], "", 1);
    (void)ignored;
}

static void restart(struct fake_backend *fake, int from)
{
    if (fake->stages > from)
        fake->stages = from;
    fake->new_trace = true;
    wake(fake);
}

static void fake_attention(const struct fake_backend *fake, struct backend_attention *attention)
{
    const struct backend_attention_request *request = &fake->request;
    bool other = request->module != MODULE_MSA;
    attention->request = *request;
    attention->key_stream = (request->stream == TRACE_TEXT_STREAM) == other ? 0 : TRACE_TEXT_STREAM;
    struct trace trace;
    sample_trace(&trace, fake->question, fake->policy, fake->budget, fake->changes, fake->change_count,
                 fake->stages);
    int count = attention->key_stream == 0 ? SAMPLE_GRID * SAMPLE_GRID + 1 : trace.token_count;
    attention->weights = malloc((size_t)count * sizeof(float));
    attention->count = count;
    const struct trace_tokens *keys = NULL;
    for (int s = request->stage; s >= 0 && !keys; s--)
        if (trace.stages[s].tokens[attention->key_stream].count > 0)
            keys = &trace.stages[s].tokens[attention->key_stream];
    for (int i = 0; i < count; i++) {
        float far = fabsf((float)(i % 12) - (float)(request->query * 5 % 12)) +
                    fabsf((float)(i / 12 - request->query % 12));
        attention->weights[i] = keys && !keys->alive[i] ? NAN : 0.2F * expf(-far / 3);
    }
    trace_free(&trace);
}

static bool fake_poll(void *context, struct backend_news *news)
{
    struct fake_backend *fake = context;
    char drain[64];
    while (read(fake->wake[0], drain, sizeof drain) > 0)
        continue;
    int goal = fake->wanted + 1 < SAMPLE_STAGES ? fake->wanted + 1 : SAMPLE_STAGES;
    if (fake->stages < goal && clock_seconds() >= fake->next) {
        fake->next = clock_seconds() + fake->seconds_per_stage;
        int step = fake->stages_per_poll > 0 ? fake->stages_per_poll : SAMPLE_STAGES;
        fake->stages = fake->stages + step < goal ? fake->stages + step : goal;
        fake->new_trace = true;
    }
    news->done = (float)fake->stages / SAMPLE_STAGES;
    news->busy = fake->stages < goal;
    snprintf(news->progress, sizeof news->progress, "computing");
    if (news->busy) {
        usleep(1000);
        wake(fake);
    }
    if (fake->new_trace) {
        news->has_trace = true;
        sample_trace(&news->trace, fake->question, fake->policy, fake->budget, fake->changes,
                     fake->change_count, fake->stages);
        if (fake->picture[0]) {
            free(news->trace.pictures[0].path);
            news->trace.pictures[0].path = strdup(fake->picture);
        }
    }
    if (fake->new_picture) {
        news->has_picture[0] = true;
        news->pictures[0] =
            (struct backend_picture){.width = SAMPLE_SIDE, .height = SAMPLE_SIDE, .rgb = malloc(SAMPLE_SIDE * SAMPLE_SIDE * 3)};
        sample_picture(news->pictures[0].rgb);
    }
    if (fake->new_note) {
        news->has_note = true;
        snprintf(news->note, sizeof news->note, "%s", fake->note);
        snprintf(news->suggestion, sizeof news->suggestion, "%s", fake->suggestion);
        news->has_least = fake->least > 0;
        news->least = fake->least;
    }
    if (fake->error[0]) {
        news->has_error = true;
        snprintf(news->error, sizeof news->error, "%s", fake->error);
        fake->error[0] = 0;
    }
    news->jobs = fake->job_news;
    fake->job_news = NULL;
    if (fake->new_attention) {
        news->has_attention = true;
        fake_attention(fake, &news->attention);
    }
    fake->new_trace = fake->new_picture = fake->new_note = fake->new_attention = false;
    return true;
}

static void fake_want_stage(void *context, int stage)
{
    struct fake_backend *fake = context;
    fake->wanted = stage;
    wake(fake);
}

static void fake_ask(void *context, const char *question)
{
    struct fake_backend *fake = context;
    snprintf(fake->question, sizeof fake->question, "%s", question);
    fake_log(fake, "ask %s\n", question);
    fake->change_count = 0;
    restart(fake, 1);
}

static void fake_open(void *context, int slot, const char *path, bool ask_follows)
{
    (void)ask_follows;
    struct fake_backend *fake = context;
    fake_log(fake, "open %d %s\n", slot, path);
    if (!strcmp(path, "other.png")) { // the only one that there is
        snprintf(fake->picture, sizeof fake->picture, "%s", path);
        fake->new_trace = true;
        wake(fake);
        return;
    }
    snprintf(fake->error, sizeof fake->error, "%s: no such file; choose a JPEG, PNG or WebP picture", path);
    wake(fake);
}

static void fake_policy(void *context, const char *policy, double budget)
{
    struct fake_backend *fake = context;
    snprintf(fake->policy, sizeof fake->policy, "%s", policy);
    fake->budget = budget;
    fake_log(fake, "policy %s %.2f\n", policy, budget);
    restart(fake, 1);
}

static void fake_intervene(void *context, const struct intervention *what)
{
    struct fake_backend *fake = context;
    fake_log(fake, "intervene %d stage %d stream %d token %d module %d head %d\n", (int)what->kind,
             what->stage, what->stream, what->token, (int)what->module, what->head);
    if (fake->change_count < FAKE_CHANGES)
        fake->changes[fake->change_count++] = *what;
    restart(fake, what->stage > 0 ? what->stage : 1);
}

static void fake_undo(void *context)
{
    struct fake_backend *fake = context;
    fake_log(fake, "undo\n");
    if (fake->change_count > 0)
        fake->change_count--;
    restart(fake, 1);
}

static void fake_intervene_all(void *context, const struct intervention *list, int count)
{
    for (int i = 0; i < count; i++)
        fake_intervene(context, &list[i]);
}

static void fake_redo(void *context)
{
    struct fake_backend *fake = context;
    fake_log(fake, "redo\n");
    restart(fake, 1);
}

static void fake_want_attention(void *context, const struct backend_attention_request *request)
{
    struct fake_backend *fake = context;
    fake_log(fake, "attention stage %d stream %d module %d head %d query %d\n", request->stage,
             request->stream, (int)request->module, request->head, request->query);
    fake->request = *request;
    fake->new_attention = true;
    wake(fake);
}

static int fake_complete(void *context, const char *prefix, const char **out, int max)
{
    static const char *const words[] = {"apple", "ball", "banana", "color", "left",
                                        "lemon", "the",  "what",   "where", "which"};
    int count = 0;
    (void)context;
    for (size_t i = 0; i < sizeof words / sizeof *words && count < max; i++)
        if (!strncmp(words[i], prefix, strlen(prefix)))
            out[count++] = words[i];
    return count;
}

// Head h looks at the tokens h + 3 and h + 4, with 0.6 and 0.3.
static void fake_heads(struct fake_backend *fake, const struct backend_heads_request *request, struct backend_heads *heads)
{
    struct trace trace;
    sample_trace(&trace, fake->question, fake->policy, fake->budget, NULL, 0, SAMPLE_STAGES);
    fake_log(fake, "heads stage %d stream %d query %d\n", request->stage, request->stream, request->query);
    *heads = (struct backend_heads){.request = *request, .heads = SAMPLE_HEADS};
    for (int m = 0; m < 2 && request->stage < trace.stage_count; m++) {
        int stream = m == 0 ? request->stream : request->stream == TRACE_TEXT_STREAM ? 0 : TRACE_TEXT_STREAM;
        int count = trace.stages[request->stage].tokens[stream].count;
        if (!trace.stages[request->stage].heads[request->stream][m].count)
            continue;
        heads->of[m] = (struct backend_looks){stream, count, calloc((size_t)(SAMPLE_HEADS * count), sizeof(float))};
        for (int h = 0; h < SAMPLE_HEADS; h++) {
            heads->of[m].weights[h * count + h + 3] = 0.6F;
            heads->of[m].weights[h * count + h + 4] = 0.3F;
        }
    }
    trace_free(&trace);
}

// Jobs are done at once.
static int fake_start_job(void *context, const struct backend_job *job)
{
    struct fake_backend *fake = context;
    struct backend_job_news *news = calloc(1, sizeof *news), **end = &fake->job_news;
    struct trace trace;
    *news = (struct backend_job_news){.id = ++fake->jobs, .kind = job->kind, .state = JOB_DONE};
    if (job->kind == JOB_LOOK) {
        fake_log(fake, "look %d x %d %s\n", job->look.picture.width, job->look.picture.height, job->look.question);
        sample_trace(&news->run, job->look.question, fake->policy, fake->budget, NULL, 0, SAMPLE_STAGES);
    } else if (job->kind == JOB_RUN) {
        bool own = job->run.policy[0];
        fake_log(fake, "run %s\n", own ? job->run.policy : fake->policy);
        sample_trace(&news->run, job->run.question ? job->run.question : fake->question,
                     own ? job->run.policy : fake->policy, own ? job->run.budget : fake->budget, job->run.changes,
                     job->run.change_count, SAMPLE_STAGES);
    } else if (job->kind == JOB_REDUNDANCY) {
        fake_log(fake, "redundancy %s\n", job->redundancy.set ? job->redundancy.set : "bundled");
        for (int i = 0; i < 2; i++) {
            sample_trace(&trace, fake->question, i == 0 ? "none" : fake->policy, fake->budget, NULL, 0, SAMPLE_STAGES);
            if (!redundancy_of_trace(&trace, &news->redundancy[i]))
                abort();
            trace_free(&trace);
        }
    }
    else if (job->kind == JOB_HEADS)
        fake_heads(fake, &job->heads, &news->heads);
    else if (job->kind == JOB_WORLD && !(news->world = world_open("assets", &WORLD_DEFAULT, NULL)))
        abort();
    while (*end)
        end = &(*end)->next;
    *end = news;
    wake(fake);
    return news->id;
}

static void fake_cancel_job(void *context, int id)
{
    fake_log(context, "cancel job %d\n", id);
}

static void fake_cancel(void *context)
{
    struct fake_backend *fake = context;
    fake_log(fake, "cancel\n");
    fake->wanted = fake->stages - 1;
}

// ---- lanes: fakes of their own, which wake the same screen ------------------------------------------------------

static struct backend fake_lane(void *context, int lane)
{
    struct fake_backend *fake = context;
    if (lane == 0)
        return fake->backend;
    if (!fake->lanes[lane]) {
        fake->lanes[lane] = malloc(sizeof *fake);
        fake_backend_init(fake->lanes[lane]);
        close(fake->lanes[lane]->wake[1]);
        fake->lanes[lane]->wake[1] = dup(fake->wake[1]);
    }
    return fake->lanes[lane]->backend;
}

static void fake_open_lane(void *context, int lane, int from)
{
    struct fake_backend *fake = context, *copy;
    fake_lane(fake, lane);
    copy = fake->lanes[lane];
    snprintf(copy->question, sizeof copy->question, "%s", fake->question);
    snprintf(copy->policy, sizeof copy->policy, "%s", fake->policy);
    copy->budget = fake->budget;
    copy->stages_per_poll = fake->stages_per_poll;
    copy->seconds_per_stage = fake->seconds_per_stage;
    fake_log(fake, "open lane %d from %d\n", lane, from);
    restart(copy, 1);
    wake(fake);
}

static void fake_close_lane(void *context, int lane)
{
    fake_log(context, "close lane %d\n", lane);
}

static double fake_learned_share(void *context)
{
    (void)context;
    return 0.45;
}

static bool fake_known_question(void *context, const struct trace *trace, int index, char *out, size_t size)
{
    static const char *const questions[] = {"what color is the apple left of the lemon?", "where is the ball?"};
    (void)context, (void)trace;
    if (index < 0 || index > 1)
        return false;
    snprintf(out, size, "%s", questions[index]);
    return true;
}

void fake_backend_init(struct fake_backend *fake)
{
    *fake = (struct fake_backend){.budget = 0.5, .new_trace = true, .new_picture = true};
    strcpy(fake->question, "what color is the apple left of the lemon?");
    strcpy(fake->policy, "learned");
    if (pipe(fake->wake) < 0)
        abort();
    fcntl(fake->wake[0], F_SETFL, O_NONBLOCK);
    fcntl(fake->wake[1], F_SETFL, O_NONBLOCK);
    fake->stages = 1;
    fake->backend = (struct backend){.context = fake,
                                     .abilities = BACKEND_ASK | BACKEND_OPEN | BACKEND_POLICY |
                                                  BACKEND_INTERVENE | BACKEND_ATTENTION | BACKEND_COMPLETE |
                                                  BACKEND_JOBS | BACKEND_COMPARE,
                                     .wake_fd = fake->wake[0],
                                     .poll = fake_poll,
                                     .want_stage = fake_want_stage,
                                     .ask = fake_ask,
                                     .open_picture = fake_open,
                                     .set_policy = fake_policy,
                                     .intervene = fake_intervene,
                                     .undo = fake_undo,
                                     .intervene_all = fake_intervene_all,
                                     .redo = fake_redo,
                                     .want_attention = fake_want_attention,
                                     .complete = fake_complete,
                                     .start_job = fake_start_job,
                                     .cancel_job = fake_cancel_job,
                                     .cancel = fake_cancel,
                                     .lane = fake_lane,
                                     .open_lane = fake_open_lane,
                                     .close_lane = fake_close_lane,
                                     .learned_share = fake_learned_share,
                                     .known_question = fake_known_question};
}

void fake_backend_free(struct fake_backend *fake)
{
    for (int i = 1; i < BACKEND_LANES; i++)
        if (fake->lanes[i]) {
            fake_backend_free(fake->lanes[i]);
            free(fake->lanes[i]);
        }
    backend_job_news_free(fake->job_news); // what nobody has polled for
    close(fake->wake[0]);
    close(fake->wake[1]);
}
