#include "io/weights/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"
#include "io/weights/model.h"
#include "io/weights/layout.h"

/* A tensor's own cost beside its values, for the budget of the file. */
#define TENSOR_COST 256u

typedef struct reader {
    rs_h5_file *f;
    rs_weights_types types;
    uint64_t values; /* bytes of values that the file can still hold */
    uint64_t budget; /* bytes that may still be allocated */
    reshed_error *err;
} reader;

/* ----------------------------------------------------------------------------------- attributes */
static reshed_status fail_attribute(reader *r, const char *name, const char *expected)
{
    return rs_fail(r->err, RESHED_ECORRUPT, "attribute '%s'|%s|%s", name, expected,
                   rs_h5_has_attr(r->f->id, name) ? "something else" : "none");
}

static reshed_status get_int(reader *r, const char *name, int *out)
{
    double v;
    if (!rs_h5_number(r->f->id, name, &v) || !(v >= 0 && v <= INT32_MAX) || v != floor(v))
        return fail_attribute(r, name, "a small integer");
    *out = (int)v;
    return RESHED_OK;
}

/* 0 when there is none. */
static reshed_status get_double(reader *r, const char *name, double *out)
{
    *out = 0;
    if (rs_h5_has_attr(r->f->id, name) && !rs_h5_number(r->f->id, name, out))
        return fail_attribute(r, name, "a number");
    return RESHED_OK;
}

static reshed_status get_string(reader *r, const char *name, char *out, size_t room)
{
    char text[64];
    if (!rs_h5_text(r->f, r->f->id, name, text, sizeof text) || strlen(text) >= room)
        return fail_attribute(r, name, "a short string");
    strcpy(out, text);
    return RESHED_OK;
}

static reshed_status get_layers(reader *r, rs_model_file *m)
{
    long long v[RS_MODEL_MAX_LEVELS];
    hid_t a = rs_h5_has_attr(r->f->id, "layers") ? H5Aopen(r->f->id, "layers", H5P_DEFAULT) : -1;
    hid_t type = a >= 0 ? H5Aget_type(a) : -1, space = a >= 0 ? H5Aget_space(a) : -1;
    size_t size = type >= 0 ? H5Tget_size(type) : 0;
    hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
    /* Integers of the sizes that C has: a damaged file can describe others. */
    bool ok = n >= 1 && n <= RS_MODEL_MAX_LEVELS && H5Tget_class(type) == H5T_INTEGER &&
              (size == 1 || size == 2 || size == 4 || size == 8) &&
              H5Sget_simple_extent_type(space) != H5S_NULL && H5Aread(a, H5T_NATIVE_LLONG, v) >= 0;
    for (hssize_t i = 0; ok && i < n; i++) {
        ok = v[i] >= 0 && v[i] <= INT32_MAX;
        if (ok) m->layers[i] = (int)v[i];
    }
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(a);
    if (!ok) return fail_attribute(r, "layers", "a few small integers");
    m->levels = (int)n;
    return RESHED_OK;
}

/* A list of at most `room` float64; *count says how many. */
static bool get_doubles(reader *r, const char *name, hssize_t room, double *v, hssize_t *count)
{
    hid_t a = rs_h5_has_attr(r->f->id, name) ? H5Aopen(r->f->id, name, H5P_DEFAULT) : -1;
    hid_t type = a >= 0 ? H5Aget_type(a) : -1, space = a >= 0 ? H5Aget_space(a) : -1;
    *count = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
    bool ok = *count >= 1 && *count <= room && type >= 0 && H5Tequal(type, H5T_IEEE_F64LE) > 0 &&
              H5Sget_simple_extent_type(space) != H5S_NULL && H5Aread(a, H5T_NATIVE_DOUBLE, v) >= 0;
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(a);
    return ok;
}

/* Files without it are older, or made by hand. */
static reshed_status get_ood(reader *r, rs_ood_model *o)
{
    double whiten[RS_OOD_MAX_FEATURES * RS_OOD_MAX_FEATURES];
    hssize_t n = 0, square = 0;
    if (!rs_h5_has_attr(r->f->id, "ood_version")) return RESHED_OK;
    reshed_status st = get_int(r, "ood_version", &o->version);
    if (st == RESHED_OK) st = get_int(r, "ood_frames", &o->frames);
    if (st != RESHED_OK) return st;
    if (!get_doubles(r, "ood_centre", RS_OOD_MAX_FEATURES, o->centre, &n))
        return fail_attribute(r, "ood_centre", "a few float64");
    if (!get_doubles(r, "ood_whiten", RS_OOD_MAX_FEATURES * RS_OOD_MAX_FEATURES, whiten, &square) ||
        square != n * n)
        return fail_attribute(r, "ood_whiten", "float64, one row and column for each feature");
    o->features = (int)n;
    for (hssize_t i = 0; i < square; i++) o->whiten[i / n][i % n] = whiten[i];
    return RESHED_OK;
}

