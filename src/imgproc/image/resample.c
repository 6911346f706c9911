/* Each axis is described once by a table: for every new pixel, the first old pixel it draws on and
 * a few weights that sum to one. Shrinking weighs old pixels by the length that they share with the
 * new one; growing uses the two (bilinear) or four (Catmull-Rom) nearest centres, a tap outside
 * the image falling on the edge pixel. The rows are then done first, into a [in_h,out_w] buffer in
 * double, and the columns after them. */
#include "imgproc/image/resample.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/numeric.h"

typedef struct axis_table {
    int taps;   /* weights per new pixel */
    int *first; /* [out] */
    double *w;  /* [out,taps] */
} axis_table;

static void table_free(axis_table *t)
{
    rs_free(t->first);
    rs_free(t->w);
}

/* New pixel j covers old coordinates [j*in/out, (j+1)*in/out). */
static void shrink_table(axis_table *t, int in, int out)
{
    double scale = (double)in / out;
    for (int j = 0; j < out; j++) {
        double from = j * scale, to = (j + 1) * scale, sum = 0;
        int first = rs_clamp_int((int)from, 0, in - 1);
        if (first + t->taps > in) first = in - t->taps;
        t->first[j] = first;
        for (int k = 0; k < t->taps; k++) {
            double a = fmax(from, first + k), b = fmin(to, first + k + 1);
            sum += t->w[j * t->taps + k] = b > a ? b - a : 0;
        }
        for (int k = 0; k < t->taps; k++) t->w[j * t->taps + k] /= sum;
    }
}

static void tap_weights(rs_growing growing, double t, double w[4])
{
    if (growing == RS_GROW_BILINEAR) {
        w[0] = w[3] = 0;
        w[1] = 1 - t;
        w[2] = t;
        return;
    }
    /* Catmull and Rom (1974): cubic through the points, slope from the neighbours. */
    w[0] = t * (-0.5 + t * (1 - 0.5 * t));
    w[1] = 1 + t * t * (1.5 * t - 2.5);
    w[2] = t * (0.5 + t * (2 - 1.5 * t));
    w[3] = t * t * (0.5 * t - 0.5);
}

static void grow_table(axis_table *t, int in, int out, rs_growing growing)
{
    memset(t->w, 0, (size_t)out * (size_t)t->taps * sizeof *t->w);
    for (int j = 0; j < out; j++) {
        double at = (j + 0.5) * in / out - 0.5, w[4];
        int i = (int)floor(at), first = i - 1;
        tap_weights(growing, at - i, w);
        if (first + t->taps > in) first = in - t->taps;
        if (first < 0) first = 0;
        t->first[j] = first;
        for (int k = 0; k < 4; k++)
            t->w[j * t->taps + rs_clamp_int(i - 1 + k, 0, in - 1) - first] += w[k];
    }
}

static bool table_make(axis_table *t, int in, int out, rs_growing growing)
{
    if (out == in)
        t->taps = 1;
    else if (out < in)
        t->taps = in / out + 2 < in ? in / out + 2 : in;
    else
        t->taps = in < 4 ? in : 4;
    t->first = rs_alloc((size_t)out, sizeof *t->first);
    t->w = rs_alloc((size_t)out, (size_t)t->taps * sizeof *t->w);
    if (!t->first || !t->w) return false;
    if (out == in) {
        for (int j = 0; j < out; j++) t->first[j] = j, t->w[j] = 1;
    } else if (out < in) {
        shrink_table(t, in, out);
    } else {
        grow_table(t, in, out, growing);
    }
    return true;
}

/* One row [in_w,channels] -> wide [out_w,channels]. */
static void along_row(const float *in, int channels, const axis_table *t, int out_w, double *wide)
{
    for (int j = 0; j < out_w; j++)
        for (int c = 0; c < channels; c++) {
            const float *p = in + (size_t)t->first[j] * (size_t)channels + c;
            double sum = 0;
            for (int k = 0; k < t->taps; k++)
                sum += t->w[j * t->taps + k] * (double)p[(size_t)k * (size_t)channels];
            wide[(size_t)j * (size_t)channels + (size_t)c] = sum;
        }
}

reshed_status rs_resample(const float *in, int in_h, int in_w, int channels, rs_growing growing,
                          float *out, int out_h, int out_w, reshed_error *err)
{
    const int side[4] = {in_h, in_w, out_h, out_w};
    for (int i = 0; i < 4; i++)
        if (side[i] < 1 || side[i] > RS_IMAGE_MAX_SIDE || channels < 1 || channels > 4096)
            return rs_fail(err, RESHED_EINVAL, "size of the grid|1 to %d a side|%d x %d x %d",
                           RS_IMAGE_MAX_SIDE, side[i & 2], side[(i & 2) + 1], channels);
    reshed_status st = RESHED_OK;
    size_t row = (size_t)out_w * (size_t)channels, in_row = (size_t)in_w * (size_t)channels;
    axis_table tx = {0}, ty = {0};
    double *wide = NULL;
    if (!table_make(&tx, in_w, out_w, growing) || !table_make(&ty, in_h, out_h, growing) ||
        !(wide = rs_alloc((size_t)in_h, row * sizeof *wide))) {
        st = rs_fail_nomem(err, "resampling", (size_t)in_h * row * sizeof *wide);
        goto done;
    }
    for (int y = 0; y < in_h; y++)
        along_row(in + (size_t)y * in_row, channels, &tx, out_w, wide + (size_t)y * row);
    for (int y = 0; y < out_h; y++) {
        const double *p = wide + (size_t)ty.first[y] * row, *w = ty.w + (size_t)y * (size_t)ty.taps;
        for (size_t i = 0; i < row; i++) {
            double sum = 0;
            for (int k = 0; k < ty.taps; k++) sum += w[k] * p[(size_t)k * row + i];
            out[(size_t)y * row + i] = (float)sum;
        }
    }
done:
    table_free(&tx);
    table_free(&ty);
    rs_free(wide);
    return st;
}

