/* colour.h - from numbers to colours. */
#ifndef RS_IMGPROC_FIGURES_COLOUR_H
#define RS_IMGPROC_FIGURES_COLOUR_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum rs_colour_map {
    RS_MAP_GREY,
    RS_MAP_VIRIDIS,   /* probabilities */
    RS_MAP_MAGMA,     /* uncertainty */
    RS_MAP_DIVERGING, /* signed quantities: blue, near-white at the middle, red */
    RS_MAP_CYCLIC     /* phase: the colours at both ends are the same */
} rs_colour_map;

#define RS_MAP_ENTRIES 256

/* The map's 256 sRGB colours. viridis and magma are the published tables of Smith and van der Walt
 * (CC0); the diverging and the cyclic map are curves in the OKLab colour space, walked in equal
 * steps of perceived difference. */
void rs_colour_table(rs_colour_map map, uint8_t table[RS_MAP_ENTRIES][3]);

/* rgb[n,3]: values[n] from lo (the map's first colour) to hi (its last), clipped; nan_rgb where the
 * value is NaN. lo == hi gives the first colour (the middle one of the diverging map). For the
 * cyclic map the values are wrapped, not clipped. */
void rs_colour_map_apply(const float *values, size_t n, double lo, double hi, rs_colour_map map,
                         const uint8_t nan_rgb[3], uint8_t *rgb);

/* out[2] = two percentiles, 0 to 100, of the finite ones of values[n], for a range of colours;
 * unchanged when none is finite. Fails with RESHED_ENOMEM only. */
reshed_status rs_finite_percentiles(const float *values, size_t n, const double percent[2],
                                    double out[2], reshed_error *err);

#endif
