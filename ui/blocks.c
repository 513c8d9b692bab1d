#include "ui/blocks.h"

#include <limits.h>
#include <string.h>

enum {
    FLAT_BONUS = 150,  // squared differences over four pixels that nobody sees
    MARK_PATTERN = 16, // the first mark
};

static const char *const patterns[MARK_PATTERN + 2] = {" ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗",
                                                       "▚", "▐", "▜", "▄", "▙", "▟", "█", "◆", "◇"};

// Splits the four pixels by `pattern`; fills the means of both sides and returns the squared error.
static int split_error(const unsigned char *pixels[4], int pattern, unsigned char front[3],
                       unsigned char back[3])
{
    int error = 0;
    for (int channel = 0; channel < 3; channel++) {
        int sum[2] = {0, 0}, count[2] = {0, 0}, mean[2] = {0, 0};
        for (int i = 0; i < 4; i++) {
            sum[pattern >> i & 1] += pixels[i][channel];
            count[pattern >> i & 1]++;
        }
        for (int side = 0; side < 2; side++)
            if (count[side])
                mean[side] = (sum[side] + count[side] / 2) / count[side];
        for (int i = 0; i < 4; i++) {
            int difference = pixels[i][channel] - mean[pattern >> i & 1];
            error += difference * difference;
        }
        back[channel] = (unsigned char)mean[0];
        front[channel] = (unsigned char)mean[1];
    }
    return error;
}

void blocks_choose(const unsigned char *rgb, int rows, int columns, struct block_cell *cells)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const unsigned char *top = rgb + ((size_t)r * 2 * columns * 2 + (size_t)c * 2) * 3;
            const unsigned char *bottom = top + (size_t)columns * 2 * 3;
            const unsigned char *pixels[4] = {top, top + 3, bottom, bottom + 3};
            struct block_cell best = {0};
            int best_error = INT_MAX;
            // Patterns 8 .. 15 are the complements of these. One flat colour comes first and wins unless a
            // pattern is clearly better: terminals draw backgrounds without seams.
            static const unsigned char tried[8] = {0, 3, 5, 1, 2, 4, 6, 7};
            for (int i = 0; i < 8; i++) {
                struct block_cell cell = {.pattern = tried[i]};
                int error = split_error(pixels, tried[i], cell.front, cell.back) + (i > 0 ? FLAT_BONUS : 0);
                if (error < best_error) {
                    best = cell;
                    best_error = error;
                }
            }
            if (best.pattern == 0)
                memcpy(best.front, best.back, 3);
            cells[(size_t)r * columns + c] = best;
        }
}

void blocks_choose_ascii(const unsigned char *rgb, int rows, int columns, bool dark, struct block_cell *cells)
{
    static const char ramp[] = " .:-=+*#%@";
    for (int i = 0; i < rows * columns; i++) {
        const unsigned char *p = rgb + (size_t)i * 3;
        int bright = (p[0] * 77 + p[1] * 150 + p[2] * 29) >> 8;
        int level = (dark ? bright : 255 - bright) * 10 / 256; // the background's own brightness is level 0
        cells[i] = (struct block_cell){.pattern = (unsigned char)ramp[level]};
    }
}

void blocks_mark(struct block_cell *cell, int mark, bool dark, bool ascii)
{
    static const unsigned char colors[2][2][3] = {{{205, 85, 0}, {0, 95, 175}}, {{255, 168, 38}, {120, 200, 245}}};
    if (mark != 1 && mark != 2)
        return;
    if (ascii) {
        cell->pattern = mark == 1 ? 'X' : 'o';
        return;
    }
    for (int i = 0; i < 3; i++) { // darkened or lightened, or the mark could vanish in it
        int mean = (cell->front[i] + cell->back[i]) / 2;
        cell->back[i] = (unsigned char)(dark ? mean / 3 : 255 - (255 - mean) / 3);
    }
    memcpy(cell->front, colors[dark][mark - 1], 3);
    cell->pattern = (unsigned char)(MARK_PATTERN + mark - 1);
}

static int color_256(const unsigned char c[3])
{
    static const unsigned char levels[6] = {0, 95, 135, 175, 215, 255};
    int cube[3], error_cube = 0, grey = (c[0] + c[1] + c[2]) / 3, step, error_grey = 0;
    for (int i = 0; i < 3; i++) {
        cube[i] = c[i] < 48 ? 0 : c[i] < 115 ? 1 : (c[i] - 35) / 40;
        error_cube += (levels[cube[i]] - c[i]) * (levels[cube[i]] - c[i]);
    }
    step = grey < 8 ? 0 : grey > 238 ? 23 : (grey - 3) / 10;
    for (int i = 0; i < 3; i++)
        error_grey += (8 + step * 10 - c[i]) * (8 + step * 10 - c[i]);
    return error_grey < error_cube ? 232 + step : 16 + cube[0] * 36 + cube[1] * 6 + cube[2];
}

static int color_8(const unsigned char c[3])
{
    int most = c[0] > c[1] ? c[0] : c[1], limit;
    most = most > c[2] ? most : c[2];
    if (most < 64)
        return 0;
    limit = most * 2 / 3;
    return (c[0] > limit) | (c[1] > limit) << 1 | (c[2] > limit) << 2;
}

static void write_color(struct bytes *out, const unsigned char c[3], enum block_colors colors, bool front)
{
    if (colors == BLOCKS_TRUE)
        bytes_format(out, "\033[%d;2;%d;%d;%dm", front ? 38 : 48, c[0], c[1], c[2]);
    else if (colors == BLOCKS_256)
        bytes_format(out, "\033[%d;5;%dm", front ? 38 : 48, color_256(c));
    else
        bytes_format(out, "\033[%dm", (front ? 30 : 40) + color_8(c));
}

static void write_cell(struct bytes *out, const struct block_cell *cell, const struct block_cell *last,
                       enum block_colors colors, bool ascii)
{
    if (ascii) {
        bytes_format(out, "%c", cell->pattern);
        return;
    }
    if (!last || memcmp(cell->front, last->front, 3) != 0)
        write_color(out, cell->front, colors, true);
    if (!last || memcmp(cell->back, last->back, 3) != 0)
        write_color(out, cell->back, colors, false);
    bytes_add(out, patterns[cell->pattern], strlen(patterns[cell->pattern]));
}

void blocks_write(struct bytes *out, const struct block_cell *now, const struct block_cell *before, int rows,
                  int columns, int at_row, int at_column, enum block_colors colors, bool ascii)
{
    const struct block_cell *last = NULL; // whose colours are set
    bytes_format(out, "\033[0m");
    for (int r = 0; r < rows; r++) {
        bool placed = false;
        for (int c = 0; c < columns; c++) {
            size_t i = (size_t)r * columns + c;
            if (before && !memcmp(&now[i], &before[i], sizeof now[i])) {
                placed = false;
                continue;
            }
            if (!placed)
                bytes_format(out, "\033[%d;%dH", at_row + r + 1, at_column + c + 1);
            placed = true;
            write_cell(out, &now[i], last, colors, ascii);
            last = &now[i];
        }
    }
    bytes_format(out, "\033[0m");
}

void blocks_add_cell(struct bytes *out, const struct block_cell *cell)
{
    bytes_format(out, "\033[0m");
    write_cell(out, cell, NULL, BLOCKS_TRUE, false);
}
