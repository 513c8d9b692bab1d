// Budgets for what the cost objective alone would leave standing: once most patches are gone, heads and words cost
// little, and the multiply-adds have nothing more to say about them. The article has a cost term of its own for heads.
#ifndef TRIMSCOPE_LEARN_UPKEEP_H
#define TRIMSCOPE_LEARN_UPKEEP_H

#include "engine/learn/net.h"

// Sums over the questions of a scene of the mean share of heads on, and of words alive (CLS apart), over all fusion
// layers; 1 where nothing is trimmed.
struct upkeep {
    double heads, words;
};
void upkeep_measure(const struct net *net, const struct net_batch *batch, const struct net_state *state,
                    struct upkeep *sums);

// Adds to the masks' and gates' gradients: `heads` and `words` are d(loss) / d(mean share) for every question.
void upkeep_push(const struct net *net, const struct net_batch *batch, struct net_state *state, double heads,
                 double words);

#endif
