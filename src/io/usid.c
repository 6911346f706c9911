#include "io/usid.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/channel.h"
#include "io/h5.h"

/* A damaged file can hold a loop of groups. */
#define MAX_OBJECTS 200000
#define MAX_DEPTH 32
#define MAX_COUNT ((uint64_t)1 << 28)

static const char *const ancillary[4] = {"Position_Indices", "Position_Values",
                                         "Spectroscopic_Indices", "Spectroscopic_Values"};

typedef struct search {
    rs_h5_file *file;
    const char *wanted; /* NULL: any */
    char path[256];     /* the choice so far, "" for none */
    bool is_complex;
    long seen;
    reshed_status st;
    reshed_error *err;
} search;

void rs_usid_data_clear(rs_usid_data *d)
{
    rs_free(d->position.values);
    rs_free(d->spectral.values);
    rs_free(d->data);
    memset(d, 0, sizeof *d);
}

/* The dataset that attribute `name` of dset refers to; < 0 when there is none. */
static hid_t follow(hid_t dset, const char *name)
{
    hobj_ref_t ref;
    hid_t id = rs_h5_has_attr(dset, name) ? H5Aopen(dset, name, H5P_DEFAULT) : -1, to = -1;
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    if (type >= 0 && space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
        H5Tequal(type, H5T_STD_REF_OBJ) > 0 && H5Aread(id, H5T_STD_REF_OBJ, &ref) >= 0)
        to = H5Rdereference2(dset, H5P_DEFAULT, H5R_OBJECT, &ref);
    if (to >= 0 && H5Iget_type(to) != H5I_DATASET) {
        rs_h5_close(to);
        to = -1;
    }
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(id);
    return to;
}

/* A two-dimensional dataset of real or complex numbers with the four references. BGlib's results
 * are main datasets too, of records: those are left out. */
static bool is_main(const rs_h5_file *file, hid_t dset, bool *is_complex)
{
    rs_h5_shape shape;
    for (int i = 0; i < 4; i++) {
        hid_t to = follow(dset, ancillary[i]);
        rs_h5_close(to);
        if (to < 0) return false;
    }
    if (rs_h5_check_dataset(dset, file->size, 2, MAX_COUNT, &shape, "", NULL) != RESHED_OK ||
        shape.ndim != 2)
        return false;
    *is_complex = shape.is_complex;
    return true;
}

static bool is_wanted(const char *wanted, const char *path)
{
    return !wanted || strcmp(wanted, path) == 0 || strcmp(wanted, strrchr(path, '/') + 1) == 0;
}

static herr_t on_object(hid_t root, const char *name, const H5O_info_t *info, void *ctx)
{
    search *s = ctx;
    char path[sizeof s->path];
    bool is_complex;
    int depth = 0;
    (void)root;
    for (const char *c = name; *c; c++) depth += *c == '/';
    if (++s->seen > MAX_OBJECTS || depth > MAX_DEPTH) {
        s->st = rs_fail(s->err, RESHED_EUNSUPPORTED,
                        "groups of the HDF5 file|at most %d levels and %d objects|more|/%.80s",
                        MAX_DEPTH, MAX_OBJECTS, name);
        return 1;
    }
    if (info->type != H5O_TYPE_DATASET) return 0;
    int k = snprintf(path, sizeof path, "/%s", name);
    if (k < 0 || (size_t)k >= sizeof path || !is_wanted(s->wanted, path)) return 0;
    hid_t dset = rs_h5_object(s->file, path, true);
    if (dset >= 0 && is_main(s->file, dset, &is_complex) && (!s->path[0] || is_complex)) {
        strcpy(s->path, path);
        s->is_complex = is_complex;
    }
    rs_h5_close(dset);
    return s->path[0] && s->is_complex;
}

/* Attribute `name`, a text for each of n dimensions, into text[][size]; "" when it is absent. */
static void read_texts(rs_h5_file *file, hid_t id, const char *name, int n, char *text, size_t size)
{
    for (int k = 0; k < n; k++) rs_h5_text_at(file, id, name, k, n, text + (size_t)k * size, size);
}

/* The Values dataset of the positions (dimensions along axis 1) or of the spectra (along axis 0),
 * which must have n coordinates per dimension. */
