#include "io/nsid/file.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/text.h"
#include "io/common/channel.h"
#include "io/common/stack.h"

/* Bounds on the tree that is searched. A damaged file can hold a loop of groups, which the library
 * would follow until the stack is gone. */
#define MAX_OBJECTS 200000
#define MAX_DEPTH 32

/* ------------------------------------------------------------------------ recognising main data */
bool rs_nsid_sibling(const char *path, const char *name, char *buf, size_t n)
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
        !rs_nsid_sibling(path, label, where, sizeof where))
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

reshed_status rs_nsid_list(rs_nsid_file *f, reshed_error *err)
{
    visit v = {.f = f, .err = err};
    hid_t root = H5Gopen2(f->h5->id, "/", H5P_DEFAULT);
    if (root < 0) return rs_h5_fail(err, RESHED_ECORRUPT, "cannot open the HDF5 file", "/");
    visit_object(&v, root);
    rs_h5_close(root);
    rs_free(v.shared);
    return v.st == RESHED_OK ? make_names(f, err) : v.st;
}
