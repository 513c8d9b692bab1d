// trimscope merge: results of shards put together, and two runs over one set compared question by question.
#include "app/commands.h"
#include "app/options.h"
#include "app/summary.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"
#include "ui/table.h"
#include "ui/titles.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FILES = 4096 };

struct settings {
    const char *const *files;
    int count;
    const char *against, *out;
    bool json, list;
};

// All files read and put together.
static bool read_whole(struct results *whole, const char *const files[], int count, struct error *err)
{
    struct results *parts = memory_alloc((size_t)count, sizeof *parts);
    *whole = (struct results){0};
    bool ok = parts || error_no_memory(err, "the results");
    for (int i = 0; ok && i < count; i++) {
        ok = results_read(&parts[i], files[i], NULL, err);
        if (ok && parts[i].torn)
            fprintf(stderr, _("trimscope merge: the last line of %s was torn and has been left out\n"), files[i]);
    }
    ok = ok && results_merge(whole, parts, files, count, err);
    for (int i = 0; parts && i < count; i++)
        results_free(&parts[i]);
    memory_free(parts);
    return ok;
}

static json_t *json_of_run(const struct results_header *h)
{
    return json_pack("{s:s, s:s, s:o, s:b}", "model", h->model, "policy", h->policy, "budget", summary_number(h->budget),
                     "exact", (int)h->exact);
}

static json_t *json_of_comparison(const struct results_comparison *c)
{
    return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i}", "questions", c->questions, "pictures",
                     c->pictures, "accuracy_difference", summary_number(c->accuracy.value),
                     "accuracy_difference_interval", summary_interval(c->accuracy), "share_difference",
                     summary_number(c->share.value), "share_difference_interval", summary_interval(c->share),
                     "both_right", c->both_right, "only_first_right", c->only_a, "only_second_right", c->only_b,
                     "neither_right", c->neither);
}

static void put_row(struct table *table, const char *name, const struct results_comparison *c)
{
    table_cell(table, "%s", name);
    table_cell(table, "%d", c->questions);
    table_cell(table, "%+.1f", 100 * c->accuracy.value);
    table_cell(table, "%+6.1f..%-+6.1f", 100 * c->accuracy.low, 100 * c->accuracy.high);
    table_cell(table, "%d", c->only_a);
    table_cell(table, "%d", c->only_b);
    table_cell(table, "%+.3f", c->share.value);
}

static void print_run(const char *name, const struct results_header *h)
{
    char budget[64], model[64];
    printf(_("%s: %s, %s, %s%s\n"), name, text_fit(model, sizeof model, h->model), title_policy(h->policy),
           summary_budget(h->budget, budget, sizeof budget), h->exact ? ", --exact" : "");
}

static bool print_comparison(const struct results *a, const struct results *b, struct error *err)
{
    struct results_comparison c;
    struct summary_types types;
    struct table table;
    if (!results_compare(a, b, NULL, &c, err)) // first of all, since it says when they cannot be compared
        return false;
    print_run("A", &a->header);
    print_run("B", &b->header);
    puts(_("Differences are B - A, in points of accuracy and in shares of the dense multiply-adds; intervals are 95 %, by "
           "paired bootstrap over pictures (questions about one picture are drawn together)."));
    summary_find_types(&a->set, &types);
    const struct table_column columns[] = {{N_("type"), -summary_type_width(&types)}, {N_("questions"), 9}, {N_("accuracy"), 8},
                                                  {N_("95 %"), 14},  {N_("only A"), 6},    {N_("only B"), 6},
                                                  {N_("share"), 7}};
    table_begin(&table, stdout, columns, sizeof columns / sizeof *columns);
    struct results_comparison all = c;
    for (int t = 0; t < types.count; t++) {
        if (!results_compare(a, b, types.names[t], &c, err))
            return false;
        put_row(&table, title_question_type(types.names[t]), &c);
    }
    put_row(&table, _("all"), &all);
    printf(_("share: %+.3f (%+.3f..%+.3f); both right %d, only A %d, only B %d, neither %d\n"), all.share.value,
           all.share.low, all.share.high, all.both_right, all.only_a, all.only_b, all.neither);
    puts(isnan(all.accuracy.low) || (all.accuracy.low <= 0 && all.accuracy.high >= 0)
             ? _("The interval of the accuracy holds 0: these questions do not tell the two apart.")
             : _("The interval of the accuracy does not hold 0: the difference is more than chance."));
    return true;
}

// A question that only one of the two answers rightly.
static json_t *json_of_difference(const struct results *a, const struct results *b, int row, int other)
{
    const struct question *q = &a->set.questions[row];
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", a->ids[row], "picture", q->pictures[0], "question",
                     q->text, "type", q->type, "truth", q->answer, "first", a->evaluations[row].answer, "second",
                     b->evaluations[other].answer, "right", a->evaluations[row].correct ? "first" : "second");
}

