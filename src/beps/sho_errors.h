/* sho_errors.h - what a fit of the SHO does not know: standard errors and the bias of least
 * squares.
 *
 * All sums run over the bins, with D = u^2 - i c u - d the denominator in normalised frequency u,
 * b = 1/D and z b the model (so d = w0^2, c = w0/Q, |z| = A d). The derivatives of the model are z
 * b (for ln z), z b^2 (for d) and i u z b^2 (for c); hence these sums hold the information
 * matrix. */
#ifndef RS_BEPS_SHO_ERRORS_H
#define RS_BEPS_SHO_ERRORS_H

typedef struct rs_sho_moments {
    double s1;         /* sum |b|^2 */
    double s2r, s2i;   /* sum |b|^2 b */
    double s2wr, s2wi; /* sum u |b|^2 b */
    double s4, s4w;    /* sum |b|^4, sum u^2 |b|^4 */
} rs_sho_moments;

/* The part that second derivatives add. */
typedef struct rs_sho_moments2 {
    double s4u;     /* sum u |b|^4 */
    double t[3][2]; /* sum u^j |b|^2 b^2, j = 0, 1, 2 */
    double v[4][2]; /* sum u^j |b|^4 b, j = 0 .. 3 */
} rs_sho_moments2;

/* Relative quantities in the order ln A, ln w0, ln Q, phi, ln(A Q). */
enum { RS_SHO_LN_A, RS_SHO_LN_W0, RS_SHO_LN_Q, RS_SHO_PHI, RS_SHO_LN_AQ, RS_SHO_RELATIVES };

/* Standard errors when each quadrature has the given noise variance, in units of |z|^2. NaN where
 * the information matrix is singular. */
void rs_sho_errors(const rs_sho_moments *m, double d, double c, double variance,
                   double out[RS_SHO_RELATIVES]);

/* The bias of least squares to second order, that is (E[estimate] - truth)/truth for A, w0, Q and
 * A Q, and E[estimate] - truth for phi: the model's curvature (Box, J. R. Statist. Soc. B 33 (1971)
 * 171, Eq. 2.25) and that of the way from (z, d, c) to the parameters. */
void rs_sho_bias(const rs_sho_moments *m, const rs_sho_moments2 *n, double d, double c,
                 double variance, double out[RS_SHO_RELATIVES]);

#endif
