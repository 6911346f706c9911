/* statistics.h - order statistics: sorting, medians, quantiles.
 *
 * A quantile is that of Hyndman and Fan's type 7, numpy's default: linear interpolation between the
 * order statistics around position p (n - 1), counted from 0. Every function uses this definition
 * but two, which say so in their names: rs_sorted_median takes the mean of the two middle values
 * (type 7 but for the last bit), rs_sorted_step takes a value of the sample. */
#ifndef RS_BASE_STATISTICS_H
#define RS_BASE_STATISTICS_H

#include <stddef.h>

#include "base/status.h"

/* -------------------------------------------------------------------------------------- sorting */

/* Ascending, for qsort and bsearch. */
int rs_compare_doubles(const void *a, const void *b);
int rs_compare_floats(const void *a, const void *b);

/* Sorts x[n] (no NaN) in place, ascending. */
void rs_sort(double *x, size_t n);

/* ----------------------------------------------------------------------------- of sorted values */

/* The p-quantile, p in [0,1], of sorted[n]; NaN when n is 0. */
double rs_sorted_quantile(const double *sorted, size_t n, double p);
/* The mean of the two middle values, or the middle one; NaN when n is 0. */
double rs_sorted_median(const double *sorted, size_t n);
/* The value at index floor(p n), the last one for p = 1: no interpolation. NaN when n is 0. */
double rs_sorted_step(const double *sorted, size_t n, double p);

/* ---------------------------------------------------------------------------------- robust ones */

/* Used wherever a mean would follow one failed fit. Real BEPS maps need it: on the reference 50x50
 * grid 30 % of the pixels hold a value beyond ten times the median amplitude. Values that are not
 * finite are skipped; NaN when none is left. scratch [n] is overwritten. */

/* The p-quantile of x[n], p in [0,1]. */
double rs_quantile(const double *x, size_t n, double p, double *scratch);
/* rs_quantile at 0.5. */
double rs_median(const double *x, size_t n, double *scratch);
/* 1.4826 times the median distance from centre: the standard deviation of a normal sample. */
double rs_mad(const double *x, size_t n, double centre, double *scratch);

/* ------------------------------------------------------------------------ of large float arrays */

/* Counters that finding percentiles takes. */
#define RS_PERCENTILES_SPACE ((size_t)1 << 17)

/* out[k] = the percentile percent[k] in [0,100] of x[n], n >= 1, every value finite (RESHED_EINVAL
 * otherwise). Exact selection in linear time, without a copy of x. */
reshed_status rs_percentiles(const float *x, size_t n, const double *percent, int count,
                             double *out, reshed_error *err);
/* The same without an allocation, in space[RS_PERCENTILES_SPACE]. */
reshed_status rs_percentiles_in(const float *x, size_t n, const double *percent, int count,
                                size_t *space, double *out, reshed_error *err);

/* The inverse of erf to a few units in the last place; +-infinity at +-1, NaN beyond. */
double rs_erfinv(double y);

#endif
