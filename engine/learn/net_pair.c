// Statements about two pictures (NLVR2): each picture passes through the model with the statement, and a head of its own
// judges what both passes' poolers gave (METER, modules/objectives.py, compute_nlvr2).
#include "engine/learn/net.h"

#include <string.h>

void net_pair_forward(struct tape *tape, const struct net *net, const struct net_state pictures[2],
                      struct answer_head_state *head)
{
    int n = pictures[0].rows[NET_TEXT].n, width = 2 * net->config.width;
    real *input = tape_alloc(tape, (size_t)(n * 2 * width));
    for (int q = 0; q < n; q++)
        for (int p = 0; p < 2; p++)
            memcpy(input + (size_t)((q * 2 + p) * width), pictures[p].pooled + (size_t)(q * width),
                   (size_t)width * sizeof *input);
    answer_head(tape, &net->pair_head, head, input, n);
}

void net_pair_backward(struct tape *tape, const struct net *net, const struct answer_head_state *head,
                       const real *dlogits, int statements, struct net_gradients gradients[2])
{
    int n = statements, width = 2 * net->config.width;
    real *dinput = tape_alloc(tape, (size_t)(n * 2 * width));
    answer_head_back(tape, &net->pair_head, head, dlogits, dinput, n);
    for (int p = 0; p < 2; p++) {
        if (!gradients[p].pooled)
            gradients[p].pooled = tape_zeros(tape, (size_t)(n * width));
        for (int q = 0; q < n; q++)
            tape->kernels->add(gradients[p].pooled + (size_t)(q * width), dinput + (size_t)((q * 2 + p) * width), width);
    }
}
