#include "beps/sho.h"

#include <math.h>
#include <stddef.h>

#include "beps/sho_errors.h"

void rs_sho_eval(const rs_sho *p, const double *frequency, int n, double *h)
{
    double w0 = p->frequency, zr = p->amplitude * cos(p->phase), zi = p->amplitude * sin(p->phase);
    for (int k = 0; k < n; k++) {
        /* Everything over w0^2, and the difference of squares as a product: no digits are lost near
         * the resonance. */
        double u = frequency[k] / w0;
        double er = (u - 1) * (u + 1), ei = -u / p->q, g = 1 / (er * er + ei * ei);
        h[2 * k] = g * (zr * er + zi * ei);
        h[2 * k + 1] = g * (zi * er - zr * ei);
    }
}

void rs_sho_jacobian(const rs_sho *p, const double *frequency, int n, double *jac)
{
    double *ja = jac, *jw = jac + 2 * (size_t)n, *jq = jw + 2 * (size_t)n, *jp = jq + 2 * (size_t)n;
    double w0 = p->frequency, q = p->q, a = p->amplitude;
    double cr = cos(p->phase), ci = sin(p->phase);
    for (int k = 0; k < n; k++) {
        double u = frequency[k] / w0;
        double er = (u - 1) * (u + 1), ei = -u / q, g = 1 / (er * er + ei * ei);
        double br = er * g, bi = -ei * g;                        /* b = 1/(u^2 - i u/Q - 1) */
        double er1 = cr * br - ci * bi, ei1 = cr * bi + ci * br; /* H/A */
        double hr = a * er1, hi = a * ei1;
        ja[2 * k] = er1, ja[2 * k + 1] = ei1;
        jp[2 * k] = -hi, jp[2 * k + 1] = hr;
        /* db/dw0 = b^2 (2 u^2 - i u/Q)/w0, db/dQ = -i u b^2/Q^2 */
        double tr = hr * br - hi * bi, ti = hr * bi + hi * br; /* A e^{i phi} b^2 */
        double pr = 2 * u * u / w0, qi = -u / (q * w0);
        jw[2 * k] = tr * pr - ti * qi, jw[2 * k + 1] = ti * pr + tr * qi;
        double s = u / (q * q);
        jq[2 * k] = s * ti, jq[2 * k + 1] = -s * tr;
    }
}

void rs_sho_bound(const rs_sho *p, const double *frequency, int n, double sigma, rs_sho *se,
                  double *peak)
{
    rs_sho_moments m = {0};
    double e[RS_SHO_RELATIVES], rel = sigma / p->amplitude;
    for (int k = 0; k < n; k++) {
        double u = frequency[k] / p->frequency;
        double er = (u - 1) * (u + 1), ei = -u / p->q, g = 1 / (er * er + ei * ei);
        double gr = g * g * er, gi = -g * g * ei;
        m.s1 += g;
        m.s2r += gr, m.s2i += gi;
        m.s2wr += u * gr, m.s2wi += u * gi;
        m.s4 += g * g, m.s4w += u * u * g * g;
    }
    rs_sho_errors(&m, 1, 1 / p->q, rel * rel, e);
    *se = (rs_sho){p->amplitude * e[RS_SHO_LN_A], p->frequency * e[RS_SHO_LN_W0],
                   fabs(p->q) * e[RS_SHO_LN_Q], e[RS_SHO_PHI]};
    if (peak) *peak = p->amplitude * fabs(p->q) * e[RS_SHO_LN_AQ];
}

reshed_status rs_sho_check_axis(const double *frequency, int64_t n, reshed_error *err)
{
    if (n < RS_SHO_MIN_BINS || n > RS_SHO_MAX_BINS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "frequency axis|%d to %d bins|%lld bins",
                       RS_SHO_MIN_BINS, RS_SHO_MAX_BINS, (long long)n);
    for (int64_t k = 0; k < n; k++) {
        if (!(frequency[k] > 0 && isfinite(frequency[k])))
            return rs_fail(err, RESHED_EINVAL,
                           "frequency axis|positive, finite frequencies|%g Hz|bin %lld",
                           frequency[k], (long long)k);
        if (k > 0 && !(frequency[k] > frequency[k - 1]))
            return rs_fail(err, RESHED_EINVAL,
                           "frequency axis|rising frequencies|%g Hz after %g Hz|bin %lld",
                           frequency[k], frequency[k - 1], (long long)k);
    }
    return RESHED_OK;
}
