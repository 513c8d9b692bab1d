#define _GNU_SOURCE // memmem
#include "app/recorder.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Bytes of the UTF-8 character at `p`, 0: none; -1: it may go on behind `size`.
static int character_size(const unsigned char *p, size_t size)
{
    int length = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= size)
            return -1;
        bool low = i == 1 && ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xF0 && p[1] < 0x90));
        bool high = i == 1 && ((*p == 0xED && p[1] > 0x9F) || (*p == 0xF4 && p[1] > 0x8F));
        if ((p[i] & 0xC0) != 0x80 || low || high)
            return 0;
    }
    return length;
}

// Bytes of the escape sequence at `p`; -1: it may go on behind `size`. Of a string (sixel) and of what is longer than can
// be held only its beginning: the rest is passed on as it comes.
static int sequence_size(const char *p, size_t size)
{
    enum { MOST = CAST_HELD - 8 };
    size_t end = size < MOST ? size : MOST; // wherever the bytes were cut
    if (size < 2)
        return -1;
    if (p[1] == ']') { // until BEL or ESC \.
        for (size_t i = 2; i < end; i++)
            if (p[i] == 7 || (p[i] == '\\' && p[i - 1] == 033))
                return (int)i + 1;
        return size < MOST ? -1 : 2;
    }
    if (p[1] != '[')
        return 2;
    for (size_t i = 2; i < end; i++)
        if (p[i] >= 0x40 && p[i] <= 0x7E)
            return (int)i + 1;
    return size < MOST ? -1 : 2;
}

// CSI sequences that only ask, and OSC ones with a question mark as their value.
static bool is_question(const char *p, int size)
{
    char last = p[size - 1];
    if (p[1] == ']')
        return memmem(p, (size_t)size, ";?", 2) != NULL;
    if (p[1] != '[')
        return false;
    bool private = p[2] == '?' || p[2] == '>' || p[2] == '=';
    if (last == 'c' || last == 'n')
        return true;
    if (last == 't')
        return size >= 5 && p[2] == '1'; // 14, 16, 18: sizes
    if (last == 'p')
        return p[size - 2] == '$';
    return private && (last == 'q' || last == 'S' || last == 'u');
}

static void put_escaped(FILE *out, const unsigned char *p, int size)
{
    if (*p == '"' || *p == '\\')
        fprintf(out, "\\%c", *p);
    else if (*p < 0x20 || *p == 0x7F)
        fprintf(out, "\\u%04x", (unsigned)*p);
    else
        fwrite(p, 1, (size_t)size, out);
}

// What is no UTF-8 becomes the sign for that.
static void put_characters(FILE *out, const unsigned char *p, int size)
{
    for (int i = 0, one; i < size; i += one) {
        one = character_size(p + i, (size_t)(size - i));
        if (one > 0)
            put_escaped(out, p + i, one);
        else
            fputs("\xEF\xBF\xBD", out);
        one = one > 0 ? one : 1;
    }
}

static void put_json(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        int size = character_size(p, strlen((const char *)p));
        if (size > 0)
            put_escaped(out, p, size);
        p += size > 0 ? size : 1;
    }
    putc('"', out);
}

void cast_begin(struct cast *cast, FILE *out, int columns, int rows, const char *title)
{
    *cast = (struct cast){.out = out};
    const char *term = getenv("TERM"), *shell = getenv("SHELL");
    fprintf(out, "{\"version\": 2, \"width\": %d, \"height\": %d, \"timestamp\": %lld, \"title\": ", columns, rows,
            (long long)time(NULL));
    put_json(out, title);
    fputs(", \"env\": {\"TERM\": ", out);
    put_json(out, term ? term : "");
    fputs(", \"SHELL\": ", out);
    put_json(out, shell ? shell : "");
    fputs("}}\n", out);
}

// "[12.345678, "o", "": whatever the locale's decimal point is.
static void begin_event(struct cast *cast, double seconds, char kind)
{
    cast->last = seconds > cast->last ? seconds : cast->last;
    long long micros = (long long)(cast->last * 1e6 + 0.5);
    fprintf(cast->out, "[%lld.%06lld, \"%c\", \"", micros / 1000000, micros % 1000000, kind);
}

struct piece {
    int size;    // -1: wait for more
    bool silent; // not for the recording
};

static struct piece next_piece(struct cast *cast, const unsigned char *p, size_t left)
{
    struct piece piece = {1, false};
    if (cast->in_string) {
        cast->in_string = *p != 033; // ESC \ ends it
    } else if (*p == 033) {
        piece.size = sequence_size((const char *)p, left);
        if (piece.size > 0) {
            cast->in_string = p[1] == 'P';
            piece.silent = is_question((const char *)p, piece.size);
        }
        return piece;
    }
    piece.size = character_size(p, left);
    if (piece.size == 0)
        piece.size = 1;
    return piece;
}

static void put_pieces(struct cast *cast, double seconds, const unsigned char *p, size_t size)
{
    bool open = false;
    while (size > 0) {
        struct piece piece = next_piece(cast, p, size);
        if (piece.size < 0)
            break;
        if (!piece.silent) {
            if (!open)
                begin_event(cast, seconds, 'o');
            open = true;
            put_characters(cast->out, p, piece.size);
        }
        p += piece.size;
        size -= (size_t)piece.size;
    }
    if (open)
        fputs("\"]\n", cast->out);
    cast->held_size = size < CAST_HELD ? size : 0;
    memmove(cast->held, p, cast->held_size);
}

void cast_add(struct cast *cast, double seconds, const char *bytes, size_t size)
{
    enum { CHUNK = 4096 };
    unsigned char chunk[CHUNK + CAST_HELD];
    while (size > 0) {
        size_t held = cast->held_size, more = size < CHUNK ? size : CHUNK;
        memcpy(chunk, cast->held, held);
        memcpy(chunk + held, bytes, more);
        put_pieces(cast, seconds, chunk, held + more);
        bytes += more;
        size -= more;
    }
}

void cast_resize(struct cast *cast, double seconds, int columns, int rows)
{
    begin_event(cast, seconds, 'r');
    fprintf(cast->out, "%dx%d\"]\n", columns, rows);
}

void cast_end(struct cast *cast, double seconds)
{
    if (cast->held_size == 0)
        return;
    begin_event(cast, seconds, 'o');
    for (size_t i = 0; i < cast->held_size; i++)
        if ((unsigned char)cast->held[i] < 0x80)
            put_escaped(cast->out, (const unsigned char *)cast->held + i, 1);
    fputs("\"]\n", cast->out);
    cast->held_size = 0;
}
