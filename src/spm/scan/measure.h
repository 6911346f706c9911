/* measure.h - the list of points: loops at each of them, with drift followed, a reference point
 * measured again and again, and nothing that leaves the limits.
 *
 * Before the first point and after every few of them a patch around the next point is scanned again
 * and matched with the survey (drift.h); the points that follow are shifted by what was found. The
 * reference point is the first of the list: when its loop changes by more than it may, or the patch
 * looks as if a different tip had scanned it, the list pauses, so that a person can decide. */
#ifndef RS_SPM_SCAN_MEASURE_H
#define RS_SPM_SCAN_MEASURE_H

#include "spectra/loops.h"
#include "spm/instrument/instrument.h"
#include "spm/scan/settings.h"
#include "spm/session/session.h"

typedef enum rs_measure_end {
    RS_MEASURE_COMPLETE,
    RS_MEASURE_INTERRUPTED, /* the instrument has been halted; a loop under way is given up */
    RS_MEASURE_OUT_OF_TIME, /* the budget; what is left is SKIPPED */
    RS_MEASURE_TIP_CHANGED, /* paused: the points that are left stay PENDING */
    RS_MEASURE_FAILED
} rs_measure_end;

typedef struct rs_measure_news {
    int done, of;         /* points */
    const double *metric; /* of the latest loop, as spectra/loops.h orders them */
    double left;          /* s that the rest will take */
} rs_measure_news;

typedef struct rs_measure_options {
    double time_zero; /* rs_os_monotonic that the session's times count from */
    int threads;
    void *ctx;
    void (*news)(void *ctx, const rs_measure_news *news); /* NULL: none */
    bool (*interrupted)(void *ctx);                       /* NULL: never */
} rs_measure_options;

/* Seconds of real time that a point takes, with its share of patches and references. */
double rs_measure_seconds(rs_instrument *instrument, const rs_scan_settings *s);

/* Measures every pending point of the session. amplitude: the survey [rows,cols]. The driver's
 * spectroscopy must have been set. On FAILED err says why and *status what the driver meant. */
rs_measure_end rs_measure_points(rs_session *session, rs_instrument *instrument,
                                 const rs_scan_settings *settings, const float *amplitude,
                                 const rs_measure_options *options, rs_driver_status *status,
                                 reshed_error *err);

/* Redoes the analysis of every spectrum that the session holds. write: into the session; out, NULL
 * or [points][metrics]: NaN where nothing was measured. */
reshed_status rs_measure_analyse(rs_session *session, const rs_scan_settings *settings, bool write,
                                 double *out, reshed_error *err);

#endif
