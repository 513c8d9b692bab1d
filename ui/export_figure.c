#include "ui/export_figure.h"

#include "ui/canvas.h"
#include "ui/drawing.h"
#include "ui/view.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// In units of the page: points at the default width.
static const double page_width = 510, margin = 4, label_width = 88, answer_width = 62, gap = 4, header = 14;
static const double word_size = 5.4, word_line = 6.8, count_size = 6, row_gap = 9, wrap_least = 12;

enum { PICTURE_SIDE = 384, NAMES = 64 };

struct ink {
    unsigned char paper[3], text[3], dim[3], rule[3], accent[3];
};
static const struct ink light_ink = {{255, 255, 255}, {25, 25, 25}, {120, 120, 120}, {205, 205, 205}, {0, 82, 155}};
static const struct ink dark_ink = {{18, 18, 20}, {235, 235, 235}, {145, 145, 150}, {70, 70, 74}, {120, 200, 245}};

// One picture in two versions, shared by all rows that show it.
struct plate {
    const unsigned char *rgb; // as the row gave it
    int width, height;
    struct canvas clear, grey;
    int clear_image, grey_image; // of the drawing
};

struct sheet {
    const struct figure *figure;
    const struct trace *first; // names the columns
    const struct ink *ink;
    struct drawing *drawing;
    struct plate plates[FIGURE_ROWS * TRACE_PICTURES];
    int plate_count;
    int stages[FIGURE_COLUMNS], columns;
    double column; // width of one, gap included
};

// The run that has come farthest, which names the columns; NULL: none has begun.
static const struct trace *longest(const struct figure *figure)
{
    const struct trace *found = NULL;
    for (int r = 0; r < figure->count; r++) {
        const struct trace *trace = figure->rows[r].trace;
        if (trace && (!found || trace->stage_count > found->stage_count))
            found = trace;
    }
    return found;
}

static bool shows_picture(const struct stage *stage)
{
    return stage->kind == STAGE_IMAGE || stage->kind == STAGE_FUSION ||
           (stage->kind == STAGE_EMBED && stage->stream != TRACE_TEXT_STREAM);
}

// The columns: stages with pictures, evenly chosen, from the input to the last fusion layer; the answer has a place of
// its own. Returns how many.
static int picture_columns(const struct figure *figure, int most, int stages[FIGURE_COLUMNS])
{
    const struct trace *trace = longest(figure);
    int all[TRACE_STAGES], count = 0;
    if (most <= 0 || most > FIGURE_COLUMNS)
        most = 10; // else the pictures get too small
    for (int i = 0; trace && i < trace->stage_count && count < TRACE_STAGES; i++)
        if (shows_picture(&trace->stages[i]))
            all[count++] = i;
    int shown = count < most ? count : most;
    for (int i = 0; i < shown; i++)
        stages[i] = all[shown > 1 ? (i * (count - 1) + (shown - 1) / 2) / (shown - 1) : count - 1];
    return shown;
}

// The stage of another row that belongs into a column: of the same name; -1: it has none.
static int stage_in(const struct trace *trace, const char *name)
{
    for (int i = 0; i < trace->stage_count; i++)
        if (!strcmp(trace->stages[i].name, name))
            return i;
    return -1;
}

// ---- pictures ---------------------------------------------------------------------------------------------------

static void grey_out(struct canvas *grey, const struct ink *ink)
{
    size_t pixels = (size_t)grey->width * grey->height;
    for (size_t i = 0; i < pixels; i++) {
        unsigned char *p = grey->rgb + i * 3;
        int value = (p[0] * 77 + p[1] * 150 + p[2] * 29) >> 8;
        for (int c = 0; c < 3; c++)
            p[c] = (unsigned char)((value * 26 + ink->paper[c] * 74) / 100);
    }
}

