#include "ui/set_table.h"

#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DETAIL = 2 };

static const char *const titles[SET_COLUMN_COUNT] = {
#define COLUMN_TITLE(id, title) [SET_##id] = title,
    SET_COLUMNS(COLUMN_TITLE)
#undef COLUMN_TITLE
};

// Widths in narrow and in wide windows; the question takes what is left. 0: not shown.
static const struct {
    int narrow, wide;
    bool right; // flush right
} shapes[SET_COLUMN_COUNT] = {
    [SET_ID] = {4, 6, true},       [SET_PICTURE] = {8, 16, false}, [SET_QUESTION] = {0, 0, false},
    [SET_TYPE] = {8, 15, false},   [SET_TRUTH] = {7, 12, false},   [SET_ANSWER] = {7, 12, false}, [SET_OTHER] = {7, 12, false},
    [SET_RIGHT] = {5, 6, false},   [SET_P] = {0, 5, true},         [SET_SHARE] = {5, 6, true},
    [SET_MS] = {5, 7, true},
};

// Of every column but the question's.
static int fixed_width(const struct set_table *table, enum set_column column)
{
    if (column == SET_OTHER && !table->both)
        return 0;
    return table->rect.columns >= 110 ? shapes[column].wide : shapes[column].narrow;
}

static int column_width(const struct set_table *table, enum set_column column)
{
    if (column != SET_QUESTION)
        return fixed_width(table, column);
    int used = 0;
    for (int c = 0; c < SET_COLUMN_COUNT; c++) {
        int width = c == SET_QUESTION ? 0 : fixed_width(table, (enum set_column)c);
        used += width ? width + 1 : 0;
    }
    return table->rect.columns - used;
}

static int column_start(const struct set_table *table, enum set_column column)
{
    int start = table->rect.column;
    for (int c = 0; c < (int)column; c++) {
        int width = column_width(table, (enum set_column)c);
        start += width ? width + 1 : 0;
    }
    return start;
}

int set_table_page(const struct set_table *table)
{
    int rows = table->rect.rows - 1 - DETAIL;
    return rows > 1 ? rows : 1;
}

void set_table_scroll(struct set_table *table, int count)
{
    int page = set_table_page(table), last = count - page;
    table->selected = table->selected >= count ? count - 1 : table->selected;
    table->selected = table->selected < 0 ? 0 : table->selected;
    if (table->selected < table->first)
        table->first = table->selected;
    if (table->selected >= table->first + page)
        table->first = table->selected - page + 1;
    table->first = table->first > last ? last : table->first;
    table->first = table->first < 0 ? 0 : table->first;
}

static void write_cell(const struct question *q, const struct evaluation *e, const struct evaluation *other, int id,
                       enum set_column column, char *out, size_t size)
{
    *out = 0;
    switch (column) {
    case SET_ID: snprintf(out, size, "%d", id); break;
    case SET_PICTURE: snprintf(out, size, "%s", set_rows_picture(q)); break;
    case SET_QUESTION: snprintf(out, size, "%s", q->text); break;
    case SET_TYPE: snprintf(out, size, "%s", q->type); break;
    case SET_TRUTH: snprintf(out, size, "%s", q->answer); break;
    case SET_ANSWER: snprintf(out, size, "%s", e->answer); break;
    case SET_OTHER: snprintf(out, size, "%s", other ? other->answer : ""); break;
    case SET_RIGHT: snprintf(out, size, "%s", e->correct ? _("right") : _("WRONG")); break;
    case SET_P:
        if (!isnan(e->p))
            snprintf(out, size, "%.2f", (double)e->p);
        break;
    case SET_SHARE: snprintf(out, size, "%.3f", e->share); break;
    case SET_MS: snprintf(out, size, e->ms < 1000 ? "%.1f" : "%.0f", e->ms); break;
    case SET_COLUMN_COUNT: break;
    }
}

static void draw_header(const struct pane *pane, const struct set_table *table, const struct set_rows *rows)
{
    for (int c = 0; c < SET_COLUMN_COUNT; c++) {
        enum set_column column = (enum set_column)c;
        int width = column_width(table, column), start = column_start(table, column);
        bool sorted = rows->column == column;
        char title[64];
        const char *mark = !sorted ? "" : rows->descending ? pane->theme->glyphs->down : pane->theme->glyphs->up;
        if (width <= 0)
            continue;
        snprintf(title, sizeof title, "%s%s", _(titles[c]), mark);
        enum style style = sorted ? STYLE_KEY : STYLE_TITLE;
        if (shapes[c].right)
            draw_right(pane, style, table->rect.row, start, width, title);
        else
            draw_text(pane, style, table->rect.row, start, width, title);
    }
}

