#include "io/nsid/nsid.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/text.h"
#include "io/common/stack.h"
#include "io/common/channel.h"
#include "io/hdf5/h5.h"

/* Bounds on the tree that is searched. A damaged file can hold a loop of groups, which the library
 * would follow until the stack is gone. */
#define MAX_OBJECTS 200000
#define MAX_DEPTH 32

struct rs_nsid_file {
    rs_h5_file *h5;
    int n, capacity;
    rs_nsid_data *main; /* [n] without values and data */
    rs_channels names;
    int plain_n, plain_capacity;
    rs_nsid_plain *plain; /* [plain_n] */
};

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

/* ------------------------------------------------------------------------ recognising main data */
/* The path of a sibling: the folder of `path`, then name; false when it does not fit or name is no
 * plain name. */
static bool sibling(const char *path, const char *name, char *buf, size_t n)
{
    const char *slash = strrchr(path, '/');
    if (!slash || !*name || strchr(name, '/')) return false;
    int k = snprintf(buf, n, "%.*s/%s", (int)(slash - path), path, name);
    return k > 0 && (size_t)k < n;
}

/* Axis k of the dataset at path: its sibling dataset, of length n. */
static bool read_dim(const rs_nsid_file *f, hid_t dset, const char *path, int k, int ndim,
                     int64_t n, rs_nsid_dim *dim)
{
    char label[64], where[256], name[64];
    hsize_t length = 0;
    if (!rs_h5_text_at(f->h5, dset, "DIMENSION_LABELS", k, ndim, label, sizeof label) ||
        !sibling(path, label, where, sizeof where))
        return false;
    hid_t id = rs_h5_object(f->h5, where, true), space = id < 0 ? -1 : H5Dget_space(id);
    bool ok = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_dims(space, &length, NULL) == 1 && length == (hsize_t)n &&
              rs_h5_text(f->h5, id, "name", name, sizeof name) &&
              rs_h5_text(f->h5, id, "quantity", dim->quantity, sizeof dim->quantity) &&
              rs_h5_text(f->h5, id, "units", dim->units, sizeof dim->units) &&
              rs_h5_text(f->h5, id, "dimension_type", dim->type, sizeof dim->type);
    rs_h5_close(space);
    rs_h5_close(id);
    rs_text_copy(dim->name, sizeof dim->name, label);
    dim->n = n;
    return ok;
}

/* pyNSID's check_if_main, and what a listing says of the dataset. */
static bool describe(const rs_nsid_file *f, hid_t dset, const char *path, rs_nsid_data *d)
{
    char version[32];
    hsize_t dims[H5S_MAX_RANK];
    memset(d, 0, sizeof *d);
    hid_t space = H5Dget_space(dset);
    d->ndim = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    bool ok = d->ndim >= 1 && d->ndim <= RS_NSID_MAX_DIMS &&
              H5Sget_simple_extent_dims(space, dims, NULL) == d->ndim;
    rs_h5_close(space);
    ok = ok && rs_h5_text(f->h5, dset, "pyNSID_version", version, sizeof version) &&
         rs_h5_text(f->h5, dset, "quantity", d->quantity, sizeof d->quantity) &&
         rs_h5_text(f->h5, dset, "units", d->units, sizeof d->units) &&
         rs_h5_text(f->h5, dset, "main_data_name", d->name, sizeof d->name) &&
         rs_h5_text(f->h5, dset, "data_type", d->data_type, sizeof d->data_type) &&
         rs_h5_text(f->h5, dset, "modality", d->modality, sizeof d->modality) &&
         rs_h5_text(f->h5, dset, "source", d->source, sizeof d->source) &&
         rs_h5_has_lists(dset, "DIMENSION_LIST", d->ndim);
    d->count = 1;
    for (int i = 0; ok && i < d->ndim; i++) {
        ok = dims[i] <= INT64_MAX &&
             read_dim(f, dset, path, i, d->ndim, (int64_t)dims[i], &d->dim[i]);
        d->count =
            dims[i] != 0 && d->count > UINT64_MAX / dims[i] ? UINT64_MAX : d->count * dims[i];
    }
    if (!ok) return false;
    rs_h5_text(f->h5, dset, "title", d->title, sizeof d->title);
    rs_text_copy(d->path, sizeof d->path, path);
    hid_t type = H5Dget_type(dset);
    d->is_complex = type >= 0 && H5Tget_class(type) == H5T_COMPOUND;
    rs_h5_close(type);
    return true;
}

