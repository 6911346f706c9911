/* drift.c - finds the place of a patch in the survey.
 *
 * 1. Normalised cross-correlation of the smoothed patch with the smoothed survey at every whole
 *    shift of the search range. Each shift has its own sums over the pixels that are valid in both,
 *    so that missing pixels and the survey's edge bias nothing.
 * 2. The best shift is refined by least squares, patch = gain * survey(shifted) + offset, with
 *    Gauss-Newton steps on the two shifts; gain and offset are eliminated at each. Unlike a
 *    parabola through the correlation this has no preference for whole pixels.
 * 3. Its error. The usual one, from the survey's gradients and the residuals, trusts noise: along
 *    parallel walls the survey's only gradients are noise, there are enough of them to look like
 *    information, and the shift would be given to a hundredth of a pixel where it is not known at
 *    all. What counts is the gradient that both images have in common, C = sum grad(patch)
 *    grad(survey)^T, to which independent noise adds nothing on average: a direction in which the
 *    two do not agree beyond chance makes the shift loose, and C replaces the normal matrix in the
 *    error. The scatter is found by leaving out each of 16 tiles in turn (jackknife), because
 *    residuals are not independent from pixel to pixel. */
#include "spm/scan/drift/drift.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/numeric.h"
#include "base/parallel.h"
#include "spm/scan/drift/images.h"

#define MIN_PIXELS 64
#define TILES 4       /* along each side */
#define PEAK_RADIUS 3 /* pixels: nearer to the best place is still the same peak */
#define DIRECTIONS 16

void rs_drift_defaults(rs_drift_options *o)
{
    *o = (rs_drift_options){.search = 16,
                            .smooth = 1,
                            .min_overlap = 0.5,
                            .min_peak = 0.4,
                            .min_lead = 0.05,
                            .max_sigma = 0.5};
}

reshed_status rs_drift_check(const rs_drift_options *o, reshed_error *err)
{
    if (o->search < 1 || o->search > 1024)
        return rs_fail(err, RESHED_EINVAL, "search range|1 to 1024 pixels|%d", o->search);
    if (!(o->smooth >= 0 && o->smooth <= 16))
        return rs_fail(err, RESHED_EINVAL, "smoothing|0 to 16 pixels|%g", o->smooth);
    if (!(o->min_overlap > 0 && o->min_overlap <= 1))
        return rs_fail(err, RESHED_EINVAL, "smallest overlap|above 0, at most 1|%g",
                       o->min_overlap);
    if (isnan(o->min_peak) || isnan(o->min_lead) || !(o->max_sigma > 0))
        return rs_fail(err, RESHED_EINVAL,
                       "smallest correlation and lead, largest error|numbers, > 0|%g, %g, %g",
                       o->min_peak, o->min_lead, o->max_sigma);
    if (o->threads < 0) return rs_fail(err, RESHED_EINVAL, "threads|>= 0|%d", o->threads);
    return RESHED_OK;
}

const char *rs_drift_reason_text(rs_drift_reason r)
{
    switch (r) {
    case RS_DRIFT_FOUND: return "found";
    case RS_DRIFT_NO_DATA: return "too few pixels, or no contrast";
    case RS_DRIFT_BORDER: return "at the border of the search range";
    case RS_DRIFT_WEAK: return "the images do not agree";
    case RS_DRIFT_TWO: return "another place fits nearly as well";
    case RS_DRIFT_LOOSE: return "not determined in every direction";
    }
    return "?";
}

/* ---------------------------------------------------------------------------------- correlation */

typedef struct match {
    const rs_drift_options *o;
    rs_masked patch, survey; /* survey: the part that the search can reach */
    int side;                /* 2*search + 1 */
    int origin;              /* patch (0,0) unshifted is survey (origin, origin) */
    double need;             /* pixels that must meet */
    double *r;               /* [side][side] correlation, NaN where too few pixels meet; shift
                                (-search, -search) first */
    int *met;                /* [side][side] pixels */
} match;

