// Runs on the opened model: made, copied, changed and freed; only the worker comes here.
#include "app/prepare.h"
#include "app/scenes.h"
#include "app/session_private.h"
#include "app/writing_options.h"

#include "engine/base/memory.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD_SIDE = 512 }; // a photograph keeps twice that: what the screen shows is no larger

// ---- pictures ---------------------------------------------------------------------------------------------------

static bool load_picture(struct lane *lane, struct picture *picture, struct picture_origin *origin, const char *path,
                         struct error *err)
{
    const struct session *s = lane->session;
    session_say_busy(lane->session, true, _("opening the picture"), NAN);
    char bundled[ASSETS_PATH];
    struct picture_reading reading = run_reading(s->model, s->options.exact, LOAD_SIDE);
    return picture_load(picture, assets_picture(path, bundled), reading, origin, err);
}

static bool describe(struct lane *lane, struct error *err)
{
    for (int p = 0; p < lane->session->model->config.pictures; p++)
        if (!run_describe_picture(lane->run, p, lane->paths[p], &lane->origins[p], err))
            return false;
    return true;
}

static void picture_list(struct lane *lane, const struct picture *list[TRACE_PICTURES])
{
    for (int p = 0; p < TRACE_PICTURES; p++)
        list[p] = &lane->pictures[p];
}

// The old question seldom fits another picture: a bundled one, or pair of them, brings its own; beside any other the old one
// stays, and that is said.
static bool fit_question(struct lane *lane, struct error *err)
{
    char question[SCENES_QUESTION];
    bool two = lane->session->model->config.pictures > 1;
    if (lane->session->model->config.task == TASK_CAPTION)
        return true;
    if (!scenes_question(lane->paths[0], two ? lane->paths[1] : NULL, question)) {
        session_publish_message(lane, _("The question has stayed as it was; press a to ask something about this picture."));
    } else {
        if (!run_ask(lane->run, question, err))
            return false;
        session_publish_least(lane);
        session_publish_message(lane, two ? _("The statement is now one that goes with this pair; press a to make another.")
                                          : _("The question is now one that goes with this picture; press a to ask another."));
    }
    session_publish_note(lane);
    return true;
}

static bool open_picture(struct lane *lane, int slot, const char *path, bool ask_follows, struct error *err)
{
    struct picture loaded;
    struct picture_origin origin;
    int count = lane->session->model->config.pictures;
    if (slot < 0 || slot >= count)
        return error_set(err, ERROR_USAGE, "this model takes %d picture(s)", count);
    if (!load_picture(lane, &loaded, &origin, path, err))
        return false;
    struct picture before = lane->pictures[slot];
    lane->pictures[slot] = loaded;
    const struct picture *list[TRACE_PICTURES];
    picture_list(lane, list);
    char *name = strdup(path);
    if (!name || !run_show(lane->run, list, count, err)) {
        free(name);
        lane->pictures[slot] = before;
        picture_free(&loaded);
        return name ? false : error_no_memory(err, path);
    }
    picture_free(&before);
    free(lane->paths[slot]);
    lane->paths[slot] = name;
    lane->origins[slot] = origin;
    session_publish_picture(lane, slot);
    return describe(lane, err) && (ask_follows || fit_question(lane, err));
}

struct run_options session_run_options(const struct session *session)
{
    struct run_options options = run_options_default();
    options.pool = session->pool;
    options.stop = &session->stop_job;
    options.exact = session->options.exact;
    if (session->options.writing)
        writing_settings_apply(session->options.writing, &options);
    return options;
}

// ---- a lane's life ----------------------------------------------------------------------------------------------

// Makes the run of a lane that has its pictures and paths, and shows its beginning.
static bool make_run(struct lane *lane, const char *question, enum policy policy, double budget, struct error *err)
{
    struct session *s = lane->session;
    struct run_options options = session_run_options(s);
    options.policy = policy;
    options.budget = budget;
    options.stop = &lane->stop;
    const struct picture *list[TRACE_PICTURES];
    picture_list(lane, list);
    lane->run = run_new(s->model, list, s->model->config.pictures, question, &options, err);
    return lane->run && describe(lane, err);
}

