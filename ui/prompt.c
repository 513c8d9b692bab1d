#include "ui/prompt.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

static const char *const labels[PROMPT_KINDS] = {
    [PROMPT_QUESTION] = N_("Question: "),
    [PROMPT_PATH] = N_("Picture: "),
    [PROMPT_BUDGET] = N_("Budget, up to 1 of the unpruned FLOPs (empty: as trained): "),
    [PROMPT_COMMAND] = N_("Do: "),
};

void prompt_set(struct prompt *prompt, const char *text)
{
    prompt->length = 0;
    mbstate_t state = {0};
    while (*text && prompt->length < PROMPT_LENGTH) {
        wchar_t wide;
        size_t used = mbrtowc(&wide, text, strlen(text), &state);
        if (used == 0 || used == (size_t)-1 || used == (size_t)-2) {
            memset(&state, 0, sizeof state);
            text++;
            continue;
        }
        text += used;
        prompt->text[prompt->length++] = wide;
    }
    prompt->text[prompt->length] = 0;
    prompt->cursor = prompt->length;
    prompt->suggested = false;
}

void prompt_suggest(struct prompt *prompt, const char *text)
{
    prompt_set(prompt, text);
    prompt->suggested = prompt->length > 0;
}

void prompt_open(struct prompt *prompt, enum prompt_kind kind, const char *text)
{
    prompt->kind = kind;
    prompt->label = labels[kind] ? _(labels[kind]) : "";
    prompt->history_at = -1;
    prompt_suggest(prompt, text);
    prompt->suggested &= kind != PROMPT_PATH; // that begins with a folder, and goes on in it
}

void prompt_close(struct prompt *prompt)
{
    prompt->kind = PROMPT_NONE;
}

static void forget_history(struct prompt *prompt, int from)
{
    for (int kind = from; kind < PROMPT_KINDS; kind++) {
        for (int i = 0; i < prompt->history[kind].count; i++)
            free(prompt->history[kind].lines[i]);
        prompt->history[kind].count = 0;
    }
}

void prompt_free(struct prompt *prompt)
{
    forget_history(prompt, 0);
    *prompt = (struct prompt){0};
}

void prompt_forget_page(struct prompt *prompt)
{
    forget_history(prompt, PROMPT_PAGE);
    if (prompt->kind >= PROMPT_PAGE)
        prompt_close(prompt);
}

static void wide_text(const wchar_t *from, int length, char *out)
{
    mbstate_t state = {0};
    size_t used = 0;
    for (int i = 0; i < length; i++) {
        char bytes[16];
        size_t size = wcrtomb(bytes, from[i], &state);
        if (size == (size_t)-1) {
            memset(&state, 0, sizeof state);
            continue;
        }
        if (used + size < PROMPT_BYTES)
            memcpy(out + used, bytes, size), used += size;
    }
    out[used] = 0;
}

void prompt_text(const struct prompt *prompt, char *out)
{
    wide_text(prompt->text, prompt->length, out);
}

void prompt_remember(struct prompt *prompt)
{
    struct prompt_history *history = &prompt->history[prompt->kind];
    if (prompt->length == 0 ||
        (history->count > 0 && !wcscmp(history->lines[history->count - 1], prompt->text)))
        return;
    wchar_t *line = wcsdup(prompt->text);
    if (!line)
        return;
    if (history->count == PROMPT_HISTORY) {
        free(history->lines[0]);
        memmove(history->lines, history->lines + 1, (PROMPT_HISTORY - 1) * sizeof *history->lines);
        history->count--;
    }
    history->lines[history->count++] = line;
}

static void cut(struct prompt *prompt, int from, int to)
{
    wmemmove(prompt->text + from, prompt->text + to, (size_t)(prompt->length - to + 1));
    prompt->length -= to - from;
    prompt->cursor = from;
}

static void put(struct prompt *prompt, wchar_t character)
{
    if (prompt->length >= PROMPT_LENGTH)
        return;
    wmemmove(prompt->text + prompt->cursor + 1, prompt->text + prompt->cursor,
             (size_t)(prompt->length - prompt->cursor + 1));
    prompt->text[prompt->cursor++] = character;
    prompt->length++;
}

static int word_left(const struct prompt *prompt)
{
    int at = prompt->cursor;
    while (at > 0 && prompt->text[at - 1] == L' ')
        at--;
    while (at > 0 && prompt->text[at - 1] != L' ')
        at--;
    return at;
}

static int word_right(const struct prompt *prompt)
{
    int at = prompt->cursor;
    while (at < prompt->length && prompt->text[at] == L' ')
        at++;
    while (at < prompt->length && prompt->text[at] != L' ')
        at++;
    return at;
}

