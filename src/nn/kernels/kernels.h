/* kernels.h - the inner loops of the network, one set per instruction set.
 *
 * Activations are channel-last: a pixel is `channels` consecutive floats, channels padded with
 * zeros to a multiple of RS_LANES; a row is its pixels, one after another, with at least one zero
 * pixel on each side. The folder of a kernel names its instruction set; all folders compile the
 * bodies in kernels/body/ with their own vector type (vec.h), and each fills the table below.
 * Kernels cannot fail and allocate nothing.
 *
 * Row independence: the value of an output pixel of `mac` is one chain of fused multiply-adds in a
 * fixed order (tap row, tap column, channel), whatever the other pixels of the call are. Winograd
 * kernels do not have this property: a tile mixes its rows. */
#ifndef RS_NN_KERNELS_H
#define RS_NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "nn/kernels/grad.h"

#define RS_LANES 16 /* channels are padded to a multiple of this */

#define RS_PEAK_CHAINS 12 /* latency times units of today's cores is 8 to 10 */

/* out[p][n] = act(bias[n] + sum over dy<kh, dx<kw, c<cin of in[dy][p*in_stride + dx*tap_stride + c]
 *                 * w + res[p][n]) * scale[n] + shift[n],  p < pixels, n < cout.
 * It is a 3x3 convolution of a row (kh=kw=3), a 1x1 convolution (kh=kw=1) and the tile product of
 * Winograd's method (a "pixel" is a tile). */
typedef struct rs_mac {
    const float *in[3]; /* kh row pointers, each at the tap column 0 of pixel 0 */
    size_t in_stride;   /* floats from pixel to pixel */
    size_t tap_stride;  /* floats from tap column to tap column; of no use with kw=1 */
    int kh, kw;
    int cin, cout;     /* cout a multiple of RS_LANES */
    const float *w;    /* as rs_pack_mac lays them out for this table's nr */
    const float *bias; /* [cout], or NULL for zero */
    const float *res;  /* pixel p at res + p*res_stride, or NULL */
    size_t res_stride;
    float slope;                /* act(v) = v < 0 ? slope*v : v; 1 for none */
    const float *scale, *shift; /* [cout], after the activation; both NULL for 1 and 0 */
    float *out;                 /* pixel p at out + p*out_stride */
    size_t out_stride;
    int pixels;
} rs_mac;

/* A 1x1 convolution of pixels that lie side by side, without an activation. */
static inline rs_mac rs_mac_point(const float *in, int pixels, int cin, int cout, const float *w,
                                  const float *bias, float *out)
{
    return (rs_mac){.in = {in},
                    .in_stride = (size_t)cin,
                    .kh = 1,
                    .kw = 1,
                    .cin = cin,
                    .cout = cout,
                    .w = w,
                    .bias = bias,
                    .slope = 1,
                    .out = out,
                    .out_stride = (size_t)cout,
                    .pixels = pixels};
}

/* Winograd F(m x m, 3 x 3): an output tile of m x m pixels from (m+2) x (m+2) inputs. */
typedef struct rs_wino_in {
    const float *row[8]; /* m+2 row pointers, at the column left of the first tile's output */
    int tiles;           /* along the row */
    int channels;
    size_t step; /* floats from pixel to pixel: those between them belong to other tiles */
    float *v;    /* element f of tile t at v + f*v_stride + t*channels */
    size_t v_stride;
} rs_wino_in;

typedef struct rs_wino_out {
    const float *prod; /* element f of tile t at prod + f*prod_stride + t*channels */
    size_t prod_stride;
    int tiles, channels;
    const float *bias; /* [channels] */
    float slope;
    const float *scale, *shift; /* [channels], after the activation; both NULL for 1 and 0 */
    int rows, width;            /* valid output: rows <= m rows, width <= tiles*m pixels */
    const float *res[6];        /* row pointers at the first tile's first pixel, or res[0] NULL */
    float *out[6];              /* likewise */
    size_t res_step, step;      /* floats from pixel to pixel of res and of out */
} rs_wino_out;

/* Reduced precision (see kernels/bf16.h): the same with operands in bf16 and sums in fp32. */
#define RS_BF16_NR 32 /* channels of a panel of packed weights, the last of RS_LANES; any table */

