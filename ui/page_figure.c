// The article's figure on the screen: up to three questions with guidance and the first without, their stages from left
// to right. Each row is a lane of the backend; the stepper's own run stays as it is.
#include "ui/page_figure.h"

#include "ui/compare_words.h"
#include "ui/lane.h"
#include "ui/page_compare.h"
#include "ui/panels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUIDED = FIGURE_ROWS - 1, COLUMN = 13, ROW = 6, ROOMY_ROW = 9, GAP = 1 };

// What an image was painted from. Compared as bytes: zero it before.
struct row_key {
    unsigned serial, theme_serial;
    int count, width, cell_width, cell_height, graphics;
    int stages[FIGURE_COLUMNS];
    struct rect rect;
};

struct figure_run {
    bool open;
    char policy[TRACE_NAME]; // what it shall be: until then the view shows what the lane was copied from
    bool same_question;
    struct backend backend;
    struct view view;
    struct portrait portrait;
    struct image image;
    struct row_key key;
};

struct figure_page {
    struct figure_run runs[FIGURE_ROWS]; // the last is the one without guidance
    int chosen, first;                   // among the rows shown
    bool prompted;                       // for a missing question, once
    // Places, and the stages that are columns.
    int shown, tall, columns, width, thumb_rows;
    int stages[FIGURE_COLUMNS];
    struct portrait_colors colors;
};

static struct figure_page *state_of(const struct page *page)
{
    return page->state;
}

static bool is_ready(const struct page *page, const struct figure_run *run)
{
    const struct view *first = &page->screen->view;
    return run->open && run->view.has_trace && first->has_trace && !strcmp(run->view.trace.policy, run->policy) &&
           (run->same_question || strcmp(run->view.trace.question, first->trace.question) != 0);
}

// The rows in order, without those that have no question yet.
static int list_rows(const struct page *page, struct figure_run *rows[FIGURE_ROWS])
{
    struct figure_page *f = state_of(page);
    int count = 0;
    for (int r = 0; r < FIGURE_ROWS; r++)
        if (is_ready(page, &f->runs[r]))
            rows[count++] = &f->runs[r];
    return count;
}

void page_figure_take(const struct page *page, struct figure *out)
{
    struct figure_run *rows[FIGURE_ROWS];
    *out = (struct figure){.count = list_rows(page, rows)};
    for (int r = 0; r < out->count; r++)
        out->rows[r] = (struct figure_row){&rows[r]->view.trace, rows[r]->view.pictures};
}

// ---- rows
// ----------------------------------------------------------------------------------------------------------

// NULL question: to be asked later.
static bool open_row(struct page *page, int row, const char *question, const char *policy, double budget)
{
    struct figure_page *f = state_of(page);
    struct screen *screen = page->screen;
    struct figure_run *run = &f->runs[row];
    if (!lane_open(screen->backend, COMPARE_FIGURE_LANE + row, &screen->view, &run->backend, &run->view))
        return false;
    run->open = true;
    snprintf(run->policy, sizeof run->policy, "%s", policy);
    run->same_question = question && !strcmp(question, screen->view.trace.question);
    if (question)
        run->backend.ask(run->backend.context, question); // forgets changes by hand
    run->backend.set_policy(run->backend.context, policy, budget);
    return true;
}

static void close(struct page *page)
{
    struct figure_page *f = state_of(page);
    const struct backend *backend = page->screen->backend;
    for (int r = 0; r < FIGURE_ROWS; r++) {
        struct figure_run *run = &f->runs[r];
        if (run->open)
            backend->close_lane(backend->context, COMPARE_FIGURE_LANE + r);
        portrait_free(&run->portrait);
        image_free(&run->image);
        view_free(&run->view);
    }
}

static bool shows_learned(const struct view *view)
{
    return !strncmp(view->trace.policy, "learned", 7);
}

// Whether the model has trimmers: it knows what they spend, or a learned policy that can drop something is on show.
static bool is_trained(const struct screen *screen)
{
    const struct backend *backend = screen->backend;
    return !isnan(backend->learned_share(backend->context)) || (shows_learned(&screen->view) && !(screen->view.least >= 1));
}

// Without trimmers the patches that are like the words take the place of guidance, and the picture's own CLS of none.
static const char *guided_policy(const struct screen *screen)
{
    return is_trained(screen) ? "learned" : "text-similarity";
}

