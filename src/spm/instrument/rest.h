/* rest.h - the good end of a run: voltages to zero, then the tip where the user wants it, step by
 * step, so that what was done and what was not can be said. A halt is for all other ends. */
#ifndef RS_SPM_INSTRUMENT_REST_H
#define RS_SPM_INSTRUMENT_REST_H

#include "spm/instrument/instrument.h"

typedef enum rs_tip_end {
    RS_TIP_WITHDRAW = 0,
    RS_TIP_LEAVE, /* on the sample, where the last step left it */
    RS_TIP_PARK   /* withdrawn, then moved to a place */
} rs_tip_end;

typedef struct rs_rest {
    rs_tip_end tip;
    double x, y, speed; /* m, m, m/s: PARK */
    double within;      /* s for the tip: to withdraw, and to move beside the time of its way */
} rs_rest;

typedef struct rs_rest_step {
    const char *what; /* "bias 0 V", "drive off", "tip withdrawn", "tip parked" */
    bool missing;     /* the driver has no such function: said, and no failure */
    rs_driver_status status;
    reshed_error err; /* of a failure */
} rs_rest_step;

enum { RS_REST_STEPS = 4 };
typedef struct rs_rest_report {
    rs_rest_step step[RS_REST_STEPS];
    int n;
} rs_rest_report;

/* All steps, each also after another has failed, except that a tip that was not withdrawn is not
 * moved. The worst of the answers; the report (may be NULL) has each. */
rs_driver_status rs_instrument_rest(rs_instrument *i, const rs_rest *how, double timeout,
                                    rs_rest_report *report, reshed_error *err);
/* RESHED_EUNSUPPORTED when the driver has not the functions, RESHED_EINVAL when the place is
 * outside the limits. */
reshed_status rs_rest_check(const rs_instrument *i, const rs_rest *how, reshed_error *err);
/* "bias 0 V, drive off (not this driver's), tip withdrawn: FAILED", cut to fit. Returns buf. */
const char *rs_rest_text(const rs_rest_report *report, char *buf, size_t n);

#endif
