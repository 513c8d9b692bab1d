// The micro-kernel under linear layers and attention: a tile of rows x columns sums held in registers while
// the whole inner dimension streams by. Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008), without their blocking of the inner dimension: the right operand is packed once for
// all calls and streams from wherever it lies, fetched ahead by hand, and sums never leave the registers
// before they are complete. The left operand is read where it lies: a tile's share of it stays in the second-level cache.
#include "engine/math/kernels.h"
#include "engine/math/variant.h"
#include "engine/math/vectors.h"

// Tile shapes: as many sums as registers allow, beside the row of the panel (VECTORS registers) and one
// broadcast.
#if defined __AVX512F__
enum { ROWS = 14, VECTORS = 2 };
#elif defined __aarch64__
enum { ROWS = 6, VECTORS = 4 };
#else
enum { ROWS = 6, VECTORS = 2 };
#endif
enum {
    COLUMNS = VECTORS * LANES,
    AHEAD = 4096, // bytes of the panel fetched ahead: the hardware stops at each page's end
};
_Static_assert((int)ROWS <= (int)TILE_ROWS_MAX && (int)COLUMNS <= (int)TILE_COLUMNS_MAX, "tile too large");

INLINE vec load_weights(const char *at, int lane, const bool halves)
{
    return halves ? vec_widen((const uint16_t *)at + lane) : vec_load((const float *)at + lane);
}

// panel: floats, or halves.
INLINE void tile_of(const int rows, const float *a, ptrdiff_t lda, const void *panel, const bool halves,
                    const struct span *spans, int span_count, float *c, int ldc, const bool fetch, struct ahead ahead)
{
    const int size = halves ? sizeof(uint16_t) : sizeof(float), line = 64;
    vec sums[ROWS][VECTORS];
    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
    for (int j = 0; j < VECTORS; j++)
        sums[r][j] = (vec){0};
    for (int s = 0; s < span_count; s++) {
        const float *left = a + spans[s].from;
        const char *right = (const char *)panel + (ptrdiff_t)spans[s].from * COLUMNS * size;
        for (const float *end = left + spans[s].depth; left < end; left++, right += COLUMNS * size) {
            if (fetch) {
                __builtin_prefetch(ahead.from, 0, 2);
                ahead.from += ahead.step;
            }
            UNROLL
            for (int j = 0; j < COLUMNS * size; j += line)
                __builtin_prefetch(right + AHEAD + j);
            vec b[VECTORS];
            UNROLL
            for (int j = 0; j < VECTORS; j++)
                b[j] = load_weights(right, j * LANES, halves);
            UNROLL
            for (int r = 0; r < rows; r++) {
                vec x = vec_splat(left[r * lda]);
                UNROLL
                for (int j = 0; j < VECTORS; j++)
                    sums[r][j] += x * b[j];
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
    for (int j = 0; j < VECTORS; j++)
        vec_store(c + r * ldc + j * LANES, sums[r][j]);
}

#define TILE(n)                                                                                                        \
    static void tile_##n(const float *a, int lda, const float *panel, const struct span *spans, int span_count,        \
                         float *c, int ldc)                                                                            \
    {                                                                                                                  \
        tile_of(n <= ROWS ? n : 1, a, lda, panel, false, spans, span_count, c, ldc, false, (struct ahead){0});         \
    }                                                                                                                  \
    static void tile_ahead_##n(const float *a, int lda, const float *panel, const struct span *spans, int span_count,  \
                               float *c, int ldc, struct ahead ahead)                                                  \
    {                                                                                                                  \
        tile_of(n <= ROWS ? n : 1, a, lda, panel, false, spans, span_count, c, ldc, true, ahead);                      \
    }                                                                                                                  \
    static void tile_halves_##n(const float *a, int lda, const uint16_t *panel, const struct span *spans,              \
                                int span_count, float *c, int ldc, struct ahead ahead)                                 \
    {                                                                                                                  \
        tile_of(n <= ROWS ? n : 1, a, lda, panel, true, spans, span_count, c, ldc, true, ahead);                       \
    }
TILE(1)
TILE(2)
TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)

#define TILES(name)                                                                                                    \
    {                                                                                                                  \
        NULL, name##1, name##2, name##3, name##4, name##5, name##6, name##7, name##8, name##9, name##10, name##11,     \
            name##12, name##13, name##14,                                                                              \
    }

    static void tile(int rows, const float *a, int lda, const float *panel, const struct span *spans, int span_count,
                     float *c, int ldc)
{
    static void (*const tiles[])(const float *, int, const float *, const struct span *, int, float *, int) =
        TILES(tile_);
    tiles[rows](a, lda, panel, spans, span_count, c, ldc);
}

static void tile_ahead(int rows, const float *a, int lda, const float *panel, const struct span *spans, int span_count,
                       float *c, int ldc, struct ahead ahead)
{
    static void (*const tiles[])(const float *, int, const float *, const struct span *, int, float *, int,
                                 struct ahead) = TILES(tile_ahead_);
    tiles[rows](a, lda, panel, spans, span_count, c, ldc, ahead);
}

static void tile_halves(int rows, const float *a, int lda, const uint16_t *panel, const struct span *spans,
                        int span_count, float *c, int ldc, struct ahead ahead)
{
    static void (*const tiles[])(const float *, int, const uint16_t *, const struct span *, int, float *, int,
                                 struct ahead) = TILES(tile_halves_);
    tiles[rows](a, lda, panel, spans, span_count, c, ldc, ahead);
}

INLINE vec activated(vec x, const enum activation activation)
{
    switch (activation) {
    case ACTIVATION_GELU:
        return vec_gelu(x);
    case ACTIVATION_QUICK_GELU:
        return vec_quick_gelu(x);
    case ACTIVATION_TANH:
        return vec_tanh(x);
    case ACTIVATION_RELU:
        return vec_relu(x);
    case ACTIVATION_NONE:
        break;
    }
    return x;
}

