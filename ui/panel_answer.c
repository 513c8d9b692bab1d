// The answer as it would be read at this depth.
#include "ui/panels.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// The reading before this stage: of the last earlier stage that has one.
static const struct stage *reading_before(const struct view *view, int stage)
{
    for (int s = stage - 1; s >= 0; s--)
        if (view->trace.stages[s].answer_count > 0)
            return &view->trace.stages[s];
    return NULL;
}

static float probability_of(const struct stage *stage, const char *text)
{
    for (int i = 0; stage && i < stage->answer_count; i++)
        if (!strcmp(stage->answers[i].text, text))
            return stage->answers[i].p;
    return NAN;
}

// The share in words, "<1 %" where it is not nothing.
static void write_share(double percent, char *out, size_t size)
{
    if (percent > 0 && percent < 0.5)
        snprintf(out, size, "<1 %%");
    else
        snprintf(out, size, "%3.0f %%", percent);
}

// Columns of a name in the panel.
static int name_columns(const struct pane *pane)
{
    int width = pane->layout->answer.columns / 4;
    return width < 12 ? 12 : width > 20 ? 20 : width;
}

static void draw_candidate(const struct pane *pane, int row, const struct trace_answer *answer, bool first,
                           float before)
{
    struct rect rect = pane->layout->answer;
    int name_width = name_columns(pane);
    const struct glyphs *glyphs = pane->theme->glyphs;
    char text[48], change[24] = "";
    float difference = 100 * (answer->p - before);
    if (!isnan(difference) && fabsf(difference) >= 0.5F)
        snprintf(change, sizeof change, "%s%2.0f", difference > 0 ? glyphs->up : glyphs->down,
                 (double)fabsf(difference));
    write_share(100 * (double)answer->p, text, sizeof text);
    int end = rect.column + rect.columns;
    draw_text(pane, first ? STYLE_ANSWER : STYLE_TEXT, row, rect.column, name_width, answer->text);
    draw_bar(pane, first ? STYLE_ANSWER_BAR : STYLE_SPENT, row, rect.column + name_width + 1,
             rect.columns - name_width - 1 - 13, (double)answer->p);
    draw_right(pane, first ? STYLE_ANSWER : STYLE_NUMBER, row, end - 12, 6, text);
    draw_text(pane, STYLE_DIM, row, end - 5, 5, change);
}

// Whether there is more to read than a name: texts that are written.
static bool has_texts(const struct pane *pane, const struct stage *stage)
{
    bool texts = false;
    for (int i = 0; i < stage->answer_count; i++)
        texts = texts || draw_width(stage->answers[i].text) > name_columns(pane);
    return texts;
}

// The first text as a whole, the others as far as they fit in a row.
static void draw_texts(const struct pane *pane, const struct stage *stage)
{
    struct rect rect = pane->layout->answer;
    int row = rect.row + 1, end = rect.row + rect.rows, others = stage->answer_count > 2 ? 2 : stage->answer_count - 1;
    int columns = rect.columns - 8, most = rect.rows - 1 - others;
    for (int i = 0; i < stage->answer_count && row < end; i++) {
        const struct trace_answer *answer = &stage->answers[i];
        int rows = i > 0 ? 1 : draw_rows(answer->text, columns);
        char share[16];
        rows = rows > most ? most : rows;
        rows = rows < 1 ? 1 : rows;
        write_share(100 * (double)answer->p, share, sizeof share);
        draw_wrapped(pane, i == 0 ? STYLE_ANSWER : STYLE_TEXT, (struct rect){row, rect.column, rows, columns}, answer->text);
        draw_right(pane, i == 0 ? STYLE_ANSWER : STYLE_NUMBER, row, rect.column + rect.columns - 6, 6, share);
        row += rows;
    }
}

// What the title says of this reading, with the true answer where it is known.
static void write_about(const struct view *view, const struct stage *stage, int columns, char *out, size_t size)
{
    bool wide = columns >= 64;
    bool final = stage && stage->kind == STAGE_ANSWER;
    const char *truth = view_truth(view);
    if (stage && !isnan(stage->similarity))
        snprintf(out, size, _("ITC (each by itself) %+.3f; rank score %+.3f"), (double)stage->similarity, (double)stage->rank);
    else if (stage && stage->kind == STAGE_DECODE)
        snprintf(out, size, "%s", wide ? _(/* xgettext:no-c-format */ "as far as it is written; % of the whole text") : _("as far as it is written"));
    else if (stage && !isnan(stage->rank))
        snprintf(out, size, final ? _("rank score %+.3f") : _("a lens; rank score %+.3f"), (double)stage->rank);
    else if (truth && final)
        snprintf(out, size,
                 stage->answer_count && !strcmp(stage->answers[0].text, truth) ? _("right: the true answer is '%s'")
                                                                               : _("WRONG: the true answer is '%s'"),
                 truth);
    else if (truth)
        snprintf(out, size, _("a lens; the true answer is '%s'"), truth);
    else
        snprintf(out, size, "%s",
                 final  ? _("the model's answer")
                 : wide ? _("a lens: the answer head read early, which it was not trained for")
                 : columns >= 40 ? _("a lens: read early")
                                 : _("a lens"));
}

void panel_answer(const struct pane *pane)
{
    struct rect rect = pane->layout->answer;
    const struct view *view = pane->view;
    const struct stage *stage = view_stage_at(view);
    bool final = stage && stage->kind == STAGE_ANSWER;
    char about[TRACE_TEXT + 64];
    write_about(view, stage, rect.columns, about, sizeof about);
    draw_title(pane, rect, final ? _("ANSWER") : _("ANSWER SO FAR"), about, false);
    if (!stage)
        return;
    if (stage->answer_count == 0) {
        struct rect below = {rect.row + 1, rect.column, rect.rows - 1, rect.columns};
        draw_wrapped(pane, STYLE_DIM, below,
                     _("Nothing to read yet: picture and question meet in the fusion layers."));
        return;
    }
    if (has_texts(pane, stage)) {
        draw_texts(pane, stage);
        return;
    }
    const struct stage *before = reading_before(view, view_stage(view));
    for (int i = 0; i < stage->answer_count && i + 1 < rect.rows; i++)
        draw_candidate(pane, rect.row + 1 + i, &stage->answers[i], i == 0,
                       probability_of(before, stage->answers[i].text));
}
