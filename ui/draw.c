#include "ui/draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

// Decodes one character of UTF-8; bytes that are none become '?'.
static wchar_t decode(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    int more = *p < 0x80                 ? 0
               : *p >= 0xC2 && *p < 0xE0 ? 1
               : *p >= 0xE0 && *p < 0xF0 ? 2
               : *p >= 0xF0 && *p < 0xF5 ? 3
                                         : -1;
    wchar_t wide = more <= 0 ? *p : *p & (0x3F >> more);
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            more = -1;
        else
            wide = wide << 6 | (p[i] & 0x3F);
    }
    *text += more > 0 ? more + 1 : 1;
    return more < 0 ? L'?' : wide;
}

// Our own signs where the terminal shows ASCII only.
static wchar_t plain(wchar_t wide)
{
    static const wchar_t from[] = L"←→↑↓…×≥·‹›–▸", to[] = L"<>^v~x>|<>->";
    const wchar_t *found = wide ? wcschr(from, wide) : NULL;
    return found ? to[found - from] : wide < 127 ? wide : L'?';
}

// The next character of a text and its columns; what cannot be printed becomes '?'.
static wchar_t next_character(const char **text, bool unicode, int *columns)
{
    wchar_t wide = decode(text);
    if (!unicode)
        wide = plain(wide);
    *columns = wide < 32 ? -1 : wcwidth(wide);
    if (*columns < 0) {
        *columns = 1;
        return L'?';
    }
    return wide;
}

int draw_width(const char *text)
{
    int width = 0, columns;
    while (*text) {
        next_character(&text, true, &columns);
        width += columns;
    }
    return width;
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

// The bytes of `text` that fit into a row, up to a space; *all says whether that is everything.
static int row_length(const char *text, int columns, bool *all)
{
    const char *end = text, *fits = NULL;
    int width = 0, one;
    while (*end) {
        if (*end == ' ')
            fits = end;
        next_character(&end, true, &one);
        width += one;
        if (width > columns) {
            *all = false;
            return fits ? (int)(fits - text) : -1; // -1: one word wider than the row
        }
    }
    *all = true;
    return (int)(end - text);
}

int draw_rows(const char *text, int columns)
{
    for (int rows = 1;; rows++) {
        bool all;
        while (*text == ' ')
            text++;
        int length = row_length(text, columns, &all);
        if (all || length < 0)
            return rows;
        text += length;
    }
}

int draw_wrapped(const struct pane *pane, enum style style, struct rect rect, const char *text)
{
    for (int row = 0; row < rect.rows; row++) {
        while (*text == ' ')
            text++;
        if (!*text)
            return row;
        bool all;
        int length = row_length(text, rect.columns, &all);
        if (all || length < 0 || row == rect.rows - 1) {
            draw_text(pane, style, rect.row + row, rect.column, rect.columns, text);
            return row + 1;
        }
        draw_format(pane, style, rect.row + row, rect.column, rect.columns, "%.*s", length, text);
        text += length;
    }
    return rect.rows;
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
