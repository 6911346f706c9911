/* make.h - builds the parts of NSID files in an HDF5 file that is open for writing. The caller has
 * hushed the library (hdf5/library.h). */
#ifndef RS_IO_NSID_MAKE_H
#define RS_IO_NSID_MAKE_H

#include "io/hdf5/h5.h"
#include "io/nsid/nsid.h"

/* The storage of a dataset. */
typedef struct rs_nsid_place {
    hid_t type;           /* in the file; borrowed */
    const hsize_t *chunk; /* [ndim]: in chunks, which take space when they are written; NULL: in one
                             piece, which takes it at once */
    const void *fill;     /* an element that was never written, of fill_type; NULL: zeros */
    hid_t fill_type;
} rs_nsid_place;

/* The group at path, made when missing; < 0 when something else is there or making fails. */
hid_t rs_nsid_open_group(hid_t file, const char *path);
/* The file's type of one element; the caller closes it. */
hid_t rs_nsid_number_type(rs_nsid_store store, bool is_complex);
/* Makes a dataset (max NULL: of this size for good) and writes data, NULL or doubles or pairs of
 * them. The caller closes it; < 0 on failure. */
hid_t rs_nsid_make_dataset(hid_t group, const char *name, int ndim, const hsize_t *dims,
                           const hsize_t *max, const double *data, const rs_nsid_place *place);
/* rs_nsid_add (write.h) with `most` elements at most. */
reshed_status rs_nsid_make_main(hid_t file, const char *path, const rs_nsid_data *d,
                                const rs_nsid_place *place, uint64_t most, char *dataset_path,
                                size_t n, reshed_error *err);

#endif
