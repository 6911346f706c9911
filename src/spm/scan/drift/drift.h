/* drift.h - from a part of the frame that was scanned again: how far the sample has moved since the
 * survey, and whether the tip is still the one that scanned it.
 *
 *     rs_drift_options o;
 *     rs_drift_shift shift;
 *     rs_frame f = rs_drift_patch_frame(&survey_frame, 96, 96, 64, 64);   // to be scanned
 *     rs_drift_defaults(&o);
 *     st = rs_drift_match(survey, 256, 256, patch, 64, 64, 96, 96, &o, &shift, err);
 *     if (st == RESHED_OK && shift.found) {
 *         rs_drift_metres(&survey_frame, shift.drow, shift.dcol, &dx, &dy);
 *         go_to(point.x + dx, point.y + dy);
 *     }
 *
 * Sign. (drow, dcol) and (dx, dy) say where the sample went: what the survey showed at pixel (r, c)
 * lies in the patch at (r + drow, c + dcol) of the survey's pixels, so
 *
 *     patch[i][j] = survey[row0 + i - drow][col0 + j - dcol],
 *
 * and a place that was at stage (x, y) is now to be found at (x + dx, y + dy). A sample that creeps
 * to the right and up has dcol > 0 and drow < 0, dx > 0 and dy > 0 (frame angle 0). The twin's
 * drift_x moves its tip over the film, so the sample goes the other way: dx = -drift_x * time. */
#ifndef RS_SPM_SCAN_DRIFT_H
#define RS_SPM_SCAN_DRIFT_H

#include <stdbool.h>

#include "base/status.h"
#include "reshed_driver.h"

typedef struct rs_drift_options {
    int search;         /* pixels in each direction; default 16 */
    double smooth;      /* pixels, standard deviation of the Gaussian that takes single-pixel noise
                           off both images first; default 1, 0: none */
    double min_overlap; /* part of the patch's valid pixels that must meet valid pixels of the
                           survey for a shift to count; default 0.5 */
    double min_peak;    /* correlation that a match must have; default 0.4 */
    double min_lead;    /* by which it must exceed the second best place; default 0.05 */
    double max_sigma;   /* pixels, of the worst direction; default 0.5 */
    int threads;        /* 0: all; the result does not depend on it */
} rs_drift_options;

void rs_drift_defaults(rs_drift_options *o);
reshed_status rs_drift_check(const rs_drift_options *o, reshed_error *err);

typedef enum rs_drift_reason {
    RS_DRIFT_FOUND = 0,
    RS_DRIFT_NO_DATA, /* too few valid pixels, or one of the images is flat */
    RS_DRIFT_BORDER,  /* the best place lies at the border of the search range */
    RS_DRIFT_WEAK,    /* its correlation is below min_peak or not above what chance gives */
    RS_DRIFT_TWO,     /* another place fits nearly as well: a periodic pattern */
    RS_DRIFT_LOOSE    /* the shift is not determined in some direction: parallel walls alone */
} rs_drift_reason;
/* A few words; never NULL. */
const char *rs_drift_reason_text(rs_drift_reason r);

typedef struct rs_drift_shift {
    bool found;
    rs_drift_reason reason;
    double drow, dcol;                           /* pixels; NaN unless found */
    double sigma_row, sigma_col;                 /* pixels, standard errors; NaN when not known */
    double sigma;                                /* pixels, of the worst direction */
    double peak, second, second_row, second_col; /* correlation of the best and of the second best
                                      place and where that is; NaN when there is none */
    int overlap;                                 /* valid pixels that met at the best place */
} rs_drift_shift;

/* survey [H,W], patch [h,w] of pixels of the same size, NaN where there is no value; patch pixel
 * (0,0) was scanned where survey pixel (row0, col0) was, which may lie outside. A shift that is not
 * found is RESHED_OK with found false. Errors: RESHED_EINVAL for sizes and options,
 * RESHED_ENOMEM. */
reshed_status rs_drift_match(const float *survey, int H, int W, const float *patch, int h, int w,
                             int row0, int col0, const rs_drift_options *o, rs_drift_shift *out,
                             reshed_error *err);

/* Pixels of the frame to stage metres (x right, y up, the frame's angle included). */
void rs_drift_metres(const rs_frame *frame, double drow, double dcol, double *dx, double *dy);
/* The largest standard error in metres, for rs_session_drift.sigma. */
double rs_drift_sigma_metres(const rs_frame *frame, const rs_drift_shift *shift);
/* The frame of the pixels [row0, row0 + rows) x [col0, col0 + cols) of another: same pixels, angle,
 * direction and line rate. */
rs_frame rs_drift_patch_frame(const rs_frame *frame, int row0, int col0, int rows, int cols);

/* ------------------------------------------------------------------------------------- contrast */

typedef struct rs_contrast_options {
    double smooth;          /* as above; default 2 */
    double max_gain;        /* changed when gain is above it or below 1/max_gain; default 1.3 */
    double max_blur;        /* pixels^2: changed when |blur| is above it and three times its error;
                               default 0.6 */
    double min_correlation; /* changed below it; default 0.5 */
} rs_contrast_options;

void rs_contrast_defaults(rs_contrast_options *o);

typedef enum rs_contrast_change {
    RS_CONTRAST_GAIN = 1 << 0,
    RS_CONTRAST_BLUR = 1 << 1,   /* blunter or sharper */
    RS_CONTRAST_PATTERN = 1 << 2 /* correlation too low */
} rs_contrast_change;

typedef struct rs_contrast {
    bool known;        /* false: too few pixels, or flat; the rest is NaN then */
    unsigned changed;  /* rs_contrast_change bits; 0: the same tip, as far as can be seen */
    double gain;       /* standard deviation of the patch over that of the survey there */
    double level;      /* mean of the patch over that of the survey */
    double blur;       /* pixels^2: variance of the Gaussian that makes the survey as blunt as the
                          patch; negative when the patch is sharper */
    double blur_sigma; /* its standard error */
    double correlation;
    int pixels;
} rs_contrast;

/* Compares the patch with what the survey shows there, (drow, dcol) taken into account: the shift
 * of rs_drift_match, with the same images. Errors: RESHED_EINVAL, RESHED_ENOMEM. */
reshed_status rs_contrast_compare(const float *survey, int H, int W, const float *patch, int h,
                                  int w, int row0, int col0, double drow, double dcol,
                                  const rs_contrast_options *o, rs_contrast *out,
                                  reshed_error *err);

#endif
