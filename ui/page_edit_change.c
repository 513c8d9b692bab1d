// A rectangle of a picture, and what is done to what is in it.
#include "ui/page_edit_state.h"
#include "ui/screen_state.h"

#include <stdlib.h>
#include <string.h>

// Pixels of quarters of patches from the left or from above.
static int pixels(const struct edit_page *state, int quarters)
{
    return quarters * state->original.width / (EDIT_PARTS * state->grid);
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
void edit_page_redraw(struct page *page)
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

void edit_page_make(struct page *page, int kind)
{
    struct edit_page *state = page->state;
    if (state->count == PICTURE_FILE_EDITS) {
        page_say(page, false, _("A copy holds at most %d changes."), PICTURE_FILE_EDITS);
        return;
    }
    state->edits[state->count++] = rectangle(state, (enum edit_kind)kind);
    state->undone = 0;
    state->carrying = false;
    edit_page_redraw(page);
}

void edit_page_take_up(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    (void)unused;
    if (state->carrying) {
        edit_page_make(page, EDIT_MOVE);
        return;
    }
    state->carrying = true;
    state->from_column = state->column;
    state->from_row = state->row;
    page_say(page, false, _("Taken up: the arrows carry it, Enter puts it down, u lets it be."));
}

void edit_page_history(struct page *page, int by)
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
    edit_page_redraw(page);
}

static int held(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void edit_page_hold(struct edit_page *state)
{
    int all = EDIT_PARTS * state->grid;
    state->columns = held(state->columns, 1, all);
    state->rows = held(state->rows, 1, all);
    state->column = held(state->column, 0, all - state->columns);
    state->row = held(state->row, 0, all - state->rows);
}

void edit_page_shift(struct page *page, int columns, int rows)
{
    struct edit_page *state = page->state;
    state->column += columns;
    state->row += rows;
    edit_page_hold(state);
    place_frame(state);
    if (state->carrying)
        edit_page_redraw(page);
    page_changed(page);
}

void edit_page_resize(struct page *page, int columns, int rows)
{
    struct edit_page *state = page->state;
    if (state->carrying)
        return;
    state->columns += columns;
    state->rows += rows;
    edit_page_hold(state);
    place_frame(state);
    page_changed(page);
}

void edit_page_place(struct page *page, int column, int row, int end_column, int end_row)
{
    struct edit_page *state = page->state;
    if (state->carrying)
        return;
    state->column = column < end_column ? column : end_column;
    state->row = row < end_row ? row : end_row;
    state->columns = abs(end_column - column) + EDIT_PARTS;
    state->rows = abs(end_row - row) + EDIT_PARTS;
    edit_page_hold(state);
    place_frame(state);
    page_changed(page);
}

// ---- groups of survivors

enum { GRID_MOST = 64 };

struct group {
    int left, top, right, bottom; // patches
};

static bool is_alive(const struct edit_page *state, int column, int row)
{
    const struct view *view = &state->easel.view;
    return column >= 0 && row >= 0 && column < state->grid && row < state->grid &&
           view_alive(view, view_stage(view), 0, row * state->grid + column + 1);
}

// Takes the group that a patch belongs to, patch by patch; `seen` says which have been taken.
static struct group take_group(const struct edit_page *state, int column, int row, bool *seen)
{
    struct group group = {column, row, column, row};
    int todo[GRID_MOST * GRID_MOST], count = 0, grid = state->grid;
    seen[row * grid + column] = true;
    todo[count++] = row * grid + column;
    while (count > 0) {
        int at = todo[--count], x = at % grid, y = at / grid;
        group.left = x < group.left ? x : group.left;
        group.right = x > group.right ? x : group.right;
        group.bottom = y > group.bottom ? y : group.bottom;
        static const int ways[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
        for (int w = 0; w < 4; w++) {
            int nx = x + ways[w][0], ny = y + ways[w][1];
            if (!is_alive(state, nx, ny) || seen[ny * grid + nx])
                continue;
            seen[ny * grid + nx] = true;
            todo[count++] = ny * grid + nx;
        }
    }
    return group;
}

void edit_page_next_group(struct page *page, int unused)
{
    struct edit_page *state = page->state;
    bool seen[GRID_MOST * GRID_MOST] = {false};
    struct group first = {0}, next = {0};
    bool found = false, behind = false;
    int grid = state->grid, here = state->row / EDIT_PARTS * grid + state->column / EDIT_PARTS;
    (void)unused;
    if (grid > GRID_MOST || view_stage(&state->easel.view) < 0)
        return;
    // From above and from the left; the one after where the rectangle begins now, or the first again.
    for (int p = 0; p < grid * grid && !behind; p++) {
        if (seen[p] || !is_alive(state, p % grid, p / grid))
            continue;
        struct group group = take_group(state, p % grid, p / grid, seen);
        if (!found)
            first = group;
        found = true;
        behind = group.top * grid + group.left > here;
        next = group;
    }
    if (!found) {
        page_say(page, false, _("No patch is alive in this stage."));
        return;
    }
    next = behind ? next : first;
    edit_page_place(page, next.left * EDIT_PARTS, next.top * EDIT_PARTS, next.right * EDIT_PARTS, next.bottom * EDIT_PARTS);
}
