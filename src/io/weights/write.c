#include "io/weights/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/h5.h"
#include "io/weights/model.h"
#include "io/weights/layout.h"

/* A dataset is one chunk, read and checksummed in one piece, unless it is larger than this. */
#define CHUNK_BYTES ((uint64_t)32 << 20)

/* ----------------------------------------------------------------------------------- attributes */
static bool put_layers(hid_t file, const rs_model_file *m)
{
    hsize_t levels = (hsize_t)m->levels;
    hid_t list = H5Screate_simple(1, &levels, NULL), a = -1;
    if (list >= 0) a = H5Acreate2(file, "layers", H5T_STD_I64LE, list, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_INT, m->layers) >= 0;
    rs_h5_close(a);
    rs_h5_close(list);
    return ok;
}

/* Unknown values (0) are not written. */
static bool put_known(hid_t file, const char *name, double value)
{
    return value == 0 || rs_h5_set_number(file, name, value);
}

static bool put_doubles(hid_t file, const char *name, int ndim, const hsize_t *dims,
                        const double *v)
{
    hid_t space = H5Screate_simple(ndim, dims, NULL), a = -1;
    if (space >= 0) a = H5Acreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, v) >= 0;
    rs_h5_close(a);
    rs_h5_close(space);
    return ok;
}

static bool put_ood(hid_t file, const rs_ood_model *o)
{
    const hsize_t n = (hsize_t)o->features, dims[2] = {n, n};
    double whiten[RS_OOD_MAX_FEATURES * RS_OOD_MAX_FEATURES];
    if (o->version == 0) return true;
    for (size_t i = 0; i < n * n; i++) whiten[i] = o->whiten[i / n][i % n];
    return rs_h5_set_int(file, "ood_version", o->version) &&
           rs_h5_set_int(file, "ood_frames", o->frames) &&
           put_doubles(file, "ood_centre", 1, dims, o->centre) &&
           put_doubles(file, "ood_whiten", 2, dims, whiten);
}

/* What other networks than a ResHedNet leave to say. */
static bool put_flags(hid_t file, const rs_model_file *m)
{
    return rs_h5_set_int(file, "batch_norm", !m->no_batch_norm) &&
           rs_h5_set_int(file, "dropout", m->dropout) &&
           rs_h5_set_int(file, "with_dilation", m->dilated);
}

static bool put_attributes(hid_t file, const rs_model_file *m)
{
    const bool flags = strcmp(m->model, "ResHedNet") != 0;
    return rs_h5_set_text(file, "format", RS_WEIGHTS_FORMAT) &&
           rs_h5_set_int(file, "format_version",
                         flags ? RS_WEIGHTS_VERSION_FLAGS : RS_WEIGHTS_VERSION) &&
           (!flags || put_flags(file, m)) && rs_h5_set_text(file, "model", m->model) &&
           rs_h5_set_int(file, "nb_classes", m->classes) &&
           rs_h5_set_int(file, "nb_filters", m->filters) && put_layers(file, m) &&
           rs_h5_set_text(file, "upsampling", m->upsampling) &&
           rs_h5_set_int(file, "n_members", m->members) &&
           put_known(file, "pixel_size_min", m->pixel_size_min) &&
           put_known(file, "pixel_size_max", m->pixel_size_max) &&
           put_known(file, "ood_threshold", m->ood_threshold) && put_ood(file, &m->ood) &&
           (!m->recipe[0] || rs_h5_set_text(file, "recipe", m->recipe));
}

/* ------------------------------------------------------------------------------------- datasets */
/* Creation properties of a dataset: no times (the same model gives the same bytes), and either
 * compact (a scalar) or checksummed chunks. */
static hid_t layout_of(const rs_tensor *t, rs_dtype stored)
{
    hsize_t chunk[RS_TENSOR_MAX_DIMS];
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    bool ok = p >= 0 && H5Pset_obj_track_times(p, false) >= 0;
    if (t->ndim == 0) {
        ok = ok && H5Pset_layout(p, H5D_COMPACT) >= 0;
    } else {
        uint64_t bytes = t->count * rs_dtype_size(stored);
        for (int k = 0; k < t->ndim; k++) chunk[k] = (hsize_t)t->dims[k];
        for (int k = 0; k < t->ndim && bytes > CHUNK_BYTES; k++) {
            uint64_t slice = bytes / chunk[k];
            chunk[k] = slice < CHUNK_BYTES ? CHUNK_BYTES / slice : 1;
            bytes = slice * chunk[k];
        }
        ok = ok && H5Pset_chunk(p, t->ndim, chunk) >= 0 && H5Pset_fletcher32(p) >= 0;
    }
    if (!ok) {
        rs_h5_close(p);
        p = -1;
    }
    return p;
}

