#include "spm/session/file.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spm/session/limits.h"

reshed_status rs_session_new(const char *path, rs_session **out, reshed_error *err)
{
    if (strlen(path) >= sizeof((rs_session *)0)->path)
        return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes",
                       sizeof((rs_session *)0)->path - 1, strlen(path));
    rs_session *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a session", sizeof *s);
    strcpy(s->path, path);
    for (int i = 0; i < ITEMS; i++) s->item[i] = -1;
    for (int i = 0; i < CELLS; i++) s->type[i] = -1;
    s->file = -1;
    *out = s;
    return RESHED_OK;
}

void rs_session_close_items(rs_session *s)
{
    for (int i = 0; i < ITEMS; i++) {
        rs_h5_close(s->item[i]);
        s->item[i] = -1;
        rs_free(s->note[i]);
        s->note[i] = NULL;
    }
    for (int i = 0; i < CELLS; i++) rs_h5_close(s->type[i]), s->type[i] = -1;
}

void rs_session_free(rs_session *s)
{
    if (!s) return;
    rs_session_close_items(s);
    rs_h5_file_close(s->in);
    rs_session_drop(s->kept);
    rs_free(s);
}

/* ---------------------------------------------------------------------------------------- items */
/* Returns whether a dataset is what this program makes: nothing in a file decides on a size, a
 * conversion or another file. */
static bool is_as_made(hid_t dset, const rs_session_place *p, hsize_t *rows)
{
    hsize_t dims[H5S_MAX_RANK], chunk[H5S_MAX_RANK];
    hid_t type = H5Dget_type(dset), space = H5Dget_space(dset), plist = H5Dget_create_plist(dset);
    hid_t made = rs_session_cell_type(p->cell, false);
    bool ok = type >= 0 && space >= 0 && plist >= 0 && made >= 0 && H5Tequal(type, made) > 0 &&
              H5Sget_simple_extent_ndims(space) == p->ndim &&
              H5Sget_simple_extent_dims(space, dims, NULL) == p->ndim &&
              H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_external_count(plist) == 0 &&
              H5Pget_nfilters(plist) == 0 && H5Pget_chunk(plist, H5S_MAX_RANK, chunk) == p->ndim;
    for (int i = 0; ok && i < p->ndim; i++)
        ok = chunk[i] == p->chunk[i] &&
             (i == 0 && p->grows ? dims[0] <= RS_SESSION_MAX_ENTRIES : dims[i] == p->dims[i]);
    if (ok) *rows = dims[0];
    rs_h5_close(made);
    rs_h5_close(plist);
    rs_h5_close(space);
    rs_h5_close(type);
    return ok;
}

static hid_t open_dataset(const rs_session *s, const rs_session_place *p)
{
    char path[sizeof p->path + 2 * sizeof p->name + 2];
    if (p->main)
        snprintf(path, sizeof path, "%s/%s/%s", p->path, p->name, p->name);
    else
        snprintf(path, sizeof path, "%s/%s", p->path, p->name);
    if (s->in) return rs_h5_object(s->in, path, true);
    return H5Dopen2(s->file, path, H5P_DEFAULT);
}

/* The places are kept, as they are needed at each transfer. */
static reshed_status lay_out(rs_session *s, reshed_error *err)
{
    if (s->place) return RESHED_OK;
    s->place = rs_session_keep(&s->kept, ITEMS, sizeof *s->place);
    if (!s->place) return rs_fail_nomem(err, "the layout of a session", ITEMS * sizeof *s->place);
    rs_session_lay_out(&s->setup, s->place);
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- blocks */
static reshed_status transfer(rs_session *s, int item, const hsize_t *start, const hsize_t *size,
                              const void *put, void *get, reshed_error *err)
{
    const rs_session_place *p = &s->place[item];
    hid_t file = H5Dget_space(s->item[item]), memory = H5Screate_simple(p->ndim, size, NULL);
    const hid_t type = s->type[p->cell];
    bool ok = file >= 0 && memory >= 0 &&
              H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) >= 0;
    if (ok && put) ok = rs_h5_write(s->item[item], type, memory, file, put);
    if (ok && get) ok = rs_h5_read(s->item[item], type, memory, file, get);
    reshed_status st = RESHED_OK;
    if (!ok)
        st = rs_h5_fail(err, put ? RESHED_EIO : RESHED_ECORRUPT,
                        put ? "cannot write to the session" : "cannot read the session", p->name);
    rs_h5_close(memory);
    rs_h5_close(file);
    return st;
}

