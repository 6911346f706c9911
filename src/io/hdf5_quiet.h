/* hdf5_quiet.h - HDF5 prints each failure to stderr unless told not to; the library must not. */
#ifndef RS_IO_HDF5_QUIET_H
#define RS_IO_HDF5_QUIET_H

#include <hdf5.h>

#include "base/status.h"

typedef struct rs_hdf5_quiet {
    H5E_auto2_t print;
    void *data;
} rs_hdf5_quiet;

/* Silences HDF5's printing until rs_hdf5_restore, which brings back what the caller had set. */
rs_hdf5_quiet rs_hdf5_silence(void);
void rs_hdf5_restore(const rs_hdf5_quiet *was);

/* Fails with `what` and the innermost message that HDF5 has to say about its last error. */
reshed_status rs_hdf5_fail(reshed_error *err, reshed_status status, const char *what,
                           const char *where);

#endif
