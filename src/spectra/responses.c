#include "spectra/responses.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/text.h"
#include "beps/phase.h"
#include "io/common/channel.h"

/* What an axis of a dataset is to a loop. */
typedef enum role { ROLE_POINT, ROLE_STEP, ROLE_CYCLE, ROLE_FIELD, ROLE_PARAMETER } role;

/* How the elements of a dataset become loops. */
typedef struct layout {
    role role[RS_NSID_MAX_DIMS];
    int64_t points, cycles; /* products of those axes */
    int64_t positions;      /* length of the step axis */
    int field_axis;         /* -1: none */
    double *v;              /* [positions], write voltages; owned */
    uint8_t *field;         /* [positions], of each reading; owned */
    int64_t *rank;          /* [positions], readings of the same field before it; owned */
    int wave_cycles;        /* cycles within the step axis, one field's readings; 0: by period */
} layout;

void beps_responses_clear(beps_responses *r)
{
    for (int f = 0; f < 2; f++) {
        rs_free(r->re[f]);
        rs_free(r->im[f]);
    }
    for (int i = 0; i < RS_NSID_MAX_DIMS; i++) rs_free(r->dim[i].values);
    rs_free(r->v);
    rs_free(r->x);
    rs_free(r->y);
    memset(r, 0, sizeof *r);
}

static void clear_layout(layout *l)
{
    rs_free(l->v);
    rs_free(l->field);
    rs_free(l->rank);
    memset(l, 0, sizeof *l);
}

/* ------------------------------------------------------------------------------------- voltages */
/* Volts per unit of an axis that holds voltages; 0 when it does not. An axis may only count and
 * still be called one, so at least two values must differ. */
static double volts(const rs_nsid_dim *d)
{
    double unit = strcmp(d->units, "mV") == 0 ? 1e-3 : strcmp(d->units, "V") == 0 ? 1 : 0;
    bool named = rs_text_contains(d->name, "volt") || rs_text_contains(d->quantity, "volt") ||
                 rs_text_contains(d->name, "bias") || rs_text_contains(d->quantity, "bias") ||
                 rs_text_contains(d->name, "dc");
    if (strcmp(d->type, "SPATIAL") == 0 || (unit == 0 && !named)) return 0;
    return unit > 0 ? unit : 1;
}

static bool is_axis(const rs_nsid_dim *d, const char *word)
{
    return rs_text_contains(d->name, word) || rs_text_contains(d->quantity, word);
}

/* The axis of the steps: one of voltages, else the last that is neither spatial nor something
 * else. -1 when there is none. */
static int find_step_axis(const rs_nsid_data *d)
{
    for (int i = d->ndim - 1; i >= 0; i--)
        if (volts(&d->dim[i]) > 0) return i;
    for (int i = d->ndim - 1; i >= 0; i--) {
        const rs_nsid_dim *x = &d->dim[i];
        if (strcmp(x->type, "SPATIAL") != 0 && !is_axis(x, "cycle") && !is_axis(x, "field"))
            return i;
    }
    return d->ndim > 1 ? d->ndim - 1 : -1;
}

/* Voltages from a list of n numbers onto the positions of the step axis: one each, or one for every
 * two positions, which then are an on-field and an off-field reading. */
static reshed_status spread_voltages(const double *v, int64_t n, const char *where, layout *l,
                                     reshed_error *err)
{
    int64_t twice = n > 0 && l->positions == 2 * n ? 2 : 1;
    if (n < 1 || l->positions != twice * n)
        return rs_fail(err, RESHED_ECORRUPT,
                       "write voltages|one for each of %lld readings, or for every two|%lld|%s",
                       (long long)l->positions, (long long)n, where);
    for (int64_t i = 0; i < l->positions; i++) {
        l->v[i] = v[i / twice];
        if (twice == 2) l->field[i] = i % 2 ? RS_FIELD_OFF : RS_FIELD_ON;
    }
    return RESHED_OK;
}

