/* From the wall map to lines. */
#include "benchmarks/pieces.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "imgproc/walls/graph/build.h"
#include "io/npy.h"
#include "benchmarks/random_model.h"

typedef struct state {
    int side;
    float *map; /* [side,side] wall probability; owned, as the rest */
    uint8_t *mask, *skeleton;
} state;

static void release(void *p)
{
    state *s = p;
    rs_free(s->map);
    rs_free(s->mask);
    rs_free(s->skeleton);
}

/* A map with walls: two families of stripes about 20 pixels apart and 4 wide, the second in part of
 * the frame, with noise. */
static reshed_status start(const bench_env *env, bench_run *out, void (*run)(void *),
                           reshed_error *err)
{
    state *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a piece", sizeof *s);
    const size_t n = (size_t)env->size * (size_t)env->size;
    out->state = s;
    out->run = run;
    out->release = release;
    s->side = env->size;
    s->map = rs_alloc(n, sizeof *s->map);
    s->mask = rs_alloc(n, 1);
    s->skeleton = rs_alloc(n, 1);
    if (!s->map || !s->mask || !s->skeleton) return rs_fail_nomem(err, "a piece", 6 * n);
    rs_random r = {env->seed};
    for (int y = 0; y < s->side; y++)
        for (int x = 0; x < s->side; x++) {
            const double a = sin(0.25 * x + 0.12 * y), b = sin(0.1 * x - 0.3 * y);
            const double d = x + y > s->side && b > a ? b : a;
            s->map[(size_t)y * (size_t)s->side + (size_t)x] =
                (float)(d > 0.8 ? 0.9 : 0.1) + 0.05f * (float)bench_gauss(&r);
        }
    rs_threshold(s->map, n, RS_THRESHOLD_DEFAULT, s->mask);
    snprintf(out->shape, sizeof out->shape, "%d x %d", s->side, s->side);
    out->items = (double)n;
    out->item = "pixel";
    return rs_skeletonize(s->mask, s->side, s->side, s->skeleton, err);
}

static reshed_status write_mask(const void *p, const char *path, reshed_error *err)
{
    const state *s = p;
    const size_t dims[2] = {(size_t)s->side, (size_t)s->side};
    return rs_npy_write(path, RS_NPY_U1, 2, dims, s->mask, err);
}

static void run_threshold(void *p)
{
    const state *s = p;
    rs_threshold(s->map, (size_t)s->side * (size_t)s->side, RS_THRESHOLD_DEFAULT, s->mask);
}

static void run_skeleton(void *p)
{
    const state *s = p;
    rs_skeletonize(s->mask, s->side, s->side, s->skeleton, NULL);
}

static void run_walls(void *p)
{
    const state *s = p;
    const rs_wallgraph_input in = {.grid = {s->side, s->side, 1e-8, 1e-8},
                                   .skeleton = s->skeleton,
                                   .mask = s->mask,
                                   .probability = s->map};
    rs_wallgraph_options o;
    rs_wallgraph g = {0};
    rs_wallgraph_options_defaults(&o);
    rs_wallgraph_build(&in, &o, &g, NULL);
    rs_wallgraph_clear(&g);
}

static reshed_status make_threshold(const bench_env *env, const bench_piece *p, bench_run *out,
                                    reshed_error *err)
{
    (void)p;
    return start(env, out, run_threshold, err);
}

static reshed_status make_skeleton(const bench_env *env, const bench_piece *p, bench_run *out,
                                   reshed_error *err)
{
    (void)p;
    out->task = "skeletonize";
    out->write_input = write_mask;
    return start(env, out, run_skeleton, err);
}

static reshed_status make_walls(const bench_env *env, const bench_piece *p, bench_run *out,
                                reshed_error *err)
{
    (void)p;
    return start(env, out, run_walls, err);
}

static const bench_piece pieces[] = {
    {"imgproc", "threshold", make_threshold, 0, 0},
    {"imgproc", "skeleton", make_skeleton, 0, 0},
    {"imgproc", "wall graph", make_walls, 0, 0},
};

const bench_piece *bench_pieces_imgproc(int *n)
{
    *n = (int)(sizeof pieces / sizeof *pieces);
    return pieces;
}
