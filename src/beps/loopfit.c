#include "beps/loopfit.h"

#include <math.h>
#include <string.h>

#include "beps/phase.h"
#include "beps/special.h"

#define TWO_OVER_ROOT_PI 1.12837916709551257390

/* ------------------------------------------------------------------------------- the function */
/* Part of the transition made at distance x from the junction of the widths. */
static double transition(double x, double left, double right)
{
    double b = x < 0 ? left : right;
    return (b * erf(x / b) + left) / (left + right);
}

double rs_loop_branch(const double p[RS_LOOP_PARAMS], bool descending, double v)
{
    double y = descending ? transition(v - p[RS_A2], p[RS_B0], p[RS_B1])
                          : transition(v - p[RS_A3], p[RS_B2], p[RS_B3]);
    return p[RS_A0] + p[RS_A1] * y + p[RS_A4] * v;
}

void rs_loop_function(const rs_sweep *s, const double p[RS_LOOP_PARAMS], double *y)
{
    for (int i = 0; i < s->n; i++) y[i] = rs_loop_branch(p, s->falling[i], s->v[i]);
}

void rs_loop_function_bglib(const double *v, int n, const double p[RS_LOOP_PARAMS], double *y)
{
    const double d = 1000; /* 1/V: the blending */
    for (int i = 0; i < n; i++) {
        bool descending = i < n / 2;
        double left = p[descending ? RS_B0 : RS_B2], right = p[descending ? RS_B1 : RS_B3];
        double x = v[i] - p[descending ? RS_A2 : RS_A3];
        double g = (right - left) / 2 * (erf(x * d) + 1) + left;
        y[i] = p[RS_A0] + p[RS_A1] * (g * erf(x / g) + left) / (left + right) + p[RS_A4] * v[i];
    }
}

double rs_loop_crossing(const double p[RS_LOOP_PARAMS], bool descending, double level)
{
    double left = p[descending ? RS_B0 : RS_B2], right = p[descending ? RS_B1 : RS_B3];
    double at = p[descending ? RS_A2 : RS_A3], t = level * (left + right) - left;
    double b = t < 0 ? left : right;
    return at + b * rs_erfinv(t / b);
}

/* Integral of the transition from the junction to x. */
static double transition_integral(double x, double left, double right)
{
    double b = x < 0 ? left : right, u = x / b;
    double i = b * (x * erf(u) + b / sqrt(RS_PI) * expm1(-u * u));
    return (i + left * x) / (left + right);
}

double rs_loop_function_area(const double p[RS_LOOP_PARAMS], double lo, double hi)
{
    double d = transition_integral(hi - p[RS_A2], p[RS_B0], p[RS_B1]) -
               transition_integral(lo - p[RS_A2], p[RS_B0], p[RS_B1]);
    double a = transition_integral(hi - p[RS_A3], p[RS_B2], p[RS_B3]) -
               transition_integral(lo - p[RS_A3], p[RS_B2], p[RS_B3]);
    return p[RS_A1] * (d - a);
}

/* ------------------------------------------------------------------------------ what is fitted */
/* The usable samples of a loop, scaled to mid and height. */
typedef struct samples {
    int n;
    double *v, *y;
    uint8_t *falling;
    double mid, height;
    double v_min, v_max, step;
    int n_asc, n_desc;
    /* Starting values, scaled: levels, and where each branch passes a quarter, a half and three
     * quarters of the height (NaN where it does not): [descending][k]. */
    double bottom, top, at[2][3];
} samples;

size_t rs_loop_fit_work(int n)
{
    return rs_blm_work(RS_LOOP_PARAMS, n) + 3 * (size_t)n;
}

/* Takes work [3*n] for v, y and falling, and uses scratch [2*n]. False when there is too little to
 * fit. */
