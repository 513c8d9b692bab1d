// How alike tokens and heads are in each layer: the article's motivation figure, for this input and over a set.
#include "ui/page.h"

#include "engine/run/command_text.h"
#include "ui/plot_paint.h"
#include "ui/redundancy_figure.h"
#include "ui/screen_state.h"
#include "ui/titles.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PROMPT_SET, SENTENCE_ROWS = 3, ALL_ROWS = 30, PLOTS = 4 };

struct redundancy_page {
    bool of_set;                      // a set is shown, not the input
    bool heads;                       // where there is room for two plots only: those of heads
    struct redundancy input[2];       // unpruned, pruned
    struct redundancy set[2];
    int input_job, set_job;
    float done;
    char set_path[PROMPT_BYTES]; // "": the bundled questions
    char set_name[TRACE_TEXT]; // "": the bundled questions
    bool asked;                // the set has been asked for
    struct image images[PLOTS]; // their curves in pixels
    int image_count;
    struct palette palette;
    unsigned palette_serial, palette_theme;
};

// ---- what is measured
// -----------------------------------------------------------------------------------------

static bool unpruned(const struct view *view)
{
    return !strcmp(view->trace.policy, "none");
}

// The run on the screen is the pruned line; the unpruned one is a run of its own.
static void take_input(struct page *page)
{
    struct redundancy_page *state = page->state;
    const struct view *view = &page->screen->view;
    for (int i = 0; i < 2; i++)
        redundancy_free(&state->input[i]);
    page_cancel_job(page, state->input_job);
    state->input_job = 0;
    if (!view->has_trace || view->trace.stage_count < view->trace.stage_total)
        return;
    if (!redundancy_of_trace(&view->trace, &state->input[unpruned(view) ? 0 : 1]))
        page_say(page, true, _("There is no memory for the figure."));
    struct backend_job job = {.kind = JOB_RUN, .run = {.policy = "none", .budget = (double)NAN}};
    if (!unpruned(view) && view->abilities & BACKEND_JOBS)
        state->input_job = page_start_job(page, &job);
}

static void measure_set(struct page *page, const char *path)
{
    struct redundancy_page *state = page->state;
    struct backend_job job = {.kind = JOB_REDUNDANCY};
    page_cancel_job(page, state->set_job);
    for (int i = 0; i < 2; i++)
        redundancy_free(&state->set[i]);
    if (path) {
        snprintf(state->set_path, sizeof state->set_path, "%s", path);
        job.redundancy.set = state->set_path;
        const char *slash = strrchr(path, '/');
        snprintf(state->set_name, sizeof state->set_name, "%.*s", TRACE_TEXT - 1, slash ? slash + 1 : path);
    }
    state->done = 0;
    state->asked = true;
    state->set_job = page_start_job(page, &job);
}

static void show_set(struct page *page, bool of_set)
{
    struct redundancy_page *state = page->state;
    state->of_set = of_set;
    if (of_set && !state->asked)
        measure_set(page, NULL);
}

static bool open(struct page *page, const void *argument, struct error *err)
{
    (void)argument;
    if (!page->screen->view.has_trace)
        return error_set(err, ERROR_USAGE, "%s", _("The first run is still being computed; try again in a moment."));
    take_input(page);
    return true;
}

static void close_page(struct page *page)
{
    struct redundancy_page *state = page->state;
    for (int i = 0; i < 2; i++) {
        redundancy_free(&state->input[i]);
        redundancy_free(&state->set[i]);
    }
    for (int i = 0; i < PLOTS; i++)
        image_free(&state->images[i]);
}

static void take_job(struct page *page, struct backend_job_news *news)
{
    struct redundancy_page *state = page->state;
    bool result = news->state == JOB_PART || news->state == JOB_DONE;
    if (news->id == state->set_job) {
        if (news->state == JOB_WORKING)
            state->done = news->done;
        for (int i = 0; result && i < 2; i++) {
            redundancy_free(&state->set[i]);
            state->set[i] = news->redundancy[i];
            news->redundancy[i] = (struct redundancy){0};
        }
    } else if (news->id == state->input_job && news->state == JOB_DONE) {
        redundancy_free(&state->input[0]);
        if (!redundancy_of_trace(&news->run, &state->input[0]))
            page_say(page, true, _("There is no memory for the figure."));
    }
    if (news->state == JOB_FAILED)
        page_say(page, true, "%s", news->error);
    if (news->state == JOB_CANCELLED)
        page_say(page, false, _("Stopped: the figure shows what was measured until then."));
    if (news->state != JOB_WORKING && news->state != JOB_PART && news->id == state->set_job)
        state->set_job = 0;
}

// ---- what is seen
// ---------------------------------------------------------------------------------------------

