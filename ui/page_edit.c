// A part of the picture blanked, blurred or moved in a copy, to see what the answer and the pruning depend on.
#include "ui/easel.h"
#include "ui/screen_state.h"

#include "engine/world/picture_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 4, WHOLE = PARTS, QUARTER = 1 }; // the rectangle lies on quarters of patches
enum { PROMPT_ASK, PROMPT_SAVE };

struct edit_page {
    struct easel easel;
    struct backend_picture original;
    int grid;                           // patches a side
    int column, row, columns, rows;     // the rectangle, in quarters of patches
    int step;                           // WHOLE or QUARTER
    bool carrying;                      // a piece is in the hand, taken from here:
    int from_column, from_row;
    struct edit edits[PICTURE_FILE_EDITS]; // in pixels of the picture on the screen
    int count, undone;                  // beyond count: what can be redone
    int original_job;
    struct trace_answer original_answer; // text "": not known yet
    double original_share;
    int saved;    // changes in the copy that was saved last
    bool leaving; // the person wants to leave what has not been saved
    char overwrite[PICTURE_FILE_PATH];
};

// ---- the copy
// -------------------------------------------------------------------------------------------------

// Pixels of quarters of patches from the left or from above.
static int pixels(const struct edit_page *state, int quarters)
{
    return quarters * state->original.width / (PARTS * state->grid);
}

static struct edit rectangle(const struct edit_page *state, enum edit_kind kind)
{
    int column = state->carrying ? state->from_column : state->column, row = state->carrying ? state->from_row : state->row;
    int x = pixels(state, column), y = pixels(state, row);
    return (struct edit){kind,
                         x,
                         y,
                         pixels(state, column + state->columns) - x,
                         pixels(state, row + state->rows) - y,
                         pixels(state, state->column) - x,
                         pixels(state, state->row) - y};
}

static void place_frame(struct edit_page *state)
{
    int x = pixels(state, state->column), y = pixels(state, state->row);
    state->easel.frame = (struct area){x, y, pixels(state, state->column + state->columns) - x,
                                       pixels(state, state->row + state->rows) - y};
}

// The original with all changes, and with the piece in the hand put down where it is.
static void redraw(struct page *page)
{
    struct edit_page *state = page->state;
    struct error err = {0};
    struct picture copy;
    int side = state->original.width;
    bool ok = picture_alloc(&copy, side, side, 3, &err);
    if (ok)
        memcpy(copy.pixels, state->original.rgb, (size_t)side * (size_t)side * 3);
    for (int i = 0; ok && i < state->count; i++)
        ok = edit_apply(&copy, &state->edits[i], &err);
    struct edit carried = rectangle(state, EDIT_MOVE);
    if (ok && state->carrying)
        ok = edit_apply(&copy, &carried, &err);
    place_frame(state);
    ok = ok && (easel_show(&state->easel, copy.pixels, side) || error_no_memory(&err, "the copy"));
    if (!ok)
        page_say(page, true, "%s", err.text);
    picture_free(&copy);
}

static void make(struct page *page, int kind)
{
    struct edit_page *state = page->state;
    if (state->count == PICTURE_FILE_EDITS) {
        page_say(page, false, _("A copy holds at most %d changes."), PICTURE_FILE_EDITS);
        return;
    }
    state->edits[state->count++] = rectangle(state, (enum edit_kind)kind);
    state->undone = 0;
    state->carrying = false;
    redraw(page);
}

static void take_up(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    (void)unused;
    if (state->carrying) {
        make(page, EDIT_MOVE);
        return;
    }
    state->carrying = true;
    state->from_column = state->column;
    state->from_row = state->row;
    page_say(page, false, _("Taken up: the arrows carry it, Enter puts it down, u lets it be."));
}

static void put_down(struct page *page, int unused)
{
    (void)unused;
    if (((struct edit_page *)page->state)->carrying)
        make(page, EDIT_MOVE);
}

static void go_in_history(struct page *page, int by)
{
    struct edit_page *state = page->state;
    if (state->carrying && by < 0) {
        state->carrying = false;
        state->column = state->from_column;
        state->row = state->from_row;
    } else if (by < 0 ? state->count == 0 : state->undone == 0) {
        page_say(page, false, by < 0 ? _("There is nothing to undo.") : _("There is nothing to redo."));
        return;
    } else {
        state->count += by;
        state->undone -= by;
    }
    redraw(page);
}

// ---- the rectangle
// --------------------------------------------------------------------------------------------

