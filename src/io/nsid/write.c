#include "io/nsid/write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"
#include "io/nsid/make.h"

struct rs_nsid_writer {
    rs_h5_out *out;
};

/* ------------------------------------------------------------------------------------- the file */
reshed_status rs_nsid_create(const char *path, rs_nsid_mode mode, rs_nsid_writer **out,
                             reshed_error *err)
{
    static const rs_h5_mode modes[] = {RS_H5_ATOMIC, RS_H5_LIVE, RS_H5_APPEND};
    rs_nsid_writer *w = rs_zalloc(1, sizeof *w);
    if (!w) return rs_fail_nomem(err, "an HDF5 writer", sizeof *w);
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = rs_h5_out_open(path, modes[mode], &w->out, err);
    rs_h5_hush_end(hush);
    if (st != RESHED_OK) {
        rs_free(w);
        return st;
    }
    *out = w;
    return RESHED_OK;
}

reshed_status rs_nsid_finish(rs_nsid_writer *w, reshed_status st, reshed_error *err)
{
    if (!w) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = rs_h5_out_finish(w->out, st, err);
    rs_h5_hush_end(hush);
    rs_free(w);
    return st;
}

reshed_status rs_nsid_flush(rs_nsid_writer *w, reshed_error *err)
{
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = rs_h5_out_flush(w->out, err);
    rs_h5_hush_end(hush);
    return st;
}

/* Ends a call into the library. Returns what the call gave, or the failure of the disk that it did
 * not see. */
static reshed_status end_call(const rs_nsid_writer *w, rs_h5_hush hush, reshed_status st,
                              reshed_error *err)
{
    rs_h5_hush_end(hush);
    return st == RESHED_OK ? rs_h5_out_check(w->out, err) : st;
}

/* --------------------------------------------------------------------------- groups, attributes */
reshed_status rs_nsid_group(rs_nsid_writer *w, const char *path, reshed_error *err)
{
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = rs_nsid_open_group(w->out->id, path);
    reshed_status st =
        id >= 0 ? RESHED_OK : rs_h5_fail(err, RESHED_EIO, "cannot make the group", path);
    rs_h5_close(id);
    return end_call(w, hush, st, err);
}

/* text NULL: the number. */
static reshed_status set_attribute(rs_nsid_writer *w, const char *path, const char *name,
                                   const char *text, double value, reshed_error *err)
{
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = H5Oopen(w->out->id, path, H5P_DEFAULT);
    if (id < 0) id = rs_nsid_open_group(w->out->id, path);
    bool ok =
        id >= 0 && (text ? rs_h5_set_text(id, name, text) : rs_h5_set_number(id, name, value));
    reshed_status st =
        ok ? RESHED_OK : rs_h5_fail(err, RESHED_EIO, "cannot set the attribute", name);
    rs_h5_close(id);
    return end_call(w, hush, st, err);
}

reshed_status rs_nsid_set_text(rs_nsid_writer *w, const char *path, const char *name,
                               const char *text, reshed_error *err)
{
    return set_attribute(w, path, name, text, 0, err);
}

reshed_status rs_nsid_set_number(rs_nsid_writer *w, const char *path, const char *name,
                                 double value, reshed_error *err)
{
    return set_attribute(w, path, name, NULL, value, err);
}

/* -------------------------------------------------------------------------------- main datasets */
/* The storage of numbers: contiguous, NaN until written when `empty`. */
static const double no_value[2] = {NAN, NAN};

static reshed_status take_place(rs_nsid_place *p, rs_nsid_store store, bool is_complex, bool empty,
                                reshed_error *err)
{
    *p = (rs_nsid_place){.type = rs_nsid_number_type(store, is_complex), .fill_type = -1};
    if (empty) {
        p->fill = no_value;
        p->fill_type = rs_nsid_number_type(RS_NSID_F64, is_complex);
    }
    if (p->type >= 0 && (!empty || p->fill_type >= 0)) return RESHED_OK;
    return rs_h5_fail(err, RESHED_EINTERNAL, "cannot describe the dataset", "");
}

static void leave_place(rs_nsid_place *p)
{
    rs_h5_close(p->fill_type);
    rs_h5_close(p->type);
}

