#include "engine/learn/cost.h"

#include "engine/base/memory.h"
#include "engine/prune/flops.h"

#include <assert.h>
#include <math.h>

// One stream of one layer for one question: how many tokens it and the other stream have, how many heads are on.
struct layer_cost {
    double own, other, msa, mca; // tokens; shares of heads
    double d_own, d_other, d_msa, d_mca;
};

// What the cross-attention of n tokens to m of the other stream costs, and its derivatives.
static double cross_macs(const struct layer_refs *refs, double n, double m, double *d_own, double *d_other)
{
    double width = refs->width, memory = refs->cross.k.in;
    *d_own = 2 * width * width + 2 * m * width;
    *d_other = 2 * memory * width + 2 * n * width;
    return 2 * n * width * width + 2 * m * memory * width + 2 * n * m * width;
}

// Multiply-adds of a layer, and their derivatives. `cross` adds the MCA module.
static double layer_macs(struct layer_cost *at, const struct layer_refs *refs, bool cross)
{
    double n = at->own, width = refs->width, ffn = refs->ffn.in.out;
    double msa = 4 * n * width * width + 2 * n * n * width, mca = 0;
    at->d_own = at->msa * (4 * width * width + 4 * n * width) + 2 * width * ffn;
    at->d_msa = msa;
    at->d_other = at->d_mca = 0;
    if (cross) {
        double d_own, d_other;
        mca = cross_macs(refs, n, at->other, &d_own, &d_other);
        at->d_own += at->mca * d_own;
        at->d_other = at->mca * d_other;
        at->d_mca = mca;
    }
    return at->msa * msa + at->mca * mca + 2 * n * width * ffn;
}

static double token_trimmer_macs(const struct token_trimmer_refs *refs, double tokens)
{
    if (!refs->hidden)
        return 0;
    double width = refs->norm.width;
    double macs = tokens * (width * refs->hidden + refs->hidden);
    if (!refs->rank)
        return macs;
    macs += (double)refs->context_norm.width * refs->rank;
    if (!refs->concat && flops_query_folds(refs->norm.width, refs->rank))
        return macs + width * refs->rank + tokens * width;
    return macs + tokens * (width * refs->rank + refs->rank);
}

static double head_trimmer_macs(const struct head_trimmer_refs *refs)
{
    return refs->heads ? (double)refs->norm.width * refs->heads : 0;
}

static double count_alive(const real *alive, int stride, int count, int question)
{
    if (!alive)
        return count;
    double sum = 0;
    for (int t = 0; t < count; t++)
        sum += (double)alive[question * stride + t];
    return sum;
}

static double gate_share(const real *gate, int heads, int question)
{
    if (!gate)
        return 1;
    double sum = 0;
    for (int h = 0; h < heads; h++)
        sum += (double)gate[question * heads + h];
    return sum / heads;
}

// The walk over all layers of one question; `weight` != 0 also hands gradients to the masks.
enum { SECOND_PICTURE = NET_STREAMS, WALK_STREAMS };
struct walk {
    const struct net *net;
    int questions; // of the pass
    double weight, spent, dense;
    double tokens[WALK_STREAMS], full[WALK_STREAMS]; // alive now, and of the unpruned model
};

static void give_tokens(struct stream_layer_state *state, int stride, int count, int question, double amount)
{
    if (state->dalive)
        for (int t = 0; t < count; t++)
            state->dalive[question * stride + t] += (real)amount;
}

static void give_heads(real *gradient, int heads, int question, double amount)
{
    if (gradient)
        for (int h = 0; h < heads; h++)
            gradient[question * heads + h] += (real)(amount / heads);
}

static void walk_layer(struct walk *walk, const struct layer_refs *refs, struct stream_layer_state *state,
                       const struct layer_cost *counts, struct layer_cost *at, bool cross, int question,
                       const double dense_own, const double dense_other)
{
    struct layer_cost dense = {.own = dense_own, .other = dense_other, .msa = 1, .mca = cross ? 1 : 0};
    *at = *counts;
    at->msa = gate_share(state->gate_msa, refs->self.heads, question);
    at->mca = cross ? gate_share(state->gate_mca, refs->self.heads, question) : 0;
    walk->spent += layer_macs(at, refs, cross);
    walk->dense += layer_macs(&dense, refs, cross);
}

// A token trimmer scores what was alive before it.
static void walk_trimmer(struct walk *walk, const struct token_trimmer_refs *refs, struct stream_layer_state *before,
                         struct rows rows, int question, double tokens)
{
    walk->spent += token_trimmer_macs(refs, tokens);
    if (before && walk->weight != 0)
        give_tokens(before, rows.stride, rows_count(rows, question), question,
                    walk->weight * (token_trimmer_macs(refs, 1) - token_trimmer_macs(refs, 0)));
}

