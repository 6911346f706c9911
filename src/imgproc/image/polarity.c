#include "imgproc/image/polarity.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/statistics.h"
#include "imgproc/image/distance.h"
#include "imgproc/image/smooth.h"

#define SIGMA 1.2    /* pixels, of the smoothing */
#define QUIET 0.235  /* what that leaves of white noise: 1 / (2 sqrt(pi) SIGMA) */
#define FLANK 4      /* pixels within which a 180-degree wall has both signs */
#define FAR_FLANK 10 /* the same of an a domain between them */
#define SURE 4       /* standard deviations of the noise */
#define DIP 0.7f     /* of the stronger flank: more across the axis is no dip */
#define FAINT 0.02   /* of the median response: less is nothing, however quiet the frame is */

const char *rs_polarity_name(rs_polarity_kind kind)
{
    switch (kind) {
    case RS_POLARITY_SAME: return "ferroelastic";
    case RS_POLARITY_180: return "180";
    case RS_POLARITY_MIXED: return "mixed";
    case RS_POLARITY_KINDS: break;
    }
    return "";
}

void rs_polarity_clear(rs_polarity *p)
{
    rs_free(p->response);
    rs_free(p->line);
    rs_free(p->kind);
    rs_free(p->nearest);
    rs_free(p->sure);
    *p = (rs_polarity){0};
}

/* Scratch, one block. */
typedef struct work {
    int h, w;
    size_t n;
    float *across; /* [H,W] the response at right angles to the axis, smoothed */
    float *hi, *lo, *far_hi, *far_lo, *row; /* [H,W]; row: [max(H,W)] of a running extreme */
    int64_t *squared;
    int32_t *nearest;
    double *value;
    uint8_t *mask, *wide;
} work;

/* ------------------------------------------------------------------------------------ the response */

static double weight(const float *amplitude, const float *phase, size_t i, double most)
{
    if (!isfinite(phase[i])) return 0;
    if (!amplitude) return 1;
    const double a = (double)amplitude[i];
    return isfinite(a) && a > 0 ? fmin(a, most) : 0;
}

static double median_amplitude(const float *amplitude, size_t n, double *value)
{
    size_t m = 0;
    if (!amplitude) return 1;
    for (size_t i = 0; i < n; i++)
        if (isfinite(amplitude[i]) && amplitude[i] > 0) value[m++] = (double)amplitude[i];
    if (m == 0) return 0;
    rs_sort(value, m);
    return rs_sorted_median(value, m);
}

/* The axis of the phases, and s into p->response, without smoothing. */
static void turn(const float *amplitude, const float *phase, work *k, rs_polarity *p)
{
    const double most = median_amplitude(amplitude, k->n, k->value);
    double x = 0, y = 0, all = 0, side = 0;
    for (size_t i = 0; i < k->n; i++) {
        const double w = weight(amplitude, phase, i, most);
        if (w <= 0) continue;
        x += w * cos(2 * (double)phase[i]);
        y += w * sin(2 * (double)phase[i]);
        all += w;
    }
    p->axis = all > 0 ? 0.5 * atan2(y, x) : 0;
    p->concentration = all > 0 ? hypot(x, y) / all : 0;
    for (size_t i = 0; i < k->n; i++) {
        const double w = weight(amplitude, phase, i, INFINITY);
        const double c = w > 0 ? cos((double)phase[i] - p->axis) : 0;
        p->response[i] = (float)(w * c);
        k->across[i] = w > 0 ? (float)(w * sin((double)phase[i] - p->axis)) : 0;
        side += fmin(w, most) * c;
    }
    for (size_t i = 0; side < 0 && i < k->n; i++) p->response[i] = -p->response[i];
}

/* Standard deviation of white noise, from second differences in one direction. */
static double noise_along(const float *s, work *k, bool down)
{
    const int h = k->h - (down ? 2 : 0), w = k->w - (down ? 0 : 2);
    const size_t step = down ? (size_t)k->w : 1;
    size_t m = 0;
    for (int r = 0; r < h; r++)
        for (int c = 0; c < w; c++) {
            const float *at = s + (size_t)r * (size_t)k->w + (size_t)c;
            k->value[m++] = fabs((double)at[0] - 2 * (double)at[step] + (double)at[2 * step]);
        }
    if (m == 0) return 0;
    rs_sort(k->value, m);
    return 1.4826 * rs_sorted_median(k->value, m) / sqrt(6);
}