static void show_history(struct prompt *prompt, int step)
{
    const struct prompt_history *history = &prompt->history[prompt->kind];
    int at = prompt->history_at + step;
    if (at < -1 || at >= history->count)
        return;
    if (prompt->history_at < 0)
        wmemcpy(prompt->typed, prompt->text, (size_t)prompt->length + 1);
    const wchar_t *line = at < 0 ? prompt->typed : history->lines[history->count - 1 - at];
    prompt->length = (int)wcslen(line);
    wmemmove(prompt->text, line, (size_t)prompt->length + 1);
    prompt->cursor = prompt->length;
    prompt->history_at = at;
}

static enum prompt_event control_key(struct prompt *prompt, wint_t key)
{
    switch (key) {
    case '\n':
    case '\r':
        return PROMPT_DONE;
    case 27:
    case 3: // ^C
        return PROMPT_CLOSED;
    case '\t':
        return PROMPT_COMPLETE;
    case 1: // ^A
        prompt->cursor = 0;
        break;
    case 5: // ^E
        prompt->cursor = prompt->length;
        break;
    case 2: // ^B
        prompt->cursor -= prompt->cursor > 0;
        break;
    case 6: // ^F
        prompt->cursor += prompt->cursor < prompt->length;
        break;
    case 8:
    case 127:
        if (prompt->cursor > 0)
            cut(prompt, prompt->cursor - 1, prompt->cursor);
        break;
    case 4: // ^D
        if (prompt->cursor < prompt->length)
            cut(prompt, prompt->cursor, prompt->cursor + 1);
        break;
    case 11: // ^K
        cut(prompt, prompt->cursor, prompt->length);
        break;
    case 21: // ^U
        cut(prompt, 0, prompt->cursor);
        break;
    case 23: // ^W
        cut(prompt, word_left(prompt), prompt->cursor);
        break;
    case 16: // ^P
        show_history(prompt, 1);
        break;
    case 14: // ^N
        show_history(prompt, -1);
        break;
    default:
        return PROMPT_IGNORED;
    }
    return PROMPT_EDITED;
}

static enum prompt_event code_key(struct prompt *prompt, wint_t key)
{
    switch (key) {
    case KEY_ENTER:
        return PROMPT_DONE;
    case KEY_BTAB:
        return PROMPT_COMPLETE;
    case KEY_LEFT:
        prompt->cursor -= prompt->cursor > 0;
        break;
    case KEY_RIGHT:
        prompt->cursor += prompt->cursor < prompt->length;
        break;
    case KEY_SLEFT:
        prompt->cursor = word_left(prompt);
        break;
    case KEY_SRIGHT:
        prompt->cursor = word_right(prompt);
        break;
    case KEY_HOME:
        prompt->cursor = 0;
        break;
    case KEY_END:
        prompt->cursor = prompt->length;
        break;
    case KEY_BACKSPACE:
        return control_key(prompt, 127);
    case KEY_DC:
        return control_key(prompt, 4);
    case KEY_UP:
        show_history(prompt, 1);
        break;
    case KEY_DOWN:
        show_history(prompt, -1);
        break;
    default:
        return PROMPT_IGNORED;
    }
    return PROMPT_EDITED;
}

enum prompt_event prompt_key(struct prompt *prompt, wint_t key, bool is_code)
{
    bool suggested = prompt->suggested, types = !is_code && key >= 32 && key != 127;
    if (types && !iswprint(key))
        return PROMPT_IGNORED;
    prompt->suggested = false;
    if (suggested && types)
        cut(prompt, 0, prompt->length);
    if (is_code)
        return code_key(prompt, key);
    if (!types)
        return control_key(prompt, key);
    put(prompt, (wchar_t)key);
    return PROMPT_EDITED;
}

static int word_start(const struct prompt *prompt)
{
    int at = prompt->cursor;
    while (at > 0 && (iswalnum((wint_t)prompt->text[at - 1]) || prompt->text[at - 1] == L'\''))
        at--;
    return at;
}

void prompt_word(const struct prompt *prompt, char *out)
{
    int start = word_start(prompt);
    wide_text(prompt->text + start, prompt->cursor - start, out);
    for (char *p = out; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

void prompt_replace_word(struct prompt *prompt, const char *word)
{
    cut(prompt, word_start(prompt), prompt->cursor);
    for (; *word; word++)
        put(prompt, (unsigned char)*word);
}

int prompt_draw(const struct prompt *prompt, const struct pane *pane, struct rect rect)
{
    int column = rect.column +
                 draw_text(pane, STYLE_KEY, rect.row, rect.column, rect.columns / 2 + 20, prompt->label);
    int room = rect.column + rect.columns - column - 1, width = 0, first = prompt->cursor;
    // As much before the cursor as fits.
    while (first > 0) {
        int one = wcwidth(prompt->text[first - 1]);
        if (width + (one > 0 ? one : 1) > room)
            break;
        width += one > 0 ? one : 1;
        first--;
    }
    char bytes[PROMPT_BYTES];
    wide_text(prompt->text + first, prompt->length - first, bytes);
    draw_text(pane, prompt->suggested ? STYLE_DIM : STYLE_STRONG, rect.row, column, room, bytes);
    return column + width;
}