static double correlation_at(const match *m, int drow, int dcol, int *met)
{
    const rs_masked *p = &m->patch, *q = &m->survey;
    double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < p->rows; i++) {
        size_t at = (size_t)i * (size_t)p->cols;
        size_t from = (size_t)(i + m->origin - drow) * (size_t)q->cols + (size_t)(m->origin - dcol);
        const double *x = p->value + at, *mx = p->valid + at;
        const double *y = q->value + from, *my = q->valid + from;
#pragma omp simd reduction(+ : n, a, b, aa, bb, ab)
        for (int j = 0; j < p->cols; j++) {
            n += mx[j] * my[j];
            a += x[j] * my[j];
            b += y[j] * mx[j];
            aa += x[j] * x[j] * my[j];
            bb += y[j] * y[j] * mx[j];
            ab += x[j] * y[j];
        }
    }
    *met = (int)n;
    if (n < m->need) return NAN;
    double va = aa - a * a / n, vb = bb - b * b / n;
    if (!(va > 1e-12 * aa) || !(vb > 1e-12 * bb)) return NAN; /* flat here */
    return (ab - a * b / n) / sqrt(va * vb);
}

static void correlate_row(void *ctx, int64_t k, int worker)
{
    match *m = ctx;
    (void)worker;
    for (int c = 0; c < m->side; c++) {
        size_t at = (size_t)k * (size_t)m->side + (size_t)c;
        m->r[at] = correlation_at(m, (int)k - m->o->search, c - m->o->search, &m->met[at]);
    }
}

/* True when no neighbour is larger; those that are missing are not. */
static bool is_peak(const match *m, int row, int col)
{
    double here = m->r[row * m->side + col];
    if (isnan(here)) return false;
    for (int i = row - 1; i <= row + 1; i++)
        for (int j = col - 1; j <= col + 1; j++)
            if (i >= 0 && j >= 0 && i < m->side && j < m->side && m->r[i * m->side + j] > here)
                return false;
    return true;
}

/* A place at the end of what was searched: beyond it the correlation may go on rising. */
static bool at_border(const match *m, int row, int col)
{
    if (row == 0 || col == 0 || row == m->side - 1 || col == m->side - 1) return true;
    for (int i = row - 1; i <= row + 1; i++)
        for (int j = col - 1; j <= col + 1; j++)
            if (isnan(m->r[i * m->side + j])) return true;
    return false;
}

/* The best place, and the best peak away from it. */
static bool find_peaks(const match *m, int best[2], rs_drift_shift *out)
{
    out->peak = out->second = NAN;
    for (int i = 0; i < m->side; i++)
        for (int j = 0; j < m->side; j++) {
            double r = m->r[i * m->side + j];
            if (isnan(r) || r <= out->peak) continue;
            out->peak = r;
            best[0] = i;
            best[1] = j;
        }
    if (isnan(out->peak)) return false;
    for (int i = 0; i < m->side; i++)
        for (int j = 0; j < m->side; j++) {
            double r = m->r[i * m->side + j];
            if (abs(i - best[0]) <= PEAK_RADIUS && abs(j - best[1]) <= PEAK_RADIUS) continue;
            if (!is_peak(m, i, j) || r <= out->second) continue;
            out->second = r;
            out->second_row = i - m->o->search;
            out->second_col = j - m->o->search;
        }
    out->overlap = m->met[best[0] * m->side + best[1]];
    return true;
}

/* Independent samples in n smoothed pixels: n over the integral of the noise's squared correlation,
 * exp(-d^2/(2 smooth^2)). */
static double independent(const rs_drift_options *o, double n)
{
    return n / fmax(1, 2 * RS_PI * o->smooth * o->smooth);
}

/* A bound that the best of that many correlations of unrelated noise stays below. */
static double chance(const match *m, double n)
{
    double trials = fmax(2, independent(m->o, (double)m->side * m->side));
    return (sqrt(2 * log(trials)) + 2) / sqrt(independent(m->o, n));
}

/* ----------------------------------------------------------------------------------- refinement */

/* Patch and shifted survey where both are valid, with their gradients. */
typedef struct overlay {
    rs_masked p, s;
    double *p_row, *p_col, *s_row, *s_col; /* [rows*cols] of one block that p_row owns */
} overlay;

static void overlay_clear(overlay *v)
{
    rs_masked_clear(&v->p);
    rs_masked_clear(&v->s);
    rs_free(v->p_row);
}

