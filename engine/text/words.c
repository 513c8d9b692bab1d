// The word tokenizer of the procedural world's language.
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/text/tokenizer_private.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// A longer word is unknown without looking; PIECES tokens are what one surface form may stand for.
enum { WORD_LIMIT = 128, PIECES = 8 };

struct words {
    json_t *forms; // surface form -> list of tokens; NULL: none
    pcre2_code *word, *anything;
    const char **sorted; // what can be typed, in alphabetical order
    int sorted_count;
    int plural; // id of ##s, -1 where there is none
};

static bool check_forms(const struct tokenizer *tokenizer, const json_t *forms, struct error *err)
{
    if (!forms)
        return true;
    if (!json_is_object(forms))
        return error_set(err, ERROR_INPUT, "the tokenizer's \"forms\" are not a JSON object");
    const char *form;
    json_t *pieces;
    json_object_foreach((json_t *)(size_t)forms, form, pieces)
    {
        size_t count = json_array_size(pieces);
        if (count < 1 || count > PIECES)
            return error_set(err, ERROR_INPUT, "the tokenizer's form \"%.40s\" is not a list of 1 to %d tokens", form,
                             PIECES);
        for (size_t i = 0; i < count; i++) {
            const char *piece = json_string_value(json_array_get(pieces, i));
            if (!piece || tokenizer_id(tokenizer, piece) < 0)
                return error_set(err, ERROR_INPUT, "the tokenizer's form \"%.40s\" uses \"%.40s\", which is no token",
                                 form, piece ? piece : "something that is no string");
        }
    }
    return true;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool sort_words(struct words *words, const struct tokenizer *tokenizer, struct error *err)
{
    words->sorted = memory_alloc((size_t)tokenizer->size + json_object_size(words->forms), sizeof *words->sorted);
    if (!words->sorted)
        return error_no_memory(err, "the list of words");
    for (int id = ID_SPECIALS; id < tokenizer->size; id++)
        if (tokenizer->texts[id][0] != '#' && tokenizer->texts[id][0] != '<')
            words->sorted[words->sorted_count++] = tokenizer->texts[id];
    const char *form;
    json_t *pieces;
    json_object_foreach(words->forms, form, pieces)
        if (tokenizer_id(tokenizer, form) < 0)
            words->sorted[words->sorted_count++] = form;
    qsort(words->sorted, (size_t)words->sorted_count, sizeof *words->sorted, compare_strings);
    return true;
}

bool words_init(struct tokenizer *tokenizer, const json_t *root, struct error *err)
{
    json_t *forms = json_object_get(root, "forms");
    if (!check_forms(tokenizer, forms, err))
        return false;
    struct words *words = tokenizer->words = memory_alloc(1, sizeof *words);
    if (!words)
        return error_no_memory(err, "the tokenizer");
    words->forms = json_incref(forms);
    words->plural = tokenizer_id(tokenizer, "##s");
    // An apostrophe belongs to a word only inside it: around it, it is a quotation mark.
    words->word = pattern_compile("[\\p{L}\\p{M}\\p{N}]+(?:['\\x{2019}][\\p{L}\\p{M}\\p{N}]+)*+", err);
    words->anything = words->word ? pattern_compile(".+", err) : NULL;
    return words->anything && sort_words(words, tokenizer, err);
}

void words_free(struct words *words)
{
    if (!words)
        return;
    json_decref(words->forms);
    pcre2_code_free(words->word);
    pcre2_code_free(words->anything);
    memory_free(words->sorted);
    memory_free(words);
}

// The typed word as the vocabulary would spell it: lower case, a plain apostrophe. False when it is too long.
static bool fold(const struct words *words, const char *from, size_t length, char out[WORD_LIMIT])
{
    PCRE2_SIZE size = WORD_LIMIT;
    int matches = pcre2_substitute(words->anything, (PCRE2_SPTR)from, length, 0, PCRE2_SUBSTITUTE_EXTENDED, NULL,
                                   NULL, (PCRE2_SPTR) "\\L$0", PCRE2_ZERO_TERMINATED, (PCRE2_UCHAR *)out, &size);
    if (matches < 0)
        return false;
    for (char *quote; (quote = strstr(out, "\xe2\x80\x99"));) {
        *quote = '\'';
        memmove(quote + 1, quote + 3, strlen(quote + 3) + 1);
    }
    return true;
}

// The one token that a singular is: its own, or the one that it is another name of. -1 for none.
static int singular_id(const struct tokenizer *tokenizer, const char *word)
{
    const json_t *pieces = json_object_get(tokenizer->words->forms, word);
    return json_array_size(pieces) == 1 ? tokenizer_id(tokenizer, json_string_value(json_array_get(pieces, 0)))
                                        : tokenizer_id(tokenizer, word);
}

// s, es, ies: the first ending that leaves a token or another name of one. Returns its id and how many bytes the ending has; -1 for none.
static int find_singular(const struct tokenizer *tokenizer, const char *word, size_t *ending)
{
    static const struct {
        const char *plural, *singular;
    } endings[] = {{"s", ""}, {"es", ""}, {"ies", "y"}};
    size_t length = strlen(word);
    for (size_t i = 0; i < sizeof endings / sizeof *endings && tokenizer->words->plural >= 0; i++) {
        size_t n = strlen(endings[i].plural);
        if (length <= n || strcmp(word + length - n, endings[i].plural) != 0)
            continue;
        char stem[WORD_LIMIT];
        memcpy(stem, word, length - n);
        strcpy(stem + length - n, endings[i].singular); // never longer than the ending it replaces
        int id = singular_id(tokenizer, stem);
        if (id >= 0) {
            *ending = n;
            return id;
        }
    }
    return -1;
}

// Whether a form is what the rules would make of it: its singular and ##s.
static bool is_regular_plural(const struct tokenizer *tokenizer, const char *word, const json_t *pieces, size_t *ending)
{
    int id = json_array_size(pieces) == 2 && tokenizer_id(tokenizer, word) < 0 ? find_singular(tokenizer, word, ending)
                                                                              : -1;
    return id >= 0 && id == tokenizer_id(tokenizer, json_string_value(json_array_get(pieces, 0))) &&
           tokenizer->words->plural == tokenizer_id(tokenizer, json_string_value(json_array_get(pieces, 1)));
}

static bool encode_word(const struct tokenizer *tokenizer, const char *text, size_t from, size_t to,
                        struct token_list *list)
{
    char word[WORD_LIMIT];
    if (!fold(tokenizer->words, text + from, to - from, word))
        return token_list_add(list, ID_UNKNOWN, from, to);
    const json_t *pieces = json_object_get(tokenizer->words->forms, word);
    size_t ending;
    if (is_regular_plural(tokenizer, word, pieces, &ending))
        pieces = NULL; // the same tokens, with the ending told apart
    for (size_t i = 0; i < json_array_size(pieces); i++)
        if (!token_list_add(list, tokenizer_id(tokenizer, json_string_value(json_array_get(pieces, i))), from, to))
            return false;
    if (pieces)
        return true;
    int id = tokenizer_id(tokenizer, word);
    if (id >= 0)
        return token_list_add(list, id, from, to);
    id = find_singular(tokenizer, word, &ending);
    if (id < 0)
        return token_list_add(list, ID_UNKNOWN, from, to);
    return token_list_add(list, id, from, to - ending) &&
           token_list_add(list, tokenizer->words->plural, to - ending, to);
}

bool words_encode(const struct tokenizer *tokenizer, const char *text, size_t length, struct token_list *list)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    size_t from, to = 0;
    while (match && pattern_find(tokenizer->words->word, match, text, length, to, &from, &to))
        if (!encode_word(tokenizer, text, from, to, list))
            break;
    pcre2_match_data_free(match);
    return match != NULL;
}

