/* contrast.c - tells whether the tip that scanned a patch is the one that scanned the survey.
 *
 * A blunter tip shows the survey convolved with something, which for a Gaussian of small variance
 * b is survey + (b/2) * Laplacian(survey). So b follows from a regression of the patch on the
 * survey and its Laplacian. But the survey carries noise, and a regression on something noisy
 * blurs it (as a Wiener filter would) even when nothing has changed. The regression the other way
 * round errs by the same amount with the same sign, so half their difference is free of it when
 * the two images are equally noisy. The gain is the ratio of the standard deviations, with the same
 * symmetry. */
#include "spm/scan/drift/drift.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "spm/scan/drift/images.h"

#define MIN_PIXELS 64
#define TILES 4 /* along each side */

void rs_contrast_defaults(rs_contrast_options *o)
{
    *o = (rs_contrast_options){
        .smooth = 2, .max_gain = 1.3, .max_blur = 0.6, .min_correlation = 0.5};
}

/* Sums over pixels of p, s and their Laplacians. */
enum { P, S, LP, LS, QUANTITIES };
typedef struct sums {
    double n, x[QUANTITIES], xx[QUANTITIES][QUANTITIES];
} sums;

static void add(sums *to, const sums *from, double sign)
{
    to->n += sign * from->n;
    for (int a = 0; a < QUANTITIES; a++) {
        to->x[a] += sign * from->x[a];
        for (int b = 0; b < QUANTITIES; b++) to->xx[a][b] += sign * from->xx[a][b];
    }
}

static double covariance(const sums *s, int a, int b)
{
    return s->xx[a][b] / s->n - s->x[a] / s->n * (s->x[b] / s->n);
}

/* y = alpha x + beta Laplacian(x): 2 beta/alpha, the variance that x is blurred by. */
static double blur_of(const sums *s, int y, int x, int lx)
{
    double xx = covariance(s, x, x), ll = covariance(s, lx, lx), xl = covariance(s, x, lx);
    double yx = covariance(s, y, x), yl = covariance(s, y, lx), det = xx * ll - xl * xl;
    if (!(det > 1e-9 * xx * ll)) return NAN;
    double alpha = (ll * yx - xl * yl) / det, beta = (xx * yl - xl * yx) / det;
    return alpha > 0 ? 2 * beta / alpha : NAN;
}

static double blur(const sums *s)
{
    return 0.5 * (blur_of(s, P, S, LS) - blur_of(s, S, P, LP));
}

/* Laplacian at a pixel that is not on the edge; false when a neighbour is missing. */
static bool laplacian(const rs_masked *m, size_t at, double *out)
{
    size_t w = (size_t)m->cols;
    const double *v = m->value + at, *k = m->valid + at;
    if (!(k[0] * k[-1] * k[1] * *(k - w) * k[w] > 0)) return false;
    *out = v[-1] + v[1] + *(v - w) + v[w] - 4 * v[0];
    return true;
}

/* Near its edges the patch is smoothed from one side, the survey is not: `edge` pixels are left
 * out. */
static void fill_tiles(const rs_masked *p, const rs_masked *s, int edge, sums tile[TILES * TILES])
{
    memset(tile, 0, TILES * TILES * sizeof *tile);
    for (int i = edge; i + edge < p->rows; i++)
        for (int j = edge; j + edge < p->cols; j++) {
            size_t at = (size_t)i * (size_t)p->cols + (size_t)j;
            sums *t = &tile[i * TILES / p->rows * TILES + j * TILES / p->cols];
            double x[QUANTITIES] = {p->value[at], s->value[at]};
            if (!laplacian(p, at, &x[LP]) || !laplacian(s, at, &x[LS])) continue;
            t->n++;
            for (int a = 0; a < QUANTITIES; a++) {
                t->x[a] += x[a];
                for (int b = 0; b < QUANTITIES; b++) t->xx[a][b] += x[a] * x[b];
            }
        }
}

