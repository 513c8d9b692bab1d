// Where a head looks: over the picture as heat, over the words as bars, self and cross attention beside each other.
#include "ui/page.h"

#include "engine/run/command_text.h"
#include "ui/portrait.h"
#include "ui/screen_state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL = -1, TOP = 3, SAID_ROWS = 3, PANEL_LEAST = 38, LIST = 320 };

struct heads_page {
    struct backend_heads looks; // of the stage, the stream and the query that were asked for last
    bool known;
    int job;
    int stream; // whose heads: a picture or the words
    int head;   // ALL: the mean of those that work
    int query;  // token that looks, 0 is CLS
    int layer;  // of the decoder, in a stage that writes a word; ALL: the mean over its layers
    float *shown[2]; // of self and cross attention: weights of the head or of the mean; NULL: none
    float most;      // of the patches, for the heat; 0: nothing to show
    struct portrait portrait;
    struct image image;
    struct portrait_colors colors;
};

// ---- what is asked and known
// ----------------------------------------------------------------------------------

static void forget_looks(struct heads_page *state)
{
    for (int m = 0; m < 2; m++) {
        free(state->looks.of[m].weights);
        free(state->shown[m]);
        state->shown[m] = NULL;
    }
    state->looks = (struct backend_heads){0};
    state->known = false;
}

// A stage that writes a word: that word alone looks, in each layer of the decoder.
static bool writes_word(const struct view *view)
{
    const struct stage *stage = view_stage_at(view);
    return stage && stage->kind == STAGE_DECODE;
}

static void ask(struct page *page)
{
    struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    int stage = view_stage(view);
    const struct trace_tokens *tokens = stage >= 0 ? &view->trace.stages[stage].tokens[state->stream] : NULL;
    page_cancel_job(page, state->job);
    state->job = 0;
    forget_looks(state);
    page_changed(page);
    bool word = writes_word(view);
    if (!tokens || (!word && !view_heads(view, stage, state->stream, MODULE_MSA)))
        return;
    if (word || state->query >= tokens->count || !tokens->alive[state->query])
        state->query = 0; // it does not look any more
    struct backend_job job = {.kind = JOB_HEADS,
                              .heads = {stage, word ? TRACE_TEXT_STREAM : state->stream, state->query,
                                        word ? state->layer : 0}};
    state->job = page_start_job(page, &job);
}

// The mean of the heads that work; NULL: none does, or no memory.
static float *mean_of(const struct backend_looks *looks, int heads)
{
    float *mean = calloc((size_t)looks->count, sizeof *mean);
    int live = 0;
    for (int h = 0; mean && h < heads; h++) {
        const float *weights = looks->weights + (size_t)h * (size_t)looks->count;
        bool any = false;
        for (int k = 0; k < looks->count; k++)
            any |= !isnan(weights[k]);
        live += any;
        for (int k = 0; any && k < looks->count; k++)
            mean[k] += weights[k]; // NaN marks what was dropped
    }
    for (int k = 0; mean && k < looks->count; k++)
        mean[k] /= live ? (float)live : NAN;
    return mean;
}

static float *copy_of(const struct backend_looks *looks, int head)
{
    size_t bytes = (size_t)looks->count * sizeof(float);
    float *copy = malloc(bytes);
    if (copy)
        memcpy(copy, looks->weights + (size_t)head * (size_t)looks->count, bytes);
    return copy;
}

static void choose_head(struct page *page, int head)
{
    struct heads_page *state = page->state;
    int heads = state->looks.heads;
    state->head = head < ALL ? heads - 1 : head >= heads ? ALL : head;
    state->most = 0;
    for (int m = 0; m < 2; m++) {
        const struct backend_looks *looks = &state->looks.of[m];
        free(state->shown[m]);
        state->shown[m] = !looks->weights ? NULL : state->head == ALL ? mean_of(looks, heads) : copy_of(looks, state->head);
        for (int k = 1; state->shown[m] && looks->key_stream != TRACE_TEXT_STREAM && k < looks->count; k++)
            state->most = fmaxf(state->most, state->shown[m][k]); // NaN is left out
    }
    page_changed(page);
}

