#include "support/sho_sim.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"

void sho_axis(double *w, int n, double lo, double hi)
{
    for (int k = 0; k < n; k++) w[k] = lo + (hi - lo) * k / (n - 1);
}

int sho_standard_axis(int which, double *w)
{
    if (which == 0) {
        sho_axis(w, 64, 300e3, 350e3);
        return 64;
    }
    sho_axis(w, 400, 275e3, 374.75e3);
    return 400;
}

rs_sho sho_random(test_rng *r, const double *w, int n)
{
    return (rs_sho){test_uniform(r, 0.5e-4, 2e-4), test_uniform(r, w[0], w[n - 1]),
                    test_uniform(r, 30, 400), test_uniform(r, -RS_PI, RS_PI)};
}

void sho_simulate(test_rng *r, const rs_sho *p, const double *w, int n, double noise, double *y)
{
    double sigma = noise * p->amplitude * fabs(p->q);
    rs_sho_eval(p, w, n, y);
    if (noise > 0)
        for (int k = 0; k < 2 * n; k++) y[k] += sigma * test_gauss(r);
}

double sho_squared_error(const rs_sho *p, const double *w, int n, const double *y)
{
    double h[2 * SHO_MAX_BINS], e = 0;
    rs_sho_eval(p, w, n, h);
    for (int k = 0; k < 2 * n; k++) e += (h[k] - y[k]) * (h[k] - y[k]);
    return e;
}

rs_sho_plan *sho_plan(const double *w, int n, const rs_sho_options *o)
{
    reshed_error err = {0};
    rs_sho_plan *plan = NULL;
    assert_ok(rs_sho_plan_create(w, n, o, &plan, &err), &err);
    return plan;
}

rs_sho_options sho_plain(void)
{
    rs_sho_options o;
    rs_sho_options_defaults(&o);
    o.unbiased = false;
    o.threads = 1;
    return o;
}

rs_sho_fit sho_fit_one(const double *w, int n, const double *y, const rs_sho_options *o)
{
    rs_sho_fit f;
    rs_sho_plan *plan = sho_plan(w, n, o);
    rs_sho_fit_f64(plan, y, 1, &f);
    rs_sho_plan_free(plan);
    return f;
}

void assert_same_sho(const rs_sho *a, const rs_sho *b, double relative)
{
    assert_near(a->amplitude, b->amplitude, relative * b->amplitude);
    assert_near(a->frequency, b->frequency, relative * b->frequency);
    assert_near(a->q, b->q, relative * fabs(b->q));
    assert_near(rs_wrap_angle(a->phase - b->phase), 0, relative);
}

bool sho_solve4(const double a[4][4], const double b[4], double x[4])
{
    double m[4][5];
    for (int i = 0; i < 4; i++) {
        memcpy(m[i], a[i], sizeof a[i]);
        m[i][4] = b[i];
    }
    for (int i = 0; i < 4; i++) {
        if (!(m[i][i] > 0)) return false;
        for (int j = i + 1; j < 4; j++) {
            double f = m[j][i] / m[i][i];
            for (int k = i; k < 5; k++) m[j][k] -= f * m[i][k];
        }
    }
    for (int i = 3; i >= 0; i--) {
        x[i] = m[i][4];
        for (int k = i + 1; k < 4; k++) x[i] -= m[i][k] * x[k];
        x[i] /= m[i][i];
    }
    return true;
}

void sho_information(const rs_sho *p, const double *w, int n, double jac[4][2 * SHO_MAX_BINS],
                     double m[4][4])
{
    double flat[8 * SHO_MAX_BINS];
    const double unit[4] = {p->amplitude, p->frequency, p->q, 1};
    rs_sho_jacobian(p, w, n, flat);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2 * n; k++) jac[i][k] = unit[i] * flat[2 * i * n + k];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            m[i][j] = 0;
            for (int k = 0; k < 2 * n; k++) m[i][j] += jac[i][k] * jac[j][k];
        }
}

void sho_reference_fit(rs_sho *p, int hold, const double *w, int n, const double *y)
{
    double jac[4][2 * SHO_MAX_BINS], m[4][4], g[4], step[4], h[2 * SHO_MAX_BINS], damping = 1e-3;
    double e = sho_squared_error(p, w, n, y);
    for (int it = 0; it < 2000 && damping < 1e12; it++) {
        sho_information(p, w, n, jac, m);
        rs_sho_eval(p, w, n, h);
        for (int i = 0; i < 4; i++) {
            g[i] = 0;
            for (int k = 0; k < 2 * n; k++) g[i] += jac[i][k] * (y[k] - h[k]);
            m[i][i] *= 1 + damping;
        }
        for (int i = 0; hold >= 0 && i < 4; i++) m[hold][i] = m[i][hold] = i == hold;
        if (hold >= 0) g[hold] = 0;
        if (!sho_solve4(m, g, step)) break;
        rs_sho t = {p->amplitude * (1 + step[0]), p->frequency * (1 + step[1]),
                    p->q * (1 + step[2]), p->phase + step[3]};
        double trial = sho_squared_error(&t, w, n, y);
        if (trial < e) {
            *p = t, e = trial, damping *= 0.2;
        } else {
            damping *= 5;
        }
    }
    p->phase = rs_wrap_angle(p->phase);
}
