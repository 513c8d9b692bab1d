// Leaving out, in training, the rows of tokens that cannot matter any more. A straight-through mask makes dropped tokens
// go on through the layers, since their gradients say what keeping them would have been worth: d(alive)/d(mask_l) is the
// product of the other layers' masks. Once two masks of a token are 0 that product is 0 for each of them, in this layer
// and in all that follow: neither the answer nor any gradient depends on the token, and its row can go. A token is thus
// computed up to the layer that drops it a second time, and every gradient stays what it was (a test compares them).
#ifndef TRIMSCOPE_LEARN_FUSION_COMPACT_H
#define TRIMSCOPE_LEARN_FUSION_COMPACT_H

#include "engine/learn/ops.h"

// How the rows of a stream on entering a layer relate to those that take part in it. "Full" is the layout of all tokens,
// in which masks are kept.
struct compact_rows {
    struct rows in, at;  // on entering, and taking part
    const int *in_token; // (rows of in): row of the full layout; NULL: the same
    const int *pick;     // (rows of at): row of `in`; NULL: all take part
    const int *token;    // (rows of at): row of the full layout; NULL: the same
};

// On entering a layer everything that took part in the one before takes part. before NULL: everything of `full`.
struct compact_rows compact_enter(const struct compact_rows *before, struct rows full);

// Leaves out what this layer's trimmer drops (mask, rows of compact->in) of what was dead before (alive_before, full
// layout; NULL: nothing was). The lists come from the tape's arena.
void compact_choose(struct tape *tape, struct compact_rows *compact, const real *mask, const real *alive_before);

// Rows of `in` that take part: `from` itself where all do, else a copy from the arena.
const real *compact_take(struct tape *tape, const struct compact_rows *compact, const real *from, int width);
// to (rows of in) += from (rows of at), where only some took part.
void compact_give(const struct compact_rows *compact, real *to, const real *from, int width);

// One number a token, between the full layout and the rows `count` of which `token` lists (NULL: the same layout, and
// then `from` itself is the answer, or there is nothing to give).
const real *compact_gather(struct tape *tape, const int *token, int count, const real *from);
void compact_scatter(const int *token, int count, real *to, const real *from);

#endif
