/* durability.c - where a line becomes durable.
 *
 * A session must be three things at once: readable by others while it grows, complete after a
 * program or a machine died at any moment, and able to wait on a full disk. HDF5 gives the first by
 * itself (SWMR mode), and neither of the others: metadata are changed in place, in an order that
 * suits readers, so a power failure between two of its writes may leave an index that points to
 * nothing, and when a write fails the library cannot tell which of its data are on the disk.
 *
 * So the library does not write to the file. Its writes pass through our file driver
 * (io/hdf5/driver.c) into a redo journal (io/hdf5/journal.c, where the proof is), and what happens
 * to a line is this:
 *
 *   step  call                           what it does
 *   1     begin_put                      commits what an earlier commit could not
 *   2     put_block, channels, spectra   into the library's caches
 *   3     order                          caches flushed: the changes wait in memory for the journal
 *   4     put_block, state "arrived"     into the library's caches
 *   5     end_put, which commits         caches flushed; 2, 4 written to PATH.journal as one step
 *   6                                    PATH.journal synced           <- now the line is durable
 *   7                                    the step's changes made in PATH, in their order
 *   8     returns RESHED_OK
 *
 * Only the journal is waited for: one write at its end, one sync. With sync_every N the steps 6 and
 * 7 come at every N-th commit, for all N at once. While puts are held (rs_session_hold) 5 is done
 * for each, and 6 and 7 at the first commit after: lines that wait together are synced together, and
 * a retrace, which nothing is made of while the scan goes on, with the next trace. A kill loses none
 * of them. When the journal has become longer than
 * LONGEST_JOURNAL, PATH is synced and the journal starts anew. So everything is written twice, the
 * first time to a file of about 16 MiB that is rewritten from its start.
 *
 * The order 2, 3, 4 is for those who read along: a step is carried out in the order in which the
 * library made its changes, so the note that a line is there comes after its data. (A reader that
 * opens the file in the middle of 7 may have an index from before and the note from after.)
 *
 * When the writer dies, the next to open the session finds,
 *
 *   before 5     nothing of the line: the file as after the last commit
 *   in 5         the line, or nothing: the journal's last step is whole, or fails its checksum
 *   5 to 6       killed: the line, as what a program has written survives it
 *                power failure: the line, or nothing of it (with sync_every N the first few of the
 *                steps that were not synced)
 *   after 6      the line, whatever happens. PATH may be half changed: open and resume carry out
 *                the whole steps of the journal again, in order, and each says what bytes are, not
 *                how they differ. HDF5 structures never need to be repaired: what the library finds
 *                is exactly what it had flushed once.
 *
 * A full disk fails step 5, 6 or 7. What was durable stays so, the step stays in memory, and the
 * library knows nothing of it, so its caches stay right: `behind` is set, and the next put or
 * commit tries again before anything else.
 *
 * The beginning and the end: create.c makes the whole file, with all groups, attributes and empty
 * datasets, beside its name and renames it; from then on nothing is added but rows and chunks.
 * finish commits the mark "complete", lets the library close the file, syncs it, and removes the
 * journal, which is of no more use. */
#include "spm/session/durability.h"

#include "spm/session/setup.h"

/* Bytes of the journal after which the file is synced and the journal starts anew. */
#define LONGEST_JOURNAL ((uint64_t)16 << 20)

reshed_status rs_session_open_journal(rs_session *s, int sync_every, reshed_error *err)
{
    reshed_status st =
        rs_h5_shared_open(s->path, RS_SESSION_IDENTITY, sync_every, LONGEST_JOURNAL, &s->out, err);
    if (st == RESHED_OK) s->file = s->out->id;
    return st;
}

static reshed_status commit(rs_session *s, rs_journal_sync sync, reshed_error *err)
{
    reshed_status st = rs_h5_shared_commit(s->out, sync, err);
    s->behind = st != RESHED_OK;
    return st;
}

reshed_status rs_session_begin_put(rs_session *s, reshed_error *err)
{
    if (!s->out) return rs_fail(err, RESHED_EINVAL, "the session is open for reading only");
    s->hush = rs_h5_hush_begin();
    reshed_status st =
        s->behind ? commit(s, s->held ? RS_JOURNAL_LATER : RS_JOURNAL_NTH, err) : RESHED_OK;
    if (st != RESHED_OK) rs_h5_hush_end(s->hush);
    return st;
}

/* The library gives its changes to the journal when it is asked to flush. */
reshed_status rs_session_order(rs_session *s, reshed_error *err)
{
    if (H5Fflush(s->file, H5F_SCOPE_LOCAL) >= 0) return RESHED_OK;
    return rs_h5_fail(err, RESHED_EIO, "cannot write the HDF5 file", "");
}

reshed_status rs_session_end_put(rs_session *s, bool durable, reshed_status st, reshed_error *err)
{
    if (st == RESHED_OK && durable)
        st = commit(s, s->held ? RS_JOURNAL_LATER : RS_JOURNAL_NTH, err);
    rs_h5_hush_end(s->hush);
    return st;
}

void rs_session_hold(rs_session *s, bool hold)
{
    s->held = hold;
}

reshed_status rs_session_commit(rs_session *s, reshed_error *err)
{
    s->held = false;
    reshed_status st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, true, RESHED_OK, err);
}

reshed_status rs_session_finish(rs_session *s, reshed_status st, reshed_error *err)
{
    if (!s || !s->out) {
        rs_session_free(s);
        return st;
    }
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_error why = {0};
    reshed_status ended = s->behind ? commit(s, RS_JOURNAL_NOW, &why) : RESHED_OK;
    if (ended == RESHED_OK && st == RESHED_OK) {
        const hsize_t start = 0, size = 1;
        const uint8_t yes = 1;
        ended = rs_session_put_block(s, ITEM_COMPLETE, &start, &size, &yes, &why);
    }
    rs_session_close_items(s);
    reshed_status closed = rs_h5_shared_close(s->out, RESHED_OK, ended == RESHED_OK ? &why : NULL);
    if (ended == RESHED_OK) ended = closed;
    rs_session_free(s);
    rs_h5_hush_end(hush);
    if (st != RESHED_OK || ended == RESHED_OK) return st;
    if (err) *err = why;
    return ended;
}
