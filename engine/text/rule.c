#include "engine/text/rule.h"

#include "engine/base/memory.h"
#include "engine/base/text.h"

#include <string.h>
#include <utf8proc.h>

enum { CAPITAL_SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, CAPITAL_I_DOT = 0x130, DOT_ABOVE = 0x307 };

// Python's str.isspace().
static bool is_space(int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return (point >= 9 && point <= 13) || (point >= 0x1C && point <= 0x1F) || point == 0x85 ||
           (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP);
}

static bool is_struck(int32_t point)
{
    return point > 0 && point < 128 && strchr(".!\"()*#:;~", (int)point) != NULL;
}

// ---- lower case as Python has it ----------------------------------------------------------------------------------

static bool is_cased(int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LT) ||
           utf8proc_tolower(point) != point || utf8proc_toupper(point) != point || point == 0xAA || point == 0xBA;
}

static bool is_passed_over(int32_t point)
{
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default:
        return point == '\'' || point == '.' || point == ':' || point == 0xB7 || point == 0x387 || point == 0x2018 ||
               point == 0x2019 || point == 0x2024 || point == 0x2027;
    }
}

static bool is_inside(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; }

// Whether the nearest character before (step -1) or behind (step 1) `at` that matters is a letter with case.
static bool beside_cased(const char *text, size_t length, size_t at, int step)
{
    uint32_t code;
    while (step < 0 ? at > 0 : at < length) {
        if (step < 0)
            do
                at--;
            while (at > 0 && is_inside(text[at]));
        int size = text_decode(text + at, &code);
        if (!size || !is_passed_over((int32_t)code))
            return size && is_cased((int32_t)code);
        if (step > 0)
            at += (size_t)size;
    }
    return false;
}

// A capital sigma at the end of a word becomes another letter than elsewhere (Unicode, Final_Sigma).
static int32_t lower(const char *text, size_t length, size_t at, size_t next, int32_t point)
{
    if (point == CAPITAL_SIGMA && beside_cased(text, length, at, -1) && !beside_cased(text, length, next, 1))
        return FINAL_SIGMA;
    return utf8proc_tolower(point);
}

// ---- building -----------------------------------------------------------------------------------------------------

static void put(struct ruled_text *out, int32_t point, size_t from, size_t to)
{
    utf8proc_ssize_t size = utf8proc_encode_char(point, (utf8proc_uint8_t *)out->text + out->length);
    for (utf8proc_ssize_t i = 0; i < size; i++, out->length++) {
        out->from[out->length] = (int)from;
        out->to[out->length] = (int)to;
    }
}

static void put_lower(struct ruled_text *out, const char *text, size_t length, size_t at, size_t next, int32_t point,
                      bool blank)
{
    if (is_struck(point)) {
        if (blank)
            put(out, ' ', at, next);
        return;
    }
    put(out, lower(text, length, at, next, point), at, next);
    if (point == CAPITAL_I_DOT)
        put(out, DOT_ABOVE, at, next);
}

// Two or more characters of white space become one space (re.sub(r"\s{2,}", " ")).
static void collapse_space(struct ruled_text *out)
{
    size_t to = 0, next;
    uint32_t code;
    for (size_t at = 0; at < out->length; at = next) {
        int count = 0;
        for (next = at; next < out->length; count++) {
            int size = text_decode(out->text + next, &code);
            if (!is_space((int32_t)code))
                break;
            next += (size_t)size;
        }
        int from = out->from[at], end = out->to[next > at ? next - 1 : at];
        if (count >= 2) {
            out->text[to] = ' ';
            out->from[to] = from;
            out->to[to++] = end;
            continue;
        }
        if (!count)
            next = at + (size_t)text_decode(out->text + at, &code);
        for (size_t i = at; i < next; i++, to++) {
            out->text[to] = out->text[i];
            out->from[to] = out->from[i];
            out->to[to] = out->to[i];
        }
    }
    out->length = to;
    out->text[to] = '\0';
}

static void drop_front(struct ruled_text *out, size_t bytes)
{
    out->length -= bytes;
    memmove(out->text, out->text + bytes, out->length + 1);
    memmove(out->from, out->from + bytes, out->length * sizeof *out->from);
    memmove(out->to, out->to + bytes, out->length * sizeof *out->to);
}

static void strip_end(struct ruled_text *out, char what)
{
    while (out->length > 0 && out->text[out->length - 1] == what)
        out->length--;
    out->text[out->length] = '\0';
}

static void strip_space(struct ruled_text *out)
{
    uint32_t code;
    size_t front = 0;
    while (front < out->length) {
        int size = text_decode(out->text + front, &code);
        if (!is_space((int32_t)code))
            break;
        front += (size_t)size;
    }
    drop_front(out, front);
    while (out->length > 0) {
        size_t last = out->length - 1;
        while (last > 0 && is_inside(out->text[last]))
            last--;
        text_decode(out->text + last, &code);
        if (!is_space((int32_t)code))
            break;
        out->length = last;
        out->text[last] = '\0';
    }
}

static void cut_words(struct ruled_text *out, int words)
{
    for (size_t i = 0; words > 0 && i < out->length; i++)
        if (out->text[i] == ' ' && --words == 0) {
            out->from[i] = out->to[i]; // what is read ends here
            out->length = i;
            out->text[i] = '\0';
        }
}

bool ruled_text_make(struct ruled_text *ruled, enum text_rule rule, int words, const char *text, size_t length)
{
    bool lowered = rule == TEXT_RULE_QUESTION || rule == TEXT_RULE_CAPTION;
    size_t room = 2 * length + 8; // a capital I with a dot becomes three bytes from two
    *ruled = (struct ruled_text){.text = memory_alloc(room, 1),
                                 .from = memory_alloc(room, sizeof *ruled->from),
                                 .to = memory_alloc(room, sizeof *ruled->to)};
    if (!ruled->text || !ruled->from || !ruled->to) {
        ruled_text_free(ruled);
        return false;
    }
    uint32_t code;
    for (size_t at = 0, next; at < length; at = next) {
        int size = text_decode(text + at, &code);
        next = at + (size_t)(size ? size : 1);
        if (!size || next > length)
            continue;
        if (lowered)
            put_lower(ruled, text, length, at, next, (int32_t)code, rule == TEXT_RULE_CAPTION);
        else
            put(ruled, (int32_t)code, at, next);
    }
    if (rule == TEXT_RULE_STRIP)
        strip_space(ruled);
    if (rule == TEXT_RULE_CAPTION) {
        collapse_space(ruled);
        strip_end(ruled, '\n');
        drop_front(ruled, strspn(ruled->text, " "));
    }
    if (lowered)
        strip_end(ruled, ' ');
    ruled->from[ruled->length] = ruled->to[ruled->length] = (int)length;
    cut_words(ruled, words);
    return true;
}

void ruled_text_free(struct ruled_text *ruled)
{
    memory_free(ruled->text);
    memory_free(ruled->from);
    memory_free(ruled->to);
    *ruled = (struct ruled_text){0};
}
