#include "spectra/replay_loops.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/nsid/nsid.h"
#include "io/nsid/usid.h"

#define STEPS_MAX (1 << 20)

/* What an axis is to a loop. */
typedef enum axis { AXIS_X, AXIS_Y, AXIS_STEP, AXIS_BIN, AXIS_FIELD, AXES, AXIS_NONE } axis;

/* One reading of a file: its number along each axis, and the values of the axes. */
typedef struct layout {
    int64_t n[AXES]; /* 1 where the file has no such axis */
    int64_t stride[AXES];
    const double *values[AXES]; /* [n], borrowed; NULL without that axis */
    double unit[AXES];          /* SI per unit of the values */
    const double *data;         /* of re, or re and im; borrowed */
    bool is_complex;
    const double *point_x, *point_y; /* points are listed: [n[AXIS_X]]; borrowed, or NULL */
    uint8_t *on;                     /* [n[AXIS_FIELD]] */
} layout;

void rs_replay_loops_clear(rs_replay_loops *l)
{
    rs_free(l->x);
    rs_free(l->y);
    rs_free(l->v);
    rs_free(l->frequency);
    rs_free(l->z);
    memset(l, 0, sizeof *l);
}

static double unit_of(const char *units)
{
    static const struct {
        const char *name;
        double si;
    } known[] = {{"nm", 1e-9}, {"um", 1e-6}, {"\xc2\xb5m", 1e-6},
                 {"mV", 1e-3}, {"kHz", 1e3}, {"MHz", 1e6}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, units) == 0) return known[i].si;
    return 1;
}

static axis axis_of(const char *name, const char *quantity, const char *units, int64_t n)
{
    char first = (char)tolower((unsigned char)name[0]);
    if (rs_text_contains(name, "freq") || rs_text_contains(quantity, "freq") ||
        rs_text_contains(units, "hz"))
        return AXIS_BIN;
    if (rs_text_contains(name, "volt") || rs_text_contains(name, "bias") ||
        rs_text_contains(name, "dc") || rs_text_contains(quantity, "bias") ||
        rs_text_contains(quantity, "volt") || strcmp(units, "V") == 0)
        return AXIS_STEP;
    if (rs_text_contains(name, "field") && n <= 2) return AXIS_FIELD;
    if (first == 'x') return AXIS_X;
    if (first == 'y') return AXIS_Y;
    return AXIS_NONE;
}

/* ---------------------------------------------------------------------------------- rearranging */

static reshed_status allocate(const layout *l, rs_replay_loops *out, reshed_error *err)
{
    size_t fields = (size_t)out->on + out->off, bins = out->bins > 0 ? (size_t)out->bins : 1;
    size_t n = (size_t)out->points, each = fields * (size_t)out->steps * bins;
    out->x = rs_alloc(n, sizeof *out->x);
    out->y = rs_alloc(n, sizeof *out->y);
    out->v = rs_alloc((size_t)out->steps, sizeof *out->v);
    out->z = each <= SIZE_MAX / 8 ? rs_alloc(n, each * 2 * sizeof *out->z) : NULL;
    if (out->bins > 0) out->frequency = rs_alloc(bins, sizeof *out->frequency);
    if (!out->x || !out->y || !out->v || !out->z || (out->bins > 0 && !out->frequency))
        return rs_fail_nomem(err, "recorded loops", n * each * 2 * sizeof *out->z);
    for (int i = 0; i < out->steps; i++) out->v[i] = l->unit[AXIS_STEP] * l->values[AXIS_STEP][i];
    for (int i = 0; i < out->bins; i++)
        out->frequency[i] = l->unit[AXIS_BIN] * l->values[AXIS_BIN][i];
    return RESHED_OK;
}

/* Reading (point, field, step, bin) of the file. */
static void gather(const layout *l, rs_replay_loops *out)
{
    int width = l->is_complex ? 2 : 1;
    int64_t bins = l->n[AXIS_BIN], nf = l->n[AXIS_FIELD];
    float *z = out->z;
    for (int64_t p = 0; p < out->points; p++) {
        int64_t ix = p / l->n[AXIS_Y], iy = p % l->n[AXIS_Y];
        out->x[p] =
            l->point_x ? l->unit[AXIS_X] * l->point_x[p] : l->unit[AXIS_X] * l->values[AXIS_X][ix];
        out->y[p] =
            l->point_y ? l->unit[AXIS_Y] * l->point_y[p] : l->unit[AXIS_Y] * l->values[AXIS_Y][iy];
        for (int want_on = 1; want_on >= 0; want_on--)
            for (int64_t f = 0; f < nf; f++) {
                if ((l->on[f] != 0) != (want_on != 0)) continue;
                for (int64_t s = 0; s < out->steps; s++)
                    for (int64_t b = 0; b < bins; b++) {
                        int64_t at = ix * l->stride[AXIS_X] + iy * l->stride[AXIS_Y] +
                                     f * l->stride[AXIS_FIELD] + s * l->stride[AXIS_STEP] +
                                     b * l->stride[AXIS_BIN];
                        const double *d = l->data + at * width;
                        *z++ = (float)d[0];
                        *z++ = l->is_complex ? (float)d[1] : 0;
                    }
            }
    }
}

