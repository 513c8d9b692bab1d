#include "ui/export_frame.h"

#include "ui/drawing.h"

#include <stdlib.h>
#include <string.h>

// Where the base line of the text is, from the top of its cell.
static const double baseline = 0.76;

struct sheet {
    const struct frame *frame;
    struct drawing *drawing;
};

static struct drawing_box cell_box(const struct frame *frame, int row, int column, int columns)
{
    double width = frame->cell_width, height = frame->cell_height;
    return (struct drawing_box){column * width, row * height, columns * width, height};
}

static bool same_color(const unsigned char a[3], const unsigned char b[3])
{
    return !memcmp(a, b, 3);
}

static void draw_backgrounds(const struct sheet *sheet, int row)
{
    const struct frame *frame = sheet->frame;
    const struct frame_cell *cells = &frame->cells[row * frame->columns];
    for (int column = 0; column < frame->columns;) {
        int end = column + 1;
        while (end < frame->columns && cells[end].filled == cells[column].filled &&
               same_color(cells[end].back, cells[column].back))
            end++;
        if (cells[column].filled)
            drawing_rect(sheet->drawing, cell_box(frame, row, column, end - column), cells[column].back, 1);
        column = end;
    }
}

// Block elements and rules are drawn as rectangles, in eighths of the cell, so that they join as they do in a terminal
// whatever font there is. Quadrants in two parts.
static const struct shape {
    const char *text;
    struct part {
        unsigned char x, y, width, height;
    } parts[2];
} shapes[] = {
    {"█", {{0, 0, 8, 8}}},
    {"▀", {{0, 0, 8, 4}}},
    {"▄", {{0, 4, 8, 4}}},
    {"▌", {{0, 0, 4, 8}}},
    {"▐", {{4, 0, 4, 8}}},
    {"▁", {{0, 7, 8, 1}}},
    {"▂", {{0, 6, 8, 2}}},
    {"▃", {{0, 5, 8, 3}}},
    {"▅", {{0, 3, 8, 5}}},
    {"▆", {{0, 2, 8, 6}}},
    {"▇", {{0, 1, 8, 7}}},
    {"▏", {{0, 0, 1, 8}}},
    {"▎", {{0, 0, 2, 8}}},
    {"▍", {{0, 0, 3, 8}}},
    {"▋", {{0, 0, 5, 8}}},
    {"▊", {{0, 0, 6, 8}}},
    {"▉", {{0, 0, 7, 8}}},
    {"▘", {{0, 0, 4, 4}}},
    {"▝", {{4, 0, 4, 4}}},
    {"▖", {{0, 4, 4, 4}}},
    {"▗", {{4, 4, 4, 4}}},
    {"▞", {{4, 0, 4, 4}, {0, 4, 4, 4}}},
    {"▚", {{0, 0, 4, 4}, {4, 4, 4, 4}}},
    {"▛", {{0, 0, 8, 4}, {0, 4, 4, 4}}},
    {"▜", {{0, 0, 8, 4}, {4, 4, 4, 4}}},
    {"▙", {{0, 0, 4, 4}, {0, 4, 8, 4}}},
    {"▟", {{4, 0, 4, 4}, {0, 4, 8, 4}}},
};

static const struct shape *shape_of(const char *text)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (!strcmp(shapes[i].text, text))
            return &shapes[i];
    return NULL;
}

static bool is_rule(const char *text)
{
    return !strcmp(text, "─");
}

static bool is_shade(const char *text)
{
    return !strcmp(text, "░") || !strcmp(text, "▒") || !strcmp(text, "▓");
}

// Cells that are not drawn as text.
static bool is_drawn(const struct frame_cell *cell)
{
    return shape_of(cell->text) || is_rule(cell->text) || is_shade(cell->text);
}

static void draw_shape(const struct sheet *sheet, int row, int column, int columns)
{
    const struct frame_cell *cell = &sheet->frame->cells[row * sheet->frame->columns + column];
    struct drawing_box box = cell_box(sheet->frame, row, column, columns);
    const struct shape *shape = shape_of(cell->text);
    if (is_rule(cell->text)) {
        double y = box.y + box.height / 2, thick = sheet->frame->cell_width / 10.0;
        drawing_rect(sheet->drawing, (struct drawing_box){box.x, y - thick / 2, box.width, thick}, cell->front, 1);
    } else if (!shape) {
        double opacity = !strcmp(cell->text, "░") ? 0.25 : !strcmp(cell->text, "▒") ? 0.5 : 0.75;
        drawing_rect(sheet->drawing, box, cell->front, opacity);
    } else {
        double width = sheet->frame->cell_width / 8.0, height = box.height / 8;
        for (int i = 0; i < 2; i++) {
            struct part part = shape->parts[i];
            bool across = part.x == 0 && part.width == 8; // neighbours join into one
            struct drawing_box piece = {box.x + part.x * width, box.y + part.y * height,
                                        across ? box.width : part.width * width, part.height * height};
            if (part.width > 0)
                drawing_rect(sheet->drawing, piece, cell->front, 1);
        }
    }
}

