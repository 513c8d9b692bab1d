// trimscope compare: up to four runs side by side without a screen.
#include "app/commands.h"
#include "app/side_options.h"
#include "app/weights.h"
#include "app/writing_options.h"
#include "engine/base/text.h"
#include "engine/base/thread.h"
#include "ui/compare_words.h"
#include "ui/measure.h"
#include "ui/why_words.h"
#include "ui/view.h"
#include "ui/words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    const char *model;
    struct side_options sides;
    struct writing_settings writing;
    bool figure, json;
    long threads;
};

// ---- which runs -------------------------------------------------------------------------------------------------

struct wish {
    struct side list[COMPARE_RUNS];
    int count;
};

static bool check_figure(const struct settings *settings, struct error *err)
{
    if (!side_options_only_questions(&settings->sides))
        return error_set(err, ERROR_USAGE, "--figure compares questions with and without guidance; of the others only "
                                           "--with-question goes with it");
    if (settings->sides.more.count > FIGURE_ROWS - 2)
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
    const char *words = _("words"), *heads = _("heads");
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
    print_title(c, words);
    print_title(c, heads);
    print_title(c, dense);
    printf("  %s\n%s%*s", _("answer so far"), _("stage"), measure_pad(_("stage"), NAME_COLUMNS), "");
    print_letters(c, alive);
    print_letters(c, only);
    printf("  %*s", all_columns(), "");
    print_letters(c, words);
    print_letters(c, heads);
    print_letters(c, dense);
    putchar('\n');
}

// One number for each run below its title; `known` false: there is nothing of it in this stage.
static void print_group(const struct comparison *c, const char *title, const int numbers[COMPARE_RUNS], bool known)
{
    printf("  ");
    for (int r = 0; r < c->count; r++)
        known ? printf("%*d", cell_columns(c, title), numbers[r]) : printf("%*s", cell_columns(c, title), "-");
}

