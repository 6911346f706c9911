#include "report/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/flags.h"
#include "beps/metrics.h"
#include "beps/waveform.h"

static const struct {
    const char *id[4];
    const char *name;
} roles[RS_REPORT_ROLES] = {
    [RS_REPORT_WIDTH] = {{"width_mid", "fit_width", "width_zero"}, "Loop width"},
    [RS_REPORT_COERCIVE] = {{"coercive_mid", "fit_coercive", "coercive_zero"}, "Coercive voltage"},
    [RS_REPORT_AREA] = {{"area", "area_refined", "fit_area"}, "Loop area"},
    [RS_REPORT_NUCLEATION_NEG] = {{"nucleation_neg", "nucleation_neg_slope"},
                                  "Negative nucleation bias"},
    [RS_REPORT_NUCLEATION_POS] = {{"nucleation_pos", "nucleation_pos_slope"},
                                  "Positive nucleation bias"},
};

static int find_metric(const rs_session_setup *s, const char *id)
{
    for (int k = 0; k < s->metrics; k++)
        if (strcmp(s->metric[k].name, id) == 0) return k;
    return -1;
}

static void find_roles(rs_report_data *d)
{
    static const char *const level[] = {"switchable", "r_plus_0", "fit_switchable", "r_plus_sat"};
    for (int r = 0; r < RS_REPORT_ROLES; r++) {
        d->role[r] = -1;
        for (int i = 0; i < 4 && roles[r].id[i] && d->role[r] < 0; i++)
            d->role[r] = find_metric(d->setup, roles[r].id[i]);
    }
    d->response_unit = "a.u.";
    for (int i = 0; i < 4; i++) {
        int k = find_metric(d->setup, level[i]);
        if (k < 0 || !*d->setup->metric[k].unit) continue;
        d->response_unit = d->setup->metric[k].unit;
        break;
    }
}

const double *rs_report_metric(const rs_report_data *d, rs_report_role role)
{
    if (d->role[role] < 0 || !d->metric) return NULL;
    return d->metric + (size_t)d->role[role] * (size_t)d->progress.points;
}

const char *rs_report_unit(const rs_report_data *d, rs_report_role role)
{
    const char *unit = d->role[role] < 0 ? "" : d->setup->metric[d->role[role]].unit;
    return strcmp(unit, "1") == 0 ? "" : unit;
}

const char *rs_report_role_name(rs_report_role role)
{
    return roles[role].name;
}

/* ------------------------------------------------------------------------------------ the frame */
static reshed_status no_memory(reshed_error *err)
{
    return rs_fail(err, RESHED_ENOMEM, "cannot allocate what a report is made of");
}

static reshed_status read_frame(rs_session *s, rs_report_data *d, reshed_error *err)
{
    size_t rows = (size_t)d->rows, n = rows * (size_t)d->cols;
    d->state = rs_alloc(rows, sizeof *d->state);
    d->arrival = rs_alloc(rows, sizeof *d->arrival);
    d->processed = rs_alloc(rows, sizeof *d->processed);
    if (!d->state || !d->arrival || !d->processed) return no_memory(err);
    reshed_status st = rs_session_read_states(s, 0, d->rows, d->state, err);
    if (st == RESHED_OK) st = rs_session_read_arrivals(s, false, d->arrival, err);
    if (st == RESHED_OK) st = rs_session_read_processed(s, d->processed, err);
    for (int m = 0; st == RESHED_OK && m < RS_SESSION_MAPS; m++) {
        if (!(d->map[m] = rs_alloc(n, sizeof *d->map[m]))) return no_memory(err);
        st = rs_session_read_map(s, (rs_session_map)m, 0, d->rows, d->map[m], err);
        for (size_t i = 0; st == RESHED_OK && i < n && !d->has_map[m]; i++)
            d->has_map[m] = isfinite(d->map[m][i]);
    }
    for (int m = 0; st == RESHED_OK && m < RS_SESSION_MASKS; m++) {
        if (!(d->mask[m] = rs_alloc(n, sizeof *d->mask[m]))) return no_memory(err);
        st = rs_session_read_mask(s, (rs_session_mask)m, 0, d->rows, d->mask[m], err);
        for (size_t i = 0; st == RESHED_OK && i < n && !d->has_mask[m]; i++)
            d->has_mask[m] = d->mask[m][i] != 0;
    }
    for (int r = 0; st == RESHED_OK && r < d->rows; r++) {
        d->final_rows += d->state[r] == RS_SESSION_FINAL;
        d->fresh_rows += d->state[r] == RS_SESSION_PROVISIONAL || d->state[r] == RS_SESSION_STALE;
        d->alarms += d->processed[r].alarm > 0;
    }
    return st;
}

