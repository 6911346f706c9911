/* stream.h - the time that a line of a scan takes. */
#ifndef RS_BENCHMARKS_STREAM_H
#define RS_BENCHMARKS_STREAM_H

#include "benchmarks/measure.h"
#include "nn/stream.h"

typedef struct bench_stream_case {
    const char *key, *name;
    rs_preview preview;
    int lines; /* pushed together */
} bench_stream_case;

extern const bench_stream_case bench_stream_cases[];
extern const int bench_stream_case_count;

/* One frame, scanned from top to bottom under a fixed range. */
typedef struct bench_stream_result {
    const bench_stream_case *what;
    int pushes;
    double median, p90, p99, mean, worst; /* seconds of a push */
    double whole;                         /* seconds of whole-image runs in between, median */
    rs_stream_work_done done;             /* per line, all members */
    size_t weight_bytes, state_bytes;
} bench_stream_result;

/* Runs every case; after each of `runs` equal parts of the frame `between` is called for runs of
 * others. image [size,size] normalised. out[bench_stream_case_count]. */
reshed_status bench_stream(const rs_model_file *model, rs_isa isa, int threads, int size,
                           const float *image, int runs,
                           reshed_status (*between)(void *ctx, reshed_error *err), void *ctx,
                           bench_stream_result *out, reshed_error *err);

#endif
