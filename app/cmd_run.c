// trimscope run: one picture and one question without a screen.
#include "app/commands.h"
#include "app/least.h"
#include "app/prepare.h"
#include "engine/base/text.h"
#include "ui/compare_words.h"
#include "ui/table.h"
#include "ui/why_words.h"
#include "ui/words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = TRACE_ANSWER, SHORT = 40 };

// What comes out of the weights or the question, harmless for a terminal.
struct shown {
    char text[SHOWN];
};
static struct shown show(const char *text)
{
    struct shown shown;
    text_fit(shown.text, sizeof shown.text, text);
    return shown;
}

// Live patches or tokens; a picture's CLS stands for no patch.
static void put_alive(struct table *table, const struct stage *stage, int stream)
{
    const struct trace_tokens *tokens = &stage->tokens[stream];
    int alive = 0, first = stream == TRACE_TEXT_STREAM ? 0 : 1;
    for (int t = first; t < tokens->count; t++)
        alive += tokens->alive[t];
    if (tokens->count)
        table_cell(table, "%d/%d", alive, tokens->count - first);
    else
        table_cell(table, "%s", "");
}

// Live heads of all attention modules of a stage.
static void put_heads(struct table *table, const struct stage *stage)
{
    int on = 0, all = 0;
    for (int s = 0; s < TRACE_STREAMS; s++)
        for (int m = 0; m < MODULES; m++)
            for (int h = 0; h < stage->heads[s][m].count; h++) {
                on += stage->heads[s][m].on[h];
                all++;
            }
    if (all)
        table_cell(table, "%d/%d", on, all);
    else
        table_cell(table, "%s", "");
}

static void put_answers(struct table *table, const struct stage *stage)
{
    char text[2 * SHORT + 32] = "";
    for (int a = 0; a < stage->answer_count && a < 2; a++) {
        size_t used = strlen(text);
        char shown[SHORT];
        snprintf(text + used, sizeof text - used, "%s%s %.0f%%", a > 0 ? "  " : "",
                 text_fit(shown, sizeof shown, stage->answers[a].text), 100 * (double)stage->answers[a].p);
    }
    table_cell(table, "%s", text);
}

