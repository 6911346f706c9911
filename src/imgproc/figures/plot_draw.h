/* plot_draw.h - draws a figure. Private to the plotting files. */
#ifndef RS_IMGPROC_FIGURES_PLOT_DRAW_H
#define RS_IMGPROC_FIGURES_PLOT_DRAW_H

#include "imgproc/figures/canvas.h"
#include "imgproc/figures/plot_model.h"

reshed_status rs_plot_draw_figure(rs_figure *f, rs_canvas *c, reshed_error *err);

#endif
