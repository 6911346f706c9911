#include "spectra/spectra.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/nsid/usid.h"
#include "spectra/axes.h"
#include "spectra/session_loops.h"

void rs_spectra_clear(rs_spectra *s)
{
    for (int i = 0; i < RS_NSID_MAX_DIMS; i++) rs_free(s->dim[i].values);
    for (int i = 0; i < s->extras; i++) rs_nsid_array_clear(&s->extra[i].a);
    rs_free(s->frequency);
    rs_free(s->data);
    memset(s, 0, sizeof *s);
}

/* ---------------------------------------------------------------------------------- frequencies */
static bool monotonic(const double *v, int64_t n)
{
    if (n < 2 || !(v[0] > 0 && v[n - 1] > 0)) return false;
    for (int64_t k = 1; k < n; k++)
        if (v[n - 1] > v[0] ? !(v[k] > v[k - 1]) : !(v[k] < v[k - 1])) return false;
    return true;
}

/* values[n] times `unit` as the axis. */
static reshed_status set_frequency(rs_spectra *s, const double *values, int64_t n, double unit,
                                   reshed_error *err)
{
    if (n < 1 || n > INT32_MAX)
        return rs_fail(err, RESHED_EUNSUPPORTED, "bins of a spectrum|1 or more|%lld", (long long)n);
    s->frequency = rs_alloc((size_t)n, sizeof(double));
    if (!s->frequency) return rs_fail_nomem(err, "the frequencies", (size_t)n * sizeof(double));
    for (int64_t k = 0; k < n; k++) s->frequency[k] = values[k] * unit;
    s->bins = (int)n;
    return RESHED_OK;
}

/* The frequencies of a dataset of their own, which must divide the last axis of d. */
static reshed_status frequency_from_array(rs_nsid_file *file, const char *path,
                                          const rs_nsid_data *d, rs_spectra *s, reshed_error *err)
{
    rs_nsid_array a = {0};
    int64_t last = d->dim[d->ndim - 1].n;
    reshed_status st = rs_nsid_read_array(file, path, &a, err);
    if (st != RESHED_OK) return st;
    if (a.is_complex || a.count < 1 || last % (int64_t)a.count != 0)
        st = rs_fail(
            err, RESHED_ECORRUPT,
            "frequencies of the bins|a number that divides the last axis, %lld|%llu%s|%.80s",
            (long long)last, (unsigned long long)a.count, a.is_complex ? " complex numbers" : "",
            path);
    else
        st = set_frequency(s, a.data, (int64_t)a.count, 1, err);
    rs_nsid_array_clear(&a);
    return st;
}

/* Fills s->frequency; *axis is the axis of d that it runs along. */
static reshed_status find_frequency(rs_nsid_file *file, const rs_nsid_data *d,
                                    const rs_spectra_source *source, rs_spectra *s, int *axis,
                                    reshed_error *err)
{
    *axis = d->ndim - 1;
    if (source->frequency) return frequency_from_array(file, source->frequency, d, s, err);
    if (source->band_hi > 0) {
        int64_t n = d->dim[*axis].n;
        reshed_status st = set_frequency(s, d->dim[*axis].values, n, 1, err);
        for (int64_t k = 0; st == RESHED_OK && k < n; k++)
            s->frequency[k] = source->band_lo + (source->band_hi - source->band_lo) * (double)k /
                                                    (double)(n > 1 ? n - 1 : 1);
        return st;
    }
    for (int i = d->ndim - 1; i >= 0; i--) { /* an axis that says so */
        const rs_nsid_dim *dim = &d->dim[i];
        if (!rs_axis_is_frequency(dim)) continue;
        double unit = rs_unit_hertz(dim->units);
        *axis = i;
        return set_frequency(s, dim->values, dim->n, unit > 0 ? unit : 1, err);
    }
    /* Before units: the author's file gives "Hz" to an axis that counts. */
    if (rs_nsid_exists(file, RS_AUTHOR_FREQUENCY))
        return frequency_from_array(file, RS_AUTHOR_FREQUENCY, d, s, err);
    for (int i = d->ndim - 1; i >= 0; i--) {
        const rs_nsid_dim *dim = &d->dim[i];
        if (rs_unit_hertz(dim->units) == 0 || !monotonic(dim->values, dim->n)) continue;
        *axis = i;
        return set_frequency(s, dim->values, dim->n, rs_unit_hertz(dim->units), err);
    }
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "frequencies of the bins|an axis in Hz, '%s', or a band given by hand|none|%s",
                   RS_AUTHOR_FREQUENCY, d->path);
}

