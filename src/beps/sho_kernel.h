/* sho_kernel.h - the arithmetic over all bins of RS_SHO_LANES spectra at once, inside sho_fit.
 *
 * A block holds one spectrum per lane, lanes fastest, so that an operation on neighbouring lanes is
 * one vector instruction. No lane reads another and all lanes run the same code, so what a lane
 * gives depends neither on its neighbours nor on its place. All arrays over lanes are 64-byte
 * aligned. */
#ifndef RS_BEPS_SHO_KERNEL_H
#define RS_BEPS_SHO_KERNEL_H

#include "beps/sho.h"

#define RS_SHO_LANES 8

typedef struct rs_sho_lanes {
    _Alignas(64) double v[RS_SHO_LANES];
} rs_sho_lanes;

/* The data of RS_SHO_LANES spectra and the axis they share. */
typedef struct rs_sho_block {
    int bins;
    const double *u, *q;  /* [bins]: frequency over the plan's reference, and u^2 - 1 */
    const double *y;      /* [bins][2][lanes] */
    const double *weight; /* [bins][lanes]: 1, or 0 for a bin to be left out, whose y is 0; NULL
                             when all are 1 */
} rs_sho_block;

/* Sums of one trial (d, c) per lane, where d is w0^2 - 1 and c is w0/Q in units of the reference.
 * With D = q - d - i c u, b = 1/D, and the best z = p/s1 the squared error is sum|y|^2 - |p|^2/s1;
 * the others give its gradient and Gauss-Newton matrix. */
typedef struct rs_sho_sums {
    rs_sho_lanes s1;         /* sum |b|^2 */
    rs_sho_lanes pr, pi;     /* sum conj(b) y */
    rs_sho_lanes s2r, s2i;   /* sum |b|^2 b */
    rs_sho_lanes s2wr, s2wi; /* sum u |b|^2 b */
    rs_sho_lanes s4, s4w;    /* sum |b|^4, sum u^2 |b|^4 */
    rs_sho_lanes q1r, q1i;   /* sum conj(b^2) y */
    rs_sho_lanes q2r, q2i;   /* sum u conj(b^2) y */
} rs_sho_sums;

/* Fills *out for the lanes of `active` (a bit each); others may stay as they are. */
void rs_sho_pass(const rs_sho_block *block, const rs_sho_lanes *d, const rs_sho_lanes *c,
                 unsigned active, rs_sho_sums *out);

/* At the end of a fit: the residuals r = y - (zr + i zi) b, and the sums of rs_sho_moments2. */
typedef struct rs_sho_last {
    rs_sho_lanes rss; /* sum |r|^2 */
    rs_sho_lanes lag; /* sum Re(r_k conj r_(k-1)) */
    rs_sho_lanes s4u, t[3][2], v[4][2];
} rs_sho_last;

void rs_sho_last_pass(const rs_sho_block *block, const rs_sho_lanes *d, const rs_sho_lanes *c,
                      const rs_sho_lanes *zr, const rs_sho_lanes *zi, rs_sho_last *out);

/* power[lane] = |sum_k conj(t_k) y_k|^2 over n bins; t: [n][2], y: [n][2][lanes], power 16-byte
 * aligned. */
void rs_sho_match(int n, const float *t, const float *y, float power[RS_SHO_LANES]);

#endif
