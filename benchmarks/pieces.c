#include "pieces.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"

#define HOT_RUNS 9
#define COLD_RUNS 9
#define HOT_SECONDS 1e-3               /* of one hot run, at least: repeated as often as needed */
#define FLUSH_BYTES ((size_t)96 << 20) /* more than the caches of one core complex */

static const bench_piece *find(int i)
{
    static const bench_piece *(*const rooms[])(int *) = {bench_pieces_nn, bench_pieces_imgproc};
    for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++) {
        int n;
        const bench_piece *p = rooms[r](&n);
        if (i < n) return p + i;
        i -= n;
    }
    return NULL;
}

int bench_pieces_count(void)
{
    int n = 0;
    while (find(n)) n++;
    return n;
}

static double seconds_of(const bench_run *r, long times)
{
    const double start = rs_os_thread_seconds();
    for (long i = 0; i < times; i++) r->run(r->state);
    return (rs_os_thread_seconds() - start) / (double)times;
}

static bench_summary measure_hot(const bench_run *r)
{
    double t[HOT_RUNS];
    long times = 1;
    while (seconds_of(r, times) * (double)times < HOT_SECONDS) times *= 2;
    for (int i = 0; i < HOT_RUNS; i++) t[i] = seconds_of(r, times);
    return bench_summarise(t, HOT_RUNS);
}

static bench_summary measure_cold(const bench_run *r, unsigned char *flush)
{
    double t[COLD_RUNS];
    for (int i = 0; i < COLD_RUNS; i++) {
        memset(flush, i, FLUSH_BYTES);
        t[i] = seconds_of(r, 1);
    }
    return bench_summarise(t, COLD_RUNS);
}

reshed_status bench_piece_measure(const bench_env *env, int i, bench_piece_result *out,
                                  reshed_error *err)
{
    const bench_piece *p = find(i);
    bench_run r = {0};
    unsigned char *flush = rs_alloc(FLUSH_BYTES, 1);
    reshed_status st = flush ? RESHED_OK : rs_fail_nomem(err, "the cold cache", FLUSH_BYTES);
    if (st == RESHED_OK) st = p->make(env, p, &r, err);
    if (st == RESHED_OK) {
        *out = (bench_piece_result){.room = p->room,
                                    .name = p->name,
                                    .flops = r.flops,
                                    .bytes = r.bytes,
                                    .items = r.items,
                                    .item = r.item};
        memcpy(out->shape, r.shape, sizeof out->shape);
        out->hot = measure_hot(&r);
        out->cold = measure_cold(&r, flush);
    }
    if (r.state && r.release) r.release(r.state);
    rs_free(r.state);
    rs_free(flush);
    return st;
}
