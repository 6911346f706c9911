/* Patches that were scanned again, the drift that was found, and the events of the run.
 *
 *     /Patches/table, amplitude   a row and an image for each patch
 *     /Log/drift, events          a row for each entry */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/session/durability.h"
#include "spm/session/session.h"

bool rs_session_place_log(const rs_session_setup *s, int item, rs_session_place *p)
{
    switch (item) {
    case ITEM_PATCHES:
        rs_session_place_growing(p, CELL_PATCH, "/Patches", "table", 64, 0, 0, 0);
        return s->patch_rows > 0;
    case ITEM_PATCH_DATA:
        if (s->patch_rows == 0) return false;
        rs_session_place_growing(p, CELL_F32, "/Patches", "amplitude", 1, s->patch_rows,
                                 s->patch_cols, 0);
        p->about = "[patch, row, column]; row 0 is the top edge";
        return true;
    case ITEM_DRIFT: rs_session_place_growing(p, CELL_DRIFT, "/Log", "drift", 64, 0, 0, 0); break;
    default: rs_session_place_growing(p, CELL_EVENT, "/Log", "events", 64, 0, 0, 0); break;
    }
    return true;
}

/* -------------------------------------------------------------------------------------- patches */
static reshed_status put_patch(rs_session *s, int k, const rs_session_patch *p,
                               const float *amplitude, reshed_error *err)
{
    size_t rows = (size_t)s->setup.patch_rows, cols = (size_t)s->setup.patch_cols;
    float *whole = rs_alloc(rows * cols, sizeof *whole);
    if (!whole) return rs_fail_nomem(err, "a patch", rows * cols * sizeof *whole);
    for (size_t i = 0; i < rows * cols; i++) whole[i] = NAN;
    for (size_t i = 0; i < (size_t)p->rows; i++)
        memcpy(whole + i * cols, amplitude + i * (size_t)p->cols, (size_t)p->cols * sizeof *whole);
    reshed_status st = rs_session_put_entries(s, ITEM_PATCH_DATA, (hsize_t)k, 1, whole, err);
    rs_free(whole);
    if (st == RESHED_OK) st = rs_session_order(s, err);
    return st == RESHED_OK ? rs_session_put_entries(s, ITEM_PATCHES, (hsize_t)k, 1, p, err) : st;
}

reshed_status rs_session_put_patch(rs_session *s, int k, const rs_session_patch *p,
                                   const float *amplitude, reshed_error *err)
{
    if (p->rows < 1 || p->rows > s->setup.patch_rows || p->cols < 1 ||
        p->cols > s->setup.patch_cols)
        return rs_fail(err, RESHED_EINVAL, "size of a patch|1 x 1 to %d x %d|%d x %d",
                       s->setup.patch_rows, s->setup.patch_cols, p->rows, p->cols);
    reshed_status st = rs_session_check_entries(s, ITEM_PATCHES, k, 1, "patches", err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, true, put_patch(s, k, p, amplitude, err), err);
}

static reshed_status read_patch(rs_session *s, int k, const rs_session_patch *p, float *amplitude,
                                reshed_error *err)
{
    size_t cols = (size_t)s->setup.patch_cols;
    if (p->rows < 1 || p->rows > s->setup.patch_rows || p->cols < 1 ||
        p->cols > s->setup.patch_cols)
        return rs_fail(err, RESHED_ECORRUPT, "size of patch %d|1 x 1 to %d x %d|%d x %d", k,
                       s->setup.patch_rows, s->setup.patch_cols, p->rows, p->cols);
    if (!amplitude) return RESHED_OK;
    reshed_status st = rs_session_get_entries(s, ITEM_PATCH_DATA, (hsize_t)k, 1, amplitude, err);
    for (size_t i = 1; st == RESHED_OK && i < (size_t)p->rows; i++)
        memmove(amplitude + i * (size_t)p->cols, amplitude + i * cols,
                (size_t)p->cols * sizeof *amplitude);
    return st;
}

reshed_status rs_session_read_patch(rs_session *s, int k, rs_session_patch *p, float *amplitude,
                                    reshed_error *err)
{
    rs_session_patch there;
    reshed_status st = rs_session_get_table(s, ITEM_PATCHES, k, 1, &there, "patches", err);
    if (st != RESHED_OK) return st;
    st = read_patch(s, k, &there, amplitude, err);
    if (st == RESHED_OK) *p = there;
    return st;
}

/* ----------------------------------------------------------------------------------------- logs */
static reshed_status add_entry(rs_session *s, int item, const void *entry, reshed_error *err)
{
    reshed_status st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    st = rs_session_put_entries(s, item, s->rows[item], 1, entry, err);
    return rs_session_end_put(s, false, st, err);
}

reshed_status rs_session_add_drift(rs_session *s, const rs_session_drift *d, reshed_error *err)
{
    return add_entry(s, ITEM_DRIFT, d, err);
}

reshed_status rs_session_read_drift(rs_session *s, int first, int n, rs_session_drift *d,
                                    reshed_error *err)
{
    return rs_session_get_table(s, ITEM_DRIFT, first, n, d, "entries of the drift log", err);
}

reshed_status rs_session_add_event(rs_session *s, double time, rs_session_level level,
                                   const char *text, reshed_error *err)
{
    rs_session_event e;
    memset(&e, 0, sizeof e);
    e.time = time;
    e.level = level;
    size_t n = strlen(text);
    if (n >= sizeof e.text) {
        n = sizeof e.text - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
    }
    memcpy(e.text, text, n);
    if ((unsigned)level > RS_SESSION_ERROR)
        return rs_fail(err, RESHED_EINVAL, "level of an event|0 to %d|%u", RS_SESSION_ERROR,
                       (unsigned)level);
    return add_entry(s, ITEM_EVENTS, &e, err);
}

reshed_status rs_session_read_events(rs_session *s, int first, int n, rs_session_event *e,
                                     reshed_error *err)
{
    reshed_status st = rs_session_get_table(s, ITEM_EVENTS, first, n, e, "events", err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        e[i].text[sizeof e[i].text - 1] = '\0';
        if ((unsigned)e[i].level > RS_SESSION_ERROR)
            st = rs_fail(err, RESHED_ECORRUPT, "level of event %d|0 to %d|%u", first + i,
                         RS_SESSION_ERROR, (unsigned)e[i].level);
    }
    return st;
}
