#include "ui/view.h"

#include "engine/base/text.h"
#include "engine/base/thread.h"
#include "engine/run/command_text.h"
#include "engine/run/intervention_text.h"

#include "ui/words.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { VIEW_PATIENCE = 4 }; // seconds

void view_truth_free(struct view_truth *truth)
{
    free(truth->picture);
    free(truth->question);
    free(truth->answer);
    *truth = (struct view_truth){0};
}

static void stop_awaiting(struct view *view)
{
    for (size_t i = 0; i < sizeof view->awaited.texts / sizeof *view->awaited.texts; i++)
        free(view->awaited.texts[i]);
    view->awaited = (struct view_awaited){.awaited = false};
}

void view_await(struct view *view, const struct run_wish *wish)
{
    stop_awaiting(view);
    if (!wish)
        return;
    struct view_awaited *a = &view->awaited;
    *a = (struct view_awaited){.awaited = true, .wish = *wish, .since = clock_seconds()};
    const char **const texts[] = {&a->wish.question, &a->wish.policy, &a->wish.pictures[0], &a->wish.pictures[1]};
    static_assert(sizeof texts / sizeof *texts == sizeof a->texts / sizeof *a->texts, "each text of a wish");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!*texts[i])
            continue;
        *texts[i] = a->texts[i] = strdup(*texts[i]);
        if (!a->texts[i]) {
            stop_awaiting(view);
            return;
        }
    }
}

bool view_awaits(const struct view *view)
{
    return view->awaited.awaited && (view->busy || clock_seconds() < view->awaited.since + VIEW_PATIENCE);
}

const struct trace *view_known(const struct view *view)
{
    return view->has_trace && !view_awaits(view) ? &view->trace : NULL;
}

bool view_spends_on_average(const struct view *view)
{
    return view->has_trace && !isnan(view->trace.shift);
}

void view_free(struct view *view)
{
    if (view->has_trace)
        trace_free(&view->trace);
    for (int i = 0; i < TRACE_PICTURES; i++)
        free(view->pictures[i].rgb);
    free(view->attention.weights);
    free(view->command);
    view_truth_free(&view->truth);
    stop_awaiting(view);
    *view = (struct view){0};
}

static void copy_truth(struct view_truth *to, const char *picture, const char *question, const char *answer)
{
    view_truth_free(to);
    *to = (struct view_truth){strdup(picture), strdup(question), strdup(answer)};
    if (!to->picture || !to->question || !to->answer)
        view_truth_free(to);
}

void view_set_truth(struct view *view, const char *picture, const char *question, const char *answer)
{
    copy_truth(&view->truth, picture, question, answer);
}

void view_truth_copy(struct view_truth *to, const struct view_truth *from)
{
    view_truth_free(to);
    if (from->answer)
        copy_truth(to, from->picture, from->question, from->answer);
}

const char *view_truth(const struct view *view)
{
    const struct trace *trace = &view->trace;
    bool known = view->truth.answer && view->has_trace && trace->question && !strcmp(trace->question, view->truth.question) &&
                 trace->picture_count > 0 && trace->pictures[0].path && !strcmp(trace->pictures[0].path, view->truth.picture);
    return known ? view->truth.answer : NULL;
}

void view_say(struct view *view, bool is_error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(view->message, sizeof view->message, format, arguments);
    va_end(arguments);
    view->message_is_error = is_error;
}

// When the run after a change is complete: what did it do to the answer?
static void view_tell_change(struct view *view)
{
    const struct trace *trace = &view->trace;
    if (!view->change[0] || trace->stage_count < trace->stage_total || !trace->answer.text[0])
        return;
    const struct trace_answer *before = &view->answer_before, *after = &trace->answer;
    if (!before->text[0])
        view_say(view, false, _("%s: the answer is '%s' (%.0f %%)."), view->change, after->text,
                 100.0 * (double)after->p);
    else if (!strcmp(before->text, after->text))
        view_say(view, false, _("%s: the answer stays '%s', %.1f %% %s %.1f %%."), view->change, after->text,
                 100.0 * (double)before->p, "→", 100.0 * (double)after->p);
    else
        view_say(view, false, _("%s: the answer changes from '%s' (%.0f %%) to '%s' (%.0f %%)."), view->change,
                 before->text, 100.0 * (double)before->p, after->text, 100.0 * (double)after->p);
    view->change[0] = 0;
}

