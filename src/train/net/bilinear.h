/* bilinear.h - an image between its pixel centres. */
#ifndef RS_TRAIN_BILINEAR_H
#define RS_TRAIN_BILINEAR_H

#include <stddef.h>

/* a[height,width] at row r, column c, both inside [0, side-1]. */
static inline float rs_bilinear(const float *a, int height, int width, float r, float c)
{
    const int r0 = (int)r, c0 = (int)c;
    const int r1 = r0 + 1 < height ? r0 + 1 : r0, c1 = c0 + 1 < width ? c0 + 1 : c0;
    const float tr = r - (float)r0, tc = c - (float)c0;
    const float *top = a + (size_t)r0 * (size_t)width, *low = a + (size_t)r1 * (size_t)width;
    const float upper = top[c0] + tc * (top[c1] - top[c0]);
    const float lower = low[c0] + tc * (low[c1] - low[c0]);
    return upper + tr * (lower - upper);
}

#endif