static int held(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void hold(struct edit_page *state)
{
    int all = PARTS * state->grid;
    state->columns = held(state->columns, 1, all);
    state->rows = held(state->rows, 1, all);
    state->column = held(state->column, 0, all - state->columns);
    state->row = held(state->row, 0, all - state->rows);
}

static void shift(struct page *page, int columns, int rows)
{
    struct edit_page *state = page->state;
    state->column += columns;
    state->row += rows;
    hold(state);
    place_frame(state);
    if (state->carrying)
        redraw(page);
    page_changed(page);
}

static void resize(struct page *page, int columns, int rows)
{
    struct edit_page *state = page->state;
    if (state->carrying)
        return;
    state->columns += columns;
    state->rows += rows;
    hold(state);
    place_frame(state);
    page_changed(page);
}

enum { LEFT, RIGHT, UP, DOWN };
static const int ways[4][2] = {[LEFT] = {-1, 0}, [RIGHT] = {1, 0}, [UP] = {0, -1}, [DOWN] = {0, 1}};

static void go(struct page *page, int way)
{
    int step = ((struct edit_page *)page->state)->step;
    shift(page, ways[way][0] * step, ways[way][1] * step);
}

static void stretch(struct page *page, int way)
{
    int step = ((struct edit_page *)page->state)->step;
    resize(page, ways[way][0] * step, ways[way][1] * step);
}

static void grow(struct page *page, int by)
{
    int step = ((struct edit_page *)page->state)->step;
    resize(page, by * step, by * step);
}

static void toggle_step(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    (void)unused;
    state->step = state->step == WHOLE ? QUARTER : WHOLE;
    page_say(page, false, state->step == WHOLE ? _("Steps of a patch.") : _("Steps of a quarter of a patch."));
}

// ---- questions and files
// --------------------------------------------------------------------------------------

static void look_at_original(struct page *page)
{
    struct edit_page *state = page->state;
    struct backend_job job = {.kind = JOB_LOOK, .look = {state->original, state->easel.question}};
    page_cancel_job(page, state->original_job);
    state->original_answer.text[0] = 0;
    state->original_job = page_start_job(page, &job);
}

static void start_asking(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, PROMPT_ASK, _("ask: "), "");
}

static void start_saving(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    const char *path = page->screen->view.trace.pictures[0].path;
    char name[PICTURE_FILE_PATH];
    (void)unused;
    if (state->count == 0) {
        page_say(page, false, _("Nothing has been changed yet."));
        return;
    }
    const char *dot = path ? strrchr(path, '.') : NULL, *slash = path ? strrchr(path, '/') : NULL;
    int length = !path ? 0 : dot && (!slash || dot > slash) ? (int)(dot - path) : (int)strlen(path);
    snprintf(name, sizeof name, "%.*s-changed.jpg", length, path ? path : "");
    page_prompt(page, PROMPT_SAVE, _("save the copy as: "), name);
}

// From pixels of the screen's square to those of the file, which may be larger and not square.
static void changes_of_file(const struct edit_page *state, const struct trace_picture *picture, struct edit *out)
{
    int least = picture->width < picture->height ? picture->width : picture->height;
    for (int i = 0; i < state->count; i++) {
        out[i] = edit_scale(&state->edits[i], (double)least / state->original.width);
        out[i].x += (picture->width - least) / 2;
        out[i].y += (picture->height - least) / 2;
    }
}

static void save(struct page *page, const char *path)
{
    struct edit_page *state = page->state;
    const struct trace_picture *picture = &page->screen->view.trace.pictures[0];
    struct edit edits[PICTURE_FILE_EDITS];
    struct error err = {0};
    bool again = !strcmp(state->overwrite, path);
    state->overwrite[0] = 0;
    if (!again && picture_file_exists(path) && !picture_file_same(path, picture->path)) {
        snprintf(state->overwrite, sizeof state->overwrite, "%s", path);
        page_prompt(page, PROMPT_SAVE, _("save the copy as: "), path);
        page_say(page, true, _("%s is there already: Enter once more writes over it."), path);
        return;
    }
    changes_of_file(state, picture, edits);
    bool ok = picture_file_edit(picture->path, edits, state->count, path, &err);
    if (ok)
        state->saved = state->count;
    page_say(page, !ok, ok ? _("Saved the changed copy as %s.") : "%s", ok ? path : err.text);
}

// ---- what is seen
// ---------------------------------------------------------------------------------------------

static void status(struct page *page, char *out, size_t size)
{
    const struct edit_page *state = page->state;
    snprintf(out, size, ngettext_(state->count, "%d change ", "%d changes "), state->count);
}

