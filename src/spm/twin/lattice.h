/* lattice.h - noise that is a function of position: a hash gives each lattice point its value. */
#ifndef RS_SPM_TWIN_LATTICE_H
#define RS_SPM_TWIN_LATTICE_H

#include <math.h>
#include <stdint.h>

#include "base/random.h"

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
