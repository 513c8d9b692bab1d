// The executed multiply-adds of a pruned pass as a differentiable function of its token and head masks.
#ifndef TRIMSCOPE_LEARN_COST_H
#define TRIMSCOPE_LEARN_COST_H

#include "engine/learn/net.h"

// share[q] = executed / dense multiply-adds of question q, trimmers included (the formulas of prune/flops.h).
// The batch must hold all patches.
void cost_shares(const struct net *net, const struct net_batch *batch, const struct net_state *state, double *share);

// The share that is left when every trimmer keeps its CLS alone and no head, for a question of `tokens` tokens: no target
// below it can be reached. NaN when there is no memory.
double cost_least(const struct net *net, int tokens);

// Adds weight * d(share[q]) to the masks' and gates' gradients, for every question alike.
void cost_back(const struct net *net, const struct net_batch *batch, struct net_state *state, double weight);

#endif
