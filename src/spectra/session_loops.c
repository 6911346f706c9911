#include "spectra/session_loops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "beps/sho_fit.h"
#include "spectra/axes.h"

enum { POINT, FIELD, STEP, BIN };

bool rs_session_loops_are(rs_nsid_file *file)
{
    return rs_nsid_exists(file, "/Session/settings") && rs_nsid_exists(file, "/Points/table") &&
           rs_nsid_exists(file, "/BEPS/response") && rs_nsid_exists(file, RS_AUTHOR_WAVEFORM);
}

bool rs_session_loops_meant(const char *channel)
{
    static const char *const names[] = {"BEPS",     "points",        "loops",    "spectra",
                                        "response", "sho_amplitude", "sho_phase"};
    if (!channel) return true;
    if (strncmp(channel, "/BEPS", 5) == 0 || strncmp(channel, "BEPS/", 5) == 0) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(channel, names[i]) == 0) return true;
    return false;
}

reshed_status rs_session_loops_refuse(const char *path, reshed_error *err)
{
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "loops|an axis of voltages (the session's loops are --channel BEPS, which is "
                   "taken when none is named)|an image|%s",
                   path);
}

/* Takes the numbers of `a`, and the axes of a session's loops; the file's voltages and frequencies. */
static reshed_status take(rs_nsid_file *file, rs_nsid_array *a, const char *path, const char *units,
                          int ndim, rs_nsid_data *out, reshed_error *err)
{
    static const char *const list[] = {NULL, NULL, RS_AUTHOR_WAVEFORM, "/BEPS/frequency"};
    rs_nsid_data d = {.ndim = ndim, .is_complex = a->is_complex, .count = a->count};
    reshed_status st = RESHED_OK;
    if (a->ndim != ndim || a->count == 0)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "loops of a session|one or more points|none|%s",
                     path);
    rs_axis_name(&d.dim[POINT], "Point", "index", "a.u.", "POINT_CLOUD", 0);
    rs_axis_name(&d.dim[FIELD], "Field", "Field", "1", "CHANNEL", 0);
    rs_axis_name(&d.dim[STEP], "Voltage", "Bias", "V", "SPECTRAL", 0);
    rs_axis_name(&d.dim[BIN], "Frequency", "Frequency", "Hz", "SPECTRAL", 0);
    for (int i = 0; st == RESHED_OK && i < ndim; i++) {
        rs_nsid_dim *dim = &d.dim[i];
        rs_nsid_array values = {0};
        dim->n = (int64_t)a->dims[i];
        if (list[i]) st = rs_nsid_read_array(file, list[i], &values, err);
        if (st == RESHED_OK && list[i] && (values.is_complex || values.count != a->dims[i]))
            st = rs_fail(err, RESHED_ECORRUPT, "values of an axis|%llu real numbers|%llu|%s",
                         (unsigned long long)a->dims[i], (unsigned long long)values.count, list[i]);
        if (st == RESHED_OK && list[i]) {
            dim->values = values.data;
            values.data = NULL;
        } else if (st == RESHED_OK && !(dim->values = rs_alloc((size_t)dim->n, sizeof(double)))) {
            st = rs_fail_nomem(err, "an axis", (size_t)dim->n * sizeof(double));
        }
        for (int64_t k = 0; st == RESHED_OK && !list[i] && k < dim->n; k++)
            dim->values[k] = i == FIELD ? (double)(k == 0) : (double)k;
        rs_nsid_array_clear(&values);
    }
    if (st == RESHED_OK) {
        rs_text_copy(d.path, sizeof d.path, path);
        rs_text_copy(d.units, sizeof d.units, units);
        d.data = a->data;
        a->data = NULL;
        *out = d;
    } else {
        rs_nsid_data_clear(&d);
    }
    return st;
}

static reshed_status read_as(rs_nsid_file *file, const char *path, const char *units, int ndim,
                             rs_nsid_data *out, reshed_error *err)
{
    rs_nsid_array a = {0};
    reshed_status st = rs_nsid_read_array(file, path, &a, err);
    if (st == RESHED_OK) st = take(file, &a, path, units, ndim, out, err);
    rs_nsid_array_clear(&a);
    return st;
}

