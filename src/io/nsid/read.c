#include "io/nsid/nsid.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/text.h"
#include "io/common/stack.h"
#include "io/common/channel.h"
#include "io/nsid/file.h"

void rs_nsid_data_clear(rs_nsid_data *d)
{
    for (int i = 0; i < RS_NSID_MAX_DIMS; i++) rs_free(d->dim[i].values);
    rs_free(d->data);
    memset(d, 0, sizeof *d);
}

void rs_nsid_array_clear(rs_nsid_array *a)
{
    rs_free(a->data);
    memset(a, 0, sizeof *a);
}

static reshed_status open_any(const char *path, const uint8_t *bytes, size_t len,
                              rs_nsid_file **out, reshed_error *err)
{
    rs_nsid_file *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "an HDF5 file", sizeof *f);
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = rs_h5_open(path, bytes, len, &f->h5, err);
    if (st == RESHED_OK) st = rs_h5_file_check(f->h5, rs_nsid_list(f, err), err);
    rs_h5_hush_end(hush);
    if (st != RESHED_OK) {
        rs_nsid_close(f);
        return st;
    }
    *out = f;
    return RESHED_OK;
}

reshed_status rs_nsid_open(const char *path, rs_nsid_file **out, reshed_error *err)
{
    return open_any(path, NULL, 0, out, err);
}

reshed_status rs_nsid_open_mem(const uint8_t *bytes, size_t len, rs_nsid_file **out,
                               reshed_error *err)
{
    return open_any(NULL, bytes, len, out, err);
}

void rs_nsid_close(rs_nsid_file *file)
{
    if (!file) return;
    rs_h5_hush hush = rs_h5_hush_begin();
    rs_h5_file_close(file->h5);
    rs_h5_hush_end(hush);
    rs_channels_clear(&file->names);
    rs_free(file->plain);
    rs_free(file->main);
    rs_free(file);
}

reshed_status rs_nsid_check(const rs_nsid_file *file, reshed_status st, reshed_error *err)
{
    return file ? rs_h5_file_check(file->h5, st, err) : st;
}

/* -------------------------------------------------------------------------------------- reading */
int rs_nsid_count(const rs_nsid_file *file)
{
    return file->n;
}

const rs_nsid_data *rs_nsid_info(const rs_nsid_file *file, int k)
{
    return &file->main[k];
}

const char *rs_nsid_label(const rs_nsid_file *file, int k)
{
    return file->names.c[k].name;
}

const rs_channels *rs_nsid_channels(const rs_nsid_file *file)
{
    return &file->names;
}

reshed_status rs_nsid_find(const rs_nsid_file *file, const char *channel, int *k, reshed_error *err)
{
    if (file->n == 0)
        return rs_fail(err, RESHED_EINVAL,
                       "no NSID main dataset in the file|one with dimension scales and the "
                       "attributes of pyNSID|none");
    return rs_channel_find(&file->names, channel, k, err);
}

/* Reads the dataset at path, as floats when `floats` is given and else as doubles. */
static reshed_status read_shaped(const rs_nsid_file *f, const char *path, int max_ndim,
                                 rs_h5_shape *shape, double **data, float **floats,
                                 reshed_error *err)
{
    hid_t dset = rs_h5_object(f->h5, path, true);
    if (dset < 0) return rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the dataset", path);
    reshed_status st =
        rs_h5_check_dataset(dset, f->h5->io.size, max_ndim, RS_NSID_MAX_COUNT, shape, path, err);
    if (st == RESHED_OK && floats && shape->is_complex)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "values of the dataset|real numbers|complex|%s",
                     path);
    else if (st == RESHED_OK)
        st = floats ? rs_h5_read_floats(dset, shape, floats, path, err)
                    : rs_h5_read_doubles(dset, shape, data, path, err);
    rs_h5_close(dset);
    return st;
}

