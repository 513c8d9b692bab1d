// One frame: the text through curses, then the images in one piece behind it. Order, placeholders and pacing
// follow what was measured in real terminals (the comments say what breaks otherwise).
#include "ui/panels.h"
#include "ui/screen_state.h"

#include "engine/base/thread.h"

#include <string.h>

enum { LEAST_ROWS = LAYOUT_LEAST_ROWS, LEAST_COLUMNS = LAYOUT_LEAST_COLUMNS };

struct pane screen_pane(const struct screen *screen)
{
    return (struct pane){&screen->theme, &screen->layout, &screen->view};
}

struct scene_context screen_scene_context(const struct screen *screen)
{
    return (struct scene_context){&screen->view,        &screen->layout,   &screen->theme,
                                  screen->theme_serial, &screen->terminal, screen->graphics};
}

void screen_place(struct screen *screen)
{
    const struct view *view = &screen->view;
    const struct trace *trace = &view->trace;
    struct layout_request request = {.rows = LINES,
                                     .columns = COLS,
                                     .cell_width = screen->terminal.cell_width,
                                     .cell_height = screen->terminal.cell_height,
                                     .aspect = scene_aspect(view),
                                     .stages = 1,
                                     .head_rows = view->has_trace ? trace->picture_count + 1 : 2};
    if (view->has_trace && trace->question)
        request.question_columns = draw_width(trace->question) + 4; // start and end tokens
    if (view->has_trace)
        request.stages = trace->stage_total > trace->stage_count ? trace->stage_total : trace->stage_count;
    layout_compute(&screen->layout, &request);
}

// Cells under an image hold no-break spaces: blank ones would be cleared by curses' erase sequences in
// passing, and the image with them. The first three of a row are other kinds of space, its number in digits:
// curses scrolls regions (whatever idlok says) when a row's characters turn up in another row, and would drag
// the image along.
static wchar_t placeholder(bool unicode, int row, int index)
{
    static const int powers[] = {100, 10, 1};
    int digit = index < 3 ? row / powers[index] % 10 : 0;
    if (unicode)
        return index < 3 ? 0x2000 + digit : 0x00A0;
    return index < 3 ? L'0' + digit : L'.';
}

static void put_placeholders(const struct screen *screen, struct rect cells)
{
    attr_set(A_INVIS, 0, NULL); // or the cells would take on what was written last
    for (int row = cells.row; row < cells.row + cells.rows && row < LINES - 1; row++)
        for (int i = 0; i < cells.columns && cells.column + i < COLS; i++) {
            wchar_t text[2] = {placeholder(screen->terminal.unicode, row, i), 0};
            cchar_t cell;
            if (setcchar(&cell, text, A_INVIS, 0, NULL) == OK)
                mvadd_wch(row, cells.column + i, &cell);
        }
    attr_set(A_NORMAL, 0, NULL);
}

static void draw_too_small(const struct screen *screen)
{
    struct pane pane = screen_pane(screen);
    draw_format(&pane, STYLE_TEXT, LINES / 2, 0, COLS,
                "trimscope needs %d x %d cells, please; this window has %d x %d.", LEAST_COLUMNS, LEAST_ROWS,
                COLS, LINES);
}

static void draw_completions(const struct screen *screen, const struct pane *pane)
{
    struct rect rect = screen->layout.note;
    int column = rect.column;
    if (screen->completion_count == 0)
        return;
    column += draw_text(pane, STYLE_DIM, rect.row, column, rect.columns, "Tab: ");
    for (int i = 0; i < screen->completion_count; i++) {
        int room = rect.column + rect.columns - column;
        if (draw_width(screen->completions[i]) > room)
            break;
        column +=
            draw_text(pane, i == 0 ? STYLE_KEY : STYLE_TEXT, rect.row, column, room, screen->completions[i]) +
            2;
    }
}

// Returns the column of the prompt's cursor, -1: none.
static int draw_texts(struct screen *screen)
{
    struct pane pane = screen_pane(screen);
    panel_header(&pane);
    panel_legend(&pane, screen->graphics);
    panel_words(&pane);
    panel_heads(&pane);
    panel_cost(&pane);
    panel_answer(&pane);
    panel_inspect(&pane);
    panel_story(&pane);
    panel_strip(&pane);
    popup_draw(&screen->popup, &pane);
    if (screen->prompt.kind == PROMPT_NONE) {
        panel_note(&pane);
        panel_hints(&pane);
        return -1;
    }
    if (screen->completion_count > 0)
        draw_completions(screen, &pane);
    else
        panel_note(&pane);
    struct rect line = {screen->layout.hints.row, 1, 1, COLS - 2};
    return prompt_draw(&screen->prompt, &pane, line);
}

static void send_images(struct screen *screen)
{
    struct scene_context context = screen_scene_context(screen);
    bytes_clear(&screen->out);
    scene_write(&screen->scene, &context, &screen->out);
    if (screen->out.failed) {
        scene_forget(&screen->scene);
        view_say(&screen->view, true, "no memory to draw the picture");
        bytes_clear(&screen->out);
    }
}

void screen_draw(struct screen *screen)
{
    screen_place(screen);
    if (screen->repaint) {
        clearok(curscr, TRUE);
        scene_forget(&screen->scene);
        screen->repaint = false;
    }
    erase();
    int cursor = -1;
    bool images = false;
    if (screen->layout.too_small) {
        draw_too_small(screen);
        scene_forget(&screen->scene);
    } else {
        struct scene_context context = screen_scene_context(screen);
        images = scene_update(&screen->scene, &context) && view_stage(&screen->view) >= 0;
        if (images) {
            put_placeholders(screen, screen->scene.main.cells);
            put_placeholders(screen, screen->scene.strip.cells);
        }
        cursor = draw_texts(screen);
    }
    bytes_clear(&screen->out);
    if (images)
        send_images(screen);
    images = screen->out.used > 0;
    curs_set(cursor >= 0);
    if (cursor >= 0)
        move(LINES - 1, cursor);
    wnoutrefresh(stdscr);
    if (images && screen->terminal.synchronized)
        terminal_write("\033[?2026h", 8);
    doupdate();
    if (images && screen->terminal.synchronized)
        bytes_add(&screen->out, "\033[?2026l", 8);
    bytes_add(&screen->out, "\033[5n", 4); // answered once all this is on the screen
    terminal_write(screen->out.data, screen->out.used);
    screen->frame_pending = true;
    screen->frame_sent = clock_seconds();
    screen->dirty = false;
}
