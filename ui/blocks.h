// Pictures where there is no sixel: block characters with two colours a cell, or ASCII by brightness.
#ifndef TRIMSCOPE_UI_BLOCKS_H
#define TRIMSCOPE_UI_BLOCKS_H

#include "ui/bytes.h"

// What a cell of a block picture looks like: a character and two colours, ready to be compared with the last
// frame.
struct block_cell {
    unsigned char pattern; // bit 0 upper left, 1 upper right, 2 lower left, 3 lower right in the foreground;
                           // 16 and 17 a mark; or a character
    unsigned char front[3], back[3];
};

enum block_colors { BLOCKS_MONO, BLOCKS_8, BLOCKS_256, BLOCKS_TRUE };

// Chooses for each cell of a picture of (2 rows) x (2 columns) pixels, RGB, the two colours and the pattern
// that come closest.
void blocks_choose(const unsigned char *rgb, int rows, int columns, struct block_cell *cells);

// The same for ASCII: the picture has rows x columns pixels; a brighter pixel (darker, on a light background)
// gets a denser character.
void blocks_choose_ascii(const unsigned char *rgb, int rows, int columns, bool dark,
                         struct block_cell *cells);

// Puts a mark over a cell: 1 full and orange, 2 hollow and blue, on what the cell is without it; 0 leaves the cell.
void blocks_mark(struct block_cell *cell, int mark, bool dark, bool ascii);

// Adds cursor movements, colours and characters for the cells that differ from `before` (NULL: for all) at a
// place of the terminal counted from 0. `ascii`: patterns are characters.
void blocks_write(struct bytes *out, const struct block_cell *now, const struct block_cell *before, int rows,
                  int columns, int at_row, int at_column, enum block_colors colors, bool ascii);

// One cell in 24-bit colours, wherever the cursor is; the colours stay set.
void blocks_add_cell(struct bytes *out, const struct block_cell *cell);

#endif