// The end of a picture's path that names it here: what follows the current folder, or the name of a bundled one (which
// every command finds, unless a file here is called so).
char *view_short_path(const struct view *view, char *path)
{
    char here[4096];
    size_t length = view->assets ? strlen(view->assets) : 0;
    static const char folder[] = "/pictures/";
    if (length && !strncmp(path, view->assets, length) && !strncmp(path + length, folder, sizeof folder - 1)) {
        char *name = path + length + sizeof folder - 1;
        if (*name && !strchr(name, '/') && access(name, F_OK) != 0)
            return name;
    }
    length = getcwd(here, sizeof here) ? strlen(here) : 0;
    bool below = length > 1 && !strncmp(path, here, length) && path[length] == '/';
    return below && path[length + 1] && path[length + 1] != '/' ? path + length + 1 : path;
}

struct trace view_with_short_paths(const struct view *view, const struct trace *trace)
{
    struct trace named = *trace;
    for (int p = 0; p < named.picture_count; p++)
        if (named.pictures[p].path)
            named.pictures[p].path = view_short_path(view, named.pictures[p].path);
    return named;
}

char *view_make_command(const struct view *view, const struct intervention more[], int count)
{
    struct trace named = view_with_short_paths(view, &view->trace);
    return command_of_run(&named, more, count, view->model);
}

// While the run is on its way the stages of its changes may have no names yet: the command stays what it was.
static void view_write_command(struct view *view)
{
    char *command = view_make_command(view, NULL, 0);
    if (!command)
        return;
    free(view->command);
    view->command = command;
}

bool view_take_news(struct view *view, struct backend_news *news)
{
    // Work is seen once it takes long (and then that it is over): else each look of the model would cost a second frame.
    bool changed = view->busy_for_long &&
                   (news->busy != view->busy || strcmp(news->progress, view->progress) != 0 ||
                    (isnan(news->done) != isnan(view->done)) || news->done > view->done || news->done < view->done);
    view->busy = news->busy;
    view->done = news->done;
    snprintf(view->progress, sizeof view->progress, "%s", news->progress);
    if (news->has_trace) {
        if (view->has_trace)
            trace_free(&view->trace);
        view->trace = news->trace;
        view->has_trace = true;
        news->has_trace = false;
        if (view->awaited.awaited && run_wish_is(&view->awaited.wish, &view->trace))
            stop_awaiting(view);
        view_clamp(view);
        view_tell_change(view);
        view_write_command(view);
        view->serial++, changed = true;
    }
    for (int i = 0; i < TRACE_PICTURES; i++)
        if (news->has_picture[i]) {
            free(view->pictures[i].rgb);
            view->pictures[i] = news->pictures[i];
            news->pictures[i].rgb = NULL;
            view->picture_serial++;
            view->serial++, changed = true;
        }
    if (news->has_attention) {
        free(view->attention.weights);
        view->attention = news->attention;
        view->has_attention = true;
        news->attention.weights = NULL;
        view->serial++, changed = true;
    }
    if (news->has_message) {
        view_say(view, false, "%s", news->message);
        changed = true;
    }
    if (news->has_error) {
        view_say(view, true, "%s", news->error);
        stop_awaiting(view);
        view->change[0] = 0;
        changed = true;
    }
    if (news->has_note) {
        view->note_read = view->note_read && !strcmp(view->note, news->note);
        snprintf(view->note, sizeof view->note, "%s", news->note);
        snprintf(view->suggestion, sizeof view->suggestion, "%s", news->suggestion);
        changed = true;
    }
    if (news->has_least)
        view->least = news->least;
    backend_news_free(news);
    return changed;
}

bool view_is_whole(const struct view *view)
{
    return view->has_trace && view->trace.stage_total > 0 && view->trace.stage_count >= view->trace.stage_total;
}

int view_stage(const struct view *view)
{
    if (!view->has_trace)
        return -1;
    return view->stage < view->trace.stage_count ? view->stage : view->trace.stage_count - 1;
}

const struct stage *view_stage_at(const struct view *view)
{
    int stage = view_stage(view);
    return stage < 0 ? NULL : &view->trace.stages[stage];
}

const struct trace_tokens *view_tokens(const struct view *view, int stage, int stream)
{
    return view->has_trace ? trace_tokens_at(&view->trace, stage, stream) : NULL;
}

