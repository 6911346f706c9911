/* measure.h - times and what they are compared with.
 *
 * Machines are seldom idle, so each number comes as median, best and worst of n runs, with the
 * processor time beside the wall time: where the first is much less than threads x the second, the
 * machine was doing something else. */
#ifndef RS_BENCHMARKS_MEASURE_H
#define RS_BENCHMARKS_MEASURE_H

#include "nn/kernels/kernels.h"
#include "nn/net.h"

#define BENCH_MAX_RUNS 1000

/* Wall and processor seconds of each run. */
typedef struct bench_times {
    int n;
    double wall[BENCH_MAX_RUNS], cpu[BENCH_MAX_RUNS];
} bench_times;

typedef struct bench_summary {
    double median, best, worst;
} bench_summary;

/* Of v[n], n >= 1; v is left as it is. n up to BENCH_MAX_RUNS. */
bench_summary bench_summarise(const double *v, int n);

/* A running clock; the second call adds the time since the first to t (t->n < BENCH_MAX_RUNS). */
typedef struct bench_clock {
    double wall, cpu;
} bench_clock;
bench_clock bench_start(void);
void bench_stop(bench_clock started, bench_times *t);

#define BENCH_MAX_THREADS 1024

/* Multiply-adds a second, times two, that `threads` threads reach together on registers alone. */
double bench_fma_peak(const rs_kernels *k, int threads);

/* Cycles a second of one core under load, from a chain of dependent one-cycle instructions. */
double bench_core_hz(void);

/* Multiply-adds of direct convolution, the measure of the network's work whatever the algorithm: of
 * one member's network for an image. 0 without memory. */
double bench_network_macs(const rs_arch *arch, int height, int width);

#endif