static reshed_status get_flag(reader *r, const char *name, bool *out)
{
    int v = 0;
    const reshed_status st = get_int(r, name, &v);
    if (st == RESHED_OK && v > 1) return fail_attribute(r, name, "0 or 1");
    *out = v != 0;
    return st;
}

static reshed_status get_flags(reader *r, rs_model_file *m)
{
    bool norm = true;
    reshed_status st = get_flag(r, "batch_norm", &norm);
    if (st == RESHED_OK) st = get_flag(r, "dropout", &m->dropout);
    if (st == RESHED_OK) st = get_flag(r, "with_dilation", &m->dilated);
    m->no_batch_norm = !norm;
    return st;
}

static reshed_status read_attributes(reader *r, rs_model_file *m)
{
    char format[64];
    int version = 0;
    if (!rs_h5_text(r->f, r->f->id, "format", format, sizeof format) ||
        strcmp(format, RS_WEIGHTS_FORMAT) != 0)
        return rs_fail(r->err, RESHED_EUNSUPPORTED,
                       "not a weights file|an HDF5 file with format '%s'|another HDF5 file",
                       RS_WEIGHTS_FORMAT);
    reshed_status st = get_int(r, "format_version", &version);
    if (st != RESHED_OK) return st;
    if (version != RS_WEIGHTS_VERSION && version != RS_WEIGHTS_VERSION_FLAGS)
        return rs_fail(r->err, RESHED_EUNSUPPORTED, "version of the weights file|%d or %d|%d",
                       RS_WEIGHTS_VERSION, RS_WEIGHTS_VERSION_FLAGS, version);
    if (version == RS_WEIGHTS_VERSION_FLAGS && (st = get_flags(r, m)) != RESHED_OK) return st;
    st = get_string(r, "model", m->model, sizeof m->model);
    if (st == RESHED_OK) st = get_int(r, "nb_classes", &m->classes);
    if (st == RESHED_OK) st = get_int(r, "nb_filters", &m->filters);
    if (st == RESHED_OK) st = get_layers(r, m);
    if (st == RESHED_OK) st = get_string(r, "upsampling", m->upsampling, sizeof m->upsampling);
    if (st == RESHED_OK) st = get_int(r, "n_members", &m->members);
    if (st == RESHED_OK) st = get_double(r, "pixel_size_min", &m->pixel_size_min);
    if (st == RESHED_OK) st = get_double(r, "pixel_size_max", &m->pixel_size_max);
    if (st == RESHED_OK) st = get_double(r, "ood_threshold", &m->ood_threshold);
    if (st == RESHED_OK) st = get_ood(r, &m->ood);
    if (st == RESHED_OK && rs_h5_has_attr(r->f->id, "recipe") &&
        !rs_h5_text(r->f, r->f->id, "recipe", m->recipe, sizeof m->recipe))
        st = fail_attribute(r, "recipe", "a text");
    return st;
}

