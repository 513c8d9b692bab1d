// What the parts of the network's passes share.
#ifndef TRIMSCOPE_LEARN_NET_PRIVATE_H
#define TRIMSCOPE_LEARN_NET_PRIVATE_H

#include "engine/learn/net.h"

#include <string.h>

static inline void net_add(real *to, const real *from, int n)
{
    for (int i = 0; i < n; i++)
        to[i] += from[i];
}

// net_layers.c. What stands beside n samples of the other stream, sample i beside i: two pictures beside the same words, the
// first picture beside these. Only each sample's first row counts.
struct rows net_rows_beside(struct tape *tape, struct rows rows, int n);

// Draws a layer's token mask and multiplies it into what was alive before (NULL: everything). `before` is the
// previous layer's state, x in the layout state->compact.in, of all rows `full`. Sets state->alive, NULL while nothing can have
// been dropped, and leaves out rows of state->compact where they cannot matter.
void net_trim_tokens(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                     const struct stream_layer_state *before, const real *x, struct rows full, const real *context,
                     struct rows context_rows, const struct net_trimming *trimming);
// dx, dcontext, before->dalive += from state->dalive.
void net_trim_tokens_back(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                          struct stream_layer_state *before, real *dx, struct rows full, real *dcontext,
                          struct rows context_rows);

// The layers of an encoder one after the other. What lies below `first`, the first layer that the backward
// pass reaches, leaves nothing but its result behind.
const real *net_encoder_layers(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *states,
                               int layers, int first, const real *x, struct rows rows, const real *context,
                               struct rows context_rows, const struct net_trimming *trimming);
// d: of the output, then of the input of layer `first`; dcontext += (NULL: nothing guides).
void net_encoder_layers_back(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *states,
                             int layers, int first, real *d, struct rows rows, real *dcontext, struct rows context_rows);
// A fusion layer of both streams; x: their inputs in the layouts state[s].compact.in, of all rows full[s].
void net_fusion_layer(struct tape *tape, const struct layer_refs refs[NET_STREAMS],
                      struct stream_layer_state state[NET_STREAMS],
                      const struct stream_layer_state *const before[NET_STREAMS], const real *const x[NET_STREAMS],
                      const struct rows full[NET_STREAMS], const struct net_trimming *trimming);
// d: of the outputs (rows taking part); din: of the inputs (rows on entering), zeroed by the caller.
void net_fusion_layer_back(struct tape *tape, const struct layer_refs refs[NET_STREAMS],
                           struct stream_layer_state state[NET_STREAMS],
                           struct stream_layer_state *const before[NET_STREAMS], real *const d[NET_STREAMS],
                           real *const din[NET_STREAMS], const struct rows full[NET_STREAMS]);

// net_embed.c. Words as vectors before their LayerNorm, (rows, width); rows that no word has get 0.
void net_embed_words(struct tape *tape, const struct embedding_refs *refs, const int *ids, struct rows rows, real *out);
void net_embed_words_back(struct tape *tape, const struct embedding_refs *refs, const int *ids, struct rows rows,
                          const real *d);
// From question and picture to what enters the fusion layers.
void net_encode_text(struct tape *tape, const struct net *net, const struct net_batch *batch,
                     const struct net_trimming *trimming, struct net_state *state);
void net_encode_image(struct tape *tape, const struct net *net, const struct net_batch *batch,
                      const struct net_trimming *trimming, struct net_state *state);
// dfused: of what entered. dcontext: what the image encoder's trimmers say to what guided them, which may be dfused itself.
void net_encode_image_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                           struct net_state *state, const real *dfused, const real *dencoded, real *dcontext);
void net_encode_text_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                          struct net_state *state, real *dfused, real *dcontext);
// Captions as they enter the fusion layers: the batch's ids, and the words of its answers behind them. d: of them.
void net_enter_captions(struct tape *tape, const struct net *net, const struct net_batch *batch, struct net_state *state);
void net_enter_captions_back(struct tape *tape, const struct net *net, const struct net_state *state, const real *d);
// Row of a picture's tokens that becomes row t of the fusion stream.
static inline int net_source_row(const struct net_batch *batch, int t)
{
    return t == 0 || !batch->patch_count ? t : batch->patches[t - 1] + 1;
}

// net_answer.c. d += the gradients of what leaves the last fusion layer.
void net_answer_back(struct tape *tape, const struct net *net, const struct net_batch *batch, struct net_state *state,
                     const struct net_gradients *gradients, real *const d[NET_STREAMS]);

#endif
