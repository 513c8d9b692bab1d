#include "ui/compare_words.h"

#include "engine/base/text.h"
#include "ui/titles.h"
#include "ui/view.h"
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

static void tell_two(const struct compare_patches *p, const char *stage, char *out, size_t size)
{
    append(out, size,
           ngettext_(p->only[0], "%s: %d patch only in A, %d only in B, %d in both, %d in neither.",
                     "%s: %d patches only in A, %d only in B, %d in both, %d in neither."),
           stage, p->only[0], p->only[1], p->all, p->sets[0]);
}

static void tell_more(const struct compare_patches *p, int runs, const char *stage, char *out, size_t size)
{
    char alone[80] = "";
    for (int r = 0; r < runs; r++)
        append(alone, sizeof alone, "%s%c %d", r > 0 ? in_("list", ", ") : "", 'A' + r, p->only[r]);
    append(out, size,
           ngettext_(p->all, "%s: %d patch in all runs, %d in none; in one alone: %s.",
                     "%s: %d patches in all runs, %d in none; in one alone: %s."),
           stage, p->all, p->sets[0], alone);
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
    append(out, size, " ");
    append(out, size, _("Answers: %s."), list);
}

void compare_tell(const struct comparison *comparison, int stage, char *out, size_t size)
{
    out[0] = 0;
    if (comparison->count < 2 || stage < 0 || stage >= compare_stages(comparison))
        return;
    struct compare_patches patches;
    compare_patches(comparison, stage, &patches);
    char name[TRACE_TEXT];
    view_name_stage(comparison->runs[0], &comparison->runs[0]->stages[stage], name, sizeof name);
    name[0] = (char)toupper((unsigned char)name[0]);
    if (comparison->count == 2)
        tell_two(&patches, name, out, size);
    else
        tell_more(&patches, comparison->count, name, out, size);
    tell_answers(comparison, stage, out, size);
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

static bool same_pictures(const struct trace *a, const struct trace *b)
{
    for (int p = 0; p < a->picture_count && p < b->picture_count; p++)
        if (strcmp(a->pictures[p].path ? a->pictures[p].path : "", b->pictures[p].path ? b->pictures[p].path : ""))
            return false;
    return a->picture_count == b->picture_count;
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
