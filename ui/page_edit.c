// A part of the picture blanked, blurred or moved in a copy, to see what the answer and the pruning depend on.
#include "ui/page_edit_state.h"
#include "ui/screen_state.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is carried is put down; nothing is: the saved copy goes into the stepper.
static void put_down(struct page *page, int unused)
{
    (void)unused;
    if (((struct edit_page *)page->state)->carrying)
        edit_page_make(page, EDIT_MOVE);
    else
        edit_page_step_through(page);
}

enum { LEFT, RIGHT, UP, DOWN };
static const int ways[4][2] = {[LEFT] = {-1, 0}, [RIGHT] = {1, 0}, [UP] = {0, -1}, [DOWN] = {0, 1}};

static void go(struct page *page, int way)
{
    int step = ((struct edit_page *)page->state)->step;
    edit_page_shift(page, ways[way][0] * step, ways[way][1] * step);
}

static void stretch(struct page *page, int way)
{
    int step = ((struct edit_page *)page->state)->step;
    edit_page_resize(page, ways[way][0] * step, ways[way][1] * step);
}

static void grow(struct page *page, int by)
{
    int step = ((struct edit_page *)page->state)->step;
    edit_page_resize(page, by * step, by * step);
}

static void toggle_step(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    (void)unused;
    state->step = state->step == EDIT_WHOLE ? EDIT_QUARTER : EDIT_WHOLE;
    page_say(page, false, state->step == EDIT_WHOLE ? _("Steps of a patch.") : _("Steps of a quarter of a patch."));
}

static void start_asking(struct page *page, int unused)
{
    (void)unused;
    page_prompt(page, EDIT_PROMPT_ASK, _("ask: "), "");
}

static void status(struct page *page, char *out, size_t size)
{
    const struct edit_page *state = page->state;
    snprintf(out, size, ngettext_(state->count, "%d change ", "%d changes "), state->count);
}

static int images(struct page *page, struct page_image out[PAGE_IMAGES])
{
    return easel_images(&((struct edit_page *)page->state)->easel, out);
}

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
    state->original = (struct backend_picture){.width = picture->width, .height = picture->height, .rgb = malloc(bytes)};
    if (!state->original.rgb || !easel_begin(&state->easel, page)) {
        free(state->original.rgb);
        return error_no_memory(err, "the copy");
    }
    memcpy(state->original.rgb, picture->rgb, bytes);
    state->grid = view->trace.pictures[0].grid_columns;
    state->step = EDIT_WHOLE;
    state->drag_row = -1;
    state->columns = state->rows = 2 * EDIT_PARTS;
    state->column = (view->patch % state->grid) * EDIT_PARTS;
    state->row = (view->patch / state->grid) * EDIT_PARTS;
    edit_page_hold(state);
    state->easel.colors = 1;
    edit_page_redraw(page);
    edit_page_look_at_original(page);
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
    [ACTION_EASEL_UNDO] = {edit_page_history, -1},
    [ACTION_EASEL_REDO] = {edit_page_history, 1},
    [ACTION_EASEL_ASK] = {start_asking, 0},
    [ACTION_EASEL_SAVE] = {edit_page_start_saving, 0},
    [ACTION_EASEL_PLAIN] = {toggle_plain, 0},
    [ACTION_EASEL_BACK] = {step, -1},
    [ACTION_EASEL_FORTH] = {step, 1},
    [ACTION_EDIT_WIDER] = {grow, 1},
    [ACTION_EDIT_NARROWER] = {grow, -1},
    [ACTION_EDIT_STEP] = {toggle_step, 0},
    [ACTION_EDIT_BLANK] = {edit_page_make, EDIT_BLANK},
    [ACTION_EDIT_MEAN] = {edit_page_make, EDIT_MEAN},
    [ACTION_EDIT_BLUR] = {edit_page_make, EDIT_BLUR},
    [ACTION_EDIT_MOVE] = {edit_page_take_up, 0},
    [ACTION_EDIT_GROUP] = {edit_page_next_group, 0},
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
    if (which == EDIT_PROMPT_SAVE) {
        edit_page_save(page, text);
        return;
    }
    easel_ask(&state->easel, text);
    edit_page_look_at_original(page);
}

// The patch under a cell, in quarters of patches.
static bool patch_at(const struct edit_page *state, int row, int column, int *x, int *y)
{
    int unit = EDIT_PARTS * state->grid;
    if (!easel_hit(&state->easel, row, column, x, y))
        return false;
    *x = *x * unit / state->original.width / EDIT_PARTS * EDIT_PARTS;
    *y = *y * unit / state->original.width / EDIT_PARTS * EDIT_PARTS;
    return true;
}

// The rectangle goes where the mouse clicks, or is drawn from where the button goes down to where it is let go of.
static void mouse(struct page *page, const struct page_mouse *event)
{
    struct edit_page *state = page->state;
    int x, y, from_x, from_y;
    if (event->wheel) {
        grow(page, event->wheel < 0 ? 1 : -1);
        return;
    }
    bool hit = patch_at(state, event->row, event->column, &x, &y);
    bool drawn = event->released && state->drag_row >= 0 && patch_at(state, state->drag_row, state->drag_column, &from_x, &from_y);
    if (drawn && hit && (from_x != x || from_y != y))
        edit_page_place(page, from_x, from_y, x, y);
    state->drag_row = -1;
    if (!event->pressed || !hit)
        return;
    edit_page_shift(page, x - state->column, y - state->row);
    state->drag_row = event->row;
    state->drag_column = event->column;
}

// A piece in the hand is moved, put down or let be.
static bool offers(struct page *page, enum action action)
{
    if (key_row(action)->hint == HINT_ALWAYS)
        return true;
    bool carrying = ((struct edit_page *)page->state)->carrying, puts = action == ACTION_EDIT_DROP;
    return carrying ? puts || action == ACTION_EASEL_RIGHT || action == ACTION_EASEL_UNDO : !puts;
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
    .draw = edit_page_draw,
    .images = images,
    .act = act,
    .mouse = mouse,
    .drags = true,
    .command = edit_page_command,
    .typed = typed,
    .job = take_job,
    .explain = explain,
    .offers = offers,
    .exports = page_exports_frame,
};
