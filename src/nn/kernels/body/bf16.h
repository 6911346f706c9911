/* bf16.h - the kernels of reduced precision (see rs_mac_bf16 and rs_wino_in_bf16 in kernels.h),
 * compiled for the portable emulation and for AVX512_BF16. The folder's file supplies, besides the
 * vectors vf of VL floats,
 *
 *     vp              VL pairs of bf16
 *     vp_load(p)      VL pairs from p, vp_set1(p): the pair at p, VL times
 *     vp_dot(s,a,b)   s + the products of both members of each pair
 *     vf_store_bf16(p,v), vf_store2_bf16(p,v,w): VL or 2*VL floats, rounded
 *     BF_MR, BF_NV    register tile: pixels, vectors of channels */

#include "nn/kernels/body/mac_rows.h"
#include "nn/kernels/body/wino_matrices.h"

#define BF_INLINE static inline __attribute__((always_inline))

/* ---------------------------------------------------------------------------------- the product */

/* m pixels from p0 on, nv vectors of channels from n0 on, of a panel that is `wide` channels wide.
 * m, nv, wide and prefetch are constants at each call. */
BF_INLINE void bf_tile(const int m, const int nv, const int wide, const int prefetch,
                       const rs_mac_bf16 *a, const uint16_t *w, size_t ahead, int n0, int p0)
{
    vf acc[BF_MR][BF_NV];
    const ptrdiff_t s1 = (ptrdiff_t)a->in_stride, s3 = 3 * s1, s5 = 5 * s1;
    const uint16_t *p = a->in + (size_t)p0 * a->in_stride, *q = p + 7 * s1;
#pragma GCC unroll 14
    for (int r = 0; r < m; r++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++)
            acc[r][v] = a->bias ? vf_load(a->bias + n0 + v * VL) : vf_set1(0);

    for (int c = a->cin; c > 0; c -= 2) {
        vp b[BF_NV];
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) b[v] = vp_load(w + 2 * v * VL);
#pragma GCC unroll 14
        for (int r = 0; r < m; r++) {
            const vp x = vp_set1(MAC_ROW(p, q, r));
#pragma GCC unroll 2
            for (int v = 0; v < nv; v++) acc[r][v] = vp_dot(acc[r][v], b[v], x);
        }
        if (prefetch)
            for (int v = 0; v < 2 * nv * VL; v += 32) __builtin_prefetch(w + ahead + v, 0, 2);
        w += 2 * wide;
        p += 2;
        q += 2;
    }
#pragma GCC unroll 14
    for (int r = 0; r < m; r++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++)
            vf_store(a->out + (size_t)(p0 + r) * a->out_stride + n0 + v * VL, acc[r][v]);
}

/* At most BF_MR pixels. */
BF_INLINE void bf_edge(const int nv, const int wide, const rs_mac_bf16 *a, const uint16_t *w,
                       int n0, int p0, int m)
{
    switch (m) {
    case 1: bf_tile(1, nv, wide, 0, a, w, 0, n0, p0); break;
    case 2: bf_tile(2, nv, wide, 0, a, w, 0, n0, p0); break;
    case 3: bf_tile(3, nv, wide, 0, a, w, 0, n0, p0); break;
#if BF_MR > 4
    case 4: bf_tile(4, nv, wide, 0, a, w, 0, n0, p0); break;
    case 5: bf_tile(5, nv, wide, 0, a, w, 0, n0, p0); break;
    case 6: bf_tile(6, nv, wide, 0, a, w, 0, n0, p0); break;
    case 7: bf_tile(7, nv, wide, 0, a, w, 0, n0, p0); break;
    case 8: bf_tile(8, nv, wide, 0, a, w, 0, n0, p0); break;
    case 9: bf_tile(9, nv, wide, 0, a, w, 0, n0, p0); break;
    case 10: bf_tile(10, nv, wide, 0, a, w, 0, n0, p0); break;
    case 11: bf_tile(11, nv, wide, 0, a, w, 0, n0, p0); break;
    case 12: bf_tile(12, nv, wide, 0, a, w, 0, n0, p0); break;
    case 13: bf_tile(13, nv, wide, 0, a, w, 0, n0, p0); break;
#endif
    case BF_MR: bf_tile(BF_MR, nv, wide, 0, a, w, 0, n0, p0); break;
    default: break;
    }
}

