// What the kinds of tokenizers have in common: the vocabulary, special tokens, dispatch.
#include "engine/text/tokenizer.h"

#include "engine/base/memory.h"
#include "engine/text/tokenizer_private.h"

#include <string.h>

bool token_list_full(const struct token_list *list)
{
    return list->count >= list->max - 1;
}

bool token_list_add(struct token_list *list, int id, size_t from, size_t to)
{
    if (token_list_full(list))
        return false;
    list->tokens[list->count++] = (struct token){id, (int)from, (int)to, id == list->unknown};
    return true;
}

int tokenizer_id(const struct tokenizer *tokenizer, const char *text)
{
    const json_t *id = json_object_get(tokenizer->ids, text);
    return id ? (int)json_integer_value(id) : -1;
}

pcre2_code *pattern_compile(const char *pattern, struct error *err)
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL | PCRE2_MATCH_INVALID_UTF, &code,
                                         &offset, NULL);
    if (!compiled)
        error_no_memory(err, "the tokenizer's patterns");
    return compiled;
}

bool pattern_find(const pcre2_code *pattern, pcre2_match_data *match, const char *text, size_t length, size_t at,
                  size_t *from, size_t *to)
{
    if (pcre2_match(pattern, (PCRE2_SPTR)text, length, at, 0, match, NULL) < 0)
        return false;
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
    *from = range[0];
    *to = range[1];
    return range[1] > range[0];
}

// Ids must be 0 .. n-1, each once, so that an embedding row exists for each and each row has a spelling.
static bool index_vocabulary(struct tokenizer *tokenizer, struct error *err)
{
    size_t size = json_object_size(tokenizer->ids);
    tokenizer->texts = memory_alloc(size, sizeof *tokenizer->texts);
    if (!tokenizer->texts)
        return error_no_memory(err, "the vocabulary");
    tokenizer->size = (int)size;
    const char *text;
    json_t *id;
    json_object_foreach(tokenizer->ids, text, id)
    {
        json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
        if (value < 0 || value >= (json_int_t)size || tokenizer->texts[value])
            return error_set(err, ERROR_INPUT,
                             "the tokenizer's vocabulary of %zu does not number its tokens 0 to %zu: see \"%.40s\"",
                             size, size - 1, text);
        tokenizer->texts[value] = text;
    }
    return true;
}

#define ROBERTA_NAME(id, roberta, bert) roberta,
#define BERT_NAME(id, roberta, bert)    bert,
static const char *const roberta_names[TOKENIZER_SPECIALS] = {TOKENIZER_SPECIAL_TOKENS(ROBERTA_NAME)};
static const char *const bert_names[TOKENIZER_SPECIALS] = {TOKENIZER_SPECIAL_TOKENS(BERT_NAME)};
#undef ROBERTA_NAME
#undef BERT_NAME

static bool find_specials(struct tokenizer *tokenizer, const char *const names[], struct error *err)
{
    for (int i = 0; i < TOKENIZER_SPECIALS; i++) {
        tokenizer->special[i] = *names[i] ? tokenizer_id(tokenizer, names[i]) : -1;
        if (i < ID_SPECIALS && tokenizer->special[i] < 0)
            return error_set(err, ERROR_INPUT, "the tokenizer's vocabulary has no token \"%s\"", names[i]);
    }
    return true;
}

// The first four have fixed ids here, where BERT's may be anywhere.
static bool find_roberta_specials(struct tokenizer *tokenizer, struct error *err)
{
    for (int i = 0; i < ID_SPECIALS; i++)
        if (strcmp(tokenizer_text(tokenizer, i), roberta_names[i]) != 0)
            return error_set(err, ERROR_INPUT, "token %d of the tokenizer's vocabulary is \"%.40s\", not \"%s\"", i,
                             tokenizer_text(tokenizer, i), roberta_names[i]);
    return find_specials(tokenizer, roberta_names, err);
}

// {"tokens": [...]} becomes the same map that {"vocab": {...}} is.
static json_t *number_tokens(const json_t *tokens, struct error *err)
{
    json_t *ids = json_object();
    bool ok = ids || error_no_memory(err, "the vocabulary");
    for (size_t i = 0; ok && i < json_array_size(tokens); i++) {
        const char *text = json_string_value(json_array_get(tokens, i));
        if (!text || json_object_get(ids, text))
            ok = error_set(err, ERROR_INPUT, "the tokenizer's token %zu is not a string, or a repeated one", i);
        else if (json_object_set_new(ids, text, json_integer((json_int_t)i)) != 0)
            ok = error_no_memory(err, "the vocabulary");
    }
    if (ok)
        return ids;
    json_decref(ids);
    return NULL;
}

