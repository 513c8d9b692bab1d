#include "engine/learn/net.h"

#include <math.h>
#include <string.h>

static size_t row_bytes(const struct net *net)
{
    return (size_t)net->config.width * sizeof(real);
}

static void scatter_add(real *to, const real *from, int n)
{
    for (int i = 0; i < n; i++)
        to[i] += from[i];
}

// ---- masks ------------------------------------------------------------------------------------------------------

// Draws this layer's token mask and multiplies it into what was alive before (NULL: everything). `before` is the
// previous layer's state, x in the layout state->compact.in, of all rows `full`. Sets state->alive, NULL while nothing
// can have been dropped, and leaves out rows of state->compact where they cannot matter.
static void trim_tokens(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                        const struct stream_layer_state *before, const real *x, struct rows full, const real *context,
                        struct rows context_rows, const struct net_trimming *trimming)
{
    size_t total = (size_t)rows_total(full);
    struct compact_rows *compact = &state->compact;
    const real *alive_before = before ? before->alive : NULL;
    real *mask = NULL;
    state->mask = state->alive = state->dalive = NULL;
    if (!trimming->on || (!refs->tokens.hidden && !alive_before))
        return;
    state->alive = tape_alloc(tape, total);
    state->dalive = tape_zeros(tape, total);
    if (refs->tokens.hidden) {
        int count = rows_total(compact->in);
        mask = tape_alloc(tape, (size_t)count);
        trimmer_tokens(tape, &refs->tokens, &state->tokens, x, compact->in, context, context_rows, &trimming->sampling,
                       mask);
        state->mask = mask;
        if (compact->in_token) {
            state->mask = tape_zeros(tape, total);
            compact_scatter(compact->in_token, count, state->mask, mask);
        }
    }
    for (size_t i = 0; i < total; i++)
        state->alive[i] = (state->mask ? state->mask[i] : 1) * (alive_before ? alive_before[i] : 1);
    if (trimming->compact)
        compact_choose(tape, compact, mask, alive_before);
}

static void trim_tokens_back(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                             struct stream_layer_state *before, real *dx, struct rows full, real *dcontext,
                             struct rows context_rows)
{
    if (!state->alive)
        return;
    size_t total = (size_t)rows_total(full), mark = tape->arena.used;
    if (before && before->alive)
        for (size_t i = 0; i < total; i++)
            before->dalive[i] += state->dalive[i] * (state->mask ? state->mask[i] : 1);
    if (state->mask) {
        const struct compact_rows *compact = &state->compact;
        real *dmask = tape_alloc(tape, total);
        for (size_t i = 0; i < total; i++)
            dmask[i] = state->dalive[i] * (before && before->alive ? before->alive[i] : 1);
        trimmer_tokens_back(tape, &refs->tokens, &state->tokens, dx, compact->in, dcontext, context_rows,
                            compact_gather(tape, compact->in_token, rows_total(compact->in), dmask));
    }
    arena_rewind(&tape->arena, mark);
}

static void trim_heads(struct tape *tape, const struct head_trimmer_refs *refs, struct head_trimmer_state *state,
                       real **gate, real **dgate, const real *own, struct rows own_rows, const real *other,
                       struct rows other_rows, const struct net_trimming *trimming)
{
    *gate = *dgate = NULL;
    if (!trimming->on || !trimming->heads || !refs->heads)
        return;
    *gate = tape_alloc(tape, (size_t)(own_rows.n * refs->heads));
    *dgate = tape_zeros(tape, (size_t)(own_rows.n * refs->heads));
    trimmer_heads(tape, refs, state, own, own_rows, other, other_rows, &trimming->sampling, *gate);
}

// ---- encoders ---------------------------------------------------------------------------------------------------

