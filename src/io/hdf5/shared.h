/* shared.h - an HDF5 file that other programs read while it is written, and that loses nothing
 * when its writer dies.
 *
 * For the readers the HDF5 library's SWMR mode orders the writes ("single writer, multiple
 * readers": readers open the file with that flag and refresh a dataset to see what is new). For the
 * crash that is not enough: the library promises no more than that a reader's view is consistent,
 * leaves a flag that keeps everybody out, and on a full disk its cache and the file part for good.
 * So the writes go through a journal (journal.h), and a commit is a step of it. */
#ifndef RS_IO_HDF5_SHARED_H
#define RS_IO_HDF5_SHARED_H

#include <stdbool.h>

#include "base/status.h"
#include "io/hdf5/driver.h"
#include "io/hdf5/journal.h"

typedef struct rs_h5_shared {
    hid_t id;
    rs_h5_io io;
    rs_journal *journal;
} rs_h5_shared;

/* Opens an existing file, complete with all its objects (superblock 3: RS_H5_ATOMIC_CHECKED makes
 * such). From now on rows can be written and extendible datasets extended, nothing else. What a
 * crash left is put right first. The journal is PATH.journal. identity: the path of a contiguous
 * dataset of 32 bytes that no other file has. sync_every, longest: as in rs_journal_create. */
reshed_status rs_h5_shared_open(const char *path, const char *identity, int sync_every,
                                uint64_t longest, rs_h5_shared **out, reshed_error *err);
/* Makes what was written so far a step of the file. As rs_journal_commit. */
reshed_status rs_h5_shared_commit(rs_h5_shared *s, rs_journal_sync sync, reshed_error *err);
/* A last commit, whatever st is, then the file is closed and s freed. RESHED_OK: it is an ordinary
 * HDF5 file and its journal is gone. Returns st, or why that failed: then another open puts the
 * file right. */
reshed_status rs_h5_shared_close(rs_h5_shared *s, reshed_status st, reshed_error *err);

/* Puts right what a crash left, so that every HDF5 program can read the file. *live: another
 * program is writing it, nothing was done. */
reshed_status rs_h5_recover(const char *path, bool *live, reshed_error *err);

#endif
