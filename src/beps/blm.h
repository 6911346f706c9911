/* blm.h - bounded Levenberg-Marquardt for small dense problems: a dozen parameters, tens to
 * thousands of residuals, called millions of times.
 *
 * Least squares with bounds, as an active-set method: a parameter that lies on a bound and would be
 * pushed over it is held there for the step, the others take a damped Gauss-Newton step, cut at
 * their bounds. Damping follows the ratio of the actual to the predicted decrease (Nielsen 1999),
 * scaled by the largest curvature seen in each parameter (More 1978). Normal equations by Cholesky:
 * with scaled data and a handful of parameters their squared condition costs no digits that the
 * noise leaves. */
#ifndef RS_BEPS_BLM_H
#define RS_BEPS_BLM_H

#include <stddef.h>

#define RS_BLM_MAX 12

/* Writes the residuals r [m] at p [n] and d r_i / d p_k at jac[i*n + k]. */
typedef void (*rs_blm_model)(void *ctx, const double *p, double *r, double *jac);

typedef enum rs_blm_stop {
    RS_BLM_CONVERGED = 0,
    RS_BLM_LIMIT,       /* iterations used up */
    RS_BLM_BAD_RESIDUAL /* not finite at the start */
} rs_blm_stop;

typedef struct rs_blm_options {
    int iterations; /* at most */
    double ftol;    /* stop when the relative decrease of the sum of squares is below this */
    double xtol;    /* or the relative size of the step */
} rs_blm_options;

typedef struct rs_blm_result {
    rs_blm_stop stop;
    int iterations;
    double sum;        /* of the squared residuals */
    unsigned at_bound; /* bit k: parameter k ended on a bound */
} rs_blm_result;

/* Doubles of workspace for n parameters and m residuals. */
size_t rs_blm_work(int n, int m);

/* p [n]: start (moved into the bounds) and result; lo, hi [n], lo < hi, may be infinite. covariance
 * [n*n] or NULL: of the parameters, from the residuals' variance sum/(m-n); rows and columns of
 * parameters on a bound, and all of it when it is singular, are NaN. */
void rs_blm_solve(rs_blm_model model, void *ctx, int n, int m, const double *lo, const double *hi,
                  const rs_blm_options *options, double *work, double *p, double *covariance,
                  rs_blm_result *result);

#endif
