/* The fit of the SHO to many spectra.
 *
 * Divided by the reference frequency (the middle of the band) the model is z/D with
 *
 *     D = u^2 - i c u - d,   d = w0^2,   c = w0/Q,   z = A w0^2 e^{i phi}
 *
 * and z enters linearly: for a given (d, c) the best z is known in closed form. Two of the four
 * parameters are eliminated in this way (variable projection; Golub and Pereyra, SIAM J. Numer.
 * Anal. 10 (1973) 413, with Kaufman's Gauss-Newton matrix, BIT 15 (1975) 49), and what is left is a
 * Levenberg-Marquardt iteration on two numbers, one pass over the bins each (sho_kernel.c), that
 * minimises sum |y - H|^2 over all real and imaginary parts. (d, c) is the better pair than (w0,
 * Q): D is linear in it, so the Gauss-Newton step is nearly the Newton step and 4 to 6 passes are
 * enough. The iteration begins at the best of a bank of resonances (sho_bank.c). d is kept as its
 * difference from 1, else the difference of squares near a sharp resonance would lose digits.
 *
 * Eight spectra are worked on at once, one per vector lane; the two-by-two algebra between the
 * passes is done lane by lane. A lane that has converged is not touched again, so what a spectrum
 * gives does not depend on its neighbours. */
#include "beps/sho_fit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/parallel.h"
#include "beps/sho_bank.h"
#include "beps/sho_errors.h"
#include "beps/sho_kernel.h"

#define LANES RS_SHO_LANES
#define FALSE_ALARM 1e-4 /* share of spectra of pure noise that may pass for a resonance */
#define ALL_LANES ((1u << LANES) - 1)

typedef struct scratch {
    double *y, *weight;
    float *y32;
} scratch;

struct rs_sho_plan {
    int bins, threads;
    double reference; /* Hz */
    double *u, *q;    /* [bins] */
    rs_sho_bank bank;
    rs_sho_options o;
    double d_min, d_max; /* range of w0 as d */
    scratch *worker;     /* [threads] */
    size_t bytes;
};

/* One lane's spectrum and its fit so far, in its scaled unit. */
typedef struct lane {
    int exponent;  /* the data are 2^exponent times the scaled ones */
    int used;      /* finite bins */
    double power;  /* sum |y|^2 */
    double spread; /* sum |y - mean|^2 */
    unsigned flags;
    /* The accepted point: squared error, best z, gradient and matrix of half the squared error. */
    double d, c, rss, zr, zi, gd, gc, mdd, mdc, mcc;
    rs_sho_moments moments;
    double damping;
    int passes;
    bool done, started;
} lane;

/* -------------------------------------------------------------------------------------- data in */
typedef struct source {
    const float *f32; /* one of the two is NULL */
    const double *f64;
    double sign; /* of the imaginary part: -1 conjugates */
} source;

/* Scales by a power of two, which leaves every digit as it is, so that the largest component lies
 * in [0.5, 1). */
