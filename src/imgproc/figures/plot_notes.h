/* plot_notes.h - writes into a panel: labels of lines and arrows, legend, notes. Private to the
 * plotting files. */
#ifndef RS_IMGPROC_FIGURES_PLOT_NOTES_H
#define RS_IMGPROC_FIGURES_PLOT_NOTES_H

#include "imgproc/figures/plot_ink.h"
#include "imgproc/figures/plot_layout.h"

/* One panel being drawn. */
typedef struct rs_plot_pen {
    rs_canvas *c;
    const rs_panel *p;
    const rs_plot_place *q;
    double font;
    rs_ink ink;     /* what is drawn so far */
    double crowded; /* height of the tallest legend or note that covers data, 0: none does */
} rs_plot_pen;

/* Picture coordinates of a value, kept within what cairo can represent. NaN stays NaN. */
double rs_plot_x(const rs_plot_pen *pen, double x);
double rs_plot_y(const rs_plot_pen *pen, double y);

/* Sets colour, width and dashes for stroking. */
void rs_plot_stroke_style(rs_plot_pen *pen, const rs_style *s);

/* Draws a marker with its middle at (x,y), picture coordinates. */
void rs_plot_marker(rs_plot_pen *pen, const rs_style *s, double x, double y);

/* Draws the arrows, then all texts, each where it covers least. */
void rs_plot_annotations(rs_plot_pen *pen);

#endif
