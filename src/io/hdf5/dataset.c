#include "io/hdf5/dataset.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/h5.h"

/* Items of one HDF5 chunk: a chunk is the least that a reader fetches. */
#define CHUNK_ITEMS 16

struct rs_dataset {
    rs_h5_out *file;
    hid_t images, labels, pixels, type;
    hsize_t dims[3];
};

size_t rs_dataset_pixel_bytes(rs_dataset_type type)
{
    return type == RS_DATASET_U8 ? 1 : type == RS_DATASET_F16 ? 2 : 4;
}

const char *rs_dataset_type_name(rs_dataset_type type)
{
    return type == RS_DATASET_U8 ? "uint8" : type == RS_DATASET_F16 ? "float16" : "float32";
}

/* IEEE half precision, as h5py and numpy know it. */
static hid_t half_type(void)
{
    hid_t t = H5Tcopy(H5T_IEEE_F32LE);
    if (t < 0) return t;
    if (H5Tset_fields(t, 15, 10, 5, 0, 10) < 0 || H5Tset_size(t, 2) < 0 ||
        H5Tset_ebias(t, 15) < 0) {
        H5Tclose(t);
        return -1;
    }
    return t;
}

static hid_t make_type(rs_dataset_type type)
{
    if (type == RS_DATASET_F16) return half_type();
    return H5Tcopy(type == RS_DATASET_U8 ? H5T_STD_U8LE : H5T_IEEE_F32LE);
}

static hid_t make_set(hid_t file, const char *name, hid_t type, int ndim, const hsize_t *dims,
                      int deflate)
{
    hid_t space = H5Screate_simple(ndim, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    hid_t set = -1;
    hsize_t chunk[3] = {dims[0] < CHUNK_ITEMS ? dims[0] : CHUNK_ITEMS, dims[1], dims[2]};
    if (space >= 0 && plist >= 0 && H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER) >= 0 &&
        (deflate == 0 ||
         (H5Pset_chunk(plist, ndim, chunk) >= 0 && H5Pset_deflate(plist, (unsigned)deflate) >= 0)))
        set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    rs_h5_close(plist);
    rs_h5_close(space);
    return set;
}

static bool set_seed(hid_t file, uint64_t seed)
{
    hid_t space = H5Screate(H5S_SCALAR), attr = -1;
    bool ok = false;
    if (space >= 0) attr = H5Acreate2(file, "seed", H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attr >= 0) ok = H5Awrite(attr, H5T_NATIVE_UINT64, &seed) >= 0;
    rs_h5_close(attr);
    rs_h5_close(space);
    return ok;
}

static bool fill_file(rs_dataset *d, const rs_dataset_info *info)
{
    d->type = make_type(info->type);
    if (d->type < 0) return false;
    d->images = make_set(d->file->id, "images", d->type, 3, d->dims, 0);
    d->labels = make_set(d->file->id, "labels", H5T_STD_U8LE, 3, d->dims, 1);
    d->pixels = make_set(d->file->id, "pixel_size", H5T_IEEE_F64LE, 1, d->dims, 0);
    return d->images >= 0 && d->labels >= 0 && d->pixels >= 0 &&
           rs_h5_set_text(d->file->id, "format", "reshed-dataset") &&
           rs_h5_set_int(d->file->id, "format_version", 1) &&
           rs_h5_set_text(d->file->id, "program", info->program) &&
           rs_h5_set_text(d->file->id, "options", info->options) &&
           set_seed(d->file->id, info->seed);
}

reshed_status rs_dataset_create(const char *path, const rs_dataset_info *info, rs_dataset **out,
                                reshed_error *err)
{
    if (info->count < 1 || info->height < 1 || info->width < 1 || info->count > INT32_MAX ||
        info->height > 65536 || info->width > 65536)
        return rs_fail(err, RESHED_EINVAL, "size of a data set|1 to %d images|%lld of %d x %d",
                       INT32_MAX, (long long)info->count, info->height, info->width);
    rs_dataset *d = rs_zalloc(1, sizeof *d);
    if (!d) return rs_fail_nomem(err, "a data set", sizeof *d);
    d->images = d->labels = d->pixels = d->type = -1;
    d->dims[0] = (hsize_t)info->count;
    d->dims[1] = (hsize_t)info->height;
    d->dims[2] = (hsize_t)info->width;
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = rs_h5_out_open(path, RS_H5_ATOMIC, &d->file, err);
    if (st == RESHED_OK && !fill_file(d, info))
        st = rs_h5_fail(err, RESHED_EIO, "cannot create the data set", "");
    rs_h5_hush_end(hush);
    if (st == RESHED_OK)
        *out = d;
    else
        rs_dataset_finish(d, st, NULL);
    return st;
}

/* Rows [first,first+count) of a set. */
static bool put(hid_t set, hid_t memory, int ndim, const hsize_t *dims, int64_t first,
                int64_t count, const void *data)
{
    hsize_t start[3] = {(hsize_t)first, 0, 0}, size[3] = {(hsize_t)count, dims[1], dims[2]};
    hid_t file = H5Dget_space(set), mem = H5Screate_simple(ndim, size, NULL);
    bool ok = file >= 0 && mem >= 0 &&
              H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) >= 0 &&
              rs_h5_write(set, memory, mem, file, data);
    rs_h5_close(mem);
    rs_h5_close(file);
    return ok;
}

reshed_status rs_dataset_write(rs_dataset *d, int64_t first, int64_t count, const void *images,
                               const uint8_t *labels, const double *pixel_size, reshed_error *err)
{
    if (first < 0 || count < 1 || (uint64_t)first > d->dims[0] ||
        (uint64_t)count > d->dims[0] - (uint64_t)first)
        return rs_fail(err, RESHED_EINVAL, "items of a data set|within %llu|%lld from %lld",
                       (unsigned long long)d->dims[0], (long long)count, (long long)first);
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = RESHED_OK;
    if (!put(d->images, d->type, 3, d->dims, first, count, images) ||
        !put(d->labels, H5T_NATIVE_UINT8, 3, d->dims, first, count, labels) ||
        !put(d->pixels, H5T_NATIVE_DOUBLE, 1, d->dims, first, count, pixel_size))
        st = rs_h5_fail(err, RESHED_EIO, "cannot write to the data set", "");
    rs_h5_hush_end(hush);
    return st;
}

reshed_status rs_dataset_finish(rs_dataset *d, reshed_status st, reshed_error *err)
{
    if (!d) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    rs_h5_close(d->pixels);
    rs_h5_close(d->labels);
    rs_h5_close(d->images);
    rs_h5_close(d->type);
    if (d->file) st = rs_h5_out_finish(d->file, st, err);
    rs_h5_hush_end(hush);
    rs_free(d);
    return st;
}
