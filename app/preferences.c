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
    char text[sizeof first->text + 32];
    int count = config->problem_count, used = 0;
    out[0] = 0;
    if (count == 0)
        return;
    if (first->line)
        used = snprintf(text, sizeof text, _("line %d: "), first->line);
    snprintf(text + used, sizeof text - (size_t)used, "%s", first->text);
    if (count == 1)
        snprintf(out, size, _("Configuration, %s"), text);
    else // the count before what may be cut
        snprintf(out, size, _("%d faults in the configuration (:options lists all), %s"), count, text);
}
