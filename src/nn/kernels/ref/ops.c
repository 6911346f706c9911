#include "nn/kernels/ref/ref.h"

#include <math.h>

void rs_ref_conv(const double *in, int cin, int h, int w, const double *weight, const double *bias,
                 int cout, int k, int dilation, double *out)
{
    const int r = k / 2;
    for (int o = 0; o < cout; o++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                double s = bias ? bias[o] : 0;
                for (int c = 0; c < cin; c++)
                    for (int i = 0; i < k; i++)
                        for (int j = 0; j < k; j++) {
                            int yy = y + dilation * (i - r), xx = x + dilation * (j - r);
                            if (yy < 0 || yy >= h || xx < 0 || xx >= w) continue;
                            s += weight[(((size_t)o * (size_t)cin + (size_t)c) * (size_t)k +
                                         (size_t)i) *
                                            (size_t)k +
                                        (size_t)j] *
                                 in[((size_t)c * (size_t)h + (size_t)yy) * (size_t)w + (size_t)xx];
                        }
                out[((size_t)o * (size_t)h + (size_t)y) * (size_t)w + (size_t)x] = s;
            }
}

void rs_ref_batch_norm(const double *in, int c, int h, int w, const double *gamma,
                       const double *beta, const double *mean, const double *var, double eps,
                       double *out)
{
    const size_t n = (size_t)h * (size_t)w;
    for (int i = 0; i < c; i++)
        for (size_t p = 0; p < n; p++)
            out[(size_t)i * n + p] =
                (in[(size_t)i * n + p] - mean[i]) / sqrt(var[i] + eps) * gamma[i] + beta[i];
}

void rs_ref_leaky_relu(double *v, size_t n, double slope)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] < 0) v[i] *= slope;
}

void rs_ref_max_pool(const double *in, int c, int h, int w, double *out)
{
    const int oh = h / 2, ow = w / 2;
    for (int i = 0; i < c; i++)
        for (int y = 0; y < oh; y++)
            for (int x = 0; x < ow; x++) {
                const double *p =
                    in + ((size_t)i * (size_t)h + 2 * (size_t)y) * (size_t)w + 2 * (size_t)x;
                double a = fmax(p[0], p[1]), b = fmax(p[w], p[w + 1]);
                out[((size_t)i * (size_t)oh + (size_t)y) * (size_t)ow + (size_t)x] = fmax(a, b);
            }
}

static double at_clamped(const double *p, int h, int w, int y, int x)
{
    if (y > h - 1) y = h - 1;
    if (x > w - 1) x = w - 1;
    return p[(size_t)y * (size_t)w + (size_t)x];
}

void rs_ref_resize(const double *in, int c, int h, int w, rs_upsampling mode, int oh, int ow,
                   double *out)
{
    const double sy = (double)h / oh, sx = (double)w / ow;
    for (int i = 0; i < c; i++) {
        const double *p = in + (size_t)i * (size_t)h * (size_t)w;
        for (int y = 0; y < oh; y++)
            for (int x = 0; x < ow; x++, out++) {
                if (mode == RS_NEAREST) {
                    *out = at_clamped(p, h, w, (int)floor(y * sy), (int)floor(x * sx));
                    continue;
                }
                double fy = fmax((y + 0.5) * sy - 0.5, 0), fx = fmax((x + 0.5) * sx - 0.5, 0);
                int y0 = (int)fy, x0 = (int)fx;
                double ty = fy - y0, tx = fx - x0;
                *out = (1 - ty) * ((1 - tx) * at_clamped(p, h, w, y0, x0) +
                                   tx * at_clamped(p, h, w, y0, x0 + 1)) +
                       ty * ((1 - tx) * at_clamped(p, h, w, y0 + 1, x0) +
                             tx * at_clamped(p, h, w, y0 + 1, x0 + 1));
            }
    }
}

void rs_ref_probability(double *v, int c, size_t n)
{
    for (size_t p = 0; p < n; p++) {
        if (c == 1) {
            v[p] = 1 / (1 + exp(-v[p]));
            continue;
        }
        double top = v[p], sum = 0;
        for (int i = 1; i < c; i++) top = fmax(top, v[(size_t)i * n + p]);
        for (int i = 0; i < c; i++) sum += v[(size_t)i * n + p] = exp(v[(size_t)i * n + p] - top);
        for (int i = 0; i < c; i++) v[(size_t)i * n + p] /= sum;
    }
}
