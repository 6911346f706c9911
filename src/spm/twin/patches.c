/* patches.c - the film as a mosaic: patches of different brightness and grain, filled with stripes.
 *
 * In the mosaic's own coordinates, turned and stretched, the middles of the patches lie on a grid
 * of step 1, each moved at random within its cell; a patch is what is nearer to its middle than to
 * any other. Stripes are cut at the straight borders of their patch, long patches side by side with
 * alternating families make a herring-bone. What is painted is the same mosaic with its borders
 * bent and blended, so the border of a patch without stripes is no line. */
#include "spm/twin/canvas.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"

/* How far a middle is moved from that of its cell. With it, the nearest middle is never more than
 * two cells away. */
#define JITTER 0.32
#define REACH 2

static const twin_patch *patch_at(const twin_mosaic *m, int i, int j)
{
    i -= m->first[0];
    j -= m->first[1];
    if (i < 0 || j < 0 || i >= m->count[0] || j >= m->count[1]) return NULL;
    return &m->patch[(size_t)j * (size_t)m->count[0] + (size_t)i];
}

static void make_patch(const rs_twin_options *o, int i, int j, twin_patch *p)
{
    rs_random r = rs_random_at(rs_hash64(o->seed + (uint64_t)(int64_t)j), TWIN_STREAM_PATCH,
                               (uint64_t)(int64_t)i);
    p->u = (float)(i + 0.5 + rs_random_between(&r, -JITTER, JITTER));
    p->v = (float)(j + 0.5 + rs_random_between(&r, -JITTER, JITTER));
    const bool dark = rs_random_chance(&r, o->patch_dark);
    const double g = rs_random_gauss(&r);
    p->bright =
        (float)(dark ? twin_draw(&r, o->dark) : exp(o->patch_spread * fmin(fmax(g, -2), 2)));
    p->texture = (float)(rs_random_chance(&r, 0.5) ? o->patch_texture * rs_random_unit(&r) : 0);
    const bool filled = rs_random_chance(&r, o->patch_fill) && !dark;
    const int drawn = rs_random_index(&r, 2);
    const bool turns = rs_random_chance(&r, o->patch_herring);
    p->family = !filled ? -1 : turns ? (o->patch_stretch >= 1 ? j : i) & 1 : drawn;
}

