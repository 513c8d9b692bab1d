// What the stage cost, and the run so far, against the unpruned model.
#include "ui/panels.h"
#include "ui/words.h"

#include <stdio.h>

static const char *const kind_names[MAC_KINDS] = {N_("QKV"), N_("attention"), N_("projection"),
                                                  N_("FFN"), N_("trimmer"),   N_("other")};

static void draw_cost(const struct pane *pane, int row, const char *name, double spent, double dense,
                      double ms)
{
    struct rect rect = pane->layout->cost;
    char text[96], spent_text[24], dense_text[24];
    bool wide = rect.columns >= 64;
    int digits = ms < 9.995 ? 2 : ms < 99.95 ? 1 : 0, numbers = wide ? 45 : 34, name_width = 7 + 4 * wide;
    draw_text(pane, STYLE_TEXT, row, rect.column, name_width, name);
    if (dense <= 0) { // words become rows of a table: there is no share of nothing
        snprintf(text, sizeof text, _("a look-up: no FLOPs %6.*f ms"), digits, ms);
        draw_right(pane, STYLE_NUMBER, row, rect.column + rect.columns - numbers, numbers, text);
        return;
    }
    draw_flops(spent_text, sizeof spent_text, spent);
    draw_flops(dense_text, sizeof dense_text, dense);
    double share = spent / dense;
    if (wide)
        snprintf(text, sizeof text, _("%7sFLOP of %6sFLOP  %3.0f %%  %5.*f ms"), spent_text, dense_text,
                 100 * share, digits, ms);
    else
        snprintf(text, sizeof text, _("%s/%sFLOP %3.0f %% %4.*f ms"), spent_text, dense_text, 100 * share,
                 digits, ms);
    draw_bar(pane, STYLE_SPENT, row, rect.column + name_width, rect.columns - name_width - numbers - 1,
             share);
    draw_right(pane, STYLE_NUMBER, row, rect.column + rect.columns - numbers, numbers, text);
}

static void draw_kind(const struct pane *pane, int row, int column, int columns, int kind,
                      const struct stage *stage)
{
    char text[24];
    double spent = stage->macs.by[kind];
    draw_flops(text, sizeof text, spent);
    draw_text(pane, STYLE_DIM, row, column, 10, _(kind_names[kind]));
    draw_bar(pane, STYLE_SPENT, row, column + 11, columns - 11 - 9,
             stage->macs.dense > 0 ? spent / stage->macs.dense : 0);
    draw_right(pane, STYLE_NUMBER, row, column + columns - 8, 7, text);
}

static void put_title(const struct pane *pane)
{
    struct rect rect = pane->layout->cost;
    draw_title(pane, rect, _("COST"),
               rect.columns >= 64 ? _("against the unpruned model; ms as measured: they jump on a busy machine")
                                  : _("against the unpruned model"),
               false);
}

// Of all stages up to and with `stage`.
static void draw_so_far(const struct pane *pane, int row, const char *name, int stage)
{
    const struct trace_macs *macs = &pane->view->trace.stages[stage].macs;
    double ms = 0;
    for (int s = 0; s <= stage; s++)
        ms += pane->view->trace.stages[s].ms;
    draw_cost(pane, row, name, macs->cumulative_spent, macs->cumulative_dense, ms);
}

void panel_cost_of_run(const struct pane *pane)
{
    struct rect rect = pane->layout->cost;
    int last = pane->view->trace.stage_count - 1;
    put_title(pane);
    if (view_stage_at(pane->view) && rect.rows >= 2)
        draw_so_far(pane, rect.row + 1, rect.columns >= 64 ? _("whole run") : in_("cost", "run"), last);
}

void panel_cost(const struct pane *pane)
{
    struct rect rect = pane->layout->cost;
    const struct stage *stage = view_stage_at(pane->view);
    bool wide = rect.columns >= 64;
    put_title(pane);
    if (!stage || rect.rows < 3)
        return;
    const struct trace_macs *macs = &stage->macs;
    draw_cost(pane, rect.row + 1, wide ? _("this stage") : _("stage"), macs->spent, macs->dense, stage->ms);
    draw_so_far(pane, rect.row + 2, _("so far"), view_stage(pane->view));
    int rows = rect.rows - 4; // a blank row between
    int half = rect.columns / 2;
    for (int kind = 0; kind < MAC_KINDS; kind++) {
        int row = kind % 3, column = kind / 3 * half;
        if (row < rows)
            draw_kind(pane, rect.row + 4 + row, rect.column + column, half - (column > 0 ? 0 : 1), kind,
                      stage);
    }
}
