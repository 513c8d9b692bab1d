// Byte-level byte-pair encoding as GPT-2 and RoBERTa do it (Radford et al. 2019, section 2.2; Sennrich et al. 2016).
#include "engine/base/memory.h"
#include "engine/text/tokenizer_private.h"

#include <limits.h>
#include <string.h>

struct bpe {
    json_t *ranks;          // "left right" -> rank
    pcre2_code *word;       // what merges never cross
    pcre2_code *special;    // <s> and the like inside the text
    pcre2_code *visible;    // anything but white space
    char alphabet[256][3];  // each byte as a printable character in UTF-8
};

// A piece of a word: bytes of its printable form, and of the text.
struct piece {
    size_t at, length; // in the printable form
    size_t from, to;   // in the text
    int rank;          // of merging it with the next piece; INT_MAX: never
};

// Printable Latin-1 stands for itself; the other 68 bytes become U+0100, U+0101 ... in order.
static void fill_alphabet(char alphabet[256][3])
{
    unsigned next = 256;
    for (unsigned byte = 0; byte < 256; byte++) {
        bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        unsigned point = printable ? byte : next++;
        if (point < 128) {
            alphabet[byte][0] = (char)point;
        } else {
            alphabet[byte][0] = (char)(0xc0 | point >> 6);
            alphabet[byte][1] = (char)(0x80 | (point & 63));
        }
    }
}

static bool rank_merges(struct bpe *bpe, const json_t *merges, struct error *err)
{
    bpe->ranks = json_object();
    if (!json_is_array(merges))
        return error_set(err, ERROR_INPUT, "the tokenizer's \"merges\" are missing or not a list");
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const char *pair = json_string_value(json_array_get(merges, i));
        const char *space = pair ? strchr(pair, ' ') : NULL;
        if (!space || space == pair || !space[1] || strchr(space + 1, ' '))
            return error_set(err, ERROR_INPUT, "the tokenizer's merge %zu is not two pieces with a space between", i);
        if (json_object_get(bpe->ranks, pair))
            continue;
        if (json_object_set_new(bpe->ranks, pair, json_integer((json_int_t)i)) != 0)
            return error_no_memory(err, "the tokenizer's merges");
    }
    return true;
}

bool bpe_init(struct tokenizer *tokenizer, const json_t *root, struct error *err)
{
    struct bpe *bpe = tokenizer->bpe = memory_alloc(1, sizeof *bpe);
    if (!bpe)
        return error_no_memory(err, "the tokenizer");
    fill_alphabet(bpe->alphabet);
    if (!rank_merges(bpe, json_object_get(root, "merges"), err))
        return false;
    bpe->word = pattern_compile("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" PATTERN_SPACE "\\p{L}\\p{N}]+|"
                                "[" PATTERN_SPACE "]+(?![^" PATTERN_SPACE "])|[" PATTERN_SPACE "]+",
                                err);
    if (!bpe->word)
        return false;
    // <mask> takes the white space on its left with it; looking behind keeps long runs of spaces linear.
    bpe->special = pattern_compile("<s>|</s>|<unk>|<pad>|<mask>|"
                                   "(?<![" PATTERN_SPACE "])[" PATTERN_SPACE "]++<mask>",
                                   err);
    bpe->visible = bpe->special ? pattern_compile("[^" PATTERN_SPACE "]", err) : NULL;
    return bpe->visible != NULL;
}

void bpe_free(struct bpe *bpe)
{
    if (!bpe)
        return;
    json_decref(bpe->ranks);
    pcre2_code_free(bpe->word);
    pcre2_code_free(bpe->special);
    pcre2_code_free(bpe->visible);
    memory_free(bpe);
}

// Working memory for one text; a word is never longer than that.
struct workspace {
    char *printable, *key;
    struct piece *pieces;
    int count;
    pcre2_match_data *match;
};

static bool workspace_init(struct workspace *work, size_t length)
{
    *work = (struct workspace){
        .printable = memory_alloc(length, 2),
        .key = memory_alloc(length + 1, 2), // two pieces, the space between and the end
        .pieces = memory_alloc(length, sizeof *work->pieces),
        .match = pcre2_match_data_create(1, NULL),
    };
    return work->printable && work->key && work->pieces && work->match;
}

static void workspace_free(struct workspace *work)
{
    memory_free(work->printable);
    memory_free(work->key);
    memory_free(work->pieces);
    pcre2_match_data_free(work->match);
}

static void split_bytes(const struct bpe *bpe, struct workspace *work, const char *text, size_t from, size_t to)
{
    size_t at = 0;
    work->count = 0;
    for (size_t i = from; i < to; i++) {
        const char *letter = bpe->alphabet[(unsigned char)text[i]];
        size_t length = strlen(letter);
        memcpy(work->printable + at, letter, length);
        work->pieces[work->count++] = (struct piece){at, length, i, i + 1, INT_MAX};
        at += length;
    }
}

