#include "ui/plain_tell.h"

#include "ui/narrate.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <math.h>
#include <string.h>

void plain_tell_stage(const struct view *view, FILE *out)
{
    char text[1600], name[TRACE_TEXT];
    int stage = view_stage(view);
    if (stage < 0)
        return;
    view_stage_name(view, &view->trace.stages[stage], name, sizeof name);
    fprintf(out, _("Stage %d of %d, %s.\n"), stage + 1, view->trace.stage_count, name);
    narrate_stage(view, stage, text, sizeof text);
    fprintf(out, "%s\n", text);
}

void plain_tell_answers(const struct view *view, FILE *out)
{
    const struct stage *stage = view_stage_at(view);
    int told = 0;
    for (int i = 0; stage && i < stage->answer_count; i++, told++)
        fprintf(out, _("%d. '%s', %.1f percent.\n"), i + 1, stage->answers[i].text,
                100 * (double)stage->answers[i].p);
    if (!told)
        fputs(_("At this stage nothing can be read out yet.\n"), out);
    else if (view_stage(view) + 1 < view->trace.stage_count)
        fputs(_("This is a lens: the answer head was not trained to read here.\n"), out);
}

// Markers at the ends stand for no characters of the question: nothing to be read out.
static bool is_marker(const struct trace *trace, int token)
{
    return trace->tokens[token].to <= trace->tokens[token].from;
}

void plain_tell_words(const struct view *view, FILE *out)
{
    int stage = view_stage(view);
    for (int alive = 1; alive >= 0; alive--) {
        int told = 0;
        for (int i = 0; i < view->trace.token_count; i++) {
            char name[TRACE_TEXT];
            if (view_alive(view, stage, TRACE_TEXT_STREAM, i) != alive || is_marker(&view->trace, i))
                continue;
            view_token_name(view, TRACE_TEXT_STREAM, i, name, sizeof name);
            if (!told++)
                fputs(alive ? _("Words that are read:") : _("Words that were dropped:"), out);
            fprintf(out, " %s", name);
        }
        if (told)
            fprintf(out, "%s\n", in_("sentence", "."));
    }
}

enum { ROW_TEXT = 256 };

// The living patches of a row: "columns 2 to 5, 9", "all columns", "none".
static void describe_row(const struct view *view, int picture, int row, char out[ROW_TEXT])
{
    int columns = view->trace.pictures[picture].grid_columns, stage = view_stage(view), alive = 0;
    char list[ROW_TEXT] = "";
    for (int c = 0; c < columns; c++) {
        int first = c;
        while (c < columns && view_alive(view, stage, picture, row * columns + c + 1))
            c++;
        if (c == first)
            continue;
        size_t used = strlen(list);
        used += (size_t)snprintf(list + used, sizeof list - used, "%s", alive ? in_("list", ", ") : "");
        alive += c - first;
        if (used < sizeof list && c - first == 1)
            snprintf(list + used, sizeof list - used, "%d", first + 1);
        else if (used < sizeof list)
            snprintf(list + used, sizeof list - used, _("%d to %d"), first + 1, c);
    }
    if (alive == 0)
        snprintf(out, ROW_TEXT, "%s", in_("columns", "none"));
    else if (alive == columns)
        snprintf(out, ROW_TEXT, "%s", _("all columns"));
    else
        snprintf(out, ROW_TEXT, ngettext_(alive, "column %s", "columns %s"), list);
}

static void tell_rows(const struct view *view, int picture, FILE *out)
{
    int rows = view->trace.pictures[picture].grid_rows;
    char text[ROW_TEXT], next[ROW_TEXT];
    for (int row = 0, first = 0; row < rows; row++) {
        describe_row(view, picture, row, text);
        if (row + 1 < rows) {
            describe_row(view, picture, row + 1, next);
            if (!strcmp(text, next))
                continue;
        }
        if (row == first)
            fprintf(out, _("Row %d: %s.\n"), row + 1, text);
        else
            fprintf(out, _("Rows %d to %d: %s.\n"), first + 1, row + 1, text);
        first = row + 1;
    }
}

