#include "engine/run/command_text.h"

#include "engine/prune/policy.h"
#include "engine/run/intervention_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Whether a shell takes the word as it is.
static bool is_plain(const char *word)
{
    return *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,:+-=@%") ==
                        strlen(word);
}

static void put_shell_word(FILE *out, const char *word)
{
    fputc(' ', out);
    if (is_plain(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    fputc('\'', out);
}

// A word that is no option: one that begins like one is put in quotes, too.
static void put_word(FILE *out, const char *word)
{
    if (*word == '-' && is_plain(word))
        fprintf(out, " '%s'", word);
    else
        put_shell_word(out, word);
}

static void put_input(FILE *out, const struct trace *trace)
{
    for (int p = 0; p < trace->picture_count; p++)
        put_word(out, trace->pictures[p].path ? trace->pictures[p].path : "");
    put_word(out, trace->question ? trace->question : "");
}

static bool put_changes(FILE *out, const struct trace *trace, const struct intervention list[], int count)
{
    char place[96];
    for (int i = 0; i < count; i++) {
        if (!intervention_write(trace, &list[i], place, sizeof place))
            return false;
        fprintf(out, " --%s %s", intervention_option(list[i].kind), place);
    }
    return true;
}

static void put_model_and_policy(FILE *out, const struct trace *trace, const char *model)
{
    if (model) {
        fputs(" --model", out);
        put_word(out, model);
    }
    if (strcmp(trace->policy, policy_name(POLICY_LEARNED)) != 0)
        fprintf(out, " --policy %s", trace->policy);
    if (!isnan(trace->budget))
        fprintf(out, " --budget %g", trace->budget);
}

static void put_writing(FILE *out, const struct trace_writing *writing)
{
    const struct {
        const char *name;
        int value;
    } numbers[] = {{"candidates", writing->candidates}, {"beams", writing->beams}, {"min-length", writing->min_length},
                   {"max-length", writing->max_length}};
    if (writing->answers) {
        fputs(" --answers", out);
        put_word(out, writing->answers);
    }
    fputs(writing->generate ? " --generate" : "", out);
    fputs(writing->cls ? " --cls" : "", out);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value)
            fprintf(out, " --%s %d", numbers[i].name, numbers[i].value);
}

static void put_options(FILE *out, const struct trace *trace, const char *model)
{
    put_model_and_policy(out, trace, model);
    put_writing(out, &trace->writing);
    // No question means the usual beginning of a caption, so that none must be asked for.
    if (trace->question && !trace->question[0] && !strcmp(trace->task, "caption"))
        fputs(" --prompt ''", out);
    if (trace->picture_count > 0 && trace->pictures[0].as_stored)
        fputs(" --exact", out);
}

static bool starts_with_dash(const struct trace *trace)
{
    bool dash = trace->question && trace->question[0] == '-'; // would be taken for an option
    for (int p = 0; p < trace->picture_count; p++)
        dash = dash || (trace->pictures[p].path && trace->pictures[p].path[0] == '-');
    return dash;
}

// What stands between name ("": the screen) and options, or behind them where it looks like one.
static bool put_command(FILE *out, const struct trace *trace, const char *name,
                        bool (*put_rest)(FILE *out, const void *context), const void *context)
{
    bool dash = starts_with_dash(trace);
    fprintf(out, "trimscope%s%s", *name ? " " : "", name);
    if (!dash)
        put_input(out, trace);
    bool ok = put_rest(out, context);
    if (dash) {
        fputs(" --", out);
        put_input(out, trace);
    }
    return ok;
}

static char *write_command(const struct trace *trace, const char *name, bool (*put_rest)(FILE *out, const void *context),
                           const void *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    bool ok = put_command(out, trace, name, put_rest, context);
    ok = fclose(out) == 0 && ok;
    if (!ok) {
        free(text);
        text = NULL;
    }
    return text;
}

// ---- one run

struct one_run {
    const struct trace *trace;
    const struct intervention *more;
    int count;
    const char *model;
};

static bool put_run(FILE *out, const void *context)
{
    const struct one_run *run = context;
    put_options(out, run->trace, run->model);
    return put_changes(out, run->trace, run->trace->interventions, run->trace->intervention_count) &&
           put_changes(out, run->trace, run->more, run->count);
}

char *command_of_run(const struct trace *trace, const struct intervention more[], int count, const char *model)
{
    struct one_run run = {trace, more, count, model};
    return write_command(trace, "run", put_run, &run);
}

struct screen_at {
    struct one_run run;
    int stage;
};

static bool put_screen(FILE *out, const void *context)
{
    const struct screen_at *at = context;
    bool ok = put_run(out, &at->run);
    fprintf(out, " --stage %d", at->stage + 1);
    return ok;
}

char *command_of_screen(const struct trace *trace, int stage, const char *model)
{
    struct screen_at at = {{trace, NULL, 0, model}, stage};
    return write_command(trace, "", put_screen, &at);
}

// ---- how alike tokens and heads are

char *command_of_redundancy(const struct trace *trace, const char *set, const char *model)
{
    char *text = NULL;
    size_t size = 0;
    bool possible = set || (trace->picture_count == 1 && trace->pictures[0].path && !trace->pictures[0].as_stored &&
                            trace->intervention_count == 0);
    FILE *out = possible ? open_memstream(&text, &size) : NULL;
    if (!out)
        return NULL;
    fputs("trimscope redundancy", out);
    if (!set) {
        fputs(" --picture", out);
        put_shell_word(out, trace->pictures[0].path);
        fputs(" --question", out);
        put_shell_word(out, trace->question ? trace->question : "");
    }
    put_model_and_policy(out, trace, model);
    if (set) {
        fputs(*set == '-' ? " --" : "", out); // it would be taken for an option
        put_word(out, set);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

// ---- runs side by side

struct several_runs {
    const struct comparison *comparison;
    const char *model;
};

static bool same_text(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

static bool same_budget(double a, double b) { return (isnan(a) && isnan(b)) || !(a < b || a > b || isnan(a) || isnan(b)); }

// The first thing that a run differs in makes it ("with"), the others are said of it ("and").
static void put_difference(FILE *out, bool *made, const char *option, const char *value)
{
    fprintf(out, " --%s-%s", *made ? "and" : "with", option);
    if (value)
        put_word(out, value);
    *made = true;
}

static bool same_change(const struct intervention *a, const struct intervention *b)
{
    return a->kind == b->kind && a->stage == b->stage && a->stream == b->stream && a->token == b->token &&
           a->module == b->module && a->head == b->head;
}

// A run that asks the same of the same pictures has the first one's changes by hand and more; any other starts without.
static bool put_own_changes(FILE *out, const struct trace *first, const struct trace *trace, bool other_input, bool *made)
{
    int shared = other_input ? 0 : first->intervention_count, from = 0;
    while (from < shared && from < trace->intervention_count &&
           same_change(&first->interventions[from], &trace->interventions[from]))
        from++;
    if (from < shared) {
        put_difference(out, made, "unchanged", NULL);
        from = 0;
    }
    for (; from < trace->intervention_count; from++) {
        char place[96];
        if (!intervention_write(trace, &trace->interventions[from], place, sizeof place))
            return false;
        put_difference(out, made, intervention_option(trace->interventions[from].kind), place);
    }
    return true;
}

static bool put_differences(FILE *out, const struct trace *first, const struct trace *trace)
{
    static const char *const pictures[TRACE_PICTURES] = {"picture", "picture2"};
    bool made = false, other_input = !same_text(first->question, trace->question);
    if (other_input)
        put_difference(out, &made, "question", trace->question);
    for (int p = 0; p < trace->picture_count && p < first->picture_count; p++)
        if (!same_text(first->pictures[p].path, trace->pictures[p].path)) {
            put_difference(out, &made, pictures[p], trace->pictures[p].path);
            other_input = true;
        }
    if (!same_text(first->policy, trace->policy))
        put_difference(out, &made, "policy", trace->policy);
    if (!same_budget(first->budget, trace->budget)) {
        char share[32];
        snprintf(share, sizeof share, "%g", trace->budget);
        put_difference(out, &made, "budget", isnan(trace->budget) ? "as-trained" : share);
    }
    if (!put_own_changes(out, first, trace, other_input, &made))
        return false;
    if (!made)
        put_difference(out, &made, "policy", trace->policy); // the very same run once more
    return true;
}

static bool put_runs(FILE *out, const void *context)
{
    const struct several_runs *runs = context;
    const struct comparison *comparison = runs->comparison;
    const struct trace *first = comparison->runs[0];
    put_options(out, first, runs->model);
    bool ok = put_changes(out, first, first->interventions, first->intervention_count);
    for (int r = 1; ok && r < comparison->count; r++)
        ok = put_differences(out, first, comparison->runs[r]);
    return ok;
}

char *command_of_comparison(const struct comparison *comparison, const char *model)
{
    struct several_runs runs = {comparison, model};
    return write_command(comparison->runs[0], "compare", put_runs, &runs);
}

static bool put_figure(FILE *out, const void *context)
{
    const struct several_runs *runs = context;
    const struct comparison *rows = runs->comparison;
    fputs(" --figure", out);
    put_options(out, rows->runs[0], runs->model);
    for (int r = 1; r < rows->count - 1; r++) {
        fputs(" --with-question", out);
        put_word(out, rows->runs[r]->question ? rows->runs[r]->question : "");
    }
    return true;
}

char *command_of_figure(const struct comparison *comparison, const char *model)
{
    struct several_runs runs = {comparison, model};
    return write_command(comparison->runs[0], "compare", put_figure, &runs);
}

// ---- an edited copy

char *command_of_edit(const struct trace *trace, const char *to, const struct edit *edits, int count, const char *question,
                      const char *model)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fputs("trimscope edit", out);
    for (int i = 0; i < count; i++) {
        const struct edit *e = &edits[i];
        fprintf(out, " --%s %d,%d,%d,%d", edit_name(e->kind), e->x, e->y, e->width, e->height);
        if (e->kind == EDIT_MOVE)
            fprintf(out, ":%d,%d", e->dx, e->dy);
    }
    fputs(" --ask", out);
    put_word(out, question);
    put_model_and_policy(out, trace, model);
    fputs(" --", out); // a name may look like an option
    put_word(out, trace->picture_count > 0 && trace->pictures[0].path ? trace->pictures[0].path : "");
    put_word(out, to);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

// ---- how it is answered

char *command_of_writing(const struct trace_writing *writing)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    put_writing(out, writing);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

// ---- as it was typed

char *command_of_words(int count, char *const words[])
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fputs("trimscope", out);
    for (int i = 0; i < count; i++)
        put_shell_word(out, words[i]);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
