// trimscope compare: up to four runs side by side without a screen.
#include "app/assets.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/sides.h"
#include "engine/base/text.h"
#include "engine/base/thread.h"
#include "engine/model/model.h"
#include "ui/compare_words.h"
#include "ui/measure.h"
#include "ui/why_words.h"
#include "ui/words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    const char *model;
    struct side first;
    struct option_list questions, policies, budgets, pictures;
    bool figure, json;
    long threads;
};

// ---- which runs -------------------------------------------------------------------------------------------------

struct wish {
    struct side list[COMPARE_RUNS];
    int count;
};

static bool add(struct wish *wish, const struct side *side, struct error *err)
{
    if (wish->count == COMPARE_RUNS)
        return error_set(err, ERROR_USAGE, "more than %d runs do not fit side by side; leave some --with-... out",
                         COMPARE_RUNS);
    wish->list[wish->count++] = *side;
    return true;
}

static bool read_budget(const char *text, double *budget, struct error *err)
{
    char *end;
    *budget = strtod(text, &end);
    return (end > text && !*end && *budget > 0 && *budget <= 1) ||
           error_set(err, ERROR_USAGE, "--with-budget takes a share above 0 and at most 1, not %s", text);
}

// Each --with-... makes one more run, which differs from the first in that alone.
static bool make_wish(struct wish *wish, const struct settings *settings, struct error *err)
{
    if (!add(wish, &settings->first, err))
        return false;
    struct side side = settings->first;
    for (int i = 0; i < settings->questions.count; i++, side = settings->first) {
        side.question = settings->questions.values[i];
        if (!add(wish, &side, err))
            return false;
    }
    for (int i = 0; i < settings->policies.count; i++, side = settings->first) {
        if (!policy_find(settings->policies.values[i], &side.policy))
            return error_set(err, ERROR_USAGE, "there is no policy %s; `trimscope compare --help` lists them",
                             settings->policies.values[i]);
        if (!add(wish, &side, err))
            return false;
    }
    for (int i = 0; i < settings->budgets.count; i++, side = settings->first)
        if (!read_budget(settings->budgets.values[i], &side.budget, err) || !add(wish, &side, err))
            return false;
    for (int i = 0; i < settings->pictures.count; i++, side = settings->first) {
        side.pictures[0] = settings->pictures.values[i];
        if (!add(wish, &side, err))
            return false;
    }
    return true;
}

static bool check_figure(const struct settings *settings, struct error *err)
{
    if (settings->policies.count || settings->budgets.count || settings->pictures.count)
        return error_set(err, ERROR_USAGE, "--figure compares questions with and without guidance; of the others only "
                                           "--with-question goes with it");
    if (settings->questions.count > FIGURE_ROWS - 2)
        return error_set(err, ERROR_USAGE, "--figure has room for %d further questions", FIGURE_ROWS - 2);
    return true;
}

// ---- the table --------------------------------------------------------------------------------------------------

enum { NAME_COLUMNS = 14 };

// The columns of each run below a title that stands over all of them.
static int cell_columns(const struct comparison *c, const char *title)
{
    int columns = (measure_width(title) + c->count - 1) / c->count;
    return columns > 4 ? columns : 4;
}

static void print_title(const struct comparison *c, const char *title)
{
    printf("  %s%*s", title, measure_pad(title, c->count * cell_columns(c, title)), "");
}

static void print_letters(const struct comparison *c, const char *title)
{
    printf("  ");
    for (int r = 0; r < c->count; r++)
        printf("%*c", cell_columns(c, title), 'A' + r);
}

static int all_columns(void)
{
    int columns = measure_width(_("in all"));
    return columns > 4 ? columns : 4;
}

