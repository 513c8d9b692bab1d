// What must come back for the unpruned answer, and what must not be lost for the present one: greedy, then shrunk.
#include "engine/run/explain_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// After LAZY trials of a round the best so far is taken; after SINGLE members they come in growing packs.
enum { LAZY = 24, SINGLE = 10 };

struct candidate {
    struct intervention change;
    double margin; // distance of the score from the threshold, infinite where there is none
    double gain;   // lead won when it was tried last; infinite while it never was
    bool known;    // still a candidate in the present state
};

struct search {
    struct explainer *explainer;
    const struct run *base;
    enum explain_search kind;
    unsigned over;
    int label; // the answer that is wanted (restore) or unwanted (break)
    const struct explain_watch *watch;
    struct explain_progress progress;
    struct candidate *candidates;
    int count, capacity;
    struct explain_set *set;
    int set_capacity;
    struct error *err;
};

void explain_set_free(struct explain_set *set)
{
    free(set->members);
    *set = (struct explain_set){0};
}

// ---- trying a list

// How far a finished run has reached the search's aim, and whether it is there. It counts as one more run.
static void judge(struct search *s, const struct run *run, double *lead, bool *there)
{
    bool same = explain_label(run) == s->label;
    *lead = explain_lead(run, s->label);
    *there = s->kind == EXPLAIN_RESTORE ? same : !same;
    if (s->kind == EXPLAIN_BREAK)
        *lead = -*lead;
    s->set->runs = ++s->progress.runs;
}

// Runs with the list; *lead is how far the search's aim is reached, *there whether it is.
static bool try_list(struct search *s, const struct intervention *list, int count, double *lead, bool *there)
{
    if (!explain_try(s->explainer, s->base, list, count, s->base->stage_count - 1, s->err))
        return false;
    judge(s, s->explainer->lab, lead, there);
    return true;
}

static bool report(struct search *s, enum explain_phase phase, int done, int total)
{
    s->progress.phase = phase;
    s->progress.done = done;
    s->progress.total = total;
    s->progress.members = s->set->count;
    return explain_report(s->watch, &s->progress, s->err);
}

static bool add_member(struct search *s, const struct intervention *change)
{
    struct explain_set *set = s->set;
    if (set->count + 1 >= s->set_capacity) { // room for one more behind the set, to be tried
        int capacity = s->set_capacity ? 2 * s->set_capacity : 32;
        struct intervention *grown = realloc(set->members, (size_t)capacity * sizeof *grown);
        if (!grown)
            return error_no_memory(s->err, "the set");
        set->members = grown;
        s->set_capacity = capacity;
    }
    set->members[set->count++] = *change;
    return true;
}

// ---- candidates

static bool same_change(const struct intervention *a, const struct intervention *b)
{
    return a->kind == b->kind && a->stream == b->stream && a->token == b->token && a->head == b->head &&
           (a->kind == INTERVENE_TOKEN_KEEP || a->kind == INTERVENE_TOKEN_DROP ||
            (a->stage == b->stage && a->module == b->module));
}

// A candidate of the present state: one that is known already is confirmed (and moves to where it is dropped now).
static bool note_candidate(struct search *s, const struct intervention *change, double margin)
{
    for (int i = 0; i < s->count; i++)
        if (same_change(&s->candidates[i].change, change)) {
            s->candidates[i].change.stage = change->stage;
            s->candidates[i].known = true;
            return true;
        }
    if (s->count == s->capacity) {
        int capacity = s->capacity ? 2 * s->capacity : 256;
        struct candidate *grown = realloc(s->candidates, (size_t)capacity * sizeof *grown);
        if (!grown)
            return error_no_memory(s->err, "the candidates");
        s->candidates = grown;
        s->capacity = capacity;
    }
    s->candidates[s->count++] = (struct candidate){
        .change = *change, .margin = isnan(margin) ? (double)INFINITY : fabs(margin), .gain = (double)INFINITY, .known = true};
    return true;
}

// The last score of a token, against the threshold of its stage.
static double token_margin(const struct trace *trace, int stream, int token)
{
    for (int i = trace->stage_count - 1; i >= 0; i--) {
        const struct trace_tokens *t = &trace->stages[i].tokens[stream];
        if (token < t->count && !isnan(t->score[token]))
            return (double)t->score[token] - (double)trace_threshold(trace, i, stream);
    }
    return (double)NAN;
}

static bool note_tokens(struct search *s, const struct trace *trace, int stream)
{
    const struct trace_tokens *end = &trace->stages[trace->stage_count - 1].tokens[stream];
    bool restore = s->kind == EXPLAIN_RESTORE;
    for (int t = 1; t < end->count; t++) {
        struct intervention change = {.kind = restore ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP,
                                      .stage = restore ? end->dropped_at[t] : explain_first_layer(s->base, stream),
                                      .stream = stream,
                                      .token = t};
        if (end->alive[t] != restore && !note_candidate(s, &change, token_margin(trace, stream, t)))
            return false;
    }
    return true;
}

