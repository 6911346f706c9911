/* points.h - lists of points as CSV files, for a person to look at and to change. */
#ifndef RS_SPM_SCAN_REQUEST_POINTS_H
#define RS_SPM_SCAN_REQUEST_POINTS_H

#include "spm/session/session.h"

/* Reads points from a CSV with columns row,col (pixels) or x,y (m, stage) into *points (rs_free);
 * all must lie within the frame. Errors name the line. */
reshed_status rs_points_read(const char *path, const rs_frame *frame, rs_session_point **points,
                             int *n, reshed_error *err);
/* Leaves out, of p[*n], each point that is nearer to one kept before it than distance, in pixels (of
 * oblong ones: the geometric mean of their sides). Sets targets anew, and *n to how many are left.
 * Errors: RESHED_EINVAL for a distance that is no length, RESHED_ENOMEM; p is then unchanged. */
reshed_status rs_points_keep_apart(const rs_frame *frame, double distance, rs_session_point *p,
                                   int *n, reshed_error *err);
/* Distance, in pixels, within which two points are one place. */
#define RS_POINTS_SAME 0.01

/* Columns row, col, x, y and wall. */
reshed_status rs_points_write(const char *path, const rs_session_point *points, int n,
                              reshed_error *err);

#endif