static reshed_status voltages_from_array(rs_nsid_file *file, const char *path, layout *l,
                                         reshed_error *err)
{
    rs_nsid_array a = {0};
    reshed_status st = rs_nsid_read_array(file, path, &a, err);
    if (st == RESHED_OK && a.is_complex)
        st = rs_fail(err, RESHED_ECORRUPT, "write voltages|real numbers|complex ones|%s", path);
    if (st == RESHED_OK) st = spread_voltages(a.data, (int64_t)a.count, path, l, err);
    rs_nsid_array_clear(&a);
    return st;
}

/* The fields and cycles that a USID file's spectroscopic values tell of each reading. */
static reshed_status usid_fields(rs_nsid_file *file, layout *l, reshed_error *err)
{
    static const char *const paths[] = {"/Spectroscopic/Field", "/Spectroscopic/Cycle"};
    for (int k = 0; k < 2; k++) {
        rs_nsid_array a = {0};
        if (!rs_nsid_exists(file, paths[k])) continue;
        reshed_status st = rs_nsid_read_array(file, paths[k], &a, err);
        if (st != RESHED_OK) return st;
        bool fits = !a.is_complex && (int64_t)a.count == l->positions;
        int changes = 1;
        for (int64_t i = 0; fits && i < l->positions; i++) {
            if (k == 0) l->field[i] = a.data[i] != 0 ? RS_FIELD_ON : RS_FIELD_OFF;
            changes += i > 0 && a.data[i] != a.data[i - 1];
        }
        if (fits && k == 1) l->wave_cycles = changes;
        rs_nsid_array_clear(&a);
    }
    return RESHED_OK;
}

static reshed_status triangle(const beps_response_source *source, layout *l, reshed_error *err)
{
    rs_wave_spec spec;
    rs_waveform w = {0};
    rs_wave_defaults(&spec);
    spec.amplitude = source->triangle;
    spec.cycles = source->cycles > 0 ? source->cycles : 1;
    spec.steps = (int)(l->positions / spec.cycles);
    reshed_status st = rs_waveform_create(&spec, &w, err);
    if (st == RESHED_OK) st = spread_voltages(w.v, w.n, "the triangle asked for", l, err);
    rs_waveform_clear(&w);
    return st;
}

static reshed_status find_voltages(rs_nsid_file *file, const rs_nsid_data *d, int axis,
                                   const beps_response_source *source, layout *l, reshed_error *err)
{
    static const char *const usual[] = {"/BEPS/vdc_waveform", "/Spectroscopic/DC_Offset"};
    double unit = volts(&d->dim[axis]);
    if (source->triangle > 0) return triangle(source, l, err);
    if (source->waveform) return voltages_from_array(file, source->waveform, l, err);
    if (unit > 0) {
        for (int64_t i = 0; i < l->positions; i++) l->v[i] = unit * d->dim[axis].values[i];
        return RESHED_OK;
    }
    for (int k = 0; k < 2; k++) {
        if (!rs_nsid_exists(file, usual[k])) continue;
        reshed_status st = voltages_from_array(file, usual[k], l, err);
        return st == RESHED_OK && k == 1 ? usid_fields(file, l, err) : st;
    }
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "write voltages|an axis in V, '%s', --waveform or --triangle|none|%s", usual[0],
                   d->path);
}

