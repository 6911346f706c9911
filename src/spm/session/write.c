/* How a session survives.
 *
 * A session must be three things at once: readable by others while it grows, complete after a
 * program or a machine died at any moment, and able to wait on a full disk. HDF5 gives the first
 * by itself (SWMR mode), and neither of the others: metadata are changed in place, in an order that
 * suits readers, so a power failure between two of its writes may leave an index that points to
 * nothing, and when a write fails the library cannot tell which of its data are on the disk.
 *
 *   create   The whole file with all groups, attributes and (empty) datasets is made beside its
 *            name and renamed. From then on nothing is added but rows and chunks.
 *   put      H5Dwrite into the library's caches.
 *   commit   H5Fflush gives all that changed to our file driver, which passes it on to a redo
 *            journal (io/journal.c, where the proof is): written to PATH.journal, synced, then
 *            carried out on the file in the library's order. So between two commits the file on
 *            the disk does not change at all, and every state that a crash can leave is, journal
 *            included, the one after some commit: the last that was answered, or the one under way.
 *   crash    open and resume carry out the journal. HDF5 structures never need to be repaired: what
 *            the library finds is exactly what it had flushed once.
 *   full     The commit fails, the step stays in memory, and nothing on the disk is different. The
 *            library knows nothing of it, so its caches stay right. The next call tries again.
 *   finish   The last commit is the library's own closing of the file. Then the file is synced and
 *            the journal, of no more use, is removed.
 *
 * The price is that everything is written twice, the first time to a file of at most about 16 MiB
 * that is rewritten from its start, and one sync of that for each line. docs/formats.md has the
 * layout. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/nsid/make.h"
#include "spm/session/file.h"

#define IDENTITY "/Session/identity"
/* Bytes of the journal after which the file is synced and the journal starts anew. */
#define LONGEST_JOURNAL ((uint64_t)16 << 20)

/* --------------------------------------------------------------------------------------- create */
/* Centres of n pixels that tile `length` around `middle`. */
static void pixel_centres(double *v, int n, double middle, double length)
{
    for (int i = 0; i < n; i++) v[i] = middle + length * ((i + 0.5) / n - 0.5);
}

static void describe_axis(rs_nsid_dim *d, const char *name, const char *quantity, const char *unit,
                          const char *type, int n, double *values)
{
    snprintf(d->name, sizeof d->name, "%s", name);
    snprintf(d->quantity, sizeof d->quantity, "%s", quantity);
    snprintf(d->units, sizeof d->units, "%s", unit);
    snprintf(d->type, sizeof d->type, "%s", type);
    d->n = n;
    d->values = values;
}

static reshed_status make_main(hid_t file, const rs_session_setup *s, const rs_session_place *p,
                               const rs_nsid_place *cell, double *x, double *y, double *f,
                               reshed_error *err)
{
    rs_nsid_data d = {.ndim = p->ndim, .is_complex = p->cell == CELL_C32};
    snprintf(d.name, sizeof d.name, "%s", p->name);
    snprintf(d.quantity, sizeof d.quantity, "%s", p->quantity);
    snprintf(d.units, sizeof d.units, "%s", p->unit);
    snprintf(d.title, sizeof d.title, "%s %s", strrchr(p->path, '/') + 1, p->name);
    snprintf(d.data_type, sizeof d.data_type, "%s", p->ndim == 3 ? "SPECTRAL_IMAGE" : "IMAGE");
    snprintf(d.modality, sizeof d.modality, "PFM");
    snprintf(d.source, sizeof d.source, "%.63s", s->caps.instrument);
    describe_axis(&d.dim[0], "x", "Position", "m", "SPATIAL", s->frame.cols, x);
    describe_axis(&d.dim[1], "y", "Position", "m", "SPATIAL", s->frame.rows, y);
    describe_axis(&d.dim[2], "frequency", "Frequency", "Hz", "SPECTRAL", s->caps.bins, f);
    return rs_nsid_make_main(file, p->path, &d, cell, UINT64_MAX, NULL, 0, err);
}

