#include "infer/contrast.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Returns whether the values differ by too few steps of float32 to be more than its rounding. */
static bool is_rounded(float lo, float hi)
{
    const float largest = fmaxf(fabsf(lo), fabsf(hi));
    const double step = (double)nextafterf(largest, INFINITY) - (double)largest;
    return (double)hi - (double)lo < RS_CONTRAST_STEPS * step;
}

/* Returns whether the finite ones of image[n] are lo and hi alone. */
static bool is_mask(const float *image, size_t n, float lo, float hi)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(image[i]) && image[i] != lo && image[i] != hi) return false;
    return true;
}

static bool is_zero(const float *row, int n)
{
    for (int i = 0; i < n; i++)
        if (row[i] != 0) return false;
    return true;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The outermost pixels, at either end, of an input of n pixels made from an image of `pixels`. */
static size_t outermost(size_t n, size_t pixels)
{
    const size_t grown = n > pixels ? 3 * ((n + pixels - 1) / pixels) : 1;
    return ((n > pixels ? pixels : n) / 200 + 1) * grown;
}

/* x[n] sorted. The share of the range that is left without the outermost pixels. */
static double range_left(const float *x, size_t n, size_t outer)
{
    if (2 * outer >= n) return 1;
    return ((double)x[n - 1 - outer] - (double)x[outer]) / ((double)x[n - 1] - (double)x[0]);
}

/* x[n] sorted. */
static bool is_saturated(const float *x, size_t n)
{
    size_t low = 0, high = 0;
    while (low < n && x[low] <= fmaxf(x[0], 0)) low++;
    while (high < n && x[n - 1 - high] >= fminf(x[n - 1], 1)) high++;
    const double both = (double)(low + high) / (double)n;
    const double less = (double)(low < high ? low : high) / (double)n;
    return both - less >= RS_CONTRAST_ENDS ||
           (both >= RS_CONTRAST_ENDS && less >= RS_CONTRAST_ENDS / 6) ||
           (both >= RS_CONTRAST_NEARLY_ALL && n - low - high < n);
}

reshed_status rs_contrast_look(const float *image, int height, int width, const float *input,
                               int input_height, int input_width, rs_contrast *out,
                               reshed_error *err)
{
    const size_t pixels = (size_t)height * (size_t)width, w = (size_t)input_width;
    float lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < pixels; i++) {
        if (!isfinite(image[i])) continue;
        lo = fminf(lo, image[i]);
        hi = fmaxf(hi, image[i]);
    }
    *out = !(lo < hi)           ? RS_CONTRAST_NONE
           : is_rounded(lo, hi) ? RS_CONTRAST_ROUNDED
                                : RS_CONTRAST_SEEN;
    if (*out != RS_CONTRAST_SEEN || !input) return RESHED_OK;
    if (is_mask(image, pixels, lo, hi)) {
        *out = RS_CONTRAST_MASK;
        return RESHED_OK;
    }

    int first = 0, end = input_height;
    while (first < end && is_zero(input + (size_t)first * w, input_width)) first++;
    while (end > first && is_zero(input + (size_t)(end - 1) * w, input_width)) end--;
    const size_t n = (size_t)(end - first) * w;
    if (n == 0) { /* all clipped away */
        *out = RS_CONTRAST_NONE;
        return RESHED_OK;
    }
    float *x = rs_alloc(n, sizeof *x);
    if (!x) return rs_fail_nomem(err, "the contrast of a frame", n * sizeof *x);
    memcpy(x, input + (size_t)first * w, n * sizeof *x);
    qsort(x, n, sizeof *x, by_value);
    if (!(x[n - 1] > x[0]))
        *out = RS_CONTRAST_NONE;
    else if (is_saturated(x, n))
        *out = RS_CONTRAST_SATURATED;
    else if (range_left(x, n, outermost(n, pixels)) < RS_CONTRAST_LEFT)
        *out = RS_CONTRAST_SQUEEZED;
    rs_free(x);
    return RESHED_OK;
}

const char *rs_contrast_text(rs_contrast contrast)
{
    switch (contrast) {
    case RS_CONTRAST_SEEN: return "";
    case RS_CONTRAST_NONE: return "every pixel has the same value";
    case RS_CONTRAST_ROUNDED: return "the values differ by no more than the rounding of float32";
    case RS_CONTRAST_SATURATED: return "much of the frame is saturated";
    case RS_CONTRAST_MASK:
        return "the image has two values only, as a mask has (reshed-walls takes masks)";
    case RS_CONTRAST_SQUEEZED: return "a few extreme pixels take most of the range";
    }
    return "";
}
