#include "imgproc/walls/graph/line.h"

#include <math.h>

#include "base/numeric.h"

#define SMOOTH_HALF 3

/* i + by in a ring of n, |by| <= n. */
static int around(int i, int by, int n)
{
    i += by;
    return i < 0 ? i + n : i >= n ? i - n : i;
}

void rs_line_smooth(const rs_grid *grid, const rs_pixel *pixel, int n, bool closed, rs_xy *out)
{
    for (int i = 0; i < n; i++) {
        int half = closed ? rs_min_int(SMOOTH_HALF, (n - 1) / 2)
                          : rs_min_int(SMOOTH_HALF, rs_min_int(i, n - 1 - i));
        rs_xy sum = {0, 0};
        for (int k = -half; k <= half; k++) {
            rs_xy p = rs_pixel_xy(grid, pixel[around(i, k, n)]);
            sum.x += p.x;
            sum.y += p.y;
        }
        out[i] = (rs_xy){sum.x / (2 * half + 1), sum.y / (2 * half + 1)};
    }
}

double rs_line_length(const rs_xy *at, int n, bool closed)
{
    double sum = 0;
    for (int i = 1; i < n; i++) sum += hypot(at[i].x - at[i - 1].x, at[i].y - at[i - 1].y);
    if (closed && n > 1) sum += hypot(at[0].x - at[n - 1].x, at[0].y - at[n - 1].y);
    return sum;
}

double rs_chain_length(const rs_pixel *pixel, int n, bool closed)
{
    double sum = 0;
    for (int i = closed ? 0 : 1; i < n; i++) {
        rs_pixel a = pixel[around(i, -1, n)], b = pixel[i];
        sum += hypot(a.row - b.row, a.col - b.col);
    }
    return sum;
}

double rs_line_orientation(const rs_xy *at, int n)
{
    double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    for (int i = 0; i < n; i++) {
        x += at[i].x / n;
        y += at[i].y / n;
    }
    for (int i = 0; i < n; i++) {
        double u = at[i].x - x, v = at[i].y - y;
        xx += u * u;
        xy += u * v;
        yy += v * v;
    }
    double across = xx - yy, both = xx + yy;
    if (!(hypot(across, 2 * xy) > 1e-9 * both)) return NAN; /* a point, or as long as wide */
    double a = atan2(2 * xy, across) / 2;
    if (a < 0) a += RS_PI;
    return a >= RS_PI ? 0 : a;
}

/* From the point `reach` before i to the one `reach` after it. */
static rs_xy course(const rs_xy *at, int n, bool closed, int i, int before, int after)
{
    int a = closed ? around(i, -(before % n), n) : i - rs_min_int(before, i);
    int b = closed ? around(i, after % n, n) : i + rs_min_int(after, n - 1 - i);
    return (rs_xy){at[b].x - at[a].x, at[b].y - at[a].y};
}

rs_xy rs_line_tangent(const rs_xy *at, int n, bool closed, int i, int reach)
{
    rs_xy t = course(at, n, closed, i, reach, reach);
    double size = hypot(t.x, t.y);
    if (!(size > 0)) return (rs_xy){0, 0};
    return (rs_xy){t.x / size, t.y / size};
}

double rs_line_turn(const rs_xy *at, int n, bool closed, int i, int reach)
{
    if (!closed && (i < reach || n - 1 - i < reach)) return 0;
    rs_xy in = course(at, n, closed, i, reach, 0), out = course(at, n, closed, i, 0, reach);
    return fabs(atan2(in.x * out.y - in.y * out.x, in.x * out.x + in.y * out.y));
}
