#include "engine/io/question_private.h"

#include "engine/base/file.h"
#include "engine/base/memory.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT = 1 << 30, BOX_LIMIT = 4096 };

static void free_question(struct question *q)
{
    for (int p = 0; p < QUESTION_PICTURES; p++)
        free(q->pictures[p]);
    free(q->text);
    free(q->answer);
    free(q->type);
    memory_free(q->needed);
    memory_free(q->others);
}

int question_set_pictures(const struct question_set *set)
{
    return set->count && set->questions[0].pictures[1] ? 2 : 1;
}

void question_set_free(struct question_set *set)
{
    for (int i = 0; i < set->count; i++)
        free_question(&set->questions[i]);
    free(set->questions);
    free(set->path);
    *set = (struct question_set){0};
}

static char *below(const char *base, const char *name)
{
    const char *slash = strrchr(base, '/');
    size_t folder = slash && name[0] != '/' ? (size_t)(slash - base) + 1 : 0;
    char *path = malloc(folder + strlen(name) + 1);
    if (path) {
        memcpy(path, base, folder);
        memcpy(path + folder, name, strlen(name) + 1);
    }
    return path;
}

bool question_check_object(const json_t *root, const json_error_t *where, struct error *err)
{
    if (json_is_object(root))
        return true;
    return root ? error_set(err, ERROR_INPUT, "this is a list, and not a JSON object in braces")
                : error_set(err, ERROR_INPUT, "this is not JSON: column %d: %s", where->column, where->text);
}

bool question_read_pictures(struct question *q, const json_t *value, const char *base, struct error *err)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count < 1 || count > QUESTION_PICTURES)
        return error_set(err, ERROR_INPUT, "\"picture\" lists %zu pictures; expected 1 or 2", count);
    for (size_t p = 0; p < count; p++) {
        const char *name = json_string_value(json_is_array(value) ? json_array_get(value, p) : value);
        if (!name || !*name)
            return error_set(err, ERROR_INPUT, "\"picture\" is missing or not a file name");
        if (!(q->pictures[p] = below(base, name)))
            return error_no_memory(err, "the question set");
    }
    return true;
}

bool question_read_text(char **to, const json_t *root, const char *key, bool needed, struct error *err)
{
    const json_t *value = json_object_get(root, key);
    const char *text = json_string_value(value);
    if (!text && (needed || value))
        return error_set(err, ERROR_INPUT, "\"%s\" is missing or not a string", key);
    return (*to = strdup(text ? text : "")) || error_no_memory(err, "the question set");
}

static bool read_boxes(struct question_box **to, int *count, const json_t *root, const char *key, struct error *err)
{
    const json_t *list = json_object_get(root, key);
    size_t size = json_array_size(list);
    *count = 0;
    if (!list)
        return true;
    if (!json_is_array(list) || size > BOX_LIMIT)
        return error_set(err, ERROR_INPUT, "\"%s\" is not a list of at most %d boxes", key, BOX_LIMIT);
    if (!(*to = memory_alloc(size, sizeof **to)))
        return error_no_memory(err, "the question set");
    for (size_t i = 0; i < size; i++) {
        double v[4];
        for (size_t k = 0; k < 4; k++) {
            const json_t *number = json_array_get(json_array_get(list, i), k);
            v[k] = json_is_number(number) ? json_number_value(number) : (double)NAN;
        }
        if (!(v[0] < v[2] && v[1] < v[3]))
            return error_set(err, ERROR_INPUT, "box %zu of \"%s\" is not [x0, y0, x1, y1] with x0 < x1 and y0 < y1", i,
                             key);
        (*to)[i] = (struct question_box){v[0], v[1], v[2], v[3]};
    }
    *count = (int)size;
    return true;
}

static bool read_question(struct question *q, const char *line, size_t length, const char *base, bool answered,
                          struct error *err)
{
    json_error_t where;
    json_t *root = json_loadb(line, length, 0, &where);
    bool ok = question_check_object(root, &where, err);
    ok = ok && question_read_pictures(q, json_object_get(root, "picture"), base, err) &&
         question_read_text(&q->text, root, "question", true, err) &&
         question_read_text(&q->answer, root, "answer", answered, err) &&
         question_read_text(&q->type, root, "type", false, err) &&
         read_boxes(&q->needed, &q->needed_count, root, "needed", err) &&
         read_boxes(&q->others, &q->other_count, root, "others", err);
    json_decref(root);
    return ok;
}

struct question *question_set_add(struct question_set *set, struct error *err)
{
    if (set->count == set->capacity) {
        int more = set->capacity ? set->capacity * 2 : 64;
        struct question *grown = set->capacity < INT_MAX / 2 ? realloc(set->questions, (size_t)more * sizeof *grown) : NULL;
        if (!grown) {
            error_no_memory(err, "the question set");
            return NULL;
        }
        set->questions = grown;
        set->capacity = more;
    }
    struct question *q = &set->questions[set->count++];
    *q = (struct question){0};
    return q;
}

bool question_set_blame(const struct question_set *set, int index, struct error *err)
{
    return set->path ? error_prefix(err, "%s, line %d", set->path, set->questions[index].line) : false;
}

static bool read_set(struct question_set *set, const char *path, int limit, bool answered, struct error *err)
{
    unsigned char *data;
    size_t size;
    int number = 0;
    bool ok = true;
    *set = (struct question_set){.path = strdup(path)};
    if (!set->path)
        return error_no_memory(err, "the question set");
    if (!file_read(path, SIZE_LIMIT, &data, &size, err)) {
        question_set_free(set);
        return false;
    }
    const char *text = (const char *)data, *end = text + size;
    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) // the byte order mark of some editors
        text += 3;
    for (const char *line = text; ok && line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        number++;
        if (strspn(line, " \t\r") < length) {
            if (limit && set->count == limit)
                break;
            struct question *q = question_set_add(set, err);
            ok = q != NULL;
            if (q) {
                q->line = number;
                ok = read_question(q, line, length, path, answered, err) || question_set_blame(set, set->count - 1, err);
            }
        }
        line += length + 1;
    }
    memory_free(data);
    if (ok && set->count == 0)
        ok = error_set(err, ERROR_INPUT, "%s holds no questions", path);
    if (!ok)
        question_set_free(set);
    return ok;
}

bool question_set_read(struct question_set *set, const char *path, int limit, struct error *err)
{
    return read_set(set, path, limit, true, err);
}

bool question_set_read_unanswered(struct question_set *set, const char *path, int limit, struct error *err)
{
    return read_set(set, path, limit, false, err);
}
