/* ref.h - the oracle: the network in double precision with textbook loops on [C,H,W] arrays. It
 * defines what the fast kernels must compute, is never used in production, and shares no code with
 * them. */
#ifndef RS_NN_REF_H
#define RS_NN_REF_H

#include "base/tensors.h"
#include "nn/net.h"

/* out[o][y][x] = bias[o] + sum_{c,i,j} w[o][c][i][j] * in[c][y+d*(i-r)][x+d*(j-r)], r = k/2, zero outside;
 * d: the dilation.
 * in [cin,h,w], weight [cout,cin,k,k], bias [cout] or NULL, out [cout,h,w]. */
void rs_ref_conv(const double *in, int cin, int h, int w, const double *weight, const double *bias,
                 int cout, int k, int dilation, double *out);

/* out = (in - mean)/sqrt(var + eps)*gamma + beta, per channel of [c,h,w]; may be in place. */
void rs_ref_batch_norm(const double *in, int c, int h, int w, const double *gamma,
                       const double *beta, const double *mean, const double *var, double eps,
                       double *out);

/* v < 0 ? slope*v : v */
void rs_ref_leaky_relu(double *v, size_t n, double slope);

/* 2x2 maximum, odd sizes floor: out [c,h/2,w/2]. */
void rs_ref_max_pool(const double *in, int c, int h, int w, double *out);

/* PyTorch's interpolate to [c,oh,ow]: bilinear with align_corners=False, or nearest. */
void rs_ref_resize(const double *in, int c, int h, int w, rs_upsampling mode, int oh, int ow,
                   double *out);

/* Sigmoid for c = 1, softmax over the channels otherwise; in place on [c,n]. */
void rs_ref_probability(double *v, int c, size_t n);

/* The logits [classes,h,w] of a network that is no ResHedNet; the tensors must have passed
 * rs_net_check, the sides be multiples of rs_arch_unit. */
reshed_status rs_ref_other(const rs_arch *a, const rs_tensors *t, const double *image, int h, int w,
                           double *logits, reshed_error *err);

/* One member's probabilities of image [h,w]: out [h,w] for one class, [h,w,classes] for more. The
 * model must have passed rs_net_check. */
reshed_status rs_ref_forward(const rs_model_file *m, int member, const double *image, int h, int w,
                             double *out, reshed_error *err);

#endif