static void print_stage(const struct comparison *c, int stage)
{
    struct compare_sets patches, heads;
    bool seen = !view_is_of_words(&c->runs[0]->stages[stage]); // the picture
    int words[COMPARE_RUNS] = {0};
    char name[WHY_STAGE];
    const char *dense = _(/* xgettext:no-c-format */ "% of dense");
    compare_patches(c, stage, &patches);
    compare_heads(c, stage, &heads);
    for (int r = 0; r < c->count; r++) {
        const struct trace_tokens *tokens = trace_tokens_at(c->runs[r], stage, TRACE_TEXT_STREAM);
        for (int t = 0; t < c->runs[r]->token_count; t++)
            words[r] += !tokens || t >= tokens->count || tokens->alive[t];
    }
    why_stage_name(c->runs[0], stage, name);
    printf("%s%*s", name, measure_pad(name, NAME_COLUMNS), "");
    print_group(c, _("patches alive"), patches.alive, seen);
    print_group(c, _("only in"), patches.only, seen);
    seen ? printf("  %*d", all_columns(), patches.all) : printf("  %*s", all_columns(), "-");
    print_group(c, _("words"), words, true);
    print_group(c, _("heads"), heads.alive, heads.count > 0);
    printf("  ");
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

// The heads of a stage that only some runs compute, and which.
static void print_heads(const struct comparison *c, int stage, bool *titled)
{
    unsigned everywhere = (1U << c->count) - 1;
    bool named = false;
    for (int s = 0; s < TRACE_STREAMS; s++)
        for (int m = 0; m < MODULES; m++)
            for (int h = 0; h < c->runs[0]->stages[stage].heads[s][m].count; h++) {
                unsigned set = compare_head(c, stage, s, (enum attention_module)m, h);
                char name[WHY_STAGE];
                if (set == 0 || set == everywhere)
                    continue;
                if (!*titled)
                    puts(_("\nheads that only some of the runs compute:"));
                why_stage_name(c->runs[0], stage, name);
                if (!named)
                    printf("  %s%*s", name, measure_pad(name, NAME_COLUMNS), "");
                *titled = named = true;
                printf("  %s:%s:%d (", trace_stream_name(s), attention_module_name((enum attention_module)m), h + 1);
                for (int r = 0; r < c->count; r++)
                    if (set & 1U << r)
                        putchar('A' + r);
                putchar(')');
            }
    if (named)
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
    bool titled = false;
    for (int i = 0; i < compare_stages(c); i++)
        print_heads(c, i, &titled);
    putchar('\n');
    for (int r = 0; r < c->count; r++) {
        const struct trace *trace = c->runs[r];
        char answer[TRACE_TEXT + 8];
        printf(_("%c  %s (%.1f%%)  %.1f of %.1f MFLOP (%.1f%%)  %.1f ms\n"), 'A' + r,
               text_fit(answer, sizeof answer, trace->answer.text), 100 * (double)trace->answer.p,
               2 * trace->spent_macs / 1e6, 2 * trace->dense_macs / 1e6, 100 * trace->spent_macs / trace->dense_macs,
               trace->ms);
        const struct stage *last = &trace->stages[trace->stage_count - 1];
        if (!isnan(last->similarity))
            printf(_("   ITC %+.4f, rank score %+.4f\n"), (double)last->similarity, (double)last->rank);
        else if (!isnan(last->rank))
            printf(_("   rank score %+.4f\n"), (double)last->rank);
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
    return side_options_make(&settings->sides, wish->list, &wish->count, err) &&
           (wish->count > 1 ||
            error_set(err, ERROR_USAGE, "nothing to compare with: give --with-question, --with-policy, --with-budget, "
                                        "--with-picture or --figure"));
}

static bool compare(struct settings *settings, const char *const arguments[], int count, struct error *err)
{
    struct thread_pool *pool = thread_pool_new((int)settings->threads);
    struct model *model = NULL;
    struct sides sides = {0};
    struct sides_questions room;
    static struct wish wish; // its lists of changes are large
    wish.count = 0;
    for (int p = 0; p + 1 < count; p++)
        settings->sides.first.pictures[p] = arguments[p];
    settings->sides.first.question = arguments[count - 1];
    settings->sides.first.writing = &settings->writing;
    struct model_options opening = writing_settings_model(&settings->writing);
    opening.pictures = count - 1;
    bool ok = choose(&wish, settings, err) && (model = weights_open_model(settings->model, &opening, err)) != NULL;
    if (ok && model->config.pictures != count - 1)
        ok = error_set(err, ERROR_USAGE, "the task %s takes %d picture(s) and a question",
                       model_task_name(model->config.task), model->config.pictures);
    if (ok && settings->figure)
        wish.count = sides_make_figure(wish.list, &settings->sides.first, settings->sides.more.values,
                                       settings->sides.more.count, model, &room);
    if (ok && settings->figure)
        sides_note_general(wish.list, wish.count);
    ok = ok && sides_run(&sides, wish.list, wish.count, model, pool, err) && print_result(&sides, settings->json, err);
    sides_free(&sides);
    model_free(model);
    thread_pool_free(pool);
    return ok;
}

int cmd_compare(int argc, char **argv)
{
    static struct settings settings; // its lists are large
    settings = (struct settings){.sides.first = {.policy = POLICY_LEARNED, .budget = (double)NAN},
                                 .threads = thread_processors()};
    const char *arguments[3];
    int count, status;
#define OPTION_SIDES &settings.sides.more
#define OPTION_CHANGES &settings.sides.first.changes
    const struct option_row rows[] = {
        OPTION_ROWS_SIDES
        {"figure", OPTION_FLAG, &settings.figure, NULL,
         N_("the article's figure: this question and two more (--with-question, else bundled ones about the picture) with "
         "guidance, and the first without"),
         0, 0},
        OPTION_ROW_MODEL(&settings.model),
        OPTION_ROW_POLICY(&settings.sides.first.policy),
        OPTION_ROW_BUDGET(&settings.sides.first.budget),
        OPTION_ROW_EXACT(&settings.sides.first.exact),
        OPTION_ROWS_WRITING(settings.writing),
        OPTION_ROW_THREADS(&settings.threads),
        OPTION_ROW_JSON(&settings.json, N_("print the traces, and per stage what is alive in one run or in all")),
        OPTION_ROWS_CHANGES OPTION_ROW_END};
#undef OPTION_SIDES
#undef OPTION_CHANGES
    const struct option_command command = {
        "compare", N_("compare PICTURE [PICTURE] QUESTION --with-... [options]"),
        N_("Runs a model two to four times and prints the runs side by side: which patches, words and heads are alive in which "
        "of them, what each costs, and what each answers. Run A is the picture and question given; each --with-... adds a run "
        "that differs from it in that, and --and-... behind it in that, too. A run that asks the same of the same picture has "
        "A's changes by hand."),
        rows, 2, 3};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    if (compare(&settings, arguments, count, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope compare: %s\n", err.text);
    return (int)err.code;
}
