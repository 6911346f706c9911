#include "infer/baseline.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "imgproc/image/smooth.h"
#include "imgproc/image/threshold.h"

static reshed_status check_size(int height, int width, reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of an image|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    return RESHED_OK;
}

static void mark_crossing(const float *image, double t, size_t a, size_t b, uint8_t *mask)
{
    double va = (double)image[a], vb = (double)image[b];
    if ((va < t) == (vb < t)) return;
    size_t darker = va < t ? a : b, other = va < t ? b : a;
    mask[fabs((double)image[darker] - t) <= fabs((double)image[other] - t) ? darker : other] = 1;
}

reshed_status rs_baseline_boundary(const float *image, int height, int width, double threshold,
                                   uint8_t *mask, reshed_error *err)
{
    reshed_status st = check_size(height, width, err);
    if (st != RESHED_OK) return st;
    const size_t w = (size_t)width;
    memset(mask, 0, (size_t)height * w);
    for (int r = 0; r < height; r++)
        for (int c = 0; c < width; c++) {
            size_t i = (size_t)r * w + (size_t)c;
            if (c + 1 < width) mark_crossing(image, threshold, i, i + 1, mask);
            if (r + 1 < height) mark_crossing(image, threshold, i, i + w, mask);
        }
    return RESHED_OK;
}

/* The gradient's magnitude one step from pixel i along (gx,gy), or against it for sign -1: linear
 * between the two pixels of the 8-neighbourhood on either side of the direction. */
static double along(const float *magnitude, size_t i, ptrdiff_t w, double gx, double gy, int sign)
{
    ptrdiff_t sx = (gx < 0 ? -1 : 1) * sign, sy = (gy < 0 ? -w : w) * sign;
    double ax = fabs(gx), ay = fabs(gy);
    double t = ax >= ay ? ay / ax : ax / ay; /* some gradient is there */
    const float *m = magnitude + i;
    double straight = (double)(ax >= ay ? m[sx] : m[sy]);
    return straight + t * ((double)m[sx + sy] - straight);
}

/* thin[H,W]: the magnitude where it is largest along its gradient, else 0. */
static void thin_ridges(const float *smooth, const float *magnitude, int height, int width,
                        float *thin)
{
    const ptrdiff_t w = width;
    memset(thin, 0, (size_t)height * (size_t)width * sizeof *thin);
    for (int r = 1; r < height - 1; r++)
        for (int c = 1; c < width - 1; c++) {
            size_t i = (size_t)r * (size_t)width + (size_t)c;
            double gx = 0.5 * ((double)smooth[i + 1] - (double)smooth[i - 1]);
            double gy = 0.5 * ((double)smooth[i + (size_t)w] - (double)smooth[i - (size_t)w]);
            double m = (double)magnitude[i];
            if (m > 0 && m >= along(magnitude, i, w, gx, gy, 1) &&
                m > along(magnitude, i, w, gx, gy, -1))
                thin[i] = magnitude[i];
        }
}

/* Central differences; 0 at the frame's edge. */
static void gradient(const float *a, int height, int width, float *magnitude)
{
    const size_t w = (size_t)width;
    memset(magnitude, 0, (size_t)height * w * sizeof *magnitude);
    for (int r = 1; r < height - 1; r++)
        for (int c = 1; c < width - 1; c++) {
            size_t i = (size_t)r * w + (size_t)c;
            magnitude[i] = hypotf(0.5f * (a[i + 1] - a[i - 1]), 0.5f * (a[i + w] - a[i - w]));
        }
}

reshed_status rs_baseline_canny(const float *image, int height, int width, double sigma, double low,
                                double high, uint8_t *mask, reshed_error *err)
{
    reshed_status st = check_size(height, width, err);
    if (st != RESHED_OK) return st;
    if (!(low >= 0 && low <= high && isfinite(high)))
        return rs_fail(err, RESHED_EINVAL, "Canny's thresholds|0 <= low <= high|%g, %g", low, high);
    const size_t n = (size_t)height * (size_t)width;
    float *smooth = rs_alloc(3 * n, sizeof *smooth);
    if (!smooth) return rs_fail_nomem(err, "Canny's maps", 3 * n * sizeof *smooth);
    float *magnitude = smooth + n, *thin = magnitude + n;
    st = rs_smooth_gaussian(image, height, width, sigma, smooth, err);
    if (st == RESHED_OK) {
        gradient(smooth, height, width, magnitude);
        thin_ridges(smooth, magnitude, height, width, thin);
        st = rs_threshold_hysteresis(thin, height, width, low, high, mask, err);
    }
    rs_free(smooth);
    return st;
}
