/* sho_sim.h - simulated spectra of oscillators, and a textbook fit to compare with. */
#ifndef RS_TESTS_SUPPORT_SHO_SIM_H
#define RS_TESTS_SUPPORT_SHO_SIM_H

#include "beps/sho.h"
#include "beps/sho_fit.h"
#include "support/support.h"

#define SHO_MAX_BINS 400

/* n bins evenly from lo to hi. */
void sho_axis(double *w, int n, double lo, double hi);

/* The two axes of the accuracy bars: the golden spectrum's band, and the author's 4 ms pulse over
 * 100 kHz. Returns the bins. */
int sho_standard_axis(int which, double *w);

/* An oscillator with its resonance in the band of w [n]. */
rs_sho sho_random(test_rng *r, const double *w, int n);

/* y [2n]: a spectrum with noise of `noise` times the peak in each quadrature. */
void sho_simulate(test_rng *r, const rs_sho *p, const double *w, int n, double noise, double *y);

/* Of the model at p against y [2n]. */
double sho_squared_error(const rs_sho *p, const double *w, int n, const double *y);

/* A plan, or the test fails. */
rs_sho_plan *sho_plan(const double *w, int n, const rs_sho_options *o);

/* Least squares without the correction of the bias, one thread. */
rs_sho_options sho_plain(void);

/* One spectrum through a plan of its own. */
rs_sho_fit sho_fit_one(const double *w, int n, const double *y, const rs_sho_options *o);

/* Each parameter within `relative` of that of b; the phase within as many radians. */
void assert_same_sho(const rs_sho *a, const rs_sho *b, double relative);

/* Solves the symmetric positive definite a x = b of four unknowns; false when it is not. */
bool sho_solve4(const double a[4][4], const double b[4], double x[4]);

/* J^T J in units of each parameter (A, w0, Q and 1), so that it is well scaled. */
void sho_information(const rs_sho *p, const double *w, int n, double jac[4][2 * SHO_MAX_BINS],
                     double m[4][4]);

/* The textbook: Levenberg-Marquardt on the four parameters and 2n residuals, run until nothing
 * moves. hold: the number of a parameter that stays as it is, -1 for none. */
void sho_reference_fit(rs_sho *p, int hold, const double *w, int n, const double *y);

#endif