static void load_lane(const rs_sho_plan *plan, source from, int64_t spectrum, int l, scratch *s,
                      lane *to)
{
    size_t at = (size_t)spectrum * 2 * (size_t)plan->bins;
    const float *f32 = from.f32 ? from.f32 + at : NULL;
    const double *f64 = from.f64 ? from.f64 + at : NULL;
    double largest = 0, sum_r = 0, sum_i = 0;
    int clipped = 0;
    *to = (lane){.damping = 1e-3};
    for (int k = 0; k < plan->bins; k++) {
        double yr = f32 ? (double)f32[2 * k] : f64[2 * k];
        double yi = from.sign * (f32 ? (double)f32[2 * k + 1] : f64[2 * k + 1]);
        double size = fmax(fabs(yr), fabs(yi));
        bool finite = isfinite(yr) && isfinite(yi);
        double *y = s->y + (size_t)k * 2 * LANES + l;
        y[0] = finite ? yr : 0;
        y[LANES] = finite ? yi : 0;
        s->weight[(size_t)k * LANES + l] = finite;
        to->used += finite;
        if (finite && size > largest) largest = size, clipped = 0;
        if (finite && size == largest) clipped += 1 + (fabs(yr) == fabs(yi));
    }
    if (largest > 0) frexp(largest, &to->exponent);
    if (to->exponent < -1000) to->exponent = -1000;
    double scale = ldexp(1, -to->exponent);
    for (int k = 0; k < plan->bins; k++) {
        double *y = s->y + (size_t)k * 2 * LANES + l;
        float *y32 = s->y32 + (size_t)k * 2 * LANES + l;
        y[0] *= scale, y[LANES] *= scale;
        y32[0] = (float)y[0], y32[LANES] = (float)y[LANES];
        sum_r += y[0], sum_i += y[LANES];
        to->power += y[0] * y[0] + y[LANES] * y[LANES];
    }
    if (to->used < plan->bins) to->flags |= RS_SHO_NAN_BINS;
    if (to->used < RS_SHO_MIN_BINS) {
        to->flags |= RS_SHO_FEW_BINS;
        return;
    }
    double mean_r = sum_r / to->used, mean_i = sum_i / to->used;
    for (int k = 0; k < plan->bins; k++) {
        const double *y = s->y + (size_t)k * 2 * LANES + l;
        double w = s->weight[(size_t)k * LANES + l], r = y[0] - mean_r, i = y[LANES] - mean_i;
        to->spread += w * (r * r + i * i);
    }
    if (to->spread <= 1e-28 * to->power)
        to->flags |= RS_SHO_FLAT;
    else if (clipped > 2)
        to->flags |= RS_SHO_SATURATED;
}

/* ------------------------------------------------------------------------------------ iteration */
/* The range of c for a given d: that of Q. */
static void c_range(const rs_sho_plan *plan, double d, double *lo, double *hi)
{
    double w0 = sqrt(1 + d);
    *lo = w0 / plan->o.q_max;
    *hi = w0 / plan->o.q_min;
}

/* Takes the trial's sums as the lane's new point. */
static void accept(lane *t, const rs_sho_sums *s, int l, double d, double c, double rss)
{
    double s1 = s->s1.v[l], zr = s->pr.v[l] / s1, zi = s->pi.v[l] / s1, zz = zr * zr + zi * zi;
    rs_sho_moments m = {s1,           s->s2r.v[l], s->s2i.v[l], s->s2wr.v[l],
                        s->s2wi.v[l], s->s4.v[l],  s->s4w.v[l]};
    t->d = d, t->c = c, t->rss = rss, t->zr = zr, t->zi = zi, t->moments = m;
    t->mdd = zz * (m.s4 - (m.s2r * m.s2r + m.s2i * m.s2i) / s1);
    t->mcc = zz * (m.s4w - (m.s2wr * m.s2wr + m.s2wi * m.s2wi) / s1);
    t->mdc = zz * (m.s2r * m.s2wi - m.s2i * m.s2wr) / s1;
    /* conj(z) sum conj(b^2) r, with r = y - z b */
    t->gd = zr * s->q1r.v[l] + zi * s->q1i.v[l] - zz * m.s2r;
    t->gc = zr * s->q2i.v[l] - zi * s->q2r.v[l] + zz * m.s2wi;
    t->started = true;
}

