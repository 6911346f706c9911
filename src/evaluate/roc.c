#include "evaluate/roc.h"

#include <math.h>

/* The share of b[nb] that x beats (sign 1) or that beats x (sign -1), and the sample variance of
 * that share over a[na]; returns the mean share. */
static double shares(const double *a, size_t na, const double *b, size_t nb, int sign,
                     double *variance)
{
    double mean = 0, square = 0; /* Welford */
    for (size_t i = 0; i < na; i++) {
        double won = 0;
        for (size_t j = 0; j < nb; j++)
            won += a[i] == b[j] ? 0.5 : (a[i] > b[j]) == (sign > 0) ? 1 : 0;
        double share = won / (double)nb, d = share - mean;
        mean += d / (double)(i + 1);
        square += d * (share - mean);
    }
    *variance = square / (double)(na - 1);
    return mean;
}

reshed_status rs_roc_area(const double *negative, size_t n, const double *positive, size_t m,
                          rs_roc *out, reshed_error *err)
{
    if (n < 2 || m < 2)
        return rs_fail(err, RESHED_EINVAL, "scores of a group|2 or more|%zu", n < m ? n : m);
    for (size_t i = 0; i < n + m; i++)
        if (isnan(i < n ? negative[i] : positive[i - n]))
            return rs_fail(err, RESHED_EINVAL, "score of a group|a number|NaN");
    double v_positive, v_negative;
    double area = shares(positive, m, negative, n, 1, &v_positive);
    shares(negative, n, positive, m, -1, &v_negative);
    double error = sqrt(v_positive / (double)m + v_negative / (double)n);
    double reach = error > 0 ? 1.959963984540054 * error : 3 / (double)(n < m ? n : m);
    *out = (rs_roc){area, fmax(area - reach, 0), fmin(area + reach, 1)};
    return RESHED_OK;
}
