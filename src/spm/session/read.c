/* Reading a session: finished, interrupted or being written. */
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spm/session/file.h"

/* ----------------------------------------------------------------------------------------- open */
static reshed_status open_reader(rs_session *s, reshed_error *err)
{
    const hsize_t start = 0, size = 1;
    uint8_t complete;
    reshed_status st = rs_h5_recover(s->path, &s->live, err);
    if (st == RESHED_OK) st = rs_h5_open(s->path, NULL, 0, &s->in, err);
    if (st != RESHED_OK) return st;
    s->file = s->in->id;
    st = rs_session_read_setup(s, err);
    if (st == RESHED_OK) st = rs_session_open_items(s, err);
    if (st == RESHED_OK) st = rs_session_get_block(s, ITEM_COMPLETE, &start, &size, &complete, err);
    if (st == RESHED_OK) s->complete = complete != 0;
    return st;
}

reshed_status rs_session_open(const char *path, rs_session **out, reshed_error *err)
{
    rs_session *s = NULL;
    reshed_status st = rs_session_new(path, &s, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = open_reader(s, err);
    if (st == RESHED_OK)
        *out = s;
    else
        rs_session_free(s);
    rs_h5_hush_end(hush);
    return st;
}

/* Opening anew costs some milliseconds, and does not depend on what the library keeps in memory of
 * a file that changes. */
reshed_status rs_session_refresh(rs_session *s, reshed_error *err)
{
    rs_session *fresh = NULL;
    if (s->out) return RESHED_OK;
    reshed_status st = rs_session_open(s->path, &fresh, err);
    if (st != RESHED_OK) return st;
    /* What the caller has borrowed stays s's. */
    rs_session old = *s;
    *s = *fresh;
    s->kept = old.kept;
    s->setup = old.setup;
    old.kept = fresh->kept;
    *fresh = old;
    rs_session_free(fresh);
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- lines */
static reshed_status check_rows(const rs_session *s, int row, int rows, reshed_error *err)
{
    if (row >= 0 && rows >= 1 && row < s->setup.frame.rows && rows <= s->setup.frame.rows - row)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "rows of the frame|within 0..%d|%d rows from %d",
                   s->setup.frame.rows - 1, rows, row);
}

static reshed_status check_direction(const rs_session *s, bool retrace, reshed_error *err)
{
    if (!retrace || s->setup.caps.retrace) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "direction|trace|retrace, which this session has not");
}

static reshed_status read_arrivals(rs_session *s, bool retrace, int row, int rows,
                                   rs_session_arrival *out, reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = (hsize_t)rows;
    reshed_status st = rs_session_get_block(s, retrace ? ITEM_ARRIVAL_RETRACE : ITEM_ARRIVAL_TRACE,
                                            &start, &size, out, err);
    for (int i = 0; st == RESHED_OK && i < rows; i++)
        if ((unsigned)out[i].state > RS_SESSION_LOST)
            st = rs_fail(err, RESHED_ECORRUPT, "state of line %d|0 to %d|%u", row + i,
                         RS_SESSION_LOST, (unsigned)out[i].state);
    return st;
}