// Self or cross: the one whose weights are about pictures, or about words; -1: neither here.
static int module_over(const struct heads_page *state, bool words)
{
    for (int m = 0; m < 2; m++)
        if (state->shown[m] && (state->looks.of[m].key_stream == TRACE_TEXT_STREAM) == words)
            return m;
    return -1;
}

static bool take_heads(struct page *page, struct backend_job_news *news)
{
    struct heads_page *state = page->state;
    forget_looks(state);
    state->looks = news->heads;
    memset(news->heads.of, 0, sizeof news->heads.of);
    state->known = true;
    choose_head(page, state->head < state->looks.heads ? state->head : ALL);
    return true;
}

// ---- keys
// -----------------------------------------------------------------------------------------------------

static void next_head(struct page *page, int by)
{
    struct heads_page *state = page->state;
    if (state->known)
        choose_head(page, state->head + by);
}

// Over to the words' heads, or to the pictures'.
static void next_stream(struct page *page, int by)
{
    struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    do
        state->stream = (state->stream + by + TRACE_STREAMS) % TRACE_STREAMS;
    while (!view_has_stream(view, state->stream));
    state->query = 0;
    ask(page);
}

// Of a word that is written the next layer, or all of them.
static void next_layer(struct page *page, int by)
{
    struct heads_page *state = page->state;
    int layers = state->looks.layers;
    if (layers)
        state->layer = (state->layer + 1 + by + layers + 1) % (layers + 1) - 1;
    ask(page);
}

static void next_query(struct page *page, int by)
{
    struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    if (writes_word(view)) {
        next_layer(page, by);
        return;
    }
    const struct trace_tokens *tokens = view_tokens(view, view_stage(view), state->stream);
    for (int tries = 0; tokens && tries < tokens->count; tries++) {
        state->query = (state->query + by + tokens->count) % tokens->count;
        if (tokens->alive[state->query])
            break;
    }
    ask(page);
}

// From CLS again, or from what the cursor of the stepper is on.
static void toggle_query(struct page *page, int unused)
{
    struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    (void)unused;
    if (writes_word(view))
        state->layer = ALL;
    state->query = state->query ? 0 : state->stream == TRACE_TEXT_STREAM ? view->word : view->patch + 1;
    ask(page);
}

static void step(struct page *page, int by)
{
    screen_step(page->screen, by);
    ask(page);
}

static const struct {
    void (*run)(struct page *page, int value);
    int value;
} actions[ACTIONS] = {
    [ACTION_HEADS_LEFT] = {next_head, -1},   [ACTION_HEADS_RIGHT] = {next_head, 1},
    [ACTION_HEADS_STREAM] = {next_stream, 1}, [ACTION_HEADS_EARLIER] = {step, -1},
    [ACTION_HEADS_LATER] = {step, 1},        [ACTION_HEADS_QUERY_BACK] = {next_query, -1},
    [ACTION_HEADS_QUERY] = {next_query, 1},  [ACTION_HEADS_CLS] = {toggle_query, 0},
};

static bool act(struct page *page, enum action action)
{
    if (actions[action].run)
        actions[action].run(page, actions[action].value);
    return actions[action].run;
}

// ---- the picture
// ----------------------------------------------------------------------------------------------

static struct portrait_request request_of(struct page *page);

// Heat: the weight against the greatest of a patch.
static void heat(const void *context, int picture, struct patch_look *looks, int count)
{
    const struct heads_page *state = context;
    int module = module_over(state, false);
    for (int i = 0; i < count; i++) {
        looks[i].tint = NAN;
        // What a layer of the decoder still has may have been dropped by a later one.
        if (module > 0 && state->looks.layers && i + 1 < state->looks.of[module].count)
            looks[i].alive = !isnan(state->shown[module][i + 1]);
        if (module >= 0 && state->looks.of[module].key_stream == picture && i + 1 < state->looks.of[module].count &&
            state->most > 0)
            looks[i].tint = state->shown[module][i + 1] / state->most;
    }
}

