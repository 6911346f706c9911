/* follow.h - follows the drift of the sample: scans a patch of the frame again, matches it with the
 * survey (drift.h), and says where the sample went and whether the tip looks like another one. */
#ifndef RS_SPM_SCAN_FOLLOW_H
#define RS_SPM_SCAN_FOLLOW_H

#include "imgproc/image/grid.h"
#include "spectra/lines.h"
#include "spm/scan/context.h"
#include "spm/scan/outcome.h"

typedef struct rs_follower {
    const rs_scan_context *context;
    const rs_session_setup *setup;
    const float *survey; /* amplitude [rows,cols], borrowed */
    rs_line_fit *fit;    /* of patch lines; NULL without spectra */
    float *patch;        /* [patch_rows,patch_rows]: the latest */
    int patches;         /* in the session */
    double dx, dy;       /* m, where the sample went since the survey */
    double *row_time; /* [rows] of the survey's lines, on the instrument's clock; NaN: unknown, or
                            scanned before it was opened this time, by another clock */
    double patch_time, survey_time; /* of the latest patch that was found, and of the same rows */
    double vx, vy;                  /* m/s between these two; NaN: unknown */
    double sigma;                   /* m: standard error of dx, dy */
    double line_time;               /* of the patch that is being scanned: a sum */
    int lines;
} rs_follower;

/* fresh [rows]: 1 for lines that were scanned since the instrument was opened; NULL: none. Also after a
 * failure rs_follower_clear is due. */
reshed_status rs_follower_init(rs_follower *f, const rs_scan_context *c, const float *survey,
                               const uint8_t *fresh, reshed_error *err);
void rs_follower_clear(rs_follower *f);

/* Where the sample will have gone, m, at a point of this row at a time (instrument's clock; NaN: when
 * the patch was scanned), since that row of the survey: rows that were scanned earlier have moved
 * farther. The velocity is used only where its error does not outgrow that of the shift: for a shift of
 * more than three sigma, or over no more time than it was found from. */
rs_xy rs_follower_shift(const rs_follower *f, double row, double time);

/* Looks at the patch around a point. DONE also when no patch was to be had or it was not found
 * again, which is noted in the session, dx and dy staying as they were; TIP_CHANGED by its
 * contrast; INTERRUPTED: the instrument has been halted. */
rs_outcome rs_follower_look(rs_follower *f, const rs_session_point *at);

#endif