/* ------------------------------------------------------------------------- to the trained scale */

#define SAME_SIZE 0.05 /* relative difference of pixel sizes that is left alone */
#define MOST_GROWTH 4.0
#define LEAST_SIDE 4 /* what a plan of the network accepts */

reshed_status rs_resample_parse(const char *text, rs_resample_request *out, reshed_error *err)
{
    rs_resample_request r = {.mode = RS_RESAMPLE_AUTO};
    if (strcmp(text, "off") == 0) {
        r.mode = RS_RESAMPLE_OFF;
    } else if (strcmp(text, "auto") != 0) {
        char *end;
        double nm = strtod(text, &end);
        if (end == text || *end || !(nm > 0) || !(nm < 1e9))
            return rs_fail(err, RESHED_EINVAL,
                           "resampling|auto, off or nanometres per pixel|'%.40s'", text);
        r.mode = RS_RESAMPLE_PIXEL_SIZE;
        r.pixel_size = nm * 1e-9;
    }
    *out = r;
    return RESHED_OK;
}

static bool same_size(double a, double b)
{
    return fabs(a - b) <= SAME_SIZE * b;
}

/* The size of square pixels to aim at, given dx, dy > 0; writes why. *tolerance: relative
 * difference from it that is not worth a change. */
static double target_size(double dx, double dy, double lo, double hi,
                          const rs_resample_request *request, double *tolerance, char *why,
                          size_t n)
{
    double finer = fmin(dx, dy), target = finer, finest = fmax(dx, dy) / MOST_GROWTH;
    int k = same_size(dx, dy)
                ? snprintf(why, n, "pixel size %.3g nm", finer * 1e9)
                : snprintf(why, n, "pixel size %.3g x %.3g nm (not square)", dx * 1e9, dy * 1e9);
    *tolerance = SAME_SIZE;
    if (request->mode == RS_RESAMPLE_PIXEL_SIZE) {
        snprintf(why + k, n - (size_t)k, ", %.3g nm asked for", request->pixel_size * 1e9);
        *tolerance = 0;
        return request->pixel_size;
    }
    if (!(lo > 0 && hi >= lo)) {
        k += snprintf(why + k, n - (size_t)k, ", training range unknown");
    } else {
        target = fmin(fmax(finer, lo), hi);
        k += snprintf(why + k, n - (size_t)k, ", trained on %.3g to %.3g nm", lo * 1e9, hi * 1e9);
    }
    if (target < finest) {
        target = finest;
        snprintf(why + k, n - (size_t)k, ", enlarged at most %.0f times", MOST_GROWTH);
    }
    return target;
}

static bool usable(double pixel_size)
{
    return pixel_size > 0 && isfinite(pixel_size);
}

reshed_status rs_resample_decide(int height, int width, double dx, double dy, double trained_min,
                                 double trained_max, const rs_resample_request *request,
                                 rs_resample_plan *out, reshed_error *err)
{
    bool fixed = request->mode == RS_RESAMPLE_PIXEL_SIZE, known = usable(dx) && usable(dy);
    rs_resample_plan p = {.height = height, .width = width, .dx = dx, .dy = dy};
    double tolerance;
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of the image|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    if (fixed && !usable(request->pixel_size))
        return rs_fail(err, RESHED_EINVAL, "pixel size to resample to|above 0|%g m",
                       request->pixel_size);
    if (fixed && !known)
        return rs_fail(err, RESHED_EINVAL,
                       "resampling to a pixel size|an image that says its own|one that does not");
    if (request->mode == RS_RESAMPLE_OFF || !known) {
        snprintf(p.reason, sizeof p.reason, "%s",
                 known || request->mode == RS_RESAMPLE_OFF
                     ? "resampling is off"
                     : "the image does not say its pixel size");
        *out = p;
        return RESHED_OK;
    }
    double target = target_size(dx, dy, trained_min, trained_max, request, &tolerance, p.reason,
                                sizeof p.reason);
    double h = round(height * dy / target), w = round(width * dx / target);
    size_t k = strlen(p.reason);
    if ((h == height && w == width) ||
        (fabs(dx - target) <= tolerance * target && fabs(dy - target) <= tolerance * target)) {
        snprintf(p.reason + k, sizeof p.reason - k, ": used as it is");
        *out = p;
        return RESHED_OK;
    }
    if (h < LEAST_SIDE || w < LEAST_SIDE || h > RS_IMAGE_MAX_SIDE || w > RS_IMAGE_MAX_SIDE ||
        h * w > (double)RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "resampled size (%s)|%d to %d a side, at most %zu pixels|%.0f x %.0f",
                       p.reason, LEAST_SIDE, RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_PIXELS, h, w);
    p.needed = true;
    p.dx = width * dx / w;
    p.dy = height * dy / h;
    p.height = (int)h;
    p.width = (int)w;
    snprintf(p.reason + k, sizeof p.reason - k, ": %d x %d resampled to %d x %d pixels", height,
             width, p.height, p.width);
    *out = p;
    return RESHED_OK;
}
