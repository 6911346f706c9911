/* reference.h - a loop at one place that is measured again and again: when it changes by more than
 * it may, the tip is no longer the one that it was. */
#ifndef RS_SPM_SCAN_REFERENCE_H
#define RS_SPM_SCAN_REFERENCE_H

#include "spm/scan/loops.h"

typedef struct rs_reference {
    double first[RS_SESSION_MAX_METRICS]; /* what later ones are compared with */
    bool known;                           /* whether there is one */
    int count;                            /* reference loops in the session */
} rs_reference;

/* Takes the first reference with a loop in it from a session that is resumed. */
reshed_status rs_reference_init(rs_reference *r, rs_scan_loops *loops, reshed_error *err);

/* Measures at stage position (x, y). DONE also when the instrument lost or refused the loop, which
 * is noted in the session; TIP_CHANGED when the loop differs from the first by more than the
 * settings allow; INTERRUPTED: the caller still has to halt the instrument. */
rs_outcome rs_reference_measure(rs_reference *r, rs_scan_loops *loops, double x, double y);

#endif