/* Bins in rising order. */
static void turn_if_falling(rs_spectra *s)
{
    int n = s->bins;
    if (n < 2 || !(s->frequency[n - 1] < s->frequency[0])) return;
    for (int k = 0; k < n / 2; k++) {
        double t = s->frequency[k];
        s->frequency[k] = s->frequency[n - 1 - k];
        s->frequency[n - 1 - k] = t;
    }
    for (int64_t i = 0; i < s->n; i++) {
        double *y = s->data + (size_t)i * 2 * (size_t)n;
        for (int k = 0; k < n / 2; k++)
            for (int c = 0; c < 2; c++) {
                double t = y[2 * k + c];
                y[2 * k + c] = y[2 * (n - 1 - k) + c];
                y[2 * (n - 1 - k) + c] = t;
            }
    }
}

/* ------------------------------------------------------------------------------------- map axes */
/* Appends an axis and takes *values; names and types become what the NSID writer accepts. */
static void add_axis(rs_spectra *s, const rs_nsid_dim *from, double **values)
{
    static const char *const types[] = {"SPATIAL", "RECIPROCAL", "SPECTRAL", "TEMPORAL", "CHANNEL"};
    rs_nsid_dim *dim = &s->dim[s->ndim];
    bool known = false, good = from->name[0] && !strchr(from->name, '/');
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        known = known || strcmp(from->type, types[i]) == 0;
    for (int i = 0; i < s->ndim; i++) good = good && strcmp(from->name, s->dim[i].name) != 0;
    *dim = *from;
    if (!good) snprintf(dim->name, sizeof dim->name, "axis_%d", s->ndim);
    if (!known) snprintf(dim->type, sizeof dim->type, "CHANNEL");
    dim->values = *values;
    *values = NULL;
    s->ndim++;
}

/* An axis that counts. */
static void add_count(rs_spectra *s, const char *name, const char *units, const char *type,
                      int64_t n)
{
    rs_nsid_dim dim;
    double *none = NULL;
    rs_axis_name(&dim, name, "index", units, type, n);
    add_axis(s, &dim, &none);
}

/* The axis of `pulses` spectra that lay in a row along the bins: the steps of a waveform, or else,
 * in the author's raster files, the pixels of the line that the one other axis counts (upwards). */
static void add_pulses(rs_nsid_file *file, rs_spectra *s, int64_t pulses)
{
    if (rs_nsid_exists(file, RS_AUTHOR_WAVEFORM)) {
        add_count(s, "Step", "a.u.", "SPECTRAL", pulses);
    } else if (s->ndim == 1) {
        int64_t lines = s->dim[0].n;
        rs_free(s->dim[0].values);
        s->ndim = 0;
        add_count(s, "y", "px", "SPATIAL", lines);
        add_count(s, "x", "px", "SPATIAL", pulses);
    } else {
        add_count(s, "Pulse", "a.u.", "SPECTRAL", pulses);
    }
}

/* Moves axis `axis` of the complex d behind all others. */
static reshed_status frequency_last(rs_nsid_data *d, int axis, reshed_error *err)
{
    size_t outer = 1, inner = 1, bins = (size_t)d->dim[axis].n;
    for (int i = 0; i < axis; i++) outer *= (size_t)d->dim[i].n;
    for (int i = axis + 1; i < d->ndim; i++) inner *= (size_t)d->dim[i].n;
    if (inner == 1) return RESHED_OK;
    double *moved = rs_alloc((size_t)d->count, 2 * sizeof(double));
    if (!moved) return rs_fail_nomem(err, "the spectra", (size_t)d->count * 2 * sizeof(double));
    for (size_t o = 0; o < outer; o++)
        for (size_t k = 0; k < bins; k++)
            for (size_t i = 0; i < inner; i++)
                memcpy(moved + 2 * ((o * inner + i) * bins + k),
                       d->data + 2 * ((o * bins + k) * inner + i), 2 * sizeof(double));
    rs_free(d->data);
    d->data = moved;
    return RESHED_OK;
}

/* A copy of the array at path, when there is one. */
static reshed_status carry(rs_nsid_file *file, const char *path, rs_spectra *s, reshed_error *err)
{
    if (!rs_nsid_exists(file, path) || s->extras == RS_SPECTRA_MAX_EXTRAS) return RESHED_OK;
    rs_spectra_extra *x = &s->extra[s->extras];
    reshed_status st = rs_nsid_read_array(file, path, &x->a, err);
    if (st != RESHED_OK) return st;
    rs_text_copy(x->path, sizeof x->path, path);
    s->extras++;
    return RESHED_OK;
}

/* What a session scanned, forwards: the picture that its points were chosen in. */
#define SURVEY "/Measurement_000/Trace/BE_spectra/BE_spectra"

