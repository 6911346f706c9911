#include "spm/scan/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "infer/engine.h"
#include "infer/judge.h"
#include "io/weights/model.h"
#include "spm/instrument/words.h"
#include "spm/scan/resume.h"

/* s: an instrument may take so long until it answers for the first time. */
#define OPEN 30.0
/* Pixels a side that a frame needs to be adopted: the least of rs_live_create. */
#define LEAST 16

/* -------------------------------------------------------------------------------------- weights */

reshed_status rs_scan_run_load_weights(rs_scan_run *r, const char *path, reshed_error *err)
{
    r->weights = r->where = path;
    reshed_status st = rs_ensemble_load(path, &r->ensemble, err);
    if (st != RESHED_OK) return st;
    rs_model_file_digest(&r->ensemble->model, r->digest);
    r->where = NULL;
    return st;
}

reshed_status rs_scan_run_make_stream(rs_scan_run *r, reshed_error *err)
{
    r->streaming = r->plan->stream;
    rs_live_options o = r->plan->stream; /* the plan keeps the wish, for other machines */
    const char *reason;
    if (o.preview == RS_PREVIEW_BF16 && !rs_engine_bf16_pays(&reason)) {
        reshed_error why = {0};
        o.preview = RS_PREVIEW_FP32;
        rs_fail(&why, RESHED_EUNSUPPORTED, "%s", reason);
        if (r->warn)
            r->warn(r->ctx, false, "bf16 does not pay on this processor, fp32 is used", &why);
    }
    return rs_live_create_taking(r->ensemble, r->frame.rows, r->frame.cols, &o, &r->stream, err);
}

/* ----------------------------------------------------------------------------------- instrument */

/* err's status, also where the driver did not set one itself. */
static reshed_status driver_failed(rs_driver_status st, reshed_error *err)
{
    *err = rs_outcome_driver(st, err).err;
    return err->status;
}

/* Takes the settings of the frame that were not given from the instrument. */
static void adopt_frame(rs_scan_run *r)
{
    rs_scan_settings *s = &r->plan->settings;
    rs_frame f = {0};
    if (r->resumed ||
        rs_instrument_get_frame(r->instrument, &f, RS_SCAN_CALL, NULL) != RS_DRIVER_OK ||
        f.rows < LEAST || f.cols < LEAST || !(f.width > 0) || !(f.height > 0))
        return;
    const struct {
        const char *name;
        double *setting, value;
    } a[] = {{"x", &s->x, f.cx},
             {"y", &s->y, f.cy},
             {"width", &s->width, f.width},
             {"height", &s->height, f.height},
             {"angle", &s->angle, f.angle},
             {"rows", &s->rows, f.rows},
             {"cols", &s->cols, f.cols},
             {"line_rate", &s->line_rate, f.line_rate},
             {"upward", &s->upward, f.upward}};
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        if (!rs_scan_plan_given(r->plan, a[i].name)) *a[i].setting = a[i].value;
}

/* Sets the spectroscopy. An instrument that has none at all is no failure unless one was asked
 * for: no loops are measured then. */
static reshed_status try_spectroscopy(rs_scan_run *r, const rs_spectroscopy *sp, reshed_error *err)
{
    reshed_error why = {0};
    rs_driver_status st = RS_DRIVER_REFUSED;
    if (rs_instrument_can_measure(r->instrument))
        st = rs_instrument_set_spectroscopy(r->instrument, sp, RS_SCAN_CALL, &why);
    else
        rs_fail(&why, RESHED_EUNSUPPORTED, "spectroscopy||this driver has none");
    if (st == RS_DRIVER_OK) return RESHED_OK;
    if (st != RS_DRIVER_REFUSED || r->resumed || rs_scan_plan_given(r->plan, "voltage") ||
        rs_scan_plan_given(r->plan, "shape")) {
        *err = why;
        return driver_failed(st, err);
    }
    if (r->warn) r->warn(r->ctx, false, "no loops are measured", &why);
    r->plan->settings.voltage = 0;
    return RESHED_OK;
}

/* An end that was asked for must be possible; of the default what is possible is done. */
static reshed_status check_end(const rs_scan_run *r, reshed_error *err)
{
    const rs_rest how = rs_scan_rest(&r->plan->settings);
    if (how.tip == RS_TIP_WITHDRAW && !rs_scan_plan_given(r->plan, "end")) return RESHED_OK;
    return rs_rest_check(r->instrument, &how, err);
}

