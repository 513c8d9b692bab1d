#include "engine/learn/objective.h"

#include "engine/model/decoder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *objective_term_name(enum objective_term term)
{
    static const char *const names[TERMS] = {"answer", "distill", "patch", "color", "ground", "where", "count"};
    return names[term];
}

static struct linear_ref aux(const struct params *params, const char *name)
{
    char full[PARAMETER_NAME];
    snprintf(full, sizeof full, "aux.%s.weight", name);
    const struct param *weight = params_find(params, full);
    if (!weight)
        return (struct linear_ref){0};
    snprintf(full, sizeof full, "aux.%s.bias", name);
    return (struct linear_ref){weight->offset, params_offset(params, full), (int)weight->info.shape[1],
                               (int)weight->info.shape[0]};
}

void objective_init(struct objective *objective, const struct params *params, const struct model_config *config,
                    const struct language *language, struct objective_weights weights)
{
    *objective = (struct objective){.weights = weights, .language = language};
    objective->patch = aux(params, "patch");
    objective->background = aux(params, "background");
    objective->color = aux(params, "color");
    objective->where = aux(params, "where");
    objective->count = aux(params, "count");
    for (int l = 0; l < config->fusion_layers; l++) {
        char name[32];
        snprintf(name, sizeof name, "ground.%d", l);
        objective->ground[l] = aux(params, name);
    }
}

// Softmax cross-entropy of one row against the label, of which `smooth` is spread over all; d (same length) += scale *
// (p - wanted). Returns the loss.
static double smoothed_cross_entropy(const real *logits, int n, int label, double smooth, real scale, real *d)
{
    double top = (double)logits[0], sum = 0, mean = 0;
    for (int i = 1; i < n; i++)
        top = (double)logits[i] > top ? (double)logits[i] : top;
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i] - top);
    for (int i = 0; i < n; i++) {
        mean += (double)logits[i] / n;
        d[i] += scale * (real)(exp((double)logits[i] - top) / sum - (i == label ? 1 - smooth : 0) - smooth / n);
    }
    return log(sum) + top - (1 - smooth) * (double)logits[label] - smooth * mean;
}

static double cross_entropy(const real *logits, int n, int label, real scale, real *d)
{
    return smoothed_cross_entropy(logits, n, label, 0, scale, d);
}

int objective_best(const real *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = logits[i] > logits[best] ? i : best;
    return best;
}

static bool row_right(const struct objective_target *target, const real *logits, const real *teacher, int labels, int row)
{
    size_t at = (size_t)row * (size_t)labels;
    int answer = target->answers[row] >= 0 ? target->answers[row] : teacher ? objective_best(teacher + at, labels) : -1;
    return objective_best(logits + at, labels) == answer;
}

void objective_score(const struct objective_target *target, const struct net_state *state, const real *teacher, int labels,
                     struct objective_sums *sums)
{
    for (int q = 0; q < target->questions; q++) {
        int right = 1;
        for (int r = rows_first(state->answer_rows, q); right && r < rows_first(state->answer_rows, q + 1); r++)
            right = row_right(target, state->logits, teacher, labels, r);
        sums->questions++;
        sums->right += right;
        if (!target->sample)
            continue;
        enum world_family family = target->sample->questions[q].family;
        sums->family_questions[family]++;
        sums->family_right[family] += right;
    }
    sums->scenes++;
}

// Rows of logits that losses look at; smooth: share of each wanted label that is spread over all.
struct judged {
    const real *logits; // (rows, labels)
    int rows, labels;
    double smooth;
};

static void answer_loss(const struct objective *objective, const struct judged *judged, const int *answers, real scale,
                        real *dlogits, struct objective_sums *sums)
{
    for (int r = 0; r < judged->rows; r++) {
        size_t at = (size_t)r * (size_t)judged->labels;
        if (answers[r] >= 0)
            sums->loss[TERM_ANSWER] += smoothed_cross_entropy(judged->logits + at, judged->labels, answers[r], judged->smooth,
                                                              scale * objective->weights.answer, dlogits + at);
    }
}