static reshed_status build(layout *l, rs_replay_loops *out, reshed_error *err)
{
    if (!l->values[AXIS_STEP] || l->n[AXIS_STEP] < 1 || l->n[AXIS_STEP] > STEPS_MAX)
        return rs_fail(err, RESHED_EUNSUPPORTED, "recorded loops|an axis of 1 to %d voltages|%lld",
                       STEPS_MAX, (long long)(l->values[AXIS_STEP] ? l->n[AXIS_STEP] : 0));
    bool listed = l->point_x && l->point_y;
    if (!listed && (!l->values[AXIS_X] || !l->values[AXIS_Y]))
        return rs_fail(err, RESHED_EUNSUPPORTED, "recorded loops|axes x and y|one is missing");
    if (l->values[AXIS_BIN] && !l->is_complex)
        return rs_fail(err, RESHED_EUNSUPPORTED, "recorded spectra|complex numbers|real ones");
    out->points = l->n[AXIS_X] * l->n[AXIS_Y];
    out->steps = (int)l->n[AXIS_STEP];
    out->bins = l->values[AXIS_BIN] ? (int)l->n[AXIS_BIN] : 0;
    for (int64_t f = 0; f < l->n[AXIS_FIELD]; f++) *(l->on[f] ? &out->on : &out->off) = true;
    if (out->points < 1 || (int64_t)out->on + out->off != l->n[AXIS_FIELD])
        return rs_fail(err, RESHED_EUNSUPPORTED, "recorded loops|one on and one off field|others");
    reshed_status st = allocate(l, out, err);
    if (st == RESHED_OK) gather(l, out);
    return st;
}

/* ----------------------------------------------------------------------------------------- NSID */

static bool has_steps(const rs_nsid_data *d)
{
    for (int i = 0; i < d->ndim; i++)
        if (axis_of(d->dim[i].name, d->dim[i].quantity, d->dim[i].units, d->dim[i].n) == AXIS_STEP)
            return true;
    return false;
}

static reshed_status from_nsid(rs_nsid_file *file, const char *channel, bool off,
                               rs_replay_loops *out, reshed_error *err)
{
    rs_nsid_data d = {0};
    uint8_t on[2] = {!off, 0};
    layout l = {.on = on};
    int k = 0, n = rs_nsid_count(file);
    reshed_status st = RESHED_OK;
    if (channel)
        st = rs_nsid_find(file, channel, &k, err);
    else
        while (k < n && !has_steps(rs_nsid_info(file, k))) k++;
    if (st == RESHED_OK && k == n)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "recorded loops|a dataset with an axis in V|none");
    if (st == RESHED_OK) st = rs_nsid_read(file, k, &d, err);
    if (st != RESHED_OK) return st;
    for (int a = 0; a < AXES; a++) {
        l.n[a] = 1;
        l.unit[a] = 1;
    }
    l.data = d.data;
    l.is_complex = d.is_complex;
    int64_t stride = 1;
    for (int i = d.ndim - 1; st == RESHED_OK && i >= 0; i--) {
        const rs_nsid_dim *x = &d.dim[i];
        axis a = axis_of(x->name, x->quantity, x->units, x->n);
        bool taken = a != AXIS_NONE && l.values[a];
        if ((a == AXIS_NONE && x->n > 1) || taken)
            st = rs_fail(err, RESHED_EUNSUPPORTED,
                         "axis of recorded loops|x, y, a voltage, a frequency or a field|%s",
                         x->name);
        else if (a != AXIS_NONE) {
            l.n[a] = x->n;
            l.stride[a] = stride;
            l.values[a] = x->values;
            l.unit[a] = unit_of(x->units);
        }
        stride *= x->n;
    }
    for (int64_t f = 0; st == RESHED_OK && l.values[AXIS_FIELD] && f < l.n[AXIS_FIELD]; f++)
        on[f] = l.values[AXIS_FIELD][f] != 0;
    if (st == RESHED_OK) st = build(&l, out, err);
    rs_nsid_data_clear(&d);
    return st;
}

/* -------------------------------------------------------------------------------------- USID
 * Every spectral point names its frequency, voltage and field; the order is BGlib's: bins fastest,
 * then field or step. It is read from the values, which must be a full product of the three. */

static int usid_row(const rs_usid_axes *a, axis wanted)
{
    for (int i = 0; i < a->dims; i++)
        if (axis_of(a->label[i], "", a->units[i], 2) == wanted) return i;
    return -1;
}

/* Points after which row `r` takes another value, from the start; n when it never does. */
static int64_t run_length(const double *v, int64_t n)
{
    int64_t k = 1;
    while (k < n && v[k] == v[0]) k++;
    return k;
}

