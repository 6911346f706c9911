/* wino.h - the transforms of Winograd's convolution F(m x m, 3 x 3), compiled once per instruction
 * set.
 *
 * With T = m+2, Y = A^T [ (G g G^T) * (B^T d B) ] A for an input tile d (T x T) and a filter g (3 x
 * 3); the product * is elementwise per tile, and summed over the input channels it is one matrix
 * product per element f = i*T+j. The matrices follow from interpolation points (Cook and Toom;
 * Lavin & Gray, arXiv:1509.09308): 0, 1, -1, 2, -2, 1/2, -1/2 for m=6. For m=4 they are 0 and plus
 * and minus sqrt(1/2) and sqrt(2) instead of the usual 1 and 2: that halves the rounding errors
 * that the transforms enlarge, and takes those of the worst pixel of a tile from 31 to 7 times the
 * error of a direct sum (white noise), with the same number of operations, which is what lets bf16
 * operands through. Even and odd rows of each matrix share their sums, which is what the
 * temporaries are. */

#include "nn/kernels/body/wino_matrices.h"

/* The input transform of a row of tiles. m and t=m+2 are constants at each call. */
WINO_INLINE void wino_in_tile(const int m, const rs_wino_in *a, void (*bt)(const vf *, vf *),
                              int tile, size_t c)
{
    const int t = m + 2;
    const size_t ch = a->step, at = (size_t)tile * (size_t)m * ch + c;
    float *v = a->v + (size_t)tile * (size_t)a->channels + c;
    vf x[8][8], col[8], o[8];
#pragma GCC unroll 6
    for (int j = 0; j < t; j++) {
#pragma GCC unroll 8
        for (int i = 0; i < t; i++) col[i] = vf_load(a->row[i] + at + (size_t)j * ch);
        if (j >= 2) /* columns that the next tile adds */
            for (int i = 0; i < t; i++)
                __builtin_prefetch(a->row[i] + at + (size_t)(j + m) * ch, 0, 3);
        bt(col, o);
#pragma GCC unroll 8
        for (int i = 0; i < t; i++) x[i][j] = o[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < t; i++) {
        bt(x[i], o);
#pragma GCC unroll 8
        for (int j = 0; j < t; j++) vf_store(v + (size_t)(i * t + j) * a->v_stride, o[j]);
    }
}

/* The input transform of a row of tiles. m is a constant at each call. */
WINO_INLINE void wino_in(const int m, const rs_wino_in *a, void (*bt)(const vf *, vf *))
{
    for (int tile = 0; tile < a->tiles; tile++)
        for (int c = 0; c < a->channels; c += VL) wino_in_tile(m, a, bt, tile, (size_t)c);
}

/* One tile's channels from c on: rows x cols pixels of it lie in the frame. */
WINO_INLINE void wino_out_tile(const int m, const rs_wino_out *a, void (*at)(const vf *, vf *),
                               int tile, size_t c, const int rows, const int cols)
{
    const int t = m + 2;
    const vf slope = vf_set1(a->slope);
    const float *src = a->prod + (size_t)tile * (size_t)a->channels + c;
    const size_t first = (size_t)tile * (size_t)m;
    const vf bias = vf_load(a->bias + c);
    vf x[6][8], col[8], o[8];
#pragma GCC unroll 8
    for (int j = 0; j < t; j++) {
#pragma GCC unroll 8
        for (int i = 0; i < t; i++) col[i] = vf_load(src + (size_t)(i * t + j) * a->prod_stride);
        at(col, o);
#pragma GCC unroll 6
        for (int i = 0; i < m; i++) x[i][j] = o[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        at(x[i], o);
#pragma GCC unroll 6
        for (int j = 0; j < cols; j++) {
            const size_t p = (first + (size_t)j) * a->step + c;
            __builtin_prefetch(a->out[i] + p + (size_t)m * a->step, 1, 3);
            vf y = vf_add(o[j], bias);
            if (a->res[0]) {
                const size_t q = (first + (size_t)j) * a->res_step + c;
                __builtin_prefetch(a->res[i] + q + (size_t)m * a->res_step, 0, 3);
                y = vf_add(y, vf_load(a->res[i] + q));
            }
            y = vf_max(vf_mul(y, slope), y);
            if (a->scale) y = vf_fma(y, vf_load(a->scale + c), vf_load(a->shift + c));
            vf_store(a->out[i] + p, y);
        }
    }
}

WINO_INLINE void wino_out(const int m, const rs_wino_out *a, void (*at)(const vf *, vf *))
{
    for (int tile = 0; tile < a->tiles; tile++) {
        const int left = a->width - tile * m, cols = left < m ? left : m;
        if (a->rows == m && cols == m)
            for (int c = 0; c < a->channels; c += VL)
                wino_out_tile(m, a, at, tile, (size_t)c, m, m);
        else
            for (int c = 0; c < a->channels; c += VL)
                wino_out_tile(m, a, at, tile, (size_t)c, a->rows, cols);
    }
}

void RS_SUFFIX(rs_wino_in4)(const rs_wino_in *a)
{
    wino_in(4, a, bt4);
}
void RS_SUFFIX(rs_wino_in6)(const rs_wino_in *a)
{
    wino_in(6, a, bt6);
}
void RS_SUFFIX(rs_wino_out4)(const rs_wino_out *a)
{
    wino_out(4, a, at4);
}
void RS_SUFFIX(rs_wino_out6)(const rs_wino_out *a)
{
    wino_out(6, a, at6);
}
