// Lessons: a list of them, and beside a live stepper the text, something to try and a question.
#include "ui/page.h"

#include "ui/lesson_tour.h"
#include "ui/measure.h"
#include "ui/panels.h"
#include "ui/screen_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_COLUMNS = 48, BELOW_ROWS = 9, LINES_MOST = 160, LINE_TEXT = 400 };

struct line {
    enum style style;
    char text[LINE_TEXT];
};

struct state {
    struct tour tour;
    bool listed;  // the list is on show
    int selected; // in it
    int wanted;   // a lesson to begin as soon as there is a run; -1: none
    struct rect text;
    struct line *lines; // of the lesson, wrapped
    int line_count, first;
    int check; // the line at which the question to check oneself begins
    bool noticed; // has been brought into sight
};

static void begin(struct page *page, int lesson)
{
    struct state *state = page->state;
    struct screen *screen = page->screen;
    struct error err = {0};
    if (!screen->view.has_trace) {
        state->wanted = lesson;
        return;
    }
    state->wanted = -1;
    screen->cancelled = false;
    if (!tour_begin(&state->tour, lesson, &screen->view, screen->backend, &err)) {
        page_say(page, true, "%s", err.text);
        return;
    }
    state->listed = state->noticed = false;
    state->selected = lesson;
    state->first = 0;
    page->screen->page_turned = true;
    page_changed(page);
}

// argument: const int *, the number of the lesson from 1 on, or NULL for the list.
static bool open(struct page *page, const void *argument, struct error *err)
{
    struct state *state = page->state;
    const int *number = argument;
    const unsigned needs = BACKEND_ASK | BACKEND_OPEN | BACKEND_POLICY | BACKEND_INTERVENE;
    state->tour.current = state->wanted = -1;
    if (!page->screen->assets)
        return error_set(err, ERROR_INPUT, "the bundled files were not found, and the lessons with them");
    if ((page->screen->view.abilities & needs) != needs)
        return error_set(err, ERROR_INPUT, "lessons need the model: a saved run cannot be changed");
    state->lines = calloc(LINES_MOST, sizeof *state->lines);
    if (!state->lines)
        return error_no_memory(err, "the lessons");
    if (!tour_open(&state->tour, page->screen->assets, err)) {
        free(state->lines);
        return false;
    }
    state->listed = true;
    while (state->selected + 1 < state->tour.count && state->tour.done[state->selected])
        state->selected++; // the first that is not done yet
    if (number && *number >= 1 && *number <= state->tour.count)
        begin(page, *number - 1);
    return true;
}

static void close(struct page *page)
{
    struct state *state = page->state;
    tour_leave(&state->tour, &page->screen->view, page->screen->backend);
    screen_await_run(page->screen);
    tour_close(&state->tour);
    free(state->lines);
}

// ---- where things are
// --------------------------------------------------------------------------------------------

static int least(int a, int b)
{
    return a < b ? a : b;
}

// The lesson's panels one below the other, in the order of their importance, as far as there is room.
static void place_panels(const struct lesson *lesson, struct rect right, int head_rows, struct layout *layout)
{
    struct rect *const rects[] = {&layout->words, &layout->heads, &layout->cost, &layout->answer,
                                  &layout->inspect};
    const int rows[] = {right.rows >= 10 ? 3 : 2, 1 + head_rows, 3, 3, 3},
              most[] = {3, 1 + head_rows, 7, 6, 9};
    static const enum lesson_panel usual[] = {LESSON_WORDS, LESSON_ANSWER, LESSON_INSPECT};
    const enum lesson_panel *panels = lesson->panel_count > 0 ? lesson->panels : usual;
    int count = lesson->panel_count > 0 ? lesson->panel_count : 3, row = right.row,
        end = right.row + right.rows;
    int given[LESSON_PANELS], fits = 0, used = 0;
    for (int i = 0; i < LESSON_PANELS; i++)
        *rects[i] = (struct rect){right.row, right.column, 0, right.columns};
    while (fits < count && used + rows[panels[fits]] <= right.rows) {
        given[fits] = rows[panels[fits]];
        used += given[fits++];
    }
    for (bool more = true; more && used < right.rows;) {
        more = false;
        for (int i = 0; i < fits && used < right.rows; i++)
            if (given[i] < most[panels[i]])
                given[i]++, used++, more = true;
    }
    for (int i = 0; i < fits && row < end; row += given[i++])
        *rects[panels[i]] = (struct rect){row, right.column, given[i], right.columns};
}

