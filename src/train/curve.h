/* curve.h - how a member has learnt: loss and edge score over its steps. */
#ifndef RS_TRAIN_CURVE_H
#define RS_TRAIN_CURVE_H

#include "base/status.h"
#include "imgproc/figures/plot_types.h"

typedef struct rs_curve_point {
    long step;   /* steps taken */
    double loss; /* mean over those since the last point */
    double f;    /* edge score on the frames to judge by; NaN where it was not taken */
} rs_curve_point;

/* Start with a zeroed one. */
typedef struct rs_curve {
    int n, room;
    rs_curve_point *point; /* [n]; owned */
} rs_curve;

reshed_status rs_curve_add(rs_curve *c, const rs_curve_point *p, reshed_error *err);
void rs_curve_clear(rs_curve *c);

/* A figure (rs_figure_free): loss and F of each of curve[members], width x height pixels. */
reshed_status rs_curve_figure(const rs_curve *curve, int members, int width, int height,
                              rs_figure **out, reshed_error *err);

#endif