// The budget of the stepper's run, where it goes with the policies of the rows.
static double guided_budget(const struct screen *screen)
{
    const struct view *view = &screen->view;
    bool goes = is_trained(screen) ? shows_learned(view) : strcmp(view->trace.policy, "none") != 0;
    return goes ? view->trace.budget : (double)NAN;
}

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct screen *screen = page->screen;
    const struct backend *backend = screen->backend;
    const struct trace *trace = &screen->view.trace;
    (void)argument;
    if (!(screen->view.abilities & BACKEND_COMPARE) || !screen->view.has_trace)
        return error_set(err, ERROR_USAGE, "%s", _("The first run is still on its way."));
    double budget = guided_budget(screen);
    char question[PROMPT_BYTES];
    const char *guided = guided_policy(screen);
    bool done = open_row(page, 0, trace->question, guided, budget);
    int row = 1;
    for (int i = 0; done && row < GUIDED && backend->known_question(backend->context, trace, i, question, sizeof question);
         i++)
        if (strcmp(question, trace->question) != 0)
            done = open_row(page, row++, question, guided, budget);
    // The threshold without guidance was not trained: the same share makes it comparable.
    bool trained = is_trained(screen);
    double share = isnan(budget) && trained ? backend->learned_share(backend->context) : budget;
    done = done && open_row(page, GUIDED, trace->question, trained ? "learned-self" : "cls-attention", share);
    if (!done)
        close(page);
    return done || error_no_memory(err, _("further runs"));
}

// A further question, for the first row that has none; false: all have.
static bool ask_missing(struct page *page)
{
    struct figure_page *f = state_of(page);
    for (int r = 1; r < GUIDED; r++) {
        if (is_ready(page, &f->runs[r]))
            continue;
        if (!f->runs[r].open && !open_row(page, r, NULL, guided_policy(page->screen), guided_budget(page->screen)))
            return false;
        screen_open_prompt(page->screen, PROMPT_QUESTION);
        prompt_set(&page->screen->prompt, figure_general_question(page->screen->view.trace.picture_count, r - 1));
        return true;
    }
    return false;
}

// Where the question typed goes: to the row that waits for one, else to the chosen one.
static struct page_target target(struct page *page)
{
    struct figure_page *f = state_of(page);
    struct figure_run *rows[FIGURE_ROWS];
    int count = list_rows(page, rows);
    for (int r = 1; r < GUIDED; r++)
        if (f->runs[r].open && !is_ready(page, &f->runs[r]))
            return (struct page_target){&f->runs[r].backend, &f->runs[r].view};
    struct figure_run *run = f->chosen < count ? rows[f->chosen] : &f->runs[1];
    return (struct page_target){&run->backend, &run->view};
}

static void ask(struct page *page)
{
    struct figure_page *f = state_of(page);
    struct figure_run *rows[FIGURE_ROWS];
    int count = list_rows(page, rows);
    if (ask_missing(page))
        return;
    if (f->chosen < count && rows[f->chosen]->same_question)
        page_say(page, false, _("This row asks what the stepper asks: choose another one with the arrows."));
    else
        screen_open_prompt(page->screen, PROMPT_QUESTION);
}

// ---- places and pictures
// -------------------------------------------------------------------------------------------

static void place(struct page *page)
{
    struct figure_page *f = state_of(page);
    const struct screen *screen = page->screen;
    struct rect body = page->body;
    struct figure figure;
    page_figure_take(page, &figure);
    f->columns = figure_columns(&figure, body.columns / COLUMN, f->stages);
    f->width = f->columns > 0 ? body.columns / f->columns : body.columns;
    f->shown = (body.rows - 1) / ROW < figure.count ? (body.rows - 1) / ROW : figure.count;
    f->tall = f->shown > 0 ? (body.rows - 1) / f->shown : body.rows - 1;
    f->tall = f->tall < 12 ? f->tall : 12;
    f->chosen = f->chosen < figure.count ? f->chosen : figure.count - 1;
    f->chosen = f->chosen > 0 ? f->chosen : 0;
    f->first = f->chosen < f->first ? f->chosen : f->chosen >= f->first + f->shown ? f->chosen - f->shown + 1 : f->first;
    double cell = (double)screen->terminal.cell_width / screen->terminal.cell_height;
    int most = f->tall - (f->tall >= ROOMY_ROW ? 4 : 2), fit = (int)((f->width - GAP) * cell / portrait_aspect(&screen->view));
    f->thumb_rows = fit < most ? fit : most;
    f->thumb_rows = f->thumb_rows > 0 ? f->thumb_rows : 1;
}

