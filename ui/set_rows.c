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

static bool fits(const struct set_filter *filter, const struct question *q, const struct evaluation *e)
{
    if (!e->done || (filter->right == SET_ONLY_RIGHT && !e->correct) || (filter->right == SET_ONLY_WRONG && e->correct))
        return false;
    if (filter->type[0] && strcmp(filter->type, q->type))
        return false;
    return !filter->text[0] || strcasestr(q->text, filter->text) || strcasestr(q->answer, filter->text) ||
           strcasestr(e->answer, filter->text) || strcasestr(set_rows_picture(q), filter->text);
}

struct sorting {
    const struct results *results;
    enum set_column column;
    bool descending;
};

static int by_number(double x, double y)
{
    if (isnan(x) || isnan(y)) // what is not known comes last
        return isnan(x) - isnan(y);
    return (x > y) - (x < y);
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
    struct sorting sorting = {results, rows->column, rows->descending};
    if (rows->capacity < results->set.count) {
        int *grown = realloc(rows->order, (size_t)results->set.count * sizeof *grown);
        if (!grown)
            return false;
        rows->order = grown;
        rows->capacity = results->set.count;
    }
    rows->count = rows->right = 0;
    for (int i = 0; i < results->set.count; i++)
        if (fits(&rows->filter, &results->set.questions[i], &results->evaluations[i])) {
            rows->order[rows->count++] = i;
            rows->right += results->evaluations[i].correct;
        }
    if (rows->count)
        qsort_r(rows->order, (size_t)rows->count, sizeof *rows->order, compare, &sorting);
    return true;
}

void set_rows_free(struct set_rows *rows)
{
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