static void draw_original(const struct edit_page *state, const struct pane *pane, struct rect rect)
{
    const struct trace_answer *now = easel_answer(&state->easel), *was = &state->original_answer;
    const struct trace *trace = &state->easel.view.trace;
    draw_title(pane, rect, _("ORIGINAL"), NULL, false);
    if (!was->text[0]) {
        draw_text(pane, STYLE_DIM, rect.row + 1, rect.column, rect.columns, _("asking …"));
        return;
    }
    draw_format(pane, STYLE_TEXT, rect.row + 1, rect.column, rect.columns, _("'%s' %.1f %%, %.0f %% of the unpruned FLOPs"),
                was->text, 100 * (double)was->p, 100 * state->original_share);
    if (!now || rect.rows < 3 || state->count + state->carrying == 0)
        return;
    double share = trace->dense_macs > 0 ? 100 * (trace->spent_macs / trace->dense_macs - state->original_share) : 0;
    if (!strcmp(now->text, was->text))
        draw_format(pane, STYLE_DIM, rect.row + 2, rect.column, rect.columns,
                    _("changed: the answer stays, %+.1f points; FLOPs %+.0f points"), 100 * (double)(now->p - was->p), share);
    else
        draw_format(pane, STYLE_WARN, rect.row + 2, rect.column, rect.columns,
                    _("changed: the answer turns to '%s' %.1f %%; FLOPs %+.0f points"), now->text, 100 * (double)now->p, share);
}

static const char *change_name(enum edit_kind kind)
{
    static const char *const names[EDIT_KINDS] = {N_("blanked"), N_("filled with the mean"), N_("blurred"), N_("moved")};
    return _(names[kind]);
}

static void draw_changes(const struct edit_page *state, const struct pane *pane, struct rect rect)
{
    int rows = rect.rows - 1, first = state->count > rows ? state->count - rows : 0;
    if (rect.rows < 2)
        return;
    draw_title(pane, rect, _("CHANGES"), NULL, false);
    for (int i = first; i < state->count; i++) {
        const struct edit *e = &state->edits[i];
        int row = rect.row + 1 + i - first;
        if (e->kind == EDIT_MOVE)
            draw_format(pane, STYLE_TEXT, row, rect.column, rect.columns, _("%d × %d pixels at %d, %d %s by %+d, %+d"), e->width,
                        e->height, e->x, e->y, change_name(e->kind), e->dx, e->dy);
        else
            draw_format(pane, STYLE_TEXT, row, rect.column, rect.columns, _("%d × %d pixels at %d, %d %s"), e->width, e->height,
                        e->x, e->y, change_name(e->kind));
    }
}

static void draw(struct page *page, const struct pane *pane)
{
    struct edit_page *state = page->state;
    struct rect rest = easel_draw(&state->easel, pane);
    int rows = rest.rows < 4 ? rest.rows : 4;
    draw_original(state, pane, (struct rect){rest.row, rest.column, rows < 3 ? rows : 3, rest.columns});
    draw_changes(state, pane, (struct rect){rest.row + rows, rest.column, rest.rows - rows, rest.columns});
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    return easel_images(&((struct edit_page *)page->state)->easel, out);
}

// ---- life and keys
// --------------------------------------------------------------------------------------------

static bool open(struct page *page, const void *argument, struct error *err)
{
    struct edit_page *state = page->state;
    const struct view *view = &page->screen->view;
    const struct backend_picture *picture = &view->pictures[0];
    (void)argument;
    if (!view->has_trace || !picture->rgb || picture->width != picture->height)
        return error_set(err, ERROR_USAGE, "%s", _("The first run is still being computed; try again in a moment."));
    if (view->trace.picture_count != 1)
        return error_set(err, ERROR_USAGE, "%s", _("This model compares two pictures; editing needs one that looks at one."));
    size_t bytes = (size_t)picture->width * (size_t)picture->height * 3;
    state->original = (struct backend_picture){picture->width, picture->height, malloc(bytes)};
    if (!state->original.rgb || !easel_begin(&state->easel, page)) {
        free(state->original.rgb);
        return error_no_memory(err, "the copy");
    }
    memcpy(state->original.rgb, picture->rgb, bytes);
    state->grid = view->trace.pictures[0].grid_columns;
    state->step = WHOLE;
    state->columns = state->rows = 2 * PARTS;
    state->column = (view->patch % state->grid) * PARTS;
    state->row = (view->patch / state->grid) * PARTS;
    hold(state);
    state->easel.colors = 1;
    redraw(page);
    look_at_original(page);
    return true;
}

static void close_page(struct page *page)
{
    struct edit_page *state = page->state;
    easel_end(&state->easel);
    free(state->original.rgb);
}

static void take_job(struct page *page, struct backend_job_news *news)
{
    struct edit_page *state = page->state;
    if (easel_take_job(&state->easel, news) || news->id != state->original_job)
        return;
    if (news->state == JOB_DONE) {
        state->original_answer = news->run.answer;
        state->original_share = news->run.dense_macs > 0 ? news->run.spent_macs / news->run.dense_macs : 0;
    }
    if (news->state != JOB_WORKING && news->state != JOB_PART)
        state->original_job = 0;
}

