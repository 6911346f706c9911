#include "beps/metrics.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"
#include "base/statistics.h"
#include "beps/electrostatic.h"
#include "beps/phase.h"

void rs_metric_defaults(rs_metric_options *o)
{
    *o = (rs_metric_options){.sat_fraction = 0.15,
                             .nucleation = 0.03,
                             .onset_slope = 0.1,
                             .fit = true,
                             .bounds = RS_BOUNDS_SCALED};
}

reshed_status rs_metric_options_check(const rs_metric_options *o, reshed_error *err)
{
    if (!(o->sat_fraction > 0 && o->sat_fraction <= 0.5))
        return rs_fail(err, RESHED_EINVAL, "saturated part of the voltage range|0 to 0.5|%g",
                       o->sat_fraction);
    if (!(o->nucleation > 0 && o->nucleation < 0.5))
        return rs_fail(err, RESHED_EINVAL, "nucleation threshold|0 to 0.5|%g", o->nucleation);
    if (!(o->onset_slope > 0 && o->onset_slope < 1))
        return rs_fail(err, RESHED_EINVAL, "slope threshold|0 to 1|%g", o->onset_slope);
    return RESHED_OK;
}

size_t rs_metric_work(int n)
{
    return rs_loop_fit_work(n) + 8 * (size_t)n;
}

/* One loop on its way through the computation. */
typedef struct loop_view {
    const rs_sweep *s;
    const double *y;
    const uint8_t *skip;
    const rs_metric_options *o;
    rs_loop_half asc, desc;  /* without skipped samples */
    double noise;            /* of a sample */
    double *curve, *scratch; /* [n], [3n] */
} loop_view;

/* --------------------------------------------------------------------- measured on the branches */
/* Returns whether the samples [from, to) are on their side of the level beyond what noise does: the
 * median of k samples has 1.25/sqrt(k) of their noise. */
static bool stands_off(const loop_view *w, const rs_loop_half *b, int from, int to, double level,
                       int side)
{
    const size_t k = (size_t)(to - from);
    double off = side * (rs_median(b->y + from, k, w->scratch) - level);
    return off > 3 * 1.25 * w->noise / sqrt((double)k);
}

/* Returns the voltage at which a branch passes the level; NaN where it only shakes about it, as a
 * branch that does not switch does at the middle of its noise. */
static double crossing(const loop_view *w, const rs_loop_half *b, double level, int up)
{
    const double at = rs_branch_crossing(b, level, up);
    int k = 0;
    while (k < b->n && b->v[k] <= at) k++;
    if (isnan(at) || !stands_off(w, b, 0, k, level, -up) || !stands_off(w, b, k, b->n, level, up))
        return NAN;
    return at;
}

static void crossings(const loop_view *w, double *out)
{
    double low = INFINITY, high = -INFINITY, top, bottom;
    for (int i = 0; i < w->asc.n; i++) {
        low = fmin(low, w->asc.y[i]);
        high = fmax(high, w->asc.y[i]);
    }
    for (int i = 0; i < w->desc.n; i++) {
        low = fmin(low, w->desc.y[i]);
        high = fmax(high, w->desc.y[i]);
    }
    rs_loop_saturation(w->s, w->y, w->skip, w->o->sat_fraction, &top, &bottom);
    /* An inverted loop (the response falls as the voltage rises) is crossed downwards. */
    int up = top < bottom ? -1 : 1;
    double mid = (low + high) / 2;
    out[RS_M_LEVEL_MID] = mid;
    out[RS_M_V_PLUS_MID] = crossing(w, &w->asc, mid, up);
    out[RS_M_V_MINUS_MID] = crossing(w, &w->desc, mid, up);
    out[RS_M_WIDTH_MID] = out[RS_M_V_PLUS_MID] - out[RS_M_V_MINUS_MID];
    out[RS_M_COERCIVE_MID] = out[RS_M_WIDTH_MID] / 2;
    out[RS_M_IMPRINT_MID] = (out[RS_M_V_PLUS_MID] + out[RS_M_V_MINUS_MID]) / 2;
    out[RS_M_V_PLUS_ZERO] = crossing(w, &w->asc, 0, up);
    out[RS_M_V_MINUS_ZERO] = crossing(w, &w->desc, 0, up);
    out[RS_M_WIDTH_ZERO] = out[RS_M_V_PLUS_ZERO] - out[RS_M_V_MINUS_ZERO];
    out[RS_M_COERCIVE_ZERO] = out[RS_M_WIDTH_ZERO] / 2;
    out[RS_M_IMPRINT_ZERO] = (out[RS_M_V_PLUS_ZERO] + out[RS_M_V_MINUS_ZERO]) / 2;
    out[RS_M_R_PLUS_SAT] = top;
    out[RS_M_R_MINUS_SAT] = bottom;
    out[RS_M_SWITCHABLE] = top - bottom;
    out[RS_M_VERTICAL_SHIFT] = (top + bottom) / (top - bottom);
    out[RS_M_WORK] = fabs(out[RS_M_WIDTH_MID] * out[RS_M_SWITCHABLE]);
}

