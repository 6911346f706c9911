#include "spectra/recorded.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/common/units.h"
#include "io/nsid/usid.h"
#include "spectra/axes.h"
#include "spectra/layout.h"
#include "spectra/responses.h"
#include "spectra/spectra.h"

void rs_recorded_clear(rs_recorded *l)
{
    rs_free(l->x);
    rs_free(l->y);
    rs_free(l->v);
    rs_free(l->frequency);
    rs_free(l->z);
    memset(l, 0, sizeof *l);
}

/* Takes sizes and voltages (*v becomes NULL) and makes room for places and readings. */
static reshed_status begin(rs_recorded *l, int64_t points, int64_t steps, const bool has[2],
                           int bins, double **v, reshed_error *err)
{
    size_t n = (size_t)points;
    size_t each = ((size_t)has[0] + has[1]) * (size_t)steps * (bins > 0 ? (size_t)bins : 1);
    l->points = points;
    l->steps = (int)steps;
    l->off = has[RS_FIELD_OFF];
    l->on = has[RS_FIELD_ON];
    l->bins = bins;
    l->v = *v;
    *v = NULL;
    l->x = rs_alloc(n, sizeof *l->x);
    l->y = rs_alloc(n, sizeof *l->y);
    l->z = each <= SIZE_MAX / 8 ? rs_alloc(n, each * 2 * sizeof *l->z) : NULL;
    if (!l->x || !l->y || !l->z)
        return rs_fail_nomem(err, "recorded loops", n * each * 2 * sizeof *l->z);
    return RESHED_OK;
}

static reshed_status no_places(reshed_error *err)
{
    return rs_fail(err, RESHED_EUNSUPPORTED, "recorded loops|axes x and y|one is missing");
}

/* Metres in a unit; what is no length counts as metres. */
static double metres(const char *units)
{
    double m = rs_metres_per(units);
    return m > 0 ? m : 1;
}

/* ------------------------------------------------------------------------------------ responses */
static reshed_status from_responses(const char *path, const char *channel, bool off, rs_recorded *l,
                                    reshed_error *err)
{
    rs_responses r = {0};
    const rs_responses_source source = {
        .channel = channel, .degrees = -1, .single = off ? RS_FIELD_OFF : RS_FIELD_ON};
    reshed_status st = rs_responses_read(path, &source, &r, err);
    if (st == RESHED_OK && !r.x) st = no_places(err);
    if (st == RESHED_OK) st = begin(l, r.points, (int64_t)r.steps * r.cycles, r.has, 0, &r.v, err);
    if (st != RESHED_OK) goto done;
    double unit = metres(r.position_units);
    float *z = l->z;
    for (int64_t p = 0; p < l->points; p++) {
        l->x[p] = unit * r.x[p];
        l->y[p] = unit * r.y[p];
        for (int field = RS_FIELD_ON; field >= RS_FIELD_OFF; field--)
            for (int i = 0; r.has[field] && i < l->steps; i++) {
                size_t at = (size_t)p * (size_t)l->steps + (size_t)i;
                *z++ = (float)r.re[field][at];
                *z++ = r.im[field] ? (float)r.im[field][at] : 0;
            }
    }
done:
    rs_responses_clear(&r);
    return st;
}

/* -------------------------------------------------------------------------------------- spectra */
/* The coordinate that a USID file tells of each position or reading: the array below `group` that
 * `is` accepts as an axis. */
static const rs_spectra_extra *find_extra(const rs_spectra *s, const char *group,
                                          bool (*is)(const rs_nsid_dim *axis))
{
    size_t n = strlen(group);
    for (int i = 0; i < s->extras; i++) {
        const rs_spectra_extra *x = &s->extra[i];
        rs_nsid_dim axis;
        if (strncmp(x->path, group, n) != 0) continue;
        rs_axis_name(&axis, x->path + n, "", x->units, "SPECTRAL", (int64_t)x->a.count);
        if (is(&axis)) return x;
    }
    return NULL;
}

