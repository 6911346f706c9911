/* The life of a session up to its end, which is in durability.c: it is created, opened for reading,
 * followed while another program writes it, resumed, and its progress counted. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spm/session/create.h"
#include "spm/session/durability.h"
#include "spm/session/limits.h"
#include "spm/session/session.h"
#include "spm/session/setup.h"

/* Looks, ever longer apart, at a session without lines: without a lock, and with one, whose owner is
 * about to mark it. Either may be kept from the processor, or by the disk. */
enum { YOUNG_LOOKS = 40, YOUNG_LOOKS_LOCKED = 120 };
#define YOUNG_WAIT 1e-3

/* -------------------------------------------------------------------------------------- reading */
/* Opens s->path as it is now: the one place in which a reader's view of a session comes about. Of a
 * session that another program writes the view is fixed as far as the library allows: the lengths
 * of all datasets that grow (s->rows) are those of this moment, while the rows of the others are
 * read when they are asked for. */
static reshed_status take_snapshot(rs_session *s, reshed_error *err)
{
    const hsize_t start = 0, size = 1;
    uint8_t complete;
    reshed_status st = rs_h5_recover(s->path, &s->live, err);
    if (st == RESHED_OK) st = rs_h5_open(s->path, NULL, 0, &s->in, err);
    if (st != RESHED_OK) return st;
    /* It may have got a writer, or its mark, between the two. */
    if (!s->live && s->in->io.growing) s->live = rs_os_is_locked(s->path);
    s->file = s->in->id;
    st = rs_session_read_setup(s->in, &s->kept, &s->setup, err);
    if (st == RESHED_OK) st = rs_session_open_items(s, err);
    if (st == RESHED_OK) st = rs_session_get_block(s, ITEM_COMPLETE, &start, &size, &complete, err);
    if (st == RESHED_OK) s->complete = complete != 0;
    return st;
}

/* Returns whether the library knows that the file may change: its writer has marked it by then. */
static bool is_marked(const rs_session *s)
{
    return !s->live || s->in->io.growing;
}

/* Opens a session as it is now, in several attempts when another program is writing it. */
static reshed_status open_now(const char *path, rs_session **out, reshed_error *err)
{
    rs_session *s = NULL;
    reshed_status st = rs_session_new(path, &s, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = take_snapshot(s, err);
    for (int i = 1; s->live && (st != RESHED_OK || !is_marked(s)) && i <= RS_SESSION_LOOKS; i++) {
        rs_session_free(s);
        s = NULL;
        rs_os_sleep(1e-3 * i);
        st = rs_session_new(path, &s, err);
        if (st != RESHED_OK) break;
        st = take_snapshot(s, err);
    }
    if (st == RESHED_OK)
        *out = s;
    else
        rs_session_free(s);
    rs_h5_hush_end(hush);
    return st;
}

/* Returns whether a session that is not known to be written has no line yet, or changes so that it
 * cannot be read. */
static bool is_young(rs_session *s)
{
    rs_session_progress p;
    if (s->live || s->complete) return false;
    return rs_session_get_progress(s, &p, NULL) != RESHED_OK || p.lines + p.lost + p.events == 0;
}

reshed_status rs_session_open(const char *path, rs_session **out, reshed_error *err)
{
    rs_session *s = NULL;
    reshed_status st = open_now(path, &s, err);
    /* Between its creation and the writer's mark nothing tells that it will change under the reader;
     * the two are milliseconds apart. */
    bool locked = false;
    for (int i = 1;
         st == RESHED_OK && i <= (locked ? YOUNG_LOOKS_LOCKED : YOUNG_LOOKS) && is_young(s); i++) {
        rs_os_sleep(YOUNG_WAIT * i);
        locked = rs_os_is_locked(path);
        if (!locked) continue;
        rs_session_free(s);
        s = NULL;
        st = open_now(path, &s, err);
    }
    if (st == RESHED_OK) *out = s;
    return st;
}

/* Takes a new snapshot, which costs some milliseconds and does not depend on what the library keeps
 * in memory of a file that changes. */
reshed_status rs_session_refresh(rs_session *s, reshed_error *err)
{
    rs_session *fresh = NULL;
    if (s->out) return RESHED_OK;
    reshed_status st = rs_session_open(s->path, &fresh, err);
    if (st != RESHED_OK) return st;
    /* The caller has borrowed the setup: it stays s's, and what it points to. */
    rs_session old = *s;
    *s = *fresh;
    s->kept = old.kept;
    s->setup = old.setup;
    s->place = old.place;
    old.kept = fresh->kept;
    *fresh = old;
    rs_session_free(fresh);
    return RESHED_OK;
}

const rs_session_setup *rs_session_get_setup(const rs_session *s)
{
    return &s->setup;
}

const char *rs_session_setting(const rs_session *s, const char *name)
{
    for (int i = 0; i < s->setup.settings; i++)
        if (strcmp(s->setup.setting[i].name, name) == 0) return s->setup.setting[i].value;
    return NULL;
}

/* -------------------------------------------------------------------------------------- writing */
/* Finds the order of the next line. */
static reshed_status count_arrivals(rs_session *s, reshed_error *err)
{
    size_t rows = (size_t)s->setup.frame.rows;
    rs_session_arrival *a = rs_alloc(rows, sizeof *a);
    if (!a) return rs_fail_nomem(err, "the lines of the session", rows * sizeof *a);
    reshed_status st = RESHED_OK;
    for (int dir = 0; st == RESHED_OK && dir <= s->setup.caps.retrace; dir++) {
        st = rs_session_read_arrivals(s, dir, a, err);
        for (size_t i = 0; st == RESHED_OK && i < rows; i++)
            if (a[i].order >= s->arrived && a[i].order < INT32_MAX) s->arrived = a[i].order + 1;
    }
    rs_free(a);
    return st;
}

/* Opens a session as a reader, which puts right what a crash left, then for writing. */
static reshed_status open_writer(const char *path, int sync_every, rs_session **out,
                                 reshed_error *err)
{
    rs_session *s = NULL;
    reshed_status st = open_now(path, &s, err);
    if (st != RESHED_OK) return st;
    if (s->live)
        st = rs_fail(err, RESHED_EIO, "cannot write|a session that no program writes|one in use");
    else if (s->complete)
        st = rs_fail(err, RESHED_EINVAL, "cannot go on|an interrupted session|a complete one");
    rs_session_close_items(s);
    rs_h5_file_close(s->in);
    s->in = NULL;
    s->file = -1;
    if (st == RESHED_OK) st = rs_session_open_journal(s, sync_every, err);
    if (st == RESHED_OK) st = rs_session_open_items(s, err);
    if (st == RESHED_OK) st = count_arrivals(s, err);
    if (st == RESHED_OK) {
        *out = s;
        return RESHED_OK;
    }
    rs_session_close_items(s);
    if (s->out) rs_h5_shared_close(s->out, st, NULL);
    rs_session_free(s);
    return st;
}

/* Refuses a name that a session, or what is left of one, has. */
static reshed_status check_free(const char *path, const char *journal, reshed_error *err)
{
    if (rs_os_is_file(path))
        return rs_fail(err, RESHED_EIO, "cannot create|a name that is free|an existing file");
    if (rs_os_is_file(journal))
        return rs_fail(err, RESHED_EIO,
                       "cannot create|a name that is free|the journal of an interrupted session "
                       "(name.journal), without which that one is not complete");
    return RESHED_OK;
}

static reshed_status check_sync_every(int sync_every, reshed_error *err)
{
    if (sync_every >= 1) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "lines between syncs|1 or more|%d", sync_every);
}

