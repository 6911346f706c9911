#include "spm/session/create.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/nsid/make.h"
#include "spm/session/layout.h"
#include "spm/session/limits.h"
#include "spm/session/setup.h"

/* Coordinates of the main datasets. */
typedef struct axes {
    double *x, *y, *f; /* [cols], [rows], [bins] */
} axes;

/* Centres of n pixels that tile `length` around `middle`. */
static void pixel_centres(double *v, int n, double middle, double length)
{
    for (int i = 0; i < n; i++) v[i] = middle + length * ((i + 0.5) / n - 0.5);
}

static void describe_axis(rs_nsid_dim *d, const char *name, const char *quantity, const char *unit,
                          const char *type, int n, double *values)
{
    snprintf(d->name, sizeof d->name, "%s", name);
    snprintf(d->quantity, sizeof d->quantity, "%s", quantity);
    snprintf(d->units, sizeof d->units, "%s", unit);
    snprintf(d->type, sizeof d->type, "%s", type);
    d->n = n;
    d->values = values;
}

static reshed_status make_main(hid_t file, const rs_session_setup *s, const rs_session_place *p,
                               const rs_nsid_place *cell, const axes *a, reshed_error *err)
{
    rs_nsid_data d = {.ndim = p->ndim, .is_complex = p->cell == CELL_C32};
    snprintf(d.name, sizeof d.name, "%s", p->name);
    snprintf(d.quantity, sizeof d.quantity, "%s", p->quantity);
    snprintf(d.units, sizeof d.units, "%s", p->unit);
    snprintf(d.title, sizeof d.title, "%s %s", strrchr(p->path, '/') + 1, p->name);
    snprintf(d.data_type, sizeof d.data_type, "%s", p->ndim == 3 ? "SPECTRAL_IMAGE" : "IMAGE");
    snprintf(d.modality, sizeof d.modality, "PFM");
    snprintf(d.source, sizeof d.source, "%.63s", s->caps.instrument);
    describe_axis(&d.dim[0], "x", "Position", "m", "SPATIAL", s->frame.cols, a->x);
    describe_axis(&d.dim[1], "y", "Position", "m", "SPATIAL", s->frame.rows, a->y);
    describe_axis(&d.dim[2], "frequency", "Frequency", "Hz", "SPECTRAL", s->caps.bins, a->f);
    return rs_nsid_make_main(file, p->path, &d, cell, UINT64_MAX, NULL, 0, err);
}

static reshed_status make_plain(hid_t file, const rs_session_place *p, const rs_nsid_place *cell,
                                reshed_error *err)
{
    hsize_t max[4];
    memcpy(max, p->dims, sizeof max);
    if (p->grows) max[0] = H5S_UNLIMITED;
    hid_t g = rs_nsid_open_group(file, p->path), d = -1;
    if (g >= 0) d = rs_nsid_make_dataset(g, p->name, p->ndim, p->dims, max, NULL, cell);
    bool ok = d >= 0 && (!p->about || rs_h5_set_text(d, "description", p->about)) &&
              (!p->unit[0] || rs_h5_set_text(d, "units", p->unit));
    rs_h5_close(d);
    rs_h5_close(g);
    return ok ? RESHED_OK
              : rs_h5_fail(err, RESHED_EIO, "cannot make a dataset of the session", p->name);
}

static reshed_status make_item(hid_t file, const rs_session_setup *s, const rs_session_place *p,
                               const axes *a, reshed_error *err)
{
    reshed_status st;
    hid_t type = rs_session_cell_type(p->cell, false);
    hid_t memory = rs_session_cell_type(p->cell, true);
    const rs_nsid_place cell = {.type = type,
                                .chunk = p->chunk,
                                .fill = rs_session_cell_empty(p->cell),
                                .fill_type = memory};
    if (type < 0 || memory < 0)
        st = rs_h5_fail(err, RESHED_EINTERNAL, "cannot describe the session's data", "");
    else if (p->main)
        st = make_main(file, s, p, &cell, a, err);
    else
        st = make_plain(file, p, &cell, err);
    rs_h5_close(memory);
    rs_h5_close(type);
    return st;
}

static reshed_status fill_file(hid_t file, const rs_session_setup *s, reshed_error *err)
{
    reshed_status st = RESHED_ENOMEM;
    rs_session_place *place = rs_alloc(ITEMS, sizeof *place);
    axes a = {.x = rs_alloc((size_t)s->frame.cols, sizeof *a.x),
              .y = rs_alloc((size_t)s->frame.rows, sizeof *a.y),
              .f = rs_alloc((size_t)s->caps.bins, sizeof *a.f)};
    if (!place || !a.x || !a.y || !a.f) {
        rs_fail_nomem(err, "the axes of the session", sizeof *a.x * RS_SESSION_MAX_SIDE);
        goto done;
    }
    pixel_centres(a.x, s->frame.cols, s->frame.cx, s->frame.width);
    pixel_centres(a.y, s->frame.rows, s->frame.cy, s->frame.height);
    if (s->caps.bins) memcpy(a.f, s->frequency, (size_t)s->caps.bins * sizeof *a.f);
    rs_session_lay_out(s, place);
    st = rs_session_write_setup(file, s, err);
    for (int i = 0; st == RESHED_OK && i < ITEMS; i++)
        if (place[i].ndim) st = make_item(file, s, &place[i], &a, err);
    /* The paper's files have the coordinates here. */
    if (st == RESHED_OK && s->spectroscopy.steps &&
        H5Lcreate_soft("/Coordinates/Measure", file, "/BEPS/coordinates", H5P_DEFAULT,
                       H5P_DEFAULT) < 0)
        st = rs_h5_fail(err, RESHED_EIO, "cannot make a link", "/BEPS/coordinates");
done:
    rs_free(a.f);
    rs_free(a.y);
    rs_free(a.x);
    rs_free(place);
    return st;
}

reshed_status rs_session_create_file(const char *path, const rs_session_setup *s, reshed_error *err)
{
    rs_h5_out *out = NULL;
    reshed_status st = rs_h5_out_open(path, RS_H5_ATOMIC_CHECKED, &out, err);
    if (st != RESHED_OK) return st;
    return rs_h5_out_finish(out, fill_file(out->id, s, err), err);
}
