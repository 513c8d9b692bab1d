#include "ui/redundancy_figure.h"

#include "ui/words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool known(const struct redundancy *r)
{
    return r && r->inputs > 0 && r->layer_count > 0;
}

// ---- the plots
// --------------------------------------------------------------------------------------------------

enum { LABEL = 12 };

static void label_of(const struct redundancy_layer *layer, char out[LABEL])
{
    // The shortest names of view_fit_stage_name(), in English everywhere: a plot has one column for each character.
    static const char letters[STAGE_KINDS] = {'i', 'i', 't', 'f', 'm', 'd', 'a'};
    bool words = layer->kind == STAGE_EMBED && strstr(layer->name, "text");
    snprintf(out, LABEL, "%c%d%s", words ? 't' : letters[layer->kind],
             layer->kind == STAGE_EMBED ? 0 : layer->layer % 1000 + 1, strstr(layer->name, ", picture 2") ? "'" : "");
}

static struct plot_point point_of(const struct redundancy_spread *spread)
{
    return (struct plot_point){spread->mean, spread->low, spread->high};
}

// The same stage in the other line; both come from runs of one model.
static const struct redundancy_layer *same_layer(const struct redundancy *r,
                                                 const struct redundancy_layer *layer)
{
    for (int i = 0; i < r->layer_count; i++)
        if (!strcmp(r->layers[i].name, layer->name) && r->layers[i].kind == layer->kind)
            return &r->layers[i];
    return NULL;
}

// Points and labels of one plot, in memory of their own.
struct panel {
    struct plot plot;
    struct plot_point *points[PLOT_LINES];
    char (*labels)[LABEL];
    const char **names;
};

static bool panel_init(struct panel *panel, const struct redundancy *const lines[PLOT_LINES],
                       enum redundancy_series series)
{
    static const char *const titles[REDUNDANCY_SERIES] = {
        N_("Patches"), N_("Words"), N_("Heads of the picture"), N_("Heads of the words")};
    const struct redundancy *first = known(lines[0]) ? lines[0] : lines[1];
    size_t most = (size_t)first->layer_count;
    *panel = (struct panel){.plot = {.title = _(titles[series]), .low = -0.2F, .high = 1}};
    panel->labels = calloc(most, sizeof *panel->labels);
    panel->names = calloc(most, sizeof *panel->names);
    bool ok = panel->labels && panel->names;
    for (int line = 0; line < PLOT_LINES; line++) {
        panel->points[line] = calloc(most, sizeof **panel->points);
        ok = ok && panel->points[line];
    }
    for (int i = 0; ok && i < first->layer_count; i++) {
        const struct redundancy_layer *layer = &first->layers[i];
        int at = panel->plot.count;
        if (layer->of[series].count == 0)
            continue;
        for (int line = 0; line < PLOT_LINES; line++) {
            const struct redundancy_layer *same = known(lines[line]) ? same_layer(lines[line], layer) : NULL;
            panel->points[line][at] = same ? point_of(&same->of[series]) : (struct plot_point){NAN, NAN, NAN};
            if (known(lines[line]))
                panel->plot.lines[line] = panel->points[line];
        }
        label_of(layer, panel->labels[at]);
        panel->names[at] = panel->labels[at];
        panel->plot.count++;
    }
    panel->plot.labels = panel->names;
    return ok;
}

static void panel_free(struct panel *panel)
{
    free(panel->labels);
    free(panel->names);
    for (int line = 0; line < PLOT_LINES; line++)
        free(panel->points[line]);
}

void redundancy_figure_draw(struct plot_sheet *sheet, const struct redundancy *const lines[PLOT_LINES],
                            enum redundancy_series first, int count)
{
    if (!known(lines[0]) && !known(lines[1]))
        return;
    int gap = 2, columns = (sheet->columns - gap) / 2, rows = sheet->rows / (count / 2);
    for (int i = 0; i < count; i++) {
        struct panel panel;
        int row = i / 2 * (sheet->rows - rows), column = i % 2 * (columns + gap);
        if (panel_init(&panel, lines, (enum redundancy_series)((int)first + i)))
            plot_draw(sheet, &panel.plot, row, column, rows, columns);
        panel_free(&panel);
    }
}