// The letters of the runs stand above their columns.
static void print_head(const struct comparison *c)
{
    const char *alive = _("patches alive"), *only = _("only in"), *dense = _(/* xgettext:no-c-format */ "% of dense");
    for (int r = 0; r < c->count; r++) {
        char question[160], how[TRACE_NAME + 64], path[160];
        const char *picture = c->runs[r]->pictures[0].path;
        compare_tell_policy(c->runs[r], how, sizeof how);
        printf(_("%c  \"%s\"  %s  (%s)\n"), 'A' + r, text_fit(question, sizeof question, c->runs[r]->question), how,
               text_fit(path, sizeof path, picture ? picture : ""));
    }
    printf("\n%*s", NAME_COLUMNS, "");
    print_title(c, alive);
    print_title(c, only);
    printf("  %s", _("in all"));
    print_title(c, dense);
    printf("  %s\n%s%*s", _("answer so far"), _("stage"), measure_pad(_("stage"), NAME_COLUMNS), "");
    print_letters(c, alive);
    print_letters(c, only);
    printf("  %*s", all_columns(), "");
    print_letters(c, dense);
    putchar('\n');
}

static void print_stage(const struct comparison *c, int stage)
{
    struct compare_patches patches;
    char name[WHY_STAGE];
    const char *alive = _("patches alive"), *only = _("only in"), *dense = _(/* xgettext:no-c-format */ "% of dense");
    compare_patches(c, stage, &patches);
    why_stage_name(c->runs[0], stage, name);
    printf("%s%*s  ", name, measure_pad(name, NAME_COLUMNS), "");
    for (int r = 0; r < c->count; r++)
        printf("%*d", cell_columns(c, alive), patches.alive[r]);
    printf("  ");
    for (int r = 0; r < c->count; r++)
        printf("%*d", cell_columns(c, only), patches.only[r]);
    printf("  %*d  ", all_columns(), patches.all);
    for (int r = 0; r < c->count; r++) {
        const struct trace_macs *macs = &c->runs[r]->stages[stage].macs;
        printf("%*.0f", cell_columns(c, dense), macs->dense > 0 ? 100 * macs->spent / macs->dense : 100.0);
    }
    for (int r = 0; r < c->count; r++) {
        const struct stage *at = &c->runs[r]->stages[stage];
        char answer[TRACE_TEXT + 8];
        if (at->answer_count > 0)
            printf("  %c %s %.0f%%", 'A' + r, text_fit(answer, sizeof answer, at->answers[0].text),
                   100 * (double)at->answers[0].p);
    }
    putchar('\n');
}

static void print_words(const struct trace *trace, int run)
{
    const struct trace_tokens *words = trace_tokens_at(trace, trace->stage_count - 1, TRACE_TEXT_STREAM);
    printf("  %c ", 'A' + run);
    for (int t = 0; words && t < trace->token_count && t < words->count; t++) {
        char word[TRACE_TEXT + 8];
        printf(words->alive[t] ? " %s" : " (%s)", trace_token_text(trace, t, word, sizeof word));
    }
    putchar('\n');
}

static void print_table(const struct comparison *c)
{
    print_head(c);
    for (int i = 0; i < compare_stages(c); i++)
        print_stage(c, i);
    puts(_("\nwords, those that were dropped in brackets:"));
    for (int r = 0; r < c->count; r++)
        print_words(c->runs[r], r);
    putchar('\n');
    for (int r = 0; r < c->count; r++) {
        const struct trace *trace = c->runs[r];
        char answer[TRACE_TEXT + 8];
        printf(_("%c  %s (%.1f%%)  %.1f of %.1f MFLOP (%.1f%%)  %.1f ms\n"), 'A' + r,
               text_fit(answer, sizeof answer, trace->answer.text), 100 * (double)trace->answer.p,
               2 * trace->spent_macs / 1e6, 2 * trace->dense_macs / 1e6, 100 * trace->spent_macs / trace->dense_macs,
               trace->ms);
    }
    char sentence[480];
    compare_tell(c, compare_stages(c) - 1, sentence, sizeof sentence);
    if (sentence[0])
        printf("\n%s\n", sentence);
}

