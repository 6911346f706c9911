#include "beps/sho_kernel.h"

#include <stdbool.h>

/* As wide as the target's registers: 2 doubles on baseline x86-64 and ARM. */
#if defined(__AVX512F__)
#define WIDTH 8
#elif defined(__AVX__)
#define WIDTH 4
#else
#define WIDTH 2
#endif
#define LANES RS_SHO_LANES

typedef double vd __attribute__((vector_size(8 * WIDTH), may_alias));
typedef float vf __attribute__((vector_size(16), may_alias));

static inline vd load(const double *p)
{
    return *(const vd *)p;
}
static inline void store(rs_sho_lanes *to, int lane, vd v)
{
    *(vd *)&to->v[lane] = v;
}

/* Thirteen sums over the bins for the lanes at..at+WIDTH. `weighted` is constant at each call. */
static inline void pass(const rs_sho_block *restrict block, int at, const rs_sho_lanes *d,
                        const rs_sho_lanes *c, bool weighted, rs_sho_sums *restrict out)
{
    const double *restrict y = block->y + at, *restrict w = weighted ? block->weight + at : NULL;
    vd dl = load(d->v + at), cl = load(c->v + at), zero = dl - dl;
    vd s1 = zero, pr = zero, pi = zero, s2r = zero, s2i = zero, s2wr = zero, s2wi = zero;
    vd s4 = zero, s4w = zero, q1r = zero, q1i = zero, q2r = zero, q2i = zero;
    for (int k = 0; k < block->bins; k++, y += 2 * LANES) {
        double u = block->u[k];
        vd yr = load(y), yi = load(y + LANES);
        vd er = block->q[k] - dl, ei = -(cl * u), size = er * er + ei * ei, g;
        if (weighted) {
            g = load(w) / size;
            w += LANES;
        } else {
            g = 1.0 / size;
        }
        vd br = er * g, bi = -(ei * g);                    /* b */
        vd cr = br * br - bi * bi, ci = 2 * br * bi;       /* b^2 */
        vd tr = cr * yr + ci * yi, ti = cr * yi - ci * yr; /* conj(b^2) y */
        vd gr = g * br, gi = g * bi, gg = g * g;
        s1 += g;
        pr += br * yr + bi * yi;
        pi += br * yi - bi * yr;
        s2r += gr;
        s2i += gi;
        s2wr += u * gr;
        s2wi += u * gi;
        s4 += gg;
        s4w += (u * u) * gg;
        q1r += tr;
        q1i += ti;
        q2r += u * tr;
        q2i += u * ti;
    }
    store(&out->s1, at, s1);
    store(&out->pr, at, pr), store(&out->pi, at, pi);
    store(&out->s2r, at, s2r), store(&out->s2i, at, s2i);
    store(&out->s2wr, at, s2wr), store(&out->s2wi, at, s2wi);
    store(&out->s4, at, s4), store(&out->s4w, at, s4w);
    store(&out->q1r, at, q1r), store(&out->q1i, at, q1i);
    store(&out->q2r, at, q2r), store(&out->q2i, at, q2i);
}

void rs_sho_pass(const rs_sho_block *block, const rs_sho_lanes *d, const rs_sho_lanes *c,
                 unsigned active, rs_sho_sums *out)
{
    const unsigned some = (1u << WIDTH) - 1;
    for (int at = 0; at < LANES; at += WIDTH) {
        if (!(active >> at & some)) continue;
        if (block->weight)
            pass(block, at, d, c, true, out);
        else
            pass(block, at, d, c, false, out);
    }
}

