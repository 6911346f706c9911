/* rng.h - random numbers that are the same everywhere: a seed, a stream and an index name a
 * generator, so that every object of the twin (a stripe, a noise row, an image of a data set) draws
 * from its own and nothing depends on the order of computing or on the number of threads.
 *
 * The generator is splitmix64 (Steele, Lea, Flood 2014): one 64-bit word of state, passes BigCrush,
 * and its finaliser doubles as the hash behind the lattice noise. */
#ifndef RS_BASE_RNG_H
#define RS_BASE_RNG_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct rs_rng {
    uint64_t state;
} rs_rng;

/* The finaliser of splitmix64: a bijection that spreads every input bit over all output bits. */
static inline uint64_t rs_hash64(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline rs_rng rs_rng_make(uint64_t seed, uint64_t stream, uint64_t index)
{
    rs_rng r = {rs_hash64(seed ^ rs_hash64(stream ^ rs_hash64(index)))};
    return r;
}

static inline uint64_t rs_rng_bits(rs_rng *r)
{
    uint64_t z = rs_hash64(r->state);
    r->state += 0x9e3779b97f4a7c15u;
    return z;
}

/* [0,1) in steps of 2^-53. */
static inline double rs_rng_unit(rs_rng *r)
{
    return (double)(rs_rng_bits(r) >> 11) * 0x1p-53;
}

static inline double rs_rng_between(rs_rng *r, double lo, double hi)
{
    return lo + (hi - lo) * rs_rng_unit(r);
}

/* Log-uniform: every factor of two is equally likely. lo > 0. */
static inline double rs_rng_log(rs_rng *r, double lo, double hi)
{
    return lo * exp(log(hi / lo) * rs_rng_unit(r));
}

static inline bool rs_rng_chance(rs_rng *r, double p)
{
    return rs_rng_unit(r) < p;
}

/* [0,n), n >= 1; the bias of 2^-53 n does not matter here. */
static inline int rs_rng_below(rs_rng *r, int n)
{
    return (int)(rs_rng_unit(r) * n);
}

/* Mean `mean`, memoryless. */
static inline double rs_rng_exponential(rs_rng *r, double mean)
{
    return -mean * log(1 - rs_rng_unit(r));
}

/* Two independent standard normal numbers (Box and Muller). */
static inline void rs_rng_gauss2(rs_rng *r, float *a, float *b)
{
    uint64_t bits = rs_rng_bits(r);
    float u = ((float)(bits >> 40) + 1) * 0x1p-24f, v = (float)(bits & 0xffffff) * 0x1p-24f;
    float radius = sqrtf(-2 * logf(u)), angle = 6.2831853f * v;
    *a = radius * cosf(angle);
    *b = radius * sinf(angle);
}

static inline double rs_rng_gauss(rs_rng *r)
{
    float a, b;
    rs_rng_gauss2(r, &a, &b);
    return a;
}

/* Poisson by counting exponential gaps, cut at 10,000: for the numbers of objects drawn here. */
static inline int rs_rng_poisson(rs_rng *r, double mean)
{
    int n = 0;
    for (double t = rs_rng_exponential(r, 1); t < mean && n < 10000; n++)
        t += rs_rng_exponential(r, 1);
    return n;
}

/* The random value in [-1,1) of lattice point i (or i,j) of the noise called seed. */
static inline float rs_lattice1(uint64_t seed, int64_t i)
{
    return (float)(int32_t)(rs_hash64(seed ^ (uint64_t)i * 0xd1342543de82ef95u) >> 32) * 0x1p-31f;
}

static inline float rs_lattice2(uint64_t seed, int64_t i, int64_t j)
{
    return rs_lattice1(seed ^ rs_hash64((uint64_t)i), j);
}

/* Smooth random function of x with features of size 1 and values in (-1,1): the lattice values
 * joined by cubics. */
static inline float rs_noise1(uint64_t seed, double x)
{
    double f = floor(x);
    float t = (float)(x - f), s = t * t * (3 - 2 * t);
    float a = rs_lattice1(seed, (int64_t)f), b = rs_lattice1(seed, (int64_t)f + 1);
    return a + (b - a) * s;
}

#endif