static double median_response(const float *s, work *k)
{
    for (size_t i = 0; i < k->n; i++) k->value[i] = fabs((double)s[i]);
    rs_sort(k->value, k->n);
    return rs_sorted_median(k->value, k->n);
}

/* out = the largest of in within `reach` along one line of n values, `step` apart; sign -1: the
 * least. */
static void extreme(float *line, int n, size_t step, int reach, float sign, float *row)
{
    for (int i = 0; i < n; i++) row[i] = sign * line[(size_t)i * step];
    for (int i = 0; i < n; i++) {
        const int a = i > reach ? i - reach : 0, b = i + reach < n ? i + reach : n - 1;
        float most = row[a];
        for (int j = a + 1; j <= b; j++) most = row[j] > most ? row[j] : most;
        line[(size_t)i * step] = sign * most;
    }
}

static void extremes(const work *k, const float *s, int reach, float sign, float *out)
{
    memcpy(out, s, k->n * sizeof *s);
    for (int r = 0; r < k->h; r++)
        extreme(out + (size_t)r * (size_t)k->w, k->w, 1, reach, sign, k->row);
    for (int c = 0; c < k->w; c++) extreme(out + c, k->h, (size_t)k->w, reach, sign, k->row);
}

/* --------------------------------------------------------------------------------------- the lines */

/* Marks the nearer to zero of two neighbours of different sign where both signs are sure. */
static void mark_changes(const work *k, const float *s, const float *hi, const float *lo,
                         float sure, uint8_t *line)
{
    memset(line, 0, k->n);
    for (int r = 0; r < k->h; r++)
        for (int c = 0; c < k->w; c++)
            for (int down = 0; down < 2; down++) {
                if (down ? r + 1 >= k->h : c + 1 >= k->w) continue;
                const size_t a = (size_t)r * (size_t)k->w + (size_t)c;
                const size_t b = a + (down ? (size_t)k->w : 1);
                if ((s[a] < 0) == (s[b] < 0)) continue;
                const size_t at = fabsf(s[a]) <= fabsf(s[b]) ? a : b;
                const float flank = fmaxf(hi[at], -lo[at]);
                if (hi[at] > sure && lo[at] < -sure && fabsf(k->across[at]) < DIP * flank)
                    line[at] = 1;
            }
}

/* Half the width of what is dark about each pixel, squared: its distance to where s reaches half of
 * the weaker flank. */
static reshed_status half_widths(work *k, const float *s, reshed_error *err)
{
    for (size_t i = 0; i < k->n; i++)
        k->mask[i] = fabsf(s[i]) >= 0.5f * fminf(k->far_hi[i], -k->far_lo[i]);
    return rs_distance_transform(k->mask, k->h, k->w, k->squared, NULL, err);
}

/* The edges of dark bands about wide changes: what is within FAR_FLANK of such a change, near the
 * half of its flanks. */
static reshed_status mark_mixed(work *k, rs_polarity *p, reshed_error *err)
{
    const double half = RS_POLARITY_MIXED_HALF;
    for (size_t i = 0; i < k->n; i++)
        k->wide[i] =
            k->wide[i] && k->squared[i] != RS_DISTANCE_NONE && (double)k->squared[i] >= half * half;
    /* A wide band's zero line is no 180-degree wall. */
    for (size_t i = 0; i < k->n; i++)
        if (k->wide[i]) p->line[i] = 0;
    reshed_status st = rs_distance_transform(k->wide, k->h, k->w, k->squared, k->nearest, err);
    if (st != RESHED_OK) return st;
    for (size_t i = 0; i < k->n; i++) {
        if (k->squared[i] > FAR_FLANK * FAR_FLANK) continue;
        const size_t q = (size_t)k->nearest[i];
        const float flank = fminf(k->far_hi[q], -k->far_lo[q]);
        if (fabsf(p->response[i]) < 0.85f * flank) p->kind[i] = RS_POLARITY_MIXED;
    }
    return RESHED_OK;
}

static reshed_status mark_180(work *k, rs_polarity *p, reshed_error *err)
{
    const double reach = RS_POLARITY_REACH * RS_POLARITY_REACH;
    reshed_status st = rs_distance_transform(p->line, k->h, k->w, k->squared, p->nearest, err);
    for (size_t i = 0; st == RESHED_OK && i < k->n; i++)
        if (k->squared[i] != RS_DISTANCE_NONE && (double)k->squared[i] <= reach)
            p->kind[i] = RS_POLARITY_180;
    return st;
}

/* The probability that a flank really has its sign; the extreme of many noisy pixels lies about two
 * standard deviations out. */