// One layer of an encoder: trim, MSA, FFN.
static real *encoder_layer(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                           const struct stream_layer_state *before, const real *x, struct rows rows,
                           const real *context, struct rows context_rows, const struct net_trimming *trimming)
{
    struct net_trimming whole = *trimming;
    whole.compact = false;
    state->input = x;
    state->compact = compact_enter(NULL, rows);
    trim_tokens(tape, refs, state, before, x, rows, context, context_rows, &whole);
    trim_heads(tape, &refs->msa, &state->msa, &state->gate_msa, &state->dgate_msa, x, rows, NULL, rows, trimming);
    real *y = block_attention(tape, &refs->self, &state->self, x, rows, NULL, rows, state->alive, state->gate_msa);
    state->output = block_ffn(tape, &refs->ffn, &state->ffn, y, rows_total(rows));
    return state->output;
}

static void encoder_layer_back(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                               struct stream_layer_state *before, real *d, struct rows rows, real *dcontext,
                               struct rows context_rows)
{
    block_ffn_back(tape, &refs->ffn, &state->ffn, d, rows_total(rows));
    block_attention_back(tape, &refs->self, &state->self, d, rows, NULL, rows, state->dalive, state->dgate_msa);
    if (state->gate_msa)
        trimmer_heads_back(tape, &refs->msa, &state->msa, d, rows, NULL, rows, state->dgate_msa);
    trim_tokens_back(tape, refs, state, before, d, rows, dcontext, context_rows);
}

// The layers of an encoder one after the other. What lies below the first layer that the backward pass reaches leaves
// nothing but its result behind.
static const real *encoder_layers(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *states,
                                  int layers, int first, const real *x, struct rows rows, const real *context,
                                  struct rows context_rows, const struct net_trimming *trimming)
{
    size_t size = (size_t)rows_total(rows) * (size_t)refs->ffn.out.out;
    real *passing = first > 0 ? tape_alloc(tape, size) : NULL;
    for (int l = 0; l < layers; l++) {
        size_t mark = tape->arena.used;
        x = encoder_layer(tape, &refs[l], &states[l], l ? &states[l - 1] : NULL, x, rows, context, context_rows, trimming);
        if (l >= first)
            continue;
        memcpy(passing, x, size * sizeof *x);
        states[l] = (struct stream_layer_state){.output = passing};
        x = passing;
        arena_rewind(&tape->arena, mark);
    }
    return x;
}

static void embed_text(struct tape *tape, const struct net *net, const struct net_batch *batch, real *out)
{
    int width = net->config.width;
    const real *type = tape->P + net->text_type;
    for (int q = 0; q < batch->questions; q++)
        for (int t = 0; t < batch->text_stride; t++) {
            real *row = out + (size_t)((q * batch->text_stride + t) * width);
            if (t >= batch->text_count[q]) {
                memset(row, 0, row_bytes(net));
                continue;
            }
            const real *word = tape->P + net->words + (size_t)(batch->ids[q * batch->text_stride + t] * width);
            const real *position = tape->P + net->text_positions + (size_t)((t + 2) * width);
            for (int i = 0; i < width; i++)
                row[i] = word[i] + position[i] + type[i];
        }
}

static void embed_text_back(struct tape *tape, const struct net *net, const struct net_batch *batch, const real *d)
{
    int width = net->config.width;
    for (int q = 0; q < batch->questions; q++)
        for (int t = 0; t < batch->text_count[q]; t++) {
            const real *row = d + (size_t)((q * batch->text_stride + t) * width);
            tape_give(tape, net->words + (size_t)(batch->ids[q * batch->text_stride + t] * width), row, width);
            tape_give(tape, net->text_positions + (size_t)((t + 2) * width), row, width);
            tape_give(tape, net->text_type, row, width);
        }
}

