#include "support/loop_sim.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_GRAINS = 300 };

void sim_triangle(int n, double amplitude, double *v)
{
    for (int i = 0; i < n; i++) {
        double q = 4.0 * i / n;
        v[i] = amplitude * (q < 1 ? q : q < 3 ? 2 - q : q - 4);
    }
}

/* Zero mean, unit spread. */
static double draw(test_rng *r, int kind)
{
    if (kind == 0) return test_gauss(r);
    if (kind == 1) /* gamma of order 2 */
        return (-log(1 - test_uniform(r, 0, 1)) - log(1 - test_uniform(r, 0, 1)) - 2) / sqrt(2);
    return test_uniform(r, 0, 1) < 0.6 ? -0.8 + 0.5 * test_gauss(r) : 1.2 + 0.5 * test_gauss(r);
}

typedef struct grain {
    double v, weight;
} grain;

static int by_voltage(const void *a, const void *b)
{
    double x = ((const grain *)a)->v, y = ((const grain *)b)->v;
    return (x > y) - (x < y);
}

/* The voltage by which half of the weight has switched. */
static double half_way(const double *v, const double *weight, int n)
{
    grain g[MAX_GRAINS];
    double sum = 0;
    for (int k = 0; k < n; k++) g[k] = (grain){v[k], weight[k]};
    qsort(g, (size_t)n, sizeof *g, by_voltage);
    for (int k = 0; k < n; k++) {
        sum += g[k].weight;
        if (sum >= 0.5) return g[k].v;
    }
    return g[n - 1].v;
}

void sim_loop(test_rng *r, const double *v, int n, double sigma, double *y, sim_truth *truth)
{
    double up[MAX_GRAINS], down[MAX_GRAINS], weight[MAX_GRAINS], total = 0, top = v[n / 4];
    int grains = 60 + (int)test_below(r, 241), kind = (int)test_below(r, 3);
    double imprint = test_uniform(r, -1, 1), centre = test_uniform(r, 2, 5.5);
    double spread_up = test_uniform(r, 0.3, 1.2), spread_down = test_uniform(r, 0.3, 1.2);
    double height = test_uniform(r, 0.5, 2), bottom = test_uniform(r, -1.5, 0.5),
           limit = 0.93 * top;
    for (int k = 0; k < grains; k++) {
        weight[k] = -log(1 - test_uniform(r, 0, 1)) - log(1 - test_uniform(r, 0, 1));
        total += weight[k];
        up[k] = fmin(fmax(imprint + centre + spread_up * draw(r, kind), -limit), limit);
        down[k] = fmin(fmax(imprint - centre - spread_down * draw(r, kind), -limit), limit);
    }
    *truth = (sim_truth){.height = height};
    for (int k = 0; k < grains; k++) {
        weight[k] /= total;
        truth->area += height * weight[k] * (up[k] - down[k]);
    }
    truth->v_plus = half_way(up, weight, grains);
    truth->v_minus = half_way(down, weight, grains);
    for (int i = 0; i < n; i++) {
        bool falling = i >= n / 4 && i < 3 * n / 4;
        double switched = 0;
        for (int k = 0; k < grains; k++)
            if (falling ? v[i] > down[k] : v[i] >= up[k]) switched += weight[k];
        y[i] = bottom + height * (switched + sigma / 2 * test_gauss(r));
    }
}

void sim_sweep(int n, double amplitude, rs_sweep *s)
{
    double v[1024];
    reshed_error err = {0};
    sim_triangle(n, amplitude, v);
    assert_ok(rs_sweep_create(v, n, s, &err), &err);
}

static double ramp(double v, double from, double to)
{
    return fmin(1, fmax(-1, 2 * (v - from) / (to - from) - 1));
}

void sim_straight_loop(const rs_sweep *s, double offset, double slope, double *y)
{
    for (int i = 0; i < s->n; i++)
        y[i] = offset + slope * s->v[i] +
               (s->falling[i] ? ramp(s->v[i], -5, -3) : ramp(s->v[i], 2, 4));
}
