#include "app/preferences.h"

#include "ui/words.h"

#include <stdio.h>

struct config *preferences(void)
{
    static struct config config;
    static bool loaded;
    if (!loaded)
        config_load(&config);
    loaded = true;
    return &config;
}

enum policy preferences_policy(void)
{
    enum policy policy = POLICY_LEARNED;
    policy_find(config_value(preferences(), CONFIG_POLICY), &policy);
    return policy;
}

double preferences_budget(void)
{
    return config_number(preferences(), CONFIG_BUDGET);
}

void preferences_fault(char *out, size_t size)
{
    const struct config *config = preferences();
    const struct config_problem *first = &config->problems[0];
    int more = config->problem_count - 1;
    out[0] = 0;
    if (config->problem_count == 0)
        return;
    int used = first->line ? snprintf(out, size, "%s:%d: %s", config->path, first->line, first->text)
                           : snprintf(out, size, "%s", first->text);
    if (more > 0 && used > 0 && (size_t)used + 1 < size) {
        out[used++] = ' ';
        snprintf(out + used, size - (size_t)used,
                 ngettext_(more, "%d more fault is listed on the page of options.",
                           "%d more faults are listed on the page of options."),
                 more);
    }
}
