// The session's threads beside the screen.
#include "tests/support/cmocka_all.h"

#include "app/session.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/run.h"
#include "engine/run/trace.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long long blocked_signals(const char *thread)
{
    char path[300], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "SigBlk: %llx", &mask);
    if (file)
        fclose(file);
    return mask;
}

// Threads that take no SIGTERM: the worker and its pool, none of OpenBLAS or of a sanitizer. *open says how many of them
// take every fault.
static int count_workers(int *open)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
    char own[32];
    int workers = 0;
    snprintf(own, sizeof own, "%ld", (long)getpid());
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    *open = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, own))
            continue;
        unsigned long long mask = blocked_signals(entry->d_name), blocked = 0;
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            blocked |= mask >> (faults[i] - 1) & 1;
        workers += (int)(mask >> (SIGTERM - 1) & 1);
        *open += (mask >> (SIGTERM - 1) & 1) && !blocked;
    }
    closedir(tasks);
    return workers;
}

// Signals that ask for something go to the screen's thread. A fault in the engine must reach the handler that gives
// the terminal back: where it is blocked, the kernel kills at once.
static void test_faults_of_the_worker_reach_their_handler(void **state)
{
    (void)state;
    struct error err = {0};
    struct session_options options = {.model = scratch_path("none.safetensors"), .pictures = {scratch_path("none.png")},
                                      .question = "what?", .policy = POLICY_LEARNED, .budget = (double)NAN, .threads = 3};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    int open = 0, workers = 0;
    for (int wait = 0; wait < 500 && open != 3; wait++) { // a thread starts with everything blocked
        workers = count_workers(&open);
        usleep(10000);
    }
    session_free(session);
    assert_int_equal(workers, 3); // the worker, and the pool's two beside it
    assert_int_equal(open, 3);
}

// A command that replaces a waiting one of its kind must not replace one about the other picture.
static void test_both_pictures_opened_in_a_row(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct error err = {0};
    const char *paths[3];
    static const char *const names[3] = {"old.png", "left.png", "right.png"};
    tiny.task = TASK_NLVR2;
    for (int i = 0; i < 3; i++) {
        struct picture picture = tiny_picture((uint64_t)i);
        paths[i] = scratch_path(names[i]);
        assert_true(picture_save_png(&picture, paths[i], &err));
        picture_free(&picture);
    }
    struct session_options options = {.model = tiny_write("pair.safetensors", &tiny), .pictures = {paths[0]},
                                      .question = "is it red?", .policy = POLICY_LEARNED, .budget = (double)NAN,
                                      .threads = 1};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    struct backend backend = session_backend(session);
    backend.open_picture(backend.context, 0, paths[1], false);
    backend.open_picture(backend.context, 1, paths[2], false);
    backend.want_stage(backend.context, 100);
    bool both = false, failed = false;
    for (int wait = 0; wait < 1000 && !both && !failed; wait++) {
        struct backend_news news = {0};
        backend.poll(backend.context, &news);
        both = news.has_trace && !strcmp(news.trace.pictures[0].path, paths[1]) &&
               !strcmp(news.trace.pictures[1].path, paths[2]);
        failed = news.has_error;
        backend_news_free(&news);
        usleep(10000);
    }
    session_free(session);
    assert_false(failed);
    assert_true(both);
}

// ---- lanes ------------------------------------------------------------------------------------------------------

static struct session *lane_session(const char *name)
{
    struct tiny_options tiny = tiny_everything();
    struct picture picture = tiny_picture(3);
    struct error err = {0};
    const char *path = scratch_path("lane.png");
    assert_true(picture_save_png(&picture, path, &err));
    picture_free(&picture);
    struct session_options options = {.model = tiny_write(name, &tiny), .pictures = {path}, .question = "is it red?",
                                      .policy = POLICY_LEARNED, .budget = (double)NAN, .threads = 1};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    return session;
}

