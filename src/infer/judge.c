/* The features, all over the rows given. "Range" is what lies between the 3rd and 97th percentile
 * of the image; walls are weighted by their mean probability m, so no threshold enters.
 *
 *   noise          spread of second differences along a line, of the range: pixel noise
 *   rough lines    spread of the steps from line to line, of the range: line noise
 *   largest step   the largest of those steps: a jump of the level, a change of the tip
 *   fine, coarse   98th percentile of differences over 1 pixel by that over 2, and 2 by 5: blur
 *   range          log of it: hot pixels and scars leave little of [0,1] to the rest
 *   level          where the median lies in the range: inversion, gamma
 *   tails          from the 90th to the 99.5th percentile, by that from the 0.5th to the 10th: what
 *                  is rare is bright (curves, dust) or, inverted, dark
 *   skewness       of the band between 1 and 3 pixels, by its percentiles 1 and 99: dark or bright
 *                  lines
 *   line change    largest change of the lines' fine texture (log) between the rows above and
 *                  below: a tip that turned blunt
 *   spread change  likewise of the lines' contrast
 *   disagreement   sum of the variance over sum of m(1-m): the members' share of the doubt
 *   indecision     sum of m(1-m) over sum of m: doubt for each wall pixel expected
 *   wall contrast  range of the image within 3 pixels, averaged over walls, of the range
 *   wall steepness gradient over that contrast, averaged over walls
 *   wall polarity  where the mean lies between the darkest and the brightest pixel within 5 pixels,
 *                  averaged over walls: near 1 when walls bound dark lines, near 0 bright ones
 *
 * Logarithms make positive ratios symmetric about their usual value; a small constant inside keeps
 * ideal images (no noise at all) finite. */
#include "infer/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "imgproc/image/smooth.h"

#define WINDOW 12 /* rows compared on either side of a change */
#define LOCAL 3   /* pixels around a wall in which contrast is taken */
#define WIDE 5    /* and polarity */

enum {
    NOISE,
    ROUGH_LINES,
    LARGEST_STEP,
    FINE,
    COARSE,
    RANGE,
    LEVEL,
    TAILS,
    SKEWNESS,
    LINE_CHANGE,
    SPREAD_CHANGE,
    DISAGREEMENT,
    INDECISION,
    WALL_CONTRAST,
    WALL_STEEPNESS,
    WALL_POLARITY
};

const char *rs_ood_feature_name(int i)
{
    static const char *const names[RS_OOD_FEATURES] = {
        "noise",      "rough lines",   "largest step",   "fine",
        "coarse",     "range",         "level",          "tails",
        "skewness",   "line change",   "spread change",  "disagreement",
        "indecision", "wall contrast", "wall steepness", "wall polarity"};
    return names[i];
}

int rs_ood_scanned_rows(const float *image, int height, int width)
{
    for (int r = height; r > 0; r--)
        for (int c = 0; c < width; c++)
            if (image[(size_t)(r - 1) * (size_t)width + (size_t)c] != 0) return r;
    return 0;
}

/* The rows at work; value and line are scratch. */
typedef struct frame {
    const float *a;
    int rows, cols;
    double range;
    float *value; /* [rows,cols] */
    float *band;  /* [rows,cols] */
    float *line;  /* [rows or cols] */
    reshed_status *status;
    reshed_error *err;
} frame;

/* For the small allocations of rs_percentiles the first failure is kept, and what is computed from
 * there on is thrown away. */
static double percentile(const frame *f, const float *x, size_t n, double percent)
{
    double v = 0;
    if (*f->status == RESHED_OK) *f->status = rs_percentiles(x, n, &percent, 1, &v, f->err);
    return v;
}

/* The standard deviation of a normal distribution with this median of |x|. */
static double spread_of(const frame *f, const float *magnitude, size_t n)
{
    return 1.4826 * percentile(f, magnitude, n, 50);
}

/* 98th percentile of |differences| over `lag` pixels, along lines and columns. */
static double large_difference(const frame *f, int lag)
{
    size_t along = 0, across = 0;
    for (int r = 0; r < f->rows; r++)
        for (int c = 0; c + lag < f->cols; c++) {
            const float *p = f->a + (size_t)r * (size_t)f->cols + c;
            f->value[along++] = fabsf(p[lag] - p[0]);
        }
    double one = percentile(f, f->value, along, 98);
    for (int r = 0; r + lag < f->rows; r++)
        for (int c = 0; c < f->cols; c++) {
            const float *p = f->a + (size_t)r * (size_t)f->cols + c;
            f->value[across++] = fabsf(p[(size_t)lag * (size_t)f->cols] - p[0]);
        }
    return one + percentile(f, f->value, across, 98);
}