bool view_alive(const struct view *view, int stage, int stream, int token)
{
    const struct trace_tokens *tokens = view_tokens(view, stage, stream);
    return !tokens || token >= tokens->count || tokens->alive[token];
}

static int stream_first(int stream)
{
    return stream == TRACE_TEXT_STREAM ? 0 : 1; // a picture's CLS is no patch
}

int view_alive_count(const struct view *view, int stage, int stream, int *total)
{
    int all = stream == TRACE_TEXT_STREAM ? view->trace.token_count : view_patches(view, stream);
    if (total)
        *total = all;
    const struct trace_tokens *tokens = view_tokens(view, stage, stream);
    if (!tokens)
        return all;
    int alive = 0;
    for (int i = stream_first(stream); i < tokens->count; i++)
        alive += tokens->alive[i] != 0;
    return alive;
}

int view_alive_patches(const struct view *view, int stage, int *total)
{
    int alive = 0, all = 0;
    for (int p = 0; p < view->trace.picture_count; p++) {
        int of = 0;
        alive += view_alive_count(view, stage, p, &of);
        all += of;
    }
    if (total)
        *total = all;
    return alive;
}

enum view_hand view_by_hand(const struct view *view, int stream, int token)
{
    enum view_hand hand = VIEW_NOT_BY_HAND;
    for (int i = 0; i < view->trace.intervention_count; i++) {
        const struct intervention *v = &view->trace.interventions[i];
        bool about = v->stream == stream && v->token == token;
        if (v->kind == INTERVENE_TOKEN_KEEP && about)
            hand = VIEW_KEPT_BY_HAND;
        else if (v->kind == INTERVENE_TOKEN_DROP && about)
            hand = VIEW_DROPPED_BY_HAND;
    }
    return hand;
}

bool view_dropped_now(const struct view *view, int stage, int stream, int token)
{
    if (stage < 0 || stage >= view->trace.stage_count)
        return false;
    const struct trace_tokens *tokens = &view->trace.stages[stage].tokens[stream];
    return token < tokens->count && !tokens->alive[token] && tokens->dropped_at[token] == stage;
}

int view_dropped_now_count(const struct view *view, int stage, int stream)
{
    if (stage < 0 || stage >= view->trace.stage_count)
        return 0;
    int dropped = 0;
    for (int i = stream_first(stream); i < view->trace.stages[stage].tokens[stream].count; i++)
        dropped += view_dropped_now(view, stage, stream, i);
    return dropped;
}

struct view_score view_score(const struct view *view, int stage, int stream, int token)
{
    for (int s = stage; s >= 0 && view->has_trace; s--) {
        const struct trace_tokens *tokens = &view->trace.stages[s].tokens[stream];
        if (token >= tokens->count)
            continue;
        struct view_score score = {s, tokens->self_score[token], tokens->cross_score[token],
                                   tokens->score[token], tokens->keep[token]};
        if (!isnan(score.self) || !isnan(score.cross) || !isnan(score.total))
            return score;
    }
    return (struct view_score){-1, NAN, NAN, NAN, NAN};
}

float view_threshold(const struct view *view, int stage, int stream)
{
    if (!view->has_trace || stage < 0)
        return NAN;
    return trace_threshold(&view->trace, stage, stream);
}

float view_shown_value(const struct view *view, int stage, int stream, int token)
{
    if (view->show == SHOW_ATTENTION) {
        const struct backend_attention *attention = &view->attention;
        bool fits =
            view->has_attention && attention->key_stream == stream && attention->request.stage == stage;
        return fits && token < attention->count ? attention->weights[token] : NAN;
    }
    struct view_score score = view_score(view, stage, stream, token);
    return view->show == SHOW_SELF    ? score.self
           : view->show == SHOW_CROSS ? score.cross
           : view->show == SHOW_TOTAL ? score.total
                                      : NAN;
}

bool view_shown_range(const struct view *view, int stage, int stream, float *low, float *high)
{
    const struct trace_tokens *tokens = view_tokens(view, stage, stream);
    *low = INFINITY, *high = -INFINITY;
    for (int i = 1; tokens && i < tokens->count; i++) {
        float value = view_shown_value(view, stage, stream, i);
        bool counts = tokens->alive[i] || tokens->dropped_at[i] == stage;
        if (counts && !isnan(value)) {
            *low = fminf(*low, value);
            *high = fmaxf(*high, value);
        }
    }
    return *low <= *high;
}

