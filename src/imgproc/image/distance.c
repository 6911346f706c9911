/* Meijster's two passes. With g(x,y) the distance of pixel (x,y) to the nearest set pixel of its
 * own column, the squared distance is the lower envelope, at x, of the parabolas
 *
 *     F(x,i) = (x - i)^2 + g(i,y)^2        one for each column i
 *
 * along the row. Two parabolas i < u cross once, so the envelope of a row is a list of columns s[]
 * with the first x from which each is lowest, t[], built left to right as on a stack. All of it is
 * integer arithmetic: F(x,u) < F(x,i) first holds at one more than
 *
 *     floor((u^2 - i^2 + g(u)^2 - g(i)^2) / (2 (u - i)))
 *
 * The first pass keeps the row of the nearest set pixel rather than the distance to it, which gives
 * the nearest pixel for free. Columns without a set pixel take no part in the envelope, so no
 * infinity has to be invented. */
#include "imgproc/image/distance.h"

#include <math.h>

#include "base/alloc.h"
#include "base/image.h"

typedef struct row_scratch {
    int64_t *g2;  /* [W] squared distance within the column, -1 where the column is empty */
    int32_t *row; /* [W] row of that pixel */
    int32_t *s;   /* [W] the envelope's columns */
    int32_t *t;   /* [W] the first x where each is lowest */
} row_scratch;

/* Leaves in near[] the row of the nearest set pixel of the same column, the upper one of two at
 * equal distance, or -1. */
static void nearest_in_column(const uint8_t *mask, int height, int width, int64_t *near)
{
    for (int x = 0; x < width; x++) near[x] = mask[x] ? 0 : -1;
    for (int y = 1; y < height; y++) {
        const uint8_t *m = mask + (size_t)y * (size_t)width;
        int64_t *here = near + (size_t)y * (size_t)width, *above = here - width;
        for (int x = 0; x < width; x++) here[x] = m[x] ? y : above[x];
    }
    for (int y = height - 2; y >= 0; y--) {
        int64_t *here = near + (size_t)y * (size_t)width, *below = here + width;
        for (int x = 0; x < width; x++) {
            int64_t up = here[x], down = below[x];
            if (down > y && (up < 0 || down - y < y - up)) here[x] = down;
        }
    }
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* Replaces the rows in squared[W] by squared distances, where a step along a row counts as wx and
 * one along a column as wy. */
static void nearest_in_row(int y, int width, int64_t wx, int64_t wy, const row_scratch *r,
                           int64_t *squared, int32_t *nearest)
{
    int q = -1;
    int64_t wx2 = wx * wx;
    for (int x = 0; x < width; x++) {
        int64_t d = wy * (y - squared[x]);
        r->g2[x] = squared[x] < 0 ? -1 : d * d;
        r->row[x] = (int32_t)squared[x];
    }
    for (int u = 0; u < width; u++) {
        if (r->g2[u] < 0) continue;
        int64_t from = 0;
        for (; q >= 0; q--) {
            int64_t i = r->s[q];
            from = 1 + floor_div(wx2 * ((int64_t)u * u - i * i) + r->g2[u] - r->g2[i],
                                 2 * wx2 * (u - i));
            if (from > r->t[q]) break; /* column i stays lowest somewhere */
        }
        if (q < 0) from = 0;
        if (from >= width) continue;
        q++;
        r->s[q] = u;
        r->t[q] = (int32_t)from;
    }
    if (q < 0) {
        for (int x = 0; x < width; x++) squared[x] = RS_DISTANCE_NONE;
        for (int x = 0; nearest && x < width; x++) nearest[x] = -1;
        return;
    }
    for (int x = width - 1; x >= 0; x--) {
        int i = r->s[q];
        squared[x] = wx2 * (x - i) * (x - i) + r->g2[i];
        if (nearest) nearest[x] = r->row[i] * width + i;
        if (x == r->t[q]) q--;
    }
}

static reshed_status transform(const uint8_t *mask, int height, int width, int64_t wx, int64_t wy,
                               int64_t *squared, int32_t *nearest, reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE ||
        (size_t)height * (size_t)width > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL, "size of the mask|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    reshed_status st = RESHED_OK;
    size_t w = (size_t)width;
    row_scratch r = {.g2 = rs_alloc(w, sizeof *r.g2),
                     .row = rs_alloc(w, sizeof *r.row),
                     .s = rs_alloc(w, sizeof *r.s),
                     .t = rs_alloc(w, sizeof *r.t)};
    if (!r.g2 || !r.row || !r.s || !r.t) {
        st = rs_fail_nomem(err, "a distance transform", w * 20);
        goto done;
    }
    nearest_in_column(mask, height, width, squared);
    for (int y = 0; y < height; y++) {
        size_t at = (size_t)y * w;
        nearest_in_row(y, width, wx, wy, &r, squared + at, nearest ? nearest + at : NULL);
    }
done:
    rs_free(r.g2);
    rs_free(r.row);
    rs_free(r.s);
    rs_free(r.t);
    return st;
}

reshed_status rs_distance_transform(const uint8_t *mask, int height, int width, int64_t *squared,
                                    int32_t *nearest, reshed_error *err)
{
    return transform(mask, height, width, 1, 1, squared, nearest, err);
}

/* Steps of at most this many units keep (width*step)^2 well within 64 bits. */
#define LONGER_STEP 1000

reshed_status rs_distance_metres(const uint8_t *mask, int height, int width, double dx, double dy,
                                 double *distance, int32_t *nearest, reshed_error *err)
{
    if (!(dx > 0) || !(dy > 0) || !isfinite(dx) || !isfinite(dy))
        return rs_fail(err, RESHED_EINVAL, "pixel size|finite and > 0|%g x %g m", dx, dy);
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of the mask|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    int64_t wx = dx == dy ? 1 : llround(LONGER_STEP * dx / fmax(dx, dy));
    int64_t wy = dx == dy ? 1 : llround(LONGER_STEP * dy / fmax(dx, dy));
    size_t n = (size_t)height * (size_t)width;
    int64_t *squared = rs_alloc(n, sizeof *squared);
    int32_t *at = rs_alloc(n, sizeof *at);
    reshed_status st = RESHED_OK;
    if (!squared || !at) {
        st = rs_fail_nomem(err, "distances", n * (sizeof *squared + sizeof *at));
        goto done;
    }
    st = transform(mask, height, width, wx > 0 ? wx : 1, wy > 0 ? wy : 1, squared, at, err);
    if (st) goto done;
    for (size_t i = 0; i < n; i++) {
        int32_t k = at[i];
        int row = (int)(i / (size_t)width), col = (int)(i % (size_t)width);
        distance[i] = k < 0 ? HUGE_VAL : hypot((k % width - col) * dx, (k / width - row) * dy);
        if (nearest) nearest[i] = k;
    }
done:
    rs_free(at);
    rs_free(squared);
    return st;
}
