/* loopfunc.c - the nine-parameter loop as a function, and BGlib's start for its fit. */
#include "beps/loopfit.h"

#include <math.h>

#include "base/numeric.h"
#include "beps/phase.h"
#include "base/statistics.h"

/* --------------------------------------------------------------------------------- the function */
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