// ---- what it says
// -----------------------------------------------------------------------------------------------

struct ends {
    const struct redundancy_spread *first, *last;
};

static struct ends ends_of(const struct redundancy *r, enum redundancy_series series)
{
    struct ends ends = {NULL, NULL};
    for (int i = 0; i < r->layer_count; i++)
        if (r->layers[i].of[series].count) {
            ends.last = &r->layers[i].of[series];
            ends.first = ends.first ? ends.first : ends.last;
        }
    return ends;
}

static void add(char out[REDUNDANCY_SENTENCE], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char out[REDUNDANCY_SENTENCE], const char *format, ...)
{
    size_t used = strlen(out);
    if (used && used + 1 < REDUNDANCY_SENTENCE)
        out[used++] = '\n';
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, REDUNDANCY_SENTENCE - used, format, arguments);
    va_end(arguments);
}

static void say_tokens(char out[REDUNDANCY_SENTENCE], const struct redundancy *r,
                       enum redundancy_series series)
{
    struct ends ends = ends_of(r, series);
    bool words = series == REDUNDANCY_WORDS;
    if (!ends.first)
        return;
    double from = (double)ends.first->mean, to = (double)ends.last->mean;
    if (to > from + 0.05)
        add(out,
            words ? _("Words grow more alike with depth: %.2f to %.2f.")
                  : _("Patches grow more alike with depth: %.2f to %.2f."),
            from, to);
    else if (to < from - 0.05)
        add(out,
            words ? _("Words grow less alike with depth: %.2f to %.2f.")
                  : _("Patches grow less alike with depth: %.2f to %.2f."),
            from, to);
    else
        add(out,
            words ? _("Words stay as alike as they were: %.2f to %.2f.")
                  : _("Patches stay as alike as they were: %.2f to %.2f."),
            from, to);
}

static void say_heads(char out[REDUNDANCY_SENTENCE], const struct redundancy *r)
{
    float least = INFINITY, most = -INFINITY;
    for (int i = 0; i < r->layer_count; i++)
        for (int series = REDUNDANCY_PATCH_HEADS; series <= REDUNDANCY_WORD_HEADS; series++)
            if (r->layers[i].of[series].count) {
                least = fminf(least, r->layers[i].of[series].mean);
                most = fmaxf(most, r->layers[i].of[series].mean);
            }
    if (isinf(least))
        return;
    if (most < 0.2F)
        add(out, _("The heads of a layer are hardly alike (%.2f to %.2f)."), (double)least, (double)most);
    else
        add(out, _("The heads of a layer are %.2f to %.2f alike."), (double)least, (double)most);
}

void redundancy_figure_say(const struct redundancy *const lines[PLOT_LINES], char out[REDUNDANCY_SENTENCE])
{
    out[0] = 0;
    const struct redundancy *r = known(lines[0]) ? lines[0] : lines[1];
    if (!known(r))
        return;
    say_tokens(out, r, REDUNDANCY_PATCHES);
    say_tokens(out, r, REDUNDANCY_WORDS);
    struct ends ends = ends_of(r, REDUNDANCY_PATCHES);
    if (ends.last && ends.last->count > 1)
        add(out, _("Inputs differ: in the last layer 90 %% of %d lie between %.2f and %.2f for patches."),
            ends.last->count, (double)ends.last->low, (double)ends.last->high);
    say_heads(out, r);
    if (known(lines[0]) && known(lines[1])) {
        struct ends pruned = ends_of(lines[1], REDUNDANCY_PATCHES);
        if (ends.last && pruned.last)
            add(out, _("Pruned, the patches that stay end at %.2f instead of %.2f."),
                (double)pruned.last->mean, (double)ends.last->mean);
    }
}
