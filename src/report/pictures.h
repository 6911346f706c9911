/* pictures.h - preview pictures of a scan that goes on. */
#ifndef RS_REPORT_PICTURES_H
#define RS_REPORT_PICTURES_H

#include "spm/session/session.h"

/* Replaces PREFIX_amplitude.png, PREFIX_mean.png, PREFIX_variance.png and PREFIX_walls.png
 * (amplitude, and over it the contour of mean 0.5 and the skeleton inside), and with points
 * PREFIX_points.png. Each file is replaced as a whole.
 *
 * amplitude, mean, variance: [h,w], row 0 on top; NaN, where nothing is known, is neutral grey.
 * dx: metres, of a square pixel; 0: unknown, no scale bar. state: [h] of rs_session_row_state, or
 * NULL: all rows are final. Rows UNSCANNED are grey whatever they hold, PROVISIONAL and STALE ones
 * have a bar at their left edge. points [n] or NULL: PREFIX_points.png is not touched. Errors:
 * RESHED_EINVAL, RESHED_EIO, RESHED_ENOMEM; pictures before the failure are the new ones, those
 * after it the old ones. */
reshed_status rs_report_pictures(const char *prefix, int h, int w, double dx,
                                 const float *amplitude, const float *mean, const float *variance,
                                 const uint8_t *state, const rs_session_point *points, int n,
                                 reshed_error *err);

#endif
