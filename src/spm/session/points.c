/* Points, their spectra and loops, rescan patches, and the logs. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/session/file.h"

/* Entries of a growing item, the first `first <= rows so far`. */
static reshed_status check_entries(const rs_session *s, int item, int first, int n,
                                   const char *what, reshed_error *err)
{
    if (first >= 0 && n >= 1 && (hsize_t)first <= s->rows[item] &&
        (uint64_t)first + (uint64_t)n <= RS_SESSION_MAX_ENTRIES)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|at most %d and up|%d of them from %d", what,
                   (int)s->rows[item], n, first);
}

/* Entries that are there. */
static reshed_status check_there(const rs_session *s, int item, int first, int n, const char *what,
                                 reshed_error *err)
{
    if (first >= 0 && n >= 0 && (uint64_t)first + (uint64_t)n <= s->rows[item]) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|within the %d there are|%d of them from %d", what,
                   (int)s->rows[item], n, first);
}

static reshed_status read_table(rs_session *s, int item, int first, int n, void *out,
                                const char *what, reshed_error *err)
{
    reshed_status st = check_there(s, item, first, n, what, err);
    if (st != RESHED_OK || n == 0) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = rs_session_get_entries(s, item, (hsize_t)first, (hsize_t)n, out, err);
    rs_h5_hush_end(hush);
    return st;
}

/* --------------------------------------------------------------------------------------- points */
static reshed_status check_points(const rs_session *s, int first, int n, const rs_session_point *p,
                                  reshed_error *err)
{
    reshed_status st = check_entries(s, ITEM_POINTS, first, n, "points", err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        if (p[i].target < 0 || (uint64_t)p[i].target >= RS_SESSION_MAX_ENTRIES)
            st = rs_fail(err, RESHED_EINVAL, "target of point %d|0 or more|%d", first + i,
                         p[i].target);
        else if ((unsigned)p[i].state > RS_SESSION_SKIPPED)
            st = rs_fail(err, RESHED_EINVAL, "state of point %d|0 to %d|%u", first + i,
                         RS_SESSION_SKIPPED, (unsigned)p[i].state);
    }
    return st;
}

/* The author's arrays of coordinates, then the table. */
static reshed_status put_points(rs_session *s, int first, int n, const rs_session_point *p,
                                reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const struct {
            int item, entry;
            double xy[2];
        } put[] = {{ITEM_TARGET, p[i].target, {p[i].x, p[i].y}},
                   {ITEM_REARANGE, first + i, {p[i].x, p[i].y}},
                   {ITEM_CONVERT, first + i, {p[i].device_x, p[i].device_y}},
                   {ITEM_MEASURE, first + i, {p[i].measured_x, p[i].measured_y}}};
        for (int k = 0; st == RESHED_OK && k < 4; k++)
            st = rs_session_put_entries(s, put[k].item, (hsize_t)put[k].entry, 1, put[k].xy, err);
    }
    return st == RESHED_OK
               ? rs_session_put_entries(s, ITEM_POINTS, (hsize_t)first, (hsize_t)n, p, err)
               : st;
}

reshed_status rs_session_put_points(rs_session *s, int first, int n, const rs_session_point *p,
                                    reshed_error *err)
{
    rs_h5_hush hush;
    reshed_status st = check_points(s, first, n, p, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, hush, true, put_points(s, first, n, p, err), err);
}

reshed_status rs_session_read_points(rs_session *s, int first, int n, rs_session_point *p,
                                     reshed_error *err)
{
    const int item = ITEM_SERIES + (s->setup.spectrum_bins ? SERIES_SPECTRA : SERIES_AMPLITUDE);
    reshed_status st = read_table(s, ITEM_POINTS, first, n, p, "points", err);
    /* Of a session that goes on, the table may be newer than what this reader knows of the spectra:
     * such a point is for the next look. */
    for (int i = 0; st == RESHED_OK && s->live && i < n; i++)
        if (p[i].state == RS_SESSION_MEASURED && (hsize_t)(first + i) >= s->rows[item]) {
            p[i].state = RS_SESSION_PENDING;
            p[i].measured_x = p[i].measured_y = p[i].time = NAN;
        }
    for (int i = 0; st == RESHED_OK && i < n; i++)
        if ((unsigned)p[i].state > RS_SESSION_SKIPPED)
            st = rs_fail(err, RESHED_ECORRUPT, "state of point %d|0 to %d|%u", first + i,
                         RS_SESSION_SKIPPED, (unsigned)p[i].state);
    return st;
}

