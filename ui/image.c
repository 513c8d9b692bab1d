#include "ui/image.h"

#include "ui/sixel.h"

#include <stdlib.h>
#include <string.h>

void image_cell_pixels(const struct terminal *terminal, enum graphics graphics, int *width, int *height)
{
    *width = graphics == GRAPHICS_SIXEL ? terminal->cell_width : graphics == GRAPHICS_BLOCKS ? 2 : 1;
    *height = graphics == GRAPHICS_SIXEL ? terminal->cell_height : graphics == GRAPHICS_BLOCKS ? 2 : 1;
}

double image_pixel_aspect(const struct terminal *terminal, enum graphics graphics)
{
    return graphics == GRAPHICS_SIXEL ? 1 : (double)terminal->cell_width / terminal->cell_height;
}

void image_forget(struct image *image)
{
    image->valid = false;
}

void image_free(struct image *image)
{
    canvas_free(&image->canvas);
    free(image->now);
    free(image->before);
    free(image->mapped);
    free(image->cells_now);
    free(image->cells_before);
    free(image->marks);
    *image = (struct image){0};
}

bool image_mark(struct image *image, int row, int column, enum image_mark mark)
{
    size_t cells = (size_t)image->cells.rows * (size_t)image->cells.columns;
    if (row < 0 || row >= image->cells.rows || column < 0 || column >= image->cells.columns)
        return true;
    if (!image->marked) {
        unsigned char *marks = realloc(image->marks, cells);
        if (!marks)
            return false;
        image->marks = marks;
        image->marks_capacity = cells;
        memset(marks, IMAGE_MARK_NONE, cells);
        image->marked = true;
    }
    image->marks[(size_t)row * (size_t)image->cells.columns + (size_t)column] = (unsigned char)mark;
    return true;
}

void image_unmark(struct image *image)
{
    image->marked = false;
}

static bool grow(void **a, void **b, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return true;
    void *one = realloc(*a, count * size);
    if (one)
        *a = one;
    void *two = realloc(*b, count * size);
    if (two)
        *b = two;
    if (one && two)
        *capacity = count;
    return one && two;
}

// Indices of the canvas's colours. Where a row holds what it held before, they are known: the pixels between the first
// and the last that are others are looked up.
static void map_change(struct image *image, const struct palette *palette)
{
    int width = image->canvas.width;
    const unsigned char *rgb = image->canvas.rgb, *old = image->mapped;
    for (int y = 0; y < image->canvas.height; y++, rgb += width * 3, old += width * 3) {
        unsigned char *now = image->now + (size_t)y * width;
        int first = 0, last = width - 1;
        memcpy(now, image->before + (size_t)y * width, (size_t)width);
        if (!memcmp(rgb, old, (size_t)width * 3))
            continue;
        while (!memcmp(rgb + first * 3, old + first * 3, 3))
            first++;
        while (!memcmp(rgb + last * 3, old + last * 3, 3))
            last--;
        palette_map_row(palette, rgb + first * 3, first, y, last + 1 - first, now + first);
    }
}

// One sixel string for each piece that is no wider than the terminal allows, cut between cells.
static void write_sixel(struct image *image, const struct image_output *output, struct bytes *out)
{
    const struct terminal *terminal = output->terminal;
    int width = image->canvas.width, height = image->canvas.height;
    size_t pixels = (size_t)width * height;
    unsigned char **now = &image->now, **before = &image->before;
    bool same = image->valid && image->palette_serial == output->palette_serial, delta = same && terminal->deltas;
    unsigned char *mapped = same ? image->mapped : realloc(image->mapped, pixels * 3);
    image->mapped = mapped ? mapped : image->mapped;
    if (!mapped || !grow((void **)now, (void **)before, &image->capacity, pixels, 1)) {
        out->failed = true;
        return;
    }
    if (same)
        map_change(image, output->palette);
    else
        palette_map(output->palette, image->canvas.rgb, width, height, image->now);
    if (same && !memcmp(image->now, image->before, pixels))
        return;
    memcpy(image->mapped, image->canvas.rgb, pixels * 3);
    int piece = terminal->most_width / terminal->cell_width * terminal->cell_width;
    for (int left = 0; left < width; left += piece) {
        int columns = width - left < piece ? width - left : piece;
        size_t mark = out->used;
        bytes_format(out, "\0337\033[%d;%dH", image->cells.row + 1,
                     image->cells.column + left / terminal->cell_width + 1);
        int written = sixel_write(out, output->palette, image->now, delta ? image->before : NULL, width, left,
                                  columns, height);
        if (written == 0)
            out->used = mark;
        else
            bytes_add(out, "\0338", 2);
    }
    unsigned char *swap = image->now;
    image->now = image->before;
    image->before = swap;
}

static void write_blocks(struct image *image, const struct image_output *output, struct bytes *out)
{
    bool ascii = output->graphics == GRAPHICS_ASCII;
    int rows = ascii ? image->canvas.height : image->canvas.height / 2;
    int columns = ascii ? image->canvas.width : image->canvas.width / 2;
    size_t count = (size_t)rows * columns;
    struct block_cell **now = &image->cells_now, **before = &image->cells_before;
    if (!grow((void **)now, (void **)before, &image->cells_capacity, count, sizeof **now)) {
        out->failed = true;
        return;
    }
    if (ascii)
        blocks_choose_ascii(image->canvas.rgb, rows, columns, output->dark, image->cells_now);
    else
        blocks_choose(image->canvas.rgb, rows, columns, image->cells_now);
    if (image->marked && image->marks_capacity == count)
        for (size_t i = 0; i < count; i++)
            blocks_mark(&image->cells_now[i], (int)image->marks[i], output->dark, ascii);
    if (!image->valid || memcmp(image->cells_now, image->cells_before, count * sizeof **now) != 0) {
        bytes_add(out, "\0337", 2);
        blocks_write(out, image->cells_now, image->valid ? image->cells_before : NULL, rows, columns,
                     image->cells.row, image->cells.column, output->terminal->block_colors, ascii);
        bytes_add(out, "\0338", 2);
    }
    struct block_cell *swap = image->cells_now;
    image->cells_now = image->cells_before;
    image->cells_before = swap;
}

void image_write(struct image *image, const struct image_output *output, struct bytes *out)
{
    const struct canvas *canvas = &image->canvas;
    if (!canvas->rgb || canvas->width <= 0 || canvas->height <= 0)
        return;
    if (image->graphics != output->graphics || image->width != canvas->width ||
        image->height != canvas->height)
        image->valid = false;
    if (output->graphics == GRAPHICS_SIXEL)
        write_sixel(image, output, out);
    else
        write_blocks(image, output, out);
    image->valid = !out->failed;
    image->graphics = output->graphics;
    image->palette_serial = output->palette_serial;
    image->width = canvas->width;
    image->height = canvas->height;
}