static void openings(const loop_view *w, double *out)
{
    double at = out[RS_M_IMPRINT_MID];
    out[RS_M_R_PLUS_0] = rs_branch_value(&w->desc, 0);
    out[RS_M_R_MINUS_0] = rs_branch_value(&w->asc, 0);
    out[RS_M_OPENING_0] = out[RS_M_R_PLUS_0] - out[RS_M_R_MINUS_0];
    out[RS_M_OPENING_IMPRINT] = rs_branch_value(&w->desc, at) - rs_branch_value(&w->asc, at);
    out[RS_M_SQUARENESS] = out[RS_M_OPENING_0] / out[RS_M_SWITCHABLE];
}

static bool usable(const loop_view *w, int i)
{
    return !(w->skip && w->skip[i]) && isfinite(w->y[i]);
}

/* Area, centroid and the area's noise, on the polygon of the samples that count. */
static void polygon(const loop_view *w, double *out)
{
    double *v = w->scratch, *y = v + w->s->n, a = 0, cv = 0, cy = 0, spread = 0;
    int n = 0;
    for (int i = 0; i < w->s->n; i++) {
        if (!usable(w, i)) continue;
        v[n] = w->s->v[i];
        y[n++] = w->y[i];
    }
    for (int i = 0; i < n; i++) {
        int j = (i + 1) % n, h = (i + n - 1) % n;
        double c = v[i] * y[j] - v[j] * y[i], weight = (v[j] - v[h]) / 2;
        a += c;
        cv += (v[i] + v[j]) * c;
        cy += (y[i] + y[j]) * c;
        spread += weight * weight;
    }
    a /= 2;
    out[RS_M_AREA] = fabs(a);
    out[RS_M_AREA_SIGNED] = a;
    out[RS_M_AREA_OPEN] = fabs(rs_loop_area_open(v, y, n, NULL, NULL));
    out[RS_M_CENTROID_V] = cv / (6 * a);
    out[RS_M_CENTROID_R] = cy / (6 * a);
    out[RS_M_AREA_SNR] = fabs(a) / (w->noise * sqrt(spread));
}

/* -------------------------------------------------------------------------------- from the fits */
/* Polygon area of the residuals of the samples that are on their way between the levels. */
static double switching_residual(const loop_view *w, const double *p)
{
    for (int i = 0; i < w->s->n; i++) {
        double line = p[RS_A0] + p[RS_A4] * w->s->v[i];
        double model = rs_loop_branch(p, w->s->falling[i], w->s->v[i]);
        double part = (model - line) / p[RS_A1];
        w->curve[i] = part > 0.01 && part < 0.99 ? w->y[i] - model : 0;
    }
    return rs_loop_area(w->s, w->curve, w->skip);
}

/* Returns whether the fitted branch makes half of its transition between the samples that were
 * measured on it, and not across its gap. */
static bool makes_transition(const loop_view *w, const double *unit, bool descending)
{
    const rs_loop_half *b = descending ? &w->desc : &w->asc;
    double lo = INFINITY, hi = -INFINITY;
    for (int i = 0; i < w->s->n; i++) {
        if (!usable(w, i) || w->s->falling[i] != descending) continue;
        lo = fmin(lo, w->s->v[i]);
        hi = fmax(hi, w->s->v[i]);
    }
    if (!(rs_loop_branch(unit, descending, hi) - rs_loop_branch(unit, descending, lo) >= 0.5))
        return false;
    return !b->gap || rs_loop_branch(unit, descending, b->v[b->gap]) -
                              rs_loop_branch(unit, descending, b->v[b->gap - 1]) <
                          0.5;
}

