// BERT's uncased tokenizer: BasicTokenizer and WordPiece of transformers (Wu et al. 2016, section 4.1; vlm_spec §5.2).
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/text/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { WORD_CHARACTERS = 100 }; // a longer word is unknown without looking

struct wordpiece {
    pcre2_code *special; // [SEP] and the like inside the text
};

// A character of a word that is being read, and where it came from.
struct letter {
    int32_t point;
    size_t from, to; // bytes of the text
};

struct word {
    struct letter letters[WORD_CHARACTERS];
    int count; // may pass WORD_CHARACTERS: the word is then unknown
    size_t from, to;
};

bool wordpiece_init(struct tokenizer *tokenizer, struct error *err)
{
    struct wordpiece *wordpiece = tokenizer->wordpiece = memory_alloc(1, sizeof *wordpiece);
    if (!wordpiece)
        return error_no_memory(err, "the tokenizer");
    wordpiece->special = pattern_compile("\\[(?:CLS|PAD|SEP|UNK|MASK|DEC|ENC)\\]", err);
    return wordpiece->special != NULL;
}

void wordpiece_free(struct wordpiece *wordpiece)
{
    if (!wordpiece)
        return;
    pcre2_code_free(wordpiece->special);
    memory_free(wordpiece);
}

// ---- classes of characters (transformers' _is_control and so on) --------------------------------------------------

static bool is_space(int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    // Line and paragraph separators are no white space to BERT, but Python splits words at them.
    return point == '\t' || point == '\n' || point == '\r' || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

static bool is_dropped(int32_t point)
{
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS: return true;
    default: return point == 0xFFFD;
    }
}