/* A drive of its own, that is without band excitation. It is set where be_amplitude was asked for: what a
 * person has set on the instrument is not overwritten with a default. */
static bool has_drive(const rs_scan_run *r)
{
    return !rs_instrument_caps(r->instrument)->bins && rs_instrument_can_drive(r->instrument);
}

/* The excitation of bands is set by the plan; else it is left as the instrument has it. */
static bool sets_band(const rs_scan_run *r)
{
    return rs_instrument_caps(r->instrument)->band_excitation && r->plan->settings.be_band > 0;
}

/* Nothing would switch on again what the end of a region switches off. */
static reshed_status check_drive(const rs_scan_run *r, reshed_error *err)
{
    static const char why[] =
        "of an acquisition of several regions, between which the drive is off";
    if (r->plan->regions == 0) return RESHED_OK;
    if (rs_instrument_caps(r->instrument)->band_excitation &&
        rs_instrument_caps(r->instrument)->bins && !sets_band(r))
        return rs_fail(err, RESHED_EINVAL, "be_band %s|above 0 Hz|0", why);
    if (has_drive(r) && !rs_scan_plan_given(r->plan, "be_amplitude"))
        return rs_fail(err, RESHED_EINVAL, "be_amplitude %s|a voltage|none", why);
    return RESHED_OK;
}

static bool asks_for_loops(const rs_scan_run *r)
{
    return rs_scan_plan_given(r->plan, "voltage") || rs_scan_plan_given(r->plan, "shape");
}

/* Refuses now what would be refused later: other regions, speed, voltages, the end. */
static reshed_status check_plan(rs_scan_run *r, reshed_error *err)
{
    const rs_scan_settings *s = &r->plan->settings;
    /* An instrument without spectroscopy may allow no bias at all: the default waveform is not held
     * against limits that are none. */
    if (s->voltage > 0 && !r->resumed && !asks_for_loops(r) &&
        !rs_instrument_can_measure(r->instrument)) {
        reshed_error why = {0};
        rs_fail(&why, RESHED_EUNSUPPORTED, "spectroscopy||this driver has none");
        if (r->warn) r->warn(r->ctx, false, "no loops are measured", &why);
        r->plan->settings.voltage = 0;
    }
    reshed_status st =
        rs_scan_plan_check(r->plan, &r->frame, rs_instrument_limits(r->instrument), err);
    if (st == RESHED_OK) st = check_end(r, err);
    if (st == RESHED_OK) st = check_drive(r, err);
    if (st != RESHED_OK || s->voltage <= 0) return st;
    double *voltage = rs_alloc((size_t)rs_scan_steps(s), sizeof *voltage);
    if (!voltage) return rs_fail_nomem(err, "a waveform", (size_t)rs_scan_steps(s));
    st = rs_scan_waveform(s, voltage, err);
    if (st == RESHED_OK) {
        rs_spectroscopy sp = rs_scan_spectroscopy(s, voltage);
        if (!rs_instrument_caps(r->instrument)->off_field) sp.off_field = false;
        st = try_spectroscopy(r, &sp, err);
    }
    rs_free(voltage);
    return st;
}

/* Band excitation, or the drive, and frame of an open instrument, as the settings say. */
static reshed_status set_up(rs_scan_run *r, reshed_error *err)
{
    const rs_scan_settings *s = &r->plan->settings;
    rs_driver_status st = RS_DRIVER_OK;
    r->frame = rs_scan_frame(s);
    if (sets_band(r)) {
        const rs_be_setup be = rs_scan_be(s);
        st = rs_instrument_set_be(r->instrument, &be, RS_SCAN_CALL, err);
    } else if (has_drive(r) && rs_scan_plan_given(r->plan, "be_amplitude")) {
        st = rs_instrument_set_drive(r->instrument, s->be_amplitude, RS_SCAN_CALL, err);
    } else if ((has_drive(r) || rs_instrument_caps(r->instrument)->bins) && r->resumed && r->warn) {
        reshed_error why = {0};
        rs_fail(
            &why, RESHED_EINVAL,
            "a halt or an end has switched it off|be_amplitude, or a drive that is on|not given");
        r->warn(r->ctx, true, "the drive is left as it is", &why);
    }
    if (st == RS_DRIVER_OK)
        st = rs_instrument_set_frame(r->instrument, &r->frame, RS_SCAN_CALL, err);
    if (st == RS_DRIVER_OK)
        st = rs_instrument_get_frame(r->instrument, &r->frame, RS_SCAN_CALL, err);
    return st == RS_DRIVER_OK ? RESHED_OK : driver_failed(st, err);
}

