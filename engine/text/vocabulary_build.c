// Vocabularies put together from their files (vlm_spec §5).
#include "engine/base/memory.h"
#include "engine/text/vocabulary_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// RoBERTa's dictionary: four special tokens, GPT-2's tokens by frequency, three that only make its size round, <mask>.
static const char *const roberta_specials[] = {"<s>", "<pad>", "</s>", "<unk>"};
enum { SPECIALS = 4, MADE_UP = 3, VOCABULARY_MOST = 1 << 20 };

static bool append(json_t *list, const char *text, struct error *err)
{
    return json_array_append_new(list, json_string(text)) == 0 || error_no_memory(err, "the vocabulary");
}

// ---- token -> id as a list in the order of ids -------------------------------------------------------------------

// owner[id] = token of a JSON object; NULL and *err where ids are not 0 to n - 1, each once. For memory_free().
static const char **index_tokens(const json_t *ids, const char *path, struct error *err)
{
    size_t count = json_object_size(ids);
    if (count < 1 || count > VOCABULARY_MOST) {
        error_set(err, ERROR_INPUT, "%s holds %zu tokens; expected 1 to %d", path, count, VOCABULARY_MOST);
        return NULL;
    }
    const char **tokens = memory_alloc(count, sizeof *tokens);
    if (!tokens) {
        error_no_memory(err, "the vocabulary");
        return NULL;
    }
    const char *token;
    json_t *id;
    json_object_foreach((json_t *)(size_t)ids, token, id)
    {
        json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
        if (value < 0 || value >= (json_int_t)count || tokens[value]) {
            error_set(err, ERROR_INPUT, "%s does not number its %zu tokens 0 to %zu, each once: see \"%.40s\"", path,
                      count, count - 1, token);
            memory_free(tokens);
            return NULL;
        }
        tokens[value] = token;
    }
    return tokens;
}

static json_t *list_from_ids(const json_t *ids, const char *path, struct error *err)
{
    const char **tokens = index_tokens(ids, path, err);
    json_t *list = tokens ? json_array() : NULL;
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < json_object_size(ids); i++)
        ok = append(list, tokens[i], err);
    memory_free(tokens);
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

// ---- RoBERTa ------------------------------------------------------------------------------------------------------

static bool add_dictionary_line(json_t *list, const char *line, const char *const *tokens, size_t count,
                                unsigned char *used, struct error *err)
{
    char *end;
    unsigned long id = strtoul(line, &end, 10);
    if (end == line || *end != ' ' || id >= count)
        return error_set(err, ERROR_INPUT, "\"%.40s\" is no token of GPT-2's with a count; ids are 0 to %zu", line,
                         count - 1);
    if (used[id]++)
        return error_set(err, ERROR_INPUT, "GPT-2's token %lu is there for the second time", id);
    return append(list, tokens[id], err);
}

