// From words and pixels to what enters the fusion layers: embeddings and encoders.
#include "engine/learn/net_private.h"

// ---- words ------------------------------------------------------------------------------------------------------

void net_embed_words(struct tape *tape, const struct embedding_refs *refs, const int *ids, struct rows rows, real *out)
{
    int width = refs->norm.width;
    memset(out, 0, (size_t)(rows_total(rows) * width) * sizeof *out);
    for (int q = 0; q < rows.n; q++)
        for (int t = 0; t < rows_count(rows, q); t++) {
            int r = rows_first(rows, q) + t;
            real *row = out + (size_t)(r * width);
            net_add(row, tape->P + refs->words + (size_t)(ids[r] * width), width);
            net_add(row, tape->P + refs->positions + (size_t)((t + refs->first) * width), width);
            if (refs->type != NO_BIAS)
                net_add(row, tape->P + refs->type, width);
        }
}

void net_embed_words_back(struct tape *tape, const struct embedding_refs *refs, const int *ids, struct rows rows,
                          const real *d)
{
    int width = refs->norm.width;
    for (int q = 0; q < rows.n; q++)
        for (int t = 0; t < rows_count(rows, q); t++) {
            int r = rows_first(rows, q) + t;
            const real *row = d + (size_t)(r * width);
            tape_give(tape, refs->words + (size_t)(ids[r] * width), row, width);
            tape_give(tape, refs->positions + (size_t)((t + refs->first) * width), row, width);
            tape_give(tape, refs->type, row, width); // NO_BIAS is beyond every parameter
        }
}

void net_encode_text(struct tape *tape, const struct net *net, const struct net_batch *batch,
                     const struct net_trimming *trimming, struct net_state *state)
{
    int width = net->config.width;
    struct rows rows = {.n = batch->questions, .stride = batch->text_stride, .count = batch->text_count};
    state->question_rows = state->rows[NET_TEXT] = rows;
    size_t size = (size_t)(rows_total(rows) * width);
    real *embedded = tape_alloc(tape, size), *x = tape_alloc(tape, size);
    net_embed_words(tape, &net->embedding, batch->ids, rows, embedded);
    op_norm(tape, net->embedding.norm, &state->embedding_norm, x, embedded, rows_total(rows));
    bool meter = net->transform[NET_TEXT].out > 0;
    if (meter || (net->guide && trimming->on))
        state->text_encoded = state->context = net_encoder_layers(tape, net->text, state->text, net->text_layers,
                                                                  net->first_text, x, rows, NULL, rows, trimming);
    state->fused_in[NET_TEXT] = x; // BLIP's fusion layers read the words as they are embedded
    if (!meter)
        return;
    real *y = tape_alloc(tape, size);
    op_linear(tape, net->transform[NET_TEXT], y, state->text_encoded, rows_total(rows));
    for (int r = 0; r < rows_total(rows); r++)
        net_add(y + (size_t)(r * width), tape->P + net->types, width);
    state->context = state->fused_in[NET_TEXT] = y;
}

// Leaves the gradient of what METER's text encoder gave.
static real *transform_back(struct tape *tape, const struct net *net, struct net_state *state, const real *d)
{
    int width = net->config.width;
    struct rows rows = state->question_rows;
    for (int q = 0; q < rows.n; q++)
        for (int t = 0; t < rows_count(rows, q); t++)
            tape_give(tape, net->types, d + (size_t)((rows_first(rows, q) + t) * width), width);
    real *dx = tape_alloc(tape, (size_t)(rows_total(rows) * width));
    op_linear_back(tape, net->transform[NET_TEXT], dx, false, d, state->text_encoded, rows_total(rows));
    return dx;
}

