// The convolutional stem: picture to patch tokens (engine/model/names.md, "stem": "conv").
#include "engine/learn/net.h"

#include <string.h>

struct conv_shape {
    int side, channels, kernel, stride, padding, out_side; // input side and channels; output side
};

static struct conv_shape stem_conv(const struct net *net, int index)
{
    const struct model_config *c = &net->config;
    int side = c->image_size;
    switch (index) {
    case 0:
        return (struct conv_shape){side, 3, 4, 4, 0, side / 4};
    case 1:
        return (struct conv_shape){side / 4, c->stem_channels[0], 3, 2, 1, side / 8};
    default:
        return (struct conv_shape){side / 8, c->stem_channels[1], 3, 2, 1, side / 16};
    }
}

// Columns are in PyTorch's weight order (channel, ky, kx); the input is channels-last unless `planar`.
static void to_columns(real *columns, const real *x, struct conv_shape s, bool planar)
{
    int taps = s.kernel * s.kernel, row = s.channels * taps;
    for (int oy = 0; oy < s.out_side; oy++)
        for (int ox = 0; ox < s.out_side; ox++) {
            real *out = columns + (size_t)(oy * s.out_side + ox) * (size_t)row;
            for (int ky = 0; ky < s.kernel; ky++)
                for (int kx = 0; kx < s.kernel; kx++) {
                    int y = oy * s.stride + ky - s.padding, xx = ox * s.stride + kx - s.padding;
                    bool inside = y >= 0 && y < s.side && xx >= 0 && xx < s.side;
                    const real *in = x + (inside ? (planar ? y * s.side + xx : (y * s.side + xx) * s.channels) : 0);
                    int step = planar ? s.side * s.side : 1;
                    for (int c = 0; c < s.channels; c++)
                        out[c * taps + ky * s.kernel + kx] = inside ? in[c * step] : 0;
                }
        }
}

static void from_columns(real *dx, const real *dcolumns, struct conv_shape s)
{
    int taps = s.kernel * s.kernel, row = s.channels * taps;
    for (int oy = 0; oy < s.out_side; oy++)
        for (int ox = 0; ox < s.out_side; ox++) {
            const real *d = dcolumns + (size_t)(oy * s.out_side + ox) * (size_t)row;
            for (int ky = 0; ky < s.kernel; ky++)
                for (int kx = 0; kx < s.kernel; kx++) {
                    int y = oy * s.stride + ky - s.padding, x = ox * s.stride + kx - s.padding;
                    if (y < 0 || y >= s.side || x < 0 || x >= s.side)
                        continue;
                    real *to = dx + (size_t)((y * s.side + x) * s.channels);
                    for (int c = 0; c < s.channels; c++)
                        to[c] += d[c * taps + ky * s.kernel + kx];
                }
        }
}

static real *stem_block(struct tape *tape, const struct stem_block_refs *refs, struct stem_block_state *state, real *x,
                        int side, int width)
{
    int rows = side * side, hidden = refs->fc1.out;
    size_t size = (size_t)(rows * width);
    state->input = x;
    state->summed = tape_alloc(tape, size);
    tape->kernels->depthwise(state->summed, x, tape->P + refs->depthwise, tape->P + refs->depthwise_bias, side, width);
    tape->kernels->add(state->summed, x, rows * width);
    state->z = tape_alloc(tape, size);
    op_norm(tape, refs->norm, &state->norm, state->z, state->summed, rows);
    state->hidden = tape_alloc(tape, (size_t)(rows * hidden));
    op_linear(tape, refs->fc1, state->hidden, state->z, rows);
    state->active = tape_alloc(tape, (size_t)(rows * hidden));
    tape->kernels->gelu(state->active, state->hidden, rows * hidden);
    real *y = tape_alloc(tape, size);
    op_linear_onto(tape, refs->fc2, y, state->active, x, rows);
    return y;
}

static void stem_block_back(struct tape *tape, const struct stem_block_refs *refs, const struct stem_block_state *state,
                            real *d, int side, int width)
{
    int rows = side * side, hidden = refs->fc1.out;
    size_t size = (size_t)(rows * width), mark = tape->arena.used;
    real *dactive = tape_alloc(tape, (size_t)(rows * hidden)), *dhidden = tape_alloc(tape, (size_t)(rows * hidden));
    real *dz = tape_alloc(tape, size), *dsummed = tape_zeros(tape, size);
    op_linear_back(tape, refs->fc2, dactive, false, d, state->active, rows);
    tape->kernels->gelu_back(dhidden, dactive, state->hidden, rows * hidden);
    op_linear_back(tape, refs->fc1, dz, false, dhidden, state->z, rows);
    op_norm_back(tape, refs->norm, &state->norm, dsummed, dz, rows);
    tape->kernels->add_rows(tape->G + refs->depthwise_bias, dsummed, rows, width);
    tape->kernels->depthwise_back(d, tape->G + refs->depthwise, dsummed, state->input, tape->P + refs->depthwise, side,
                                  width);
    tape->kernels->add(d, dsummed, rows * width);
    arena_rewind(&tape->arena, mark);
}

void net_stem_forward(struct tape *tape, const struct net *net, struct stem_state *state, const real *pixels, real *y)
{
    const struct stem_refs *refs = &net->stem;
    const real *x = pixels;
    for (int i = 0; i < 3; i++) {
        struct conv_shape s = stem_conv(net, i);
        int rows = s.out_side * s.out_side, out = refs->conv[i].out;
        state->columns[i] = tape_alloc(tape, (size_t)rows * (size_t)refs->conv[i].in);
        to_columns(state->columns[i], x, s, i == 0);
        state->raw[i] = tape_alloc(tape, (size_t)(rows * out));
        op_linear(tape, refs->conv[i], state->raw[i], state->columns[i], rows);
        if (i < 2) {
            state->active[i] = tape_alloc(tape, (size_t)(rows * out));
            tape->kernels->gelu(state->active[i], state->raw[i], rows * out);
            x = state->active[i];
        }
    }
    int side = stem_conv(net, 2).out_side, width = net->config.width;
    real *at = state->raw[2];
    for (int b = 0; b < refs->blocks; b++)
        at = stem_block(tape, &refs->block[b], &state->block[b], at, side, width);
    op_norm(tape, refs->norm, &state->norm, y, at, side * side);
}

void net_stem_backward(struct tape *tape, const struct net *net, const struct stem_state *state, real *dy)
{
    const struct stem_refs *refs = &net->stem;
    int side = stem_conv(net, 2).out_side, width = net->config.width;
    size_t mark = tape->arena.used;
    real *d = tape_zeros(tape, (size_t)(side * side * width));
    op_norm_back(tape, refs->norm, &state->norm, d, dy, side * side);
    for (int b = refs->blocks - 1; b >= 0; b--)
        stem_block_back(tape, &refs->block[b], &state->block[b], d, side, width);
    for (int i = 2; i >= 0; i--) {
        struct conv_shape s = stem_conv(net, i);
        int rows = s.out_side * s.out_side;
        real *dcolumns = i ? tape_alloc(tape, (size_t)rows * (size_t)refs->conv[i].in) : NULL;
        op_linear_back(tape, refs->conv[i], dcolumns, false, d, state->columns[i], rows);
        if (!i)
            break;
        size_t in = (size_t)(s.side * s.side * s.channels);
        real *dactive = tape_zeros(tape, in);
        from_columns(dactive, dcolumns, s);
        d = tape_alloc(tape, in);
        tape->kernels->gelu_back(d, dactive, state->raw[i - 1], (int)in);
    }
    arena_rewind(&tape->arena, mark);
}