static reshed_status make_layout(rs_nsid_file *file, const rs_nsid_data *d, bool quick_fit,
                                 const beps_response_source *source, layout *l, reshed_error *err)
{
    int axis = find_step_axis(d);
    if (axis < 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "loops|an axis of voltage steps|none|%s", d->path);
    *l = (layout){.points = 1, .cycles = 1, .positions = d->dim[axis].n, .field_axis = -1};
    for (int i = 0; i < d->ndim; i++) {
        const rs_nsid_dim *x = &d->dim[i];
        bool spatial = strcmp(x->type, "SPATIAL") == 0;
        l->role[i] = ROLE_POINT;
        if (i == axis)
            l->role[i] = ROLE_STEP;
        else if (quick_fit && i == 1)
            l->role[i] = ROLE_PARAMETER;
        else if (!spatial && (is_axis(x, "cycle") || is_axis(x, "forc")))
            l->role[i] = ROLE_CYCLE;
        else if (!spatial && is_axis(x, "field") && x->n <= 2)
            l->role[i] = ROLE_FIELD, l->field_axis = i;
        if (l->role[i] == ROLE_POINT) l->points *= x->n;
        if (l->role[i] == ROLE_CYCLE) l->cycles *= x->n;
    }
    if (l->positions < 1 || l->points < 1 || l->cycles < 1)
        return rs_fail(err, RESHED_EUNSUPPORTED, "loops|one or more|none|%s", d->path);
    l->v = rs_alloc((size_t)l->positions, sizeof *l->v);
    l->field = rs_alloc((size_t)l->positions, sizeof *l->field);
    l->rank = rs_alloc((size_t)l->positions, sizeof *l->rank);
    if (!l->v || !l->field || !l->rank)
        return rs_fail_nomem(err, "the write voltages", (size_t)l->positions * sizeof *l->v);
    memset(l->field, source->single, (size_t)l->positions);
    reshed_status st = find_voltages(file, d, axis, source, l, err);
    int64_t seen[2] = {0, 0};
    for (int64_t i = 0; st == RESHED_OK && i < l->positions; i++) l->rank[i] = seen[l->field[i]]++;
    return st;
}

/* ---------------------------------------------------------------------------------- rearranging */
/* Readings of one field in a row of the step axis. */
static int64_t count_field(const layout *l, int field)
{
    int64_t n = 0;
    for (int64_t i = 0; i < l->positions; i++) n += l->field[i] == field;
    return n;
}

/* Copies component `part` of d (0: real, 1: imaginary), parameter `parameter` of a quick fit, into
 * to[field], [points, cycles, readings], for the fields whose pointer is not NULL. */
static void gather(const rs_nsid_data *d, const layout *l, int part, int64_t parameter,
                   double *const to[2])
{
    int64_t index[RS_NSID_MAX_DIMS] = {0}, n[2] = {count_field(l, 0), count_field(l, 1)};
    int width = d->is_complex ? 2 : 1;
    if (l->field_axis >= 0) n[0] = n[1] = l->positions;
    for (uint64_t e = 0; e < d->count; e++) {
        int64_t point = 0, cycle = 0, position = 0, chosen = 0;
        int field = -1;
        for (int i = 0; i < d->ndim; i++) {
            if (l->role[i] == ROLE_POINT) point = point * d->dim[i].n + index[i];
            if (l->role[i] == ROLE_CYCLE) cycle = cycle * d->dim[i].n + index[i];
            if (l->role[i] == ROLE_STEP) position = index[i];
            if (l->role[i] == ROLE_PARAMETER) chosen = index[i];
            if (l->role[i] == ROLE_FIELD)
                field = d->dim[i].values[index[i]] != 0 ? RS_FIELD_ON : RS_FIELD_OFF;
        }
        int64_t at = field < 0 ? l->rank[position] : position;
        if (field < 0) field = l->field[position];
        bool wanted = parameter < 0 || chosen == parameter;
        if (wanted && to[field])
            to[field][(point * l->cycles + cycle) * n[field] + at] =
                d->data[e * (uint64_t)width + (uint64_t)part];
        for (int i = d->ndim - 1; i >= 0 && ++index[i] == d->dim[i].n; i--) index[i] = 0;
    }
}

