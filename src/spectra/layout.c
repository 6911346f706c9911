#include "spectra/layout.h"

#include <string.h>

#include "base/alloc.h"
#include "spectra/axes.h"

void rs_layout_clear(rs_layout *l)
{
    rs_free(l->volts);
    rs_free(l->field);
    rs_free(l->rank);
    rs_free(l->v);
    memset(l, 0, sizeof *l);
}

/* ------------------------------------------------------------------------------------- the axes */
/* -1 when there is no axis of steps. */
static int find_step_axis(const rs_nsid_dim *dim, int ndim)
{
    for (int i = ndim - 1; i >= 0; i--)
        if (rs_axis_volts(&dim[i]) > 0) return i;
    for (int i = ndim - 1; i >= 0; i--)
        if (!rs_axis_is_spatial(&dim[i]) && !rs_axis_is_cycle(&dim[i]) &&
            !rs_axis_is_field(&dim[i]))
            return i;
    return ndim > 1 ? ndim - 1 : -1;
}

static void set_roles(rs_layout *l, const rs_nsid_dim *dim, int step, int parameter)
{
    for (int i = 0; i < l->ndim; i++) {
        l->n[i] = dim[i].n;
        l->role[i] = RS_ROLE_POINT;
        if (i == step)
            l->role[i] = RS_ROLE_STEP;
        else if (i == parameter)
            l->role[i] = RS_ROLE_PARAMETER;
        else if (rs_axis_is_cycle(&dim[i]))
            l->role[i] = RS_ROLE_CYCLE;
        else if (l->field_axis < 0 && rs_axis_is_field(&dim[i]) && dim[i].n <= 2) {
            l->role[i] = RS_ROLE_FIELD;
            l->field_axis = i;
            for (int64_t k = 0; k < dim[i].n; k++)
                l->axis_field[k] = dim[i].values[k] != 0 ? RS_FIELD_ON : RS_FIELD_OFF;
        }
        if (l->role[i] == RS_ROLE_POINT) l->points *= dim[i].n;
        if (l->role[i] == RS_ROLE_CYCLE) l->outer_cycles *= dim[i].n;
    }
}

