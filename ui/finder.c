#include "ui/finder.h"

#include "ui/theme.h"
#include "ui/words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

static const enum action with_argument[] = {ACTION_ASK, ACTION_OPEN, ACTION_POLICY, ACTION_BUDGET};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool starts_word(const char *text, size_t at)
{
    return at == 0 || strchr(" -(:,'", text[at - 1]);
}

enum { LETTER = 1, IN_A_ROW = 4, WORD_START = 6 };

// The best of the ways to take the letters from `at` on: greedy from each place where the first letter is.
int finder_score(const char *text, const char *word)
{
    int best = 0;
    size_t length = strlen(text), letters = strlen(word);
    for (size_t start = 0; letters > 0 && start + letters <= length; start++) {
        if (lower(text[start]) != lower(word[0]))
            continue;
        int score = 0, row = 0;
        size_t i = start, k = 0;
        for (; i < length && k < letters; i++) {
            if (lower(text[i]) != lower(word[k])) {
                row = 0;
                continue;
            }
            score += LETTER + (row ? IN_A_ROW : 0) + (starts_word(text, i) ? WORD_START : 0);
            row = 1;
            k++;
        }
        if (k < letters)
            break; // no later start can have more letters
        int spread = (int)(i - start - letters); // letters far apart are hardly what was meant
        score -= spread < score / 2 ? spread : score / 2;
        best = score > best ? score : best;
    }
    return best;
}

// All words must match; the name counts more than the explanation.
static int score_action(enum action action, const char *text)
{
    int sum = 0;
    while (*text) {
        char word[64];
        size_t size = strcspn(text, " ");
        if (size == 0) {
            text++;
            continue;
        }
        size_t kept = size < sizeof word - 1 ? size : sizeof word - 1;
        memcpy(word, text, kept);
        word[kept] = 0;
        int name = 3 * finder_score(action_name(action), word);
        int help = finder_score(_(key_row(action)->help), word);
        // In a long sentence nearly any letters can be found: only runs count.
        if (help < (int)kept * (LETTER + IN_A_ROW) - IN_A_ROW)
            help = 0;
        if (!name && !help)
            return 0;
        sum += name > help ? name : help;
        text += size;
    }
    return sum;
}

static bool holds(const char *text, const char *word, bool begins)
{
    size_t length = strlen(word);
    for (size_t at = 0; text[at]; at++)
        if ((!begins || starts_word(text, at)) && !strncasecmp(text + at, word, length))
            return true;
    return false;
}

bool finder_matches(const char *text, const char *typed, bool begins)
{
    while (*(typed += strspn(typed, " "))) {
        char word[64];
        size_t size = strcspn(typed, " "), kept = size < sizeof word - 1 ? size : sizeof word - 1;
        memcpy(word, typed, kept);
        word[kept] = 0;
        if (!holds(text, word, begins)) // letters in a row: an entry of a few words holds nearly any somewhere
            return false;
        typed += size;
    }
    return true;
}

bool finder_type(char *typed, size_t size, wint_t key, bool is_code)
{
    size_t length = strlen(typed);
    if (is_code ? key == KEY_BACKSPACE : key == 127 || key == 8) {
        while (length > 0 && ((unsigned char)typed[--length] & 0xc0) == 0x80)
            continue; // a character of several bytes goes whole
        typed[length] = 0;
        return true;
    }
    char bytes[MB_LEN_MAX + 1] = "";
    mbstate_t state = {0};
    bool letter = !is_code && (iswalpha(key) || ((key == ' ' || key == '-') && length > 0));
    size_t used = letter ? wcrtomb(bytes, (wchar_t)key, &state) : 0;
    if (used == 0 || used == (size_t)-1)
        return false;
    if (length + used < size) {
        memcpy(typed + length, bytes, used);
        typed[length + used] = 0;
    }
    return true;
}

int finder_narrow(const char *(*text)(int index), int count, const char *typed, int *out)
{
    int found = 0;
    for (int inside = 0; inside < 2; inside++) // what begins with the letters before what has them inside of a word
        for (int i = 0; i < count; i++) {
            bool begins = finder_matches(text(i), typed, true);
            if (inside ? !begins && finder_matches(text(i), typed, false) : begins)
                out[found++] = i;
        }
    return found;
}

bool finder_argument(enum action action, const char *text, const char **argument)
{
    const char *name = action_name(action);
    size_t length = strlen(name);
    *argument = "";
    for (size_t i = 0; i < sizeof with_argument / sizeof *with_argument; i++) {
        if (with_argument[i] != action)
            continue;
        if (!strncmp(text, name, length) && text[length] == ' ')
            *argument = text + length + strspn(text + length, " ");
        return true;
    }
    return false;
}

enum action finder_named(const char *text)
{
    char word[32];
    text += strspn(text, " ");
    size_t size = strcspn(text, " ");
    if (size >= sizeof word)
        return ACTIONS;
    memcpy(word, text, size);
    word[size] = 0;
    return action_parse(word);
}

enum action finder_opener(enum page_id page)
{
    return action_parse(page_name(page));
}

static int compare(const void *a, const void *b)
{
    const struct found *one = a, *two = b;
    return one->score != two->score ? two->score - one->score : (int)one->action - (int)two->action;
}

static bool opens_from_below(enum action action, enum page_id page)
{
    for (int p = 0; p < PAGE_COUNT; p++)
        if (p != (int)page && finder_opener((enum page_id)p) == action && key_works_on(action, (enum page_id)0))
            return true;
    return false;
}

int finder_search(enum page_id page, unsigned abilities, const char *text, struct found *out)
{
    int count = 0;
    text += strspn(text, " ");
    for (int a = 0; a < ACTIONS; a++) {
        enum action action = (enum action)a;
        const char *argument;
        bool here = key_works_on(action, page), elsewhere = !here && opens_from_below(action, page);
        if (action == ACTION_PALETTE || !(here || elsewhere) ||
            (abilities & key_row(action)->needs) != key_row(action)->needs)
            continue;
        if (here && finder_argument(action, text, &argument) && *argument) {
            out[0] = (struct found){action, 0, false};
            return 1;
        }
        int score = *text ? score_action(action, text) : 1;
        if (score > 0)
            out[count++] = (struct found){action, score, elsewhere};
    }
    if (*text && count > 0)
        qsort(out, (size_t)count, sizeof *out, compare);
    return count;
}
