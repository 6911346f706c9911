#include "spm/scan/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spectra/lines.h"
#include "spm/scan/acquire.h"
#include "spm/scan/drift.h"

/* Longest single wait for the driver, s: between two looks at whether to stop. */
#define POLL 0.25

typedef struct list {
    rs_session *session;
    const rs_session_setup *setup;
    rs_instrument *instrument;
    const rs_scan_settings *settings;
    const float *amplitude;
    rs_measure_options options;
    rs_loop_analysis *analysis;
    rs_line_fit *fit; /* of patch lines; NULL without spectra */
    rs_spectrum spectrum;
    rs_session_loop loop;
    double *metric, *reference; /* [metrics]: the latest, what references are compared with */
    bool has_reference;
    float *patch; /* [patch,patch] */
    int metrics, patches, references;
    double dx, dy; /* m, where the sample went */
    rs_driver_status status;
} list;

static double now(const list *l)
{
    return rs_os_monotonic() - l->options.time_zero;
}

static bool wants_out(const list *l)
{
    return l->options.interrupted && l->options.interrupted(l->options.ctx);
}

static reshed_status log_event(list *l, rs_session_level level, const char *text, reshed_error *err)
{
    return rs_session_add_event(l->session, now(l), level, text, err);
}

double rs_measure_seconds(rs_instrument *instrument, const rs_scan_settings *s)
{
    double t = rs_instrument_spectroscopy_seconds(instrument);
    const double clock = rs_instrument_caps(instrument)->clock_rate;
    const double rate = isfinite(clock) && clock > 0 ? clock : INFINITY;
    if (isnan(t)) return 0;
    t += (0.1 * s->width / s->speed) / rate; /* the way */
    if (s->reference_every > 0) t += t / s->reference_every;
    if (s->drift_every > 0) t += s->patch / s->line_rate / s->drift_every / rate;
    return t;
}

/* ---------------------------------------------------------------------------------- one loop */

/* Twice what it should take and some seconds. When the caller interrupts it, l->status stays RETRY:
 * whoever sees that leaves things as they are, and the instrument is halted (rs_measure_points). */
static rs_wait patience(const list *l, double seconds)
{
    return (rs_wait){.poll = POLL,
                     .since = rs_os_monotonic(),
                     .within = 2 * seconds + l->settings->line_timeout,
                     .interrupted = l->options.interrupted,
                     .ctx = l->options.ctx};
}

static bool move_to(list *l, double x, double y, reshed_error *err)
{
    const double way = hypot(l->settings->width, l->settings->height) / l->settings->speed;
    const rs_wait wait = patience(l, way);
    l->status = rs_instrument_go(l->instrument, x, y, l->settings->speed, &wait, err);
    return l->status == RS_DRIVER_OK;
}

/* Moves, measures and analyses; false when there is no spectrum: l->status says why. */
static bool measure_at(list *l, double x, double y, reshed_error *err)
{
    if (!move_to(l, x, y, err)) return false;
    const double seconds = rs_instrument_spectroscopy_seconds(l->instrument);
    const rs_wait wait = patience(l, isnan(seconds) ? 60 : seconds);
    l->spectrum.steps = l->setup->spectroscopy.steps;
    l->spectrum.bins = l->setup->spectrum_bins;
    l->spectrum.fields = l->setup->spectroscopy.off_field ? 2 : 1;
    l->status = rs_instrument_measure(l->instrument, &wait, &l->spectrum, err);
    return l->status == RS_DRIVER_OK;
}

/* The loop of a spectrum, as the session keeps it. */
static reshed_status run_analysis(rs_loop_analysis *a, const rs_spectrum *s, rs_session_loop *loop,
                                  reshed_error *err)
{
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
    return rs_loop_analysis_run(a, &in, &out, err);
}

static reshed_status analyse(list *l, rs_session_series series, int k, reshed_error *err)
{
    reshed_status st = run_analysis(l->analysis, &l->spectrum, &l->loop, err);
    if (st == RESHED_OK) st = rs_session_put_loop(l->session, series, k, &l->loop, err);
    return st;
}

/* ------------------------------------------------------------------------------------- drift */