/* Voltages, fields and cycles of readings that stand beside the spectra. */
static reshed_status take_volts(const rs_spectra *s, rs_layout *l, reshed_error *err)
{
    const rs_spectra_extra *v = find_extra(s, "/Spectroscopic/", rs_axis_is_voltage);
    if (!v)
        return rs_fail(err, RESHED_EUNSUPPORTED, "recorded loops|an axis of voltages|none|%s",
                       s->path);
    const rs_spectra_extra *field = find_extra(s, "/Spectroscopic/", rs_axis_is_field);
    const rs_spectra_extra *cycle = find_extra(s, "/Spectroscopic/", rs_axis_is_cycle);
    double unit = rs_unit_volts(v->units);
    reshed_status st = rs_layout_volts(l, v->a.data, (int64_t)v->a.count, v->path, err);
    if (st != RESHED_OK) return st;
    for (int64_t i = 0; unit > 0 && i < l->positions; i++) l->volts[i] *= unit;
    if (field) rs_layout_fields(l, field->a.data, (int64_t)field->a.count);
    if (cycle) rs_layout_cycles(l, cycle->a.data, (int64_t)cycle->a.count);
    return RESHED_OK;
}

/* The places of the points, from the axes of the map or from a list beside it. */
static reshed_status take_places(const rs_spectra *s, const rs_layout *l, rs_recorded *out,
                                 reshed_error *err)
{
    int x, y, axis[RS_NSID_MAX_DIMS], n = 0;
    rs_nsid_dim dim[RS_NSID_MAX_DIMS];
    int64_t stride[RS_NSID_MAX_DIMS], step = 1;
    for (int i = 0; i < s->ndim; i++)
        if (l->role[i] == RS_ROLE_POINT) axis[n++] = i;
    for (int i = n - 1; i >= 0; i--) {
        dim[i] = s->dim[axis[i]];
        stride[i] = step;
        step *= dim[i].n;
    }
    if (rs_axes_xy(dim, n, &x, &y) && dim[x].values && dim[y].values) {
        double x_unit = metres(dim[x].units), y_unit = metres(dim[y].units);
        for (int64_t p = 0; p < out->points; p++) {
            out->x[p] = x_unit * dim[x].values[p / stride[x] % dim[x].n];
            out->y[p] = y_unit * dim[y].values[p / stride[y] % dim[y].n];
        }
        return RESHED_OK;
    }
    const rs_spectra_extra *xs = find_extra(s, "/Positions/", rs_axis_is_x);
    const rs_spectra_extra *ys = find_extra(s, "/Positions/", rs_axis_is_y);
    if (n == 1 && xs && ys && xs->a.count == (uint64_t)out->points) {
        for (int64_t p = 0; p < out->points; p++) {
            out->x[p] = metres(xs->units) * xs->a.data[p];
            out->y[p] = metres(ys->units) * ys->a.data[p];
        }
        return RESHED_OK;
    }
    for (int i = 0; i < n; i++)
        if (dim[i].n > 1 && !rs_axis_is_x(&dim[i]) && !rs_axis_is_y(&dim[i]))
            return rs_fail(err, RESHED_EUNSUPPORTED,
                           "axis of recorded loops|x, y, a voltage, a frequency, a cycle or a "
                           "field|%s",
                           dim[i].name);
    return no_places(err);
}

/* Spectra into the order of *out. */
static void gather(const rs_spectra *s, rs_layout *l, rs_recorded *out)
{
    size_t fields = (size_t)out->on + out->off, steps = (size_t)out->steps;
    size_t width = 2 * (size_t)s->bins;
    for (int64_t i = 0; i < s->n; i++) {
        rs_layout_place p = rs_layout_next(l);
        if (p.at < 0) continue;
        size_t point = (size_t)p.at / steps, step = (size_t)p.at % steps;
        size_t field = p.field == RS_FIELD_OFF && out->on ? 1 : 0;
        float *to = out->z + ((point * fields + field) * steps + step) * width;
        const double *from = s->data + (size_t)i * width;
        for (size_t k = 0; k < width; k++) to[k] = (float)from[k];
    }
}

