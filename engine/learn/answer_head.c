#include "engine/learn/answer_head.h"

// The logits of answers that are words += what the head made, times the word's embedding.
static void add_words(struct tape *tape, const struct answer_head_refs *refs, struct answer_head_state *state, int n)
{
    int labels = refs->last.out, width = refs->words.out;
    state->word = tape_alloc(tape, (size_t)(n * width));
    op_linear(tape, refs->words, state->word, state->active, n);
    for (int a = 0; a < labels; a++)
        if (refs->answer_words[a] >= 0)
            for (int q = 0; q < n; q++) {
                const real *e = tape->P + refs->word_table + (size_t)(refs->answer_words[a] * width);
                real sum = 0;
                for (int i = 0; i < width; i++)
                    sum += e[i] * state->word[q * width + i];
                state->logits[q * labels + a] += sum;
            }
}

static void add_words_back(struct tape *tape, const struct answer_head_refs *refs, const struct answer_head_state *state,
                           const real *dlogits, real *dactive, int n)
{
    int labels = refs->last.out, width = refs->words.out;
    real *dword = tape_zeros(tape, (size_t)(n * width));
    for (int a = 0; a < labels; a++)
        if (refs->answer_words[a] >= 0)
            for (int q = 0; q < n; q++) {
                size_t e = refs->word_table + (size_t)(refs->answer_words[a] * width);
                real g = dlogits[q * labels + a], *de = tape_gradient(tape, e);
                for (int i = 0; i < width; i++)
                    dword[q * width + i] += g * tape->P[e + (size_t)i];
                for (int i = 0; de && i < width; i++)
                    de[i] += g * state->word[q * width + i];
            }
    op_linear_back(tape, refs->words, dactive, true, dword, state->active, n);
}

void answer_head(struct tape *tape, const struct answer_head_refs *refs, struct answer_head_state *state,
                 const real *input, int n)
{
    size_t size = (size_t)(n * refs->first.out);
    state->input = input;
    state->logits = tape_alloc(tape, (size_t)(n * refs->last.out));
    if (!refs->first.out) {
        op_linear(tape, refs->last, state->logits, input, n);
        return;
    }
    state->hidden = tape_alloc(tape, size);
    state->normed = tape_alloc(tape, size);
    state->active = tape_alloc(tape, size);
    op_linear(tape, refs->first, state->hidden, input, n);
    op_norm(tape, refs->norm, &state->norm, state->normed, state->hidden, n);
    tape->kernels->gelu(state->active, state->normed, (int)size);
    op_linear(tape, refs->last, state->logits, state->active, n);
    if (refs->answer_words)
        add_words(tape, refs, state, n);
}

void answer_head_back(struct tape *tape, const struct answer_head_refs *refs, const struct answer_head_state *state,
                      const real *dlogits, real *dinput, int n)
{
    if (!refs->first.out) {
        op_linear_back(tape, refs->last, dinput, false, dlogits, state->input, n);
        return;
    }
    size_t size = (size_t)(n * refs->first.out);
    real *dactive = tape_alloc(tape, size), *dnormed = tape_alloc(tape, size), *dhidden = tape_zeros(tape, size);
    op_linear_back(tape, refs->last, dactive, false, dlogits, state->active, n);
    if (refs->answer_words)
        add_words_back(tape, refs, state, dlogits, dactive, n);
    tape->kernels->gelu_back(dnormed, dactive, state->normed, (int)size);
    op_norm_back(tape, refs->norm, &state->norm, dhidden, dnormed, n);
    op_linear_back(tape, refs->first, dinput, false, dhidden, state->input, n);
}