/* Reads all of a note into new memory. */
static reshed_status read_note(rs_session *s, int item, void **out, reshed_error *err)
{
    const rs_session_place *p = &s->place[item];
    const hsize_t start = 0, n = s->rows[item];
    void *note = rs_alloc((size_t)n + 1, rs_session_cell_size(p->cell));
    if (!note) return rs_fail_nomem(err, "a table of the session", (size_t)n);
    memset(note, 0, ((size_t)n + 1) * rs_session_cell_size(p->cell));
    const reshed_status st = n ? transfer(s, item, &start, &n, NULL, note, err) : RESHED_OK;
    if (st == RESHED_OK)
        *out = note;
    else
        rs_free(note);
    return st;
}

/* Keeps a note as it is now. A row of it may be read while it is written: what was read twice the
 * same is whole. */
static reshed_status keep_note(rs_session *s, int item, reshed_error *err)
{
    enum { READS = 10 };
    const size_t cell = rs_session_cell_size(s->place[item].cell);
    void *before = NULL;
    reshed_status st = read_note(s, item, &s->note[item], err);
    for (int i = 1; st == RESHED_OK && i < READS; i++) {
        const hsize_t n = s->rows[item];
        before = s->note[item];
        s->note[item] = NULL;
        if (H5Drefresh(s->item[item]) < 0 ||
            !is_as_made(s->item[item], &s->place[item], &s->rows[item]))
            st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot read the session", s->place[item].name);
        if (st == RESHED_OK) st = read_note(s, item, &s->note[item], err);
        const bool same = st == RESHED_OK && n == s->rows[item] &&
                          memcmp(before, s->note[item], (size_t)n * cell) == 0;
        rs_free(before);
        if (same) break;
    }
    return st;
}

reshed_status rs_session_put_block(rs_session *s, int item, const hsize_t *start,
                                   const hsize_t *size, const void *data, reshed_error *err)
{
    return transfer(s, item, start, size, data, NULL, err);
}

reshed_status rs_session_get_block(rs_session *s, int item, const hsize_t *start,
                                   const hsize_t *size, void *data, reshed_error *err)
{
    if (s->note[item]) {
        const size_t cell = rs_session_cell_size(s->place[item].cell);
        memcpy(data, (const char *)s->note[item] + (size_t)*start * cell, (size_t)*size * cell);
        return RESHED_OK;
    }
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = transfer(s, item, start, size, NULL, data, err);
    /* The writer may be half through what the library reads, and be kept from the processor there. */
    for (int i = 1; st != RESHED_OK && s->live && i <= RS_SESSION_LOOKS; i++) {
        rs_os_sleep(1e-3 * i);
        if (H5Drefresh(s->item[item]) >= 0) st = transfer(s, item, start, size, NULL, data, err);
    }
    rs_h5_hush_end(hush);
    return st;
}

/* Notes say that something is there, and are written after it (durability.c). */
static bool is_note(int item)
{
    return item == ITEM_ARRIVAL_TRACE || item == ITEM_ARRIVAL_RETRACE || item == ITEM_STATES ||
           item == ITEM_POINTS || item == ITEM_REFERENCES || item == ITEM_PATCHES;
}

static reshed_status open_item(rs_session *s, int item, reshed_error *err)
{
    const rs_session_place *p = &s->place[item];
    s->item[item] = open_dataset(s, p);
    if (s->item[item] < 0)
        return rs_h5_fail(err, RESHED_ECORRUPT, "a dataset of the session is missing", p->name);
    if (is_as_made(s->item[item], p, &s->rows[item])) return RESHED_OK;
    return rs_fail(err, RESHED_ECORRUPT,
                   "a dataset of the session|as reshed makes it|another|%s/%s", p->path, p->name);
}