/* The next trial from the lane's point, inside the box; true when the step no longer matters. */
static bool next_trial(const rs_sho_plan *plan, const lane *t, double *d, double *c)
{
    double a = t->mdd * (1 + t->damping), b = t->mdc, e = t->mcc * (1 + t->damping);
    double det = a * e - b * b;
    double sd = (e * t->gd - b * t->gc) / det, sc = (a * t->gc - b * t->gd) / det;
    double lo, hi;
    if (!(det > 0)) sd = t->gd / a, sc = t->gc / e;
    /* A parameter that stands at its limit and wants out is held there, and the other moves alone;
     * with Q held, c follows the frequency. */
    c_range(plan, t->d, &lo, &hi);
    bool hold_d = (t->d <= plan->d_min && sd < 0) || (t->d >= plan->d_max && sd > 0);
    bool at_lo = t->c <= lo && sc < 0, at_hi = t->c >= hi && sc > 0;
    if (at_lo || at_hi) {
        double follow = 0.5 * t->c / (1 + t->d);
        sd = (t->gd + follow * t->gc) / (a + follow * (2 * b + follow * e));
        sc = 0;
    }
    if (hold_d) {
        sd = 0;
        if (!at_lo && !at_hi) sc = t->gc / e;
    }
    /* Far from the answer the quadratic model may ask for anything: a step stays within the
     * neighbourhood that the present linewidth can speak for. */
    sd = rs_clamp(sd, -2 * t->c, 2 * t->c);
    sc = rs_clamp(sc, -0.75 * t->c, 3 * t->c);
    *d = rs_clamp(t->d + sd, plan->d_min, plan->d_max);
    c_range(plan, *d, &lo, &hi);
    *c = at_lo ? lo : at_hi ? hi : rs_clamp(t->c + sc, lo, hi);
    sd = *d - t->d, sc = *c - t->c;
    /* A step of 1e-5 standard errors, or of rounding. */
    double gain = sd * sd * t->mdd + 2 * sd * sc * t->mdc + sc * sc * t->mcc;
    return !(gain > 1e-10 * fmax(t->rss, 0) / (2 * t->used - 4) + 1e-24 * t->power);
}

/* One lane's share of the iteration after a pass at (*d, *c). */
static void advance(const rs_sho_plan *plan, lane *t, const rs_sho_sums *s, int l, double *d,
                    double *c)
{
    double s1 = s->s1.v[l], pr = s->pr.v[l], pi = s->pi.v[l];
    double rss = t->power - (pr * pr + pi * pi) / s1;
    t->passes++;
    /* The difference of two sums carries their rounding. */
    if (!t->started || rss <= t->rss + 1e-14 * t->power) {
        accept(t, s, l, *d, *c, rss);
        t->damping *= 0.1;
    } else {
        t->damping = fmax(t->damping * 10, 1e-4);
    }
    if (next_trial(plan, t, d, c)) {
        t->done = true;
    } else if (t->passes >= plan->o.max_passes) {
        t->done = true;
        t->flags |= RS_SHO_UNCONVERGED;
    }
}

/* ---------------------------------------------------------------------------------- results out */
static unsigned judge(const rs_sho_plan *plan, const lane *t, double amplitude, double rss,
                      double lag)
{
    double lo, hi, free = 2 * t->used - 4;
    unsigned flags = 0;
    c_range(plan, t->d, &lo, &hi);
    if (t->d <= plan->d_min || t->d >= plan->d_max) flags |= RS_SHO_FREQUENCY_LIM;
    if (t->c <= lo || t->c >= hi) flags |= RS_SHO_Q_LIM;
    if (!(amplitude >= plan->o.a_min && amplitude <= plan->o.a_max)) flags |= RS_SHO_AMPLITUDE_LIM;
    /* The chance that noise alone gives the fit so much: the likelihood ratio at one place is
     * distributed as (power/rss)^(-free/2), and a spectrum has about 4n places for a resonance. */
    if (0.5 * free * log(t->power / rss) < log(4.0 * t->used / FALSE_ALARM)) flags |= RS_SHO_NOISE;
    if (!(1 - rss / t->spread >= plan->o.min_r2)) flags |= RS_SHO_POOR;
    /* The lag-one sum of white residuals has a standard deviation of rss/sqrt(2n); a residual of
     * rounding only is never white. */
    if (lag * sqrt(2.0 * t->used) > 4 * rss && rss > 1e-20 * t->power) {
        flags |= RS_SHO_STRUCTURE;
        if (lag > 0.5 * rss && rss > 0.1 * t->spread) flags |= RS_SHO_TWO_MODES;
    }
    return flags;
}

