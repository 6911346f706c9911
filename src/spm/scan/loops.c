#include "spm/scan/loops.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/flags.h"

/* s that a loop is taken to last when the driver does not say. */
#define UNKNOWN_LOOP 60

static reshed_status make_analysis(rs_scan_loops *l, reshed_error *err)
{
    const rs_session_setup *setup = l->setup;
    const rs_scan_settings *s = l->context->settings;
    rs_loop_analysis_options o;
    rs_loop_analysis_defaults(&o);
    o.drop_first = s->drop_first != 0;
    o.cycles = (int)s->cycles;
    o.sho.threads = l->context->threads;
    return rs_loop_analysis_create(setup->spectroscopy.voltage, setup->spectroscopy.steps,
                                   setup->spectroscopy.off_field ? 2 : 1, setup->spectrum_frequency,
                                   setup->spectrum_bins, &o, &l->analysis, err);
}

static reshed_status make_arrays(rs_scan_loops *l, reshed_error *err)
{
    rs_spectrum *s = &l->spectrum;
    rs_session_loop *loop = &l->loop;
    const size_t n = (size_t)l->setup->spectroscopy.steps * 2;
    const size_t bins = (size_t)l->setup->spectrum_bins;
    float **row[] = {&s->amplitude, &s->phase,    &loop->amplitude, &loop->frequency,
                     &loop->q,      &loop->phase, &loop->response};
    bool ok = true;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        ok &= (*row[i] = rs_zalloc(n, sizeof(float))) != NULL;
    if (bins) {
        ok &= (s->spectra = rs_zalloc(2 * n * bins, sizeof *s->spectra)) != NULL;
        ok &= (s->frequency = rs_zalloc(bins, sizeof *s->frequency)) != NULL;
    }
    ok &= (loop->metric = rs_zalloc(RS_SESSION_MAX_METRICS, sizeof *loop->metric)) != NULL;
    return ok ? RESHED_OK : rs_fail_nomem(err, "a spectrum", 2 * n * (bins + 8) * sizeof(float));
}

reshed_status rs_scan_loops_init(rs_scan_loops *l, const rs_scan_context *c, reshed_error *err)
{
    *l = (rs_scan_loops){.context = c, .setup = rs_session_get_setup(c->session)};
    reshed_status st = make_arrays(l, err);
    return st == RESHED_OK ? make_analysis(l, err) : st;
}

void rs_scan_loops_clear(rs_scan_loops *l)
{
    rs_loop_analysis_free(l->analysis);
    rs_free(l->spectrum.spectra);
    rs_free(l->spectrum.frequency);
    rs_free(l->spectrum.amplitude);
    rs_free(l->spectrum.phase);
    rs_free(l->loop.amplitude);
    rs_free(l->loop.frequency);
    rs_free(l->loop.q);
    rs_free(l->loop.phase);
    rs_free(l->loop.response);
    rs_free(l->loop.metric);
    memset(l, 0, sizeof *l);
}

/* The capacities of l->spectrum. */
static void set_sizes(rs_scan_loops *l)
{
    l->spectrum.steps = l->setup->spectroscopy.steps;
    l->spectrum.bins = l->setup->spectrum_bins;
    l->spectrum.fields = l->setup->spectroscopy.off_field ? 2 : 1;
}

rs_driver_status rs_scan_loops_measure(rs_scan_loops *l, double x, double y, reshed_error *err)
{
    const rs_scan_context *c = l->context;
    const rs_scan_settings *s = c->settings;
    rs_wait wait = rs_scan_patience(c, hypot(s->width, s->height) / s->speed);
    rs_driver_status st = rs_instrument_go(c->instrument, x, y, s->speed, &wait, err);
    if (st != RS_DRIVER_OK) return st;
    const double seconds = rs_instrument_spectroscopy_seconds(c->instrument);
    wait = rs_scan_patience(c, isnan(seconds) ? UNKNOWN_LOOP : seconds);
    set_sizes(l);
    return rs_instrument_measure(c->instrument, &wait, &l->spectrum, err);
}