// T^2 KL(teacher || student) at temperature T; the gradient is T (p_student - p_teacher).
static double distill_row(const real *student, const real *teacher, int n, double temperature, double scale, real *d)
{
    double top_s = -1e30, top_t = -1e30, sum_s = 0, sum_t = 0, loss = 0;
    for (int i = 0; i < n; i++) {
        top_s = fmax(top_s, (double)student[i]);
        top_t = fmax(top_t, (double)teacher[i]);
    }
    for (int i = 0; i < n; i++) {
        sum_s += exp(((double)student[i] - top_s) / temperature);
        sum_t += exp(((double)teacher[i] - top_t) / temperature);
    }
    for (int i = 0; i < n; i++) {
        double log_s = ((double)student[i] - top_s) / temperature - log(sum_s);
        double log_t = ((double)teacher[i] - top_t) / temperature - log(sum_t);
        loss += exp(log_t) * (log_t - log_s);
        d[i] += (real)(scale * temperature * (exp(log_s) - exp(log_t)));
    }
    return loss * temperature * temperature;
}

static void distill_loss(const struct objective *objective, const struct judged *judged, const real *teacher, real scale,
                         real *dlogits, struct objective_sums *sums)
{
    for (int r = 0; r < judged->rows; r++) {
        size_t at = (size_t)r * (size_t)judged->labels;
        sums->loss[TERM_DISTILL] += distill_row(judged->logits + at, teacher + at, judged->labels,
                                                (double)objective->weights.temperature,
                                                (double)(scale * objective->weights.distill), dlogits + at);
    }
}

// Kind of each patch: logits are the projected token against the kinds' word embeddings, and a background logit.
static void patch_loss(struct tape *tape, const struct net *net, const struct objective *objective,
                       const struct sample *sample, const real *encoded, real scale, real *dencoded,
                       struct objective_sums *sums)
{
    int kinds = objective->language->kinds, width = net->config.width, classes = kinds + 1, n = SAMPLE_PATCHES;
    size_t mark = tape->arena.used;
    real *names = tape_alloc(tape, (size_t)(kinds * width)), *dnames = tape_zeros(tape, (size_t)(kinds * width));
    for (int k = 0; k < kinds; k++)
        memcpy(names + k * width, tape->P + net->embedding.words + (size_t)(objective->language->kind_words[k] * width),
               (size_t)width * sizeof *names);
    real *projected = tape_alloc(tape, (size_t)(n * width)), *dprojected = tape_alloc(tape, (size_t)(n * width));
    real *background = tape_alloc(tape, (size_t)n), *dbackground = tape_alloc(tape, (size_t)n);
    real *logits = tape_alloc(tape, (size_t)(n * classes)), *d = tape_zeros(tape, (size_t)(n * classes));
    op_linear(tape, objective->patch, projected, encoded, n);
    op_linear(tape, objective->background, background, encoded, n);
    real_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, kinds, width, 1, projected, width, names, width, 0, logits,
              classes);
    double total = 0;
    for (int p = 0; p < n; p++)
        total += sample->patch_kind[p] >= 0 ? 1 : 0.3;
    for (int p = 0; p < n; p++) {
        int kind = sample->patch_kind[p];
        double weight = (kind >= 0 ? 1 : 0.3) / total; // two thirds of the patches are background
        logits[p * classes + kinds] = background[p];
        sums->loss[TERM_PATCH] += weight * cross_entropy(logits + p * classes, classes, kind >= 0 ? kind : kinds,
                                                         scale * objective->weights.patch * (real)weight,
                                                         d + p * classes);
        dbackground[p] = d[p * classes + kinds];
    }
    real_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, width, kinds, 1, d, classes, names, width, 0, dprojected,
              width);
    real_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, kinds, width, n, 1, d, classes, projected, width, 0, dnames,
              width);
    for (int k = 0; k < kinds; k++)
        tape_give(tape, net->embedding.words + (size_t)(objective->language->kind_words[k] * width), dnames + k * width, width);
    op_linear_back(tape, objective->patch, dencoded, true, dprojected, encoded, n);
    op_linear_back(tape, objective->background, dencoded, true, dbackground, encoded, n);
    arena_rewind(&tape->arena, mark);
}