static inline void last(const rs_sho_block *restrict block, int at, const rs_sho_lanes *d,
                        const rs_sho_lanes *c, const rs_sho_lanes *z_re, const rs_sho_lanes *z_im,
                        bool weighted, rs_sho_last *restrict out)
{
    const double *restrict y = block->y + at, *restrict w = weighted ? block->weight + at : NULL;
    vd dl = load(d->v + at), cl = load(c->v + at), zr = load(z_re->v + at), zi = load(z_im->v + at);
    vd zero = dl - dl, ss = zero, ll = zero, last_r = zero, last_i = zero, s4u = zero;
    vd t0r = zero, t0i = zero, t1r = zero, t1i = zero, t2r = zero, t2i = zero;
    vd v0r = zero, v0i = zero, v1r = zero, v1i = zero, v2r = zero, v2i = zero, v3r = zero,
       v3i = zero;
    for (int k = 0; k < block->bins; k++, y += 2 * LANES) {
        double u = block->u[k];
        vd er = block->q[k] - dl, ei = -(cl * u), size = er * er + ei * ei, g;
        if (weighted) {
            g = load(w) / size;
            w += LANES;
        } else {
            g = 1.0 / size;
        }
        vd br = er * g, bi = -(ei * g);
        vd rr = load(y) - (zr * br - zi * bi), ri = load(y + LANES) - (zr * bi + zi * br);
        ss += rr * rr + ri * ri;
        ll += rr * last_r + ri * last_i;
        last_r = rr, last_i = ri;
        vd gg = g * g, tr = g * (br * br - bi * bi), ti = g * (2 * br * bi);
        vd vr = gg * br, vi = gg * bi;
        s4u += u * gg;
        t0r += tr, t0i += ti, tr *= u, ti *= u;
        t1r += tr, t1i += ti, tr *= u, ti *= u;
        t2r += tr, t2i += ti;
        v0r += vr, v0i += vi, vr *= u, vi *= u;
        v1r += vr, v1i += vi, vr *= u, vi *= u;
        v2r += vr, v2i += vi, vr *= u, vi *= u;
        v3r += vr, v3i += vi;
    }
    store(&out->rss, at, ss), store(&out->lag, at, ll), store(&out->s4u, at, s4u);
    store(&out->t[0][0], at, t0r), store(&out->t[0][1], at, t0i);
    store(&out->t[1][0], at, t1r), store(&out->t[1][1], at, t1i);
    store(&out->t[2][0], at, t2r), store(&out->t[2][1], at, t2i);
    store(&out->v[0][0], at, v0r), store(&out->v[0][1], at, v0i);
    store(&out->v[1][0], at, v1r), store(&out->v[1][1], at, v1i);
    store(&out->v[2][0], at, v2r), store(&out->v[2][1], at, v2i);
    store(&out->v[3][0], at, v3r), store(&out->v[3][1], at, v3i);
}

void rs_sho_last_pass(const rs_sho_block *block, const rs_sho_lanes *d, const rs_sho_lanes *c,
                      const rs_sho_lanes *zr, const rs_sho_lanes *zi, rs_sho_last *out)
{
    for (int at = 0; at < LANES; at += WIDTH) {
        if (block->weight)
            last(block, at, d, c, zr, zi, true, out);
        else
            last(block, at, d, c, zr, zi, false, out);
    }
}

void rs_sho_match(int n, const float *t, const float *y, float power[RS_SHO_LANES])
{
    /* Two registers of four lanes: eight lanes whatever the target. */
    vf r0 = {0}, i0 = {0}, r1 = {0}, i1 = {0};
    for (int k = 0; k < n; k++, t += 2, y += 2 * LANES) {
        vf a0 = *(const vf *)y, a1 = *(const vf *)(y + 4);
        vf b0 = *(const vf *)(y + 8), b1 = *(const vf *)(y + 12);
        r0 += t[0] * a0 + t[1] * b0;
        r1 += t[0] * a1 + t[1] * b1;
        i0 += t[0] * b0 - t[1] * a0;
        i1 += t[0] * b1 - t[1] * a1;
    }
    *(vf *)power = r0 * r0 + i0 * i0;
    *(vf *)(power + 4) = r1 * r1 + i1 * i1;
}
