#include "engine/prune/similarity.h"

#include "engine/math/transposed.h"

#include <math.h>
#include <string.h>

static float *scratch_floats(struct forward *forward, size_t count)
{
    return arena_alloc(&forward->math->scratch, count, sizeof(float));
}

// turned (D, words): a column for each word, in the space where the patches are. That of another space is reached
// backwards: (W z) · t = z · (Wᵀ t), which costs a product for each word instead of one for each patch; what the map from
// one to the other adds is the same for all patches.
static void turn_words(struct forward *forward, const float *words, int word_rows,
                       const struct attention_weights *asks, bool encoder, float *turned)
{
    int width = forward->model->config.width;
    if (asks) {
        float *queries = scratch_floats(forward, (size_t)word_rows * (size_t)width);
        linear_apply(forward->math, &asks->in, words, width, word_rows, queries, width, ACTIVATION_NONE, NULL, 0, NULL, NULL,
                     &forward->macs.trimmer);
        linear_apply_transposed(forward->math, &asks->memory, queries, word_rows, width, turned, &forward->macs.trimmer);
        return;
    }
    if (encoder) {
        linear_apply_transposed(forward->math, &forward->model->transform[FUSION_IMAGE], words, word_rows, width, turned,
                                &forward->macs.trimmer);
        return;
    }
    for (int w = 0; w < word_rows; w++)
        for (int i = 0; i < width; i++)
            turned[i * word_rows + w] = words[w * width + i];
}

// cosines (rows, words), but for the words' lengths, which the spread takes out anyway.
static void cosines(const float *z, int rows, int width, const float *turned, int word_rows, float *out)
{
    memset(out, 0, (size_t)rows * (size_t)word_rows * sizeof *out);
    for (int r = 0; r < rows; r++, z += width, out += word_rows) {
        float squares = 0;
        for (int i = 0; i < width; i++) {
            const float *column = turned + (size_t)i * (size_t)word_rows;
            squares += z[i] * z[i];
            for (int w = 0; w < word_rows; w++)
                out[w] += z[i] * column[w];
        }
        float scale = squares > 0 ? 1 / sqrtf(squares) : 0;
        for (int w = 0; w < word_rows; w++)
            out[w] *= scale;
    }
}

// The larger of score[r] and how far the patches' cosines to one word lie above their mean.
static void raise_by_word(const float *cosine, int rows, int word_rows, int word, float *score)
{
    double sum = 0, squares = 0;
    for (int r = 1; r < rows; r++) {
        double c = (double)cosine[r * word_rows + word];
        sum += c;
        squares += c * c;
    }
    double count = rows > 1 ? rows - 1 : 1, mean = sum / count, spread = sqrt(fmax(0, squares / count - mean * mean));
    for (int r = 1; r < rows; r++) {
        double c = spread > 0 ? ((double)cosine[r * word_rows + word] - mean) / spread : 0;
        score[r] = fmaxf(score[r], (float)c);
    }
}

void similarity_score(struct forward *forward, const float *x, int rows, const float *words, int word_rows,
                      const struct attention_weights *asks, bool encoder, float *score)
{
    const struct model *m = forward->model;
    const struct norm *post = &m->image_norm_post;
    int width = asks ? asks->memory.in : m->config.width;
    size_t mark = forward->math->scratch.used;
    float *turned = scratch_floats(forward, (size_t)width * (size_t)word_rows);
    float *cosine = scratch_floats(forward, (size_t)rows * (size_t)word_rows);
    const float *z = x;
    turn_words(forward, words, word_rows, asks, encoder, turned);
    if (encoder) {
        float *normed = scratch_floats(forward, (size_t)rows * (size_t)width);
        norm_apply(forward->math->pool, post, x, rows, width, normed);
        z = normed;
    }
    cosines(z, rows, width, turned, word_rows, cosine);
    forward->macs.trimmer += (uint64_t)rows * (uint64_t)word_rows * (uint64_t)width;
    for (int r = 0; r < rows; r++)
        score[r] = r > 0 ? -INFINITY : 0;
    for (int w = 0; w < word_rows; w++)
        raise_by_word(cosine, rows, word_rows, w, score);
    arena_rewind(&forward->math->scratch, mark);
}
