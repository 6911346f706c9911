/* sho_bank.h - starting points of the fit: a bank of resonances that covers the band and the range
 * of Q.
 *
 * The power that a unit-norm template t takes out of a spectrum is |sum conj(t) y|^2. The template
 * that takes most is within about half a linewidth of the best fit and a factor 1.4 of its Q, close
 * enough for the iteration, and it is found from all bins under the line: unlike a guess from the
 * largest bins it survives noise, and of two peaks it takes the stronger. Templates depend on the
 * axis only and are made once. They are cut at REACH linewidths, so that every octave of Q costs
 * the same. */
#ifndef RS_BEPS_SHO_BANK_H
#define RS_BEPS_SHO_BANK_H

#include "beps/sho_kernel.h"

typedef struct rs_sho_template {
    double d, c;     /* as in rs_sho_sums */
    int first, bins; /* the bins it covers */
    size_t at;       /* its [bins][2] values in the bank */
} rs_sho_template;

typedef struct rs_sho_bank {
    int n;
    rs_sho_template *t; /* [n]; owned */
    float *values;      /* owned */
    size_t n_values;
} rs_sho_bank;

/* u[bins]: the axis over the plan's reference. Templates lie at u0 in [u_min, u_max] as far as the
 * axis reaches, with linewidths (u0/Q) in [c_min, c_max] as far as the axis can tell them apart. */
reshed_status rs_sho_bank_init(rs_sho_bank *bank, const double *u, int bins, double u_min,
                               double u_max, double c_min, double c_max, reshed_error *err);
void rs_sho_bank_clear(rs_sho_bank *bank);

/* best[lane]: the template that fits y: [bins][2][lanes] best. */
void rs_sho_bank_match(const rs_sho_bank *bank, const float *y, int best[RS_SHO_LANES]);

#endif