static reshed_status make_plain(hid_t file, const rs_session_place *p, const rs_nsid_place *cell,
                                reshed_error *err)
{
    hsize_t max[4];
    memcpy(max, p->dims, sizeof max);
    if (p->grows) max[0] = H5S_UNLIMITED;
    hid_t g = rs_nsid_open_group(file, p->path), d = -1;
    if (g >= 0) d = rs_nsid_make_dataset(g, p->name, p->ndim, p->dims, max, NULL, cell);
    bool ok = d >= 0 && (!p->about || rs_h5_set_text(d, "description", p->about)) &&
              (!p->unit[0] || rs_h5_set_text(d, "units", p->unit));
    rs_h5_close(d);
    rs_h5_close(g);
    return ok ? RESHED_OK
              : rs_h5_fail(err, RESHED_EIO, "cannot make a dataset of the session", p->name);
}

static reshed_status make_items(hid_t file, const rs_session_setup *s, double *x, double *y,
                                double *f, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < ALL_ITEMS; i++) {
        rs_session_place p;
        if (!rs_session_place_of(s, i, &p)) continue;
        hid_t type = rs_session_cell_type(p.cell, false);
        hid_t memory = rs_session_cell_type(p.cell, true);
        const rs_nsid_place cell = {.type = type,
                                    .chunk = p.chunk,
                                    .fill = rs_session_cell_empty(p.cell),
                                    .fill_type = memory};
        if (type < 0 || memory < 0)
            st = rs_h5_fail(err, RESHED_EINTERNAL, "cannot describe the session's data", "");
        else if (p.main)
            st = make_main(file, s, &p, &cell, x, y, f, err);
        else
            st = make_plain(file, &p, &cell, err);
        rs_h5_close(memory);
        rs_h5_close(type);
    }
    return st;
}

static reshed_status fill_file(hid_t file, const rs_session_setup *s, reshed_error *err)
{
    double *x = rs_alloc((size_t)s->frame.cols, sizeof *x);
    double *y = rs_alloc((size_t)s->frame.rows, sizeof *y);
    double *f = rs_alloc((size_t)s->caps.bins, sizeof *f);
    reshed_status st = RESHED_OK;
    if (!x || !y || !f) {
        st = rs_fail_nomem(err, "the axes of the session", sizeof *x * RS_SESSION_MAX_SIDE);
    } else {
        pixel_centres(x, s->frame.cols, s->frame.cx, s->frame.width);
        pixel_centres(y, s->frame.rows, s->frame.cy, s->frame.height);
        if (s->caps.bins) memcpy(f, s->frequency, (size_t)s->caps.bins * sizeof *f);
        st = rs_session_write_setup(file, s, err);
        if (st == RESHED_OK) st = make_items(file, s, x, y, f, err);
        /* Where the author's files have it. */
        if (st == RESHED_OK && s->spectroscopy.steps &&
            H5Lcreate_soft("/Coordinates/Measure", file, "/BEPS/coordinates", H5P_DEFAULT,
                           H5P_DEFAULT) < 0)
            st = rs_h5_fail(err, RESHED_EIO, "cannot make a link", "/BEPS/coordinates");
    }
    rs_free(f);
    rs_free(y);
    rs_free(x);
    return st;
}

/* The file with nothing in it yet. */
static reshed_status create_file(const char *path, const rs_session_setup *s, reshed_error *err)
{
    rs_h5_out *out = NULL;
    reshed_status st = rs_h5_out_open(path, RS_H5_ATOMIC_CHECKED, &out, err);
    if (st != RESHED_OK) return st;
    return rs_h5_out_finish(out, fill_file(out->id, s, err), err);
}

/* -------------------------------------------------------------------------------- open to write */
/* What has to be known of what is in the file. */
static reshed_status take_stock(rs_session *s, reshed_error *err)
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

