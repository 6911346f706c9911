/* map_figures.h - figures for papers, of an image with its maps and of its walls. */
#ifndef RS_REPORT_MAP_FIGURES_H
#define RS_REPORT_MAP_FIGURES_H

#include "imgproc/figures/plot.h"
#include "imgproc/walls/find.h"

/* An image and maps of its size, all [height,width] and borrowed; NULL: not there. */
typedef struct rs_mapped {
    int height, width;
    double dx, dy; /* metres; 0 when unknown: axes in pixels, no scale bar */
    const float *image;
    const float *wall;          /* probability */
    const float *variance;      /* of it */
    const char *channel, *unit; /* of the image, for its colour bar; "" when unknown */
} rs_mapped;

/* A figure with one row of panels for maps, each as wide as gives true proportions. */
reshed_status rs_mapped_create(const rs_mapped *in, int columns, rs_figure **out,
                               reshed_error *err);
/* Puts a map of in's size into a panel, with its colour bar, and a scale bar where the size of a
 * pixel is known. */
void rs_mapped_put(rs_panel *p, const rs_mapped *in, const float *map, const char *title,
                   const rs_colour_scale *scale);

/* A panel each for the image, the wall probability and its uncertainty (the standard deviation over
 * the ensemble). */
reshed_status rs_mapped_figure(const rs_mapped *in, rs_figure **out, reshed_error *err);

/* The image (without one: the wall probability) under its walls, coloured by family, and the points
 * to measure; beside it the length of each family over its direction. */
reshed_status rs_walls_figure(const rs_mapped *in, const rs_found *found, rs_figure **out,
                              reshed_error *err);

#endif