static json_t *list_from_dictionary(const struct vocabulary_file *dict, const struct vocabulary_file *encoder,
                                    struct error *err)
{
    const char **tokens = index_tokens(encoder->json, encoder->path, err);
    size_t count = json_object_size(encoder->json), known = 0;
    unsigned char *used = tokens ? memory_alloc(count, 1) : NULL;
    json_t *list = json_array();
    bool ok = tokens && ((used && list) || error_no_memory(err, "the vocabulary"));
    for (int i = 0; ok && i < SPECIALS; i++)
        ok = append(list, roberta_specials[i], err);
    for (size_t i = 0; ok && i < dict->text.line_count; i++) {
        const char *line = dict->text.lines[i];
        if (!strncmp(line, "madeupword", 10))
            continue;
        ok = add_dictionary_line(list, line, tokens, count, used, err) ||
             error_prefix(err, "%s: line %zu", dict->path, i + 1);
        known++;
    }
    if (ok && known < count) {
        size_t missing = 0;
        while (used[missing])
            missing++;
        ok = error_set(err, ERROR_INPUT, "%s has %zu of the %zu tokens of %s: \"%.40s\" (%zu) is missing", dict->path,
                       known, count, encoder->path, tokens[missing], missing);
    }
    for (int i = 0; ok && i < MADE_UP; i++) {
        char word[24];
        snprintf(word, sizeof word, "madeupword%04d", i);
        ok = append(list, word, err);
    }
    ok = ok && append(list, "<mask>", err);
    memory_free(tokens);
    memory_free(used);
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

// A merge is "left right"; in newer tokenizer.json files a list of the two.
static bool add_merge(json_t *merges, const char *left, size_t length, const char *right, json_t *known,
                      struct error *err)
{
    size_t bytes = length + strlen(right);
    char *joined = malloc(bytes + 2);
    if (!joined)
        return error_no_memory(err, "the vocabulary");
    snprintf(joined, bytes + 1, "%.*s%s", (int)length, left, right);
    bool ok = json_object_get(known, joined) ||
              error_set(err, ERROR_INPUT, "it makes \"%.40s\", which the vocabulary does not hold; do the files belong "
                                          "together?", joined);
    if (ok) {
        snprintf(joined, bytes + 2, "%.*s %s", (int)length, left, right);
        ok = append(merges, joined, err);
    }
    free(joined);
    return ok;
}

static bool add_merge_line(json_t *merges, const char *line, json_t *known, struct error *err)
{
    const char *space = strchr(line, ' ');
    if (!space || space == line || !space[1] || strchr(space + 1, ' '))
        return error_set(err, ERROR_INPUT, "expected two pieces with a space between, found \"%.40s\"", line);
    return add_merge(merges, line, (size_t)(space - line), space + 1, known, err);
}

static json_t *merges_from_lines(const struct vocabulary_file *file, json_t *known, struct error *err)
{
    json_t *merges = json_array();
    const struct text_file *text = &file->text;
    size_t first = text->line_count && !strncmp(text->lines[0], "#version", 8) ? 1 : 0;
    for (size_t i = first; i < text->line_count; i++)
        if (!add_merge_line(merges, text->lines[i], known, err)) {
            error_prefix(err, "%s: line %zu", file->path, i + 1);
            json_decref(merges);
            return NULL;
        }
    return merges;
}

static json_t *merges_from_json(const struct vocabulary_file *file, const json_t *given, json_t *known,
                                struct error *err)
{
    json_t *merges = json_array(), *merge;
    size_t i;
    json_array_foreach((json_t *)(size_t)given, i, merge)
    {
        const char *line = json_string_value(merge);
        const char *left = json_string_value(json_array_get(merge, 0)), *right = json_string_value(json_array_get(merge, 1));
        bool ok = line            ? add_merge_line(merges, line, known, err)
                : left && right   ? add_merge(merges, left, strlen(left), right, known, err)
                                  : error_set(err, ERROR_INPUT, "expected two pieces");
        if (ok)
            continue;
        error_prefix(err, "%s: merge %zu", file->path, i);
        json_decref(merges);
        return NULL;
    }
    return merges;
}

// Takes over both; either may be NULL, for which *err is set already.
static json_t *pack_roberta(json_t *tokens, json_t *merges, struct error *err)
{
    json_t *object = tokens && merges ? json_pack("{s:s, s:O, s:O}", "kind", "roberta", "tokens", tokens, "merges", merges)
                                      : NULL;
    if (tokens && merges && !object)
        error_no_memory(err, "the vocabulary");
    json_decref(tokens);
    json_decref(merges);
    return object;
}

// The vocabulary of a tokenizer.json, and the special tokens that it keeps apart.
static json_t *ids_of_tokenizer(const struct vocabulary_file *file, const char *type, struct error *err)
{
    const json_t *model = json_object_get(file->json, "model"), *added = json_object_get(file->json, "added_tokens");
    const char *found = json_string_value(json_object_get(model, "type"));
    const json_t *vocabulary = json_object_get(model, "vocab");
    if (!json_is_object(vocabulary) || (found && strcmp(found, type) != 0)) {
        error_set(err, ERROR_INPUT, "%s is of the type %.20s; expected a vocabulary of the type %s", file->path,
                  found ? found : "?", type);
        return NULL;
    }
    json_t *ids = json_copy((json_t *)(size_t)vocabulary), *token;
    size_t i;
    json_array_foreach((json_t *)(size_t)added, i, token)
    {
        const char *text = json_string_value(json_object_get(token, "content"));
        json_t *id = json_object_get(token, "id");
        if (text && json_is_integer(id) && !json_object_get(ids, text))
            json_object_set(ids, text, id);
    }
    if (!ids)
        error_no_memory(err, "the vocabulary");
    return ids;
}

// The keys alone, for looking tokens up.
static json_t *known_tokens(const json_t *list)
{
    json_t *known = json_object(), *token;
    size_t i;
    json_array_foreach((json_t *)(size_t)list, i, token)
        json_object_set_new(known, json_string_value(token), json_true());
    return known;
}

static bool need(const struct vocabulary_files *files, enum vocabulary_part part, struct error *err)
{
    if (files->parts[part].path)
        return true;
    if (part == PART_DICT)
        return error_set(err, ERROR_INPUT,
                         "fairseq's dict.txt is missing: %s numbers tokens as GPT-2 does, and RoBERTa's numbers are the "
                         "lines of dict.txt (it lies beside fairseq's RoBERTa models); or give vocab.json instead",
                         files->parts[PART_ENCODER].path);
    if (part == PART_MERGES)
        return error_set(err, ERROR_INPUT,
                         "merges.txt (the same as vocab.bpe) is missing: a vocabulary alone does not say how words "
                         "are cut");
    if (files->parts[PART_VOCAB_TXT].path)
        return error_set(err, ERROR_INPUT,
                         "%s lists tokens line by line, as BERT does; the model needs RoBERTa's vocab.json and merges.txt, "
                         "or encoder.json, vocab.bpe and dict.txt",
                         files->parts[PART_VOCAB_TXT].path);
    const struct vocabulary_file *given = &files->parts[files->parts[PART_MERGES].path ? PART_MERGES : PART_DICT];
    return error_set(err, ERROR_INPUT,
                     "%s alone is not enough: the model needs RoBERTa's vocab.json and merges.txt, or encoder.json, "
                     "vocab.bpe and dict.txt",
                     given->path);
}

json_t *vocabulary_build_roberta(struct vocabulary_files *files, struct error *err)
{
    const struct vocabulary_file *whole = &files->parts[PART_TOKENIZER_JSON], *ids = &files->parts[PART_VOCAB_JSON];
    const struct vocabulary_file *encoder = &files->parts[PART_ENCODER], *lines = &files->parts[PART_MERGES];
    json_t *tokens = NULL, *merges = NULL;
    if (whole->path && !ids->path && !encoder->path) {
        json_t *map = ids_of_tokenizer(whole, "BPE", err);
        tokens = map ? list_from_ids(map, whole->path, err) : NULL;
        json_t *known = tokens ? known_tokens(tokens) : NULL;
        merges = tokens ? merges_from_json(whole, json_object_get(json_object_get(whole->json, "model"), "merges"), known, err)
                        : NULL;
        json_decref(known);
        json_decref(map);
        return pack_roberta(tokens, merges, err);
    }
    if (!ids->path && (!need(files, PART_ENCODER, err) || !need(files, PART_DICT, err)))
        return NULL;
    if (!need(files, PART_MERGES, err))
        return NULL;
    tokens = ids->path ? list_from_ids(ids->json, ids->path, err)
                       : list_from_dictionary(&files->parts[PART_DICT], encoder, err);
    json_t *known = tokens ? known_tokens(tokens) : NULL;
    merges = tokens ? merges_from_lines(lines, known, err) : NULL;
    json_decref(known);
    return pack_roberta(tokens, merges, err);
}

// ---- BERT ---------------------------------------------------------------------------------------------------------

static json_t *list_from_lines(const struct vocabulary_file *file, struct error *err)
{
    json_t *list = json_array(), *seen = json_object();
    const struct text_file *text = &file->text;
    bool ok = (list && seen) || error_no_memory(err, "the vocabulary");
    for (size_t i = 0; ok && i < text->line_count; i++) {
        const char *token = text->lines[i];
        const json_t *before = json_object_get(seen, token);
        if (!*token)
            ok = error_set(err, ERROR_INPUT, "%s: line %zu is empty; expected a token", file->path, i + 1);
        else if (before)
            ok = error_set(err, ERROR_INPUT, "%s: line %zu repeats the token \"%.40s\" of line %d", file->path, i + 1,
                           token, (int)json_integer_value(before));
        else
            ok = append(list, token, err) && (json_object_set_new(seen, token, json_integer((json_int_t)i + 1)) == 0 ||
                                              error_no_memory(err, "the vocabulary"));
    }
    json_decref(seen);
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

// BLIP's two tokens, which its code adds to BERT's.
static bool add_blip_tokens(json_t *list, struct error *err)
{
    static const char *const names[] = {"[DEC]", "[ENC]"};
    json_t *known = known_tokens(list);
    bool ok = known || error_no_memory(err, "the vocabulary");
    for (int i = 0; ok && i < 2; i++)
        ok = json_object_get(known, names[i]) || append(list, names[i], err);
    json_decref(known);
    return ok;
}

json_t *vocabulary_build_bert(struct vocabulary_files *files, struct error *err)
{
    const struct vocabulary_file *lines = &files->parts[PART_VOCAB_TXT], *whole = &files->parts[PART_TOKENIZER_JSON];
    json_t *list = NULL;
    if (lines->path) {
        list = list_from_lines(lines, err);
    } else if (whole->path) {
        json_t *map = ids_of_tokenizer(whole, "WordPiece", err);
        list = map ? list_from_ids(map, whole->path, err) : NULL;
        json_decref(map);
    } else {
        error_set(err, ERROR_INPUT, "no BERT vocabulary is among the files: expected vocab.txt or tokenizer.json");
    }
    json_t *object = NULL;
    if (list && add_blip_tokens(list, err) && !(object = json_pack("{s:s, s:O}", "kind", "bert", "tokens", list)))
        error_no_memory(err, "the vocabulary");
    json_decref(list);
    return object;
}
