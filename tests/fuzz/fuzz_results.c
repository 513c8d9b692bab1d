// Any bytes as a file of results: a sentence, or rows that can be summed up, merged and compared.
#include "engine/run/results.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct results results, again, whole;
    struct error err = {0};
    if (!results_parse(&results, (const char *)data, size, NULL, &err)) {
        check(err.code == ERROR_INPUT && err.text[0] && results.set.count == 0 && !results.evaluations);
        return 0;
    }
    check(results.whole <= size && results.set.count <= results.header.questions);
    for (int i = 1; i < results.set.count; i++)
        check(results.ids[i - 1] < results.ids[i]);
    struct evaluation_summary summary;
    struct results_comparison comparison;
    check(evaluate_summarize(&results.set, results.evaluations, NULL, NULL, &summary, &err));
    check(summary.questions == results.set.count);
    // What has been cut off at the last whole line is the same file.
    check(results_parse(&again, (const char *)data, results.whole, NULL, &err) && !again.torn);
    check(again.set.count == results.set.count);
    check(results_compare(&results, &again, NULL, &comparison, &err));
    check(comparison.questions == results.set.count && comparison.only_a == 0 && comparison.only_b == 0);
    static const char *const paths[] = {"a"};
    if (results_merge(&whole, &again, paths, 1, &err)) {
        check(whole.set.count == results.set.count && again.set.count == 0);
        results_free(&whole);
    }
    results_free(&again);
    results_free(&results);
    return 0;
}
