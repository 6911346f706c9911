/* write.h - writes HDF5 files that pyNSID recognises, whole or as the data come.
 *
 *     rs_nsid_writer *w = NULL;
 *     reshed_status st = rs_nsid_create("out.h5", RS_NSID_ATOMIC, &w, err);
 *     if (st == RESHED_OK)
 *         st = rs_nsid_add(w, "/Measurement_000/Channel_000", &data, RS_NSID_F32, NULL, 0, err);
 *     if (st == RESHED_OK) st = rs_nsid_set_text(w, "/Measurement_000", "sample", "PTO", err);
 *     st = rs_nsid_finish(w, st, err);        // commits, or discards when st is a failure
 *
 * Files have the oldest layout that can hold them, so that every HDF5 reader opens them. pyNSID
 * turns the sub-groups beside a main dataset into dictionaries and raises on a dataset inside:
 * put arrays elsewhere. */
#ifndef RS_IO_NSID_WRITE_H
#define RS_IO_NSID_WRITE_H

#include "io/nsid/nsid.h"

typedef enum rs_nsid_mode {
    RS_NSID_ATOMIC, /* written beside `path` and renamed by finish: `path` is old or complete */
    RS_NSID_LIVE,   /* a new file at `path` itself (which must not exist), visible as it grows */
    RS_NSID_APPEND  /* an existing file is opened for more */
} rs_nsid_mode;

typedef struct rs_nsid_writer rs_nsid_writer;

reshed_status rs_nsid_create(const char *path, rs_nsid_mode mode, rs_nsid_writer **out,
                             reshed_error *err);

/* Ends the writing and frees w (NULL is fine: st is returned). When st is RESHED_OK the file is put
 * on the disk and, in mode ATOMIC, renamed; else an ATOMIC file is removed and a LIVE or APPEND
 * file is closed as it stands. Returns st, or why finishing failed (then *err says so). */
reshed_status rs_nsid_finish(rs_nsid_writer *w, reshed_status st, reshed_error *err);

/* Puts all that was written so far on the disk. What rs_nsid_put writes into a dataset that was
 * flushed once goes to its final place in the file, so a crash between two flushes harms none of
 * the other data; a crash between rs_nsid_add and the next flush can leave a file that does not
 * open. */
reshed_status rs_nsid_flush(rs_nsid_writer *w, reshed_error *err);

/* Makes the group and those above it; an existing one is fine. */
reshed_status rs_nsid_group(rs_nsid_writer *w, const char *path, reshed_error *err);

/* Adds a main dataset: group `path`/<name> with the dataset <name> and its dimension scales, where
 * <name> is d->name ('-' and '/' become '_', as in pyNSID; "generic" when empty). Each dim needs a
 * distinct name, n >= 1 and a known type. values may be NULL: 0, 1, 2, ... d->data may be NULL:
 * the space is taken at once and every element is NaN until rs_nsid_put. Empty texts become
 * "generic". d->path and d->count are ignored. dataset_path, NULL or of n bytes, gets the path of
 * the dataset. On failure nothing of it remains. */
reshed_status rs_nsid_add(rs_nsid_writer *w, const char *path, const rs_nsid_data *d,
                          rs_nsid_store store, char *dataset_path, size_t n, reshed_error *err);

/* Overwrites the block start[ndim], size[ndim] of the dataset at dataset_path by data (row-major
 * over the block; pairs when the dataset is complex). ndim must be the dataset's. */
reshed_status rs_nsid_put(rs_nsid_writer *w, const char *dataset_path, int ndim,
                          const uint64_t *start, const uint64_t *size, const double *data,
                          reshed_error *err);

/* Writes a plain dataset (groups above it are made; one already there is an error). ndim 0..5;
 * data[product of dims]. */
reshed_status rs_nsid_put_array(rs_nsid_writer *w, const char *path, int ndim, const uint64_t *dims,
                                const double *data, rs_nsid_store store, reshed_error *err);

/* Sets a scalar attribute of the group or dataset at `path` ("/" for the root; a missing group is
 * made), replacing one of that name. Text is UTF-8 of variable length, as pyNSID needs. */
reshed_status rs_nsid_set_text(rs_nsid_writer *w, const char *path, const char *name,
                               const char *text, reshed_error *err);
reshed_status rs_nsid_set_number(rs_nsid_writer *w, const char *path, const char *name,
                                 double value, reshed_error *err);

#endif
