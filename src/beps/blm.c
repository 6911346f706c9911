#include "beps/blm.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

size_t rs_blm_work(int n, int m)
{
    return 2 * (size_t)m * (size_t)(n + 1);
}

typedef struct problem {
    rs_blm_model model;
    void *ctx;
    int n, m;
    const double *lo, *hi;
} problem;

static void swap(double **a, double **b)
{
    double *t = *a;
    *a = *b;
    *b = t;
}

static double sum_of_squares(const double *r, int m)
{
    double s = 0;
    for (int i = 0; i < m; i++) s += r[i] * r[i];
    return s;
}

/* a = J'J (lower triangle), g = J'r. */
static void normal_equations(int n, int m, const double *r, const double *jac, double *a, double *g)
{
    memset(a, 0, (size_t)(n * n) * sizeof *a);
    memset(g, 0, (size_t)n * sizeof *g);
    for (int i = 0; i < m; i++) {
        const double *row = jac + (size_t)i * (size_t)n;
        for (int j = 0; j < n; j++) {
            double t = row[j];
            if (t == 0) continue;
            g[j] += t * r[i];
            for (int k = 0; k <= j; k++) a[j * n + k] += t * row[k];
        }
    }
}

/* Cholesky factor of the k x k matrix in place (lower); false when it is not positive definite. */
static bool cholesky(double *a, int k)
{
    for (int j = 0; j < k; j++) {
        double d = a[j * k + j];
        for (int i = 0; i < j; i++) d -= a[j * k + i] * a[j * k + i];
        if (!(d > 0)) return false;
        d = sqrt(d);
        a[j * k + j] = d;
        for (int i = j + 1; i < k; i++) {
            double t = a[i * k + j];
            for (int l = 0; l < j; l++) t -= a[i * k + l] * a[j * k + l];
            a[i * k + j] = t / d;
        }
    }
    return true;
}

static void back_substitute(const double *c, int k, double *x)
{
    for (int i = 0; i < k; i++) {
        for (int l = 0; l < i; l++) x[i] -= c[i * k + l] * x[l];
        x[i] /= c[i * k + i];
    }
    for (int i = k - 1; i >= 0; i--) {
        for (int l = i + 1; l < k; l++) x[i] -= c[l * k + i] * x[l];
        x[i] /= c[i * k + i];
    }
}

/* The parameters that may move: not on a bound with the descent pointing outwards. */
static int free_set(const problem *q, const double *p, const double *g, int *list)
{
    int k = 0;
    for (int j = 0; j < q->n; j++) {
        if (p[j] <= q->lo[j] && g[j] > 0) continue;
        if (p[j] >= q->hi[j] && g[j] < 0) continue;
        list[k++] = j;
    }
    return k;
}

/* A damped step from p into trial; false when the matrix cannot be factored at this damping. A
 * parameter that the step takes over its bound stops there, and the rest is solved again without
 * it: the remaining step is then the best one given that stop. *cut says whether that happened. */
static bool step(const problem *q, const double *p, const double *a, const double *g,
                 const double *scale, double damping, double *trial, bool *cut)
{
    int n = q->n, list[RS_BLM_MAX];
    int k = free_set(q, p, g, list);
    memcpy(trial, p, (size_t)n * sizeof *p);
    *cut = false;
    while (k > 0) {
        double c[RS_BLM_MAX * RS_BLM_MAX], x[RS_BLM_MAX];
        for (int i = 0; i < k; i++) {
            x[i] = -g[list[i]];
            /* The move of the stopped parameters already counts in the gradient of the rest. */
            for (int j = 0; j < n; j++) {
                double moved = trial[j] - p[j];
                int row = list[i] > j ? list[i] : j, col = list[i] > j ? j : list[i];
                if (moved != 0) x[i] -= a[row * n + col] * moved;
            }
            for (int j = 0; j <= i; j++) c[i * k + j] = a[list[i] * n + list[j]];
            c[i * k + i] += damping * scale[list[i]];
        }
        if (!cholesky(c, k)) return false;
        back_substitute(c, k, x);
        int kept = 0;
        for (int i = 0; i < k; i++) {
            int j = list[i];
            double to = p[j] + x[i];
            if (to < q->lo[j] || to > q->hi[j])
                trial[j] = to < q->lo[j] ? q->lo[j] : q->hi[j];
            else
                list[kept++] = j;
        }
        if (kept == k) {
            for (int i = 0; i < k; i++) trial[list[i]] = p[list[i]] + x[i];
            return true;
        }
        k = kept;
        *cut = true;
    }
    return true;
}