reshed_status rs_session_loops_spectra(rs_nsid_file *file, rs_nsid_data *out, reshed_error *err)
{
    if (!rs_nsid_exists(file, "/BEPS/frequency"))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "spectra of a session|band excitation|amplitude and phase|/BEPS");
    return read_as(file, "/BEPS/spectra", "V", 4, out, err);
}

/* The fits of spectra d, of which a point without a finite number was not measured. */
static reshed_status fit(const rs_nsid_data *d, rs_nsid_data *out[3], reshed_error *err)
{
    const int bins = (int)d->dim[BIN].n;
    const int64_t n = (int64_t)(d->count / (uint64_t)bins);
    rs_sho_plan *plan = NULL;
    rs_sho_options o;
    rs_sho_fit *fits = rs_alloc((size_t)n, sizeof *fits);
    if (!fits) return rs_fail_nomem(err, "the fits", (size_t)n * sizeof *fits);
    rs_sho_options_defaults(&o);
    reshed_status st = rs_sho_plan_create(d->dim[BIN].values, bins, &o, &plan, err);
    if (st == RESHED_OK) rs_sho_fit_f64(plan, d->data, n, fits);
    for (int64_t i = 0; st == RESHED_OK && i < n; i++) {
        const bool failed = (fits[i].flags & RS_SHO_FAILED) != 0;
        out[0]->data[i] = failed ? NAN : fits[i].p.amplitude;
        out[1]->data[i] = failed ? NAN : fits[i].p.phase;
        out[2]->data[i] = (double)fits[i].flags;
    }
    rs_sho_plan_free(plan);
    rs_free(fits);
    return st;
}

/* Describes the lengths of the first three axes. */
static const char *shape_of(const rs_nsid_data *d, char text[64])
{
    snprintf(text, 64, "(%lld,%lld,%lld)", (long long)d->dim[POINT].n, (long long)d->dim[FIELD].n,
             (long long)d->dim[STEP].n);
    return text;
}

/* What belongs to the same readings has their points, fields and voltages; spectra alone are complex. */
static reshed_status check_shape(const rs_nsid_data *d, const rs_nsid_data *like, reshed_error *err)
{
    char has[64], wanted[64];
    if (d->is_complex != (d->ndim > BIN))
        return rs_fail(err, RESHED_ECORRUPT, "loops of a session|%s numbers|%s ones|%s",
                       d->is_complex ? "real" : "complex", d->is_complex ? "complex" : "real",
                       d->path);
    for (int i = POINT; i <= STEP; i++)
        if (d->dim[i].n != like->dim[i].n)
            return rs_fail(err, RESHED_ECORRUPT,
                           "loops of a session|points, fields and voltages %s as in %s|%s|%s",
                           shape_of(like, wanted), like->path, shape_of(d, has), d->path);
    return RESHED_OK;
}

reshed_status rs_session_loops_read(rs_nsid_file *file, rs_nsid_data *amplitude,
                                    rs_nsid_data *phase, rs_nsid_data *flags, reshed_error *err)
{
    rs_nsid_data spectra = {0}, *out[3] = {amplitude, phase, flags};
    const bool fitted = rs_nsid_exists(file, "/BEPS/frequency");
    reshed_status st = read_as(file, fitted ? "/BEPS/sho_amplitude" : "/BEPS/amplitude",
                               fitted ? "V" : "", 3, amplitude, err);
    if (st == RESHED_OK) st = check_shape(amplitude, amplitude, err);
    if (st == RESHED_OK)
        st = read_as(file, fitted ? "/BEPS/sho_phase" : "/BEPS/phase", "rad", 3, phase, err);
    if (st == RESHED_OK) st = check_shape(phase, amplitude, err);
    if (st != RESHED_OK || !fitted) return st;
    st = read_as(file, "/BEPS/sho_q", "1", 3, flags, err);
    if (st == RESHED_OK) st = check_shape(flags, amplitude, err);
    if (st == RESHED_OK) st = rs_session_loops_spectra(file, &spectra, err);
    if (st == RESHED_OK) st = check_shape(&spectra, amplitude, err);
    if (st == RESHED_OK) st = fit(&spectra, out, err);
    rs_nsid_data_clear(&spectra);
    return st;
}
