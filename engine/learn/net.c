#include "engine/learn/net_private.h"

#include "engine/model/beam.h"

// What was alive when a stream entered the fusion layers, as a state that the first layer can look back at.
static struct stream_layer_state *entry_state(struct tape *tape, const struct net *net,
                                              const struct net_batch *batch, struct net_state *state, int stream)
{
    int layers = stream == NET_IMAGE ? net->config.image_layers : net->text_layers;
    struct stream_layer_state *last = layers ? (stream == NET_IMAGE ? state->image : state->text) + layers - 1 : NULL;
    if (!last || !last->alive)
        return NULL;
    if (stream == NET_TEXT)
        return last;
    struct rows from = state->image_rows, to = state->rows[NET_IMAGE];
    struct stream_layer_state *entry = arena_alloc(&tape->arena, 1, sizeof *entry);
    if (!entry)
        return NULL;
    *entry = (struct stream_layer_state){.alive = tape_alloc(tape, (size_t)rows_total(to)),
                                         .dalive = tape_zeros(tape, (size_t)rows_total(to))};
    for (int q = 0; q < to.n; q++)
        for (int t = 0; t < to.stride; t++)
            entry->alive[q * to.stride + t] = last->alive[q * from.stride + net_source_row(batch, t)];
    return entry;
}

void net_encode(struct tape *tape, const struct net *net, const struct net_batch *batch,
                const struct net_trimming *trimming, struct net_state *state)
{
    *state = (struct net_state){0};
    net_encode_text(tape, net, batch, trimming, state);
    net_encode_image(tape, net, batch, trimming, state);
}

void net_fuse(struct tape *tape, const struct net *net, const struct net_batch *batch,
              const struct net_trimming *trimming, struct net_state *state)
{
    const struct stream_layer_state *before[NET_STREAMS];
    const real *x[NET_STREAMS];
    if (net->captions)
        net_enter_captions(tape, net, batch, state);
    for (int s = 0; s < NET_STREAMS; s++) {
        before[s] = state->entry[s] = entry_state(tape, net, batch, state, s);
        x[s] = state->fused_in[s];
    }
    for (int l = 0; l < net->config.fusion_layers; l++) {
        for (int s = 0; s < NET_STREAMS; s++)
            state->fusion[l][s].compact = compact_enter(l ? &before[s]->compact : NULL, state->rows[s]);
        net_fusion_layer(tape, net->fusion[l], state->fusion[l], before, x, state->rows, trimming);
        for (int s = 0; s < NET_STREAMS; s++) {
            before[s] = &state->fusion[l][s];
            x[s] = state->fusion[l][s].output;
        }
    }
}

void net_remember_patches(const struct net *net, struct net_state *state, bool remember)
{
    for (int l = 0; l < net->config.fusion_layers; l++)
        state->fusion[l][NET_TEXT].cross.remembers = remember;
}

void net_forward(struct tape *tape, const struct net *net, const struct net_batch *batch,
                 const struct net_trimming *trimming, struct net_state *state)
{
    net_encode(tape, net, batch, trimming, state);
    net_fuse(tape, net, batch, trimming, state);
    net_answer(tape, net, batch, trimming, state);
}

// What the fusion layers say of tokens that the encoder dropped.
static void leave_fusion_masks(const struct net *net, const struct net_batch *batch, struct net_state *state)
{
    const struct stream_layer_state *entry = state->entry[NET_IMAGE];
    if (!entry)
        return;
    struct stream_layer_state *last = &state->image[net->config.image_layers - 1];
    struct rows from = state->image_rows, to = state->rows[NET_IMAGE];
    for (int q = 0; q < to.n; q++)
        for (int t = 0; t < to.stride; t++)
            last->dalive[q * from.stride + net_source_row(batch, t)] += entry->dalive[q * to.stride + t];
}

void net_backward(struct tape *tape, const struct net *net, const struct net_batch *batch, struct net_state *state,
                  const struct net_gradients *gradients)
{
    const int width[NET_STREAMS] = {[NET_IMAGE] = model_image_width(&net->config), [NET_TEXT] = net->config.width};
    real *d[NET_STREAMS], *din[NET_STREAMS];
    for (int s = 0; s < NET_STREAMS; s++) {
        size_t size = (size_t)(rows_total(state->rows[s]) * width[s]);
        d[s] = tape_zeros(tape, size);
        din[s] = tape_alloc(tape, size);
    }
    net_answer_back(tape, net, batch, state, gradients, d);
    for (int l = net->config.fusion_layers - 1; l >= net->first_fusion; l--) {
        struct stream_layer_state *before[NET_STREAMS];
        for (int s = 0; s < NET_STREAMS; s++) {
            before[s] = l ? &state->fusion[l - 1][s] : state->entry[s];
            memset(din[s], 0, (size_t)(rows_total(state->fusion[l][s].compact.in) * width[s]) * sizeof(real));
        }
        if (gradients->fusion_image[l] && !state->fusion[l][NET_IMAGE].compact.token)
            tape->kernels->add(d[NET_IMAGE], gradients->fusion_image[l], rows_total(state->rows[NET_IMAGE]) * width[NET_IMAGE]);
        net_fusion_layer_back(tape, net->fusion[l], state->fusion[l], before, d, din, state->rows);
        for (int s = 0; s < NET_STREAMS; s++) {
            real *swap = d[s];
            d[s] = din[s];
            din[s] = swap;
        }
    }
    leave_fusion_masks(net, batch, state);
    // METER's image encoder is guided by the words that enter fusion; BLIP's by the words encoded alone.
    real *dcontext = state->context == state->fused_in[NET_TEXT] ? d[NET_TEXT]
                     : state->context ? tape_zeros(tape, (size_t)(rows_total(state->question_rows) * width[NET_TEXT]))
                                      : NULL;
    if (net->captions && net->embeddings)
        net_enter_captions_back(tape, net, state, d[NET_TEXT]);
    if (net->embeddings || net->first_image < net->config.image_layers)
        net_encode_image_back(tape, net, batch, state, d[NET_IMAGE], gradients->encoded, dcontext);
    if (net->embeddings || net->first_text < net->text_layers)
        net_encode_text_back(tape, net, batch, state, d[NET_TEXT], dcontext);
}

