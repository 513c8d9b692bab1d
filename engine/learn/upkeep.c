#include "engine/learn/upkeep.h"

// The gates of one layer: MSA and MCA of both streams; NULL where a module has none. BLIP's patches have no modules there.
enum { GATES = 2 * NET_STREAMS };

static bool has_gate(const struct net *net, int layer, int g)
{
    return !net->fusion[layer][g / 2].still;
}

static int gate_count(const struct net *net)
{
    int count = 0;
    for (int g = 0; g < GATES; g++)
        count += has_gate(net, 0, g);
    return count;
}

static const real *gate_at(const struct stream_layer_state layer[NET_STREAMS], int g)
{
    return g % 2 ? layer[g / 2].gate_mca : layer[g / 2].gate_msa;
}

static real *gate_gradient_at(const struct stream_layer_state layer[NET_STREAMS], int g)
{
    return g % 2 ? layer[g / 2].dgate_mca : layer[g / 2].dgate_msa;
}

void upkeep_measure(const struct net *net, const struct net_batch *batch, const struct net_state *state,
                    struct upkeep *sums)
{
    int layers = net->config.fusion_layers, heads = net->config.heads, stride = batch->text_stride;
    int gates = gate_count(net);
    for (int q = 0; q < batch->questions; q++)
        for (int l = 0; l < layers; l++) {
            double on = 0, alive = 0;
            for (int g = 0; g < GATES; g++) {
                const real *gate = gate_at(state->fusion[l], g);
                for (int h = 0; has_gate(net, l, g) && h < heads; h++)
                    on += gate ? (double)gate[q * heads + h] : 1;
            }
            const real *words = state->fusion[l][NET_TEXT].alive;
            int count = batch->text_count[q];
            for (int t = 1; t < count; t++)
                alive += words ? (double)words[q * stride + t] : 1;
            sums->heads += on / (gates * heads * layers);
            sums->words += (count > 1 ? alive / (count - 1) : 1) / layers;
        }
}

void upkeep_push(const struct net *net, const struct net_batch *batch, struct net_state *state, double heads,
                 double words)
{
    int layers = net->config.fusion_layers, per_layer = net->config.heads, stride = batch->text_stride;
    int gates = gate_count(net);
    for (int l = 0; l < layers; l++) {
        for (int g = 0; g < GATES; g++) {
            real *gradient = gate_gradient_at(state->fusion[l], g);
            for (int i = 0; gradient && i < batch->questions * per_layer; i++)
                gradient[i] += (real)(heads / (gates * per_layer * layers));
        }
        real *gradient = state->fusion[l][NET_TEXT].dalive;
        for (int q = 0; gradient && q < batch->questions; q++)
            for (int t = 1; t < batch->text_count[q]; t++)
                gradient[q * stride + t] += (real)(words / ((batch->text_count[q] - 1) * layers));
    }
}
