// From a question to token ids, each with the bytes of the question it covers.
#ifndef TRIMSCOPE_TEXT_TOKENIZER_H
#define TRIMSCOPE_TEXT_TOKENIZER_H

#include "engine/base/error.h"
#include "engine/text/rule.h"

#include <stdbool.h>
#include <stddef.h>

struct token {
    int id;
    int from, to; // bytes of the text; from == to for what stands at both ends (<s> and </s>, [CLS] and [SEP])
    bool unknown; // stands for a word the vocabulary does not hold
};

struct tokenizer;

// Built from the JSON that a weights file carries in its metadata key "tokenizer":
//   {"kind": "words", "tokens": ["<s>", "<pad>", "</s>", "<unk>", "##s", "dog", ...], "forms": {"mice": ["mouse", "##s"],
//    "colour": ["color"], ...}}
// A word-level tokenizer: lower-cased, split at everything that is not a letter, digit or apostrophe inside a word; a
// surface form is looked up in forms, then in tokens, then as a regular plural (s, es, ies) of a token followed by
// "##s", else it is <unk>. Ids follow RoBERTa's scheme: 0 <s>, 1 <pad>, 2 </s>, 3 <unk>. Each token of a form covers
// the whole word; of a regular plural (in the forms or not), "##s" covers the ending.
//   {"kind": "roberta", "vocab": {...}, "merges": ["..."]}   byte-level BPE, vlm_spec §5.1 (RoBERTa ids)
// "tokens", a list in the order of the ids, may stand in the place of "vocab". A token covers whole characters (two tokens
// may share one), without the space that leads a word.
//   {"kind": "bert", "tokens": ["[PAD]", ...]}   BERT's uncased WordPiece, vlm_spec §5.2, with BLIP's [DEC] and [ENC]
// A token covers the characters that it was made of, accents that were stripped included.
// All: bytes that are not UTF-8 are passed over; only the first 16 kB of a text are read. NULL and *err on bad JSON.
struct tokenizer *tokenizer_from_json(const char *json, struct error *err);
void tokenizer_free(struct tokenizer *tokenizer);

// <s> tokens </s> (BERT: [CLS] tokens [SEP]), at most `max` (longer text is cut before </s>, as METER and BLIP do). Returns
// the count; 0 when there is no memory or `max` is below 2. May be called from several threads.
int tokenizer_encode(const struct tokenizer *tokenizer, const char *text, struct token *out, int max);

// What the model's own code does to a question first, of which it keeps `words` words (0: all): nothing, unless this is
// called, before the tokenizer is shared between threads.
void tokenizer_set_rule(struct tokenizer *tokenizer, enum text_rule rule, int words);

// tokenizer_encode() of a question under that rule. Places are those in `text`, whatever the rule made of it.
int tokenizer_encode_question(const struct tokenizer *tokenizer, const char *text, struct token *out, int max);

// The text that token ids stand for, as BERT's tokenizer decodes it (vlm_spec §5.2): special tokens and ids out of range
// are left out, pieces are joined, punctuation is drawn to the word before it. malloc'ed; NULL when there is no memory.
// BERT and word tokenizers only.
char *tokenizer_decode(const struct tokenizer *tokenizer, const int *ids, int count);

// Tokens with a meaning of their own: RoBERTa's name (also of word tokenizers), BERT's name.
#define TOKENIZER_SPECIAL_TOKENS(X)                                                                            \
    X(START, "<s>", "[CLS]")                                                                                   \
    X(PAD, "<pad>", "[PAD]")                                                                                   \
    X(END, "</s>", "[SEP]")                                                                                    \
    X(UNKNOWN, "<unk>", "[UNK]")                                                                               \
    X(MASK, "<mask>", "[MASK]")                                                                                \
    X(DECODE, "", "[DEC]")                                                                                     \
    X(ENCODE, "", "[ENC]")
#define TOKENIZER_SPECIAL_ENUM(id, roberta, bert) TOKENIZER_##id,
enum tokenizer_special { TOKENIZER_SPECIAL_TOKENS(TOKENIZER_SPECIAL_ENUM) TOKENIZER_SPECIALS };
#undef TOKENIZER_SPECIAL_ENUM
// Its id; -1 where the vocabulary has no such token. The first four are always there.
int tokenizer_special(const struct tokenizer *tokenizer, enum tokenizer_special special);

int tokenizer_size(const struct tokenizer *tokenizer);
// The token's own spelling; "" for an id out of range.
const char *tokenizer_text(const struct tokenizer *tokenizer, int id);

// Words known to the vocabulary that start with `prefix`, for completion: fills at most `max` pointers (owned by the
// tokenizer), in alphabetical order, and returns how many. Word tokenizers only; 0 otherwise.
int tokenizer_complete(const struct tokenizer *tokenizer, const char *prefix, const char **out, int max);

// The byte of `text` from which on tokenizer_encode_question() with the same `max` leaves words out; -1 when it reads them
// all (or there is no memory to find out).
int tokenizer_cut(const struct tokenizer *tokenizer, const char *text, int max);

// The known word one edit away from a word of 3 letters or more (a letter missing, too many or wrong, or two swapped);
// the likeliest where there are several, NULL where there is none. Owned by the tokenizer. Word tokenizers only.
const char *tokenizer_nearest(const struct tokenizer *tokenizer, const char *word, size_t length);

#endif
