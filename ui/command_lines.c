#include "ui/command_lines.h"

#include "ui/bytes.h"
#include "ui/measure.h"

#include <stdbool.h>
#include <string.h>

enum { INDENT = 2 }; // of rows that go on between two words

struct writer {
    struct bytes out;
    int columns, used; // of a row
    bool quoted;       // between two '
};

// What must stay in one row: a character, or a backslash with what it is before. Returns its bytes.
static size_t next_unit(const struct writer *w, const char *text, int *width)
{
    const char *end = text;
    int more = 0;
    measure_next(&end, width);
    if (!w->quoted && *text == '\\' && *end) {
        measure_next(&end, &more);
        *width += more;
    }
    return (size_t)(end - text);
}

// A word ends at a space outside of quotes. Returns its bytes.
static size_t word_end(const char *text, int *width)
{
    struct writer w = {.quoted = false};
    const char *at = text;
    *width = 0;
    while (*at && (w.quoted || *at != ' ')) {
        int columns;
        size_t size = next_unit(&w, at, &columns);
        w.quoted ^= *at == '\'';
        *width += columns;
        at += size;
    }
    return (size_t)(at - text);
}

static void new_row(struct writer *w, int indent)
{
    bytes_add(&w->out, "\\\n  ", (size_t)(2 + indent));
    w->used = indent;
}

// Inside a word a row can only go on at its very beginning; a quote is closed before and opened again.
static void break_word(struct writer *w)
{
    bytes_add(&w->out, "'", w->quoted);
    new_row(w, 0);
    bytes_add(&w->out, "'", w->quoted);
    w->used = w->quoted;
}

static void write_word(struct writer *w, const char *word, size_t size)
{
    for (const char *end = word + size; word < end;) {
        int width;
        size_t unit = next_unit(w, word, &width);
        bool quote = *word == '\'', after = w->quoted != quote;
        if (w->used + width + after + 1 > w->columns) // what closes the quote, and the backslash
            break_word(w);
        bytes_add(&w->out, word, unit);
        w->used += width;
        w->quoted = after;
        word += unit;
    }
}

char *command_lines(const char *command, int columns)
{
    struct writer w = {.columns = columns};
    while (*(command += strspn(command, " "))) {
        int width;
        size_t size = word_end(command, &width);
        bool fits = w.used + 1 + width + 2 <= columns, fits_alone = INDENT + width + 2 <= columns;
        if (w.used > 0) {
            bool space = w.used + 2 <= columns; // else the next row's indent parts the words
            bytes_add(&w.out, " ", space);
            w.used += space;
            // A word that no row can hold begins where there is room for a good part of it.
            if (!fits && (fits_alone || columns - w.used < COMMAND_LINES_LEAST / 2))
                new_row(&w, INDENT);
        }
        write_word(&w, command, size);
        command += size;
    }
    bytes_add(&w.out, "", 1);
    if (!w.out.failed)
        return w.out.data;
    bytes_free(&w.out);
    return NULL;
}