static struct portrait_request request_of(struct page *page)
{
    struct heads_page *state = page->state;
    const struct screen *screen = page->screen;
    const struct view *view = &screen->view;
    bool query = state->query > 0 && state->stream != TRACE_TEXT_STREAM;
    int columns = page->body.columns - PANEL_LEAST - 2, most = page->body.columns * 55 / 100;
    return (struct portrait_request){
        .view = view,
        .stage = view_stage(view),
        .rect = {page->body.row, page->body.column, page->body.rows - 1, columns < most ? columns : most},
        .theme = &screen->theme,
        .terminal = &screen->terminal,
        .graphics = screen->graphics,
        .picture = query ? state->stream : 0,
        .cursor = query ? state->query - 1 : -1,
        .change_looks = heat,
        .context = state};
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct heads_page *state = page->state;
    const struct screen *screen = page->screen;
    struct portrait_request request = request_of(page);
    if (request.stage < 0 || screen->view.trace.picture_count == 0)
        return 0;
    if (!portrait_paint(&state->portrait, &state->image, &request))
        return -1;
    if (screen->graphics == GRAPHICS_SIXEL &&
        !portrait_colors_update(&state->colors, &screen->view, screen->view.picture_serial, &screen->theme,
                                screen->theme_serial))
        return -1;
    out[0] = (struct page_image){&state->image, &state->colors.palette, state->colors.serial};
    return 1;
}

// ---- words
// ----------------------------------------------------------------------------------------------------

static void add(char out[LIST], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char out[LIST], const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, LIST - used, format, arguments);
    va_end(arguments);
}

// As sentences name a token: 'heart', "row 4, column 7", CLS.
static void name_token(const struct view *view, int stream, int token, char *out, size_t size)
{
    char name[TRACE_TEXT];
    view_token_name(view, stream, token, name, sizeof name);
    bool word = stream == TRACE_TEXT_STREAM && token < view->trace.token_count &&
                view->trace.tokens[token].from < view->trace.tokens[token].to;
    snprintf(out, size, word ? "'%s'" : "%s", token == 0 ? "CLS" : name);
}

// "'heart' (61 %), 'over' (20 %), CLS (9 %)", at most `most` (up to TOP) of them; empty: the head does not work.
static void list_top(const struct view *view, const struct backend_looks *looks, const float *weights, int most,
                     char out[LIST])
{
    int taken[TOP], count = 0;
    out[0] = 0;
    for (int n = 0; n < most; n++) {
        int best = -1;
        for (int k = 0; k < looks->count; k++) {
            bool used = isnan(weights[k]);
            for (int i = 0; i < count; i++)
                used = used || taken[i] == k;
            if (!used && (best < 0 || weights[k] > weights[best]))
                best = k;
        }
        if (best < 0)
            return;
        char name[TRACE_TEXT + 4];
        taken[count++] = best;
        name_token(view, looks->key_stream, best, name, sizeof name);
        double percent = 100 * (double)weights[best];
        add(out, percent < 9.95 ? "%s%s (%.1f %%)" : "%s%s (%.0f %%)", n > 0 ? ", " : "", name, percent);
    }
}

// The same of a word that is written.
static void say_word(const struct page *page, int most, char *out, size_t size)
{
    const struct heads_page *state = page->state;
    char top[LIST] = "";
    if (state->shown[1])
        list_top(&page->screen->view, &state->looks.of[1], state->shown[1], most, top);
    if (state->head == ALL && state->layer == ALL)
        snprintf(out, size, _("All heads of all layers of the decoder together look from this word at %s."), top);
    else if (state->head == ALL)
        snprintf(out, size, _("All heads of layer %d of the decoder together look from this word at %s."), state->layer + 1, top);
    else if (state->layer == ALL)
        snprintf(out, size, _("Head %d looks from this word, in all layers of the decoder together, at %s."), state->head + 1,
                 top);
    else
        snprintf(out, size, _("Head %d of layer %d of the decoder looks from this word at %s."), state->head + 1,
                 state->layer + 1, top);
}

