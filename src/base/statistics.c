#include "base/statistics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"

/* -------------------------------------------------------------------------------------- sorting */

int rs_compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int rs_compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Loops have tens of samples: insertion sort beats qsort's calls there. */
void rs_sort(double *x, size_t n)
{
    if (n > 64) {
        qsort(x, n, sizeof *x, rs_compare_doubles);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        double v = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > v; j--) x[j] = x[j - 1];
        x[j] = v;
    }
}

/* ----------------------------------------------------------------------------- of sorted values */

double rs_sorted_quantile(const double *sorted, size_t n, double p)
{
    if (n == 0) return NAN;
    double at = p * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n) return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

double rs_sorted_median(const double *sorted, size_t n)
{
    if (n == 0) return NAN;
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double rs_sorted_step(const double *sorted, size_t n, double p)
{
    if (n == 0) return NAN;
    size_t i = (size_t)(p * (double)n);
    return sorted[i < n ? i : n - 1];
}

/* ---------------------------------------------------------------------------------- robust ones */

static size_t keep_finite(const double *x, size_t n, double *out)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) out[k++] = x[i];
    return k;
}

double rs_quantile(const double *x, size_t n, double p, double *scratch)
{
    size_t k = keep_finite(x, n, scratch);
    rs_sort(scratch, k);
    return rs_sorted_quantile(scratch, k, p);
}

double rs_median(const double *x, size_t n, double *scratch)
{
    return rs_quantile(x, n, 0.5, scratch);
}

double rs_mad(const double *x, size_t n, double centre, double *scratch)
{
    size_t k = keep_finite(x, n, scratch);
    for (size_t i = 0; i < k; i++) scratch[i] = fabs(scratch[i] - centre);
    rs_sort(scratch, k);
    return 1.4826022185056018 * rs_sorted_median(scratch, k);
}

/* ------------------------------------------------------------------------ of large float arrays */

/* Percentiles come from a radix selection. The bits of a float, with the sign bit flipped for
 * positive numbers and all bits for negative ones, order like the numbers themselves as unsigned
 * integers. One histogram over the upper 16 bits of these keys finds the bucket that holds a rank,
 * and a second one, over the lower 16 bits of that bucket's keys, finds the value. Two passes over
 * the image for each rank, no copy, no bad case. */

enum { BUCKETS = RS_PERCENTILES_SPACE / 2 };

static uint32_t key_of(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u >> 31 ? ~u : u | 0x80000000u;
}

static float value_of(uint32_t key)
{
    uint32_t u = key >> 31 ? key & 0x7fffffffu : ~key;
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

/* The bucket that holds the given rank (counted from 0), and the rank within it. */
static uint32_t bucket_of(const size_t *count, size_t *rank)
{
    uint32_t b = 0;
    while (*rank >= count[b]) *rank -= count[b++];
    return b;
}

/* The rank-th smallest of x[n]. upper: the histogram of the keys' upper halves; lower: scratch. */
static float select_rank(const float *x, size_t n, size_t rank, const size_t *upper, size_t *lower)
{
    uint32_t high = bucket_of(upper, &rank);
    memset(lower, 0, BUCKETS * sizeof *lower);
    for (size_t i = 0; i < n; i++) {
        uint32_t k = key_of(x[i]);
        if (k >> 16 == high) lower[k & 0xffffu]++;
    }
    return value_of(high << 16 | bucket_of(lower, &rank));
}

reshed_status rs_percentiles_in(const float *x, size_t n, const double *percent, int count,
                                size_t *space, double *out, reshed_error *err)
{
    if (n == 0) return rs_fail(err, RESHED_EINVAL, "percentile of|at least one value|none");
    for (int k = 0; k < count; k++)
        if (!(percent[k] >= 0 && percent[k] <= 100))
            return rs_fail(err, RESHED_EINVAL, "percentile|0 to 100|%g", percent[k]);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return rs_fail(err, RESHED_EINVAL, "value of the image|a finite number|%g|pixel %zu",
                           (double)x[i], i);
    size_t *upper = space, *lower = upper + BUCKETS;
    memset(upper, 0, BUCKETS * sizeof *upper);
    for (size_t i = 0; i < n; i++) upper[key_of(x[i]) >> 16]++;
    for (int k = 0; k < count; k++) {
        double at = percent[k] / 100 * (double)(n - 1);
        size_t below = (size_t)floor(at), above = below + 1 < n ? below + 1 : below;
        double t = at - (double)below, a = select_rank(x, n, below, upper, lower), b = a;
        if (t > 0) b = select_rank(x, n, above, upper, lower);
        out[k] = a + (b - a) * t;
    }
    return RESHED_OK;
}

reshed_status rs_percentiles(const float *x, size_t n, const double *percent, int count,
                             double *out, reshed_error *err)
{
    size_t *space = rs_alloc(RS_PERCENTILES_SPACE, sizeof *space);
    if (!space) return rs_fail_nomem(err, "percentiles", RS_PERCENTILES_SPACE * sizeof *space);
    reshed_status st = rs_percentiles_in(x, n, percent, count, space, out, err);
    rs_free(space);
    return st;
}

double rs_erfinv(double y)
{
    if (!(fabs(y) < 1)) return fabs(y) == 1 ? y * INFINITY : NAN;
    /* Winitzki's approximation, 2e-3 relative, then Halley's steps on erf (or on erfc where erf is
     * flat): each triples the digits. */
    const double a = 0.147;
    double l = log1p(-y * y), t = 2 / (RS_PI * a) + l / 2;
    double x = copysign(sqrt(fmax(0, sqrt(t * t - l / a) - t)), y);
    for (int i = 0; i < 3; i++) {
        double miss = fabs(y) < 0.5 ? erf(x) - y : (1 - fabs(y) - erfc(fabs(x))) * (y < 0 ? -1 : 1);
        double slope = 2 / sqrt(RS_PI) * exp(-x * x), d = miss / slope;
        x -= d / (1 + x * d);
    }
    return x;
}