static void show_beginning(struct lane *lane)
{
    for (int p = 0; p < lane->session->model->config.pictures; p++)
        session_publish_picture(lane, p);
    session_publish_note(lane);
    session_publish_least(lane);
    session_publish_trace(lane);
}

// Where the person named more or fewer pictures than the model looks at.
static void say_pictures(struct lane *lane)
{
    const struct session *s = lane->session;
    char sentence[240];
    if (s->model->config.pictures > 1 && !s->second) {
        session_publish_message(lane, _("This model compares two pictures; one was named, so it stands twice: o opens others."));
    } else if (s->model->config.pictures == 1 && s->second) {
        snprintf(sentence, sizeof sentence, _("This model looks at one picture: %s is left out."), s->second);
        session_publish_message(lane, sentence);
    }
}

// A budget that the policy cannot keep, asked for now or in the configuration file, is no reason to show nothing.
static bool make_first_run(struct lane *lane, const char *question, struct error *refused, struct error *err)
{
    const struct session_options *options = &lane->session->options;
    if (make_run(lane, question, options->policy, options->budget, err))
        return true;
    *refused = *err;
    run_free(lane->run);
    lane->run = NULL;
    return !isnan(options->budget) && make_run(lane, question, options->policy, (double)NAN, err);
}

bool session_start_lane(struct lane *lane, const char *question, struct error *err)
{
    struct session *s = lane->session;
    struct error refused = {0};
    for (int p = 0; p < s->model->config.pictures; p++)
        if (!load_picture(lane, &lane->pictures[p], &lane->origins[p], lane->paths[p], err))
            return false;
    if (!make_first_run(lane, question, &refused, err) ||
        (s->options.changes && !prepare_changes(lane->run, s->options.changes, err)))
        return false;
    show_beginning(lane);
    say_pictures(lane);
    if (refused.code)
        session_publish_error(lane, &refused);
    return true;
}

void session_release_lane(struct lane *lane)
{
    explain_free(lane->explainer);
    lane->explainer = NULL;
    run_free(lane->run);
    lane->run = NULL;
    lane->runs++;
    for (int p = 0; p < TRACE_PICTURES; p++) {
        picture_free(&lane->pictures[p]);
        lane->pictures[p] = (struct picture){0};
        free(lane->paths[p]);
        lane->paths[p] = NULL;
    }
}

static bool copy_picture(struct picture *to, const struct picture *from, struct error *err)
{
    if (!picture_alloc(to, from->width, from->height, from->channels, err))
        return false;
    memcpy(to->pixels, from->pixels, (size_t)from->width * (size_t)from->height * (size_t)from->channels);
    return true;
}

static bool copy_lane(struct lane *lane, const struct lane *from, struct error *err)
{
    for (int p = 0; p < lane->session->model->config.pictures; p++) {
        if (!copy_picture(&lane->pictures[p], &from->pictures[p], err))
            return false;
        lane->paths[p] = strdup(from->paths[p]);
        if (!lane->paths[p])
            return error_no_memory(err, from->paths[p]);
        lane->origins[p] = from->origins[p];
    }
    const struct trace *trace = run_trace(from->run);
    enum policy policy;
    if (!policy_find(trace->policy, &policy) || !make_run(lane, trace->question, policy, trace->budget, err))
        return false;
    for (int i = 0; i < trace->intervention_count; i++)
        if (run_intervene(lane->run, &trace->interventions[i]) < 0)
            return error_no_memory(err, "the changes by hand");
    return true;
}

static bool open_lane(struct lane *lane, const struct lane *from, struct error *err)
{
    session_release_lane(lane);
    if (!from->run || from == lane)
        return error_set(err, ERROR_USAGE, "there is no run to be copied");
    if (!copy_lane(lane, from, err)) {
        session_release_lane(lane);
        return false;
    }
    show_beginning(lane);
    return true;
}

static void close_lane(struct lane *lane)
{
    session_release_lane(lane);
    pthread_mutex_lock(&lane->session->lock);
    backend_news_free(&lane->news); // what came before the wish to close, when it has been opened again meanwhile
    pthread_mutex_unlock(&lane->session->lock);
}