static void say_module(const struct page *page, int m, int most, char *out, size_t size)
{
    const struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    const char *stream = view_stream_name(view, state->stream);
    char top[LIST] = "", query[TRACE_TEXT + 4];
    if (state->shown[m])
        list_top(view, &state->looks.of[m], state->shown[m], most, top);
    name_token(view, state->stream, state->query, query, sizeof query);
    if (!state->shown[m])
        snprintf(out, size, "%s", m == 0 ? _("No attention in this stage.")
                                         : _("No cross attention here: picture and words meet in the fusion layers."));
    else if (!top[0] && state->head == ALL)
        snprintf(out, size, m == 0 ? _("All self heads of the %s were dropped here.")
                                   : _("All cross heads of the %s were dropped here."), stream);
    else if (!top[0])
        snprintf(out, size, m == 0 ? _("Self head %d of the %s was dropped here: it is not computed.")
                                   : _("Cross head %d of the %s was dropped here: it is not computed."),
                 state->head + 1, stream);
    else if (state->head == ALL)
        snprintf(out, size, m == 0 ? _("Self heads of the %s together look from %s at %s.")
                                   : _("Cross heads of the %s together look from %s at %s."), stream, query, top);
    else
        snprintf(out, size, m == 0 ? _("Self head %d of the %s looks from %s at %s.")
                                   : _("Cross head %d of the %s looks from %s at %s."),
                 state->head + 1, stream, query, top);
}

// ---- panels
// ---------------------------------------------------------------------------------------------------

// "layer  all 1 2 3", "head   all 1 2 3": of a word that is written nothing is pruned in the decoder itself.
static void draw_numbers(const struct pane *pane, struct rect rect, int row, const char *name, int count, int chosen)
{
    int column = rect.column, end = rect.column + rect.columns;
    draw_text(pane, STYLE_DIM, row, column, 7, name);
    column += 7;
    column += draw_text(pane, chosen == ALL ? STYLE_CURSOR : STYLE_TEXT, row, column, end - column, _("all")) + 1;
    for (int i = 0; i < count && column + 3 <= end; i++)
        column += draw_format(pane, i == chosen ? STYLE_CURSOR : STYLE_ALIVE, row, column, end - column, "%d", i + 1) + 1;
}

// "self  all  1■ 2■ 3□": the chosen one marked, in both rows.
static void draw_choice(const struct page *page, const struct pane *pane, struct rect rect, int row, enum attention_module m)
{
    const struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    const struct trace_heads *heads = view_heads(view, view_stage(view), state->stream, m);
    int column = rect.column, end = rect.column + rect.columns;
    draw_text(pane, STYLE_DIM, row, column, 7, m == MODULE_MSA ? _("self") : _("cross"));
    column += 7;
    if (!heads) {
        draw_text(pane, STYLE_DIM, row, column, end - column, _("none in this stage"));
        return;
    }
    column += draw_text(pane, state->head == ALL ? STYLE_CURSOR : STYLE_TEXT, row, column, end - column, _("all")) + 1;
    for (int h = 0; h < heads->count && column + 3 <= end; h++) {
        enum style style = state->head == h ? STYLE_CURSOR : heads->on[h] ? STYLE_ALIVE : STYLE_DEAD;
        column += draw_format(pane, style, row, column, end - column, "%d%s", h + 1,
                              heads->on[h] ? pane->theme->glyphs->live : pane->theme->glyphs->dropped) + 1;
    }
}

static void draw_weight(const struct pane *pane, struct rect rect, int row, const char *name, float weight, float most)
{
    int name_width = rect.columns / 3;
    bool gone = isnan(weight);
    draw_text(pane, gone ? STYLE_DEAD : STYLE_TEXT, row, rect.column, name_width, name);
    if (gone) {
        draw_text(pane, STYLE_DEAD, row, rect.column + name_width + 1, rect.columns - name_width - 1, _("dropped"));
        return;
    }
    char text[16];
    snprintf(text, sizeof text, "%.1f %%", 100 * (double)weight);
    draw_bar(pane, STYLE_SPENT, row, rect.column + name_width + 1, rect.columns - name_width - 10,
             most > 0 && weight >= 0.0005f ? (double)(weight / most) : 0); // "0.0 %" has no bar
    draw_right(pane, STYLE_NUMBER, row, rect.column + rect.columns - 8, 8, text);
}

