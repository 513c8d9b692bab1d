// One frame: the text through curses, then the images in one piece behind it. Order, placeholders and pacing
// follow what was measured in real terminals (the comments say what breaks otherwise).
#include "ui/panels.h"
#include "ui/rim.h"
#include "ui/screen_state.h"

#include "engine/base/thread.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

enum { LEAST_ROWS = LAYOUT_LEAST_ROWS, LEAST_COLUMNS = LAYOUT_LEAST_COLUMNS };

struct pane screen_pane(const struct screen *screen)
{
    return (struct pane){&screen->theme, &screen->layout, &screen->view, page_top(screen), NULL};
}

struct scene_context screen_scene_context(const struct screen *screen)
{
    return (struct scene_context){.view = &screen->view,
                                  .layout = &screen->layout,
                                  .theme = &screen->theme,
                                  .theme_serial = screen->theme_serial,
                                  .terminal = &screen->terminal,
                                  .graphics = screen->graphics};
}

void screen_place(struct screen *screen)
{
    const struct view *view = &screen->view;
    const struct trace *trace = &view->trace;
    double wider, higher;
    rim_of_all(view, &wider, &higher);
    struct layout_request request = {.rows = LINES,
                                     .columns = COLS,
                                     .cell_width = screen->terminal.cell_width,
                                     .cell_height = screen->terminal.cell_height,
                                     .aspect = scene_aspect(view),
                                     .wider = wider,
                                     .higher = higher,
                                     .stages = 1,
                                     .head_rows = view->has_trace ? trace->picture_count + 1 : 2};
    if (view->has_trace && trace->question)
        request.question_columns = draw_width(trace->question) + 4; // start and end tokens
    if (view->has_trace)
        request.stages = trace->stage_total > trace->stage_count ? trace->stage_total : trace->stage_count;
    layout_compute(&screen->layout, &request);
    struct page *page = screen->page_count > 0 ? page_top(screen) : NULL;
    if (page && page->kind->place && !screen->layout.too_small)
        page->kind->place(page, &request, &screen->layout);
}

// Cells under an image hold no-break spaces: blank ones would be cleared by curses' erase sequences in
// passing, and the image with them. The first three of a row are other kinds of space, its number in digits:
// curses scrolls regions (whatever idlok says) when a row's characters turn up in another row, and would drag
// the image along. Where images come, go or move, all of them change to other spaces (`odd`): so curses writes
// every cell that held an image before, and what was there is gone.
static wchar_t placeholder(bool unicode, bool odd, int row, int index)
{
    static const int powers[] = {100, 10, 1};
    int digit = index < 3 ? row / powers[index] % 10 : 0;
    if (unicode)
        return index < 3 ? 0x2000 + digit : odd ? 0x202F : 0x00A0;
    return index < 3 ? L'0' + digit : odd ? L',' : L'.';
}

// From the `first` kind of space of a row on.
static void put_placeholders(const struct screen *screen, struct rect cells, int first)
{
    attr_set(A_INVIS, 0, NULL); // or the cells would take on what was written last
    for (int row = cells.row; row < cells.row + cells.rows && row < LINES - 1; row++)
        for (int i = 0; i < cells.columns && cells.column + i < COLS; i++) {
            wchar_t text[2] = {placeholder(screen->terminal.unicode, screen->placed_odd, row, first + i), 0};
            cchar_t cell;
            if (setcchar(&cell, text, A_INVIS, 0, NULL) == OK)
                mvadd_wch(row, cells.column + i, &cell);
        }
    attr_set(A_NORMAL, 0, NULL);
}

// Rows without an image can be alike too, when text moves up by a row: xterm takes along the images next to a region that
// curses scrolls. The margins tell such rows apart.
static void number_rows(const struct screen *screen)
{
    put_placeholders(screen, (struct rect){1, 0, LINES - 2, 1}, 2);
    put_placeholders(screen, (struct rect){1, COLS - 1, LINES - 2, 1}, 1);
}

static void draw_too_small(const struct screen *screen)
{
    struct pane pane = screen_pane(screen);
    char text[240];
    snprintf(text, sizeof text, _("trimscope needs %d x %d cells, please; this window has %d x %d."), LEAST_COLUMNS,
             LEAST_ROWS, COLS, LINES);
    int rows = draw_rows(text, COLS), row = rows < LINES ? (LINES - rows) / 2 : 0;
    draw_wrapped(&pane, STYLE_TEXT, (struct rect){row, 0, LINES - row, COLS}, text);
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
        if (i > 0 && draw_width(screen->completions[i]) > room)
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
    if (pane.page->kind->draw)
        pane.page->kind->draw(pane.page, &pane);
    popup_draw(&screen->popup, &pane);
    if (screen->prompt.kind == PROMPT_NONE) {
        if (panel_note(&pane, 2) < 2)
            panel_hints(&pane);
        return -1;
    }
    if (screen->completion_count > 0)
        draw_completions(screen, &pane);
    else
        panel_note(&pane, 1);
    struct rect line = {screen->layout.hints.row, 1, 1, COLS - 2};
    return prompt_draw(&screen->prompt, &pane, line);
}

// ---- images
// ---------------------------------------------------------------------------------------------------