static void place_beside(struct state *state, const struct layout_request *request, struct layout *layout)
{
    struct layout_request narrow = *request;
    struct rect header = layout->header, hints = layout->hints, note = layout->note, body = layout->body;
    narrow.columns -= SIDE_COLUMNS + 2;
    layout_compute(layout, &narrow);
    layout->header = header;
    layout->hints = hints;
    layout->note = note;
    layout->body = body;
    state->text =
        (struct rect){layout->picture.row, narrow.columns + 1, note.row - layout->picture.row, SIDE_COLUMNS};
}

static void place_below(struct state *state, const struct layout_request *request, struct layout *layout)
{
    int rows = BELOW_ROWS + (request->rows - 24) / 2, top = layout->body.row;
    int bottom = layout->strip.row - rows, high = bottom - top - 1, columns = request->columns;
    int wanted = (int)(high * (double)request->cell_height * request->aspect / request->cell_width + 0.999);
    int wide = least(wanted < 14 ? 14 : wanted, columns - 50);
    int tall = (int)(wide * (double)request->cell_width / (request->aspect * request->cell_height) + 0.999);
    high = least(high, tall < 1 ? 1 : tall);
    layout->strip_titled = layout->roomy = false;
    layout->picture = (struct rect){top, 1, high, wide};
    layout->legend = (struct rect){top + high, 1, 1, wide};
    layout->story.rows = 0;
    struct rect right = {top, wide + 3, bottom - top, columns - wide - 4};
    place_panels(&state->tour.lesson, right, request->head_rows, layout);
    state->text = (struct rect){bottom, 1, rows, columns - 2};
}

static void place(struct page *page, const struct layout_request *request, struct layout *layout)
{
    struct state *state = page->state;
    if (state->listed)
        return;
    if (request->columns >= 80 + SIDE_COLUMNS + 2)
        place_beside(state, request, layout);
    else
        place_below(state, request, layout);
}

// ---- the text
// -------------------------------------------------------------------------------------------------

static void add_line(struct state *state, enum style style, const char *text, int length)
{
    if (state->line_count == LINES_MOST)
        return;
    struct line *line = &state->lines[state->line_count++];
    line->style = style;
    snprintf(line->text, sizeof line->text, "%.*s", length, text);
}

// Wraps a text, newlines in it dividing paragraphs; rows after the first are indented.
static void add_text(struct state *state, enum style style, int indent, const char *text)
{
    char part[LINE_TEXT];
    for (const char *end = text; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        for (bool all = false, first = true; !all && text < end; first = false) {
            char rest[2 * TOUR_TEXT];
            snprintf(rest, sizeof rest, "%.*s", (int)(end - text), text);
            int room = state->text.columns - (first ? 0 : indent), length = measure_row(rest, room, &all);
            snprintf(part, sizeof part, "%*s%.*s", first ? 0 : indent, "", length, rest);
            add_line(state, style, part, LINE_TEXT);
            text += length;
            text += strspn(text, " ");
        }
    }
}

static void add_gap(struct state *state)
{
    if (state->text.rows > 16)
        add_line(state, STYLE_TEXT, "", 0);
}

static void add_filled(struct state *state, const struct view *view, enum style style, int indent,
                       const char *format, const char *text)
{
    char filled[TOUR_TEXT * 4], whole[TOUR_TEXT * 4 + 64];
    lesson_fill(text, view, &state->tour.memory, filled, sizeof filled);
    if (format) {
        snprintf(whole, sizeof whole, "%s%s", format, filled);
        add_text(state, style, indent, whole);
    } else {
        add_text(state, style, indent, filled);
    }
}