static reshed_status open_writer(const char *path, int sync_every, rs_session **out,
                                 reshed_error *err)
{
    rs_session *s = NULL;
    reshed_status st = rs_session_open(path, &s, err);
    if (st != RESHED_OK) return st;
    if (s->live)
        st = rs_fail(err, RESHED_EIO, "cannot write|a session that no program writes|one in use");
    else if (s->complete)
        st = rs_fail(err, RESHED_EINVAL, "cannot go on|an interrupted session|a complete one");
    rs_session_close_items(s);
    rs_h5_file_close(s->in);
    s->in = NULL;
    s->file = -1;
    if (st == RESHED_OK)
        st = rs_h5_shared_open(path, IDENTITY, sync_every, LONGEST_JOURNAL, &s->out, err);
    if (st == RESHED_OK) {
        s->file = s->out->id;
        st = rs_session_open_items(s, err);
        if (st == RESHED_OK) st = take_stock(s, err);
    }
    if (st == RESHED_OK) {
        *out = s;
        return RESHED_OK;
    }
    rs_session_close_items(s);
    if (s->out) rs_h5_shared_close(s->out, st, NULL);
    rs_session_free(s);
    return st;
}

reshed_status rs_session_create(const char *path, const rs_session_setup *setup, int sync_every,
                                rs_session **out, reshed_error *err)
{
    char journal[4096];
    reshed_status st = rs_session_check_setup(setup, err);
    if (st != RESHED_OK) return st;
    if (sync_every < 1)
        return rs_fail(err, RESHED_EINVAL, "lines between syncs|1 or more|%d", sync_every);
    int k = snprintf(journal, sizeof journal, "%s.journal", path);
    if (k < 0 || (size_t)k >= sizeof journal)
        return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes",
                       sizeof journal - 9, strlen(path));
    if (rs_os_is_file(path))
        return rs_fail(err, RESHED_EIO, "cannot create|a name that is free|an existing file");
    if (rs_os_is_file(journal))
        return rs_fail(err, RESHED_EIO,
                       "cannot create|a name that is free|the journal of an interrupted session "
                       "(name.journal), without which that one is not complete");
    rs_h5_hush hush = rs_h5_hush_begin();
    st = create_file(path, setup, err);
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
    if (sync_every < 1)
        return rs_fail(err, RESHED_EINVAL, "lines between syncs|1 or more|%d", sync_every);
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = open_writer(path, sync_every, out, err);
    rs_h5_hush_end(hush);
    return st;
}

/* --------------------------------------------------------------------------------------- commit */
static reshed_status commit(rs_session *s, bool sync, reshed_error *err)
{
    reshed_status st = rs_h5_shared_commit(s->out, sync, err);
    s->behind = st != RESHED_OK;
    return st;
}

/* The library gives its changes to the journal in the order in which it is asked to; a step is
 * carried out in that order. */
reshed_status rs_session_order(rs_session *s, reshed_error *err)
{
    if (H5Fflush(s->file, H5F_SCOPE_LOCAL) >= 0) return RESHED_OK;
    return rs_h5_fail(err, RESHED_EIO, "cannot write the HDF5 file", "");
}

reshed_status rs_session_begin_put(rs_session *s, rs_h5_hush *hush, reshed_error *err)
{
    if (!s->out) return rs_fail(err, RESHED_EINVAL, "the session is open for reading only");
    *hush = rs_h5_hush_begin();
    reshed_status st = s->behind ? commit(s, false, err) : RESHED_OK;
    if (st != RESHED_OK) rs_h5_hush_end(*hush);
    return st;
}

reshed_status rs_session_end_put(rs_session *s, rs_h5_hush hush, bool durable, reshed_status st,
                                 reshed_error *err)
{
    if (st == RESHED_OK && durable) st = commit(s, false, err);
    rs_h5_hush_end(hush);
    return st;
}

reshed_status rs_session_commit(rs_session *s, reshed_error *err)
{
    rs_h5_hush hush;
    reshed_status st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, hush, true, RESHED_OK, err);
}