/* out[p][n] = bias[n] + sum over c<cin of in[p*in_stride + c] * w */
typedef struct rs_mac_bf16 {
    const uint16_t *in; /* even: pairs of channels stay together */
    size_t in_stride;   /* numbers from pixel to pixel, even */
    int cin, cout;      /* multiples of RS_LANES */
    const uint16_t *w;  /* per panel: [cin/2][channels of the panel][2] */
    const float *bias;  /* [cout], or NULL for zero */
    float *out;
    size_t out_stride;
    int pixels;
} rs_mac_bf16;

/* rs_wino_in for m=4 with the result rounded; strides in numbers. */
typedef struct rs_wino_in_bf16 {
    const float *row[6];
    int tiles, channels;
    size_t step; /* floats from pixel to pixel */
    uint16_t *v;
    size_t v_stride;
} rs_wino_in_bf16;

typedef struct rs_kernels {
    rs_isa isa;
    int mr, nr; /* register tile of mac: pixels, channels. w is packed in panels of nr, the last of
                   16 */
    void (*mac)(const rs_mac *a);
    void (*wino_in[2])(const rs_wino_in *a); /* [0]: m=4, [1]: m=6 */
    void (*wino_out[2])(const rs_wino_out *a);
    /* out[p][n] = x[p]*w[n] + bias[n]: the 1x1 convolution of a one-channel image */
    void (*from_one)(const float *x, int pixels, int cout, const float *w, const float *bias,
                     float *out);
    /* out[p][c] = max of a[2p],a[2p+1],b[2p],b[2p+1]: 2x2 max pool of two rows into one; stride:
     * floats from pixel to pixel of a and b */
    void (*pool_row)(const float *a, const float *b, size_t stride, int out_pixels, int channels,
                     float *out);
    /* A row between a and b (t: the weight of b) with twice its pixels: each output pixel takes the
     * part `side` of the other neighbour, the edge's pixel where there is none. side 1/4 is
     * PyTorch's bilinear interpolation, 0 its nearest one. stride: of out. */
    void (*grow_row)(const float *a, const float *b, float t, float side, int pixels, int channels,
                     float *out, size_t stride);
    /* out[p][c] = (add ? out[p][c] : 0) + (z[p][c] > 0 ? up[c] : down[c])*z[p][c] + shift[c];
     * stride: of out */
    void (*bend_row)(const float *z, int pixels, int channels, const float *up, const float *down,
                     const float *shift, bool add, float *out, size_t stride);
    /* v[p][c] = act(v[p][c] + bias[c] + res[p][c]); res NULL for none; act as in rs_mac */
    void (*bias_act)(float *v, int pixels, int channels, const float *bias, const float *res,
                     float slope);
    /* v[i] = 1/(1 + exp(-v[i])), to 2 ulp */
    void (*sigmoid)(float *v, size_t n);
    /* out[p*heads+h] = bias[h] + sum over c of in[p][c]*w[h*channels+c]: the score head */
    void (*head_row)(const float *in, int pixels, int channels, int heads, const float *w,
                     const float *bias, float *out);
    void (*mac_bf16)(const rs_mac_bf16 *a);
    void (*wino_in_bf16)(const rs_wino_in_bf16 *a);
    /* out[i] = x[i] to bf16; n a multiple of RS_LANES */
    void (*round_bf16)(const float *x, size_t n, uint16_t *out);
    /* For benchmarks: rounds * RS_PEAK_CHAINS * lanes multiply-adds on registers alone, in
     * independent chains; the result only keeps them from being left out. */
    int lanes;
    float (*peak)(long rounds);
    rs_grad_kernels grad; /* of training */
} rs_kernels;

/* Fills the table for an instruction set that this machine has (see rs_isa_select). */
void rs_kernels_get(rs_isa isa, rs_kernels *k);

/* The folders' overlays: each replaces what it does better. */
void rs_kernels_overlay__generic(rs_kernels *k);
void rs_kernels_overlay__neon(rs_kernels *k);
void rs_kernels_overlay__avx2(rs_kernels *k);
void rs_kernels_overlay__avx512(rs_kernels *k);
/* Those of reduced precision: emulated, and with AVX512_BF16. */
void rs_kernels_overlay_bf16__generic(rs_kernels *k);
void rs_kernels_overlay_bf16__avx512bf16(rs_kernels *k);

#endif
