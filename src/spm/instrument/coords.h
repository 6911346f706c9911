/* coords.h - one mapping between the pixels of a scan, metres, and the units that a device takes.
 *
 *     pixel (row, col) <-> frame (x, y) <-> stage (x, y) <-> device (x, y)
 *
 * pixel:  row 0 is the +y (top) edge, column 0 the -x edge. Whole numbers are pixel centres.
 * frame:  metres along the frame's own axes, from its centre, +x right and +y up in the image.
 * stage:  metres in the scanner's axes: the frame turned by its angle and moved to its centre.
 * device: what the instrument is given: metres, volts, or numbers from -1 to 1 over the frame.
 *
 * Pixels have a type of their own (row first), so that the two orders cannot be mixed up; all
 * functions take whole arrays and may work in place where the types allow it. All maps are affine
 * and exact to rounding in both directions. */
#ifndef RS_SPM_INSTRUMENT_COORDS_H
#define RS_SPM_INSTRUMENT_COORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "imgproc/image/grid.h"
#include "reshed_driver.h"

typedef struct rs_rowcol {
    double row, col;
} rs_rowcol;

/* The place of the centre of pixel k of n between the two edges of the frame (0 and 1), k counted
 * from the -x edge for columns and from the -y (bottom) edge for rows. The three differ by up to
 * one pixel, and the interfaces in use do not agree. */
typedef enum rs_pixel_rule {
    RS_PIXEL_CENTRED,   /* (k + 1/2)/n: pixels tile the frame. Gwyddion, Nanonis, ours */
    RS_PIXEL_INCLUSIVE, /* k/(n - 1): the first and last centre are on the edges. The author's
                           raster_scan, NSID axes */
    RS_PIXEL_HALF_OPEN  /* k/n: the last centre is one step inside. The author's
                           convert_coordinates */
} rs_pixel_rule;

typedef struct rs_coords_frame {
    double cx, cy;        /* metres, stage: centre of the frame */
    double width, height; /* metres, > 0 */
    double angle;         /* radians, counterclockwise, of the frame's x axis against the stage's */
    int rows, cols;       /* pixels, >= 1 (>= 2 with RS_PIXEL_INCLUSIVE) */
    rs_pixel_rule rule;
} rs_coords_frame;

/* The frame of a driver, whose pixels tile it. */
rs_coords_frame rs_coords_frame_of(const rs_frame *frame);

typedef enum rs_device_kind {
    RS_DEVICE_METRES,     /* stage metres. Nanonis */
    RS_DEVICE_NORMALISED, /* low .. high from the -x (-y) to the +x (+y) edge of the frame, along
                             the frame's axes. The author's interface (-1 .. 1) */
    RS_DEVICE_VOLTS       /* stage metres over sensitivity plus offset. Asylum's LVDT */
} rs_device_kind;

/* Treatment of a negative sensitivity. Public Asylum code does not agree on it; so it is asked
 * for. */
typedef enum rs_sign_policy {
    RS_SIGN_AS_GIVEN, /* V = x/sensitivity + offset, whatever the sign */
    RS_SIGN_ABSOLUTE  /* V = x/|sensitivity| + offset */
} rs_sign_policy;

typedef struct rs_device {
    rs_device_kind kind;
    double low, high;                    /* NORMALISED: -1 and 1 as a rule; must differ */
    double sensitivity_x, sensitivity_y; /* VOLTS: metres per volt, not 0 */
    double offset_x, offset_y;           /* VOLTS: volts at the stage's zero */
    rs_sign_policy sign;                 /* VOLTS */
} rs_device;

/* xx*x + xy*y + x0, yx*x + yy*y + y0 */
typedef struct rs_affine {
    double xx, xy, x0, yx, yy, y0;
} rs_affine;

/* Plain data; copy it freely. */
typedef struct rs_coords {
    rs_coords_frame frame;
    rs_device device;
    rs_affine pixel_to_frame, frame_to_pixel; /* pixels as x = col, y = row */
    rs_affine frame_to_stage, stage_to_frame;
    rs_affine stage_to_device, device_to_stage;
} rs_coords;

/* {RS_DEVICE_METRES} and the author's {RS_DEVICE_NORMALISED, -1 .. 1}. */
rs_device rs_device_metres(void);
rs_device rs_device_normalised(void);

/* Errors: RESHED_EINVAL when a size, sensitivity or range is zero, negative where it must not be,
 * or not finite. */
reshed_status rs_coords_init(rs_coords *coords, const rs_coords_frame *frame,
                             const rs_device *device, reshed_error *err);

void rs_pixel_to_frame(const rs_coords *c, const rs_rowcol *in, size_t n, rs_xy *out);
void rs_frame_to_pixel(const rs_coords *c, const rs_xy *in, size_t n, rs_rowcol *out);
void rs_frame_to_stage(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out);
void rs_stage_to_frame(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out);
void rs_stage_to_device(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out);
void rs_device_to_stage(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out);

/* The chains that a driver needs. */
void rs_pixel_to_stage(const rs_coords *c, const rs_rowcol *in, size_t n, rs_xy *out);
void rs_stage_to_pixel(const rs_coords *c, const rs_xy *in, size_t n, rs_rowcol *out);
void rs_pixel_to_device(const rs_coords *c, const rs_rowcol *in, size_t n, rs_xy *out);
void rs_device_to_pixel(const rs_coords *c, const rs_xy *in, size_t n, rs_rowcol *out);

/* Metres between neighbouring pixel centres along a row and along a column. */
void rs_coords_pixel_size(const rs_coords *c, double *dx, double *dy);

/* Returns the index of the first of n frame points that lies more than `slack` metres outside the
 * frame, or n. NaN is outside. */
size_t rs_first_outside(const rs_coords *c, const rs_xy *frame_point, size_t n, double slack);

#endif
