#include "train/label.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/distance.h"
#include "imgproc/image/skeleton.h"
#include "train/net/bilinear.h"

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

/* The place of the centre of pixel i of `out` pixels on a grid of `in`, inside its outermost
 * centres. */
static float place(int i, int out, int in)
{
    const double at = (i + 0.5) * in / out - 0.5;
    return (float)(at < 0 ? 0 : at > in - 1 ? in - 1 : at);
}

reshed_status rs_label_fit(const uint8_t *wall, const uint8_t *known, int in_h, int in_w,
                           uint8_t *out_wall, uint8_t *out_known, int out_h, int out_w,
                           reshed_error *err)
{
    const size_t n = (size_t)in_h * (size_t)in_w;
    if (in_h == out_h && in_w == out_w) {
        memcpy(out_wall, wall, n);
        memcpy(out_known, known, n);
        return RESHED_OK;
    }
    const double down = (double)in_h / out_h, across = (double)in_w / out_w;
    const float reach = RS_LABEL_REACH * (float)fmax(1, fmax(down, across));
    uint8_t *thin = rs_alloc(n, 1);
    float *distance = rs_alloc(n, sizeof *distance);
    reshed_status st = thin && distance ? RESHED_OK : rs_fail_nomem(err, "a label", 5 * n);
    if (st == RESHED_OK) st = rs_thin(wall, in_h, in_w, thin, err);
    if (st == RESHED_OK) st = rs_label_distance(thin, in_h, in_w, distance, err);
    for (int y = 0; st == RESHED_OK && y < out_h; y++)
        for (int x = 0; x < out_w; x++) {
            const size_t at = (size_t)y * (size_t)out_w + (size_t)x;
            const float r = place(y, out_h, in_h), c = place(x, out_w, in_w);
            out_wall[at] = rs_bilinear(distance, in_h, in_w, r, c) <= reach;
            out_known[at] = known[(size_t)(int)(r + 0.5f) * (size_t)in_w + (size_t)(int)(c + 0.5f)];
            if (!out_known[at]) out_wall[at] = 0;
        }
    rs_free(thin);
    rs_free(distance);
    return st;
}
