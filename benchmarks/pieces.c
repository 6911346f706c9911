#include "benchmarks/pieces.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "benchmarks/peers.h"

#define HOT_RUNS 9
#define COLD_RUNS 9
#define HOT_SECONDS 1e-3 /* of one hot run, at least: repeated as often as needed */

static const bench_piece *find(int i)
{
    static const bench_piece *(*const rooms[])(int *) = {bench_pieces_nn, bench_pieces_imgproc,
                                                         bench_pieces_beps, bench_pieces_spm,
                                                         bench_pieces_train};
    for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++) {
        int n;
        const bench_piece *p = rooms[r](&n);
        if (i < n) return p + i;
        i -= n;
    }
    return NULL;
}

static bool wanted(const bench_piece *p, const char *only)
{
    char text[128];
    snprintf(text, sizeof text, "%s %s", p->room, p->name);
    return strstr(text, only) != NULL;
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

static bench_summary measure_cold(const bench_run *r, unsigned char *flush, size_t bytes)
{
    double t[COLD_RUNS];
    for (int i = 0; i < COLD_RUNS; i++) {
        memset(flush, i, bytes);
        t[i] = seconds_of(r, 1);
    }
    return bench_summarise(t, COLD_RUNS);
}

/* The same by a Python library: out->peer and its seconds; nothing when it is not installed. */
static reshed_status ask_peer(const bench_run *r, rs_child *peer, const char *input,
                              bench_piece_result *out, reshed_error *err)
{
    char line[2048], reply[256];
    reshed_status st = r->write_input(r->state, input, err);
    if (st != RESHED_OK) return st;
    snprintf(line, sizeof line, "%s %s", r->task, input);
    st = rs_child_ask(peer, line, reply, sizeof reply, err);
    rs_os_discard_temp(input);
    if (st != RESHED_OK) return st;
    if (!bench_json_string(reply, "version", out->peer, sizeof out->peer) ||
        !bench_json_number(reply, "seconds", &out->peer_seconds))
        out->peer[0] = '\0';
    return RESHED_OK;
}

static reshed_status measure(const bench_env *env, const bench_piece *p, unsigned char *flush,
                             rs_child *peer, const char *input, bench_piece_result *out,
                             reshed_error *err)
{
    bench_run r = {0};
    reshed_status st = p->make(env, p, &r, err);
    if (st == RESHED_OK) {
        *out = (bench_piece_result){.room = p->room,
                                    .name = p->name,
                                    .flops = r.flops,
                                    .bytes = r.bytes,
                                    .items = r.items,
                                    .item = r.item};
        memcpy(out->shape, r.shape, sizeof out->shape);
        out->hot = measure_hot(&r);
        out->cold = measure_cold(&r, flush, env->flush_bytes);
        if (peer && r.task) st = ask_peer(&r, peer, input, out, err);
    }
    if (r.state && r.release) r.release(r.state);
    rs_free(r.state);
    return st;
}

reshed_status bench_pieces_measure(const bench_env *env, const char *only, rs_child *peer,
                                   const char *input, bench_piece_result **out, int *n,
                                   reshed_error *err)
{
    int all = 0, done = 0;
    while (find(all)) all++;
    bench_piece_result *result = rs_zalloc((size_t)all, sizeof *result);
    unsigned char *flush = rs_alloc(env->flush_bytes, 1);
    reshed_status st =
        result && flush ? RESHED_OK : rs_fail_nomem(err, "the cold cache", env->flush_bytes);
    for (int i = 0; st == RESHED_OK && i < all; i++) {
        if (!wanted(find(i), only)) continue;
        st = measure(env, find(i), flush, peer, input, &result[done], err);
        if (st == RESHED_OK) done++;
    }
    rs_free(flush);
    if (st != RESHED_OK) {
        rs_free(result);
        return st;
    }
    *out = result;
    *n = done;
    return RESHED_OK;
}
