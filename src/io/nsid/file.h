/* file.h - an open file within its room (read.c), and the search for the main data in it (listing.c). */
#ifndef RS_IO_NSID_FILE_H
#define RS_IO_NSID_FILE_H

#include "io/hdf5/h5.h"
#include "io/nsid/nsid.h"

struct rs_nsid_file {
    rs_h5_file *h5;
    int n, capacity;
    rs_nsid_data *main; /* [n] without values and data */
    rs_channels names;
    int plain_n, plain_capacity;
    rs_nsid_plain *plain; /* [plain_n] */
};

/* Fills main, plain and names of a file whose h5 is open; what there is after a failure is the
 * caller's to free as well. */
reshed_status rs_nsid_list(rs_nsid_file *f, reshed_error *err);

/* The path of a sibling: the folder of `path`, then name; false when it does not fit or name is no
 * plain name. */
bool rs_nsid_sibling(const char *path, const char *name, char *buf, size_t n);

#endif