static int row_top(const struct page *page, int place)
{
    return page->body.row + 1 + place * state_of(page)->tall;
}

static bool paint_row(struct page *page, struct figure_run *run, int index)
{
    struct figure_page *f = state_of(page);
    const struct screen *screen = page->screen;
    int cell_width, cell_height;
    image_cell_pixels(&screen->terminal, screen->graphics, &cell_width, &cell_height);
    struct row_key key;
    memset(&key, 0, sizeof key);
    key.serial = run->view.serial + 1;
    key.theme_serial = screen->theme_serial;
    key.count = f->columns;
    key.width = f->width;
    key.cell_width = cell_width;
    key.cell_height = cell_height;
    key.graphics = (int)screen->graphics;
    memcpy(key.stages, f->stages, sizeof key.stages);
    key.rect = (struct rect){row_top(page, index) + 1, page->body.column, f->thumb_rows, f->columns * f->width - GAP};
    run->image.cells = key.rect;
    if (!memcmp(&key, &run->key, sizeof key))
        return true;
    struct canvas *canvas = &run->image.canvas;
    int height = key.rect.rows * cell_height;
    if (!canvas_resize(canvas, key.rect.columns * cell_width, height))
        return false;
    canvas_fill(canvas, (struct area){0, 0, canvas->width, canvas->height}, screen->theme.background);
    double aspect = portrait_aspect(&run->view) / image_pixel_aspect(&screen->terminal, screen->graphics);
    int wide = (int)(height * aspect), room = (f->width - GAP) * cell_width;
    wide = wide < room ? wide : room;
    for (int i = 0; i < f->columns; i++) {
        struct area area = {i * f->width * cell_width, 0, wide, height};
        struct portrait_request request = {.view = &run->view,
                                           .stage = f->stages[i],
                                           .theme = &screen->theme,
                                           .terminal = &screen->terminal,
                                           .graphics = screen->graphics,
                                           .cursor = -1};
        if (f->stages[i] < run->view.trace.stage_count &&
            !portrait_thumbnail(&run->portrait, canvas, area, &request))
            return false;
    }
    run->key = key;
    return true;
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    struct figure_page *f = state_of(page);
    const struct screen *screen = page->screen;
    const struct view *view = &screen->view;
    struct figure_run *rows[FIGURE_ROWS];
    int before = f->first, count = list_rows(page, rows);
    place(page);
    if (f->columns == 0) // the first stage is still on its way
        return 0;
    if (screen->graphics == GRAPHICS_SIXEL &&
        !portrait_colors_update(&f->colors, view, view->picture_serial, &screen->theme, screen->theme_serial))
        return -1;
    for (int i = 0; i < f->shown && f->first + i < count; i++) {
        struct figure_run *run = rows[f->first + i];
        if (!paint_row(page, run, i))
            return -1;
        if (before != f->first)
            image_forget(&run->image); // another row stood in its place
        out[i] = (struct page_image){&run->image, &f->colors.palette, f->colors.serial};
    }
    return f->shown;
}

// ---- text
// ----------------------------------------------------------------------------------------------------------

// The question, words struck as they are at a stage. Returns the columns used.
static int draw_question(const struct pane *pane, const struct figure_row *row, int stage, int at, int column, int columns)
{
    const struct trace *trace = row->trace;
    int used = 0;
    for (int t = 0; t < trace->token_count; t++) {
        char word[TRACE_TEXT + 8];
        bool alive = figure_word_alive(row, stage, t);
        if (trace->tokens[t].from >= trace->tokens[t].to)
            continue; // markers of start and end
        trace_token_text(trace, t, word, sizeof word);
        bool goes_on = used > 0 && trace->tokens[t].from <= trace->tokens[t - 1].to; // the rest of a word: "fox" "es"
        used += used > 0 && !goes_on;
        if (used + draw_width(word) > columns)
            return used + draw_text(pane, STYLE_DIM, at, column + used, columns - used, pane->theme->glyphs->ellipsis);
        used += alive ? draw_text(pane, STYLE_ALIVE_STRONG, at, column + used, columns - used, word)
                      : draw_struck(pane, STYLE_DEAD, at, column + used, columns - used, word);
    }
    return used;
}

