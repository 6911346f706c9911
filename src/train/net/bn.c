#include <math.h>
#include <string.h>

#include "train/net/private.h"

void rs_bn_begin(rs_bn *n)
{
    const size_t c = (size_t)n->place->padded;
    memset(n->sum, 0, c * sizeof *n->sum);
    memset(n->dot, 0, c * sizeof *n->dot);
    memset(n->sums, 0, c * sizeof *n->sums);
    memset(n->dots, 0, c * sizeof *n->dots);
}

void rs_bn_take(rs_bn *n)
{
    for (int i = 0; i < n->place->padded; i++) {
        n->sums[i] += (double)n->sum[i];
        n->dots[i] += (double)n->dot[i];
        n->sum[i] = n->dot[i] = 0;
    }
}

/* y = (z - mean) inv gamma + beta */
static void affine(const rs_member *m, rs_bn *n, int i, double mean, double var)
{
    n->inv[i] = 1 / sqrt(var + RS_BN_EPS);
    const double a = (double)m->p[n->place->gamma + (size_t)i] * n->inv[i];
    n->a[i] = (float)a;
    n->mean[i] = (float)mean;
    n->c[i] = (float)((double)m->p[n->place->beta + (size_t)i] - a * mean);
}

void rs_bn_forward(rs_member *m, rs_bn *n, size_t pixels, double momentum)
{
    const double count = (double)pixels;
    for (int i = 0; i < n->place->padded; i++) {
        /* n->mean is what the sums were taken about */
        const double d = n->sums[i] / count, mean = (double)n->mean[i] + d;
        const double var = fmax(n->dots[i] / count - d * d, 0);
        const double unbiased = count > 1 ? var * count / (count - 1) : var;
        float *running = &m->s[n->place->mean + (size_t)i],
              *spread = &m->s[n->place->var + (size_t)i];
        if (momentum > 0 && i < n->place->channels) {
            *running = (float)((1 - momentum) * (double)*running + momentum * mean);
            *spread = (float)((1 - momentum) * (double)*spread + momentum * unbiased);
        }
        affine(m, n, i, mean, var);
    }
}

void rs_bn_running(const rs_member *m, rs_bn *n)
{
    for (int i = 0; i < n->place->padded; i++)
        affine(m, n, i, (double)m->s[n->place->mean + (size_t)i],
               (double)m->s[n->place->var + (size_t)i]);
}

void rs_bn_backward(rs_member *m, rs_bn *n, size_t pixels, rs_stats stats)
{
    const double count = (double)pixels;
    for (int i = 0; i < n->place->padded; i++) {
        const double a = (double)m->p[n->place->gamma + (size_t)i] * n->inv[i];
        const double dgamma = n->dots[i] * n->inv[i];
        m->g[n->place->gamma + (size_t)i] = (float)dgamma;
        m->g[n->place->beta + (size_t)i] = (float)n->sums[i];
        n->da[i] = (float)a;
        if (stats == RS_STATS_RUNNING) {
            n->db[i] = n->dc[i] = 0;
            continue;
        }
        const double slope = -a * n->inv[i] * dgamma / count;
        n->db[i] = (float)slope;
        n->dc[i] = (float)(-a * n->sums[i] / count - slope * (double)n->mean[i]);
    }
}