// Polls a lane until its whole run has arrived, and checks that no other lane says anything wrong.
static void await_run(const struct backend *backend, int lane, const char *question, struct trace *trace)
{
    struct backend of_lane = backend->lane(backend->context, lane);
    for (int wait = 0; wait < 1000; wait++) {
        struct backend_news news = {0};
        of_lane.poll(of_lane.context, &news);
        if (news.has_error)
            fail_msg("lane %d: %s", lane, news.error);
        if (news.has_trace && news.trace.stage_count == news.trace.stage_total &&
            !strcmp(news.trace.question, question)) {
            *trace = news.trace;
            news.has_trace = false;
            backend_news_free(&news);
            return;
        }
        backend_news_free(&news);
        usleep(5000);
    }
    fail_msg("the run of lane %d did not arrive", lane);
}

// A budget that the policy cannot keep (a configuration file may hold one) is told, and no reason to show nothing.
static void test_budget_out_of_reach(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    struct picture picture = tiny_picture(3);
    struct error err = {0};
    const char *path = scratch_path("reach.png");
    assert_true(picture_save_png(&picture, path, &err));
    picture_free(&picture);
    struct session_options options = {.model = tiny_write("reach.safetensors", &tiny), .pictures = {path},
                                      .question = "is it red?", .policy = POLICY_RANDOM, .budget = 0.01, .threads = 1};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    struct backend backend = session_backend(session);
    backend.want_stage(backend.context, 100);
    bool told = false, whole = false;
    for (int wait = 0; wait < 1000 && !(told && whole); wait++) {
        struct backend_news news = {0};
        backend.poll(backend.context, &news);
        told |= news.has_error && strstr(news.error, "0.01 was asked for");
        whole |= news.has_trace && news.trace.stage_count == news.trace.stage_total && isnan(news.trace.budget);
        backend_news_free(&news);
        usleep(5000);
    }
    session_free(session);
    assert_true(told && whole);
}

// A copy is the same run, changes by hand included; what is asked of it does not touch the first.
static void test_lanes_are_runs_of_their_own(void **state)
{
    (void)state;
    struct session *session = lane_session("lanes.safetensors");
    struct backend backend = session_backend(session);
    struct trace first, copy, other;
    struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = 3, .stream = 0, .token = 5};
    backend.intervene(backend.context, &drop);
    backend.want_stage(backend.context, 100);
    await_run(&backend, 0, "is it red?", &first);
    backend.open_lane(backend.context, 1, 0);
    backend.open_lane(backend.context, 2, 1);
    struct backend one = backend.lane(backend.context, 1), two = backend.lane(backend.context, 2);
    two.ask(two.context, "how many dogs are there?");
    two.set_policy(two.context, "none", (double)NAN);
    one.want_stage(one.context, 100);
    two.want_stage(two.context, 100);
    await_run(&backend, 1, "is it red?", &copy);
    await_run(&backend, 2, "how many dogs are there?", &other);
    assert_int_equal(copy.intervention_count, 1);
    tiny_check_same_trace(&copy, &first);
    assert_int_equal(other.intervention_count, 0); // another question forgets them
    assert_string_equal(other.policy, "none");
    assert_true(other.spent_macs > 0 && other.spent_macs <= other.dense_macs);
    struct backend_news news = {0};
    backend.poll(backend.context, &news);
    assert_false(news.has_trace); // nothing has happened to the first
    backend_news_free(&news);
    trace_free(&first);
    trace_free(&copy);
    trace_free(&other);
    session_free(session);
}

