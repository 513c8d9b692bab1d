// Checked allocation: sizes come from files, so every product is checked before it is used.
#ifndef TRIMSCOPE_BASE_MEMORY_H
#define TRIMSCOPE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum { MEMORY_ALIGNMENT = 64 }; // one cache line, one AVX-512 register

// count * size zeroed bytes, aligned to MEMORY_ALIGNMENT. NULL when the product overflows or there is no
// memory. A size of 0 gives a valid pointer to nothing. Release with memory_free().
void *memory_alloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
// The same, not zeroed: memory that is never written stays no burden on the machine.
void *memory_take(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
void memory_free(void *pointer);

// How many such calls this process has made: tests use it to show that a warm step allocates nothing.
size_t memory_alloc_calls(void);

// An arena hands out pieces of one block and is emptied at once; it never grows while it is in use.
struct arena {
    unsigned char *base;
    size_t size, used, peak;
};

bool arena_init(struct arena *arena, size_t size) __attribute__((warn_unused_result));
void arena_free(struct arena *arena);

// `count * size` bytes (not zeroed), aligned to MEMORY_ALIGNMENT; NULL when the arena is full.
void *arena_alloc(struct arena *arena, size_t count, size_t size) __attribute__((warn_unused_result));

// Position to return to: size_t mark = arena->used; ... arena_rewind(arena, mark);
void arena_rewind(struct arena *arena, size_t mark);

#endif
