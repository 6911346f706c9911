/* grad.h - the products and Winograd's adjoint transforms of training, compiled once per
 * instruction set; see kernels/grad.h and, for the matrices, wino.h. */

#include "nn/kernels/body/wino_matrices.h"

/* ---------------------------------------------------------------------------- sums of products */

/* Rows of the register tile with one and with two vectors of columns: as many chains as hide an
 * addition's latency. */
#define OUTER_ROWS 16
#define OUTER_ROWS2 8

/* m rows from i on, nv vectors of columns from j on. m and nv are constants at each call. */
WINO_INLINE void outer_tile(const int m, const int nv, const rs_outer *a, int i, int j)
{
    vf acc[OUTER_ROWS][2];
    const float *p = a->a + i, *q = a->b + j;
#pragma GCC unroll 16
    for (int r = 0; r < m; r++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) acc[r][v] = vf_set1(0);
    for (int t = 0; t < a->count; t++, p += a->a_stride, q += a->b_stride) {
        vf b[2];
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) b[v] = vf_load(q + v * VL);
#pragma GCC unroll 16
        for (int r = 0; r < m; r++) {
            const vf x = vf_set1(p[r]);
#pragma GCC unroll 2
            for (int v = 0; v < nv; v++) acc[r][v] = vf_fma(x, b[v], acc[r][v]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < m; r++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) {
            float *s = a->sum + (size_t)(i + r) * (size_t)a->cols + (size_t)(j + v * VL);
            vf_store(s, vf_add(vf_load(s), acc[r][v]));
        }
}

void RS_SUFFIX(rs_outer_sum)(const rs_outer *a)
{
    int j = 0;
    for (; j + 2 * VL <= a->cols; j += 2 * VL) {
        int i = 0;
        for (; i + OUTER_ROWS2 <= a->rows; i += OUTER_ROWS2) outer_tile(OUTER_ROWS2, 2, a, i, j);
        for (; i < a->rows; i++) outer_tile(1, 2, a, i, j);
    }
    for (; j < a->cols; j += VL) {
        int i = 0;
        for (; i + OUTER_ROWS <= a->rows; i += OUTER_ROWS) outer_tile(OUTER_ROWS, 1, a, i, j);
        for (; i < a->rows; i++) outer_tile(1, 1, a, i, j);
    }
}

/* ------------------------------------------------------------------------- Winograd's transforms */

/* o = A y, the adjoint of at4 */
WINO_INLINE void a4(const vf *y, vf *o)
{
    const vf ha = vf_set1(WINO4_A), hb = vf_set1(WINO4_B), c2 = vf_set1(2.f), h = vf_set1(0.5f);
    const vf e = vf_fma(hb, y[0], vf_mul(ha, y[2])), f = vf_fma(h, y[3], y[1]);
    const vf g = vf_fma(ha, y[0], vf_mul(hb, y[2])), k = vf_fma(c2, y[3], y[1]);
    o[0] = y[0];
    o[1] = vf_add(e, f);
    o[2] = vf_sub(e, f);
    o[3] = vf_add(g, k);
    o[4] = vf_sub(g, k);
    o[5] = y[3];
}

void RS_SUFFIX(rs_wino_grad4)(const rs_wino_grad *a)
{
    const size_t ch = (size_t)a->channels;
    for (int tile = 0; tile < a->tiles; tile++)
        for (size_t c = 0; c < ch; c += VL) {
            const size_t at = (size_t)tile * 4 * ch + c;
            float *d = a->d + (size_t)tile * ch + c;
            vf x[6][4], y[4], o[6];
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) {
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++) y[i] = vf_load(a->row[i] + at + (size_t)j * ch);
                a4(y, o);
#pragma GCC unroll 6
                for (int i = 0; i < 6; i++) x[i][j] = o[i];
            }
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) {
                a4(x[i], o);
#pragma GCC unroll 6
                for (int j = 0; j < 6; j++) vf_store(d + (size_t)(i * 6 + j) * a->d_stride, o[j]);
            }
        }
}

/* o = G w */
WINO_INLINE void g4(const vf *w, vf *o)
{
    const vf third = vf_set1(1.f / 3), p = vf_set1(WINO4_B / 6), q = vf_set1(WINO4_B / 3);
    const vf m = vf_mul(third, w[1]);
    const vf e = vf_fma(q, w[0], vf_mul(p, w[2])), f = vf_fma(p, w[0], vf_mul(q, w[2]));
    o[0] = w[0];
    o[1] = vf_sub(vf_set1(0), vf_add(e, m));
    o[2] = vf_sub(m, e);
    o[3] = vf_add(f, m);
    o[4] = vf_sub(f, m);
    o[5] = w[2];
}

/* o = G^T u */
WINO_INLINE void gt4(const vf *u, vf *o)
{
    const vf third = vf_set1(1.f / 3), p = vf_set1(WINO4_B / 6), q = vf_set1(WINO4_B / 3);
    const vf a = vf_add(u[1], u[2]), b = vf_sub(u[2], u[1]);
    const vf c = vf_add(u[3], u[4]), d = vf_sub(u[3], u[4]);
    o[0] = vf_fma(p, c, vf_sub(u[0], vf_mul(q, a)));
    o[1] = vf_mul(third, vf_add(b, d));
    o[2] = vf_fma(q, c, vf_sub(u[5], vf_mul(p, a)));
}

void RS_SUFFIX(rs_wino_filter4)(const float *w, int cin, int cout, float *u)
{
    const size_t per = (size_t)cin * (size_t)cout;
    const int nr = MAC_NV * VL, full = cout / nr * nr;
    for (int n = 0; n < cout; n += VL) {
        const int start = n < full ? n / nr * nr : full + (n - full) / VL * VL;
        const int width = n < full ? nr : VL;
        float *to = u + (size_t)start * (size_t)cin + (size_t)(n - start);
        for (int i = 0; i < cin; i++, to += width) {
            const float *from = w + (size_t)i * (size_t)cout + (size_t)n;
            vf x[6][3], y[3], o[6];
#pragma GCC unroll 3
            for (int s = 0; s < 3; s++) {
#pragma GCC unroll 3
                for (int r = 0; r < 3; r++) y[r] = vf_load(from + (size_t)(3 * r + s) * per);
                g4(y, o);
#pragma GCC unroll 6
                for (int r = 0; r < 6; r++) x[r][s] = o[r];
            }
#pragma GCC unroll 6
            for (int r = 0; r < 6; r++) {
                g4(x[r], o);
#pragma GCC unroll 6
                for (int s = 0; s < 6; s++) vf_store(to + (size_t)(6 * r + s) * per, o[s]);
            }
        }
    }
}

void RS_SUFFIX(rs_wino_filter_grad4)(const float *du, int cin, int cout, float *dw)
{
    const size_t per = (size_t)cin * (size_t)cout;
    for (size_t k = 0; k < per; k += VL) {
        vf x[3][6], y[6], o[3];
#pragma GCC unroll 6
        for (int s = 0; s < 6; s++) {
#pragma GCC unroll 6
            for (int r = 0; r < 6; r++) y[r] = vf_load(du + (size_t)(6 * r + s) * per + k);
            gt4(y, o);
#pragma GCC unroll 3
            for (int r = 0; r < 3; r++) x[r][s] = o[r];
        }
#pragma GCC unroll 3
        for (int r = 0; r < 3; r++) {
            gt4(x[r], o);
#pragma GCC unroll 3
            for (int s = 0; s < 3; s++) vf_store(dw + (size_t)(3 * r + s) * per + k, o[s]);
        }
    }
}
