/* Spectra of the points and of the reference loops, and what was made of them.
 *
 *     /BEPS/...              one entry for each point
 *     /Reference loops/...   one for each reference loop, with a table of where and when */
#include <string.h>

#include "spm/session/durability.h"
#include "spm/session/session.h"

static const struct {
    const char *name, *unit; /* NULL: the amplitude's */
} series_data[SERIES_ITEMS] = {
    [SERIES_SPECTRA] = {"spectra", "V"},
    [SERIES_AMPLITUDE] = {"amplitude", NULL},
    [SERIES_PHASE] = {"phase", "rad"},
    [SERIES_SHO_AMPLITUDE] = {"sho_amplitude", NULL},
    [SERIES_SHO_FREQUENCY] = {"sho_frequency", "Hz"},
    [SERIES_SHO_Q] = {"sho_q", "1"},
    [SERIES_SHO_PHASE] = {"sho_phase", "rad"},
    [SERIES_RESPONSE] = {"response", NULL},
};

static int series_item(rs_session_series series, int kind)
{
    return ITEM_SERIES + (int)series * SERIES_ITEMS + kind;
}

static int table_item(rs_session_series series)
{
    return series == RS_SESSION_POINTS ? ITEM_POINTS : ITEM_REFERENCES;
}

/* --------------------------------------------------------------------------------------- layout */
static const char *series_group(int series)
{
    return series == RS_SESSION_POINTS ? "/BEPS" : "/Reference loops";
}

static bool place_data(const rs_session_setup *s, int series, int kind, rs_session_place *p)
{
    const int steps = s->spectroscopy.steps, fields = s->spectroscopy.off_field ? 2 : 1;
    const char *group = series_group(series), *name = series_data[kind].name;
    if (steps == 0 || (kind == SERIES_SPECTRA && s->spectrum_bins == 0)) return false;
    if (kind == SERIES_SPECTRA) {
        rs_session_place_growing(p, CELL_C32, group, name, 1, fields, steps, s->spectrum_bins);
        p->about = "[point, field, step, bin]; field 0 is on field";
    } else {
        rs_session_place_growing(p, CELL_F32, group, name, 16, fields, steps, 0);
        p->about = "[point, field, step]; field 0 is on field";
    }
    rs_session_place_unit(p, s, series_data[kind].unit);
    return true;
}

static bool place_metric(const rs_session_setup *s, int series, rs_session_place *p)
{
    if (s->spectroscopy.steps == 0 || s->metrics == 0) return false;
    rs_session_place_growing(p, CELL_F64, series_group(series), "metrics", 16, s->metrics, 0, 0);
    p->about = "[point, metric]; metric_names and metric_units beside it";
    return true;
}

bool rs_session_place_series(const rs_session_setup *s, int item, rs_session_place *p)
{
    if (item >= ITEM_METRIC) return place_metric(s, item - ITEM_METRIC, p);
    if (item >= ITEM_SERIES)
        return place_data(s, (item - ITEM_SERIES) / SERIES_ITEMS,
                          (item - ITEM_SERIES) % SERIES_ITEMS, p);
    rs_session_place_growing(p, CELL_REFERENCE, series_group(RS_SESSION_REFERENCES), "table", 64, 0,
                             0, 0);
    return true;
}

/* -------------------------------------------------------------------------------------- spectra */
static reshed_status check_series(const rs_session *s, rs_session_series series, int k,
                                  bool may_add, reshed_error *err)
{
    const char *what = series == RS_SESSION_POINTS ? "points" : "reference loops";
    if (s->setup.spectroscopy.steps == 0)
        return rs_fail(err, RESHED_EINVAL, "spectra|a session with spectroscopy|one without");
    if (may_add && series == RS_SESSION_REFERENCES)
        return rs_session_check_entries(s, ITEM_REFERENCES, k, 1, what, err);
    return rs_session_check_there(s, table_item(series), k, 1, what, err);
}