/* Scans `side` x `side` pixels around pixel (row, col) into l->patch. */
static bool scan_patch(list *l, int row0, int col0, int side, reshed_error *err)
{
    const rs_frame survey = l->setup->frame;
    const rs_frame f = rs_drift_patch_frame(&survey, row0, col0, side, side);
    const rs_acquire_options q = {
        .queue = 16, .poll = POLL, .line_timeout = l->settings->line_timeout};
    rs_acquire *a = NULL;
    for (int i = 0; i < side * side; i++) l->patch[i] = NAN;
    l->status = rs_instrument_set_frame(l->instrument, &f, 10, err);
    if (l->status == RS_DRIVER_OK)
        l->status = rs_acquire_start(l->instrument, &f, f.upward ? side - 1 : 0, &q, &a, err);
    if (l->status != RS_DRIVER_OK) return false;
    for (;;) {
        rs_arrived *it = rs_acquire_take(a, POLL);
        if (!it) {
            int n;
            const rs_acquire_state st = rs_acquire_ask(a, &n, NULL, &l->status, err);
            if (n == 0 && st != RS_ACQUIRE_RUNNING) break;
            if (wants_out(l)) rs_acquire_halt(a);
            continue;
        }
        const rs_line *line = &it->line;
        if (!it->lost && !line->retrace && line->row >= 0 && line->row < side) {
            float *out = l->patch + (size_t)line->row * (size_t)side;
            if (l->fit)
                rs_line_fit_run(l->fit, line->spectra, side, out, NULL, NULL, NULL);
            else
                memcpy(out, line->channel, (size_t)side * sizeof *out);
        }
        rs_acquire_give_back(a, it);
    }
    const rs_acquire_state st = rs_acquire_ask(a, NULL, NULL, &l->status, err);
    rs_acquire_end(a);
    if (st == RS_ACQUIRE_FAILED) return false;
    reshed_error ignored = {0};
    l->status = rs_instrument_set_frame(l->instrument, &survey, 10, &ignored);
    return true;
}