static bool note_heads(struct search *s, const struct trace *trace, int stage, int stream)
{
    for (int m = 0; m < MODULES; m++) {
        const struct trace_heads *heads = &trace->stages[stage].heads[stream][m];
        for (int h = 0; h < heads->count; h++) {
            bool restore = s->kind == EXPLAIN_RESTORE;
            struct intervention change = {.kind = restore ? INTERVENE_HEAD_ON : INTERVENE_HEAD_OFF,
                                          .stage = stage,
                                          .stream = stream,
                                          .module = (enum attention_module)m,
                                          .head = h};
            double margin = (double)heads->score[h] + (isnan(trace->shift) ? 0 : trace->shift);
            if (heads->on[h] != restore && !note_candidate(s, &change, margin))
                return false;
        }
    }
    return true;
}

// What could be changed in the state that the lab is in.
static bool find_candidates(struct search *s)
{
    const struct trace *trace = &s->explainer->lab->trace;
    for (int i = 0; i < s->count; i++)
        s->candidates[i].known = false;
    for (int stream = 0; stream < TRACE_STREAMS; stream++) {
        unsigned kind = run_stream_is_text(stream) ? EXPLAIN_WORDS : EXPLAIN_PATCHES;
        if ((s->over & kind) && !note_tokens(s, trace, stream))
            return false;
        for (int i = 0; (s->over & EXPLAIN_HEADS) && i < trace->stage_count; i++)
            if (!note_heads(s, trace, i, stream))
                return false;
    }
    int known = 0; // those that are none any more go
    for (int i = 0; i < s->count; i++)
        if (s->candidates[i].known)
            s->candidates[known++] = s->candidates[i];
    s->count = known;
    return true;
}

static int order_places(const struct intervention *a, const struct intervention *b)
{
    if (a->stage != b->stage)
        return a->stage < b->stage ? -1 : 1;
    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return a->token != b->token ? (a->token < b->token ? -1 : 1) : a->head - b->head;
}

// Most promising first: by gain where it is known, what was never tried before that, nearest to its threshold first.
static int order_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->gain > b->gain || a->gain < b->gain)
        return a->gain > b->gain ? -1 : 1;
    if (a->margin > b->margin || a->margin < b->margin)
        return a->margin < b->margin ? -1 : 1;
    return order_places(&a->change, &b->change);
}

// ---- growing

// Tries the candidates from `from` on beside the set, as many at the same time as there are threads.
static bool try_candidates(struct search *s, int from, int count)
{
    for (int i = 0; i < count; i++)
        if (!explain_set_bench(s->explainer, i, s->set->members, s->set->count, &s->candidates[from + i].change, s->err))
            return false;
    explain_try_benches(s->explainer, s->base, count);
    return true;
}

// One round: the candidate that wins most joins the set; in the first round all are tried, later ones trust the gains
// of earlier rounds and look again at the most promising only. *there: with it the aim is reached. What was tried at the
// same time is looked at in order, so that the set does not hang on the number of threads.
static bool grow_by_one(struct search *s, bool first, double lead, bool *there)
{
    int best = -1, trials = first ? s->count : s->count < LAZY ? s->count : LAZY;
    int wide = explain_benches(s->explainer, s->err);
    if (wide == 0)
        return false;
    for (int i = 0; i < trials && !*there; i++) {
        struct candidate *c = &s->candidates[i];
        const struct explain_bench *bench = &s->explainer->benches[i % wide];
        double now;
        if (!first && best >= 0 && s->candidates[best].gain >= c->gain)
            break; // the others have never won more than the best does now
        if (i % wide == 0 && !try_candidates(s, i, trials - i < wide ? trials - i : wide))
            return false;
        if (!bench->done) {
            *s->err = bench->err;
            return false;
        }
        judge(s, bench->run, &now, there);
        c->gain = isnan(now - lead) ? -(double)INFINITY : now - lead;
        if (*there || best < 0 || c->gain > s->candidates[best].gain)
            best = i;
        if (!report(s, first ? EXPLAIN_TRYING : EXPLAIN_GROWING, i + 1, trials))
            return false;
    }
    return add_member(s, &s->candidates[best].change);
}

static bool grow_by_pack(struct search *s, int size, bool *there)
{
    double lead;
    for (int i = 0; i < size && i < s->count; i++)
        if (!add_member(s, &s->candidates[i].change))
            return false;
    return try_list(s, s->set->members, s->set->count, &lead, there) && report(s, EXPLAIN_GROWING, 1, 1);
}

