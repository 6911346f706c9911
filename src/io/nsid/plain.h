/* plain.h - images in HDF5 that are no NSID: datasets of two axes, also MATLAB's and those of USID. */
#ifndef RS_IO_NSID_PLAIN_H
#define RS_IO_NSID_PLAIN_H

#include "base/image.h"
#include "io/nsid/nsid.h"

/* Their names: the last part of the path, or the whole path where that does not tell them apart. Stacks are
 * listed only where there is no image. map (NULL, or with room for all): their numbers in the file. */
reshed_status rs_nsid_plain_list(rs_nsid_file *file, rs_channels *out, int *map, reshed_error *err);

/* Plain dataset k (rs_image_clear), of a stack the frame (io/common/stack.h): its first row is the top one, MATLAB's first column the left one; of
 * USID by the coordinates, y upwards where these are lengths. The pixel size is known from USID, and from
 * a dataset pixel_to_nm_scaling beside it (TopoStats). */
reshed_status rs_nsid_plain_image(rs_nsid_file *file, int k, int frame, rs_image *out,
                                  reshed_error *err);

#endif