static reshed_status overlay_init(overlay *v, const rs_masked *patch, reshed_error *err)
{
    size_t n = (size_t)patch->rows * (size_t)patch->cols;
    reshed_status st = rs_masked_init(&v->p, patch->rows, patch->cols, err);
    if (st == RESHED_OK) st = rs_masked_init(&v->s, patch->rows, patch->cols, err);
    if (st != RESHED_OK) return st;
    v->p_row = rs_alloc(4 * n, sizeof *v->p_row);
    if (!v->p_row) return rs_fail_nomem(err, "gradients", 4 * n * sizeof *v->p_row);
    v->p_col = v->p_row + n;
    v->s_row = v->p_col + n;
    v->s_col = v->s_row + n;
    rs_masked_shift(patch, 0, 0, &v->p, v->p_row, v->p_col);
    return RESHED_OK;
}

/* Means and products of p, s and the gradients g of s over what is valid in both. */
typedef struct moments {
    double n, p, s, g[2];
    double ss, ps, sg[2], pg[2], gg[2][2];
} moments;

static void take_moments(const overlay *v, moments *m)
{
    size_t n = (size_t)v->p.rows * (size_t)v->p.cols;
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < n; i++) {
        if (v->p.valid[i] * v->s.valid[i] <= 0) continue;
        double p = v->p.value[i], s = v->s.value[i], g[2] = {v->s_row[i], v->s_col[i]};
        m->n++;
        m->p += p;
        m->s += s;
        m->ss += s * s;
        m->ps += p * s;
        for (int a = 0; a < 2; a++) {
            m->g[a] += g[a];
            m->sg[a] += s * g[a];
            m->pg[a] += p * g[a];
            for (int b = 0; b < 2; b++) m->gg[a][b] += g[a] * g[b];
        }
    }
    if (m->n < 1) return;
    double k = 1 / m->n;
    for (int a = 0; a < 2; a++) {
        m->sg[a] -= k * m->s * m->g[a];
        m->pg[a] -= k * m->p * m->g[a];
        for (int b = 0; b < 2; b++) m->gg[a][b] -= k * m->g[a] * m->g[b];
    }
    m->ss -= k * m->s * m->s;
    m->ps -= k * m->p * m->s;
    m->p *= k;
    m->s *= k;
}

/* x = h^-1 g for a symmetric h; false when it is singular. */
static bool solve2(double h[2][2], const double g[2], double x[2])
{
    double det = h[0][0] * h[1][1] - h[0][1] * h[1][0];
    if (!(det > 1e-9 * h[0][0] * h[1][1])) return false;
    x[0] = (h[1][1] * g[0] - h[0][1] * g[1]) / det;
    x[1] = (h[0][0] * g[1] - h[1][0] * g[0]) / det;
    return true;
}

static void overlay_at(const match *m, overlay *v, const double d[2])
{
    rs_masked_shift(&m->survey, m->origin - d[0], m->origin - d[1], &v->s, v->s_row, v->s_col);
}

/* One Gauss-Newton step from d. With residual p - gain s(r - d), its derivative by d is gain g less
 * what a change of gain would take up. */
static bool step_from(const overlay *v, double *gain, double step[2], moments *m)
{
    double h[2][2], g[2];
    take_moments(v, m);
    if (m->n < MIN_PIXELS || !(m->ss > 0) || m->ps <= 0) return false;
    *gain = m->ps / m->ss;
    for (int a = 0; a < 2; a++) {
        g[a] = -*gain * (m->pg[a] - *gain * m->sg[a]);
        for (int b = 0; b < 2; b++)
            h[a][b] = *gain * *gain * (m->gg[a][b] - m->sg[a] * m->sg[b] / m->ss);
    }
    return solve2(h, g, step);
}