static void forward_text(struct tape *tape, const struct net *net, const struct net_batch *batch,
                         const struct net_trimming *trimming, struct net_state *state)
{
    int width = net->config.width;
    struct rows rows = {.n = batch->questions, .stride = batch->text_stride, .count = batch->text_count};
    state->rows[NET_TEXT] = rows;
    size_t size = (size_t)(rows_total(rows) * width);
    real *embedded = tape_alloc(tape, size), *x = tape_alloc(tape, size);
    embed_text(tape, net, batch, embedded);
    op_norm(tape, net->embedding_norm, &state->embedding_norm, x, embedded, rows_total(rows));
    state->text_encoded = encoder_layers(tape, net->text, state->text, net->config.text_layers, net->first_text, x, rows,
                                         NULL, rows, trimming);
    real *y = tape_alloc(tape, size);
    op_linear(tape, net->transform[NET_TEXT], y, state->text_encoded, rows_total(rows));
    for (int r = 0; r < rows_total(rows); r++)
        scatter_add(y + (size_t)(r * width), tape->P + net->types, width);
    state->fused_in[NET_TEXT] = y;
}

static void backward_text(struct tape *tape, const struct net *net, const struct net_batch *batch,
                          struct net_state *state, const real *d)
{
    int width = net->config.width;
    struct rows rows = state->rows[NET_TEXT];
    size_t size = (size_t)(rows_total(rows) * width);
    for (int q = 0; q < rows.n; q++)
        for (int t = 0; t < batch->text_count[q]; t++)
            tape_give(tape, net->types, d + (size_t)((q * rows.stride + t) * width), width);
    real *dx = tape_alloc(tape, size);
    op_linear_back(tape, net->transform[NET_TEXT], dx, false, d, state->text_encoded, rows_total(rows));
    for (int l = net->config.text_layers - 1; l >= net->first_text; l--)
        encoder_layer_back(tape, &net->text[l], &state->text[l], l ? &state->text[l - 1] : NULL, dx, rows, NULL, rows);
    if (!net->embeddings)
        return;
    real *dembedded = tape_zeros(tape, size);
    op_norm_back(tape, net->embedding_norm, &state->embedding_norm, dembedded, dx, rows_total(rows));
    embed_text_back(tape, net, batch, dembedded);
}

static void patch_columns(const struct net *net, const real *pixels, real *columns)
{
    int side = net->config.image_size, patch = net->config.patch_size, grid = model_grid(&net->config);
    for (int p = 0; p < grid * grid; p++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < patch; y++)
                memcpy(columns + (size_t)(((p * 3 + c) * patch + y) * patch),
                       pixels + (size_t)((c * side + p / grid * patch + y) * side + p % grid * patch),
                       (size_t)patch * sizeof *columns);
}

// Class token and patches with positions, after ln_pre: (patches + 1, width).
static real *embed_image(struct tape *tape, const struct net *net, const struct net_batch *batch,
                         struct net_state *state)
{
    int width = net->config.width, grid = model_grid(&net->config), tokens = grid * grid + 1;
    real *embedded = tape_alloc(tape, (size_t)(tokens * width)), *x = tape_alloc(tape, (size_t)(tokens * width));
    if (net->conv_stem) {
        net_stem_forward(tape, net, &state->stem, batch->pixels, embedded + width);
    } else {
        state->patch_columns = tape_alloc(tape, (size_t)(grid * grid * net->patch.in));
        patch_columns(net, batch->pixels, state->patch_columns);
        op_linear(tape, net->patch, embedded + width, state->patch_columns, grid * grid);
    }
    memcpy(embedded, tape->P + net->class_embedding, row_bytes(net));
    tape->kernels->add(embedded, tape->P + net->positions, tokens * width);
    op_norm(tape, net->ln_pre, &state->ln_pre, x, embedded, tokens);
    return x;
}

static void embed_image_back(struct tape *tape, const struct net *net, struct net_state *state, const real *dx)
{
    int width = net->config.width, grid = model_grid(&net->config), tokens = grid * grid + 1;
    real *d = tape_zeros(tape, (size_t)(tokens * width));
    op_norm_back(tape, net->ln_pre, &state->ln_pre, d, dx, tokens);
    tape_give(tape, net->positions, d, tokens * width);
    tape_give(tape, net->class_embedding, d, width);
    if (net->conv_stem)
        net_stem_backward(tape, net, &state->stem, d + width);
    else
        op_linear_back(tape, net->patch, NULL, false, d + width, state->patch_columns, grid * grid);
}

