/* report.h - the output of reshed-bench: a table for people, or a JSON object a line. */
#ifndef RS_TOOLS_BENCH_REPORT_H
#define RS_TOOLS_BENCH_REPORT_H

#include "benchmarks/choices.h"
#include "benchmarks/layers.h"
#include "benchmarks/measure.h"
#include "benchmarks/peers.h"
#include "benchmarks/pieces.h"
#include "benchmarks/stream.h"

/* The machine and the ensemble: the same for all measurements of a call. */
typedef struct bench_subject {
    char cpu[128];
    rs_isa isa;
    const char *algo;      /* "auto", ... */
    const char *precision; /* "fp32", "bf16" */
    const char *weights;   /* NULL: random */
    uint64_t seed;
    rs_arch arch;
    int members;
    double load_seconds; /* reading the file, or making the random ensemble */
    double core_hz;
} bench_subject;

/* One image size on one number of threads. */
typedef struct bench_result {
    int size, threads;
    bench_times times; /* of the ensemble: normalisation, network, mean and variance */
    double fma_peak;   /* FLOP/s on these threads */
    double pack_seconds;
    size_t plan_bytes, peak_rss;
    int layers; /* 0: not measured */
    const bench_layer *layer;
    const bench_peer *peers;           /* [BENCH_PEERS], or NULL */
    const bench_stream_result *stream; /* [bench_stream_case_count], or NULL */
    int pieces;                        /* 0: not measured */
    const bench_piece_result *piece;
    double piece_peak; /* FLOP/s of one thread */
} bench_result;

void bench_print_subject(const bench_subject *s);
void bench_print_result(const bench_subject *s, const bench_result *r);
/* Growth of the time: one line for each result, if there are several. */
void bench_print_growth(const bench_subject *s, const bench_result *r, int n);
/* The table of settings: lines, or {...} and a newline for each. */
void bench_print_choices(const bench_choice *c, int n);
void bench_json_choices(const bench_subject *s, int size, int threads, const bench_choice *c,
                        int n);
/* {...} and a newline. */
void bench_json_result(const bench_subject *s, const bench_result *r);

#endif
