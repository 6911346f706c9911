/* render.h - preview pictures of images and maps: true proportions, scale bar, colour bar.
 *
 *     rs_render_options o;
 *     rs_rgb8 picture;
 *     rs_render_options_defaults(&o);
 *     o.dx = image.dx, o.dy = image.dy;
 *     st = rs_render_mean(mean, height, width, &o, &picture, err); */
#ifndef RS_IMGPROC_FIGURES_RENDER_H
#define RS_IMGPROC_FIGURES_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "imgproc/figures/colour.h"
#include "imgproc/figures/rgb8.h"

typedef enum rs_render_shape {
    RS_RENDER_SEGMENTS, /* from point 2i to point 2i+1 */
    RS_RENDER_DISCS,
    RS_RENDER_RINGS,
    RS_RENDER_CROSSES /* turned by 45 degrees */
} rs_render_shape;

/* Lines or marks over the map, with a thin rim that sets them off. Coordinates are pixels as those
 * of the points below; arrays are borrowed. */
typedef struct rs_render_layer {
    rs_render_shape shape;
    const double *x, *y; /* [n] */
    int n;
    uint32_t colour, rim; /* 0xRRGGBB; rim_width 0: none */
    double size;          /* picture pixels: width of a line, diameter of a mark */
    double rim_width;
    const int *number; /* [n] beside the marks, none where it is below 1; or NULL */
} rs_render_layer;

typedef struct rs_render_options {
    double dx, dy;   /* metres; 0 when unknown: square pixels, no scale bar */
    int min_width;   /* narrower maps are enlarged by a whole factor to at least this many picture
                        pixels (default 512) */
    bool scale_bar;  /* default true */
    bool colour_bar; /* default true; beside the map */
    /* Points to mark, in pixels: (0,0) is the centre of the first pixel, y along the rows. */
    const double *x, *y; /* [points], borrowed */
    int points;
    bool number_points;           /* write 1..points beside the crosses */
    const rs_render_layer *layer; /* [layers], borrowed; drawn in this order, before the points */
    int layers;
} rs_render_options;

void rs_render_options_defaults(rs_render_options *options);

/* values[H,W] between lo and hi in the colours of map; NaN (not measured yet) in neutral grey.
 * name and unit label the colour bar; either may be "". The caller owns *out. */
reshed_status rs_render_map(const float *values, int height, int width, double lo, double hi,
                            rs_colour_map map, const char *name, const char *unit,
                            const rs_render_options *options, rs_rgb8 *out, reshed_error *err);

/* Wall probability [H,W], 0 to 1, viridis. */
reshed_status rs_render_mean(const float *mean, int height, int width,
                             const rs_render_options *options, rs_rgb8 *out, reshed_error *err);

/* Variance [H,W] in magma, from 0 to its 99.5th percentile, at most 0.25: no variance is larger. */
reshed_status rs_render_variance(const float *variance, int height, int width,
                                 const rs_render_options *options, rs_rgb8 *out, reshed_error *err);

/* Amplitude [H,W] in grey (robust range) under a red layer whose opacity is 0.8 times the wall
 * probability. */
reshed_status rs_render_overlay(const float *amplitude, const float *mean, int height, int width,
                                const rs_render_options *options, rs_rgb8 *out, reshed_error *err);

#endif