/* nv vectors over all pixels. The edge is spread: 15 pixels are 8+7 and not 14+1. */
BF_INLINE void bf_columns(const int nv, const int wide, const rs_mac_bf16 *a, const uint16_t *w,
                          size_t panel, int n0)
{
    int p = 0, left = a->pixels;
    if (left >= BF_MR) {
        bf_tile(BF_MR, nv, wide, 1, a, w, panel, n0, p);
        p += BF_MR;
    }
    for (; (left = a->pixels - p) >= 2 * BF_MR; p += BF_MR)
        bf_tile(BF_MR, nv, wide, 0, a, w, 0, n0, p);
    if (left > BF_MR) {
        const int half = (left + 1) / 2;
        bf_edge(nv, wide, a, w, n0, p, half);
        p += half;
        left -= half;
    }
    bf_edge(nv, wide, a, w, n0, p, left);
}

void RS_SUFFIX(rs_mac_bf16)(const rs_mac_bf16 *a)
{
    const size_t depth = (size_t)a->cin;
    const uint16_t *w = a->w;
    int n = 0;
    for (; n + RS_BF16_NR <= a->cout; n += RS_BF16_NR, w += depth * RS_BF16_NR)
        for (int v = 0; v < RS_BF16_NR; v += BF_NV * VL)
            bf_columns(BF_NV, RS_BF16_NR, a, w + 2 * v, depth * RS_BF16_NR, n + v);
    for (; n < a->cout; n += RS_LANES, w += depth * RS_LANES)
        for (int v = 0; v < RS_LANES; v += VL)
            bf_columns(1, RS_LANES, a, w + 2 * v, depth * RS_LANES, n + v);
}

/* -------------------------------------------------------------------------- the input transform */

/* V of one tile, nv vectors of channels from c on. */
BF_INLINE void bf_in(const int nv, const rs_wino_in_bf16 *a, size_t tile, size_t c)
{
    const size_t ch = a->step;
    uint16_t *to = a->v + tile * (size_t)a->channels + c;
    vf x[6][2][6], d[6], o[2][6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) {
            const size_t at = (4 * tile + (size_t)j) * ch + c + (size_t)(v * VL);
#pragma GCC unroll 6
            for (int i = 0; i < 6; i++) d[i] = vf_load(a->row[i] + at);
            if (j >= 2) /* columns that the next tile adds */
                for (int i = 0; i < 6; i++) __builtin_prefetch(a->row[i] + at + 4 * ch, 0, 3);
            bt4(d, x[j][v]);
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) {
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) {
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++) d[j] = x[j][v][i];
            bt4(d, o[v]);
        }
#pragma GCC unroll 6
        for (int j = 0; j < 6; j++, to += a->v_stride) {
            if (nv == 2)
                vf_store2_bf16(to, o[0][j], o[1][j]);
            else
                vf_store_bf16(to, o[0][j]);
        }
    }
}

void RS_SUFFIX(rs_wino_in4_bf16)(const rs_wino_in_bf16 *a)
{
    const size_t ch = (size_t)a->channels, tiles = (size_t)a->tiles;
    for (size_t t = 0; t < tiles; t++) {
        size_t c = 0;
        for (; c + 2 * VL <= ch; c += 2 * VL) bf_in(2, a, t, c);
        for (; c < ch; c += VL) bf_in(1, a, t, c);
    }
}

void RS_SUFFIX(rs_round_bf16)(const float *x, size_t n, uint16_t *out)
{
    size_t i = 0;
    for (; i + 2 * VL <= n; i += 2 * VL)
        vf_store2_bf16(out + i, vf_load(x + i), vf_load(x + i + VL));
    for (; i < n; i += VL) vf_store_bf16(out + i, vf_load(x + i));
}

void RS_SUFFIX(rs_kernels_overlay_bf16)(rs_kernels *k)
{
    k->mac_bf16 = RS_SUFFIX(rs_mac_bf16);
    k->wino_in_bf16 = RS_SUFFIX(rs_wino_in4_bf16);
    k->round_bf16 = RS_SUFFIX(rs_round_bf16);
}