/* -------------------------------------------------------------------------------------- spectra */
static int series_item(rs_session_series series, int kind)
{
    return ITEM_SERIES + (int)series * SERIES_ITEMS + kind;
}

static int series_table(rs_session_series series)
{
    return series == RS_SESSION_POINTS ? ITEM_POINTS : ITEM_REFERENCES;
}

static reshed_status check_series(const rs_session *s, rs_session_series series, int k,
                                  bool may_add, reshed_error *err)
{
    const char *what = series == RS_SESSION_POINTS ? "points" : "reference loops";
    if (s->setup.spectroscopy.steps == 0)
        return rs_fail(err, RESHED_EINVAL, "spectra|a session with spectroscopy|one without");
    if (may_add && series == RS_SESSION_REFERENCES)
        return check_entries(s, ITEM_REFERENCES, k, 1, what, err);
    return check_there(s, series_table(series), k, 1, what, err);
}

static reshed_status check_spectrum(const rs_session *s, const rs_spectrum *p, reshed_error *err)
{
    int fields = s->setup.spectroscopy.off_field ? 2 : 1;
    bool bins = s->setup.spectrum_bins > 0;
    if (p->steps == s->setup.spectroscopy.steps && p->bins == s->setup.spectrum_bins &&
        p->fields == fields && (bins ? p->spectra != NULL : p->amplitude && p->phase))
        return RESHED_OK;
    return rs_fail(
        err, RESHED_EINVAL, "spectrum|%d fields, %d steps, %d bins and their values|%d, %d, %d",
        fields, s->setup.spectroscopy.steps, s->setup.spectrum_bins, p->fields, p->steps, p->bins);
}

/* Where and when, after the data. */
static reshed_status note_measured(rs_session *s, rs_session_series series, int k,
                                   const rs_spectrum *spectrum, reshed_error *err)
{
    if (series == RS_SESSION_REFERENCES) {
        const rs_session_reference r = {spectrum->x, spectrum->y, spectrum->time,
                                        RS_SESSION_MEASURED};
        return rs_session_put_entries(s, ITEM_REFERENCES, (hsize_t)k, 1, &r, err);
    }
    const double xy[2] = {spectrum->x, spectrum->y};
    rs_session_point p;
    reshed_status st = rs_session_get_entries(s, ITEM_POINTS, (hsize_t)k, 1, &p, err);
    if (st == RESHED_OK) st = rs_session_put_entries(s, ITEM_MEASURE, (hsize_t)k, 1, xy, err);
    if (st != RESHED_OK) return st;
    p.measured_x = xy[0];
    p.measured_y = xy[1];
    p.time = spectrum->time;
    p.state = RS_SESSION_MEASURED;
    return rs_session_put_entries(s, ITEM_POINTS, (hsize_t)k, 1, &p, err);
}

static reshed_status put_spectrum(rs_session *s, rs_session_series series, int k,
                                  const rs_spectrum *p, reshed_error *err)
{
    const float *const data[] = {[SERIES_SPECTRA] = s->setup.spectrum_bins ? p->spectra : NULL,
                                 [SERIES_AMPLITUDE] = p->amplitude,
                                 [SERIES_PHASE] = p->phase};
    reshed_status st = RESHED_OK;
    for (int i = SERIES_SPECTRA; st == RESHED_OK && i <= SERIES_PHASE; i++)
        if (data[i])
            st = rs_session_put_entries(s, series_item(series, i), (hsize_t)k, 1, data[i], err);
    if (st == RESHED_OK) st = rs_session_order(s, err);
    return st == RESHED_OK ? note_measured(s, series, k, p, err) : st;
}

