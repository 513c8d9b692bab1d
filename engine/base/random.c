#include "engine/base/random.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void random_init(struct random *random, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    uint64_t mixed = splitmix64(&state) ^ (stream * 0xd1342543de82ef95u);
    for (int i = 0; i < 4; i++)
        random->s[i] = splitmix64(&mixed);
}

uint64_t random_bits(struct random *random)
{
    uint64_t *s = random->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t random_below(struct random *random, uint32_t n)
{
    // Lemire's multiply-and-reject.
    uint64_t product = (random_bits(random) >> 32) * (uint64_t)n;
    if ((uint32_t)product < n) {
        uint32_t threshold = -n % n;
        while ((uint32_t)product < threshold)
            product = (random_bits(random) >> 32) * (uint64_t)n;
    }
    return (uint32_t)(product >> 32);
}

float random_unit(struct random *random)
{
    return (float)(random_bits(random) >> 40) * 0x1p-24f;
}

float random_range(struct random *random, float low, float high)
{
    return low + (high - low) * random_unit(random);
}

float random_normal(struct random *random)
{
    float u = 1.0f - random_unit(random), v = random_unit(random);
    return sqrtf(-2.0f * logf(u)) * cosf(6.28318530718f * v);
}

bool random_chance(struct random *random, float probability)
{
    return random_unit(random) < probability;
}

void random_shuffle(struct random *random, int *items, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int)random_below(random, (uint32_t)i + 1), swap = items[i];
        items[i] = items[j];
        items[j] = swap;
    }
}