// ---- commands ---------------------------------------------------------------------------------------------------

// Adds the head's attention of the wanted query to sum; true when the head was live there.
static bool add_head(const float *map, int queries, int keys, int query, float *sum)
{
    if (query >= queries)
        return false;
    bool live = false;
    for (int k = 0; k < keys; k++) {
        float p = map[(size_t)query * (size_t)keys + (size_t)k];
        sum[k] += p; // NaN marks dropped keys
        live |= !isnan(p);
    }
    return live;
}

static bool attention(struct lane *lane, const struct backend_attention_request *r, struct error *err)
{
    const struct trace *trace = run_trace(lane->run);
    if (r->stage < 0 || r->stage >= trace->stage_count || r->stream < 0 || r->stream >= TRACE_STREAMS)
        return true; // the trace has moved on since the key was pressed
    const struct trace_heads *heads = &trace->stages[r->stage].heads[r->stream][r->module];
    int most = 0;
    for (int t = 0; t < TRACE_STREAMS; t++)
        most = trace->stages[r->stage].tokens[t].count > most ? trace->stages[r->stage].tokens[t].count : most;
    float *map = memory_alloc((size_t)most * (size_t)most, sizeof *map), *sum = calloc((size_t)most + 1, sizeof *sum);
    int queries = 0, keys = 0, live = 0;
    bool ok = map && sum;
    for (int h = 0; ok && h < heads->count; h++) {
        if ((r->head >= 0 && r->head != h) || !heads->on[h])
            continue;
        ok = run_attention(lane->run, r->stage, r->stream, r->module, h, map, &queries, &keys, err);
        live += ok && add_head(map, queries, keys, r->query, sum);
    }
    memory_free(map);
    if (!ok || !live) {
        free(sum);
        return ok;
    }
    for (int k = 0; k < keys; k++)
        sum[k] /= (float)live;
    int other = r->stream == TRACE_TEXT_STREAM ? 0 : TRACE_TEXT_STREAM;
    struct backend_attention found = {*r, r->module == MODULE_MSA ? r->stream : other, keys, sum};
    session_publish_attention(lane, &found);
    return true;
}

bool session_carry_out(struct session *s, const struct command *c, struct error *err)
{
    struct lane *lane = &s->lanes[c->lane];
    if (c->kind == COMMAND_OPEN_LANE)
        return open_lane(lane, &s->lanes[c->slot], err);
    if (c->kind == COMMAND_CLOSE_LANE)
        close_lane(lane);
    if (!lane->run)
        return true; // closed, or the opening has failed, which has been told
    switch (c->kind) {
    case COMMAND_ASK:
        if (!run_ask(lane->run, c->text, err))
            return false;
        session_publish_note(lane);
        session_publish_least(lane);
        return true;
    case COMMAND_OPEN:
        return open_picture(lane, c->slot, c->text, c->ask_follows, err);
    case COMMAND_POLICY:
        if (!run_set_policy(lane->run, c->policy, c->budget, err))
            return false;
        session_publish_note(lane);
        session_publish_least(lane);
        return true;
    case COMMAND_INTERVENE:
        return run_intervene(lane->run, &c->intervention) >= 0 ||
               error_set(err, ERROR_USAGE, "that cannot be changed: CLS always stays, and a head or token must exist "
                                           "in this stage");
    case COMMAND_CHANGES:
        return run_intervene_all(lane->run, c->changes, c->change_count) >= 0 ||
               error_set(err, ERROR_USAGE, "the run has changed since: these can no longer be changed together");
    case COMMAND_UNDO:
        return run_undo(lane->run) >= 0 || error_set(err, ERROR_USAGE, "there is nothing to undo");
    case COMMAND_REDO:
        return run_redo(lane->run) >= 0 || error_set(err, ERROR_USAGE, "nothing was taken back that could be made again");
    case COMMAND_ATTENTION:
        return attention(lane, &c->request, err);
    case COMMAND_OPEN_LANE:
    case COMMAND_CLOSE_LANE:
        break;
    }
    return true;
}