/* Fills *p when the dataset may be an image though it is no main dataset. */
static bool describe_plain(hid_t dset, const char *path, rs_nsid_plain *p)
{
    static const char *const asked[] = {"quantity",  "units",    "main_data_name", "pyNSID_version",
                                        "data_type", "modality", "source"};
    hsize_t dims[H5S_MAX_RANK] = {0, 0};
    rs_stack s = {0};
    memset(p, 0, sizeof *p);
    hid_t space = H5Dget_space(dset), type = H5Dget_type(dset);
    const H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    p->ndim = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    bool ok = p->ndim >= 2 && p->ndim <= RS_NSID_MAX_DIMS &&
              H5Sget_simple_extent_dims(space, dims, NULL) == p->ndim &&
              (class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM);
    rs_h5_close(space);
    rs_h5_close(type);
    p->usid = rs_h5_has_attr(dset, "Position_Values");
    for (int i = 0; ok && i < p->ndim; i++) {
        ok = dims[i] > 0 && dims[i] <= RS_NSID_MAX_COUNT;
        p->dims[i] = dims[i];
    }
    ok = ok && !rs_h5_has_attr(dset, "labels") && rs_stack_of(p->dims, p->ndim, &s) &&
         s.frames <= INT32_MAX &&
         (p->usid ? p->ndim == 2 && dims[1] == 1 && dims[0] > 1 : s.height >= 8 && s.width >= 8);
    if (!ok) return false;
    rs_text_copy(p->path, sizeof p->path, path);
    p->frames = s.frames;
    p->rows = s.height;
    p->columns = s.width;
    memcpy(p->axis, s.axis, sizeof p->axis);
    p->matlab = rs_h5_has_attr(dset, "MATLAB_class");
    if (rs_h5_has_attr(dset, "pyNSID_version") || rs_h5_has_attr(dset, "main_data_name"))
        for (size_t i = 0; i < sizeof asked / sizeof *asked && !p->lacks[0]; i++)
            if (!rs_h5_has_attr(dset, asked[i])) rs_text_copy(p->lacks, sizeof p->lacks, asked[i]);
    return true;
}

/* ---------------------------------------------------------------------------------- the listing */
/* The library's H5Ovisit would do this, but it opens objects at any address and goes round for ever
 * in a damaged loop; here each step is looked at first. */
typedef struct visit {
    rs_nsid_file *f;
    char path[256]; /* of the group being listed, without a trailing '/' */
    int depth;
    long objects;
    uint64_t *shared; /* [shared_n] addresses of objects with several links that were met; owned */
    size_t shared_n, shared_room;
    reshed_status st;
    reshed_error *err;
} visit;

static reshed_status append(rs_nsid_file *f, const rs_nsid_data *d, reshed_error *err)
{
    if (f->n >= RS_CHANNEL_MAX)
        return rs_fail(err, RESHED_EUNSUPPORTED, "too many main datasets|at most %d",
                       RS_CHANNEL_MAX);
    if (f->n == f->capacity) {
        int want = f->capacity ? 2 * f->capacity : 8;
        rs_nsid_data *m = rs_regrow(f->main, (size_t)f->n, (size_t)want, sizeof *m);
        if (!m) return rs_fail_nomem(err, "the list of datasets", (size_t)want * sizeof *m);
        f->main = m;
        f->capacity = want;
    }
    f->main[f->n++] = *d;
    return RESHED_OK;
}