/* Limits, frame and excitation, and whether the plan can be done. */
static reshed_status prepare(rs_scan_run *r, reshed_error *err)
{
    const rs_limits limits = rs_scan_limits(&r->plan->settings);
    reshed_status st = rs_instrument_limit(r->instrument, &limits, err);
    if (st == RESHED_OK && !rs_instrument_can_scan(r->instrument))
        st = rs_fail(err, RESHED_EUNSUPPORTED, "driver|one that scans|%s", r->plan->driver);
    if (st == RESHED_OK) st = set_up(r, err);
    return st == RESHED_OK ? check_plan(r, err) : st;
}

static reshed_status open_driver(rs_scan_run *r, reshed_error *err)
{
    const char *name = r->plan->driver;
    const rs_driver_option *option = r->plan->option;
    const int n = r->plan->options;
    const rs_driver_status st =
        r->plan->table
            ? rs_instrument_open_table(r->plan->table, option, n, OPEN, &r->instrument, err)
            : rs_instrument_open(name, option, n, OPEN, &r->instrument, err);
    if (st != RS_DRIVER_OK) { /* a file that the driver reads is what to look at */
        const char *file = rs_driver_option_find(option, n, "file");
        r->where = file ? file : name;
        return driver_failed(st, err);
    }
    if (r->watch && r->plan->settings.watch > 0) {
        const reshed_status watched =
            rs_watch_attach(r->watch, r->instrument, r->plan->settings.watch, err);
        if (watched != RESHED_OK) return watched;
    }
    adopt_frame(r);
    return prepare(r, err);
}

reshed_status rs_scan_run_open(rs_scan_run *r, reshed_error *err)
{
    return open_driver(r, err);
}

/* The end of the region before has switched the drive off. */
static rs_driver_status drive_again(rs_scan_run *r, reshed_error *err)
{
    const rs_scan_settings *s = &r->plan->settings;
    if (sets_band(r)) {
        const rs_be_setup be = rs_scan_be(s);
        return rs_instrument_set_be(r->instrument, &be, RS_SCAN_CALL, err);
    }
    if (!has_drive(r) || !rs_scan_plan_given(r->plan, "be_amplitude")) return RS_DRIVER_OK;
    return rs_instrument_set_drive(r->instrument, s->be_amplitude, RS_SCAN_CALL, err);
}

reshed_status rs_scan_run_move(rs_scan_run *r, double x, double y, reshed_error *err)
{
    rs_scan_settings *s = &r->plan->settings;
    s->x = r->frame.cx = x;
    s->y = r->frame.cy = y;
    rs_driver_status st = drive_again(r, err);
    if (st == RS_DRIVER_OK)
        st = rs_instrument_set_frame(r->instrument, &r->frame, RS_SCAN_CALL, err);
    return st == RS_DRIVER_OK ? RESHED_OK : driver_failed(st, err);
}

/* ------------------------------------------------------------------------------------- sessions */

reshed_status rs_scan_run_create(rs_scan_run *r, const char *path, int region,
                                 const char *start_time, reshed_error *err)
{
    const rs_scan_plan *p = r->plan;
    const rs_scan_settings *s = &p->settings;
    const size_t bins = (size_t)rs_instrument_caps(r->instrument)->bins;
    rs_session_metric *metric = rs_zalloc(RS_SESSION_MAX_METRICS, sizeof *metric);
    double *frequency = rs_zalloc(bins + 1, sizeof *frequency);
    double *voltage = rs_zalloc((size_t)rs_scan_steps(s) + 1, sizeof *voltage);
    rs_scan_texts *t = rs_zalloc(1, sizeof *t);
    rs_session_setup setup;
    char name[32];
    reshed_status st = RESHED_OK;
    if (!metric || !frequency || !voltage || !t) st = rs_fail_nomem(err, "a session", sizeof *t);
    if (st == RESHED_OK)
        st = rs_region_setup(r->instrument, &r->frame, s, frequency, voltage, metric, &setup, err);
    if (st == RESHED_OK) {
        rs_scan_plan_texts(p, t);
        snprintf(name, sizeof name, "%d", region + 1);
        setup.start_time = start_time;
        setup.region = name;
        setup.sample = p->sample;
        setup.operator_name = p->operator_name;
        setup.program = p->program;
        setup.driver = p->driver;
        setup.driver_option = p->option;
        setup.driver_options = p->options;
        setup.setting = t->setting;
        setup.settings = t->n;
        setup.weights = r->weights;
        setup.weights_sha256 = r->digest;
        setup.norm = p->norm;
        r->where = path;
        st = rs_session_create(path, &setup, (int)s->sync_every, &r->session, err);
        if (st == RESHED_OK) r->where = NULL;
    }
    rs_free(metric);
    rs_free(frequency);
    rs_free(voltage);
    rs_free(t);
    return st;
}

