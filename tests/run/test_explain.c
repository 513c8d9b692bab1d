// The explainer: decompositions agree with the trace, counterfactuals with runs made by hand, and sets are minimal.
#include "tests/support/cmocka_all.h"

#include "engine/base/thread.h"
#include "engine/io/picture.h"
#include "engine/model/model.h"
#include "engine/run/explain.h"
#include "engine/run/run_private.h"
#include "tests/support/tiny.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct model *model;

static int make_model(void **state)
{
    (void)state;
    struct tiny_options tiny = tiny_everything();
    tiny.seed = 20;
    model = tiny_model(&tiny);
    return 0;
}

static int drop_model(void **state)
{
    (void)state;
    model_free(model);
    return 0;
}

// Milder than the tiny trimmers are by themselves: some words and patches reach the end.
static struct run *new_run(uint64_t seed)
{
    struct run *run = tiny_run(model, NULL, seed);
    run_set_shift(run, POLICY_LEARNED, 1.5);
    return run;
}

static struct run *finished_run(uint64_t seed)
{
    struct run *run = new_run(seed);
    tiny_finish(run);
    return run;
}

static struct explainer *explainer_of(const struct run *run)
{
    struct error err = {0};
    struct explainer *e = explain_new(run, &err);
    if (!e)
        fail_msg("%s", err.text);
    return e;
}

static const struct stage *end_of(const struct run *run)
{
    return &run_trace(run)->stages[run_trace(run)->stage_count - 1];
}

static struct explain_place token_place(const struct run *run, int stream, int token)
{
    return (struct explain_place){.stage = run_trace(run)->stage_total - 1, .stream = stream, .token = token};
}

// The probability of an answer in a finished run.
static float answer_p(const struct run *run, const char *text)
{
    for (int i = 0; i < end_of(run)->answer_count; i++)
        if (!strcmp(end_of(run)->answers[i].text, text))
            return end_of(run)->answers[i].p;
    return NAN;
}

// ---- the verdict

static void check_verdict(const struct run *run, const struct explain_verdict *v)
{
    const struct trace *trace = run_trace(run);
    const struct trace_tokens *t = &trace->stages[v->stage].tokens[v->place.stream];
    int token = v->place.token, better = 0, scored = 0, alive = 0;
    assert_true(v->score == t->score[token]);
    assert_true(isnan(v->cross) ? v->score == v->self : v->score == v->self + v->cross);
    assert_true(v->threshold == (float)(0 - trace->shift));
    assert_int_equal(v->kept, v->score >= v->threshold);
    assert_int_equal(v->died, end_of(run)->tokens[v->place.stream].dropped_at[token]);
    for (int i = 1; i < t->count; i++) {
        better += t->score[i] > v->score; // NaN: not
        scored += !isnan(t->score[i]);
        alive += t->alive[i] && !isnan(t->score[i]);
    }
    assert_int_equal(v->rank, better + 1);
    assert_int_equal(v->of, scored);
    assert_int_equal(v->survivors, alive);
    if (alive - v->kept > 0) {
        assert_true(v->nearest > 0 && v->nearest != token && t->alive[v->nearest]);
        assert_true(v->likeness >= v->likeness_mean - 1e-5f && v->likeness <= 1.00001f);
    } else {
        assert_int_equal(v->nearest, -1);
    }
}

static void test_verdict(void **state)
{
    (void)state;
    int dropped = 0, living = 0;
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct run *run = finished_run(seed);
        struct explainer *e = explainer_of(run);
        struct explain_verdict v;
        for (int s = 0; s < TRACE_STREAMS; s++)
            for (int t = 1; t < end_of(run)->tokens[s].count; t++) {
                struct explain_place place = token_place(run, s, t);
                assert_true(explain_verdict(e, &place, &v, NULL));
                if (v.stage < 0)
                    continue;
                check_verdict(run, &v);
                v.died < 0 ? living++ : dropped++;
            }
        explain_free(e);
        run_free(run);
    }
    assert_true(dropped > 20);
    assert_true(living > 5);
}