// Every word with its weight, against the greatest.
static void draw_words(const struct page *page, const struct pane *pane, struct rect rect)
{
    const struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    int module = module_over(state, true);
    if (module < 0 && writes_word(view)) { // it looks at the picture alone
        const struct stage *stage = view_stage_at(view);
        draw_title(pane, rect, _("WRITTEN SO FAR"), NULL, false);
        if (stage->answer_count > 0)
            draw_wrapped(pane, STYLE_ANSWER, (struct rect){rect.row + 1, rect.column, rect.rows - 1, rect.columns},
                         stage->answers[0].text);
        return;
    }
    draw_title(pane, rect, _("OVER THE WORDS"), module < 0 ? NULL : module == 0 ? _("self") : _("cross"), false);
    if (module < 0) {
        draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns, state->job ? _("asking …") : _("nothing here"));
        return;
    }
    float most = 0;
    for (int k = 0; k < state->looks.of[module].count; k++)
        most = fmaxf(most, state->shown[module][k]);
    if (most <= 0) {
        draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns, _("this head was dropped"));
        return;
    }
    int count = state->looks.of[module].count;
    for (int k = 0; k < count && k + 1 < rect.rows; k++) {
        char name[TRACE_TEXT + 4];
        if (k + 2 == rect.rows && k + 1 < count) { // the last row, and not the last word
            draw_format(pane, STYLE_DIM, rect.row + 1 + k, rect.column, rect.columns,
                        ngettext_(count - k, "and %d more", "and %d more"), count - k);
            return;
        }
        name_token(view, TRACE_TEXT_STREAM, k, name, sizeof name);
        draw_weight(pane, rect, rect.row + 1 + k, name, state->shown[module][k], most);
    }
}

// The heat's scale and CLS, which is no patch.
static void draw_legend(const struct page *page, const struct pane *pane, struct rect cells)
{
    const struct heads_page *state = page->state;
    int module = module_over(state, false), row = cells.row + cells.rows;
    if (module < 0 || state->most <= 0) {
        draw_text(pane, STYLE_DIM, row, cells.column, cells.columns,
                  module < 0 ? _("no attention over the picture here") : _("this head was dropped"));
        return;
    }
    int end = cells.column + cells.columns;
    int column = cells.column + draw_text(pane, STYLE_NUMBER, row, cells.column, cells.columns, "0 ");
    for (int i = 0; i < 6 && column + 2 < end; i++) {
        static const char *const levels[] = {"▁", "▂", "▃", "▅", "▆", "█"};
        column += draw_text(pane, (enum style)(STYLE_RAMP_0 + i), row, column, 1, pane->theme->glyphs->unicode ? levels[i] : ".");
    }
    char text[96], brief[96];
    const char *name = module > 0 ? _("cross") : state->looks.layers ? _("through these words") : _("self");
    double most = 100 * (double)state->most, cls = 100 * (double)state->shown[module][0];
    snprintf(text, sizeof text, _("%.1f %% a patch (%s); CLS %.1f %%"), most, name, cls);
    snprintf(brief, sizeof brief, _("%.1f %% (%s); CLS %.1f %%"), most, name, cls);
    draw_fitting(pane, STYLE_NUMBER, row, column + 1, end - column - 1, text, brief);
}

static void draw(struct page *page, const struct pane *pane)
{
    struct heads_page *state = page->state;
    const struct view *view = &page->screen->view;
    struct rect body = page->body, cells = state->image.cells;
    int left = body.column + request_of(page).rect.columns + 2, row = body.row;
    if (cells.columns > 0 && cells.columns < request_of(page).rect.columns)
        left = cells.column + cells.columns + 2;
    struct rect rect = {row, left, 3, body.column + body.columns - left};
    char said[LIST + 160], query[TRACE_TEXT + 4], title[TRACE_TEXT + 16];
    bool word = writes_word(view);
    draw_legend(page, pane, cells);
    name_token(view, state->stream, state->query, query, sizeof query);
    snprintf(title, sizeof title, _("looking from %s"), query);
    draw_title(pane, rect, word                                 ? _("HEADS OF THE DECODER")
                           : state->stream == TRACE_TEXT_STREAM ? _("HEADS OF THE WORDS")
                                                                : _("HEADS OF THE PICTURE"),
               word ? NULL : title, true);
    if (word) {
        draw_numbers(pane, rect, row + 1, _("layer"), state->looks.layers, state->layer);
        draw_numbers(pane, rect, row + 2, _("head"), state->looks.heads, state->head);
    } else {
        draw_choice(page, pane, rect, row + 1, MODULE_MSA);
        draw_choice(page, pane, rect, row + 2, MODULE_MCA);
    }
    row += 3 + (body.rows > 26);
    for (int m = word; m < 2 && (state->known || !state->job); m++) {
        int most = TOP;
        do // in a narrow window it looks at fewer, in a whole sentence
            word ? say_word(page, most, said, sizeof said) : say_module(page, m, most, said, sizeof said);
        while (draw_rows(said, rect.columns) > SAID_ROWS && --most > 0);
        row += draw_wrapped(pane, STYLE_TEXT, (struct rect){row, left, SAID_ROWS, rect.columns}, said);
    }
    row += body.rows > 26;
    int end = body.row + body.rows;
    if (page->screen->graphics == GRAPHICS_SIXEL && cells.columns > 0)
        draw_text(pane, STYLE_DIM, --end, left, rect.columns, _("outlined: alive; ×: dropped here"));
    draw_words(page, pane, (struct rect){row, left, end - row, rect.columns});
}