/* ------------------------------------------------------------------------------------ the lists */
static reshed_status read_lists(rs_session *s, rs_report_data *d, reshed_error *err)
{
    const rs_session_progress *p = &d->progress;
    d->point = rs_alloc((size_t)p->points, sizeof *d->point);
    d->drift = rs_alloc((size_t)p->drifts, sizeof *d->drift);
    d->event = rs_alloc((size_t)p->events, sizeof *d->event);
    if (!d->point || !d->drift || !d->event) return no_memory(err);
    reshed_status st = rs_session_read_points(s, 0, p->points, d->point, err);
    if (st == RESHED_OK) st = rs_session_read_drift(s, 0, p->drifts, d->drift, err);
    if (st == RESHED_OK) st = rs_session_read_events(s, 0, p->events, d->event, err);
    for (int i = 0; st == RESHED_OK && i < p->points; i++)
        if (d->point[i].state >= 0 && d->point[i].state <= RS_SESSION_SKIPPED)
            d->of_state[d->point[i].state]++;
    return st;
}

/* ------------------------------------------------------------------------------------ the loops */
/* Step i of the cycles that count, of the response of one field. */
static double mean_of_cycles(const rs_report_data *d, const float *response, size_t i)
{
    const size_t steps = (size_t)d->setup->spectroscopy.steps, period = (size_t)d->steps;
    double sum = 0;
    int n = 0;
    for (size_t at = (size_t)d->first * period + i; at < steps; at += period)
        if (isfinite(response[at])) {
            sum += (double)response[at];
            n++;
        }
    return n ? sum / n : (double)NAN;
}

/* Takes loop k: NaN where its spectrum has not been analysed yet. */
static reshed_status read_loop(rs_session *s, rs_report_data *d, int k, float *response,
                               double *metric, reshed_error *err)
{
    int flags = find_metric(d->setup, "flags");
    const size_t steps = (size_t)d->setup->spectroscopy.steps, period = (size_t)d->steps;
    size_t points = (size_t)d->progress.points;
    rs_session_loop loop = {.response = response, .metric = d->setup->metrics ? metric : NULL};
    reshed_status st = rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, err);
    if (st != RESHED_OK) return st;
    int finite = 0;
    for (size_t i = 0; i < period; i++) {
        const double mean = mean_of_cycles(d, response + (size_t)d->field * steps, i);
        d->response[(size_t)k * period + i] = mean;
        finite += isfinite(mean) != 0;
        if (d->on_field) d->on_field[(size_t)k * period + i] = mean_of_cycles(d, response, i);
    }
    d->loop[k] = finite > 0;
    const bool bad = flags >= 0 && rs_loop_flags_bad(metric[flags]);
    d->trusted[k] = d->loop[k] && !bad;
    d->loops += d->loop[k];
    d->trusted_loops += d->trusted[k];
    for (int b = 0; d->loop[k] && bad && b < RS_LOOP_FLAGS; b++)
        d->of_flag[b] += ((uint32_t)metric[flags] & RS_LOOP_BAD) >> b & 1;
    for (int m = 0; m < d->setup->metrics; m++)
        if (!bad) d->metric[(size_t)m * points + (size_t)k] = metric[m];
    return RESHED_OK;
}

