// Which file is which, whatever it is called.
#include "engine/text/vocabulary.h"

#include "engine/text/tokenizer.h"
#include "engine/text/vocabulary_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_NAME(id, name) name,
static const char *const part_names[PART_COUNT] = {VOCABULARY_PARTS(PART_NAME)};
#undef PART_NAME

// In the order in which a folder is searched; a part that was found already is not read again.
static const char *const roberta_names[] = {"vocab.json", "merges.txt", "encoder.json", "vocab.bpe", "dict.txt",
                                            "tokenizer.json", NULL};
static const char *const bert_names[] = {"vocab.txt", "tokenizer.json", NULL};

static const char *const *names_of(enum vocabulary_kind kind)
{
    return kind == VOCABULARY_ROBERTA ? roberta_names : bert_names;
}

static char *join_path(const char *folder, const char *name)
{
    char *path = malloc(strlen(folder) + strlen(name) + 2);
    if (path)
        sprintf(path, "%s/%s", folder, name);
    return path;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// "31373 1234567" or "madeupword0000 0": a line of fairseq's dictionaries.
static bool is_dictionary_line(const char *line)
{
    size_t word = strncmp(line, "madeupword", 10) == 0 ? strcspn(line, " ") : strspn(line, "0123456789");
    const char *number = line + word + (line[word] == ' ');
    return word > 0 && number > line + word && *number && !number[strspn(number, "0123456789")];
}

static enum vocabulary_part part_of_lines(const struct text_file *text)
{
    size_t first = text->line_count > 1 && !strncmp(text->lines[0], "#version", 8) ? 1 : 0;
    const char *line = text->line_count ? text->lines[first] : "";
    if (is_dictionary_line(line))
        return PART_DICT;
    return strchr(line, ' ') ? PART_MERGES : PART_VOCAB_TXT;
}

static enum vocabulary_part part_of_json(const json_t *json)
{
    return json_is_object(json_object_get(json, "model")) ? PART_TOKENIZER_JSON
         : json_object_get(json, "<s>")                   ? PART_VOCAB_JSON
         : json_is_object(json)                           ? PART_ENCODER
                                                          : PART_COUNT;
}

static bool read_file(struct vocabulary_file *file, enum vocabulary_part *part, struct error *err)
{
    if (!text_file_open(&file->text, file->path, err))
        return false;
    if (!text_file_is_json(&file->text)) {
        if (!text_file_split(&file->text, file->path, err))
            return false;
        *part = part_of_lines(&file->text);
        return true;
    }
    json_error_t problem;
    file->json = json_loads(file->text.text, JSON_REJECT_DUPLICATES, &problem);
    if (!file->json)
        return error_set(err, ERROR_INPUT, "%s is not valid JSON: line %d: %s", file->path, problem.line, problem.text);
    *part = part_of_json(file->json);
    if (*part == PART_COUNT)
        return error_set(err, ERROR_INPUT, "%s is a JSON list; expected the object of a vocab.json, encoder.json or "
                                           "tokenizer.json", file->path);
    return true;
}

static void free_file(struct vocabulary_file *file)
{
    free(file->path);
    text_file_close(&file->text);
    json_decref(file->json);
    *file = (struct vocabulary_file){0};
}

// Takes over `path`. again: whether a second file of the same kind is an error or passed over.
static bool add_file(struct vocabulary_files *files, char *path, bool again_is_error, struct error *err)
{
    struct vocabulary_file file = {.path = path};
    enum vocabulary_part part = PART_COUNT;
    if (!path)
        return error_no_memory(err, "the vocabulary");
    bool ok = read_file(&file, &part, err), again = ok && files->parts[part].path;
    if (again && again_is_error)
        ok = error_set(err, ERROR_INPUT, "%s and %s both are what is published as %s; give one of them",
                       files->parts[part].path, path, part_names[part]);
    if (ok && !again)
        files->parts[part] = file;
    else
        free_file(&file);
    return ok;
}

static bool add_folder(struct vocabulary_files *files, enum vocabulary_kind kind, const char *folder, struct error *err)
{
    int found = 0;
    for (const char *const *name = names_of(kind); *name; name++) {
        char *path = join_path(folder, *name);
        if (path && access(path, F_OK) != 0) {
            free(path);
            continue;
        }
        found++;
        if (!add_file(files, path, false, err))
            return false;
    }
    if (found)
        return true;
    if (kind == VOCABULARY_BERT)
        return error_set(err, ERROR_INPUT, "the folder %s has no BERT vocabulary: expected vocab.txt or tokenizer.json",
                         folder);
    return error_set(err, ERROR_INPUT,
                     "the folder %s has no RoBERTa vocabulary: expected vocab.json and merges.txt, or encoder.json, "
                     "vocab.bpe and dict.txt, or tokenizer.json",
                     folder);
}

bool vocabulary_in_folder(enum vocabulary_kind kind, const char *folder)
{
    bool found = false;
    for (const char *const *name = names_of(kind); *name && !found; name++) {
        char *path = join_path(folder, *name);
        found = path && access(path, F_OK) == 0;
        free(path);
    }
    return found;
}

// The JSON text, once the tokenizer that it describes has been built.
static char *finish(json_t *object, struct error *err)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (object && !text)
        error_no_memory(err, "the vocabulary");
    json_decref(object);
    struct tokenizer *tokenizer = text ? tokenizer_from_json(text, err) : NULL;
    if (text && !tokenizer) {
        free(text);
        text = NULL;
    }
    tokenizer_free(tokenizer);
    return text;
}

char *vocabulary_read(enum vocabulary_kind kind, const char *const paths[], int count, struct error *err)
{
    struct vocabulary_files files = {0};
    bool ok = count > 0 || error_set(err, ERROR_INPUT, "no vocabulary file is given");
    for (int i = 0; ok && i < count; i++)
        ok = is_folder(paths[i]) ? add_folder(&files, kind, paths[i], err)
                                 : add_file(&files, strdup(paths[i]), true, err);
    char *text = NULL;
    if (ok)
        text = finish(kind == VOCABULARY_ROBERTA ? vocabulary_build_roberta(&files, err)
                                                 : vocabulary_build_bert(&files, err), err);
    for (int p = 0; p < PART_COUNT; p++)
        free_file(&files.parts[p]);
    return text;
}
