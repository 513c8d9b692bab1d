#include "ui/compare_words.h"

#include "engine/base/text.h"
#include "engine/run/command_text.h"
#include "ui/titles.h"
#include "ui/view.h"
#include "ui/why_words.h"
#include "ui/words.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *out, size_t size, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, size - used, format, arguments);
    va_end(arguments);
}

static bool same_pictures(const struct trace *a, const struct trace *b)
{
    for (int p = 0; p < a->picture_count && p < b->picture_count; p++)
        if (strcmp(a->pictures[p].path ? a->pictures[p].path : "", b->pictures[p].path ? b->pictures[p].path : ""))
            return false;
    return a->picture_count == b->picture_count;
}

static void tell_two(const struct compare_sets *p, const char *stage, char *out, size_t size)
{
    append(out, size,
           ngettext_(p->only[0], "%s: %d patch only in A, %d only in B, %d in both, %d in neither.",
                     "%s: %d patches only in A, %d only in B, %d in both, %d in neither."),
           stage, p->only[0], p->only[1], p->all, p->sets[0]);
}

static void tell_more(const struct compare_sets *p, int runs, const char *stage, char *out, size_t size)
{
    char alone[80] = "";
    for (int r = 0; r < runs; r++)
        append(alone, sizeof alone, "%s%c %d", r > 0 ? in_("list", ", ") : "", 'A' + r, p->only[r]);
    append(out, size,
           ngettext_(p->all, "%s: %d patch in all runs, %d in none; in one alone: %s.",
                     "%s: %d patches in all runs, %d in none; in one alone: %s."),
           stage, p->all, p->sets[0], alone);
}

// While only the question is read nothing happens to patches.
static void tell_words(const struct comparison *comparison, int index, const char *stage, char *out, size_t size)
{
    char list[COMPARE_RUNS * 48] = "";
    for (int r = 0; r < comparison->count; r++) {
        const struct trace *trace = comparison->runs[r];
        const struct trace_tokens *tokens = trace_tokens_at(trace, index, TRACE_TEXT_STREAM);
        int alive = 0;
        for (int t = 0; t < trace->token_count; t++)
            alive += !tokens || t >= tokens->count || tokens->alive[t];
        append(list, sizeof list, "%s", r > 0 ? in_("list", ", ") : "");
        append(list, sizeof list, _("%c %d of %d"), 'A' + r, alive, trace->token_count);
    }
    append(out, size, _("%s: words alive: %s."), stage, list);
}

static void tell_heads(const struct comparison *comparison, int stage, char *out, size_t size)
{
    struct compare_sets heads;
    char alone[80] = "";
    int differ = 0;
    compare_heads(comparison, stage, &heads);
    for (int r = 0; r < comparison->count; r++) {
        append(alone, sizeof alone, "%s%c %d", r > 0 ? in_("list", ", ") : "", 'A' + r, heads.only[r]);
        differ += heads.only[r];
    }
    if (differ == 0)
        return;
    append(out, size, "%s", in_("between sentences", " "));
    append(out, size, _("Heads computed in one run alone: %s."), alone);
}

static void tell_answers(const struct comparison *comparison, int stage, char *out, size_t size)
{
    char list[COMPARE_RUNS * (TRACE_TEXT + 24)] = "";
    for (int r = 0; r < comparison->count; r++) {
        const struct stage *at = &comparison->runs[r]->stages[stage];
        char answer[TRACE_TEXT + 8];
        if (at->answer_count == 0)
            return; // nothing can be read yet
        text_fit(answer, sizeof answer, at->answers[0].text);
        append(list, sizeof list, "%s", r > 0 ? in_("list", ", ") : "");
        append(list, sizeof list, _("%c '%s' (%.0f %%)"), 'A' + r, answer, 100 * (double)at->answers[0].p);
    }
    append(out, size, "%s", in_("between sentences", " "));
    append(out, size, _("Answers: %s."), list);
}

// Two pictures share nothing but the places of their patches.
static void tell_pictures(const struct comparison *comparison, char *out, size_t size)
{
    bool same = true;
    for (int r = 1; r < comparison->count; r++)
        same = same && same_pictures(comparison->runs[0], comparison->runs[r]);
    if (same)
        return;
    append(out, size, "%s", in_("between sentences", " "));
    append(out, size, "%s", _("The pictures differ: patches are compared by their places."));
}

void compare_tell(const struct comparison *comparison, int stage, char *out, size_t size)
{
    out[0] = 0;
    if (comparison->count < 2 || stage < 0 || stage >= compare_stages(comparison))
        return;
    struct compare_sets patches;
    compare_patches(comparison, stage, &patches);
    char name[TRACE_TEXT];
    view_name_stage(comparison->runs[0], &comparison->runs[0]->stages[stage], name, sizeof name);
    name[0] = (char)toupper((unsigned char)name[0]);
    if (view_is_of_words(&comparison->runs[0]->stages[stage]))
        tell_words(comparison, stage, name, out, size);
    else if (comparison->count == 2)
        tell_two(&patches, name, out, size);
    else
        tell_more(&patches, comparison->count, name, out, size);
    tell_pictures(comparison, out, size); // before the answers, which stand in the panels, too, where this is cut
    tell_answers(comparison, stage, out, size);
    tell_heads(comparison, stage, out, size);
}