static int clamp_int(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Looks at the drift around a point. *changed: a different tip, by the contrast. */
static reshed_status follow_drift(list *l, const rs_session_point *p, bool *changed,
                                  reshed_error *err)
{
    const rs_frame *f = &l->setup->frame;
    const int side = l->setup->patch_rows;
    const int row0 = clamp_int((int)p->row - side / 2, 0, f->rows - side);
    const int col0 = clamp_int((int)p->col - side / 2, 0, f->cols - side);
    char text[RS_SESSION_EVENT_TEXT];
    rs_drift_options o;
    rs_drift_shift shift = {0};
    rs_contrast_options co;
    rs_contrast contrast = {0};
    *changed = false;
    const bool scanned = scan_patch(l, row0, col0, side, err);
    if (wants_out(l)) return RESHED_OK; /* half a patch says nothing */
    if (!scanned) {
        if (l->status == RS_DRIVER_LOST) return err->status;
        l->status = RS_DRIVER_OK;
        snprintf(text, sizeof text, "no patch for the drift: %s", err->what);
        return log_event(l, RS_SESSION_WARNING, text, err);
    }
    const rs_frame pf = rs_drift_patch_frame(f, row0, col0, side, side);
    const rs_session_patch sp = {.time = NAN,
                                 .acquired = now(l),
                                 .cx = pf.cx,
                                 .cy = pf.cy,
                                 .width = pf.width,
                                 .height = pf.height,
                                 .angle = pf.angle,
                                 .rows = side,
                                 .cols = side};
    reshed_status st = rs_session_put_patch(l->session, l->patches, &sp, l->patch, err);
    rs_drift_defaults(&o);
    o.threads = l->options.threads;
    if (st == RESHED_OK)
        st = rs_drift_match(l->amplitude, f->rows, f->cols, l->patch, side, side, row0, col0, &o,
                            &shift, err);
    if (st != RESHED_OK) return st;
    l->patches++;
    if (!shift.found) {
        snprintf(text, sizeof text, "drift not found: %s", rs_drift_reason_text(shift.reason));
        return log_event(l, RS_SESSION_WARNING, text, err);
    }
    rs_drift_metres(f, shift.drow, shift.dcol, &l->dx, &l->dy);
    const rs_session_drift d = {.time = NAN,
                                .dx = l->dx,
                                .dy = l->dy,
                                .vx = NAN,
                                .vy = NAN,
                                .sigma = rs_drift_sigma_metres(f, &shift),
                                .source = l->patches - 1};
    st = rs_session_add_drift(l->session, &d, err);
    rs_contrast_defaults(&co);
    if (st == RESHED_OK)
        st = rs_contrast_compare(l->amplitude, f->rows, f->cols, l->patch, side, side, row0, col0,
                                 shift.drow, shift.dcol, &co, &contrast, err);
    if (st != RESHED_OK || !contrast.known || !contrast.changed) return st;
    *changed = true;
    snprintf(text, sizeof text,
             "the tip seems changed: gain %.2f, blur %.2f px^2, correlation %.2f", contrast.gain,
             contrast.blur, contrast.correlation);
    return log_event(l, RS_SESSION_WARNING, text, err);
}

/* --------------------------------------------------------------------------------- reference */

static double metric_of(const list *l, const double *metric, const char *name)
{
    const int i = rs_loop_value_find(name);
    return i >= 0 && i < l->metrics ? metric[i] : NAN;
}

static double relative(double a, double b)
{
    return fabs(a - b) / fmax(fabs(b), 1e-30);
}

static const char *const watched[] = {"width_mid", "area"};

/* A loop to compare with, when there is a loop in it; else a later one has to do. */
static void take_reference(list *l, const double *metric)
{
    for (int i = 0; i < 2; i++)
        if (!isfinite(metric_of(l, metric, watched[i]))) return;
    memmove(l->reference, metric, (size_t)l->metrics * sizeof *metric);
    l->has_reference = true;
}

/* The reference loop at the first point; *changed against the first time. */
static reshed_status measure_reference(list *l, const rs_session_point *p, bool *changed,
                                       reshed_error *err)
{
    char text[RS_SESSION_EVENT_TEXT];
    *changed = false;
    if (!measure_at(l, p->x + l->dx, p->y + l->dy, err)) {
        if (l->status == RS_DRIVER_LOST) return err->status;
        if (l->status == RS_DRIVER_RETRY) return RESHED_OK;
        l->status = RS_DRIVER_OK;
        return log_event(l, RS_SESSION_WARNING, "the reference loop was lost", err);
    }
    reshed_status st = rs_session_put_spectrum(l->session, RS_SESSION_REFERENCES, l->references,
                                               &l->spectrum, err);
    if (st == RESHED_OK) st = analyse(l, RS_SESSION_REFERENCES, l->references, err);
    if (st != RESHED_OK) return st;
    l->references++;
    if (!l->has_reference) {
        take_reference(l, l->metric);
        return RESHED_OK;
    }
    for (int i = 0; i < 2; i++) {
        const double is = metric_of(l, l->metric, watched[i]),
                     was = metric_of(l, l->reference, watched[i]);
        if (!(relative(is, was) > l->settings->reference_change)) continue;
        *changed = true;
        snprintf(text, sizeof text, "reference loop: %s is %.4g, was %.4g", watched[i], is, was);
        if ((st = log_event(l, RS_SESSION_WARNING, text, err)) != RESHED_OK) return st;
    }
    return st;
}

/* -------------------------------------------------------------------------------------- list */

static reshed_status make_analysis(const rs_session_setup *setup, const rs_scan_settings *s,
                                   int threads, rs_loop_analysis **out, reshed_error *err)
{
    rs_loop_analysis_options o;
    rs_loop_analysis_defaults(&o);
    o.drop_first = s->drop_first != 0;
    o.cycles = (int)s->cycles;
    o.sho.threads = threads;
    return rs_loop_analysis_create(setup->spectroscopy.voltage, setup->spectroscopy.steps,
                                   setup->spectroscopy.off_field ? 2 : 1, setup->spectrum_frequency,
                                   setup->spectrum_bins, &o, out, err);
}

static void spectrum_clear(rs_spectrum *s, rs_session_loop *l)
{
    rs_free(s->spectra);
    rs_free(s->frequency);
    rs_free(s->amplitude);
    rs_free(s->phase);
    rs_free(l->amplitude);
    rs_free(l->frequency);
    rs_free(l->q);
    rs_free(l->phase);
    rs_free(l->response);
    rs_free(l->metric);
}

/* Arrays for a spectrum and its loop; spectrum_clear also after a failure. */
static reshed_status spectrum_make(const rs_session_setup *setup, rs_spectrum *s,
                                   rs_session_loop *l, reshed_error *err)
{
    const size_t n = (size_t)setup->spectroscopy.steps * 2, bins = (size_t)setup->spectrum_bins;
    float **row[] = {&s->amplitude, &s->phase, &l->amplitude, &l->frequency,
                     &l->q,         &l->phase, &l->response};
    bool ok = true;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        ok &= (*row[i] = rs_zalloc(n, sizeof(float))) != NULL;
    if (bins) {
        ok &= (s->spectra = rs_zalloc(2 * n * bins, sizeof *s->spectra)) != NULL;
        ok &= (s->frequency = rs_zalloc(bins, sizeof *s->frequency)) != NULL;
    }
    ok &= (l->metric = rs_zalloc(RS_SESSION_MAX_METRICS, sizeof *l->metric)) != NULL;
    return ok ? RESHED_OK : rs_fail_nomem(err, "a spectrum", 2 * n * (bins + 8) * sizeof(float));
}

static reshed_status list_make(list *l, reshed_error *err)
{
    const rs_session_setup *setup = l->setup;
    const size_t side = (size_t)setup->patch_rows;
    rs_sho_options o;
    rs_session_progress p;
    l->metrics = setup->metrics;
    reshed_status st = spectrum_make(setup, &l->spectrum, &l->loop, err);
    l->metric = l->loop.metric;
    if (st == RESHED_OK)
        st = make_analysis(setup, l->settings, l->options.threads, &l->analysis, err);
    rs_sho_options_defaults(&o);
    o.threads = l->options.threads;
    if (st == RESHED_OK && setup->caps.bins && side)
        st = rs_line_fit_create(setup->frequency, setup->caps.bins, (int)side, &o, &l->fit, err);
    if (st == RESHED_OK) st = rs_session_get_progress(l->session, &p, err);
    if (st != RESHED_OK) return st;
    l->patches = p.patches;
    l->references = p.references;
    l->patch = rs_zalloc(side * side + 1, sizeof *l->patch);
    l->reference = rs_zalloc(RS_SESSION_MAX_METRICS, sizeof *l->reference);
    if (!l->patch || !l->reference)
        return rs_fail_nomem(err, "a patch", side * side * sizeof *l->patch);
    for (int k = 0; st == RESHED_OK && k < p.references && !l->has_reference; k++) {
        rs_session_loop earlier = {.metric = l->metric}; /* resumed: it is in the session */
        st = rs_session_read_loop(l->session, RS_SESSION_REFERENCES, k, &earlier, err);
        if (st == RESHED_OK) take_reference(l, l->metric);
    }
    return st;
}

static void list_clear(list *l)
{
    rs_loop_analysis_free(l->analysis);
    rs_line_fit_free(l->fit);
    spectrum_clear(&l->spectrum, &l->loop);
    rs_free(l->patch);
    rs_free(l->reference);
}

static bool due(double every, int done)
{
    return every > 0 && done % (int)every == 0;
}

/* Drift and reference before point k, when they are due. */
static reshed_status look_around(list *l, const rs_session_point *first,
                                 const rs_session_point *next, int done, bool *changed,
                                 reshed_error *err)
{
    bool contrast = false, loop = false;
    reshed_status st = RESHED_OK;
    if (l->setup->patch_rows > 0 && due(l->settings->drift_every, done))
        st = follow_drift(l, next, &contrast, err);
    if (st == RESHED_OK && due(l->settings->reference_every, done))
        st = measure_reference(l, first, &loop, err);
    *changed = contrast || loop;
    return st;
}

/* One point of the list; it is measured, lost, or skipped afterwards. */
static reshed_status do_point(list *l, int k, rs_session_point *p, reshed_error *err)
{
    p->device_x = p->x + l->dx;
    p->device_y = p->y + l->dy;
    if (measure_at(l, p->device_x, p->device_y, err)) {
        reshed_status st = rs_session_put_points(l->session, k, 1, p, err);
        if (st == RESHED_OK)
            st = rs_session_put_spectrum(l->session, RS_SESSION_POINTS, k, &l->spectrum, err);
        return st == RESHED_OK ? analyse(l, RS_SESSION_POINTS, k, err) : st;
    }
    if (l->status == RS_DRIVER_LOST) return err->status;
    if (l->status == RS_DRIVER_RETRY) return RESHED_OK; /* it stays pending */
    char text[RS_SESSION_EVENT_TEXT];
    snprintf(text, sizeof text, "point %d: %s", k, err->what);
    p->state = l->status == RS_DRIVER_LOST_LINE ? RS_SESSION_POINT_LOST : RS_SESSION_SKIPPED;
    l->status = RS_DRIVER_OK;
    for (int i = 0; i < l->metrics; i++) l->metric[i] = NAN;
    reshed_status st = rs_session_put_points(l->session, k, 1, p, err);
    return st == RESHED_OK ? log_event(l, RS_SESSION_WARNING, text, err) : st;
}

static reshed_status skip_rest(list *l, int k, int n, rs_session_point *p, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (; st == RESHED_OK && k < n; k++) {
        if (p[k].state != RS_SESSION_PENDING) continue;
        p[k].state = RS_SESSION_SKIPPED;
        st = rs_session_put_points(l->session, k, 1, &p[k], err);
    }
    return st == RESHED_OK ? log_event(l, RS_SESSION_NOTE, "out of time: the rest is left out", err)
                           : st;
}

static rs_measure_end run(list *l, int n, rs_session_point *p, reshed_error *err)
{
    const double start = rs_os_monotonic();
    int done = 0;
    for (int k = 0; k < n; k++) {
        bool changed = false;
        if (p[k].state != RS_SESSION_PENDING) continue;
        if (wants_out(l)) return RS_MEASURE_INTERRUPTED;
        if (l->settings->budget > 0 && rs_os_monotonic() - start > l->settings->budget)
            return skip_rest(l, k, n, p, err) == RESHED_OK ? RS_MEASURE_OUT_OF_TIME
                                                           : RS_MEASURE_FAILED;
        if (look_around(l, &p[0], &p[k], done, &changed, err) != RESHED_OK)
            return RS_MEASURE_FAILED;
        if (wants_out(l)) return RS_MEASURE_INTERRUPTED;
        if (changed && done > 0) return RS_MEASURE_TIP_CHANGED;
        if (do_point(l, k, &p[k], err) != RESHED_OK) return RS_MEASURE_FAILED;
        if (l->status == RS_DRIVER_RETRY) return RS_MEASURE_INTERRUPTED;
        done++;
        const double each = (rs_os_monotonic() - start) / done;
        const rs_measure_news news = {
            .done = k + 1, .of = n, .metric = l->metric, .left = each * (n - k - 1)};
        if (l->options.news) l->options.news(l->options.ctx, &news);
    }
    return RS_MEASURE_COMPLETE;
}

rs_measure_end rs_measure_points(rs_session *session, rs_instrument *instrument,
                                 const rs_scan_settings *settings, const float *amplitude,
                                 const rs_measure_options *options, rs_driver_status *status,
                                 reshed_error *err)
{
    list l = {.session = session,
              .setup = rs_session_get_setup(session),
              .instrument = instrument,
              .settings = settings,
              .amplitude = amplitude,
              .options = *options};
    rs_session_progress progress;
    rs_measure_end end = RS_MEASURE_FAILED;
    rs_session_point *p = NULL;
    reshed_status st = rs_session_get_progress(session, &progress, err);
    if (st == RESHED_OK && progress.points > 0) {
        p = rs_zalloc((size_t)progress.points, sizeof *p);
        if (!p) st = rs_fail_nomem(err, "points", (size_t)progress.points * sizeof *p);
        if (st == RESHED_OK) st = rs_session_read_points(session, 0, progress.points, p, err);
    }
    if (st == RESHED_OK) st = list_make(&l, err);
    if (st == RESHED_OK) end = run(&l, progress.points, p, err);
    if (end == RS_MEASURE_INTERRUPTED) { /* a loop may be under way: at once, not when it is over */
        reshed_error ignored = {0};
        rs_instrument_halt(l.instrument, 10, &ignored);
    }
    *status = l.status;
    list_clear(&l);
    rs_free(p);
    return end;
}

reshed_status rs_measure_analyse(rs_session *session, const rs_scan_settings *settings, bool write,
                                 double *out, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(session);
    rs_session_progress progress;
    rs_loop_analysis *analysis = NULL;
    rs_spectrum s = {0};
    rs_session_loop loop = {0};
    rs_session_point point;
    reshed_status st = rs_session_get_progress(session, &progress, err);
    if (st == RESHED_OK && progress.points == 0) return st;
    if (st == RESHED_OK) st = spectrum_make(setup, &s, &loop, err);
    if (st == RESHED_OK) st = make_analysis(setup, settings, 0, &analysis, err);
    for (int k = 0; st == RESHED_OK && k < progress.points; k++) {
        if (out)
            for (int i = 0; i < setup->metrics; i++) out[k * setup->metrics + i] = NAN;
        st = rs_session_read_points(session, k, 1, &point, err);
        if (st != RESHED_OK || point.state != RS_SESSION_MEASURED) continue;
        s.steps = setup->spectroscopy.steps;
        s.bins = setup->spectrum_bins;
        s.fields = setup->spectroscopy.off_field ? 2 : 1;
        st = rs_session_read_spectrum(session, RS_SESSION_POINTS, k, &s, err);
        if (st == RESHED_OK) st = run_analysis(analysis, &s, &loop, err);
        if (st == RESHED_OK && write)
            st = rs_session_put_loop(session, RS_SESSION_POINTS, k, &loop, err);
        if (st == RESHED_OK && out)
            memcpy(out + k * setup->metrics, loop.metric, (size_t)setup->metrics * sizeof *out);
    }
    rs_loop_analysis_free(analysis);
    spectrum_clear(&s, &loop);
    return st;
}
