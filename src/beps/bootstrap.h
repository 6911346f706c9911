/* bootstrap.h - standard errors of a loop's metrics by resampling its residuals. */
#ifndef RS_BEPS_BOOTSTRAP_H
#define RS_BEPS_BOOTSTRAP_H

#include <stdint.h>

#include "beps/metrics.h"

/* Standard deviation of each metric by `samples` residual bootstraps: the residuals of the loop
 * from the fitted function (from the running median of five where the fit fails), enlarged for the
 * parameters spent on it, are drawn with replacement and added to that curve. sd [RS_METRIC_COUNT];
 * closed as in rs_metrics_compute;
 * NaN where fewer than half the resamples have a value. The same seed and key give the same bits.
 * work [rs_metric_work(n) + rs_bootstrap_work(n, samples)]. */
void rs_metrics_bootstrap(const rs_sweep *s, const double *y, const uint8_t *skip, bool closed,
                          const rs_metric_options *o, int samples, uint64_t seed, uint64_t key,
                          double *work, double *sd);
size_t rs_bootstrap_work(int n, int samples);

#endif
