#include "imgproc/figures/contour.h"

#include <math.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/image.h"

void rs_segments_clear(rs_segments *s)
{
    rs_free(s->x);
    rs_free(s->y);
    *s = (rs_segments){0};
}

static reshed_status check(int height, int width, reshed_error *err)
{
    if (height >= 1 && width >= 1 && height <= RS_IMAGE_MAX_SIDE && width <= RS_IMAGE_MAX_SIDE &&
        (size_t)height * (size_t)width <= RS_IMAGE_MAX_PIXELS)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "size of the map|1 to %d a side|%d x %d", RS_IMAGE_MAX_SIDE,
                   height, width);
}

/* Made twice: counted first (x NULL), then filled. */
static void add(rs_segments *s, double x0, double y0, double x1, double y1)
{
    if (s->x) {
        size_t i = 2 * (size_t)s->n;
        s->x[i] = x0;
        s->y[i] = y0;
        s->x[i + 1] = x1;
        s->y[i + 1] = y1;
    }
    s->n++;
}

typedef void walk(const void *map, int height, int width, double level, rs_segments *s);

static reshed_status collect(walk *each, const void *map, int height, int width, double level,
                             rs_segments *out, reshed_error *err)
{
    rs_segments s = {0};
    reshed_status st = check(height, width, err);
    if (st != RESHED_OK) return st;
    each(map, height, width, level, &s);
    size_t n = 2 * (size_t)s.n;
    s = (rs_segments){.x = rs_alloc(n, sizeof *s.x), .y = rs_alloc(n, sizeof *s.y)};
    if (!s.x || !s.y) {
        rs_segments_clear(&s);
        return rs_fail_nomem(err, "lines over a map", 2 * n * sizeof *s.x);
    }
    each(map, height, width, level, &s);
    *out = s;
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- contours */
/* The sides of a square: 0 top, 1 right, 2 bottom, 3 left. v: corners from the upper left one
 * clockwise. */
static void crossing(const double v[4], double level, int side, double row, double col, double *x,
                     double *y)
{
    static const int corner_x[4] = {0, 1, 1, 0}, corner_y[4] = {0, 0, 1, 1};
    int a = side, b = (side + 1) % 4;
    double t = (level - v[a]) / (v[b] - v[a]);
    *x = col + corner_x[a] + t * (corner_x[b] - corner_x[a]);
    *y = row + corner_y[a] + t * (corner_y[b] - corner_y[a]);
}

static void join(rs_segments *s, const double v[4], double level, int from, int to, double row,
                 double col)
{
    double x0, y0, x1, y1;
    crossing(v, level, from, row, col, &x0, &y0);
    crossing(v, level, to, row, col, &x1, &y1);
    add(s, x0, y0, x1, y1);
}

static void walk_contour(const void *map, int height, int width, double level, rs_segments *s)
{
    const float *m = map;
    for (int r = 0; r + 1 < height; r++)
        for (int c = 0; c + 1 < width; c++) {
            const float *p = m + (size_t)r * (size_t)width + (size_t)c;
            const double v[4] = {p[0], p[1], p[width + 1], p[width]};
            double sum = v[0] + v[1] + v[2] + v[3];
            int cut[4], n = 0;
            if (!isfinite(sum)) continue;
            for (int side = 0; side < 4; side++)
                if ((v[side] > level) != (v[(side + 1) % 4] > level)) cut[n++] = side;
            if (n == 2) join(s, v, level, cut[0], cut[1], r, c);
            if (n == 4) { /* a saddle: cut off the corners that differ from the middle */
                int first = (v[0] > level) == (sum / 4 > level) ? 0 : 3;
                join(s, v, level, first, (first + 1) % 4, r, c);
                join(s, v, level, (first + 2) % 4, (first + 3) % 4, r, c);
            }
        }
}

reshed_status rs_contour(const float *map, int height, int width, double level, rs_segments *out,
                         reshed_error *err)
{
    return collect(walk_contour, map, height, width, level, out, err);
}

/* ------------------------------------------------------------------------------------ skeletons */
typedef struct lattice {
    const uint8_t *on;
    int height, width;
} lattice;

static bool at(const lattice *l, int r, int c)
{
    return r >= 0 && c >= 0 && r < l->height && c < l->width &&
           l->on[(size_t)r * (size_t)l->width + (size_t)c];
}

static void walk_skeleton(const void *map, int height, int width, double level, rs_segments *s)
{
    const lattice l = {map, height, width};
    (void)level;
    for (int r = 0; r < height; r++)
        for (int c = 0; c < width; c++) {
            if (!at(&l, r, c)) continue;
            bool right = at(&l, r, c + 1), left = at(&l, r, c - 1), below = at(&l, r + 1, c);
            bool lone = !right && !left && !below && !at(&l, r - 1, c);
            if (right) add(s, c, r, c + 1, r);
            if (below) add(s, c, r, c, r + 1);
            if (!below && !right && at(&l, r + 1, c + 1)) add(s, c, r, c + 1, r + 1);
            if (!below && !left && at(&l, r + 1, c - 1)) add(s, c, r, c - 1, r + 1);
            for (int k = 0; k < 4; k++)
                lone = lone && !at(&l, r + (k & 2) - 1, c + 2 * (k & 1) - 1);
            if (lone) add(s, c, r, c, r);
        }
}

reshed_status rs_skeleton_segments(const uint8_t *skeleton, int height, int width, rs_segments *out,
                                   reshed_error *err)
{
    return collect(walk_skeleton, skeleton, height, width, 0, out, err);
}
