// Shards become one whole, and two wholes are compared.
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/run/evaluate_private.h"
#include "engine/run/results_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool same_budget(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static bool same_set(const struct results_header *a, const struct results_header *b, const char *path,
                     struct error *err)
{
    if (strcmp(a->set_digest, b->set_digest))
        return error_set(err, ERROR_INPUT, "%s is about another question set (%s, not %s, or that file has changed)", path,
                         b->set, a->set);
    if (a->set_questions != b->set_questions)
        return error_set(err, ERROR_INPUT, "%s is about %d questions of the set, not %d", path, b->set_questions,
                         a->set_questions);
    return true;
}

bool results_same_run(const struct results_header *a, const struct results_header *b, const char *path,
                      struct error *err)
{
    char budget_a[32] = "as trained", budget_b[32] = "as trained";
    if (strcmp(a->model_digest, b->model_digest))
        return error_set(err, ERROR_INPUT, "%s comes from other weights (%s, %s), not from %s, %s", path, b->model,
                         b->model_digest, a->model, a->model_digest);
    if (!same_set(a, b, path, err))
        return false;
    if (strcmp(a->policy, b->policy))
        return error_set(err, ERROR_INPUT, "%s comes from the policy %s, not %s", path, b->policy, a->policy);
    if (!isnan(a->budget))
        snprintf(budget_a, sizeof budget_a, "%g", a->budget);
    if (!isnan(b->budget))
        snprintf(budget_b, sizeof budget_b, "%g", b->budget);
    if (!same_budget(a->budget, b->budget))
        return error_set(err, ERROR_INPUT, "%s comes from the budget %s, not %s", path, budget_b, budget_a);
    if (strcmp(a->writing, b->writing))
        return error_set(err, ERROR_INPUT, "%s was answered otherwise (%s; here: %s)", path,
                         b->writing[0] ? b->writing : "no options", a->writing[0] ? a->writing : "no options");
    if (a->seed != b->seed)
        return error_set(err, ERROR_INPUT, "%s comes from the seed %llu, not %llu", path, (unsigned long long)b->seed,
                         (unsigned long long)a->seed);
    if (b->exact && !a->exact)
        return error_set(err, ERROR_INPUT, "%s comes from pictures read with --exact, not without", path);
    return b->exact || !a->exact ||
           error_set(err, ERROR_INPUT, "%s comes from pictures read without --exact, not with it", path);
}

// Each shard there, once, and done.
static bool check_parts(const struct results *parts, const char *const paths[], int count, struct error *err)
{
    const struct results_header *first = &parts[0].header;
    int shards = first->shards;
    for (int i = 0; i < count; i++) {
        const struct results_header *h = &parts[i].header;
        if (!results_same_run(first, h, paths[i], err))
            return error_prefix(err, "these do not belong together");
        if (h->shards != shards)
            return error_set(err, ERROR_INPUT, "%s is one of %d shards, and %s one of %d", paths[i], h->shards, paths[0],
                             shards);
        for (int k = 0; k < i; k++)
            if (parts[k].header.shard == h->shard)
                return error_set(err, ERROR_INPUT, "%s and %s are both shard %d of %d", paths[k], paths[i], h->shard,
                                 shards);
        if (parts[i].set.count < h->questions)
            return error_set(err, ERROR_INPUT,
                             "%s has %d of its %d questions: give the command that made it again, it goes on from there",
                             paths[i], parts[i].set.count, h->questions);
    }
    // Since no two are the same, one is missing exactly when they are too few.
    for (int shard = 1; count < shards && shard <= shards; shard++) {
        bool found = false;
        for (int i = 0; i < count && !found; i++)
            found = parts[i].header.shard == shard;
        if (!found)
            return error_set(err, ERROR_INPUT, "shard %d of %d is missing (%d of %d are here)", shard, shards, count,
                             shards);
    }
    return true;
}

static bool gather(struct results *whole, struct results *parts, int total, struct error *err)
{
    whole->header = parts[0].header;
    whole->header.shard = whole->header.shards = 1;
    whole->header.questions = whole->header.set_questions;
    whole->set.questions = malloc((size_t)total * sizeof *whole->set.questions + 1);
    whole->set.capacity = total;
    whole->evaluations = malloc((size_t)total * sizeof *whole->evaluations + 1);
    whole->ids = malloc((size_t)total * sizeof *whole->ids + 1);
    if (whole->set.questions && whole->evaluations && whole->ids)
        return true;
    results_free(whole);
    return error_no_memory(err, "the results");
}

// The rows of a part, which is left without any.
static void take_rows(struct results *whole, struct results *part)
{
    size_t count = (size_t)part->set.count, at = (size_t)whole->set.count;
    if (count) {
        memcpy(whole->set.questions + at, part->set.questions, count * sizeof *part->set.questions);
        memcpy(whole->evaluations + at, part->evaluations, count * sizeof *part->evaluations);
        memcpy(whole->ids + at, part->ids, count * sizeof *part->ids);
    }
    whole->set.count += part->set.count;
    part->set.count = 0;
    results_free(part);
}