static bool fill_plate(struct sheet *sheet, struct plate *plate, const struct backend_picture *picture)
{
    int width = picture->rgb ? picture->width : 96, height = picture->rgb ? picture->height : 96;
    double least = width < height ? width : height, shrink = least > PICTURE_SIDE ? PICTURE_SIDE / least : 1;
    width = (int)(width * shrink + 0.5), height = (int)(height * shrink + 0.5);
    if (!canvas_resize(&plate->clear, width, height) || !canvas_resize(&plate->grey, width, height))
        return false;
    if (picture->rgb && !canvas_scale(&plate->clear, picture->rgb, picture->width, picture->height))
        return false;
    if (!picture->rgb)
        memset(plate->clear.rgb, 140, (size_t)width * height * 3);
    memcpy(plate->grey.rgb, plate->clear.rgb, (size_t)width * height * 3);
    grey_out(&plate->grey, sheet->ink);
    plate->clear_image = drawing_add_image(sheet->drawing, plate->clear.rgb, width, height, false);
    plate->grey_image = drawing_add_image(sheet->drawing, plate->grey.rgb, width, height, false);
    return true;
}

// The plate of a picture; rows about the same picture share it. NULL: no memory.
static struct plate *plate_of(struct sheet *sheet, const struct backend_picture *picture)
{
    for (int i = 0; i < sheet->plate_count; i++) {
        struct plate *plate = &sheet->plates[i];
        bool same_size = plate->width == picture->width && plate->height == picture->height;
        if (plate->rgb == picture->rgb ||
            (same_size && plate->rgb && picture->rgb &&
             !memcmp(plate->rgb, picture->rgb, (size_t)picture->width * picture->height * 3)))
            return plate;
    }
    struct plate *plate = &sheet->plates[sheet->plate_count];
    *plate = (struct plate){.rgb = picture->rgb, .width = picture->width, .height = picture->height};
    bool filled = fill_plate(sheet, plate, picture);
    sheet->plate_count++; // released with the others even when half made
    return filled ? plate : NULL;
}

// Boxes of the living patches, neighbours in a row joined. Returns how many.
static int living_boxes(const struct view *view, int stage, int picture, struct drawing_box box,
                        struct drawing_box *out)
{
    int rows = view->trace.pictures[picture].grid_rows, columns = view->trace.pictures[picture].grid_columns;
    int count = 0;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            int first = column;
            while (column < columns && view_alive(view, stage, picture, row * columns + column + 1))
                column++;
            if (column > first)
                out[count++] = (struct drawing_box){
                    box.x + box.width * first / columns, box.y + box.height * row / rows,
                    box.width * (column - first) / columns, box.height / rows};
        }
    return count;
}

static bool draw_picture(struct sheet *sheet, const struct view *view, const struct figure_row *row, int stage,
                         int picture, struct drawing_box box)
{
    struct plate *plate = plate_of(sheet, &row->pictures[picture]);
    struct drawing_box *boxes = malloc(((size_t)view_patches(view, picture) + 1) * sizeof *boxes);
    if (!plate || !boxes) {
        free(boxes);
        return false;
    }
    int living = living_boxes(view, stage, picture, box, boxes);
    bool whole = view_alive_count(view, stage, picture, NULL) == view_patches(view, picture);
    if (!whole)
        drawing_image(sheet->drawing, plate->grey_image, box, NULL, 0);
    if (whole)
        drawing_image(sheet->drawing, plate->clear_image, box, NULL, 0);
    else if (living > 0)
        drawing_image(sheet->drawing, plate->clear_image, box, boxes, living);
    free(boxes);
    return true;
}

// ---- text -------------------------------------------------------------------------------------------------------

static void put_text(const struct sheet *sheet, double x, double y, double size, enum drawing_anchor anchor,
                     bool bold, const unsigned char color[3], const char *text)
{
    struct drawing_text one = {
        .x = x, .y = y, .size = size, .font = DRAWING_SANS, .anchor = anchor, .bold = bold, .text = text};
    memcpy(one.color, color, 3);
    drawing_text(sheet->drawing, &one);
}

