#include "engine/base/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Weights of a gigabyte in pages of 4 kB are 300,000 page faults, which take longer than packing them, and more address
// translations than the processor remembers.
static const size_t HUGE_PAGE = 2 << 20;

static atomic_size_t alloc_calls;

static size_t round_up(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

void *memory_take(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - MEMORY_ALIGNMENT)
        return NULL;
    atomic_fetch_add_explicit(&alloc_calls, 1, memory_order_relaxed);
    bytes = round_up(bytes ? bytes : 1);
    bool huge = bytes >= HUGE_PAGE;
    void *pointer; // not aligned_alloc(): to that the size would have to be a multiple of the alignment
    if (posix_memalign(&pointer, huge ? HUGE_PAGE : MEMORY_ALIGNMENT, bytes))
        return NULL;
    if (huge)
        madvise(pointer, bytes, MADV_HUGEPAGE); // a wish; where it is not granted, small pages do
    return pointer;
}

void *memory_alloc(size_t count, size_t size)
{
    void *pointer = memory_take(count, size);
    if (pointer)
        memset(pointer, 0, count * size);
    return pointer;
}

void memory_free(void *pointer)
{
    free(pointer);
}

size_t memory_alloc_calls(void)
{
    return atomic_load_explicit(&alloc_calls, memory_order_relaxed);
}

bool arena_init(struct arena *arena, size_t size)
{
    *arena = (struct arena){.base = memory_take(size, 1), .size = size};
    return arena->base != NULL;
}

void arena_free(struct arena *arena)
{
    memory_free(arena->base);
    *arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - MEMORY_ALIGNMENT)
        return NULL;
    bytes = round_up(bytes);
    if (bytes > arena->size - arena->used)
        return NULL;
    void *pointer = arena->base + arena->used;
    arena->used += bytes;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    return pointer;
}

void arena_rewind(struct arena *arena, size_t mark)
{
    assert(mark <= arena->used);
    arena->used = mark;
}
