/* overlay.h - layers that the report and the preview pictures share: colour ranges, walls, points
 * by their state, rows that are not final. Private to this room. */
#ifndef RS_REPORT_OVERLAY_H
#define RS_REPORT_OVERLAY_H

#include "imgproc/figures/contour.h"
#include "imgproc/figures/render.h"
#include "spm/session/session.h"

enum {
    RS_REPORT_STATES = 4,      /* of a point */
    RS_REPORT_MARK_SIZE = 9,   /* picture pixels */
    RS_REPORT_MAX_LAYERS = 16, /* on one picture */
    RS_REPORT_CONTOUR_COLOUR = 0xffd400,
    RS_REPORT_SKELETON_COLOUR = 0xe8112d,
    RS_REPORT_FRESH_COLOUR = 0xff8c00
};

/* Colour and words of a point's state. */
uint32_t rs_report_state_colour(rs_session_point_state state);
const char *rs_report_state_name(rs_session_point_state state);

/* The percentiles 0.5 and 99.5 of the finite values, moved apart a little when they are equal; 0
 * and 1 without any. Fails with RESHED_ENOMEM only. */
reshed_status rs_report_robust_range(const float *values, size_t n, double *lo, double *hi,
                                     reshed_error *err);

rs_render_layer rs_report_contour_layer(const rs_segments *s);
rs_render_layer rs_report_skeleton_layer(const rs_segments *s);

/* Bars along the left edge, beside the rows whose state is PROVISIONAL or STALE. state [h]; NULL:
 * no bars. */
reshed_status rs_report_fresh_rows(const uint8_t *state, int h, rs_segments *out,
                                   reshed_error *err);
rs_render_layer rs_report_fresh_layer(const rs_segments *s);

/* A layer for each state that occurs; each point has its number, from 1. */
typedef struct rs_report_marks {
    int layers;
    rs_render_layer layer[RS_REPORT_STATES];
    double *place; /* owned */
    int *number;   /* owned */
} rs_report_marks;
reshed_status rs_report_marks_take(const rs_session_point *points, int n, double size,
                                   rs_report_marks *out, reshed_error *err);
void rs_report_marks_clear(rs_report_marks *m);

#endif