/* A voltage of a transition that was made; NaN where it was not, or the voltage was not applied. */
static double made(const loop_view *w, bool there, double v)
{
    return there && v >= w->s->v_min && v <= w->s->v_max ? v : NAN;
}

static void from_fit(const loop_view *w, const rs_loop_fit *f, double *out)
{
    const double *p = f->p, onset = w->o->nucleation;
    double unit[RS_LOOP_PARAMS];
    memcpy(unit, p, sizeof unit);
    unit[RS_A0] = unit[RS_A4] = 0;
    unit[RS_A1] = 1;
    const bool up = makes_transition(w, unit, false), down = makes_transition(w, unit, true);
    for (int k = 0; k < RS_LOOP_PARAMS; k++) out[RS_M_FIT_A0 + k] = p[k];
    out[RS_M_FIT_V_PLUS] = made(w, up, rs_loop_crossing(p, false, 0.5));
    out[RS_M_FIT_V_MINUS] = made(w, down, rs_loop_crossing(p, true, 0.5));
    out[RS_M_FIT_WIDTH] = out[RS_M_FIT_V_PLUS] - out[RS_M_FIT_V_MINUS];
    out[RS_M_FIT_COERCIVE] = out[RS_M_FIT_WIDTH] / 2;
    out[RS_M_FIT_IMPRINT] = (out[RS_M_FIT_V_PLUS] + out[RS_M_FIT_V_MINUS]) / 2;
    double area = rs_loop_function_area(p, w->s->v_min, w->s->v_max);
    out[RS_M_FIT_AREA] = fabs(area);
    out[RS_M_AREA_REFINED] = fabs(area + switching_residual(w, p));
    out[RS_M_FIT_R_PLUS] = p[RS_A0] + p[RS_A1];
    out[RS_M_FIT_R_MINUS] = p[RS_A0];
    out[RS_M_FIT_SWITCHABLE] = p[RS_A1];
    out[RS_M_FIT_WORK] = fabs(out[RS_M_FIT_WIDTH] * p[RS_A1]);
    out[RS_M_FIT_SLOPE] = p[RS_A4];
    out[RS_M_NUCLEATION_POS] = made(w, up, rs_loop_crossing(p, false, onset));
    out[RS_M_NUCLEATION_NEG] = made(w, down, rs_loop_crossing(p, true, 1 - onset));
    double steep = sqrt(-log(w->o->onset_slope)); /* the slope is exp(-(x/b)^2) of the steepest */
    out[RS_M_NUCLEATION_POS_SLOPE] = made(w, up, p[RS_A3] - p[RS_B2] * steep);
    out[RS_M_NUCLEATION_NEG_SLOPE] = made(w, down, p[RS_A2] + p[RS_B1] * steep);
    /* At the end itself both branches meet whether they are saturated or not. */
    out[RS_M_SATURATED_POS] = rs_loop_branch(unit, false, w->s->v_max - w->s->step);
    out[RS_M_SATURATED_NEG] = 1 - rs_loop_branch(unit, true, w->s->v_min + w->s->step);
    out[RS_M_FIT_R2] = f->r2;
    out[RS_M_FIT_RMS] = f->rms;
    out[RS_M_DELTA_AIC] = f->aic_line - f->aic_loop;
    out[RS_M_DELTA_BIC] = f->bic_line - f->bic_loop;
}

