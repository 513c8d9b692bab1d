// From "spend this share of the dense multiply-adds" to what a policy does: a threshold shift, or counts per layer.
//
// The metadata `calibration` of a weights file is JSON (run/calibrate.h makes it from a question set):
//   {"learned": [[share, shift], ...], "learned-self": [[share, shift], ...], "learned-fixed": [[share, [f, ...]], ...]}
// where at that shift the set's mean share was `share`. f are mean fractions of what the learned policy kept: for each
// stack (image, text, fusion_image, fusion_text, decoder), each layer: tokens after trimming without CLS, MSA heads, MCA heads.
#ifndef TRIMSCOPE_PRUNE_BUDGET_H
#define TRIMSCOPE_PRUNE_BUDGET_H

#include "engine/base/error.h"
#include "engine/model/model.h"
#include "engine/prune/flops.h"
#include "engine/prune/policy.h"

// What is left after the trimming of each layer of each stack; tokens count CLS.
struct budget_counts {
    int tokens[STACK_COUNT][MODEL_LAYERS], msa[STACK_COUNT][MODEL_LAYERS], mca[STACK_COUNT][MODEL_LAYERS];
};

struct budget {
    enum policy policy;
    double share;  // asked for; NaN: as trained
    double shift;  // of policies that decide by threshold; NaN for the others
    bool keeps_counts;           // the best scores until there are so many, instead of all that reach a threshold
    struct budget_counts counts; // of those
};

enum { BUDGET_PROFILE = 3 * STACK_COUNT * MODEL_LAYERS }; // fractions of a profile at most

struct budget_request {
    enum policy policy;
    double share;   // NaN: as trained; for policies that keep counts, the share that the learned one has as trained (0.5
                    // where that is not known), or the least they can reach
    int tokens;     // of the question
    bool trim_tokens, trim_heads;
    struct flops_text text; // of a model that writes; all 0: as published
};

// False and one sentence, with the least share that can be reached, when the policy cannot spend so little. A policy that
// decides by threshold, in a model that carries no calibration at all, keeps counts that meet the share for this question:
// its best scores, but no longer more on hard inputs.
bool budget_make(struct budget *budget, const struct model *model, const struct budget_request *request,
                 struct error *err);

// The least share that a policy can spend (request->share is not read): 1 for POLICY_NONE. False and one sentence when
// the calibration does not tell.
bool budget_least(const struct model *model, const struct budget_request *request, double *least, struct error *err);

// The least share as a person is told it: in thousandths, rounded up, so that what stands there can be asked for. At most 1.
double budget_told(double least);

// Multiply-adds of a run with these counts under this policy, trimmers included; all layers of all streams.
void budget_cost(const struct model_config *config, const struct budget_request *request,
                 const struct budget_counts *counts, struct macs *macs);

// Position of a layer's three fractions in a profile, and how many fractions a profile of this model has.
int budget_profile_index(const struct model_config *config, enum model_stack stack, int layer);
int budget_profile_size(const struct model_config *config);

#endif
