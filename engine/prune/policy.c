#include "engine/prune/policy.h"

#include "engine/base/random.h"
#include "engine/prune/merging.h"
#include "engine/prune/similarity.h"
#include "engine/prune/trimmer.h"

#include <math.h>
#include <string.h>

const char *policy_name(enum policy policy)
{
#define POLICY_NAME(id, name, help) name,
    static const char *const names[] = {POLICIES(POLICY_NAME)};
#undef POLICY_NAME
    return names[policy];
}

const char *policy_help(enum policy policy)
{
#define POLICY_HELP(id, name, help) help,
    static const char *const helps[] = {POLICIES(POLICY_HELP)};
#undef POLICY_HELP
    return helps[policy];
}

bool policy_find(const char *name, enum policy *policy)
{
    for (int p = 0; p < POLICY_COUNT; p++)
        if (!strcmp(name, policy_name((enum policy)p))) {
            *policy = (enum policy)p;
            return true;
        }
    return false;
}

static void score_guided(const struct policy_input *in, float *self, float *cross, float *score)
{
    trimmer_score_tokens(in->forward, in->trimmer, in->x, in->rows, in->context, self, cross);
    for (int r = 0; r < in->rows; r++)
        score[r] = isnan(cross[r]) ? self[r] : self[r] + cross[r];
}

static void score_self(const struct policy_input *in, float *self, float *cross, float *score)
{
    trimmer_score_tokens(in->forward, in->trimmer, in->x, in->rows, NULL, self, cross);
    memcpy(score, self, (size_t)in->rows * sizeof(float));
}

static void without_parts(const struct policy_input *in, float *self, float *cross)
{
    for (int r = 0; r < in->rows; r++)
        self[r] = cross[r] = NAN;
}

static void score_cls(const struct policy_input *in, float *self, float *cross, float *score)
{
    without_parts(in, self, cross);
    memcpy(score, in->cls, (size_t)in->rows * sizeof(float));
}

static void score_mass(const struct policy_input *in, float *self, float *cross, float *score)
{
    without_parts(in, self, cross);
    memcpy(score, in->mass, (size_t)in->rows * sizeof(float));
}

static void score_similarity(const struct policy_input *in, float *self, float *cross, float *score)
{
    similarity_score(in->forward, in->x, in->rows, in->words, in->word_rows, in->asks, in->stack == STACK_IMAGE, score);
    for (int r = 0; r < in->rows; r++) {
        self[r] = NAN;
        cross[r] = score[r];
    }
}

static void score_merging(const struct policy_input *in, float *self, float *cross, float *score)
{
    without_parts(in, self, cross);
    merging_score(in->forward, in->x, in->rows, model_stack_width(&in->forward->model->config, in->stack), score, in->partner);
}

static void score_random(const struct policy_input *in, float *self, float *cross, float *score)
{
    without_parts(in, self, cross);
    for (int r = 0; r < in->rows; r++) {
        struct random random; // by original index, so that a token's lot does not hang on what was dropped before it
        random_init(&random, in->seed, (uint64_t)in->rows_of[r]);
        score[r] = random_unit(&random);
    }
}

const struct policy_kind *policy_kind(enum policy policy)
{
    static const struct policy_kind kinds[POLICY_COUNT] = {
        [POLICY_LEARNED] = {.learned = true, .guided = true, .score = score_guided},
        [POLICY_LEARNED_SELF] = {.learned = true, .score = score_self},
        [POLICY_LEARNED_FIXED] = {.learned = true, .guided = true, .counts = true, .score = score_guided},
        [POLICY_CLS_ATTENTION] = {.counts = true, .needs_cls = true, .score = score_cls},
        [POLICY_CROSS_ATTENTION] = {.counts = true, .needs_mass = true, .score = score_mass},
        [POLICY_TEXT_SIMILARITY] = {.counts = true, .needs_words = true, .score = score_similarity},
        [POLICY_MERGING] = {.counts = true, .merges = true, .score = score_merging},
        [POLICY_RANDOM] = {.counts = true, .score = score_random},
    };
    return &kinds[policy];
}

static bool has_image_trimmers(const struct model_config *config)
{
    for (int l = 0; l < MODEL_LAYERS; l++)
        if (config->trimmers[STACK_IMAGE][l].hidden || config->trimmers[STACK_FUSION_IMAGE][l].hidden)
            return true;
    return false;
}

// Whether a policy that nobody trained can score the question's states for BLIP's decoder: no patch has looked at them, they
// are the words themselves, and none stands for another.
static bool scores_memory(const struct policy_kind *kind)
{
    return !kind->needs_mass && !kind->needs_words && !kind->merges;
}

bool policy_trims_tokens(enum policy policy, const struct model_config *config, enum model_stack stack, int layer)
{
    const struct policy_kind *kind = policy_kind(policy);
    bool trained = config->trimmers[stack][layer].hidden > 0;
    if (!kind->score || kind->learned)
        return kind->score && trained;
    // The training-free policies drop image tokens where a learned policy does, so that they differ in what they
    // drop and not in where; in any layer of a model without trimmers. Words are too few to be worth dropping blindly,
    // but for what BLIP's decoder reads of them in each of its layers.
    if ((stack != STACK_DECODER && model_stack_is_text(stack)) || (has_image_trimmers(config) && !trained))
        return false;
    if (stack == STACK_DECODER)
        return scores_memory(kind);
    if (kind->needs_cls)
        return stack == STACK_FUSION_IMAGE || layer > 0; // nothing has been attended to before the first layer
    if (kind->needs_mass)
        return stack == STACK_FUSION_IMAGE && layer > 0;
    if (kind->needs_words) // embedded pixels, which no layer has read yet, are like no word
        return stack == STACK_FUSION_IMAGE || layer > 0;
    return true;
}

bool policy_reads_other(enum policy policy, const struct model_config *config, enum model_stack stack, int layer)
{
    const struct policy_kind *kind = policy_kind(policy);
    if (!policy_trims_tokens(policy, config, stack, layer))
        return false;
    return kind->needs_words || (kind->guided && config->trimmers[stack][layer].rank > 0);
}

bool policy_trims_heads(enum policy policy, const struct model_config *config, enum model_stack stack, int layer,
                        bool mca)
{
    const struct trimmer_config *trimmer = &config->trimmers[stack][layer];
    return policy_kind(policy)->learned && (mca ? trimmer->mca : trimmer->msa);
}

static bool acts_next(enum policy policy, const struct model_config *config, enum model_stack stack, int layer)
{
    if (stack == STACK_IMAGE && layer == config->image_layers - 1)
        return policy_trims_tokens(policy, config, STACK_FUSION_IMAGE, 0);
    if (stack == STACK_FUSION_TEXT)
        return layer == config->fusion_layers - 1 && config->decoder_layers > 0 &&
               policy_trims_tokens(policy, config, STACK_DECODER, 0);
    return layer + 1 < model_stack_layers(config, stack) && policy_trims_tokens(policy, config, stack, layer + 1);
}

bool policy_reads_cls(enum policy policy, const struct model_config *config, enum model_stack stack, int layer)
{
    return policy_kind(policy)->needs_cls && acts_next(policy, config, stack, layer);
}

bool policy_reads_mass(enum policy policy, const struct model_config *config, enum model_stack stack, int layer)
{
    return policy_kind(policy)->needs_mass && stack == STACK_FUSION_IMAGE && acts_next(policy, config, stack, layer);
}
