/* plot.h - figures: loops, histograms, reliability diagrams, maps with colour bars.
 *
 *     rs_figure *f = NULL;
 *     rs_rgb8 picture = {0};
 *     st = rs_figure_create(1000, 450, 1, 2, &f, err);
 *     if (st == RESHED_OK) {
 *         rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
 *         rs_panel_title(p, "Averaged loop");
 *         rs_panel_x_axis(p, "DC bias", "V");
 *         rs_panel_y_axis(p, "Piezoresponse", "a.u.");
 *         rs_panel_line(p, bias, response, n, &(rs_style){.colour = RS_BLUE, .width = 2},
 *                       "off field");
 *         rs_panel_arrow(p, -3.3, 0, 5.0, 0, RS_BLACK, "width 8.3 V");
 *         st = rs_figure_draw(f, &picture, err);
 *     }
 *     rs_figure_free(f);
 *
 * Panels are cells of a grid; what is added to a panel is copied, and drawn when the figure is
 * drawn, in layers: images, bands, bars, lines across, lines, points, annotations. A failure while
 * adding (memory, an argument) is remembered, and rs_figure_draw and rs_figure_document return the
 * first one, so the calls between need no check; they accept a NULL panel.
 *
 * Limits, ticks, margins, and places of legends and labels are found by the program. Values are in
 * SI units: axes choose a prefix for their unit ("m" -> "pm"). Text is UTF-8. Points with a NaN are
 * left out and interrupt a line. */
#ifndef RS_IMGPROC_FIGURES_PLOT_H
#define RS_IMGPROC_FIGURES_PLOT_H

#include <stddef.h>
#include <stdint.h>

#include "imgproc/figures/plot_types.h"
#include "imgproc/figures/rgb8.h"

/* A colour for the i-th series, i >= 0; repeats after seven. */
uint32_t rs_series_colour(int i);

/* Limits for the colours or the histogram of x[n] that a few wild values do not move: the
 * percentiles 2 and 98, but no farther from the median than four robust standard deviations; 5 % of
 * the median to either side where these are equal, and -1 to 1 where no value is finite. scratch
 * [n]. */
void rs_robust_limits(const double *x, size_t n, double *scratch, double *lo, double *hi);

/* ------------------------------------------------------------------------------------- figures */

/* width, height: picture pixels, 64 to 16384; rows x columns cells, 1 to 16 each. The background is
 * white. */
reshed_status rs_figure_create(int width, int height, int rows, int columns, rs_figure **out,
                               reshed_error *err);
void rs_figure_free(rs_figure *f);

/* A line above all panels. */
void rs_figure_title(rs_figure *f, const char *text);

/* Height of the text in picture pixels, 6 to 64; by default 9 to 15, after the size of a
 * panel. */
void rs_figure_font(rs_figure *f, double size);

/* Two columns of a journal: 174 mm, text of 8 pt, 300 dpi, letters. */
void rs_paper_defaults(rs_paper *paper);
/* Gives a figure its size on paper, with the proportions that it was created with. */
void rs_figure_paper(rs_figure *f, const rs_paper *paper);
/* Of its picture of pixels; 0 without a size on paper. */
double rs_figure_dpi(const rs_figure *f);

/* Relative widths [columns] and heights [rows] of the grid; NULL: equal. */
void rs_figure_grid(rs_figure *f, const double *widths, const double *heights);

/* A new panel over row_span x column_span cells from (row,column); borrowed, valid until
 * rs_figure_free. NULL on failure, which is remembered. */
rs_panel *rs_figure_panel(rs_figure *f, int row, int column, int row_span, int column_span);

/* Draws. The caller owns *out. May be called again after more has been added. */
reshed_status rs_figure_draw(rs_figure *f, rs_rgb8 *out, reshed_error *err);

/* The same as an SVG or PDF document, *data [*len] freed with rs_free; without rs_figure_paper a
 * picture pixel is a point. RESHED_EUNSUPPORTED where cairo was built without that kind. */
reshed_status rs_figure_document(rs_figure *f, rs_document_kind kind, uint8_t **data, size_t *len,
                                 reshed_error *err);

/* --------------------------------------------------------------------------------------- panels */

void rs_panel_title(rs_panel *p, const char *text);
/* unit may be "" or NULL. */
void rs_panel_x_axis(rs_panel *p, const char *name, const char *unit);
void rs_panel_y_axis(rs_panel *p, const char *name, const char *unit);
/* Fixes the limits, lo < hi; by default they fit the data. */
void rs_panel_x_limits(rs_panel *p, double lo, double hi);
void rs_panel_y_limits(rs_panel *p, double lo, double hi);
/* One unit of x is as long as one of y (images are so from the start). */
void rs_panel_equal_aspect(rs_panel *p);
/* In place of ticks: a bar in the lower left corner, for panels whose x is in metres. */
void rs_panel_scale_bar(rs_panel *p);
/* Light lines at the ticks. */
void rs_panel_grid(rs_panel *p);

/* ---------------------------------------------------------------------------------------- data */
/* label (may be NULL or "") puts the item in the legend. */

void rs_panel_line(rs_panel *p, const double *x, const double *y, size_t n, const rs_style *style,
                   const char *label);
/* The same, and a line from the last point back to the first. n > 0. */
void rs_panel_loop(rs_panel *p, const double *x, const double *y, size_t n, const rs_style *style,
                   const char *label);
/* The area between low and high. */
void rs_panel_band(rs_panel *p, const double *x, const double *low, const double *high, size_t n,
                   uint32_t colour, double opacity, const char *label);
/* Bars from 0 to height[i], centred at x[i], width in units of x. */
void rs_panel_bars(rs_panel *p, const double *x, const double *height, size_t n, double width,
                   uint32_t colour, double opacity, const char *label);
/* Counts of the finite values in `bins` (0: Freedman and Diaconis' rule) equal bins. lo == hi: from
 * the smallest to the largest value. */
void rs_panel_histogram(rs_panel *p, const double *values, size_t n, int bins, double lo, double hi,
                        uint32_t colour, double opacity, const char *label);

/* values[height,width], row 0 at the top, NaN grey; the frame spans [x0,x1] and [y0,y1], y0 being
 * the bottom edge. Sets true aspect. */
void rs_panel_image(rs_panel *p, const float *values, int height, int width, double x0, double x1,
                    double y0, double y1, const rs_colour_scale *scale);
/* Points coloured by value; NaN values are hollow. */
void rs_panel_scatter(rs_panel *p, const double *x, const double *y, const double *values, size_t n,
                      double marker_size, const rs_colour_scale *scale);

/* --------------------------------------------------------------------------------- annotations */

/* Lines across the panel, with a label at their end. */
void rs_panel_vertical(rs_panel *p, double x, const rs_style *style, const char *label);
void rs_panel_horizontal(rs_panel *p, double y, const rs_style *style, const char *label);
/* A dimension arrow with heads at both ends and its label at the middle. */
void rs_panel_arrow(rs_panel *p, double x0, double y0, double x1, double y1, uint32_t colour,
                    const char *label);
/* Text beside the point (x,y). */
void rs_panel_text(rs_panel *p, double x, double y, uint32_t colour, const char *text);
/* Lines of text (separated by '\n') in a free corner of the panel. */
void rs_panel_note(rs_panel *p, const char *text);

#endif