static bool is_punctuation(int32_t point)
{
    if ((point >= 33 && point <= 47) || (point >= 58 && point <= 64) || (point >= 91 && point <= 96) ||
        (point >= 123 && point <= 126))
        return true;
    utf8proc_category_t category = utf8proc_category(point);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static bool is_ideograph(int32_t point)
{
    static const int32_t ranges[][2] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                        {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return true;
    return false;
}

// ---- pieces of a word ---------------------------------------------------------------------------------------------

// The longest piece of the vocabulary that begins at letter `start`: its id and the letter behind it; -1 for none.
static int longest_piece(const struct tokenizer *tokenizer, const char *spelling, const int *at, int start, int count,
                         int *end)
{
    char piece[2 + 4 * WORD_CHARACTERS + 1] = "##";
    char *body = piece + (start > 0 ? 2 : 0);
    size_t length = (size_t)(at[count] - at[start]);
    memcpy(body, spelling + at[start], length);
    for (*end = count; *end > start; --*end) {
        body[at[*end] - at[start]] = '\0';
        int id = tokenizer_id(tokenizer, piece);
        if (id >= 0)
            return id;
    }
    return -1;
}

// Ends the word: greedy longest pieces, or one unknown token for all of it. False when the list is full.
static bool add_word(const struct tokenizer *tokenizer, struct word *word, struct token_list *list)
{
    char spelling[4 * WORD_CHARACTERS];
    int at[WORD_CHARACTERS + 1] = {0}, ids[WORD_CHARACTERS], ends[WORD_CHARACTERS], pieces = 0;
    int count = word->count, start = 0;
    word->count = 0;
    if (count > WORD_CHARACTERS)
        return token_list_add(list, list->unknown, word->from, word->to);
    for (int i = 0; i < count; i++)
        at[i + 1] = at[i] + (int)utf8proc_encode_char(word->letters[i].point, (utf8proc_uint8_t *)spelling + at[i]);
    for (; start < count; start = ends[pieces++]) {
        ids[pieces] = longest_piece(tokenizer, spelling, at, start, count, &ends[pieces]);
        if (ids[pieces] < 0)
            return token_list_add(list, list->unknown, word->from, word->to);
    }
    start = 0;
    for (int p = 0; p < pieces; start = ends[p++])
        if (!token_list_add(list, ids[p], word->letters[start].from, word->letters[ends[p] - 1].to))
            return false;
    return true;
}

static void add_letter(struct word *word, int32_t point, size_t from, size_t to)
{
    if (word->count == 0)
        word->from = from;
    if (word->count < WORD_CHARACTERS)
        word->letters[word->count] = (struct letter){point, from, to};
    word->count += word->count <= WORD_CHARACTERS;
    word->to = to;
}

// An accent that is stripped belongs to the letter before it.
static void add_accent(struct word *word, size_t to)
{
    if (word->count == 0)
        return;
    if (word->count <= WORD_CHARACTERS)
        word->letters[word->count - 1].to = to;
    word->to = to;
}

// A lower-case character, decomposed, without accents; punctuation is a word of its own. False when the list is full.
static bool add_character(const struct tokenizer *tokenizer, struct word *word, int32_t point, size_t from, size_t to,
                          struct token_list *list)
{
    enum { PARTS = 8 }; // canonical decompositions have four at most
    utf8proc_int32_t parts[PARTS];
    int boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(point, parts, PARTS, UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t i = 0; i < count && i < PARTS; i++) {
        if (utf8proc_category(parts[i]) == UTF8PROC_CATEGORY_MN) {
            add_accent(word, to);
            continue;
        }
        bool alone = is_punctuation(parts[i]);
        if (alone && !add_word(tokenizer, word, list))
            return false;
        add_letter(word, parts[i], from, to);
        if (alone && !add_word(tokenizer, word, list))
            return false;
    }
    return true;
}

static bool encode_span(const struct tokenizer *tokenizer, const char *text, size_t from, size_t end,
                        struct token_list *list)
{
    struct word word = {.count = 0};
    uint32_t code;
    for (size_t next; from < end; from = next) {
        int size = text_decode(text + from, &code);
        next = from + (size_t)(size ? size : 1);
        int32_t point = utf8proc_tolower((int32_t)code);
        if (!size || next > end)
            continue;
        bool apart = is_space(point) || is_ideograph(point);
        if (apart && !add_word(tokenizer, &word, list))
            return false;
        if (is_space(point) || is_dropped(point))
            continue;
        if (!add_character(tokenizer, &word, point, from, next, list) ||
            (apart && !add_word(tokenizer, &word, list)))
            return false;
    }
    return add_word(tokenizer, &word, list);
}

bool wordpiece_encode(const struct tokenizer *tokenizer, const char *text, size_t length, struct token_list *list)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    size_t from, to, at = 0, search = 0;
    bool going = match != NULL;
    while (going && pattern_find(tokenizer->wordpiece->special, match, text, length, search, &from, &to)) {
        char name[8] = "";
        memcpy(name, text + from, to - from);
        int id = tokenizer_id(tokenizer, name);
        search = to;
        if (id < 0)
            continue; // not a token of this vocabulary: ordinary text
        going = encode_span(tokenizer, text, at, from, list) && token_list_add(list, id, from, to);
        at = to;
    }
    if (going)
        encode_span(tokenizer, text, at, length, list);
    bool ok = match != NULL;
    pcre2_match_data_free(match);
    return ok;
}

// ---- back to text -------------------------------------------------------------------------------------------------

// Replaces every `from` by `to`, which is not longer, in place.
static void replace_all(char *text, const char *from, const char *to)
{
    size_t cut = strlen(from), put = strlen(to);
    char *out = text;
    while (*text)
        if (!strncmp(text, from, cut)) {
            memcpy(out, to, put);
            out += put;
            text += cut;
        } else {
            *out++ = *text++;
        }
    *out = '\0';
}

static bool is_special(const struct tokenizer *tokenizer, int id)
{
    for (int i = 0; i < TOKENIZER_SPECIALS; i++)
        if (id == tokenizer->special[i])
            return true;
    return false;
}

char *tokenizer_decode(const struct tokenizer *tokenizer, const int *ids, int count)
{
    // In this order (transformers' clean_up_tokenization).
    static const char *const tidy[][2] = {{" ##", ""},      {" .", "."},     {" ?", "?"},     {" !", "!"},
                                          {" ,", ","},      {" ' ", "'"},    {" n't", "n't"}, {" 'm", "'m"},
                                          {" 's", "'s"},    {" 've", "'ve"}, {" 're", "'re"}};
    size_t bytes = 1;
    for (int i = 0; i < count; i++)
        bytes += strlen(tokenizer_text(tokenizer, ids[i])) + 1;
    char *text = malloc(bytes), *at = text;
    if (!text)
        return NULL;
    *at = '\0';
    for (int i = 0; i < count; i++)
        if (*tokenizer_text(tokenizer, ids[i]) && !is_special(tokenizer, ids[i])) {
            if (at > text)
                *at++ = ' ';
            at = stpcpy(at, tokenizer_text(tokenizer, ids[i]));
        }
    for (size_t i = 0; i < sizeof tidy / sizeof *tidy; i++)
        replace_all(text, tidy[i][0], tidy[i][1]);
    return text;
}
