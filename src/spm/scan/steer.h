/* steer.h - orders at the boundaries of a run: who wanted what, and what was done, in the session's log.
 *
 *     rs_order o;
 *     while (rs_steer_next(c, RS_STEER(RS_ORDER_PAUSE), 0, &o)) {
 *         pause();
 *         rs_steer_answer(c, &o, true, "paused after row %d", row);
 *     }
 *
 * A context without a helm has no orders. */
#ifndef RS_SPM_SCAN_STEER_H
#define RS_SPM_SCAN_STEER_H

#include "spm/scan/choose.h"
#include "spm/scan/context.h"
#include "spm/scan/outcome.h"

#define RS_STEER(kind) (1u << (kind))

/* The next order that this boundary can carry out (`allowed`, RS_STEER of each), waiting for one up to so many
 * seconds. Notes are written and stops answered here, and all else is answered as not possible now. */
bool rs_steer_next(const rs_scan_context *c, unsigned allowed, double seconds, rs_order *out);
/* The same is an event of the session when it was done. */
void rs_steer_answer(const rs_scan_context *c, const rs_order *o, bool done, const char *format,
                     ...) RS_PRINTF(4, 5);
/* Nothing without a helm. */
void rs_steer_phase(const rs_scan_context *c, rs_helm_phase phase, bool paused, const char *text);
/* True once a wait for a person that began then (rs_os_monotonic) is over; that is logged. */
bool rs_steer_is_late(const rs_scan_context *c, double since, const char *what);

/* Waits until a person has said yes to the points, who may change them meanwhile: *points (rs_alloc)
 * and *n, `most` at most. Every place is held against the limits and the choice's rules when it is made.
 * DONE: yes; UNCONFIRMED: no; INTERRUPTED: by the caller, or no order came for as long as the helm
 * waits. */
rs_outcome rs_steer_confirm(const rs_scan_context *c, const rs_choice *choice, int most,
                            rs_session_point **points, int *n);

#endif
