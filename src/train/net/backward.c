#include <string.h>

#include "train/net/wino.h"

/* ctx of the passes over a block */
typedef struct block_pass {
    rs_member *m;
    const rs_level *l;
    rs_block *b, *before; /* before: the block whose output is the input, or NULL */
    bool deepest;         /* the input is the image: no gradient to it */
} block_pass;

/* ------------------------------------------------------------------------------ c2, and n2 above */

/* gradient of z2 */
static void fill_dz2(void *ctx, int i, int r, float *dst)
{
    const block_pass *p = ctx;
    const size_t at = rs_row_at(p->l, p->l->channels, i, r);
    const rs_bn *n = &p->b->n2;
    p->m->k.grad.norm_grad_row(p->m->ga + at, p->b->z2 + at, p->l->width, p->l->channels, n->da,
                               n->db, n->dc, dst);
}

/* act(n1(z1)), as in the forward pass */
static void fill_y1(void *ctx, int i, int r, float *dst)
{
    const block_pass *p = ctx;
    const rs_bn *n = &p->b->n1;
    p->m->k.grad.norm_row(p->b->z1 + rs_row_at(p->l, p->l->channels, i, r), p->l->width,
                          p->l->channels, n->a, n->c, NULL, RS_LRELU_SLOPE, dst);
}

static float *row_gb(void *ctx, int i, int r, const float **res)
{
    const block_pass *p = ctx;
    *res = NULL;
    return p->m->gb + rs_row_at(p->l, p->l->channels, i, r);
}

/* through the activation, with n1's sums */
static void after_c2(void *ctx, int i, int r0, int r1)
{
    const block_pass *p = ctx;
    const size_t at = rs_row_at(p->l, p->l->channels, i, r0);
    rs_bn *n = &p->b->n1;
    const rs_mask_row a = {.d = p->m->gb + at,
                           .s = p->b->z1 + at,
                           .a = n->a,
                           .c = n->c,
                           .z = p->b->z1 + at,
                           .mean = n->mean,
                           .slope = RS_LRELU_SLOPE,
                           .pixels = (r1 - r0) * p->l->width,
                           .channels = p->l->channels,
                           .sum = n->sum,
                           .dot = n->dot};
    p->m->k.grad.mask_row(&a);
    rs_bn_take(n);
}

/* ------------------------------------------------------------------------------ c1 and c0, n1 above */

static void fill_dz1(void *ctx, int i, int r, float *dst)
{
    const block_pass *p = ctx;
    const size_t at = rs_row_at(p->l, p->l->channels, i, r);
    const rs_bn *n = &p->b->n1;
    p->m->k.grad.norm_grad_row(p->m->gb + at, p->b->z1 + at, p->l->width, p->l->channels, n->da,
                               n->db, n->dc, dst);
}

static void fill_x(void *ctx, int i, int r, float *dst)
{
    const block_pass *p = ctx;
    memcpy(dst, p->b->x + rs_row_at(p->l, p->l->channels, i, r),
           (size_t)p->l->width * (size_t)p->l->channels * sizeof *dst);
}

/* The gradient of x: c1's to its input and what comes along the shortcut; in scratch. */
static float *row_dx(void *ctx, int i, int r, const float **res)
{
    const block_pass *p = ctx;
    const size_t row = (size_t)p->l->width * (size_t)p->l->channels;
    *res = p->m->ga + rs_row_at(p->l, p->l->channels, i, r);
    return p->m->rows + (size_t)(r % (4 * p->l->task)) * row;
}

/* From dx: c0's gradients; and through the activation of the block before, with its n2's sums. The
 * gradient to the input replaces in ga that of the output: rows that are done, never later ones,
 * for the input has no more channels. */
static void after_c1(void *ctx, int i, int r0, int r1)
{
    const block_pass *p = ctx;
    rs_member *m = p->m;
    const rs_conv_place *c = &p->b->place->c0;
    const int pixels = (r1 - r0) * p->l->width;
    const size_t at = rs_row_at(p->l, c->cin, i, r0);
    const rs_outer o = {.a = p->b->in + at,
                        .b = m->rows,
                        .a_stride = (size_t)c->cin,
                        .b_stride = (size_t)c->cout,
                        .count = pixels,
                        .rows = c->cin,
                        .cols = c->cout,
                        .sum = m->g + c->w};
    m->k.grad.outer(&o);
    m->k.grad.sum_row(m->rows, pixels, c->cout, m->g + c->b);
    if (p->deepest) return;
    const rs_mac a = rs_mac_point(m->rows, pixels, c->cout, c->cin, m->point, NULL, m->ga + at);
    m->k.mac(&a);
    if (!p->before) return;
    rs_bn *n = &p->before->n2;
    const rs_mask_row k = {.d = m->ga + at,
                           .s = p->before->out + at,
                           .z = p->before->z2 + at,
                           .mean = n->mean,
                           .slope = RS_LRELU_SLOPE,
                           .pixels = pixels,
                           .channels = c->cin,
                           .sum = n->sum,
                           .dot = n->dot};
    m->k.grad.mask_row(&k);
    rs_bn_take(n);
}