static void add_check(struct state *state, const struct view *view)
{
    const struct tour *tour = &state->tour;
    const struct lesson *lesson = &tour->lesson;
    int right = tour_right(tour, view);
    add_gap(state);
    state->check = state->line_count;
    add_filled(state, view, STYLE_STRONG, 0, NULL, lesson->check);
    for (int i = 0; i < lesson->choice_count; i++) {
        char mark[8] = {(char)('A' + i), ' ', ' ', 0};
        bool chosen = tour->chosen == i;
        enum style style = !chosen ? STYLE_TEXT : i == right ? STYLE_ANSWER : STYLE_WARN;
        add_filled(state, view, style, 3, mark, lesson->choices[i].text);
        if (chosen)
            add_filled(state, view, style, 3, i == right ? _("   Right. ") : _("   No. "),
                       lesson->choices[i].why);
    }
    if (tour->chosen < 0)
        add_text(state, STYLE_DIM, 0, _("The keys A, B … (capitals) answer."));
}

// All lines of the lesson for the present run. Returns the line behind what was noticed; -1: nothing was.
static int write_lines(struct state *state, const struct view *view)
{
    const struct tour *tour = &state->tour;
    const struct lesson *lesson = &tour->lesson;
    int noticed = -1;
    state->line_count = state->check = 0;
    if (tour->phase != TOUR_READY) {
        add_text(state, STYLE_DIM, 0,
                 lesson->breaks ? _("Looking for a budget at which the answer breaks …")
                                : _("Preparing the run …"));
        return -1;
    }
    char filled[TOUR_TEXT * 4], *rest = filled;
    lesson_fill(lesson->text, view, &tour->memory, filled, sizeof filled);
    for (char *paragraph; (paragraph = strsep(&rest, "\n"));) {
        add_text(state, STYLE_TEXT, 0, paragraph);
        add_gap(state);
    }
    if (lesson->attempt) {
        add_filled(state, view, STYLE_KEY, 0, _("Try: "), lesson->attempt);
        if (tour->noticed)
            add_text(state, STYLE_ANSWER, 0, tour->noticed_text);
        noticed = state->line_count;
    }
    if (lesson->check)
        add_check(state, view);
    return tour->noticed ? noticed : -1;
}

static int text_rows(const struct state *state)
{
    return state->text.rows - 1;
}

// The line after the page in sight: the question and its answers are not torn apart where a page can hold them.
static int page_end(const struct state *state)
{
    int end = state->first + text_rows(state);
    bool torn = state->check > state->first && state->check < end && end < state->line_count;
    return torn && state->line_count - state->check <= text_rows(state) ? state->check : least(end, state->line_count);
}

static bool more_below(const struct state *state)
{
    return page_end(state) < state->line_count;
}

// What space does next, and what is still to be done.
static const char *say_next(const struct state *state)
{
    const struct tour *tour = &state->tour;
    bool last = tour->current + 1 == tour->count;
    if (more_below(state))
        return _("space: more");
    if (tour->done[tour->current])
        return last ? _("done") : _("done; space: next lesson");
    if (tour->lesson.attempt && !tour->noticed)
        return last ? _("try it") : _("try it; space: next lesson");
    return last ? "" : _("space: next lesson");
}

static void draw_lesson(struct page *page, const struct pane *pane)
{
    struct state *state = page->state;
    const struct tour *tour = &state->tour;
    char title[TOUR_NAME * 3];
    int noticed = write_lines(state, pane->view);
    if (noticed >= 0 && !state->noticed) {
        state->noticed = true;
        if (noticed > state->first + text_rows(state))
            state->first = noticed - text_rows(state);
    }
    while (state->first > 0 && state->first >= state->line_count)
        state->first -= text_rows(state);
    state->first = state->first < 0 ? 0 : state->first;
    snprintf(title, sizeof title, _("LESSON %d of %d: %s"), tour->current + 1, tour->count,
             tour->titles[tour->current]);
    const char *next = say_next(state);
    int shown = page_end(state) - state->first, columns = state->text.columns;
    draw_title(pane, state->text, title, next, false);
    if (draw_width(title) + draw_width(next) + 3 > columns && shown < text_rows(state)) // below the text, then
        draw_text(pane, STYLE_DIM, state->text.row + 1 + least(shown + 1, text_rows(state) - 1), state->text.column,
                  columns, next);
    for (int i = state->first; i < page_end(state); i++)
        draw_text(pane, state->lines[i].style, state->text.row + 1 + i - state->first, state->text.column,
                  state->text.columns, state->lines[i].text);
}