static void test_verdict_of_heads(void **state)
{
    (void)state;
    struct run *run = finished_run(1);
    struct explainer *e = explainer_of(run);
    int seen = 0, crossing = 0;
    for (int i = 0; i < run_trace(run)->stage_count; i++)
        for (int s = 0; s < TRACE_STREAMS; s++)
            for (int m = 0; m < 2; m++) {
                const struct trace_heads *heads = &run_trace(run)->stages[i].heads[s][m];
                for (int h = 0; h < heads->count; h++) {
                    struct explain_place place = {.is_head = true, .stage = i, .stream = s,
                                                  .module = (enum attention_module)m, .head = h};
                    struct explain_verdict v;
                    assert_true(explain_verdict(e, &place, &v, NULL));
                    assert_true(v.score == heads->score[h]);
                    assert_int_equal(v.kept, heads->on[h]);
                    assert_int_equal(v.kept, v.score >= v.threshold);
                    assert_true(v.rank >= 1 && v.rank <= 4 && v.of == 4);
                    if (m == MODULE_MSA) // its own CLS alone decides
                        assert_true(v.self == v.score && isnan(v.cross));
                    else
                        assert_float_equal(v.self + v.cross, v.score, 1e-4F);
                    crossing += m == MODULE_MCA && fabsf(v.cross) > 1e-3F;
                    seen++;
                }
            }
    assert_true(seen > 40 && crossing > 10);
    struct explain_verdict v;
    struct error err;
    struct explain_place none = {.is_head = true, .stage = 0, .stream = TRACE_TEXT_STREAM};
    assert_false(explain_verdict(e, &none, &v, &err)); // embedding has no heads
    assert_int_equal(err.code, ERROR_USAGE);
    none = token_place(run, 0, 37);
    assert_false(explain_verdict(e, &none, &v, &err));
    none = token_place(run, 1, 3); // a second picture
    assert_false(explain_verdict(e, &none, &v, &err));
    explain_free(e);
    run_free(run);
}

// A token whose state is copied to a survivor would be like it: the cosine is that of the states.
static void test_nearest_is_symmetric(void **state)
{
    (void)state;
    struct run *run = finished_run(2);
    struct explainer *e = explainer_of(run);
    int pairs = 0;
    for (int t = 1; t < end_of(run)->tokens[0].count; t++) {
        struct explain_verdict v, w;
        struct explain_place place = token_place(run, 0, t);
        assert_true(explain_verdict(e, &place, &v, NULL));
        if (v.died >= 0 || v.nearest < 0)
            continue;
        place.token = v.nearest;
        assert_true(explain_verdict(e, &place, &w, NULL));
        if (w.stage != v.stage || w.nearest != t)
            continue;
        assert_true(w.likeness == v.likeness);
        pairs++;
    }
    assert_true(pairs > 0);
    explain_free(e);
    run_free(run);
}

// ---- pulls

// The pull of a word on a patch is what a run by hand without that word says.
static void test_pulls_are_exact(void **state)
{
    (void)state;
    struct run *run = finished_run(0);
    struct explainer *e = explainer_of(run);
    struct explain_verdict v;
    struct explain_pulls pulls;
    int checked = 0, felt = 0;
    for (int t = 1; t < 37; t += 5) {
        struct explain_place place = token_place(run, 0, t);
        assert_true(explain_verdict(e, &place, &v, NULL));
        assert_true(explain_pulls(e, &v, EXPLAIN_OTHER, NULL, &pulls, NULL));
        assert_true(pulls.words);
        for (int i = 0; i < pulls.count; i++) {
            const struct explain_pull *pull = &pulls.list[i];
            struct run *hand = new_run(0);
            struct intervention drop = {.kind = INTERVENE_TOKEN_DROP, .stage = 1, .stream = TRACE_TEXT_STREAM, .token = pull->token};
            struct intervention keep = {.kind = INTERVENE_TOKEN_KEEP, .stage = 3, .stream = 0, .token = t};
            assert_true(run_intervene(hand, &drop) >= 0 && run_intervene(hand, &keep) >= 0);
            tiny_finish(hand);
            const struct trace_tokens *tokens = &run_trace(hand)->stages[v.stage].tokens[0];
            assert_true(pull->score == v.score - tokens->score[t]);
            assert_true(pull->self == v.self - tokens->self_score[t]);
            assert_int_equal(pull->decides, (tokens->score[t] >= v.threshold) != v.kept);
            felt += fabsf(pull->score) > 1e-4f;
            checked++;
            run_free(hand);
        }
    }
    assert_true(checked > 20);
    assert_true(felt > 10);
    // A word, in fusion: blocks of the picture, each patch in exactly one.
    struct explain_place place = token_place(run, TRACE_TEXT_STREAM, 2);
    place.stage = run_trace(run)->stage_total - 4; // fusion 1
    assert_true(explain_verdict(e, &place, &v, NULL));
    if (v.stage >= place.stage) {
        assert_true(explain_pulls(e, &v, EXPLAIN_OTHER, NULL, &pulls, NULL));
        int patches = 0;
        for (int i = 0; i < pulls.count; i++)
            patches += pulls.list[i].rows * pulls.list[i].columns;
        assert_false(pulls.words);
        assert_int_equal(patches, 36);
        // And the other words of the question, not itself.
        assert_true(explain_pulls(e, &v, EXPLAIN_OWN, NULL, &pulls, NULL));
        assert_true(pulls.words);
        assert_int_equal(pulls.count, run_trace(run)->token_count - 3);
        for (int i = 0; i < pulls.count; i++)
            assert_true(pulls.list[i].token != 2);
    }
    // A patch that words can pull at is not asked about other patches.
    place = token_place(run, 0, 1);
    assert_true(explain_verdict(e, &place, &v, NULL));
    assert_true(explain_pulls(e, &v, EXPLAIN_OWN, NULL, &pulls, NULL));
    assert_int_equal(pulls.count, 0);
    explain_free(e);
    run_free(run);
}

