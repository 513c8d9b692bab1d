#include "engine/prune/budget.h"

#include "engine/prune/calibration.h"
#include "engine/prune/merging.h"

#include <math.h>
#include <string.h>

static const double DEFAULT_SHARE = 0.5; // of policies that keep counts, where no learned policy sets an example
// Exponent of the least counts: 0.999 to this power is 0.017, so that with few exceptions nothing but CLS is left.
static const double STEEPEST = 4096;

// The stacks in the order in which a token passes them.
static const enum model_stack order[STACK_COUNT] = {STACK_IMAGE, STACK_TEXT, STACK_FUSION_IMAGE, STACK_FUSION_TEXT,
                                                    STACK_DECODER};

int budget_profile_index(const struct model_config *config, enum model_stack stack, int layer)
{
    int before = 0;
    for (int s = 0; s < (int)stack; s++)
        before += model_stack_layers(config, (enum model_stack)s);
    return 3 * (before + layer);
}

int budget_profile_size(const struct model_config *config)
{
    return budget_profile_index(config, STACK_COUNT, 0);
}

static int stream_tokens(const struct model_config *config, enum model_stack stack, int question)
{
    return model_stack_is_text(stack) ? question : model_grid(config) * model_grid(config) + 1;
}

// Tokens at the end of an encoder; one without layers (BLIP's words) drops none.
static int tokens_after(const struct model_config *config, const struct budget_counts *counts, enum model_stack stack,
                        int question)
{
    int layers = model_stack_layers(config, stack);
    return layers > 0 ? counts->tokens[stack][layers - 1] : stream_tokens(config, stack, question);
}

// Tokens at the input of a layer, before its trimming.
static int tokens_before(const struct model_config *config, const struct budget_counts *counts, enum model_stack stack,
                         int layer, int question)
{
    if (layer > 0)
        return counts->tokens[stack][layer - 1];
    if (stack == STACK_FUSION_IMAGE)
        return tokens_after(config, counts, STACK_IMAGE, question);
    if (stack == STACK_FUSION_TEXT)
        return tokens_after(config, counts, STACK_TEXT, question);
    if (stack == STACK_DECODER)
        return tokens_after(config, counts, STACK_FUSION_TEXT, question);
    return stream_tokens(config, stack, question);
}

// Words beside which the patches of a layer are scored.
static int words_beside(const struct model_config *config, const struct budget_counts *counts, enum model_stack stack,
                        int layer, int question)
{
    return tokens_before(config, counts, STACK_FUSION_TEXT, stack == STACK_FUSION_IMAGE ? layer : 0, question);
}

static void cost_layer(const struct model_config *config, const struct budget_request *request,
                       const struct budget_counts *counts, enum model_stack stack, int layer, struct macs *macs)
{
    enum policy policy = request->policy;
    const struct policy_kind *kind = policy_kind(policy);
    int before = tokens_before(config, counts, stack, layer, request->tokens);
    struct flops_layer flops = {.stack = stack,
                                .rows = counts->tokens[stack][layer],
                                .msa = counts->msa[stack][layer],
                                .mca = counts->mca[stack][layer]};
    if (stack == STACK_FUSION_IMAGE)
        flops.keys = counts->tokens[STACK_FUSION_TEXT][layer];
    if (stack == STACK_FUSION_TEXT)
        flops.keys = counts->tokens[STACK_FUSION_IMAGE][layer];
    flops_layer(config, &flops, macs);
    if (request->trim_tokens && kind->learned && policy_trims_tokens(policy, config, stack, layer))
        flops_token_trimmer(config, stack, layer, before, kind->guided, macs);
    if (request->trim_tokens && kind->needs_words && policy_trims_tokens(policy, config, stack, layer))
        flops_similarity(config, before, words_beside(config, counts, stack, layer, request->tokens),
                         stack == STACK_IMAGE, macs);
    if (request->trim_tokens && kind->merges && policy_trims_tokens(policy, config, stack, layer))
        macs->trimmer += merging_macs(before, model_stack_width(config, stack));
    if (request->trim_heads && policy_trims_heads(policy, config, stack, layer, false))
        flops_head_trimmer(config, stack, false, macs);
    if (request->trim_heads && policy_trims_heads(policy, config, stack, layer, true))
        flops_head_trimmer(config, stack, true, macs);
    if (request->trim_tokens && policy_reads_cls(policy, config, stack, layer))
        macs->trimmer += (uint64_t)flops.msa * (uint64_t)model_head_size(config) * (uint64_t)flops.rows;
}