static void walk_encoder(struct walk *walk, const struct layer_refs *refs, struct stream_layer_state *states,
                         int layers, int stream, struct rows rows, int question)
{
    int count = rows_count(rows, question);
    for (int l = 0; l < layers; l++) {
        struct stream_layer_state *state = &states[l];
        if (state->mask)
            walk_trimmer(walk, &refs[l].tokens, l ? &states[l - 1] : NULL, rows, question, walk->tokens[stream]);
        if (state->gate_msa)
            walk->spent += head_trimmer_macs(&refs[l].msa);
        walk->tokens[stream] = count_alive(state->alive, rows.stride, count, question);
        struct layer_cost counts = {.own = walk->tokens[stream]}, at;
        walk_layer(walk, &refs[l], state, &counts, &at, false, question, walk->full[stream], 0);
        if (walk->weight != 0) {
            give_tokens(state, rows.stride, count, question, walk->weight * at.d_own);
            give_heads(state->dgate_msa, refs[l].self.heads, question, walk->weight * at.d_msa);
        }
    }
}

// Where question's tokens of a fusion stream lie: those of second pictures stand behind the first ones.
static int sample_of(const struct walk *walk, int stream, int question)
{
    return stream == SECOND_PICTURE ? walk->questions + question : question;
}

// What the trimmers of a fusion stream cost in a layer, and what they leave.
static void walk_choice(struct walk *walk, struct net_state *state, int layer, int stream, int question)
{
    int s = stream == SECOND_PICTURE ? NET_IMAGE : stream, sample = sample_of(walk, stream, question);
    const struct layer_refs *refs = &walk->net->fusion[layer][s];
    struct stream_layer_state *own = &state->fusion[layer][s];
    struct rows rows = state->rows[s];
    if (own->mask)
        walk_trimmer(walk, &refs->tokens, layer ? &state->fusion[layer - 1][s] : state->entry[s], rows, sample,
                     walk->tokens[stream]);
    if (own->gate_msa)
        walk->spent += head_trimmer_macs(&refs->msa);
    if (own->gate_mca)
        walk->spent += head_trimmer_macs(&refs->mca);
    if (own->alive) // of a caption nothing is dropped, and its beginning alone counts here
        walk->tokens[stream] = count_alive(own->alive, rows.stride, rows_count(rows, sample), sample);
}

// What the words' second cross-attention adds, whose heads have no trimmers.
static void walk_twin(struct walk *walk, struct net_state *state, int layer, int question)
{
    const struct layer_refs *refs = &walk->net->fusion[layer][NET_TEXT];
    struct stream_layer_state *words = &state->fusion[layer][NET_TEXT], *patches = &state->fusion[layer][NET_IMAGE];
    struct rows text = state->rows[NET_TEXT], image = state->rows[NET_IMAGE];
    double merge = (double)refs->twin.merge.in * refs->twin.merge.out, d_own, d_other;
    walk->dense += cross_macs(refs, walk->full[NET_TEXT], walk->full[SECOND_PICTURE], &d_own, &d_other) +
                   merge * walk->full[NET_TEXT];
    walk->spent += cross_macs(refs, walk->tokens[NET_TEXT], walk->tokens[SECOND_PICTURE], &d_own, &d_other) +
                   merge * walk->tokens[NET_TEXT];
    if (walk->weight == 0)
        return;
    int sample = sample_of(walk, SECOND_PICTURE, question);
    give_tokens(words, text.stride, rows_count(text, question), question, walk->weight * (d_own + merge));
    give_tokens(patches, image.stride, rows_count(image, sample), sample, walk->weight * d_other);
}

static void walk_fusion(struct walk *walk, struct net_state *state, int layer, int question)
{
    const struct layer_refs *refs = walk->net->fusion[layer];
    struct stream_layer_state *states = state->fusion[layer];
    for (int s = 0; s < NET_STREAMS - 1 + walk->net->pictures; s++)
        walk_choice(walk, state, layer, s, question);
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        if (refs[s].still)
            continue;
        struct layer_cost counts = {.own = walk->tokens[s], .other = walk->tokens[o]}, at;
        walk_layer(walk, &refs[s], &states[s], &counts, &at, true, question, walk->full[s], walk->full[o]);
        if (refs[s].twin.cross.out.out)
            walk_twin(walk, state, layer, question);
        if (walk->weight == 0)
            continue;
        int own = rows_count(state->rows[s], question), other = rows_count(state->rows[o], question);
        give_tokens(&states[s], state->rows[s].stride, own, question, walk->weight * at.d_own);
        give_tokens(&states[o], state->rows[o].stride, other, question, walk->weight * at.d_other);
        give_heads(states[s].dgate_msa, refs[s].self.heads, question, walk->weight * at.d_msa);
        give_heads(states[s].dgate_mca, refs[s].self.heads, question, walk->weight * at.d_mca);
    }
}

