/* journal.h - changes a file in steps that happen whole or not at all.
 *
 * The owner of an open file gives all its writes to the journal. They are kept in memory until
 * rs_journal_commit, which puts them into a second file, the journal, waits until they are on the
 * disk, and only then carries them out. See journal.c for why that survives everything. */
#ifndef RS_IO_HDF5_JOURNAL_H
#define RS_IO_HDF5_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/os.h"
#include "base/status.h"

typedef struct rs_journal rs_journal;

/* Bytes of the file that never change and that no other file has at that place: a journal is
 * carried out on the file that it belongs to, or not at all. */
typedef struct rs_journal_id {
    uint64_t offset;
    uint8_t bytes[32];
} rs_journal_id;

/* A journal at `path` (which must not exist) for `file`, which is borrowed and has `size` bytes.
 * Every sync_every-th commit waits for the disk. The journal starts anew when it is longer than
 * `longest` bytes. Nothing is written before the first commit. */
reshed_status rs_journal_create(const char *path, rs_os_file *file, uint64_t size, int sync_every,
                                uint64_t longest, rs_journal **out, reshed_error *err);
/* Must be called before the first commit. */
void rs_journal_identify(rs_journal *j, const rs_journal_id *id);

/* The owner's writes. False when memory is short; the journal then refuses to commit. */
bool rs_journal_write(rs_journal *j, uint64_t offset, const void *data, size_t n);
bool rs_journal_resize(rs_journal *j, uint64_t size);
/* The file as the owner sees it, n bytes from offset; zeros where nothing was written. False when
 * the disk does not read. */
bool rs_journal_read(const rs_journal *j, uint64_t offset, void *buf, size_t n);

/* When a commit waits for the disk. */
typedef enum rs_journal_sync {
    RS_JOURNAL_LATER, /* not: it counts as one of the N that the next commit may wait for */
    RS_JOURNAL_NTH,   /* when it is at least the N-th since the last that did, or N is 1 */
    RS_JOURNAL_NOW
} rs_journal_sync;

/* Makes the writes so far one step. RESHED_OK: after a crash of the program it will be found done;
 * after one of the machine as well when it was synced. Other programs see what was synced.
 * RESHED_EIO: nothing is lost; call again once the disk takes it. */
reshed_status rs_journal_commit(rs_journal *j, rs_journal_sync sync, reshed_error *err);
/* Returns whether all that was written is committed and carried out. */
bool rs_journal_clean(const rs_journal *j);
/* Puts the file itself on the disk, so that it no longer needs the journal, which is removed when
 * it is clean. Frees j in any case. */
reshed_status rs_journal_close(rs_journal *j, reshed_error *err);
/* Frees j; the journal stays as it is on the disk. */
void rs_journal_abandon(rs_journal *j);

/* Carries out what a journal left behind at `path` holds, on `file`, and removes it. No journal: no
 * work. RESHED_ECORRUPT: it belongs to another file. *id, which may be NULL: whose it was, and
 * *found whether there was one that had begun. */
reshed_status rs_journal_recover(const char *path, rs_os_file *file, rs_journal_id *id, bool *found,
                                 reshed_error *err);

#endif
