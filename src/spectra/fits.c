#include "spectra/fits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "base/text.h"
#include "io/nsid/write.h"

/* Spectra that are fitted between two calls of `done`. */
#define PIECE 16384

reshed_status rs_fits_run(const rs_spectra *in, const rs_sho_options *options,
                          void (*done)(void *ctx, int64_t spectra), void *ctx, rs_sho_fit *fits,
                          reshed_error *err)
{
    rs_sho_plan *plan = NULL;
    reshed_status st = rs_sho_plan_create(in->frequency, in->bins, options, &plan, err);
    if (st != RESHED_OK) return st;
    for (int64_t i = 0; i < in->n; i += PIECE) {
        int64_t n = in->n - i < PIECE ? in->n - i : PIECE;
        rs_sho_fit_f64(plan, in->data + i * 2 * in->bins, n, fits + i);
        if (done) done(ctx, i + n);
    }
    rs_sho_plan_free(plan);
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------------- maps */
typedef struct map {
    const char *name, *units; /* units NULL: those of the spectra */
    double (*value)(const rs_sho_fit *f);
} map;

static double amplitude(const rs_sho_fit *f)
{
    return f->p.amplitude;
}
static double frequency(const rs_sho_fit *f)
{
    return f->p.frequency;
}
static double quality(const rs_sho_fit *f)
{
    return f->p.q;
}
static double phase(const rs_sho_fit *f)
{
    return f->p.phase;
}
static double r2(const rs_sho_fit *f)
{
    return f->r2;
}
static double peak(const rs_sho_fit *f)
{
    return f->peak;
}
static double amplitude_error(const rs_sho_fit *f)
{
    return f->se.amplitude;
}
static double frequency_error(const rs_sho_fit *f)
{
    return f->se.frequency;
}
static double quality_error(const rs_sho_fit *f)
{
    return f->se.q;
}
static double phase_error(const rs_sho_fit *f)
{
    return f->se.phase;
}
static double peak_error(const rs_sho_fit *f)
{
    return f->se_peak;
}
static double noise(const rs_sho_fit *f)
{
    return f->noise;
}
static double flags(const rs_sho_fit *f)
{
    return f->flags;
}

/* The first five are BGlib's sho32 in its order. */
#define SHO32 5
static const map maps[] = {
    {"Amplitude", NULL, amplitude},
    {"Frequency", "Hz", frequency},
    {"Quality Factor", "a.u.", quality},
    {"Phase", "rad", phase},
    {"R2 Criterion", "a.u.", r2},
    {"Peak Amplitude", NULL, peak},
    {"Amplitude Error", NULL, amplitude_error},
    {"Frequency Error", "Hz", frequency_error},
    {"Quality Factor Error", "a.u.", quality_error},
    {"Phase Error", "rad", phase_error},
    {"Peak Amplitude Error", NULL, peak_error},
    {"Noise", NULL, noise},
    {"Flags", "a.u.", flags},
};

static double value_of(const map *m, const rs_sho_fit *f, bool mask)
{
    return mask && (f->flags & RS_SHO_FAILED) && m->value != flags ? NAN : m->value(f);
}

/* The name that sidpy has for data of these axes. */
static const char *data_type(const rs_nsid_data *d)
{
    bool spatial = true;
    for (int i = 0; i < d->ndim; i++) spatial = spatial && strcmp(d->dim[i].type, "SPATIAL") == 0;
    if (d->ndim == 1) return spatial ? "LINE_PLOT" : "SPECTRUM";
    if (d->ndim == 2) return spatial ? "IMAGE" : "LINE_PLOT_FAMILY";
    if (d->ndim > 3) return "IMAGE_4D";
    return strcmp(d->dim[2].type, "SPECTRAL") == 0 ? "SPECTRAL_IMAGE" : "IMAGE_STACK";
}

/* A main dataset over the axes of s, which are borrowed; data follow. */
static rs_nsid_data describe(const rs_spectra *s, const char *name, const char *units, double *data)
{
    rs_nsid_data d = {.ndim = s->ndim, .data = data};
    rs_text_copy(d.name, sizeof d.name, name);
    rs_text_copy(d.title, sizeof d.title, name);
    rs_text_copy(d.quantity, sizeof d.quantity, name);
    rs_text_copy(d.units, sizeof d.units, units ? units : s->units);
    strcpy(d.modality, "band excitation");
    strcpy(d.source, "reshed-beps sho");
    for (int i = 0; i < s->ndim; i++) d.dim[i] = s->dim[i];
    rs_text_copy(d.data_type, sizeof d.data_type, data_type(&d));
    return d;
}

static reshed_status write_sho32(rs_nsid_writer *w, const rs_spectra *s, const rs_sho_fit *fits,
                                 bool mask, reshed_error *err)
{
    double *v = NULL;
    char path[256];
    if (s->ndim == RS_NSID_MAX_DIMS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "axes of the sho32 dataset|at most %d|%d",
                       RS_NSID_MAX_DIMS, s->ndim + 1);
    v = rs_alloc((size_t)s->n, SHO32 * sizeof *v);
    if (!v) return rs_fail_nomem(err, "the sho32 dataset", (size_t)s->n * SHO32 * sizeof *v);
    for (int64_t i = 0; i < s->n; i++)
        for (int k = 0; k < SHO32; k++) v[SHO32 * i + k] = value_of(&maps[k], &fits[i], mask);
    rs_nsid_data d = describe(s, "sho32", "a.u.", v);
    rs_nsid_dim *last = &d.dim[d.ndim++];
    *last = (rs_nsid_dim){.name = "SHO parameter", .quantity = "parameter", .units = "a.u."};
    strcpy(last->type, "CHANNEL");
    last->n = SHO32;
    rs_text_copy(d.data_type, sizeof d.data_type, data_type(&d));
    reshed_status st = rs_nsid_add(w, RS_FITS_GROUP, &d, RS_NSID_F32, path, sizeof path, err);
    if (st == RESHED_OK)
        st = rs_nsid_set_text(w, path, "labels",
                              "Amplitude [V], Frequency [Hz], Quality Factor, Phase [rad], "
                              "R2 Criterion",
                              err);
    rs_free(v);
    return st;
}

/* The method and its options, as attributes of the group. */
static reshed_status write_method(rs_nsid_writer *w, const char *input, const rs_spectra *s,
                                  const rs_sho_options *o, reshed_error *err)
{
    char legend[1024] = "";
    size_t used = 0;
    for (unsigned bit = 0; bit < RS_SHO_FLAG_BITS; bit++) {
        const char *text = rs_sho_flag_text(1u << bit);
        if (*text && used < sizeof legend)
            used += (size_t)snprintf(legend + used, sizeof legend - used, "%s%u: %s",
                                     used ? "; " : "", 1u << bit, text);
    }
    const struct {
        const char *name, *text;
    } texts[] = {
        {"program", "reshed-beps sho " RESHED_VERSION},
        {"input_file", input},
        {"input_dataset", s->path},
        {"model", "H(w) = A exp(i phi) w0^2 / (w^2 - i w w0/Q - w0^2), frequencies in Hz"},
        {"method", o->unbiased ? "complex least squares, corrected for its bias to second order"
                               : "complex least squares"},
        {"flags", legend},
    };
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"bins", s->bins},
        {"conjugated", o->conjugate},
        {"frequency_min", s->frequency[0]},
        {"q_min", o->q_min},
        {"q_max", o->q_max},
        {"frequency_max", s->frequency[s->bins - 1]},
        {"w0_min", o->f_max > 0 ? o->f_min : s->frequency[0]},
        {"w0_max", o->f_max > 0 ? o->f_max : s->frequency[s->bins - 1]},
        {"failed_mask", RS_SHO_FAILED},
    };
    reshed_status st = RESHED_OK;
    for (size_t i = 0; st == RESHED_OK && i < sizeof texts / sizeof *texts; i++)
        st = rs_nsid_set_text(w, RS_FITS_GROUP, texts[i].name, texts[i].text, err);
    for (size_t i = 0; st == RESHED_OK && i < sizeof numbers / sizeof *numbers; i++)
        st = rs_nsid_set_number(w, RS_FITS_GROUP, numbers[i].name, numbers[i].value, err);
    return st;
}

