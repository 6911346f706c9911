/* Percentiles come from a radix selection. The bits of a float, with the sign bit flipped for
 * positive numbers and all bits for negative ones, order like the numbers themselves as unsigned
 * integers. One histogram over the upper 16 bits of these keys finds the bucket that holds a rank,
 * and a second one, over the lower 16 bits of that bucket's keys, finds the value. Two passes over
 * the image for each rank, no copy, no bad case. */
#include "imgproc/image/normalise.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

static reshed_status not_finite(reshed_error *err, const float *x, size_t i)
{
    return rs_fail(err, RESHED_EINVAL, "value of the image|a finite number|%g|pixel %zu",
                   (double)x[i], i);
}

/* Index of the first value that is not finite, or n. */
static size_t first_bad(const float *x, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(x[i])) i++;
    return i;
}

reshed_status rs_norm_range_frame(const float *x, size_t n, rs_norm_range *out, reshed_error *err)
{
    if (n == 0) return rs_fail(err, RESHED_EINVAL, "image|at least one pixel|none");
    size_t bad = first_bad(x, n);
    if (bad < n) return not_finite(err, x, bad);
    float lo = x[0], hi = x[0];
    for (size_t i = 1; i < n; i++) {
        if (x[i] < lo) lo = x[i];
        if (x[i] > hi) hi = x[i];
    }
    *out = (rs_norm_range){lo, hi};
    return RESHED_OK;
}

reshed_status rs_norm_range_robust_in(const float *x, size_t n, size_t *space, rs_norm_range *out,
                                      reshed_error *err)
{
    static const double percent[2] = {RS_NORM_ROBUST_LOW, RS_NORM_ROBUST_HIGH};
    double p[2];
    reshed_status st = rs_percentiles_in(x, n, percent, 2, space, p, err);
    if (st != RESHED_OK) return st;
    if (!((float)p[0] < (float)p[1])) return rs_norm_range_frame(x, n, out, err);
    *out = (rs_norm_range){(float)p[0], (float)p[1]};
    return RESHED_OK;
}

reshed_status rs_norm_range_robust(const float *x, size_t n, rs_norm_range *out, reshed_error *err)
{
    size_t *space = rs_alloc(RS_PERCENTILES_SPACE, sizeof *space);
    if (!space) return rs_fail_nomem(err, "percentiles", RS_PERCENTILES_SPACE * sizeof *space);
    reshed_status st = rs_norm_range_robust_in(x, n, space, out, err);
    rs_free(space);
    return st;
}

reshed_status rs_norm_range_fixed(double lo, double hi, rs_norm_range *out, reshed_error *err)
{
    if (!isfinite((float)lo) || !isfinite((float)hi) || !((float)lo < (float)hi))
        return rs_fail(err, RESHED_EINVAL, "range of values|LO < HI, both finite|%g,%g", lo, hi);
    *out = (rs_norm_range){(float)lo, (float)hi};
    return RESHED_OK;
}

reshed_status rs_norm_apply(const float *x, size_t n, rs_norm_range range, bool clip, float *out,
                            reshed_error *err)
{
    float lo = range.lo, hi = range.hi, span = hi - lo;
    if (!isfinite(lo) || !isfinite(hi) || lo > hi)
        return rs_fail(err, RESHED_EINVAL, "range of values|LO <= HI, both finite|%g,%g",
                       (double)lo, (double)hi);
    size_t bad = first_bad(x, n);
    if (bad < n) return not_finite(err, x, bad);
    if (lo == hi) {
        for (size_t i = 0; i < n; i++) out[i] = 0;
        return RESHED_OK;
    }
    if (isfinite(span)) {
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - lo) / span;
    } else {
        double wide = (double)hi - (double)lo;
        for (size_t i = 0; i < n; i++) out[i] = (float)(((double)x[i] - (double)lo) / wide);
    }
    for (size_t i = 0; clip && i < n; i++) out[i] = out[i] < 0 ? 0 : out[i] > 1 ? 1 : out[i];
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------- percentiles */

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
    size_t bad = first_bad(x, n);
    if (bad < n) return not_finite(err, x, bad);
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
