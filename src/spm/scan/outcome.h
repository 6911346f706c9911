/* outcome.h - how a run ended: one type for a survey, a list of points, a reference loop, a look at
 * the drift, a region and an analysis done again.
 *
 *     rs_outcome o = rs_outcome_driver(rs_instrument_set_frame(it, &frame, 10, &err), &err);
 *     if (o.end != RS_END_DONE) return o;
 *     return rs_outcome_status(rs_session_put_map(...), &err); */
#ifndef RS_SPM_SCAN_OUTCOME_H
#define RS_SPM_SCAN_OUTCOME_H

#include "base/status.h"
#include "reshed_driver.h"

typedef enum rs_end {
    RS_END_DONE = 0,
    /* Nothing has failed; what is left can be done by another run. */
    RS_END_INTERRUPTED, /* by the caller: an instrument that was at work has been halted */
    RS_END_UNCONFIRMED, /* the points wait for a yes */
    RS_END_ALARMED,     /* out of distribution: no point was chosen */
    RS_END_TIP_CHANGED, /* points are left */
    RS_END_OUT_OF_TIME, /* the budget: points that are left are skipped */
    /* Failures; err says why. */
    RS_END_REFUSED, /* a limit or the instrument does not allow it */
    RS_END_LOST,    /* the instrument does not answer any more */
    RS_END_DISK,    /* a file cannot be read or written */
    RS_END_FAILED   /* anything else */
} rs_end;

typedef struct rs_outcome {
    rs_end end;
    rs_driver_status driver; /* the driver's answer; OK when it was not the driver */
    reshed_error err;
} rs_outcome;

rs_outcome rs_outcome_of(rs_end end);
/* Of a call within the program: DONE, DISK (RESHED_EIO) or FAILED. */
rs_outcome rs_outcome_status(reshed_status st, const reshed_error *err);
/* Of a request to the instrument: DONE, REFUSED, LOST, or FAILED for a line that will not come and
 * for RETRY, which is then RESHED_ETIMEOUT. err.status is never RESHED_OK but with DONE. */
rs_outcome rs_outcome_driver(rs_driver_status st, const reshed_error *err);
/* Of a check against the limits: DONE or REFUSED. */
rs_outcome rs_outcome_limits(reshed_status st, const reshed_error *err);

bool rs_outcome_failed(const rs_outcome *o);

#endif
