#include "beps/branchfit.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"
#include "beps/blm.h"
#include "beps/loop.h"
#include "beps/phase.h"

/* --------------------------------------------------------------------------- PySSPFM's branches */
typedef struct branch_problem {
    rs_loop_data d;
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
    const rs_loop_data *d = &b->d;
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

/* The voltage where a branch passes zero, by bisection over the measured range; NaN when it has one
 * sign. */
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
    if (options->model == RS_MODEL_NONE || !rs_loop_data_take(s, y, skip, true, work, solver, &b.d))
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