// Row of a picture's tokens that becomes row t of the fusion stream.
static int source_row(const struct net_batch *batch, int t)
{
    return t == 0 || !batch->patch_count ? t : batch->patches[t - 1] + 1;
}

// Token types are those of words, of the picture, and of a second one.
static size_t picture_type(const struct net *net, const struct net_batch *batch)
{
    return net->types + (size_t)((1 + batch->picture) * net->config.width);
}

// Carries the encoder's tokens (and masks) over to the fusion stream: chosen patches, one copy a question.
static void enter_fusion(struct tape *tape, const struct net *net, const struct net_batch *batch,
                         struct net_state *state)
{
    int width = net->config.width;
    struct rows from = state->image_rows, to = state->rows[NET_IMAGE];
    real *transformed = tape_alloc(tape, (size_t)(rows_total(from) * width));
    op_linear(tape, net->transform[NET_IMAGE], transformed, state->encoded, rows_total(from));
    for (int r = 0; r < rows_total(from); r++) {
        scatter_add(transformed + (size_t)(r * width), tape->P + picture_type(net, batch), width);
        if (net->config.fusion_position)
            scatter_add(transformed + (size_t)(r * width), tape->P + net->image_position + (size_t)(r % from.stride * width),
                        width);
    }
    real *y = tape_alloc(tape, (size_t)(rows_total(to) * width));
    for (int q = 0; q < to.n; q++)
        for (int t = 0; t < to.stride; t++)
            memcpy(y + (size_t)((q * to.stride + t) * width),
                   transformed + (size_t)(((from.n > 1 ? q : 0) * from.stride + source_row(batch, t)) * width),
                   row_bytes(net));
    state->fused_in[NET_IMAGE] = y;
}

static void enter_fusion_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                              struct net_state *state, const real *dfused, real *dencoded)
{
    int width = net->config.width;
    struct rows from = state->image_rows, to = state->rows[NET_IMAGE];
    real *d = tape_zeros(tape, (size_t)(rows_total(from) * width));
    for (int q = 0; q < to.n; q++)
        for (int t = 0; t < to.stride; t++)
            scatter_add(d + (size_t)(((from.n > 1 ? q : 0) * from.stride + source_row(batch, t)) * width),
                        dfused + (size_t)((q * to.stride + t) * width), width);
    for (int r = 0; r < rows_total(from); r++) {
        tape_give(tape, picture_type(net, batch), d + (size_t)(r * width), width);
        if (net->config.fusion_position)
            tape_give(tape, net->image_position + (size_t)(r % from.stride * width), d + (size_t)(r * width), width);
    }
    op_linear_back(tape, net->transform[NET_IMAGE], dencoded, true, d, state->encoded, rows_total(from));
}

static void forward_image(struct tape *tape, const struct net *net, const struct net_batch *batch,
                          const struct net_trimming *trimming, struct net_state *state)
{
    int width = net->config.width, grid = model_grid(&net->config), tokens = grid * grid + 1;
    bool each = net->image_per_question && trimming->on;
    struct rows rows = {.n = each ? batch->questions : 1, .stride = tokens};
    state->image_rows = rows;
    state->rows[NET_IMAGE] = (struct rows){.n = batch->questions,
                                           .stride = (batch->patch_count ? batch->patch_count : tokens - 1) + 1};
    const real *x = embed_image(tape, net, batch, state);
    if (each) {
        real *copies = tape_alloc(tape, (size_t)(rows_total(rows) * width));
        tape->kernels->fill_rows(copies, x, rows.n, tokens * width);
        x = copies;
    }
    x = encoder_layers(tape, net->image, state->image, net->config.image_layers, net->first_image, x, rows,
                       state->fused_in[NET_TEXT], state->rows[NET_TEXT], trimming);
    state->encoded = tape_alloc(tape, (size_t)(rows_total(rows) * width));
    op_norm(tape, net->ln_post, &state->ln_post, state->encoded, x, rows_total(rows));
    enter_fusion(tape, net, batch, state);
}