static void draw_row_head(const struct page *page, const struct pane *pane, const struct figure_row *row, int index,
                          int at)
{
    struct rect body = page->body;
    char label[8], share[64], right[160];
    figure_label(index, label);
    const struct trace *trace = row->trace;
    snprintf(share, sizeof share, "%s", "");
    if (trace->stage_count == trace->stage_total && trace->dense_macs > 0)
        snprintf(share, sizeof share, _("%.0f %% of the FLOPs, %.1f ms"), 100 * trace->spent_macs / trace->dense_macs,
                 trace->ms);
    snprintf(right, sizeof right, share[0] ? _("%s: %s") : "%s%s", figure_guidance(row), share);
    if (draw_width(trace->question) + draw_width(right) + 8 > body.columns) // what is the same in most rows gives way
        snprintf(right, sizeof right, "%s", strcmp(trace->policy, "learned") && strcmp(trace->policy, "text-similarity") ? figure_guidance(row) : share);
    bool chosen = index == state_of(page)->chosen;
    int column = body.column + draw_text(pane, chosen ? STYLE_SELECTED : STYLE_TITLE, at, body.column, 4, label) + 1;
    int room = body.columns - 6 - draw_width(right);
    column += draw_question(pane, row, view_stage(&page->screen->view), at, column, room > 16 ? room : body.columns - 5);
    if (room > 16)
        draw_right(pane, STYLE_DIM, at, column, body.column + body.columns - column, right);
}

static void draw_cell(const struct page *page, const struct pane *pane, const struct figure_row *row, int column, int at)
{
    const struct figure_page *f = state_of(page);
    struct figure_cell cell;
    int left = page->body.column + column * f->width, room = f->width - GAP;
    char text[TRACE_ANSWER + 40], answer[TRACE_ANSWER + 24] = "", alive[16];
    figure_cell(row, f->stages[column], &cell);
    if (!cell.computed) {
        draw_text(pane, STYLE_DIM, at, left, room, pane->theme->glyphs->dot);
        return;
    }
    bool two = f->tall >= ROOMY_ROW, now = f->stages[column] == view_stage(&page->screen->view);
    int counted = snprintf(alive, sizeof alive, "%d", cell.alive);
    if (cell.answer) {
        snprintf(answer, sizeof answer, "%s %.0f %%", cell.answer->text, 100 * (double)cell.answer->p);
        if (draw_width(answer) > (two ? room : room - counted - 1)) // how sure it is gives way to what it is
            snprintf(answer, sizeof answer, "%s", cell.answer->text);
    }
    if (two) {
        draw_text(pane, now ? STYLE_STRONG : STYLE_NUMBER, at, left, room, alive);
        draw_text(pane, now ? STYLE_ANSWER : STYLE_TEXT, at + 1, left, room, answer);
        return;
    }
    snprintf(text, sizeof text, "%s %s", alive, answer);
    draw_text(pane, now ? STYLE_STRONG : STYLE_TEXT, at, left, room, text);
}

static void draw(struct page *page, const struct pane *pane)
{
    const struct figure_page *f = state_of(page);
    const struct view *view = &page->screen->view;
    struct rect body = page->body;
    struct figure figure;
    page_figure_take(page, &figure);
    if (figure.count == 0) {
        draw_text(pane, STYLE_DIM, body.row + 1, body.column, body.columns, _("The runs are on their way."));
        return;
    }
    for (int i = 0; i < f->columns; i++) {
        char name[TRACE_TEXT];
        const struct trace *trace = figure.rows[0].trace;
        if (f->stages[i] >= trace->stage_count)
            continue;
        view_fit_stage_name(&state_of(page)->runs[0].view.trace, &trace->stages[f->stages[i]], f->width - 2 * GAP, name, sizeof name);
        draw_text(pane, f->stages[i] == view_stage(view) ? STYLE_CURSOR : STYLE_TEXT, body.row, body.column + i * f->width,
                  f->width - GAP, name);
    }
    for (int i = 0; i < f->shown && f->first + i < figure.count; i++) {
        int at = row_top(page, i);
        const struct figure_row *row = &figure.rows[f->first + i];
        draw_row_head(page, pane, row, f->first + i, at);
        for (int c = 0; c < f->columns; c++)
            draw_cell(page, pane, row, c, at + 1 + f->thumb_rows);
    }
}

