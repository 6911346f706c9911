#include "spectra/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "beps/cycles.h"
#include "spectra/axes.h"

void rs_layout_clear(rs_layout *l)
{
    rs_free(l->volts);
    rs_free(l->field);
    rs_free(l->rank);
    rs_free(l->place);
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

/* Says of voltages in a unit that is none that they are taken as volts. */
static void note_unit(rs_layout *l, const rs_nsid_dim *axis)
{
    static const char *const silent[] = {"", "generic", "unknown", "none"};
    char shown[32];
    if (!l->has_volts || rs_unit_volts(axis->units) > 0) return;
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (rs_text_same(axis->units, silent[i], strlen(silent[i])) &&
            strlen(axis->units) == strlen(silent[i]))
            return;
    snprintf(l->note, sizeof l->note, "unit '%s' of the voltages is not known: taken as V",
             rs_text_escape(shown, sizeof shown, axis->units));
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
    l->place = rs_alloc(positions, sizeof *l->place);
    if (!l->volts || !l->field || !l->rank || !l->place)
        return rs_fail_nomem(err, "the write voltages", positions * sizeof *l->volts);
    memset(l->field, single, positions);
    double unit = rs_axis_volts(&dim[step]);
    l->has_volts = unit > 0;
    for (size_t i = 0; l->has_volts && i < positions; i++) l->volts[i] = unit * dim[step].values[i];
    note_unit(l, &dim[step]);
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

/* The field of pulses that have none. */
#define NO_FIELD 2

/* Voltages that alternate with rest tell the fields, when nothing else does. The last pulse needs
 * its rest, and rest before the first pulse belongs to none. */
static void find_pulses(rs_layout *l)
{
    int first = 0;
    if (l->field_axis >= 0 || l->positions > 2 * RS_WAVE_MAX_STEPS) return;
    for (int64_t i = 0; i < l->positions; i++)
        if (l->field[i] != l->field[0] || !isfinite(l->volts[i])) return;
    if (!rs_pulses_find(l->volts, (int)l->positions, &first)) return;
    const double rest = l->volts[1 - first];
    const int64_t pairs = (l->positions - first) / 2;
    memset(l->field, NO_FIELD, (size_t)l->positions);
    for (int64_t k = 0; k < pairs; k++) {
        l->field[first + 2 * k] = RS_FIELD_ON;
        l->field[first + 2 * k + 1] = RS_FIELD_OFF;
    }
    const size_t used = strlen(l->note);
    snprintf(l->note + used, sizeof l->note - used,
             "%spulses with %g V between them: read on-field in a pulse, off-field after it",
             used ? "; " : "", rest);
}

/* Counts the readings of each field along the step axis, or along it for each field of an axis. */
static void count_readings(rs_layout *l, int64_t n[2])
{
    int64_t k[3] = {0};
    for (int64_t i = 0; i < l->positions; i++) l->rank[i] = k[l->field[i]]++;
    n[0] = k[0];
    n[1] = k[1];
    if (l->field_axis < 0) return;
    n[0] = n[1] = 0;
    for (int64_t i = 0; i < l->n[l->field_axis]; i++) n[l->axis_field[i]] += l->positions;
}

/* Cycles that are told, if they divide the readings. */
static bool told_cycles(const rs_layout *l, int64_t row, int cycles, int *told)
{
    *told = cycles > 0 ? cycles : l->inner_cycles;
    return cycles > 0 || (l->inner_cycles > 0 && row % l->inner_cycles == 0 &&
                          (l->inner_cycles > 1 || l->outer_cycles > 1));
}

/* Gives the readings of one field, whose voltages are v [row], their places in whole cycles. */
static reshed_status place_readings(rs_layout *l, const double *v, int64_t row, int cycles,
                                    const char *path, reshed_error *err)
{
    rs_cycles c = {0};
    int told;
    if (told_cycles(l, row, cycles, &told)) {
        if (row % told)
            return rs_fail(err, RESHED_EINVAL, "cycles|a number that divides %lld steps|%d",
                           (long long)row, told);
        for (int64_t i = 0; i < row; i++) l->place[i] = i;
        l->cycles = told;
        l->steps = (int)(row / told);
        l->readings = row;
        return RESHED_OK;
    }
    reshed_status st = rs_cycles_find(v, (int)row, &c, err);
    if (st != RESHED_OK) return st;
    for (int64_t i = 0; i < row; i++) l->place[i] = -1;
    for (int k = 0; k < c.cycles; k++)
        for (int i = 0; i < c.length[k]; i++) l->place[c.begin[k] + i] = (int64_t)k * c.steps + i;
    l->cycles = c.cycles;
    l->steps = c.steps;
    l->readings = (int64_t)c.cycles * c.steps;
    if (c.rest > 0) {
        size_t used = strlen(l->note);
        snprintf(l->note + used, sizeof l->note - used,
                 "%s%d whole cycle%s used, the last %d of %lld steps left out", used ? "; " : "",
                 c.cycles, c.cycles > 1 ? "s" : "", c.rest, (long long)row);
    }
    if (l->readings > RS_WAVE_MAX_STEPS || l->outer_cycles > RS_WAVE_MAX_STEPS / l->readings)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "steps|at most %d|%lld in %lld cycles|%s",
                     RS_WAVE_MAX_STEPS, (long long)l->readings, (long long)l->outer_cycles, path);
    rs_cycles_clear(&c);
    return st;
}

/* The voltages of all places; what is filled up keeps the voltage before it. */
static reshed_status place_voltages(rs_layout *l, const double *v, int64_t row, reshed_error *err)
{
    const size_t n = (size_t)(l->readings * l->outer_cycles);
    l->v = rs_alloc(n, sizeof *l->v);
    if (!l->v) return rs_fail_nomem(err, "voltages", n * sizeof *l->v);
    for (int64_t i = 0; i < l->readings; i++) l->v[i] = NAN;
    for (int64_t i = 0; i < row; i++)
        if (l->place[i] >= 0) l->v[l->place[i]] = v[i];
    for (int64_t i = 1; i < l->readings; i++)
        if (isnan(l->v[i]) && i % l->steps > 0) l->v[i] = l->v[i - 1];
    for (int64_t c = 1; c < l->outer_cycles; c++)
        memcpy(l->v + c * l->readings, l->v, (size_t)l->readings * sizeof *l->v);
    return RESHED_OK;
}

reshed_status rs_layout_end(rs_layout *l, int cycles, const char *path, reshed_error *err)
{
    int64_t n[2], k = 0;
    find_pulses(l);
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
    double *v = rs_alloc((size_t)row, sizeof *v);
    if (!v) return rs_fail_nomem(err, "voltages", (size_t)row * sizeof *v);
    for (int64_t i = 0; i < l->positions; i++)
        if (l->field_axis >= 0 || l->field[i] == named) v[k++] = l->volts[i];
    reshed_status st = place_readings(l, v, row, cycles, path, err);
    if (st == RESHED_OK) st = place_voltages(l, v, row, err);
    rs_free(v);
    if (st != RESHED_OK) return st;
    l->cycles *= (int)l->outer_cycles;
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
    int64_t row = p.field < 0 ? l->rank[position] : position;
    if (p.field < 0) p.field = l->field[position];
    int64_t reading = p.field == NO_FIELD ? -1 : l->place[row];
    p.at = reading < 0 ? -1 : (point * l->outer_cycles + cycle) * l->readings + reading;
    for (int i = l->ndim - 1; i >= 0 && ++l->index[i] == l->n[i]; i--) l->index[i] = 0;
    return p;
}