static void from_branches(const rs_branch_fit *f, double *out)
{
    const double *p = f->p;
    double r = p[RS_SIG_X0_R], l = p[RS_SIG_X0_L];
    out[RS_M_SSPFM_X0_R] = r;
    out[RS_M_SSPFM_X0_L] = l;
    out[RS_M_SSPFM_X0_WID] = fabs(r - l);
    out[RS_M_SSPFM_X_SHIFT] = (r + l) / 2;
    out[RS_M_SSPFM_X_INTER_R] = f->crossing[0];
    out[RS_M_SSPFM_X_INTER_L] = f->crossing[1];
    out[RS_M_SSPFM_X_WDW] = fabs(f->crossing[0] - f->crossing[1]);
    out[RS_M_SSPFM_INFL_R] = f->inflection[0];
    out[RS_M_SSPFM_INFL_L] = f->inflection[1];
    out[RS_M_SSPFM_SAT_R] = f->saturation[0];
    out[RS_M_SSPFM_SAT_L] = f->saturation[1];
    out[RS_M_SSPFM_AMPLI] = p[RS_SIG_AMPLI];
    out[RS_M_SSPFM_OFFSET] = p[RS_SIG_OFFSET];
    out[RS_M_SSPFM_SLOPE] = p[RS_SIG_SLOPE];
    out[RS_M_SSPFM_COEF_R] = p[RS_SIG_COEF_R];
    out[RS_M_SSPFM_COEF_L] = p[RS_SIG_COEF_L];
    out[RS_M_SSPFM_DIFF_COEF] = fabs(p[RS_SIG_COEF_R] - p[RS_SIG_COEF_L]) / p[RS_SIG_COEF_R];
    out[RS_M_SSPFM_AREA] = fabs(p[RS_SIG_AMPLI] * (r - l));
    out[RS_M_SSPFM_R2] = f->r2;
}

/* ---------------------------------------------------------------------- other programs' numbers */
/* a when it is finite, else b when that is, else -1e-10: BGlib's choice. */
static double first_finite(double a, double b)
{
    return isfinite(a) ? a : isfinite(b) ? b : -1e-10;
}

/* BGlib's choice in the older function, in which a comparison with NaN is false. */
static double nearer(double a, double b, double to)
{
    double pick = fabs(a - to) <= fabs(b - to) ? a : b;
    return isinf(pick) ? 0 : pick;
}

static double onset(double b, double left, double right, double threshold)
{
    return b * rs_erfinv((threshold * (left + right) - left) / b);
}

/* AIC and BIC by BGlib's likelihood: normal, the standard deviation about the mean residual. */
static void bglib_criteria(const double *residual, int n, int parameters, double *aic, double *bic)
{
    double mean = 0, var = 0, sum = 0;
    for (int i = 0; i < n; i++) mean += residual[i];
    mean /= n;
    for (int i = 0; i < n; i++) {
        var += (residual[i] - mean) * (residual[i] - mean) / n;
        sum += residual[i] * residual[i];
    }
    double l = -n / 2.0 * log(2 * RS_PI * var) - sum / (2 * var);
    *aic = 2 * parameters - 2 * l;
    *bic = parameters * log(n) - 2 * l;
}

