#include <math.h>
#include <string.h>

#include "train/net/private.h"

/* ------------------------------------------------------------------------------------- forward */

/* Sums of the raw scores about the first one. */
static void raw_sums(rs_level *l, size_t pixels)
{
    double sum = 0, square = 0;
    l->norm.mean[0] = l->raw[0];
    for (size_t i = 0; i < pixels; i++) {
        const double d = (double)(l->raw[i] - l->norm.mean[0]);
        sum += d;
        square += d * d;
    }
    l->norm.sums[0] = sum;
    l->norm.dots[0] = square;
}

/* One row of the image from the two rows of scores that it samples, mixed in `mixed`. */
static void resize_row(const rs_level *l, const rs_sampling *s, const float *scores, int width,
                       float *mixed, float *out)
{
    const float *lo = scores + (size_t)s->lo * (size_t)l->width;
    const float *hi = scores + (size_t)s->hi * (size_t)l->width;
    for (int x = 0; x < l->width; x++) mixed[x] = lo[x] + s->t * (hi[x] - lo[x]);
    for (int x = 0; x < width; x++) {
        const rs_sampling *c = &l->columns[x];
        out[x] = mixed[c->lo] + c->t * (mixed[c->hi] - mixed[c->lo]);
    }
}

static void resize(rs_member *m, rs_level *l, int images)
{
    const int height = m->level[0].height, width = m->level[0].width;
    for (int i = 0; i < images; i++)
        for (int y = 0; y < height; y++)
            resize_row(l, &l->rows[y], l->score + rs_row_at(l, 1, i, 0), width, m->rows,
                       l->up + rs_row_at(&m->level[0], 1, i, y));
}

void rs_heads_forward(rs_member *m, int images, rs_stats stats, double momentum)
{
    const size_t n = rs_pixels(&m->level[0], images);
    for (int k = 0; k < m->arch.levels; k++) {
        rs_level *l = &m->level[k];
        const size_t pixels = rs_pixels(l, images);
        if (stats == RS_STATS_BATCH) {
            raw_sums(l, pixels);
            rs_bn_forward(m, &l->norm, pixels, momentum);
        } else {
            rs_bn_running(m, &l->norm);
        }
        for (size_t i = 0; i < pixels; i++) l->score[i] = l->norm.a[0] * l->raw[i] + l->norm.c[0];
        if (k) resize(m, l, images);
        const float w = m->p[m->places.out.w + (size_t)k];
        const float bias = k ? 0 : m->p[m->places.out.b];
        for (size_t i = 0; i < n; i++) m->logit[i] = (k ? m->logit[i] : bias) + w * l->up[i];
    }
}

/* ---------------------------------------------------------------------------------------- loss */

/* Sums over the pixels that count: their number, cross-entropy, p, t, p t. */
typedef struct loss_sums {
    double weight, entropy, p, t, both;
} loss_sums;

static loss_sums sums_of(const rs_member *m, const rs_batch *b, size_t n)
{
    loss_sums s = {0};
    const float *prob = m->probability;
    for (size_t i = 0; i < n; i++) {
        const float w = b->weight[i];
        if (!(w > 0)) continue; /* what is ignored may be anything */
        const float z = m->logit[i], t = b->target[i], p = prob[i];
        /* log(1 + exp(-|z|)) = -log of the larger of p and 1 - p */
        const float rest = -logf(p > 0.5f ? p : 1 - p);
        s.weight += (double)w;
        s.entropy += (double)(w * ((z > 0 ? z : 0) - z * t + rest));
        s.p += (double)(w * p);
        s.t += (double)(w * t);
        s.both += (double)(w * p * t);
    }
    return s;
}

double rs_loss(rs_member *m, const rs_batch *b, bool gradient)
{
    const size_t n = rs_pixels(&m->level[0], b->n);
    memcpy(m->probability, m->logit, n * sizeof *m->probability);
    m->k.sigmoid(m->probability, n);
    const loss_sums s = sums_of(m, b, n);
    const double over = 2 * s.both + 1, under = s.p + s.t + 1;
    const double loss = s.weight > 0 ? m->o.entropy * s.entropy / s.weight : 0;
    if (gradient) {
        /* d(1 - over/under)/dp = (over - 2 t under) / under^2 */
        const float e = (float)(s.weight > 0 ? m->o.entropy / s.weight : 0);
        const float d0 = (float)(m->o.dice * over / (under * under));
        const float d1 = (float)(m->o.dice * -2 / under);
        for (size_t i = 0; i < n; i++) {
            const float w = b->weight[i], t = b->target[i], p = m->probability[i];
            m->dlogit[i] = w > 0 ? w * (e * (p - t) + (d0 + d1 * t) * p * (1 - p)) : 0;
        }
    }
    return s.weight > 0 ? loss + m->o.dice * (1 - over / under) : 0;
}

/* ------------------------------------------------------------------------------------- backward */

/* The adjoint of resize: m->dlogit times w into l->score. */
static void resize_gradient(rs_member *m, rs_level *l, int images, float w)
{
    const int height = m->level[0].height, width = m->level[0].width;
    memset(l->score, 0, rs_pixels(l, images) * sizeof *l->score);
    for (int i = 0; i < images; i++)
        for (int y = 0; y < height; y++) {
            const float *d = m->dlogit + rs_row_at(&m->level[0], 1, i, y);
            const rs_sampling *s = &l->rows[y];
            float *mixed = m->rows, *lo = l->score + rs_row_at(l, 1, i, s->lo);
            float *hi = l->score + rs_row_at(l, 1, i, s->hi);
            memset(mixed, 0, (size_t)l->width * sizeof *mixed);
            for (int x = 0; x < width; x++) {
                const rs_sampling *c = &l->columns[x];
                mixed[c->hi] += c->t * d[x];
                mixed[c->lo] += (1 - c->t) * d[x];
            }
            for (int x = 0; x < l->width; x++) {
                hi[x] += w * s->t * mixed[x];
                lo[x] += w * (1 - s->t) * mixed[x];
            }
        }
}

void rs_heads_backward(rs_member *m, int images, rs_stats stats)
{
    const size_t n = rs_pixels(&m->level[0], images);
    double all = 0;
    for (size_t i = 0; i < n; i++) all += (double)m->dlogit[i];
    m->g[m->places.out.b] = (float)all;
    for (int k = 0; k < m->arch.levels; k++) {
        rs_level *l = &m->level[k];
        const size_t pixels = rs_pixels(l, images);
        const float w = m->p[m->places.out.w + (size_t)k];
        double dw = 0, sum = 0, dot = 0;
        for (size_t i = 0; i < n; i++) dw += (double)(m->dlogit[i] * l->up[i]);
        m->g[m->places.out.w + (size_t)k] = (float)dw;
        if (k)
            resize_gradient(m, l, images, w);
        else
            for (size_t i = 0; i < n; i++) l->score[i] = w * m->dlogit[i];
        for (size_t i = 0; i < pixels; i++) {
            sum += (double)l->score[i];
            dot += (double)(l->score[i] * (l->raw[i] - l->norm.mean[0]));
        }
        l->norm.sums[0] = sum;
        l->norm.dots[0] = dot;
        rs_bn_backward(m, &l->norm, pixels, stats);
        const float da = l->norm.da[0], db = l->norm.db[0], dc = l->norm.dc[0];
        for (size_t i = 0; i < pixels; i++) l->score[i] = da * l->score[i] + db * l->raw[i] + dc;
        m->g[m->places.head[k].conv.b] = stats == RS_STATS_BATCH ? 0 : (float)((double)da * sum);
    }
}