static bool take_samples(const rs_sweep *s, const double *y, const uint8_t *skip, bool scaled,
                         double *work, double *scratch, samples *d)
{
    memset(d, 0, sizeof *d);
    d->v = work;
    d->y = work + s->n;
    d->falling = (uint8_t *)(work + 2 * s->n);
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < s->n; i++) {
        if ((skip && skip[i]) || !isfinite(y[i])) continue;
        d->v[d->n] = s->v[i];
        d->y[d->n] = y[i];
        d->falling[d->n++] = s->falling[i];
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
    }
    if (d->n < 12 || !(high > low)) return false;
    d->mid = scaled ? (low + high) / 2 : 0;
    d->height = scaled ? high - low : 1;
    for (int i = 0; i < d->n; i++) d->y[i] = (d->y[i] - d->mid) / d->height;
    d->v_min = s->v_min;
    d->v_max = s->v_max;
    d->step = s->step;

    double bottom, top;
    rs_loop_saturation(s, y, skip, 0.15, &top, &bottom);
    if (!isfinite(bottom) || !isfinite(top) || bottom == top) {
        bottom = low;
        top = high;
    }
    for (int descending = 0; descending < 2; descending++) {
        int k = rs_sweep_branch(s, y, skip, descending, scratch, scratch + s->n);
        for (int q = 0; q < 3; q++)
            d->at[descending][q] =
                rs_branch_crossing(scratch, scratch + s->n, k,
                                   bottom + (q + 1) * (top - bottom) / 4, top > bottom ? 1 : -1);
    }
    d->bottom = (bottom - d->mid) / d->height;
    d->top = (top - d->mid) / d->height;
    return true;
}

/* -------------------------------------------------------------------- nine-parameter function */
static void nine_residuals(void *ctx, const double *p, double *r, double *jac)
{
    const samples *d = ctx;
    for (int i = 0; i < d->n; i++) {
        int at = d->falling[i] ? RS_A2 : RS_A3, left = d->falling[i] ? RS_B0 : RS_B2;
        double x = d->v[i] - p[at], bl = p[left], br = p[left + 1], sum = bl + br;
        int side = x < 0 ? left : left + 1;
        double b = p[side], u = x / b, e = erf(u), g = TWO_OVER_ROOT_PI * exp(-u * u);
        double y = (b * e + bl) / sum, *row = jac + (size_t)i * RS_LOOP_PARAMS;
        r[i] = p[RS_A0] + p[RS_A1] * y + p[RS_A4] * d->v[i] - d->y[i];
        memset(row, 0, RS_LOOP_PARAMS * sizeof *row);
        row[RS_A0] = 1;
        row[RS_A1] = y;
        row[RS_A4] = d->v[i];
        row[at] = -p[RS_A1] * g / sum;
        /* y depends on both widths through their sum, on the left one through the constant, and on
         * this side's through b erf(x/b). */
        row[left] = p[RS_A1] * (1 - y) / sum;
        row[left + 1] = -p[RS_A1] * y / sum;
        row[side] += p[RS_A1] * (e - u * g) / sum;
    }
}

static void nine_bounds(const samples *d, rs_loop_bounds kind, double *lo, double *hi)
{
    static const double bglib_lo[] = {-1e3, -1e3, -1e3, -1e3, -0.1, 1e-3, 1e-3, 1e-3, 1e-3};
    static const double bglib_hi[] = {1e3, 1e3, 1e3, 1e3, 0.1, 100, 100, 100, 100};
    double span = d->v_max - d->v_min;
    if (kind == RS_BOUNDS_BGLIB) {
        memcpy(lo, bglib_lo, sizeof bglib_lo);
        memcpy(hi, bglib_hi, sizeof bglib_hi);
        return;
    }
    double l[] = {-3, -4, d->v_min, d->v_min, -2 / span};
    double h[] = {3, 4, d->v_max, d->v_max, 2 / span};
    memcpy(lo, l, sizeof l);
    memcpy(hi, h, sizeof h);
    for (int k = RS_B0; k <= RS_B3; k++) {
        /* Steeper than a step cannot be seen, wider than the range is not a switching. */
        lo[k] = d->step / 20;
        hi[k] = span;
    }
}

/* width > 0: that one everywhere; else from the quarters of each branch, where erf(0.4769) = 1/2.
 */
