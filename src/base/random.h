/* random.h - seeded random numbers that are the same on every machine.
 *
 *     rs_random r = {seed};                           // or rs_random_at, rs_random_keyed
 *     uint64_t bits = rs_random_next(&r);
 *     double x = rs_random_between(&r, -1, 1);
 *
 * The generator is splitmix64 (Steele, Lea and Flood, OOPSLA 2014): one 64-bit word of state; it
 * passes BigCrush, and its finaliser doubles as a hash. Seeds come from the callers. */
#ifndef RS_BASE_RANDOM_H
#define RS_BASE_RANDOM_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct rs_random {
    uint64_t state; /* set it to the seed */
} rs_random;

#define RS_RANDOM_STEP 0x9e3779b97f4a7c15u

/* The finaliser of splitmix64: a bijection that spreads every input bit over all output bits. */
static inline uint64_t rs_hash64(uint64_t z)
{
    z += RS_RANDOM_STEP;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint64_t rs_random_next(rs_random *r)
{
    uint64_t z = rs_hash64(r->state);
    r->state += RS_RANDOM_STEP;
    return z;
}

/* ----------------------------------------------------------------------- generators of one seed */

/* One for each object of each stream: the numbers of an object depend neither on the order of
 * computing nor on the number of threads. */
static inline rs_random rs_random_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (rs_random){rs_hash64(seed ^ rs_hash64(stream ^ rs_hash64(index)))};
}

/* One for each key. (Another family than rs_random_at: results that users have depend on both.) */
static inline rs_random rs_random_keyed(uint64_t seed, uint64_t key)
{
    return (rs_random){rs_hash64(rs_hash64(seed) ^ key * 0xd1342543de82ef95u)};
}

/* -------------------------------------------------------------------------------- whole numbers */

/* Uniform in [0,n), n >= 1, without bias. */
static inline uint64_t rs_random_below(rs_random *r, uint64_t n)
{
    uint64_t v;
    /* The first 2^64 mod n values would favour the small results; they are less than n. */
    do v = rs_random_next(r);
    while (v < n && v < (0 - n) % n);
    return v % n;
}

/* -------------------------------------------------------------------------------- distributions */

/* [0,1) in steps of 2^-53. */
static inline double rs_random_unit(rs_random *r)
{
    return (double)(rs_random_next(r) >> 11) * 0x1p-53;
}

static inline double rs_random_between(rs_random *r, double lo, double hi)
{
    return lo + (hi - lo) * rs_random_unit(r);
}

/* [0,n), n >= 1, by the size of a number in [0,1); the bias of 2^-53 n does not matter here. */
static inline int rs_random_index(rs_random *r, int n)
{
    return (int)(rs_random_unit(r) * n);
}

static inline bool rs_random_chance(rs_random *r, double p)
{
    return rs_random_unit(r) < p;
}

/* Log-uniform: every factor of two is equally likely. lo > 0. */
static inline double rs_random_log(rs_random *r, double lo, double hi)
{
    return lo * exp(log(hi / lo) * rs_random_unit(r));
}

/* Mean `mean`, memoryless. */
static inline double rs_random_exponential(rs_random *r, double mean)
{
    return -mean * log(1 - rs_random_unit(r));
}

/* Two independent standard normal numbers (Box and Muller). */
static inline void rs_random_gauss2(rs_random *r, float *a, float *b)
{
    uint64_t bits = rs_random_next(r);
    float u = ((float)(bits >> 40) + 1) * 0x1p-24f, v = (float)(bits & 0xffffff) * 0x1p-24f;
    float radius = sqrtf(-2 * logf(u)), angle = 6.2831853f * v;
    *a = radius * cosf(angle);
    *b = radius * sinf(angle);
}

static inline double rs_random_gauss(rs_random *r)
{
    float a, b;
    rs_random_gauss2(r, &a, &b);
    return a;
}

/* Poisson by counting exponential gaps, cut at 10,000: for the numbers of objects drawn here. */
static inline int rs_random_poisson(rs_random *r, double mean)
{
    int n = 0;
    for (double t = rs_random_exponential(r, 1); t < mean && n < 10000; n++)
        t += rs_random_exponential(r, 1);
    return n;
}

#endif
