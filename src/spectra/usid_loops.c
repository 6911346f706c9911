#include "spectra/usid_loops.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "spectra/axes.h"

/* The row that `is` accepts as an axis, -1 when there is none. */
static int find_row(const rs_usid_axes *a, bool (*is)(const rs_nsid_dim *axis))
{
    for (int d = 0; d < a->dims; d++) {
        rs_nsid_dim axis;
        rs_axis_of_usid(&axis, a, d);
        if (is(&axis)) return d;
    }
    return -1;
}

/* One axis of the positions: every stride-th of row d. */
static reshed_status add_axis(const rs_usid_axes *a, int d, const char *usual, int64_t n,
                              int64_t stride, rs_nsid_data *out, reshed_error *err)
{
    rs_nsid_dim *dim = &out->dim[out->ndim++];
    rs_axis_name(dim, a->label[d][0] ? a->label[d] : usual, "Position", a->units[d], "SPATIAL", n);
    for (char *c = dim->name; *c; c++)
        if (*c == '/') *c = '_';
    dim->values = rs_alloc((size_t)n, sizeof *dim->values);
    if (!dim->values) return rs_fail_nomem(err, "coordinates", (size_t)n * sizeof *dim->values);
    for (int64_t k = 0; k < n; k++) dim->values[k] = a->values[d * a->n + k * stride];
    return RESHED_OK;
}

reshed_status rs_fail_spectra(const char *path, reshed_error *err)
{
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "spectra, not loops: reshed-beps sho makes responses of them, which reshed-beps "
                   "loops reads|a response for each voltage|spectra over frequency|%s",
                   path);
}

reshed_status rs_usid_to_nsid(rs_usid_data *from, rs_nsid_data *out, reshed_error *err)
{
    const rs_usid_axes *a = &from->position;
    rs_nsid_data d = {.is_complex = from->is_complex};
    reshed_status st = RESHED_OK;
    int fast;
    int64_t n_fast;
    if (find_row(&from->spectral, rs_axis_is_frequency) >= 0)
        return rs_fail_spectra(from->path, err);
    if (rs_usid_is_grid(a, &fast, &n_fast)) {
        st = add_axis(a, 1 - fast, "Y", a->n / n_fast, n_fast, &d, err);
        if (st == RESHED_OK) st = add_axis(a, fast, "X", n_fast, 1, &d, err);
    } else {
        d.ndim = 1;
        rs_axis_name(&d.dim[0], "Position", "index", "a.u.", "SPATIAL", a->n);
        d.dim[0].values = rs_alloc((size_t)a->n, sizeof(double));
        if (!d.dim[0].values) st = rs_fail_nomem(err, "coordinates", (size_t)a->n * sizeof(double));
        for (int64_t k = 0; st == RESHED_OK && k < a->n; k++) d.dim[0].values[k] = (double)k;
    }
    if (st != RESHED_OK) {
        rs_nsid_data_clear(&d);
        return st;
    }
    rs_axis_name(&d.dim[d.ndim++], "Step", "index", "a.u.", "SPECTRAL", from->spectral.n);
    d.count = (uint64_t)a->n * (uint64_t)from->spectral.n;
    d.data = from->data;
    from->data = NULL;
    rs_text_copy(d.path, sizeof d.path, from->path);
    rs_text_copy(d.units, sizeof d.units, from->is_fit ? "V" : from->units);
    *out = d;
    return RESHED_OK;
}

reshed_status rs_usid_steps(const rs_usid_axes *steps, const char *path, rs_layout *l,
                            reshed_error *err)
{
    const int v = find_row(steps, rs_axis_is_voltage), field = find_row(steps, rs_axis_is_field),
              cycle = find_row(steps, rs_axis_is_cycle);
    if (v < 0)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "write voltages|a spectroscopic dimension in V|none|%s", path);
    const double unit = rs_unit_volts(steps->units[v]);
    reshed_status st = rs_layout_volts(l, steps->values + v * steps->n, steps->n, path, err);
    if (st != RESHED_OK) return st;
    for (int64_t i = 0; unit > 0 && i < l->positions; i++) l->volts[i] *= unit;
    if (field >= 0) rs_layout_fields(l, steps->values + field * steps->n, steps->n);
    if (cycle >= 0) rs_layout_cycles(l, steps->values + cycle * steps->n, steps->n);
    return RESHED_OK;
}

bool rs_usid_places(const rs_usid_axes *position, double *x, double *y, char *units, size_t n)
{
    const int row_x = find_row(position, rs_axis_is_x), row_y = find_row(position, rs_axis_is_y);
    if (row_x < 0 || row_y < 0) return false;
    memcpy(x, position->values + row_x * position->n, (size_t)position->n * sizeof *x);
    memcpy(y, position->values + row_y * position->n, (size_t)position->n * sizeof *y);
    rs_text_copy(units, n, position->units[row_x]);
    return true;
}