static reshed_status read_main(const rs_nsid_file *f, rs_nsid_data *d, float **floats,
                               reshed_error *err)
{
    rs_h5_shape shape;
    char where[sizeof d->path];
    reshed_status st = read_shaped(f, d->path, RS_NSID_MAX_DIMS, &shape, &d->data, floats, err);
    if (st != RESHED_OK) return st;
    bool same = shape.ndim == d->ndim;
    for (int i = 0; same && i < d->ndim; i++) same = shape.dims[i] == (hsize_t)d->dim[i].n;
    if (!same)
        return rs_fail(err, RESHED_EIO, "the dataset changed while it was read|||%s", d->path);
    d->is_complex = shape.is_complex;
    d->count = shape.count;
    for (int i = 0; i < d->ndim; i++) {
        if (!rs_nsid_sibling(d->path, d->dim[i].name, where, sizeof where))
            return rs_fail(err, RESHED_EINTERNAL, "name of an axis|||%s", d->path);
        st = read_shaped(f, where, 1, &shape, &d->dim[i].values, NULL, err);
        if (st != RESHED_OK) return st;
        if (shape.is_complex || shape.ndim != 1 || shape.count != (uint64_t)d->dim[i].n)
            return rs_fail(err, RESHED_ECORRUPT, "coordinates of an axis|%lld real numbers|%s|%s",
                           (long long)d->dim[i].n,
                           shape.is_complex ? "complex numbers" : "another count", where);
    }
    return RESHED_OK;
}

static reshed_status read_any(rs_nsid_file *file, int k, rs_nsid_data *out, float **floats,
                              reshed_error *err)
{
    if (k < 0 || k >= file->n)
        return rs_fail(err, RESHED_EINVAL, "dataset number|0 to %d|%d", file->n - 1, k);
    rs_nsid_data d = file->main[k];
    rs_h5_hush hush = rs_h5_hush_begin();
    float *values = NULL;
    reshed_status st = read_main(file, &d, floats ? &values : NULL, err);
    st = rs_h5_file_check(file->h5, st, err);
    rs_h5_hush_end(hush);
    if (st != RESHED_OK) {
        rs_free(values);
        rs_nsid_data_clear(&d);
        return st;
    }
    if (floats) *floats = values;
    *out = d;
    return RESHED_OK;
}

reshed_status rs_nsid_read(rs_nsid_file *file, int k, rs_nsid_data *out, reshed_error *err)
{
    return read_any(file, k, out, NULL, err);
}

reshed_status rs_nsid_read_floats(rs_nsid_file *file, int k, rs_nsid_data *out, float **values,
                                  reshed_error *err)
{
    return read_any(file, k, out, values, err);
}

reshed_status rs_nsid_read_channel(const char *path, const char *channel, rs_nsid_data *out,
                                   reshed_error *err)
{
    rs_nsid_file *f = NULL;
    int k = 0;
    reshed_status st = rs_nsid_open(path, &f, err);
    if (st == RESHED_OK) st = rs_nsid_find(f, channel ? channel : "0", &k, err);
    if (st == RESHED_OK) st = rs_nsid_read(f, k, out, err);
    rs_nsid_close(f);
    return st;
}

int rs_nsid_plain_count(const rs_nsid_file *file)
{
    return file->plain_n;
}

const rs_nsid_plain *rs_nsid_plain_info(const rs_nsid_file *file, int k)
{
    return &file->plain[k];
}

reshed_status rs_nsid_plain_read(rs_nsid_file *file, int k, int frame, float **values,
                                 reshed_error *err)
{
    const rs_nsid_plain *p = &file->plain[k];
    rs_h5_shape shape = {0};
    hsize_t start[RS_NSID_MAX_DIMS] = {0}, count[RS_NSID_MAX_DIMS];
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t dset = rs_h5_object(file->h5, p->path, true);
    reshed_status st = dset < 0
                           ? rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the dataset", p->path)
                           : rs_h5_check_dataset(dset, file->h5->io.size, RS_NSID_MAX_DIMS,
                                                 RS_NSID_MAX_COUNT, &shape, p->path, err);
    bool same = st == RESHED_OK && shape.ndim == p->ndim && !shape.is_complex;
    for (int i = 0; same && i < p->ndim; i++) {
        same = shape.dims[i] == p->dims[i];
        count[i] = shape.dims[i];
    }
    if (st == RESHED_OK && !same)
        st = rs_fail(err, RESHED_EIO, "the dataset changed while it was read|||%s", p->path);
    if (st == RESHED_OK && p->axis[0] >= 0) {
        start[p->axis[0]] = (hsize_t)frame;
        count[p->axis[0]] = 1;
    }
    float *read = NULL;
    if (st == RESHED_OK) st = rs_h5_read_part(dset, &shape, start, count, &read, p->path, err);
    st = rs_h5_file_check(file->h5, st, err);
    if (st == RESHED_OK)
        *values = read;
    else
        rs_free(read);
    rs_h5_close(dset);
    rs_h5_hush_end(hush);
    return st;
}