/* Makes l->loop of l->spectrum. */
static reshed_status run_analysis(rs_scan_loops *l, reshed_error *err)
{
    const rs_spectrum *s = &l->spectrum;
    const rs_session_loop *loop = &l->loop;
    const rs_loop_readings in = {.steps = s->steps,
                                 .bins = s->bins,
                                 .fields = s->fields,
                                 .spectra = s->spectra,
                                 .amplitude = s->amplitude,
                                 .phase = s->phase};
    const rs_loop_result out = {.amplitude = loop->amplitude,
                                .frequency = loop->frequency,
                                .q = loop->q,
                                .phase = loop->phase,
                                .response = loop->response,
                                .value = loop->metric};
    return rs_loop_analysis_run(l->analysis, &in, &out, err);
}

reshed_status rs_scan_loops_judge(rs_scan_loops *l, bool *bad, reshed_error *err)
{
    const int flags = rs_loop_value_find("flags");
    reshed_status st = run_analysis(l, err);
    *bad = st == RESHED_OK && ((uint32_t)l->loop.metric[flags] & RS_LOOP_BAD_SPECTRA);
    return st;
}

reshed_status rs_scan_loops_analyse(rs_scan_loops *l, rs_session_series series, int k,
                                    reshed_error *err)
{
    reshed_status st = run_analysis(l, err);
    if (st == RESHED_OK) st = rs_session_put_loop(l->context->session, series, k, &l->loop, err);
    return st;
}

/* Metrics of point k, if it was measured. */
static reshed_status analyse_point(rs_scan_loops *l, int k, double *metric, reshed_error *err)
{
    const size_t n = (size_t)l->setup->metrics;
    rs_session *session = l->context->session;
    rs_session_point point;
    for (size_t i = 0; i < n; i++) metric[i] = NAN;
    reshed_status st = rs_session_read_points(session, k, 1, &point, err);
    if (st != RESHED_OK || point.state != RS_SESSION_MEASURED) return st;
    set_sizes(l);
    st = rs_session_read_spectrum(session, RS_SESSION_POINTS, k, &l->spectrum, err);
    if (st == RESHED_OK) st = run_analysis(l, err);
    if (st == RESHED_OK) memcpy(metric, l->loop.metric, n * sizeof *metric);
    return st;
}

reshed_status rs_scan_loops_again(const rs_scan_context *c, double *metrics, reshed_error *err)
{
    rs_session_progress progress;
    rs_scan_loops l = {0};
    reshed_status st = rs_session_get_progress(c->session, &progress, err);
    if (st != RESHED_OK || progress.points == 0) return st;
    st = rs_scan_loops_init(&l, c, err);
    for (int k = 0; st == RESHED_OK && k < progress.points; k++)
        st = analyse_point(&l, k, metrics + (size_t)k * (size_t)l.setup->metrics, err);
    rs_scan_loops_clear(&l);
    return st;
}

reshed_status rs_scan_loops_trusted(rs_session *s, int *trusted, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(s);
    double metric[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = metric};
    rs_session_progress p;
    int flags = -1, n = 0;
    for (int m = 0; m < setup->metrics; m++)
        if (strcmp(setup->metric[m].name, "flags") == 0) flags = m;
    *trusted = 0;
    reshed_status st = rs_session_get_progress(s, &p, err);
    for (int k = 0; st == RESHED_OK && flags >= 0 && k < p.points; k++) {
        rs_session_point point;
        st = rs_session_read_points(s, k, 1, &point, err);
        if (st != RESHED_OK || point.state != RS_SESSION_MEASURED) continue;
        st = rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, err);
        /* The file may hold any number; NaN: not analysed yet. */
        n += st == RESHED_OK && metric[flags] >= 0 && metric[flags] < 4294967296.0 &&
             !((uint32_t)metric[flags] & RS_LOOP_BAD);
    }
    if (st == RESHED_OK) *trusted = n;
    return st;
}
