#include "benchmarks/measure.h"

#include <stdint.h>
#include <string.h>

#include "base/os.h"
#include "base/parallel.h"
#include "base/statistics.h"

bench_summary bench_summarise(const double *v, int n)
{
    double sorted[BENCH_MAX_RUNS];
    memcpy(sorted, v, (size_t)n * sizeof *v);
    rs_sort(sorted, (size_t)n);
    return (bench_summary){
        .median = rs_sorted_median(sorted, (size_t)n), .best = sorted[0], .worst = sorted[n - 1]};
}

bench_clock bench_start(void)
{
    return (bench_clock){.cpu = rs_os_cpu_seconds(), .wall = rs_os_monotonic()};
}

void bench_stop(bench_clock started, bench_times *t)
{
    t->wall[t->n] = rs_os_monotonic() - started.wall;
    t->cpu[t->n++] = rs_os_cpu_seconds() - started.cpu;
}

/* ----------------------------------------------------------------------------- what is possible */

#define BURSTS 400
#define BURST_SECONDS 2e-4

/* On a machine that does other things as well, a thread still has its core to itself most of the
 * time between two interruptions: short bursts, and the upper quartile of their speeds. All threads
 * are at it at once, so they share what cores share. */
typedef struct peak_job {
    const rs_kernels *kernels;
    long rounds;
    double *rate; /* [threads], rounds a second */
} peak_job;

static void peak_one(void *ctx, int64_t i, int worker)
{
    peak_job *j = ctx;
    double seconds[BURSTS];
    (void)worker;
    for (int n = 0; n < BURSTS; n++) {
        const double start = rs_os_monotonic();
        volatile float keep = j->kernels->peak(j->rounds);
        (void)keep;
        seconds[n] = rs_os_monotonic() - start;
    }
    rs_sort(seconds, BURSTS);
    j->rate[i] = (double)j->rounds / rs_sorted_quantile(seconds, BURSTS, 0.25);
}

double bench_fma_peak(const rs_kernels *k, int threads)
{
    double rate[BENCH_MAX_THREADS] = {0}, sum = 0;
    peak_job j = {k, 1000, rate};
    peak_one(&j, 0, 0); /* how many rounds a burst takes */
    j.rounds = (long)(rate[0] * BURST_SECONDS) + 1;
    rs_parallel_for(threads, threads, peak_one, &j);
    for (int i = 0; i < threads; i++) sum += rate[i];
    return 2.0 * RS_PEAK_CHAINS * k->lanes * sum;
}

double bench_core_hz(void)
{
    enum { ROUNDS = 100000, PER_ROUND = 2 };
    double seconds[BURSTS];
    for (int i = 0; i < BURSTS; i++) {
        /* volatile: the chain begins after the first look at the clock and ends before the
         * second */
        const double start = rs_os_monotonic();
        volatile uint64_t seed = (uint64_t)i + 1;
        uint64_t v = seed;
        for (int n = 0; n < ROUNDS; n++) v ^= v >> 7; /* shift, then exclusive or: two cycles */
        seed = v;
        seconds[i] = rs_os_monotonic() - start;
    }
    rs_sort(seconds, BURSTS);
    return ROUNDS * PER_ROUND / rs_sorted_quantile(seconds, BURSTS, 0.25);
}

/* ------------------------------------------------------------------------------- what is needed */

static double pixels_of(int level, int height, int width)
{
    return (double)rs_level_size(height, level) * rs_level_size(width, level);
}

double bench_conv3_macs(const rs_arch *a, int level, int height, int width)
{
    const double c = rs_level_channels(a, level);
    return 9 * c * c * pixels_of(level, height, width);
}

double bench_after_macs(const rs_arch *a, int level, int block, int height, int width)
{
    const double c = rs_level_channels(a, level);
    if (block + 1 < a->layers[level]) return c * c * pixels_of(level, height, width);
    double macs = c * a->classes * pixels_of(level, height, width);
    if (level + 1 < a->levels)
        macs += c * rs_level_channels(a, level + 1) * pixels_of(level + 1, height, width);
    return macs;
}

double bench_network_macs(const rs_arch *a, int height, int width)
{
    const double all = (double)height * width;
    double macs = a->filters * all; /* the image's 1x1 convolution */
    for (int k = 0; k < a->levels; k++)
        for (int b = 0; b < a->layers[k]; b++)
            macs += 2 * bench_conv3_macs(a, k, height, width) +
                    bench_after_macs(a, k, b, height, width);
    return macs + (double)a->levels * a->classes * a->classes * all; /* the mix of scores */
}