/* ------------------------------------------------------------------------------------- datasets */
/* Type and shape of an open dataset, as a tensor without data. */
static reshed_status describe(reader *r, hid_t data, const char *name, rs_tensor *t)
{
    static const rs_dtype all[] = {RS_F32, RS_I64, RS_F16, RS_F64};
    hid_t type = H5Dget_type(data), space = H5Dget_space(data);
    hsize_t dims[RS_TENSOR_MAX_DIMS];
    reshed_status st = RESHED_OK;
    bool known = false;
    for (size_t i = 0; i < 4 && !known && type >= 0; i++) {
        known = H5Tequal(type, rs_weights_file_type(&r->types, all[i])) > 0;
        t->dtype = all[i];
    }
    t->ndim = space >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL
                  ? H5Sget_simple_extent_ndims(space)
                  : -1;
    if (!known)
        st = rs_fail(r->err, RESHED_EUNSUPPORTED,
                     "type of a tensor|little-endian float16, float32, float64 or int64|another|%s",
                     name);
    else if (t->ndim < 0 || t->ndim > RS_TENSOR_MAX_DIMS ||
             H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        st = rs_fail(r->err, RESHED_ECORRUPT, "dimensions of a tensor|0 to %d|%d|%s",
                     RS_TENSOR_MAX_DIMS, t->ndim, name);
    rs_h5_close(type);
    rs_h5_close(space);
    t->count = 1;
    for (int k = 0; k < t->ndim && st == RESHED_OK; k++) {
        if (dims[k] < 1 || dims[k] > (hsize_t)(INT64_MAX / 16) / t->count)
            st = rs_fail(r->err, RESHED_ECORRUPT, "shape of a tensor|1 element or more|%llu|%s",
                         (unsigned long long)dims[k], name);
        else
            t->count *= (size_t)dims[k];
        t->dims[k] = (int64_t)dims[k];
    }
    return st;
}

/* The values must lie in this file, in full, under the checksum and under nothing else: then they
 * take at least their own size in the file, which bounds what a small file can ask for. */
static reshed_status check_storage(reader *r, hid_t data, const rs_tensor *t, const char *name)
{
    hsize_t chunk[RS_TENSOR_MAX_DIMS];
    uint64_t bytes = t->count * rs_dtype_size(t->dtype);
    hid_t p = H5Dget_create_plist(data);
    H5D_layout_t layout = p >= 0 ? H5Pget_layout(p) : H5D_LAYOUT_ERROR;
    reshed_status st = RESHED_OK;
    if (t->ndim == 0) {
        if (layout != H5D_COMPACT && !(layout == H5D_CONTIGUOUS && H5Pget_external_count(p) == 0))
            st = rs_fail(r->err, RESHED_EUNSUPPORTED,
                         "storage of a scalar|in this file|elsewhere|%s", name);
    } else if (layout != H5D_CHUNKED || H5Pget_chunk(p, RS_TENSOR_MAX_DIMS, chunk) != t->ndim) {
        st = rs_fail(r->err, RESHED_EUNSUPPORTED,
                     "storage of a tensor|chunks with a Fletcher32 checksum|no chunks|%s", name);
    } else {
        unsigned flags, config;
        size_t none = 0;
        if (H5Pget_nfilters(p) != 1 ||
            H5Pget_filter2(p, 0, &flags, &none, NULL, 0, NULL, &config) != H5Z_FILTER_FLETCHER32)
            st = rs_fail(r->err, RESHED_EUNSUPPORTED,
                         "filters of a tensor|the Fletcher32 checksum alone|%s|%s",
                         H5Pget_nfilters(p) == 0 ? "none" : "others", name);
        for (int k = 0; k < t->ndim && st == RESHED_OK; k++)
            if (chunk[k] > (hsize_t)t->dims[k])
                st = rs_fail(r->err, RESHED_ECORRUPT, "chunk larger than its tensor|||%s", name);
    }
    rs_h5_close(p);
    if (st != RESHED_OK) return st;
    if (bytes > r->values || bytes + TENSOR_COST > r->budget)
        return rs_fail(r->err, RESHED_ECORRUPT, "tensor larger than its file||%llu bytes|%s",
                       (unsigned long long)bytes, name);
    r->values -= bytes;
    r->budget -= bytes + TENSOR_COST;
    hsize_t stored = H5Dget_storage_size(data);
    if (stored < bytes)
        return rs_fail(r->err, RESHED_ECORRUPT, "stored bytes of a tensor|%llu|%llu|%s",
                       (unsigned long long)bytes, (unsigned long long)stored, name);
    return RESHED_OK;
}

static reshed_status read_tensor(reader *r, hid_t group, const char *name, rs_tensors *set)
{
    rs_tensor shape = {0}, *t;
    hid_t data = H5Dopen2(group, name, H5P_DEFAULT);
    if (data < 0) return rs_h5_fail(r->err, RESHED_ECORRUPT, "cannot open a tensor", name);
    reshed_status st = describe(r, data, name, &shape);
    if (st == RESHED_OK) st = check_storage(r, data, &shape, name);
    if (st == RESHED_OK) {
        t = rs_tensors_add(set, name, shape.dtype, shape.ndim, shape.dims);
        if (!t)
            st = rs_fail_nomem(r->err, name, shape.count * rs_dtype_size(shape.dtype));
        else if (!rs_h5_read(data, rs_weights_memory_type(&r->types, shape.dtype), H5S_ALL, H5S_ALL,
                             t->data))
            st = rs_h5_fail(r->err, RESHED_ECORRUPT, "cannot read a tensor", name);
    }
    H5Dclose(data);
    return st;
}

/* -------------------------------------------------------------------------------------- members */
typedef struct names {
    const rs_h5_file *f;
    int n, room;
    char (*name)[sizeof((rs_tensor *)0)->name]; /* [room] */
} names;

static herr_t keep_name(hid_t group, const char *name, const H5L_info_t *info, void *ctx)
{
    names *list = ctx;
    (void)group;
    /* Links to other files and detours within this one have no place here. */
    if (list->n == list->room || info->type != H5L_TYPE_HARD || !rs_tensor_name_ok(name) ||
        !rs_h5_address_ok(list->f, info->u.address))
        return -1;
    strcpy(list->name[list->n++], name);
    return 0;
}

static reshed_status list_names(reader *r, hid_t group, const char *where, names *list)
{
    H5G_info_t info;
    unsigned order = 0;
    hsize_t at = 0;
    if (H5Gget_info(group, &info) < 0)
        return rs_h5_fail(r->err, RESHED_ECORRUPT, "cannot read a group", where);
    if (info.nlinks < 1 || info.nlinks > RS_MODEL_MAX_TENSORS)
        return rs_fail(r->err, RESHED_ECORRUPT, "number of tensors|1 to %d|%llu|%s",
                       RS_MODEL_MAX_TENSORS, (unsigned long long)info.nlinks, where);
    list->room = (int)info.nlinks;
    list->name = rs_alloc((size_t)list->room, sizeof *list->name);
    if (!list->name)
        return rs_fail_nomem(r->err, "the names of the tensors",
                             (size_t)list->room * sizeof *list->name);
    hid_t p = H5Gget_create_plist(group);
    bool ordered =
        p >= 0 && H5Pget_link_creation_order(p, &order) >= 0 && (order & H5P_CRT_ORDER_TRACKED);
    rs_h5_close(p);
    if (H5Literate(group, ordered ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME, H5_ITER_INC, &at, keep_name,
                   list) < 0 ||
        list->n != list->room)
        return rs_fail(r->err, RESHED_ECORRUPT,
                       "content of a group|datasets with names of tensors|something else|%s",
                       where);
    return RESHED_OK;
}

static reshed_status read_member(reader *r, int i, rs_tensors *set)
{
    char where[RS_WEIGHTS_GROUP];
    H5L_info_t link;
    names list = {.f = r->f};
    snprintf(where, sizeof where, "member_%03d", i);
    hid_t group = -1;
    if (H5Lget_info(r->f->id, where, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD &&
        rs_h5_address_ok(r->f, link.u.address))
        group = H5Gopen2(r->f->id, where, H5P_DEFAULT);
    if (group < 0) return rs_h5_fail(r->err, RESHED_ECORRUPT, "cannot open a member", where);
    reshed_status st = list_names(r, group, where, &list);
    for (int k = 0; k < list.n && st == RESHED_OK; k++)
        st = read_tensor(r, group, list.name[k], set);
    rs_free(list.name);
    H5Gclose(group);
    return st;
}

/* The file at path, or data[len] when path is NULL. */
static reshed_status read_file(reader *r, const char *path, const void *data, size_t len,
                               rs_model_file *m)
{
    if (!rs_weights_types_open(&r->types))
        return rs_h5_fail(r->err, RESHED_EINTERNAL, "cannot describe half precision", "");
    reshed_status st = rs_h5_open(path, data, len, &r->f, r->err);
    if (st != RESHED_OK) return st;
    r->values = r->f->io.size;
    r->budget = 3 * r->f->io.size; /* datasets take 150 bytes of the file at the very least */
    st = read_attributes(r, m);
    if (st == RESHED_OK) st = rs_model_fields_check(m, r->err);
    if (st != RESHED_OK) return st;
    m->member = rs_zalloc((size_t)m->members, sizeof *m->member);
    if (!m->member)
        return rs_fail_nomem(r->err, "the members", (size_t)m->members * sizeof *m->member);
    for (int i = 0; i < m->members && st == RESHED_OK; i++) st = read_member(r, i, &m->member[i]);
    return st;
}

static reshed_status read_any(const char *path, const void *data, size_t len, rs_model_file *out,
                              reshed_error *err)
{
    rs_model_file m = {0};
    reader r = {.types = {-1, -1}, .err = err};
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = read_file(&r, path, data, len, &m);
    st = rs_h5_file_check(r.f, st, err);
    rs_h5_file_close(r.f);
    rs_weights_types_close(&r.types);
    rs_h5_hush_end(hush);
    if (st == RESHED_OK) st = rs_model_file_check(&m, err);
    if (st == RESHED_OK)
        *out = m;
    else
        rs_model_file_clear(&m);
    return st;
}

reshed_status rs_weights_read_h5(const char *path, rs_model_file *out, reshed_error *err)
{
    return read_any(path, NULL, 0, out, err);
}

reshed_status rs_weights_read_h5_mem(const void *data, size_t len, rs_model_file *out,
                                     reshed_error *err)
{
    return read_any(NULL, data, len, out, err);
}