static void status(struct page *page, char *out, size_t size)
{
    const struct view *view = &page->screen->view;
    const struct stage *stage = view_stage_at(view);
    char name[TRACE_TEXT];
    if (!stage)
        return;
    view_stage_name(view, stage, name, sizeof name);
    snprintf(out, size, _(" %s  stage %d of %d "), name, view_stage(view) + 1, screen_last_stage(view) + 1);
}

// A click on a patch: look from there.
static void mouse(struct page *page, const struct page_mouse *event)
{
    struct heads_page *state = page->state;
    struct portrait_request request = request_of(page);
    int picture, patch;
    if (event->wheel) {
        next_head(page, event->wheel);
        return;
    }
    if (!event->pressed || !portrait_hit(&state->portrait, &state->image, &request, event->row, event->column, &picture, &patch))
        return;
    state->stream = picture;
    state->query = patch + 1;
    ask(page);
}

// ---- life
// -----------------------------------------------------------------------------------------------------

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct heads_page *state = page->state;
    struct view *view = &page->screen->view;
    struct head_place place = view->head;
    (void)argument;
    if (!view->has_trace)
        return error_set(err, ERROR_USAGE, "%s", _("The first run is still being computed; try again in a moment."));
    // Where there is no attention yet, go to where there is; best to where both see each other.
    int stage = view_stage(view);
    state->layer = ALL;
    for (int s = 0; !writes_word(view) && s < view->trace.stage_count && !view_first_head(view, stage, &place); s++)
        if (view->trace.stages[s].kind == STAGE_FUSION && view_first_head(view, s, &place))
            screen_step(page->screen, s - view->stage), stage = s;
    if (view->focus == FOCUS_HEADS)
        state->head = view->head.head, state->stream = view->head.stream;
    else
        state->head = 0, state->stream = place.stream;
    ask(page);
    return true;
}

static void close_page(struct page *page)
{
    struct heads_page *state = page->state;
    forget_looks(state);
    portrait_free(&state->portrait);
    image_free(&state->image);
}

static void take_job(struct page *page, struct backend_job_news *news)
{
    struct heads_page *state = page->state;
    if (news->id != state->job)
        return;
    if (news->state == JOB_DONE)
        take_heads(page, news);
    else if (news->state == JOB_FAILED)
        page_say(page, true, "%s", news->error);
    if (news->state != JOB_WORKING && news->state != JOB_PART)
        state->job = 0;
}

// No command opens this page itself.
static char *command(struct page *page)
{
    const struct view *view = &page->screen->view;
    if (!view->has_trace)
        return NULL;
    struct trace named = view_with_short_paths(view, &view->trace);
    return command_of_screen(&named, view_stage(view), view->model);
}

const struct page_kind page_heads = {
    .id = PAGE_HEADS,
    .size = sizeof(struct heads_page),
    .about = N_("Each head of attention looks at some tokens more than at others. Self attention stays within the picture or "
                "within the words; cross attention looks over to the other. The heat and the bars show where the chosen head "
                "looks from one token: CLS, which stands for all, or one that you choose."),
    .open = open,
    .close = close_page,
    .status = status,
    .draw = draw,
    .images = images,
    .act = act,
    .mouse = mouse,
    .command = command,
    .command_about = N_("opens the screen at this stage; A there shows the heads"),
    .news = ask,
    .job = take_job,
};
