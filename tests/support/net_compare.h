// The trainer's pruned pass beside the engine's run of the same picture and question.
#ifndef TRIMSCOPE_TESTS_SUPPORT_NET_COMPARE_H
#define TRIMSCOPE_TESTS_SUPPORT_NET_COMPARE_H

#include "engine/learn/net.h"

struct trace;

// Whether any decision of question q was so close that rounding may turn it.
bool net_close_call(const struct net *net, const struct net_state *state, int q);

// Asserts that every stage of the trace left the same tokens and heads; adds how many were dropped, and are off.
void net_compare_trace(const struct net *net, const struct net_state *state, int q, const struct trace *trace, int *dropped,
                       int *off);

#endif
