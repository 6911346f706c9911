/* electrostatic.h - the electrostatic part of a response: proportional to the voltage. */
#ifndef RS_BEPS_ELECTROSTATIC_H
#define RS_BEPS_ELECTROSTATIC_H

#include "beps/loop.h"

typedef struct rs_electrostatic {
    double slope; /* R/V; NaN when it cannot be found */
    double y0;    /* R at V = 0 */
    double cpd;   /* V: -y0/slope */
    double r2;
} rs_electrostatic;

/* One slope through both saturated ends (samples as rs_loop_saturation takes them), each with its
 * own level, of which y0 is the mean. For on-field loops: there the electrostatic force adds
 * slope*(V - cpd) to the response (domain of validity: saturated loops). */
void rs_electrostatic_saturation(const rs_sweep *s, const double *y, const uint8_t *skip,
                                 double fraction, rs_electrostatic *out);

/* Regression of the on-field minus the off-field response, mean of both branches, against the write
 * voltage within [lo,hi] (PySSPFM: -5 to 5 V). on, off [s->n]. */
void rs_electrostatic_difference(const rs_sweep *s, const double *on, const double *off,
                                 const uint8_t *skip, double lo, double hi, rs_electrostatic *out);

#endif
