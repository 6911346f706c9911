/* branchfit.h - PySSPFM's model of a loop: a sigmoid or an arctangent for each branch. */
#ifndef RS_BEPS_BRANCHFIT_H
#define RS_BEPS_BRANCHFIT_H

#include <stdbool.h>

#include "beps/loop.h"

/* PySSPFM's branches (core/curve_hysteresis.py): offset + slope V + ampli (1/(1 + exp(-coef (V -
 * x0))) - 1/2), or ampli atan(coef (V - x0)) as the transition; offset, slope and ampli are shared.
 * "right" is the branch of the larger x0. */
typedef enum rs_branch_model {
    RS_MODEL_NONE = 0,
    RS_MODEL_SIGMOID,
    RS_MODEL_ARCTAN
} rs_branch_model;

enum {
    RS_SIG_OFFSET,
    RS_SIG_SLOPE,
    RS_SIG_AMPLI,
    RS_SIG_COEF_R,
    RS_SIG_COEF_L,
    RS_SIG_X0_R,
    RS_SIG_X0_L,
    RS_SIG_PARAMS
};

typedef struct rs_branch_options {
    rs_branch_model model;
    bool asymmetric; /* coef differs between the branches */
    bool slope;      /* fit the slope (on-field); 0 otherwise */
} rs_branch_options;

typedef struct rs_branch_fit {
    bool ok;
    double p[RS_SIG_PARAMS];
    double r2;            /* mean of the two branches' R2, as PySSPFM */
    double inflection[2]; /* V, right and left: the slope is 10 % of its largest, before the
                             switching */
    double saturation[2]; /* V, right and left, where the branch is at 90 % of ampli/2 */
    double crossing[2];   /* V, right and left branch through zero, offset and slope included */
} rs_branch_fit;

void rs_branch_fit_run(const rs_sweep *s, const double *y, const uint8_t *skip,
                       const rs_branch_options *options, double *work, rs_branch_fit *out);

#endif