// Until the aim is reached or nothing is left to add.
static bool grow(struct search *s, bool *there)
{
    double lead;
    for (int round = 0, pack = 2;; round++) {
        if (!try_list(s, s->set->members, s->set->count, &lead, there) || !find_candidates(s))
            return false;
        if (round == 0)
            s->set->candidates = s->count;
        if (*there || s->count == 0)
            return true;
        qsort(s->candidates, (size_t)s->count, sizeof *s->candidates, order_candidates);
        if (s->set->count < SINGLE ? !grow_by_one(s, round == 0, lead, there) : !grow_by_pack(s, pack *= 2, there))
            return false;
        if (*there)
            return true;
    }
}

// ---- shrinking

// The set without `size` members from `from` on, into `list`.
static int without(const struct explain_set *set, int from, int size, struct intervention *list)
{
    int count = 0;
    for (int i = 0; i < set->count; i++)
        if (i < from || i >= from + size)
            list[count++] = set->members[i];
    return count;
}

// One walk over the set in pieces of `size`, the last added first; *removed counts the members that were not needed.
static bool shrink_by(struct search *s, int size, struct intervention *list, int *removed)
{
    struct explain_set *set = s->set;
    *removed = 0;
    for (int from = set->count - size; set->count > size - 1 && from > -size; from -= size) {
        int at = from < 0 ? 0 : from, piece = from < 0 ? from + size : size, left = without(set, at, piece, list);
        double lead;
        bool there = false;
        if (left > 0 && !try_list(s, list, left, &lead, &there))
            return false;
        if (there) {
            memcpy(set->members, list, (size_t)left * sizeof *list);
            set->count = left;
            *removed += piece;
        }
        if (!report(s, EXPLAIN_SHRINKING, set->count - at, set->count))
            return false;
    }
    return true;
}

// Ends with a walk in which each member was left out and missed.
static bool shrink(struct search *s)
{
    struct intervention *list = malloc((size_t)s->set->count * sizeof *list);
    int removed = 0;
    bool ok = list != NULL || error_no_memory(s->err, "the set");
    for (int size = s->set->count / 2; ok && size > 1; size /= 2)
        if (size <= s->set->count / 2)
            ok = shrink_by(s, size, list, &removed);
    do
        ok = ok && shrink_by(s, 1, list, &removed);
    while (ok && removed > 0);
    free(list);
    s->set->minimal = ok;
    return ok;
}

// ---- the whole

// The answer of the unpruned model to the same input, whatever was forced.
static bool ask_unpruned(struct search *s, int *label)
{
    struct run *lab = s->explainer->lab;
    if (!run_sync(lab, s->base, s->err))
        return false;
    lab->trace.intervention_count = 0;
    if (!run_set_policy(lab, POLICY_NONE, (double)NAN, s->err))
        return false;
    run_restart(lab);
    struct error own = {0};
    while (run_step(lab, &own))
        continue;
    if (!run_finished(lab)) {
        *s->err = own;
        return false;
    }
    *label = explain_label(lab);
    s->set->unpruned = lab->trace.answer;
    s->set->runs = ++s->progress.runs;
    return true;
}

static bool search(struct search *s)
{
    struct explain_set *set = s->set;
    bool there = false;
    int unpruned;
    double lead;
    if (!ask_unpruned(s, &unpruned))
        return false;
    s->label = s->kind == EXPLAIN_RESTORE ? unpruned : explain_label(s->base);
    if (s->kind == EXPLAIN_RESTORE && explain_label(s->base) == unpruned) {
        set->outcome = EXPLAIN_SAME;
        return true;
    }
    set->outcome = EXPLAIN_NOTHING;
    if (!grow(s, &there))
        return false;
    if (!there) {
        set->count = 0;
        return true;
    }
    set->outcome = EXPLAIN_FOUND;
    bool whole = shrink(s);
    if (!whole && s->err->code != ERROR_CANCELLED)
        return false;
    if (!try_list(s, set->members, set->count, &lead, &there))
        return false;
    set->after = s->explainer->lab->trace.answer;
    set->spent_after = s->explainer->lab->trace.spent_macs;
    return true;
}

bool explain_find_set(struct explainer *e, enum explain_search kind, unsigned over, const struct explain_watch *watch,
                      struct explain_set *set, struct error *err)
{
    struct error own = {0};
    *set = (struct explain_set){.search = kind};
    struct search s = {.explainer = e, .base = explain_base(e, &own), .kind = kind, .over = over, .watch = watch,
                       .set = set, .err = &own};
    bool ok = s.base != NULL;
    if (ok) {
        set->before = set->after = s.base->trace.answer;
        set->spent_before = set->spent_after = s.base->trace.spent_macs;
        ok = search(&s);
    }
    free(s.candidates);
    if (!ok) {
        explain_set_free(set);
        if (err)
            *err = own;
    }
    return ok;
}