static void bglib(const loop_view *w, const rs_loop_fit *f, double *out)
{
    const rs_sweep *s = w->s;
    int n = s->n;
    out[RS_M_BGLIB_AREA] =
        rs_loop_area_open(s->v, w->y, n, &out[RS_M_BGLIB_CENTROID_V], &out[RS_M_BGLIB_CENTROID_R]);
    if (!f->ok) return;
    const double *p = f->p, t = 0.03, old = 0.97;
    double cv = out[RS_M_BGLIB_CENTROID_V];
    out[RS_M_BGLIB_V_PLUS] = p[RS_A3];
    out[RS_M_BGLIB_V_MINUS] = p[RS_A2];
    out[RS_M_BGLIB_IMPRINT] = (p[RS_A2] + p[RS_A3]) / 2;
    out[RS_M_BGLIB_R_PLUS] = p[RS_A0] + p[RS_A1];
    out[RS_M_BGLIB_R_MINUS] = p[RS_A0];
    out[RS_M_BGLIB_SWITCHABLE] = p[RS_A1];
    out[RS_M_BGLIB_WORK] = fabs(p[RS_A3] - p[RS_A2]) * fabs(p[RS_A1]);
    const double *b = p + RS_B0;
    out[RS_M_BGLIB_NUCLEATION_1] =
        first_finite(onset(b[2], b[2], b[3], t) + p[RS_A3], onset(b[3], b[2], b[3], t) + p[RS_A3]);
    out[RS_M_BGLIB_NUCLEATION_2] = first_finite(onset(b[0], b[0], b[1], 1 - t) + p[RS_A2],
                                                onset(b[1], b[0], b[1], 1 - t) + p[RS_A2]);
    out[RS_M_BGLIB_NUCLEATION_1_OLD] = nearer(onset(b[2], b[2], b[3], old) - fabs(p[RS_A2]),
                                              onset(b[3], b[2], b[3], old) - fabs(p[RS_A2]), cv);
    out[RS_M_BGLIB_NUCLEATION_2_OLD] =
        nearer(onset(b[0], b[0], b[1], 1 - old) + fabs(p[RS_A3]),
               onset(b[1], b[0], b[1], 1 - old) + fabs(p[RS_A3]), cv);

    double mean = 0, rss = 0, tss = 0, mv = 0, vv = 0, vy = 0;
    for (int i = 0; i < n; i++) {
        mean += w->y[i] / n;
        mv += s->v[i] / n;
    }
    rs_loop_function(s, p, w->curve);
    for (int i = 0; i < n; i++) {
        double r = w->y[i] - w->curve[i];
        w->scratch[i] = r;
        rss += r * r;
        tss += (w->y[i] - mean) * (w->y[i] - mean);
        vv += (s->v[i] - mv) * (s->v[i] - mv);
        vy += (s->v[i] - mv) * (w->y[i] - mean);
    }
    out[RS_M_BGLIB_R2] = rss / tss;
    bglib_criteria(w->scratch, n, 8, &out[RS_M_BGLIB_AIC_LOOP], &out[RS_M_BGLIB_BIC_LOOP]);
    for (int i = 0; i < n; i++) w->scratch[i] = w->y[i] - mean - vy / vv * (s->v[i] - mv);
    bglib_criteria(w->scratch, n, 1, &out[RS_M_BGLIB_AIC_LINE], &out[RS_M_BGLIB_BIC_LINE]);
}

static double author_area(const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += i >= n / 4 && i < 3 * n / 4 ? y[i] : -y[i];
    return fabs(sum);
}

/* ----------------------------------------------------------------------------------- altogether */
void rs_metrics_compute(const rs_sweep *s, const double *y, const uint8_t *skip, bool closed,
                        const rs_metric_options *o, double *work, double *out, rs_loop_fit *fit)
{
    int n = s->n;
    double *fit_work = work + 8 * n;
    loop_view w = {.s = s, .y = y, .skip = skip, .o = o};
    w.asc = (rs_loop_half){.v = work, .y = work + n};
    w.desc = (rs_loop_half){.v = work + 2 * n, .y = work + 3 * n};
    w.curve = work + 4 * n;
    w.scratch = work + 5 * n;
    rs_sweep_branch(s, y, skip, false, closed, &w.asc);
    rs_sweep_branch(s, y, skip, true, closed, &w.desc);

    for (int m = 0; m < RS_METRIC_COUNT; m++) out[m] = NAN;
    rs_loop_fit f = {.ok = false};
    int skipped = 0;
    for (int i = 0; i < n; i++) skipped += !usable(&w, i);
    out[RS_M_SPIKES] = skipped;
    if (fit) *fit = f;
    if (w.asc.n < 4 || w.desc.n < 4) return;

    w.noise = rs_loop_noise(s, y, skip, w.scratch);
    crossings(&w, out);
    openings(&w, out);
    out[RS_M_NOISE] = w.noise;
    out[RS_M_SNR] = fabs(out[RS_M_SWITCHABLE]) / w.noise;
    polygon(&w, out);
    rs_electrostatic es;
    rs_electrostatic_saturation(s, y, skip, o->sat_fraction, &es);
    out[RS_M_ES_SLOPE] = es.slope;
    out[RS_M_ES_CPD] = es.cpd;
    out[RS_M_ES_R2] = es.r2;
    if (o->fit) {
        rs_loop_fit_run(s, y, skip, o->bounds, fit_work, &f);
        if (f.ok) from_fit(&w, &f, out);
    }
    if (o->branches.model != RS_MODEL_NONE) {
        rs_branch_fit b;
        rs_branch_fit_run(s, y, skip, &o->branches, fit_work, &b);
        if (b.ok) from_branches(&b, out);
    }
    bglib(&w, &f, out);
    out[RS_M_AUTHOR_AREA] = author_area(y, n);
    if (fit) *fit = f;
}
