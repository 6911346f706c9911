/* How HDF5 dimension scales are tied to a dataset, and why it is done here by hand: the H5DS
 * functions live in a second library (hdf5_hl) that not every pkg-config file names, and all they
 * do is to keep these attributes:
 *
 *   main dataset   DIMENSION_LIST    [ndim] of variable-length lists of object references
 *                  DIMENSION_LABELS  [ndim] of variable-length texts
 *   each scale     CLASS             "DIMENSION_SCALE", fixed length
 *                  NAME              its name, fixed length
 *                  REFERENCE_LIST    [1] of {dataset: object reference, dimension: uint32}
 *
 * (HDF5 Dimension Scale Specification and API). */
#include "io/nsid_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/h5.h"

/* The pyNSID version whose layout is written. */
#define NSID_VERSION "0.0.7.2"

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

/* Ends a call into the library: what the call gave, or the failure of the disk that it did not see.
 */
static reshed_status end_call(const rs_nsid_writer *w, rs_h5_hush hush, reshed_status st,
                              reshed_error *err)
{
    rs_h5_hush_end(hush);
    return st == RESHED_OK ? rs_h5_out_check(w->out, err) : st;
}

/* --------------------------------------------------------------------------- groups, attributes */
/* The group at path, made when missing; < 0 when something else is there or making fails. */
static hid_t open_group(hid_t file, const char *path)
{
    hid_t id = H5Oopen(file, path, H5P_DEFAULT);
    if (id < 0) {
        hid_t links = H5Pcreate(H5P_LINK_CREATE);
        if (links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
            id = H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
        rs_h5_close(links);
    } else if (H5Iget_type(id) != H5I_GROUP) {
        rs_h5_close(id);
        id = -1;
    }
    return id;
}

reshed_status rs_nsid_group(rs_nsid_writer *w, const char *path, reshed_error *err)
{
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t id = open_group(w->out->id, path);
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
    if (id < 0) id = open_group(w->out->id, path);
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
static bool one_of(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(s, *list) == 0) return true;
    return false;
}

/* What pyNSID and sidpy accept; anything else makes them raise. */
static const char *const data_types[] = {
    "SPECTRUM",    "LINE_PLOT",      "LINE_PLOT_FAMILY", "IMAGE",       "IMAGE_MAP",
    "IMAGE_STACK", "SPECTRAL_IMAGE", "IMAGE_4D",         "POINT_CLOUD", NULL};
static const char *const dimension_types[] = {"SPATIAL", "RECIPROCAL",  "SPECTRAL", "TEMPORAL",
                                              "CHANNEL", "POINT_CLOUD", NULL};

static reshed_status check_dim(const rs_nsid_data *d, int i, const char *name, uint64_t *count,
                               reshed_error *err)
{
    const rs_nsid_dim *dim = &d->dim[i];
    if (!dim->name[0] || strchr(dim->name, '/') || strcmp(dim->name, ".") == 0 ||
        strcmp(dim->name, name) == 0)
        return rs_fail(err, RESHED_EINVAL,
                       "name of axis %d|a name without '/', unlike the dataset's|'%s'", i,
                       dim->name);
    for (int k = 0; k < i; k++)
        if (strcmp(d->dim[k].name, dim->name) == 0)
            return rs_fail(err, RESHED_EINVAL, "name of axis %d|unlike axis %d|'%s'", i, k,
                           dim->name);
    if (!one_of(dim->type, dimension_types))
        return rs_fail(err, RESHED_EINVAL,
                       "type of axis %d|SPATIAL, RECIPROCAL, SPECTRAL, TEMPORAL, CHANNEL or "
                       "POINT_CLOUD|'%s'",
                       i, dim->type);
    if (dim->n < 1 || *count > RS_NSID_MAX_COUNT / (uint64_t)dim->n)
        return rs_fail(err, RESHED_EINVAL,
                       "length of axis %d|1 or more, at most %llu elements|%lld", i,
                       (unsigned long long)RS_NSID_MAX_COUNT, (long long)dim->n);
    *count *= (uint64_t)dim->n;
    return RESHED_OK;
}

static reshed_status check_main(const rs_nsid_data *d, const char *name, reshed_error *err)
{
    uint64_t count = 1;
    if (d->ndim < 1 || d->ndim > RS_NSID_MAX_DIMS)
        return rs_fail(err, RESHED_EINVAL, "axes of a dataset|1 to %d|%d", RS_NSID_MAX_DIMS,
                       d->ndim);
    if (!one_of(d->data_type, data_types))
        return rs_fail(err, RESHED_EINVAL, "data_type of a dataset|IMAGE, SPECTRAL_IMAGE, ...|'%s'",
                       d->data_type);
    for (int i = 0; i < d->ndim; i++) {
        reshed_status st = check_dim(d, i, name, &count, err);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

/* The file's type of one element; the caller closes it. */
static hid_t stored_type(rs_nsid_store store, bool is_complex)
{
    hid_t part = store == RS_NSID_F32 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
    if (!is_complex) return H5Tcopy(part);
    size_t half = H5Tget_size(part);
    hid_t pair = H5Tcreate(H5T_COMPOUND, 2 * half);
    if (pair >= 0 && H5Tinsert(pair, "r", 0, part) >= 0 && H5Tinsert(pair, "i", half, part) >= 0)
        return pair;
    rs_h5_close(pair);
    return -1;
}

/* Makes a dataset and writes data; NULL reserves its place in the file and fills it with NaN. */
static hid_t make_dataset(hid_t group, const char *name, int ndim, const hsize_t *dims,
                          const double *data, bool is_complex, rs_nsid_store store)
{
    const double nan[2] = {NAN, NAN};
    hid_t type = stored_type(store, is_complex), plist = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = ndim ? H5Screate_simple(ndim, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t dset = -1, memory = -1;
    bool ok = type >= 0 && plist >= 0 && space >= 0;
    if (ok && !data) {
        hid_t fill = is_complex ? stored_type(RS_NSID_F64, true) : H5Tcopy(H5T_IEEE_F64LE);
        ok = fill >= 0 && H5Pset_fill_value(plist, fill, nan) >= 0 &&
             H5Pset_alloc_time(plist, H5D_ALLOC_TIME_EARLY) >= 0;
        rs_h5_close(fill);
    }
    if (ok) dset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    ok = dset >= 0;
    if (ok && data) {
        memory = rs_h5_memory_type(dset, is_complex);
        ok = memory >= 0 && H5Dwrite(dset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    }
    rs_h5_close(memory);
    rs_h5_close(space);
    rs_h5_close(plist);
    rs_h5_close(type);
    if (ok) return dset;
    rs_h5_close(dset);
    return -1;
}

static bool write_attr(hid_t obj, const char *name, hid_t type, hsize_t n, const void *value)
{
    hid_t space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);
    hid_t id =
        space < 0 || type < 0 ? -1 : H5Acreate2(obj, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = id >= 0 && H5Awrite(id, type, value) >= 0;
    rs_h5_close(id);
    rs_h5_close(space);
    return ok;
}

static bool set_fixed_text(hid_t obj, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    bool ok = type >= 0 && H5Tset_size(type, strlen(text) + 1) >= 0 &&
              write_attr(obj, name, type, 0, text);
    rs_h5_close(type);
    return ok;
}

typedef struct scale_use {
    hobj_ref_t dataset;
    uint32_t dimension;
} scale_use;

static bool set_reference_list(hid_t scale, hobj_ref_t dataset, int axis)
{
    scale_use use;
    memset(&use, 0, sizeof use); /* the padding goes to the file too */
    use.dataset = dataset;
    use.dimension = (uint32_t)axis;
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof use);
    bool ok =
        type >= 0 &&
        H5Tinsert(type, "dataset", offsetof(scale_use, dataset), H5T_STD_REF_OBJ) >= 0 &&
        H5Tinsert(type, "dimension", offsetof(scale_use, dimension), H5T_NATIVE_UINT32) >= 0 &&
        write_attr(scale, "REFERENCE_LIST", type, 1, &use);
    rs_h5_close(type);
    return ok;
}

static const char *or_generic(const char *s)
{
    return s[0] ? s : "generic";
}

/* The 1-D dataset of axis i, tied to the main dataset; its reference goes to *ref. counting: 0, 1,
 * 2,
 * ..., for an axis without values. */
static bool add_scale(hid_t group, const char *main, const rs_nsid_dim *dim, int axis,
                      const double *counting, hobj_ref_t *ref)
{
    hsize_t n = (hsize_t)dim->n;
    hobj_ref_t back;
    hid_t id = make_dataset(group, dim->name, 1, &n, dim->values ? dim->values : counting, false,
                            RS_NSID_F64);
    bool ok =
        id >= 0 && rs_h5_set_text(id, "name", dim->name) &&
        rs_h5_set_text(id, "quantity", or_generic(dim->quantity)) &&
        rs_h5_set_text(id, "units", or_generic(dim->units)) &&
        rs_h5_set_text(id, "dimension_type", dim->type) &&
        set_fixed_text(id, "CLASS", "DIMENSION_SCALE") && set_fixed_text(id, "NAME", dim->name) &&
        H5Rcreate(&back, group, main, H5R_OBJECT, -1) >= 0 && set_reference_list(id, back, axis) &&
        H5Rcreate(ref, group, dim->name, H5R_OBJECT, -1) >= 0;
    rs_h5_close(id);
    return ok;
}

static bool tie_axes(hid_t group, hid_t dset, const char *name, const rs_nsid_data *d,
                     const double *counting)
{
    hobj_ref_t ref[RS_NSID_MAX_DIMS];
    hvl_t list[RS_NSID_MAX_DIMS];
    const char *labels[RS_NSID_MAX_DIMS];
    bool ok = true;
    for (int i = 0; ok && i < d->ndim; i++) {
        ok = add_scale(group, name, &d->dim[i], i, counting, &ref[i]);
        list[i].len = 1;
        list[i].p = &ref[i];
        labels[i] = d->dim[i].name;
    }
    if (!ok) return false;
    hid_t lists = H5Tvlen_create(H5T_STD_REF_OBJ), text = H5Tcopy(H5T_C_S1);
    ok = lists >= 0 && text >= 0 && H5Tset_size(text, H5T_VARIABLE) >= 0 &&
         write_attr(dset, "DIMENSION_LIST", lists, (hsize_t)d->ndim, list) &&
         write_attr(dset, "DIMENSION_LABELS", text, (hsize_t)d->ndim, labels);
    rs_h5_close(text);
    rs_h5_close(lists);
    return ok;
}

static bool describe_main(hid_t group, hid_t dset, const rs_nsid_data *d)
{
    const char *writer = "reshed " RESHED_VERSION;
    return rs_h5_set_text(dset, "quantity", or_generic(d->quantity)) &&
           rs_h5_set_text(dset, "units", or_generic(d->units)) &&
           rs_h5_set_text(dset, "main_data_name", or_generic(d->name)) &&
           rs_h5_set_text(dset, "data_type", d->data_type) &&
           rs_h5_set_text(dset, "modality", or_generic(d->modality)) &&
           rs_h5_set_text(dset, "source", or_generic(d->source)) &&
           rs_h5_set_text(dset, "pyNSID_version", NSID_VERSION) &&
           rs_h5_set_text(dset, "writer", writer) &&
           rs_h5_set_text(group, "pyNSID_version", NSID_VERSION) &&
           rs_h5_set_text(group, "writer", writer) &&
           (!d->title[0] || rs_h5_set_text(dset, "title", d->title));
}

static bool write_main(hid_t group, const char *name, const rs_nsid_data *d, rs_nsid_store store,
                       const double *counting)
{
    hsize_t dims[RS_NSID_MAX_DIMS];
    for (int i = 0; i < d->ndim; i++) dims[i] = (hsize_t)d->dim[i].n;
    hid_t dset = make_dataset(group, name, d->ndim, dims, d->data, d->is_complex, store);
    bool ok =
        dset >= 0 && tie_axes(group, dset, name, d, counting) && describe_main(group, dset, d);
    rs_h5_close(dset);
    return ok;
}

/* 0, 1, 2, ... as long as the longest axis without values (rs_free). */
static reshed_status count_up(const rs_nsid_data *d, double **out, reshed_error *err)
{
    size_t n = 0;
    for (int i = 0; i < d->ndim; i++)
        if (!d->dim[i].values && (size_t)d->dim[i].n > n) n = (size_t)d->dim[i].n;
    double *v = rs_alloc(n, sizeof *v);
    if (!v) return rs_fail_nomem(err, "the coordinates of an axis", n * sizeof *v);
    for (size_t i = 0; i < n; i++) v[i] = (double)i;
    *out = v;
    return RESHED_OK;
}

reshed_status rs_nsid_add(rs_nsid_writer *w, const char *path, const rs_nsid_data *d,
                          rs_nsid_store store, char *dataset_path, size_t n, reshed_error *err)
{
    char name[sizeof d->name], group[sizeof d->path];
    snprintf(name, sizeof name, "%s", or_generic(d->name));
    for (char *s = name; *s; s++)
        if (*s == '-' || *s == '/') *s = '_';
    size_t cut = strlen(path); /* "/" and a trailing slash */
    while (cut > 0 && path[cut - 1] == '/') cut--;
    int k = snprintf(group, sizeof group, "%.*s/%s", (int)cut, path, name);
    if (k < 0 || (size_t)k + strlen(name) + 2 > sizeof d->path)
        return rs_fail(err, RESHED_EINVAL, "path of a dataset|at most %zu bytes|%d bytes",
                       sizeof d->path - 1, k);
    double *counting = NULL;
    reshed_status st = check_main(d, name, err);
    if (st == RESHED_OK) st = count_up(d, &counting, err);
    if (st != RESHED_OK) return st;

    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t there = H5Oopen(w->out->id, group, H5P_DEFAULT), id = -1;
    if (there >= 0) {
        st = rs_fail(err, RESHED_EINVAL, "dataset exists already|a new name||%s", group);
    } else {
        id = open_group(w->out->id, group);
        if (id < 0)
            st = rs_h5_fail(err, RESHED_EIO, "cannot make the group", group);
        else if (!write_main(id, name, d, store, counting))
            st = rs_h5_fail(err, RESHED_EIO, "cannot write the dataset", group);
    }
    rs_h5_close(there);
    rs_h5_close(id);
    if (id >= 0 && st != RESHED_OK) H5Ldelete(w->out->id, group, H5P_DEFAULT);
    rs_free(counting);
    st = end_call(w, hush, st, err);
    if (st == RESHED_OK && dataset_path) snprintf(dataset_path, n, "%s/%s", group, name);
    return st;
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
        H5Dwrite(dset, memory, block, space, H5P_DEFAULT, data) < 0)
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
    hid_t id = open_group(w->out->id, group), dset = -1;
    if (id >= 0) dset = make_dataset(id, slash + 1, ndim, size, data, false, store);
    if (dset < 0) st = rs_h5_fail(err, RESHED_EIO, "cannot write the array", path);
    rs_h5_close(dset);
    rs_h5_close(id);
    return end_call(w, hush, st, err);
}
