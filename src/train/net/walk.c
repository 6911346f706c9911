#include "train/net/walk.h"

#include <assert.h>
#include <math.h>

#include "base/alloc.h"
#include "base/numeric.h"

void rs_walk_step(const rs_walk *w, float *p, float *v, const float *g, const uint8_t *real,
                  size_t n, double norm, rs_random *random)
{
    if (!isfinite(norm)) return;
    const double cut = w->clip > 0 ? fmin(1, w->clip / (norm + 1e-6)) : 1;
    const double sigma = w->noise * sqrt(2 * w->friction * w->rate);
    for (size_t i = 0; i < n; i++) {
        if (!real[i]) continue;
        const double force = cut * (double)g[i] + w->decay * (double)p[i];
        double next = (1 - w->friction) * (double)v[i] - w->rate * force;
        if (sigma > 0) next += sigma * rs_random_gauss(random);
        v[i] = (float)next;
        p[i] += v[i];
    }
}

double rs_walk_cycle_rate(double rate, long at, long steps)
{
    return rate / 2 * (cos(RS_PI * (double)at / (double)steps) + 1);
}

reshed_status rs_swag_make(size_t n, int rank, rs_swag *out, reshed_error *err)
{
    *out = (rs_swag){.n = n, .rank = rank};
    out->mean = rs_zalloc(n, sizeof *out->mean);
    out->square = rs_zalloc(n, sizeof *out->square);
    out->deviation = rs_zalloc(n, (size_t)rank * sizeof *out->deviation);
    if (out->mean && out->square && out->deviation) return RESHED_OK;
    return rs_fail_nomem(err, "statistics of a walk", n * ((size_t)rank * 4 + 16));
}

void rs_swag_clear(rs_swag *s)
{
    rs_free(s->mean);
    rs_free(s->square);
    rs_free(s->deviation);
    *s = (rs_swag){0};
}

void rs_swag_add(rs_swag *s, const float *p)
{
    float *column = s->deviation + (size_t)(s->added % s->rank) * s->n;
    const double count = ++s->added;
    for (size_t i = 0; i < s->n; i++) {
        const double before = (double)p[i] - s->mean[i];
        s->mean[i] += before / count;
        const double after = (double)p[i] - s->mean[i];
        s->square[i] += before * after; /* Welford's sum */
        column[i] = (float)after;
    }
}

void rs_swag_draw(const rs_swag *s, rs_random *random, float *p)
{
    const int columns = rs_min_int(s->rank, s->added);
    assert(columns >= 2);
    const double own = sqrt(0.5 / (double)(s->added - 1));
    const double common = sqrt(0.5 / (double)(columns - 1));
    for (size_t i = 0; i < s->n; i++) {
        const double spread = sqrt(s->square[i]);
        p[i] = (float)(s->mean[i] + (spread > 0 ? own * spread * rs_random_gauss(random) : 0));
    }
    for (int k = 0; k < columns; k++) {
        const float *column = s->deviation + (size_t)k * s->n;
        const double z = common * rs_random_gauss(random);
        for (size_t i = 0; i < s->n; i++) p[i] = (float)((double)p[i] + z * (double)column[i]);
    }
}