static reshed_status read_axes(rs_h5_file *file, hid_t dset, const char *name, bool by_rows,
                               uint64_t n, rs_usid_axes *out, reshed_error *err)
{
    rs_h5_shape shape;
    double *raw = NULL;
    hid_t id = follow(dset, name);
    if (id < 0) return rs_fail(err, RESHED_ECORRUPT, "reference of a USID dataset|||%s", name);
    reshed_status st = rs_h5_check_dataset(id, file->size, 2, MAX_COUNT, &shape, name, err);
    if (st == RESHED_OK &&
        (shape.ndim != 2 || shape.is_complex || shape.dims[by_rows ? 1 : 0] != n ||
         shape.dims[by_rows ? 0 : 1] < 1 || shape.dims[by_rows ? 0 : 1] > RS_USID_MAX_DIMS))
        st = rs_fail(err, RESHED_ECORRUPT,
                     "coordinates of a USID dataset|%llu for each of 1 to %d dimensions|%llu "
                     "numbers on %d axes|%s",
                     (unsigned long long)n, RS_USID_MAX_DIMS, (unsigned long long)shape.count,
                     shape.ndim, name);
    if (st == RESHED_OK) st = rs_h5_read_doubles(id, &shape, &raw, name, err);
    if (st == RESHED_OK) {
        out->dims = (int)shape.dims[by_rows ? 0 : 1];
        out->n = (int64_t)n;
        read_texts(file, id, "labels", out->dims, out->label[0], sizeof out->label[0]);
        read_texts(file, id, "units", out->dims, out->units[0], sizeof out->units[0]);
        if (by_rows) {
            out->values = raw;
            raw = NULL;
        } else {
            out->values = rs_alloc((size_t)shape.count, sizeof *out->values);
            if (!out->values) st = rs_fail_nomem(err, "coordinates", shape.count * sizeof *raw);
            for (uint64_t i = 0; out->values && i < n; i++)
                for (int d = 0; d < out->dims; d++)
                    out->values[(uint64_t)d * n + i] = raw[i * (uint64_t)out->dims + (uint64_t)d];
        }
    }
    rs_free(raw);
    rs_h5_close(id);
    return st;
}

static reshed_status read_main(rs_h5_file *file, hid_t dset, rs_usid_data *d, reshed_error *err)
{
    rs_h5_shape shape;
    reshed_status st = rs_h5_check_dataset(dset, file->size, 2, MAX_COUNT, &shape, d->path, err);
    if (st != RESHED_OK) return st;
    if (shape.ndim != 2 || shape.count == 0)
        return rs_fail(err, RESHED_ECORRUPT,
                       "USID dataset|positions by points, none empty|%d axes|%s", shape.ndim,
                       d->path);
    rs_h5_text(file, dset, "quantity", d->quantity, sizeof d->quantity);
    rs_h5_text(file, dset, "units", d->units, sizeof d->units);
    d->is_complex = shape.is_complex;
    st = read_axes(file, dset, ancillary[1], false, shape.dims[0], &d->position, err);
    if (st == RESHED_OK)
        st = read_axes(file, dset, ancillary[3], true, shape.dims[1], &d->spectral, err);
    if (st == RESHED_OK) st = rs_h5_read_doubles(dset, &shape, &d->data, d->path, err);
    return st;
}

static reshed_status find_and_read(rs_h5_file *file, const char *wanted, rs_usid_data *d,
                                   reshed_error *err)
{
    search s = {.file = file, .wanted = wanted, .err = err};
    herr_t rc = H5Ovisit2(file->id, H5_INDEX_NAME, H5_ITER_INC, on_object, &s, H5O_INFO_BASIC);
    if (s.st == RESHED_OK && rc < 0)
        s.st = rs_h5_fail(err, RESHED_ECORRUPT, "cannot list the HDF5 file", "");
    if (s.st == RESHED_OK && !s.path[0])
        s.st = rs_fail(err, RESHED_EUNSUPPORTED,
                       "no USID main dataset%s%.80s|one with references to %s and the like|none",
                       wanted ? " called " : "", wanted ? wanted : "", ancillary[0]);
    if (s.st == RESHED_OK) {
        hid_t dset = rs_h5_object(file, s.path, true);
        rs_channel_copy(d->path, sizeof d->path, s.path);
        s.st = dset < 0 ? rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the dataset", s.path)
                        : read_main(file, dset, d, err);
        rs_h5_close(dset);
    }
    return s.st;
}

static reshed_status read_any(const char *path, const uint8_t *bytes, size_t len,
                              const char *dataset, rs_usid_data *out, reshed_error *err)
{
    rs_usid_data d = {0};
    rs_h5_file *file = NULL;
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = rs_h5_open(path, bytes, len, &file, err);
    if (st == RESHED_OK) st = find_and_read(file, dataset, &d, err);
    rs_h5_file_close(file);
    rs_h5_hush_end(hush);
    if (st != RESHED_OK) {
        rs_usid_data_clear(&d);
        return st;
    }
    *out = d;
    return RESHED_OK;
}

reshed_status rs_usid_read(const char *path, const char *dataset, rs_usid_data *out,
                           reshed_error *err)
{
    return read_any(path, NULL, 0, dataset, out, err);
}

reshed_status rs_usid_read_mem(const uint8_t *bytes, size_t len, const char *dataset,
                               rs_usid_data *out, reshed_error *err)
{
    return read_any(NULL, bytes, len, dataset, out, err);
}