// A token of a run with this seed whose decision hangs on a word: the verdict on it and which pull it is; -1: none.
static int find_tipped(struct run *run, struct explain_verdict *v, struct explain_pulls *pulls)
{
    struct explainer *e = explainer_of(run);
    int found = -1;
    for (int t = 1; found < 0 && t < 37; t++) {
        struct explain_place place = token_place(run, 0, t);
        assert_true(explain_verdict(e, &place, v, NULL) && explain_pulls(e, v, EXPLAIN_OTHER, NULL, pulls, NULL));
        for (int i = 0; found < 0 && i < pulls->count; i++)
            found = pulls->list[i].decides ? i : -1;
    }
    explain_free(e);
    return found;
}

// Where a word would tip the decision, but the person has made it, it tips nothing; a later change leaves it its say.
static void test_no_word_decides_what_is_forced(void **state)
{
    (void)state;
    struct explain_verdict v, of_forced;
    struct explain_pulls pulls, after;
    int word = -1;
    uint64_t seed = 0;
    for (; word < 0 && seed < 60; seed++) {
        struct run *run = finished_run(seed);
        word = find_tipped(run, &v, &pulls);
        run_free(run);
    }
    assert_true(word >= 0);
    for (int later = 0; later < 2; later++)
        for (int kept = 0; kept < 2; kept++) {
            if (later && !v.kept)
                continue; // it is gone by then
            struct run *run = new_run(seed - 1);
            struct intervention change = {.kind = kept ? INTERVENE_TOKEN_KEEP : INTERVENE_TOKEN_DROP,
                                          .stage = v.stage + later, .stream = 0, .token = v.place.token};
            assert_true(run_intervene(run, &change) >= 0);
            tiny_finish(run);
            struct explainer *e = explainer_of(run);
            struct explain_place place = v.place;
            place.stage = v.stage;
            assert_true(explain_verdict(e, &place, &of_forced, NULL));
            assert_int_equal(of_forced.stage, v.stage);
            assert_int_equal(of_forced.forced, kept ? 1 : -1);
            assert_int_equal(of_forced.by_hand, !later);
            assert_true(explain_pulls(e, &of_forced, EXPLAIN_OTHER, NULL, &after, NULL));
            assert_true(of_forced.score == v.score && after.list[word].score == pulls.list[word].score);
            assert_int_equal(after.list[word].decides, later);
            explain_free(e);
            run_free(run);
        }
}

static bool stop_at_second(void *context, const struct explain_progress *progress)
{
    int *calls = context;
    (*calls)++;
    assert_int_equal(progress->runs, *calls);
    return progress->runs < 2;
}