/* The lane's point is the last one. */
static void finish_lane(const rs_sho_plan *plan, const lane *t, const rs_sho_last *last, int l,
                        rs_sho_fit *out)
{
    const rs_sho none = {NAN, NAN, NAN, NAN};
    *out =
        (rs_sho_fit){.p = none, .peak = NAN, .se = none, .se_peak = NAN, .r2 = NAN, .noise = NAN};
    out->flags = t->flags;
    if (t->flags & (RS_SHO_FEW_BINS | RS_SHO_FLAT)) return;

    double rss = last->rss.v[l], zz = t->zr * t->zr + t->zi * t->zi, d = 1 + t->d;
    double variance = rss / (2 * t->used - 4), e[RS_SHO_RELATIVES], bias[RS_SHO_RELATIVES] = {0};
    double peak = ldexp(sqrt(zz / d) / t->c, t->exponent);
    rs_sho p = {ldexp(sqrt(zz) / d, t->exponent), sqrt(d) * plan->reference, sqrt(d) / t->c,
                atan2(t->zi, t->zr)};
    out->flags |= judge(plan, t, p.amplitude, rss, last->lag.v[l]);
    rs_sho_errors(&t->moments, d, t->c, variance / zz, e);
    if (plan->o.unbiased && !(out->flags & RS_SHO_FAILED)) {
        rs_sho_moments2 m = {.s4u = last->s4u.v[l]};
        for (int j = 0; j < 3; j++) m.t[j][0] = last->t[j][0].v[l], m.t[j][1] = last->t[j][1].v[l];
        for (int j = 0; j < 4; j++) m.v[j][0] = last->v[j][0].v[l], m.v[j][1] = last->v[j][1].v[l];
        rs_sho_bias(&t->moments, &m, d, t->c, variance / zz, bias);
        /* The expansion is no longer one where it exceeds half an error. */
        for (int j = 0; j < RS_SHO_RELATIVES; j++) bias[j] = rs_clamp(bias[j], -e[j] / 2, e[j] / 2);
    }
    p.amplitude /= 1 + bias[RS_SHO_LN_A];
    p.frequency /= 1 + bias[RS_SHO_LN_W0];
    p.q /= 1 + bias[RS_SHO_LN_Q];
    p.phase = rs_wrap_angle(p.phase - bias[RS_SHO_PHI]);
    out->p = p;
    out->peak = peak / (1 + bias[RS_SHO_LN_AQ]);
    out->se = (rs_sho){p.amplitude * e[RS_SHO_LN_A], p.frequency * e[RS_SHO_LN_W0],
                       p.q * e[RS_SHO_LN_Q], e[RS_SHO_PHI]};
    out->se_peak = out->peak * e[RS_SHO_LN_AQ];
    out->r2 = 1 - rss / t->spread;
    out->noise = ldexp(sqrt(variance), t->exponent);
    out->passes = (uint32_t)t->passes;
}

typedef struct job {
    rs_sho_plan *plan;
    source from;
    int64_t n;
    rs_sho_fit *fits;
} job;

/* Fits the spectra of block i. */
static void fit_block(void *ctx, int64_t i, int worker)
{
    const job *j = ctx;
    const rs_sho_plan *plan = j->plan;
    scratch *s = &plan->worker[worker];
    int64_t first = i * LANES;
    int n = j->n - first < LANES ? (int)(j->n - first) : LANES, start[LANES];
    rs_sho_lanes d, c, zr, zi;
    rs_sho_sums sums;
    rs_sho_last last;
    lane t[LANES];
    unsigned active = 0;
    bool whole = true;

    for (int l = 0; l < LANES; l++) {
        /* Empty lanes repeat the last spectrum. */
        load_lane(plan, j->from, first + (l < n ? l : n - 1), l, s, &t[l]);
        whole = whole && t[l].used == plan->bins;
    }
    rs_sho_bank_match(&plan->bank, s->y32, start);
    for (int l = 0; l < LANES; l++) {
        const rs_sho_template *best = &plan->bank.t[start[l]];
        double lo, hi;
        d.v[l] = rs_clamp(best->d, plan->d_min, plan->d_max);
        c_range(plan, d.v[l], &lo, &hi);
        c.v[l] = rs_clamp(best->c, lo, hi);
        if (l < n && !(t[l].flags & RS_SHO_FAILED)) active |= 1u << l;
    }
    rs_sho_block block = {plan->bins, plan->u, plan->q, s->y, whole ? NULL : s->weight};
    while (active) {
        rs_sho_pass(&block, &d, &c, active, &sums);
        for (int l = 0; l < LANES; l++) {
            if (!(active >> l & 1)) continue;
            advance(plan, &t[l], &sums, l, &d.v[l], &c.v[l]);
            if (t[l].done) active &= ~(1u << l);
        }
    }
    /* The last step was not worth a pass of its own, but z and the matrix belong to the point. */
    rs_sho_pass(&block, &d, &c, ALL_LANES, &sums);
    for (int l = 0; l < LANES; l++) {
        accept(&t[l], &sums, l, d.v[l], c.v[l], 0);
        zr.v[l] = t[l].zr, zi.v[l] = t[l].zi;
    }
    rs_sho_last_pass(&block, &d, &c, &zr, &zi, &last);
    for (int l = 0; l < n; l++) finish_lane(plan, &t[l], &last, l, &j->fits[first + l]);
}