reshed_status rs_layout_begin(rs_layout *l, const rs_nsid_dim *dim, int ndim, int parameter,
                              rs_field single, const char *path, reshed_error *err)
{
    int step = find_step_axis(dim, ndim);
    if (step < 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "loops|an axis of voltage steps|none|%s", path);
    size_t positions = (size_t)dim[step].n;
    *l = (rs_layout){
        .ndim = ndim, .points = 1, .outer_cycles = 1, .positions = dim[step].n, .field_axis = -1};
    set_roles(l, dim, step, parameter);
    if (l->positions < 1 || l->points < 1 || l->outer_cycles < 1)
        return rs_fail(err, RESHED_EUNSUPPORTED, "loops|one or more|none|%s", path);
    l->volts = rs_alloc(positions, sizeof *l->volts);
    l->field = rs_alloc(positions, sizeof *l->field);
    l->rank = rs_alloc(positions, sizeof *l->rank);
    if (!l->volts || !l->field || !l->rank)
        return rs_fail_nomem(err, "the write voltages", positions * sizeof *l->volts);
    memset(l->field, single, positions);
    double unit = rs_axis_volts(&dim[step]);
    l->has_volts = unit > 0;
    for (size_t i = 0; l->has_volts && i < positions; i++) l->volts[i] = unit * dim[step].values[i];
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------ the steps */
reshed_status rs_layout_volts(rs_layout *l, const double *v, int64_t n, const char *where,
                              reshed_error *err)
{
    int64_t twice = n > 0 && l->positions == 2 * n ? 2 : 1;
    if (n < 1 || l->positions != twice * n)
        return rs_fail(err, RESHED_ECORRUPT,
                       "write voltages|one for each of %lld readings, or for every two|%lld|%s",
                       (long long)l->positions, (long long)n, where);
    for (int64_t i = 0; i < l->positions; i++) {
        l->volts[i] = v[i / twice];
        if (twice == 2) l->field[i] = i % 2 ? RS_FIELD_OFF : RS_FIELD_ON;
    }
    return RESHED_OK;
}

void rs_layout_fields(rs_layout *l, const double *on, int64_t n)
{
    for (int64_t i = 0; n == l->positions && i < n; i++)
        l->field[i] = on[i] != 0 ? RS_FIELD_ON : RS_FIELD_OFF;
}

void rs_layout_cycles(rs_layout *l, const double *cycle, int64_t n)
{
    int changes = 1;
    if (n != l->positions) return;
    for (int64_t i = 1; i < n; i++) changes += cycle[i] != cycle[i - 1];
    l->inner_cycles = changes;
}

/* Counts the readings of each field along the step axis, or along it for each field of an axis. */
static void count_readings(rs_layout *l, int64_t n[2])
{
    n[0] = n[1] = 0;
    for (int64_t i = 0; i < l->positions; i++) l->rank[i] = n[l->field[i]]++;
    if (l->field_axis < 0) return;
    n[0] = n[1] = 0;
    for (int64_t i = 0; i < l->n[l->field_axis]; i++) n[l->axis_field[i]] += l->positions;
}

reshed_status rs_layout_end(rs_layout *l, int cycles, const char *path, reshed_error *err)
{
    int64_t n[2], k = 0;
    count_readings(l, n);
    /* Off-field readings may name the read voltage: on-field ones name the step. */
    int named = n[RS_FIELD_ON] > 0 ? RS_FIELD_ON : RS_FIELD_OFF;
    int64_t row = n[named];
    if (n[0] > 0 && n[1] > 0 && n[0] != n[1])
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "readings|as many on-field as off-field|%lld, %lld", (long long)n[1],
                       (long long)n[0]);
    if (row < 1) return rs_fail(err, RESHED_EUNSUPPORTED, "loops|one or more|none|%s", path);
    if (row > l->positions)
        return rs_fail(err, RESHED_EUNSUPPORTED, "fields|one on-field and one off-field|two %s|%s",
                       named == RS_FIELD_ON ? "on-field" : "off-field", path);
    if (row > RS_WAVE_MAX_STEPS || l->outer_cycles > RS_WAVE_MAX_STEPS / row)
        return rs_fail(err, RESHED_EUNSUPPORTED, "steps|at most %d|%lld in %lld cycles|%s",
                       RS_WAVE_MAX_STEPS, (long long)row, (long long)l->outer_cycles, path);
    l->v = rs_alloc((size_t)(row * l->outer_cycles), sizeof *l->v);
    if (!l->v)
        return rs_fail_nomem(err, "voltages", (size_t)(row * l->outer_cycles) * sizeof *l->v);
    for (int64_t i = 0; i < l->positions; i++)
        if (l->field_axis >= 0 || l->field[i] == named) l->v[k++] = l->volts[i];
    for (int64_t c = 1; c < l->outer_cycles; c++)
        memcpy(l->v + c * row, l->v, (size_t)row * sizeof *l->v);

    int inside = cycles > 0 ? cycles : l->inner_cycles;
    if (inside == 0) inside = (int)(row / rs_waveform_period(l->v, (int)row));
    if (row % inside)
        return rs_fail(err, RESHED_EINVAL, "cycles|a number that divides %lld steps|%d",
                       (long long)row, inside);
    l->readings = row;
    l->cycles = (int)(l->outer_cycles * inside);
    l->steps = (int)(row / inside);
    l->has[0] = n[0] > 0;
    l->has[1] = n[1] > 0;
    return RESHED_OK;
}

rs_layout_place rs_layout_next(rs_layout *l)
{
    int64_t point = 0, cycle = 0, position = 0;
    rs_layout_place p = {.field = -1};
    for (int i = 0; i < l->ndim; i++) {
        int64_t at = l->index[i];
        if (l->role[i] == RS_ROLE_POINT) point = point * l->n[i] + at;
        if (l->role[i] == RS_ROLE_CYCLE) cycle = cycle * l->n[i] + at;
        if (l->role[i] == RS_ROLE_STEP) position = at;
        if (l->role[i] == RS_ROLE_PARAMETER) p.parameter = at;
        if (l->role[i] == RS_ROLE_FIELD) p.field = l->axis_field[at];
    }
    int64_t reading = p.field < 0 ? l->rank[position] : position;
    if (p.field < 0) p.field = l->field[position];
    p.at = (point * l->outer_cycles + cycle) * l->readings + reading;
    for (int i = l->ndim - 1; i >= 0 && ++l->index[i] == l->n[i]; i--) l->index[i] = 0;
    return p;
}
