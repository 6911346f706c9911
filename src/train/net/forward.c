#include <string.h>

#include "train/net/wino.h"

void rs_pack_point(const rs_kernels *k, const float *w, int cin, int cout, float *out)
{
    for (int n = 0; n < cout;) {
        /* panels of nr channels, the last of RS_LANES */
        const int width = cout - n >= k->nr ? k->nr : k->nr < RS_LANES ? k->nr : RS_LANES;
        for (int i = 0; i < cin; i++, out += width)
            memcpy(out, w + (size_t)i * (size_t)cout + (size_t)n, (size_t)width * sizeof *out);
        n += width;
    }
}

/* ctx of the passes over a block */
typedef struct block_pass {
    rs_member *m;
    const rs_level *l;
    const rs_block *b, *before; /* before: the block whose output is the input, or NULL */
    rs_bn *n;                   /* of the output; sums are taken */
    float *out;
    bool sums;
} block_pass;

/* out = act(n2(z2) + x) of a row */
static void output_row(const rs_member *m, const rs_level *l, const rs_block *b, int i, int r)
{
    const size_t at = rs_row_at(l, l->channels, i, r);
    m->k.grad.norm_row(b->z2 + at, l->width, l->channels, b->n2.a, b->n2.c, b->x + at,
                       RS_LRELU_SLOPE, b->out + at);
}

/* x = c0(in), into the ring and to where it stays */
static void fill_c1(void *ctx, int i, int r, float *dst)
{
    const block_pass *p = ctx;
    const rs_member *m = p->m;
    const rs_conv_place *c = &p->b->place->c0;
    const size_t at = rs_row_at(p->l, c->cout, i, r);
    if (p->before) output_row(m, p->l, p->before, i, r);
    const float *in = p->b->in + rs_row_at(p->l, c->cin, i, r);
    if (c->cin == 1) {
        m->k.from_one(in, p->l->width, c->cout, m->p + c->w, m->p + c->b, dst);
    } else {
        const rs_mac a = rs_mac_point(in, p->l->width, c->cin, c->cout, m->point, m->p + c->b, dst);
        m->k.mac(&a);
    }
    memcpy(p->b->x + at, dst, (size_t)p->l->width * (size_t)c->cout * sizeof *dst);
}

/* act(n1(z1)) */
static void fill_c2(void *ctx, int i, int r, float *dst)
{
    const block_pass *p = ctx;
    const rs_bn *n = &p->b->n1;
    p->m->k.grad.norm_row(p->b->z1 + rs_row_at(p->l, p->l->channels, i, r), p->l->width,
                          p->l->channels, n->a, n->c, NULL, RS_LRELU_SLOPE, dst);
}

static float *put_row(void *ctx, int i, int r, const float **res)
{
    const block_pass *p = ctx;
    *res = NULL;
    return p->out + rs_row_at(p->l, p->l->channels, i, r);
}

static void take_sums(void *ctx, int i, int r0, int r1)
{
    const block_pass *p = ctx;
    const int ch = p->l->channels, pixels = (r1 - r0) * p->l->width;
    const float *v = p->out + rs_row_at(p->l, ch, i, r0);
    if (!p->sums) return;
    if (i == 0 && r0 == 0) { /* squares are taken about the mean of the first row */
        memset(p->n->mean, 0, (size_t)ch * sizeof *p->n->mean);
        p->m->k.grad.sum_row(v, p->l->width, ch, p->n->mean);
        for (int c = 0; c < ch; c++) p->n->mean[c] /= (float)p->l->width;
    }
    p->m->k.grad.moments_row(v, pixels, ch, p->n->mean, p->n->sum, p->n->dot);
    rs_bn_take(p->n);
}

static void settle(rs_member *m, rs_bn *n, size_t pixels, rs_stats stats, double momentum)
{
    if (stats == RS_STATS_BATCH)
        rs_bn_forward(m, n, pixels, momentum);
    else
        rs_bn_running(m, n);
}

static void forward_block(rs_member *m, int level, int b, int images, rs_stats stats,
                          double momentum)
{
    const rs_level *l = &m->level[level];
    rs_block *block = &m->block[m->places.first[level] + b];
    const rs_block_place *place = block->place;
    block_pass p = {.m = m,
                    .l = l,
                    .b = block,
                    .before = b ? block - 1 : NULL,
                    .n = &block->n1,
                    .out = block->z1,
                    .sums = stats == RS_STATS_BATCH};
    rs_wino_pass w = {.level = level,
                      .images = images,
                      .bias = m->p + place->c1.b,
                      .fill = fill_c1,
                      .row = put_row,
                      .after = take_sums,
                      .ctx = &p};
    rs_bn_begin(&block->n1);
    if (place->c0.cin > 1)
        rs_pack_point(&m->k, m->p + place->c0.w, place->c0.cin, place->c0.cout, m->point);
    rs_wino_filters(m, &place->c1);
    rs_wino_run(m, &w);
    settle(m, &block->n1, rs_pixels(l, images), stats, momentum);

    p.n = &block->n2;
    p.out = block->z2;
    w.bias = m->p + place->c2.b;
    w.fill = fill_c2;
    rs_bn_begin(&block->n2);
    rs_wino_filters(m, &place->c2);
    rs_wino_run(m, &w);
    settle(m, &block->n2, rs_pixels(l, images), stats, momentum);
}

/* Output of the level's last block, its head's raw scores, and the pooled input of the next. */
static void finish_level(rs_member *m, int level, int images)
{
    const rs_level *l = &m->level[level], *next = l + 1;
    const rs_block *b = &m->block[m->places.first[level + 1] - 1];
    const rs_conv_place *head = &m->places.head[level].conv;
    const bool pool = level + 1 < m->arch.levels;
    for (int i = 0; i < images; i++)
        for (int r = 0; r < l->height; r++) {
            const size_t at = rs_row_at(l, l->channels, i, r);
            output_row(m, l, b, i, r);
            m->k.head_row(b->out + at, l->width, l->channels, 1, m->p + head->w, m->p + head->b,
                          l->raw + rs_row_at(l, 1, i, r));
            if (pool && r % 2 && r / 2 < next->height)
                m->k.pool_row(b->out + rs_row_at(l, l->channels, i, r - 1), b->out + at,
                              (size_t)l->channels, next->width, l->channels,
                              next->pooled + rs_row_at(next, l->channels, i, r / 2));
        }
}

void rs_forward(rs_member *m, const rs_batch *b, rs_stats stats, double momentum)
{
    m->block[0].in = b->image;
    for (int k = 0; k < m->arch.levels; k++) {
        for (int i = 0; i < m->arch.layers[k]; i++) forward_block(m, k, i, b->n, stats, momentum);
        finish_level(m, k, b->n);
    }
}