// A lane closed and opened again in a row is the new one, whatever the worker was at.
static void test_a_closed_lane_is_silent(void **state)
{
    (void)state;
    struct session *session = lane_session("closed.safetensors");
    struct backend backend = session_backend(session);
    struct trace trace;
    backend.open_lane(backend.context, 3, 0);
    struct backend lane = backend.lane(backend.context, 3);
    lane.ask(lane.context, "how many dogs are there?");
    lane.want_stage(lane.context, 100);
    backend.close_lane(backend.context, 3);
    backend.want_stage(backend.context, 100);
    await_run(&backend, 0, "is it red?", &trace); // the commands before it have been carried out
    trace_free(&trace);
    struct backend_news news = {0};
    assert_false(lane.poll(lane.context, &news));
    backend.open_lane(backend.context, 3, 0);
    backend.close_lane(backend.context, 3);
    backend.open_lane(backend.context, 3, 0);
    lane.want_stage(lane.context, 100);
    await_run(&backend, 3, "is it red?", &trace);
    trace_free(&trace);
    session_free(session);
}

// What goes wrong in a lane is told in that lane, and the lane is as it was.
static void test_errors_stay_in_their_lane(void **state)
{
    (void)state;
    struct session *session = lane_session("lane-error.safetensors");
    struct backend backend = session_backend(session);
    backend.open_lane(backend.context, 1, 0);
    struct backend lane = backend.lane(backend.context, 1);
    lane.open_picture(lane.context, 0, "/nowhere/at-all.png", false);
    bool told = false;
    for (int wait = 0; wait < 1000 && !told; wait++) {
        struct backend_news news = {0}, of_first = {0};
        lane.poll(lane.context, &news);
        backend.poll(backend.context, &of_first);
        assert_false(of_first.has_error);
        told = news.has_error && strstr(news.error, "/nowhere/at-all.png");
        backend_news_free(&news);
        backend_news_free(&of_first);
        usleep(5000);
    }
    assert_true(told);
    struct trace trace;
    lane.want_stage(lane.context, 100);
    await_run(&backend, 1, "is it red?", &trace);
    trace_free(&trace);
    session_free(session);
}

// ---- jobs -------------------------------------------------------------------------------------------------------

// Polls until the job has ended; its last news is the caller's.
static struct backend_job_news *await_job(const struct backend *backend, int id)
{
    static struct backend_job_news *waiting; // ends of later jobs may come in the same poll
    for (int wait = 0; wait < 1000; wait++) {
        for (struct backend_job_news **one = &waiting; *one; one = &(*one)->next)
            if ((*one)->id == id && (*one)->state != JOB_WORKING && (*one)->state != JOB_PART) {
                struct backend_job_news *found = *one;
                *one = found->next;
                found->next = NULL;
                return found;
            }
        struct backend_news news = {0};
        backend->poll(backend->context, &news);
        struct backend_job_news **last = &waiting;
        while (*last)
            last = &(*last)->next;
        *last = news.jobs;
        news.jobs = NULL;
        backend_news_free(&news);
        usleep(2000);
        if (wait == 999) {
            backend_job_news_free(waiting);
            waiting = NULL;
        }
    }
    fail_msg("job %d did not end", id);
    return NULL;
}

// "What if": the run with a change by hand, beside the run on the screen, which is asked something else meanwhile.
static void test_a_run_beside_the_run(void **state)
{
    (void)state;
    struct session *session = lane_session("job.safetensors");
    struct backend backend = session_backend(session);
    struct trace changed, shown;
    struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = 3, .stream = 0, .token = 5};
    struct backend_job job = {.kind = JOB_RUN, .run = {.changes = &drop, .change_count = 1}};
    backend.open_lane(backend.context, 1, 0);
    backend.intervene(backend.lane(backend.context, 1).context, &drop);
    backend.want_stage(backend.lane(backend.context, 1).context, 100);
    await_run(&backend, 1, "is it red?", &changed);
    int id = backend.start_job(backend.context, &job);
    assert_true(id > 0);
    backend.want_stage(backend.context, 100);
    struct backend_job_news *end = await_job(&backend, id);
    assert_int_equal(end->state, JOB_DONE);
    tiny_check_same_trace(&end->run, &changed);
    backend_job_news_free(end);
    backend.ask(backend.context, "is it blue?");
    backend.want_stage(backend.context, 100);
    await_run(&backend, 0, "is it blue?", &shown);
    assert_int_equal(shown.intervention_count, 0); // the job has left the run on the screen alone
    trace_free(&shown);
    trace_free(&changed);
    session_free(session);
}

