#include "imgproc/image/smooth.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"

#define MOST_TAPS ((int)(4 * RS_SMOOTH_MAX_SIGMA) + 1)

/* tap[0..reach], symmetric about 0; returns the reach. */
static int gauss(double sigma, double tap[MOST_TAPS])
{
    int reach = (int)(4 * sigma);
    double sum = 1;
    tap[0] = 1;
    for (int i = 1; i <= reach; i++) {
        tap[i] = exp(-0.5 * i * i / (sigma * sigma));
        sum += 2 * tap[i];
    }
    for (int i = 0; i <= reach; i++) tap[i] /= sum;
    return reach;
}

/* One line of n values, `stride` apart, in place; line has n + 2 reach values. */
static void smooth_line(float *a, int n, size_t stride, const double *tap, int reach, float *line)
{
    for (int i = -reach; i < n + reach; i++) {
        int at = i < 0 ? 0 : i >= n ? n - 1 : i;
        line[i + reach] = a[(size_t)at * stride];
    }
    for (int i = 0; i < n; i++) {
        const float *x = line + i + reach;
        double sum = tap[0] * (double)x[0];
        for (int k = 1; k <= reach; k++) sum += tap[k] * ((double)x[k] + (double)x[-k]);
        a[(size_t)i * stride] = (float)sum;
    }
}

reshed_status rs_smooth_gaussian(const float *in, int height, int width, double sigma, float *out,
                                 reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of an image to smooth|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    if (!(sigma >= 0 && sigma <= RS_SMOOTH_MAX_SIGMA))
        return rs_fail(err, RESHED_EINVAL, "width of smoothing|0 to %g pixels|%g",
                       RS_SMOOTH_MAX_SIGMA, sigma);
    double tap[MOST_TAPS];
    const int reach = gauss(sigma, tap);
    const size_t longer = (size_t)(height > width ? height : width) + 2 * (size_t)reach;
    float *line = rs_alloc(longer, sizeof *line);
    if (!line) return rs_fail_nomem(err, "smoothing", longer * sizeof *line);
    if (out != in) memcpy(out, in, (size_t)height * (size_t)width * sizeof *out);
    for (int r = 0; r < height && reach > 0; r++)
        smooth_line(out + (size_t)r * (size_t)width, width, 1, tap, reach, line);
    for (int c = 0; c < width && reach > 0; c++)
        smooth_line(out + c, height, (size_t)width, tap, reach, line);
    rs_free(line);
    return RESHED_OK;
}