void plain_tell_patches(const struct view *view, FILE *out)
{
    for (int p = 0; p < view->trace.picture_count; p++) {
        int total, alive = view_alive_count(view, view_stage(view), p, &total);
        if (view->trace.picture_count > 1)
            fprintf(out, _("Picture %d. "), p + 1);
        fprintf(out, ngettext_(alive, "%d of %d patches is looked at.\n", "%d of %d patches are looked at.\n"), alive, total);
        tell_rows(view, p, out);
    }
}

void plain_tell_heads(const struct view *view, FILE *out)
{
    int told = 0;
    for (int stream = 0; stream < TRACE_STREAMS; stream++)
        for (int module = 0; module < MODULES; module++) {
            const struct trace_heads *heads =
                view_heads(view, view_stage(view), stream, (enum attention_module)module);
            int live = 0;
            for (int h = 0; heads && h < heads->count; h++)
                live += heads->on[h] != 0;
            if (!heads)
                continue;
            fprintf(out, _("%d of %d heads are live in the %s attention of the %s.\n"), live, heads->count,
                    view_module_name((enum attention_module)module), view_stream_name(view, stream));
            told++;
        }
    if (!told)
        fputs(_("There is no attention in this stage.\n"), out);
}

void plain_tell_cost(const struct view *view, FILE *out)
{
    const struct stage *stage = view_stage_at(view);
    if (!stage)
        return;
    const struct trace_macs *macs = &stage->macs;
    if (macs->dense <= 0) {
        fputs(_("This stage is a look-up: it spends no FLOPs.\n"), out);
        return;
    }
    fprintf(out, _("This stage spends %.1f million FLOPs of %.1f unpruned; up to here %.0f percent were spent.\n"),
            2e-6 * macs->spent, 2e-6 * macs->dense,
            macs->cumulative_dense > 0 ? 100 * macs->cumulative_spent / macs->cumulative_dense : 100.0);
}

void plain_tell_input(const struct view *view, FILE *out)
{
    const struct trace *trace = &view->trace;
    fprintf(out, _("Question: %s\n"), trace->question ? trace->question : "");
    for (int p = 0; p < trace->picture_count; p++)
        fprintf(out, _("Picture: %s\n"), trace->pictures[p].path ? trace->pictures[p].path : "");
    if (isnan(trace->budget))
        fprintf(out, _("Policy %s, budget as trained.\n"), title_policy(trace->policy));
    else
        fprintf(out, _("Policy %s, budget %.0f percent.\n"), title_policy(trace->policy), 100 * trace->budget);
    if (trace->answer.text[0])
        fprintf(out, _("Answer: '%s', %.1f percent.\n"), trace->answer.text, 100 * (double)trace->answer.p);
    if (view->note[0])
        fprintf(out, "%s\n", view->note);
}

void plain_tell_token(const struct view *view, int stream, int token, FILE *out)
{
    int stage = view_stage(view);
    char name[TRACE_TEXT], at[TRACE_TEXT];
    view_token_name(view, stream, token, name, sizeof name);
    const struct trace_tokens *end = view_tokens(view, view->trace.stage_count - 1, stream);
    int died = end && token < end->count && !end->alive[token] ? end->dropped_at[token] : -1;
    if (died < 0 || died >= view->trace.stage_count) {
        fprintf(out, _("%s stays to the end.\n"), name);
    } else {
        view_stage_name(view, &view->trace.stages[died], at, sizeof at);
        fprintf(out, _("%s is dropped in %s, stage %d.\n"), name, at, died + 1);
    }
    struct view_score score = view_score(view, died >= 0 && died > stage ? died : stage, stream, token);
    if (score.stage < 0) {
        fputs(_("No score was given yet: nothing up to here decides about it.\n"), out);
        return;
    }
    float threshold = view_threshold(view, score.stage, stream);
    view_stage_name(view, &view->trace.stages[score.stage], at, sizeof at);
    fprintf(out, _("Its score in %s is %.2f"), at, (double)score.total);
    if (!isnan(score.self) && !isnan(score.cross))
        fprintf(out, _(", of which %.2f for itself and %.2f for the other side"), (double)score.self,
                (double)score.cross);
    if (!isnan(threshold))
        fprintf(out, score.total < threshold ? _("; that is %.2f below the threshold") : _("; that is %.2f above the threshold"),
                fabs((double)(score.total - threshold)));
    fprintf(out, "%s\n", in_("sentence", "."));
}