static int pair_rank(const struct bpe *bpe, struct workspace *work, const struct piece *left)
{
    const struct piece *right = left + 1;
    char *key = work->key;
    memcpy(key, work->printable + left->at, left->length);
    key[left->length] = ' ';
    memcpy(key + left->length + 1, work->printable + right->at, right->length);
    key[left->length + 1 + right->length] = '\0';
    const json_t *rank = json_object_get(bpe->ranks, key);
    return rank ? (int)json_integer_value(rank) : INT_MAX;
}

// Merges every occurrence of the pair with this rank, left to right, and ranks the pairs that this makes.
static void merge_pair(const struct bpe *bpe, struct workspace *work, int rank)
{
    enum { STALE = -1 };
    int count = 0;
    for (int i = 0; i < work->count; i++) {
        struct piece piece = work->pieces[i];
        if (piece.rank == rank) {
            const struct piece *next = &work->pieces[++i];
            piece.length += next->length;
            piece.to = next->to;
            piece.rank = STALE;
            if (count > 0)
                work->pieces[count - 1].rank = STALE;
        }
        work->pieces[count++] = piece;
    }
    work->count = count;
    for (int i = 0; i < count; i++)
        if (i == count - 1)
            work->pieces[i].rank = INT_MAX;
        else if (work->pieces[i].rank == STALE)
            work->pieces[i].rank = pair_rank(bpe, work, &work->pieces[i]);
}

static void merge_all(const struct bpe *bpe, struct workspace *work)
{
    for (int i = 0; i + 1 < work->count; i++)
        work->pieces[i].rank = pair_rank(bpe, work, &work->pieces[i]);
    for (;;) {
        int best = INT_MAX;
        for (int i = 0; i + 1 < work->count; i++)
            best = work->pieces[i].rank < best ? work->pieces[i].rank : best;
        if (best == INT_MAX)
            return;
        merge_pair(bpe, work, best);
    }
}

static bool inside_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

// A piece may begin or end inside a character: what it covers is told in whole characters, without the space that
// leads a word.
static bool add_piece(const struct tokenizer *tokenizer, struct workspace *work, const struct piece *piece,
                      const char *text, size_t length, struct token_list *list)
{
    size_t from = piece->from, to = piece->to;
    if (text[from] == ' ' && to - from > 1)
        from++;
    while (from > 0 && inside_character(text[from]))
        from--;
    while (to < length && inside_character(text[to]))
        to++;
    memcpy(work->key, work->printable + piece->at, piece->length);
    work->key[piece->length] = '\0';
    int id = tokenizer_id(tokenizer, work->key);
    return token_list_add(list, id >= 0 ? id : ID_UNKNOWN, from, to);
}

static void encode_span(const struct tokenizer *tokenizer, struct workspace *work, const char *text, size_t from,
                        size_t end, struct token_list *list)
{
    const struct bpe *bpe = tokenizer->bpe;
    size_t word, word_end;
    for (; !token_list_full(list) && pattern_find(bpe->word, work->match, text, end, from, &word, &word_end);
         from = word_end) {
        split_bytes(bpe, work, text, word, word_end);
        merge_all(bpe, work);
        for (int i = 0; i < work->count; i++)
            if (!add_piece(tokenizer, work, &work->pieces[i], text, end, list))
                return;
    }
}

// <mask> may have white space in its match.
static bool add_special(const struct tokenizer *tokenizer, const char *text, size_t from, size_t to,
                        struct token_list *list)
{
    char name[8] = "";
    while (text[from] != '<')
        from++;
    memcpy(name, text + from, to - from);
    int id = tokenizer_id(tokenizer, name);
    return token_list_add(list, id >= 0 ? id : ID_UNKNOWN, from, to);
}

bool bpe_encode(const struct tokenizer *tokenizer, const char *text, size_t length, struct token_list *list)
{
    const struct bpe *bpe = tokenizer->bpe;
    struct workspace work;
    bool ok = workspace_init(&work, length);
    size_t from, to, at = 0;
    if (ok && pattern_find(bpe->visible, work.match, text, length, 0, &from, &to)) {
        while (pattern_find(bpe->special, work.match, text, length, at, &from, &to)) {
            encode_span(tokenizer, &work, text, at, from, list);
            if (!add_special(tokenizer, text, from, to, list))
                break;
            at = to;
        }
        encode_span(tokenizer, &work, text, at, length, list);
    }
    workspace_free(&work);
    return ok;
}
