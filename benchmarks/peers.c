#include "benchmarks/peers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "io/npy.h"

#define PATH_SIZE 2048

/* ------------------------------------------------------------------------ one line of JSON back */

/* Finds the first character of the value of "key" in a flat object; NULL when there is none. */
static const char *value_of(const char *json, const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *p = strstr(json, quoted);
    if (!p) return NULL;
    p += strlen(quoted);
    return p + strspn(p, " ");
}

bool bench_json_number(const char *json, const char *key, double *out)
{
    const char *p = value_of(json, key);
    return p && rs_number_parse(p, strcspn(p, ",}"), out);
}

/* The scripts' strings hold neither quotes nor backslashes. */
bool bench_json_string(const char *json, const char *key, char *out, size_t n)
{
    const char *p = value_of(json, key);
    if (!p || *p != '"') return false;
    const size_t len = strcspn(p + 1, "\"");
    if (p[1 + len] != '"') return false;
    snprintf(out, n, "%.*s", (int)len, p + 1);
    return true;
}

/* ------------------------------------------------------------------------------------- starting */

static void scratch(const bench_peers_options *o, const char *name, char buf[PATH_SIZE])
{
    snprintf(buf, PATH_SIZE, "%s/bench_%s", o->home, name);
}

/* The peers compute with their own libraries at their own best: settings for ours do not reach
 * them. `env` leads argv; returns the number of its words. */
static int clean_environment(const char **argv, const char *setting)
{
    int n = 0;
    argv[n++] = "env";
    argv[n++] = "-u";
    argv[n++] = "OPENBLAS_CORETYPE";
    argv[n++] = "-u";
    argv[n++] = "OPENBLAS_L2_SIZE";
    if (setting) argv[n++] = setting;
    return n;
}

static void start_peer(bench_peer *p, const bench_peers_options *o, const char *const *argv)
{
    char reply[2048], text[512];
    reshed_error err = {0};
    if (!o->quiet) fprintf(stderr, "%s: loading, warming up, looking for its best\n", p->name);
    reshed_status st = rs_child_start(argv, &p->child, &err);
    if (st == RESHED_OK) st = rs_child_ask(p->child, NULL, reply, sizeof reply, &err);
    if (st == RESHED_OK && bench_json_string(reply, "version", p->version, sizeof p->version) &&
        bench_json_string(reply, "config", p->config, sizeof p->config) &&
        bench_json_string(reply, "tried", p->tried, sizeof p->tried))
        return;
    snprintf(p->missing, sizeof p->missing, "%s (`make peers` installs it)",
             st == RESHED_OK ? "unknown words" : reshed_error_text(&err, text, sizeof text));
    rs_child_end(p->child);
    p->child = NULL;
}

static void start_pytorch(bench_peer *p, const bench_peers_options *o, const char *weights,
                          const char *image, const char *threads)
{
    char script[PATH_SIZE];
    const char *argv[24];
    int n = clean_environment(argv, NULL);
    snprintf(script, sizeof script, "%s/torch_peer.py", o->scripts);
    argv[n++] = o->python;
    argv[n++] = script;
    argv[n++] = "--weights";
    argv[n++] = weights;
    argv[n++] = "--image";
    argv[n++] = image;
    argv[n++] = "--threads";
    argv[n++] = threads;
    argv[n] = NULL;
    start_peer(p, o, argv);
}

/* The members as ONNX files of this image size; PyTorch writes them. */
static reshed_status export_onnx(const bench_peers_options *o, const char *weights, int height,
                                 int width, reshed_error *err)
{
    char script[PATH_SIZE], prefix[PATH_SIZE], h[16], w[16];
    const char *argv[24];
    int n = clean_environment(argv, NULL);
    if (!o->quiet) fprintf(stderr, "exporting ONNX files\n");
    snprintf(script, sizeof script, "%s/export_onnx.py", o->tools);
    scratch(o, "member", prefix);
    snprintf(h, sizeof h, "%d", height);
    snprintf(w, sizeof w, "%d", width);
    argv[n++] = o->python;
    argv[n++] = script;
    argv[n++] = weights;
    argv[n++] = h;
    argv[n++] = w;
    argv[n++] = prefix;
    argv[n] = NULL;
    return rs_child_run(argv, err);
}

static void member_path(const bench_peers_options *o, int i, char buf[PATH_SIZE])
{
    char name[32];
    snprintf(name, sizeof name, "member_%03d.onnx", i);
    scratch(o, name, buf);
}