static void test_pulls_can_be_stopped(void **state)
{
    (void)state;
    struct run *run = finished_run(0);
    struct explainer *e = explainer_of(run);
    struct explain_verdict v;
    struct explain_pulls pulls;
    struct error err = {0};
    int calls = 0;
    struct explain_watch watch = {stop_at_second, &calls};
    struct explain_place place = token_place(run, 0, 5);
    assert_true(explain_verdict(e, &place, &v, NULL));
    assert_false(explain_pulls(e, &v, EXPLAIN_OTHER, &watch, &pulls, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_int_equal(calls, 2);
    explain_free(e);
    run_free(run);
}

// ---- what if

static void test_what_if_foretells_and_leaves_alone(void **state)
{
    (void)state;
    struct run *run = finished_run(1), *before = finished_run(1);
    struct explainer *e = explainer_of(run);
    for (int t = 1; t < 37; t += 3) {
        struct explain_verdict v;
        struct explain_effect effect;
        struct intervention change;
        struct explain_place place = token_place(run, 0, t);
        assert_true(explain_verdict(e, &place, &v, NULL));
        assert_true(explain_opposite(&v, &change));
        assert_true(explain_what_if(e, &change, 1, &effect, NULL));
        tiny_check_same_trace(run_trace(run), run_trace(before));
        assert_int_equal(run_trace(run)->intervention_count, 0);
        assert_true(run_intervene(run, &change) >= 0);
        tiny_finish(run);
        assert_string_equal(effect.after.text, run_trace(run)->answer.text);
        assert_true(effect.after.p == run_trace(run)->answer.p);
        assert_true(effect.spent_after == run_trace(run)->spent_macs);
        assert_true(effect.spent_before == run_trace(before)->spent_macs);
        assert_int_equal(effect.flips, strcmp(effect.after.text, effect.before.text) != 0);
        float then = answer_p(run, effect.before.text);
        assert_true(isnan(then) || fabsf(then - effect.before_then) < 1e-6f);
        run_undo(run);
        tiny_finish(run);
    }
    explain_free(e);
    run_free(run);
    run_free(before);
}

// Asked before the run has been stepped to its end, the answer is the same and the run stays where it was.
static void test_unfinished_run(void **state)
{
    (void)state;
    struct run *run = new_run(1), *whole = finished_run(1);
    struct explainer *e = explainer_of(run), *f = explainer_of(whole);
    for (int i = 0; i < 7; i++)
        assert_true(run_step(run, NULL));
    struct explain_place place = token_place(run, 0, 7);
    struct explain_verdict v, w;
    struct explain_effect effect, other;
    struct intervention change;
    assert_true(explain_verdict(e, &place, &v, NULL));
    assert_true(explain_verdict(f, &place, &w, NULL));
    assert_int_equal(v.died, w.died);
    assert_true(v.score == w.score);
    assert_true(explain_opposite(&v, &change));
    assert_true(explain_what_if(e, &change, 1, &effect, NULL));
    assert_true(explain_what_if(f, &change, 1, &other, NULL));
    assert_string_equal(effect.after.text, other.after.text);
    assert_true(effect.after.p == other.after.p);
    assert_int_equal(run_trace(run)->stage_count, 7);
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), run_trace(whole));
    // The run has moved on (another question): the explainer follows.
    assert_true(run_ask(run, tiny_questions[4], NULL) && run_ask(whole, tiny_questions[4], NULL));
    tiny_finish(whole);
    assert_true(explain_verdict(e, &place, &v, NULL));
    assert_true(explain_verdict(f, &place, &w, NULL));
    assert_true(v.score == w.score);
    // Held, it does not: what was asked about stays what it was.
    assert_true(explain_hold(e, NULL));
    assert_true(run_ask(run, tiny_questions[6], NULL));
    assert_true(explain_verdict(e, &place, &w, NULL));
    assert_true(explain_what_if(e, &change, 1, &effect, NULL));
    assert_true(w.score == v.score);
    assert_true(explain_hold(e, NULL));
    tiny_finish(run);
    assert_true(explain_verdict(e, &place, &w, NULL));
    assert_true(w.score != v.score);
    explain_free(e);
    explain_free(f);
    run_free(run);
    run_free(whole);
}

static void test_cls_has_no_opposite(void **state)
{
    (void)state;
    struct run *run = finished_run(1);
    struct explainer *e = explainer_of(run);
    struct explain_place place = token_place(run, 0, 0);
    struct explain_verdict v;
    struct intervention change;
    assert_true(explain_verdict(e, &place, &v, NULL));
    assert_int_equal(v.stage, -1);
    assert_false(explain_opposite(&v, &change));
    explain_free(e);
    run_free(run);
}