static reshed_status append_plain(rs_nsid_file *f, const rs_nsid_plain *p, reshed_error *err)
{
    if (f->plain_n >= RS_CHANNEL_MAX) return RESHED_OK; /* they are a last resort */
    if (f->plain_n == f->plain_capacity) {
        const int want = f->plain_capacity ? 2 * f->plain_capacity : 8;
        rs_nsid_plain *m = rs_regrow(f->plain, (size_t)f->plain_n, (size_t)want, sizeof *m);
        if (!m) return rs_fail_nomem(err, "the list of datasets", (size_t)want * sizeof *m);
        f->plain = m;
        f->plain_capacity = want;
    }
    f->plain[f->plain_n++] = *p;
    return RESHED_OK;
}

/* Returns whether an object with several links was met before; remembers it. */
static bool met_before(visit *v, uint64_t address)
{
    for (size_t i = 0; i < v->shared_n; i++)
        if (v->shared[i] == address) return true;
    if (v->shared_n == v->shared_room) {
        size_t want = v->shared_room ? 2 * v->shared_room : 32;
        uint64_t *p = rs_regrow(v->shared, v->shared_n, want, sizeof *p);
        if (!p) {
            v->st = rs_fail_nomem(v->err, "the list of objects", want * sizeof *p);
            return true;
        }
        v->shared = p;
        v->shared_room = want;
    }
    v->shared[v->shared_n++] = address;
    return false;
}

static void visit_group(visit *v, hid_t group);

static void visit_object(visit *v, hid_t id)
{
    H5O_info_t info;
    rs_nsid_data d;
    rs_nsid_plain plain;
    if (H5Oget_info2(id, &info, H5O_INFO_BASIC) < 0) return;
    if (info.rc > 1 && met_before(v, info.addr)) return;
    if (info.type == H5O_TYPE_GROUP)
        visit_group(v, id);
    else if (info.type == H5O_TYPE_DATASET && describe(v->f, id, v->path, &d))
        v->st = append(v->f, &d, v->err);
    else if (info.type == H5O_TYPE_DATASET && describe_plain(id, v->path, &plain))
        v->st = append_plain(v->f, &plain, v->err);
}

static herr_t on_link(hid_t group, const char *name, const H5L_info_t *info, void *ctx)
{
    visit *v = ctx;
    size_t used = strlen(v->path);
    if (info->type != H5L_TYPE_HARD || !rs_h5_address_ok(v->f->h5, info->u.address)) return 0;
    if (++v->objects > MAX_OBJECTS || v->depth > MAX_DEPTH) {
        v->st = rs_fail(v->err, RESHED_EUNSUPPORTED,
                        "groups of the HDF5 file|at most %d levels and %d objects|more|%.80s",
                        MAX_DEPTH, MAX_OBJECTS, v->path);
        return 1;
    }
    if (strlen(name) + 1 >= sizeof v->path - used) return 0;
    hid_t id = H5Oopen(group, name, v->f->h5->access);
    if (id < 0) return 0;
    snprintf(v->path + used, sizeof v->path - used, "/%s", name);
    visit_object(v, id);
    v->path[used] = '\0';
    rs_h5_close(id);
    return v->st != RESHED_OK;
}

/* The objects below a group, by name: the order of H5Ovisit, h5py and pyNSID. */
static void visit_group(visit *v, hid_t group)
{
    v->depth++;
    herr_t rc = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, on_link, v);
    if (rc < 0 && v->st == RESHED_OK)
        v->st =
            rs_h5_fail(v->err, RESHED_ECORRUPT, "cannot list a group of the HDF5 file", v->path);
    v->depth--;
}