static reshed_status write_extras(rs_nsid_writer *w, const rs_spectra *s, reshed_error *err)
{
    uint64_t bins = (uint64_t)s->bins;
    reshed_status st =
        rs_nsid_put_array(w, "/BE Parameters/frequency", 1, &bins, s->frequency, RS_NSID_F64, err);
    for (int i = 0; st == RESHED_OK && i < s->extras; i++) {
        const rs_nsid_array *a = &s->extra[i].a;
        if (!a->is_complex)
            st =
                rs_nsid_put_array(w, s->extra[i].path, a->ndim, a->dims, a->data, RS_NSID_F64, err);
    }
    return st;
}

reshed_status rs_fits_write(const char *path, const char *input, const rs_spectra *s,
                            const rs_sho_options *options, const rs_sho_fit *fits, bool mask,
                            bool sho32, reshed_error *err)
{
    rs_nsid_writer *w = NULL;
    double *v = rs_alloc((size_t)s->n, sizeof *v);
    if (!v) return rs_fail_nomem(err, "a map", (size_t)s->n * sizeof *v);
    reshed_status st = rs_nsid_create(path, RS_NSID_ATOMIC, &w, err);
    for (size_t k = 0; st == RESHED_OK && k < sizeof maps / sizeof *maps; k++) {
        for (int64_t i = 0; i < s->n; i++) v[i] = value_of(&maps[k], &fits[i], mask);
        rs_nsid_data d = describe(s, maps[k].name, maps[k].units, v);
        st = rs_nsid_add(w, RS_FITS_GROUP, &d, RS_NSID_F64, NULL, 0, err);
    }
    if (st == RESHED_OK && sho32) st = write_sho32(w, s, fits, mask, err);
    if (st == RESHED_OK) st = write_method(w, input, s, options, err);
    if (st == RESHED_OK) st = write_extras(w, s, err);
    st = rs_nsid_finish(w, st, err);
    rs_free(v);
    return st;
}

/* -------------------------------------------------------------------------------------- summary */
static double median(double *v, int64_t n)
{
    rs_sort(v, (size_t)n);
    return rs_sorted_median(v, (size_t)n);
}

reshed_status rs_fits_summarise(const rs_sho_fit *fits, int64_t n, rs_fits_summary *sum,
                                reshed_error *err)
{
    int64_t good = 0;
    double *v = rs_alloc((size_t)n, 3 * sizeof *v);
    if (!v) return rs_fail_nomem(err, "the summary", (size_t)n * 3 * sizeof *v);
    *sum = (rs_fits_summary){0};
    for (int64_t i = 0; i < n; i++) {
        for (int bit = 0; bit < RS_SHO_FLAG_BITS; bit++) sum->flag[bit] += fits[i].flags >> bit & 1;
        if (fits[i].flags & RS_SHO_FAILED) continue;
        v[good] = fits[i].r2;
        v[n + good] = fits[i].p.frequency;
        v[2 * n + good] = fits[i].p.q;
        good++;
    }
    sum->failed = n - good;
    sum->r2 = median(v, good);
    sum->frequency = median(v + n, good);
    sum->q = median(v + 2 * n, good);
    rs_free(v);
    return RESHED_OK;
}