reshed_status rs_session_put_spectrum(rs_session *s, rs_session_series series, int k,
                                      const rs_spectrum *spectrum, reshed_error *err)
{
    rs_h5_hush hush;
    reshed_status st = check_series(s, series, k, true, err);
    if (st == RESHED_OK) st = check_spectrum(s, spectrum, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, hush, true, put_spectrum(s, series, k, spectrum, err), err);
}

static reshed_status read_spectrum(rs_session *s, rs_session_series series, int k, rs_spectrum *p,
                                   reshed_error *err)
{
    float *const data[] = {[SERIES_SPECTRA] = s->setup.spectrum_bins ? p->spectra : NULL,
                           [SERIES_AMPLITUDE] = p->amplitude,
                           [SERIES_PHASE] = p->phase};
    double x, y, time;
    reshed_status st;
    if (series == RS_SESSION_REFERENCES) {
        rs_session_reference r;
        st = rs_session_get_entries(s, ITEM_REFERENCES, (hsize_t)k, 1, &r, err);
        x = r.x, y = r.y, time = r.time;
    } else {
        rs_session_point point;
        st = rs_session_get_entries(s, ITEM_POINTS, (hsize_t)k, 1, &point, err);
        x = point.measured_x, y = point.measured_y, time = point.time;
    }
    for (int i = SERIES_SPECTRA; st == RESHED_OK && i <= SERIES_PHASE; i++)
        if (data[i])
            st = rs_session_get_entries(s, series_item(series, i), (hsize_t)k, 1, data[i], err);
    if (st != RESHED_OK) return st;
    if (p->frequency && s->setup.spectrum_bins)
        memcpy(p->frequency, s->setup.spectrum_frequency,
               (size_t)s->setup.spectrum_bins * sizeof *p->frequency);
    p->steps = s->setup.spectroscopy.steps;
    p->bins = s->setup.spectrum_bins;
    p->fields = s->setup.spectroscopy.off_field ? 2 : 1;
    p->x = x;
    p->y = y;
    p->time = time;
    return RESHED_OK;
}

reshed_status rs_session_read_spectrum(rs_session *s, rs_session_series series, int k,
                                       rs_spectrum *spectrum, reshed_error *err)
{
    reshed_status st = check_series(s, series, k, false, err);
    if (st != RESHED_OK) return st;
    if (spectrum->steps < s->setup.spectroscopy.steps ||
        ((spectrum->spectra || spectrum->frequency) && spectrum->bins < s->setup.spectrum_bins))
        return rs_fail(err, RESHED_EINVAL, "room for a spectrum|%d steps, %d bins|%d, %d",
                       s->setup.spectroscopy.steps, s->setup.spectrum_bins, spectrum->steps,
                       spectrum->bins);
    rs_h5_hush hush = rs_h5_hush_begin();
    st = read_spectrum(s, series, k, spectrum, err);
    rs_h5_hush_end(hush);
    return st;
}

/* ---------------------------------------------------------------------------------------- loops */
#define LOOP_ARRAYS (SERIES_ITEMS - SERIES_SHO_AMPLITUDE)

static void loop_arrays(const rs_session_loop *loop, float *out[LOOP_ARRAYS])
{
    out[SERIES_SHO_AMPLITUDE - SERIES_SHO_AMPLITUDE] = loop->amplitude;
    out[SERIES_SHO_FREQUENCY - SERIES_SHO_AMPLITUDE] = loop->frequency;
    out[SERIES_SHO_Q - SERIES_SHO_AMPLITUDE] = loop->q;
    out[SERIES_SHO_PHASE - SERIES_SHO_AMPLITUDE] = loop->phase;
    out[SERIES_RESPONSE - SERIES_SHO_AMPLITUDE] = loop->response;
}