// Stem, answer head but for a decoder, and what compares picture and text (retrieval): never pruned.
static double fixed_macs(const struct net *net, int words)
{
    struct macs macs = {0};
    for (int p = 0; p < net->pictures; p++)
        flops_embed_image(&net->config, &macs);
    flops_answer(&net->config, &macs);
    flops_contrast(&net->config, words, &macs);
    return (double)flops_total(&macs);
}

// keys: that a word attends to, in all layers together.
static double writing_macs(const struct net *net, int question, int keys)
{
    struct macs macs = {0};
    flops_writing(&net->config, &net->writing, question, (uint64_t)keys, &macs);
    return (double)flops_total(&macs);
}

// Words of a caption, as budgets plan it: an affine function of the patches that are left in each layer. Its beginning, which the
// text layers read, is read from left to right, not all to all.
static void walk_caption(struct walk *walk, struct net_state *state, int question, int begun)
{
    const struct net *net = walk->net;
    int layers = net->config.fusion_layers;
    struct rows rows = state->rows[NET_IMAGE];
    double none = writing_macs(net, begun, 0) - (double)layers * begun * (begun - 1) * net->config.width;
    double each = writing_macs(net, begun, 1) - writing_macs(net, begun, 0);
    walk->spent += none;
    walk->dense += none + layers * walk->full[NET_IMAGE] * each;
    for (int l = 0; l < layers; l++) {
        struct stream_layer_state *patches = &state->fusion[l][NET_IMAGE];
        walk->spent += each * count_alive(patches->alive, rows.stride, rows.stride, question);
        if (walk->weight != 0)
            give_tokens(patches, rows.stride, rows.stride, question, walk->weight * each);
    }
}

// BLIP's decoder, as budgets plan it: an affine function of the words that are left to attend to.
static void walk_writing(struct walk *walk, struct net_state *state, int question, int words)
{
    const struct net *net = walk->net;
    if (!net->writes)
        return;
    struct rows rows = state->rows[NET_TEXT];
    struct stream_layer_state *memory = &state->decoder[0];
    if (memory->mask)
        walk_trimmer(walk, &net->decoder[0].tokens, &state->fusion[net->config.fusion_layers - 1][NET_TEXT], rows, question,
                     walk->tokens[NET_TEXT]);
    walk->tokens[NET_TEXT] = count_alive(memory->alive, rows.stride, words, question);
    double none = writing_macs(net, words, 0), each = writing_macs(net, words, net->config.decoder_layers) - none;
    walk->spent += none + walk->tokens[NET_TEXT] * each;
    walk->dense += none + words * each;
    if (walk->weight != 0)
        give_tokens(memory, rows.stride, words, question, walk->weight * each);
}

// cross_modal_{image,text}_transform of what an encoder has left.
static void walk_transform(struct walk *walk, struct stream_layer_state *states, int layers, int stream,
                           struct rows rows, int question)
{
    double square = (double)walk->net->transform[stream].out * walk->net->transform[stream].in;
    walk->spent += walk->tokens[stream] * square;
    walk->dense += walk->full[stream] * square;
    if (walk->weight != 0 && layers)
        give_tokens(&states[layers - 1], rows.stride, rows_count(rows, question), question, walk->weight * square);
}

