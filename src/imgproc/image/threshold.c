#include "imgproc/image/threshold.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/grid.h"

void rs_threshold(const float *map, size_t n, double t, uint8_t *mask)
{
    float limit = (float)t;
    for (size_t i = 0; i < n; i++) mask[i] = map[i] > limit;
}

/* ----------------------------------------------------------------------------------------- Otsu */

/* Integers in the order of the floats they stand for. */
static uint32_t key_of_float(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}

static float float_of_key(uint32_t k)
{
    uint32_t u = k & 0x80000000u ? k & 0x7fffffffu : ~k;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* Sorts keys[n] by their bits, 11 at a time from the lowest; the result is in spare after an odd
 * number of passes. */
static void sort_keys(uint32_t *keys, uint32_t *spare, size_t n)
{
    for (int shift = 0; shift < 33; shift += 11) {
        size_t start[2048] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++) start[keys[i] >> shift & 2047]++;
        for (int b = 0; b < 2048; b++) {
            size_t count = start[b];
            start[b] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++) spare[start[keys[i] >> shift & 2047]++] = keys[i];
        uint32_t *swap = keys;
        keys = spare;
        spare = swap;
    }
}

reshed_status rs_threshold_otsu(const float *map, size_t n, double *t, reshed_error *err)
{
    size_t kept = 0;
    double total = 0, sum = 0, best = -1, best_t = 0;
    uint32_t *keys = rs_alloc(n, 2 * sizeof *keys);
    if (!keys) return rs_fail_nomem(err, "sorted values", n * 2 * sizeof *keys);
    for (size_t i = 0; i < n; i++)
        if (isfinite(map[i])) {
            keys[kept++] = key_of_float(map[i] + 0.0f); /* -0 becomes 0 */
            total += map[i];
        }
    uint32_t *sorted = keys + n; /* three passes end in the spare half */
    sort_keys(keys, sorted, kept);
    double mean = kept ? total / (double)kept : 0;
    for (size_t i = 0; i + 1 < kept; i++) {
        double v = float_of_key(sorted[i]);
        sum += v - mean;
        if (sorted[i] == sorted[i + 1]) continue;
        /* With all values taken from their mean, the variance between the classes of n0 and n1
         * values is sum0^2 * (1/n0 + 1/n1) / n, where sum0 is the sum of the lower class. */
        double n0 = (double)(i + 1), n1 = (double)(kept - i - 1);
        double between = sum * sum * (1 / n0 + 1 / n1);
        if (between > best) {
            best = between;
            best_t = v;
        }
    }
    rs_free(keys);
    if (best < 0)
        return rs_fail(err, RESHED_EINVAL,
                       "Otsu threshold|at least two different finite values|none to tell apart");
    *t = best_t;
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------- hysteresis */

reshed_status rs_threshold_hysteresis(const float *map, int height, int width, double low,
                                      double high, uint8_t *mask, reshed_error *err)
{
    rs_grid grid = {height, width, 1, 1};
    reshed_status st = rs_grid_check(&grid, err);
    if (st) return st;
    if (!(low <= high))
        return rs_fail(err, RESHED_EINVAL, "double threshold|low <= high|%g and %g", low, high);
    size_t n = rs_grid_count(&grid), top = 0;
    uint32_t *stack = rs_alloc(n, sizeof *stack); /* every pixel enters at most once */
    if (!stack) return rs_fail_nomem(err, "a region's pixels", n * sizeof *stack);
    float lo = (float)low, hi = (float)high;
    for (size_t i = 0; i < n; i++) {
        mask[i] = map[i] > hi;
        if (mask[i]) stack[top++] = (uint32_t)i;
    }
    while (top) {
        uint32_t i = stack[--top];
        int row = (int)(i / (uint32_t)width), col = (int)(i % (uint32_t)width);
        for (int r = row > 0 ? row - 1 : 0; r <= row + 1 && r < height; r++)
            for (int c = col > 0 ? col - 1 : 0; c <= col + 1 && c < width; c++) {
                size_t j = (size_t)r * (size_t)width + (size_t)c;
                if (mask[j] || !(map[j] > lo)) continue;
                mask[j] = 1;
                stack[top++] = (uint32_t)j;
            }
    }
    rs_free(stack);
    return RESHED_OK;
}
