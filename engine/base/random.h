// A small deterministic generator (xoshiro256**, Blackman and Vigna; seeded by splitmix64), the same on every machine.
#ifndef TRIMSCOPE_BASE_RANDOM_H
#define TRIMSCOPE_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t s[4];
};

// `stream` separates independent sequences of one seed (a scene, a worker, a purpose).
void random_init(struct random *random, uint64_t seed, uint64_t stream);
uint64_t random_bits(struct random *random);
// Uniform in 0 .. n-1, n > 0, without modulo bias.
uint32_t random_below(struct random *random, uint32_t n);
// Uniform in [0, 1), 24 bits.
float random_unit(struct random *random);
// Uniform in [low, high).
float random_range(struct random *random, float low, float high);
// Standard normal (Box-Muller).
float random_normal(struct random *random);
bool random_chance(struct random *random, float probability);
// Fisher-Yates over n ints.
void random_shuffle(struct random *random, int *items, int n);

#endif