static void draw_list(struct page *page, const struct pane *pane)
{
    struct state *state = page->state;
    const struct tour *tour = &state->tour;
    struct rect body = pane->layout->body;
    int done = 0, columns = least(body.columns - 4, 96);
    for (int i = 0; i < tour->count; i++)
        done += tour->done[i];
    char right[64];
    snprintf(right, sizeof right, _("%d of %d done"), done, tour->count);
    struct rect title = {body.row + 1, 2, 1, columns};
    draw_title(pane, title, _("LESSONS"), right, true);
    struct rect about = {body.row + 2, 2, 3, columns};
    draw_wrapped(pane, STYLE_DIM, about,
                 _("Ten short lessons on live runs: read, try, and check yourself. Everything can be stepped "
                   "through and "
                   "changed meanwhile; Esc brings back what you had. Enter or a digit opens one."));
    for (int i = 0; i < tour->count; i++) {
        int row = body.row + 6 + i, column = 2;
        bool here = i == state->selected;
        if (row >= body.row + body.rows)
            break;
        const char *mark = tour->done[i] ? (pane->theme->glyphs->unicode ? "✓" : "x") : " ";
        draw_text(pane, STYLE_ANSWER, row, column, 2, mark);
        draw_format(pane, here ? STYLE_SELECTED : STYLE_TEXT, row, column + 3, columns - 3, " %2d  %s ",
                    i + 1, tour->titles[i]);
    }
}

static void draw(struct page *page, const struct pane *pane)
{
    struct state *state = page->state;
    const struct layout *layout = pane->layout;
    if (state->listed) {
        draw_list(page, pane);
        return;
    }
    const struct {
        struct rect rect;
        void (*draw)(const struct pane *pane);
    } panels[] = {{layout->words, panel_words},     {layout->heads, panel_heads},
                  {layout->cost, panel_cost},       {layout->answer, panel_answer},
                  {layout->inspect, panel_inspect}, {layout->story, panel_story},
                  {layout->strip, panel_strip}};
    panel_legend(pane, page->screen->graphics);
    for (size_t i = 0; i < sizeof panels / sizeof *panels; i++)
        if (panels[i].rect.rows > 0)
            panels[i].draw(pane);
    draw_lesson(page, pane);
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    const struct state *state = page->state;
    return state->listed ? 0 : page_stepper.images(page, out);
}

static void status(struct page *page, char *out, size_t size)
{
    const struct state *state = page->state;
    if (!state->listed)
        page_stepper.status(page, out, size);
}

// ---- keys
// -----------------------------------------------------------------------------------------------------

static void turn(struct page *page, int by)
{
    struct state *state = page->state;
    int next = state->tour.current + by;
    if (by > 0 && more_below(state))
        state->first = page_end(state);
    else if (by < 0 && state->first > 0)
        state->first = state->first > text_rows(state) ? state->first - text_rows(state) : 0;
    else if (next >= 0 && next < state->tour.count)
        begin(page, next);
    else if (by > 0)
        page_say(page, false, "%s", _("That was the last lesson. Esc brings back what you had before."));
    page_changed(page);
}

// In the list a digit opens the lesson of that number; 0 the tenth.
static bool key(struct page *page, wint_t key, bool is_code)
{
    struct state *state = page->state;
    int number = key == '0' ? 10 : (int)key - '0';
    if (is_code || !state->listed || key < '0' || key > '9' || number > state->tour.count)
        return false;
    begin(page, number - 1);
    return true;
}