INLINE void finish_as(const enum activation activation, float *sums, int rows, int width, const float *bias,
                      const float *residual, int ldr, float *y, int ldy)
{
    for (int r = 0; r < rows; r++, sums += COLUMNS, y += ldy) {
        const float *add = residual ? residual + (ptrdiff_t)r * ldr : NULL;
        vec v[VECTORS];
        UNROLL
        for (int j = 0; j < VECTORS; j++)
            v[j] = activated(vec_load(sums + j * LANES) + vec_load(bias + j * LANES), activation);
        if (width == COLUMNS) {
            for (int j = 0; add && j < VECTORS; j++)
                v[j] += vec_load(add + j * LANES);
            for (int j = 0; j < VECTORS; j++)
                vec_store(y + j * LANES, v[j]);
            continue;
        }
        for (int j = 0; j < VECTORS; j++)
            vec_store(sums + j * LANES, v[j]);
        for (int i = 0; i < width; i++)
            y[i] = add ? sums[i] + add[i] : sums[i];
    }
}

static void finish(float *sums, int rows, int width, const float *bias, enum activation activation,
                   const float *residual, int ldr, float *y, int ldy)
{
    switch (activation) {
#define CASE(which)                                                                                          \
    case which:                                                                                              \
        finish_as(which, sums, rows, width, bias, residual, ldr, y, ldy);                                    \
        return;
        CASE(ACTIVATION_NONE)
        CASE(ACTIVATION_GELU)
        CASE(ACTIVATION_QUICK_GELU)
        CASE(ACTIVATION_TANH)
        CASE(ACTIVATION_RELU)
#undef CASE
    }
}

typedef float four __attribute__((vector_size(16)));
typedef int four_ints __attribute__((vector_size(16)));
#ifdef __clang__
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (four_ints){i, j, k, l})
#endif

// to (4, stride COLUMNS) = transposed from (4, stride ld).
INLINE void transpose_four(const float *from, int ld, float *to)
{
    four r[4];
    for (int i = 0; i < 4; i++)
        memcpy(&r[i], from + (ptrdiff_t)i * ld, sizeof r[i]);
    four ab_low = SHUFFLE(r[0], r[1], 0, 4, 1, 5), ab_high = SHUFFLE(r[0], r[1], 2, 6, 3, 7);
    four cd_low = SHUFFLE(r[2], r[3], 0, 4, 1, 5), cd_high = SHUFFLE(r[2], r[3], 2, 6, 3, 7);
    four out[4] = {SHUFFLE(ab_low, cd_low, 0, 1, 4, 5), SHUFFLE(ab_low, cd_low, 2, 3, 6, 7),
                   SHUFFLE(ab_high, cd_high, 0, 1, 4, 5), SHUFFLE(ab_high, cd_high, 2, 3, 6, 7)};
    for (int i = 0; i < 4; i++)
        memcpy(to + i * COLUMNS, &out[i], sizeof out[i]);
}

// The rows that a head reads lie far apart, on pages of their own: the hardware does not fetch them by itself.
INLINE void fetch_row(const float *row, int size)
{
    const int line = 64 / sizeof(float);
    for (int i = 0; i < size; i += line)
        __builtin_prefetch(row + i);
}

enum { ROWS_AHEAD = 16 };

static void pack_keys(const float *k, int ldk, int keys, int size, float *panels)
{
    for (int first = 0; first < keys; first += COLUMNS, panels += (size_t)size * COLUMNS) {
        int count = keys - first < COLUMNS ? keys - first : COLUMNS;
        if (count < COLUMNS)
            memset(panels, 0, (size_t)size * COLUMNS * sizeof *panels);
        int whole_keys = count / 4 * 4, whole_size = size / 4 * 4;
        for (int j = 0; j < count; j++) {
            const float *key = k + (ptrdiff_t)(first + j) * ldk;
            fetch_row(key + (ptrdiff_t)ROWS_AHEAD * ldk, size);
            if (j < whole_keys && j % 4 == 0)
                for (int i = 0; i < whole_size; i += 4)
                    transpose_four(key + i, ldk, panels + (size_t)i * COLUMNS + j);
            for (int i = j < whole_keys ? whole_size : 0; i < size; i++)
                panels[(size_t)i * COLUMNS + j] = key[i];
        }
    }
}

// `width` numbers of a row of V; what is missing of a whole panel's row is 0.
INLINE void pack_row(const float *from, int width, float *to)
{
    if (width >= COLUMNS) {
        UNROLL
        for (int j = 0; j < VECTORS; j++)
            vec_store(to + j * LANES, vec_load(from + j * LANES));
        return;
    }
    for (int j = 0; j < COLUMNS; j++)
        to[j] = j < width ? from[j] : 0;
}

static void pack_values(const float *v, int ldv, int keys, int size, float *panels)
{
    for (int k = 0; k < keys; k++, v += ldv) {
        float *to = panels + (ptrdiff_t)k * COLUMNS;
        fetch_row(v + (ptrdiff_t)ROWS_AHEAD * ldv, size);
        for (int i = 0; i < size; i += COLUMNS, to += (ptrdiff_t)keys * COLUMNS)
            pack_row(v + i, size - i, to);
    }
}

const struct gemm_kernels VARIANT_NAME(gemm_kernels) = {
    .rows = ROWS,
    .columns = COLUMNS,
    .tile = tile,
    .tile_ahead = tile_ahead,
    .tile_halves = tile_halves,
    .finish = finish,
    .pack_keys = pack_keys,
    .pack_values = pack_values,
};
