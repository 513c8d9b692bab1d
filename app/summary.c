#include "app/summary.h"

#include "ui/measure.h"
#include "ui/table.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void summary_find_types(const struct question_set *set, struct summary_types *types)
{
    types->count = 0;
    for (int i = 0; i < set->count; i++) {
        bool known = !set->questions[i].type[0] || types->count == SUMMARY_TYPES;
        for (int t = 0; !known && t < types->count; t++)
            known = !strcmp(types->names[t], set->questions[i].type);
        if (!known)
            types->names[types->count++] = set->questions[i].type;
    }
}

int summary_type_width(const struct summary_types *types)
{
    int width = 16;
    for (int t = 0; t < types->count; t++) {
        int one = measure_width(title_question_type(types->names[t]));
        width = one > width && one <= 40 ? one : width;
    }
    return width;
}

const char *summary_budget(double budget, char *out, size_t size)
{
    if (isnan(budget))
        snprintf(out, size, "%s", _("as trained"));
    else
        snprintf(out, size, _("budget %.2f"), budget);
    return out;
}

json_t *summary_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *summary_interval(struct estimate e) { return json_pack("[o, o]", summary_number(e.low), summary_number(e.high)); }

json_t *summary_json(const struct evaluation_summary *s)
{
    json_t *quantiles = json_array();
    for (int i = 0; i < 5; i++)
        json_array_append_new(quantiles, summary_number(s->quantiles[i]));
    json_t *needs = json_array();
    for (int i = 0; i < EVALUATE_NEEDS; i++)
        json_array_append_new(needs, json_pack("{s:i, s:i, s:o}", "questions", s->needs[i].questions, "correct",
                                               s->needs[i].correct, "share",
                                               summary_number(s->needs[i].questions ? s->needs[i].share : (double)NAN)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "accuracy",
                     summary_number(s->accuracy.value), "accuracy_interval", summary_interval(s->accuracy), "share",
                     summary_number(s->share.value), "share_interval", summary_interval(s->share), "lift",
                     summary_number(s->lift.value), "lift_interval", summary_interval(s->lift), "questions",
                     s->questions, "needed_alive", summary_number(s->needed_alive), "other_alive",
                     summary_number(s->other_alive), "ms", summary_number(s->ms), "macs", summary_number(s->spent),
                     "share_quantiles", quantiles, "by_needed_objects", needs);
}

bool summary_put_json(json_t *root, struct error *err)
{
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(root);
    if (!text)
        return error_no_memory(err, "the results as JSON");
    puts(text);
    free(text);
    return true;
}

bool summary_print_json(const struct summary_source *source, struct error *err)
{
    struct evaluation_summary summary;
    struct summary_types types;
    if (!evaluate_summarize(source->set, source->results, NULL, NULL, &summary, err))
        return false;
    json_t *root = summary_json(&summary), *by_type = json_object();
    summary_find_types(source->set, &types);
    for (int t = 0; t < types.count; t++) {
        if (!evaluate_summarize(source->set, source->results, types.names[t], NULL, &summary, err)) {
            json_decref(root);
            json_decref(by_type);
            return false;
        }
        json_object_set_new(by_type, types.names[t], summary_json(&summary));
    }
    json_object_set_new(root, "by_type", by_type);
    json_object_set_new(root, "policy", json_string(source->policy));
    json_object_set_new(root, "budget", summary_number(source->budget));
    return summary_put_json(root, err);
}

static void put_row(struct table *table, const char *name, const struct evaluation_summary *s)
{
    table_cell(table, "%s", name);
    table_cell(table, "%d", s->questions);
    table_cell(table, "%.1f%%", 100 * s->accuracy.value);
    table_cell(table, "%5.1f..%-5.1f", 100 * s->accuracy.low, 100 * s->accuracy.high);
    table_cell(table, "%.3f", s->share.value);
    if (isfinite(s->lift.value))
        table_cell(table, "%.2f", s->lift.value);
    else
        table_cell(table, "-");
}

// What questions cost that need many objects or few; nothing where the set names none.
static void put_needs(const struct evaluation_summary *s)
{
    if (s->needs[0].questions == s->questions)
        return;
    fputs(_("share and accuracy by the number of needed objects:"), stdout);
    for (int i = 0, printed = 0; i < EVALUATE_NEEDS; i++)
        if (s->needs[i].questions)
            printf("%s %d%s: %.3f, %.1f%%", printed++ ? ";" : "", i, i == EVALUATE_NEEDS - 1 ? "+" : "", s->needs[i].share,
                   100.0 * s->needs[i].correct / s->needs[i].questions);
    putchar('\n');
}

bool summary_print_table(const struct summary_source *source, struct error *err)
{
    struct evaluation_summary s, of_type;
    struct summary_types types;
    struct table table;
    char budget[64];
    if (!evaluate_summarize(source->set, source->results, NULL, NULL, &s, err))
        return false;
    summary_find_types(source->set, &types);
    const struct table_column columns[] = {{N_("type"), -summary_type_width(&types)},
                                           {N_("questions"), 9},
                                           {N_("accuracy"), 8},
                                           {N_("95 %"), 12},
                                           {N_("share"), 6},
                                           {N_("lift"), 6}};
    printf(_("policy %s, %s\n"), title_policy(source->policy), summary_budget(source->budget, budget, sizeof budget));
    if (!s.questions) { // stopped before the first one, or a part of more parts than there are pictures
        puts(_("No question has been answered."));
        return true;
    }
    table_begin(&table, stdout, columns, sizeof columns / sizeof *columns);
    for (int t = 0; t < types.count; t++) {
        if (!evaluate_summarize(source->set, source->results, types.names[t], NULL, &of_type, err))
            return false;
        if (of_type.questions)
            put_row(&table, title_question_type(types.names[t]), &of_type);
    }
    put_row(&table, _("all"), &s);
    printf(_("share of the dense multiply-adds: %.3f (%.3f..%.3f); single questions %.3f, 5 %% %.3f, median %.3f, 95 %% "
             "%.3f, most %.3f\n"),
           s.share.value, s.share.low, s.share.high, s.quantiles[0], s.quantiles[1], s.quantiles[2], s.quantiles[3],
           s.quantiles[4]);
    if (!isnan(s.needed_alive) && !isfinite(s.lift.value)) // none of the others' is left
        printf(_("patches alive at the end: %.3f of needed objects', %.3f of others'\n"), s.needed_alive, s.other_alive);
    else if (!isnan(s.needed_alive))
        printf(_("patches alive at the end: %.3f of needed objects', %.3f of others'; lift %.2f (%.2f..%.2f)\n"),
               s.needed_alive, s.other_alive, s.lift.value, s.lift.low, s.lift.high);
    put_needs(&s);
    printf(_("mean of %.1f MFLOP and %.2f ms a question\n"), 2 * s.spent / 1e6, s.ms);
    return true;
}