bool results_merge(struct results *whole, struct results *parts, const char *const paths[], int count,
                   struct error *err)
{
    int total = 0;
    *whole = (struct results){0};
    for (int i = 0; i < count; i++)
        total += parts[i].set.count; // each at most as its header says, checked below against the set
    if (!check_parts(parts, paths, count, err))
        return false;
    if (total != parts[0].header.set_questions)
        return error_set(err, ERROR_INPUT, "the shards hold %d questions together, and the set has %d", total,
                         parts[0].header.set_questions);
    if (!gather(whole, parts, total, err))
        return false;
    for (int i = 0; i < count; i++)
        take_rows(whole, &parts[i]);
    bool ok = results_sort(whole, err);
    for (int i = 1; ok && i < total; i++)
        if (whole->ids[i] == whole->ids[i - 1])
            ok = error_set(err, ERROR_INPUT, "question %d is in two of the shards", whole->ids[i]);
    if (!ok)
        results_free(whole);
    return ok;
}

static bool copy_rows(FILE *to, const char *path, struct error *err)
{
    struct file_map map;
    if (!file_map(&map, path, err))
        return false;
    const char *text = (const char *)map.data, *rows = memchr(text, '\n', map.size);
    size_t size = rows ? map.size - (size_t)(rows + 1 - text) : 0;
    while (size && rows[size] != '\n') // a torn last line
        size--;
    fwrite(rows ? rows + 1 : text, 1, size, to);
    file_unmap(&map);
    return true;
}

bool results_join(const struct results_header *header, const char *const paths[], int count, const char *to,
                  struct error *err)
{
    struct file_writer writer;
    json_t *root = results_header_json(header);
    char *line = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    if (!line)
        return error_no_memory(err, "the results");
    bool ok = file_writer_open(&writer, to, err);
    if (ok) {
        fprintf(writer.stream, "%s\n", line); // a failure shows when it is committed
        for (int i = 0; ok && i < count; i++)
            ok = copy_rows(writer.stream, paths[i], err);
        if (ok)
            ok = file_writer_commit(&writer, err);
        else
            file_writer_give_up(&writer, err);
    }
    free(line);
    return ok;
}

// Sums over one picture's questions.
struct pair_sums {
    double questions, accuracy, share; // differences b - a
};

static void count_pair(struct results_comparison *c, struct pair_sums *sums, const struct evaluation *a,
                       const struct evaluation *b)
{
    c->questions++;
    c->both_right += a->correct && b->correct;
    c->only_a += a->correct && !b->correct;
    c->only_b += !a->correct && b->correct;
    c->neither += !a->correct && !b->correct;
    sums->questions++;
    sums->accuracy += b->correct - a->correct;
    sums->share += b->share - a->share;
}

bool results_pair(const struct results *a, const struct results *b, int *places, struct error *err)
{
    if (!same_set(&a->header, &b->header, "the second", err))
        return false;
    for (int i = 0, k = 0; i < a->set.count; i++) {
        while (k < b->set.count && b->ids[k] < a->ids[i])
            k++;
        places[i] = k < b->set.count && b->ids[k] == a->ids[i] ? k : -1;
    }
    return true;
}

static int group_pairs(const struct results *a, const struct results *b, const int *places, const char *type,
                       struct results_comparison *comparison, struct pair_sums *groups)
{
    int count = 0;
    const struct question *last = NULL;
    for (int i = 0; i < a->set.count; i++) {
        const struct question *q = &a->set.questions[i];
        int other = places[i];
        if (other < 0 || !a->evaluations[i].done || !b->evaluations[other].done || (type && strcmp(type, q->type)))
            continue;
        if (!last || !evaluate_same_picture(last, q))
            groups[count++] = (struct pair_sums){0};
        last = q;
        count_pair(comparison, &groups[count - 1], &a->evaluations[i], &b->evaluations[other]);
    }
    return count;
}

static void resample_pairs(const struct pair_sums *groups, struct results_comparison *c, double *values)
{
    struct random random;
    struct pair_sums all = {0};
    random_init(&random, 1, 0);
    for (int g = 0; g < c->pictures; g++) {
        all.accuracy += groups[g].accuracy;
        all.share += groups[g].share;
    }
    for (int i = 0; i < EVALUATE_RESAMPLES; i++) {
        struct pair_sums sample = {0};
        for (int g = 0; g < c->pictures; g++) {
            const struct pair_sums *drawn = &groups[random_below(&random, (uint32_t)c->pictures)];
            sample.questions += drawn->questions;
            sample.accuracy += drawn->accuracy;
            sample.share += drawn->share;
        }
        values[i] = sample.accuracy / sample.questions;
        values[EVALUATE_RESAMPLES + i] = sample.share / sample.questions;
    }
    c->accuracy = evaluate_interval(all.accuracy / c->questions, values);
    c->share = evaluate_interval(all.share / c->questions, values + EVALUATE_RESAMPLES);
}

bool results_compare(const struct results *a, const struct results *b, const char *type,
                     struct results_comparison *comparison, struct error *err)
{
    const struct estimate unknown = {(double)NAN, (double)NAN, (double)NAN};
    *comparison = (struct results_comparison){.accuracy = unknown, .share = unknown};
    struct pair_sums *groups = memory_alloc((size_t)a->set.count, sizeof *groups);
    double *values = memory_alloc(2 * EVALUATE_RESAMPLES, sizeof *values);
    int *places = memory_alloc((size_t)a->set.count, sizeof *places);
    bool ok = ((groups && values && places) || error_no_memory(err, "the comparison")) && results_pair(a, b, places, err);
    if (ok) {
        comparison->pictures = group_pairs(a, b, places, type, comparison, groups);
        if (comparison->questions)
            resample_pairs(groups, comparison, values);
    }
    memory_free(groups);
    memory_free(values);
    memory_free(places);
    return ok;
}