/* Voltages, cycles and fields of the result; l's voltages must be the same in both fields. */
static reshed_status take_steps(const rs_nsid_data *d, const layout *l,
                                const beps_response_source *source, beps_responses *r,
                                reshed_error *err)
{
    int64_t n[2] = {count_field(l, 0), count_field(l, 1)};
    if (l->field_axis >= 0) {
        n[0] = n[1] = 0;
        for (int64_t i = 0; i < d->dim[l->field_axis].n; i++)
            n[d->dim[l->field_axis].values[i] != 0] = l->positions;
    }
    int main_field = n[RS_FIELD_OFF] > 0 ? RS_FIELD_OFF : RS_FIELD_ON;
    int64_t row = n[main_field];
    if (n[0] > 0 && n[1] > 0 && n[0] != n[1])
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "readings|as many on-field as off-field|%lld, %lld", (long long)n[1],
                       (long long)n[0]);
    if (row > RS_WAVE_MAX_STEPS || l->cycles > RS_WAVE_MAX_STEPS / row)
        return rs_fail(err, RESHED_EUNSUPPORTED, "steps|at most %d|%lld in %lld cycles|%s",
                       RS_WAVE_MAX_STEPS, (long long)row, (long long)l->cycles, d->path);
    r->v = rs_alloc((size_t)(row * l->cycles), sizeof *r->v);
    if (!r->v) return rs_fail_nomem(err, "voltages", (size_t)(row * l->cycles) * sizeof *r->v);
    int64_t k = 0;
    for (int64_t i = 0; i < l->positions; i++)
        if (l->field_axis >= 0 || l->field[i] == main_field) r->v[k++] = l->v[i];
    for (int64_t c = 1; c < l->cycles; c++)
        memcpy(r->v + c * row, r->v, (size_t)row * sizeof *r->v);

    int inside = source->cycles > 0 ? source->cycles : l->wave_cycles;
    if (inside == 0) inside = (int)(row / rs_waveform_period(r->v, (int)row));
    if (row % inside)
        return rs_fail(err, RESHED_EINVAL, "cycles|a number that divides %lld steps|%d",
                       (long long)row, inside);
    r->cycles = (int)(l->cycles * inside);
    r->steps = (int)(row / inside);
    r->has[0] = n[0] > 0;
    r->has[1] = n[1] > 0;
    return RESHED_OK;
}

static reshed_status allocate_fields(beps_responses *r, reshed_error *err)
{
    size_t n = (size_t)r->points * (size_t)r->cycles * (size_t)r->steps;
    for (int f = 0; f < 2; f++) {
        if (!r->has[f]) continue;
        r->re[f] = rs_alloc(n, sizeof(double));
        if (r->is_complex) r->im[f] = rs_alloc(n, sizeof(double));
        if (!r->re[f] || (r->is_complex && !r->im[f]))
            return rs_fail_nomem(err, "the loops", n * sizeof(double));
    }
    return RESHED_OK;
}

/* Amplitude in re and phase in im become the real and the imaginary part. */
static void from_polar(beps_responses *r, int degrees)
{
    size_t n = (size_t)r->points * (size_t)r->cycles * (size_t)r->steps;
    if (degrees < 0) {
        double top = 0;
        for (int f = 0; f < 2; f++)
            for (size_t i = 0; r->has[f] && i < n; i++)
                if (isfinite(r->im[f][i])) top = fmax(top, fabs(r->im[f][i]));
        degrees = top > 2 * RS_PI * 1.01;
    }
    for (int f = 0; f < 2; f++)
        for (size_t i = 0; r->has[f] && i < n; i++) {
            double a = r->re[f][i], p = r->im[f][i] * (degrees ? RS_DEGREE : 1);
            r->re[f][i] = a * cos(p);
            r->im[f][i] = a * sin(p);
        }
}

