/* grad.h - the inner loops of training, part of the table in kernels.h: what backward passes need
 * besides the kernels of inference. Rows are `pixels` times `channels` floats, channels a multiple
 * of RS_LANES unless said otherwise. */
#ifndef RS_NN_GRAD_H
#define RS_NN_GRAD_H

#include <stddef.h>

/* sum[i*cols + j] += over t<count of a[t*a_stride + i] * b[t*b_stride + j]: the gradient of a
 * product's right-hand matrix, t being pixels or Winograd's tiles. rows: any; cols: a multiple of
 * RS_LANES. */
typedef struct rs_outer {
    const float *a, *b;
    size_t a_stride, b_stride;
    int count, rows, cols;
    float *sum; /* [rows,cols] */
} rs_outer;

/* D = A y A^T of the tiles of four rows: the adjoint of rs_wino_out for m=4. */
typedef struct rs_wino_grad {
    const float *row[4]; /* at the first tile's first pixel; zero up to the last tile's end */
    int tiles, channels;
    float *d; /* element f of tile t at d + f*d_stride + t*channels */
    size_t d_stride;
} rs_wino_grad;

/* d <- d * (y > 0 ? 1 : slope), y being s or, when a is given, a*s + c as rs_norm_row has it; and
 * over the pixels sum[ch] += d, dot[ch] += d * (z - mean). */
typedef struct rs_mask_row {
    float *d;
    const float *s;
    const float *a, *c; /* [channels], or NULL */
    const float *z, *mean;
    float slope;
    int pixels, channels;
    float *sum, *dot; /* [channels] */
} rs_mask_row;

/* One step of AdamW on n numbers: g is scaled by `scale`, then
 *   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
 *   p = keep p - rate m / (root sqrt(v) + epsilon). */
typedef struct rs_adamw {
    float scale, beta1, rest1, beta2, rest2, keep, rate, root, epsilon;
} rs_adamw;

typedef struct rs_grad_kernels {
    void (*outer)(const rs_outer *a);
    void (*wino_grad)(const rs_wino_grad *a);
    /* U = G w G^T, packed for mac: w [9][cin][cout], u [36] times mac's layout of cin x cout */
    void (*wino_filter)(const float *w, int cin, int cout, float *u);
    /* dw [9][cin][cout] = G^T du G, du [36][cin][cout] */
    void (*wino_filter_grad)(const float *du, int cin, int cout, float *dw);
    /* out = act(a[ch]*z + c[ch] + res); res may be NULL */
    void (*norm_row)(const float *z, int pixels, int channels, const float *a, const float *c,
                     const float *res, float slope, float *out);
    /* out = a[ch]*d + b[ch]*z + c[ch] */
    void (*norm_grad_row)(const float *d, const float *z, int pixels, int channels, const float *a,
                          const float *b, const float *c, float *out);
    /* sum[ch] += v - shift[ch], square[ch] += (v - shift[ch])^2 */
    void (*moments_row)(const float *v, int pixels, int channels, const float *shift, float *sum,
                        float *square);
    /* sum[ch] += v */
    void (*sum_row)(const float *v, int pixels, int channels, float *sum);
    void (*mask_row)(const rs_mask_row *a);
    /* da[2p], da[2p+1], db[2p], db[2p+1] += d[p] at the first of the largest of a[2p], a[2p+1],
     * b[2p], b[2p+1], in that order: the adjoint of pool_row */
    void (*pool_grad_row)(const float *a, const float *b, const float *d, int out_pixels,
                          int channels, float *da, float *db);
    /* out[p][ch] = s[p]*w[ch], and dw[ch] += over p of s[p]*in[p][ch]: the adjoint of head_row */
    void (*head_grad_row)(const float *in, const float *s, int pixels, int channels, const float *w,
                          float *dw, float *out);
    void (*adamw)(const rs_adamw *a, const float *g, size_t n, float *p, float *m, float *v);
} rs_grad_kernels;

#endif
