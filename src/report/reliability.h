/* reliability.h - the reliability diagram of a wall map: predicted probability against the share of
 * true walls. */
#ifndef RS_REPORT_RELIABILITY_H
#define RS_REPORT_RELIABILITY_H

#include "infer/score.h"

/* Draws c, titled `title` (NULL: none), into a PNG file. */
reshed_status rs_report_reliability(const char *path, const rs_calibration *c, const char *title,
                                    reshed_error *err);

#endif
