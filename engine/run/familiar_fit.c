// The discriminant: logistic regression with a ridge, by Newton's method (iteratively reweighted least squares; Hastie,
// Tibshirani and Friedman, The Elements of Statistical Learning, 4.4.1). Both classes weigh the same, however many
// rows they have.
#include "engine/run/familiar_private.h"

#include "engine/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS = 2 * FAMILIAR_FEATURES + 1, STEPS = 25 };

static const double RIDGE = 3e-4; // on every weight but the bias
static const double SETTLED = 1e-7; // change of the objective at which it is found

struct fit {
    int count, familiar;
    float (*rows)[TERMS];            // the design matrix; familiar ones first
    double *chance;                  // per row: that it is unlike
    double weight[TERMS], step[TERMS];
    double (*hessian)[TERMS];
};

static void standardize(struct familiarity *familiarity, const float (*rows)[FAMILIAR_FEATURES], int count)
{
    for (int f = 0; f < FAMILIAR_FEATURES; f++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < count; i++)
            sum += (double)rows[i][f];
        for (int i = 0; i < count; i++) {
            double d = (double)rows[i][f] - sum / count;
            squares += d * d;
        }
        familiarity->mean[f] = (float)(sum / count);
        familiarity->scale[f] = (float)(sqrt(squares / count) + 0.01); // no feature is constant to the last digit
    }
}

static double row_score(const struct fit *fit, int row, const double *weight)
{
    double sum = 0;
    for (int t = 0; t < TERMS; t++)
        sum += weight[t] * (double)fit->rows[row][t];
    return sum;
}

static double row_share(const struct fit *fit, int row)
{
    return row < fit->familiar ? 0.5 / fit->familiar : 0.5 / (fit->count - fit->familiar);
}

// The loss at weight + length * step.
static double objective(const struct fit *fit, double length)
{
    double weight[TERMS], sum = 0;
    for (int t = 0; t < TERMS; t++) {
        weight[t] = fit->weight[t] + length * fit->step[t];
        if (t < TERMS - 1)
            sum += RIDGE / 2 * weight[t] * weight[t];
    }
    for (int i = 0; i < fit->count; i++) {
        double score = row_score(fit, i, weight), wrong = i < fit->familiar ? score : -score;
        sum += row_share(fit, i) * (wrong > 0 ? wrong + log1p(exp(-wrong)) : log1p(exp(wrong)));
    }
    return sum;
}

// The gradient into fit->step, the Hessian's lower triangle into fit->hessian.
static void differentiate(struct fit *fit)
{
    memset(fit->step, 0, sizeof fit->step);
    memset(fit->hessian, 0, TERMS * sizeof *fit->hessian);
    for (int i = 0; i < fit->count; i++) {
        double p = 1 / (1 + exp(-row_score(fit, i, fit->weight))), share = row_share(fit, i);
        double slope = share * (p - (i < fit->familiar ? 0 : 1)), curve = share * p * (1 - p);
        const float *row = fit->rows[i];
        for (int t = 0; t < TERMS; t++) {
            double scaled = curve * (double)row[t], *to = fit->hessian[t];
            fit->step[t] += slope * (double)row[t];
            if (curve > 1e-14)
                for (int u = 0; u <= t; u++)
                    to[u] += scaled * (double)row[u];
        }
    }
    for (int t = 0; t < TERMS - 1; t++) {
        fit->step[t] += RIDGE * fit->weight[t];
        fit->hessian[t][t] += RIDGE;
    }
    fit->hessian[TERMS - 1][TERMS - 1] += 1e-12;
}

// step = -hessian^-1 step by Cholesky's decomposition, in place.
static void solve(struct fit *fit)
{
    double (*l)[TERMS] = fit->hessian, *x = fit->step;
    for (int i = 0; i < TERMS; i++)
        for (int j = 0; j <= i; j++) {
            double sum = l[i][j];
            for (int k = 0; k < j; k++)
                sum -= l[i][k] * l[j][k];
            l[i][j] = i == j ? sqrt(fmax(sum, 1e-15)) : sum / l[j][j];
        }
    for (int i = 0; i < TERMS; i++) {
        for (int k = 0; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] /= l[i][i];
    }
    for (int i = TERMS - 1; i >= 0; i--) {
        for (int k = i + 1; k < TERMS; k++)
            x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
    for (int i = 0; i < TERMS; i++)
        x[i] = -x[i];
}

static void descend(struct fit *fit)
{
    double before = objective(fit, 0);
    for (int step = 0; step < STEPS; step++) {
        differentiate(fit);
        solve(fit);
        double length = 1, after = objective(fit, length);
        while (!(after <= before) && length > 1e-6) // Newton's step may overshoot far from the minimum
            after = objective(fit, length /= 2);
        if (!(after <= before))
            return;
        for (int t = 0; t < TERMS; t++)
            fit->weight[t] += length * fit->step[t];
        if (before - after < SETTLED)
            return;
        before = after;
    }
}

bool familiarity_fit(struct familiarity *familiarity, const float (*familiar)[FAMILIAR_FEATURES], int familiar_count,
                     const float (*unlike)[FAMILIAR_FEATURES], int unlike_count, struct error *err)
{
    if (familiar_count < 2 || unlike_count < 2)
        return error_set(err, ERROR_INPUT, "what is familiar cannot be told from %d and %d pictures; 2 of each at least",
                         familiar_count, unlike_count);
    standardize(familiarity, familiar, familiar_count);
    struct fit *fit = memory_alloc(1, sizeof *fit);
    if (!fit)
        return error_no_memory(err, "the familiarity of pictures");
    *fit = (struct fit){.count = familiar_count + unlike_count, .familiar = familiar_count};
    fit->rows = memory_alloc((size_t)fit->count, sizeof *fit->rows);
    fit->hessian = memory_alloc(TERMS, sizeof *fit->hessian);
    bool ok = fit->rows && fit->hessian;
    for (int i = 0; ok && i < fit->count; i++) {
        familiarity_standard(familiarity, i < familiar_count ? familiar[i] : unlike[i - familiar_count], fit->rows[i]);
        fit->rows[i][TERMS - 1] = 1;
    }
    if (ok)
        descend(fit);
    for (int t = 0; ok && t < TERMS - 1; t++)
        familiarity->weight[t] = (float)fit->weight[t];
    familiarity->bias = fit->weight[TERMS - 1];
    memory_free(fit->rows);
    memory_free(fit->hessian);
    memory_free(fit);
    return ok || error_no_memory(err, "the familiarity of pictures");
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool familiarity_calibrate(struct familiarity *familiarity, const float (*held_out)[FAMILIAR_FEATURES], int count,
                           double share, struct error *err)
{
    if (count < 2)
        return error_set(err, ERROR_INPUT, "%d held-out pictures give no threshold; 2 at least", count);
    double *scores = memory_alloc((size_t)count, sizeof *scores);
    if (!scores)
        return error_no_memory(err, "the familiarity of pictures");
    for (int i = 0; i < count; i++)
        scores[i] = familiarity_score(familiarity, held_out[i]);
    qsort(scores, (size_t)count, sizeof *scores, rising);
    int above = (int)(share * count);
    familiarity->median = scores[count / 2];
    familiarity->threshold = scores[count - 1 - (above < count / 2 ? above : count / 2 - 1)];
    familiarity->pictures = count;
    familiarity->share = share;
    memory_free(scores);
    if (!(familiarity->threshold > familiarity->median))
        return error_set(err, ERROR_INPUT, "the held-out pictures are all alike, so they give no threshold");
    return true;
}
