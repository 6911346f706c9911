#include "imgproc/image/fill.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* The finite pixel of row[width] after column x, or width. */
static int next_finite(const float *row, int width, int x)
{
    do x++;
    while (x < width && !isfinite(row[x]));
    return x;
}

/* a + (b-a)*t without overflow for any finite a, b. */
static float between(float a, float b, double t)
{
    return (float)((1 - t) * (double)a + t * (double)b);
}

/* Fills the gaps of one row; false when it has no finite pixel. */
static bool fill_row(float *row, int width, size_t *filled)
{
    int left = -1, right = next_finite(row, width, -1);
    if (right == width) return false;
    while (left < width) {
        for (int x = left + 1; x < right; x++) {
            if (left < 0)
                row[x] = row[right];
            else if (right == width)
                row[x] = row[left];
            else
                row[x] = between(row[left], row[right], (double)(x - left) / (right - left));
            ++*filled;
        }
        left = right;
        if (left < width) right = next_finite(row, width, left);
    }
    return true;
}

/* Fills the rows strictly between `above` (-1: none) and `below` (height: none). */
static void fill_between_rows(float *image, int height, int width, int above, int below)
{
    const float *a = image + (ptrdiff_t)above * width, *b = image + (ptrdiff_t)below * width;
    if (above < 0) a = b;
    if (below == height) b = a;
    for (int y = above + 1; y < below; y++) {
        float *row = image + (size_t)y * (size_t)width;
        double t = a == b ? 0 : (double)(y - above) / (below - above);
        for (int x = 0; x < width; x++) row[x] = between(a[x], b[x], t);
    }
}

reshed_status rs_fill_gaps(float *image, int height, int width, size_t *filled, reshed_error *err)
{
    if (height < 1 || width < 1)
        return rs_fail(err, RESHED_EINVAL, "size of the image|at least 1 x 1|%d x %d", height,
                       width);
    size_t n = (size_t)height * (size_t)width, first = 0, count = 0;
    while (first < n && !isfinite(image[first])) first++;
    if (first == n)
        return rs_fail(err, RESHED_EINVAL, "image|at least one finite pixel|none of %zu", n);
    int last = -1; /* the last row that has values */
    for (int y = 0; y < height; y++) {
        if (!fill_row(image + (size_t)y * (size_t)width, width, &count)) continue;
        fill_between_rows(image, height, width, last, y);
        count += (size_t)(y - last - 1) * (size_t)width;
        last = y;
    }
    fill_between_rows(image, height, width, last, height);
    count += (size_t)(height - last - 1) * (size_t)width;
    *filled = count;
    return RESHED_OK;
}