static void color_loss(struct tape *tape, const struct objective *objective, const struct sample *sample,
                       const real *encoded, real scale, real *dencoded, struct objective_sums *sums)
{
    int colors = objective->language->colors, n = SAMPLE_PATCHES, colored = 0;
    for (int p = 0; p < n; p++)
        colored += sample->patch_color[p] >= 0;
    if (!colored)
        return;
    size_t mark = tape->arena.used;
    real *logits = tape_alloc(tape, (size_t)(n * colors)), *d = tape_zeros(tape, (size_t)(n * colors));
    op_linear(tape, objective->color, logits, encoded, n);
    for (int p = 0; p < n; p++)
        if (sample->patch_color[p] >= 0)
            sums->loss[TERM_COLOR] += cross_entropy(logits + p * colors, colors, sample->patch_color[p],
                                                    scale * objective->weights.color / (real)colored, d + p * colors) /
                                      colored;
    op_linear_back(tape, objective->color, dencoded, true, d, encoded, n);
    arena_rewind(&tape->arena, mark);
}

// Which patches the question needs, asked of every fusion layer: binary cross-entropy, positives weigh double.
static void ground_loss(struct tape *tape, const struct net *net, const struct objective *objective, int layer,
                        const struct sample *sample, const struct net_batch *batch, const struct net_state *state,
                        real scale, real *dx, struct objective_sums *sums)
{
    struct rows rows = state->rows[NET_IMAGE];
    int total = rows_total(rows), patches = rows.stride - 1;
    size_t mark = tape->arena.used;
    real *logit = tape_alloc(tape, (size_t)total), *d = tape_zeros(tape, (size_t)total);
    const real *x = state->fusion[layer][NET_IMAGE].output;
    op_linear(tape, objective->ground[layer], logit, x, total);
    real weight = 1 / (real)(patches * net->config.fusion_layers);
    for (int q = 0; q < rows.n; q++)
        for (int t = 1; t <= patches; t++) {
            int r = q * rows.stride + t;
            bool needed = sample->needed[q][batch->patch_count ? batch->patches[t - 1] : t - 1] > 0;
            double p = 1 / (1 + exp(-(double)logit[r]));
            sums->loss[TERM_GROUND] += (double)weight * (needed ? -2 * log(p + 1e-12) : -log(1 - p + 1e-12));
            d[r] = scale * objective->weights.ground * weight * (real)(needed ? 2 * (p - 1) : p);
        }
    op_linear_back(tape, objective->ground[layer], dx, true, d, x, total);
    arena_rewind(&tape->arena, mark);
}

static void pooled_losses(struct tape *tape, const struct net *net, const struct objective *objective,
                          const struct sample *sample, const struct net_state *state, real scale, real *dpooled,
                          struct objective_sums *sums)
{
    int n = sample->question_count;
    (void)net;
    size_t mark = tape->arena.used;
    real *where = tape_alloc(tape, (size_t)(n * SAMPLE_PLACES)), *dwhere = tape_zeros(tape, (size_t)(n * SAMPLE_PLACES));
    real *count = tape_alloc(tape, (size_t)(n * 2 * SAMPLE_COUNTS));
    real *dcount = tape_zeros(tape, (size_t)(n * 2 * SAMPLE_COUNTS));
    op_linear(tape, objective->where, where, state->pooled, n);
    op_linear(tape, objective->count, count, state->pooled, n);
    for (int q = 0; q < n; q++) {
        for (int k = 0; k < SAMPLE_PLACES; k++) {
            double difference = (double)where[q * SAMPLE_PLACES + k] - (double)sample->places[q][k];
            if (isnan(difference))
                continue;
            sums->loss[TERM_WHERE] += difference * difference;
            dwhere[q * SAMPLE_PLACES + k] = scale * objective->weights.where * (real)(2 * difference);
        }
        for (int k = 0; k < 2; k++)
            if (sample->counts[q][k] >= 0)
                sums->loss[TERM_COUNT] +=
                    cross_entropy(count + (q * 2 + k) * SAMPLE_COUNTS, SAMPLE_COUNTS, sample->counts[q][k],
                                  scale * objective->weights.count, dcount + (q * 2 + k) * SAMPLE_COUNTS);
    }
    op_linear_back(tape, objective->where, dpooled, true, dwhere, state->pooled, n);
    op_linear_back(tape, objective->count, dpooled, true, dcount, state->pooled, n);
    arena_rewind(&tape->arena, mark);
}