/* Largest |mean of the next rows - mean of the previous rows| of x[n]. */
static double largest_change(const float *x, int n)
{
    double largest = 0;
    for (int r = WINDOW; r + WINDOW <= n; r++) {
        double above = 0, below = 0;
        for (int k = 0; k < WINDOW; k++) {
            above += (double)x[r - 1 - k];
            below += (double)x[r + k];
        }
        double change = fabs(below - above) / WINDOW;
        if (change > largest) largest = change;
    }
    return largest;
}

static void noise_and_sharpness(const frame *f, double *out)
{
    size_t n = 0;
    for (int r = 0; r < f->rows; r++)
        for (int c = 1; c + 1 < f->cols; c++) {
            const float *p = f->a + (size_t)r * (size_t)f->cols + c;
            f->value[n++] = fabsf(p[-1] - 2 * p[0] + p[1]);
        }
    out[NOISE] = log(spread_of(f, f->value, n) / sqrt(6) / f->range + 1e-3);
    double tiny = 1e-4 * f->range, d1 = large_difference(f, 1), d2 = large_difference(f, 2);
    out[FINE] = log((d1 + tiny) / (d2 + tiny));
    out[COARSE] = log((d2 + tiny) / (large_difference(f, 5) + tiny));
}

static void line_by_line(const frame *f, double *out)
{
    const size_t w = (size_t)f->cols;
    double largest = 0;
    for (int r = 0; r + 1 < f->rows; r++) { /* the step that all columns share */
        for (size_t c = 0; c < w; c++)
            f->line[c] = f->a[(size_t)(r + 1) * w + c] - f->a[(size_t)r * w + c];
        double step = fabs(percentile(f, f->line, w, 50));
        f->value[r] = (float)step;
        if (step > largest) largest = step;
    }
    out[ROUGH_LINES] = log(spread_of(f, f->value, (size_t)f->rows - 1) / f->range + 1e-3);
    out[LARGEST_STEP] = log(largest / f->range + 1e-2);
    float *texture = f->value, *contrast = f->value + f->rows;
    for (int r = 0; r < f->rows; r++) {
        const float *row = f->a + (size_t)r * w;
        double sum = 0, at[2] = {0, 0};
        for (int c = 1; c + 1 < f->cols; c++)
            sum += fabs((double)row[c - 1] - 2 * (double)row[c] + (double)row[c + 1]);
        texture[r] = (float)log(sum / (f->cols - 2) / f->range + 1e-3);
        at[0] = percentile(f, row, w, 10);
        at[1] = percentile(f, row, w, 90);
        contrast[r] = (float)log((at[1] - at[0]) / f->range + 5e-2);
    }
    out[LINE_CHANGE] = log(largest_change(texture, f->rows) + 3e-2);
    out[SPREAD_CHANGE] = log(largest_change(contrast, f->rows) + 3e-2);
}

static void levels(const frame *f, double *out)
{
    const size_t n = (size_t)f->rows * (size_t)f->cols;
    double q[2] = {0, 0};
    out[RANGE] = log(f->range);
    out[LEVEL] = (percentile(f, f->a, n, 50) - percentile(f, f->a, n, 3)) / f->range;
    double tiny = 0.02 * f->range,
           bright = percentile(f, f->a, n, 99.5) - percentile(f, f->a, n, 90),
           dark = percentile(f, f->a, n, 10) - percentile(f, f->a, n, 0.5);
    out[TAILS] = log((bright + tiny) / (dark + tiny));
    reshed_status *st = f->status;
    if (*st == RESHED_OK) *st = rs_smooth_gaussian(f->a, f->rows, f->cols, 1, f->value, f->err);
    if (*st == RESHED_OK) *st = rs_smooth_gaussian(f->a, f->rows, f->cols, 3, f->band, f->err);
    if (*st != RESHED_OK) return;
    for (size_t i = 0; i < n; i++) f->value[i] -= f->band[i];
    q[0] = percentile(f, f->value, n, 1);
    q[1] = percentile(f, f->value, n, 99);
    out[SKEWNESS] = (q[0] + q[1]) / (q[1] - q[0] + 1e-3 * f->range);
}