static void test_jobs_fail_and_are_cancelled_one_by_one(void **state)
{
    (void)state;
    struct session *session = lane_session("jobs.safetensors");
    struct backend backend = session_backend(session);
    struct intervention nowhere = {.kind = INTERVENE_TOKEN_DROP, .stage = 3, .stream = 0, .token = 5000};
    struct backend_job fine = {.kind = JOB_RUN}, wrong = {.kind = JOB_RUN, .run = {.changes = &nowhere, .change_count = 1}};
    int first = backend.start_job(backend.context, &fine), failing = backend.start_job(backend.context, &wrong);
    int stopped = backend.start_job(backend.context, &fine), last = backend.start_job(backend.context, &fine);
    backend.cancel_job(backend.context, stopped);
    static const enum backend_job_state expected[] = {JOB_DONE, JOB_FAILED, JOB_CANCELLED, JOB_DONE};
    int ids[] = {first, failing, stopped, last};
    for (int i = 0; i < 4; i++) {
        struct backend_job_news *end = await_job(&backend, ids[i]);
        assert_int_equal(end->state, expected[i]);
        if (end->state == JOB_FAILED)
            assert_non_null(strstr(end->error, "no such token"));
        backend_job_news_free(end);
    }
    session_free(session);
}

// Pixels that no file holds are answered as a run on them; the next look leaves nothing of the one before.
static void test_look_job(void **state)
{
    (void)state;
    struct session *session = lane_session("look.safetensors");
    struct backend backend = session_backend(session);
    struct model *model = model_open(scratch_path("look.safetensors"), NULL, NULL);
    static const char *const questions[] = {"is it red?", "is it blue?", "is it blue?"};
    for (int i = 0; i < 3; i++) {
        struct picture picture = tiny_picture((uint64_t)(40 + i));
        const struct picture *list[] = {&picture};
        struct backend_job job = {.kind = JOB_LOOK,
                                  .look = {.picture = {picture.width, picture.height, picture.pixels},
                                           .question = (char *)(uintptr_t)questions[i]}};
        struct backend_job_news *end = await_job(&backend, backend.start_job(backend.context, &job));
        struct run_options options = run_options_default();
        struct run *run = run_new(model, list, 1, questions[i], &options, NULL);
        assert_non_null(run);
        tiny_finish(run);
        assert_int_equal(picture.channels, 3);
        assert_int_equal(end->state, JOB_DONE);
        tiny_check_same_trace(&end->run, run_trace(run));
        backend_job_news_free(end);
        run_free(run);
        picture_free(&picture);
    }
    model_free(model);
    session_free(session);
}

// Every head that works gives 1 in all; one that was dropped gives nothing.
static void check_looks(const struct backend_looks *looks, const struct trace_heads *heads)
{
    assert_true(looks->count > 1);
    for (int h = 0; h < heads->count; h++) {
        double sum = 0;
        int known = 0;
        for (int k = 0; k < looks->count; k++) {
            float weight = looks->weights[h * looks->count + k];
            known += !isnan(weight);
            sum += isnan(weight) ? 0 : (double)weight;
        }
        assert_int_equal(known > 0, heads->on[h]);
        assert_true(!known || fabs(sum - 1) < 1e-4);
    }
}