reshed_status rs_session_finish(rs_session *s, reshed_status st, reshed_error *err)
{
    if (!s || !s->out) {
        rs_session_free(s);
        return st;
    }
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_error why = {0};
    reshed_status ended = s->behind ? commit(s, true, &why) : RESHED_OK;
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

/* ---------------------------------------------------------------------------------------- lines */
static reshed_status check_rows(const rs_session *s, int row, int rows, reshed_error *err)
{
    if (row >= 0 && rows >= 1 && row < s->setup.frame.rows && rows <= s->setup.frame.rows - row)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "rows of the frame|within 0..%d|%d rows from %d",
                   s->setup.frame.rows - 1, rows, row);
}

static reshed_status check_line(const rs_session *s, const rs_line *line, reshed_error *err)
{
    const rs_driver_caps *c = &s->setup.caps;
    if (line->cols != s->setup.frame.cols || line->bins != c->bins ||
        line->channels != c->channels || (c->bins && !line->spectra) ||
        (c->channels && !line->channel) || (line->retrace && !c->retrace))
        return rs_fail(err, RESHED_EINVAL,
                       "line|%d columns, %d bins, %d channels%s|%d columns, %d bins, %d "
                       "channels%s",
                       s->setup.frame.cols, c->bins, c->channels, c->retrace ? "" : ", no retrace",
                       line->cols, line->bins, line->channels, line->retrace ? ", a retrace" : "");
    return check_rows(s, line->row, 1, err);
}

/* Pixels in which something is not a number. */
static int count_nans(const rs_line *line)
{
    int n = 0;
    for (int c = 0; c < line->cols; c++) {
        bool nan = false;
        for (int k = 0; !nan && k < line->channels; k++)
            nan = isnan(line->channel[(size_t)k * (size_t)line->cols + (size_t)c]);
        const float *spectrum =
            line->spectra ? line->spectra + 2 * (size_t)c * (size_t)line->bins : NULL;
        for (int b = 0; !nan && b < 2 * line->bins; b++) nan = isnan(spectrum[b]);
        n += nan;
    }
    return n;
}

static reshed_status put_arrival(rs_session *s, int row, bool retrace, rs_session_arrival *a,
                                 reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = 1;
    a->order = s->arrived;
    reshed_status st = rs_session_put_block(s, retrace ? ITEM_ARRIVAL_RETRACE : ITEM_ARRIVAL_TRACE,
                                            &start, &size, a, err);
    if (st == RESHED_OK) s->arrived++;
    return st;
}

/* Axis 1 of the main datasets is y upwards. */
static hsize_t y_of(const rs_session *s, int row)
{
    return (hsize_t)(s->setup.frame.rows - 1 - row);
}

/* What the line brought, then the note that it is there. */
static reshed_status put_line(rs_session *s, const rs_line *line, double acquired,
                              reshed_error *err)
{
    const hsize_t start[3] = {0, y_of(s, line->row), 0};
    const hsize_t size[3] = {(hsize_t)line->cols, 1, (hsize_t)line->bins};
    const int channels = line->retrace ? ITEM_CHANNEL_RETRACE : ITEM_CHANNEL_TRACE;
    const int spectra = line->retrace ? ITEM_SPECTRA_RETRACE : ITEM_SPECTRA_TRACE;
    reshed_status st = RESHED_OK;
    for (int k = 0; st == RESHED_OK && k < line->channels; k++)
        st = rs_session_put_block(s, channels + k, start, size,
                                  line->channel + (size_t)k * (size_t)line->cols, err);
    if (st == RESHED_OK && line->bins)
        st = rs_session_put_block(s, spectra, start, size, line->spectra, err);
    if (st == RESHED_OK) st = rs_session_order(s, err);
    rs_session_arrival a = {.state = RS_SESSION_ARRIVED,
                            .nans = count_nans(line),
                            .frame = line->frame,
                            .time = line->time,
                            .acquired = acquired};
    return st == RESHED_OK ? put_arrival(s, line->row, line->retrace, &a, err) : st;
}

reshed_status rs_session_put_line(rs_session *s, const rs_line *line, double acquired,
                                  reshed_error *err)
{
    rs_h5_hush hush;
    reshed_status st = check_line(s, line, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, hush, true, put_line(s, line, acquired, err), err);
}

