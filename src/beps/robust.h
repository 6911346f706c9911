/* robust.h - order statistics: what the loop analysis uses wherever a mean would follow one failed
 * fit. Real BEPS maps need it: on the reference 50x50 grid 30 % of the pixels hold a value beyond
 * ten times the median amplitude. Non-finite values are skipped everywhere. */
#ifndef RS_BEPS_ROBUST_H
#define RS_BEPS_ROBUST_H

#include <stddef.h>
#include <stdint.h>

/* The median of the finite values of x[n]; scratch [n] is overwritten. NaN when there are none. */
double rs_median(const double *x, size_t n, double *scratch);

/* The p-quantile, p in [0,1], with linear interpolation (numpy's default). */
double rs_quantile(const double *x, size_t n, double p, double *scratch);

/* 1.4826 times the median distance from centre: the standard deviation of a normal sample. */
double rs_mad(const double *x, size_t n, double centre, double *scratch);

/* Sorts x[n] (finite values) in place, ascending. */
void rs_sort(double *x, size_t n);

/* A small random generator with a state of its own (splitmix64), for resampling. */
typedef struct rs_rng {
    uint64_t state;
} rs_rng;
/* Streams of different keys of one seed are independent. */
rs_rng rs_rng_make(uint64_t seed, uint64_t key);
uint64_t rs_rng_next(rs_rng *r);
/* Uniform in 0..n-1, n >= 1. */
uint64_t rs_rng_below(rs_rng *r, uint64_t n);

#endif