// ---- sets

static bool same_answer(const struct intervention *list, int count, uint64_t seed, const char *answer)
{
    struct run *fresh = new_run(seed);
    if (count > 0)
        assert_true(run_intervene_all(fresh, list, count) >= 0);
    tiny_finish(fresh);
    bool same = !strcmp(run_trace(fresh)->answer.text, answer);
    run_free(fresh);
    return same;
}

// The set does it, on a fresh run too; without any one of its members it does not.
static void check_set(const struct explain_set *set, uint64_t seed)
{
    bool restore = set->search == EXPLAIN_RESTORE;
    const char *answer = restore ? set->unpruned.text : set->before.text;
    struct intervention list[256];
    assert_true(set->minimal);
    assert_true(set->count > 0 && set->count < 256);
    assert_int_equal(same_answer(set->members, set->count, seed, answer), restore);
    assert_int_equal(!strcmp(set->after.text, answer), restore);
    for (int out = 0; out < set->count; out++) {
        int count = 0;
        for (int i = 0; i < set->count; i++)
            if (i != out)
                list[count++] = set->members[i];
        assert_int_equal(same_answer(list, count, seed, answer), !restore);
    }
}

static void check_same_change(const struct intervention *a, const struct intervention *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->stage, b->stage);
    assert_int_equal(a->stream, b->stream);
    assert_int_equal(a->token, b->token);
    assert_int_equal(a->module, b->module);
    assert_int_equal(a->head, b->head);
}

static void test_sets(void **state)
{
    (void)state;
    int found[2] = {0}, same = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct run *run = finished_run(seed), *before = finished_run(seed);
        struct explainer *e = explainer_of(run);
        for (int kind = 0; kind < 2; kind++) {
            struct explain_set set, again;
            assert_true(explain_find_set(e, (enum explain_search)kind, EXPLAIN_ALL, NULL, &set, NULL));
            tiny_check_same_trace(run_trace(run), run_trace(before));
            if (set.outcome == EXPLAIN_FOUND) {
                check_set(&set, seed);
                found[kind]++;
                assert_true(explain_find_set(e, (enum explain_search)kind, EXPLAIN_ALL, NULL, &again, NULL));
                assert_int_equal(again.count, set.count);
                for (int i = 0; i < set.count; i++)
                    check_same_change(&again.members[i], &set.members[i]);
                explain_set_free(&again);
            }
            if (set.outcome == EXPLAIN_SAME) {
                assert_string_equal(set.before.text, set.unpruned.text);
                same++;
            }
            explain_set_free(&set);
        }
        explain_free(e);
        run_free(run);
        run_free(before);
    }
    print_message("restored %d, broken %d, same already %d of 8\n", found[0], found[1], same);
    assert_true(found[0] > 0);
    assert_true(found[1] > 2);
}

// What several threads find is what one finds, after as many runs.
static void test_sets_on_several_threads(void **state)
{
    (void)state;
    struct thread_pool *pool = thread_pool_new(3);
    struct run_options options = run_options_default();
    int found = 0;
    options.pool = pool;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct run *run = finished_run(seed), *wide = tiny_run(model, &options, seed);
        run_set_shift(wide, POLICY_LEARNED, 1.5);
        tiny_finish(wide);
        struct explainer *one = explainer_of(run), *three = explainer_of(wide);
        for (int kind = 0; kind < 2; kind++) {
            struct explain_set a, b;
            assert_true(explain_find_set(one, (enum explain_search)kind, EXPLAIN_ALL, NULL, &a, NULL));
            assert_true(explain_find_set(three, (enum explain_search)kind, EXPLAIN_ALL, NULL, &b, NULL));
            assert_int_equal(a.outcome, b.outcome);
            assert_int_equal(a.count, b.count);
            assert_int_equal(a.runs, b.runs);
            for (int i = 0; i < a.count; i++)
                check_same_change(&a.members[i], &b.members[i]);
            found += a.count;
            explain_set_free(&a);
            explain_set_free(&b);
        }
        explain_free(one);
        explain_free(three);
        run_free(run);
        run_free(wide);
    }
    assert_true(found > 3);
    thread_pool_free(pool);
}

