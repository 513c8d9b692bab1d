#include "engine/text/answers.h"

#include "engine/text/text_file.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { ANSWERS_MOST = 1 << 20 };

static json_t *from_lines(struct text_file *file, const char *path, struct error *err)
{
    if (!text_file_split(file, path, err))
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < file->line_count; i++)
        if (json_array_append_new(list, json_string(file->lines[i])) != 0) {
            error_no_memory(err, "the answers");
            json_decref(list);
            return NULL;
        }
    return list;
}

// {"0": "net", "1": "pitcher", ...} as ViLT's vqa_dict.json has it.
static json_t *from_object(const json_t *object, const char *path, struct error *err)
{
    const json_t *inner = json_object_get(object, "id2label");
    const json_t *map = json_is_object(inner) ? inner : object;
    size_t count = json_object_size(map);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        json_t *answer = json_object_get(map, key);
        if (!answer) {
            error_set(err, ERROR_INPUT, "%s: of its %zu answers none has the number \"%zu\"; expected \"0\" to \"%zu\"",
                      path, count, i, count - 1);
            json_decref(list);
            return NULL;
        }
        if (json_array_append(list, answer) != 0) {
            error_no_memory(err, "the answers");
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

// What was meant as JSON is read as such even where it is broken: taken as lines, a list would be a single answer. A lone
// word in brackets is a line, as "[PAD]", and so is one in quotation marks that no comma follows.
static bool means_json(const struct text_file *file)
{
    const char *first = file->text + strspn(file->text, " \t\r\n");
    size_t line = strcspn(first, "\r\n"), word = strcspn(first, " \t,:'\"\r\n");
    while (line > 0 && (first[line - 1] == ' ' || first[line - 1] == '\t'))
        line--;
    if (*first == '[' || *first == '{')
        return word < line || line < 2 || first[line - 1] != (*first == '[' ? ']' : '}') || text_file_is_json(file);
    return *first == '"' && first[line - 1] == ',';
}

static json_t *from_json(const struct text_file *file, const char *path, struct error *err)
{
    json_error_t problem;
    json_t *root = json_loads(file->text, JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        error_set(err, ERROR_INPUT, "%s is not valid JSON: line %d, column %d: %s", path, problem.line, problem.column,
                  problem.text);
        return NULL;
    }
    json_t *list = json_is_array(root) ? json_incref(root) : from_object(root, path, err);
    json_decref(root);
    return list;
}

static bool check(const json_t *list, const char *path, int labels, struct error *err)
{
    size_t count = json_array_size(list), i;
    const json_t *answer;
    bool any_empty = false;
    if (count < 1 || count > ANSWERS_MOST)
        return error_set(err, ERROR_INPUT, "%s holds %zu answers; expected 1 to %d", path, count, ANSWERS_MOST);
    json_array_foreach(list, i, answer)
    {
        if (!json_is_string(answer) || json_string_length(answer) > TEXT_FILE_LINE)
            return error_set(err, ERROR_INPUT, "%s: answer %zu is not a string of at most %d bytes", path, i,
                             TEXT_FILE_LINE);
        any_empty |= json_string_length(answer) == 0;
    }
    if (!labels || count == (size_t)labels)
        return true;
    if (count + 1 == (size_t)labels && !any_empty)
        return error_set(err, ERROR_INPUT,
                         "%s holds %zu answers, the model has %d: METER's list has an empty answer that BLIP's leaves "
                         "out (an empty line, between car and cargo)",
                         path, count, labels);
    return error_set(err, ERROR_INPUT, "%s holds %zu answers, the model has %d", path, count, labels);
}

char *answers_read(const char *path, int labels, int *count, struct error *err)
{
    struct text_file file;
    char *text = NULL;
    if (!text_file_open(&file, path, err))
        return NULL;
    json_t *list = means_json(&file) ? from_json(&file, path, err) : from_lines(&file, path, err);
    if (list && check(list, path, labels, err)) {
        text = json_dumps(list, JSON_COMPACT);
        if (count)
            *count = (int)json_array_size(list);
        if (!text)
            error_no_memory(err, "the answers");
    }
    json_decref(list);
    text_file_close(&file);
    return text;
}