static void walk_question(struct walk *walk, const struct net_batch *batch, struct net_state *state, int question)
{
    const struct net *net = walk->net;
    const struct model_config *c = &net->config;
    int text = batch->text_count[question];
    bool each = state->image_rows.n > net->pictures; // was encoded for its question
    walk->full[NET_IMAGE] = walk->tokens[NET_IMAGE] = state->image_rows.stride;
    walk->full[SECOND_PICTURE] = walk->tokens[SECOND_PICTURE] = state->image_rows.stride;
    walk->full[NET_TEXT] = walk->tokens[NET_TEXT] = text;
    walk->spent = walk->dense = fixed_macs(net, text);
    struct macs guide = {0};
    if (net->guide)
        flops_guide(c, text, &guide); // the unpruned model has no such pass
    walk->spent += (double)flops_total(&guide);
    walk_encoder(walk, net->text, state->text, c->text_layers, NET_TEXT, state->rows[NET_TEXT], question);
    for (int p = 0; p < net->pictures; p++)
        walk_encoder(walk, net->image, state->image, c->image_layers, p ? SECOND_PICTURE : NET_IMAGE, state->image_rows,
                     each ? p * walk->questions + question : p);
    walk_transform(walk, state->text, c->text_layers, NET_TEXT, state->rows[NET_TEXT], question);
    walk_transform(walk, state->image, c->image_layers, NET_IMAGE, state->image_rows, each ? question : 0);
    for (int l = 0; l < c->fusion_layers; l++)
        walk_fusion(walk, state, l, question);
    if (net->captions)
        walk_caption(walk, state, question, text);
    else
        walk_writing(walk, state, question, text);
}

void cost_shares(const struct net *net, const struct net_batch *batch, const struct net_state *state, double *share)
{
    assert(!batch->patch_count);
    for (int q = 0; q < batch->questions; q++) {
        struct walk walk = {.net = net, .questions = batch->questions};
        // The walk writes to the state only when its weight is not 0.
        walk_question(&walk, batch, (struct net_state *)(size_t)state, q);
        share[q] = walk.spent / walk.dense;
    }
}

void cost_back(const struct net *net, const struct net_batch *batch, struct net_state *state, double weight)
{
    for (int q = 0; q < batch->questions; q++) {
        struct walk walk = {.net = net, .questions = batch->questions};
        walk_question(&walk, batch, state, q);
        walk.weight = weight / walk.dense;
        walk_question(&walk, batch, state, q);
    }
}

// A layer whose trimmers, where it has any, keep as little as they can; before: whether a trimmer below has.
static bool close_layer(const struct layer_refs *refs, struct stream_layer_state *state, bool before, real *cls_alone,
                        real *no_heads)
{
    bool trimmed = before || refs->tokens.hidden;
    state->mask = refs->tokens.hidden ? cls_alone : NULL;
    state->alive = trimmed ? cls_alone : NULL;
    state->gate_msa = refs->msa.heads ? no_heads : NULL;
    state->gate_mca = refs->mca.heads ? no_heads : NULL;
    return trimmed;
}

double cost_least(const struct net *net, int tokens)
{
    const struct model_config *c = &net->config;
    int grid = model_grid(c), patches = grid * grid + 1;
    size_t heads = (size_t)(c->heads > model_image_heads(c) ? c->heads : model_image_heads(c));
    struct net_state *state = memory_alloc(1, sizeof *state);
    real *word_alone = memory_alloc((size_t)tokens, sizeof *word_alone);
    real *cls_alone = memory_alloc((size_t)(net->pictures * patches), sizeof *cls_alone); // of each picture
    real *no_heads = memory_alloc((size_t)net->pictures * heads, sizeof *no_heads);
    double share = (double)NAN;
    if (state && word_alone && cls_alone && no_heads) {
        struct net_batch batch = {.questions = 1, .text_stride = tokens, .text_count = &tokens};
        bool closed[NET_STREAMS] = {false, false};
        real *const alone[NET_STREAMS] = {[NET_IMAGE] = cls_alone, [NET_TEXT] = word_alone};
        word_alone[0] = 1;
        for (int p = 0; p < net->pictures; p++)
            cls_alone[p * patches] = 1;
        for (int l = 0; l < c->image_layers; l++)
            closed[NET_IMAGE] = close_layer(&net->image[l], &state->image[l], closed[NET_IMAGE], cls_alone, no_heads);
        for (int l = 0; l < c->text_layers; l++)
            closed[NET_TEXT] = close_layer(&net->text[l], &state->text[l], closed[NET_TEXT], word_alone, no_heads);
        for (int l = 0; l < c->fusion_layers; l++)
            for (int s = 0; s < NET_STREAMS; s++)
                closed[s] = close_layer(&net->fusion[l][s], &state->fusion[l][s], closed[s], alone[s], no_heads);
        close_layer(&net->decoder[0], &state->decoder[0], closed[NET_TEXT], word_alone, no_heads);
        state->image_rows = state->rows[NET_IMAGE] = (struct rows){.n = net->pictures, .stride = patches};
        state->rows[NET_TEXT] = (struct rows){.n = 1, .stride = tokens};
        cost_shares(net, &batch, state, &share);
    }
    memory_free(state);
    memory_free(word_alone);
    memory_free(cls_alone);
    memory_free(no_heads);
    return share;
}
