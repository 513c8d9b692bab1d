// Reading results: files from outside, or from a process that was killed.
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "engine/run/results_private.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATCHES = 1000000, WATCH_LINES = 256 }; // more patches than any picture has; lines between two looks at the watch

void results_free(struct results *results)
{
    question_set_free(&results->set);
    free(results->evaluations);
    free(results->ids);
    *results = (struct results){0};
}

static bool read_int(int *to, const json_t *root, const char *key, int low, int high, struct error *err)
{
    const json_t *value = json_object_get(root, key);
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < low || n > high)
        return error_set(err, ERROR_INPUT, "\"%s\" is missing or not a whole number from %d to %d", key, low, high);
    *to = (int)n;
    return true;
}

static bool read_number(double *to, const json_t *root, const char *key, double high, struct error *err)
{
    const json_t *value = json_object_get(root, key);
    *to = json_number_value(value);
    if (json_is_number(value) && *to >= 0 && *to <= high)
        return true;
    return error_set(err, ERROR_INPUT, "\"%s\" is missing or not a number from 0 to %g", key, high);
}

// A number, or null for one that is not there.
static bool read_optional(double *to, const json_t *root, const char *key, struct error *err)
{
    *to = (double)NAN;
    return json_is_null(json_object_get(root, key)) || read_number(to, root, key, 1, err);
}

static bool read_name(char *to, size_t size, const json_t *root, const char *key, struct error *err)
{
    const char *text = json_string_value(json_object_get(root, key));
    if (!text || strlen(text) >= size)
        return error_set(err, ERROR_INPUT, "\"%s\" is missing or not a text of at most %zu bytes", key, size - 1);
    memcpy(to, text, strlen(text) + 1);
    text_clean(to);
    return true;
}

static bool read_seed(uint64_t *seed, const json_t *root, struct error *err)
{
    const char *text = json_string_value(json_object_get(root, "seed"));
    char *end = NULL;
    if (text && *text >= '0' && *text <= '9')
        *seed = strtoull(text, &end, 10);
    return (end && !*end) || error_set(err, ERROR_INPUT, "\"seed\" is missing or not a number in quotes");
}

// Files from before there was a choice do not have it.
static bool read_exact(bool *exact, const json_t *value, struct error *err)
{
    *exact = json_is_true(value);
    return !value || json_is_boolean(value) || error_set(err, ERROR_INPUT, "\"exact\" is neither true nor false");
}

static bool read_shard(struct results_header *h, const json_t *list, struct error *err)
{
    json_int_t shard = json_integer_value(json_array_get(list, 0)), shards = json_integer_value(json_array_get(list, 1));
    if (json_array_size(list) != 2 || shard < 1 || shard > shards || shards > RESULTS_SHARDS)
        return error_set(err, ERROR_INPUT, "\"shard\" is not [i, n] with 1 <= i <= n <= %d", RESULTS_SHARDS);
    h->shard = (int)shard;
    h->shards = (int)shards;
    return true;
}

static bool read_header(struct results_header *h, const json_t *root, struct error *err)
{
    const json_t *model = json_object_get(root, "model"), *set = json_object_get(root, "set");
    const json_t *version = json_object_get(root, "trimscope_results");
    if (!json_is_integer(version))
        return error_set(err, ERROR_INPUT, "this is not a file of results; `trimscope eval SET --results FILE` makes them");
    if (json_integer_value(version) != 1)
        return error_set(err, ERROR_INPUT, "these results have version %lld; this program reads version 1",
                         (long long)json_integer_value(version));
    return read_name(h->model, sizeof h->model, model, "name", err) &&
           read_name(h->model_digest, sizeof h->model_digest, model, "digest", err) &&
           read_name(h->set, sizeof h->set, set, "path", err) &&
           read_name(h->set_digest, sizeof h->set_digest, set, "digest", err) &&
           read_int(&h->set_questions, set, "questions", 1, INT_MAX, err) &&
           read_name(h->policy, sizeof h->policy, root, "policy", err) &&
           read_optional(&h->budget, root, "budget", err) && read_seed(&h->seed, root, err) &&
           read_exact(&h->exact, json_object_get(root, "exact"), err) &&
           (!json_object_get(root, "writing") || read_name(h->writing, sizeof h->writing, root, "writing", err)) &&
           read_shard(h, json_object_get(root, "shard"), err) &&
           read_int(&h->questions, root, "questions", 0, h->set_questions, err);
}

static bool read_result(struct evaluation *e, const json_t *root, struct error *err)
{
    double p;
    const json_t *right = json_object_get(root, "right");
    if (!json_is_boolean(right))
        return error_set(err, ERROR_INPUT, "\"right\" is missing or neither true nor false");
    e->done = true;
    e->correct = json_is_true(right);
    bool ok = read_name(e->answer, sizeof e->answer, root, "answer", err) && read_optional(&p, root, "p", err) &&
              read_number(&e->share, root, "share", 1e6, err) && read_number(&e->spent, root, "macs", 1e30, err) &&
              read_number(&e->ms, root, "ms", 1e15, err) && read_int(&e->needed, root, "needed", 0, PATCHES, err) &&
              read_int(&e->needed_alive, root, "needed_alive", 0, e->needed, err) &&
              read_int(&e->other, root, "other", 0, PATCHES, err) &&
              read_int(&e->other_alive, root, "other_alive", 0, e->other, err) &&
              (!json_object_get(root, "objects") || read_int(&e->objects, root, "objects", 0, PATCHES, err)); // not in older files
    e->p = ok ? (float)p : NAN;
    return ok;
}