static void nine_start(const samples *d, double width, double *p)
{
    const double usual[2] = {d->v_max / 2, d->v_min / 2};
    p[RS_A0] = d->bottom;
    p[RS_A1] = d->top - d->bottom;
    p[RS_A4] = 0;
    for (int k = 0; k < 2; k++) {
        const double *at = d->at[k];
        int left = k ? RS_B0 : RS_B2;
        p[k ? RS_A2 : RS_A3] = isfinite(at[1]) ? at[1] : usual[k];
        p[left] = (at[1] - at[0]) / 0.4769;
        p[left + 1] = (at[2] - at[1]) / 0.4769;
        for (int j = left; j <= left + 1; j++) {
            if (!(p[j] > d->step / 2)) p[j] = d->step / 2; /* NaN too */
            if (width > 0) p[j] = width;
        }
    }
}

static double total_squares(const samples *d)
{
    double mean = 0, sum = 0;
    for (int i = 0; i < d->n; i++) mean += d->y[i];
    mean /= d->n;
    for (int i = 0; i < d->n; i++) sum += (d->y[i] - mean) * (d->y[i] - mean);
    return sum;
}

static double line_squares(const samples *d)
{
    double mv = 0, my = 0, vv = 0, vy = 0, yy = 0;
    for (int i = 0; i < d->n; i++) {
        mv += d->v[i];
        my += d->y[i];
    }
    mv /= d->n;
    my /= d->n;
    for (int i = 0; i < d->n; i++) {
        double v = d->v[i] - mv, y = d->y[i] - my;
        vv += v * v;
        vy += v * y;
        yy += y * y;
    }
    return vv > 0 ? fmax(0, yy - vy * vy / vv) : yy;
}

static void criteria(double rss, double tss, int n, int k, double *aic, double *bic)
{
    /* Noise-free data would make the likelihood infinite. */
    double l = n * log(fmax(rss, 1e-28 * tss) / n);
    *aic = l + 2 * k + 2.0 * k * (k + 1) / (n - k - 1);
    *bic = l + k * log(n);
}

void rs_loop_fit_run(const rs_sweep *s, const double *y, const uint8_t *skip, rs_loop_bounds bounds,
                     double *work, rs_loop_fit *out)
{
    static const rs_blm_options options = {.iterations = 100, .ftol = 1e-9, .xtol = 1e-8};
    samples d;
    double lo[RS_LOOP_PARAMS], hi[RS_LOOP_PARAMS], best = INFINITY;
    double p[RS_LOOP_PARAMS], cov[RS_LOOP_PARAMS * RS_LOOP_PARAMS];
    rs_blm_result result;
    double *solver = work + 3 * s->n;

    memset(out, 0, sizeof *out);
    for (int k = 0; k < RS_LOOP_PARAMS; k++) out->p[k] = out->se[k] = NAN;
    out->rms = out->r2 = out->rss_loop = out->rss_line = NAN;
    out->aic_loop = out->aic_line = out->bic_loop = out->bic_line = NAN;
    if (!take_samples(s, y, skip, bounds == RS_BOUNDS_SCALED, work, solver, &d)) return;

    double tss = total_squares(&d), line = line_squares(&d), h = d.height;
    double starts[] = {0, d.step / 2, (d.v_max - d.v_min) / 6};
    nine_bounds(&d, bounds, lo, hi);
    for (int k = 0; k < 3 && !(best <= 0.1 * tss); k++) {
        nine_start(&d, starts[k], p);
        rs_blm_solve(nine_residuals, &d, RS_LOOP_PARAMS, d.n, lo, hi, &options, solver, p, cov,
                     &result);
        out->iterations += result.iterations;
        if (result.stop == RS_BLM_BAD_RESIDUAL || !(result.sum < best)) continue;
        best = result.sum;
        out->at_bound = result.at_bound;
        memcpy(out->p, p, sizeof p);
        for (int j = 0; j < RS_LOOP_PARAMS; j++) out->se[j] = sqrt(cov[j * RS_LOOP_PARAMS + j]);
    }
    if (!isfinite(best)) return;
    out->ok = true;
    out->n = d.n;
    out->p[RS_A0] = d.mid + h * out->p[RS_A0];
    for (int k = 0; k < 3; k++) {
        static const int vertical[] = {RS_A0, RS_A1, RS_A4};
        if (k > 0) out->p[vertical[k]] *= h;
        out->se[vertical[k]] *= h;
    }
    out->rss_loop = best * h * h;
    out->rss_line = line * h * h;
    out->rms = sqrt(out->rss_loop / d.n);
    out->r2 = 1 - best / tss;
    criteria(best, tss, d.n, RS_LOOP_PARAMS + 1, &out->aic_loop, &out->bic_loop);
    criteria(line, tss, d.n, 3, &out->aic_line, &out->bic_line);
    /* The criteria of data in its own unit: the scale adds the same to both. */
    double unit = 2 * d.n * log(h);
    out->aic_loop += unit;
    out->aic_line += unit;
    out->bic_loop += unit;
    out->bic_line += unit;
}

