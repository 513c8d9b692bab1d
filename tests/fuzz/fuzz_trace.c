// Any bytes as a trace: a sentence, or a trace that survives being written and read again.
#include "engine/run/trace.h"

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
    struct trace trace, copy, again;
    struct error err = {0};
    if (!trace_from_json(&trace, (const char *)data, size, &err)) {
        check(err.code == ERROR_INPUT && err.text[0] && trace.stage_count == 0 && !trace.question);
        return 0;
    }
    check(trace_copy(&copy, &trace));
    trace_free(&trace);
    char *text = trace_to_json(&copy);
    check(text && trace_from_json(&again, text, strlen(text), &err));
    char *second = trace_to_json(&again);
    check(second && strcmp(text, second) == 0);
    trace_truncate(&again, again.stage_count / 2);
    free(text);
    free(second);
    trace_free(&copy);
    trace_free(&again);
    return 0;
}
