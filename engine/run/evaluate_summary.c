// From single results to numbers with intervals.
#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/run/evaluate_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Sums over one picture's questions: the unit of resampling.
struct sums {
    double questions, correct, share, needed, needed_alive, other, other_alive;
};

static void add(struct sums *to, const struct sums *from)
{
    to->questions += from->questions;
    to->correct += from->correct;
    to->share += from->share;
    to->needed += from->needed;
    to->needed_alive += from->needed_alive;
    to->other += from->other;
    to->other_alive += from->other_alive;
}

static double lift_of(const struct sums *s)
{
    // Without an other patch alive the ratio has no finite value.
    if (s->needed <= 0 || s->other <= 0 || s->other_alive <= 0)
        return (double)NAN;
    return s->needed_alive / s->needed / (s->other_alive / s->other);
}

static void add_result(struct sums *to, const struct evaluation *r)
{
    to->questions++;
    to->correct += r->correct;
    to->share += r->share;
    if (!r->needed || !r->other)
        return;
    to->needed += r->needed;
    to->needed_alive += r->needed_alive;
    to->other += r->other;
    to->other_alive += r->other_alive;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct estimate evaluate_interval(double value, double *values)
{
    int count = 0;
    for (int i = 0; i < EVALUATE_RESAMPLES; i++)
        if (isfinite(values[i]))
            values[count++] = values[i];
    if (isnan(value) || count < EVALUATE_RESAMPLES / 2)
        return (struct estimate){value, (double)NAN, (double)NAN};
    qsort(values, (size_t)count, sizeof *values, by_value);
    return (struct estimate){value, values[(count - 1) * 25 / 1000], values[(count - 1) * 975 / 1000]};
}

static bool bootstrap(const struct sums *groups, int count, const struct sums *all, double *values[3],
                      const struct watch *watch, struct evaluation_summary *summary, struct error *err)
{
    struct random random;
    random_init(&random, 1, 0);
    for (int i = 0; i < EVALUATE_RESAMPLES; i++) {
        struct sums sample = {0};
        if (!watch_go_on(watch, (double)i / EVALUATE_RESAMPLES, err))
            return false;
        for (int g = 0; g < count; g++)
            add(&sample, &groups[random_below(&random, (uint32_t)count)]);
        values[0][i] = sample.correct / sample.questions;
        values[1][i] = sample.share / sample.questions;
        values[2][i] = lift_of(&sample);
    }
    summary->accuracy = evaluate_interval(all->correct / all->questions, values[0]);
    summary->share = evaluate_interval(all->share / all->questions, values[1]);
    summary->lift = evaluate_interval(lift_of(all), values[2]);
    return true;
}

bool evaluate_same_picture(const struct question *a, const struct question *b)
{
    return !strcmp(a->pictures[0], b->pictures[0]);
}

static void add_need(struct evaluation_summary *summary, const struct evaluation *r)
{
    int at = r->objects < EVALUATE_NEEDS ? r->objects : EVALUATE_NEEDS - 1;
    summary->needs[at].share += (r->share - summary->needs[at].share) / ++summary->needs[at].questions;
    summary->needs[at].correct += r->correct;
}

// Sums per picture of the questions of this type that have been answered; returns how many pictures have some.
static int group_results(const struct question_set *set, const struct evaluation *results, const char *type,
                         struct sums *groups, double *shares, struct evaluation_summary *summary)
{
    int count = 0;
    const struct question *last = NULL;
    for (int i = 0; i < set->count; i++) {
        const struct question *q = &set->questions[i];
        if (!results[i].done || (type && strcmp(q->type, type)))
            continue;
        if (!last || !evaluate_same_picture(last, q))
            groups[count++] = (struct sums){0};
        last = q;
        add_result(&groups[count - 1], &results[i]);
        add_need(summary, &results[i]);
        shares[summary->questions++] = results[i].share;
        summary->correct += results[i].correct;
        summary->ms += results[i].ms;
        summary->spent += results[i].spent;
    }
    return count;
}

bool evaluate_summarize(const struct question_set *set, const struct evaluation *results, const char *type,
                        const struct watch *watch, struct evaluation_summary *summary, struct error *err)
{
    static const double at[5] = {0, 0.05, 0.5, 0.95, 1};
    const struct estimate unknown = {(double)NAN, (double)NAN, (double)NAN};
    struct sums *groups = memory_alloc((size_t)set->count, sizeof *groups), all = {0};
    double *shares = memory_alloc((size_t)set->count + 3 * EVALUATE_RESAMPLES, sizeof *shares), *values[3];
    *summary = (struct evaluation_summary){.accuracy = unknown, .share = unknown, .lift = unknown};
    summary->needed_alive = summary->other_alive = (double)NAN;
    bool ok = (groups && shares) || error_no_memory(err, "the summary");
    int count = ok ? group_results(set, results, type, groups, shares, summary) : 0;
    for (int i = 0; i < 3; i++)
        values[i] = shares + set->count + i * EVALUATE_RESAMPLES;
    for (int g = 0; g < count; g++)
        add(&all, &groups[g]);
    if (count) {
        ok = bootstrap(groups, count, &all, values, watch, summary, err);
        qsort(shares, (size_t)summary->questions, sizeof *shares, by_value);
        for (int i = 0; i < 5; i++)
            summary->quantiles[i] = shares[(int)lround(at[i] * (summary->questions - 1))];
        summary->ms /= summary->questions;
        summary->spent /= summary->questions;
    }
    if (all.needed > 0 && all.other > 0) {
        summary->needed_alive = all.needed_alive / all.needed;
        summary->other_alive = all.other_alive / all.other;
    }
    memory_free(groups);
    memory_free(shares);
    return ok;
}