/* --------------------------------------------------------------------------- PySSPFM's branches */
typedef struct branch_problem {
    samples d;
    rs_branch_options o;
    /* Which of the parameters are free, and where each model parameter comes from. */
    int n_free, source[RS_SIG_PARAMS];
} branch_problem;

/* Transition t(u) (from -1/2 to 1/2 for the sigmoid) and its derivative. */
static double sigmoid(rs_branch_model model, double u, double *slope)
{
    if (model == RS_MODEL_ARCTAN) {
        *slope = 1 / (1 + u * u);
        return atan(u);
    }
    double s = 1 / (1 + exp(-u));
    *slope = s * (1 - s);
    return s - 0.5;
}

static void branch_residuals(void *ctx, const double *q, double *r, double *jac)
{
    const branch_problem *b = ctx;
    const samples *d = &b->d;
    for (int i = 0; i < d->n; i++) {
        int coef = d->falling[i] ? RS_SIG_COEF_L : RS_SIG_COEF_R;
        int x0 = d->falling[i] ? RS_SIG_X0_L : RS_SIG_X0_R;
        double full[RS_SIG_PARAMS] = {0}, slope;
        double c = q[b->source[coef]], x = d->v[i] - q[b->source[x0]];
        double t = sigmoid(b->o.model, c * x, &slope), a = q[b->source[RS_SIG_AMPLI]];
        double line = b->o.slope ? q[b->source[RS_SIG_SLOPE]] * d->v[i] : 0;
        r[i] = q[b->source[RS_SIG_OFFSET]] + line + a * t - d->y[i];
        full[RS_SIG_OFFSET] = 1;
        full[RS_SIG_SLOPE] = d->v[i];
        full[RS_SIG_AMPLI] = t;
        full[coef] = a * slope * x;
        full[x0] = -a * slope * c;
        double *row = jac + (size_t)i * (size_t)b->n_free;
        memset(row, 0, (size_t)b->n_free * sizeof *row);
        for (int k = 0; k < RS_SIG_PARAMS; k++)
            if (b->source[k] >= 0) row[b->source[k]] += full[k];
    }
}

static double branch_at(const rs_branch_fit *f, rs_branch_model model, int side, double v)
{
    double slope, u = f->p[RS_SIG_COEF_R + side] * (v - f->p[RS_SIG_X0_R + side]);
    return f->p[RS_SIG_OFFSET] + f->p[RS_SIG_SLOPE] * v +
           f->p[RS_SIG_AMPLI] * sigmoid(model, u, &slope);
}

/* Where a branch passes zero, by bisection over the measured range; NaN when it has one sign. */
static double branch_root(const rs_branch_fit *f, rs_branch_model model, int side, double lo,
                          double hi)
{
    double at_lo = branch_at(f, model, side, lo);
    if ((at_lo < 0) == (branch_at(f, model, side, hi) < 0)) return NAN;
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2;
        if ((branch_at(f, model, side, mid) < 0) == (at_lo < 0))
            lo = mid;
        else
            hi = mid;
    }
    return (lo + hi) / 2;
}

