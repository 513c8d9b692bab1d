#include "ui/draw.h"

#include "ui/measure.h"
#include "ui/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

// Our own signs where the terminal shows ASCII only, or the person wants no others; the language's own
// characters stay.
static wchar_t plain(wchar_t wide)
{
    static const wchar_t from[] = L"←→↑↓…×≥·‹›–▸", to[] = L"<>^v~x>|<>->";
    const wchar_t *found = wide ? wcschr(from, wide) : NULL;
    return found ? to[found - from] : wide < 127 || words_now() != WORDS_EN ? wide : L'?';
}

// The next character as the terminal can show it.
static wchar_t next_character(const char **text, bool unicode, int *columns)
{
    wchar_t wide = measure_next(text, columns);
    if (unicode)
        return wide;
    wchar_t shown = plain(wide);
    *columns = shown == wide ? *columns : 1;
    return shown;
}

int draw_width(const char *text)
{
    return measure_width(text);
}

static int draw_characters(const struct pane *pane, enum style style, int row, int column, int columns,
                           const char *text, wchar_t over)
{
    if (columns <= 0 || row < 0 || row >= LINES)
        return 0;
    if (column + columns > COLS)
        columns = COLS - column;
    bool cut = draw_width(text) > columns;
    int room = cut ? columns - 1 : columns, used = 0;
    short pair = pane->theme->pairs[style];
    attr_t attributes = pane->theme->attributes[style];
    move(row, column);
    while (*text) {
        int width;
        wchar_t wide[3] = {next_character(&text, pane->theme->glyphs->unicode, &width), over, 0};
        if (used + width > room)
            break;
        if (width == 0)
            continue; // a combining mark from outside: nothing of ours needs one
        cchar_t cell;
        if (setcchar(&cell, wide, attributes, pair, NULL) == OK)
            add_wch(&cell);
        used += width;
    }
    if (cut && used < columns) {
        theme_set(pane->theme, style);
        addstr(pane->theme->glyphs->ellipsis);
        used++;
    }
    theme_set(pane->theme, STYLE_TEXT);
    return used;
}

int draw_text(const struct pane *pane, enum style style, int row, int column, int columns, const char *text)
{
    return draw_characters(pane, style, row, column, columns, text, 0);
}

int draw_struck(const struct pane *pane, enum style style, int row, int column, int columns, const char *text)
{
    return draw_characters(pane, style, row, column, columns, text,
                           pane->theme->glyphs->unicode ? L'\u0336' : 0);
}

int draw_format(const struct pane *pane, enum style style, int row, int column, int columns,
                const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return draw_text(pane, style, row, column, columns, text);
}

int draw_right(const struct pane *pane, enum style style, int row, int column, int columns, const char *text)
{
    int width = draw_width(text);
    int start = width < columns ? column + columns - width : column;
    draw_text(pane, style, row, start, column + columns - start, text);
    return start;
}

int draw_rows(const char *text, int columns)
{
    return measure_rows(text, columns);
}

int draw_wrapped(const struct pane *pane, enum style style, struct rect rect, const char *text)
{
    for (int row = 0; row < rect.rows; row++) {
        while (*text == ' ')
            text++;
        if (!*text)
            return row;
        bool all;
        int length = measure_row(text, rect.columns, &all);
        if (all || row == rect.rows - 1) {
            draw_text(pane, style, rect.row + row, rect.column, rect.columns, text);
            return row + 1;
        }
        draw_format(pane, style, rect.row + row, rect.column, rect.columns, "%.*s", length, text);
        text += length;
    }
    return rect.rows;
}

int draw_fitting(const struct pane *pane, enum style style, int row, int column, int columns, const char *text,
                 const char *brief)
{
    return draw_text(pane, style, row, column, columns, draw_width(text) <= columns ? text : brief);
}

void draw_fit_sentences(const char *lines, int rows, int columns, char *out, size_t size)
{
    out[0] = 0;
    for (bool first = true; *lines; first = false) {
        size_t used = strlen(out), length = strcspn(lines, "\n");
        snprintf(out + used, size - used, "%s%.*s", first ? "" : in_("between sentences", " "), (int)length, lines);
        if (!first && draw_rows(out, columns) > rows)
            out[used] = 0;
        lines += length;
        lines += *lines == '\n';
    }
}

void draw_bar(const struct pane *pane, enum style style, int row, int column, int columns, double share)
{
    if (columns <= 0)
        return;
    share = share >= 0 ? (share <= 1 ? share : 1) : 0; // NaN is nothing
    const struct glyphs *glyphs = pane->theme->glyphs;
    int halves = (int)(share * columns * 2 + 0.5), cell = 0;
    if (share > 0 && halves == 0)
        halves = 1;
    theme_set(pane->theme, style);
    move(row, column);
    for (; cell < columns && halves > 0; cell++, halves -= 2)
        addstr(halves > 1 ? glyphs->bar : glyphs->half_bar);
    theme_set(pane->theme, STYLE_TRACK);
    for (; cell < columns; cell++)
        addstr(glyphs->track);
    theme_set(pane->theme, STYLE_TEXT);
}

void draw_title(const struct pane *pane, struct rect rect, const char *title, const char *right, bool focused)
{
    if (rect.rows <= 0)
        return;
    int used =
        draw_text(pane, focused ? STYLE_CURSOR : STYLE_TITLE, rect.row, rect.column, rect.columns, title);
    int end = rect.column + rect.columns;
    int right_width = right ? draw_width(right) : 0;
    if (right_width > 0 && used + right_width + 3 <= rect.columns) {
        draw_text(pane, STYLE_DIM, rect.row, end - right_width, right_width, right);
        end -= right_width + 1;
    }
    theme_set(pane->theme, STYLE_RULE);
    for (int column = rect.column + used + 1; column < end; column++)
        mvaddstr(rect.row, column, pane->theme->glyphs->rule);
    theme_set(pane->theme, STYLE_TEXT);
}

void draw_flops(char *out, size_t size, double macs)
{
    static const char units[] = " kMGTPE";
    double flops = macs > 0 ? macs * 2 : 0; // unknown is NaN
    int unit = 0;
    while (flops >= 999.5 && unit < 6) {
        flops /= 1000;
        unit++;
    }
    int digits = flops >= 99.95 || unit == 0 ? 0 : flops >= 9.995 ? 1 : 2;
    snprintf(out, size, unit ? "%.*f %c" : "%.*f%c", digits, flops, unit ? units[unit] : ' ');
}

const char *draw_patch_mark(const struct pane *pane, enum patch_mark mark, enum style *style)
{
    bool unicode = pane->theme->glyphs->unicode;
    *style = mark == PATCH_ONLY_HERE ? STYLE_NEW_DEAD : STYLE_ALIVE;
    return mark == PATCH_ONLY_HERE ? (unicode ? "◆" : "X") : mark == PATCH_ELSEWHERE ? (unicode ? "◇" : "o") : "";
}