bool view_has_stream(const struct view *view, int stream)
{
    return view->has_trace && (stream == TRACE_TEXT_STREAM || stream < view->trace.picture_count);
}

int view_patches(const struct view *view, int picture)
{
    if (!view->has_trace || picture >= view->trace.picture_count)
        return 0;
    return view->trace.pictures[picture].grid_rows * view->trace.pictures[picture].grid_columns;
}

static void encoder_name(const struct trace *trace, const struct stage *stage, char *out, size_t size)
{
    int layer = stage->layer + 1, picture = stage->stream + 1;
    bool two = trace->picture_count > 1;
    if (stage->kind == STAGE_IMAGE && two)
        snprintf(out, size, _("image %d, picture %d"), layer, picture);
    else if (stage->kind == STAGE_IMAGE)
        snprintf(out, size, _("image %d"), layer);
    else if (two)
        snprintf(out, size, _("embed, picture %d"), picture);
    else
        snprintf(out, size, "%s", _("embed image"));
}

void view_name_stage(const struct trace *trace, const struct stage *stage, char *out, size_t size)
{
    int layer = stage->layer + 1;
    bool text = stage->stream == TRACE_TEXT_STREAM || stage->stream < 0;
    if (stage->kind == STAGE_TEXT)
        snprintf(out, size, _("text %d"), layer);
    else if (stage->kind == STAGE_FUSION)
        snprintf(out, size, _("fusion %d"), layer);
    else if (stage->kind == STAGE_MEMORY)
        snprintf(out, size, "%s", in_("stage", "memory"));
    else if (stage->kind == STAGE_DECODE)
        snprintf(out, size, _("word %d"), layer);
    else if (stage->kind == STAGE_ANSWER)
        snprintf(out, size, "%s", _("answer"));
    else if (stage->kind == STAGE_EMBED && text)
        snprintf(out, size, "%s", _("embed text"));
    else
        encoder_name(trace, stage, out, size);
}

void view_stage_name(const struct view *view, const struct stage *stage, char *out, size_t size)
{
    view_name_stage(&view->trace, stage, out, size);
}

bool view_is_of_words(const struct stage *stage)
{
    return stage->kind == STAGE_TEXT || stage->kind == STAGE_MEMORY ||
           (stage->kind == STAGE_EMBED && stage->stream == TRACE_TEXT_STREAM);
}

const char *view_stream_name(const struct view *view, int stream)
{
    if (stream == TRACE_TEXT_STREAM)
        return _("words");
    bool two = view->has_trace && view->trace.picture_count > 1;
    return !two ? _("picture") : stream == 0 ? _("picture 1") : _("picture 2");
}

const char *view_module_name(enum attention_module module)
{
    return module == MODULE_MSA ? in_("attention", "self")
           : module == MODULE_MCA ? in_("attention", "cross")
                                  : in_("attention", "cross 2");
}

const struct trace_heads *view_heads(const struct view *view, int stage, int stream,
                                     enum attention_module module)
{
    if (!view->has_trace || stage < 0 || stage >= view->trace.stage_count)
        return NULL;
    const struct trace_heads *heads = &view->trace.stages[stage].heads[stream][module];
    return heads->count > 0 ? heads : NULL;
}

bool view_first_head(const struct view *view, int stage, struct head_place *place)
{
    const struct trace_heads *heads = view_heads(view, stage, place->stream, place->module);
    if (heads) {
        if (place->head >= heads->count)
            place->head = heads->count - 1;
        return true;
    }
    for (int stream = 0; stream < TRACE_STREAMS; stream++)
        for (int module = 0; module < MODULES; module++)
            if (view_heads(view, stage, stream, (enum attention_module)module)) {
                *place = (struct head_place){stream, (enum attention_module)module, 0};
                return true;
            }
    return false;
}

static int best_token(const struct view *view, int stream)
{
    int stage = view_stage(view), first = stream_first(stream), best = first;
    int count = stream == TRACE_TEXT_STREAM ? view->trace.token_count : view_patches(view, stream) + 1;
    float best_score = -INFINITY;
    for (int i = first; i < count; i++) {
        const struct trace_token *token = stream == TRACE_TEXT_STREAM ? &view->trace.tokens[i] : NULL;
        if ((token && token->from >= token->to) || !view_alive(view, stage, stream, i))
            continue;
        float score = view_score(view, stage, stream, i).total;
        if (score > best_score || (best_score <= -INFINITY && best == first)) {
            best = i;
            best_score = isnan(score) ? -INFINITY : score;
        }
    }
    return best;
}