typedef struct local {
    double range, fill; /* highest less lowest value; the mean less the lowest, of the range */
} local;

/* Of the window of `reach` pixels around pixel (r,c). */
static local look_around(const frame *f, int r, int c, int reach)
{
    float lo = INFINITY, hi = -INFINITY;
    double sum = 0;
    int r0 = r < reach ? 0 : r - reach, r1 = r + reach < f->rows ? r + reach : f->rows - 1;
    int c0 = c < reach ? 0 : c - reach, c1 = c + reach < f->cols ? c + reach : f->cols - 1;
    for (int y = r0; y <= r1; y++)
        for (int x = c0; x <= c1; x++) {
            float v = f->a[(size_t)y * (size_t)f->cols + (size_t)x];
            lo = v < lo ? v : lo;
            hi = v > hi ? v : hi;
            sum += (double)v;
        }
    double mean = sum / ((double)(r1 - r0 + 1) * (c1 - c0 + 1)), range = (double)hi - (double)lo;
    return (local){range, range > 0 ? (mean - (double)lo) / range : 0.5};
}

/* At the frame's edge the gradient is taken one pixel inside. */
static double gradient(const frame *f, int r, int c)
{
    r = r < 1 ? 1 : r > f->rows - 2 ? f->rows - 2 : r;
    c = c < 1 ? 1 : c > f->cols - 2 ? f->cols - 2 : c;
    const float *p = f->a + (size_t)r * (size_t)f->cols + c;
    return 0.5 *
           hypot((double)p[1] - (double)p[-1], (double)p[f->cols] - (double)p[-(ptrdiff_t)f->cols]);
}

static void maps(const frame *f, const float *mean, const float *variance, double *out)
{
    double doubt = 0, apart = 0, walls = 0, contrast = 0, steepness = 0, fill = 0;
    for (int r = 0; r < f->rows; r++)
        for (int c = 0; c < f->cols; c++) {
            size_t i = (size_t)r * (size_t)f->cols + (size_t)c;
            double m = (double)mean[i];
            doubt += m * (1 - m);
            apart += (double)variance[i];
            if (m < 0.05) continue; /* the ground, however wide, says nothing of walls */
            walls += m;
            contrast += m * look_around(f, r, c, LOCAL).range;
            fill += m * look_around(f, r, c, WIDE).fill;
            steepness += m * gradient(f, r, c);
        }
    const double n = (double)f->rows * f->cols, few = 1e-3 * n; /* so few that they do not count */
    out[DISAGREEMENT] = log((apart + 0.05 * few) / (doubt + few));
    out[INDECISION] = log((doubt + 0.5 * few) / (walls + few));
    out[WALL_CONTRAST] = log((contrast + 0.5 * few * f->range) / (walls + few) / f->range + 1e-2);
    out[WALL_STEEPNESS] =
        log((steepness + 0.1 * few * f->range) / (contrast + 0.5 * few * f->range) + 1e-3);
    out[WALL_POLARITY] = (fill + 0.5 * few) / (walls + few);
}

reshed_status rs_ood_features(const float *image, const float *mean, const float *variance,
                              int width, int row_begin, int row_end, double out[RS_OOD_FEATURES],
                              reshed_error *err)
{
    if (row_begin < 0 || row_end < row_begin || width < 1)
        return rs_fail(err, RESHED_EINVAL, "rows for the out-of-distribution score");
    const int rows = row_end - row_begin;
    const size_t first = (size_t)row_begin * (size_t)width, n = (size_t)rows * (size_t)width;
    if (rows < RS_OOD_MIN_ROWS || width < RS_OOD_MIN_COLS)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "frame for the out-of-distribution score|at least %d x %d pixels|%d x %d",
                       RS_OOD_MIN_ROWS, RS_OOD_MIN_COLS, rows, width);
    double x[RS_OOD_FEATURES];
    const size_t longer = (size_t)(rows > width ? rows : width);
    float *scratch = rs_alloc(2 * n + longer, sizeof *scratch);
    if (!scratch) return rs_fail_nomem(err, "the out-of-distribution score", (2 * n + longer) * 4);
    reshed_status st = RESHED_OK;
    frame f = {image + first, rows, width, 0, scratch, scratch + n, scratch + 2 * n, &st, err};
    f.range = percentile(&f, f.a, n, 97) - percentile(&f, f.a, n, 3);
    if (st == RESHED_OK && !(f.range > 1e-6))
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "image for the out-of-distribution score|some contrast|none");
    if (st == RESHED_OK) {
        levels(&f, x);
        noise_and_sharpness(&f, x);
        line_by_line(&f, x);
        maps(&f, mean + first, variance + first, x);
    }
    if (st == RESHED_OK) memcpy(out, x, sizeof x);
    rs_free(scratch);
    return st;
}

