// How a stage is called where there is little room.
#include "ui/measure.h"
#include "ui/view.h"
#include "ui/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

// For five columns, and for less.
static void short_name(const struct stage *stage, bool shortest, char *out, size_t size)
{
    static const char *const names[STAGE_KINDS][2] = {
        [STAGE_EMBED] = {"", ""},
        [STAGE_IMAGE] = {N_("img"), N_("i")},
        [STAGE_TEXT] = {N_("txt"), N_("t")},
        [STAGE_FUSION] = {N_("fus"), N_("f")},
        [STAGE_MEMORY] = {N_("mem"), N_("m")},
        [STAGE_DECODE] = {N_("dec"), N_("d")},
        [STAGE_ANSWER] = {N_("ans"), N_("a")},
    };
    enum stage_kind kind = stage->kind;
    int number = stage->layer + 1;
    if (kind == STAGE_EMBED) { // what comes before the first layer of its stream
        kind = stage->stream == TRACE_TEXT_STREAM ? STAGE_TEXT : STAGE_IMAGE;
        number = 0;
    }
    if (kind == STAGE_ANSWER || kind == STAGE_MEMORY) // there is one
        snprintf(out, size, "%s", _(names[kind][shortest]));
    else // the second of two pictures has a prime
        snprintf(out, size, "%s%d%s", _(names[kind][shortest]), number, stage->stream == 1 ? "'" : "");
}

// From whole (0) to the shortest (SHORTEST).
enum { SHORTEST = 2 };

static void name_stage(const struct trace *trace, const struct stage *stage, int shortness, char *out, size_t size)
{
    if (shortness == 0)
        view_name_stage(trace, stage, out, size);
    else
        short_name(stage, shortness == SHORTEST, out, size);
}

static bool all_fit(const struct trace *trace, int shortness, int columns)
{
    char name[TRACE_TEXT];
    for (int s = 0; s < trace->stage_count; s++) {
        name_stage(trace, &trace->stages[s], shortness, name, sizeof name);
        if (measure_width(name) > columns)
            return false;
    }
    return true;
}

void view_fit_stage_name(const struct trace *trace, const struct stage *stage, int columns, char *out, size_t size)
{
    int shortness = 0;
    while (shortness < SHORTEST && !all_fit(trace, shortness, columns))
        shortness++;
    name_stage(trace, stage, shortness, out, size);
}

int view_find_stage(const struct trace *trace, const char *wanted)
{
    char *end, name[TRACE_TEXT];
    long number = strtol(wanted, &end, 10);
    if (end > wanted && !*end)
        return number >= 1 && number <= trace->stage_count ? (int)number - 1 : -1;
    for (int i = 0; i < trace->stage_count; i++) {
        const struct stage *stage = &trace->stages[i];
        if (!strcasecmp(wanted, stage->name))
            return i;
        view_name_stage(trace, stage, name, sizeof name);
        if (!strcasecmp(wanted, name))
            return i;
        for (int shortest = 0; shortest < 2; shortest++) {
            short_name(stage, shortest, name, sizeof name);
            if (!strcasecmp(wanted, name))
                return i;
        }
    }
    return -1;
}