static double signed_surely(double flank, double noise)
{
    return noise > 0 ? 0.5 * erfc((2 - flank / noise) / sqrt(2)) : flank > 0;
}

static void judge(const work *k, rs_polarity *p)
{
    for (size_t i = 0; i < k->n; i++) {
        const bool mixed = p->kind[i] == RS_POLARITY_MIXED;
        const double hi = (double)(mixed ? k->far_hi[i] : k->hi[i]);
        const double lo = -(double)(mixed ? k->far_lo[i] : k->lo[i]);
        const double up = signed_surely(hi, p->noise), down = signed_surely(lo, p->noise);
        const double changes = up * down, known = fmax(up, down);
        p->sure[i] = (float)(p->kind[i] == RS_POLARITY_SAME ? 0.5 + 0.5 * known * (1 - changes)
                                                            : 0.5 + 0.5 * changes);
    }
}

static reshed_status find_changes(work *k, rs_polarity *p, reshed_error *err)
{
    const float *s = p->response;
    const float sure = (float)(SURE * p->noise);
    extremes(k, s, FLANK, 1, k->hi);
    extremes(k, s, FLANK, -1, k->lo);
    extremes(k, s, FAR_FLANK, 1, k->far_hi);
    extremes(k, s, FAR_FLANK, -1, k->far_lo);
    mark_changes(k, s, k->hi, k->lo, sure, p->line);
    mark_changes(k, s, k->far_hi, k->far_lo, sure, k->wide);
    memset(p->kind, RS_POLARITY_SAME, k->n);
    reshed_status st = half_widths(k, s, err);
    if (st == RESHED_OK) st = mark_mixed(k, p, err);
    if (st == RESHED_OK) st = mark_180(k, p, err);
    if (st == RESHED_OK) judge(k, p);
    return st;
}

/* ----------------------------------------------------------------------------------------- whole */

static reshed_status make(const float *amplitude, const float *phase, work *k, rs_polarity *p,
                          reshed_error *err)
{
    turn(amplitude, phase, k, p);
    p->noise = QUIET * fmax(noise_along(p->response, k, false), noise_along(p->response, k, true));
    reshed_status st = rs_smooth_gaussian(p->response, k->h, k->w, SIGMA, p->response, err);
    if (st == RESHED_OK) st = rs_smooth_gaussian(k->across, k->h, k->w, SIGMA, k->across, err);
    if (st != RESHED_OK) return st;
    p->noise = fmax(p->noise, FAINT * median_response(p->response, k) / SURE);
    return find_changes(k, p, err);
}

reshed_status rs_polarity_make(const float *amplitude, const float *phase, int height, int width,
                               rs_polarity *out, reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of a phase map|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    const size_t n = (size_t)height * (size_t)width;
    const size_t side = (size_t)(height > width ? height : width);
    rs_polarity p = {.height = height, .width = width};
    work k = {.h = height, .w = width, .n = n};
    reshed_status st = RESHED_ENOMEM;
    float *planes = rs_alloc(5 * n + side, sizeof *planes);
    k.squared = rs_alloc(n, sizeof *k.squared);
    k.nearest = rs_alloc(n, sizeof *k.nearest);
    k.value = rs_alloc(n, sizeof *k.value);
    k.mask = rs_alloc(n, 2);
    p.response = rs_alloc(n, sizeof *p.response);
    p.line = rs_alloc(n, 1);
    p.kind = rs_alloc(n, 1);
    p.nearest = rs_alloc(n, sizeof *p.nearest);
    p.sure = rs_alloc(n, sizeof *p.sure);
    if (!planes || !k.squared || !k.nearest || !k.value || !k.mask || !p.response || !p.line ||
        !p.kind || !p.nearest || !p.sure) {
        rs_fail_nomem(err, "signs of the response", n * 60);
        goto done;
    }
    k.hi = planes;
    k.lo = planes + n;
    k.far_hi = planes + 2 * n;
    k.far_lo = planes + 3 * n;
    k.across = planes + 4 * n;
    k.row = planes + 5 * n;
    k.wide = k.mask + n;
    st = make(amplitude, phase, &k, &p, err);
done:
    rs_free(planes);
    rs_free(k.squared);
    rs_free(k.nearest);
    rs_free(k.value);
    rs_free(k.mask);
    if (st == RESHED_OK)
        *out = p;
    else
        rs_polarity_clear(&p);
    return st;
}

/* --------------------------------------------------------------------------------------- parting */