static void compare(const sums tile[TILES * TILES], const rs_contrast_options *o, rs_contrast *out)
{
    sums all = {0};
    double mean = 0, square = 0;
    int used = 0;
    for (int k = 0; k < TILES * TILES; k++) add(&all, &tile[k], 1);
    out->pixels = (int)all.n;
    if (all.n < MIN_PIXELS) return;
    double pp = covariance(&all, P, P), ss = covariance(&all, S, S), ps = covariance(&all, P, S);
    if (!(pp > 1e-12 * all.xx[P][P] / all.n) || !(ss > 1e-12 * all.xx[S][S] / all.n)) return;
    out->known = true;
    out->gain = sqrt(pp / ss);
    out->correlation = ps / sqrt(pp * ss);
    out->blur = blur(&all);
    for (int k = 0; k < TILES * TILES; k++) {
        sums rest = all;
        if (tile[k].n == 0) continue;
        add(&rest, &tile[k], -1);
        double b = blur(&rest);
        used++;
        mean += b;
        square += b * b;
    }
    double variance = square / used - mean / used * (mean / used);
    out->blur_sigma = used > 1 ? sqrt(fmax(0, variance) * (used - 1)) : NAN;
    if (out->gain > o->max_gain || out->gain < 1 / o->max_gain) out->changed |= RS_CONTRAST_GAIN;
    if (out->correlation < o->min_correlation) out->changed |= RS_CONTRAST_PATTERN;
    if (fabs(out->blur) > fmax(o->max_blur, 3 * out->blur_sigma)) out->changed |= RS_CONTRAST_BLUR;
}

/* Mean of the patch over that of the survey's window at the nearest whole shift. */
static double level_ratio(const float *survey, int H, int W, const float *patch, int h, int w,
                          int row0, int col0, double drow, double dcol)
{
    double p = 0, s = 0;
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            int64_t r = row0 + i - (int64_t)lround(drow), c = col0 + j - (int64_t)lround(dcol);
            float a = patch[(int64_t)i * w + j];
            if (r < 0 || c < 0 || r >= H || c >= W) continue;
            float b = survey[r * W + c];
            if (!isfinite(a) || !isfinite(b)) continue;
            p += (double)a;
            s += (double)b;
        }
    return s != 0 ? p / s : (double)NAN;
}

static reshed_status check(const float *survey, int H, int W, const float *patch, int h, int w,
                           int row0, int col0, double drow, double dcol,
                           const rs_contrast_options *o, reshed_error *err)
{
    if (!survey || !patch || H < 1 || W < 1 || h < 1 || w < 1 || H > RS_IMAGE_MAX_SIDE ||
        W > RS_IMAGE_MAX_SIDE || h > 8192 || w > 8192)
        return rs_fail(err, RESHED_EINVAL, "survey and patch|images|%dx%d and %dx%d", H, W, h, w);
    if (!(fabs(drow) <= 65536 && fabs(dcol) <= 65536 && abs(row0) <= 1 << 24 &&
          abs(col0) <= 1 << 24))
        return rs_fail(err, RESHED_EINVAL, "place of the patch|pixels|%d, %d shifted by %g, %g",
                       row0, col0, drow, dcol);
    if (!(o->smooth >= 0 && o->smooth <= 16) || !(o->max_gain > 1) || !(o->max_blur >= 0) ||
        isnan(o->min_correlation))
        return rs_fail(err, RESHED_EINVAL,
                       "contrast|smoothing 0 to 16, gain > 1, blur >= 0, correlation|%g, %g, %g, "
                       "%g",
                       o->smooth, o->max_gain, o->max_blur, o->min_correlation);
    return RESHED_OK;
}

reshed_status rs_contrast_compare(const float *survey, int H, int W, const float *patch, int h,
                                  int w, int row0, int col0, double drow, double dcol,
                                  const rs_contrast_options *o, rs_contrast *out, reshed_error *err)
{
    reshed_status st = check(survey, H, W, patch, h, w, row0, col0, drow, dcol, o, err);
    if (st != RESHED_OK) return st;
    rs_masked p = {0}, q = {0}, s = {0};
    sums tile[TILES * TILES];
    rs_contrast c = {.gain = NAN, .level = NAN, .blur = NAN, .blur_sigma = NAN, .correlation = NAN};
    int margin = rs_masked_margin(o->smooth), r = row0 - (int)floor(drow) - 1 - margin;
    int k = col0 - (int)floor(dcol) - 1 - margin;
    st = rs_masked_take(patch, h, w, 0, 0, h, w, o->smooth, &p, err);
    if (st == RESHED_OK)
        st = rs_masked_take(survey, H, W, r, k, h + 2 * margin + 2, w + 2 * margin + 2, o->smooth,
                            &q, err);
    if (st == RESHED_OK) st = rs_masked_init(&s, h, w, err);
    if (st != RESHED_OK) goto done;
    rs_masked_shift(&q, row0 - drow - r, col0 - dcol - k, &s, NULL, NULL);
    fill_tiles(&p, &s, 1 + (int)ceil(2 * o->smooth), tile);
    compare(tile, o, &c);
    if (c.known) c.level = level_ratio(survey, H, W, patch, h, w, row0, col0, drow, dcol);
    *out = c;
done:
    rs_masked_clear(&p);
    rs_masked_clear(&q);
    rs_masked_clear(&s);
    return st;
}