/* The main dataset to fit: the named one, else the first complex one (n when there is none). */
static reshed_status choose(rs_nsid_file *file, const char *channel, int *k, reshed_error *err)
{
    if (channel) return rs_nsid_find(file, channel, k, err);
    if (rs_nsid_exists(file, "/Session/settings") &&
        rs_nsid_find(file, SURVEY, k, NULL) == RESHED_OK)
        return RESHED_OK;
    for (*k = 0; *k < rs_nsid_count(file); ++*k)
        if (rs_nsid_info(file, *k)->is_complex) break;
    return RESHED_OK;
}

static reshed_status from_nsid(rs_nsid_file *file, const rs_spectra_source *source, rs_spectra *s,
                               reshed_error *err)
{
    static const char *const extras[] = {RS_AUTHOR_WAVEFORM, RS_AUTHOR_COORDINATES,
                                         "/BE Parameters/pulse parameters",
                                         "/BE Parameters/scan size"};
    rs_nsid_data d = {0};
    int k = 0, axis = 0;
    const bool points =
        source->channel && rs_session_loops_are(file) && rs_session_loops_meant(source->channel);
    reshed_status st =
        points ? rs_session_loops_spectra(file, &d, err) : choose(file, source->channel, &k, err);
    if (st == RESHED_OK && !points && k == rs_nsid_count(file))
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "spectra|a complex NSID or USID dataset|%d real NSID datasets",
                     rs_nsid_count(file));
    if (st == RESHED_OK && !points) st = rs_nsid_read(file, k, &d, err);
    if (st == RESHED_OK && !d.is_complex)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "spectra|complex numbers|real ones|%s", d.path);
    if (st == RESHED_OK && d.count == 0)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "spectra|one or more|none|%s", d.path);
    if (st == RESHED_OK) st = find_frequency(file, &d, source, s, &axis, err);
    if (st == RESHED_OK) st = frequency_last(&d, axis, err);
    if (st != RESHED_OK) goto done;

    int64_t pulses = d.dim[axis].n / s->bins;
    for (int i = 0; i < d.ndim; i++)
        if (i != axis) add_axis(s, &d.dim[i], &d.dim[i].values);
    if (pulses > 1) add_pulses(file, s, pulses);
    if (s->ndim == 0) add_count(s, "Point", "a.u.", "SPATIAL", 1);
    s->n = (int64_t)(d.count / (uint64_t)s->bins);
    s->data = d.data;
    d.data = NULL;
    strcpy(s->layout, "NSID");
    rs_text_copy(s->path, sizeof s->path, d.path);
    rs_text_copy(s->units, sizeof s->units,
                 d.units[0] && strcmp(d.units, "generic") != 0 ? d.units : "V");
    for (size_t i = 0; st == RESHED_OK && i < sizeof extras / sizeof *extras; i++)
        st = carry(file, extras[i], s, err);
done:
    rs_nsid_data_clear(&d);
    return st;
}

/* ----------------------------------------------------------------------------------------- USID */
/* The row of the frequency and the bins of one sweep through it. Every sweep must be the same. */
static reshed_status usid_frequency(const rs_usid_data *d, rs_spectra *s, int *row,
                                    reshed_error *err)
{
    const rs_usid_axes *a = &d->spectral;
    for (*row = 0; *row < a->dims; ++*row) {
        rs_nsid_dim axis;
        rs_axis_of_usid(&axis, a, *row);
        if (rs_axis_is_frequency(&axis)) break;
    }
    if (*row == a->dims)
        for (*row = 0; *row < a->dims; ++*row)
            if (rs_unit_hertz(a->units[*row]) > 0) break;
    if (*row == a->dims)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "frequencies of the bins|a spectroscopic dimension 'Frequency'|none|%s",
                       d->path);
    const double *f = a->values + (int64_t)*row * a->n;
    int64_t bins = 1;
    const int way = a->n > 1 && f[1] < f[0] ? -1 : 1; /* falling ones are turned round */
    while (bins < a->n && way * (f[bins] - f[bins - 1]) > 0) bins++;
    bool same = a->n % bins == 0;
    for (int64_t k = bins; same && k < a->n; k++)
        same = fabs(f[k] - f[k % bins]) <= 1e-6 * fabs(f[k]);
    if (!same)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "frequencies of the bins|one sweep, repeated|sweeps that differ|%s",
                       d->path);
    double unit = rs_unit_hertz(a->units[*row]);
    return set_frequency(s, f, bins, unit > 0 ? unit : 1, err);
}