static reshed_status from_spectra(const char *path, const char *channel, bool off, rs_recorded *l,
                                  reshed_error *err)
{
    rs_spectra s = {0};
    rs_layout layout = {0};
    const rs_spectra_source source = {.channel = channel};
    reshed_status st = rs_spectra_read(path, &source, &s, err);
    if (st == RESHED_OK)
        st = rs_layout_begin(&layout, s.dim, s.ndim, -1, off ? RS_FIELD_OFF : RS_FIELD_ON, s.path,
                             err);
    if (st == RESHED_OK && !layout.has_volts) st = take_volts(&s, &layout, err);
    if (st == RESHED_OK) st = rs_layout_end(&layout, 0, s.path, err);
    if (st == RESHED_OK)
        st = begin(l, layout.points, (int64_t)layout.steps * layout.cycles, layout.has, s.bins,
                   &layout.v, err);
    if (st == RESHED_OK) st = take_places(&s, &layout, l, err);
    if (st == RESHED_OK) {
        gather(&s, &layout, l);
        l->frequency = s.frequency;
        s.frequency = NULL;
    }
    rs_layout_clear(&layout);
    rs_spectra_clear(&s);
    return st;
}

/* ------------------------------------------------------------------------------------- the file */
static bool has_volts(const rs_nsid_data *d)
{
    for (int i = 0; i < d->ndim; i++)
        if (rs_axis_volts(&d->dim[i]) > 0) return true;
    return false;
}

/* The dataset of the loops, and whether it holds a spectrum for each step. */
static reshed_status find_loops(rs_nsid_file *file, const char *channel, const rs_nsid_data **found,
                                bool *spectra, reshed_error *err)
{
    int k = 0, n = rs_nsid_count(file);
    if (channel) {
        reshed_status st = rs_nsid_find(file, channel, &k, err);
        if (st != RESHED_OK) return st;
    }
    while (!channel && k < n && !has_volts(rs_nsid_info(file, k))) k++;
    if (k == n)
        return rs_fail(err, RESHED_EUNSUPPORTED, "recorded loops|a dataset with an axis in V|none");
    *found = rs_nsid_info(file, k);
    *spectra = false;
    for (int i = 0; i < (*found)->ndim; i++)
        *spectra = *spectra || rs_axis_is_frequency(&(*found)->dim[i]) ||
                   rs_unit_hertz((*found)->dim[i].units) > 0;
    return RESHED_OK;
}

reshed_status rs_recorded_read(const char *path, const char *channel, bool off, rs_recorded *out,
                               reshed_error *err)
{
    rs_nsid_file *file = NULL;
    const rs_nsid_data *d = NULL;
    rs_recorded new = {0};
    char at[sizeof d->path];
    bool spectra = true;
    reshed_status st = rs_nsid_open(path, &file, err);
    if (st != RESHED_OK) return st;
    if (rs_nsid_count(file) > 0 || !rs_usid_find(file, channel, at, sizeof at)) {
        st = find_loops(file, channel, &d, &spectra, err);
        if (st == RESHED_OK) rs_text_copy(at, sizeof at, d->path);
    }
    st = rs_nsid_check(file, st, err);
    rs_nsid_close(file);
    if (st == RESHED_OK)
        st = spectra ? from_spectra(path, at, off, &new, err)
                     : from_responses(path, at, off, &new, err);
    if (st == RESHED_OK)
        *out = new;
    else
        rs_recorded_clear(&new);
    return st;
}

int64_t rs_recorded_nearest(const rs_recorded *l, double x, double y, double *distance)
{
    int64_t best = 0;
    double least = INFINITY;
    for (int64_t i = 0; i < l->points; i++) {
        double d = hypot(l->x[i] - x, l->y[i] - y);
        if (d < least) {
            least = d;
            best = i;
        }
    }
    *distance = least;
    return best;
}