static void step(struct page *page, int by)
{
    easel_step(&((struct edit_page *)page->state)->easel, by);
}

static void toggle_plain(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    (void)unused;
    state->easel.plain = !state->easel.plain;
    page_changed(page);
}

static const struct {
    void (*run)(struct page *page, int value);
    int value;
} actions[ACTIONS] = {
    [ACTION_EASEL_LEFT] = {go, LEFT},
    [ACTION_EASEL_RIGHT] = {go, RIGHT},
    [ACTION_EASEL_UP] = {go, UP},
    [ACTION_EASEL_DOWN] = {go, DOWN},
    [ACTION_EASEL_FINE_LEFT] = {stretch, LEFT},
    [ACTION_EASEL_FINE_RIGHT] = {stretch, RIGHT},
    [ACTION_EASEL_FINE_UP] = {stretch, UP},
    [ACTION_EASEL_FINE_DOWN] = {stretch, DOWN},
    [ACTION_EASEL_UNDO] = {go_in_history, -1},
    [ACTION_EASEL_REDO] = {go_in_history, 1},
    [ACTION_EASEL_ASK] = {start_asking, 0},
    [ACTION_EASEL_SAVE] = {start_saving, 0},
    [ACTION_EASEL_PLAIN] = {toggle_plain, 0},
    [ACTION_EASEL_BACK] = {step, -1},
    [ACTION_EASEL_FORTH] = {step, 1},
    [ACTION_EDIT_WIDER] = {grow, 1},
    [ACTION_EDIT_NARROWER] = {grow, -1},
    [ACTION_EDIT_STEP] = {toggle_step, 0},
    [ACTION_EDIT_BLANK] = {make, EDIT_BLANK},
    [ACTION_EDIT_MEAN] = {make, EDIT_MEAN},
    [ACTION_EDIT_BLUR] = {make, EDIT_BLUR},
    [ACTION_EDIT_MOVE] = {take_up, 0},
    [ACTION_EDIT_DROP] = {put_down, 0},
};

static bool act(struct page *page, enum action action)
{
    struct edit_page *state = page->state;
    bool back = action == ACTION_ESCAPE || action == ACTION_BACK;
    if (back && state->saved != state->count && !state->leaving) {
        state->leaving = true;
        page_say(page, false, _("The changed copy is not saved: w saves it, once more leaves it."));
        return true;
    }
    state->leaving = false;
    if (actions[action].run)
        actions[action].run(page, actions[action].value);
    return actions[action].run;
}

static void typed(struct page *page, int which, const char *text)
{
    struct edit_page *state = page->state;
    if (!text[0])
        return;
    if (which == PROMPT_SAVE) {
        save(page, text);
        return;
    }
    easel_ask(&state->easel, text);
    look_at_original(page);
}

// The rectangle goes where the mouse clicks.
static void mouse(struct page *page, const struct page_mouse *event)
{
    struct edit_page *state = page->state;
    int x, y, unit = PARTS * state->grid;
    if (event->wheel)
        grow(page, event->wheel < 0 ? 1 : -1);
    else if (event->pressed && easel_hit(&state->easel, event->row, event->column, &x, &y))
        shift(page, x * unit / state->original.width / PARTS * PARTS - state->column,
              y * unit / state->original.width / PARTS * PARTS - state->row);
}

static const char *explain(enum action action)
{
    switch ((int)action) {
    case ACTION_EASEL_LEFT: return _("the rectangle to the left");
    case ACTION_EASEL_RIGHT: return _("the rectangle to the right");
    case ACTION_EASEL_UP: return _("the rectangle up");
    case ACTION_EASEL_DOWN: return _("the rectangle down");
    case ACTION_EASEL_FINE_LEFT: return _("narrower");
    case ACTION_EASEL_FINE_RIGHT: return _("wider");
    case ACTION_EASEL_FINE_UP: return _("lower");
    case ACTION_EASEL_FINE_DOWN: return _("higher");
    default: return NULL;
    }
}

const struct page_kind page_edit = {
    .id = PAGE_EDIT,
    .size = sizeof(struct edit_page),
    .about = N_("Change a copy of the picture and see what the answer depends on: blank what the question needs, or what it "
                "does not. After each change the model looks again, and the answer for the original stands beside. The file "
                "itself stays as it is; w saves the copy under another name."),
    .open = open,
    .close = close_page,
    .status = status,
    .draw = draw,
    .images = images,
    .act = act,
    .mouse = mouse,
    .typed = typed,
    .job = take_job,
    .explain = explain,
    .exports = page_exports_frame,
};