/* ------------------------------------------------------------------------------------ positions */
/* The axes of a map, whose coordinates move from d to r. */
static reshed_status take_axes(rs_nsid_data *d, const layout *l, beps_responses *r)
{
    for (int i = 0; i < d->ndim; i++) {
        if (l->role[i] != ROLE_POINT) continue;
        rs_nsid_dim *x = &r->dim[r->ndim++];
        *x = d->dim[i];
        d->dim[i].values = NULL;
        if (strcmp(x->type, "POINT_CLOUD") == 0 || !x->type[0]) strcpy(x->type, "SPATIAL");
    }
    r->points = l->points;
    if (r->ndim > 0) return RESHED_OK;
    r->ndim = 1; /* a single loop is a list of one */
    r->dim[0] = (rs_nsid_dim){.name = "Point", .quantity = "index", .units = "a.u.", .n = 1};
    strcpy(r->dim[0].type, "SPATIAL");
    return RESHED_OK;
}

/* Coordinates [points] from an array of (2,points) or (points,2). */
static bool take_pairs(const rs_nsid_array *a, beps_responses *r)
{
    uint64_t n = (uint64_t)r->points;
    bool rows = a->ndim == 2 && a->dims[0] == 2 && a->dims[1] == n;
    bool columns = a->ndim == 2 && a->dims[0] == n && a->dims[1] == 2;
    if (a->is_complex || (!rows && !columns)) return false;
    for (uint64_t i = 0; i < n; i++) {
        r->x[i] = rows ? a->data[i] : a->data[2 * i];
        r->y[i] = rows ? a->data[n + i] : a->data[2 * i + 1];
    }
    return true;
}

static reshed_status find_positions(rs_nsid_file *file, beps_responses *r, reshed_error *err)
{
    static const char *const pairs[] = {"/BEPS/coordinates", "/Positions/coordinates"};
    size_t n = (size_t)r->points;
    r->x = rs_alloc(n, sizeof *r->x);
    r->y = rs_alloc(n, sizeof *r->y);
    if (!r->x || !r->y) return rs_fail_nomem(err, "positions", n * 2 * sizeof *r->x);
    if (r->ndim == 2 && strcmp(r->dim[0].type, "SPATIAL") == 0 &&
        strcmp(r->dim[1].type, "SPATIAL") == 0) {
        for (size_t i = 0; i < n; i++) {
            r->x[i] = r->dim[0].values[i / (size_t)r->dim[1].n];
            r->y[i] = r->dim[1].values[i % (size_t)r->dim[1].n];
        }
        rs_text_copy(r->position_units, sizeof r->position_units, r->dim[0].units);
        return RESHED_OK;
    }
    for (int k = 0; k < 2; k++) {
        rs_nsid_array a = {0};
        if (!rs_nsid_exists(file, pairs[k])) continue;
        reshed_status st = rs_nsid_read_array(file, pairs[k], &a, err);
        if (st != RESHED_OK) return st;
        bool taken = take_pairs(&a, r);
        rs_nsid_array_clear(&a);
        if (taken) return RESHED_OK;
    }
    rs_free(r->x);
    rs_free(r->y);
    r->x = r->y = NULL;
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- choosing */
static bool same_shape(const rs_nsid_data *a, const rs_nsid_data *b)
{
    if (a->ndim != b->ndim || a->is_complex || b->is_complex) return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i].n != b->dim[i].n) return false;
    return true;
}

static bool is_quick_fit(const rs_nsid_data *d)
{
    return d->ndim == 3 && d->dim[1].n == 4 && !d->is_complex && rs_text_contains(d->path, "quick");
}

/* The main dataset called exactly that, -1 when there is none. */
static int find_named(const rs_nsid_file *file, const char *name)
{
    for (int k = 0; k < rs_nsid_count(file); k++) {
        const rs_nsid_data *d = rs_nsid_info(file, k);
        if (strcmp(d->name, name) == 0 || strcmp(d->title, name) == 0) return k;
    }
    return -1;
}