// The losses that only the world can measure.
static void world_losses(struct tape *tape, const struct net *net, const struct objective *objective,
                         const struct sample *sample, const struct net_batch *batch, const struct net_state *state,
                         real question_scale, real scene_scale, struct net_gradients *gradients,
                         struct objective_sums *sums)
{
    const struct objective_weights *w = &objective->weights;
    int width = net->config.width, n = sample->question_count;
    // With one picture a question (guided image trimmers) the encoder's output is no longer the scene's alone.
    if (w->patch > 0 && state->image_rows.n == 1) {
        gradients->encoded = tape_zeros(tape, (size_t)(state->image_rows.stride * width));
        patch_loss(tape, net, objective, sample, state->encoded + width, scene_scale, gradients->encoded + width, sums);
        color_loss(tape, objective, sample, state->encoded + width, scene_scale, gradients->encoded + width, sums);
    }
    if (w->ground > 0)
        for (int l = 0; l < net->config.fusion_layers; l++) {
            gradients->fusion_image[l] = tape_zeros(tape, (size_t)(rows_total(state->rows[NET_IMAGE]) * width));
            ground_loss(tape, net, objective, l, sample, batch, state, question_scale, gradients->fusion_image[l], sums);
        }
    if (w->where > 0 || w->count > 0) {
        gradients->pooled = tape_zeros(tape, (size_t)(n * 2 * width));
        pooled_losses(tape, net, objective, sample, state, question_scale, gradients->pooled, sums);
    }
}

void objective_apply(struct tape *tape, const struct net *net, const struct objective *objective,
                     const struct objective_target *target, const struct net_batch *batch,
                     const struct net_state *state, const real *teacher, real question_scale, real scene_scale,
                     struct net_gradients *gradients, struct objective_sums *sums)
{
    const struct judged judged = {state->logits, rows_total(state->answer_rows), net->labels,
                                  net->writes ? DECODER_SMOOTHING : 0};
    real *dlogits = tape_zeros(tape, (size_t)judged.rows * (size_t)judged.labels);
    *gradients = (struct net_gradients){.logits = dlogits};
    objective_score(target, state, teacher, net->labels, sums);
    answer_loss(objective, &judged, target->answers, question_scale, dlogits, sums);
    if (teacher && objective->weights.distill > 0)
        distill_loss(objective, &judged, teacher, question_scale, dlogits, sums);
    if (target->sample)
        world_losses(tape, net, objective, target->sample, batch, state, question_scale, scene_scale, gradients, sums);
}

void objective_score_pair(const struct objective_pair *pair, const real *teacher, struct objective_sums *sums)
{
    bool world = pair->target.sample != NULL;
    int *right = world ? &sums->statements_right : &sums->right;
    for (int q = 0; q < pair->target.questions; q++)
        *right += row_right(&pair->target, pair->head->logits, teacher, 2, q);
    *(world ? &sums->statements : &sums->questions) += pair->target.questions;
    sums->scenes++;
}

void objective_apply_pair(struct tape *tape, const struct net *net, const struct objective *objective,
                          const struct objective_pair *pair, const real *teacher, real question_scale, real scene_scale,
                          struct net_gradients gradients[2], struct objective_sums *sums)
{
    const struct judged judged = {pair->head->logits, pair->target.questions, 2, 0};
    real *dlogits = tape_zeros(tape, (size_t)(judged.rows * 2));
    objective_score_pair(pair, teacher, sums);
    answer_loss(objective, &judged, pair->target.answers, question_scale, dlogits, sums);
    if (teacher && objective->weights.distill > 0)
        distill_loss(objective, &judged, teacher, question_scale, dlogits, sums);
    struct objective_sums half = {0}; // of two pictures each counts half
    for (int p = 0; p < 2; p++) {
        gradients[p] = (struct net_gradients){0};
        if (pair->target.sample)
            world_losses(tape, net, objective, pair->samples[p], pair->batches[p], &pair->states[p], question_scale / 2,
                     scene_scale / 2, &gradients[p], &half);
    }
    for (int k = 0; k < TERMS; k++)
        sums->loss[k] += half.loss[k] / 2;
    net_pair_backward(tape, net, pair->head, dlogits, judged.rows, gradients);
}

void objective_sums_add(struct objective_sums *to, const struct objective_sums *from)
{
    for (int t = 0; t < TERMS; t++)
        to->loss[t] += from->loss[t];
    to->questions += from->questions;
    to->right += from->right;
    to->scenes += from->scenes;
    to->statements += from->statements;
    to->statements_right += from->statements_right;
    for (int f = 0; f < WORLD_FAMILY_COUNT; f++) {
        to->family_questions[f] += from->family_questions[f];
        to->family_right[f] += from->family_right[f];
    }
}