static void draw_row(const struct pane *pane, const struct set_table *table, int row, const struct results *results,
                     const struct set_rows *rows, int place, bool selected)
{
    char text[512];
    const struct evaluation *e = &results->evaluations[place], *other = set_rows_other(rows, place);
    if (selected)
        draw_format(pane, STYLE_SELECTED, row, table->rect.column, table->rect.columns, "%*s", table->rect.columns, "");
    for (int c = 0; c < SET_COLUMN_COUNT; c++) {
        enum set_column column = (enum set_column)c;
        int width = column_width(table, column), start = column_start(table, column);
        bool wrong = (column == SET_RIGHT && !e->correct) || (column == SET_OTHER && other && !other->correct);
        enum style style = selected ? STYLE_SELECTED : wrong ? STYLE_WARN : shapes[c].right ? STYLE_NUMBER : STYLE_TEXT;
        if (width <= 0)
            continue;
        write_cell(&results->set.questions[place], e, other, results->ids[place], column, text, sizeof text);
        char *dot = strrchr(text, '.');
        if (column == SET_PICTURE && dot && draw_width(text) > width)
            *dot = 0; // what distinguishes pictures stands before it
        if (shapes[c].right)
            draw_right(pane, style, row, start, width, text);
        else
            draw_text(pane, style, row, start, width, text);
    }
}

// What was cut in the table, whole.
static void draw_detail(const struct pane *pane, const struct set_table *table, const struct results *results,
                        const struct set_rows *rows, int place)
{
    const struct question *q = &results->set.questions[place];
    const struct evaluation *e = &results->evaluations[place];
    int row = table->rect.row + table->rect.rows - DETAIL;
    draw_format(pane, STYLE_STRONG, row, table->rect.column, table->rect.columns, "%s  (%s)", q->text, set_rows_picture(q));
    char p[32] = "";
    if (!isnan(e->p))
        snprintf(p, sizeof p, " (%.1f %%)", 100 * (double)e->p);
    const struct evaluation *other = set_rows_other(rows, place);
    char beside[sizeof other->answer + 96] = "", text[1024], brief[sizeof text];
    if (other)
        snprintf(beside, sizeof beside, _("   other run: %s, %.1f %% of the FLOPs"), other->answer, 100 * other->share);
    snprintf(text, sizeof text,
             e->correct ? _("truth %s, answered %s%s; %.1f %% of the dense FLOPs in %.1f ms")
                        : _("truth %s, but answered %s%s; %.1f %% of the dense FLOPs in %.1f ms"),
             q->answer, e->answer, p, 100 * e->share, e->ms);
    snprintf(brief, sizeof brief,
             e->correct ? _("truth %s, answered %s%s; %.1f %% of the FLOPs") : _("truth %s, but answered %s%s; %.1f %% of the FLOPs"),
             q->answer, e->answer, p, 100 * e->share);
    int column = table->rect.column, room = table->rect.columns - draw_width(beside);
    column += draw_fitting(pane, e->correct ? STYLE_TEXT : STYLE_WARN, row + 1, column, room, text, brief);
    if (other)
        draw_text(pane, other->correct ? STYLE_TEXT : STYLE_WARN, row + 1, column, table->rect.column + table->rect.columns - column,
                  beside);
}

void set_table_draw(const struct pane *pane, const struct set_table *table, const struct results *results,
                    const struct set_rows *rows)
{
    draw_header(pane, table, rows);
    for (int i = 0; i < set_table_page(table) && table->first + i < rows->count; i++)
        draw_row(pane, table, table->rect.row + 1 + i, results, rows, rows->order[table->first + i],
                 table->first + i == table->selected);
    if (table->selected < rows->count)
        draw_detail(pane, table, results, rows, rows->order[table->selected]);
}

bool set_table_hit(const struct set_table *table, int row, int column, int *index, enum set_column *title)
{
    *index = -1;
    if (!rect_holds(table->rect, row, column))
        return false;
    if (row > table->rect.row) {
        *index = table->first + row - table->rect.row - 1;
        return *index < table->first + set_table_page(table);
    }
    for (int c = 0; c < SET_COLUMN_COUNT; c++) {
        int start = column_start(table, (enum set_column)c), width = column_width(table, (enum set_column)c);
        if (width > 0 && column >= start && column <= start + width) {
            *title = (enum set_column)c;
            return true;
        }
    }
    return false;
}