void view_find_patch(struct view *view)
{
    if (view->has_trace && !view->patch_chosen && view->picture < view->trace.picture_count)
        view->patch = best_token(view, view->picture) - 1;
}

void view_find_word(struct view *view)
{
    if (view->has_trace && !view->word_chosen)
        view->word = best_token(view, TRACE_TEXT_STREAM);
}

static int clamp_index(int value, int count)
{
    return count <= 0 || value < 0 ? 0 : value >= count ? count - 1 : value;
}

void view_clamp(struct view *view)
{
    int total =
        view->trace.stage_total > view->trace.stage_count ? view->trace.stage_total : view->trace.stage_count;
    view->stage = clamp_index(view->stage, total);
    view->picture = clamp_index(view->picture, view->trace.picture_count);
    view->patch = clamp_index(view->patch, view_patches(view, view->picture));
    view->word = clamp_index(view->word, view->trace.token_count);
    // The stages of a run that is still going on pass by: a cursor that nobody has put on a head yet stays with the first
    // stream, whichever of them is shown when.
    if (view->focus == FOCUS_HEADS || view_heads(view, view_stage(view), view->head.stream, view->head.module))
        view_first_head(view, view_stage(view), &view->head);
}

static bool covers(const struct trace_token *token)
{
    return token->to > token->from;
}

// A token that stands for punctuation is no part of a word, whatever it touches.
static bool is_mark(const struct trace *trace, const struct trace_token *token)
{
    return trace->question && token->to <= (int)strlen(trace->question) && ispunct((unsigned char)trace->question[token->from]);
}

// Whether a piece stands for a part of the same word as the one before it: the rest of its letters, or no letters.
static bool goes_on(const struct trace *trace, int token)
{
    const struct trace_token *this = &trace->tokens[token];
    return token > 0 && token < trace->token_count && covers(this) && covers(this - 1) && this->from <= this[-1].to &&
           !is_mark(trace, this) && !is_mark(trace, this - 1);
}

// A word on its own: a piece names the word it belongs to ("-ies (butterflies)", "+s (mice)"), and a stem is whole
// ("butterfly", of which the question only has "butterfl").
static void word_name(const struct trace *trace, int token, char *out, size_t size)
{
    const struct trace_token *this = &trace->tokens[token];
    int first = token, last = token;
    char text[TRACE_TEXT], word[TRACE_TEXT] = "";
    trace_token_text(trace, token, text, sizeof text);
    bool stem = !this->unknown && strlen(this->text) > strlen(text) &&
                !strncasecmp(this->text, text, strlen(text));
    if (stem || !goes_on(trace, token)) {
        text_fit(out, size, stem ? this->text : text);
        return;
    }
    while (goes_on(trace, first))
        first--;
    while (goes_on(trace, last + 1))
        last++;
    if (trace->question && trace->tokens[last].to <= (int)strlen(trace->question))
        snprintf(word, sizeof word, "%.*s", trace->tokens[last].to - trace->tokens[first].from,
                 trace->question + trace->tokens[first].from);
    text_clean(word);
    snprintf(out, size, "%s%.20s (%.36s)", text[0] == '+' ? "" : "-", text, word);
}

void view_token_name(const struct view *view, int stream, int token, char *out, size_t size)
{
    const struct trace *trace = &view->trace;
    if (stream == TRACE_TEXT_STREAM) {
        if (token < 0 || token >= trace->token_count) {
            snprintf(out, size, "?");
            return;
        }
        word_name(trace, token, out, size);
        return;
    }
    int columns = stream < trace->picture_count ? trace->pictures[stream].grid_columns : 1;
    if (token == 0 || columns <= 0)
        snprintf(out, size, "CLS");
    else if (trace->picture_count > 1)
        snprintf(out, size, _("row %d, column %d of picture %d"), (token - 1) / columns + 1, (token - 1) % columns + 1,
                 stream + 1);
    else
        snprintf(out, size, _("row %d, column %d"), (token - 1) / columns + 1, (token - 1) % columns + 1);
}
