/* grad.h (ref) - the oracle's backward passes, in double precision with textbook loops on [C,H,W]
 * arrays; those of batch normalisation on [N,C,P]. Tests hold them against central differences. */
#ifndef RS_NN_REF_GRAD_H
#define RS_NN_REF_GRAD_H

#include <stdbool.h>

#include "nn/net.h"

/* Of rs_ref_conv, from dout [cout,h,w]: din [cin,h,w] is set (NULL: not wanted), dweight and dbias
 * are added to. */
void rs_ref_conv_grad(const double *in, int cin, int h, int w, const double *weight, int cout,
                      int k, const double *dout, double *din, double *dweight, double *dbias);

/* Mean and population variance of each channel over the images: in [n,c,p]. */
void rs_ref_batch_statistics(const double *in, int n, int c, size_t p, double *mean, double *var);

/* Of out = (in - mean)/sqrt(var + eps)*gamma + beta. of_batch: mean and var are those of `in` and
 * depend on it. din may be dout; dgamma and dbeta [c] are set. */
void rs_ref_batch_norm_grad(const double *in, int n, int c, size_t p, const double *gamma,
                            const double *mean, const double *var, double eps, bool of_batch,
                            const double *dout, double *din, double *dgamma, double *dbeta);

/* d *= v > 0 ? 1 : slope, v before or after the activation */
void rs_ref_leaky_relu_grad(const double *v, size_t n, double slope, double *d);

/* To the first largest of each four, as PyTorch does: din [c,h,w] is set. */
void rs_ref_max_pool_grad(const double *in, int c, int h, int w, const double *dout, double *din);

/* Of rs_ref_resize: dout [c,oh,ow], din [c,h,w] is set. */
void rs_ref_resize_grad(const double *dout, int c, int h, int w, rs_upsampling mode, int oh, int ow,
                        double *din);

/* entropy * (cross-entropy of sigmoid(logit)) + dice * (1 - Dice), each of n pixels counting
 * `weight`; dlogit [n] is set, or NULL. */
double rs_ref_wall_loss(const double *logit, const double *target, const double *weight, size_t n,
                        double entropy, double dice, double *dlogit);

#endif
