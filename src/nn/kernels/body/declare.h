/* declare.h - the names that one instruction set's folder gives to the bodies, and its table. */
#include "nn/kernels/kernels.h"

void RS_SUFFIX(rs_mac)(const rs_mac *a);
void RS_SUFFIX(rs_wino_in4)(const rs_wino_in *a);
void RS_SUFFIX(rs_wino_in6)(const rs_wino_in *a);
void RS_SUFFIX(rs_wino_out4)(const rs_wino_out *a);
void RS_SUFFIX(rs_wino_out6)(const rs_wino_out *a);
void RS_SUFFIX(rs_from_one)(const float *x, int pixels, int cout, const float *w, const float *bias,
                            float *out);
void RS_SUFFIX(rs_pool_row)(const float *a, const float *b, int out_pixels, int channels,
                            float *out);
void RS_SUFFIX(rs_bias_act)(float *v, int pixels, int channels, const float *bias, const float *res,
                            float slope);
void RS_SUFFIX(rs_sigmoid)(float *v, size_t n);
void RS_SUFFIX(rs_head_row)(const float *in, int pixels, int channels, int heads, const float *w,
                            const float *bias, float *out);
float RS_SUFFIX(rs_peak)(long rounds);

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
        (k)->bias_act = RS_SUFFIX(rs_bias_act);                                                    \
        (k)->sigmoid = RS_SUFFIX(rs_sigmoid);                                                      \
        (k)->head_row = RS_SUFFIX(rs_head_row);                                                    \
        (k)->lanes = VL;                                                                           \
        (k)->peak = RS_SUFFIX(rs_peak);                                                            \
    } while (0)