static void status(struct page *page, char *out, size_t size)
{
    const struct redundancy_page *state = page->state;
    if (state->of_set && state->set_job)
        snprintf(out, size, _("measuring, %.0f %% "), 100 * (double)state->done);
    else if (state->of_set)
        snprintf(out, size, "%s ", state->set_name[0] ? state->set_name : _("bundled questions"));
    else
        snprintf(out, size, "%s ", _("this input"));
}

// What the lines are, and over what.
static void draw_legend(const struct page *page, const struct pane *pane, const struct redundancy *const lines[2])
{
    const struct redundancy_page *state = page->state;
    struct rect body = page->body;
    bool unicode = pane->theme->glyphs->unicode;
    const char *policy = page->screen->view.trace.policy;
    int column = body.column, inputs = lines[0]->inputs ? lines[0]->inputs : lines[1]->inputs;
    column += draw_format(pane, STYLE_ALIVE_STRONG, body.row, column, 24, "%s %s", plot_mark(unicode, 0), _("unpruned")) + 2;
    if (strcmp(policy, "none") != 0)
        column += draw_format(pane, STYLE_ANSWER, body.row, column, 30, "%s %s", plot_mark(unicode, 1), title_policy(policy)) + 2;
    int room = body.column + body.columns - column;
    if (state->of_set && inputs)
        draw_format(pane, STYLE_DIM, body.row, column, room,
                    ngettext_(inputs, "mean cosine over %d question; bars: 5 to 95 %%",
                              "mean cosine over %d questions; bars: 5 to 95 %%"),
                    inputs);
    else if (!state->of_set)
        draw_format(pane, STYLE_DIM, body.row, column, room, _("mean cosine, for \"%s\""), page->screen->view.trace.question);
}

static void draw_waiting(const struct page *page, const struct pane *pane)
{
    const struct redundancy_page *state = page->state;
    struct rect body = page->body;
    int row = body.row + body.rows / 2, width = body.columns / 2;
    if (!state->of_set || !state->set_job)
        return;
    draw_text(pane, STYLE_TEXT, row, body.column + body.columns / 4, width, _("Asking every question of the set, unpruned and pruned …"));
    draw_bar(pane, STYLE_SPENT, row + 1, body.column + body.columns / 4, width, (double)state->done);
}

// Where everything stands: the plots, below them the legend of the axis and the sentences.
struct places {
    struct rect plots;
    int said_rows;
    bool all; // four plots, else the two of tokens or of heads
    char said[REDUNDANCY_SENTENCE];
};

static bool find_places(const struct page *page, const struct redundancy *const lines[PLOT_LINES], struct places *out)
{
    struct rect body = page->body;
    bool roomy = body.rows > ALL_ROWS;
    if (lines[0]->inputs == 0 && lines[1]->inputs == 0)
        return false;
    char said[REDUNDANCY_SENTENCE];
    redundancy_figure_say(lines, said);
    draw_fit_sentences(said, SENTENCE_ROWS, body.columns, out->said, sizeof out->said);
    out->said_rows = draw_rows(out->said, body.columns);
    out->plots = (struct rect){body.row + 1 + roomy, body.column, body.rows - 2 - out->said_rows - roomy, body.columns};
    out->all = out->plots.rows >= 2 * (PLOT_LEAST_ROWS + 4);
    return true;
}

static void find_lines(const struct redundancy_page *state, const struct redundancy *lines[PLOT_LINES])
{
    for (int i = 0; i < PLOT_LINES; i++)
        lines[i] = state->of_set ? &state->set[i] : &state->input[i];
}

// Draws the plots on a sheet; `paint` gets what is between the axes, unless that is drawn in characters (NULL).
static bool draw_plots(struct page *page, const struct places *places, bool unicode, struct plot_sheet *sheet,
                       void (*paint)(void *context, const struct plot_field *field))
{
    const struct redundancy_page *state = page->state;
    const struct redundancy *lines[PLOT_LINES];
    find_lines(state, lines);
    if (!plot_sheet_init(sheet, places->plots.rows, places->plots.columns, unicode))
        return false;
    sheet->paint = paint;
    sheet->context = page;
    redundancy_figure_draw(sheet, lines, state->heads && !places->all ? REDUNDANCY_PATCH_HEADS : REDUNDANCY_PATCHES,
                           places->all ? PLOTS : 2);
    return true;
}

static void leave_blank(void *context, const struct plot_field *field)
{
    (void)context;
    (void)field;
}

static void paint_field(void *context, const struct plot_field *field)
{
    struct page *page = context;
    struct redundancy_page *state = page->state;
    const struct screen *screen = page->screen;
    struct image *image = &state->images[state->image_count];
    int width, height;
    image_cell_pixels(&screen->terminal, screen->graphics, &width, &height);
    if (!canvas_resize(&image->canvas, field->columns * width, field->rows * height))
        return;
    image->cells = (struct rect){field->row, field->column, field->rows, field->columns};
    plot_paint(&image->canvas, field, width, height, &screen->theme);
    state->image_count++;
}