static void backward_image(struct tape *tape, const struct net *net, const struct net_batch *batch,
                           struct net_state *state, const real *dfused, const real *dencoded_extra, real *dcontext)
{
    int width = net->config.width;
    struct rows rows = state->image_rows;
    size_t size = (size_t)(rows_total(rows) * width);
    real *dencoded = tape_zeros(tape, size), *d = tape_zeros(tape, size);
    if (dencoded_extra)
        tape->kernels->add(dencoded, dencoded_extra, (int)size);
    enter_fusion_back(tape, net, batch, state, dfused, dencoded);
    op_norm_back(tape, net->ln_post, &state->ln_post, d, dencoded, rows_total(rows));
    for (int l = net->config.image_layers - 1; l >= net->first_image; l--)
        encoder_layer_back(tape, &net->image[l], &state->image[l], l ? &state->image[l - 1] : NULL, d, rows, dcontext,
                           state->rows[NET_TEXT]);
    if (!net->embeddings)
        return;
    if (rows.n > 1) { // one picture was copied for each question
        real *sum = tape_zeros(tape, (size_t)(rows.stride * width));
        for (int q = 0; q < rows.n; q++)
            tape->kernels->add(sum, d + (size_t)(q * rows.stride * width), rows.stride * width);
        d = sum;
    }
    embed_image_back(tape, net, state, d);
}

// ---- fusion -----------------------------------------------------------------------------------------------------

// What was alive when a stream entered the fusion layers, as a state that the first layer can look back at.
static struct stream_layer_state *entry_state(struct tape *tape, const struct net *net,
                                              const struct net_batch *batch, struct net_state *state, int stream)
{
    int layers = stream == NET_IMAGE ? net->config.image_layers : net->config.text_layers;
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
            entry->alive[q * to.stride + t] = last->alive[q * from.stride + source_row(batch, t)];
    return entry;
}

static void fusion_layer(struct tape *tape, const struct layer_refs refs[NET_STREAMS],
                         struct stream_layer_state state[NET_STREAMS],
                         const struct stream_layer_state *const before[NET_STREAMS], const real *const x[NET_STREAMS],
                         const struct rows full[NET_STREAMS], const struct net_trimming *trimming)
{
    const real *input[NET_STREAMS], *alive[NET_STREAMS];
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.in, other = state[o].compact.in;
        trim_tokens(tape, &refs[s], &state[s], before[s], x[s], full[s], x[o], other, trimming);
        trim_heads(tape, &refs[s].msa, &state[s].msa, &state[s].gate_msa, &state[s].dgate_msa, x[s], own, NULL, own,
                   trimming);
        trim_heads(tape, &refs[s].mca, &state[s].mca, &state[s].gate_mca, &state[s].dgate_mca, x[s], own, x[o], other,
                   trimming);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        struct compact_rows *compact = &state[s].compact;
        state[s].input = input[s] = compact_take(tape, compact, x[s], refs[s].ffn.out.out);
        alive[s] = compact_gather(tape, compact->token, rows_total(compact->at), state[s].alive);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.at, other = state[o].compact.at;
        real *y = block_attention(tape, &refs[s].self, &state[s].self, input[s], own, NULL, own, alive[s],
                                  state[s].gate_msa);
        y = block_attention(tape, &refs[s].cross, &state[s].cross, y, own, input[o], other, alive[o],
                            state[s].gate_mca);
        state[s].output = block_ffn(tape, &refs[s].ffn, &state[s].ffn, y, rows_total(own));
    }
}