static reshed_status check_spectrum(const rs_session *s, const rs_spectrum *p, reshed_error *err)
{
    int fields = s->setup.spectroscopy.off_field ? 2 : 1;
    bool bins = s->setup.spectrum_bins > 0;
    if (p->steps == s->setup.spectroscopy.steps && p->bins == s->setup.spectrum_bins &&
        p->fields == fields && (bins ? p->spectra != NULL : p->amplitude && p->phase))
        return RESHED_OK;
    return rs_fail(
        err, RESHED_EINVAL, "spectrum|%d fields, %d steps, %d bins and their values|%d, %d, %d",
        fields, s->setup.spectroscopy.steps, s->setup.spectrum_bins, p->fields, p->steps, p->bins);
}

/* Puts where and when, after the data. */
static reshed_status note_measured(rs_session *s, rs_session_series series, int k,
                                   const rs_spectrum *spectrum, reshed_error *err)
{
    if (series == RS_SESSION_REFERENCES) {
        const rs_session_reference r = {spectrum->x, spectrum->y, spectrum->time,
                                        RS_SESSION_MEASURED};
        return rs_session_put_entries(s, ITEM_REFERENCES, (hsize_t)k, 1, &r, err);
    }
    const double xy[2] = {spectrum->x, spectrum->y};
    rs_session_point p;
    reshed_status st = rs_session_get_entries(s, ITEM_POINTS, (hsize_t)k, 1, &p, err);
    if (st == RESHED_OK) st = rs_session_put_entries(s, ITEM_MEASURE, (hsize_t)k, 1, xy, err);
    if (st != RESHED_OK) return st;
    p.measured_x = xy[0];
    p.measured_y = xy[1];
    p.time = spectrum->time;
    p.state = RS_SESSION_MEASURED;
    return rs_session_put_entries(s, ITEM_POINTS, (hsize_t)k, 1, &p, err);
}

static reshed_status put_spectrum(rs_session *s, rs_session_series series, int k,
                                  const rs_spectrum *p, reshed_error *err)
{
    const float *const data[] = {[SERIES_SPECTRA] = s->setup.spectrum_bins ? p->spectra : NULL,
                                 [SERIES_AMPLITUDE] = p->amplitude,
                                 [SERIES_PHASE] = p->phase};
    reshed_status st = RESHED_OK;
    for (int i = SERIES_SPECTRA; st == RESHED_OK && i <= SERIES_PHASE; i++)
        if (data[i])
            st = rs_session_put_entries(s, series_item(series, i), (hsize_t)k, 1, data[i], err);
    if (st == RESHED_OK) st = rs_session_order(s, err);
    return st == RESHED_OK ? note_measured(s, series, k, p, err) : st;
}

reshed_status rs_session_put_spectrum(rs_session *s, rs_session_series series, int k,
                                      const rs_spectrum *spectrum, reshed_error *err)
{
    reshed_status st = check_series(s, series, k, true, err);
    if (st == RESHED_OK) st = check_spectrum(s, spectrum, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, true, put_spectrum(s, series, k, spectrum, err), err);
}

static reshed_status read_spectrum(rs_session *s, rs_session_series series, int k, rs_spectrum *p,
                                   reshed_error *err)
{
    float *const data[] = {[SERIES_SPECTRA] = s->setup.spectrum_bins ? p->spectra : NULL,
                           [SERIES_AMPLITUDE] = p->amplitude,
                           [SERIES_PHASE] = p->phase};
    double x, y, time;
    reshed_status st;
    if (series == RS_SESSION_REFERENCES) {
        rs_session_reference r;
        st = rs_session_get_entries(s, ITEM_REFERENCES, (hsize_t)k, 1, &r, err);
        x = r.x, y = r.y, time = r.time;
    } else {
        rs_session_point point;
        st = rs_session_get_entries(s, ITEM_POINTS, (hsize_t)k, 1, &point, err);
        x = point.measured_x, y = point.measured_y, time = point.time;
    }
    for (int i = SERIES_SPECTRA; st == RESHED_OK && i <= SERIES_PHASE; i++)
        if (data[i])
            st = rs_session_get_entries(s, series_item(series, i), (hsize_t)k, 1, data[i], err);
    if (st != RESHED_OK) return st;
    if (p->frequency && s->setup.spectrum_bins)
        memcpy(p->frequency, s->setup.spectrum_frequency,
               (size_t)s->setup.spectrum_bins * sizeof *p->frequency);
    p->steps = s->setup.spectroscopy.steps;
    p->bins = s->setup.spectrum_bins;
    p->fields = s->setup.spectroscopy.off_field ? 2 : 1;
    p->x = x;
    p->y = y;
    p->time = time;
    return RESHED_OK;
}

