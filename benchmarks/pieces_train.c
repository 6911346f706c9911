/* Steps of training: a batch of images of the size that ensembles are trained with. */
#include "benchmarks/pieces.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "benchmarks/random_model.h"
#include "io/npy.h"
#include "train/net/member.h"

#define RATE 1e-3
#define HEADER 4 /* of the peer's input: filters, images, height, width */

typedef struct state {
    rs_member *member; /* owned */
    rs_batch batch;    /* parts of data */
    float *data;       /* header, images, targets, weights; owned */
    size_t pixels;     /* of the batch */
} state;

static void release(void *p)
{
    state *s = p;
    rs_member_free(s->member);
    rs_free(s->data);
}

static void run_step(void *p)
{
    state *s = p;
    rs_member_step(s->member, &s->batch, RATE);
}

static reshed_status write_step(const void *p, const char *path, reshed_error *err)
{
    const state *s = p;
    const size_t n = HEADER + 2 * s->pixels;
    return rs_npy_write(path, RS_NPY_F4, 1, &n, s->data, err);
}

/* A batch of 8 images of 7/16 of the size that the other pieces have (112 of 256); arg divides the
 * number of filters. */
static reshed_status make_step(const bench_env *env, const bench_piece *p, bench_run *out,
                               reshed_error *err)
{
    const int wanted = env->size * 7 / 16, side = wanted < 16 ? 16 : wanted;
    const rs_arch arch = {.levels = 3,
                          .layers = {3, 4, 5},
                          .filters = env->filters / p->arg ? env->filters / p->arg : 1,
                          .classes = 1,
                          .upsampling = RS_BILINEAR};
    rs_member_options o = rs_member_defaults();
    o.batch = side < 64 ? 1 : 8;
    o.height = o.width = side;
    o.isa = env->kernels->isa;
    state *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a step of training", sizeof *s);
    out->state = s;
    out->run = run_step;
    out->release = release;
    const size_t one = (size_t)side * (size_t)side, n = (size_t)o.batch * one;
    s->pixels = n;
    s->data = rs_alloc(HEADER + 3 * n, sizeof *s->data);
    if (!s->data) return rs_fail_nomem(err, "a step of training", 3 * n * sizeof *s->data);
    const float header[HEADER] = {(float)arch.filters, (float)o.batch, (float)side, (float)side};
    memcpy(s->data, header, sizeof header);
    s->batch = (rs_batch){
        o.batch, side, side, s->data + HEADER, s->data + HEADER + n, s->data + HEADER + 2 * n};
    for (int i = 0; i < o.batch; i++)
        bench_random_image(s->batch.image + (size_t)i * one, side, side, env->seed + (uint64_t)i);
    for (size_t i = 0; i < n; i++) {
        s->batch.target[i] = s->batch.image[i] > 0.6f;
        s->batch.weight[i] = 1;
    }
    snprintf(out->shape, sizeof out->shape, "%d filters, %d of %d px", arch.filters, o.batch, side);
    /* forward, and twice that backward */
    out->flops = 6 * o.batch * bench_network_macs(&arch, side, side);
    out->items = o.batch;
    out->item = "image";
    out->task = "train_step";
    out->write_input = write_step;
    return rs_member_create(&arch, &o, env->seed, &s->member, err);
}

const bench_piece *bench_pieces_train(int *n)
{
    static const bench_piece table[] = {{"train", "step, quarter of the filters", make_step, 0, 4},
                                        {"train", "step, half of the filters", make_step, 0, 2}};
    *n = sizeof table / sizeof *table;
    return table;
}
