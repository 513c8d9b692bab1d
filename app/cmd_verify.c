// trimscope verify: a model against the tensors that another implementation dumped.
#include "app/commands.h"
#include "app/options.h"
#include "engine/base/thread.h"
#include "engine/run/verify.h"
#include "ui/table.h"
#include "ui/words.h"

#include <math.h>
#include <stdio.h>

static void put_entry(struct table *table, const struct verify_entry *entry)
{
    table_cell(table, "%s", entry->name);
    if (!entry->known)
        table_cell(table, "-");
    else
        table_cell(table, "%.3e", entry->difference);
    table_cell(table, "%s",
               !entry->known ? isinf(entry->excess) ? _("another shape") : _("unknown to this model")
               : entry->excess > 1 ? entry->argmax ? _("MISMATCH") : _("MISMATCH, and another best answer")
               : entry->argmax     ? ""
                                   : _("ANOTHER BEST ANSWER"));
}

int cmd_verify(int argc, char **argv)
{
    const char *arguments[2];
    int count, status;
    long threads = thread_processors();
    const struct option_row rows[] = {OPTION_ROW_THREADS(&threads), OPTION_ROW_END};
    const struct option_command command = {
        "verify", N_("verify MODEL DIR [--threads N]"),
        N_("Feeds the inputs of a folder of .npy dumps (in_image, in_text_ids, in_text_mask, ...) to MODEL and compares "
        "every tensor that it knows by name. Prints the largest difference of each; exit status 1 on a mismatch "
        "(tolerance 5e-5 + 1e-4 |x| on states, 1e-4 on logits)."),
        rows, 2, 2};
    if (!options_parse(&command, argc, argv, arguments, &count, &status))
        return status;
    struct thread_pool *pool = thread_pool_new((int)threads);
    struct verify_report report;
    struct error err = {0};
    int matched = 0, wrong = 0, unknown = 0;
    if (!verify_dumps(&report, arguments[0], arguments[1], pool, &err)) {
        fprintf(stderr, "trimscope verify: %s\n", err.text);
        thread_pool_free(pool);
        return (int)err.code;
    }
    static const struct table_column columns[] = {{N_("tensor"), -32}, {N_("difference"), 10}, {"", -1}};
    struct table table;
    table_begin(&table, stdout, columns, 3);
    for (int i = 0; i < report.count; i++) {
        const struct verify_entry *entry = &report.entries[i];
        put_entry(&table, entry);
        matched += verify_matches(entry);
        unknown += !entry->known && !isinf(entry->excess);
    }
    wrong = report.count - matched - unknown;
    printf(ngettext_(matched, "%d tensor matches, %d do not, %d are unknown\n", "%d tensors match, %d do not, %d are unknown\n"), matched, wrong, unknown);
    verify_report_free(&report);
    thread_pool_free(pool);
    return wrong || !matched ? ERROR_INPUT : ERROR_NONE;
}