static reshed_status usid_layout(const rs_usid_data *d, layout *l, double *bins, double *steps,
                                 reshed_error *err)
{
    const rs_usid_axes *s = &d->spectral;
    int64_t n = s->n;
    int fr = usid_row(s, AXIS_BIN), vr = usid_row(s, AXIS_STEP), lr = usid_row(s, AXIS_FIELD);
    if (fr < 0 || vr < 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "USID loops|a frequency and a voltage|%s",
                       fr < 0 ? "no frequency" : "no voltage");
    const double *f = s->values + fr * n, *v = s->values + vr * n;
    const double *field = lr < 0 ? NULL : s->values + lr * n;
    int64_t nb = 1;
    while (nb < n && f[nb] != f[0]) nb++;
    int64_t rows = n / nb, fields = 1;
    bool fast = false; /* the field changes from reading to reading */
    for (int64_t i = 1; field && i < rows; i++) fields = field[i * nb] != field[0] ? 2 : fields;
    if (field) fast = fields == 2 && run_length(field, n) == nb;
    int64_t ns = rows / fields;
    if (nb * rows != n || ns * fields != rows)
        return rs_fail(err, RESHED_ECORRUPT, "USID spectra|bins x steps x fields|%lld points",
                       (long long)n);
    l->n[AXIS_BIN] = nb;
    l->n[AXIS_STEP] = ns;
    l->n[AXIS_FIELD] = fields;
    l->stride[AXIS_BIN] = 1;
    l->stride[AXIS_STEP] = fast ? fields * nb : nb;
    l->stride[AXIS_FIELD] = fast ? nb : ns * nb;
    for (int64_t k = 0; k < fields && field; k++) l->on[k] = field[k * l->stride[AXIS_FIELD]] != 0;
    for (int64_t i = 0; i < ns; i++) {
        /* Off-field readings may name the reading bias; on-field ones name the step. */
        int64_t k = fields == 2 && l->on[1] ? 1 : 0;
        steps[i] = v[i * l->stride[AXIS_STEP] + k * l->stride[AXIS_FIELD]];
    }
    for (int64_t b = 0; b < nb; b++) bins[b] = f[b];
    l->values[AXIS_BIN] = bins;
    l->values[AXIS_STEP] = steps;
    l->unit[AXIS_BIN] = unit_of(s->units[fr]);
    l->unit[AXIS_STEP] = unit_of(s->units[vr]);
    return RESHED_OK;
}

static reshed_status from_usid(rs_nsid_file *file, const char *path, bool off, rs_replay_loops *out,
                               reshed_error *err)
{
    rs_usid_data d = {0};
    uint8_t on[2] = {!off, 0};
    layout l = {.on = on};
    double *scratch = NULL;
    reshed_status st = rs_usid_read(file, path, &d, err);
    if (st != RESHED_OK) return st;
    for (int a = 0; a < AXES; a++) {
        l.n[a] = 1;
        l.unit[a] = 1;
    }
    l.data = d.data;
    l.is_complex = d.is_complex;
    int xr = usid_row(&d.position, AXIS_X), yr = usid_row(&d.position, AXIS_Y);
    if (xr < 0 || yr < 0) {
        st = rs_fail(err, RESHED_EUNSUPPORTED, "USID positions|x and y|one is missing");
        goto done;
    }
    l.point_x = d.position.values + xr * d.position.n;
    l.point_y = d.position.values + yr * d.position.n;
    l.n[AXIS_X] = d.position.n;
    l.stride[AXIS_X] = d.spectral.n;
    l.unit[AXIS_X] = unit_of(d.position.units[xr]);
    l.unit[AXIS_Y] = unit_of(d.position.units[yr]);
    scratch = rs_alloc((size_t)d.spectral.n, 2 * sizeof *scratch);
    if (!scratch) {
        st = rs_fail_nomem(err, "the axes", (size_t)d.spectral.n * 2 * sizeof *scratch);
        goto done;
    }
    st = usid_layout(&d, &l, scratch, scratch + d.spectral.n, err);
    if (st == RESHED_OK) st = build(&l, out, err);
done:
    rs_free(scratch);
    rs_usid_data_clear(&d);
    return st;
}

reshed_status rs_replay_loops_read(const char *path, const char *channel, bool off,
                                   rs_replay_loops *out, reshed_error *err)
{
    rs_nsid_file *file = NULL;
    rs_replay_loops new = {0};
    char at[256];
    reshed_status st = rs_nsid_open(path, &file, err);
    if (st != RESHED_OK) return st;
    bool usid = rs_nsid_count(file) == 0 && rs_usid_find(file, channel, at, sizeof at);
    st = usid ? from_usid(file, at, off, &new, err) : from_nsid(file, channel, off, &new, err);
    rs_nsid_close(file);
    if (st == RESHED_OK)
        *out = new;
    else
        rs_replay_loops_clear(&new);
    return st;
}

int64_t rs_replay_loops_nearest(const rs_replay_loops *l, double x, double y, double *distance)
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