// What a word that is written attends to beside its text, in all layers together.
static uint64_t writing_keys(const struct model_config *config, const struct budget_counts *counts)
{
    int layers = flops_writing_layers(config);
    uint64_t keys = 0;
    for (int l = 0; l < layers; l++)
        keys += (uint64_t)(config->task == TASK_CAPTION ? counts->tokens[STACK_FUSION_IMAGE][l]
                                                        : counts->tokens[STACK_DECODER][0]);
    return keys;
}

// Whether the words of BLIP are encoded once more, without a picture, because that guides its image encoder.
static bool needs_guide(const struct model_config *config, const struct budget_request *request)
{
    if (config->architecture != ARCHITECTURE_BLIP || !request->trim_tokens || !policy_kind(request->policy)->guided)
        return false;
    for (int l = 0; l < config->image_layers; l++)
        if (policy_reads_other(request->policy, config, STACK_IMAGE, l))
            return true;
    return false;
}

static struct flops_text text_of(const struct model_config *config, const struct budget_request *request)
{
    return request->text.beams ? request->text : flops_text(config, NULL, false, 0, 0, 0);
}

void budget_cost(const struct model_config *config, const struct budget_request *request,
                 const struct budget_counts *counts, struct macs *macs)
{
    bool blip = config->architecture == ARCHITECTURE_BLIP;
    struct flops_text text = text_of(config, request);
    if (needs_guide(config, request))
        flops_guide(config, request->tokens, macs);
    for (int l = 0; l < config->text_layers; l++)
        cost_layer(config, request, counts, STACK_TEXT, l, macs);
    flops_finish(config, tokens_after(config, counts, STACK_TEXT, request->tokens), macs);
    for (int p = 0; p < config->pictures; p++) {
        flops_embed_image(config, macs);
        for (int l = 0; l < config->image_layers; l++)
            cost_layer(config, request, counts, STACK_IMAGE, l, macs);
        flops_finish(config, tokens_after(config, counts, STACK_IMAGE, request->tokens), macs);
        for (int l = 0; l < config->fusion_layers; l++) {
            if (!blip || p == 0) // BLIP's words are read once, beside both pictures
                cost_layer(config, request, counts, STACK_FUSION_TEXT, l, macs);
            if (blip && p > 0)
                flops_twin(config, l, counts->tokens[STACK_FUSION_TEXT][l], counts->tokens[STACK_FUSION_IMAGE][l],
                           model_stack_heads(config, STACK_FUSION_TEXT), macs); // these heads are not trimmed
            cost_layer(config, request, counts, STACK_FUSION_IMAGE, l, macs);
        }
    }
    for (int l = 0; l < model_stack_layers(config, STACK_DECODER); l++)
        cost_layer(config, request, counts, STACK_DECODER, l, macs);
    if (model_writes(config))
        flops_writing(config, &text, request->tokens, writing_keys(config, counts), macs);
    flops_contrast(config, request->tokens, macs);
    flops_answer(config, macs);
}

static double share_of(const struct model_config *config, const struct budget_request *request,
                       const struct budget_counts *counts)
{
    struct macs spent = {0}, dense = {0};
    struct flops_text text = text_of(config, request);
    budget_cost(config, request, counts, &spent);
    flops_dense(config, &text, request->tokens, &dense);
    return (double)flops_total(&spent) / (double)flops_total(&dense);
}

