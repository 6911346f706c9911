/* measure.h - the list of points: loops at each of them, with drift followed, a reference point
 * measured again and again, and nothing that leaves the limits.
 *
 * Before the first point and after every few of them a patch around the next point is scanned
 * again and matched with the survey (follow.h); the points that follow are shifted by what was
 * found. The reference point (reference.h) is the first of the list. When its loop changes by
 * more than it may, or the patch looks as if a different tip had scanned it, the list pauses, so
 * that a person can decide. */
#ifndef RS_SPM_SCAN_MEASURE_H
#define RS_SPM_SCAN_MEASURE_H

#include "spm/scan/context.h"
#include "spm/scan/request/duration.h"
#include "spm/scan/outcome.h"

typedef struct rs_measure_news {
    int index;                     /* of the point that was measured, or could not be */
    const rs_session_point *point; /* it */
    const rs_session_loop *loop;   /* NULL: none came */
    int done, of;                  /* points */
    const double *metric;          /* of the latest loop, as spectra/loops.h orders them */
    double left;                   /* s that the rest will take */
} rs_measure_news;

/* How long a list of n points takes, from the settings and what the driver says of a loop; zeros where
 * the instrument takes no time. */
rs_durations rs_measure_planned(const rs_instrument *instrument, const rs_scan_settings *s, int n);

typedef struct rs_measure_options {
    const float *survey;  /* amplitude [rows,cols] */
    const uint8_t *fresh; /* [rows] as rs_follower_init has it */
    double
        *spent; /* s of the budget that lists have taken, on the instrument's clock; this one's are
                      added */
    void (*news)(
        void *ctx,
        const rs_measure_news *news); /* after each point, with the context's ctx; or NULL */
} rs_measure_options;

/* Heeds the helm between two points: pauses, goes on, measures a point again.
 * Measures every pending point of the session. The instrument's spectroscopy must have been set.
 * OUT_OF_TIME: the budget, or a test that is decided (decide.h); what is left is SKIPPED. TIP_CHANGED: what is left stays PENDING.
 * With a budget the list is planned anew after each point, from what points, patches and reference loops
 * took: points that there is no time for are passed over evenly along the way (rs_thinning_keeps), and SKIPPED at
 * the end.
 * INTERRUPTED: the instrument has been halted, and a loop under way is given up. */
rs_outcome rs_measure_points(const rs_scan_context *c, const rs_measure_options *o);

#endif
