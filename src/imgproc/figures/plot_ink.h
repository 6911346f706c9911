/* plot_ink.h - finds free places by a coarse map of what is already drawn in a panel. Private to
 * the plotting files. */
#ifndef RS_IMGPROC_FIGURES_PLOT_INK_H
#define RS_IMGPROC_FIGURES_PLOT_INK_H

#include <stdint.h>

#include "imgproc/figures/plot_model.h"

typedef struct rs_ink {
    rs_plot_box box; /* the panel's frame */
    int nx, ny;
    uint8_t *cell; /* [ny,nx] how much is drawn there, saturating; owned */
} rs_ink;

/* Weights: text must not cover text, hardly an arrow; it may cover data rather than leave the
 * frame. */
#define RS_INK_DATA 1
#define RS_INK_MARK 6
#define RS_INK_TEXT 40

reshed_status rs_ink_open(rs_ink *ink, rs_plot_box box, reshed_error *err);
void rs_ink_close(rs_ink *ink);

void rs_ink_segment(rs_ink *ink, double x0, double y0, double x1, double y1, int weight);
void rs_ink_box(rs_ink *ink, rs_plot_box b, int weight);

/* Returns how much b would cover, plus much for each part outside the frame. */
double rs_ink_cost(const rs_ink *ink, rs_plot_box b);

/* Returns the index of the box that costs least, the first of equal ones. */
int rs_ink_best(const rs_ink *ink, const rs_plot_box *candidates, int n);

#endif
