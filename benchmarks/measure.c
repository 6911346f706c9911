#include "benchmarks/measure.h"

#include <stdint.h>
#include <string.h>

#include "nn/graph.h"
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

double bench_network_macs(const rs_arch *a, int height, int width)
{
    rs_graph g;
    double macs = 0;
    if (rs_graph_make(a, &g, NULL) != RESHED_OK) return 0;
    for (int i = -1; i <= g.nodes; i++) macs += rs_graph_macs(&g, i, height, width);
    rs_graph_clear(&g);
    return macs;
}
