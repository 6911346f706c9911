/* plot_layout.h - finds the place of everything in a figure. Private to the plotting files. */
#ifndef RS_IMGPROC_FIGURES_PLOT_LAYOUT_H
#define RS_IMGPROC_FIGURES_PLOT_LAYOUT_H

#include "imgproc/figures/canvas.h"
#include "imgproc/figures/plot_model.h"
#include "imgproc/figures/ticks.h"

typedef struct rs_plot_place {
    rs_plot_box box; /* the frame of the axes */
    double x_lo, x_hi, y_lo, y_hi;
    rs_ticks x_ticks, y_ticks;
    double y_labels;         /* width of the widest y tick label */
    const rs_plot_item *bar; /* what the colour bar explains; NULL: no bar */
    rs_ticks bar_ticks;
    double bar_labels; /* width of the widest */
} rs_plot_place;

/* Distances that the layout and the drawing share, in units of the font size. */
#define RS_PLOT_TICK 0.35      /* length of a tick */
#define RS_PLOT_GAP 0.35       /* between a tick and its label, a label and a name */
#define RS_PLOT_BAR_GAP 0.9    /* between frame and colour bar */
#define RS_PLOT_BAR_WIDTH 0.95 /* of the colour bar */

/* Finds colour ranges (into the items), limits, ticks and boxes: place[f->n], in the order of the
 * panels. headroom[f->n]: the share of each frame's height to leave free at the top, where the
 * limits are not fixed. *font: the size of the text. */
reshed_status rs_plot_layout(rs_figure *f, rs_canvas *c, const double *headroom,
                             rs_plot_place *place, double *font, reshed_error *err);

/* "name (unit)" with the ticks' unit. */
void rs_plot_axis_text(const char *name, const rs_ticks *ticks, char *buf, size_t n);

#endif