static void test_heads_job(void **state)
{
    (void)state;
    struct session *session = lane_session("heads.safetensors");
    struct backend backend = session_backend(session);
    struct trace trace;
    backend.want_stage(backend.context, 100);
    await_run(&backend, 0, "is it red?", &trace);
    int stage = trace.stage_count - 2; // the last fusion layer
    for (int stream = 0; stream <= TRACE_TEXT_STREAM; stream += TRACE_TEXT_STREAM) {
        struct backend_job job = {.kind = JOB_HEADS, .heads = {stage, stream, 0, 0}};
        struct backend_job_news *end = await_job(&backend, backend.start_job(backend.context, &job));
        assert_int_equal(end->state, JOB_DONE);
        assert_int_equal(end->heads.of[0].key_stream, stream);
        assert_int_equal(end->heads.of[1].key_stream, stream ? 0 : TRACE_TEXT_STREAM);
        for (int m = 0; m < 2; m++)
            check_looks(&end->heads.of[m], &trace.stages[stage].heads[stream][m]);
        backend_job_news_free(end);
    }
    struct backend_heads_request wrong[] = {
        {1000, 0, 0, 0}, {stage, 0, 100000, 0}, {stage, -1, 0, 0}, {-1, 0, 0, 0}, {stage, 1, 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct backend_job job = {.kind = JOB_HEADS, .heads = wrong[i]};
        struct backend_job_news *end = await_job(&backend, backend.start_job(backend.context, &job));
        assert_int_equal(end->state, JOB_FAILED);
        backend_job_news_free(end);
    }
    trace_free(&trace);
    session_free(session);
}

// Where a word that is written looks: in one layer of the decoder, and on average.
static void test_word_heads_job(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.blip = true;
    tiny.task = TASK_CAPTION;
    tiny.text_trimmers = tiny.image_trimmers = tiny.fusion_trimmers = tiny.head_trimmers = false;
    const char *model = tiny_write("caption.safetensors", &tiny);
    struct picture picture = tiny_picture(5);
    assert_true(picture_save_png(&picture, scratch_path("caption.png"), NULL));
    picture_free(&picture);
    struct error err = {0};
    const struct session_options options = {.model = model, .pictures = {scratch_path("caption.png")}, .question = "is it red?",
                                            .policy = POLICY_NONE, .budget = (double)NAN, .threads = 2, .unasked = true};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    struct backend backend = session_backend(session);
    struct trace trace;
    backend.want_stage(backend.context, 100);
    await_run(&backend, 0, "a picture of ", &trace); // not the program's own question
    int stage = trace.stage_count - 2;
    assert_int_equal(trace.stages[stage].kind, STAGE_DECODE);
    for (int layer = -1; layer < 4; layer++) {
        struct backend_job job = {.kind = JOB_HEADS, .heads = {stage, TRACE_TEXT_STREAM, 0, layer}};
        struct backend_job_news *end = await_job(&backend, backend.start_job(backend.context, &job));
        assert_int_equal(end->state, layer < 3 ? JOB_DONE : JOB_FAILED); // it has three
        for (int h = 0; h < end->heads.heads && layer < 3; h++) {
            const struct backend_looks *looks = &end->heads.of[1];
            double sum = 0;
            for (int k = 0; k < looks->count; k++)
                sum += (double)looks->weights[h * looks->count + k];
            assert_int_equal(end->heads.layers, 3);
            assert_int_equal(looks->key_stream, 0);
            assert_true(sum > 0.999 && sum < 1.001);
        }
        backend_job_news_free(end);
    }
    trace_free(&trace);
    session_free(session);
}

static void test_redundancy_job(void **state)
{
    (void)state;
    struct session *session = lane_session("redundancy.safetensors");
    struct backend backend = session_backend(session);
    struct picture picture = tiny_picture(3);
    assert_true(picture_save_png(&picture, scratch_path("like.png"), NULL));
    picture_free(&picture);
    static const char lines[] = "{\"picture\": \"like.png\", \"question\": \"is it red\", \"answer\": \"yes\"}\n"
                                "{\"picture\": \"like.png\", \"question\": \"is it blue\", \"answer\": \"yes\"}\n";
    char *set = strdup(scratch_write("like.jsonl", lines, sizeof lines - 1)), missing[] = "/no/such.jsonl";
    struct backend_job job = {.kind = JOB_REDUNDANCY, .redundancy = {.set = set}};
    struct backend_job_news *end = await_job(&backend, backend.start_job(backend.context, &job));
    free(set); // it was copied
    assert_int_equal(end->state, JOB_DONE);
    assert_int_equal(end->redundancy[0].inputs, 2);
    assert_int_equal(end->redundancy[1].inputs, 2);
    assert_true(end->redundancy[0].layer_count > 3);
    backend_job_news_free(end);
    job.redundancy.set = missing;
    end = await_job(&backend, backend.start_job(backend.context, &job));
    assert_int_equal(end->state, JOB_FAILED);
    assert_non_null(strstr(end->error, "/no/such.jsonl"));
    backend_job_news_free(end);
    session_free(session);
}

// Whoever asks gets an answer, though there is no model.
static void test_jobs_without_a_model(void **state)
{
    (void)state;
    struct error err = {0};
    struct session_options options = {.model = scratch_path("none.safetensors"), .pictures = {scratch_path("none.png")},
                                      .question = "?", .budget = (double)NAN, .threads = 1};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    struct backend backend = session_backend(session);
    struct backend_job job = {.kind = JOB_RUN};
    struct backend_job_news *end = await_job(&backend, backend.start_job(backend.context, &job));
    assert_int_equal(end->state, JOB_FAILED);
    assert_true(end->error[0] != 0);
    backend_job_news_free(end);
    session_free(session);
}

// What a session says within 10 s: the newest of each, kept in *gathered.
struct gathered {
    char message[240], note[480], suggestion[512], error[480], question[512];
    double least;
};

static void gather_until_answered(const struct backend *backend, struct gathered *gathered)
{
    bool complete = false, done = false;
    for (int wait = 0; wait < 1000 && !done; wait++) {
        struct backend_news news = {0};
        backend->poll(backend->context, &news);
        if (news.has_message)
            snprintf(gathered->message, sizeof gathered->message, "%s", news.message);
        if (news.has_note) {
            snprintf(gathered->note, sizeof gathered->note, "%s", news.note);
            snprintf(gathered->suggestion, sizeof gathered->suggestion, "%s", news.suggestion);
        }
        if (news.has_error)
            snprintf(gathered->error, sizeof gathered->error, "%s", news.error);
        if (news.has_least)
            gathered->least = news.least;
        complete = news.has_trace ? news.trace.stage_count == news.trace.stage_total : complete;
        done = complete && !news.busy;
        if (news.has_trace)
            snprintf(gathered->question, sizeof gathered->question, "%s", news.trace.question);
        backend_news_free(&news);
        usleep(10000);
    }
}

static struct session *open_tiny(const char *question, struct backend *backend)
{
    struct tiny_options tiny = tiny_everything();
    struct error err = {0};
    struct picture picture = tiny_picture(3);
    const char *path = scratch_path("own.png");
    assert_true(picture_save_png(&picture, path, &err));
    picture_free(&picture);
    struct session_options options = {.model = tiny_write("tiny.safetensors", &tiny), .pictures = {path},
                                      .question = question, .policy = POLICY_LEARNED, .budget = (double)NAN,
                                      .threads = 1};
    struct session *session = session_new(&options, &err);
    assert_non_null(session);
    *backend = session_backend(session);
    backend->want_stage(backend->context, 100);
    return session;
}

// A word one letter off: what was meant is offered, as a word and as the whole question; both go with the next question.
static void test_unknown_words_are_mended(void **state)
{
    (void)state;
    struct backend backend;
    struct gathered gathered = {.least = 7};
    struct session *session = open_tiny("is the dgo Bleu, zebra?", &backend);
    gather_until_answered(&backend, &gathered);
    assert_non_null(strstr(gathered.note, "'dgo': did you mean 'dog'?"));
    assert_non_null(strstr(gathered.note, "'Bleu': did you mean 'blue'?"));
    assert_non_null(strstr(gathered.note, "'zebra': it reads <unk>"));
    assert_string_equal(gathered.suggestion, "is the dog blue, zebra?");
    assert_true(gathered.least > 0.05 && gathered.least < 1);
    gathered.least = 7;
    const char *words[4];
    assert_int_equal(backend.complete(backend.context, "dgo", words, 4), 1);
    assert_string_equal(words[0], "dog"); // no word starts like that: the one that the note names
    assert_int_equal(backend.complete(backend.context, "zebra", words, 4), 0);
    backend.ask(backend.context, "is the dog blue?");
    backend.set_policy(backend.context, "random", (double)NAN);
    gather_until_answered(&backend, &gathered);
    session_free(session);
    assert_string_equal(gathered.note, "");
    assert_string_equal(gathered.suggestion, "");
    assert_true(gathered.least > 0.05 && gathered.least < 1);
    assert_string_equal(gathered.error, "");
}

static void test_long_questions_are_cut_aloud(void **state)
{
    (void)state;
    struct backend backend;
    struct gathered gathered = {.least = 0};
    struct session *session =
        open_tiny("is it red is it red is it red is it red is it red or blue and so on and so forth \x1b[31m", &backend);
    gather_until_answered(&backend, &gathered);
    session_free(session);
    assert_non_null(strstr(gathered.note, "reads 14 words or pieces of words;"));
    assert_non_null(strstr(gathered.note, "from 'red or blue"));
    assert_null(strchr(gathered.note, 27));
}

// A bundled picture brings a question of its own; another leaves the question, and so does one with a question on its
// heels.
static void test_opened_pictures_and_their_questions(void **state)
{
    (void)state;
    struct backend backend;
    struct gathered gathered = {.least = 0};
    struct session *session = open_tiny("is it red?", &backend);
    gather_until_answered(&backend, &gathered);
    assert_string_equal(gathered.message, "");
    backend.open_picture(backend.context, 0, "assets/pictures/../pictures/airplane.jpg", false);
    gather_until_answered(&backend, &gathered);
    assert_string_equal(gathered.question, "what is over the heart?");
    assert_non_null(strstr(gathered.message, "goes with this picture"));
    backend.open_picture(backend.context, 0, scratch_path("own.png"), false);
    gather_until_answered(&backend, &gathered);
    assert_string_equal(gathered.question, "what is over the heart?");
    assert_non_null(strstr(gathered.message, "stayed as it was"));
    backend.open_picture(backend.context, 0, "assets/pictures/pair1-left.jpg", false); // only stated about with its other half
    gather_until_answered(&backend, &gathered);
    assert_string_equal(gathered.question, "what can you see in the middle of the picture?");
    assert_non_null(strstr(gathered.message, "goes with this picture"));
    gathered.message[0] = 0;
    backend.open_picture(backend.context, 0, "assets/pictures/panda.jpg", true);
    usleep(50000); // the worker may have opened it before it is asked
    backend.ask(backend.context, "is it blue?");
    for (int runs = 0; runs < 2 && strcmp(gathered.question, "is it blue?"); runs++)
        gather_until_answered(&backend, &gathered);
    session_free(session);
    assert_string_equal(gathered.question, "is it blue?");
    assert_string_equal(gathered.message, "");
    assert_string_equal(gathered.error, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_the_worker_reach_their_handler),
        cmocka_unit_test(test_both_pictures_opened_in_a_row),
        cmocka_unit_test(test_unknown_words_are_mended),
        cmocka_unit_test(test_long_questions_are_cut_aloud),
        cmocka_unit_test(test_opened_pictures_and_their_questions),
        cmocka_unit_test(test_budget_out_of_reach),
        cmocka_unit_test(test_lanes_are_runs_of_their_own),
        cmocka_unit_test(test_a_closed_lane_is_silent),
        cmocka_unit_test(test_errors_stay_in_their_lane),
        cmocka_unit_test(test_a_run_beside_the_run),
        cmocka_unit_test(test_jobs_fail_and_are_cancelled_one_by_one),
        cmocka_unit_test(test_look_job),
        cmocka_unit_test(test_word_heads_job), cmocka_unit_test(test_redundancy_job),
        cmocka_unit_test(test_heads_job),
        cmocka_unit_test(test_jobs_without_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