// The question's words as they are after a stage, wrapped into a column; dropped ones struck. Returns the lines used;
// without a drawing it only counts.
static int put_words(const struct sheet *sheet, const struct view *view, int stage, double x, double y, double width)
{
    const struct trace *trace = &view->trace;
    double at = 0, space = drawing_width(DRAWING_SANS, false, word_size, " ");
    int lines = 1, end = -1;
    for (int t = 0; t < trace->token_count; t++) {
        const struct trace_token *token = &trace->tokens[t];
        if (token->to <= token->from || !trace->question)
            continue; // start and end marks
        char word[NAMES * 4];
        snprintf(word, sizeof word, "%.*s", token->to - token->from, trace->question + token->from);
        double wide = drawing_width(DRAWING_SANS, false, word_size, word);
        bool glued = end == token->from; // a further piece of the same word
        if (at > 0 && !glued)
            at += space;
        if (at > 0 && at + wide > width) {
            at = 0;
            lines++;
        }
        bool alive = view_alive(view, stage, TRACE_TEXT_STREAM, t);
        double base = y + (lines - 1) * word_line, middle = base - word_size * 0.28;
        struct drawing_text text = {
            .x = x + at, .y = base, .size = word_size, .font = DRAWING_SANS, .fit = wide, .text = word};
        memcpy(text.color, alive ? sheet->ink->text : sheet->ink->dim, 3);
        if (sheet->drawing) {
            drawing_text(sheet->drawing, &text);
            if (!alive)
                drawing_line(sheet->drawing, x + at, middle, x + at + wide, middle, 0.5, sheet->ink->dim);
        }
        at += wide;
        end = token->to;
    }
    return lines;
}

// A text wrapped at spaces, at most `most` lines. Returns the base line after the last.
static double put_wrapped(const struct sheet *sheet, double x, double y, double width, double size, int most,
                          const unsigned char color[3], const char *text)
{
    char line[512];
    while (*text && most-- > 0) {
        size_t length = strcspn(text, " "), next;
        while (text[length]) {
            next = length + 1 + strcspn(text + length + 1, " ");
            snprintf(line, sizeof line, "%.*s", (int)next, text);
            if (next >= sizeof line || drawing_width(DRAWING_SANS, false, size, line) > width)
                break;
            length = next;
        }
        snprintf(line, sizeof line, "%.*s%s", (int)length, text, text[length] && most == 0 ? "…" : "");
        if (drawing_width(DRAWING_SANS, false, size, line) > width) { // one word too long for the column
            struct drawing_text fitted = {.x = x, .y = y, .size = size, .font = DRAWING_SANS, .fit = width, .text = line};
            memcpy(fitted.color, color, 3);
            drawing_text(sheet->drawing, &fitted);
        } else {
            put_text(sheet, x, y, size, DRAWING_START, false, color, line);
        }
        text += length + (text[length] == ' ');
        y += size * 1.25;
    }
    return y;
}

// ---- rows -------------------------------------------------------------------------------------------------------

// Width / height of what stands in a column.
static double row_aspect(const struct trace *trace)
{
    double aspect = 0;
    for (int p = 0; p < trace->picture_count; p++)
        aspect += (double)trace->pictures[p].grid_columns / trace->pictures[p].grid_rows;
    return aspect > 0.1 ? aspect : 1;
}

static double picture_height(const struct sheet *sheet, const struct trace *trace)
{
    double height = (sheet->column - gap) / row_aspect(trace);
    return height < 140 ? height : 140;
}