static reshed_status read_loops(rs_session *s, rs_report_data *d, reshed_error *err)
{
    const rs_spectroscopy *sp = &d->setup->spectroscopy;
    size_t points = (size_t)d->progress.points, metrics = (size_t)d->setup->metrics;
    if (sp->steps < 1) return RESHED_OK;
    d->steps = rs_waveform_period(sp->voltage, sp->steps);
    d->field = sp->off_field ? 1 : 0;
    const char *drop = rs_session_setting(s, "drop_first");
    d->first = sp->steps > d->steps && drop && strtod(drop, NULL) != 0;
    float *response = rs_alloc(2 * (size_t)sp->steps, sizeof *response);
    double *metric = rs_alloc(metrics + 1, sizeof *metric);
    d->metric = rs_alloc(metrics * points, sizeof *d->metric);
    d->response = rs_alloc(points * (size_t)d->steps, sizeof *d->response);
    if (d->field) d->on_field = rs_alloc(points * (size_t)d->steps, sizeof *d->on_field);
    d->loop = rs_zalloc(points, sizeof *d->loop);
    d->trusted = rs_zalloc(points, sizeof *d->trusted);
    reshed_status st = RESHED_OK;
    if (!response || !metric || !d->metric || !d->response || !d->loop || !d->trusted ||
        (d->field && !d->on_field)) {
        st = no_memory(err);
        goto done;
    }
    for (size_t i = 0; i < metrics * points; i++) d->metric[i] = NAN;
    for (size_t i = 0; i < points * (size_t)d->steps; i++) d->response[i] = NAN;
    for (size_t i = 0; d->on_field && i < points * (size_t)d->steps; i++) d->on_field[i] = NAN;
    for (int k = 0; st == RESHED_OK && k < d->progress.points; k++)
        if (d->point[k].state == RS_SESSION_MEASURED)
            st = read_loop(s, d, k, response, metric, err);
done:
    rs_free(response);
    rs_free(metric);
    return st;
}

reshed_status rs_report_data_read(rs_session *s, rs_report_data *d, reshed_error *err)
{
    *d = (rs_report_data){.session = s, .setup = rs_session_get_setup(s)};
    d->rows = d->setup->frame.rows;
    d->cols = d->setup->frame.cols;
    d->dx = d->setup->frame.width / d->cols;
    d->dy = d->setup->frame.height / d->rows;
    if (!(d->dx > 0 && d->dy > 0 && isfinite(d->dx) && isfinite(d->dy))) d->dx = d->dy = 0;
    find_roles(d);
    reshed_status st = rs_session_get_progress(s, &d->progress, err);
    if (st == RESHED_OK) st = read_frame(s, d, err);
    if (st == RESHED_OK) st = read_lists(s, d, err);
    return st == RESHED_OK ? read_loops(s, d, err) : st;
}

void rs_report_data_clear(rs_report_data *d)
{
    for (int m = 0; m < RS_SESSION_MAPS; m++) rs_free(d->map[m]);
    for (int m = 0; m < RS_SESSION_MASKS; m++) rs_free(d->mask[m]);
    rs_free(d->state);
    rs_free(d->arrival);
    rs_free(d->processed);
    rs_free(d->point);
    rs_free(d->drift);
    rs_free(d->event);
    rs_free(d->metric);
    rs_free(d->response);
    rs_free(d->on_field);
    rs_free(d->loop);
    rs_free(d->trusted);
    *d = (rs_report_data){0};
}

const char *rs_report_amplitude_unit(const rs_report_data *d)
{
    const rs_driver_caps *c = &d->setup->caps;
    if (c->bins > 0) return "V";
    for (int i = 0; i < c->channels; i++)
        if (strstr(c->channel[i], "mplitude")) return c->unit[i];
    return "";
}