static bool same_place(const struct screen_placed *a, const struct screen_placed *b)
{
    return a->cells.row == b->cells.row && a->cells.column == b->cells.column && a->cells.rows == b->cells.rows &&
           a->cells.columns == b->cells.columns && a->width == b->width && a->height == b->height;
}

// Notes what images the frame has; where they are others than before, or elsewhere, all are sent anew.
static void place_images(struct screen *screen, struct page_image *images, int count)
{
    bool moved = screen->page_turned || count != screen->placed_count;
    for (int i = 0; i < count; i++) {
        const struct image *image = images[i].image;
        struct screen_placed now = {image->cells, image->canvas.width, image->canvas.height};
        moved = moved || !same_place(&now, &screen->placed[i]);
        screen->placed[i] = now;
    }
    // Text written over an image is not enough: xterm keeps the pixels below and brings them back when curses scrolls
    // rows. Cleared, they are gone.
    if (moved && screen->placed_count > 0 && screen->graphics == GRAPHICS_SIXEL)
        clearok(curscr, TRUE);
    screen->placed_count = count;
    screen->page_turned = false;
    screen->placed_odd ^= moved;
    for (int i = 0; i < count; i++) {
        if (moved || screen->repaint)
            image_forget(images[i].image);
        put_placeholders(screen, images[i].image->cells, 0);
    }
    if (count > 0 && screen->graphics == GRAPHICS_SIXEL)
        number_rows(screen);
}

// The images of the page in sight.
static int find_images(struct screen *screen, struct page_image images[PAGE_IMAGES])
{
    struct page *page = page_top(screen);
    bool covered = screen->popup.kind != POPUP_NONE && !page->kind->popup;
    if (!page->kind->images || covered || screen->layout.too_small)
        return 0;
    int count = page->kind->images(page, images);
    if (count < 0)
        view_say(&screen->view, true, _("There is no memory to draw the picture."));
    return count > 0 ? count : 0;
}

static void send_images(struct screen *screen, struct page_image *images, int count)
{
    bytes_clear(&screen->out);
    for (int i = 0; i < count; i++) {
        struct image_output output = {.graphics = screen->graphics,
                                      .terminal = &screen->terminal,
                                      .palette = images[i].palette,
                                      .palette_serial = images[i].palette_serial,
                                      .dark = screen->theme.dark};
        image_write(images[i].image, &output, &screen->out);
    }
    if (!screen->out.failed)
        return;
    for (int i = 0; i < count; i++)
        image_forget(images[i].image);
    view_say(&screen->view, true, _("There is no memory to draw the picture."));
    bytes_clear(&screen->out);
}

void screen_draw(struct screen *screen)
{
    struct page_image images[PAGE_IMAGES];
    screen_place(screen);
    page_top(screen)->body = screen->layout.body;
    // Another page: xterm would bring pieces of an image back where text is written over its place later, unless all
    // is cleared.
    if (screen->repaint || (screen->page_turned && screen->placed_count > 0))
        clearok(curscr, TRUE);
    erase();
    int count = find_images(screen, images), cursor = -1;
    place_images(screen, images, count);
    screen->repaint = false;
    if (screen->layout.too_small)
        draw_too_small(screen);
    else
        cursor = draw_texts(screen);
    send_images(screen, images, count);
    bool drawn = screen->out.used > 0;
    curs_set(cursor >= 0);
    if (cursor >= 0)
        move(LINES - 1, cursor);
    wnoutrefresh(stdscr);
    if (drawn && screen->terminal.synchronized)
        terminal_write("\033[?2026h", 8);
    doupdate();
    if (drawn && screen->terminal.synchronized)
        bytes_add(&screen->out, "\033[?2026l", 8);
    bytes_add(&screen->out, "\033[5n", 4); // answered once all this is on the screen
    terminal_write(screen->out.data, screen->out.used);
    screen->frame_pending = true;
    screen->frame_sent = clock_seconds();
    screen->dirty = false;
    screen->draw_at = 0;
}

static bool take_frame(struct screen *screen, struct frame *frame)
{
    struct page_image found[PAGE_IMAGES];
    const struct image *images[PAGE_IMAGES];
    screen_place(screen);
    page_top(screen)->body = screen->layout.body;
    erase();
    int count = find_images(screen, found);
    for (int i = 0; i < count; i++)
        images[i] = found[i].image;
    if (screen->layout.too_small)
        draw_too_small(screen);
    else
        draw_texts(screen);
    return frame_take(frame, &screen->theme, &screen->terminal, screen->graphics, images, count);
}

bool screen_take_frame(struct screen *screen, bool sharp, struct frame *frame)
{
    struct terminal kept = screen->terminal;
    enum graphics graphics = screen->graphics;
    if (sharp && graphics != GRAPHICS_SIXEL) { // pixels, though this terminal has none
        bool odd = kept.cell_width < 4 || kept.cell_height < 8;
        screen->graphics = GRAPHICS_SIXEL;
        screen->terminal.cell_width = odd ? 10 : kept.cell_width;
        screen->terminal.cell_height = odd ? 20 : kept.cell_height;
        screen->terminal.most_width = screen->terminal.most_height = 1 << 14;
    }
    bool taken = take_frame(screen, frame);
    if (screen->graphics != graphics) {
        screen->graphics = graphics;
        screen->terminal = kept;
        screen->repaint = true; // the layout may have been another one
    }
    screen->dirty = true;
    return taken;
}
