#include "ui/set_figures.h"

#include "ui/set_rows.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BINS = 256, NUMBERS = 20, GAP = 2 };

int set_figures_bins(const struct results *results, int *bins, int count, double *low, double *high)
{
    int most = 0;
    *low = HUGE_VAL;
    *high = -HUGE_VAL;
    for (int i = 0; i < results->set.count; i++)
        if (results->evaluations[i].done) {
            *low = fmin(*low, results->evaluations[i].share);
            *high = fmax(*high, results->evaluations[i].share);
        }
    memset(bins, 0, (size_t)count * sizeof *bins);
    if (*low > *high) {
        *low = *high = 0;
        return 0;
    }
    double width = fmax(*high - *low, 1e-6) / count;
    for (int i = 0; i < results->set.count; i++) {
        if (!results->evaluations[i].done)
            continue;
        int bin = (int)((results->evaluations[i].share - *low) / width);
        bin = bin < count ? bin : count - 1;
        bins[bin]++;
        most = bins[bin] > most ? bins[bin] : most;
    }
    return most;
}

// A column of `rows` cells, filled from below to an eighth of a cell.
static void draw_column(const struct pane *pane, int bottom, int column, int rows, double share)
{
    static const char *const eighths[] = {"", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    bool unicode = pane->theme->glyphs->unicode;
    int filled = (int)lround(share * rows * 8);
    filled = share > 0 && filled == 0 ? 1 : filled; // what is there is seen
    for (int r = 0; r < rows && filled > 0; r++, filled -= 8)
        draw_text(pane, STYLE_SPENT, bottom - r, column, 1,
                  unicode ? eighths[filled > 8 ? 8 : filled] : filled >= 4 || r == 0 ? "#" : "");
}

// Where the cheapest and the dearest question are.
static void find_ends(const struct results *results, int *easy, int *hard)
{
    *easy = *hard = -1;
    for (int i = 0; i < results->set.count; i++) {
        const struct evaluation *e = &results->evaluations[i];
        if (!e->done)
            continue;
        if (*easy < 0 || e->share < results->evaluations[*easy].share)
            *easy = i;
        if (*hard < 0 || e->share > results->evaluations[*hard].share)
            *hard = i;
    }
}

// With the picture's name where there is room.
static void name_example(const struct results *results, int place, int columns, char *out, size_t size)
{
    const struct question *q = &results->set.questions[place];
    snprintf(out, size, "%s (%s)", q->text, set_rows_picture(q));
    if (draw_width(out) > columns)
        snprintf(out, size, "%s", q->text);
}

// Rows that the two examples may take, side by side.
static int example_rows(struct rect rect) { return rect.rows >= 12 ? 2 : 1; }

static void draw_ends(const struct pane *pane, struct rect rect, const struct results *results, double low, double high)
{
    char text[300];
    bool unicode = pane->theme->glyphs->unicode;
    int easy, hard, half = rect.columns / 2 - 1, rows = example_rows(rect), row = rect.row + rect.rows - rows;
    struct rect left = {row, rect.column, rows, half};
    struct rect right = {row, rect.column + half + 2, rows, rect.columns - half - 2};
    find_ends(results, &easy, &hard);
    snprintf(text, sizeof text, unicode ? _("◂ easy: %.0f %%") : _("< easy: %.0f %%"), 100 * low);
    draw_text(pane, STYLE_NUMBER, row - 1, left.column, left.columns, text);
    snprintf(text, sizeof text, unicode ? _("hard: %.0f %% ▸") : _("hard: %.0f %% >"), 100 * high);
    draw_right(pane, STYLE_NUMBER, row - 1, right.column, right.columns, text);
    name_example(results, easy, rows * (left.columns - 4), text, sizeof text);
    draw_wrapped(pane, STYLE_DIM, left, text);
    name_example(results, hard, rows * (right.columns - 4), text, sizeof text);
    if (draw_width(text) <= right.columns)
        draw_right(pane, STYLE_DIM, row, right.column, right.columns, text);
    else
        draw_wrapped(pane, STYLE_DIM, right, text);
}

void set_figures_histogram(const struct pane *pane, struct rect rect, const struct results *results)
{
    int bins[BINS], count = rect.columns < BINS ? rect.columns : BINS, rows = rect.rows - 3 - example_rows(rect);
    double low, high, mean = 0;
    int most = set_figures_bins(results, bins, count, &low, &high), done = 0;
    char right[64] = "";
    if (most)
        snprintf(right, sizeof right, _("at most %d in one"), most);
    draw_title(pane, (struct rect){rect.row, rect.column, 1, rect.columns}, _("share of the dense FLOPs"), right, false);
    if (!most || rows < 1)
        return;
    int bottom = rect.row + rows;
    for (int b = 0; b < count; b++)
        draw_column(pane, bottom, rect.column + b, rows, (double)bins[b] / most);
    for (int i = 0; i < results->set.count; i++)
        if (results->evaluations[i].done) {
            mean += results->evaluations[i].share;
            done++;
        }
    mean /= done;
    int at = high > low ? (int)((mean - low) / (high - low) * (count - 1)) : 0;
    for (int c = 0; c < count; c++)
        draw_text(pane, STYLE_RULE, bottom + 1, rect.column + c, 1, pane->theme->glyphs->rule);
    snprintf(right, sizeof right, _("%s mean %.0f %%"), pane->theme->glyphs->unicode ? "▲" : "^", 100 * mean);
    int width = draw_width(right), left = at + width > count ? at - width + 1 : at;
    if (at + width > count)
        snprintf(right, sizeof right, _("mean %.0f %% %s"), 100 * mean, pane->theme->glyphs->unicode ? "▲" : "^");
    draw_text(pane, STYLE_TEXT, bottom + 1, rect.column + (left > 0 ? left : 0), width, right);
    draw_ends(pane, rect, results, low, high);
}

enum set_cell set_figures_cell(struct estimate e, int cell, int cells)
{
    double at = (cell + 0.5) / cells;
    if (isnan(e.value))
        return SET_CELL_EMPTY;
    if (at <= e.low || (isnan(e.low) && at <= e.value))
        return SET_CELL_FULL;
    return at <= e.value ? SET_CELL_LOW : at <= e.high ? SET_CELL_HIGH : SET_CELL_EMPTY;
}

static void draw_accuracy(const struct pane *pane, int row, struct rect rect, const char *name,
                          const struct evaluation_summary *s, bool chosen)
{
    static const char *const cells[2][4] = {{"#", "=", "-", " "}, {"▆", "▃", "▁", " "}};
    static const enum style styles[4] = {STYLE_ALIVE, STYLE_ALIVE, STYLE_ANSWER_BAR, STYLE_TRACK};
    int name_columns = rect.columns < 56 ? 12 : 16, bar = rect.columns - name_columns - 1 - GAP - NUMBERS;
    draw_text(pane, chosen ? STYLE_SELECTED : STYLE_TEXT, row, rect.column, name_columns, name);
    for (int i = 0; i < bar; i++) {
        enum set_cell cell = set_figures_cell(s->accuracy, i, bar);
        draw_text(pane, styles[cell], row, rect.column + name_columns + 1 + i, 1, cells[pane->theme->glyphs->unicode][cell]);
    }
    int numbers = rect.column + name_columns + 1 + (bar > 0 ? bar : 0) + GAP;
    if (s->questions)
        draw_format(pane, STYLE_NUMBER, row, numbers, NUMBERS, "%3.0f %% %3.0f–%-3.0f %6d", 100 * s->accuracy.value,
                    100 * s->accuracy.low, 100 * s->accuracy.high, s->questions);
    else
        draw_text(pane, STYLE_DIM, row, numbers, NUMBERS, "-");
}

int set_figures_type_rows(const struct set_summary *summary) { return summary ? summary->type_count + 2 : 2; }

void set_figures_types(const struct pane *pane, struct rect rect, const struct results *results,
                       const struct set_summary *summary, const char *chosen)
{
    draw_title(pane, (struct rect){rect.row, rect.column, 1, rect.columns}, _("accuracy by type"),
               _(
    /* xgettext:no-c-format */
    "95 % interval, questions"), false);
    if (!summary)
        return;
    int row = rect.row + 1, last = rect.row + rect.rows - 1;
    draw_accuracy(pane, row++, rect, _("all"), &summary->all, false);
    for (int t = 0; t < summary->type_count && row <= last; t++, row++) {
        const char *name = results->set.questions[summary->types[t]].type;
        int left = summary->type_count - t;
        if (row == last && left > 1) {
            draw_format(pane, STYLE_DIM, row, rect.column, rect.columns, ngettext_(left, "and %d more", "and %d more"), left);
            return;
        }
        draw_accuracy(pane, row, rect, name, &summary->by_type[t], !strcmp(name, chosen));
    }
}
