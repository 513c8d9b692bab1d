#include "ui/measure.h"

#include <stdlib.h>

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

wchar_t measure_next(const char **text, int *columns)
{
    wchar_t wide = decode(text);
    *columns = wide < 32 ? -1 : wcwidth(wide);
    if (*columns >= 0)
        return wide;
    *columns = 1;
    // A locale of single bytes knows no others; who draws has plain signs for ours.
    return MB_CUR_MAX == 1 && wide >= 0xA0 ? wide : L'?';
}

int measure_width(const char *text)
{
    int width = 0, columns;
    while (*text) {
        measure_next(&text, &columns);
        width += columns;
    }
    return width;
}

// Whether a row may end between two characters: after a space, and beside a character of Chinese, but no row
// starts with a closing mark or ends with an opening one.
static bool can_break(wchar_t before, int before_columns, wchar_t after, int after_columns)
{
    static const wchar_t closing[] = L"，。、；：？！）》」』】”’…·%‰,.;:?!)]}›",
                         opening[] = L"（《「『【“‘([{‹";
    if (before == L' ' || after == L' ')
        return after == L' ';
    if (wcschr(closing, after) || wcschr(opening, before))
        return false;
    return before_columns == 2 || after_columns == 2;
}

int measure_row(const char *text, int columns, bool *all)
{
    const char *at = text, *fits = NULL;
    wchar_t before = 0;
    int before_columns = 0, width = 0;
    while (*at) {
        const char *here = at;
        int one;
        wchar_t wide = measure_next(&at, &one);
        if (here > text && can_break(before, before_columns, wide, one))
            fits = here;
        width += one;
        if (width > columns) {
            *all = false;
            return (int)((fits ? fits : here > text ? here : at) - text);
        }
        before = wide;
        before_columns = one;
    }
    *all = true;
    return (int)(at - text);
}

int measure_rows(const char *text, int columns)
{
    for (int rows = 1;; rows++) {
        bool all;
        while (*text == ' ')
            text++;
        int length = measure_row(text, columns, &all);
        if (all)
            return rows;
        text += length;
    }
}

int measure_pad(const char *text, int columns)
{
    int width = measure_width(text);
    return width < columns ? columns - width : 0;
}