/* Coordinates at `count` places, every `stride`-th, as an extra array. */
static reshed_status keep_rows(rs_spectra *s, const char *group, const rs_usid_axes *a, int skip,
                               int64_t stride, reshed_error *err)
{
    int64_t count = a->n / stride;
    for (int d = 0; d < a->dims && s->extras < RS_SPECTRA_MAX_EXTRAS; d++) {
        rs_spectra_extra *x = &s->extra[s->extras];
        char name[64];
        if (d == skip) continue;
        if (a->label[d][0])
            rs_text_copy(name, sizeof name, a->label[d]);
        else
            snprintf(name, sizeof name, "dimension_%d", d);
        for (char *c = name; *c; c++)
            if (*c == '/') *c = '_';
        snprintf(x->path, sizeof x->path, "/%s/%s", group, name);
        rs_text_copy(x->units, sizeof x->units, a->units[d]);
        x->a = (rs_nsid_array){.ndim = 1, .dims = {(uint64_t)count}, .count = (uint64_t)count};
        x->a.data = rs_alloc((size_t)count, sizeof(double));
        if (!x->a.data) return rs_fail_nomem(err, "coordinates", (size_t)count * sizeof(double));
        for (int64_t i = 0; i < count; i++) x->a.data[i] = a->values[d * a->n + i * stride];
        s->extras++;
    }
    return RESHED_OK;
}

static reshed_status usid_positions(const rs_usid_axes *a, rs_spectra *s, reshed_error *err)
{
    int fast;
    int64_t n_fast;
    if (!rs_usid_is_grid(a, &fast, &n_fast)) {
        add_count(s, "Position", "a.u.", "SPATIAL", a->n);
        return keep_rows(s, "Positions", a, -1, 1, err);
    }
    const int order[2] = {1 - fast, fast};
    for (int i = 0; i < 2; i++) {
        int64_t n = i ? n_fast : a->n / n_fast, stride = i ? 1 : n_fast;
        const double *from = a->values + order[i] * a->n;
        const char *label = a->label[order[i]][0] ? a->label[order[i]] : i ? "X" : "Y";
        rs_nsid_dim dim;
        double *values = rs_alloc((size_t)n, sizeof *values);
        if (!values) return rs_fail_nomem(err, "coordinates", (size_t)n * sizeof *values);
        for (int64_t k = 0; k < n; k++) values[k] = from[k * stride];
        rs_axis_name(&dim, label, "Position", a->units[order[i]], "SPATIAL", n);
        add_axis(s, &dim, &values);
    }
    return RESHED_OK;
}

static reshed_status from_usid(rs_usid_data *d, rs_spectra *s, reshed_error *err)
{
    int row = 0;
    if (!d->is_complex)
        return rs_fail(err, RESHED_EUNSUPPORTED, "spectra|complex numbers|real ones|%s", d->path);
    reshed_status st = usid_frequency(d, s, &row, err);
    if (st == RESHED_OK) st = usid_positions(&d->position, s, err);
    if (st != RESHED_OK) return st;
    int64_t steps = d->spectral.n / s->bins;
    if (steps > 1) {
        add_count(s, "Step", "a.u.", "SPECTRAL", steps);
        st = keep_rows(s, "Spectroscopic", &d->spectral, row, s->bins, err);
        if (st != RESHED_OK) return st;
    }
    s->n = d->position.n * steps;
    s->data = d->data;
    d->data = NULL;
    strcpy(s->layout, "USID");
    rs_text_copy(s->path, sizeof s->path, d->path);
    rs_text_copy(s->units, sizeof s->units, d->units[0] ? d->units : "V");
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- files */
reshed_status rs_spectra_read(const char *path, const rs_spectra_source *source, rs_spectra *out,
                              reshed_error *err)
{
    rs_nsid_file *file = NULL;
    rs_usid_data d = {0};
    rs_spectra s = {0};
    bool any = false;
    char usid[256];
    reshed_status st = rs_nsid_open(path, &file, err);
    if (st != RESHED_OK) return st;
    for (int k = 0; k < rs_nsid_count(file); k++) any = any || rs_nsid_info(file, k)->is_complex;
    /* No file has both layouts. Where neither is found, the message of NSID lists what there is. */
    if (!any && rs_usid_find(file, source->channel, usid, sizeof usid)) {
        st = rs_usid_read(file, usid, &d, err);
        if (st == RESHED_OK) st = from_usid(&d, &s, err);
        rs_usid_data_clear(&d);
        goto done;
    }
    st = from_nsid(file, source, &s, err);
done:
    st = rs_nsid_check(file, st, err);
    rs_nsid_close(file);
    if (st != RESHED_OK) {
        rs_spectra_clear(&s);
        return st;
    }
    turn_if_falling(&s);
    *out = s;
    return RESHED_OK;
}