/* A new block of t's values in half precision. */
static reshed_status to_half(const rs_tensor *t, uint16_t **out, reshed_error *err)
{
    const float *from = t->data;
    uint16_t *half = rs_alloc(t->count, sizeof *half);
    if (!half) return rs_fail_nomem(err, t->name, t->count * sizeof *half);
    for (size_t i = 0; i < t->count; i++) {
        half[i] = rs_float_to_half(from[i]);
        if (isfinite(from[i]) && (half[i] & 0x7c00) == 0x7c00) {
            rs_free(half);
            return rs_fail(err, RESHED_EUNSUPPORTED,
                           "value too large for half precision|at most 65504 in magnitude|%g|"
                           "tensor %s",
                           (double)from[i], t->name);
        }
    }
    *out = half;
    return RESHED_OK;
}

static reshed_status put_tensor(hid_t group, const rs_weights_types *types, const rs_tensor *t,
                                bool fp16, reshed_error *err)
{
    hsize_t dims[RS_TENSOR_MAX_DIMS];
    uint16_t *half = NULL;
    rs_dtype stored = t->dtype;
    if (fp16 && t->dtype == RS_F32 && t->ndim >= 2) {
        reshed_status st = to_half(t, &half, err);
        if (st != RESHED_OK) return st;
        stored = RS_F16;
    }
    for (int k = 0; k < t->ndim; k++) dims[k] = (hsize_t)t->dims[k];
    hid_t layout = layout_of(t, stored), data = -1;
    hid_t space = t->ndim ? H5Screate_simple(t->ndim, dims, NULL) : H5Screate(H5S_SCALAR);
    if (layout >= 0 && space >= 0)
        data = H5Dcreate2(group, t->name, rs_weights_file_type(types, stored), space, H5P_DEFAULT,
                          layout, H5P_DEFAULT);
    reshed_status st = RESHED_OK;
    if (data < 0 || !rs_h5_write(data, rs_weights_memory_type(types, stored), H5S_ALL, H5S_ALL,
                                 half ? half : t->data))
        st = rs_h5_fail(err, RESHED_EIO, "cannot write a tensor", t->name);
    if (data >= 0 && H5Dclose(data) < 0 && st == RESHED_OK)
        st = rs_h5_fail(err, RESHED_EIO, "cannot write a tensor", t->name);
    rs_h5_close(space);
    rs_h5_close(layout);
    rs_free(half);
    return st;
}

static reshed_status put_member(hid_t file, const rs_weights_types *types, const rs_model_file *m,
                                int i, bool fp16, reshed_error *err)
{
    char name[RS_WEIGHTS_GROUP];
    reshed_status st = RESHED_OK;
    snprintf(name, sizeof name, "member_%03d", i);
    hid_t group = -1, p = H5Pcreate(H5P_GROUP_CREATE);
    /* The order of the tensors is part of the model. */
    if (p >= 0 &&
        H5Pset_link_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
        H5Pset_obj_track_times(p, false) >= 0)
        group = H5Gcreate2(file, name, H5P_DEFAULT, p, H5P_DEFAULT);
    if (group < 0) st = rs_h5_fail(err, RESHED_EIO, "cannot write a group", name);
    for (int k = 0; k < m->member[i].n && st == RESHED_OK; k++)
        st = put_tensor(group, types, &m->member[i].t[k], fp16, err);
    if (group >= 0 && H5Gclose(group) < 0 && st == RESHED_OK)
        st = rs_h5_fail(err, RESHED_EIO, "cannot write a group", name);
    rs_h5_close(p);
    return st;
}

static reshed_status put_all(hid_t file, const rs_model_file *m, bool fp16, reshed_error *err)
{
    rs_weights_types types;
    reshed_status st = RESHED_OK;
    if (!rs_weights_types_open(&types))
        st = rs_h5_fail(err, RESHED_EINTERNAL, "cannot describe half precision", "");
    else if (!put_attributes(file, m))
        st = rs_h5_fail(err, RESHED_EIO, "cannot write an attribute", "");
    for (int i = 0; i < m->members && st == RESHED_OK; i++)
        st = put_member(file, &types, m, i, fp16, err);
    rs_weights_types_close(&types);
    return st;
}

reshed_status rs_weights_write_h5(const char *path, const rs_model_file *m,
                                  const rs_weights_options *options, reshed_error *err)
{
    rs_h5_out *out = NULL;
    reshed_status st = rs_model_file_check(m, err);
    if (st != RESHED_OK) return st;
    rs_h5_hush hush = rs_h5_hush_begin();
    st = rs_h5_out_open(path, RS_H5_ATOMIC_CHECKED, &out, err);
    if (st == RESHED_OK)
        st = rs_h5_out_finish(out, put_all(out->id, m, options && options->fp16, err), err);
    rs_h5_hush_end(hush);
    return st;
}