static void test_set_of_one_kind(void **state)
{
    (void)state;
    int members = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct run *run = finished_run(seed);
        struct explainer *e = explainer_of(run);
        struct explain_set set;
        assert_true(explain_find_set(e, EXPLAIN_BREAK, EXPLAIN_PATCHES, NULL, &set, NULL));
        for (int i = 0; i < set.count; i++) {
            assert_int_equal(set.members[i].kind, INTERVENE_TOKEN_DROP);
            assert_int_equal(set.members[i].stream, 0);
            members++;
        }
        explain_set_free(&set);
        explain_free(e);
        run_free(run);
    }
    assert_true(members > 0);
}

static bool stop_after(void *context, const struct explain_progress *progress)
{
    return progress->runs < *(int *)context;
}

// Stopped early there is no set; stopped while shrinking there is one that is not minimal, and it does it.
static void test_search_can_be_stopped(void **state)
{
    (void)state;
    struct run *run = finished_run(6);
    struct explainer *e = explainer_of(run);
    struct explain_set set, whole;
    struct error err = {0};
    int limit = 2;
    struct explain_watch watch = {stop_after, &limit};
    assert_false(explain_find_set(e, EXPLAIN_RESTORE, EXPLAIN_ALL, &watch, &set, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_null(set.members);
    assert_true(explain_find_set(e, EXPLAIN_RESTORE, EXPLAIN_ALL, NULL, &whole, NULL));
    int stopped = 0;
    assert_true(whole.count > 1); // something was left to shrink
    for (limit = 3; limit < whole.runs; limit++) {
        bool ok = explain_find_set(e, EXPLAIN_RESTORE, EXPLAIN_ALL, &watch, &set, &err);
        if (ok && !set.minimal) {
            stopped++;
            assert_string_equal(set.after.text, set.unpruned.text);
        }
        explain_set_free(&set);
    }
    assert_true(stopped > 0);
    explain_set_free(&whole);
    explain_free(e);
    run_free(run);
}

// ---- the bundled model

static struct run *bundled_run(const struct model *bundled, const struct run_options *options, const char *picture,
                               const char *question)
{
    struct picture loaded;
    struct error err = {0};
    const struct picture *list[] = {&loaded};
    if (!picture_load(&loaded, picture, (struct picture_reading){0}, NULL, &err))
        fail_msg("%s", err.text);
    struct run *run = run_new(bundled, list, 1, question, options, &err);
    if (!run)
        fail_msg("%s", err.text);
    picture_free(&loaded);
    return run;
}

// Whether a fresh run with all members but one (-1: all) gives this answer.
static bool bundled_answer(const struct model *bundled, const struct run_options *options, const char *picture,
                           const char *question, const struct explain_set *set, int out, const char *answer)
{
    struct intervention list[512];
    int count = 0;
    assert_true(set->count <= 512);
    for (int i = 0; i < set->count; i++)
        if (i != out)
            list[count++] = set->members[i];
    struct run *run = bundled_run(bundled, options, picture, question);
    if (count)
        assert_true(run_intervene_all(run, list, count) >= 0);
    tiny_finish(run);
    bool same = !strcmp(run_trace(run)->answer.text, answer);
    run_free(run);
    return same;
}

static bool bundled_set(const struct model *bundled, const struct run_options *options, enum explain_search kind,
                        const char *picture, const char *question)
{
    struct run *run = bundled_run(bundled, options, picture, question);
    tiny_finish(run);
    struct explainer *e = explainer_of(run);
    struct explain_set set;
    bool restore = kind == EXPLAIN_RESTORE;
    assert_true(explain_find_set(e, kind, EXPLAIN_PATCHES | EXPLAIN_WORDS, NULL, &set, NULL));
    bool found = set.outcome == EXPLAIN_FOUND;
    const char *answer = restore ? set.unpruned.text : set.before.text;
    assert_int_equal(found, set.minimal);
    if (found)
        print_message("%s: %d of %d, %d runs: '%s' -> '%s'\n", question, set.count, set.candidates, set.runs,
                      set.before.text, set.after.text);
    for (int out = -1; found && out < set.count; out++)
        assert_int_equal(bundled_answer(bundled, options, picture, question, &set, out, answer), (out < 0) == restore);
    explain_set_free(&set);
    explain_free(e);
    run_free(run);
    return found;
}

// Whatever the bundled weights are: what is found does it, and nothing can be left out of it.
static void test_sets_of_the_bundled_model(void **state)
{
    (void)state;
    static const char *const asked[][2] = {
        {"assets/pictures/airplane.jpg", "what is over the heart?"},
        {"assets/pictures/airplane.jpg", "how many vehicles are visible?"},
        {"assets/pictures/animals.jpg", "what plant is in the picture?"},
        {"assets/pictures/boats.jpg", "what color is the square in the picture?"},
        {"assets/pictures/panda.jpg", "what is at the top right?"},
    };
    struct error err = {0};
    struct model *bundled = model_open("assets/model.safetensors", NULL, &err);
    if (!bundled)
        fail_msg("%s", err.text);
    struct run_options random = run_options_default(), learned = run_options_default();
    random.policy = POLICY_RANDOM;
    random.budget = 0.35;
    int restored = 0, broken = 0;
    for (int i = 0; i < 5; i++) {
        restored += bundled_set(bundled, &random, EXPLAIN_RESTORE, asked[i][0], asked[i][1]);
        if (i < 2)
            broken += bundled_set(bundled, &learned, EXPLAIN_BREAK, asked[i][0], asked[i][1]);
    }
    assert_true(restored > 0);
    assert_true(broken > 0);
    model_free(bundled);
}

// ---- a change of several, undone and made again

static void test_undo_and_redo(void **state)
{
    (void)state;
    struct run *run = finished_run(1), *plain = finished_run(1);
    struct intervention list[3] = {
        {.kind = INTERVENE_TOKEN_KEEP, .stage = 4, .stream = 0, .token = 3},
        {.kind = INTERVENE_TOKEN_DROP, .stage = 6, .stream = 0, .token = 9},
        {.kind = INTERVENE_HEAD_OFF, .stage = 7, .stream = TRACE_TEXT_STREAM, .module = MODULE_MCA, .head = 2},
    };
    struct intervention one = {.kind = INTERVENE_HEAD_OFF, .stage = 7, .stream = 0, .module = MODULE_MSA, .head = 1};
    assert_int_equal(run_redo(run), -1);
    assert_int_equal(run_intervene_all(run, list, 3), 4);
    tiny_finish(run);
    assert_int_equal(run_intervene(run, &one), 7);
    tiny_finish(run);
    struct trace both;
    assert_true(trace_copy(&both, run_trace(run)));
    assert_int_equal(run_undo(run), 7);
    tiny_finish(run);
    assert_int_equal(run_trace(run)->intervention_count, 3);
    assert_int_equal(run_undo(run), 4); // the three at once
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), run_trace(plain));
    assert_int_equal(run_undone(run), 4);
    assert_int_equal(run_redo(run), 4);
    assert_int_equal(run_trace(run)->intervention_count, 3);
    tiny_finish(run);
    assert_int_equal(run_redo(run), 7);
    tiny_finish(run);
    tiny_check_same_trace(run_trace(run), &both);
    assert_int_equal(run_redo(run), -1);
    // A new change after an undo forgets what could be made again.
    run_undo(run);
    run_undo(run);
    tiny_finish(run);
    assert_int_equal(run_intervene(run, &one), 7);
    assert_int_equal(run_redo(run), -1);
    // One impossible member: nothing changes.
    list[1].token = 99;
    assert_int_equal(run_intervene_all(run, list, 3), -1);
    assert_int_equal(run_trace(run)->intervention_count, 1);
    trace_free(&both);
    run_free(run);
    run_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_verdict_of_heads),
        cmocka_unit_test(test_nearest_is_symmetric),
        cmocka_unit_test(test_pulls_are_exact),
        cmocka_unit_test(test_no_word_decides_what_is_forced),
        cmocka_unit_test(test_pulls_can_be_stopped),
        cmocka_unit_test(test_what_if_foretells_and_leaves_alone),
        cmocka_unit_test(test_unfinished_run),
        cmocka_unit_test(test_cls_has_no_opposite),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_sets_on_several_threads), cmocka_unit_test(test_set_of_one_kind),
        cmocka_unit_test(test_search_can_be_stopped),
        cmocka_unit_test(test_sets_of_the_bundled_model),
        cmocka_unit_test(test_undo_and_redo),
    };
    return cmocka_run_group_tests_name("explain", tests, make_model, drop_model);
}