// ---- one patch, word or head

// "A, C (fusion 2)": the runs of a set, and where those of the last one dropped it.
static void list_runs(const struct comparison *comparison, const struct explain_place *place, int run, unsigned set,
                      char *out, size_t size)
{
    out[0] = 0;
    for (int r = 0; r < comparison->count; r++) {
        if (!(set & 1U << r))
            continue;
        append(out, size, "%s%c", out[0] ? in_("list", ", ") : "", 'A' + r);
        const struct trace *trace = comparison->runs[r];
        const struct trace_tokens *tokens = trace_tokens_at(trace, place->stage, place->stream);
        int token = place->stream == TRACE_TEXT_STREAM ? compare_word_in(comparison, run, place->token, r) : place->token;
        char stage[WHY_STAGE];
        if (!place->is_head && tokens && token >= 0 && token < tokens->count && !tokens->alive[token])
            append(out, size, " (%s)", why_stage_name(trace, tokens->dropped_at[token], stage));
    }
}

unsigned compare_alive_at(const struct comparison *comparison, int run, const struct explain_place *place, unsigned *having)
{
    *having = (1U << comparison->count) - 1;
    if (place->is_head)
        return compare_head(comparison, place->stage, place->stream, place->module, place->head);
    return place->stream == TRACE_TEXT_STREAM ? compare_word(comparison, place->stage, run, place->token, having)
                                              : compare_alive(comparison, place->stage, place->stream, place->token);
}

void compare_tell_place(const struct comparison *comparison, int run, const struct explain_place *place, char *out,
                        size_t size)
{
    char name[WHY_TEXT], alive[120], dropped[240], lacking[64];
    unsigned having, everywhere = (1U << comparison->count) - 1;
    unsigned set = compare_alive_at(comparison, run, place, &having);
    why_name_place(comparison->runs[run], place, name, sizeof name);
    name[0] = (char)toupper((unsigned char)name[0]);
    list_runs(comparison, place, run, set, alive, sizeof alive);
    list_runs(comparison, place, run, having & ~set, dropped, sizeof dropped);
    list_runs(comparison, place, run, everywhere & ~having, lacking, sizeof lacking);
    out[0] = 0;
    if (alive[0] && dropped[0])
        append(out, size, place->is_head ? _("%s: computed in %s; left out in %s.") : _("%s: alive in %s; dropped in %s."),
               name, alive, dropped);
    else if (alive[0])
        append(out, size, place->is_head ? _("%s: computed in %s.") : _("%s: alive in %s."), name, alive);
    else
        append(out, size, place->is_head ? _("%s: left out in %s.") : _("%s: dropped in %s."), name, dropped);
    if (lacking[0]) {
        append(out, size, "%s", in_("between sentences", " "));
        append(out, size, _("Not in the question of %s."), lacking);
    }
}

char *compare_write_command(const struct view *view, const struct comparison *comparison, bool figure)
{
    struct trace named[COMPARE_RUNS]; // their pictures by other names
    struct comparison same = {.count = comparison->count};
    for (int r = 0; r < comparison->count; r++) {
        named[r] = view_with_short_paths(view, comparison->runs[r]);
        same.runs[r] = &named[r];
    }
    return figure ? command_of_figure(&same, view->model) : command_of_comparison(&same, view->model);
}

void compare_tell_policy(const struct trace *trace, char *out, size_t size)
{
    const char *policy = title_policy(trace->policy);
    if (!strcmp(trace->policy, "none"))
        snprintf(out, size, "%s", policy);
    else if (isnan(trace->budget))
        snprintf(out, size, _("%s, as trained"), policy);
    else
        snprintf(out, size, _("%s, budget %.0f %%"), policy, 100 * trace->budget);
}

static const char *file_name(const struct trace *trace, int picture)
{
    const char *path = trace->pictures[picture].path ? trace->pictures[picture].path : "";
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || !(a < b || a > b);
}

void compare_tell_run(const struct comparison *comparison, int run, char *out, size_t size)
{
    const struct trace *first = comparison->runs[0], *trace = comparison->runs[run];
    bool question = strcmp(first->question, trace->question) != 0, picture = !same_pictures(first, trace);
    bool policy = strcmp(first->policy, trace->policy) != 0 || !same_number(first->budget, trace->budget);
    char text[256], how[TRACE_NAME + 64];
    compare_tell_policy(trace, how, sizeof how);
    text_fit(text, sizeof text, picture && !question ? file_name(trace, 0) : trace->question);
    if (run > 0 && policy && !question && !picture)
        snprintf(out, size, "%s", how);
    else if (run > 0 && !policy && !question && !picture)
        snprintf(out, size, "%s", trace->intervention_count != first->intervention_count ? _("changed by hand")
                                                                                        : _("the same"));
    else if (run > 0 && !policy)
        snprintf(out, size, "%s", text);
    else
        snprintf(out, size, _("%s (%s)"), text, how);
}