int words_complete(const struct tokenizer *tokenizer, const char *prefix, const char **out, int max)
{
    const struct words *words = tokenizer->words;
    char folded[WORD_LIMIT] = "";
    if (*prefix && !fold(words, prefix, strlen(prefix), folded))
        return 0;
    int low = 0, high = words->sorted_count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strcmp(words->sorted[middle], folded) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    int count = 0;
    size_t length = strlen(folded);
    while (count < max && low < words->sorted_count && !strncmp(words->sorted[low], folded, length))
        out[count++] = words->sorted[low++];
    return count;
}

// ---- the nearest word -------------------------------------------------------------------------------------------

// The characters of a folded word; 0 for what is no UTF-8 or too long.
static int characters(const char *word, uint32_t out[WORD_LIMIT])
{
    int count = 0;
    for (int size; *word; word += size, count++)
        if (count == WORD_LIMIT || !(size = text_decode(word, &out[count])))
            return 0;
    return count;
}

// How unlikely it is that `typed` was meant as `known`: 2 two letters swapped, 4 one missing, 6 one
// too many, 8 a wrong one; one more where it is the first letter. 0 where more than one edit would be needed.
static int edit_rank(const uint32_t *typed, int typed_count, const uint32_t *known, int known_count)
{
    int front = 0, back = 0, fewer = typed_count < known_count ? typed_count : known_count;
    while (front < fewer && typed[front] == known[front])
        front++;
    while (back < fewer - front && typed[typed_count - 1 - back] == known[known_count - 1 - back])
        back++;
    int a = typed_count - front - back, b = known_count - front - back, first = front == 0;
    if (a == 2 && b == 2 && typed[front] == known[front + 1] && typed[front + 1] == known[front])
        return 2 + first;
    if (a + b == 1)
        return (b == 1 ? 4 : 6) + first;
    return a == 1 && b == 1 ? 8 + first : 0;
}

const char *words_nearest(const struct tokenizer *tokenizer, const char *word, size_t length)
{
    enum { SHORTEST = 3 };
    const struct words *words = tokenizer->words;
    uint32_t typed[WORD_LIMIT], known[WORD_LIMIT];
    char folded[WORD_LIMIT];
    int count = fold(words, word, length, folded) ? characters(folded, typed) : 0, best = 0;
    const char *nearest = NULL;
    for (int i = 0; count >= SHORTEST && i < words->sorted_count; i++) {
        int rank = edit_rank(typed, count, known, characters(words->sorted[i], known));
        if (rank > 0 && (!nearest || rank < best)) {
            best = rank;
            nearest = words->sorted[i];
        }
    }
    return nearest;
}