static void print_stages(const struct trace *trace)
{
    static const struct table_column patches = {N_("patches"), 7};
    struct table_column columns[TABLE_COLUMNS] = {{N_("stage"), -12}};
    struct table table;
    int count = 1;
    for (int p = 0; p < trace->picture_count; p++)
        columns[count++] = patches;
    static const struct table_column others[] = {{N_("words"), 5}, {N_("heads"), 5}, {N_("MFLOP"), 8}, {N_("of dense"), 4},
                                                 {N_("ms"), 6},    {N_("answer so far (a lens before the end)"), -1}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        columns[count++] = others[i];
    table_begin(&table, stdout, columns, count);
    for (int i = 0; i < trace->stage_count; i++) {
        const struct stage *stage = &trace->stages[i];
        char name[WHY_STAGE];
        table_cell(&table, "%s", why_stage_name(trace, i, name));
        for (int p = 0; p < trace->picture_count; p++)
            put_alive(&table, stage, p);
        put_alive(&table, stage, TRACE_TEXT_STREAM);
        put_heads(&table, stage);
        table_cell(&table, "%.2f", 2 * stage->macs.spent / 1e6);
        table_cell(&table, "%.0f%%", stage->macs.dense > 0 ? 100 * stage->macs.spent / stage->macs.dense : 100);
        table_cell(&table, "%.2f", stage->ms);
        put_answers(&table, stage);
    }
}

// The question as it was read, what was dropped in brackets; endings stand at their words.
static void print_words(const struct trace *trace)
{
    const struct trace_tokens *words = &trace->stages[trace->stage_count - 1].tokens[TRACE_TEXT_STREAM];
    int dropped = 0, end = -1;
    printf("%s", _("question:"));
    for (int t = 0; t < trace->token_count && t < words->count; t++) {
        const struct trace_token *token = &trace->tokens[t];
        char text[SHOWN];
        bool covers = token->to > token->from, joined = covers && token->from <= end;
        dropped += !words->alive[t];
        printf(words->alive[t] ? "%s%s" : "%s(%s)", joined ? "" : " ", trace_token_text(trace, t, text, sizeof text));
        end = covers ? token->to : -1;
    }
    printf("%s\n", dropped ? _("   (in brackets: dropped)") : "");
}

// What of the pictures the model does not see.
static void print_cut_off(const struct trace *trace)
{
    for (int p = 0; p < trace->picture_count; p++) {
        bool sides;
        double cut_off = trace_cut_off_told(&trace->pictures[p], &sides);
        if (cut_off > 0)
            printf(sides ? _("%s: %.0f %% cut off at its left and right, which the model does not see\n")
                         : _("%s: %.0f %% cut off at its top and bottom, which the model does not see\n"),
                   show(trace->pictures[p].path ? trace->pictures[p].path : "").text, cut_off);
    }
}

static void print_trace(const struct trace *trace)
{
    char how[TRACE_NAME + 64];
    compare_tell_policy(trace, how, sizeof how);
    printf(_("%s (%s), policy %s"), show(trace->model_name).text, trace->task, how);
    if (!isnan(trace->shift))
        printf(_(", threshold shift %+.2f"), trace->shift);
    putchar('\n');
    print_cut_off(trace);
    print_stages(trace);
    print_words(trace);
    printf(_("FLOPs: %.1f of %.1f million (%.1f%%; multiply-adds %.1f of %.1f million)\n"), 2 * trace->spent_macs / 1e6,
           2 * trace->dense_macs / 1e6, 100 * trace->spent_macs / trace->dense_macs, trace->spent_macs / 1e6,
           trace->dense_macs / 1e6);
    const struct stage *last = &trace->stages[trace->stage_count - 1];
    if (!isnan(last->similarity))
        printf(_("similarity of picture and text, each by itself (ITC): %+.4f\n"), (double)last->similarity);
    if (!isnan(last->rank))
        printf(_("rank score: %+.4f\n"), (double)last->rank);
    printf(_("answer: %s (%.1f%%), %.1f ms\n"), show(trace->answer.text).text, 100 * (double)trace->answer.p, trace->ms);
}

static bool print_result(const struct prepared *prepared, bool json, struct error *err)
{
    const struct trace *trace = run_trace(prepared->run);
    enum policy policy;
    if (json) {
        char *text = trace_to_json(trace);
        if (!text)
            return error_no_memory(err, "the trace as JSON");
        fputs(text, stdout);
        free(text);
    } else {
        print_trace(trace);
        if (policy_find(trace->policy, &policy))
            least_print(policy, least_of_trace(prepared->model, trace));
    }
    return fflush(stdout) == 0 || error_set(err, ERROR_MACHINE, "cannot write the result: %s", strerror(errno));
}

int cmd_run(int argc, char **argv)
{
    static struct prepare_settings settings; // the list of changes is large
    settings = prepare_settings_default();
    bool json = false;
    const char *arguments[3];
    int count, status;
#define OPTION_CHANGES &settings.changes
    const struct option_row rows[] = {OPTION_ROWS_RUN(settings), OPTION_ROW_JSON(&json, N_("print the trace as JSON")),
                                      OPTION_ROWS_CHANGES OPTION_ROW_END};
#undef OPTION_CHANGES
    const struct option_command command = {
        "run", N_("run PICTURE [PICTURE] [QUESTION] [options]"),
        N_("Asks a model one question about a picture (two for an NLVR2 model) and prints, stage by stage, what was "
        "pruned, what it cost, and the answer so far. To a model of captions the question is what the caption begins with, and "
        "may be left out."),
        rows, 1, 3};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct error err = {0};
    struct prepared prepared = {0};
    bool ok = prepare_run(&prepared, &settings, arguments, count, &err) && prepare_finish(&prepared, &err) &&
              print_result(&prepared, json, &err);
    if (!ok)
        fprintf(stderr, "trimscope run: %s\n", err.text);
    prepare_close(&prepared);
    return ok ? ERROR_NONE : (int)err.code;
}