static reshed_status start_onnxruntime(bench_peer *p, const bench_peers_options *o,
                                       const char *weights, int members, const char *image,
                                       int height, int width, const char *threads,
                                       reshed_error *err)
{
    char script[PATH_SIZE], modules[PATH_SIZE], text[512];
    char(*path)[PATH_SIZE] = rs_alloc((size_t)members, sizeof *path);
    const char **argv = rs_alloc((size_t)members + 16, sizeof *argv);
    reshed_status st = RESHED_OK;
    if (!path || !argv) {
        st = rs_fail_nomem(err, "the peers' names", (size_t)members * sizeof *path);
        goto done;
    }
    reshed_error failed = {0};
    if (export_onnx(o, weights, height, width, &failed) != RESHED_OK) {
        snprintf(p->missing, sizeof p->missing, "no ONNX files (PyTorch writes them): %s",
                 reshed_error_text(&failed, text, sizeof text));
    } else {
        snprintf(modules, sizeof modules, "NODE_PATH=%s/node_modules", o->home);
        snprintf(script, sizeof script, "%s/onnx_peer.js", o->scripts);
        int n = clean_environment(argv, modules);
        argv[n++] = o->node;
        argv[n++] = script;
        argv[n++] = "--image";
        argv[n++] = image;
        argv[n++] = "--threads";
        argv[n++] = threads;
        for (int i = 0; i < members; i++) {
            member_path(o, i, path[i]);
            argv[n++] = path[i];
        }
        argv[n] = NULL;
        start_peer(p, o, argv);
    }
    /* Loaded, or never needed. */
    for (int i = 0; i < members; i++) {
        member_path(o, i, path[i]);
        rs_os_discard_temp(path[i]);
    }
done:
    rs_free(path);
    rs_free(argv);
    return st;
}

reshed_status bench_peers_start(const bench_peers_options *o, const char *weights, int members,
                                const float *image, int height, int width, int threads,
                                bench_peer *peers, reshed_error *err)
{
    char path[PATH_SIZE], count[16];
    const size_t dims[2] = {(size_t)height, (size_t)width};
    memset(peers, 0, BENCH_PEERS * sizeof *peers);
    for (int i = 0; i < BENCH_PEERS; i++) peers[i].difference = NAN;
    peers[BENCH_PYTORCH].key = "pytorch";
    peers[BENCH_PYTORCH].name = "PyTorch";
    peers[BENCH_ONNXRUNTIME].key = "onnxruntime";
    peers[BENCH_ONNXRUNTIME].name = "ONNX Runtime";
    snprintf(count, sizeof count, "%d", threads);
    scratch(o, "image.npy", path);
    if (rs_npy_write(path, RS_NPY_F4, 2, dims, image, NULL) != RESHED_OK) {
        for (int i = 0; i < BENCH_PEERS; i++)
            snprintf(peers[i].missing, sizeof peers[i].missing,
                     "cannot write to %.180s: `make peers` makes that folder", o->home);
        return RESHED_OK;
    }
    start_pytorch(&peers[BENCH_PYTORCH], o, weights, path, count);
    reshed_status st = start_onnxruntime(&peers[BENCH_ONNXRUNTIME], o, weights, members, path,
                                         height, width, count, err);
    rs_os_discard_temp(path);
    return st;
}

/* -------------------------------------------------------------------------------------- running */

reshed_status bench_peer_run(bench_peer *p, reshed_error *err)
{
    char reply[512];
    double wall, cpu;
    reshed_status st = rs_child_ask(p->child, "run", reply, sizeof reply, err);
    if (st != RESHED_OK) return st;
    if (!bench_json_number(reply, "seconds", &wall) ||
        !bench_json_number(reply, "cpu_seconds", &cpu))
        return rs_fail(err, RESHED_ECORRUPT, "%s's reply|seconds|%.60s", p->name, reply);
    p->times.wall[p->times.n] = wall;
    p->times.cpu[p->times.n++] = cpu;
    return RESHED_OK;
}

reshed_status bench_peer_compare(bench_peer *p, const bench_peers_options *o, const float *members,
                                 int n, int height, int width, int classes, reshed_error *err)
{
    char path[PATH_SIZE], line[PATH_SIZE + 8], reply[512];
    const size_t pixels = (size_t)height * (size_t)width, cl = (size_t)classes;
    rs_npy a = {0};
    double worst = 0;
    scratch(o, "output.npy", path);
    snprintf(line, sizeof line, "save %s", path);
    reshed_status st = rs_child_ask(p->child, line, reply, sizeof reply, err);
    if (st == RESHED_OK) st = rs_npy_read(path, &a, err);
    rs_os_discard_temp(path);
    if (st != RESHED_OK) return st;
    if (a.count != (size_t)n * pixels * cl) {
        st = rs_fail(err, RESHED_ECORRUPT, "%s's output|%zu values|%zu", p->name,
                     (size_t)n * pixels * cl, a.count);
    } else {
        for (size_t m = 0; m < (size_t)n; m++) /* theirs is [N,C,H,W] */
            for (size_t i = 0; i < pixels; i++)
                for (size_t c = 0; c < cl; c++) {
                    const double d = fabs(rs_npy_at(&a, (m * cl + c) * pixels + i) -
                                          (double)members[(m * pixels + i) * cl + c]);
                    if (!(d <= worst)) worst = d; /* NaN gets through */
                }
        p->difference = worst;
    }
    rs_npy_clear(&a);
    return st;
}

void bench_peers_end(bench_peer *peers)
{
    for (int i = 0; i < BENCH_PEERS; i++) {
        rs_child_end(peers[i].child);
        peers[i].child = NULL;
    }
}

reshed_status bench_pieces_peer_start(const bench_peers_options *o, rs_child **out,
                                      reshed_error *err)
{
    char script[PATH_SIZE];
    const char *argv[16];
    int n = clean_environment(argv, NULL);
    snprintf(script, sizeof script, "%s/pieces_peer.py", o->scripts);
    argv[n++] = o->python;
    argv[n++] = script;
    argv[n] = NULL;
    return rs_child_start(argv, out, err);
}
