/* scale.h - the pixel size of a plain dataset, from what other programs write beside it. */
#ifndef RS_IO_NSID_SCALE_H
#define RS_IO_NSID_SCALE_H

#include "base/image.h"
#include "io/nsid/nsid.h"

/* Sets dx, dy, x0 and y0 of im, the image of plain dataset k, where something beside it tells them:
 * TopoStats' pixel_to_nm_scaling; HyperSpy's groups axis-0, axis-1, ...; NeXus' axes. *upwards: rows go
 * from -y to +y, as NeXus' coordinates say when they are lengths. A unit that is not understood, and
 * points that are not evenly spaced, are noted. */
void rs_nsid_plain_scale(rs_nsid_file *file, int k, rs_image *im, bool *upwards);

#endif