/* Keeps the plan's texts that are the session's: a later session may come after it. */
static reshed_status keep_texts(rs_scan_run *r, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(r->session);
    rs_scan_plan *p = r->plan;
    const char *const text[3] = {p->norm, setup->sample, setup->operator_name};
    for (int i = 0; i < 3; i++) {
        const size_t n = strlen(text[i]);
        if (n >= sizeof r->kept[i])
            return rs_fail(err, RESHED_ECORRUPT, "a text of the session|at most %zu bytes|%zu",
                           sizeof r->kept[i] - 1, n);
        memmove(r->kept[i], text[i], n + 1);
    }
    const size_t n = (size_t)p->settings.listed;
    double *voltages = rs_alloc(n + 1, sizeof *voltages);
    if (!voltages) return rs_fail_nomem(err, "voltages", n * sizeof *voltages);
    if (n) memcpy(voltages, p->settings.list, n * sizeof *voltages);
    rs_free(r->voltages);
    p->settings.list = r->voltages = voltages;
    p->norm = r->kept[0];
    p->sample = r->kept[1];
    p->operator_name = r->kept[2];
    return RESHED_OK;
}

/* Takes the settings of the session, and checks them against the limits that were typed: nothing is
 * opened for what these do not allow. */
static reshed_status take_session(rs_scan_run *r, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(r->session);
    reshed_status st = rs_scan_resume_plan(r->plan, r->session, r->changes, sizeof r->changes, err);
    if (st == RESHED_OK) st = keep_texts(r, err);
    if (st != RESHED_OK) return st;
    const rs_limits limits = rs_scan_limits(&r->plan->settings);
    const rs_frame frame = rs_scan_frame(&r->plan->settings);
    r->frame = setup->frame;
    st = rs_limits_check_frame(&limits, &frame, err);
    if (st == RESHED_OK && setup->caps.bins > 0 && setup->be.band > 0)
        st = rs_limits_check_be(&limits, &setup->be, err);
    return st == RESHED_OK ? rs_scan_plan_check(r->plan, &frame, &limits, err) : st;
}

reshed_status rs_scan_run_resume(rs_scan_run *r, const char *path, reshed_error *err)
{
    const bool given = rs_scan_plan_given(r->plan, "sync_every");
    r->where = path;
    r->resumed = true;
    reshed_status st =
        rs_session_resume(path, given ? (int)r->plan->settings.sync_every : 1, &r->session, err);
    if (st == RESHED_OK)
        st = rs_scan_resume_check_driver(r->plan, rs_session_get_setup(r->session), err);
    return st == RESHED_OK ? take_session(r, err) : st;
}

reshed_status rs_scan_run_preview(rs_scan_run *r, const char *path, reshed_error *err)
{
    r->where = path;
    reshed_status st = rs_session_open(path, &r->session, err);
    if (st == RESHED_OK && r->plan->driver)
        st = rs_scan_resume_check_driver(r->plan, rs_session_get_setup(r->session), err);
    return st == RESHED_OK ? take_session(r, err) : st;
}

static reshed_status note(rs_scan_run *r, const char *text, reshed_error *err)
{
    const double now = rs_os_monotonic() - r->time_zero;
    if (r->helm) r->helm->log(r->helm->ctx, now, RS_SESSION_NOTE, text);
    return rs_session_add_event(r->session, now, RS_SESSION_NOTE, text, err);
}

/* Writes into the session's log what the resumed run does otherwise, as many changes in one event
 * as fit. */
static reshed_status log_changes(rs_scan_run *r, reshed_error *err)
{
    char text[RS_SESSION_EVENT_TEXT];
    reshed_status st = RESHED_OK;
    for (const char *at = r->changes; st == RESHED_OK && *at;) {
        size_t n = 0;
        for (size_t k = 0; k < sizeof text - 32 && at[k]; k++)
            if (!at[k + 1] || at[k + 1] == ',') n = k + 1;
        if (n == 0) n = strlen(at);
        snprintf(text, sizeof text, "resumed with %.*s", (int)n, at);
        st = note(r, text, err);
        at += n;
        at += strspn(at, ", ");
    }
    return st;
}

