#include "imgproc/image/normalise.h"

#include <math.h>

#include "base/alloc.h"
#include "base/statistics.h"

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