void net_encode_text_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                          struct net_state *state, real *dfused, real *dcontext)
{
    struct rows rows = state->question_rows;
    int size = rows_total(rows) * net->config.width;
    real *d = net->transform[NET_TEXT].out ? transform_back(tape, net, state, dfused) : dcontext;
    if (state->text_encoded)
        net_encoder_layers_back(tape, net->text, state->text, net->text_layers, net->first_text, d, rows, NULL, rows);
    if (!net->embeddings)
        return;
    if (net->captions && !d)
        return;
    if (net->captions) // what enters the fusion layers was embedded for itself
        dfused = d;
    else if (!net->transform[NET_TEXT].out && d)
        tape->kernels->add(dfused, d, size); // the words go both ways
    real *dembedded = tape_zeros(tape, (size_t)size);
    op_norm_back(tape, net->embedding.norm, &state->embedding_norm, dembedded,
                 net->transform[NET_TEXT].out ? d : dfused, rows_total(rows));
    net_embed_words_back(tape, &net->embedding, batch->ids, rows, dembedded);
}

// The layout of captions and their ids, beginning and all.
static void lay_out_captions(struct tape *tape, const struct net_batch *batch, struct net_state *state)
{
    struct rows begun = state->question_rows, written = batch->answer_rows;
    int *count = tape_ints(tape, begun.n), longest = 0;
    for (int q = 0; q < begun.n; q++) {
        count[q] = rows_count(begun, q) + rows_count(written, q) - 1; // the first row written is the last begun
        longest = count[q] > longest ? count[q] : longest;
    }
    int *ids = tape_ints(tape, begun.n * longest);
    for (int q = 0; q < begun.n; q++)
        for (int t = 0, n = rows_count(begun, q); t < count[q]; t++)
            ids[q * longest + t] = t < n ? batch->ids[rows_first(begun, q) + t]
                                         : batch->answer_ids[rows_first(written, q) + t - n + 1];
    state->rows[NET_TEXT] = (struct rows){.n = begun.n, .stride = longest, .count = count};
    state->caption_ids = ids;
}

void net_enter_captions(struct tape *tape, const struct net *net, const struct net_batch *batch, struct net_state *state)
{
    lay_out_captions(tape, batch, state);
    int rows = rows_total(state->rows[NET_TEXT]);
    size_t size = (size_t)(rows * net->config.width);
    real *embedded = tape_alloc(tape, size), *x = tape_alloc(tape, size);
    net_embed_words(tape, &net->decoder_embedding, state->caption_ids, state->rows[NET_TEXT], embedded);
    op_norm(tape, net->decoder_embedding.norm, &state->decoder_norm, x, embedded, rows);
    state->fused_in[NET_TEXT] = x;
}

void net_enter_captions_back(struct tape *tape, const struct net *net, const struct net_state *state, const real *d)
{
    struct rows rows = state->rows[NET_TEXT];
    real *dembedded = tape_zeros(tape, (size_t)(rows_total(rows) * net->config.width));
    op_norm_back(tape, net->decoder_embedding.norm, &state->decoder_norm, dembedded, d, rows_total(rows));
    net_embed_words_back(tape, &net->decoder_embedding, state->caption_ids, rows, dembedded);
}

// ---- patches ----------------------------------------------------------------------------------------------------

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

// The patches of picture p of a pass as columns of their pixels (patches, 3 * size * size).
static real *columns_of(const struct net *net, const struct net_state *state, int p)
{
    int grid = model_grid(&net->config);
    return state->patch_columns + (size_t)p * (size_t)(grid * grid * net->patch.in);
}

