/* gwy_write.h - writes Gwyddion's native file: maps of one frame, a mask over them, points as a selection,
 * curves as spectra.
 *
 *     const rs_gwy_map maps[] = {{"Amplitude", "V", amplitude, NULL}, {"Walls", "", mean, mask}};
 *     const rs_gwy_content c = {.height = h, .width = w, .dx = dx, .dy = dy, .maps = maps, .n = 2};
 *     st = rs_gwy_write("scan.gwy", &c, err); */
#ifndef RS_IO_GWY_WRITE_H
#define RS_IO_GWY_WRITE_H

#include <stdint.h>

#include "base/status.h"

typedef struct rs_gwy_map {
    const char *title, *unit; /* UTF-8; "" for none */
    const float *data;   /* [height,width], row 0 at the top. The format knows no NaN: such pixels
                                 are written as the mean of the others, and counted in the metadata */
    const uint8_t *mask; /* [height,width] 0 or 1; NULL: none */
} rs_gwy_map;

typedef struct rs_gwy_content {
    int height, width;
    double dx, dy, x0, y0; /* m; dx or dy 0: unknown, lengths are then pixels */
    const rs_gwy_map *maps;
    int n;
    const double
        *points; /* [points][2] row, column; a selection of points on every map; NULL: none */
    int points_n;
    /* Curves at places of the frame, "spectra" in Gwyddion: y[curves][steps] over x[steps]. A value
     * that is not finite is written as that before it. */
    const char *curve_title, *x_unit, *y_unit, *x_label, *y_label;
    const double *places; /* [curves][2] row, column */
    const double *x, *y;
    int curves, steps;
} rs_gwy_content;

/* Errors: RESHED_EINVAL (sizes, no map), RESHED_ENOMEM, RESHED_EIO. */
reshed_status rs_gwy_write(const char *path, const rs_gwy_content *c, reshed_error *err);

#endif