/* Smoothed before gradients are taken, and the products of gradients after: pixels. */
#define RIDGE_SIGMA 1.0
#define TENSOR_SIGMA 1.5
/* Cosine squared of the angle between two normals from which lines run alike: 57 degrees. */
#define ALIKE 0.3

static void gradient(const float *a, int h, int w, int r, int c, float *gx, float *gy)
{
    const size_t row = (size_t)r * (size_t)w;
    const int left = c > 0 ? c - 1 : c, right = c + 1 < w ? c + 1 : c;
    const size_t up = (size_t)(r > 0 ? r - 1 : r) * (size_t)w,
                 down = (size_t)(r + 1 < h ? r + 1 : r) * (size_t)w;
    *gx = a[row + (size_t)right] - a[row + (size_t)left];
    *gy = a[down + (size_t)c] - a[up + (size_t)c];
}

/* The tensor of the map's gradients, xx, xy and yy: its long axis is the normal of a ridge. */
static reshed_status tensor(const float *walls, int h, int w, float *smooth, float *t[3],
                            reshed_error *err)
{
    reshed_status st = rs_smooth_gaussian(walls, h, w, RIDGE_SIGMA, smooth, err);
    for (int r = 0; st == RESHED_OK && r < h; r++)
        for (int c = 0; c < w; c++) {
            const size_t i = (size_t)r * (size_t)w + (size_t)c;
            float gx, gy;
            gradient(smooth, h, w, r, c, &gx, &gy);
            t[0][i] = gx * gx;
            t[1][i] = gx * gy;
            t[2][i] = gy * gy;
        }
    for (int k = 0; st == RESHED_OK && k < 3; k++)
        st = rs_smooth_gaussian(t[k], h, w, TENSOR_SIGMA, t[k], err);
    return st;
}

/* Whether the ridge at pixel i runs along the sign change nearest to it. */
static bool runs_along(const rs_polarity *p, float *const t[3], size_t i)
{
    const int32_t q = p->nearest[i];
    float gx, gy;
    gradient(p->response, p->height, p->width, q / p->width, q % p->width, &gx, &gy);
    const float angle = 0.5f * atan2f(2 * t[1][i], t[0][i] - t[2][i]);
    const float along = gx * cosf(angle) + gy * sinf(angle), all = gx * gx + gy * gy;
    return all <= 0 || along * along >= (float)ALIKE * all;
}

/* What slopes down from a ridge that was taken away goes with it: pixels beside those of gone[H,W]
 * where the map is lower than there. */
static void take_slopes(const rs_polarity *p, const float *walls, const uint8_t *gone, float *part)
{
    for (int r = 0; r < p->height; r++)
        for (int c = 0; c < p->width; c++) {
            const size_t i = (size_t)r * (size_t)p->width + (size_t)c;
            if (part[i] <= 0) continue;
            for (int v = r > 0 ? -1 : 0; v <= (r + 1 < p->height ? 1 : 0); v++)
                for (int u = c > 0 ? -1 : 0; u <= (c + 1 < p->width ? 1 : 0); u++) {
                    const size_t q = (size_t)(r + v) * (size_t)p->width + (size_t)(c + u);
                    if (gone[q] && walls[q] > walls[i]) part[i] = 0;
                }
        }
}

reshed_status rs_polarity_part(const rs_polarity *p, const float *walls, float *part,
                               reshed_error *err)
{
    const size_t n = (size_t)p->height * (size_t)p->width;
    const double near = RS_POLARITY_CROSSING * RS_POLARITY_CROSSING;
    float *smooth = rs_alloc(4 * n, sizeof *smooth);
    uint8_t *gone = rs_zalloc(n, 1);
    if (!smooth || !gone) {
        rs_free(smooth);
        rs_free(gone);
        return rs_fail_nomem(err, "directions of walls", 4 * n * sizeof *smooth + n);
    }
    float *t[3] = {smooth + n, smooth + 2 * n, smooth + 3 * n};
    reshed_status st = tensor(walls, p->height, p->width, smooth, t, err);
    for (size_t i = 0; st == RESHED_OK && i < n; i++) {
        part[i] = walls[i];
        if (p->kind[i] != RS_POLARITY_180) continue;
        const int32_t q = p->nearest[i], at = (int32_t)i;
        const double dr = q / p->width - at / p->width, dc = q % p->width - at % p->width;
        gone[i] = runs_along(p, t, i);
        if (dr * dr + dc * dc <= near || gone[i]) part[i] = 0;
    }
    if (st == RESHED_OK) take_slopes(p, walls, gone, part);
    rs_free(smooth);
    rs_free(gone);
    return st;
}
