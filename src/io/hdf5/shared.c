#include "io/hdf5/shared.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/h5.h"

static reshed_status journal_path(const char *path, char *out, size_t n, reshed_error *err)
{
    int k = snprintf(out, n, "%s.journal", path);
    if (k >= 0 && (size_t)k < n) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes", n - 9,
                   strlen(path));
}

/* Opens the file for writing. clear: takes away the flag that a writer which died has left, by
 * which others know that the file is being written; the lock has told that there is none now. */
static hid_t open_file(rs_h5_io *io, unsigned flags, bool clear)
{
    const hbool_t yes = true;
    hid_t plist = rs_h5_io_plist(io), id = -1;
    /* The property by which h5clear does it; it has no name in the library's headers. The library
     * sets no flag then either, so this is an opening of its own. */
    if (plist >= 0 && (!clear || H5Pset(plist, "clear_status_flags", &yes) >= 0) &&
        H5Pset_libver_bounds(plist, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0)
        id = H5Fopen("reshed", H5F_ACC_RDWR | flags, plist);
    rs_h5_close(plist);
    return id;
}

/* Takes away the mark of a writer that died: without it the file is as good, but other programs
 * refuse to open it. */
static reshed_status clear_mark(const char *journal, rs_os_file *file, const rs_journal_id *id,
                                reshed_error *err)
{
    rs_h5_io io = {.file = file, .size = rs_os_size(file), .writable = true};
    reshed_status st = rs_journal_create(journal, file, io.size, 1, UINT64_MAX, &io.journal, err);
    if (st != RESHED_OK) return st;
    rs_journal_identify(io.journal, id);
    hid_t h5 = open_file(&io, 0, true);
    if (h5 < 0 || H5Fclose(h5) < 0)
        st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the HDF5 file for writing", "");
    if (st == RESHED_OK) st = rs_journal_commit(io.journal, RS_JOURNAL_NOW, err);
    if (st == RESHED_OK) return rs_journal_close(io.journal, err);
    rs_journal_abandon(io.journal);
    return st;
}

/* Opens a file that has a journal, for writing. *file is NULL when there is nothing to recover: a
 * program writes it (*live), or has just finished, between two questions asked here. */
static reshed_status open_unlocked(const char *path, const char *journal, rs_os_file **file,
                                   bool *live, reshed_error *err)
{
    enum { LOOKS = 10 };
    for (int i = 0;; i++) {
        const reshed_status st = rs_os_open(path, RS_OS_UPDATE, file, NULL, err);
        if (st == RESHED_OK) return st;
        *file = NULL;
        *live = rs_os_is_locked(path);
        if (*live || !rs_os_is_file(journal)) return RESHED_OK;
        if (i == LOOKS) return st;
        rs_os_sleep(1e-3);
    }
}

reshed_status rs_h5_recover(const char *path, bool *live, reshed_error *err)
{
    char journal[4096];
    rs_os_file *file = NULL;
    rs_journal_id id;
    bool found = false;
    *live = false;
    reshed_status st = journal_path(path, journal, sizeof journal, err);
    if (st != RESHED_OK || !rs_os_is_file(journal)) return st;
    st = open_unlocked(path, journal, &file, live, err);
    if (st != RESHED_OK || !file) return st;
    st = rs_journal_recover(journal, file, &id, &found, err);
    /* Reading does not need it, and may be all that a full disk allows. */
    if (st == RESHED_OK && found) (void)clear_mark(journal, file, &id, NULL);
    rs_os_close(file);
    return st;
}

/* In SWMR mode. What both openings change waits in the journal for the first commit. */
static hid_t open_swmr(rs_h5_io *io)
{
    hid_t id = open_file(io, 0, true);
    if (id < 0 || H5Fclose(id) < 0) return -1;
    return open_file(io, H5F_ACC_SWMR_WRITE, false);
}

static reshed_status identify(rs_h5_shared *s, const char *identity, reshed_error *err)
{
    rs_journal_id id;
    hid_t dset = H5Dopen2(s->id, identity, H5P_DEFAULT);
    haddr_t at = dset < 0 ? HADDR_UNDEF : H5Dget_offset(dset);
    bool ok = at != HADDR_UNDEF && H5Dget_storage_size(dset) == sizeof id.bytes &&
              rs_h5_io_read(&s->io, at, id.bytes, sizeof id.bytes);
    rs_h5_close(dset);
    if (!ok) return rs_fail(err, RESHED_ECORRUPT, "the file has no identity|||%s", identity);
    id.offset = at;
    rs_journal_identify(s->journal, &id);
    return RESHED_OK;
}

static void discard(rs_h5_shared *s)
{
    rs_h5_close(s->id);
    rs_journal_abandon(s->journal);
    rs_os_close(s->io.file);
    rs_free(s);
}

reshed_status rs_h5_shared_open(const char *path, const char *identity, int sync_every,
                                uint64_t longest, rs_h5_shared **out, reshed_error *err)
{
    char journal[4096];
    rs_h5_shared *s = NULL;
    reshed_status st = journal_path(path, journal, sizeof journal, err);
    if (st != RESHED_OK) return st;
    if (!(s = rs_zalloc(1, sizeof *s))) return rs_fail_nomem(err, "an HDF5 file", sizeof *s);
    s->id = -1;
    st = rs_os_open(path, RS_OS_UPDATE, &s->io.file, NULL, err);
    if (st == RESHED_OK) st = rs_journal_recover(journal, s->io.file, NULL, NULL, err);
    if (st == RESHED_OK) {
        s->io.size = rs_os_size(s->io.file);
        st = rs_journal_create(journal, s->io.file, s->io.size, sync_every, longest, &s->journal,
                               err);
    }
    if (st != RESHED_OK) goto done;
    s->io.journal = s->journal;
    s->io.writable = true;
    s->id = open_swmr(&s->io);
    if (s->id < 0)
        st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the HDF5 file for writing", "");
    if (st == RESHED_OK) st = identify(s, identity, err);
    /* Readers need to see that it is being written. */
    if (st == RESHED_OK) st = rs_h5_shared_commit(s, RS_JOURNAL_NOW, err);
    if (st == RESHED_OK) {
        *out = s;
        return RESHED_OK;
    }
done:
    discard(s);
    return st;
}

reshed_status rs_h5_shared_commit(rs_h5_shared *s, rs_journal_sync sync, reshed_error *err)
{
    if (H5Fflush(s->id, H5F_SCOPE_LOCAL) < 0)
        return rs_h5_fail(err, RESHED_EIO, "cannot write the HDF5 file", "");
    if (s->io.failed.status != RESHED_OK) {
        if (err) *err = s->io.failed;
        return s->io.failed.status;
    }
    return rs_journal_commit(s->journal, sync, err);
}

reshed_status rs_h5_shared_close(rs_h5_shared *s, reshed_status st, reshed_error *err)
{
    reshed_error why = {0};
    reshed_status closed = RESHED_OK;
    bool ok = H5Fclose(s->id) >= 0;
    s->id = -1;
    if (!ok)
        closed = rs_h5_fail(&why, RESHED_EIO, "cannot write the HDF5 file", "");
    else if ((closed = s->io.failed.status) != RESHED_OK)
        why = s->io.failed;
    else
        closed = rs_journal_commit(s->journal, RS_JOURNAL_NOW, &why);
    if (closed == RESHED_OK) {
        closed = rs_journal_close(s->journal, &why);
        s->journal = NULL;
    }
    discard(s);
    if (st != RESHED_OK || closed == RESHED_OK) return st;
    if (err) *err = why;
    return closed;
}
