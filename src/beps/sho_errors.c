#include "beps/sho_errors.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>

/* Covariances of (d, c) and of ln z = alpha + i phi. Whatever (d, c) do, the best ln z follows
 * linearly: d ln z = from_d dd + from_c dc, plus scatter of its own, v/s1 in each part. */
typedef struct covariance {
    double dd, dc, cc; /* of d and c */
    double complex from_d, from_c;
    double own;
    double mdd, mdc, mcc, det; /* information on (d, c) that z leaves, per |z|^2/variance */
} covariance;

static bool covariances(const rs_sho_moments *m, double variance, covariance *o)
{
    double complex s2 = m->s2r + I * m->s2i, s2w = m->s2wr + I * m->s2wi;
    o->from_d = -s2 / m->s1;
    o->from_c = -I * s2w / m->s1;
    o->mdd = m->s4 - (m->s2r * m->s2r + m->s2i * m->s2i) / m->s1;
    o->mcc = m->s4w - (m->s2wr * m->s2wr + m->s2wi * m->s2wi) / m->s1;
    o->mdc = (m->s2r * m->s2wi - m->s2i * m->s2wr) / m->s1;
    o->det = o->mdd * o->mcc - o->mdc * o->mdc;
    o->dd = variance * o->mcc / o->det;
    o->cc = variance * o->mdd / o->det;
    o->dc = -variance * o->mdc / o->det;
    o->own = variance / m->s1;
    return o->det > 0;
}

/* Covariance of two linear functions of (d, c), each given by its two coefficients. */
static double product(const covariance *o, double ad, double ac, double bd, double bc)
{
    return ad * bd * o->dd + (ad * bc + ac * bd) * o->dc + ac * bc * o->cc;
}

void rs_sho_errors(const rs_sho_moments *m, double d, double c, double variance,
                   double out[RS_SHO_RELATIVES])
{
    covariance o;
    bool regular = covariances(m, variance, &o);
    double ad = creal(o.from_d), ac = creal(o.from_c), pd = cimag(o.from_d), pc = cimag(o.from_c);
    double v[RS_SHO_RELATIVES] = {
        [RS_SHO_LN_A] = o.own + product(&o, ad - 1 / d, ac, ad - 1 / d, ac),
        [RS_SHO_LN_W0] = o.dd / (4 * d * d),
        [RS_SHO_LN_Q] = product(&o, 0.5 / d, -1 / c, 0.5 / d, -1 / c),
        [RS_SHO_PHI] = o.own + product(&o, pd, pc, pd, pc),
        [RS_SHO_LN_AQ] = o.own + product(&o, ad - 0.5 / d, ac - 1 / c, ad - 0.5 / d, ac - 1 / c),
    };
    for (int i = 0; i < RS_SHO_RELATIVES; i++) out[i] = regular && v[i] >= 0 ? sqrt(v[i]) : NAN;
}

void rs_sho_bias(const rs_sho_moments *m, const rs_sho_moments2 *n, double d, double c,
                 double variance, double out[RS_SHO_RELATIVES])
{
    covariance o;
    bool regular = covariances(m, variance, &o);
    double complex s2 = m->s2r + I * m->s2i, s2w = m->s2wr + I * m->s2wi, t[3], v[4];
    for (int j = 0; j < 3; j++) t[j] = n->t[j][0] + I * n->t[j][1];
    for (int j = 0; j < 4; j++) v[j] = n->v[j][0] + I * n->v[j][1];

    /* Covariances of ln z with d and with c. */
    double complex zd = o.from_d * o.dd + o.from_c * o.dc, zc = o.from_d * o.dc + o.from_c * o.cc;

    /* On average the model, expanded to second order about the truth, lies off by half the trace of
     * its Hessian with the covariance, over z
     *     b^2 (zd + i u zc) + b^3 (dd + 2 i u dc - u^2 cc),
     * and the fit answers with the parameters that take this up: its normal equations. */
    double complex e0 =
        -(zd * s2 + I * zc * s2w) - (o.dd * t[0] + 2 * I * o.dc * t[1] - o.cc * t[2]);
    double ed =
        creal(-(zd * m->s4 + I * zc * n->s4u) - (o.dd * v[0] + 2 * I * o.dc * v[1] - o.cc * v[2]));
    double ec =
        cimag(-(zd * n->s4u + I * zc * m->s4w) - (o.dd * v[1] + 2 * I * o.dc * v[2] - o.cc * v[3]));
    double rd = ed - creal(conj(s2) * e0) / m->s1, rc = ec - cimag(conj(s2w) * e0) / m->s1;
    double bd = (o.mcc * rd - o.mdc * rc) / o.det, bc = (o.mdd * rc - o.mdc * rd) / o.det;
    double complex bz = (e0 - s2 * bd - I * s2w * bc) / m->s1;

    /* |z| = |1 + bz| to second order, and so on: the functions' own curvature. */
    double ad = creal(o.from_d), ac = creal(o.from_c), pd = cimag(o.from_d), pc = cimag(o.from_c);
    double phi2 = o.own + product(&o, pd, pc, pd, pc), alpha_phi = product(&o, ad, ac, pd, pc);
    double size = creal(bz) + 0.5 * phi2; /* of |z| */
    double rest = 0.5 * bd / d - bc / c;  /* of Q = sqrt(d)/c */
    rest += 0.5 * (-0.25 * o.dd / (d * d) + 2 * o.cc / (c * c) - o.dc / (d * c));
    out[RS_SHO_LN_A] = size - bd / d + o.dd / (d * d) - creal(zd) / d;
    out[RS_SHO_LN_W0] = 0.5 * bd / d - 0.125 * o.dd / (d * d);
    out[RS_SHO_LN_Q] = rest;
    out[RS_SHO_PHI] = cimag(bz) - alpha_phi;
    /* A Q = |z| d^(-1/2)/c */
    out[RS_SHO_LN_AQ] = size - 0.5 * bd / d - bc / c +
                        0.5 * (0.75 * o.dd / (d * d) + 2 * o.cc / (c * c) + o.dc / (d * c)) -
                        0.5 * creal(zd) / d - creal(zc) / c;
    for (int i = 0; i < RS_SHO_RELATIVES; i++)
        if (!regular || !isfinite(out[i])) out[i] = 0;
}
