#include "app/sweep_figure.h"

#include "engine/base/memory.h"
#include "ui/pareto.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHEET_ROWS = 20, SHEET_COLUMNS = 78, LABEL = 16 };

static void print_legend(const struct sweep_point *points, int count)
{
    bool seen[POLICY_COUNT] = {false};
    for (int i = 0; i < count; i++)
        seen[points[i].policy] = seen[points[i].policy] || points[i].done;
    for (int p = 0; p < POLICY_COUNT; p++)
        if (seen[p])
            printf("%c %s   ", 'a' + p, title_policy(policy_name((enum policy)p)));
    putchar('\n');
    puts(_("Capital letters are on the front; numbers are budgets."));
}

bool sweep_figure_print(const struct sweep_point *points, int count, struct error *err)
{
    struct plot_sheet sheet = {0};
    struct pareto_point *shown = memory_alloc((size_t)count, sizeof *shown);
    char (*labels)[LABEL] = memory_alloc((size_t)count, sizeof *labels), row[SHEET_COLUMNS * 8 + 1];
    struct pareto pareto = {.x_title = _("share of the dense FLOPs"), .y_title = _("accuracy, %"), .points = shown};
    setlocale(LC_CTYPE, "");
    bool ok = shown && labels &&
              plot_sheet_init(&sheet, SHEET_ROWS, SHEET_COLUMNS, !strcmp(nl_langinfo(CODESET), "UTF-8"));
    for (int i = 0; ok && i < count; i++) {
        const struct sweep_point *p = &points[i];
        if (!p->done || !p->summary.questions)
            continue;
        if (!isnan(p->budget))
            snprintf(labels[i], LABEL, "%g", p->budget);
        shown[pareto.count++] = (struct pareto_point){.letter = (char)('a' + (int)p->policy), .label = labels[i],
                                                      .x = p->summary.share.value, .y = p->summary.accuracy.value,
                                                      .front = p->front_flops};
    }
    if (ok && pareto.count) {
        pareto_draw(&sheet, &pareto, 0, 0, SHEET_ROWS, SHEET_COLUMNS);
        for (int r = 0; r < sheet.rows; r++) {
            plot_row_text(&sheet, r, row);
            puts(row);
        }
        print_legend(points, count);
    }
    plot_sheet_free(&sheet);
    memory_free(shown);
    memory_free(labels);
    return ok || error_no_memory(err, "the plot");
}