/* Component k from the end of a path ("/a/b/c": 0 is c), "" when there is none. */
static void component(const char *path, int k, char *buf, size_t n)
{
    const char *end = path + strlen(path);
    buf[0] = '\0';
    for (;;) {
        const char *start = end;
        while (start > path && start[-1] != '/') start--;
        if (k-- == 0) {
            if ((size_t)(end - start) < n) {
                memcpy(buf, start, (size_t)(end - start));
                buf[end - start] = '\0';
            }
            return;
        }
        if (start <= path + 1) return;
        end = start - 1;
    }
}

/* Returns true when no other main dataset has the same text as dataset k. */
static bool tells_apart(const rs_nsid_file *f, int k, size_t offset_of_text)
{
    int n = 0;
    const char *text = (const char *)&f->main[k] + offset_of_text;
    for (int i = 0; *text && i < f->n; i++)
        n += strcmp((const char *)&f->main[i] + offset_of_text, text) == 0;
    return n == 1;
}

/* The name of dataset k for messages, see rs_nsid_label. */
static void make_label(const rs_nsid_file *f, int k, char *buf, size_t n)
{
    const rs_nsid_data *d = &f->main[k];
    char last[64], before[64];
    int length = (int)strlen(d->path);
    if (tells_apart(f, k, offsetof(rs_nsid_data, title))) {
        rs_text_copy(buf, n, d->title);
    } else if (tells_apart(f, k, offsetof(rs_nsid_data, quantity))) {
        rs_text_copy(buf, n, d->quantity);
    } else if (!d->quantity[0] && !d->title[0]) {
        rs_text_copy(buf, n, d->path);
    } else { /* "Amplitude (/Measurement_000/Channel_001)", of /.../Channel_001/Channel_001 */
        component(d->path, 0, last, sizeof last);
        for (int i = 1; *last && i < 3; i++) {
            component(d->path, i, before, sizeof before);
            if (strcmp(last, before) != 0) break;
            length -= (int)strlen(last) + 1;
        }
        char all[sizeof d->path + sizeof d->title + 4];
        snprintf(all, sizeof all, "%s (%.*s)", d->quantity[0] ? d->quantity : d->title, length,
                 d->path);
        rs_text_copy(buf, n, all);
    }
}

static reshed_status make_names(rs_nsid_file *f, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int i = 0; i < f->n && st == RESHED_OK; i++) {
        const rs_nsid_data *d = &f->main[i];
        char name[sizeof f->names.c->name];
        make_label(f, i, name, sizeof name);
        rs_channel *c;
        st = rs_channels_add(&f->names, name, &c, err);
        if (st != RESHED_OK) break;
        rs_text_copy(c->unit, sizeof c->unit, d->units);
        rs_text_copy(c->alias[0], sizeof c->alias[0], d->quantity);
        rs_text_copy(c->alias[1], sizeof c->alias[1], d->title);
        for (int k = 0; k < 3; k++) component(d->path, k, c->alias[2 + k], sizeof c->alias[2 + k]);
        if (strlen(d->path) < sizeof c->alias[5])
            rs_text_copy(c->alias[5], sizeof c->alias[5], d->path);
    }
    return st;
}

static reshed_status scan(rs_nsid_file *f, reshed_error *err)
{
    visit v = {.f = f, .err = err};
    hid_t root = H5Gopen2(f->h5->id, "/", H5P_DEFAULT);
    if (root < 0) return rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the HDF5 file", "/");
    visit_object(&v, root);
    rs_h5_close(root);
    rs_free(v.shared);
    return v.st == RESHED_OK ? make_names(f, err) : v.st;
}

static reshed_status open_any(const char *path, const uint8_t *bytes, size_t len,
                              rs_nsid_file **out, reshed_error *err)
{
    rs_nsid_file *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "an HDF5 file", sizeof *f);
    rs_h5_hush hush = rs_h5_hush_begin();
    reshed_status st = rs_h5_open(path, bytes, len, &f->h5, err);
    if (st == RESHED_OK) st = rs_h5_file_check(f->h5, scan(f, err), err);
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
        if (!sibling(d->path, d->dim[i].name, where, sizeof where))
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
