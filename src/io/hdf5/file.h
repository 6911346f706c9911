/* file.h - HDF5 files open for reading or for writing. */
#ifndef RS_IO_HDF5_FILE_H
#define RS_IO_HDF5_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "io/hdf5/driver.h"

/* Bytes of the signature at the start of every HDF5 file. */
extern const uint8_t rs_h5_signature[8];

/* A file open for reading, through the library and byte by byte (see hdf5/heap.h). Links into other
 * files are not followed. */
typedef struct rs_h5_file {
    hid_t id, access; /* access: for H5Oopen and its like */
    rs_h5_io io;
    uint8_t *bytes;    /* of a file in memory, else NULL; owned */
    rs_os_file *raw;   /* of a file on disk, else NULL; owned */
    uint64_t cache_at; /* what hdf5/heap.c read last */
    size_t cache_n;
    uint8_t cache[16384];
} rs_h5_file;

/* Opens path, or bytes[len] (copied) when path is NULL. A file that another process writes in SWMR
 * mode can be opened. */
reshed_status rs_h5_open(const char *path, const uint8_t *bytes, size_t len, rs_h5_file **out,
                         reshed_error *err);
/* NULL is fine. */
void rs_h5_file_close(rs_h5_file *f);
/* Returns st, or the disk's failure if there was one since the file was opened: what could not be read looks to
 * the library like something that is not there. Such a file gives nothing more. */
reshed_status rs_h5_file_check(const rs_h5_file *f, reshed_status st, reshed_error *err);
/* Returns whether an object can lie at that address; the library faults on addresses near 2^64. */
bool rs_h5_address_ok(const rs_h5_file *f, uint64_t address);
/* Opens the object at path, which must be a dataset when `dataset`; < 0 when there is none. */
hid_t rs_h5_object(const rs_h5_file *f, const char *path, bool dataset);

typedef enum rs_h5_mode {
    RS_H5_ATOMIC, /* written beside `path` and renamed at the end: `path` is old or complete */
    RS_H5_ATOMIC_CHECKED, /* likewise, with metadata of HDF5 1.10's kind, every piece of which
                             carries a checksum, and no times: the same content gives the same bytes
                           */
    RS_H5_LIVE,           /* a new file at `path` itself, which must not exist */
    RS_H5_APPEND          /* an existing file */
} rs_h5_mode;

/* A file open for writing. */
typedef struct rs_h5_out {
    hid_t id;
    rs_h5_io io;
    rs_h5_mode mode;
    char path[4096], temp[4096]; /* temp: what is open; path: what it becomes */
} rs_h5_out;

reshed_status rs_h5_out_open(const char *path, rs_h5_mode mode, rs_h5_out **out, reshed_error *err);
/* RESHED_OK, or the first failure of the disk so far. */
reshed_status rs_h5_out_check(const rs_h5_out *o, reshed_error *err);
/* Puts all that was written so far on the disk. */
reshed_status rs_h5_out_flush(rs_h5_out *o, reshed_error *err);
/* Ends the writing and frees o. When st is RESHED_OK the file is put on the disk and, in mode
 * ATOMIC, renamed; else an ATOMIC file is removed and another one is closed as it stands. Returns
 * st, or why finishing failed. */
reshed_status rs_h5_out_finish(rs_h5_out *o, reshed_status st, reshed_error *err);

#endif