/* Leaves out the points beyond a max_points that was typed and is the run's, not its steps' own. */
static reshed_status skip_points(rs_scan_run *r, reshed_error *err)
{
    const int most = (int)r->plan->settings.max_points;
    rs_session_progress p;
    int kept = 0, skipped = 0;
    char text[RS_SESSION_EVENT_TEXT];
    reshed_status st = rs_session_get_progress(r->session, &p, err);
    if (st != RESHED_OK || p.points <= most || !rs_scan_plan_given(r->plan, "max_points") ||
        rs_flow_has_rule(&r->plan->steps, "max_points"))
        return st;
    rs_session_point *point = rs_alloc((size_t)p.points, sizeof *point);
    if (!point) return rs_fail_nomem(err, "points", (size_t)p.points * sizeof *point);
    st = rs_session_read_points(r->session, 0, p.points, point, err);
    for (int k = 0; st == RESHED_OK && k < p.points; k++)
        kept += point[k].state != RS_SESSION_PENDING && point[k].state != RS_SESSION_SKIPPED;
    for (int k = 0; st == RESHED_OK && k < p.points; k++) {
        if (point[k].state != RS_SESSION_PENDING || kept++ < most) continue;
        point[k].state = RS_SESSION_SKIPPED;
        st = rs_session_put_points(r->session, k, 1, &point[k], err);
        skipped++;
    }
    snprintf(text, sizeof text, "max_points=%d: %d points are left out", most, skipped);
    if (st == RESHED_OK && skipped > 0) st = note(r, text, err);
    rs_free(point);
    return st;
}

/* The stream was made for the session before, and its weights are gone into it. */
static reshed_status check_stream(const rs_scan_run *r, const rs_live_options *was,
                                  reshed_error *err)
{
    const rs_frame *f = &rs_session_get_setup(r->session)->frame;
    const rs_live_options *now = &r->plan->stream;
    rs_live_view v;
    rs_live_get(r->stream, &v);
    if (f->rows == v.height && f->cols == v.width && now->norm == was->norm && now->lo == was->lo &&
        now->hi == was->hi && now->front == was->front)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL,
                   "session|one of the same acquisition: %d x %d pixels, the same norm and front|"
                   "another, %d x %d pixels",
                   v.height, v.width, f->rows, f->cols);
}

reshed_status rs_scan_run_open_again(rs_scan_run *r, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(r->session);
    reshed_status st = RESHED_OK;
    if (strcmp(r->digest, setup->weights_sha256) != 0)
        return rs_fail(err, RESHED_EINVAL, "weights|those of the session, %.16s...|%.16s...",
                       setup->weights_sha256, r->digest);
    if (r->stream) st = check_stream(r, &r->streaming, err);
    if (st != RESHED_OK) return st;
    if (!r->instrument) {
        st = open_driver(r, err);
    } else {
        st = prepare(r, err);
        if (st == RESHED_OK) {
            const rs_driver_status driver = drive_again(r, err);
            if (driver != RS_DRIVER_OK) st = driver_failed(driver, err);
        }
    }
    if (st == RESHED_OK)
        st = rs_scan_resume_check_instrument(setup, rs_instrument_caps(r->instrument), &r->frame,
                                             err);
    if (st == RESHED_OK) st = log_changes(r, err);
    return st == RESHED_OK ? skip_points(r, err) : st;
}

reshed_status rs_scan_run_read(rs_scan_run *r, const char *path, reshed_error *err)
{
    r->where = path;
    reshed_status st = rs_session_open(path, &r->session, err);
    if (st == RESHED_OK) st = rs_scan_plan_from_session(r->plan, r->session, err);
    if (st == RESHED_OK) r->frame = rs_session_get_setup(r->session)->frame;
    return st;
}

/* ------------------------------------------------------------------------------------- the work */

static rs_scan_context context_of(const rs_scan_run *r)
{
    return (rs_scan_context){.session = r->session,
                             .instrument = r->instrument,
                             .settings = &r->plan->settings,
                             .time_zero = r->time_zero,
                             .threads = r->plan->stream.threads,
                             .ctx = r->ctx,
                             .interrupted = r->interrupted,
                             .warn = r->warn,
                             .watch = r->watch,
                             .helm = r->helm};
}

