/* sho_fit.h - least-squares fits of the SHO to many spectra on one frequency axis.
 *
 *     rs_sho_options opt;
 *     rs_sho_plan *plan = NULL;
 *     rs_sho_options_defaults(&opt);
 *     if (rs_sho_plan_create(frequency, 64, &opt, &plan, err) == RESHED_OK)
 *         rs_sho_fit_f32(plan, spectra, 65536, fits);
 *     rs_sho_plan_free(plan);
 *
 * Minimised is sum |y - H|^2 over the real and imaginary parts of all finite bins: with Gaussian
 * noise the maximum-likelihood answer. See sho_fit.c for the method. */
#ifndef RS_BEPS_SHO_FIT_H
#define RS_BEPS_SHO_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "beps/sho.h"

/* Marks of fits that lack something. */
typedef enum rs_sho_flag {
    /* Failures: without parameters (all NaN) ... */
    RS_SHO_FEW_BINS = 1 << 0, /* fewer finite bins than RS_SHO_MIN_BINS */
    RS_SHO_FLAT = 1 << 1,     /* all bins have one value: nothing to fit */
    /* ... or with parameters that must not be believed */
    RS_SHO_NOISE = 1 << 2,         /* no resonance stands out of the noise */
    RS_SHO_UNCONVERGED = 1 << 3,   /* max_passes were not enough */
    RS_SHO_FREQUENCY_LIM = 1 << 4, /* the resonance lies at the limit of its range: outside */
    RS_SHO_Q_LIM = 1 << 5,         /* Q lies at the limit of its range */
    RS_SHO_AMPLITUDE_LIM = 1 << 6, /* A lies outside its range */
    RS_SHO_POOR = 1 << 7,          /* R2 < min_r2 */
    /* Warnings: the fit is the best one of this model */
    RS_SHO_NAN_BINS = 1 << 8,  /* bins that were not finite have been left out */
    RS_SHO_STRUCTURE = 1 << 9, /* neighbouring residuals agree (a second peak, a drift, a
                                  background): the standard errors are too small */
    RS_SHO_TWO_MODES =
        1 << 10, /* R2 < 0.9, and what is left is no noise: neighbouring residuals agree
                                   in more than half of it, as beside a second resonance */
    RS_SHO_SATURATED = 1 << 11, /* three or more numbers are the largest of all: clipped */
    RS_SHO_FAILED = (1 << 8) - 1,
    RS_SHO_SUSPECT = RS_SHO_TWO_MODES | RS_SHO_SATURATED
} rs_sho_flag;

/* The reason behind one flag bit, in a few words; "" for others. */
const char *rs_sho_flag_text(unsigned flag);

typedef struct rs_sho_fit {
    rs_sho p;
    double peak;     /* A Q, the response at w0; not the product of p's two, each of which has
                        its own bias taken off */
    rs_sho se;       /* standard errors, from the scatter of the residuals */
    double se_peak;  /* of the peak */
    double r2;       /* 1 - sum|y-H|^2 / sum|y-mean|^2, complex mean (BGlib's "R2 Criterion" as
                        its name says) */
    double noise;    /* standard deviation of the residuals per quadrature, unit of the spectra */
    uint32_t flags;  /* rs_sho_flag */
    uint32_t passes; /* over the spectrum, that the iteration took */
} rs_sho_fit;

typedef struct rs_sho_options {
    double f_min, f_max; /* range of w0 in Hz; 0, 0: the ends of the axis */
    double q_min, q_max; /* range of Q; default 2 to 10,000 */
    double a_min, a_max; /* range of A in the unit of the spectra, looked at after the fit (A enters
                            linearly, so holding it would only spoil the others); 0, infinity */
    double min_r2;       /* below it a fit counts as failed; default -infinity */
    bool unbiased; /* default true: p is corrected for the bias of least squares to second order
                      in the noise (at most half a standard error; 0.1 at 10 % noise and one
                      bin per linewidth); false: p is the minimum itself */
    bool
        conjugate; /* the demodulator had the other sign: fit conj(y). The phase is that of conj(y),
                      the negative of what a guess from y itself says beside its negative Q */
    int max_passes; /* default 100; a resonance in noise takes 6 to 8 */
    int threads;    /* 0: all processors; the results do not depend on it */
} rs_sho_options;

void rs_sho_options_defaults(rs_sho_options *o);
/* RESHED_EINVAL when a range is empty, not finite, or threads or max_passes make no sense. */
reshed_status rs_sho_options_check(const rs_sho_options *o, reshed_error *err);

/* Everything that depends on the axis, and each thread's scratch. One fit call at a time. */
typedef struct rs_sho_plan rs_sho_plan;

/* frequency[bins] in Hz is copied. options may be NULL for the defaults. */
reshed_status rs_sho_plan_create(const double *frequency, int64_t bins,
                                 const rs_sho_options *options, rs_sho_plan **out,
                                 reshed_error *err);
void rs_sho_plan_free(rs_sho_plan *plan);
/* Bytes that the plan holds. */
size_t rs_sho_plan_bytes(const rs_sho_plan *plan);

/* spectra[n][2*bins] -> fits[n]. Allocates nothing and cannot fail as a whole: what is wrong with a
 * spectrum is in its flags. A spectrum's result has the same bits whatever stands beside it and on
 * whatever number of threads. */
void rs_sho_fit_f32(rs_sho_plan *plan, const float *spectra, int64_t n, rs_sho_fit *fits);
void rs_sho_fit_f64(rs_sho_plan *plan, const double *spectra, int64_t n, rs_sho_fit *fits);

#endif