// Whether the curves come in pixels: not where a terminal takes no image as high as a plot (one too wide is sent in pieces).
static bool has_pixels(const struct page *page)
{
    const struct screen *screen = page->screen;
    return screen->graphics == GRAPHICS_SIXEL &&
           page->body.rows * screen->terminal.cell_height <= screen->terminal.most_height;
}

static bool update_palette(struct page *page)
{
    struct redundancy_page *state = page->state;
    const struct screen *screen = page->screen;
    if (state->palette_serial && state->palette_theme == screen->theme_serial)
        return true;
    state->palette_theme = screen->theme_serial;
    state->palette_serial++;
    return plot_paint_palette(&state->palette, &screen->theme);
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct redundancy_page *state = page->state;
    const struct redundancy *lines[PLOT_LINES];
    struct places places;
    struct plot_sheet sheet;
    find_lines(state, lines);
    if (!has_pixels(page) || !find_places(page, lines, &places))
        return 0;
    state->image_count = 0;
    if (!update_palette(page) || !draw_plots(page, &places, true, &sheet, paint_field))
        return -1;
    plot_sheet_free(&sheet);
    for (int i = 0; i < state->image_count; i++) {
        state->images[i].cells.row += places.plots.row;
        state->images[i].cells.column += places.plots.column;
        out[i] = (struct page_image){&state->images[i], &state->palette, state->palette_serial};
    }
    return state->image_count;
}

static void draw(struct page *page, const struct pane *pane)
{
    struct rect body = page->body;
    const struct redundancy *lines[PLOT_LINES];
    struct places places;
    struct plot_sheet sheet;
    find_lines(page->state, lines);
    draw_legend(page, pane, lines);
    if (!find_places(page, lines, &places)) {
        draw_waiting(page, pane);
        return;
    }
    if (draw_plots(page, &places, pane->theme->glyphs->unicode, &sheet, has_pixels(page) ? leave_blank : NULL)) {
        plot_sheet_show(&sheet, pane, places.plots.row, places.plots.column);
        plot_sheet_free(&sheet);
    }
    int row = body.row + body.rows - places.said_rows;
    draw_text(pane, STYLE_DIM, row - 1, body.column, body.columns,
              places.all ? _("i0, t0: embeddings; i, t, f: image, text, fusion layers; 1: the same, 0: unrelated")
                         : _("i0, t0: embeddings; i, t, f: image, text, fusion layers; ↑ ↓: tokens or heads"));
    draw_wrapped(pane, STYLE_TEXT, (struct rect){row, body.column, places.said_rows, body.columns}, places.said);
}

static bool act(struct page *page, enum action action)
{
    struct redundancy_page *state = page->state;
    if (action == ACTION_FIGURE_SOURCE)
        show_set(page, !state->of_set);
    else if (action == ACTION_FIGURE_SET)
        page_prompt(page, PROMPT_SET, _("question set: "), "");
    else if (action == ACTION_FIGURE_HEADS)
        state->heads = !state->heads;
    else
        return false;
    page_changed(page);
    return true;
}

static void typed(struct page *page, int which, const char *text)
{
    struct redundancy_page *state = page->state;
    if (which != PROMPT_SET || !text[0])
        return;
    state->of_set = true;
    measure_set(page, text);
}

static char *command(struct page *page)
{
    const struct redundancy_page *state = page->state;
    const struct view *view = &page->screen->view;
    char bundled[4096 + 32];
    if (!view->has_trace)
        return NULL;
    struct trace named = view_with_short_paths(view, &view->trace);
    snprintf(bundled, sizeof bundled, "%s/pictures/questions.jsonl", view->assets ? view->assets : "");
    return command_of_redundancy(&named, !state->of_set ? NULL : state->set_path[0] ? state->set_path : bundled, view->model);
}

static void news(struct page *page)
{
    struct redundancy_page *state = page->state;
    take_input(page);
    if (state->of_set && !state->asked)
        measure_set(page, NULL);
}

const struct page_kind page_redundancy = {
    .id = PAGE_REDUNDANCY,
    .size = sizeof(struct redundancy_page),
    .about = N_(
    /* xgettext:no-c-format */
    "Tokens that are alike say the same twice, and so do heads: that is what can be pruned away. The plots show the "
                "mean pairwise cosine of the tokens' states after each layer, and of the heads' outputs, for patches and "
                "words; over a set each bar holds 90 % of the questions. What is pruned away makes what stays less alike."),
    .open = open,
    .close = close_page,
    .status = status,
    .draw = draw,
    .images = images,
    .act = act,
    .typed = typed,
    .command = command,
    .news = news,
    .job = take_job,
};