static void fit_all(rs_sho_plan *plan, const float *f32, const double *f64, int64_t n,
                    rs_sho_fit *fits)
{
    job j = {plan, {f32, f64, plan->o.conjugate ? -1 : 1}, n, fits};
    rs_parallel_for(plan->threads, (n + LANES - 1) / LANES, fit_block, &j);
}

void rs_sho_fit_f32(rs_sho_plan *plan, const float *spectra, int64_t n, rs_sho_fit *fits)
{
    fit_all(plan, spectra, NULL, n, fits);
}

void rs_sho_fit_f64(rs_sho_plan *plan, const double *spectra, int64_t n, rs_sho_fit *fits)
{
    fit_all(plan, NULL, spectra, n, fits);
}

/* ---------------------------------------------------------------------------------------- plans */
void rs_sho_options_defaults(rs_sho_options *o)
{
    *o = (rs_sho_options){.q_min = 2,
                          .q_max = 10000,
                          .a_max = INFINITY,
                          .min_r2 = -INFINITY,
                          .unbiased = true,
                          .max_passes = 100};
}

reshed_status rs_sho_options_check(const rs_sho_options *o, reshed_error *err)
{
    if (!(o->f_min >= 0 && o->f_max >= o->f_min && isfinite(o->f_max)) ||
        (o->f_max > 0 && !(o->f_min > 0 && o->f_max > o->f_min)))
        return rs_fail(err, RESHED_EINVAL, "range of the resonance|0 < low < high|%g to %g Hz",
                       o->f_min, o->f_max);
    if (!(o->q_min > 0 && o->q_max > o->q_min && isfinite(o->q_max)))
        return rs_fail(err, RESHED_EINVAL, "range of Q|0 < low < high|%g to %g", o->q_min,
                       o->q_max);
    if (!(o->a_min >= 0 && o->a_max > o->a_min))
        return rs_fail(err, RESHED_EINVAL, "range of the amplitude|0 <= low < high|%g to %g",
                       o->a_min, o->a_max);
    if (!(o->min_r2 <= 1)) return rs_fail(err, RESHED_EINVAL, "least R2|at most 1|%g", o->min_r2);
    if (o->threads < 0 || o->max_passes < 1 || o->max_passes > 60000)
        return rs_fail(err, RESHED_EINVAL,
                       "threads and passes|threads >= 0, 1 to 60000 passes|%d, %d", o->threads,
                       o->max_passes);
    return RESHED_OK;
}

