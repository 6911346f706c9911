/* points.h - lists of points as CSV files, for a person to look at and to change. */
#ifndef RS_SPM_SCAN_POINTS_H
#define RS_SPM_SCAN_POINTS_H

#include "spm/session/session.h"

/* Reads points from a CSV with columns row,col (pixels) or x,y (m, stage) into *points (rs_free);
 * all must lie within the frame. Errors name the line. */
reshed_status rs_points_read(const char *path, const rs_frame *frame, rs_session_point **points,
                             int *n, reshed_error *err);
/* Columns row, col, x, y and wall. */
reshed_status rs_points_write(const char *path, const rs_session_point *points, int n,
                              reshed_error *err);

#endif