static double row_height(const struct sheet *sheet, const struct figure_row *row)
{
    struct view view = {.has_trace = true, .trace = *row->trace};
    double pictures = picture_height(sheet, row->trace), words = 0, label = 0;
    struct sheet counting = *sheet;
    counting.drawing = NULL;
    words = put_words(&counting, &view, row->trace->stage_count - 1, 0, 0, sheet->column - gap) * word_line;
    double wide = drawing_width(DRAWING_SANS, false, 7.5, row->trace->question ? row->trace->question : "");
    label = (ceil(wide * 1.15 / (label_width - wrap_least)) + 2) * 9.5;
    double below = pictures + 2 + count_size + 3 + words;
    return (below > label ? below : label) + row_gap;
}

static void draw_label(const struct sheet *sheet, int index, double y)
{
    const struct figure_row *row = &sheet->figure->rows[index];
    const struct trace *trace = row->trace;
    char text[160];
    double x = margin, indent = sheet->figure->count > 1 ? wrap_least : 0;
    if (indent > 0) {
        char label[8];
        figure_label(index, label);
        put_text(sheet, x, y + 7, 7.5, DRAWING_START, true, sheet->ink->text, label);
    }
    double width = label_width - indent - 2 * gap; // a page may be shown in a wider font than it was measured in
    double below = put_wrapped(sheet, x + indent, y + 7, width, 7.5, 6, sheet->ink->text,
                               trace->question ? trace->question : "");
    if (isnan(trace->budget))
        snprintf(text, sizeof text, "%s", figure_guidance(row));
    else
        snprintf(text, sizeof text, _("%s, budget %.0f %%"), figure_guidance(row), 100 * trace->budget);
    put_wrapped(sheet, x + indent, below, width, 6, 3, sheet->ink->dim, text);
}

static bool draw_stage(struct sheet *sheet, const struct figure_row *row, const struct view *view, int stage, double x,
                       double y)
{
    const struct trace *trace = row->trace;
    double height = picture_height(sheet, trace), wide = sheet->column - gap, left = x;
    int alive = 0, all = 0;
    for (int p = 0; p < trace->picture_count; p++) {
        double part = height * trace->pictures[p].grid_columns / trace->pictures[p].grid_rows;
        int total, living = view_alive_count(view, stage, p, &total);
        alive += living;
        all += total;
        struct drawing_box box = {left, y, p + 1 < trace->picture_count ? part - 1 : part, height};
        if (!draw_picture(sheet, view, row, stage, p, box))
            return false;
        left += part;
    }
    char count[48];
    snprintf(count, sizeof count, "%d / %d", alive, all);
    double base = y + height + 2 + count_size;
    put_text(sheet, x + (left - x) / 2, base, count_size, DRAWING_MIDDLE, false, sheet->ink->accent, count);
    put_words(sheet, view, stage, x, base + 3 + word_size, wide);
    return true;
}

static void draw_answer(const struct sheet *sheet, const struct trace *trace, double x, double y, double height)
{
    char text[96];
    double middle = y + height / 2;
    if (!trace->answer.text[0])
        return;
    put_wrapped(sheet, x, middle - 2, answer_width - gap, 8.5, 2, sheet->ink->text, trace->answer.text);
    if (!isnan(trace->answer.p)) {
        snprintf(text, sizeof text, "%.0f %%", 100.0 * (double)trace->answer.p);
        put_text(sheet, x, middle + 8, 6.5, DRAWING_START, false, sheet->ink->dim, text);
    }
    if (trace->dense_macs > 0) {
        snprintf(text, sizeof text, _("%.0f %% of FLOPs"), 100 * trace->spent_macs / trace->dense_macs);
        put_text(sheet, x, middle + 16.5, 6.5, DRAWING_START, false, sheet->ink->accent, text);
    }
}