// Fractions where no calibration sets an example: each layer where the policy acts halves the patches, or the words, that
// are left (any other base would do: the exponent that meets the budget makes it the base that is needed), and takes a
// tenth of its heads.
static void geometric_profile(const struct model_config *config, enum policy policy, float *profile)
{
    float left[2] = {1, 1}; // patches, words
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < model_stack_layers(config, order[s]); l++) {
            float *f = profile + budget_profile_index(config, order[s], l);
            if (policy_trims_tokens(policy, config, order[s], l))
                left[model_stack_is_text(order[s])] *= 0.5f;
            f[0] = left[model_stack_is_text(order[s])];
            f[1] = f[2] = 0.9f;
        }
}

// Counts of a profile whose fractions are raised to `exponent`: 0 keeps all, infinity the least.
static void counts_of_profile(const struct model_config *config, const struct budget_request *request,
                              const float *profile, double exponent, struct budget_counts *counts)
{
    for (int s = 0; s < STACK_COUNT; s++)
        for (int l = 0; l < model_stack_layers(config, order[s]); l++) {
            enum model_stack stack = order[s];
            const float *f = profile + budget_profile_index(config, stack, l);
            int all = stream_tokens(config, stack, request->tokens);
            int before = tokens_before(config, counts, stack, l, request->tokens), kept = before;
            if (request->trim_tokens && policy_trims_tokens(request->policy, config, stack, l))
                kept = 1 + (int)lround(pow((double)f[0], exponent) * (all - 1));
            counts->tokens[stack][l] = kept < before ? kept : before;
            int heads = model_stack_heads(config, stack);
            counts->msa[stack][l] = counts->mca[stack][l] = heads;
            if (request->trim_heads && policy_trims_heads(request->policy, config, stack, l, false))
                counts->msa[stack][l] = (int)lround(pow((double)f[1], exponent) * heads);
            if (request->trim_heads && policy_trims_heads(request->policy, config, stack, l, true))
                counts->mca[stack][l] = (int)lround(pow((double)f[2], exponent) * heads);
        }
}

// Raises one count, by ones, as far as the budget and `most` allow.
static void raise_count(const struct model_config *config, const struct budget_request *request,
                        struct budget_counts *counts, int *count, int most)
{
    while (*count < most) {
        ++*count;
        if (share_of(config, request, counts) <= request->share)
            continue;
        --*count;
        return;
    }
}

// Rounding leaves a little of the budget: spend it on heads, then on single tokens, late layers (small steps) first.
static void spend_rest(const struct model_config *config, const struct budget_request *request,
                       struct budget_counts *counts)
{
    for (int pass = 0; pass < 2; pass++)
        for (int s = STACK_COUNT - 1; s >= 0; s--)
            for (int l = model_stack_layers(config, order[s]) - 1; l >= 0; l--) {
                enum model_stack stack = order[s];
                int before = tokens_before(config, counts, stack, l, request->tokens);
                int all = model_stack_heads(config, stack);
                bool heads = pass == 0 && request->trim_heads;
                if (heads && policy_trims_heads(request->policy, config, stack, l, false))
                    raise_count(config, request, counts, &counts->msa[stack][l], all);
                if (heads && policy_trims_heads(request->policy, config, stack, l, true))
                    raise_count(config, request, counts, &counts->mca[stack][l], all);
                if (pass == 1 && request->trim_tokens && policy_trims_tokens(request->policy, config, stack, l))
                    raise_count(config, request, counts, &counts->tokens[stack][l], before);
            }
}

static bool make_profile(const struct model *model, const struct budget_request *request, float *profile,
                         struct error *err)
{
    if (request->policy == POLICY_LEARNED_FIXED && model->calibration)
        return calibration_profile(model, request->share, profile, err);
    geometric_profile(&model->config, request->policy, profile);
    return true;
}