// d: of the outputs (rows taking part); din: of the inputs (rows on entering), zeroed by the caller.
static void fusion_layer_back(struct tape *tape, const struct layer_refs refs[NET_STREAMS],
                              struct stream_layer_state state[NET_STREAMS],
                              struct stream_layer_state *const before[NET_STREAMS], real *const d[NET_STREAMS],
                              real *const din[NET_STREAMS], const struct rows full[NET_STREAMS])
{
    size_t mark = tape->arena.used;
    real *dtaken[NET_STREAMS], *dalive[NET_STREAMS];
    int width = refs[0].ffn.out.out, count[NET_STREAMS];
    for (int s = 0; s < NET_STREAMS; s++) {
        const struct compact_rows *compact = &state[s].compact;
        count[s] = rows_total(compact->at);
        dtaken[s] = compact->pick ? tape_zeros(tape, (size_t)count[s] * (size_t)width) : din[s];
        dalive[s] = compact->token && state[s].alive ? tape_zeros(tape, (size_t)count[s]) : state[s].dalive;
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.at, other = state[o].compact.at;
        block_ffn_back(tape, &refs[s].ffn, &state[s].ffn, d[s], count[s]);
        block_attention_back(tape, &refs[s].cross, &state[s].cross, d[s], own, dtaken[o], other, dalive[o],
                             state[s].dgate_mca);
        block_attention_back(tape, &refs[s].self, &state[s].self, d[s], own, NULL, own, dalive[s], state[s].dgate_msa);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        const struct compact_rows *compact = &state[s].compact;
        tape->kernels->add(dtaken[s], d[s], count[s] * width);
        if (compact->pick)
            compact_give(compact, din[s], dtaken[s], width);
        if (state[s].alive)
            compact_scatter(compact->token, count[s], state[s].dalive, dalive[s]);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.in, other = state[o].compact.in;
        if (state[s].gate_msa)
            trimmer_heads_back(tape, &refs[s].msa, &state[s].msa, din[s], own, NULL, own, state[s].dgate_msa);
        if (state[s].gate_mca)
            trimmer_heads_back(tape, &refs[s].mca, &state[s].mca, din[s], own, din[o], other, state[s].dgate_mca);
        trim_tokens_back(tape, &refs[s], &state[s], before[s], din[s], full[s], din[o], other);
    }
    arena_rewind(&tape->arena, mark);
}

// ---- answer head ------------------------------------------------------------------------------------------------

static void forward_head(struct tape *tape, const struct net *net, struct net_state *state, const real *const x[],
                         const struct rows rows[])
{
    int width = net->config.width, n = state->rows[NET_TEXT].n;
    state->pooled = tape_alloc(tape, (size_t)(n * 2 * width));
    for (int s = 0; s < NET_STREAMS; s++) {
        state->cls[s] = tape_alloc(tape, (size_t)(n * width));
        for (int q = 0; q < n; q++)
            memcpy(state->cls[s] + (size_t)(q * width), x[s] + (size_t)(rows_first(rows[s], q) * width), row_bytes(net));
        state->cls_z[s] = state->cls[s];
        if (net->config.fusion_norm == FUSION_PRE) {
            state->cls_z[s] = tape_alloc(tape, (size_t)(n * width));
            op_norm(tape, net->final_norm[s], &state->final_norm[s], state->cls_z[s], state->cls[s], n);
        }
        real *dense = tape_alloc(tape, (size_t)(n * width));
        op_linear(tape, net->pooler[s], dense, state->cls_z[s], n);
        for (int q = 0; q < n; q++) // METER's cls_feats: text first
            for (int i = 0; i < width; i++)
                state->pooled[(q * 2 + (s == NET_IMAGE)) * width + i] = (real)tanh((double)dense[q * width + i]);
    }
    answer_head(tape, &net->head, &state->head, state->pooled, n);
}