reshed_status rs_session_create(const char *path, const rs_session_setup *setup, int sync_every,
                                rs_session **out, reshed_error *err)
{
    char journal[4096];
    reshed_status st = rs_session_check_setup(setup, err);
    if (st == RESHED_OK) st = check_sync_every(sync_every, err);
    if (st != RESHED_OK) return st;
    int k = snprintf(journal, sizeof journal, "%s.journal", path);
    if (k < 0 || (size_t)k >= sizeof journal)
        return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes",
                       sizeof journal - 9, strlen(path));
    st = check_free(path, journal, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = rs_session_create_file(path, setup, err);
    if (st == RESHED_OK) {
        st = open_writer(path, sync_every, out, err);
        if (st != RESHED_OK) {
            rs_os_discard_temp(path);
            rs_os_discard_temp(journal);
        }
    }
    rs_h5_hush_end(hush);
    return st;
}

reshed_status rs_session_resume(const char *path, int sync_every, rs_session **out,
                                reshed_error *err)
{
    reshed_status st = check_sync_every(sync_every, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = open_writer(path, sync_every, out, err);
    rs_h5_hush_end(hush);
    return st;
}

/* ------------------------------------------------------------------------------------- progress */
static reshed_status count_lines(rs_session *s, rs_session_progress *out, reshed_error *err)
{
    int rows = s->setup.frame.rows;
    rs_session_arrival *a = rs_alloc((size_t)rows, sizeof *a);
    if (!a) return rs_fail_nomem(err, "the lines of the session", (size_t)rows * sizeof *a);
    reshed_status st = rs_session_read_arrivals(s, false, a, err);
    out->first_missing = rows;
    for (int i = 0; st == RESHED_OK && i < rows; i++) {
        int row = s->setup.frame.upward ? rows - 1 - i : i;
        out->lines += a[row].state == RS_SESSION_ARRIVED;
        out->lost += a[row].state == RS_SESSION_LOST;
        if (a[row].state == RS_SESSION_MISSING && out->first_missing == rows)
            out->first_missing = row;
    }
    rs_free(a);
    return st;
}

static reshed_status count_points(rs_session *s, rs_session_progress *out, reshed_error *err)
{
    enum { AT_ONCE = 256 };
    rs_session_point p[AT_ONCE];
    reshed_status st = RESHED_OK;
    out->points = out->first_pending = (int)s->rows[ITEM_POINTS];
    for (int k = 0; st == RESHED_OK && k < out->points; k += AT_ONCE) {
        int n = out->points - k < AT_ONCE ? out->points - k : AT_ONCE;
        st = rs_session_read_points(s, k, n, p, err);
        for (int i = 0; st == RESHED_OK && i < n; i++) {
            out->measured += p[i].state == RS_SESSION_MEASURED;
            if (p[i].state == RS_SESSION_PENDING && out->first_pending == out->points)
                out->first_pending = k + i;
        }
    }
    return st;
}

reshed_status rs_session_get_progress(rs_session *s, rs_session_progress *out, reshed_error *err)
{
    rs_session_progress p = {.complete = s->complete,
                             .live = s->live,
                             .references = (int)s->rows[ITEM_REFERENCES],
                             .patches = (int)s->rows[ITEM_PATCHES],
                             .drifts = (int)s->rows[ITEM_DRIFT],
                             .events = (int)s->rows[ITEM_EVENTS]};
    reshed_status st = count_lines(s, &p, err);
    if (st == RESHED_OK) st = count_points(s, &p, err);
    if (st == RESHED_OK) *out = p;
    return st;
}