reshed_status rs_session_put_lost_line(rs_session *s, int row, bool retrace, int64_t frame,
                                       double acquired, reshed_error *err)
{
    rs_h5_hush hush;
    rs_session_arrival a = {
        .state = RS_SESSION_LOST, .frame = frame, .time = NAN, .acquired = acquired};
    reshed_status st = check_rows(s, row, 1, err);
    if (st == RESHED_OK && retrace && !s->setup.caps.retrace)
        st = rs_fail(err, RESHED_EINVAL, "line|a trace|a retrace");
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, hush, true, put_arrival(s, row, retrace, &a, err), err);
}

reshed_status rs_session_put_processed(rs_session *s, int row, const rs_session_processed *p,
                                       reshed_error *err)
{
    rs_h5_hush hush;
    const hsize_t start = (hsize_t)row, size = 1;
    reshed_status st = check_rows(s, row, 1, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    st = rs_session_put_block(s, ITEM_PROCESSED, &start, &size, p, err);
    return rs_session_end_put(s, hush, false, st, err);
}

/* ----------------------------------------------------------------------------------------- maps */
/* Rows of `cell` bytes per pixel to a main dataset, as [x][y upwards], and to an image in the
 * author's orientation, if there is one: both have the last row first. */
static reshed_status put_rows(rs_session *s, int item, int image, int row, int rows,
                              const void *data, size_t cell, reshed_error *err)
{
    const size_t n = (size_t)rows, cols = (size_t)s->setup.frame.cols;
    const hsize_t start[2] = {0, y_of(s, row + rows - 1)}, size[2] = {cols, n};
    const hsize_t image_start[2] = {start[1], 0}, image_size[2] = {n, cols};
    const char *in = data;
    char *turned = rs_alloc(n * cols, cell);
    if (!turned) return rs_fail_nomem(err, "rows of a map", n * cols * cell);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < cols; c++)
            memcpy(turned + (c * n + (n - 1 - i)) * cell, in + (i * cols + c) * cell, cell);
    reshed_status st = rs_session_put_block(s, item, start, size, turned, err);
    if (st == RESHED_OK && s->item[image] >= 0) {
        for (size_t i = 0; i < n; i++)
            memcpy(turned + (n - 1 - i) * cols * cell, in + i * cols * cell, cols * cell);
        st = rs_session_put_block(s, image, image_start, image_size, turned, err);
    }
    rs_free(turned);
    return st;
}

reshed_status rs_session_put_map(rs_session *s, rs_session_map map, int row, int rows,
                                 const float *data, reshed_error *err)
{
    rs_h5_hush hush;
    reshed_status st = check_rows(s, row, rows, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    st =
        put_rows(s, ITEM_MAP + (int)map, ITEM_IMAGE + (int)map, row, rows, data, sizeof *data, err);
    return rs_session_end_put(s, hush, false, st, err);
}

reshed_status rs_session_put_mask(rs_session *s, rs_session_mask mask, int row, int rows,
                                  const uint8_t *data, reshed_error *err)
{
    rs_h5_hush hush;
    reshed_status st = check_rows(s, row, rows, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    st = put_rows(s, ITEM_MASK + (int)mask, ITEM_IMAGE_MASK + (int)mask, row, rows, data, 1, err);
    return rs_session_end_put(s, hush, false, st, err);
}

reshed_status rs_session_put_states(rs_session *s, int row, int rows, const uint8_t *state,
                                    reshed_error *err)
{
    rs_h5_hush hush;
    const hsize_t start = (hsize_t)row, size = (hsize_t)rows;
    reshed_status st = check_rows(s, row, rows, err);
    for (int i = 0; st == RESHED_OK && i < rows; i++)
        if (state[i] > RS_SESSION_STALE)
            st = rs_fail(err, RESHED_EINVAL, "state of row %d|0 to %d|%d", row + i,
                         RS_SESSION_STALE, state[i]);
    if (st == RESHED_OK) st = rs_session_begin_put(s, &hush, err);
    if (st != RESHED_OK) return st;
    st = rs_session_put_block(s, ITEM_STATES, &start, &size, state, err);
    return rs_session_end_put(s, hush, false, st, err);
}
