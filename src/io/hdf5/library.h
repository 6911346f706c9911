/* library.h - calls of the HDF5 library that stay quiet, and its reasons in our errors. */
#ifndef RS_IO_HDF5_LIBRARY_H
#define RS_IO_HDF5_LIBRARY_H

#include <stdbool.h>

#include "base/status.h"
#include "io/hdf5/driver.h"

/* The library prints its error stack unless told not to. Each public function of this room hushes
 * it on entry and restores the caller's setting on exit. */
typedef struct rs_h5_hush {
    H5E_auto2_t func;
    void *data;
} rs_h5_hush;
rs_h5_hush rs_h5_hush_begin(void);
void rs_h5_hush_end(rs_h5_hush hush);

/* rs_fail with the library's innermost reason as what was found: "what (found REASON) at where".
 * The status becomes RESHED_ENOMEM when that was the library's trouble. */
reshed_status rs_h5_fail(reshed_error *err, reshed_status status, const char *what,
                         const char *where);

/* Closes an identifier of any kind; negative ones are left alone. */
void rs_h5_close(hid_t id);

/* Returns the properties (rs_h5_close) of a transfer between dset and that type in memory, whose
 * values are converted in a block of 64 KiB, or of one element; negative when there are none. The
 * library's own block has a mebibyte, taken and zeroed anew for each transfer: more work than a
 * line of a session is. */
hid_t rs_h5_transfer(hid_t dset, hid_t memory);

/* H5Dread and H5Dwrite with these properties: what of dset `file` selects, and of data `memory`. */
bool rs_h5_read(hid_t dset, hid_t type, hid_t memory, hid_t file, void *data);
bool rs_h5_write(hid_t dset, hid_t type, hid_t memory, hid_t file, const void *data);

#endif
