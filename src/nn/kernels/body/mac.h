/* mac.h - the multiply-accumulate kernel (see rs_mac in kernels.h), compiled once per instruction
 * set.
 *
 * The register tile is MAC_MR pixels by MAC_NV vectors of channels. Per input channel it loads
 * MAC_NV vectors of weights and broadcasts one number per pixel; each broadcast feeds MAC_NV
 * multiply-adds, so the arithmetic and not the loads sets the pace:
 *
 *                 w: NV vectors   [ n0 .. n15 ][ n16 .. n31 ]
 *     pixel 0   x0 broadcast  ->   acc[0][0]     acc[0][1]
 *     pixel 1   x1 broadcast  ->   acc[1][0]     acc[1][1]
 *     ...
 *
 * Pixels lie `in_stride` floats apart. Fourteen separate pointers would not fit the integer
 * registers, so rows are addressed from two bases: mac_rows.h. */

#include "nn/kernels/body/mac_rows.h"

#define MAC_INLINE static inline __attribute__((always_inline))

/* m pixels from p0 on, nv vectors of channels from n0 on; prefetch says whether to ask for the
 * weights `ahead` floats further on. m, nv and prefetch are constants at each call. */
MAC_INLINE void mac_tile(const int m, const int nv, const int prefetch, const rs_mac *a,
                         const float *w, size_t ahead, int n0, int p0)
{
    vf acc[MAC_MR][MAC_NV];
    const ptrdiff_t s1 = (ptrdiff_t)a->in_stride, s3 = 3 * s1, s5 = 5 * s1;
#pragma GCC unroll 14
    for (int r = 0; r < m; r++)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++)
            acc[r][v] = a->bias ? vf_load(a->bias + n0 + v * VL) : vf_set1(0);

    for (int dy = 0; dy < a->kh; dy++) {
        for (int dx = 0; dx < a->kw; dx++) {
            const float *p = a->in[dy] + (size_t)p0 * a->in_stride + (size_t)dx * a->tap_stride;
            const float *q = p + 7 * s1;
            for (int c = a->cin; c > 0; c--) {
                vf b[MAC_NV];
#pragma GCC unroll 4
                for (int v = 0; v < nv; v++) b[v] = vf_load(w + v * VL);
#pragma GCC unroll 14
                for (int r = 0; r < m; r++) {
                    vf x = vf_set1(*MAC_ROW(p, q, r));
#pragma GCC unroll 4
                    for (int v = 0; v < nv; v++) acc[r][v] = vf_fma(x, b[v], acc[r][v]);
                }
                if (prefetch)
                    for (int v = 0; v < nv * VL; v += 16) __builtin_prefetch(w + ahead + v, 0, 2);
                w += nv * VL;
                p++;
                q++;
            }
        }
    }

    const vf slope = vf_set1(a->slope);
#pragma GCC unroll 14
    for (int r = 0; r < m; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) {
            vf y = acc[r][v];
            if (a->res)
                y = vf_add(y, vf_load(a->res + (size_t)(p0 + r) * a->res_stride + n0 + v * VL));
            /* max(y, slope*y) is LeakyReLU for slopes in [0,1] */
            if (a->slope != 1) y = vf_max(vf_mul(y, slope), y);
            if (a->scale)
                y = vf_fma(y, vf_load(a->scale + n0 + v * VL), vf_load(a->shift + n0 + v * VL));
            vf_store(a->out + (size_t)(p0 + r) * a->out_stride + n0 + v * VL, y);
        }
    }
}

/* At most MAC_MR pixels. */
MAC_INLINE void mac_edge(const int nv, const rs_mac *a, const float *w, int n0, int p0, int m)
{
    switch (m) {
    case 1: mac_tile(1, nv, 0, a, w, 0, n0, p0); break;
#if MAC_MR > 2
    case 2: mac_tile(2, nv, 0, a, w, 0, n0, p0); break;
    case 3: mac_tile(3, nv, 0, a, w, 0, n0, p0); break;
#endif
#if MAC_MR > 4
    case 4: mac_tile(4, nv, 0, a, w, 0, n0, p0); break;
    case 5: mac_tile(5, nv, 0, a, w, 0, n0, p0); break;
#endif
#if MAC_MR > 6
    case 6: mac_tile(6, nv, 0, a, w, 0, n0, p0); break;
    case 7: mac_tile(7, nv, 0, a, w, 0, n0, p0); break;
    case 8: mac_tile(8, nv, 0, a, w, 0, n0, p0); break;
    case 9: mac_tile(9, nv, 0, a, w, 0, n0, p0); break;
    case 10: mac_tile(10, nv, 0, a, w, 0, n0, p0); break;
    case 11: mac_tile(11, nv, 0, a, w, 0, n0, p0); break;
    case 12: mac_tile(12, nv, 0, a, w, 0, n0, p0); break;
    case 13: mac_tile(13, nv, 0, a, w, 0, n0, p0); break;
#endif
    case MAC_MR: mac_tile(MAC_MR, nv, 0, a, w, 0, n0, p0); break;
    default: break;
    }
}

/* One panel of nv vectors over all pixels. The edge is spread: 15 pixels are 8+7 and not 14+1. */
MAC_INLINE void mac_panel(const int nv, const rs_mac *a, const float *w, size_t panel, int n0)
{
    int p = 0, left = a->pixels;
    if (left >= MAC_MR) {
        mac_tile(MAC_MR, nv, 1, a, w, panel, n0, p);
        p += MAC_MR;
    }
    for (; (left = a->pixels - p) >= 2 * MAC_MR; p += MAC_MR)
        mac_tile(MAC_MR, nv, 0, a, w, 0, n0, p);
    if (left > MAC_MR) {
        const int half = (left + 1) / 2;
        mac_edge(nv, a, w, n0, p, half);
        p += half;
        left -= half;
    }
    mac_edge(nv, a, w, n0, p, left);
}

void RS_SUFFIX(rs_mac)(const rs_mac *a)
{
    const size_t depth = (size_t)(a->kh * a->kw) * (size_t)a->cin;
    const float *w = a->w;
    const size_t wide = depth * MAC_NV * VL, narrow = depth * VL;
    int n = 0;
    for (; n + MAC_NV * VL <= a->cout; n += MAC_NV * VL, w += wide)
        mac_panel(MAC_NV, a, w, wide, n);
    for (; n < a->cout; n += VL, w += narrow) mac_panel(1, a, w, narrow, n);
}
