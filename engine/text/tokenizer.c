// What word and byte-pair tokenizers have in common: the vocabulary, special tokens, dispatch.
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
    list->tokens[list->count++] = (struct token){id, (int)from, (int)to, id == ID_UNKNOWN};
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
    static const char *const specials[ID_SPECIALS] = {"<s>", "<pad>", "</s>", "<unk>"};
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
    for (int i = 0; i < ID_SPECIALS; i++)
        if (strcmp(tokenizer_text(tokenizer, i), specials[i]) != 0)
            return error_set(err, ERROR_INPUT, "token %d of the tokenizer's vocabulary is \"%.40s\", not \"%s\"", i,
                             tokenizer_text(tokenizer, i), specials[i]);
    return true;
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
    const json_t *tokens = json_object_get(root, "tokens"), *vocabulary = json_object_get(root, "vocab");
    if (kind && !strcmp(kind, "words") && json_is_array(tokens)) {
        tokenizer->ids = number_tokens(tokens, err);
        return tokenizer->ids && index_vocabulary(tokenizer, err) && words_init(tokenizer, root, err);
    }
    if (kind && !strcmp(kind, "roberta") && json_is_object(vocabulary)) {
        tokenizer->ids = json_incref((json_t *)(size_t)vocabulary);
        return index_vocabulary(tokenizer, err) && bpe_init(tokenizer, root, err);
    }
    return error_set(err, ERROR_INPUT,
                     "the tokenizer is neither of kind \"words\" with \"tokens\" nor of kind \"roberta\" with "
                     "\"vocab\" and \"merges\"");
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
    memory_free(tokenizer->texts);
    json_decref(tokenizer->ids);
    memory_free(tokenizer);
}

int tokenizer_encode(const struct tokenizer *tokenizer, const char *text, struct token *out, int max)
{
    if (max < 2)
        return 0;
    struct token_list list = {out, 1, max};
    size_t length = strnlen(text, TEXT_LIMIT);
    out[0] = (struct token){.id = ID_START};
    bool ok = tokenizer->words ? words_encode(tokenizer, text, length, &list)
                               : bpe_encode(tokenizer, text, length, &list);
    out[list.count++] = (struct token){.id = ID_END, .from = (int)length, .to = (int)length};
    return ok ? list.count : 0;
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
    int count = tokens ? tokenizer_encode(tokenizer, text, tokens, max + 1) : 0;
    int cut = count > max ? tokens[max - 1].from : -1;
    if (count > 0 && cut < 0 && strlen(text) > TEXT_LIMIT)
        cut = TEXT_LIMIT;
    memory_free(tokens);
    return cut;
}

const char *tokenizer_nearest(const struct tokenizer *tokenizer, const char *word, size_t length)
{
    return tokenizer->words ? words_nearest(tokenizer, word, length) : NULL;
}