/* ---------------------------------------------------------------------------------------- model */

/* a = l l^T, in place into the lower triangle; false when a is not positive definite. */
static bool cholesky(double a[RS_OOD_FEATURES][RS_OOD_FEATURES])
{
    for (int j = 0; j < RS_OOD_FEATURES; j++)
        for (int i = j; i < RS_OOD_FEATURES; i++) {
            double s = a[i][j];
            for (int k = 0; k < j; k++) s -= a[i][k] * a[j][k];
            if (i == j && !(s > 0)) return false;
            a[i][j] = i == j ? sqrt(s) : s / a[j][j];
        }
    return true;
}

reshed_status rs_ood_fit(const double *x, int n, rs_ood_model *out, reshed_error *err)
{
    enum { F = RS_OOD_FEATURES };
    if (n < 4 * F)
        return rs_fail(err, RESHED_EINVAL,
                       "frames to fit the out-of-distribution score to|%d or "
                       "more|%d",
                       4 * F, n);
    rs_ood_model m = {.version = RS_OOD_VERSION, .features = F, .frames = n};
    double cov[F][F] = {{0}};
    for (int i = 0; i < n; i++)
        for (int k = 0; k < F; k++) m.centre[k] += x[(size_t)i * F + (size_t)k] / n;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < F; j++)
            for (int k = 0; k < F; k++)
                cov[j][k] += (x[(size_t)i * F + (size_t)j] - m.centre[j]) *
                             (x[(size_t)i * F + (size_t)k] - m.centre[k]) / (n - 1);
    /* A feature that hardly varies in the sample must not count without limit, and two that go
     * together in it may part in another frame. */
    for (int k = 0; k < F; k++) cov[k][k] = 1.02 * cov[k][k] + 1e-8;
    if (!cholesky(cov))
        return rs_fail(err, RESHED_EINVAL, "covariance of the features|positive definite|not");
    for (int c = 0; c < F; c++) /* the inverse of the lower triangle */
        for (int i = c; i < F; i++) {
            double s = i == c;
            for (int k = c; k < i; k++) s -= cov[i][k] * m.whiten[k][c];
            m.whiten[i][c] = s / cov[i][i];
        }
    *out = m;
    return RESHED_OK;
}

bool rs_ood_known(const rs_ood_model *m)
{
    return m->version == RS_OOD_VERSION && m->features == RS_OOD_FEATURES;
}

reshed_status rs_ood_score(const rs_ood_model *m, const double x[RS_OOD_FEATURES], double *score,
                           reshed_error *err)
{
    if (!rs_ood_known(m))
        return rs_fail(err, RESHED_EUNSUPPORTED, "out-of-distribution model|version %d|%d",
                       RS_OOD_VERSION, m->version);
    double sum = 0;
    for (int i = 0; i < RS_OOD_FEATURES; i++) {
        double z = 0;
        for (int k = 0; k < RS_OOD_FEATURES; k++) z += m->whiten[i][k] * (x[k] - m->centre[k]);
        sum += z * z;
    }
    *score = sqrt(sum / RS_OOD_FEATURES);
    return RESHED_OK;
}

reshed_status rs_ood_judge(const rs_ood_model *m, int classes, const float *image,
                           const float *mean, const float *variance, int width, int row_begin,
                           int row_end, double *score, reshed_error *err)
{
    double x[RS_OOD_FEATURES];
    *score = NAN;
    if (classes != 1 || !rs_ood_known(m)) return RESHED_OK;
    if (row_end - row_begin < RS_OOD_MIN_ROWS || width < RS_OOD_MIN_COLS) return RESHED_OK;
    reshed_error why = {0};
    reshed_status st = rs_ood_features(image, mean, variance, width, row_begin, row_end, x, &why);
    if (st == RESHED_EUNSUPPORTED) {
        *score = RS_OOD_NO_CONTRAST;
        return RESHED_OK;
    }
    if (st == RESHED_OK) return rs_ood_score(m, x, score, err);
    if (err) *err = why;
    return st;
}
