#include "ui/frame.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void frame_palette_color(int index, unsigned char rgb[3])
{
    static const unsigned char basic[16][3] = {
        {0, 0, 0},       {205, 0, 0},   {0, 205, 0},   {205, 205, 0},   {0, 0, 238},     {205, 0, 205},
        {0, 205, 205},   {229, 229, 229}, {127, 127, 127}, {255, 0, 0}, {0, 255, 0},     {255, 255, 0},
        {92, 92, 255},   {255, 0, 255}, {0, 255, 255}, {255, 255, 255}};
    static const unsigned char levels[6] = {0, 95, 135, 175, 215, 255};
    if (index < 16) {
        memcpy(rgb, basic[index & 15], 3);
    } else if (index < 232) {
        index -= 16;
        rgb[0] = levels[index / 36];
        rgb[1] = levels[index / 6 % 6];
        rgb[2] = levels[index % 6];
    } else {
        memset(rgb, 8 + (index - 232) * 10, 3);
    }
}

static void take_colors(struct frame_cell *cell, const struct theme *theme, attr_t attributes, short pair)
{
    short front = -1, back = -1;
    if (pair != 0)
        pair_content(pair, &front, &back);
    memcpy(cell->front, theme->ink, 3);
    memcpy(cell->back, theme->background, 3);
    if (front >= 0)
        frame_palette_color(front, cell->front);
    if (back >= 0)
        frame_palette_color(back, cell->back);
    if (attributes & A_DIM)
        for (int i = 0; i < 3; i++)
            cell->front[i] = (unsigned char)((cell->front[i] + theme->background[i]) / 2);
    if (attributes & A_REVERSE)
        for (int i = 0; i < 3; i++) {
            unsigned char swap = cell->front[i];
            cell->front[i] = cell->back[i];
            cell->back[i] = swap;
        }
    cell->filled = back >= 0 || (attributes & A_REVERSE);
    cell->bold = (attributes & A_BOLD) != 0;
    cell->underlined = (attributes & A_UNDERLINE) != 0;
}

static void take_text(struct frame_cell *cell, const wchar_t *wide)
{
    mbstate_t state = {0};
    size_t used = 0;
    for (int i = 0; i < CCHARW_MAX && wide[i]; i++) {
        char bytes[MB_LEN_MAX];
        if (wide[i] == L'\u0336') { // drawn as a line
            cell->struck = true;
            continue;
        }
        size_t size = wcrtomb(bytes, wide[i], &state);
        if (size != (size_t)-1 && used + size < sizeof cell->text)
            memcpy(cell->text + used, bytes, size), used += size;
    }
    cell->text[used] = 0;
    int columns = wcwidth(wide[0]);
    cell->columns = columns == 2 ? 2 : 1;
    if (!strcmp(cell->text, " "))
        cell->text[0] = 0;
}

static void take_cells(struct frame *frame, const struct theme *theme)
{
    for (int row = 0; row < frame->rows; row++)
        for (int column = 0; column < frame->columns; column++) {
            struct frame_cell *cell = &frame->cells[row * frame->columns + column];
            wchar_t wide[CCHARW_MAX + 1] = {0};
            cchar_t content;
            attr_t attributes;
            short pair;
            cell->columns = 1;
            memcpy(cell->back, theme->background, 3);
            if (mvin_wch(row, column, &content) == ERR ||
                getcchar(&content, wide, &attributes, &pair, NULL) == ERR || attributes & A_INVIS)
                continue;
            take_colors(cell, theme, attributes, pair);
            take_text(cell, wide);
            if (cell->columns == 2 && column + 1 < frame->columns) {
                cell[1] = *cell;
                cell[1].text[0] = 0;
                cell[1].columns = 0;
                column++;
            }
        }
}

static bool take_image(struct frame *frame, const struct image *image)
{
    const struct canvas *canvas = &image->canvas;
    size_t size = (size_t)canvas->width * (size_t)canvas->height * 3;
    if (!canvas->rgb || size == 0)
        return true;
    struct frame_image *copy = &frame->images[frame->image_count];
    *copy = (struct frame_image){image->cells, canvas->width, canvas->height, malloc(size)};
    if (!copy->rgb)
        return false;
    memcpy(copy->rgb, canvas->rgb, size);
    frame->image_count++;
    return true;
}

// An image in characters is text like any other.
static bool take_characters(struct frame *frame, const struct image *image, const struct theme *theme)
{
    const struct canvas *canvas = &image->canvas;
    size_t count = (size_t)canvas->width * (size_t)canvas->height;
    struct block_cell *blocks = calloc(count + 1, sizeof *blocks);
    if (!blocks)
        return false;
    if (canvas->rgb)
        blocks_choose_ascii(canvas->rgb, canvas->height, canvas->width, theme->dark, blocks);
    for (int y = 0; canvas->rgb && y < canvas->height && image->cells.row + y < frame->rows; y++)
        for (int x = 0; x < canvas->width && image->cells.column + x < frame->columns; x++) {
            struct frame_cell *cell =
                &frame->cells[(image->cells.row + y) * frame->columns + image->cells.column + x];
            cell->text[0] = (char)blocks[y * canvas->width + x].pattern;
            cell->text[cell->text[0] != ' '] = 0;
            memcpy(cell->front, theme->ink, 3);
        }
    free(blocks);
    return true;
}

bool frame_take(struct frame *frame, const struct theme *theme, const struct terminal *terminal,
                enum graphics graphics, const struct image *const images[], int image_count)
{
    *frame = (struct frame){.rows = LINES,
                            .columns = COLS,
                            .cell_width = terminal->cell_width,
                            .cell_height = terminal->cell_height,
                            .pixelated = graphics != GRAPHICS_SIXEL,
                            .dark = theme->dark};
    memcpy(frame->background, theme->background, 3);
    frame->cells = calloc((size_t)LINES * (size_t)COLS + 1, sizeof *frame->cells);
    bool ok = frame->cells != NULL;
    if (ok)
        take_cells(frame, theme);
    for (int i = 0; ok && i < image_count && i < FRAME_IMAGES; i++)
        ok = graphics == GRAPHICS_ASCII ? take_characters(frame, images[i], theme)
                                        : take_image(frame, images[i]);
    if (!ok)
        frame_free(frame);
    return ok;
}

void frame_free(struct frame *frame)
{
    for (int i = 0; i < frame->image_count; i++)
        free(frame->images[i].rgb);
    free(frame->cells);
    *frame = (struct frame){0};
}
