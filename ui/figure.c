#include "ui/figure.h"

#include "ui/view.h"
#include "ui/words.h"

#include <stdio.h>
#include <string.h>

const char *figure_general_question(int pictures, int index)
{
    enum { COUNT = 2 };
    static const char *const questions[COUNT] = {"what can you see in the middle of the picture?",
                                                 "how many animals are visible?"};
    static const char *const statements[COUNT] = {"both pictures show a dog",
                                                  "there are more dogs in the left picture than in the other image"};
    return index >= COUNT ? NULL : pictures > 1 ? statements[index] : questions[index];
}

void figure_label(int row, char out[8])
{
    snprintf(out, 8, "(%c)", 'a' + row % 26);
}

const char *figure_guidance(const struct figure_row *row)
{
    const char *policy = row->trace ? row->trace->policy : "";
    return !strcmp(policy, "learned")        ? _("with guidance by the question")
           : !strcmp(policy, "learned-self") ? _("without guidance")
                                             : policy;
}

// All columns there would be; of the row that has come farthest.
static int all_columns(const struct figure *figure, int stages[TRACE_STAGES])
{
    const struct trace *longest = NULL;
    int count = 0;
    for (int r = 0; r < figure->count; r++) {
        const struct trace *trace = figure->rows[r].trace;
        if (trace && (!longest || trace->stage_count > longest->stage_count))
            longest = trace;
    }
    for (int i = 0; longest && i < longest->stage_count && count < TRACE_STAGES; i++)
        if (!view_is_of_words(&longest->stages[i]))
            stages[count++] = i;
    return count;
}

int figure_columns(const struct figure *figure, int most, int stages[FIGURE_COLUMNS])
{
    int all[TRACE_STAGES], count = all_columns(figure, all);
    most = most < 1 ? 1 : most > FIGURE_COLUMNS ? FIGURE_COLUMNS : most;
    int shown = count < most ? count : most;
    for (int i = 0; i < shown; i++)
        stages[i] = all[shown > 1 ? (i * (count - 1) + (shown - 1) / 2) / (shown - 1) : count - 1];
    return shown;
}

void figure_cell(const struct figure_row *row, int stage, struct figure_cell *out)
{
    const struct trace *trace = row->trace;
    *out = (struct figure_cell){.computed = trace && stage < trace->stage_count};
    if (!out->computed)
        return;
    for (int p = 0; p < trace->picture_count; p++) {
        const struct trace_tokens *tokens = trace_tokens_at(trace, stage, p);
        int patches = trace->pictures[p].grid_rows * trace->pictures[p].grid_columns;
        out->patches += patches;
        for (int i = 1; i <= patches; i++)
            out->alive += !tokens || i >= tokens->count || tokens->alive[i];
    }
    const struct stage *at = &trace->stages[stage];
    out->answer = at->answer_count > 0 ? &at->answers[0] : NULL;
}

bool figure_word_alive(const struct figure_row *row, int stage, int token)
{
    const struct trace_tokens *words = row->trace ? trace_tokens_at(row->trace, stage, TRACE_TEXT_STREAM) : NULL;
    return !words || token >= words->count || words->alive[token];
}