// Room for a row beside each question; grows when the list of questions does.
static bool grow_rows(struct results *r, int *capacity, struct error *err)
{
    if (*capacity >= r->set.capacity)
        return true;
    *capacity = r->set.capacity;
    void *evaluations = realloc(r->evaluations, (size_t)*capacity * sizeof *r->evaluations);
    if (evaluations)
        r->evaluations = evaluations;
    int *ids = realloc(r->ids, (size_t)*capacity * sizeof *ids);
    if (ids)
        r->ids = ids;
    return (evaluations && ids) || error_no_memory(err, "the results");
}

static bool read_row(struct results *r, int *capacity, const json_t *root, struct error *err)
{
    struct question *q = question_set_add(&r->set, err);
    if (!q || !grow_rows(r, capacity, err))
        return false;
    int row = r->set.count - 1;
    r->evaluations[row] = (struct evaluation){0};
    return read_int(&r->ids[row], root, "id", 0, r->header.set_questions - 1, err) &&
           question_read_pictures(q, json_object_get(root, "picture"), r->header.set, err) &&
           question_read_text(&q->text, root, "question", true, err) &&
           question_read_text(&q->type, root, "type", false, err) &&
           question_read_text(&q->answer, root, "truth", true, err) && read_result(&r->evaluations[row], root, err);
}

static bool read_line(struct results *r, int *capacity, int number, const char *line, size_t length, struct error *err)
{
    json_error_t where;
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &where);
    bool ok = question_check_object(root, &where, err);
    if (ok)
        ok = number == 1 ? read_header(&r->header, root, err) : read_row(r, capacity, root, err);
    json_decref(root);
    return ok || error_prefix(err, "line %d", number);
}

struct place {
    int id, row;
};

static int by_id(const void *a, const void *b)
{
    int x = ((const struct place *)a)->id, y = ((const struct place *)b)->id;
    return (x > y) - (x < y);
}

bool results_sort(struct results *r, struct error *err)
{
    int count = r->set.count;
    struct place *places = memory_alloc((size_t)count, sizeof *places);
    struct question *questions = malloc((size_t)count * sizeof *questions + 1);
    struct evaluation *evaluations = malloc((size_t)count * sizeof *evaluations + 1);
    bool ok = (places && questions && evaluations) || error_no_memory(err, "the results");
    for (int i = 0; ok && i < count; i++)
        places[i] = (struct place){r->ids[i], i};
    if (ok)
        qsort(places, (size_t)count, sizeof *places, by_id);
    for (int i = 0; ok && i < count; i++) {
        questions[i] = r->set.questions[places[i].row];
        evaluations[i] = r->evaluations[places[i].row];
        r->ids[i] = places[i].id;
    }
    if (ok) {
        free(r->set.questions);
        free(r->evaluations);
        r->set.questions = questions;
        r->set.capacity = count;
        r->evaluations = evaluations;
    } else {
        free(questions);
        free(evaluations);
    }
    memory_free(places);
    return ok;
}

static bool check_rows(const struct results *r, struct error *err)
{
    for (int i = 1; i < r->set.count; i++)
        if (r->ids[i] == r->ids[i - 1])
            return error_set(err, ERROR_INPUT, "question %d is in it twice", r->ids[i]);
    if (r->set.count > r->header.questions)
        return error_set(err, ERROR_INPUT, "it holds %d questions, and its first line says %d", r->set.count,
                         r->header.questions);
    return true;
}

bool results_parse(struct results *results, const char *text, size_t size, const struct watch *watch, struct error *err)
{
    int number = 0, capacity = 0;
    bool ok = true;
    *results = (struct results){0};
    for (const char *line = text, *end = text + size; ok && line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) { // whoever wrote it did not come to its end
            results->torn = true;
            break;
        }
        ok = (++number % WATCH_LINES || watch_go_on(watch, (double)(line - text) / (double)size, err)) &&
             read_line(results, &capacity, number, line, (size_t)(newline - line), err);
        line = newline + 1;
        results->whole = (size_t)(line - text);
    }
    if (ok && !number)
        ok = error_set(err, ERROR_INPUT, "this is not a file of results: it has no whole line");
    ok = ok && results_sort(results, err) && check_rows(results, err);
    if (!ok)
        results_free(results);
    return ok;
}

bool results_read(struct results *results, const char *path, const struct watch *watch, struct error *err)
{
    struct file_map map;
    *results = (struct results){0};
    if (!file_map(&map, path, err))
        return false;
    bool ok = results_parse(results, (const char *)map.data, map.size, watch, err) || error_prefix(err, "%s", path);
    file_unmap(&map);
    return ok;
}

bool results_read_header(struct results_header *header, const char *path, struct error *err)
{
    struct file_map map;
    struct results first;
    if (!file_map(&map, path, err))
        return false;
    const char *newline = memchr(map.data, '\n', map.size);
    size_t size = newline ? (size_t)(newline + 1 - (const char *)map.data) : map.size;
    bool ok = results_parse(&first, (const char *)map.data, size, NULL, err) || error_prefix(err, "%s", path);
    file_unmap(&map);
    if (ok)
        *header = first.header;
    results_free(&first);
    return ok;
}
