#include "spm/scan/drift/images.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* The part of the kernel's weight that must fall on valid pixels. With one pixel of standard
 * deviation a pixel at a straight edge has 0.70 of it and the next one 0.94; a pixel of a missing
 * line has 0.60 and its neighbours 0.76; a lone missing pixel, which its neighbours then stand in
 * for, 0.84. */
#define MIN_WEIGHT 0.72

reshed_status rs_masked_init(rs_masked *m, int rows, int cols, reshed_error *err)
{
    size_t n = (size_t)rows * (size_t)cols;
    *m = (rs_masked){.rows = rows, .cols = cols};
    m->value = rs_zalloc(n, sizeof *m->value);
    m->valid = rs_zalloc(n, sizeof *m->valid);
    if (m->value && m->valid) return RESHED_OK;
    rs_masked_clear(m);
    return rs_fail_nomem(err, "an image", n * 2 * sizeof(double));
}

void rs_masked_clear(rs_masked *m)
{
    rs_free(m->value);
    rs_free(m->valid);
    memset(m, 0, sizeof *m);
}

static int reach_of(double smooth)
{
    return (int)ceil(3.5 * smooth);
}

int rs_masked_margin(double smooth)
{
    return reach_of(smooth) + 3;
}

/* One pass of the Gaussian along lines of n values, `step` apart: sums of weighted values and of
 * weights. */
static void blur_line(const double *value, const double *weight, int n, size_t step,
                      const double *kernel, int reach, double *out_value, double *out_weight)
{
    for (int i = 0; i < n; i++) {
        double v = 0, w = 0;
        int lo = i < reach ? -i : -reach, hi = n - 1 - i < reach ? n - 1 - i : reach;
        for (int k = lo; k <= hi; k++) {
            size_t at = (size_t)(i + k) * step;
            v += kernel[k < 0 ? -k : k] * value[at];
            w += kernel[k < 0 ? -k : k] * weight[at];
        }
        out_value[(size_t)i * step] = v;
        out_weight[(size_t)i * step] = w;
    }
}

static reshed_status blur(rs_masked *m, double smooth, reshed_error *err)
{
    int reach = reach_of(smooth), rows = m->rows, cols = m->cols;
    size_t n = (size_t)rows * (size_t)cols;
    double *work = rs_alloc(4 * n, sizeof *work);
    double *kernel = rs_alloc((size_t)reach + 1, sizeof *kernel), sum = 0;
    if (!work || !kernel) {
        rs_free(work);
        rs_free(kernel);
        return rs_fail_nomem(err, "smoothing an image", 4 * n * sizeof *work);
    }
    double *v1 = work, *w1 = v1 + n, *v2 = w1 + n, *w2 = v2 + n;
    for (int k = 0; k <= reach; k++) {
        kernel[k] = exp(-0.5 * k * k / (smooth * smooth));
        sum += k ? 2 * kernel[k] : kernel[k];
    }
    for (int k = 0; k <= reach; k++) kernel[k] /= sum;
    for (int r = 0; r < rows; r++) {
        size_t at = (size_t)r * (size_t)cols;
        blur_line(m->value + at, m->valid + at, cols, 1, kernel, reach, v1 + at, w1 + at);
    }
    for (int c = 0; c < cols; c++)
        blur_line(v1 + c, w1 + c, rows, (size_t)cols, kernel, reach, v2 + c, w2 + c);
    for (size_t i = 0; i < n; i++) {
        m->valid[i] = w2[i] >= MIN_WEIGHT;
        m->value[i] = m->valid[i] > 0 ? v2[i] / w2[i] : 0;
    }
    rs_free(work);
    rs_free(kernel);
    return RESHED_OK;
}

static void subtract_mean(rs_masked *m)
{
    size_t n = (size_t)m->rows * (size_t)m->cols;
    double sum = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        sum += m->value[i];
        count += m->valid[i];
    }
    double mean = count > 0 ? sum / count : 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        m->value[i] -= m->valid[i] * mean;
        most = fmax(most, fabs(m->value[i]));
    }
    /* The rest of a constant image is rounding, not contrast. */
    if (most <= 2 * FLT_EPSILON * fabs(mean)) memset(m->value, 0, n * sizeof *m->value);
}

reshed_status rs_masked_take(const float *image, int H, int W, int row0, int col0, int rows,
                             int cols, double smooth, rs_masked *out, reshed_error *err)
{
    rs_masked m;
    reshed_status st = rs_masked_init(&m, rows, cols, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            int64_t r = (int64_t)row0 + i, c = (int64_t)col0 + j;
            if (r < 0 || r >= H || c < 0 || c >= W) continue;
            float v = image[r * W + c];
            size_t at = (size_t)i * (size_t)cols + (size_t)j;
            if (!isfinite(v)) continue;
            m.value[at] = (double)v;
            m.valid[at] = 1;
        }
    /* Before smoothing, so that values at the edges of the mask lose no digits. */
    subtract_mean(&m);
    if (smooth > 0) st = blur(&m, smooth, err);
    if (st != RESHED_OK) {
        rs_masked_clear(&m);
        return st;
    }
    subtract_mean(&m);
    *out = m;
    return RESHED_OK;
}

/* Weights of the neighbours -1 ... 2 at t in [0,1), and their derivatives. */
static void cubic(double t, double w[4], double d[4])
{
    w[0] = t * (-0.5 + t * (1 - 0.5 * t));
    w[1] = 1 + t * t * (-2.5 + 1.5 * t);
    w[2] = t * (0.5 + t * (2 - 1.5 * t));
    w[3] = t * t * (-0.5 + 0.5 * t);
    d[0] = -0.5 + t * (2 - 1.5 * t);
    d[1] = t * (-5 + 4.5 * t);
    d[2] = 0.5 + t * (4 - 4.5 * t);
    d[3] = t * (-1 + 1.5 * t);
}

void rs_masked_shift(const rs_masked *in, double row, double col, rs_masked *out, double *d_row,
                     double *d_col)
{
    double wr[4], dr[4], wc[4], dc[4];
    int row0 = (int)floor(row), col0 = (int)floor(col);
    cubic(row - row0, wr, dr);
    cubic(col - col0, wc, dc);
    for (int i = 0; i < out->rows; i++)
        for (int j = 0; j < out->cols; j++) {
            size_t at = (size_t)i * (size_t)out->cols + (size_t)j;
            double v = 0, vr = 0, vc = 0, valid = 0;
            int r = i + row0 - 1, c = j + col0 - 1;
            if (r >= 0 && c >= 0 && r + 3 < in->rows && c + 3 < in->cols) {
                valid = 1;
                for (int a = 0; a < 4; a++) {
                    size_t from = (size_t)(r + a) * (size_t)in->cols + (size_t)c;
                    const double *x = in->value + from, *m = in->valid + from;
                    double along = wc[0] * x[0] + wc[1] * x[1] + wc[2] * x[2] + wc[3] * x[3];
                    v += wr[a] * along;
                    vr += dr[a] * along;
                    vc += wr[a] * (dc[0] * x[0] + dc[1] * x[1] + dc[2] * x[2] + dc[3] * x[3]);
                    valid *= m[0] * m[1] * m[2] * m[3];
                }
            }
            out->valid[at] = valid;
            out->value[at] = valid * v;
            if (d_row) d_row[at] = valid * vr;
            if (d_col) d_col[at] = valid * vc;
        }
}
