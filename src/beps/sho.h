/* sho.h - the simple harmonic oscillator (SHO) of band excitation: the model, its derivatives, and
 * the least errors that any fit can have.
 *
 *     H(w) = A e^{i phi} w0^2 / (w^2 - i w w0/Q - w0^2)
 *
 * w and w0 are ordinary frequencies in Hz. A is drive-referred: the response far below resonance
 * has modulus A, the peak A Q, with the phase phi + pi/2 (Jesse et al., Nanotechnology 18 (2007)
 * 435503; the form and the meaning of A are BGlib's, so the numbers can be compared). Complex
 * spectra are interleaved re, im. */
#ifndef RS_BEPS_SHO_H
#define RS_BEPS_SHO_H

#include "base/status.h"

typedef struct rs_sho {
    double amplitude; /* A >= 0, unit of the spectra (V) */
    double frequency; /* w0, Hz */
    double q;         /* quality factor; < 0 only in a guess, where it says: conjugated data */
    double phase;     /* phi in (-pi, pi], radians */
} rs_sho;

/* h[2n]: the model at frequency[n]. */
void rs_sho_eval(const rs_sho *p, const double *frequency, int n, double *h);

/* jac[4][2n]: dH/dA, dH/dw0, dH/dQ, dH/dphi, each interleaved like h. */
void rs_sho_jacobian(const rs_sho *p, const double *frequency, int n, double *jac);

/* Standard errors of a least-squares fit of p to n bins whose real and imaginary parts carry
 * independent Gaussian noise of standard deviation sigma: the Cramer-Rao bound. peak (may be NULL)
 * receives that of the peak amplitude A Q, whose errors partly cancel. NaN where the spectrum does
 * not determine p. */
void rs_sho_bound(const rs_sho *p, const double *frequency, int n, double sigma, rs_sho *se,
                  double *peak);

/* A frequency axis that everything here accepts: n >= RS_SHO_MIN_BINS strictly rising, positive,
 * finite values. */
#define RS_SHO_MIN_BINS 4
#define RS_SHO_MAX_BINS 16384
reshed_status rs_sho_check_axis(const double *frequency, int64_t n, reshed_error *err);

#endif
