/* scale.h - the pixel size of a plain dataset, from what other programs write beside it. */
#ifndef RS_IO_NSID_SCALE_H
#define RS_IO_NSID_SCALE_H

#include "base/image.h"
#include "io/nsid/nsid.h"

/* How the values of a plain dataset lie, against an image's. */
typedef struct rs_nsid_turn {
    bool transposed; /* its rows are the image's columns: MATLAB's, or of axes named x and y */
    bool upwards;    /* y rises from row to row */
    bool leftwards;  /* x falls from column to column */
} rs_nsid_turn;

/* Sets dx, dy, x0 and y0 of im, the image of plain dataset k, where something beside it tells them:
 * TopoStats' pixel_to_nm_scaling; HyperSpy's groups axis-0, axis-1, ...; NeXus' axes. *turn: upwards as
 * NeXus' coordinates say when they are lengths; HyperSpy's rows run down. A unit that is not understood,
 * and points that are not evenly spaced, are noted. */
void rs_nsid_plain_scale(rs_nsid_file *file, int k, rs_image *im, rs_nsid_turn *turn);

#endif