reshed_status rs_session_read_spectrum(rs_session *s, rs_session_series series, int k,
                                       rs_spectrum *spectrum, reshed_error *err)
{
    reshed_status st = check_series(s, series, k, false, err);
    if (st != RESHED_OK) return st;
    if (spectrum->steps < s->setup.spectroscopy.steps ||
        ((spectrum->spectra || spectrum->frequency) && spectrum->bins < s->setup.spectrum_bins))
        return rs_fail(err, RESHED_EINVAL, "room for a spectrum|%d steps, %d bins|%d, %d",
                       s->setup.spectroscopy.steps, s->setup.spectrum_bins, spectrum->steps,
                       spectrum->bins);
    return read_spectrum(s, series, k, spectrum, err);
}

/* ---------------------------------------------------------------------------------------- loops */
#define LOOP_ARRAYS (SERIES_ITEMS - SERIES_SHO_AMPLITUDE)

static void loop_arrays(const rs_session_loop *loop, float *out[LOOP_ARRAYS])
{
    out[SERIES_SHO_AMPLITUDE - SERIES_SHO_AMPLITUDE] = loop->amplitude;
    out[SERIES_SHO_FREQUENCY - SERIES_SHO_AMPLITUDE] = loop->frequency;
    out[SERIES_SHO_Q - SERIES_SHO_AMPLITUDE] = loop->q;
    out[SERIES_SHO_PHASE - SERIES_SHO_AMPLITUDE] = loop->phase;
    out[SERIES_RESPONSE - SERIES_SHO_AMPLITUDE] = loop->response;
}

reshed_status rs_session_put_loop(rs_session *s, rs_session_series series, int k,
                                  const rs_session_loop *loop, reshed_error *err)
{
    float *data[LOOP_ARRAYS];
    loop_arrays(loop, data);
    reshed_status st = check_series(s, series, k, false, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; st == RESHED_OK && i < LOOP_ARRAYS; i++)
        if (data[i])
            st = rs_session_put_entries(s, series_item(series, SERIES_SHO_AMPLITUDE + i),
                                        (hsize_t)k, 1, data[i], err);
    if (st == RESHED_OK && loop->metric && s->setup.metrics)
        st = rs_session_put_entries(s, ITEM_METRIC + (int)series, (hsize_t)k, 1, loop->metric, err);
    return rs_session_end_put(s, false, st, err);
}

reshed_status rs_session_read_loop(rs_session *s, rs_session_series series, int k,
                                   rs_session_loop *loop, reshed_error *err)
{
    float *data[LOOP_ARRAYS];
    loop_arrays(loop, data);
    reshed_status st = check_series(s, series, k, false, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; st == RESHED_OK && i < LOOP_ARRAYS; i++)
        if (data[i])
            st = rs_session_get_entries(s, series_item(series, SERIES_SHO_AMPLITUDE + i),
                                        (hsize_t)k, 1, data[i], err);
    if (st == RESHED_OK && loop->metric && s->setup.metrics)
        st = rs_session_get_entries(s, ITEM_METRIC + (int)series, (hsize_t)k, 1, loop->metric, err);
    return st;
}
