#include "train/net/wino.h"

#include <string.h>

#define TILE 4
#define ELEMENTS 36

static int ring_rows(const rs_level *l)
{
    return TILE * l->task + 2;
}

/* Pixels of a row in the ring: a zero one on the left, and zeros up to the last tile's end. */
static size_t ring_pixels(const rs_level *l)
{
    return (size_t)(TILE * l->across + 2);
}

size_t rs_wino_ring_floats(const rs_level *l)
{
    /* one row more: the zero row */
    return (size_t)(ring_rows(l) + 1) * ring_pixels(l) * (size_t)l->channels;
}

size_t rs_wino_task_floats(const rs_level *l)
{
    return ELEMENTS * rs_wino_stride(l->task * l->across, l->channels);
}

void rs_wino_filters(rs_member *m, const rs_conv_place *c)
{
    m->k.grad.wino_filter(m->p + c->w, c->cin, c->cout, m->u);
}

void rs_wino_filters_turned(rs_member *m, const rs_conv_place *c)
{
    const size_t cin = (size_t)c->cin, cout = (size_t)c->cout, per = cin * cout;
    for (size_t t = 0; t < 9; t++) {
        const float *from = m->p + c->w + t * per;
        float *to = m->turned + (8 - t) * per;
        for (size_t i = 0; i < cin; i++)
            for (size_t n = 0; n < cout; n++) to[n * cin + i] = from[i * cout + n];
    }
    m->k.grad.wino_filter(m->turned, c->cout, c->cin, m->u);
}

/* One image's rows in one ring. */
typedef struct ring {
    float *slots;
    const float *zero;
    int have; /* rows [..have) have been filled; the last ring_rows of them are there */
} ring;

static float *slot(const rs_level *l, const ring *g, int r)
{
    return g->slots + (size_t)(r % ring_rows(l)) * ring_pixels(l) * (size_t)l->channels;
}

/* Row r at the zero pixel left of column 0. */
static const float *ring_row(const rs_level *l, const ring *g, int r)
{
    return r < 0 || r >= l->height ? g->zero : slot(l, g, r);
}

static void ring_fill(const rs_level *l, ring *g, int need, int image,
                      void (*fill)(void *ctx, int i, int r, float *dst), void *ctx)
{
    for (; g->have < need; g->have++) fill(ctx, image, g->have, slot(l, g, g->have) + l->channels);
}

/* Rows of tiles [d0,d1) of an image. */
typedef struct task {
    int image, d0, d1, tiles;
    size_t stride;
} task;

static void transform_in(const rs_member *m, const rs_level *l, const ring *g, const task *t)
{
    for (int d = t->d0; d < t->d1; d++) {
        rs_wino_in a = {.tiles = l->across,
                        .channels = l->channels,
                        .step = (size_t)l->channels,
                        .v = m->tv + (size_t)((d - t->d0) * l->across) * (size_t)l->channels,
                        .v_stride = t->stride};
        for (int i = 0; i < TILE + 2; i++) a.row[i] = ring_row(l, g, TILE * d - 1 + i);
        m->k.wino_in[0](&a);
    }
}

static void transform_grad(const rs_member *m, const rs_level *l, const ring *g, const task *t)
{
    for (int d = t->d0; d < t->d1; d++) {
        rs_wino_grad a = {.tiles = l->across,
                          .channels = l->channels,
                          .d = m->tm + (size_t)((d - t->d0) * l->across) * (size_t)l->channels,
                          .d_stride = t->stride};
        for (int i = 0; i < TILE; i++) a.row[i] = ring_row(l, g, TILE * d + i) + l->channels;
        m->k.grad.wino_grad(&a);
    }
}

static void products(const rs_member *m, const rs_level *l, const task *t)
{
    const size_t ch = (size_t)l->channels;
    for (size_t f = 0; f < ELEMENTS; f++) {
        const rs_mac a = rs_mac_point(m->tv + f * t->stride, t->tiles, l->channels, l->channels,
                                      m->u + f * ch * ch, NULL, m->tm + f * t->stride);
        m->k.mac(&a);
    }
}

static void weight_products(const rs_member *m, const rs_level *l, const task *t)
{
    const size_t ch = (size_t)l->channels;
    for (size_t f = 0; f < ELEMENTS; f++) {
        const rs_outer a = {.a = m->tv + f * t->stride,
                            .b = m->tm + f * t->stride,
                            .a_stride = ch,
                            .b_stride = ch,
                            .count = t->tiles,
                            .rows = l->channels,
                            .cols = l->channels,
                            .sum = m->du + f * ch * ch};
        m->k.grad.outer(&a);
    }
}

static void transform_out(const rs_member *m, const rs_level *l, const rs_wino_pass *p,
                          const task *t)
{
    for (int d = t->d0; d < t->d1; d++) {
        const int top = TILE * d, rows = l->height - top < TILE ? l->height - top : TILE;
        rs_wino_out a = {.prod = m->tm + (size_t)((d - t->d0) * l->across) * (size_t)l->channels,
                         .prod_stride = t->stride,
                         .tiles = l->across,
                         .channels = l->channels,
                         .bias = p->bias,
                         .slope = 1,
                         .rows = rows,
                         .width = l->width,
                         .res_step = (size_t)l->channels,
                         .step = (size_t)l->channels};
        for (int i = 0; i < rows; i++) a.out[i] = p->row(p->ctx, t->image, top + i, &a.res[i]);
        m->k.wino_out[0](&a);
    }
}

static void run_image(rs_member *m, const rs_wino_pass *p, int image)
{
    const rs_level *l = &m->level[p->level];
    const size_t row = ring_pixels(l) * (size_t)l->channels;
    ring g[2];
    for (int i = 0; i < 2; i++)
        g[i] = (ring){.slots = m->ring[i] + row, .zero = m->ring[i], .have = 0};
    for (int d = 0; d < l->down; d += l->task) {
        task t = {.image = image, .d0 = d, .d1 = d + l->task < l->down ? d + l->task : l->down};
        const int r0 = TILE * d, r1 = TILE * t.d1 < l->height ? TILE * t.d1 : l->height;
        const int need = TILE * t.d1 + 1 < l->height ? TILE * t.d1 + 1 : l->height;
        t.tiles = (t.d1 - t.d0) * l->across;
        t.stride = rs_wino_stride(t.tiles, l->channels);
        ring_fill(l, &g[0], need, image, p->fill, p->ctx);
        transform_in(m, l, &g[0], &t);
        products(m, l, &t);
        transform_out(m, l, p, &t);
        p->after(p->ctx, image, r0, r1);
        if (!p->fill_input) continue;
        ring_fill(l, &g[1], need, image, p->fill_input, p->ctx);
        transform_in(m, l, &g[1], &t);
        transform_grad(m, l, &g[0], &t);
        weight_products(m, l, &t);
    }
}

void rs_wino_run(rs_member *m, const rs_wino_pass *p)
{
    const rs_level *l = &m->level[p->level];
    const size_t ch = (size_t)l->channels;
    /* zero pixels around the rows, whatever level was here before */
    memset(m->ring[0], 0, rs_wino_ring_floats(l) * sizeof(float));
    if (p->fill_input) {
        memset(m->ring[1], 0, rs_wino_ring_floats(l) * sizeof(float));
        memset(m->du, 0, ELEMENTS * ch * ch * sizeof(float));
    }
    for (int i = 0; i < p->images; i++) run_image(m, p, i);
}
