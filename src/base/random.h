/* random.h - seeded random numbers (splitmix64: Steele, Lea and Flood, OOPSLA 2014): the same
 * sequence on every machine. The library takes its seeds from its callers. */
#ifndef RS_BASE_RANDOM_H
#define RS_BASE_RANDOM_H

#include <stdint.h>

typedef struct rs_random {
    uint64_t state; /* set it to the seed */
} rs_random;

static inline uint64_t rs_random_next(rs_random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Uniform in [0,n), n >= 1, without bias. */
static inline uint64_t rs_random_below(rs_random *r, uint64_t n)
{
    uint64_t skip = (0 - n) % n, v; /* 2^64 mod n values would favour the small results */
    do v = rs_random_next(r);
    while (v < skip);
    return v % n;
}

#endif
