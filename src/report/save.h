/* save.h - drawn pictures as PNG files, figures as PNG, SVG or PDF.
 *
 *     rs_rgb8 picture = {0};
 *     st = rs_render_mean(mean, height, width, &o, &picture, err);
 *     st = rs_report_save(st, &picture, RS_PNG_RGB8, "mean.png", err);
 *
 * All of these take the status of the drawing: after a failure they write nothing and return it.
 * They free what was drawn in any case. */
#ifndef RS_REPORT_SAVE_H
#define RS_REPORT_SAVE_H

#include <stdbool.h>

#include "imgproc/figures/plot.h"
#include "io/png.h"

/* kind: RS_PNG_RGB8 or RS_PNG_RGB8_QUICK. */
reshed_status rs_report_save(reshed_status st, rs_rgb8 *picture, rs_png_kind kind, const char *path,
                             reshed_error *err);

/* To PREFIX_NAME.png; RESHED_EINVAL when that has 4096 bytes or more. */
reshed_status rs_report_save_named(reshed_status st, rs_rgb8 *picture, rs_png_kind kind,
                                   const char *prefix, const char *name, reshed_error *err);

/* True for paths that rs_report_save_figure can write: *.png, *.svg, *.pdf, in any case. */
bool rs_report_figure_path(const char *path);
/* Draws f before it writes; f may be NULL after a failure. The path's ending is the kind;
 * RESHED_EINVAL for another one. */
reshed_status rs_report_save_figure(reshed_status st, rs_figure *f, const char *path,
                                    reshed_error *err);

#endif
