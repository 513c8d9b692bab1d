// The layers: trimming, attention and FFN of encoders and of fusion.
#include "engine/learn/net_private.h"

// ---- masks ------------------------------------------------------------------------------------------------------

struct rows net_rows_beside(struct tape *tape, struct rows rows, int n)
{
    if (rows.n == n)
        return rows;
    int *first = tape_ints(tape, n + 1);
    for (int i = 0; i <= n; i++)
        first[i] = rows_first(rows, i % rows.n);
    return (struct rows){.n = n, .stride = rows.stride, .first = first};
}

void net_trim_tokens(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
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

void net_trim_tokens_back(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
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
static const real *encoder_layer(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                           const struct stream_layer_state *before, const real *x, struct rows rows,
                           const real *context, struct rows context_rows, const struct net_trimming *trimming)
{
    struct net_trimming whole = *trimming;
    whole.compact = false;
    state->input = x;
    state->compact = compact_enter(NULL, rows);
    net_trim_tokens(tape, refs, state, before, x, rows, context, context_rows, &whole);
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
    net_trim_tokens_back(tape, refs, state, before, d, rows, dcontext, context_rows);
}

const real *net_encoder_layers(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *states,
                               int layers, int first, const real *x, struct rows rows, const real *context,
                               struct rows context_rows, const struct net_trimming *trimming)
{
    size_t size = (size_t)rows_total(rows) * (size_t)refs->width;
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

void net_encoder_layers_back(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *states,
                             int layers, int first, real *d, struct rows rows, real *dcontext, struct rows context_rows)
{
    for (int l = layers - 1; l >= first; l--)
        encoder_layer_back(tape, &refs[l], &states[l], l ? &states[l - 1] : NULL, d, rows, dcontext, context_rows);
}

// ---- fusion -----------------------------------------------------------------------------------------------------

// The patches of both pictures that words read, one picture's samples behind the other's, and their gradients; what is not
// there, or not wanted, is NULL.
struct pictures {
    const real *states, *alive, *gate;
    real *dstates, *dalive, *dgate;
};

// Each picture of `both` by itself. The heads that read the second one have no trimmer (engine/run).
static void set_pictures(struct tape *tape, const struct pictures *both, struct rows rows, int width,
                         struct twin_memory memory[2])
{
    int n = rows.n / 2;
    for (int p = 0; p < 2; p++) {
        int from = rows_first(rows, p * n), *first = tape_ints(tape, n + 1);
        for (int i = 0; i <= n; i++)
            first[i] = rows_first(rows, p * n + i) - from;
        memory[p] = (struct twin_memory){.other = both->states ? both->states + (size_t)from * (size_t)width : NULL,
                                         .rows = {.n = n, .stride = rows.stride, .first = first},
                                         .mask = both->alive ? both->alive + from : NULL,
                                         .gate = p ? NULL : both->gate,
                                         .dother = both->dstates ? both->dstates + (size_t)from * (size_t)width : NULL,
                                         .dmask = both->dalive ? both->dalive + from : NULL,
                                         .dgate = p ? NULL : both->dgate};
    }
}

// What a stream's cross-attention makes of y, or what both do, where words read two pictures.
static real *read_other(struct tape *tape, const struct layer_refs *refs, struct stream_layer_state *state,
                        const real *y, struct rows own, const real *other, struct rows other_rows, const real *alive)
{
    if (!refs->twin.cross.out.out)
        return block_attention(tape, &refs->cross, &state->cross, y, own, other, other_rows, alive, state->gate_mca);
    const struct pictures both = {.states = other, .alive = alive, .gate = state->gate_mca};
    struct twin_memory memory[2];
    set_pictures(tape, &both, other_rows, refs->cross.k.in, memory);
    return block_twins(tape, &refs->cross, &refs->twin, &state->cross, &state->twin, y, own, memory);
}

static void read_other_back(struct tape *tape, const struct layer_refs *refs, const struct stream_layer_state *state,
                            real *d, struct rows own, real *dother, struct rows other_rows, real *dalive)
{
    if (!refs->twin.cross.out.out) {
        block_attention_back(tape, &refs->cross, &state->cross, d, own, dother, other_rows, dalive, state->dgate_mca);
        return;
    }
    const struct pictures both = {.dstates = dother, .dalive = dalive, .dgate = state->dgate_mca};
    struct twin_memory memory[2];
    set_pictures(tape, &both, other_rows, refs->cross.k.in, memory);
    block_twins_back(tape, &refs->cross, &refs->twin, &state->cross, &state->twin, d, own, memory);
}

void net_fusion_layer(struct tape *tape, const struct layer_refs refs[NET_STREAMS],
                      struct stream_layer_state state[NET_STREAMS],
                      const struct stream_layer_state *const before[NET_STREAMS], const real *const x[NET_STREAMS],
                      const struct rows full[NET_STREAMS], const struct net_trimming *trimming)
{
    const real *input[NET_STREAMS], *alive[NET_STREAMS];
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.in, other = net_rows_beside(tape, state[o].compact.in, own.n);
        net_trim_tokens(tape, &refs[s], &state[s], before[s], x[s], full[s], x[o], other, trimming);
        trim_heads(tape, &refs[s].msa, &state[s].msa, &state[s].gate_msa, &state[s].dgate_msa, x[s], own, NULL, own,
                   trimming);
        trim_heads(tape, &refs[s].mca, &state[s].mca, &state[s].gate_mca, &state[s].dgate_mca, x[s], own, x[o], other,
                   trimming);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        struct compact_rows *compact = &state[s].compact;
        state[s].input = input[s] = compact_take(tape, compact, x[s], refs[s].width);
        alive[s] = compact_gather(tape, compact->token, rows_total(compact->at), state[s].alive);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.at, other = state[o].compact.at;
        state[s].output = input[s];
        if (refs[s].still)
            continue;
        real *y = block_attention(tape, &refs[s].self, &state[s].self, input[s], own, NULL, own, alive[s],
                                  state[s].gate_msa);
        y = read_other(tape, &refs[s], &state[s], y, own, input[o], other, alive[o]);
        state[s].output = block_ffn(tape, &refs[s].ffn, &state[s].ffn, y, rows_total(own));
    }
}

void net_fusion_layer_back(struct tape *tape, const struct layer_refs refs[NET_STREAMS],
                           struct stream_layer_state state[NET_STREAMS],
                           struct stream_layer_state *const before[NET_STREAMS], real *const d[NET_STREAMS],
                           real *const din[NET_STREAMS], const struct rows full[NET_STREAMS])
{
    size_t mark = tape->arena.used;
    real *dtaken[NET_STREAMS], *dalive[NET_STREAMS];
    int count[NET_STREAMS];
    for (int s = 0; s < NET_STREAMS; s++) {
        const struct compact_rows *compact = &state[s].compact;
        count[s] = rows_total(compact->at);
        dtaken[s] = compact->pick ? tape_zeros(tape, (size_t)count[s] * (size_t)refs[s].width) : din[s];
        dalive[s] = compact->token && state[s].alive ? tape_zeros(tape, (size_t)count[s]) : state[s].dalive;
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.at, other = state[o].compact.at;
        if (refs[s].still)
            continue;
        block_ffn_back(tape, &refs[s].ffn, &state[s].ffn, d[s], count[s]);
        read_other_back(tape, &refs[s], &state[s], d[s], own, dtaken[o], other, dalive[o]);
        block_attention_back(tape, &refs[s].self, &state[s].self, d[s], own, NULL, own, dalive[s], state[s].dgate_msa);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        const struct compact_rows *compact = &state[s].compact;
        tape->kernels->add(dtaken[s], d[s], count[s] * refs[s].width);
        if (compact->pick)
            compact_give(compact, din[s], dtaken[s], refs[s].width);
        if (state[s].alive)
            compact_scatter(compact->token, count[s], state[s].dalive, dalive[s]);
    }
    for (int s = 0; s < NET_STREAMS; s++) {
        int o = 1 - s;
        struct rows own = state[s].compact.in, other = net_rows_beside(tape, state[o].compact.in, own.n);
        if (state[s].gate_msa)
            trimmer_heads_back(tape, &refs[s].msa, &state[s].msa, din[s], own, NULL, own, state[s].dgate_msa);
        if (state[s].gate_mca)
            trimmer_heads_back(tape, &refs[s].mca, &state[s].mca, din[s], own, din[o], other, state[s].dgate_mca);
        net_trim_tokens_back(tape, &refs[s], &state[s], before[s], din[s], full[s], din[o], other);
    }
    arena_rewind(&tape->arena, mark);
}