static bool build(struct tokenizer *tokenizer, const json_t *root, struct error *err)
{
    const char *kind = json_string_value(json_object_get(root, "kind"));
    json_t *tokens = json_object_get(root, "tokens"), *vocabulary = json_object_get(root, "vocab");
    bool words = kind && !strcmp(kind, "words"), roberta = kind && !strcmp(kind, "roberta");
    bool bert = kind && !strcmp(kind, "bert"), list = json_is_array(tokens);
    if (!((words || bert) && list) && !(roberta && (list || json_is_object(vocabulary))))
        return error_set(err, ERROR_INPUT,
                         "the tokenizer is neither of kind \"words\" or \"bert\" with \"tokens\" nor of kind "
                         "\"roberta\" with \"vocab\" and \"merges\"");
    tokenizer->ids = list ? number_tokens(tokens, err) : json_incref(vocabulary);
    if (!tokenizer->ids || !index_vocabulary(tokenizer, err))
        return false;
    if (bert)
        return find_specials(tokenizer, bert_names, err) && wordpiece_init(tokenizer, err);
    return find_roberta_specials(tokenizer, err) &&
           (words ? words_init(tokenizer, root, err) : bpe_init(tokenizer, root, err));
}

struct tokenizer *tokenizer_from_json(const char *json, struct error *err)
{
    json_error_t problem;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &problem);
    if (!root && json_error_code(&problem) == json_error_out_of_memory) {
        error_no_memory(err, "the tokenizer");
        return NULL;
    }
    if (!root) {
        error_set(err, ERROR_INPUT, "the tokenizer is not valid JSON at byte %d: %s", problem.position, problem.text);
        return NULL;
    }
    struct tokenizer *tokenizer = memory_alloc(1, sizeof *tokenizer);
    if (!tokenizer) {
        error_no_memory(err, "the tokenizer");
    } else if (!build(tokenizer, root, err)) {
        tokenizer_free(tokenizer);
        tokenizer = NULL;
    }
    json_decref(root);
    return tokenizer;
}

void tokenizer_free(struct tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    words_free(tokenizer->words);
    bpe_free(tokenizer->bpe);
    wordpiece_free(tokenizer->wordpiece);
    memory_free(tokenizer->texts);
    json_decref(tokenizer->ids);
    memory_free(tokenizer);
}

static int encode(const struct tokenizer *tokenizer, const char *text, size_t length, struct token *out, int max)
{
    if (max < 2)
        return 0;
    struct token_list list = {out, 1, max, tokenizer->special[TOKENIZER_UNKNOWN]};
    out[0] = (struct token){.id = tokenizer->special[TOKENIZER_START]};
    bool ok = tokenizer->words ? words_encode(tokenizer, text, length, &list)
            : tokenizer->bpe   ? bpe_encode(tokenizer, text, length, &list)
                               : wordpiece_encode(tokenizer, text, length, &list);
    out[list.count++] =
        (struct token){.id = tokenizer->special[TOKENIZER_END], .from = (int)length, .to = (int)length};
    return ok ? list.count : 0;
}

int tokenizer_encode(const struct tokenizer *tokenizer, const char *text, struct token *out, int max)
{
    return encode(tokenizer, text, strnlen(text, TEXT_LIMIT), out, max);
}

void tokenizer_set_rule(struct tokenizer *tokenizer, enum text_rule rule, int words)
{
    tokenizer->rule = rule;
    tokenizer->rule_words = words;
}

int tokenizer_encode_question(const struct tokenizer *tokenizer, const char *text, struct token *out, int max)
{
    struct ruled_text ruled;
    if (tokenizer->rule == TEXT_RULE_NONE)
        return tokenizer_encode(tokenizer, text, out, max);
    if (!ruled_text_make(&ruled, tokenizer->rule, tokenizer->rule_words, text, strnlen(text, TEXT_LIMIT)))
        return 0;
    int count = encode(tokenizer, ruled.text, ruled.length, out, max);
    for (int t = 1; t < count; t++) {
        int from = out[t].from, to = out[t].to;
        out[t].from = ruled.from[from];
        out[t].to = to > from ? ruled.to[to - 1] : out[t].from;
    }
    ruled_text_free(&ruled);
    return count;
}

int tokenizer_special(const struct tokenizer *tokenizer, enum tokenizer_special special)
{
    return tokenizer->special[special];
}

int tokenizer_size(const struct tokenizer *tokenizer)
{
    return tokenizer->size;
}

const char *tokenizer_text(const struct tokenizer *tokenizer, int id)
{
    return id >= 0 && id < tokenizer->size ? tokenizer->texts[id] : "";
}

int tokenizer_complete(const struct tokenizer *tokenizer, const char *prefix, const char **out, int max)
{
    return tokenizer->words ? words_complete(tokenizer, prefix, out, max) : 0;
}

int tokenizer_cut(const struct tokenizer *tokenizer, const char *text, int max)
{
    struct token *tokens = memory_alloc((size_t)max + 1, sizeof *tokens);
    int count = tokens ? tokenizer_encode_question(tokenizer, text, tokens, max + 1) : 0;
    int cut = count > max ? tokens[max - 1].from : -1;
    if (count > 0 && cut < 0 && (size_t)tokens[count - 1].from < strlen(text))
        cut = tokens[count - 1].from; // a rule's limit, or TEXT_LIMIT
    memory_free(tokens);
    return cut;
}

const char *tokenizer_nearest(const struct tokenizer *tokenizer, const char *word, size_t length)
{
    return tokenizer->words ? words_nearest(tokenizer, word, length) : NULL;
}