static bool print_result(const struct sides *sides, bool json, struct error *err)
{
    struct comparison comparison;
    sides_show_comparison(sides, &comparison);
    if (json) {
        char *text = compare_to_json(&comparison);
        if (!text)
            return error_no_memory(err, "the comparison as JSON");
        fputs(text, stdout);
        free(text);
    } else {
        print_table(&comparison);
    }
    return fflush(stdout) == 0 || error_set(err, ERROR_MACHINE, "cannot write the result: %s", strerror(errno));
}

// ---- the command ------------------------------------------------------------------------------------------------

static bool choose(struct wish *wish, const struct settings *settings, struct error *err)
{
    if (settings->figure)
        return check_figure(settings, err);
    return make_wish(wish, settings, err) &&
           (wish->count > 1 ||
            error_set(err, ERROR_USAGE, "nothing to compare with: give --with-question, --with-policy, --with-budget, "
                                        "--with-picture or --figure"));
}

static bool compare(struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    char bundled[ASSETS_PATH];
    struct thread_pool *pool = thread_pool_new((int)settings->threads);
    struct model *model = NULL;
    struct sides sides = {0};
    struct sides_questions room;
    struct wish wish = {.count = 0};
    for (int p = 0; p + 1 < count; p++)
        settings->first.pictures[p] = arguments[p];
    settings->first.question = arguments[count - 1];
    bool ok = choose(&wish, settings, err) && (settings->model || assets_model(bundled, err));
    ok = ok && (model = model_open(settings->model ? settings->model : bundled, NULL, err)) != NULL;
    if (ok && model->config.pictures != count - 1)
        ok = error_set(err, ERROR_USAGE, "the task %s takes %d picture(s) and a question",
                       model_task_name(model->config.task), model->config.pictures);
    if (ok && settings->figure)
        wish.count = sides_make_figure(wish.list, &settings->first, settings->questions.values,
                                       settings->questions.count, model, &room);
    ok = ok && sides_run(&sides, wish.list, wish.count, model, pool, err) && print_result(&sides, settings->json, err);
    sides_free(&sides);
    model_free(model);
    thread_pool_free(pool);
    return ok;
}

int cmd_compare(int argc, char **argv)
{
    struct settings settings = {.first = {.policy = POLICY_LEARNED, .budget = (double)NAN},
                                .threads = thread_processors()};
    const char *arguments[3];
    int count, status;
    const struct option_row rows[] = {
        {"with-question", OPTION_LIST, &settings.questions, "QUESTION", N_("a run with another question"), 0, 0},
        {"with-policy", OPTION_LIST, &settings.policies, "NAME", N_("a run with another policy"), 0, 0},
        {"with-budget", OPTION_LIST, &settings.budgets, "SHARE", N_("a run with another budget"), 0, 0},
        {"with-picture", OPTION_LIST, &settings.pictures, "FILE", N_("a run with another (first) picture"), 0, 0},
        {"figure", OPTION_FLAG, &settings.figure, NULL,
         N_("the article's figure: this question and two more (--with-question, else bundled ones about the picture) with "
         "guidance, and the first without"),
         0, 0},
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROW_POLICY(&settings.first.policy),
        OPTION_ROW_BUDGET(&settings.first.budget),
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROW_JSON(&settings.json, N_("print the traces, and per stage the patches that are alive in one run or in all")),
        OPTION_ROW_END};
    const struct option_command command = {
        "compare", N_("compare PICTURE [PICTURE] QUESTION --with-... [options]"),
        N_("Runs a model two to four times and prints the runs side by side: which patches are alive in which of them, what "
        "each costs, and what each answers. Run A is the picture and question given; each --with-... adds a run that "
        "differs from it in that alone."),
        rows, 2, 3};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    if (compare(&settings, arguments, count, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope compare: %s\n", err.text);
    return (int)err.code;
}