static void branch_properties(const branch_problem *b, rs_branch_fit *f)
{
    bool arctan = b->o.model == RS_MODEL_ARCTAN;
    /* In units of 1/coef: the slope falls to a tenth of its largest, and the value reaches 0.45 of
     * ampli (for the arctangent, whose full height is pi times ampli, that is not saturation, but
     * it is PySSPFM's definition). */
    double tenth = arctan ? 3 : 2 * log((1 + sqrt(0.9)) / sqrt(0.1));
    double ninety = arctan ? tan(0.45) : log(19);
    for (int side = 0; side < 2; side++) {
        double x0 = f->p[RS_SIG_X0_R + side], c = f->p[RS_SIG_COEF_R + side];
        int outward = side == 0 ? 1 : -1;
        f->inflection[side] = x0 - outward * tenth / c;
        f->saturation[side] = x0 + outward * ninety / c;
        f->crossing[side] = branch_root(f, b->o.model, side, b->d.v_min, b->d.v_max);
    }
    double mean_r2 = 0;
    for (int side = 0; side < 2; side++) {
        double mean = 0, rss = 0, tss = 0;
        int k = 0;
        for (int i = 0; i < b->d.n; i++)
            if (b->d.falling[i] == side) mean += b->d.y[i], k++;
        mean /= k;
        for (int i = 0; i < b->d.n; i++) {
            if (b->d.falling[i] != side) continue;
            double m = (branch_at(f, b->o.model, side, b->d.v[i]) - b->d.mid) / b->d.height;
            rss += (b->d.y[i] - m) * (b->d.y[i] - m);
            tss += (b->d.y[i] - mean) * (b->d.y[i] - mean);
        }
        mean_r2 += (1 - rss / tss) / 2;
    }
    f->r2 = mean_r2;
}

void rs_branch_fit_run(const rs_sweep *s, const double *y, const uint8_t *skip,
                       const rs_branch_options *options, double *work, rs_branch_fit *out)
{
    static const rs_blm_options limits = {.iterations = 200, .ftol = 1e-10, .xtol = 1e-9};
    branch_problem b = {.o = *options};
    double *solver = work + 3 * s->n;
    *out = (rs_branch_fit){.ok = false};
    for (int k = 0; k < RS_SIG_PARAMS; k++) out->p[k] = NAN;
    for (int side = 0; side < 2; side++)
        out->inflection[side] = out->saturation[side] = out->crossing[side] = NAN;
    out->r2 = NAN;
    if (options->model == RS_MODEL_NONE || !take_samples(s, y, skip, true, work, solver, &b.d))
        return;

    double span = b.d.v_max - b.d.v_min, full = b.o.model == RS_MODEL_ARCTAN ? RS_PI : 1;
    double start[RS_SIG_PARAMS] = {(b.d.top + b.d.bottom) / 2, 0, (b.d.top - b.d.bottom) / full};
    double lo[RS_SIG_PARAMS] = {-3, -2 / span, -4, 0.01 / span, 0.01 / span, b.d.v_min, b.d.v_min};
    double hi[RS_SIG_PARAMS] = {3, 2 / span, 4, 40 / b.d.step, 40 / b.d.step, b.d.v_max, b.d.v_max};
    for (int side = 0; side < 2; side++) {
        const double *at = b.d.at[side];
        /* From a quarter to three quarters: 2 ln 3 of the sigmoid, 2 of the arctangent. */
        double width = at[2] - at[0], unit = b.o.model == RS_MODEL_ARCTAN ? 2 : 2 * log(3);
        if (!(width > b.d.step / 2)) width = b.d.step / 2;
        start[RS_SIG_COEF_R + side] = unit / width;
        start[RS_SIG_X0_R + side] = isfinite(at[1]) ? at[1] : (side ? b.d.v_min : b.d.v_max) / 2;
    }
    double q[RS_SIG_PARAMS], ql[RS_SIG_PARAMS], qh[RS_SIG_PARAMS];
    for (int k = 0; k < RS_SIG_PARAMS; k++) {
        b.source[k] = -1;
        if (k == RS_SIG_SLOPE && !b.o.slope) continue;
        if (k == RS_SIG_COEF_L && !b.o.asymmetric) {
            b.source[k] = b.source[RS_SIG_COEF_R];
            q[b.source[k]] = sqrt(start[RS_SIG_COEF_R] * start[RS_SIG_COEF_L]);
            continue;
        }
        b.source[k] = b.n_free++;
        q[b.source[k]] = start[k];
        ql[b.source[k]] = lo[k];
        qh[b.source[k]] = hi[k];
    }
    rs_blm_result result;
    rs_blm_solve(branch_residuals, &b, b.n_free, b.d.n, ql, qh, &limits, solver, q, NULL, &result);
    if (result.stop == RS_BLM_BAD_RESIDUAL) return;
    for (int k = 0; k < RS_SIG_PARAMS; k++) out->p[k] = b.source[k] < 0 ? 0 : q[b.source[k]];
    out->p[RS_SIG_OFFSET] = b.d.mid + b.d.height * out->p[RS_SIG_OFFSET];
    out->p[RS_SIG_SLOPE] *= b.d.height;
    out->p[RS_SIG_AMPLI] *= b.d.height;
    out->ok = true;
    branch_properties(&b, out);
}