static bool same_look(const struct frame_cell *a, const struct frame_cell *b)
{
    return a->bold == b->bold && a->underlined == b->underlined && a->struck == b->struck &&
           same_color(a->front, b->front);
}

static bool is_wide_text(const struct frame_cell *cell)
{
    return cell->columns == 2 || (unsigned char)cell->text[0] >= 0x80;
}

// A run of text that looks the same, stretched to its cells. What is not ASCII stands alone, so that a font that has
// another width for it moves nothing else.
static int draw_run(const struct sheet *sheet, int row, int column)
{
    const struct frame *frame = sheet->frame;
    const struct frame_cell *cells = &frame->cells[row * frame->columns], *first = &cells[column];
    char text[1024];
    size_t used = 0;
    int end = column, last = column; // behind the last cell that is not blank
    do {
        const struct frame_cell *cell = &cells[end];
        const char *bytes = cell->text[0] ? cell->text : " ";
        if (used + strlen(bytes) + 1 > sizeof text)
            break;
        if (!cell->text[0] && cells[end].columns == 0)
            break;
        memcpy(text + used, bytes, strlen(bytes));
        used += strlen(bytes);
        end += cell->columns ? cell->columns : 1;
        if (cell->text[0])
            last = end;
    } while (!is_wide_text(first) && end < frame->columns && !is_wide_text(&cells[end]) && same_look(first, &cells[end]));
    for (int blanks = end - last; blanks > 0; blanks--)
        used--;
    text[used] = 0;
    struct drawing_box box = cell_box(frame, row, column, last - column);
    struct drawing_text run = {.x = box.x,
                               .y = box.y + box.height * baseline,
                               .size = frame->cell_width / DRAWING_MONO_ADVANCE,
                               .font = DRAWING_MONO,
                               .bold = first->bold,
                               .underlined = first->underlined,
                               .fit = box.width,
                               .text = text};
    memcpy(run.color, first->front, 3);
    drawing_text(sheet->drawing, &run);
    if (first->struck)
        drawing_line(sheet->drawing, box.x, box.y + box.height / 2, box.x + box.width, box.y + box.height / 2,
                     frame->cell_width / 8.0, first->front);
    return last;
}

static void draw_row(const struct sheet *sheet, int row)
{
    const struct frame *frame = sheet->frame;
    const struct frame_cell *cells = &frame->cells[row * frame->columns];
    draw_backgrounds(sheet, row);
    for (int column = 0; column < frame->columns;) {
        const struct frame_cell *cell = &cells[column];
        if (!cell->text[0]) {
            column++;
        } else if (is_drawn(cell)) {
            int end = column + 1;
            while (end < frame->columns && !strcmp(cells[end].text, cell->text) && same_look(&cells[end], cell))
                end++;
            const struct shape *shape = shape_of(cell->text);
            bool joins = !shape || (shape->parts[0].width == 8 && shape->parts[1].width == 0);
            if (!joins)
                end = column + 1;
            draw_shape(sheet, row, column, end - column);
            column = end;
        } else {
            column = draw_run(sheet, row, column);
        }
    }
}

static void draw_images(const struct sheet *sheet)
{
    const struct frame *frame = sheet->frame;
    for (int i = 0; i < frame->image_count; i++) {
        const struct frame_image *image = &frame->images[i];
        int number = drawing_add_image(sheet->drawing, image->rgb, image->width, image->height, frame->pixelated);
        struct drawing_box box = cell_box(frame, image->cells.row, image->cells.column, 1);
        box.width = frame->pixelated ? image->width * frame->cell_width / 2.0 : image->width;
        box.height = frame->pixelated ? image->height * frame->cell_height / 2.0 : image->height;
        drawing_image(sheet->drawing, number, box, NULL, 0);
    }
}