static void print_difference(const struct results *a, const struct results *b, int row, int other)
{
    const struct question *q = &a->set.questions[row];
    const struct evaluation *first = &a->evaluations[row], *second = &b->evaluations[other];
    const char *slash = strrchr(q->pictures[0], '/');
    char picture[64], question[TRACE_TEXT], truth[TRACE_TEXT];
    printf(_("%-6s %6d  %s: %s  truth %s, A %s, B %s\n"), first->correct ? _("only A") : _("only B"), a->ids[row],
           text_fit(picture, sizeof picture, slash ? slash + 1 : q->pictures[0]),
           text_fit(question, sizeof question, q->text), text_fit(truth, sizeof truth, q->answer), first->answer,
           second->answer);
}

// The questions that only one of the two answers rightly: printed, or (list not NULL) appended to it.
static bool tell_differences(const struct results *a, const struct results *b, json_t *list, struct error *err)
{
    int *places = memory_alloc((size_t)a->set.count, sizeof *places);
    bool ok = (places || error_no_memory(err, "the comparison")) && results_pair(a, b, places, err);
    for (int i = 0; ok && i < a->set.count; i++) {
        if (places[i] < 0 || a->evaluations[i].correct == b->evaluations[places[i]].correct)
            continue;
        if (list)
            json_array_append_new(list, json_of_difference(a, b, i, places[i]));
        else
            print_difference(a, b, i, places[i]);
    }
    memory_free(places);
    return ok;
}

static bool print_comparison_json(const struct settings *settings, const struct results *a, const struct results *b,
                                  struct error *err)
{
    struct results_comparison c;
    struct summary_types types;
    if (!results_compare(a, b, NULL, &c, err))
        return false;
    json_t *root = json_of_comparison(&c), *by_type = json_object();
    summary_find_types(&a->set, &types);
    for (int t = 0; t < types.count; t++)
        if (results_compare(a, b, types.names[t], &c, err))
            json_object_set_new(by_type, types.names[t], json_of_comparison(&c));
    json_t *list = settings->list ? json_array() : NULL;
    if (list && !tell_differences(a, b, list, err)) {
        json_decref(list);
        json_decref(root);
        json_decref(by_type);
        return false;
    }
    json_object_set_new(root, "by_type", by_type);
    if (list)
        json_object_set_new(root, "only_one_right", list);
    json_object_set_new(root, "first", json_of_run(&a->header));
    json_object_set_new(root, "second", json_of_run(&b->header));
    return summary_put_json(root, err);
}

static bool compare(const struct settings *settings, const struct results *a, const struct results *b, struct error *err)
{
    if (settings->json)
        return print_comparison_json(settings, a, b, err);
    return print_comparison(a, b, err) && (!settings->list || tell_differences(a, b, NULL, err));
}

static bool merge(const struct settings *settings, struct error *err)
{
    struct results whole, other = {0};
    if (settings->list && !settings->against)
        return error_set(err, ERROR_USAGE, "--list goes with --against: it names the questions that tell two runs apart");
    for (int i = 0; settings->out && i < settings->count; i++)
        if (file_same(settings->files[i], settings->out))
            return error_set(err, ERROR_USAGE, "%s would be written over by the whole; give another name", settings->out);
    if (!read_whole(&whole, settings->files, settings->count, err))
        return false;
    bool ok = true;
    if (settings->out)
        ok = results_join(&whole.header, settings->files, settings->count, settings->out, err);
    if (ok && settings->against) {
        ok = read_whole(&other, &settings->against, 1, err);
        ok = ok && compare(settings, &whole, &other, err);
    } else if (ok) {
        const struct summary_source source = {whole.header.policy, whole.header.budget, &whole.set, whole.evaluations};
        ok = (settings->json ? summary_print_json : summary_print_table)(&source, err);
    }
    results_free(&whole);
    results_free(&other);
    return ok;
}

int cmd_merge(int argc, char **argv)
{
    struct settings settings = {0};
    const char *files[FILES];
    int count, status;
    const struct option_row rows[] = {
        {"against", OPTION_TEXT, &settings.against, "B.jsonl",
         N_(
    /* xgettext:no-c-format */
    "compare with another run over the same set, question by question: differences with 95 % intervals"), 0, 0},
        {"list", OPTION_FLAG, &settings.list, NULL,
         N_("with --against: name every question that only one of the two answers rightly, too"), 0, 0},
        {"out", OPTION_TEXT, &settings.out, "FILE.jsonl", N_("write the shards as one whole file, too"), 0, 0},
        OPTION_ROW_JSON(&settings.json, N_("print one JSON object")),
        OPTION_ROW_END};
    const struct option_command command = {
        "merge", N_("merge RESULTS.jsonl... [options]"),
        N_("Puts the results of `trimscope eval --shard I/N --results FILE` together and prints the summary that one whole "
        "run would have printed. The shards must be complete, must not overlap, and must come from the same model, set, "
        "policy, budget, seed and reading of pictures (--exact). One whole file is fine too."),
        rows, 1, FILES};
    if (!options_parse(&command, argc, argv, files, &count, &status))
        return status;
    struct error err = {0};
    settings.files = files;
    settings.count = count;
    if (merge(&settings, &err))
        return ERROR_NONE;
    fprintf(stderr, "trimscope merge: %s\n", err.text);
    return (int)err.code;
}
