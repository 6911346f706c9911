/* make.c ties HDF5 dimension scales to a dataset by hand: the H5DS functions live in a second
 * library (hdf5_hl) that not every pkg-config file names, and all they do is to keep these
 * attributes:
 *
 *   main dataset   DIMENSION_LIST    [ndim] of variable-length lists of object references
 *                  DIMENSION_LABELS  [ndim] of variable-length texts
 *   each scale     CLASS             "DIMENSION_SCALE", fixed length
 *                  NAME              its name, fixed length
 *                  REFERENCE_LIST    [1] of {dataset: object reference, dimension: uint32}
 *
 * (HDF5 Dimension Scale Specification and API). */
#include "io/nsid/make.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"

/* The pyNSID version whose layout is written. */
#define NSID_VERSION "0.0.7.2"

hid_t rs_nsid_open_group(hid_t file, const char *path)
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

static bool one_of(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(s, *list) == 0) return true;
    return false;
}

/* The types that pyNSID and sidpy accept; anything else makes them raise. */
static const char *const data_types[] = {
    "SPECTRUM",    "LINE_PLOT",      "LINE_PLOT_FAMILY", "IMAGE",       "IMAGE_MAP",
    "IMAGE_STACK", "SPECTRAL_IMAGE", "IMAGE_4D",         "POINT_CLOUD", NULL};
static const char *const dimension_types[] = {"SPATIAL", "RECIPROCAL",  "SPECTRAL", "TEMPORAL",
                                              "CHANNEL", "POINT_CLOUD", NULL};

static reshed_status check_dim(const rs_nsid_data *d, int i, const char *name, uint64_t most,
                               uint64_t *count, reshed_error *err)
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
    if (dim->n < 1 || *count > most / (uint64_t)dim->n)
        return rs_fail(err, RESHED_EINVAL,
                       "length of axis %d|1 or more, at most %llu elements|%lld", i,
                       (unsigned long long)most, (long long)dim->n);
    *count *= (uint64_t)dim->n;
    return RESHED_OK;
}

static reshed_status check_main(const rs_nsid_data *d, const char *name, uint64_t most,
                                reshed_error *err)
{
    uint64_t count = 1;
    if (d->ndim < 1 || d->ndim > RS_NSID_MAX_DIMS)
        return rs_fail(err, RESHED_EINVAL, "axes of a dataset|1 to %d|%d", RS_NSID_MAX_DIMS,
                       d->ndim);
    if (!one_of(d->data_type, data_types))
        return rs_fail(err, RESHED_EINVAL, "data_type of a dataset|IMAGE, SPECTRAL_IMAGE, ...|'%s'",
                       d->data_type);
    for (int i = 0; i < d->ndim; i++) {
        reshed_status st = check_dim(d, i, name, most, &count, err);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

hid_t rs_nsid_number_type(rs_nsid_store store, bool is_complex)
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

hid_t rs_nsid_make_dataset(hid_t group, const char *name, int ndim, const hsize_t *dims,
                           const hsize_t *max, const double *data, const rs_nsid_place *place)
{
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), dset = -1, memory = -1;
    hid_t space = ndim ? H5Screate_simple(ndim, dims, max) : H5Screate(H5S_SCALAR);
    bool ok = plist >= 0 && space >= 0 && H5Pset_obj_track_times(plist, false) >= 0;
    if (ok && place->fill) ok = H5Pset_fill_value(plist, place->fill_type, place->fill) >= 0;
    if (ok && place->chunk)
        ok = H5Pset_chunk(plist, ndim, place->chunk) >= 0;
    else if (ok && !data)
        ok = H5Pset_alloc_time(plist, H5D_ALLOC_TIME_EARLY) >= 0;
    if (ok) dset = H5Dcreate2(group, name, place->type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    ok = dset >= 0;
    if (ok && data) {
        memory = rs_h5_memory_type(dset, H5Tget_class(place->type) == H5T_COMPOUND);
        ok = memory >= 0 && rs_h5_write(dset, memory, H5S_ALL, H5S_ALL, data);
    }
    rs_h5_close(memory);
    rs_h5_close(space);
    rs_h5_close(plist);
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
 * 2, ..., for an axis without values. */
static bool add_scale(hid_t group, const char *main, const rs_nsid_dim *dim, int axis,
                      const double *counting, hobj_ref_t *ref)
{
    hsize_t n = (hsize_t)dim->n;
    hobj_ref_t back;
    const rs_nsid_place doubles = {.type = H5T_IEEE_F64LE};
    hid_t id = rs_nsid_make_dataset(group, dim->name, 1, &n, NULL,
                                    dim->values ? dim->values : counting, &doubles);
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

static bool write_main(hid_t group, const char *name, const rs_nsid_data *d,
                       const rs_nsid_place *place, const double *counting)
{
    hsize_t dims[RS_NSID_MAX_DIMS];
    for (int i = 0; i < d->ndim; i++) dims[i] = (hsize_t)d->dim[i].n;
    hid_t dset = rs_nsid_make_dataset(group, name, d->ndim, dims, NULL, d->data, place);
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

reshed_status rs_nsid_make_main(hid_t file, const char *path, const rs_nsid_data *d,
                                const rs_nsid_place *place, uint64_t most, char *dataset_path,
                                size_t n, reshed_error *err)
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
    reshed_status st = check_main(d, name, most, err);
    if (st == RESHED_OK) st = count_up(d, &counting, err);
    if (st != RESHED_OK) return st;

    hid_t there = H5Oopen(file, group, H5P_DEFAULT), id = -1;
    if (there >= 0) {
        st = rs_fail(err, RESHED_EINVAL, "dataset exists already|a new name||%s", group);
    } else {
        id = rs_nsid_open_group(file, group);
        if (id < 0)
            st = rs_h5_fail(err, RESHED_EIO, "cannot make the group", group);
        else if (!write_main(id, name, d, place, counting))
            st = rs_h5_fail(err, RESHED_EIO, "cannot write the dataset", group);
    }
    rs_h5_close(there);
    rs_h5_close(id);
    if (id >= 0 && st != RESHED_OK) H5Ldelete(file, group, H5P_DEFAULT);
    rs_free(counting);
    if (st == RESHED_OK && dataset_path) snprintf(dataset_path, n, "%s/%s", group, name);
    return st;
}
