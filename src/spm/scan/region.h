/* region.h - one region from its first line to its last loop: the workflow of an acquisition.
 *
 * The steps of steps.h one after the other, each from what the session already holds, so that an
 * interrupted run goes on where it stopped. Unless others are asked for:
 *
 *     survey      lines, fits, wall map               (survey.h)
 *     choose      skeleton, walls, points             (choose.h), or a list of the caller's
 *     confirm     the caller may look, change, or end it here
 *     loops       loops at the points                 (measure.h)
 *
 * A step that is over is noted in the session's log, in one piece with what came of it. */
#ifndef RS_SPM_SCAN_REGION_H
#define RS_SPM_SCAN_REGION_H

#include "spectra/loops.h"
#include "spm/scan/choose.h"
#include "spm/scan/measure.h"
#include "spm/scan/steps.h"
#include "spm/scan/survey.h"

/* Functions get the context's ctx; any may be NULL. */
typedef struct rs_region_options {
    const rs_flow *steps; /* NULL: those of rs_flow_default */
    rs_survey_options survey;
    void (*measure_news)(void *ctx, const rs_measure_news *news);
    /* Replaces or thins the chosen points: *points (rs_alloc) and *n may be changed. False: the
     * region ends here, UNCONFIRMED. */
    bool (*confirm)(void *ctx, const rs_choice *choice, rs_session_point **points, int *n);
    bool
        ask; /* after that, and with a helm: the person there says yes or no, and may change the points
                 (steer.h) */
} rs_region_options;

/* The setup of a session for an open instrument whose frame and band excitation are set; texts are
 * filled in by the caller. frequency [caps.bins], voltage [steps] and metric
 * [RS_SESSION_MAX_METRICS] are the caller's and filled here. */
reshed_status rs_region_setup(const rs_instrument *instrument, const rs_frame *frame,
                              const rs_scan_settings *settings, double *frequency, double *voltage,
                              rs_session_metric *metric, rs_session_setup *out, reshed_error *err);

/* Does what is left to do. DONE also when the budget was too short for all points. The instrument
 * is left as the last step left it; after anything but DONE and UNCONFIRMED halt it. */
rs_outcome rs_region_run(const rs_scan_context *c, rs_live *stream, const rs_region_options *o);

/* The points of the stream's final rows, as that step says; NULL: as the settings alone do. */
reshed_status rs_region_choose(const rs_scan_context *c, rs_live *stream, const rs_flow_step *step,
                               rs_choice *out, reshed_error *err);

#endif
