/* declare.h - the names that one instruction set's folder gives to the bodies, and its table. */
#include "nn/kernels/kernels.h"

void RS_SUFFIX(rs_mac)(const rs_mac *a);
void RS_SUFFIX(rs_wino_in4)(const rs_wino_in *a);
void RS_SUFFIX(rs_wino_in6)(const rs_wino_in *a);
void RS_SUFFIX(rs_wino_out4)(const rs_wino_out *a);
void RS_SUFFIX(rs_wino_out6)(const rs_wino_out *a);
void RS_SUFFIX(rs_from_one)(const float *x, int pixels, int cout, const float *w, const float *bias,
                            float *out);
void RS_SUFFIX(rs_pool_row)(const float *a, const float *b, size_t stride, int out_pixels,
                            int channels, float *out);
void RS_SUFFIX(rs_grow_row)(const float *a, const float *b, float t, float side, int pixels,
                            int channels, float *out, size_t stride);
void RS_SUFFIX(rs_bend_row)(const float *z, int pixels, int channels, const float *up,
                            const float *down, const float *shift, bool add, float *out,
                            size_t stride);
void RS_SUFFIX(rs_bias_act)(float *v, int pixels, int channels, const float *bias, const float *res,
                            float slope);
void RS_SUFFIX(rs_sigmoid)(float *v, size_t n);
void RS_SUFFIX(rs_head_row)(const float *in, int pixels, int channels, int heads, const float *w,
                            const float *bias, float *out);
float RS_SUFFIX(rs_peak)(long rounds);

void RS_SUFFIX(rs_outer_sum)(const rs_outer *a);
void RS_SUFFIX(rs_wino_grad4)(const rs_wino_grad *a);
void RS_SUFFIX(rs_wino_filter4)(const float *w, int cin, int cout, float *u);
void RS_SUFFIX(rs_wino_filter_grad4)(const float *du, int cin, int cout, float *dw);
void RS_SUFFIX(rs_norm_row)(const float *z, int pixels, int channels, const float *a,
                            const float *c, const float *res, float slope, float *out);
void RS_SUFFIX(rs_norm_grad_row)(const float *d, const float *z, int pixels, int channels,
                                 const float *a, const float *b, const float *c, float *out);
void RS_SUFFIX(rs_moments_row)(const float *v, int pixels, int channels, const float *shift,
                               float *sum, float *square);
void RS_SUFFIX(rs_sum_row)(const float *v, int pixels, int channels, float *sum);
void RS_SUFFIX(rs_mask_row)(const rs_mask_row *a);
void RS_SUFFIX(rs_pool_grad_row)(const float *a, const float *b, const float *d, int out_pixels,
                                 int channels, float *da, float *db);
void RS_SUFFIX(rs_head_grad_row)(const float *in, const float *s, int pixels, int channels,
                                 const float *w, float *dw, float *out);
void RS_SUFFIX(rs_adamw_step)(const rs_adamw *a, const float *g, size_t n, float *p, float *m,
                              float *v);

#define RS_FILL_GRAD(g)                                                                            \
    do {                                                                                           \
        (g)->outer = RS_SUFFIX(rs_outer_sum);                                                      \
        (g)->wino_grad = RS_SUFFIX(rs_wino_grad4);                                                 \
        (g)->wino_filter = RS_SUFFIX(rs_wino_filter4);                                             \
        (g)->wino_filter_grad = RS_SUFFIX(rs_wino_filter_grad4);                                   \
        (g)->norm_row = RS_SUFFIX(rs_norm_row);                                                    \
        (g)->norm_grad_row = RS_SUFFIX(rs_norm_grad_row);                                          \
        (g)->moments_row = RS_SUFFIX(rs_moments_row);                                              \
        (g)->sum_row = RS_SUFFIX(rs_sum_row);                                                      \
        (g)->mask_row = RS_SUFFIX(rs_mask_row);                                                    \
        (g)->pool_grad_row = RS_SUFFIX(rs_pool_grad_row);                                          \
        (g)->head_grad_row = RS_SUFFIX(rs_head_grad_row);                                          \
        (g)->adamw = RS_SUFFIX(rs_adamw_step);                                                     \
    } while (0)

#define RS_FILL_TABLE(k)                                                                           \
    do {                                                                                           \
        (k)->mr = MAC_MR;                                                                          \
        (k)->nr = MAC_NV * VL;                                                                     \
        (k)->mac = RS_SUFFIX(rs_mac);                                                              \
        (k)->wino_in[0] = RS_SUFFIX(rs_wino_in4);                                                  \
        (k)->wino_in[1] = RS_SUFFIX(rs_wino_in6);                                                  \
        (k)->wino_out[0] = RS_SUFFIX(rs_wino_out4);                                                \
        (k)->wino_out[1] = RS_SUFFIX(rs_wino_out6);                                                \
        (k)->from_one = RS_SUFFIX(rs_from_one);                                                    \
        (k)->pool_row = RS_SUFFIX(rs_pool_row);                                                    \
        (k)->grow_row = RS_SUFFIX(rs_grow_row);                                                    \
        (k)->bend_row = RS_SUFFIX(rs_bend_row);                                                    \
        (k)->bias_act = RS_SUFFIX(rs_bias_act);                                                    \
        (k)->sigmoid = RS_SUFFIX(rs_sigmoid);                                                      \
        (k)->head_row = RS_SUFFIX(rs_head_row);                                                    \
        (k)->lanes = VL;                                                                           \
        RS_FILL_GRAD(&(k)->grad);                                                                  \
        (k)->peak = RS_SUFFIX(rs_peak);                                                            \
    } while (0)