/* -------------------------------------------------------------------------------- BGlib's guess */
static double cross(const double *v, const double *y, int o, int a, int b)
{
    return (v[a] - v[o]) * (y[b] - y[o]) - (y[a] - y[o]) * (v[b] - v[o]);
}

void rs_loop_guess_bglib(const double *v, const double *y, int n, double *work,
                         double p[RS_LOOP_PARAMS])
{
    /* Convex hull by Andrew's monotone chain: samples in order of (v, y), then both chains. */
    int *order = (int *)work, *hull = order + n, k = 0;
    for (int i = 0; i < n; i++) {
        int j = i;
        for (; j > 0; j--) {
            int o = order[j - 1];
            if (v[o] < v[i] || (v[o] == v[i] && y[o] <= y[i])) break;
            order[j] = o;
        }
        order[j] = i;
    }
    for (int i = 0; i < n; i++) {
        while (k >= 2 && cross(v, y, hull[k - 2], hull[k - 1], order[i]) <= 0) k--;
        hull[k++] = order[i];
    }
    for (int i = n - 2, floor = k + 1; i >= 0; i--) {
        while (k >= floor && cross(v, y, hull[k - 2], hull[k - 1], order[i]) <= 0) k--;
        hull[k++] = order[i];
    }
    double cv, cy, y_lo = INFINITY, y_hi = -INFINITY, v_lo = INFINITY, v_hi = -INFINITY;
    double v_min = INFINITY, v_max = -INFINITY, y_min = INFINITY, y_max = -INFINITY;
    rs_loop_area_open(v, y, n, &cv, &cy);
    for (int i = 0; i + 1 < k; i++) {
        int a = hull[i], b = hull[i + 1];
        if ((v[a] > cv) != (v[b] > cv)) {
            double at = y[a] + (cv - v[a]) / (v[b] - v[a]) * (y[b] - y[a]);
            y_lo = fmin(y_lo, at);
            y_hi = fmax(y_hi, at);
        }
        if ((y[a] > cy) != (y[b] > cy)) {
            double at = v[a] + (cy - y[a]) / (y[b] - y[a]) * (v[b] - v[a]);
            v_lo = fmin(v_lo, at);
            v_hi = fmax(v_hi, at);
        }
    }
    for (int i = 0; i < n; i++) {
        v_min = fmin(v_min, v[i]);
        v_max = fmax(v_max, v[i]);
        y_min = fmin(y_min, y[i]);
        y_max = fmax(y_max, y[i]);
    }
    bool y_cut = y_hi > y_lo, v_cut = v_hi > v_lo;
    p[RS_A0] = y_cut ? y_lo : y_min;
    p[RS_A1] = (y_cut ? y_hi : y_max) - p[RS_A0];
    p[RS_A2] = v_cut ? v_lo : v_min / 2;
    p[RS_A3] = v_cut ? v_hi : v_max / 2;
    p[RS_A4] = 0;
    for (int j = RS_B0; j <= RS_B3; j++) p[j] = 2;
}
