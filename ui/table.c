#include "ui/table.h"

#include "engine/base/text.h"
#include "ui/measure.h"
#include "ui/words.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void put(struct table *table, const char *text)
{
    if (!table->out)
        return;
    int width = table->widths[table->at], pad = measure_pad(text, abs(width));
    bool last = table->at == table->count - 1;
    if (last && !text[0])
        return; // no blanks at the end of a line
    fprintf(table->out, "%*s%*s%s%*s", table->at > 0 ? TABLE_GAP : 0, "", width > 0 ? pad : 0, "", text,
            width < 0 && !last ? pad : 0, "");
}

static void next(struct table *table)
{
    if (++table->at < table->count)
        return;
    table->at = 0;
    if (table->out)
        fputc('\n', table->out);
}

// One line of the heads; those with fewer lines stand in the lowest.
static void put_heads(struct table *table, const char *const heads[], int lines, int line)
{
    for (int i = 0; i < table->count; i++) {
        char text[TABLE_TEXT] = "";
        const char *second = strchr(heads[i], '\n');
        if (second && line == 0)
            snprintf(text, sizeof text, "%.*s", (int)(second - heads[i]), heads[i]);
        else if (line == lines - 1)
            snprintf(text, sizeof text, "%s", second ? second + 1 : heads[i]);
        put(table, text);
        next(table);
    }
}

void table_begin(struct table *table, FILE *out, const struct table_column *columns, int count)
{
    const char *heads[TABLE_COLUMNS];
    int lines = 0;
    *table = (struct table){.out = out, .count = count};
    for (int i = 0; i < count; i++) {
        heads[i] = columns[i].head[0] ? _(columns[i].head) : "";
        const char *second = strchr(heads[i], '\n');
        char first[TABLE_TEXT];
        snprintf(first, sizeof first, "%.*s", second ? (int)(second - heads[i]) : 0, heads[i]);
        int width = abs(columns[i].width), above = measure_width(first);
        int below = measure_width(second ? second + 1 : heads[i]);
        width = width > above ? width : above;
        width = width > below ? width : below;
        table->widths[i] = columns[i].width < 0 ? -width : width;
        lines = second ? 2 : heads[i][0] && lines < 1 ? 1 : lines;
    }
    for (int line = 0; line < lines; line++)
        put_heads(table, heads, lines, line);
}

void table_cell(struct table *table, const char *format, ...)
{
    char text[TABLE_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_clean(text);
    put(table, text);
    next(table);
}

void table_end_row(struct table *table)
{
    if (table->at > 0 && table->out)
        fputc('\n', table->out);
    table->at = 0;
}