// Class token and patches with positions, after METER's ln_pre: (pictures, patches + 1, width). A stem sees one picture.
static real *embed_image(struct tape *tape, const struct net *net, const struct net_batch *batch,
                         struct net_state *state)
{
    int width = model_image_width(&net->config), grid = model_grid(&net->config), tokens = grid * grid + 1;
    int side = net->config.image_size, rows = net->pictures * tokens;
    real *embedded = tape_alloc(tape, (size_t)(rows * width));
    if (!net->conv_stem)
        state->patch_columns = tape_alloc(tape, (size_t)(net->pictures * grid * grid * net->patch.in));
    for (int p = 0; p < net->pictures; p++) {
        real *own = embedded + (size_t)(p * tokens * width);
        if (net->conv_stem) {
            net_stem_forward(tape, net, &state->stem, batch->pixels, own + width);
        } else {
            patch_columns(net, batch->pixels + (size_t)(p * 3 * side * side), columns_of(net, state, p));
            op_linear(tape, net->patch, own + width, columns_of(net, state, p), grid * grid);
        }
        memcpy(own, tape->P + net->class_embedding, (size_t)width * sizeof *own);
        tape->kernels->add(own, tape->P + net->positions, tokens * width);
    }
    if (!net->ln_pre.width)
        return embedded;
    real *x = tape_alloc(tape, (size_t)(rows * width));
    op_norm(tape, net->ln_pre, &state->ln_pre, x, embedded, rows);
    return x;
}

static void embed_image_back(struct tape *tape, const struct net *net, struct net_state *state, real *dx)
{
    int width = model_image_width(&net->config), grid = model_grid(&net->config), tokens = grid * grid + 1;
    int rows = net->pictures * tokens;
    real *d = dx;
    if (net->ln_pre.width) {
        d = tape_zeros(tape, (size_t)(rows * width));
        op_norm_back(tape, net->ln_pre, &state->ln_pre, d, dx, rows);
    }
    for (int p = 0; p < net->pictures; p++, d += (size_t)(tokens * width)) {
        tape_give(tape, net->positions, d, tokens * width);
        tape_give(tape, net->class_embedding, d, width);
        if (net->conv_stem)
            net_stem_backward(tape, net, &state->stem, d + width);
        else
            op_linear_back(tape, net->patch, NULL, false, d + width, columns_of(net, state, p), grid * grid);
    }
}

// Token types are those of words, of the picture, and of a second one.
static size_t picture_type(const struct net *net, const struct net_batch *batch)
{
    return net->types + (size_t)((1 + batch->picture) * net->config.width);
}

// What METER does to the encoder's tokens before they enter fusion.
static const real *transform_image(struct tape *tape, const struct net *net, const struct net_batch *batch,
                                   struct net_state *state)
{
    int width = net->config.width;
    struct rows from = state->image_rows;
    if (!net->transform[NET_IMAGE].out)
        return state->encoded;
    real *transformed = tape_alloc(tape, (size_t)(rows_total(from) * width));
    op_linear(tape, net->transform[NET_IMAGE], transformed, state->encoded, rows_total(from));
    for (int r = 0; r < rows_total(from); r++) {
        real *row = transformed + (size_t)(r * width);
        net_add(row, tape->P + picture_type(net, batch), width);
        if (net->config.fusion_position)
            net_add(row, tape->P + net->image_position + (size_t)(r % from.stride * width), width);
    }
    return transformed;
}

// Row of what the image encoder gave that becomes row t of sample i of the fusion stream: its picture was encoded for that
// question, or once for all of them.
static size_t fused_from(const struct net_batch *batch, struct rows from, struct rows to, int i, int t)
{
    return (size_t)(i / (to.n / from.n) * from.stride + net_source_row(batch, t));
}

// Carries the encoder's tokens over to the fusion stream: chosen patches, one copy a question.
static void enter_fusion(struct tape *tape, const struct net *net, const struct net_batch *batch,
                         struct net_state *state)
{
    int width = model_image_width(&net->config);
    struct rows from = state->image_rows, to = state->rows[NET_IMAGE];
    const real *transformed = transform_image(tape, net, batch, state);
    real *y = tape_alloc(tape, (size_t)(rows_total(to) * width));
    for (int i = 0; i < to.n; i++)
        for (int t = 0; t < to.stride; t++)
            memcpy(y + (size_t)((i * to.stride + t) * width),
                   transformed + fused_from(batch, from, to, i, t) * (size_t)width, (size_t)width * sizeof *y);
    state->fused_in[NET_IMAGE] = y;
}