// Numbers that one layer keeps for a token of a stream, besides its attention maps, and with a backward pass's gradients.
static size_t token_numbers(size_t width, size_t ffn, const struct trimmer_config *trimmer)
{
    return 30 * width + 5 * ffn + 3 * (size_t)(trimmer->hidden + trimmer->rank) + 16;
}

// Layers of an encoder that are kept, and one that passes through.
static size_t kept_layers(int layers, int first)
{
    return (size_t)(layers - first) + 2;
}

static size_t most(int a, int b)
{
    return (size_t)(a > b ? a : b);
}

// What is kept of BLIP's written answers.
static size_t answer_numbers(const struct net *net, size_t rows, size_t words)
{
    const struct model_config *c = &net->config;
    const struct trimmer_config none = {0}, *memory = &c->trimmers[STACK_DECODER][0];
    size_t width = (size_t)c->width, heads = (size_t)c->heads;
    size_t trimming = words * (12 * width + 3 * (size_t)(memory->hidden + memory->rank) + 16);
    size_t layer = rows * (token_numbers(width, (size_t)c->decoder_ffn, &none) + heads * (rows + words)) + words * 6 * width;
    return net->writes ? trimming + (size_t)c->decoder_layers * layer + rows * (16 * width + 3 * (size_t)net->labels) : 0;
}

int net_answer_rows(const struct net *net)
{
    return !net->writes ? 1 : net->captions ? net->config.max_tokens : WORDS_ANSWER;
}

size_t net_arena_size(const struct net *net, int questions, int text_stride, int answer_rows)
{
    const struct model_config *c = &net->config;
    size_t grid = (size_t)model_grid(c), tokens = grid * grid + 1, text = (size_t)text_stride, q = (size_t)questions;
    size_t pictures = (size_t)net->pictures;
    size_t width = (size_t)c->width, wide = most(c->width, model_image_width(c)), numbers = 0;
    size_t heads = most(c->heads, model_image_heads(c));
    size_t ffn = most(c->image_fusion_ffn, c->image_ffn), text_ffn = most(c->text_fusion_ffn, c->text_ffn);
    size_t row = token_numbers(wide, ffn, &c->trimmers[STACK_FUSION_IMAGE][0]);
    size_t text_row = token_numbers(width, text_ffn, &c->trimmers[STACK_FUSION_TEXT][0]);
    size_t image_maps = heads * tokens * (tokens + text), text_maps = heads * text * (pictures * tokens + text);
    bool still = c->architecture == ARCHITECTURE_BLIP; // patches that are only read leave K and V, and what scores them
    size_t fusion_row = still ? 12 * wide + 3 * (size_t)(c->trimmers[STACK_FUSION_IMAGE][0].hidden +
                                                         c->trimmers[STACK_FUSION_IMAGE][0].rank) + 16
                              : row;
    numbers += q * (pictures * (tokens * fusion_row + text * text_row) + (still ? 0 : image_maps) + text_maps) *
               (size_t)c->fusion_layers;
    numbers += pictures * (net->image_per_question ? q : 1) * (tokens * row + heads * tokens * tokens) *
               kept_layers(c->image_layers, net->first_image);
    numbers += q * (text * text_row + heads * text * text) * kept_layers(net->text_layers, net->first_text);
    numbers += 2 * pictures * q * tokens * (16 * wide + 4 * ffn) + 4 * tokens * tokens; // the backward pass's own
    numbers += pictures * (size_t)c->image_size * (size_t)c->image_size * 24;           // a patch embedding
    size_t channels = (size_t)(c->stem_channels[0] + c->stem_channels[1]), blocks = (size_t)c->stem_blocks;
    numbers += (size_t)(c->image_size * c->image_size) * channels +
               grid * grid * blocks * (8 * width + 4 * (size_t)c->stem_expansion);
    numbers += q * (size_t)(12 * c->head_hidden + 2 * net->labels);
    numbers += answer_numbers(net, (size_t)answer_rows, q * text);
    return numbers * sizeof(real) + ((size_t)1 << 22);
}
