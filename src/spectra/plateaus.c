#include "spectra/plateaus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"

void rs_plateaus_clear(rs_plateaus *p)
{
    rs_free(p->v);
    rs_free(p->begin);
    rs_free(p->end);
    memset(p, 0, sizeof *p);
}

/* Returns the largest distance of the bias from the mean of its step; negative for a ramp.
 * work [2*n]. */
static double tolerance(const double *bias, int64_t n, double *work)
{
    double low = bias[0], high = bias[0];
    int64_t moves = 0;
    for (int64_t i = 1; i < n; i++) {
        work[i - 1] = fabs(bias[i] - bias[i - 1]);
        low = fmin(low, bias[i]);
        high = fmax(high, bias[i]);
    }
    const double usual = n > 1 ? rs_median(work, (size_t)n - 1, work + n) : 0;
    for (int64_t i = 1; i < n; i++) moves += fabs(work[i - 1] - usual) <= 0.05 * usual;
    if (usual > 1e-5 * (high - low) && moves > 3 * n / 4) return -1;
    /* Half of the samples may be on the way: a quarter of the differences are smaller than 0.45 times
     * the noise. Six times that of a difference is enough. */
    const double small = n > 1 ? rs_quantile(work, (size_t)n - 1, 0.25, work + n) : 0;
    return fmax(6 * sqrt(2) * small / 0.45, (high - low) / 500);
}

/* Cuts the record where the bias leaves its step, all samples included. */
static void cut(const double *bias, int64_t n, double far, rs_plateaus *p)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t k = p->n - 1;
        if (i == 0 || far < 0 || fabs(bias[i] - sum / (double)(i - p->begin[k])) > far) {
            p->begin[p->n++] = i;
            sum = 0;
        }
        sum += bias[i];
        p->end[p->n - 1] = i + 1;
        p->v[p->n - 1] = sum / (double)(i + 1 - p->begin[p->n - 1]);
    }
}

/* Leaves out what is on the way between two steps, and joins what it had parted. work [2*n]. */
static void drop_short(rs_plateaus *p, const double *bias, double far, double *work)
{
    for (int64_t k = 0; k < p->n; k++) work[k] = (double)(p->end[k] - p->begin[k]);
    /* Half of all pieces may be ways, each shorter than any step. */
    const double usual = rs_quantile(work, (size_t)p->n, 0.75, work + p->n);
    int64_t kept = 0;
    for (int64_t k = 0; k < p->n; k++) {
        if ((double)(p->end[k] - p->begin[k]) < 0.4 * usual) continue;
        if (kept > 0 && fabs(p->v[kept - 1] - p->v[k]) <= far) {
            p->end[kept - 1] = p->end[k];
            continue;
        }
        p->begin[kept] = p->begin[k];
        p->end[kept] = p->end[k];
        p->v[kept++] = p->v[k];
    }
    p->n = kept;
    for (int64_t k = 0; k < p->n; k++) {
        const int64_t length = p->end[k] - p->begin[k];
        p->begin[k] += length * 3 / 10;
        double sum = 0;
        for (int64_t i = p->begin[k]; i < p->end[k]; i++) sum += bias[i];
        p->v[k] = sum / (double)(p->end[k] - p->begin[k]);
    }
}

/* Gives steps that differ by noise only their common mean. work [2*n]. */
static void join_levels(rs_plateaus *p, double far, double *work)
{
    double *sorted = work, *mean = work + p->n;
    memcpy(sorted, p->v, (size_t)p->n * sizeof *sorted);
    rs_sort(sorted, (size_t)p->n);
    for (int64_t from = 0, to; from < p->n; from = to) {
        double sum = 0;
        for (to = from; to < p->n && (to == from || sorted[to] - sorted[to - 1] <= far / 2); to++)
            sum += sorted[to];
        for (int64_t k = from; k < to; k++) mean[k] = sum / (double)(to - from);
    }
    for (int64_t k = 0; k < p->n; k++) {
        const double *at =
            bsearch(&p->v[k], sorted, (size_t)p->n, sizeof *sorted, rs_compare_doubles);
        p->v[k] = mean[at - sorted];
    }
}

reshed_status rs_plateaus_find(const double *bias, int64_t n, rs_plateaus *out, reshed_error *err)
{
    if (n < 1) return rs_fail(err, RESHED_EINVAL, "a bias over time|1 sample or more|0");
    const size_t size = (size_t)n;
    rs_plateaus p = {0};
    reshed_status st = RESHED_OK;
    double *work = rs_alloc(size, 2 * sizeof *work);
    p.v = rs_alloc(size, sizeof *p.v);
    p.begin = rs_alloc(size, sizeof *p.begin);
    p.end = rs_alloc(size, sizeof *p.end);
    if (!work || !p.v || !p.begin || !p.end) {
        st = rs_fail_nomem(err, "the steps of a bias", size * 5 * sizeof *work);
        goto done;
    }
    const double far = tolerance(bias, n, work);
    cut(bias, n, far, &p);
    if (far >= 0) {
        drop_short(&p, bias, far, work);
        join_levels(&p, far, work);
    }
done:
    rs_free(work);
    if (st == RESHED_OK)
        *out = p;
    else
        rs_plateaus_clear(&p);
    return st;
}
