// What the files of this folder share; nobody else includes it.
#ifndef TRIMSCOPE_TEXT_TOKENIZER_PRIVATE_H
#define TRIMSCOPE_TEXT_TOKENIZER_PRIVATE_H

#include "engine/text/tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <jansson.h>
#include <pcre2.h>

// RoBERTa's ids, which word tokenizers follow too.
enum { ID_START, ID_PAD, ID_END, ID_UNKNOWN, ID_SPECIALS };

// Longer texts are cut here: no model reads that far, and byte-pair merging takes quadratic time in the worst case.
enum { TEXT_LIMIT = 16384 };

struct bpe;
struct words;
struct wordpiece;

struct tokenizer {
    json_t *ids;        // token text -> id; owns the texts
    const char **texts; // id -> text
    int size;
    int special[TOKENIZER_SPECIALS]; // ids, -1 for none
    enum text_rule rule;
    int rule_words;
    struct words *words; // one of the three is set
    struct bpe *bpe;
    struct wordpiece *wordpiece;
};

// The tokens written so far; one place is held back for </s>.
struct token_list {
    struct token *tokens;
    int count, max;
    int unknown; // the id of what the vocabulary does not hold
};

// False when there is no room for another token.
bool token_list_add(struct token_list *list, int id, size_t from, size_t to);
bool token_list_full(const struct token_list *list);

// -1 where the vocabulary has no such token.
int tokenizer_id(const struct tokenizer *tokenizer, const char *text);

// Unicode classes come from PCRE2. White_Space is spelled out: PCRE2's own \s also has U+180E, which left that
// property in Unicode 6.3.
#define PATTERN_SPACE "\\x09-\\x0d\\x{85}\\p{Z}"
// NULL and *err when there is no memory.
pcre2_code *pattern_compile(const char *pattern, struct error *err);

// Finds the next match at or after `at`, in text that need not be valid UTF-8. False when there is none.
bool pattern_find(const pcre2_code *pattern, pcre2_match_data *match, const char *text, size_t length, size_t at,
                  size_t *from, size_t *to);

bool words_init(struct tokenizer *tokenizer, const json_t *root, struct error *err);
void words_free(struct words *words);
// False when there is no memory.
bool words_encode(const struct tokenizer *tokenizer, const char *text, size_t length, struct token_list *list);
int words_complete(const struct tokenizer *tokenizer, const char *prefix, const char **out, int max);
const char *words_nearest(const struct tokenizer *tokenizer, const char *word, size_t length);

bool bpe_init(struct tokenizer *tokenizer, const json_t *root, struct error *err);
void bpe_free(struct bpe *bpe);
bool bpe_encode(const struct tokenizer *tokenizer, const char *text, size_t length, struct token_list *list);

bool wordpiece_init(struct tokenizer *tokenizer, struct error *err);
void wordpiece_free(struct wordpiece *wordpiece);
bool wordpiece_encode(const struct tokenizer *tokenizer, const char *text, size_t length, struct token_list *list);

#endif
