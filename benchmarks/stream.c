#include "benchmarks/stream.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/statistics.h"

const bench_stream_case bench_stream_cases[] = {
    {"front_1", "with front, 1 line at a time", RS_PREVIEW_FP32, 1},
    {"front_4", "with front, 4 lines at a time", RS_PREVIEW_FP32, 4},
    {"final_1", "final rows only, 1 line", RS_PREVIEW_OFF, 1},
    {"final_4", "final rows only, 4 lines", RS_PREVIEW_OFF, 4},
    {"bf16_1", "with bf16 front, 1 line", RS_PREVIEW_BF16, 1},
    {"bf16_4", "with bf16 front, 4 lines", RS_PREVIEW_BF16, 4},
};
const int bench_stream_case_count = sizeof bench_stream_cases / sizeof *bench_stream_cases;

static reshed_status run_case(rs_stream *stream, int size, const float *image, int runs,
                              reshed_status (*between)(void *ctx, reshed_error *err), void *ctx,
                              double *seconds, bench_stream_result *r, reshed_error *err)
{
    rs_stream_work_done ignored;
    reshed_status st = RESHED_OK;
    int done = 0;
    rs_stream_reset(stream);
    rs_stream_take_counts(stream, &ignored);
    for (int y = 0; st == RESHED_OK && y < size; y += r->what->lines) {
        const int n = y + r->what->lines <= size ? r->what->lines : size - y;
        const double start = rs_os_monotonic();
        rs_stream_put(stream, y, n, image + (size_t)y * (size_t)size);
        rs_stream_work(stream, RS_STREAM_ALL, NULL, NULL);
        seconds[r->pushes++] = rs_os_monotonic() - start;
        if ((y + n) * runs / size > done && between) {
            done++;
            st = between(ctx, err);
        }
    }
    rs_stream_take_counts(stream, &r->done);
    double *per[] = {&r->done.macs,       &r->done.products,   &r->done.weight_bytes,
                     &r->done.rows_final, &r->done.rows_front, &r->done.rows_patch};
    for (size_t i = 0; i < sizeof per / sizeof *per; i++) *per[i] /= size;
    for (int i = 0; i < r->pushes; i++) r->mean += seconds[i] / r->pushes;
    const size_t n = (size_t)r->pushes;
    rs_sort(seconds, n);
    r->median = rs_sorted_quantile(seconds, n, 0.5);
    r->p90 = rs_sorted_quantile(seconds, n, 0.9);
    r->p99 = rs_sorted_quantile(seconds, n, 0.99);
    r->worst = seconds[r->pushes - 1];
    return st;
}

reshed_status bench_stream(const rs_model_file *model, rs_isa isa, int threads, int size,
                           const float *image, int runs,
                           reshed_status (*between)(void *ctx, reshed_error *err), void *ctx,
                           bench_stream_result *out, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    double *seconds = rs_alloc((size_t)size, sizeof *seconds);
    rs_stream *stream = NULL;
    if (!seconds) return rs_fail_nomem(err, "the times of lines", (size_t)size * sizeof *seconds);
    for (int i = 0; st == RESHED_OK && i < bench_stream_case_count; i++) {
        const bench_stream_case *c = &bench_stream_cases[i];
        out[i] = (bench_stream_result){.what = c};
        if (i == 0 || c->preview != c[-1].preview) {
            const rs_stream_options o = {.threads =
                                             threads < model->members ? threads : model->members,
                                         .isa = isa,
                                         .preview = c->preview};
            rs_stream_free(stream);
            stream = NULL;
            st = rs_stream_create(model, NULL, size, size, &o, &stream, err);
            if (st != RESHED_OK) break;
        }
        out[i].weight_bytes = rs_stream_weight_bytes(stream);
        out[i].state_bytes = rs_stream_state_bytes(stream);
        st = run_case(stream, size, image, runs, between, ctx, seconds, &out[i], err);
    }
    rs_stream_free(stream);
    rs_free(seconds);
    return st;
}