static double least_of_profile(const struct model_config *config, const struct budget_request *request,
                               const float *profile)
{
    struct budget_counts counts;
    counts_of_profile(config, request, profile, STEEPEST, &counts);
    return share_of(config, request, &counts);
}

static bool plan_counts(struct budget *budget, const struct model *model, struct budget_request *request,
                        struct error *err)
{
    const struct model_config *config = &model->config;
    float profile[BUDGET_PROFILE];
    bool asked = !isnan(request->share), calibrated = !asked && calibration_share(model, 0, &request->share);
    if (!asked && !calibrated)
        request->share = DEFAULT_SHARE;
    if (!make_profile(model, request, profile, err))
        return false;
    double low = 0, high = STEEPEST, least = least_of_profile(config, request, profile);
    // Nobody asked for less: where that would leave next to nothing, half of what this policy can take away.
    if (!asked && (least > request->share || (!calibrated && (1 + least) / 2 > request->share)))
        request->share = (1 + least) / 2;
    if (least > request->share && least >= 1 && policy_kind(request->policy)->learned)
        return error_set(err, ERROR_INPUT,
                         "this model has no trimmers, so the policy %s prunes nothing; %s, %s and %s need none",
                         policy_name(request->policy), policy_name(POLICY_CLS_ATTENTION),
                         policy_name(POLICY_TEXT_SIMILARITY), policy_name(POLICY_RANDOM));
    if (least > request->share)
        return error_set(err, ERROR_INPUT,
                         "the policy %s can spend %.3f of the dense multiply-adds at least in this model; %g was "
                         "asked for",
                         policy_name(request->policy), budget_told(least), request->share);
    for (int i = 0; i < 48; i++) {
        double middle = (low + high) / 2;
        counts_of_profile(config, request, profile, middle, &budget->counts);
        if (share_of(config, request, &budget->counts) > request->share)
            low = middle;
        else
            high = middle;
    }
    counts_of_profile(config, request, profile, high, &budget->counts);
    spend_rest(config, request, &budget->counts);
    return true;
}

// Whether the best scores are kept until there are so many: always by some policies; for a share that no calibration knows
// how to reach with a threshold, by all.
static bool plans_counts(const struct model *model, const struct budget_request *request)
{
    return policy_kind(request->policy)->counts || (request->share < 1 && !model->calibration);
}

bool budget_make(struct budget *budget, const struct model *model, const struct budget_request *request,
                 struct error *err)
{
    struct budget_request actual = *request;
    *budget = (struct budget){.policy = request->policy, .share = request->share, .shift = (double)NAN};
    if (!isnan(request->share) && !(request->share > 0 && request->share <= 1))
        return error_set(err, ERROR_USAGE, "a budget of %g is not a share; expected more than 0 and at most 1",
                         request->share);
    if (request->policy == POLICY_NONE)
        return true;
    budget->keeps_counts = plans_counts(model, request);
    if (budget->keeps_counts)
        return plan_counts(budget, model, &actual, err);
    budget->shift = 0;
    return isnan(request->share) ||
           calibration_shift(model, request->policy, request->share, &budget->shift, err);
}

double budget_told(double least)
{
    double told = ceil(1000 * least - 1e-6) / 1000; // what is in thousandths already stays, though no float is
    return fmin(told < least ? told + 0.001 : told, 1);
}

bool budget_least(const struct model *model, const struct budget_request *request, double *least, struct error *err)
{
    struct budget_request lowest = *request;
    float profile[BUDGET_PROFILE];
    lowest.share = 0;
    *least = 1;
    if (request->policy == POLICY_NONE)
        return true;
    if (!plans_counts(model, &lowest))
        return calibration_least(model, request->policy, least, err);
    if (!make_profile(model, &lowest, profile, err))
        return false;
    *least = least_of_profile(&model->config, &lowest, profile);
    return true;
}