static bool refine(const match *m, overlay *v, double d[2], double *gain, moments *sums)
{
    double start[2] = {d[0], d[1]}, step[2];
    for (int k = 0; k < 30; k++) {
        overlay_at(m, v, d);
        if (!step_from(v, gain, step, sums)) return false;
        double size = hypot(step[0], step[1]), by = size > 0.5 ? 0.5 / size : 1;
        for (int a = 0; a < 2; a++) d[a] += by * step[a];
        if (fabs(d[0] - start[0]) > 1.5 || fabs(d[1] - start[1]) > 1.5) return false;
        if (size < 1e-4) {
            overlay_at(m, v, d);
            take_moments(v, sums);
            return sums->n >= MIN_PIXELS && sums->ss > 0;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------ its error */

typedef struct tile {
    double c[2][2];            /* common gradients: sum of p_a s_b, symmetric */
    double q[2];               /* sum of s_a times the residual */
    double pp[2][2], ss[2][2]; /* gradients of each image alone */
} tile;

static void fill_tiles(const overlay *v, const moments *m, double gain, tile t[TILES * TILES])
{
    memset(t, 0, TILES * TILES * sizeof *t);
    for (int i = 0; i < v->p.rows; i++)
        for (int j = 0; j < v->p.cols; j++) {
            size_t at = (size_t)i * (size_t)v->p.cols + (size_t)j;
            if (v->p.valid[at] * v->s.valid[at] <= 0) continue;
            tile *k = &t[i * TILES / v->p.rows * TILES + j * TILES / v->p.cols];
            double p[2] = {v->p_row[at], v->p_col[at]}, s[2] = {v->s_row[at], v->s_col[at]};
            double rest = v->p.value[at] - m->p - gain * (v->s.value[at] - m->s);
            for (int a = 0; a < 2; a++) {
                k->q[a] += s[a] * rest;
                for (int b = 0; b < 2; b++) {
                    k->c[a][b] += 0.5 * (p[a] * s[b] + p[b] * s[a]);
                    k->pp[a][b] += p[a] * p[b];
                    k->ss[a][b] += s[a] * s[b];
                }
            }
        }
}

static double along(double m[2][2], double angle)
{
    double c = cos(angle), s = sin(angle);
    return m[0][0] * c * c + 2 * m[0][1] * c * s + m[1][1] * s * s;
}

/* The least correlation of the two images' derivatives over all directions. */
static double coherence(tile *sum)
{
    double least = 1;
    for (int k = 0; k < DIRECTIONS; k++) {
        double angle = k * RS_PI / DIRECTIONS;
        double both = along(sum->pp, angle) * along(sum->ss, angle);
        least = fmin(least, both > 0 ? along(sum->c, angle) / sqrt(both) : 0);
    }
    return least;
}

static bool errors_of(const match *m, const overlay *v, const moments *sums, double gain,
                      rs_drift_shift *out)
{
    tile t[TILES * TILES], all = {0};
    double delta[TILES * TILES][2], mean[2] = {0, 0}, var[2][2] = {{0, 0}, {0, 0}};
    fill_tiles(v, sums, gain, t);
    for (int k = 0; k < TILES * TILES; k++)
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++) {
                all.c[a][b] += t[k].c[a][b];
                all.pp[a][b] += t[k].pp[a][b];
                all.ss[a][b] += t[k].ss[a][b];
            }
    if (coherence(&all) < 4 / sqrt(independent(m->o, sums->n))) return false;
    for (int k = 0; k < TILES * TILES; k++) {
        double rest[2][2];
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++) rest[a][b] = all.c[a][b] - t[k].c[a][b];
        if (!(rest[0][0] > 0 && rest[1][1] > 0) || !solve2(rest, t[k].q, delta[k])) return false;
        for (int a = 0; a < 2; a++) mean[a] += delta[k][a] / (TILES * TILES);
    }
    for (int k = 0; k < TILES * TILES; k++)
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++)
                var[a][b] += (delta[k][a] - mean[a]) * (delta[k][b] - mean[b]) *
                             (TILES * TILES - 1) / (TILES * TILES);
    double half = 0.5 * (var[0][0] - var[1][1]);
    out->sigma_row = sqrt(var[0][0]);
    out->sigma_col = sqrt(var[1][1]);
    out->sigma = sqrt(0.5 * (var[0][0] + var[1][1]) + hypot(half, var[0][1]));
    return true;
}

/* ---------------------------------------------------------------------------------------- match */

static reshed_status judge(const match *m, rs_drift_shift *out, reshed_error *err)
{
    int best[2] = {0, 0};
    overlay v = {0};
    moments sums;
    double gain = 1;
    out->reason = RS_DRIFT_NO_DATA;
    if (!find_peaks(m, best, out)) return RESHED_OK;
    out->reason = RS_DRIFT_WEAK;
    if (out->peak < m->o->min_peak || out->peak < chance(m, out->overlap)) return RESHED_OK;
    out->reason = RS_DRIFT_BORDER;
    if (at_border(m, best[0], best[1])) return RESHED_OK;
    reshed_status st = overlay_init(&v, &m->patch, err);
    if (st != RESHED_OK) goto done;
    double d[2] = {best[0] - m->o->search, best[1] - m->o->search};
    out->reason = RS_DRIFT_LOOSE;
    if (!refine(m, &v, d, &gain, &sums)) goto done;
    if (!errors_of(m, &v, &sums, gain, out) || !(out->sigma <= m->o->max_sigma)) goto done;
    out->reason = RS_DRIFT_TWO;
    if (out->peak - out->second < m->o->min_lead) goto done;
    out->reason = RS_DRIFT_FOUND;
    out->found = true;
    out->drow = d[0];
    out->dcol = d[1];
done:
    overlay_clear(&v);
    return st;
}

