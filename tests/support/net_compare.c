#include "tests/support/net_compare.h"

#include "engine/run/trace.h"
#include "tests/support/cmocka_all.h"

#include <math.h>

static const float SCORE_LEAST = 2e-4f;

// One layer of one stream, of which `rows` is the layout.
static bool close_layer(const struct layer_refs *refs, const struct stream_layer_state *layer, struct rows rows, int q)
{
    int count = rows.count ? rows.count[q] : rows.stride;
    for (int t = 1; layer->mask && t < count; t++)
        if (fabsf(layer->tokens.score[q * rows.stride + t]) < SCORE_LEAST)
            return true;
    // slope = y (1 - y), and y > 1/2 <=> kept: near 1/4 the gate's score is near 0
    const float *slopes[] = {layer->gate_msa ? layer->msa.slope : NULL, layer->gate_mca ? layer->mca.slope : NULL};
    for (int m = 0; m < 2; m++) {
        int heads = m ? refs->mca.heads : refs->msa.heads;
        for (int h = 0; slopes[m] && h < heads; h++)
            if (slopes[m][q * heads + h] > 0.25f - 1e-8f)
                return true;
    }
    return false;
}

// Where a picture of question q lies among those of a pass, encoded for each question or once for all; picture: 0, or 1 for the
// second of two.
static int picture_sample(const struct net *net, const struct net_state *state, struct rows rows, int picture, int q)
{
    return rows.n > net->pictures ? picture * state->rows[NET_TEXT].n + q : picture;
}

bool net_close_call(const struct net *net, const struct net_state *state, int q)
{
    const struct model_config *c = &net->config;
    for (int p = 0; p < net->pictures; p++) {
        for (int l = 0; l < c->image_layers; l++)
            if (close_layer(&net->image[l], &state->image[l], state->image_rows,
                            picture_sample(net, state, state->image_rows, p, q)))
                return true;
        for (int l = 0; l < c->fusion_layers; l++)
            if (close_layer(&net->fusion[l][NET_IMAGE], &state->fusion[l][NET_IMAGE], state->rows[NET_IMAGE],
                            picture_sample(net, state, state->rows[NET_IMAGE], p, q)))
                return true;
    }
    for (int l = 0; l < c->text_layers; l++)
        if (close_layer(&net->text[l], &state->text[l], state->rows[NET_TEXT], q))
            return true;
    for (int l = 0; l < c->fusion_layers; l++)
        if (close_layer(&net->fusion[l][NET_TEXT], &state->fusion[l][NET_TEXT], state->rows[NET_TEXT], q))
            return true;
    return close_layer(&net->decoder[0], &state->decoder[0], state->rows[NET_TEXT], q);
}

static int compare_tokens(const struct stage *stage, int stream, const float *alive)
{
    const struct trace_tokens *tokens = &stage->tokens[stream];
    int dropped = 0;
    for (int t = 0; t < tokens->count; t++) {
        if (tokens->alive[t] != (alive ? alive[t] > 0 : 1))
            fail_msg("%s: %s token %d is %s in the engine only", stage->name, trace_stream_name(stream), t,
                     tokens->alive[t] ? "alive" : "dropped");
        dropped += !tokens->alive[t];
    }
    return dropped;
}

static int compare_heads(const struct stage *stage, int stream, enum attention_module module, const float *gate, int q)
{
    const struct trace_heads *heads = &stage->heads[stream][module];
    int off = 0;
    for (int h = 0; h < heads->count; h++) {
        assert_int_equal(heads->on[h], gate ? gate[q * heads->count + h] > 0 : 1);
        off += !heads->on[h];
    }
    return off;
}

// The trainer's layer that a stage of the run is of; NULL: none.
static const struct stream_layer_state *layer_of(const struct net *net, const struct net_state *state,
                                                 const struct stage *stage, int s)
{
    if (stage->kind == STAGE_FUSION)
        return &state->fusion[stage->layer][s];
    if (stage->kind == STAGE_IMAGE && s == NET_IMAGE)
        return &state->image[stage->layer];
    if (stage->kind == STAGE_MEMORY && s == NET_TEXT)
        return &state->decoder[0];
    return stage->kind == STAGE_TEXT && s == NET_TEXT && net->config.text_layers ? &state->text[stage->layer] : NULL;
}

void net_compare_trace(const struct net *net, const struct net_state *state, int q, const struct trace *trace, int *dropped,
                       int *off)
{
    for (int i = 0; i < trace->stage_count; i++)
        for (int stream = 0; stream < TRACE_STREAMS; stream++) {
            const struct stage *stage = &trace->stages[i];
            int s = stream == TRACE_TEXT_STREAM ? NET_TEXT : NET_IMAGE;
            bool touched = stream == TRACE_TEXT_STREAM || stream < net->pictures;
            const struct stream_layer_state *layer = touched ? layer_of(net, state, stage, s) : NULL;
            // Of two pictures each has its own stages of the encoder.
            if (!layer || (stage->kind == STAGE_IMAGE && !stage->tokens[stream].count))
                continue;
            int stride = state->rows[s].stride;
            struct rows rows = stage->kind == STAGE_IMAGE ? state->image_rows : state->rows[NET_IMAGE];
            int at = s == NET_TEXT ? q : picture_sample(net, state, rows, stream, q);
            *dropped += compare_tokens(stage, stream, layer->alive ? layer->alive + at * stride : NULL);
            *off += compare_heads(stage, stream, MODULE_MSA, layer->gate_msa, at);
            if (stage->kind == STAGE_FUSION)
                *off += compare_heads(stage, stream, MODULE_MCA, layer->gate_mca, at);
        }
}
