#include "spectra/asylum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/text.h"
#include "spectra/axes.h"
#include "spectra/plateaus.h"

enum { AMPLITUDE, PHASE, BIAS, COLUMNS };

/* The names of the columns, for messages. */
static const char *list_names(const rs_channels *c, char *buf, size_t n)
{
    size_t used = 0;
    buf[0] = '\0';
    for (int i = 0; i < c->n && used < n; i++)
        used += (size_t)snprintf(buf + used, n - used, "%s%s", i ? ", " : "", c->c[i].name);
    return buf;
}

/* The first column whose name begins with one of the words, or else holds one; -1. */
static int find_word(const rs_channels *c, const char *const *words)
{
    for (int inside = 0; inside < 2; inside++)
        for (int k = 0; words[k]; k++)
            for (int i = 0; i < c->n; i++)
                if (inside ? rs_text_contains(c->c[i].name, words[k])
                           : rs_text_begins(c->c[i].name, words[k]))
                    return i;
    return -1;
}

static reshed_status find_columns(const rs_channels *c, const char *amplitude, const char *phase,
                                  int column[COLUMNS], reshed_error *err)
{
    static const char *const words[COLUMNS][6] = {
        {"amp", "magnitude", NULL}, {"phas", NULL}, {"bias", "voltage", "tipv", "dc", NULL}};
    static const char *const names[COLUMNS] = {"amplitude (Amp)", "phase (Phase)", "bias (Bias)"};
    const char *wanted[COLUMNS] = {amplitude, phase, NULL};
    for (int k = 0; k < COLUMNS; k++) {
        char list[96];
        column[k] = -1;
        if (wanted[k]) {
            reshed_status st = rs_channel_find(c, wanted[k], &column[k], err);
            if (st != RESHED_OK) return st;
        } else {
            column[k] = find_word(c, words[k]);
        }
        if (column[k] < 0)
            return rs_fail(err, RESHED_EUNSUPPORTED, "switching loops|a column with the %s|%s",
                           names[k], list_names(c, list, sizeof list));
    }
    return RESHED_OK;
}

static reshed_status read_column(const rs_ibw *w, int column, uint32_t point, double *out,
                                 reshed_error *err)
{
    return rs_ibw_column(w, (uint32_t)column, point, out, err);
}

/* The mean response in each step of point p. work [2*samples]. */
static reshed_status take_point(const rs_ibw *w, const int column[COLUMNS], uint32_t point,
                                double angle, const rs_plateaus *p, double *work, double *z,
                                reshed_error *err)
{
    double *a = work, *b = work + w->dims[0];
    reshed_status st = read_column(w, column[AMPLITUDE], point, a, err);
    if (st == RESHED_OK) st = read_column(w, column[PHASE], point, b, err);
    for (int64_t k = 0; st == RESHED_OK && k < p->n; k++) {
        double re = 0, im = 0;
        int64_t n = 0;
        for (int64_t i = p->begin[k]; i < p->end[k]; i++) {
            if (!isfinite(a[i]) || !isfinite(b[i])) continue;
            re += a[i] * cos(angle * b[i]);
            im += a[i] * sin(angle * b[i]);
            n++;
        }
        z[2 * k] = n ? re / (double)n : NAN;
        z[2 * k + 1] = n ? im / (double)n : NAN;
    }
    return st;
}

static reshed_status check_bias(const double *bias, const double *first, uint32_t n, uint32_t point,
                                reshed_error *err)
{
    double low = first[0], high = first[0];
    for (uint32_t i = 0; i < n; i++) {
        if (!isfinite(bias[i]))
            return rs_fail(err, RESHED_ECORRUPT,
                           "bias of a spectrum|numbers|%g|sample %lu of point %lu", bias[i],
                           (unsigned long)i, (unsigned long)point);
        low = fmin(low, first[i]);
        high = fmax(high, first[i]);
    }
    for (uint32_t i = 0; i < n; i++)
        if (fabs(bias[i] - first[i]) > 0.05 * (high - low))
            return rs_fail(err, RESHED_ECORRUPT,
                           "bias of a spectrum|that of the first point, %g V|%g V|sample %lu of "
                           "point %lu",
                           first[i], bias[i], (unsigned long)i, (unsigned long)point);
    return RESHED_OK;
}

static reshed_status make_axes(const rs_plateaus *p, uint32_t points, rs_nsid_data *d,
                               reshed_error *err)
{
    d->ndim = 2;
    d->is_complex = true;
    d->count = (uint64_t)points * (uint64_t)p->n;
    rs_axis_name(&d->dim[0], "Point", "index", "a.u.", "SPATIAL", points);
    rs_axis_name(&d->dim[1], "Bias", "Bias", "V", "SPECTRAL", p->n);
    d->dim[0].values = rs_alloc(points, sizeof(double));
    d->dim[1].values = rs_alloc((size_t)p->n, sizeof(double));
    d->data = rs_alloc((size_t)d->count, 2 * sizeof *d->data);
    if (!d->dim[0].values || !d->dim[1].values || !d->data)
        return rs_fail_nomem(err, "the loops", (size_t)d->count * 2 * sizeof *d->data);
    for (uint32_t i = 0; i < points; i++) d->dim[0].values[i] = i;
    memcpy(d->dim[1].values, p->v, (size_t)p->n * sizeof(double));
    return RESHED_OK;
}

reshed_status rs_asylum_loops(const rs_ibw *w, const char *amplitude, const char *phase,
                              int degrees, rs_nsid_data *out, reshed_error *err)
{
    const uint32_t points = w->dims[2] ? w->dims[2] : 1;
    int column[COLUMNS];
    rs_channels list = {0};
    rs_plateaus p = {0};
    rs_nsid_data d = {0};
    double *work = NULL;
    reshed_status st = rs_ibw_columns(w, &list, err);
    if (st == RESHED_OK) st = find_columns(&list, amplitude, phase, column, err);
    if (st != RESHED_OK) goto done;
    const size_t n = w->dims[0];
    work = rs_alloc(n, 3 * sizeof *work);
    if (!work) {
        st = rs_fail_nomem(err, "the columns of a wave", n * 3 * sizeof *work);
        goto done;
    }
    double *first = work + 2 * n;
    st = read_column(w, column[BIAS], 0, first, err);
    for (uint32_t k = 0; st == RESHED_OK && k < points; k++) {
        st = read_column(w, column[BIAS], k, work, err);
        if (st == RESHED_OK) st = check_bias(work, first, w->dims[0], k, err);
    }
    if (st == RESHED_OK) st = rs_plateaus_find(first, (int64_t)n, &p, err);
    if (st == RESHED_OK) st = make_axes(&p, points, &d, err);
    for (uint32_t k = 0; st == RESHED_OK && k < points; k++)
        st = take_point(w, column, k, degrees ? RS_DEGREE : 1, &p, work,
                        d.data + 2 * (size_t)k * (size_t)p.n, err);
    if (st != RESHED_OK) goto done;
    rs_text_copy(d.units, sizeof d.units, w->unit[0] ? w->unit : "a.u.");
    snprintf(d.path, sizeof d.path, "%.60s, %.60s over %.60s", list.c[column[AMPLITUDE]].name,
             list.c[column[PHASE]].name, list.c[column[BIAS]].name);
    *out = d;
    memset(&d, 0, sizeof d);
done:
    rs_free(work);
    rs_channels_clear(&list);
    rs_plateaus_clear(&p);
    rs_nsid_data_clear(&d);
    return st;
}