static reshed_status check_sizes(const float *survey, int H, int W, const float *patch, int h,
                                 int w, reshed_error *err)
{
    if (!survey || !patch || H < 1 || W < 1 || h < 1 || w < 1 || H > RS_IMAGE_MAX_SIDE ||
        W > RS_IMAGE_MAX_SIDE || h > 8192 || w > 8192)
        return rs_fail(err, RESHED_EINVAL, "survey and patch|images|%dx%d and %dx%d", H, W, h, w);
    return RESHED_OK;
}

reshed_status rs_drift_match(const float *survey, int H, int W, const float *patch, int h, int w,
                             int row0, int col0, const rs_drift_options *o, rs_drift_shift *out,
                             reshed_error *err)
{
    reshed_status st = check_sizes(survey, H, W, patch, h, w, err);
    if (st == RESHED_OK) st = rs_drift_check(o, err);
    if (st == RESHED_OK && (abs(row0) > 1 << 24 || abs(col0) > 1 << 24))
        st = rs_fail(err, RESHED_EINVAL, "place of the patch|a pixel|%d, %d", row0, col0);
    if (st != RESHED_OK) return st;
    match m = {.o = o, .side = 2 * o->search + 1};
    rs_drift_shift shift = {.drow = NAN,
                            .dcol = NAN,
                            .sigma_row = NAN,
                            .sigma_col = NAN,
                            .sigma = NAN,
                            .second_row = NAN,
                            .second_col = NAN};
    size_t places = (size_t)m.side * (size_t)m.side;
    double valid = 0;
    m.origin = o->search + rs_masked_margin(o->smooth);
    st = rs_masked_take(patch, h, w, 0, 0, h, w, o->smooth, &m.patch, err);
    if (st == RESHED_OK)
        st = rs_masked_take(survey, H, W, row0 - m.origin, col0 - m.origin, h + 2 * m.origin,
                            w + 2 * m.origin, o->smooth, &m.survey, err);
    if (st != RESHED_OK) goto done;
    m.r = rs_alloc(places, sizeof *m.r);
    m.met = rs_alloc(places, sizeof *m.met);
    if (!m.r || !m.met) {
        st = rs_fail_nomem(err, "a correlation", places * (sizeof *m.r + sizeof *m.met));
        goto done;
    }
    for (size_t i = 0; i < (size_t)h * (size_t)w; i++) valid += m.patch.valid[i];
    m.need = fmax(MIN_PIXELS, o->min_overlap * valid);
    rs_parallel_for(rs_threads_or_all(o->threads), m.side, correlate_row, &m);
    st = judge(&m, &shift, err);
done:
    rs_masked_clear(&m.patch);
    rs_masked_clear(&m.survey);
    rs_free(m.r);
    rs_free(m.met);
    if (st == RESHED_OK) *out = shift;
    return st;
}

/* --------------------------------------------------------------------------------------- metres */

void rs_drift_metres(const rs_frame *frame, double drow, double dcol, double *dx, double *dy)
{
    double x = dcol * frame->width / frame->cols, y = -drow * frame->height / frame->rows;
    double c = cos(frame->angle), s = sin(frame->angle);
    *dx = x * c - y * s;
    *dy = x * s + y * c;
}

double rs_drift_sigma_metres(const rs_frame *frame, const rs_drift_shift *shift)
{
    return shift->sigma * fmax(frame->width / frame->cols, frame->height / frame->rows);
}

rs_frame rs_drift_patch_frame(const rs_frame *frame, int row0, int col0, int rows, int cols)
{
    rs_frame f = *frame;
    double dx, dy;
    rs_drift_metres(frame, row0 + 0.5 * (rows - frame->rows), col0 + 0.5 * (cols - frame->cols),
                    &dx, &dy);
    f.cx += dx;
    f.cy += dy;
    f.width *= (double)cols / frame->cols;
    f.height *= (double)rows / frame->rows;
    f.rows = rows;
    f.cols = cols;
    return f;
}
