/* driver.h - the driver through which the HDF5 library reads and writes files for us.
 *
 * The library lets a program bring its own file driver, and ours does three things that its own do
 * not. Each read is checked against the file, so that a damaged address is an error (the library's
 * metadata cache faults on some). A write that fails - a full disk - is remembered here and
 * reported by us, while the library goes on as if it had worked: told of it, libhdf5 1.10 leaves
 * its file open for ever and faults when the program ends. And bytes in memory are read in
 * place. */
#ifndef RS_IO_HDF5_DRIVER_H
#define RS_IO_HDF5_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/os.h"
#include "base/status.h"
#include "io/hdf5/journal.h"

/* One interface for HDF5 1.10, 1.12 and 1.14. */
#ifndef H5_USE_110_API
#define H5_USE_110_API
#endif
#include <hdf5.h>

/* The bytes that a driver works on, in memory or on disk; must outlive the HDF5 file. */
typedef struct rs_h5_io {
    const uint8_t *bytes; /* [size]; borrowed */
    rs_os_file *file;     /* borrowed */
    rs_journal *journal;  /* all writes go through it; borrowed; NULL: straight to the file */
    uint64_t base;        /* where the HDF5 file begins in `file` */
    uint64_t size;        /* end of the HDF5 file, from its beginning */
    bool writable;
    bool growing; /* another program writes the file: its end is looked up again */
    reshed_error
        failed; /* the first failure that the library was not told, or a read of what the file has
                            that the disk did not give, else RESHED_OK */
} rs_h5_io;

/* A file access property list that opens io, whatever the name given to H5Fopen or H5Fcreate; < 0
 * on failure. The caller closes it. */
hid_t rs_h5_io_plist(rs_h5_io *io);

/* n bytes at offset into buf; false when they are not all within the file, or the disk does not give them, which a
 * file that is only read remembers in `failed`. */
bool rs_h5_io_read(rs_h5_io *io, uint64_t offset, void *buf, size_t n);

#endif
