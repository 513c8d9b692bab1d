#define _GNU_SOURCE // strcasestr, qsort_r
#include "ui/set_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *set_rows_picture(const struct question *question)
{
    const char *slash = strrchr(question->pictures[0], '/');
    return slash ? slash + 1 : question->pictures[0];
}

bool set_rows_put_beside(struct set_rows *rows, const struct results *results, struct results *other, struct error *err)
{
    struct set_other made = {other, other ? calloc((size_t)results->set.count + 1, sizeof *made.places) : NULL};
    bool ok = !other || made.places || error_no_memory(err, "the comparison");
    ok = ok && (!other || results_pair(results, other, made.places, err));
    struct set_other gone = ok ? rows->other : made;
    if (ok)
        rows->other = made;
    if (gone.results)
        results_free(gone.results);
    free(gone.results);
    free(gone.places);
    return ok;
}

const struct evaluation *set_rows_other(const struct set_rows *rows, int place)
{
    const struct results *other = rows->other.results;
    int there = other ? rows->other.places[place] : -1;
    return there >= 0 && other->evaluations[there].done ? &other->evaluations[there] : NULL;
}

struct set_pairs set_rows_count_pairs(const struct set_rows *rows, const struct results *results)
{
    struct set_pairs pairs = {0};
    for (int i = 0; i < results->set.count; i++) {
        const struct evaluation *e = &results->evaluations[i], *other = set_rows_other(rows, i);
        if (!other || !e->done)
            continue;
        pairs.all++;
        pairs.both += e->correct && other->correct;
        pairs.only_this += e->correct && !other->correct;
        pairs.only_other += !e->correct && other->correct;
        pairs.neither += !e->correct && !other->correct;
    }
    return pairs;
}

static bool fits_side(enum set_side side, const struct evaluation *e, const struct evaluation *other)
{
    switch (side) {
    case SET_ONE_SIDE: return other && e->correct != other->correct;
    case SET_THIS_SIDE: return other && e->correct && !other->correct;
    case SET_OTHER_SIDE: return other && !e->correct && other->correct;
    case SET_NO_SIDE: return other && !e->correct && !other->correct;
    case SET_EITHER:
    case SET_SIDE_COUNT: break;
    }
    return true;
}

static bool fits(const struct set_filter *filter, const struct question *q, const struct evaluation *e,
                 const struct evaluation *other)
{
    if (!e->done || (filter->right == SET_ONLY_RIGHT && !e->correct) || (filter->right == SET_ONLY_WRONG && e->correct))
        return false;
    if (filter->type[0] && strcmp(filter->type, q->type))
        return false;
    if (!fits_side(filter->side, e, other))
        return false;
    return !filter->text[0] || (other && strcasestr(other->answer, filter->text)) || strcasestr(q->text, filter->text) || strcasestr(q->answer, filter->text) ||
           strcasestr(e->answer, filter->text) || strcasestr(set_rows_picture(q), filter->text);
}

struct sorting {
    const struct results *results;
    const struct set_rows *rows;
    enum set_column column;
    bool descending;
};

static int by_number(double x, double y)
{
    if (isnan(x) || isnan(y)) // what is not known comes last
        return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

static int by_text(const struct evaluation *x, const struct evaluation *y)
{
    return x && y ? strcmp(x->answer, y->answer) : !x - !y;
}

static int compare_column(const struct sorting *s, int a, int b)
{
    const struct question *p = &s->results->set.questions[a], *q = &s->results->set.questions[b];
    const struct evaluation *x = &s->results->evaluations[a], *y = &s->results->evaluations[b];
    switch (s->column) {
    case SET_PICTURE: return strcmp(set_rows_picture(p), set_rows_picture(q));
    case SET_QUESTION: return strcmp(p->text, q->text);
    case SET_TYPE: return strcmp(p->type, q->type);
    case SET_TRUTH: return strcmp(p->answer, q->answer);
    case SET_ANSWER: return strcmp(x->answer, y->answer);
    case SET_OTHER: return by_text(set_rows_other(s->rows, a), set_rows_other(s->rows, b));
    case SET_RIGHT: return x->correct - y->correct;
    case SET_P: return by_number((double)x->p, (double)y->p);
    case SET_SHARE: return by_number(x->share, y->share);
    case SET_MS: return by_number(x->ms, y->ms);
    case SET_ID:
    case SET_COLUMN_COUNT: break;
    }
    return 0;
}

// What is the same in the column stays in the order of the set, whichever way it is sorted.
static int compare(const void *a, const void *b, void *context)
{
    const struct sorting *s = context;
    int x = *(const int *)a, y = *(const int *)b, order = compare_column(s, x, y);
    if (s->column == SET_ID)
        order = (x > y) - (x < y);
    if (order)
        return s->descending ? -order : order;
    return (x > y) - (x < y);
}

bool set_rows_update(struct set_rows *rows, const struct results *results)
{
    struct sorting sorting = {results, rows, rows->column, rows->descending};
    if (rows->capacity < results->set.count) {
        int *grown = realloc(rows->order, (size_t)results->set.count * sizeof *grown);
        if (!grown)
            return false;
        rows->order = grown;
        rows->capacity = results->set.count;
    }
    rows->count = rows->right = 0;
    for (int i = 0; i < results->set.count; i++)
        if (fits(&rows->filter, &results->set.questions[i], &results->evaluations[i], set_rows_other(rows, i))) {
            rows->order[rows->count++] = i;
            rows->right += results->evaluations[i].correct;
        }
    if (rows->count)
        qsort_r(rows->order, (size_t)rows->count, sizeof *rows->order, compare, &sorting);
    return true;
}

void set_rows_free(struct set_rows *rows)
{
    set_rows_put_beside(rows, NULL, NULL, NULL);
    free(rows->order);
    *rows = (struct set_rows){0};
}

int set_rows_find(const struct set_rows *rows, int place)
{
    for (int i = 0; i < rows->count; i++)
        if (rows->order[i] == place)
            return i;
    return -1;
}

int set_rows_types(const struct results *results, int *types, int most)
{
    int count = 0;
    for (int i = 0; i < results->set.count; i++) {
        const char *type = results->set.questions[i].type;
        bool known = !*type || count == most;
        for (int t = 0; !known && t < count; t++)
            known = !strcmp(results->set.questions[types[t]].type, type);
        if (!known)
            types[count++] = i;
    }
    return count;
}