static bool write_frame(const struct frame *frame, bool png, struct bytes *out, struct error *err)
{
    struct drawing_page page = {.width = (double)frame->columns * frame->cell_width,
                                .height = (double)frame->rows * frame->cell_height,
                                .scale = 2,
                                .title = frame->title};
    struct sheet sheet = {frame, png ? drawing_new_png(&page, err) : drawing_new_svg(&page, err)};
    if (!sheet.drawing)
        return false;
    drawing_rect(sheet.drawing, (struct drawing_box){0, 0, page.width, page.height}, frame->background, 1);
    for (int row = 0; row < frame->rows; row++)
        draw_row(&sheet, row);
    draw_images(&sheet);
    bool ok = drawing_finish(sheet.drawing, out, err);
    drawing_free(sheet.drawing);
    return ok;
}

bool export_frame_svg(const struct frame *frame, struct bytes *out, struct error *err)
{
    return write_frame(frame, false, out, err);
}

bool export_frame_png(const struct frame *frame, struct bytes *out, struct error *err)
{
    return write_frame(frame, true, out, err);
}

// ---- text -------------------------------------------------------------------------------------------------------

// The pixels of an image under a cell, two by two: the mean over each quarter; NULL-free: the background where the
// image does not reach.
static void sample_quarters(const struct frame *frame, const struct frame_image *image, int row, int column,
                            unsigned char quarters[4][3])
{
    double across = frame->pixelated ? 2 : frame->cell_width, down = frame->pixelated ? 2 : frame->cell_height;
    for (int q = 0; q < 4; q++) {
        int x0 = (int)((column + (q % 2) / 2.0) * across), x1 = (int)((column + (q % 2 + 1) / 2.0) * across);
        int y0 = (int)((row + (q / 2) / 2.0) * down), y1 = (int)((row + (q / 2 + 1) / 2.0) * down);
        long sum[3] = {0}, count = 0;
        for (int y = y0; y < y1 && y < image->height; y++)
            for (int x = x0; x < x1 && x < image->width; x++, count++)
                for (int i = 0; i < 3; i++)
                    sum[i] += image->rgb[((size_t)y * image->width + x) * 3 + i];
        for (int i = 0; i < 3; i++)
            quarters[q][i] = (unsigned char)(count ? sum[i] / count : frame->background[i]);
    }
}

// The image at a cell, NULL: none.
static const struct frame_image *image_at(const struct frame *frame, int row, int column)
{
    for (int i = 0; i < frame->image_count; i++)
        if (rect_holds(frame->images[i].cells, row, column))
            return &frame->images[i];
    return NULL;
}

static void put_cell(struct bytes *out, const struct frame_cell *cell)
{
    bytes_format(out, "\033[0%s%s;38;2;%d;%d;%d", cell->bold ? ";1" : "", cell->underlined ? ";4" : "",
                 cell->front[0], cell->front[1], cell->front[2]);
    if (cell->filled)
        bytes_format(out, ";48;2;%d;%d;%d", cell->back[0], cell->back[1], cell->back[2]);
    bytes_add(out, cell->struck ? ";9m" : "m", cell->struck ? 3 : 1);
}

static void put_row(const struct frame *frame, int row, struct bytes *out)
{
    const struct frame_cell *cells = &frame->cells[row * frame->columns], *last = NULL;
    int end = frame->columns;
    while (end > 0 && !cells[end - 1].text[0] && !cells[end - 1].filled && !image_at(frame, row, end - 1))
        end--;
    for (int column = 0; column < end; column++) {
        const struct frame_image *image = image_at(frame, row, column);
        const struct frame_cell *cell = &cells[column];
        if (image) {
            unsigned char quarters[4][3];
            struct block_cell block;
            sample_quarters(frame, image, row - image->cells.row, column - image->cells.column, quarters);
            blocks_choose(quarters[0], 1, 1, &block);
            blocks_add_cell(out, &block);
            last = NULL;
        } else if (cell->columns > 0) {
            if (!last || !same_look(last, cell) || last->filled != cell->filled ||
                (cell->filled && !same_color(last->back, cell->back)))
                put_cell(out, cell);
            last = cell;
            bytes_add(out, cell->text[0] ? cell->text : " ", cell->text[0] ? strlen(cell->text) : 1);
        }
    }
    bytes_format(out, "\033[0m\n");
}

void export_frame_ansi(const struct frame *frame, struct bytes *out)
{
    for (int row = 0; row < frame->rows; row++)
        put_row(frame, row, out);
}
