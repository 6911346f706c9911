#include "train/label.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/random.h"
#include "imgproc/image/distance.h"
#include "imgproc/image/skeleton.h"

#define NO_WALL 1000.0f

/* True when the positive values are u and 255 u, both present. */
static bool has_unknown(const float *value, size_t n, float *unknown)
{
    float least = INFINITY, most = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(value[i]) || value[i] <= 0) continue;
        least = fminf(least, value[i]);
        most = fmaxf(most, value[i]);
    }
    if (!(fabsf(most - 255 * least) <= 1e-5f * most)) return false;
    for (size_t i = 0; i < n; i++)
        if (isfinite(value[i]) && value[i] > 0 && value[i] != least && value[i] != most)
            return false;
    *unknown = most;
    return true;
}

void rs_label_read(const float *value, size_t n, uint8_t *wall, uint8_t *known)
{
    float most = 0, unknown = INFINITY;
    for (size_t i = 0; i < n; i++)
        if (isfinite(value[i])) most = fmaxf(most, value[i]);
    const bool marked = has_unknown(value, n, &unknown);
    for (size_t i = 0; i < n; i++) {
        known[i] = isfinite(value[i]) && value[i] != unknown;
        wall[i] = known[i] && value[i] > 0 && (marked || value[i] > 0.5f * most);
    }
}

reshed_status rs_label_distance(const uint8_t *wall, int height, int width, float *distance,
                                reshed_error *err)
{
    const size_t n = (size_t)height * (size_t)width;
    int64_t *squared = rs_alloc(n, sizeof *squared);
    if (!squared) return rs_fail_nomem(err, "distances to walls", n * sizeof *squared);
    reshed_status st = rs_distance_transform(wall, height, width, squared, NULL, err);
    for (size_t i = 0; st == RESHED_OK && i < n; i++)
        distance[i] = squared[i] == RS_DISTANCE_NONE ? NO_WALL : sqrtf((float)squared[i]);
    rs_free(squared);
    return st;
}

/* A line as it is drawn: walls of one grid on another. */
typedef struct canvas {
    const uint8_t *thin; /* [in_h,in_w], lines one pixel wide */
    int in_h, in_w;
    uint8_t *out; /* [out_h,out_w] */
    int out_h, out_w;
} canvas;

static bool on_line(const canvas *c, int y, int x)
{
    return y >= 0 && x >= 0 && y < c->in_h && x < c->in_w &&
           c->thin[(size_t)y * (size_t)c->in_w + (size_t)x];
}

/* From (y, x) to (y + dy, x + dx) of the old grid, in its pixels: the pixels of the new one that
 * lie under points at most one of them apart, so that neighbours touch. */
static void draw(const canvas *c, double y, double x, double dy, double dx)
{
    const double down = (double)c->out_h / c->in_h, across = (double)c->out_w / c->in_w;
    const int n = (int)ceil(fmax(1, fmax(fabs(dy) * down, fabs(dx) * across)));
    for (int i = 0; i <= n; i++) {
        const int row = (int)floor((y + 0.5 + dy * i / n) * down);
        const int col = (int)floor((x + 0.5 + dx * i / n) * across);
        const int r = rs_clamp_int(row, 0, c->out_h - 1), k = rs_clamp_int(col, 0, c->out_w - 1);
        c->out[(size_t)r * (size_t)c->out_w + (size_t)k] = 1;
    }
}

/* One pixel of a line with what leads on from it, each pair of neighbours once. A diagonal is no
 * path of its own beside a corner, and an end reaches to its pixel's border. */
static void draw_pixel(const canvas *c, int y, int x)
{
    int neighbours = 0, dy = 0, dx = 0;
    for (int v = -1; v <= 1; v++)
        for (int u = -1; u <= 1; u++) {
            if ((v == 0 && u == 0) || !on_line(c, y + v, x + u)) continue;
            neighbours++;
            dy = v;
            dx = u;
            if (v < 0 || (v == 0 && u < 0)) continue;
            if (v != 0 && u != 0 && (on_line(c, y, x + u) || on_line(c, y + v, x))) continue;
            draw(c, y, x, v, u);
        }
    if (neighbours == 0) draw(c, y, x, 0, 0);
    if (neighbours == 1) draw(c, y, x, -0.499 * dy, -0.499 * dx);
}

void rs_label_close(int height, int width, uint8_t *wall)
{
    for (int y = 0; y + 1 < height; y++)
        for (int x = 0; x + 1 < width; x++) {
            const size_t a = (size_t)y * (size_t)width + (size_t)x, b = a + 1,
                         c = a + (size_t)width, d = c + 1;
            if (wall[a] && wall[d] && !wall[b] && !wall[c])
                wall[(rs_hash64((uint64_t)a) & 1) ? b : c] = 1;
            if (wall[b] && wall[c] && !wall[a] && !wall[d])
                wall[(rs_hash64((uint64_t)b) & 1) ? a : d] = 1;
        }
}

reshed_status rs_label_fit(const uint8_t *wall, const uint8_t *known, int in_h, int in_w,
                           uint8_t *out_wall, uint8_t *out_known, int out_h, int out_w,
                           reshed_error *err)
{
    const size_t n = (size_t)in_h * (size_t)in_w, pixels = (size_t)out_h * (size_t)out_w;
    if (in_h == out_h && in_w == out_w) {
        memcpy(out_wall, wall, n);
        memcpy(out_known, known, n);
        return RESHED_OK;
    }
    uint8_t *thin = rs_alloc(n, 1);
    reshed_status st = thin ? RESHED_OK : rs_fail_nomem(err, "a label", n);
    if (st == RESHED_OK) st = rs_thin(wall, in_h, in_w, thin, err);
    const canvas c = {thin, in_h, in_w, out_wall, out_h, out_w};
    memset(out_wall, 0, pixels);
    for (int y = 0; st == RESHED_OK && y < in_h; y++)
        for (int x = 0; x < in_w; x++)
            if (on_line(&c, y, x)) draw_pixel(&c, y, x);
    /* Corners that rounding has made. */
    if (st == RESHED_OK) st = rs_thin(out_wall, out_h, out_w, out_wall, err);
    for (size_t at = 0; st == RESHED_OK && at < pixels; at++) {
        const size_t y = (2 * (at / (size_t)out_w) + 1) * (size_t)in_h / (2 * (size_t)out_h);
        const size_t x = (2 * (at % (size_t)out_w) + 1) * (size_t)in_w / (2 * (size_t)out_w);
        out_known[at] = known[y * (size_t)in_w + x];
        if (!out_known[at]) out_wall[at] = 0;
    }
    rs_free(thin);
    return st;
}