// Leaves the gradient of the CLS rows in d (zeroed elsewhere by the caller).
static void backward_head(struct tape *tape, const struct net *net, struct net_state *state,
                          const struct net_gradients *gradients, real *const d[], const struct rows rows[])
{
    int width = net->config.width, n = state->rows[NET_TEXT].n;
    real *dpooled = tape_zeros(tape, (size_t)(n * 2 * width));
    if (gradients->logits)
        answer_head_back(tape, &net->head, &state->head, gradients->logits, dpooled, n);
    if (gradients->pooled)
        tape->kernels->add(dpooled, gradients->pooled, n * 2 * width);
    for (int s = 0; s < NET_STREAMS; s++) {
        real *ddense = tape_alloc(tape, (size_t)(n * width)), *dz = tape_alloc(tape, (size_t)(n * width)), *dcls = dz;
        for (int q = 0; q < n; q++)
            for (int i = 0; i < width; i++) {
                size_t at = (size_t)((q * 2 + (s == NET_IMAGE)) * width + i);
                ddense[q * width + i] = dpooled[at] * (1 - state->pooled[at] * state->pooled[at]);
            }
        op_linear_back(tape, net->pooler[s], dz, false, ddense, state->cls_z[s], n);
        if (net->config.fusion_norm == FUSION_PRE) {
            dcls = tape_zeros(tape, (size_t)(n * width));
            op_norm_back(tape, net->final_norm[s], &state->final_norm[s], dcls, dz, n);
        }
        for (int q = 0; q < n; q++)
            scatter_add(d[s] + (size_t)(rows_first(rows[s], q) * width), dcls + (size_t)(q * width), width);
    }
}

// ---- the whole --------------------------------------------------------------------------------------------------

// Layouts of what leaves the last fusion layer.
static void last_rows(const struct net *net, const struct net_state *state, struct rows rows[NET_STREAMS])
{
    int layers = net->config.fusion_layers;
    for (int s = 0; s < NET_STREAMS; s++)
        rows[s] = layers ? state->fusion[layers - 1][s].compact.at : state->rows[s];
}

void net_encode(struct tape *tape, const struct net *net, const struct net_batch *batch,
                const struct net_trimming *trimming, struct net_state *state)
{
    *state = (struct net_state){0};
    forward_text(tape, net, batch, trimming, state);
    forward_image(tape, net, batch, trimming, state);
}

void net_fuse(struct tape *tape, const struct net *net, const struct net_batch *batch,
              const struct net_trimming *trimming, struct net_state *state)
{
    const struct stream_layer_state *before[NET_STREAMS];
    const real *x[NET_STREAMS];
    for (int s = 0; s < NET_STREAMS; s++) {
        before[s] = state->entry[s] = entry_state(tape, net, batch, state, s);
        x[s] = state->fused_in[s];
    }
    for (int l = 0; l < net->config.fusion_layers; l++) {
        for (int s = 0; s < NET_STREAMS; s++)
            state->fusion[l][s].compact = compact_enter(l ? &before[s]->compact : NULL, state->rows[s]);
        fusion_layer(tape, net->fusion[l], state->fusion[l], before, x, state->rows, trimming);
        for (int s = 0; s < NET_STREAMS; s++) {
            before[s] = &state->fusion[l][s];
            x[s] = state->fusion[l][s].output;
        }
    }
    struct rows leaving[NET_STREAMS];
    last_rows(net, state, leaving);
    forward_head(tape, net, state, x, leaving);
}

void net_forward(struct tape *tape, const struct net *net, const struct net_batch *batch,
                 const struct net_trimming *trimming, struct net_state *state)
{
    net_encode(tape, net, batch, trimming, state);
    net_fuse(tape, net, batch, trimming, state);
}