/* *first: the response, or the amplitude; *second: the phase, or -1. */
static reshed_status choose(rs_nsid_file *file, const beps_response_source *source, int *first,
                            int *second, reshed_error *err)
{
    *second = -1;
    if (source->amplitude) {
        reshed_status st = rs_nsid_find(file, source->amplitude, first, err);
        return st == RESHED_OK ? rs_nsid_find(file, source->phase, second, err) : st;
    }
    if (source->channel) return rs_nsid_find(file, source->channel, first, err);
    if (rs_nsid_count(file) == 0) return rs_nsid_find(file, "0", first, err); /* says why not */
    int a = find_named(file, "Amplitude"), p = find_named(file, "Phase");
    if (a >= 0 && p >= 0 && same_shape(rs_nsid_info(file, a), rs_nsid_info(file, p))) {
        *first = a;
        *second = p;
        return RESHED_OK;
    }
    for (*first = 0; *first < rs_nsid_count(file); ++*first) {
        const rs_nsid_data *d = rs_nsid_info(file, *first);
        if (is_quick_fit(d)) return RESHED_OK;
        for (int i = 0; i < d->ndim; i++)
            if (volts(&d->dim[i]) > 0 && d->dim[i].n >= 8) return RESHED_OK;
    }
    *first = 0;
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------------- file */
static reshed_status read_all(rs_nsid_file *file, const beps_response_source *source,
                              beps_responses *r, reshed_error *err)
{
    rs_nsid_data d = {0}, phase = {0};
    layout l = {0};
    int first, second;
    reshed_status st = choose(file, source, &first, &second, err);
    if (st == RESHED_OK) st = rs_nsid_read(file, first, &d, err);
    if (st == RESHED_OK && second >= 0) st = rs_nsid_read(file, second, &phase, err);
    if (st == RESHED_OK && second >= 0 && !same_shape(&d, &phase))
        st = rs_fail(err, RESHED_ECORRUPT, "amplitude and phase|real datasets of one shape||%s",
                     phase.path);
    if (st != RESHED_OK) goto done;
    bool quick = second < 0 && is_quick_fit(&d);
    st = make_layout(file, &d, quick, source, &l, err);
    if (st == RESHED_OK) st = take_steps(&d, &l, source, r, err);
    if (st != RESHED_OK) goto done;
    r->points = l.points;
    r->is_complex = d.is_complex || second >= 0 || quick;
    st = allocate_fields(r, err);
    if (st != RESHED_OK) goto done;
    gather(&d, &l, 0, quick ? 0 : -1, r->re);
    if (d.is_complex) gather(&d, &l, 1, -1, r->im);
    if (second >= 0) gather(&phase, &l, 0, -1, r->im);
    if (quick) gather(&d, &l, 0, 3, r->im);
    if (second >= 0 || quick) {
        int degrees = source->degrees;
        if (degrees < 0 && rs_text_contains(phase.units, "deg")) degrees = 1;
        if (degrees < 0 && (quick || rs_text_contains(phase.units, "rad"))) degrees = 0;
        from_polar(r, degrees);
    }
    rs_text_copy(r->path, sizeof r->path, d.path);
    bool known = d.units[0] && strcmp(d.units, "generic") != 0 && !quick;
    rs_text_copy(r->units, sizeof r->units, known ? d.units : quick ? "V" : "a.u.");
    st = take_axes(&d, &l, r);
    if (st == RESHED_OK) st = find_positions(file, r, err);
done:
    clear_layout(&l);
    rs_nsid_data_clear(&d);
    rs_nsid_data_clear(&phase);
    return st;
}

reshed_status beps_responses_read(const char *path, const beps_response_source *source,
                                  beps_responses *out, reshed_error *err)
{
    rs_nsid_file *file = NULL;
    beps_responses r = {0};
    reshed_status st = rs_nsid_open(path, &file, err);
    if (st != RESHED_OK) return st;
    st = read_all(file, source, &r, err);
    rs_nsid_close(file);
    if (st == RESHED_OK)
        *out = r;
    else
        beps_responses_clear(&r);
    return st;
}