static void enter_fusion_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                              struct net_state *state, const real *dfused, real *dencoded)
{
    int width = model_image_width(&net->config);
    struct rows from = state->image_rows, to = state->rows[NET_IMAGE];
    bool meter = net->transform[NET_IMAGE].out > 0;
    real *d = meter ? tape_zeros(tape, (size_t)(rows_total(from) * width)) : dencoded;
    for (int i = 0; i < to.n; i++)
        for (int t = 0; t < to.stride; t++)
            net_add(d + fused_from(batch, from, to, i, t) * (size_t)width,
                    dfused + (size_t)((i * to.stride + t) * width), width);
    if (!meter)
        return;
    for (int r = 0; r < rows_total(from); r++) {
        tape_give(tape, picture_type(net, batch), d + (size_t)(r * width), width);
        if (net->config.fusion_position)
            tape_give(tape, net->image_position + (size_t)(r % from.stride * width), d + (size_t)(r * width), width);
    }
    op_linear_back(tape, net->transform[NET_IMAGE], dencoded, true, d, state->encoded, rows_total(from));
}

void net_encode_image(struct tape *tape, const struct net *net, const struct net_batch *batch,
                      const struct net_trimming *trimming, struct net_state *state)
{
    int width = model_image_width(&net->config), grid = model_grid(&net->config), tokens = grid * grid + 1;
    bool each = net->image_per_question && trimming->on;
    struct rows rows = {.n = net->pictures * (each ? batch->questions : 1), .stride = tokens};
    state->image_rows = rows;
    state->rows[NET_IMAGE] = (struct rows){.n = net->pictures * batch->questions,
                                           .stride = (batch->patch_count ? batch->patch_count : tokens - 1) + 1};
    const real *x = embed_image(tape, net, batch, state);
    if (each) {
        real *copies = tape_alloc(tape, (size_t)(rows_total(rows) * width));
        for (int p = 0; p < net->pictures; p++)
            tape->kernels->fill_rows(copies + (size_t)(p * batch->questions * tokens * width),
                                     x + (size_t)(p * tokens * width), batch->questions, tokens * width);
        x = copies;
    }
    x = net_encoder_layers(tape, net->image, state->image, net->config.image_layers, net->first_image, x, rows,
                           state->context, net_rows_beside(tape, state->question_rows, rows.n), trimming);
    state->encoded = tape_alloc(tape, (size_t)(rows_total(rows) * width));
    op_norm(tape, net->ln_post, &state->ln_post, state->encoded, x, rows_total(rows));
    enter_fusion(tape, net, batch, state);
}

void net_encode_image_back(struct tape *tape, const struct net *net, const struct net_batch *batch,
                           struct net_state *state, const real *dfused, const real *dencoded_extra, real *dcontext)
{
    int width = model_image_width(&net->config);
    struct rows rows = state->image_rows;
    size_t size = (size_t)(rows_total(rows) * width);
    real *dencoded = tape_zeros(tape, size), *d = tape_zeros(tape, size);
    if (dencoded_extra)
        tape->kernels->add(dencoded, dencoded_extra, (int)size);
    enter_fusion_back(tape, net, batch, state, dfused, dencoded);
    op_norm_back(tape, net->ln_post, &state->ln_post, d, dencoded, rows_total(rows));
    net_encoder_layers_back(tape, net->image, state->image, net->config.image_layers, net->first_image, d, rows,
                            dcontext, net_rows_beside(tape, state->question_rows, rows.n));
    if (!net->embeddings)
        return;
    if (rows.n > net->pictures) { // each was copied for each question
        int picture = rows.stride * width;
        real *sum = tape_zeros(tape, (size_t)(net->pictures * picture));
        for (int i = 0; i < rows.n; i++)
            tape->kernels->add(sum + (size_t)(i / batch->questions * picture), d + (size_t)(i * picture), picture);
        d = sum;
    }
    embed_image_back(tape, net, state, d);
}
