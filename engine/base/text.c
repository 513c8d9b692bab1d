#include "engine/base/text.h"

#include <stdint.h>
#include <string.h>

int text_decode(const char *text, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int size = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
    *code = size == 1 ? *p : (uint32_t)(*p & (0x7F >> size));
    for (int i = 1; i < size; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3F);
    }
    bool surrogate = *code >= 0xD800 && *code < 0xE000;
    return size > 1 && (*code < least[size] || *code > 0x10FFFF || surrogate) ? 0 : size;
}

bool text_is_utf8(const char *text)
{
    uint32_t code;
    for (int size; *text; text += size)
        if (!(size = text_decode(text, &code)))
            return false;
    return true;
}

static bool harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

void text_clean(char *text)
{
    unsigned char *to = (unsigned char *)text;
    uint32_t code;
    for (const unsigned char *from = to; *from;) {
        int size = text_decode((const char *)from, &code);
        if (size && !harmful(code)) {
            memmove(to, from, (size_t)size);
            to += size;
        } else {
            *to++ = *from == '\n' || *from == '\t' || *from == '\r' ? ' ' : '?';
        }
        from += size ? size : 1;
    }
    *to = 0;
}

static bool inside_character(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; }

char *text_fit(char *out, size_t size, const char *from)
{
    static const char gap[] = "...";
    size_t length = strlen(from);
    if (length < size) {
        memcpy(out, from, length + 1);
    } else {
        size_t room = size - sizeof gap, tail = room / 2, head = room - tail;
        while (head > 0 && inside_character(from[head]))
            head--;
        while (tail > 0 && inside_character(from[length - tail]))
            tail--;
        memcpy(out, from, head);
        memcpy(out + head, gap, sizeof gap - 1);
        memcpy(out + head + sizeof gap - 1, from + length - tail, tail + 1);
    }
    text_clean(out);
    return out;
}