reshed_status rs_session_put_loop(rs_session *s, rs_session_series series, int k,
                                  const rs_session_loop *loop, reshed_error *err)
{
    rs_h5_hush hush;
    float *data[LOOP_ARRAYS];
    loop_arrays(loop, data);
    reshed_status st = check_series(s, series, k, false, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; st == RESHED_OK && i < LOOP_ARRAYS; i++)
        if (data[i])
            st = rs_session_put_entries(s, series_item(series, SERIES_SHO_AMPLITUDE + i),
                                        (hsize_t)k, 1, data[i], err);
    if (st == RESHED_OK && loop->metric && s->setup.metrics)
        st = rs_session_put_entries(s, ITEM_METRIC + (int)series, (hsize_t)k, 1, loop->metric, err);
    return rs_session_end_put(s, hush, false, st, err);
}

reshed_status rs_session_read_loop(rs_session *s, rs_session_series series, int k,
                                   rs_session_loop *loop, reshed_error *err)
{
    float *data[LOOP_ARRAYS];
    loop_arrays(loop, data);
    reshed_status st = check_series(s, series, k, false, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    for (int i = 0; st == RESHED_OK && i < LOOP_ARRAYS; i++)
        if (data[i])
            st = rs_session_get_entries(s, series_item(series, SERIES_SHO_AMPLITUDE + i),
                                        (hsize_t)k, 1, data[i], err);
    if (st == RESHED_OK && loop->metric && s->setup.metrics)
        st = rs_session_get_entries(s, ITEM_METRIC + (int)series, (hsize_t)k, 1, loop->metric, err);
    rs_h5_hush_end(hush);
    return st;
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
    return st == RESHED_OK ? rs_session_put_entries(s, ITEM_PATCHES, (hsize_t)k, 1, p, err) : st;
}

reshed_status rs_session_put_patch(rs_session *s, int k, const rs_session_patch *p,
                                   const float *amplitude, reshed_error *err)
{
    rs_h5_hush hush;
    if (p->rows < 1 || p->rows > s->setup.patch_rows || p->cols < 1 ||
        p->cols > s->setup.patch_cols)
        return rs_fail(err, RESHED_EINVAL, "size of a patch|1 x 1 to %d x %d|%d x %d",
                       s->setup.patch_rows, s->setup.patch_cols, p->rows, p->cols);
    reshed_status st = check_entries(s, ITEM_PATCHES, k, 1, "patches", err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, hush, true, put_patch(s, k, p, amplitude, err), err);
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
    reshed_status st = read_table(s, ITEM_PATCHES, k, 1, &there, "patches", err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = read_patch(s, k, &there, amplitude, err);
    rs_h5_hush_end(hush);
    if (st == RESHED_OK) *p = there;
    return st;
}

/* ----------------------------------------------------------------------------------------- logs */
static reshed_status add_entry(rs_session *s, int item, const void *entry, reshed_error *err)
{
    rs_h5_hush hush;
    reshed_status st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    st = rs_session_put_entries(s, item, s->rows[item], 1, entry, err);
    return rs_session_end_put(s, hush, false, st, err);
}

reshed_status rs_session_add_drift(rs_session *s, const rs_session_drift *d, reshed_error *err)
{
    return add_entry(s, ITEM_DRIFT, d, err);
}

reshed_status rs_session_read_drift(rs_session *s, int first, int n, rs_session_drift *d,
                                    reshed_error *err)
{
    return read_table(s, ITEM_DRIFT, first, n, d, "entries of the drift log", err);
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
    reshed_status st = read_table(s, ITEM_EVENTS, first, n, e, "events", err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        e[i].text[sizeof e[i].text - 1] = '\0';
        if ((unsigned)e[i].level > RS_SESSION_ERROR)
            st = rs_fail(err, RESHED_ECORRUPT, "level of event %d|0 to %d|%u", first + i,
                         RS_SESSION_ERROR, (unsigned)e[i].level);
    }
    return st;
}