reshed_status rs_session_open_items(rs_session *s, reshed_error *err)
{
    reshed_status st = lay_out(s, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < CELLS; i++)
        if ((s->type[i] = rs_session_cell_type((rs_session_cell)i, true)) < 0)
            return rs_h5_fail(err, RESHED_EINTERNAL, "cannot describe the session's data", "");
    /* Notes first, and of a session that goes on also what they say: then all that the library
     * reads of the others' indices and chunks is at least as new. */
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < ITEMS; i++) {
            if (s->place[i].ndim == 0 || is_note(i) != (pass == 0)) continue;
            st = open_item(s, i, err);
            if (st == RESHED_OK && pass == 0 && s->live) st = keep_note(s, i, err);
            if (st != RESHED_OK) return st;
        }
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- entries */
/* The block of entries [first, first + n): all of the other axes. */
static void entries(const rs_session_place *p, hsize_t first, hsize_t n, hsize_t start[4],
                    hsize_t size[4])
{
    memset(start, 0, 4 * sizeof *start);
    memcpy(size, p->dims, 4 * sizeof *size);
    start[0] = first;
    size[0] = n;
}

/* Cells in one entry. */
static size_t entry_cells(const rs_session_place *p)
{
    size_t n = 1;
    for (int i = 1; i < p->ndim; i++) n *= (size_t)p->dims[i];
    return n;
}

reshed_status rs_session_put_entries(rs_session *s, int item, hsize_t first, hsize_t n,
                                     const void *data, reshed_error *err)
{
    hsize_t start[4], size[4], all[4];
    if (first > RS_SESSION_MAX_ENTRIES || n > RS_SESSION_MAX_ENTRIES - first)
        return rs_fail(err, RESHED_EINVAL, "entries of a session|at most %llu|more",
                       (unsigned long long)RS_SESSION_MAX_ENTRIES);
    entries(&s->place[item], first, n, start, size);
    if (first + n > s->rows[item]) {
        memcpy(all, size, sizeof all);
        all[0] = first + n;
        if (H5Dset_extent(s->item[item], all) < 0)
            return rs_h5_fail(err, RESHED_EIO, "cannot extend a dataset of the session", "");
        s->rows[item] = first + n;
    }
    return rs_session_put_block(s, item, start, size, data, err);
}

reshed_status rs_session_get_entries(rs_session *s, int item, hsize_t first, hsize_t n, void *data,
                                     reshed_error *err)
{
    const rs_session_place *p = &s->place[item];
    const size_t cells = entry_cells(p), cell = rs_session_cell_size(p->cell);
    hsize_t start[4], size[4], have = 0;
    if (first < s->rows[item]) have = n < s->rows[item] - first ? n : s->rows[item] - first;
    for (size_t i = (size_t)have * cells; i < (size_t)n * cells; i++)
        memcpy((char *)data + i * cell, rs_session_cell_empty(p->cell), cell);
    entries(p, first, have, start, size);
    return have ? rs_session_get_block(s, item, start, size, data, err) : RESHED_OK;
}

reshed_status rs_session_get_table(rs_session *s, int item, int first, int n, void *out,
                                   const char *what, reshed_error *err)
{
    reshed_status st = rs_session_check_there(s, item, first, n, what, err);
    if (st != RESHED_OK || n == 0) return st;
    return rs_session_get_entries(s, item, (hsize_t)first, (hsize_t)n, out, err);
}

/* --------------------------------------------------------------------------------------- checks */
reshed_status rs_session_check_rows(const rs_session *s, int row, int rows, reshed_error *err)
{
    if (row >= 0 && rows >= 1 && row < s->setup.frame.rows && rows <= s->setup.frame.rows - row)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "rows of the frame|within 0..%d|%d rows from %d",
                   s->setup.frame.rows - 1, rows, row);
}

reshed_status rs_session_check_entries(const rs_session *s, int item, int first, int n,
                                       const char *what, reshed_error *err)
{
    if (first >= 0 && n >= 1 && (hsize_t)first <= s->rows[item] &&
        (uint64_t)first + (uint64_t)n <= RS_SESSION_MAX_ENTRIES)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|at most %d and up|%d of them from %d", what,
                   (int)s->rows[item], n, first);
}

reshed_status rs_session_check_there(const rs_session *s, int item, int first, int n,
                                     const char *what, reshed_error *err)
{
    if (first >= 0 && n >= 0 && (uint64_t)first + (uint64_t)n <= s->rows[item]) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|within the %d there are|%d of them from %d", what,
                   (int)s->rows[item], n, first);
}

hsize_t rs_session_y_of(const rs_session *s, int row)
{
    return (hsize_t)(s->setup.frame.rows - 1 - row);
}
