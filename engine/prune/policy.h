// The pruning policies behind one interface: where each acts, how it scores tokens, and how scores become decisions.
#ifndef TRIMSCOPE_PRUNE_POLICY_H
#define TRIMSCOPE_PRUNE_POLICY_H

#include "engine/model/config.h"

#include <stdbool.h>
#include <stdint.h>

struct forward;
struct token_trimmer;

// The table gives the enum, the names of --policy, and the help.
#define POLICIES(X)                                                                                            \
    X(NONE, "none", "the unpruned model")                                                                      \
    X(LEARNED, "learned", "SmartTrim: learned trimmers, own importance plus importance to the other modality") \
    X(LEARNED_SELF, "learned-self", "learned trimmers without cross-modal guidance")                           \
    X(LEARNED_FIXED, "learned-fixed", "learned scores, but the same count for every input (static pruning)")   \
    X(CLS_ATTENTION, "cls-attention", "keep what the own CLS attended to in the previous layer (EViT)")        \
    X(CROSS_ATTENTION, "cross-attention", "keep what the other modality attended to (training-free)")          \
    X(TEXT_SIMILARITY, "text-similarity", "keep what is most like the words, in the image encoder too (training-free)") \
    X(MERGING, "merging", "average patches that are alike instead of dropping them (ToMe, training-free)")    \
    X(RANDOM, "random", "keep tokens at random, from a seed")
#define POLICY_ENUM(id, name, help) POLICY_##id,
enum policy { POLICIES(POLICY_ENUM) POLICY_COUNT };
#undef POLICY_ENUM

const char *policy_name(enum policy policy);
const char *policy_help(enum policy policy);
// False when there is no such policy.
bool policy_find(const char *name, enum policy *policy);

// What a policy may look at when it scores the rows of one stream at the input of one layer.
struct policy_input {
    struct forward *forward;
    const struct token_trimmer *trimmer; // of this layer
    const float *x;                      // (rows, D); row 0 is CLS
    int rows;
    const int *rows_of;         // original index of each row
    const float *context;       // CLS row of the other modality, NULL where it is not known yet
    const float *words;         // (word_rows, D) that have left their encoder, where the policy reads them
    int word_rows;
    const struct attention_weights *asks; // BLIP: by what the words look at these patches
    enum model_stack stack;
    const float *cls, *mass;    // of the previous layer, per row: attention from the own CLS, from the other stream
    int *partner;               // per row, for a policy that merges: into which other row, -1: into none
    uint64_t seed;              // differs from stage to stage and stream to stream
};

struct policy_kind {
    bool learned; // trims where the weights have trimmers, heads too; otherwise image tokens, and what BLIP's decoder reads
    bool counts;  // keeps a planned count of the best; otherwise keeps what has score + shift >= 0
    bool guided;  // the cross-modal part of learned scores counts
    bool needs_cls, needs_mass; // of the layer before the one where it acts
    bool needs_words;           // the words' states
    bool merges;                // what goes is averaged into its partner (merging.h)
    // Fills self, cross and score (rows); NaN in self and cross where the policy has no such part. Higher is kept.
    void (*score)(const struct policy_input *input, float *self, float *cross, float *score);
};
const struct policy_kind *policy_kind(enum policy policy);

// Whether the policy may drop tokens, or heads, in this layer of this model.
bool policy_trims_tokens(enum policy policy, const struct model_config *config, enum model_stack stack, int layer);
bool policy_trims_heads(enum policy policy, const struct model_config *config, enum model_stack stack, int layer,
                        bool mca);
// Whether what the policy does in this layer hangs on the other modality's states.
bool policy_reads_other(enum policy policy, const struct model_config *config, enum model_stack stack, int layer);
// Whether this layer's attention must be remembered, because the policy reads it in the next layer.
bool policy_reads_cls(enum policy policy, const struct model_config *config, enum model_stack stack, int layer);
bool policy_reads_mass(enum policy policy, const struct model_config *config, enum model_stack stack, int layer);

#endif