/* Decrease of the sum of squares that the quadratic model promises for the step to trial. */
static double predicted(const problem *q, const double *p, const double *trial, const double *a,
                        const double *g)
{
    double d = 0;
    for (int i = 0; i < q->n; i++) {
        double si = trial[i] - p[i];
        d -= 2 * g[i] * si + a[i * q->n + i] * si * si;
        for (int j = 0; j < i; j++) d -= 2 * a[i * q->n + j] * si * (trial[j] - p[j]);
    }
    return d;
}

static void covariance_of(const problem *q, const double *p, const double *a, double sum,
                          double *cov)
{
    int n = q->n, list[RS_BLM_MAX], k = 0;
    double c[RS_BLM_MAX * RS_BLM_MAX];
    for (int i = 0; i < n * n; i++) cov[i] = NAN;
    for (int j = 0; j < n; j++)
        if (p[j] > q->lo[j] && p[j] < q->hi[j]) list[k++] = j;
    for (int i = 0; i < k; i++)
        for (int j = 0; j <= i; j++) c[i * k + j] = a[list[i] * n + list[j]];
    if (q->m <= n || !cholesky(c, k)) return;
    for (int j = 0; j < k; j++) {
        double x[RS_BLM_MAX] = {0};
        x[j] = sum / (q->m - n);
        back_substitute(c, k, x);
        for (int i = 0; i < k; i++) cov[list[i] * n + list[j]] = x[i];
    }
}

void rs_blm_solve(rs_blm_model model, void *ctx, int n, int m, const double *lo, const double *hi,
                  const rs_blm_options *options, double *work, double *p, double *covariance,
                  rs_blm_result *result)
{
    assert(n >= 1 && n <= RS_BLM_MAX && m >= 1);
    problem q = {model, ctx, n, m, lo, hi};
    /* A trial brings its derivatives along: most are accepted, and the two share their costly
     * parts. */
    double *r = work, *jac = r + m, *r_trial = jac + (size_t)m * (size_t)n,
           *jac_trial = r_trial + m;
    double a[RS_BLM_MAX * RS_BLM_MAX], g[RS_BLM_MAX], scale[RS_BLM_MAX] = {0}, trial[RS_BLM_MAX];
    double damping = 0.1, grow = 2;

    for (int j = 0; j < n; j++) p[j] = fmin(fmax(p[j], lo[j]), hi[j]);
    *result = (rs_blm_result){.stop = RS_BLM_LIMIT};
    model(ctx, p, r, jac);
    double sum = sum_of_squares(r, m);
    normal_equations(n, m, r, jac, a, g);
    if (!isfinite(sum)) result->stop = RS_BLM_BAD_RESIDUAL;

    while (result->stop == RS_BLM_LIMIT && result->iterations < options->iterations) {
        result->iterations++;
        for (int j = 0; j < n; j++) {
            scale[j] = fmax(scale[j], a[j * n + j]);
            if (scale[j] == 0) scale[j] = 1e-30;
        }
        double promise = 0, moved = 0, size = 0, next = INFINITY;
        bool cut = false;
        if (step(&q, p, a, g, scale, damping, trial, &cut)) {
            promise = predicted(&q, p, trial, a, g);
            for (int j = 0; j < n; j++) {
                moved = fmax(moved, fabs(trial[j] - p[j]) * sqrt(scale[j]));
                size = fmax(size, fabs(p[j]) * sqrt(scale[j]));
            }
            bool small = promise <= options->ftol * sum || moved <= options->xtol * size;
            /* A step cut at a bound may promise nothing though a shorter one would: only a whole
             * step shows that this is the end. */
            if (small && (!cut || damping > 1e10)) {
                result->stop = RS_BLM_CONVERGED;
                break;
            }
            if (!small) {
                model(ctx, trial, r_trial, jac_trial);
                next = sum_of_squares(r_trial, m);
            }
        }
        double gain = isfinite(next) ? (sum - next) / promise : -1;
        if (gain > 1e-4) {
            double before = sum;
            memcpy(p, trial, (size_t)n * sizeof *p);
            swap(&r, &r_trial);
            swap(&jac, &jac_trial);
            sum = next;
            normal_equations(n, m, r, jac, a, g);
            double t = 2 * gain - 1;
            damping *= fmax(1.0 / 3, 1 - t * t * t);
            grow = 2;
            if (before - next <= options->ftol * before && promise <= 10 * options->ftol * before)
                result->stop = RS_BLM_CONVERGED;
        } else {
            damping *= grow;
            grow *= 2;
            if (damping > 1e30) result->stop = RS_BLM_CONVERGED;
        }
    }
    result->sum = sum;
    for (int j = 0; j < n; j++)
        if (p[j] <= lo[j] || p[j] >= hi[j]) result->at_bound |= 1u << j;
    if (covariance) covariance_of(&q, p, a, sum, covariance);
}