/* W^T of a 1x1 convolution, packed. */
static void pack_turned_point(rs_member *m, const rs_conv_place *c)
{
    const size_t cin = (size_t)c->cin, cout = (size_t)c->cout;
    for (size_t i = 0; i < cin; i++)
        for (size_t n = 0; n < cout; n++) m->turned[n * cin + i] = m->p[c->w + i * cout + n];
    rs_pack_point(&m->k, m->turned, c->cout, c->cin, m->point);
}

/* What a batch norm behind it leaves of a bias's gradient: nothing, when it takes the batch's own
 * mean away. */
static void bias_gradient(rs_member *m, const rs_conv_place *c, const rs_bn *n, rs_stats stats)
{
    for (int i = 0; i < c->cout; i++)
        m->g[c->b + (size_t)i] =
            stats == RS_STATS_BATCH ? 0 : (float)((double)n->da[i] * n->sums[i]);
}

/* ga: the gradient of n2's output, with its sums taken. Leaves that of the block's input there. */
static void backward_block(rs_member *m, int level, int b, int images, rs_stats stats)
{
    const rs_level *l = &m->level[level];
    rs_block *block = &m->block[m->places.first[level] + b];
    const rs_block_place *place = block->place;
    block_pass p = {.m = m,
                    .l = l,
                    .b = block,
                    .before = b ? block - 1 : NULL,
                    .deepest = level == 0 && b == 0};
    rs_wino_pass w = {.level = level,
                      .images = images,
                      .bias = m->zeros,
                      .fill = fill_dz2,
                      .fill_input = fill_y1,
                      .row = row_gb,
                      .after = after_c2,
                      .ctx = &p};
    rs_bn_backward(m, &block->n2, rs_pixels(l, images), stats);
    bias_gradient(m, &place->c2, &block->n2, stats);
    rs_bn_begin(&block->n1);
    rs_wino_filters_turned(m, &place->c2);
    rs_wino_run(m, &w);
    m->k.grad.wino_filter_grad(m->du, l->channels, l->channels, m->g + place->c2.w);

    w.fill = fill_dz1;
    w.fill_input = fill_x;
    w.row = row_dx;
    w.after = after_c1;
    rs_bn_backward(m, &block->n1, rs_pixels(l, images), stats);
    bias_gradient(m, &place->c1, &block->n1, stats);
    if (p.before) rs_bn_begin(&p.before->n2);
    rs_wino_filters_turned(m, &place->c1);
    if (!p.deepest) pack_turned_point(m, &place->c0);
    rs_wino_run(m, &w);
    m->k.grad.wino_filter_grad(m->du, l->channels, l->channels, m->g + place->c1.w);
}

/* The gradient of a level's output: from its head, and (in ga) from the pooled input of the next;
 * through the activation of the last block, with its n2's sums. */
static void start_level(rs_member *m, int level, int images)
{
    const rs_level *l = &m->level[level], *next = l + 1;
    const rs_block *b = &m->block[m->places.first[level + 1] - 1];
    const rs_conv_place *head = &m->places.head[level].conv;
    const bool pool = level + 1 < m->arch.levels;
    rs_bn *n = &m->block[m->places.first[level + 1] - 1].n2;
    float *to = pool ? m->gb : m->ga;
    rs_bn_begin(n);
    for (int i = 0; i < images; i++)
        for (int r = 0; r < l->height; r += 2) {
            const int rows = r + 1 < l->height ? 2 : 1;
            const size_t at = rs_row_at(l, l->channels, i, r);
            const size_t row = (size_t)l->width * (size_t)l->channels;
            m->k.grad.head_grad_row(b->out + at, l->score + rs_row_at(l, 1, i, r), rows * l->width,
                                    l->channels, m->p + head->w, m->g + head->w, to + at);
            if (pool && rows == 2 && r / 2 < next->height)
                m->k.grad.pool_grad_row(b->out + at, b->out + at + row,
                                        m->ga + rs_row_at(next, l->channels, i, r / 2), next->width,
                                        l->channels, to + at, to + at + row);
            const rs_mask_row a = {.d = to + at,
                                   .s = b->out + at,
                                   .z = b->z2 + at,
                                   .mean = n->mean,
                                   .slope = RS_LRELU_SLOPE,
                                   .pixels = rows * l->width,
                                   .channels = l->channels,
                                   .sum = n->sum,
                                   .dot = n->dot};
            m->k.grad.mask_row(&a);
            rs_bn_take(n);
        }
    if (pool) {
        m->gb = m->ga;
        m->ga = to;
    }
}

void rs_backward(rs_member *m, int images, rs_stats stats)
{
    for (int k = m->arch.levels - 1; k >= 0; k--) {
        start_level(m, k, images);
        for (int b = m->arch.layers[k] - 1; b >= 0; b--) backward_block(m, k, b, images, stats);
    }
}