// In the list most keys of the stepper do nothing.
static const char *help(struct page *page, enum action action)
{
    const struct state *state = page->state;
    if (!state->listed || key_row(action)->pages == EVERYWHERE || action == ACTION_BACK)
        return NULL;
    switch (action) {
    case ACTION_UP: return _("the lesson above");
    case ACTION_DOWN: return _("the lesson below");
    case ACTION_FIRST: return _("the first lesson");
    case ACTION_LAST: return _("the last lesson");
    case ACTION_CHOOSE: return _("open the lesson; a digit opens that of its number, 0 the tenth");
    default: return "";
    }
}

static bool act_in_list(struct page *page, enum action action)
{
    struct state *state = page->state;
    int moved = state->selected;
    switch (action) {
    case ACTION_UP:
    case ACTION_PREVIOUS:
        moved--;
        break;
    case ACTION_DOWN:
    case ACTION_NEXT:
        moved++;
        break;
    case ACTION_FIRST:
        moved = 0;
        break;
    case ACTION_LAST:
        moved = state->tour.count - 1;
        break;
    case ACTION_CHOOSE:
    case ACTION_RIGHT:
    case ACTION_LESSON_NEXT:
        begin(page, state->selected);
        return true;
    case ACTION_ESCAPE:
    case ACTION_BACK:
        return false;
    default:
        return key_row(action)->pages != EVERYWHERE; // nothing is changed unseen
    }
    state->selected = moved < 0 ? 0 : moved >= state->tour.count ? state->tour.count - 1 : moved;
    page_changed(page);
    return true;
}

static bool act(struct page *page, enum action action)
{
    struct state *state = page->state;
    struct screen *screen = page->screen;
    if (state->listed)
        return act_in_list(page, action);
    bool taken = true;
    if (action == ACTION_LESSON_NEXT || action == ACTION_LESSON_BACK)
        turn(page, action == ACTION_LESSON_NEXT ? 1 : -1);
    else if (action >= ACTION_LESSON_A && action <= ACTION_LESSON_D)
        tour_choose(&state->tour, (int)action - ACTION_LESSON_A, &screen->view);
    else if (action == ACTION_ESCAPE)
        page_pop(screen);
    else if (action == ACTION_KEEP || action == ACTION_DROP) // what is changed is told at once, and noted here
        screen_force(screen, action == ACTION_KEEP);
    else
        taken = page_stepper.act(page, action);
    if (taken && page_top(screen) == page)
        tour_watch(&state->tour, &screen->view, screen->backend);
    return taken;
}

static void mouse(struct page *page, const struct page_mouse *event)
{
    struct state *state = page->state;
    if (state->listed) {
        if (event->wheel)
            act_in_list(page, event->wheel < 0 ? ACTION_UP : ACTION_DOWN);
        return;
    }
    page_stepper.mouse(page, event);
    tour_watch(&state->tour, &page->screen->view, page->screen->backend);
}

static void news(struct page *page)
{
    struct state *state = page->state;
    page_stepper.news(page);
    if (state->wanted >= 0)
        begin(page, state->wanted);
    else
        tour_watch(&state->tour, &page->screen->view, page->screen->backend);
}

static double tick(struct page *page, double now)
{
    struct state *state = page->state;
    bool waiting = !state->listed && state->tour.phase != TOUR_READY && state->tour.phase != TOUR_IDLE;
    if (!waiting)
        return 0;
    tour_watch(&state->tour, &page->screen->view, page->screen->backend);
    page_changed(page);
    return now + 0.1;
}

static enum key_hint hints(struct page *page)
{
    const struct state *state = page->state;
    return state->listed ? HINT_LIST : HINT_STAGES;
}

static const char about[] = N_("A lesson stands beside a live run: whatever the stepper can do works here "
                               "too, but space goes on in the lesson. "
                               "What you try is noticed. The capitals A to D answer the question at the end. "
                               "Esc brings back what you had.");

const struct page_kind page_lesson = {
    .id = PAGE_LESSON,
    .size = sizeof(struct state),
    .about = about,
    .open = open,
    .close = close,
    .place = place,
    .status = status,
    .draw = draw,
    .images = images,
    .key = key,
    .act = act,
    .help = help,
    .mouse = mouse,
    .tick = tick,
    .news = news,
    .hints = hints,
};