reshed_status rs_sho_plan_create(const double *frequency, int64_t bins,
                                 const rs_sho_options *options, rs_sho_plan **out,
                                 reshed_error *err)
{
    rs_sho_options o;
    rs_sho_options_defaults(&o);
    if (options) o = *options;
    reshed_status st = rs_sho_options_check(&o, err);
    if (st == RESHED_OK) st = rs_sho_check_axis(frequency, bins, err);
    if (st != RESHED_OK) return st;
    if (o.f_max == 0) o.f_min = frequency[0], o.f_max = frequency[bins - 1];

    size_t n = (size_t)bins, lanes = n * LANES, need = 0;
    rs_sho_plan *plan = rs_zalloc(1, need += sizeof *plan);
    if (!plan) return rs_fail_nomem(err, "the SHO plan", need);
    plan->bins = (int)bins;
    plan->threads = rs_threads_or_all(o.threads);
    plan->o = o;
    plan->reference = 0.5 * (frequency[0] + frequency[n - 1]);
    need = 2 * n * sizeof(double);
    plan->u = rs_alloc(2 * n, sizeof(double));
    if (!plan->u) goto nomem;
    plan->q = plan->u + n;
    for (size_t k = 0; k < n; k++) {
        plan->u[k] = frequency[k] / plan->reference;
        plan->q[k] = (plan->u[k] - 1) * (plan->u[k] + 1);
    }
    double u_min = o.f_min / plan->reference, u_max = o.f_max / plan->reference;
    plan->d_min = (u_min - 1) * (u_min + 1);
    plan->d_max = (u_max - 1) * (u_max + 1);

    need = (size_t)plan->threads *
           (sizeof(scratch) + lanes * (3 * sizeof(double) + 2 * sizeof(float)));
    plan->worker = rs_zalloc((size_t)plan->threads, sizeof(scratch));
    if (!plan->worker) goto nomem;
    for (int t = 0; t < plan->threads; t++) {
        scratch *s = &plan->worker[t];
        s->y = rs_alloc(2 * lanes, sizeof(double));
        s->weight = rs_alloc(lanes, sizeof(double));
        s->y32 = rs_alloc(2 * lanes, sizeof(float));
        if (!s->y || !s->weight || !s->y32) goto nomem;
    }
    st = rs_sho_bank_init(&plan->bank, plan->u, plan->bins, u_min, u_max, u_min / o.q_max,
                          u_max / o.q_min, err);
    if (st != RESHED_OK) goto done;
    plan->bytes = sizeof *plan + 2 * n * sizeof(double) + need +
                  (size_t)plan->bank.n * sizeof(rs_sho_template) +
                  plan->bank.n_values * sizeof(float);
    *out = plan;
    return RESHED_OK;

nomem:
    st = rs_fail_nomem(err, "the SHO plan", need);
done:
    rs_sho_plan_free(plan);
    return st;
}

void rs_sho_plan_free(rs_sho_plan *plan)
{
    if (!plan) return;
    for (int t = 0; plan->worker && t < plan->threads; t++) {
        rs_free(plan->worker[t].y);
        rs_free(plan->worker[t].weight);
        rs_free(plan->worker[t].y32);
    }
    rs_free(plan->worker);
    rs_sho_bank_clear(&plan->bank);
    rs_free(plan->u);
    rs_free(plan);
}

size_t rs_sho_plan_bytes(const rs_sho_plan *plan)
{
    return plan->bytes;
}

const char *rs_sho_flag_text(unsigned flag)
{
    switch ((rs_sho_flag)flag) {
    case RS_SHO_FEW_BINS: return "too few finite bins";
    case RS_SHO_FLAT: return "all bins have one value";
    case RS_SHO_NOISE: return "no resonance above the noise";
    case RS_SHO_UNCONVERGED: return "not converged";
    case RS_SHO_FREQUENCY_LIM: return "resonance at the limit of its range";
    case RS_SHO_Q_LIM: return "Q at the limit of its range";
    case RS_SHO_AMPLITUDE_LIM: return "amplitude out of its range";
    case RS_SHO_POOR: return "R2 too low";
    case RS_SHO_NAN_BINS: return "bins that are not finite left out";
    case RS_SHO_STRUCTURE: return "residuals are not white";
    case RS_SHO_TWO_MODES: return "two modes, or none of this model";
    case RS_SHO_SATURATED: return "clipped";
    case RS_SHO_FAILED:
    case RS_SHO_SUSPECT: break;
    }
    return "";
}