reshed_status rs_nsid_add(rs_nsid_writer *w, const char *path, const rs_nsid_data *d,
                          rs_nsid_store store, char *dataset_path, size_t n, reshed_error *err)
{
    rs_h5_hush hush = rs_h5_hush_begin();
    rs_nsid_place place;
    reshed_status st = take_place(&place, store, d->is_complex, !d->data, err);
    if (st == RESHED_OK)
        st =
            rs_nsid_make_main(w->out->id, path, d, &place, RS_NSID_MAX_COUNT, dataset_path, n, err);
    leave_place(&place);
    return end_call(w, hush, st, err);
}

/* ------------------------------------------------------------------------- blocks, plain arrays */
reshed_status rs_nsid_put(rs_nsid_writer *w, const char *dataset_path, int ndim,
                          const uint64_t *start, const uint64_t *size, const double *data,
                          reshed_error *err)
{
    hsize_t from[RS_NSID_MAX_DIMS], dims[RS_NSID_MAX_DIMS], all[H5S_MAX_RANK];
    reshed_status st = RESHED_OK;
    hid_t space = -1, block = -1, type = -1, memory = -1;
    if (ndim < 1 || ndim > RS_NSID_MAX_DIMS)
        return rs_fail(err, RESHED_EINVAL, "axes of a block|1 to %d|%d", RS_NSID_MAX_DIMS, ndim);
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t dset = H5Dopen2(w->out->id, dataset_path, H5P_DEFAULT);
    if (dset >= 0) space = H5Dget_space(dset);
    if (space < 0) {
        st = rs_h5_fail(err, RESHED_EINVAL, "cannot open the dataset", dataset_path);
        goto done;
    }
    if (H5Sget_simple_extent_ndims(space) != ndim ||
        H5Sget_simple_extent_dims(space, all, NULL) != ndim) {
        st = rs_fail(err, RESHED_EINVAL, "axes of a block|those of the dataset|%d|%s", ndim,
                     dataset_path);
        goto done;
    }
    for (int i = 0; i < ndim; i++) {
        if (size[i] < 1 || start[i] >= all[i] || size[i] > all[i] - start[i]) {
            st = rs_fail(err, RESHED_EINVAL,
                         "block on axis %d|within 0..%llu|%llu elements from %llu|%s", i,
                         (unsigned long long)all[i], (unsigned long long)size[i],
                         (unsigned long long)start[i], dataset_path);
            goto done;
        }
        from[i] = start[i];
        dims[i] = size[i];
    }
    type = H5Dget_type(dset);
    memory = rs_h5_memory_type(dset, type >= 0 && H5Tget_class(type) == H5T_COMPOUND);
    block = H5Screate_simple(ndim, dims, NULL);
    if (memory < 0 || block < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, dims, NULL) < 0 ||
        !rs_h5_write(dset, memory, block, space, data))
        st = rs_h5_fail(err, RESHED_EIO, "cannot write the block", dataset_path);
done:
    rs_h5_close(block);
    rs_h5_close(memory);
    rs_h5_close(type);
    rs_h5_close(space);
    rs_h5_close(dset);
    return end_call(w, hush, st, err);
}

reshed_status rs_nsid_put_array(rs_nsid_writer *w, const char *path, int ndim, const uint64_t *dims,
                                const double *data, rs_nsid_store store, reshed_error *err)
{
    char group[sizeof((rs_nsid_data *)0)->path];
    hsize_t size[RS_NSID_MAX_DIMS];
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || !slash[1] || strlen(path) >= sizeof group || ndim < 0 ||
        ndim > RS_NSID_MAX_DIMS)
        return rs_fail(err, RESHED_EINVAL,
                       "an array|a path like /group/name, 0 to %d axes|%d axes|%s",
                       RS_NSID_MAX_DIMS, ndim, path);
    for (int i = 0; i < ndim; i++) size[i] = dims[i];
    snprintf(group, sizeof group, "%.*s", slash > path ? (int)(slash - path) : 1, path);
    reshed_status st = RESHED_OK;
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = rs_nsid_open_group(w->out->id, group), dset = -1;
    rs_nsid_place place;
    st = take_place(&place, store, false, !data, err);
    if (id >= 0 && st == RESHED_OK)
        dset = rs_nsid_make_dataset(id, slash + 1, ndim, size, NULL, data, &place);
    leave_place(&place);
    if (dset < 0) st = rs_h5_fail(err, RESHED_EIO, "cannot write the array", path);
    rs_h5_close(dset);
    rs_h5_close(id);
    return end_call(w, hush, st, err);
}