static bool draw_rows(struct sheet *sheet)
{
    const struct figure *figure = sheet->figure;
    double y = margin + header, left = margin + label_width;
    struct view columns = {.has_trace = true, .trace = *sheet->first};
    for (int c = 0; c < sheet->columns; c++) {
        char name[TRACE_TEXT];
        view_stage_name(&columns, &sheet->first->stages[sheet->stages[c]], name, sizeof name);
        put_text(sheet, left + c * sheet->column + (sheet->column - gap) / 2, margin + 7, 6.5, DRAWING_MIDDLE, false,
                 sheet->ink->dim, name);
    }
    double answers = left + sheet->columns * sheet->column + 3;
    put_text(sheet, answers, margin + 7, 6.5, DRAWING_START, false, sheet->ink->dim, _("answer"));
    for (int r = 0; r < figure->count; r++) {
        const struct figure_row *row = &figure->rows[r];
        if (!row->trace)
            continue;
        struct view view = {.has_trace = true, .trace = *row->trace};
        if (y > margin + header)
            drawing_line(sheet->drawing, margin, y - row_gap / 2, page_width - margin, y - row_gap / 2, 0.35,
                         sheet->ink->rule);
        draw_label(sheet, r, y);
        for (int c = 0; c < sheet->columns; c++) {
            int stage = stage_in(row->trace, sheet->first->stages[sheet->stages[c]].name);
            if (stage >= 0 && !draw_stage(sheet, row, &view, stage, left + c * sheet->column, y))
                return false;
        }
        draw_answer(sheet, row->trace, answers, y, picture_height(sheet, row->trace));
        y += row_height(sheet, row);
    }
    return true;
}

static void free_sheet(struct sheet *sheet)
{
    drawing_free(sheet->drawing);
    for (int i = 0; i < sheet->plate_count; i++) {
        canvas_free(&sheet->plates[i].clear);
        canvas_free(&sheet->plates[i].grey);
    }
    free(sheet);
}

static bool draw_sheet(struct sheet *sheet, const struct export_figure_options *options, bool png, struct bytes *out,
                       struct error *err)
{
    const struct figure *figure = sheet->figure;
    struct drawing_page page = {.width = page_width, .height = 2 * margin + header - row_gap / 2};
    for (int r = 0; r < figure->count; r++)
        if (figure->rows[r].trace)
            page.height += row_height(sheet, &figure->rows[r]);
    page.points = options->points > 0 ? options->points : page_width;
    page.scale = 300.0 / 72 * page.points / page_width;
    page.title = sheet->first->question;
    sheet->drawing = png ? drawing_new_png(&page, err) : drawing_new_svg(&page, err);
    if (!sheet->drawing)
        return false;
    // Down to the last, partial row of pixels.
    drawing_rect(sheet->drawing, (struct drawing_box){0, 0, page.width, page.height + 1}, sheet->ink->paper, 1);
    if (!draw_rows(sheet))
        return error_no_memory(err, "the figure");
    return drawing_finish(sheet->drawing, out, err);
}

static bool write_figure(const struct figure *figure, const struct export_figure_options *options, bool png,
                         struct bytes *out, struct error *err)
{
    int stages[FIGURE_COLUMNS], columns = picture_columns(figure, options->columns, stages);
    if (columns == 0)
        return error_set(err, ERROR_INPUT, "no stage has looked at the picture yet: there is nothing to show");
    struct sheet *sheet = calloc(1, sizeof *sheet);
    if (!sheet)
        return error_no_memory(err, "the figure");
    sheet->figure = figure;
    sheet->first = longest(figure);
    sheet->ink = options->dark ? &dark_ink : &light_ink;
    sheet->columns = columns;
    memcpy(sheet->stages, stages, sizeof stages);
    sheet->column = (page_width - 2 * margin - label_width - answer_width) / columns;
    bool ok = draw_sheet(sheet, options, png, out, err);
    free_sheet(sheet);
    return ok;
}

bool export_figure_svg(const struct figure *figure, const struct export_figure_options *options, struct bytes *out,
                       struct error *err)
{
    return write_figure(figure, options, false, out, err);
}

bool export_figure_png(const struct figure *figure, const struct export_figure_options *options, struct bytes *out,
                       struct error *err)
{
    return write_figure(figure, options, true, out, err);
}
