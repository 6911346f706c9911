/* region.h - one region from its first line to its last loop: the workflow of an acquisition.
 *
 * What is done, in this order, each step from what the session already holds, so that an
 * interrupted run goes on where it stopped:
 *
 *     survey      lines, fits, wall map               (survey.h)
 *     choose      skeleton, walls, points             (choose.h), or a list of the caller's
 *     confirm     the caller may look, change, or end it here
 *     measure     loops at the points                 (measure.h) */
#ifndef RS_SPM_SCAN_REGION_H
#define RS_SPM_SCAN_REGION_H

#include "spm/scan/choose.h"
#include "spm/scan/measure.h"
#include "spm/scan/survey.h"

typedef enum rs_region_end {
    RS_REGION_COMPLETE,
    RS_REGION_INTERRUPTED, /* by the caller; can be resumed */
    RS_REGION_UNCONFIRMED, /* the points wait for a yes; can be resumed */
    RS_REGION_ALARMED,     /* out of distribution: no point was chosen */
    RS_REGION_TIP_CHANGED, /* points are left; can be resumed */
    RS_REGION_FAILED
} rs_region_end;

typedef struct rs_region_options {
    const rs_scan_settings *settings;
    double time_zero;
    int threads;
    void *ctx; /* of the functions; any of which may be NULL */
    void (*survey_news)(void *ctx, const rs_survey_news *news);
    void (*measure_news)(void *ctx, const rs_measure_news *news);
    bool (*interrupted)(void *ctx);
    double (*score)(void *ctx, const rs_live_view *map, int row0, int row1);
    double alarm_score;
    /* Replaces or thins the chosen points: *points (rs_alloc) and *n may be changed. False: stop.
     */
    bool (*confirm)(void *ctx, const rs_choice *choice, rs_session_point **points, int *n);
} rs_region_options;

/* The setup of a session for an open driver whose frame and band excitation are set; texts are
 * filled in by the caller. frequency [caps.bins], voltage [steps] and metric
 * [RS_SESSION_MAX_METRICS] are the caller's and filled here. */
reshed_status rs_region_setup(rs_instrument *instrument, const rs_frame *frame,
                              const rs_scan_settings *settings, double *frequency, double *voltage,
                              rs_session_metric *metric, rs_session_setup *out, reshed_error *err);

/* Does what is left to do. On FAILED err says why and *status what the driver meant by it. */
rs_region_end rs_region_run(rs_session *session, rs_instrument *instrument, rs_live *stream,
                            const rs_region_options *options, rs_driver_status *status,
                            reshed_error *err);

/* Everything again from the raw data, without an instrument, into out: mean and variance
 * [rows,cols] and metrics [points][metrics]; any may be NULL. */
reshed_status rs_region_analyse(rs_session *session, rs_live *stream,
                                const rs_region_options *options, float *mean, float *variance,
                                rs_choice *choice, double *metrics, reshed_error *err);

#endif