static void status(struct page *page, char *out, size_t size)
{
    const struct figure_page *f = state_of(page);
    struct figure figure;
    page_figure_take(page, &figure);
    if (figure.count > f->shown && f->shown > 0)
        snprintf(out, size, _("rows %d to %d of %d "), f->first + 1, f->first + f->shown, figure.count);
    else
        snprintf(out, size, _("words struck as after the chosen stage "));
}

// ---- what is done
// --------------------------------------------------------------------------------------------------

// Steps from column to column: between them lie stages of the words alone.
static void go_column(struct page *page, int by)
{
    const struct figure_page *f = state_of(page);
    int now = view_stage(&page->screen->view), column = 0;
    while (column + 1 < f->columns && f->stages[column + 1] <= now)
        column++;
    column += f->columns > 0 && now < f->stages[column] && by > 0 ? 0 : by;
    column = column < 0 ? 0 : column >= f->columns ? f->columns - 1 : column;
    if (f->columns > 0)
        screen_step(page->screen, f->stages[column] - page->screen->view.stage);
}

static bool act(struct page *page, enum action action)
{
    struct figure_page *f = state_of(page);
    struct figure_run *rows[FIGURE_ROWS];
    int count = list_rows(page, rows);
    page_changed(page);
    switch (action) {
    case ACTION_LEFT:
    case ACTION_PREVIOUS: go_column(page, -1); return true;
    case ACTION_RIGHT:
    case ACTION_NEXT: go_column(page, 1); return true;
    case ACTION_FIRST: go_column(page, -FIGURE_COLUMNS); return true;
    case ACTION_LAST: go_column(page, FIGURE_COLUMNS); return true;
    case ACTION_UP: f->chosen -= f->chosen > 0; return true;
    case ACTION_DOWN: f->chosen += f->chosen + 1 < count; return true;
    case ACTION_ASK: ask(page); return true;
    default: return false;
    }
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    struct figure_page *f = state_of(page);
    int column = f->width > 0 ? (event->column - page->body.column) / f->width : 0;
    page_changed(page);
    if (event->wheel)
        go_column(page, event->wheel);
    else if (event->pressed && column >= 0 && column < f->columns)
        screen_step(page->screen, f->stages[column] - page->screen->view.stage);
}

static double tick(struct page *page, double now)
{
    struct figure_page *f = state_of(page);
    (void)now;
    for (int r = 0; r < FIGURE_ROWS; r++) {
        struct figure_run *run = &f->runs[r];
        if (!run->open || !lane_take_news(&run->backend, &run->view))
            continue;
        if (run->view.message[0])
            page_say(page, run->view.message_is_error, _("(%c) %s"), 'a' + r, run->view.message);
        run->view.message[0] = 0;
        page_changed(page);
    }
    bool missing = !f->runs[1].open || !f->runs[2].open;
    if (missing && !f->prompted && is_ready(page, &f->runs[0])) {
        f->prompted = true; // no question is known about this picture: the person's
        ask_missing(page);
    }
    return 0;
}

static enum key_hint hints(struct page *page)
{
    (void)page;
    return HINT_STAGES;
}

static const char *explain(enum action action)
{
    return action == ACTION_UP     ? N_("the row above")
           : action == ACTION_DOWN ? N_("the row below")
           : action == ACTION_ASK  ? N_("ask a further question, or the chosen row another one…")
                                   : NULL;
}

static const char about[] = N_(
    "What each question keeps of one picture, layer by layer: rows (a) to (c) ask with guidance by the question, the last "
    "asks the first question again without it, at the same share of the FLOPs. Below each picture: patches alive and the "
    "answer so far.");

static char *command(struct page *page)
{
    struct figure figure;
    struct comparison comparison = {.count = 0};
    page_figure_take(page, &figure);
    for (int r = 0; r < figure.count; r++)
        comparison.runs[comparison.count++] = figure.rows[r].trace;
    return figure.count > 1 ? compare_write_command(&page->screen->view, &comparison, true) : NULL;
}

// What the export draws.
static bool take_figure(struct page *page, struct figure *out)
{
    page_figure_take(page, out);
    return out->count > 0;
}

const struct page_kind page_figure = {
    .id = PAGE_FIGURE,
    .size = sizeof(struct figure_page),
    .about = about,
    .open = open,
    .close = close,
    .status = status,
    .draw = draw,
    .images = images,
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .hints = hints,
    .explain = explain,
    .target = target,
    .figure = take_figure,
    .command = command,
};
