/* What writing and reading a session have in common: its datasets, open and checked, and blocks of
 * them. */
#include "spm/session/session.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/session/file.h"

void *rs_session_keep(rs_session *s, size_t count, size_t size)
{
    /* Whole cache lines, so that what follows the link is aligned as well as any block. */
    const size_t head = 64;
    size_t bytes;
    if (!rs_mul(count, size, &bytes) || bytes > SIZE_MAX - head) return NULL;
    rs_session_block *b = rs_zalloc(head + bytes, 1);
    if (!b) return NULL;
    b->next = s->kept;
    s->kept = b;
    return (char *)b + head;
}

reshed_status rs_session_new(const char *path, rs_session **out, reshed_error *err)
{
    if (strlen(path) >= sizeof((rs_session *)0)->path)
        return rs_fail(err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu bytes",
                       sizeof((rs_session *)0)->path - 1, strlen(path));
    rs_session *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a session", sizeof *s);
    strcpy(s->path, path);
    for (int i = 0; i < ALL_ITEMS; i++) s->item[i] = -1;
    for (int i = 0; i < CELLS; i++) s->type[i] = -1;
    s->file = -1;
    *out = s;
    return RESHED_OK;
}

void rs_session_close_items(rs_session *s)
{
    for (int i = 0; i < ALL_ITEMS; i++) rs_h5_close(s->item[i]), s->item[i] = -1;
    for (int i = 0; i < CELLS; i++) rs_h5_close(s->type[i]), s->type[i] = -1;
}

void rs_session_free(rs_session *s)
{
    if (!s) return;
    rs_session_close_items(s);
    rs_h5_file_close(s->in);
    while (s->kept) {
        rs_session_block *next = s->kept->next;
        rs_free(s->kept);
        s->kept = next;
    }
    rs_free(s);
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

/* ---------------------------------------------------------------------------------------- items */
/* Whether a dataset is what this program makes: nothing in a file decides on a size, a conversion
 * or another file. */
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

reshed_status rs_session_open_items(rs_session *s, reshed_error *err)
{
    for (int i = 0; i < CELLS; i++)
        if ((s->type[i] = rs_session_cell_type((rs_session_cell)i, true)) < 0)
            return rs_h5_fail(err, RESHED_EINTERNAL, "cannot describe the session's data", "");
    for (int i = 0; i < ALL_ITEMS; i++) {
        rs_session_place p;
        if (!rs_session_place_of(&s->setup, i, &p)) continue;
        s->item[i] = open_dataset(s, &p);
        if (s->item[i] < 0)
            return rs_h5_fail(err, RESHED_ECORRUPT, "a dataset of the session is missing", p.name);
        if (!is_as_made(s->item[i], &p, &s->rows[i]))
            return rs_fail(err, RESHED_ECORRUPT,
                           "a dataset of the session|as reshed makes it|another|%s/%s", p.path,
                           p.name);
    }
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- blocks */
static reshed_status transfer(rs_session *s, int item, const hsize_t *start, const hsize_t *size,
                              const void *put, void *get, reshed_error *err)
{
    rs_session_place p;
    rs_session_place_of(&s->setup, item, &p);
    hid_t file = H5Dget_space(s->item[item]), memory = H5Screate_simple(p.ndim, size, NULL);
    hid_t type = s->type[p.cell];
    bool ok = file >= 0 && memory >= 0 &&
              H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) >= 0;
    if (ok && put) ok = H5Dwrite(s->item[item], type, memory, file, H5P_DEFAULT, put) >= 0;
    if (ok && get) ok = H5Dread(s->item[item], type, memory, file, H5P_DEFAULT, get) >= 0;
    reshed_status st = RESHED_OK;
    if (!ok)
        st = rs_h5_fail(err, put ? RESHED_EIO : RESHED_ECORRUPT,
                        put ? "cannot write to the session" : "cannot read the session", p.name);
    rs_h5_close(memory);
    rs_h5_close(file);
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
    return transfer(s, item, start, size, NULL, data, err);
}

/* The block of rows [first, first + n). */
static int entries(const rs_session *s, int item, hsize_t first, hsize_t n, hsize_t start[4],
                   hsize_t size[4])
{
    rs_session_place p;
    rs_session_place_of(&s->setup, item, &p);
    memset(start, 0, 4 * sizeof *start);
    memcpy(size, p.dims, 4 * sizeof *size);
    start[0] = first;
    size[0] = n;
    return p.ndim;
}

size_t rs_session_entry_size(const rs_session *s, int item)
{
    rs_session_place p;
    size_t n = 1;
    rs_session_place_of(&s->setup, item, &p);
    for (int i = 1; i < p.ndim; i++) n *= (size_t)p.dims[i];
    return n;
}

reshed_status rs_session_put_entries(rs_session *s, int item, hsize_t first, hsize_t n,
                                     const void *data, reshed_error *err)
{
    hsize_t start[4], size[4], all[4];
    if (first > RS_SESSION_MAX_ENTRIES || n > RS_SESSION_MAX_ENTRIES - first)
        return rs_fail(err, RESHED_EINVAL, "entries of a session|at most %llu|more",
                       (unsigned long long)RS_SESSION_MAX_ENTRIES);
    entries(s, item, first, n, start, size);
    if (first + n > s->rows[item]) {
        memcpy(all, size, sizeof all);
        all[0] = first + n;
        if (H5Dset_extent(s->item[item], all) < 0)
            return rs_h5_fail(err, RESHED_EIO, "cannot extend a dataset of the session", "");
        s->rows[item] = first + n;
    }
    return rs_session_put_block(s, item, start, size, data, err);
}

/* Copies the empty cell of an item `count` times. */
static void fill_empty(const rs_session *s, int item, void *data, size_t count)
{
    rs_session_place p;
    rs_session_place_of(&s->setup, item, &p);
    size_t cell = rs_session_cell_size(p.cell);
    for (size_t i = 0; i < count; i++)
        memcpy((char *)data + i * cell, rs_session_cell_empty(p.cell), cell);
}

reshed_status rs_session_get_entries(rs_session *s, int item, hsize_t first, hsize_t n, void *data,
                                     reshed_error *err)
{
    hsize_t start[4], size[4], have = 0;
    rs_session_place p;
    rs_session_place_of(&s->setup, item, &p);
    size_t entry = rs_session_entry_size(s, item);
    if (first < s->rows[item]) have = n < s->rows[item] - first ? n : s->rows[item] - first;
    fill_empty(s, item, (char *)data + (size_t)have * entry * rs_session_cell_size(p.cell),
               (size_t)(n - have) * entry);
    entries(s, item, first, have, start, size);
    return have ? rs_session_get_block(s, item, start, size, data, err) : RESHED_OK;
}