static void take_array(const rs_h5_shape *shape, double *data, rs_nsid_array *out)
{
    rs_nsid_array a = {.ndim = shape->ndim, .count = shape->count, .data = data};
    a.is_complex = shape->is_complex;
    for (int i = 0; i < shape->ndim; i++) a.dims[i] = shape->dims[i];
    *out = a;
}

reshed_status rs_nsid_read_array(rs_nsid_file *file, const char *path, rs_nsid_array *out,
                                 reshed_error *err)
{
    rs_h5_shape shape;
    double *data = NULL;
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = read_shaped(file, path, RS_NSID_MAX_DIMS, &shape, &data, NULL, err);
    st = rs_h5_file_check(file->h5, st, err);
    rs_h5_hush_end(hush);
    if (st != RESHED_OK) {
        rs_free(data);
        return st;
    }
    take_array(&shape, data, out);
    return RESHED_OK;
}

reshed_status rs_nsid_read_members(rs_nsid_file *file, const char *path, const char *const word[2],
                                   rs_nsid_array *out, reshed_error *err)
{
    rs_h5_shape shape;
    double *data = NULL;
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t dset = rs_h5_object(file->h5, path, true);
    reshed_status st = dset < 0
                           ? rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the dataset", path)
                           : rs_h5_read_members(dset, file->h5->io.size, RS_NSID_MAX_DIMS,
                                                RS_NSID_MAX_COUNT, word, &shape, &data, path, err);
    st = rs_h5_file_check(file->h5, st, err);
    rs_h5_close(dset);
    rs_h5_hush_end(hush);
    if (st == RESHED_OK)
        take_array(&shape, data, out);
    else
        rs_free(data);
    return st;
}

bool rs_nsid_exists(rs_nsid_file *file, const char *path)
{
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = rs_h5_object(file->h5, path, false);
    rs_h5_close(id);
    rs_h5_hush_end(hush);
    return id >= 0;
}

reshed_status rs_nsid_get_text(rs_nsid_file *file, const char *path, const char *name, char *buf,
                               size_t n, reshed_error *err)
{
    double v;
    char number[RS_NUMBER_TEXT];
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = rs_h5_object(file->h5, path, false);
    bool ok = id >= 0 && rs_h5_text(file->h5, id, name, buf, n);
    if (!ok && id >= 0 && rs_h5_number(id, name, &v)) {
        rs_text_copy(buf, n, rs_number_format(number, v));
        ok = true;
    }
    rs_h5_close(id);
    rs_h5_hush_end(hush);
    if (ok) return RESHED_OK;
    if (rs_nsid_check(file, RESHED_OK, err) != RESHED_OK) return RESHED_EIO;
    return rs_fail(err, RESHED_ECORRUPT,
                   "attribute %.60s|a text or a number|nothing of the kind|%s", name, path);
}

bool rs_nsid_text_at(rs_nsid_file *file, const char *path, const char *name, int k, int n,
                     char *buf, size_t size)
{
    buf[0] = '\0';
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = rs_h5_object(file->h5, path, false);
    bool ok = id >= 0 && rs_h5_text_at(file->h5, id, name, k, n, buf, size);
    rs_h5_close(id);
    rs_h5_hush_end(hush);
    return ok;
}

reshed_status rs_nsid_get_number(rs_nsid_file *file, const char *path, const char *name,
                                 double *out, reshed_error *err)
{
    char text[RS_NUMBER_TEXT * 2];
    double v = 0;
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = rs_h5_object(file->h5, path, false);
    bool ok = id >= 0 && rs_h5_number(id, name, &v);
    if (!ok && id >= 0 && rs_h5_text(file->h5, id, name, text, sizeof text))
        ok = rs_number_parse(text, strlen(text), &v);
    rs_h5_close(id);
    rs_h5_hush_end(hush);
    if (!ok && rs_nsid_check(file, RESHED_OK, err) != RESHED_OK) return RESHED_EIO;
    if (!ok)
        return rs_fail(err, RESHED_ECORRUPT, "attribute %.60s|a number|nothing of the kind|%s",
                       name, path);
    *out = v;
    return RESHED_OK;
}