static reshed_status make_mosaic(const rs_twin_options *o, twin_mosaic *m, reshed_error *err)
{
    const double angle = o->angle + o->patch_angle, radius = 0.5 * hypot(o->width, o->height);
    const double step[2] = {o->patch_size * o->patch_stretch, o->patch_size};
    m->uu = cos(angle) / step[0];
    m->uv = sin(angle) / step[0];
    m->vu = -sin(angle) / step[1];
    m->vv = cos(angle) / step[1];
    for (int k = 0; k < 2; k++) {
        m->first[k] = -(int)ceil(radius / step[k]) - REACH - 1;
        m->count[k] = -2 * m->first[k];
    }
    const size_t n = (size_t)m->count[0] * (size_t)m->count[1];
    m->patch = rs_alloc(n, sizeof *m->patch);
    if (!m->patch) return rs_fail_nomem(err, "the patches of the twin", n * sizeof *m->patch);
    for (int j = 0; j < m->count[1]; j++)
        for (int i = 0; i < m->count[0]; i++)
            make_patch(o, m->first[0] + i, m->first[1] + j,
                       &m->patch[(size_t)j * (size_t)m->count[0] + (size_t)i]);
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- stripes */

/* A straight line in the mosaic's coordinates: g + s d, s in metres. */
typedef struct ray {
    double u, v, du, dv;
} ray;

/* Narrows [lo,hi] to where the ray is nearer to patch (i,j) than to its neighbours. */
static void cut(const twin_mosaic *m, int i, int j, const ray *l, double *lo, double *hi)
{
    const twin_patch *a = patch_at(m, i, j);
    for (int k = -REACH; k <= REACH; k++)
        for (int n = -REACH; n <= REACH; n++) {
            const twin_patch *b = patch_at(m, i + k, j + n);
            if (!b || b == a) continue;
            const double au = (double)a->u, av = (double)a->v, bu = (double)b->u, bv = (double)b->v;
            const double du = bu - au, dv = bv - av;
            const double room =
                0.5 * (bu * bu + bv * bv - au * au - av * av) - l->u * du - l->v * dv;
            const double slope = l->du * du + l->dv * dv;
            if (fabs(slope) < 1e-300) {
                if (room < 0) *hi = *lo;
                continue;
            }
            if (slope > 0) *hi = fmin(*hi, room / slope);
            if (slope < 0) *lo = fmax(*lo, room / slope);
        }
}

static bool fill_patch(rs_twin_sample *sample, int i, int j)
{
    const rs_twin_options *o = &sample->opt;
    const twin_mosaic *m = &sample->mosaic;
    const twin_patch *p = patch_at(m, i, j);
    rs_random r = rs_random_at(rs_hash64(o->seed + (uint64_t)(int64_t)j), TWIN_STREAM_LAMELLA,
                               (uint64_t)(int64_t)i);
    const double period = twin_draw(&r, o->period),
                 duty = rs_random_between(&r, o->duty.lo, o->duty.hi);
    /* In a darker patch a stripe needs more contrast to be seen as well. */
    const double least = 0.6 * o->visible / fmax((double)p->bright, 0.05);
    const double contrast = fmin(fmax(twin_draw(&r, o->lamella), least), 0.95),
                 rotate = o->tilt_spread * rs_random_gauss(&r);
    const double along = o->angle + rotate + (p->family ? RS_PI / 2 : 0);
    const double across = o->angle + rotate + (p->family ? 0 : RS_PI / 2);
    const double ex = cos(along), ey = sin(along), nx = cos(across), ny = sin(across);
    /* The middle in metres. */
    const double det = m->uu * m->vv - m->uv * m->vu, u = (double)p->u, v = (double)p->v;
    const double x = (u * m->vv - v * m->uv) / det, y = (v * m->uu - u * m->vu) / det;
    const double far = 1.8 * o->patch_size * fmax(1, o->patch_stretch);
    const int most = (int)(far / period);
    const uint64_t wave = rs_hash64(o->seed + (uint64_t)(int64_t)i) ^ (uint64_t)(int64_t)j;
    for (int k = -most; k <= most && sample->stripes < TWIN_MAX_STRIPES; k++) {
        /* Stripes drift from coarse to fine and back across a patch. */
        const double drift = o->period_drift * (double)rs_noise1(wave, 0.3 * k);
        const double off = (k + 1.5 * drift + 0.15 * rs_random_gauss(&r)) * period;
        const double next = (double)rs_noise1(wave, 0.3 * (k + 0.5)),
                     last = (double)rs_noise1(wave, 0.3 * (k - 0.5));
        const double gap = fmax(1 + 1.5 * o->period_drift * (next - last), 0.3);
        twin_planned w = {.family = p->family, .primary = -1, .rotate = rotate};
        w.width = duty * period * gap * rs_random_between(&r, 0.8, 1.2);
        w.contrast = fmin(contrast * rs_random_between(&r, 0.75, 1.25), 0.98);
        const double px = x + off * nx, py = y + off * ny;
        const ray l = {m->uu * px + m->uv * py, m->vu * px + m->vv * py, m->uu * ex + m->uv * ey,
                       m->vu * ex + m->vv * ey};
        double lo = -far, hi = far;
        cut(m, i, j, &l, &lo, &hi);
        for (int e = 0; e < 2; e++) {
            const bool needle = rs_random_chance(&r, o->needle_fraction);
            w.end[e] = needle ? RS_TWIN_END_NEEDLE : RS_TWIN_END_BLUNT;
        }
        /* In a herring-bone stripes run into those of the next patch. */
        lo -= (0.2 * rs_random_gauss(&r) + 0.3 * o->patch_herring) * period;
        hi += (0.2 * rs_random_gauss(&r) + 0.3 * o->patch_herring) * period;
        if (rs_random_chance(&r, o->patch_gap) || hi - lo < 1.5 * w.width) continue;
        w.at = px * nx + py * ny;
        w.from = px * ex + py * ey + lo;
        w.to = px * ex + py * ey + hi;
        if (!twin_add_stripe(sample, &r, &w)) return false;
    }
    return true;
}

reshed_status twin_place_patches(rs_twin_sample *sample, reshed_error *err)
{
    twin_mosaic *m = &sample->mosaic;
    if (!(sample->opt.patch_size > 0)) return RESHED_OK;
    reshed_status st = make_mosaic(&sample->opt, m, err);
    for (int j = 0; st == RESHED_OK && j < m->count[1]; j++)
        for (int i = 0; i < m->count[0]; i++) {
            const int cell[2] = {m->first[0] + i, m->first[1] + j};
            if (patch_at(m, cell[0], cell[1])->family < 0) continue;
            if (!fill_patch(sample, cell[0], cell[1]))
                return rs_fail_nomem(err, "the stripes of the twin",
                                     (size_t)sample->room * sizeof *sample->stripe);
        }
    return st;
}

/* -------------------------------------------------------------------------------------- painting */

/* Brightness, texture and darkness of the seam at (u,v). soft: in units of a patch. */
static void look(const twin_mosaic *m, float u, float v, float soft, float seam, float *bright,
                 float *texture)
{
    const twin_patch *near[(2 * REACH + 1) * (2 * REACH + 1)];
    float d[(2 * REACH + 1) * (2 * REACH + 1)], first = 1e9f, second = 1e9f;
    int n = 0, i = (int)floorf(u), j = (int)floorf(v);
    for (int b = j - REACH; b <= j + REACH; b++)
        for (int a = i - REACH; a <= i + REACH; a++) {
            const twin_patch *p = patch_at(m, a, b);
            if (!p) continue;
            near[n] = p;
            d[n] = hypotf(p->u - u, p->v - v);
            if (d[n] < first) {
                second = first;
                first = d[n];
            } else if (d[n] < second)
                second = d[n];
            n++;
        }
    float sum = 0, grain = 0, light = 0;
    for (int k = 0; k < n; k++) {
        float w = 1 - (d[k] - first) / soft;
        if (w <= 0) continue;
        w *= w;
        sum += w;
        light += w * near[k]->bright;
        grain += w * near[k]->texture;
    }
    float edge = (second - first) / soft;
    *bright = sum > 0 ? light / sum * (1 - seam * (edge < 1 ? (1 - edge) * (1 - edge) : 0)) : 1;
    *texture = sum > 0 ? grain / sum : 0;
}

static void zero(const twin_canvas *cv, float *plane)
{
    memset(plane, 0, (size_t)cv->rows * (size_t)cv->cols * sizeof *plane);
}

static void paint_mosaic(twin_canvas *cv, const rs_twin_sample *sample, float *table)
{
    const rs_twin_options *o = &sample->opt;
    const twin_mosaic *m = &sample->mosaic;
    const uint64_t seed = rs_hash64(o->seed ^ TWIN_STREAM_PATCH);
    const float warp = (float)o->patch_warp;
    float *wx = cv->distance, *wy = cv->along, *grain = cv->share;
    zero(cv, wx);
    zero(cv, wy);
    zero(cv, grain);
    if (warp > 0) {
        twin_add_noise(cv, seed, 0.45 * o->patch_size, 0.8f * warp, wx, table);
        twin_add_noise(cv, seed + 1, 0.45 * o->patch_size, 0.8f * warp, wy, table);
        twin_add_noise(cv, seed + 2, 0.15 * o->patch_size, 0.3f * warp, wx, table);
        twin_add_noise(cv, seed + 3, 0.15 * o->patch_size, 0.3f * warp, wy, table);
    }
    if (o->patch_texture > 0) twin_add_noise(cv, seed + 4, o->texture_size, 1, grain, table);
    const double pixel = fmin(cv->px, cv->py);
    const float soft = (float)(2 * fmax(o->patch_soft, 0.5 * pixel) / o->patch_size);
    for (int r = 0; r < cv->rows; r++) {
        double x = twin_row_x(cv, r), y = twin_row_y(cv, r);
        for (int c = 0; c < cv->cols; c++) {
            size_t at = (size_t)r * (size_t)cv->cols + (size_t)c;
            double px = x + c * cv->px + (double)wx[at], py = y + (double)wy[at];
            float bright, texture;
            look(m, (float)(m->uu * px + m->uv * py), (float)(m->vu * px + m->vv * py), soft,
                 (float)o->patch_seam, &bright, &texture);
            cv->base[at] *= bright * fmaxf(1 + texture * grain[at], 0);
        }
    }
    zero(cv, cv->share);
}

void twin_paint_patches(twin_canvas *cv, const rs_twin_sample *sample, float *table)
{
    const rs_twin_options *o = &sample->opt;
    const size_t n = (size_t)cv->rows * (size_t)cv->cols;
    if (sample->mosaic.patch) paint_mosaic(cv, sample, table);
    if (!(o->mottle > 0)) return;
    const uint64_t seed = rs_hash64(o->seed ^ TWIN_STREAM_MOTTLE);
    zero(cv, cv->share);
    twin_add_noise(cv, seed, o->mottle_size, 0.85f * (float)o->mottle, cv->share, table);
    twin_add_noise(cv, seed + 1, 0.4 * o->mottle_size, 0.5f * (float)o->mottle, cv->share, table);
    for (size_t i = 0; i < n; i++) cv->base[i] *= expf(cv->share[i]);
    zero(cv, cv->share);
}