void net_backward(struct tape *tape, const struct net *net, const struct net_batch *batch, struct net_state *state,
                  const struct net_gradients *gradients)
{
    int width = net->config.width, image_size = rows_total(state->rows[NET_IMAGE]) * width;
    real *d[NET_STREAMS], *din[NET_STREAMS];
    for (int s = 0; s < NET_STREAMS; s++) {
        size_t size = (size_t)(rows_total(state->rows[s]) * width);
        d[s] = tape_zeros(tape, size);
        din[s] = tape_alloc(tape, size);
    }
    struct rows leaving[NET_STREAMS];
    last_rows(net, state, leaving);
    backward_head(tape, net, state, gradients, d, leaving);
    for (int l = net->config.fusion_layers - 1; l >= net->first_fusion; l--) {
        struct stream_layer_state *before[NET_STREAMS];
        for (int s = 0; s < NET_STREAMS; s++) {
            before[s] = l ? &state->fusion[l - 1][s] : state->entry[s];
            memset(din[s], 0, (size_t)(rows_total(state->fusion[l][s].compact.in) * width) * sizeof(real));
        }
        if (gradients->fusion_image[l] && !state->fusion[l][NET_IMAGE].compact.token)
            tape->kernels->add(d[NET_IMAGE], gradients->fusion_image[l], image_size);
        fusion_layer_back(tape, net->fusion[l], state->fusion[l], before, d, din, state->rows);
        for (int s = 0; s < NET_STREAMS; s++) {
            real *swap = d[s];
            d[s] = din[s];
            din[s] = swap;
        }
    }
    struct stream_layer_state *entry = state->entry[NET_IMAGE];
    if (entry) { // what the fusion layers say of tokens that the encoder dropped
        struct stream_layer_state *last = &state->image[net->config.image_layers - 1];
        struct rows from = state->image_rows, to = state->rows[NET_IMAGE];
        for (int q = 0; q < to.n; q++)
            for (int t = 0; t < to.stride; t++)
                last->dalive[q * from.stride + source_row(batch, t)] += entry->dalive[q * to.stride + t];
    }
    if (net->embeddings || net->first_image < net->config.image_layers)
        backward_image(tape, net, batch, state, d[NET_IMAGE], gradients->encoded, d[NET_TEXT]);
    if (net->embeddings || net->first_text < net->config.text_layers)
        backward_text(tape, net, batch, state, d[NET_TEXT]);
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

size_t net_arena_size(const struct net *net, int questions, int text_stride)
{
    const struct model_config *c = &net->config;
    size_t grid = (size_t)model_grid(c), tokens = grid * grid + 1, text = (size_t)text_stride, q = (size_t)questions;
    size_t width = (size_t)c->width, heads = (size_t)c->heads, numbers = 0;
    size_t ffn = (size_t)(c->image_fusion_ffn > c->image_ffn ? c->image_fusion_ffn : c->image_ffn);
    size_t text_ffn = (size_t)(c->text_fusion_ffn > c->text_ffn ? c->text_fusion_ffn : c->text_ffn);
    size_t row = token_numbers(width, ffn, &c->trimmers[STACK_FUSION_IMAGE][0]);
    size_t text_row = token_numbers(width, text_ffn, &c->trimmers[STACK_FUSION_TEXT][0]);
    size_t image_maps = heads * tokens * (tokens + text), text_maps = heads * text * (tokens + text);
    size_t fusion = q * (tokens * row + text * text_row + image_maps + text_maps);
    numbers += fusion * (size_t)c->fusion_layers;
    numbers += (net->image_per_question ? q : 1) * (tokens * row + heads * tokens * tokens) *
               kept_layers(c->image_layers, net->first_image);
    numbers += q * (text * text_row + heads * text * text) * kept_layers(c->text_layers, net->first_text);
    numbers += 2 * q * tokens * (16 * width + 4 * ffn) + 4 * tokens * tokens; // the backward pass's own
    numbers += (size_t)c->image_size * (size_t)c->image_size * 24;            // a patch embedding
    size_t channels = (size_t)(c->stem_channels[0] + c->stem_channels[1]), blocks = (size_t)c->stem_blocks;
    numbers += (size_t)(c->image_size * c->image_size) * channels + grid * grid * blocks * (8 * width + 4 * (size_t)c->stem_expansion);
    numbers += q * (size_t)(12 * c->head_hidden + 2 * c->labels);
    return numbers * sizeof(real) + ((size_t)1 << 22);
}