/* Judges final rows by what the weights know about frames like those of training. */
static double score(void *ensemble, const rs_live_view *v, int row0, int row1)
{
    const rs_ensemble *e = ensemble;
    double value;
    reshed_status st = rs_ood_judge(&e->model.ood, v->classes, v->input, v->mean, v->variance,
                                    v->width, row0, row1, &value, NULL);
    return st == RESHED_OK ? value : (double)NAN;
}

static rs_survey_options with_score(const rs_scan_run *r, rs_survey_options o)
{
    o.score = score;
    o.score_ctx = r->ensemble;
    o.alarm_score = r->ensemble->model.ood_threshold;
    return o;
}

/* ----------------------------------------------------------------------------------------- ends */

/* Into the session's log. It may be what has failed: then the caller still learns of it. */
static void log_end(rs_scan_run *r, rs_session_level level, const char *text)
{
    const double now = rs_os_monotonic() - r->time_zero;
    if (r->helm) r->helm->log(r->helm->ctx, now, level, text);
    if (r->session) rs_session_add_event(r->session, now, level, text, NULL);
}

/* The instrument first, words after it: a disk or a reader that they go to may be stuck. before:
 * what was tried already, "" for nothing. */
static void halt(rs_scan_run *r, const char *before)
{
    reshed_error err = {0};
    const bool halted = rs_instrument_halt(r->instrument, RS_SCAN_CALL, &err) == RS_DRIVER_OK;
    snprintf(r->left, sizeof r->left, "%s%s", before,
             halted ? "halted: bias 0 V, drive off, nothing moves" : "HALT NOT CONFIRMED");
    log_end(r, halted ? RS_SESSION_NOTE : RS_SESSION_WARNING, r->left);
    if (halted) return;
    r->unsafe = true;
    log_end(r, RS_SESSION_WARNING, err.what);
    if (r->warn) r->warn(r->ctx, true, "the instrument could not be halted", &err);
}

void rs_scan_run_halt(rs_scan_run *r)
{
    if (r->instrument) halt(r, "");
}

/* The steps of a good end; what does not work is tried by a halt. waits: points wait for a yes. */
static void rest(rs_scan_run *r, bool waits)
{
    rs_rest how = rs_scan_rest(&r->plan->settings);
    rs_rest_report report;
    reshed_error err = {0};
    char text[sizeof r->left];
    if (r->more || (waits && !rs_scan_plan_given(r->plan, "end"))) how.tip = RS_TIP_LEAVE;
    const rs_driver_status st =
        rs_instrument_rest(r->instrument, &how, RS_SCAN_CALL, &report, &err);
    rs_rest_text(&report, text, sizeof text - 2);
    if (st == RS_DRIVER_OK) {
        snprintf(r->left, sizeof r->left, "%s", text);
        log_end(r, RS_SESSION_NOTE, text);
        return;
    }
    r->unsafe = true;
    strcat(text, "; ");
    halt(r, text);
    if (r->warn) r->warn(r->ctx, true, "the end did not go as it should; halted", &err);
}

rs_outcome rs_scan_run_region(rs_scan_run *r, const rs_region_options *o)
{
    const rs_scan_context c = context_of(r);
    rs_region_options with = *o;
    with.steps = &r->plan->steps;
    with.survey = with_score(r, o->survey);
    rs_outcome end = rs_region_run(&c, r->stream, &with);
    reshed_error err = {0};
    if (rs_instrument_is_taken(r->instrument, &err)) end = rs_outcome_status(err.status, &err);
    if (end.end == RS_END_DONE || end.end == RS_END_UNCONFIRMED)
        rest(r, end.end == RS_END_UNCONFIRMED);
    else
        halt(r, "");
    return end;
}

rs_outcome rs_scan_run_analyse(rs_scan_run *r, rs_analysis *out)
{
    const rs_scan_context c = context_of(r);
    const rs_survey_options o = with_score(r, (rs_survey_options){.news = NULL});
    return rs_analyse_compare(&c, r->stream, &o, rs_flow_last_choose(&r->plan->steps), out);
}

void rs_scan_run_close(rs_scan_run *r)
{
    if (r->instrument) rs_instrument_stop(r->instrument, RS_SCAN_CALL, NULL); /* still watched */
    rs_watch_detach(r->watch);
    if (r->session) rs_session_finish(r->session, RESHED_EIO, NULL);
    rs_instrument_close(r->instrument);
    rs_live_free(r->stream);
    rs_ensemble_free(r->ensemble);
    rs_free(r->voltages);
    r->voltages = NULL;
    r->session = NULL;
    r->instrument = NULL;
    r->stream = NULL;
    r->ensemble = NULL;
}