reshed_status rs_session_read_arrivals(rs_session *s, bool retrace, rs_session_arrival *out,
                                       reshed_error *err)
{
    reshed_status st = check_direction(s, retrace, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = read_arrivals(s, retrace, 0, s->setup.frame.rows, out, err);
    rs_h5_hush_end(hush);
    return st;
}

static reshed_status read_line(rs_session *s, int row, bool retrace, rs_line *line,
                               rs_session_arrival *a, reshed_error *err)
{
    const rs_driver_caps *caps = &s->setup.caps;
    const int cols = s->setup.frame.cols;
    const hsize_t start[3] = {0, (hsize_t)(s->setup.frame.rows - 1 - row), 0};
    const hsize_t size[3] = {(hsize_t)cols, 1, (hsize_t)caps->bins};
    const int channels = retrace ? ITEM_CHANNEL_RETRACE : ITEM_CHANNEL_TRACE;
    const int spectra = retrace ? ITEM_SPECTRA_RETRACE : ITEM_SPECTRA_TRACE;
    reshed_status st = read_arrivals(s, retrace, row, 1, a, err);
    for (int k = 0; st == RESHED_OK && line->channel && k < caps->channels; k++)
        st = rs_session_get_block(s, channels + k, start, size,
                                  line->channel + (size_t)k * (size_t)cols, err);
    if (st == RESHED_OK && line->spectra && caps->bins)
        st = rs_session_get_block(s, spectra, start, size, line->spectra, err);
    if (st != RESHED_OK) return st;
    if (line->frequency && caps->bins)
        memcpy(line->frequency, s->setup.frequency, (size_t)caps->bins * sizeof *line->frequency);
    line->cols = cols;
    line->bins = caps->bins;
    line->channels = caps->channels;
    line->row = row;
    line->retrace = retrace;
    line->time = a->time;
    line->frame = a->frame;
    return RESHED_OK;
}

reshed_status rs_session_read_line(rs_session *s, int row, bool retrace, rs_line *line,
                                   rs_session_arrival *arrival, reshed_error *err)
{
    const rs_driver_caps *caps = &s->setup.caps;
    const int cols = s->setup.frame.cols;
    rs_session_arrival a;
    reshed_status st = check_rows(s, row, 1, err);
    if (st == RESHED_OK) st = check_direction(s, retrace, err);
    if (st != RESHED_OK) return st;
    if ((line->channel && (line->cols < cols || line->channels < caps->channels)) ||
        (line->spectra && (line->cols < cols || line->bins < caps->bins)) ||
        (line->frequency && line->bins < caps->bins))
        return rs_fail(err, RESHED_EINVAL,
                       "room for a line|%d columns, %d bins, %d channels|%d, %d, %d", cols,
                       caps->bins, caps->channels, line->cols, line->bins, line->channels);
    rs_h5_hush hush = rs_h5_hush_begin();
    st = read_line(s, row, retrace, line, &a, err);
    rs_h5_hush_end(hush);
    if (st == RESHED_OK && arrival) *arrival = a;
    return st;
}

reshed_status rs_session_read_processed(rs_session *s, rs_session_processed *out, reshed_error *err)
{
    const hsize_t start = 0, size = (hsize_t)s->setup.frame.rows;
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = rs_session_get_block(s, ITEM_PROCESSED, &start, &size, out, err);
    rs_h5_hush_end(hush);
    return st;
}

/* ----------------------------------------------------------------------------------------- maps */
static reshed_status get_rows(rs_session *s, int item, int row, int rows, void *data, size_t cell,
                              reshed_error *err)
{
    const size_t n = (size_t)rows, cols = (size_t)s->setup.frame.cols;
    const hsize_t start[2] = {0, (hsize_t)(s->setup.frame.rows - row - rows)};
    const hsize_t size[2] = {cols, n};
    char *out = data, *turned = NULL;
    reshed_status st = check_rows(s, row, rows, err);
    if (st != RESHED_OK) return st;
    if (!(turned = rs_alloc(n * cols, cell)))
        return rs_fail_nomem(err, "rows of a map", n * cols * cell);
    rs_h5_hush hush = rs_h5_hush_begin();
    st = rs_session_get_block(s, item, start, size, turned, err);
    rs_h5_hush_end(hush);
    for (size_t i = 0; st == RESHED_OK && i < n; i++)
        for (size_t c = 0; c < cols; c++)
            memcpy(out + (i * cols + c) * cell, turned + (c * n + (n - 1 - i)) * cell, cell);
    rs_free(turned);
    return st;
}

reshed_status rs_session_read_map(rs_session *s, rs_session_map map, int row, int rows, float *data,
                                  reshed_error *err)
{
    return get_rows(s, ITEM_MAP + (int)map, row, rows, data, sizeof *data, err);
}

reshed_status rs_session_read_mask(rs_session *s, rs_session_mask mask, int row, int rows,
                                   uint8_t *data, reshed_error *err)
{
    return get_rows(s, ITEM_MASK + (int)mask, row, rows, data, 1, err);
}

reshed_status rs_session_read_states(rs_session *s, int row, int rows, uint8_t *state,
                                     reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = (hsize_t)rows;
    reshed_status st = check_rows(s, row, rows, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = rs_session_get_block(s, ITEM_STATES, &start, &size, state, err);
    rs_h5_hush_end(hush);
    for (int i = 0; st == RESHED_OK && i < rows; i++)
        if (state[i] > RS_SESSION_STALE)
            st = rs_fail(err, RESHED_ECORRUPT, "state of row %d|0 to %d|%d", row + i,
                         RS_SESSION_STALE, state[i]);
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
