#include "beps/bootstrap.h"

#include <math.h>

#include "base/random.h"
#include "base/statistics.h"

size_t rs_bootstrap_work(int n, int samples)
{
    return 3 * (size_t)n + (size_t)samples * RS_METRIC_COUNT + (size_t)samples;
}

/* The running median of five on the ring of the usable samples. */
static void smooth(const rs_sweep *s, const double *y, const uint8_t *skip, double *out)
{
    int n = s->n;
    for (int i = 0; i < n; i++) {
        double near[5], tmp[5];
        int k = 0;
        for (int d = -2; d <= 2; d++) {
            int j = (i + d + n) % n;
            if (!(skip && skip[j]) && isfinite(y[j])) near[k++] = y[j];
        }
        out[i] = rs_median(near, (size_t)k, tmp);
    }
}

static double sample_sd(const double *x, int n, int at_least)
{
    double mean = 0, sum = 0;
    int k = 0;
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        mean += x[i];
        k++;
    }
    if (k < at_least || k < 2) return NAN;
    mean /= k;
    for (int i = 0; i < n; i++)
        if (isfinite(x[i])) sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (k - 1));
}

void rs_metrics_bootstrap(const rs_sweep *s, const double *y, const uint8_t *skip, bool closed,
                          const rs_metric_options *o, int samples, uint64_t seed, uint64_t key,
                          double *work, double *sd)
{
    int n = s->n, k = 0;
    double *own = work + rs_metric_work(n);
    double *base = own, *residual = own + n, *resampled = own + 2 * n, *values = own + 3 * n;
    double *column = values + (size_t)samples * RS_METRIC_COUNT, point[RS_METRIC_COUNT];
    rs_loop_fit f;
    rs_random rng = rs_random_keyed(seed, key);

    rs_metrics_compute(s, y, skip, closed, o, work, point, &f);
    bool fitted = f.ok && f.bic_loop < f.bic_line;
    if (fitted)
        rs_loop_function(s, f.p, base);
    else
        smooth(s, y, skip, base);
    for (int i = 0; i < n; i++)
        if (!(skip && skip[i]) && isfinite(y[i])) residual[k++] = y[i] - base[i];
    /* Residuals are smaller than the errors: the curve has bent towards them. A median of five
     * keeps 0.29 of the noise variance and shares a fifth with each sample. */
    double grow =
        fitted ? sqrt((double)k / (k > RS_LOOP_PARAMS ? k - RS_LOOP_PARAMS : 1)) : sqrt(1 / 0.8);
    for (int b = 0; b < samples; b++) {
        for (int i = 0; i < n; i++) {
            bool counts = !(skip && skip[i]) && isfinite(y[i]) && k > 0;
            resampled[i] =
                counts ? base[i] + grow * residual[rs_random_below(&rng, (uint64_t)k)] : y[i];
        }
        rs_metrics_compute(s, resampled, skip, closed, o, work,
                           values + (size_t)b * RS_METRIC_COUNT, NULL);
    }
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        for (int b = 0; b < samples; b++) column[b] = values[(size_t)b * RS_METRIC_COUNT + m];
        sd[m] = sample_sd(column, samples, (samples + 1) / 2);
    }
}
