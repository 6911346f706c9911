#include "nn/kernels/ref/grad.h"

#include <math.h>

void rs_ref_conv_grad(const double *in, int cin, int h, int w, const double *weight, int cout,
                      int k, const double *dout, double *din, double *dweight, double *dbias)
{
    const int r = k / 2;
    const size_t n = (size_t)h * (size_t)w;
    for (size_t i = 0; din && i < (size_t)cin * n; i++) din[i] = 0;
    for (int o = 0; o < cout; o++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const double d = dout[(size_t)o * n + (size_t)y * (size_t)w + (size_t)x];
                dbias[o] += d;
                for (int c = 0; c < cin; c++)
                    for (int t = 0; t < k * k; t++) {
                        const int yy = y + t / k - r, xx = x + t % k - r;
                        if (yy < 0 || yy >= h || xx < 0 || xx >= w) continue;
                        const size_t at = (size_t)c * n + (size_t)yy * (size_t)w + (size_t)xx;
                        const size_t tap =
                            ((size_t)o * (size_t)cin + (size_t)c) * (size_t)(k * k) + (size_t)t;
                        dweight[tap] += d * in[at];
                        if (din) din[at] += d * weight[tap];
                    }
            }
}

void rs_ref_batch_statistics(const double *in, int n, int c, size_t p, double *mean, double *var)
{
    const double count = (double)n * (double)p;
    for (int k = 0; k < c; k++) {
        double sum = 0, square = 0;
        for (int i = 0; i < n; i++)
            for (size_t q = 0; q < p; q++) sum += in[((size_t)i * (size_t)c + (size_t)k) * p + q];
        mean[k] = sum / count;
        for (int i = 0; i < n; i++)
            for (size_t q = 0; q < p; q++)
                square += pow(in[((size_t)i * (size_t)c + (size_t)k) * p + q] - mean[k], 2);
        var[k] = square / count;
    }
}

void rs_ref_batch_norm_grad(const double *in, int n, int c, size_t p, const double *gamma,
                            const double *mean, const double *var, double eps, bool of_batch,
                            const double *dout, double *din, double *dgamma, double *dbeta)
{
    const double count = (double)n * (double)p;
    for (int k = 0; k < c; k++) {
        const double inv = 1 / sqrt(var[k] + eps);
        double sum = 0, dot = 0;
        for (int i = 0; i < n; i++)
            for (size_t q = 0; q < p; q++) {
                const size_t at = ((size_t)i * (size_t)c + (size_t)k) * p + q;
                sum += dout[at];
                dot += dout[at] * (in[at] - mean[k]) * inv;
            }
        dgamma[k] = dot;
        dbeta[k] = sum;
        for (int i = 0; i < n; i++)
            for (size_t q = 0; q < p; q++) {
                const size_t at = ((size_t)i * (size_t)c + (size_t)k) * p + q;
                const double z = (in[at] - mean[k]) * inv;
                din[at] = gamma[k] * inv *
                          (of_batch ? dout[at] - sum / count - z * dot / count : dout[at]);
            }
    }
}

void rs_ref_leaky_relu_grad(const double *v, size_t n, double slope, double *d)
{
    for (size_t i = 0; i < n; i++)
        if (!(v[i] > 0)) d[i] *= slope;
}

void rs_ref_max_pool_grad(const double *in, int c, int h, int w, const double *dout, double *din)
{
    const int oh = h / 2, ow = w / 2;
    for (size_t i = 0; i < (size_t)c * (size_t)h * (size_t)w; i++) din[i] = 0;
    for (int k = 0; k < c; k++)
        for (int y = 0; y < oh; y++)
            for (int x = 0; x < ow; x++) {
                const size_t at =
                    ((size_t)k * (size_t)h + 2 * (size_t)y) * (size_t)w + 2 * (size_t)x;
                const size_t four[] = {at, at + 1, at + (size_t)w, at + (size_t)w + 1};
                size_t best = four[0];
                for (int i = 1; i < 4; i++)
                    if (in[four[i]] > in[best]) best = four[i];
                din[best] += dout[((size_t)k * (size_t)oh + (size_t)y) * (size_t)ow + (size_t)x];
            }
}

static int clamp(int i, int n)
{
    return i < n ? i : n - 1;
}

void rs_ref_resize_grad(const double *dout, int c, int h, int w, rs_upsampling mode, int oh, int ow,
                        double *din)
{
    const double sy = (double)h / oh, sx = (double)w / ow;
    for (size_t i = 0; i < (size_t)c * (size_t)h * (size_t)w; i++) din[i] = 0;
    for (int k = 0; k < c; k++) {
        double *p = din + (size_t)k * (size_t)h * (size_t)w;
        for (int y = 0; y < oh; y++)
            for (int x = 0; x < ow; x++, dout++) {
                if (mode == RS_NEAREST) {
                    p[clamp((int)floor(y * sy), h) * w + clamp((int)floor(x * sx), w)] += *dout;
                    continue;
                }
                const double fy = fmax((y + 0.5) * sy - 0.5, 0), fx = fmax((x + 0.5) * sx - 0.5, 0);
                const int y0 = (int)fy, x0 = (int)fx;
                const double ty = fy - y0, tx = fx - x0;
                p[clamp(y0, h) * w + clamp(x0, w)] += (1 - ty) * (1 - tx) * *dout;
                p[clamp(y0, h) * w + clamp(x0 + 1, w)] += (1 - ty) * tx * *dout;
                p[clamp(y0 + 1, h) * w + clamp(x0, w)] += ty * (1 - tx) * *dout;
                p[clamp(y0 + 1, h) * w + clamp(x0 + 1, w)] += ty * tx * *dout;
            }
    }
}

double rs_ref_wall_loss(const double *logit, const double *target, const double *weight, size_t n,
                        double entropy, double dice, double *dlogit)
{
    double all = 0, cross = 0, over = 1, under = 1;
    for (size_t i = 0; i < n; i++) {
        const double z = logit[i], t = target[i], w = weight[i], p = 1 / (1 + exp(-z));
        all += w;
        cross += w * (fmax(z, 0) - z * t + log1p(exp(-fabs(z))));
        over += 2 * w * p * t;
        under += w * (p + t);
    }
    for (size_t i = 0; dlogit && i < n; i++) {
        const double t = target[i], w = weight[i], p = 1 / (1 + exp(-logit[i]));
        const double to_p = -(2 * t * under - over) / (under * under);
        dlogit[i] = w * (entropy * (p - t) / all + dice * to_p * p * (1 - p));
    }
    return entropy * cross / all + dice * (1 - over / under);
}
