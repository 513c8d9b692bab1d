#include "engine/learn/schedule.h"

#include <math.h>

// How far the curriculum is, 0 to 1.
static double curriculum(const struct train_settings *settings, double done)
{
    double at = settings->curriculum > 0 ? done / settings->curriculum : 1;
    return at < 1 ? at : 1;
}

double schedule_target(const struct train_settings *settings, double done)
{
    double at = curriculum(settings, done);
    return at >= 1 ? settings->target : 1 + (settings->target - 1) * at;
}

double schedule_keep(const struct train_settings *settings, double done, double keep)
{
    return 1 - curriculum(settings, done) * (1 - keep);
}

double schedule_budget(const struct train_settings *settings, double done, int layer)
{
    return schedule_keep(settings, done, settings->budgets[layer]);
}

double schedule_rate(const struct train_settings *settings, double done, long steps)
{
    if (done < settings->warmup)
        return (done + 1.0 / (double)steps) / settings->warmup;
    if (done < settings->hold)
        return 1;
    double u = settings->hold < 1 ? (done - settings->hold) / (1 - settings->hold) : 1;
    return settings->final_rate + (1 - settings->final_rate) * 0.5 * (1 + cos(3.14159265358979 * u));
}

double schedule_noise(const struct train_settings *settings, double done)
{
    double at = done / 0.8;
    return settings->noise_first + (settings->noise_last - settings->noise_first) * (at < 1 ? at : 1);
}
