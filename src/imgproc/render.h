/* render.h - preview pictures of images and maps: true proportions, scale bar, colour bar.
 *
 *     rs_render_options o;
 *     rs_rgb8 picture;
 *     rs_render_options_defaults(&o);
 *     o.dx = image.dx, o.dy = image.dy;
 *     st = rs_render_mean(mean, height, width, &o, &picture, err);
 */
#ifndef RS_IMGPROC_RENDER_H
#define RS_IMGPROC_RENDER_H

#include <stdbool.h>

#include "imgproc/colour.h"
#include "imgproc/rgb8.h"

typedef struct rs_render_options {
    double dx, dy;   /* metres; 0 when unknown: square pixels, no scale bar */
    int min_width;   /* narrower maps are enlarged by a whole factor to at least this many picture
                        pixels (default 512) */
    bool scale_bar;  /* default true */
    bool colour_bar; /* default true; beside the map */
    /* Points to mark, in pixels: (0,0) is the centre of the first pixel, y along the rows. */
    const double *x, *y; /* [points], borrowed */
    int points;
    bool number_points; /* write 1..points beside the crosses */
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

/* Variance [H,W] in magma, from 0 to its 99.5th percentile (0.25, the largest possible, bounds it).
 */
reshed_status rs_render_variance(const float *variance, int height, int width,
                                 const rs_render_options *options, rs_rgb8 *out, reshed_error *err);

/* Amplitude [H,W] in grey (robust range) under a red layer whose opacity is 0.8 times
 * the wall probability. */
reshed_status rs_render_overlay(const float *amplitude, const float *mean, int height, int width,
                                const rs_render_options *options, rs_rgb8 *out, reshed_error *err);

#endif
