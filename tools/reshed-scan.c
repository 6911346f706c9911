/* reshed-scan - from the first scan line to loops on domain walls. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "find_weights.h"
#include "scan_job.h"
#include "scan_report.h"

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "base/parallel.h"
#include "imgproc/ood.h"
#include "io/model.h"
#include "reshed_private.h"

#define CALL 10.0 /* s: a driver's answer to a simple request */

/* ------------------------------------------------------------------------------------ settings */

enum { EXTRA_SETTINGS = 3, MAX_SETTINGS = 64 };

/* Every setting as text, for the session. */
typedef struct texts {
    rs_driver_option setting[MAX_SETTINGS];
    char value[MAX_SETTINGS][RS_NUMBER_TEXT];
    int n;
} texts;

static const char *const front_names[] = {"zero", "reflect"};
static const char *const preview_names[] = {"fp32", "bf16", "off"};

static void settings_to_text(const scan_options *o, texts *t)
{
    int n;
    const rs_scan_field *f = rs_scan_fields(&n);
    for (t->n = 0; t->n < n; t->n++)
        t->setting[t->n] = (rs_driver_option){
            f[t->n].name, rs_number_format(t->value[t->n], rs_scan_get(&o->settings, &f[t->n]))};
    t->setting[t->n++] = (rs_driver_option){"norm", o->norm};
    t->setting[t->n++] = (rs_driver_option){"front", front_names[o->stream.front]};
    t->setting[t->n++] = (rs_driver_option){"preview", preview_names[o->stream.preview]};
}

/* The session's settings into o. */
static reshed_status settings_from_session(const rs_session *s, scan_options *o, reshed_error *err)
{
    int n;
    reshed_status st = RESHED_OK;
    const rs_scan_field *f = rs_scan_fields(&n);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const char *text = rs_session_setting(s, f[i].name);
        if (text) st = rs_scan_set(&o->settings, f[i].name, text, err);
    }
    const char *norm = rs_session_setting(s, "norm");
    if (st == RESHED_OK && norm && !scan_parse_norm(norm, &o->stream))
        st = rs_fail(err, RESHED_ECORRUPT, "setting norm|robust, scanned, frame or LO,HI|%s", norm);
    if (norm) o->norm = norm;
    const char *front = rs_session_setting(s, "front"), *preview = rs_session_setting(s, "preview");
    if (front && strcmp(front, "reflect") == 0) o->stream.front = RESHED_FRONT_REFLECT;
    for (int i = 0; preview && i < 3; i++)
        if (strcmp(preview, preview_names[i]) == 0) o->stream.preview = (reshed_preview)i;
    return st;
}

/* ------------------------------------------------------------------------------------- opening */

static reshed_status load_weights(scan_job *j, const char *wanted, reshed_error *err)
{
    if (!cli_find_weights(&scan_program, j->o->weights ? j->o->weights : wanted, j->weights,
                          sizeof j->weights))
        return rs_fail(err, RESHED_EINVAL, "weights|a file|none");
    j->where = j->weights;
    reshed_status st = reshed_ensemble_load(j->weights, &j->ensemble, err);
    if (st == RESHED_OK) rs_model_file_digest(&j->ensemble->model, j->digest);
    if (st == RESHED_OK) j->where = NULL;
    return st;
}

static reshed_status driver_failed(rs_driver_status st, reshed_error *err)
{
    if (err->status == RESHED_OK) err->status = RESHED_EIO;
    if (st == RS_DRIVER_RETRY) err->status = RESHED_ETIMEOUT;
    return err->status;
}

/* The settings of the frame that were not given, from the instrument. */
static void adopt_frame(scan_job *j)
{
    rs_scan_settings *s = &j->o->settings;
    const rs_driver_ops *ops = j->driver->ops;
    rs_frame f = {0};
    reshed_error ignored = {0};
    if (j->o->resume || !ops->get_frame ||
        ops->get_frame(j->driver->self, &f, CALL, &ignored) != RS_DRIVER_OK || f.rows < 16 ||
        f.cols < 16 || !(f.width > 0) || !(f.height > 0))
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
        if (!scan_given(j->o, a[i].name)) *a[i].setting = a[i].value;
}

/* Whether the instrument takes it. One that has none at all is no failure unless it was asked for.
 */
static reshed_status try_spectroscopy(scan_job *j, const rs_spectroscopy *sp, reshed_error *err)
{
    reshed_error why = {0};
    rs_driver_status st = RS_DRIVER_REFUSED;
    char text[512];
    if (j->driver->ops->set_spectroscopy)
        st = rs_safe_set_spectroscopy(&j->safety, sp, CALL, &why);
    else
        rs_fail(&why, RESHED_EUNSUPPORTED, "spectroscopy||this driver has none");
    if (st == RS_DRIVER_OK) return RESHED_OK;
    if (st != RS_DRIVER_REFUSED || j->o->resume || scan_given(j->o, "voltage")) {
        *err = why;
        return driver_failed(st, err);
    }
    if (!j->o->quiet)
        cli_warn(&scan_program, NULL, "no loops are measured: %s",
                 reshed_error_text(&why, text, sizeof text));
    j->o->settings.voltage = 0;
    return RESHED_OK;
}

/* Everything that would be refused later is refused now: other regions, points, voltages. */
static reshed_status check_plan(scan_job *j, reshed_error *err)
{
    const rs_scan_settings *s = &j->o->settings;
    rs_frame f = j->frame;
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < j->o->regions; i++) {
        f.cx = j->o->region_x[i];
        f.cy = j->o->region_y[i];
        st = rs_safety_check_frame(&j->safety, &f, err);
    }
    if (st == RESHED_OK) st = rs_safety_check_speed(&j->safety, s->speed, err);
    if (st != RESHED_OK || s->voltage <= 0) return st;
    double *voltage = rs_alloc((size_t)rs_scan_steps(s), sizeof *voltage);
    if (!voltage) return rs_fail_nomem(err, "a waveform", (size_t)rs_scan_steps(s));
    st = rs_scan_waveform(s, voltage, err);
    if (st == RESHED_OK) {
        rs_spectroscopy sp = rs_scan_spectroscopy(s, voltage);
        if (!j->driver->caps.off_field) sp.off_field = false;
        st = rs_safety_check_spectroscopy(&j->safety, &sp, err);
        if (st == RESHED_OK) st = try_spectroscopy(j, &sp, err);
    }
    rs_free(voltage);
    return st;
}

/* Opens the instrument and sets frame and band excitation. */
static reshed_status open_driver(scan_job *j, const char *name, const rs_driver_option *option,
                                 int n, reshed_error *err)
{
    const rs_scan_settings *s = &j->o->settings;
    const rs_safety_limits limits = rs_scan_limits(s);
    rs_frame f;
    rs_driver_status st = rs_driver_open(name, option, n, 30, &j->driver, err);
    if (st != RS_DRIVER_OK) { /* a file that the driver reads is what to look at */
        const char *file = rs_driver_option_find(option, n, "file");
        j->where = file ? file : name;
        return driver_failed(st, err);
    }
    adopt_frame(j);
    f = rs_scan_frame(s);
    if (rs_safety_init(&j->safety, j->driver, &limits, err) != RESHED_OK) return err->status;
    if (!j->driver->ops->start)
        return rs_fail(err, RESHED_EUNSUPPORTED, "driver|one that scans|%s", name);
    if (j->driver->caps.band_excitation && s->be_band > 0) {
        const rs_be_setup be = rs_scan_be(s);
        if ((st = rs_safe_set_be(&j->safety, &be, CALL, err)) != RS_DRIVER_OK)
            return driver_failed(st, err);
        rs_driver_update_caps(j->driver);
    }
    if ((st = rs_safe_set_frame(&j->safety, &f, CALL, err)) != RS_DRIVER_OK)
        return driver_failed(st, err);
    if (j->driver->ops->get_frame &&
        (st = j->driver->ops->get_frame(j->driver->self, &f, CALL, err)) != RS_DRIVER_OK)
        return driver_failed(st, err);
    j->frame = f;
    return check_plan(j, err);
}

static reshed_status make_stream(scan_job *j, int rows, int cols, reshed_error *err)
{
    reshed_status st =
        reshed_stream_create_taking(j->ensemble, rows, cols, &j->o->stream, &j->stream, err);
    return st;
}

/* SESSION.h5 -> SESSION and what is made of it. */
static void name_files(scan_job *j, const char *path)
{
    char stem[4000];
    snprintf(j->path, sizeof j->path, "%s", path);
    snprintf(stem, sizeof stem, "%s", path);
    char *dot = strrchr(stem, '.');
    if (dot && dot != stem && !strchr(dot, '/')) *dot = '\0';
    j->report[0] = j->pictures[0] = '\0';
    if (!j->o->report)
        snprintf(j->report, sizeof j->report, "%s.html", stem);
    else if (strcmp(j->o->report, "none") != 0)
        snprintf(j->report, sizeof j->report, "%s", j->o->report);
    if (!j->o->pictures)
        snprintf(j->pictures, sizeof j->pictures, "%s", stem);
    else if (strcmp(j->o->pictures, "none") != 0)
        snprintf(j->pictures, sizeof j->pictures, "%s", j->o->pictures);
    snprintf(j->points_csv, sizeof j->points_csv, "%s_points.csv", stem);
}

static reshed_status create_session(scan_job *j, int region, reshed_error *err)
{
    const rs_scan_settings *s = &j->o->settings;
    rs_session_metric *metric = rs_zalloc(RS_SESSION_MAX_METRICS, sizeof *metric);
    double *frequency = rs_zalloc((size_t)j->driver->caps.bins + 1, sizeof *frequency);
    double *voltage = rs_zalloc((size_t)rs_scan_steps(s) + 1, sizeof *voltage);
    texts *t = rs_zalloc(1, sizeof *t);
    rs_session_setup setup;
    char start[32], name[32];
    const time_t now = time(NULL);
    reshed_status st = RESHED_OK;
    if (!metric || !frequency || !voltage || !t) st = rs_fail_nomem(err, "a session", sizeof *t);
    if (st == RESHED_OK)
        st = rs_region_setup(j->driver, &j->frame, s, frequency, voltage, metric, &setup, err);
    if (st == RESHED_OK) {
        settings_to_text(j->o, t);
        strftime(start, sizeof start, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
        snprintf(name, sizeof name, "%d", region + 1);
        setup.start_time = start;
        setup.region = name;
        setup.sample = j->o->sample;
        setup.operator_name = j->o->user;
        setup.program = "reshed-scan " RESHED_VERSION;
        setup.driver = j->o->driver;
        setup.driver_option = j->o->option;
        setup.driver_options = j->o->options;
        setup.setting = t->setting;
        setup.settings = t->n;
        setup.weights = j->weights;
        setup.weights_sha256 = j->digest;
        setup.norm = j->o->norm;
        j->where = j->path;
        st = rs_session_create(j->path, &setup, (int)s->sync_every, &j->session, err);
        if (st == RESHED_OK) j->where = NULL;
    }
    rs_free(metric);
    rs_free(frequency);
    rs_free(voltage);
    rs_free(t);
    return st;
}

static reshed_status resume_session(scan_job *j, reshed_error *err)
{
    j->where = j->path;
    reshed_status st = rs_session_resume(j->path, 1, &j->session, err);
    if (st == RESHED_OK) st = settings_from_session(j->session, j->o, err);
    if (st != RESHED_OK) return st;
    const rs_session_setup *setup = rs_session_get_setup(j->session);
    st = load_weights(j, setup->weights, err);
    if (st == RESHED_OK && strcmp(j->digest, setup->weights_sha256) != 0)
        st = rs_fail(err, RESHED_EINVAL, "weights|those of the session, %.16s...|%.16s...",
                     setup->weights_sha256, j->digest);
    if (st == RESHED_OK)
        st = open_driver(j, setup->driver, setup->driver_option, setup->driver_options, err);
    if (st == RESHED_OK &&
        (j->frame.rows != setup->frame.rows || j->frame.cols != setup->frame.cols))
        st = rs_fail(err, RESHED_EINVAL, "frame|%d x %d, as in the session|%d x %d",
                     setup->frame.rows, setup->frame.cols, j->frame.rows, j->frame.cols);
    return st;
}

/* ----------------------------------------------------------------------------------- one region */

/* No more motion, drive off, bias zero: after a failure or a signal, and at the end. */
static void make_safe(scan_job *j, bool ended_well)
{
    reshed_error err = {0};
    const rs_driver_ops *ops = j->driver->ops;
    if (ended_well) {
        if (ops->set_bias) ops->set_bias(j->driver->self, 0, CALL, &err);
        if (ops->set_drive) ops->set_drive(j->driver->self, 0, CALL, &err);
        return;
    }
    if (ops->halt(j->driver->self, CALL, &err) != RS_DRIVER_OK)
        cli_fail(&scan_program, "the instrument could not be halted", &err);
}

/* Of final rows, by what the weights know about frames like those of training. */
static double score(void *ctx, const reshed_stream_view *v, int row0, int row1)
{
    const scan_job *j = ctx;
    const size_t at = (size_t)row0 * (size_t)v->width;
    double x[RS_OOD_FEATURES], value;
    if (v->classes != 1 || !rs_ood_known(&j->ensemble->model.ood)) return NAN;
    if (rs_ood_features(v->input + at, v->mean + at, v->variance + at, v->width, 0, row1 - row0, x,
                        NULL) != RESHED_OK ||
        rs_ood_score(&j->ensemble->model.ood, x, &value, NULL) != RESHED_OK)
        return NAN;
    return value;
}

static rs_region_options region_options(scan_job *j)
{
    return (rs_region_options){.settings = &j->o->settings,
                               .time_zero = j->time_zero,
                               .threads = j->o->stream.threads,
                               .ctx = j,
                               .survey_news = scan_survey_news,
                               .measure_news = scan_measure_news,
                               .interrupted = scan_interrupted,
                               .score = score,
                               .alarm_score = j->ensemble->model.ood_threshold,
                               .confirm = scan_confirm};
}

static const char *end_text(rs_region_end end)
{
    switch (end) {
    case RS_REGION_COMPLETE: return "complete";
    case RS_REGION_INTERRUPTED: return "interrupted: --resume goes on";
    case RS_REGION_UNCONFIRMED: return "waiting for the points to be confirmed";
    case RS_REGION_ALARMED: return "stopped: out of distribution";
    case RS_REGION_TIP_CHANGED: return "paused: the tip seems changed; --resume goes on";
    case RS_REGION_FAILED: return "failed";
    }
    return "?";
}

/* Latencies of the session's lines into the job's. */
static void collect(scan_job *j)
{
    const rs_session_setup *setup = rs_session_get_setup(j->session);
    rs_session_processed *p = rs_zalloc((size_t)setup->frame.rows, sizeof *p);
    rs_session_progress g;
    reshed_error err = {0};
    j->latency = rs_zalloc((size_t)setup->frame.rows, sizeof *j->latency);
    if (p && j->latency && rs_session_read_processed(j->session, p, &err) == RESHED_OK)
        for (int i = 0; i < setup->frame.rows; i++)
            if (isfinite(p[i].latency) && p[i].latency >= 0)
                j->latency[j->latencies++] = p[i].latency;
    if (rs_session_get_progress(j->session, &g, &err) == RESHED_OK) {
        j->lines = g.lines;
        j->lost = g.lost;
        j->points = g.points;
        j->measured = g.measured;
    }
    rs_free(p);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(scan_job *j, double share)
{
    if (!j->latencies) return NAN;
    qsort(j->latency, (size_t)j->latencies, sizeof *j->latency, ascending);
    const int i = (int)(share * j->latencies);
    return j->latency[i < j->latencies ? i : j->latencies - 1];
}

static void print_summary(scan_job *j, rs_region_end end)
{
    if (j->o->json) {
        printf("{\"state\": ");
        cli_json_string(stdout, end_text(end));
        printf(", \"lines\": %d, \"lost_lines\": %d, \"points\": %d, \"measured\": %d, \"pauses\": "
               "%d, \"latency_ms_p50\": ",
               j->lines, j->lost, j->points, j->measured, j->pauses);
        cli_json_number(stdout, 1e3 * percentile(j, 0.5));
        printf(", \"latency_ms_p99\": ");
        cli_json_number(stdout, 1e3 * percentile(j, 0.99));
        printf(", \"session\": ");
        cli_json_string(stdout, j->path);
        printf(", \"report\": ");
        cli_json_string(stdout, j->report);
        printf("}\n");
    } else if (!j->o->quiet) {
        fprintf(stderr,
                "%s: %s: %d lines, %d lost, %d of %d points; map %.0f ms after a line (p99 %.0f)\n",
                j->path, end_text(end), j->lines, j->lost, j->measured, j->points,
                1e3 * percentile(j, 0.5), 1e3 * percentile(j, 0.99));
        if (j->report[0]) printf("report: %s\n", j->report);
    }
}

static int finish_region(scan_job *j, rs_region_end end, reshed_error *err)
{
    reshed_error again = {0};
    int status = end == RS_REGION_COMPLETE ? CLI_OK : CLI_FAILED;
    scan_end_line(j);
    if (end == RS_REGION_FAILED) cli_fail(&scan_program, j->where ? j->where : j->path, err);
    collect(j);
    if (j->report[0] && scan_report_write(j->session, j->report, &again) != RESHED_OK)
        status = cli_fail(&scan_program, j->report, &again);
    const reshed_status st = end == RS_REGION_COMPLETE ? RESHED_OK : RESHED_EIO;
    again = (reshed_error){0};
    const reshed_status finished = rs_session_finish(j->session, st, &again);
    j->session = NULL;
    if (st == RESHED_OK && finished != RESHED_OK) status = cli_fail(&scan_program, j->path, &again);
    print_summary(j, end);
    rs_free(j->latency);
    j->latency = NULL;
    j->latencies = 0;
    return status;
}

static int run_region(scan_job *j)
{
    reshed_error err = {0};
    rs_driver_status driver = RS_DRIVER_OK;
    const rs_region_options ro = region_options(j);
    const rs_region_end end = rs_region_run(j->session, &j->safety, j->stream, &ro, &driver, &err);
    make_safe(j, end == RS_REGION_COMPLETE || end == RS_REGION_UNCONFIRMED);
    return finish_region(j, end, &err);
}

/* ------------------------------------------------------------------------------------ the modes */

/* Whether a plan may open it: what is not simulated is left alone. */
static bool is_simulated(const char *driver)
{
    return driver && (strcmp(driver, "twin") == 0 || strcmp(driver, "replay") == 0);
}

static int dry_run(const scan_job *j)
{
    const rs_scan_settings *s = &j->o->settings;
    const rs_frame f = j->driver ? j->frame : rs_scan_frame(s);
    if (j->driver)
        printf("instrument   %s%s\n", j->driver->caps.instrument,
               j->driver->caps.simulated ? " (simulated)" : "");
    else
        printf("instrument   %s (not opened)\n", j->o->driver);
    printf("frame        %g x %g m at (%g, %g), %d x %d pixels, %g lines/s: %.0f s\n", f.width,
           f.height, f.cx, f.cy, f.rows, f.cols, f.line_rate, f.rows / f.line_rate);
    if (j->driver && j->driver->caps.bins)
        printf("excitation   %g V, %g Hz around %g Hz, %d bins\n", s->be_amplitude, s->be_band,
               s->be_centre, j->driver->caps.bins);
    if (s->voltage > 0) {
        const double loop = rs_scan_steps(s) * (s->dwell + s->settle) * (s->off_field != 0 ? 2 : 1);
        const double all = loop * s->max_points;
        printf("spectroscopy %g V, %d steps, %g cycles: %.2f s a point, at most %.0f points: %.0f "
               "s%s\n",
               s->voltage, (int)s->steps, s->cycles, loop, s->max_points,
               s->budget > 0 && all > s->budget ? s->budget : all,
               s->budget > 0 && all > s->budget ? " (the budget)" : "");
    }
    printf("regions      %d\n", 1 + j->o->regions);
    return cli_close(&scan_program);
}

/* How far what was found now is from what the session says. */
static double distance(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) && isnan(b[i])) continue;
        const double d = fabs((double)a[i] - b[i]);
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

/* Largest difference of a metric between the session's loops and the new ones. */
static reshed_status compare_metrics(rs_session *s, const double *metrics, int points, int n,
                                     double *worst, int *compared, reshed_error *err)
{
    double was[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = was};
    reshed_status st = RESHED_OK;
    for (int k = 0; st == RESHED_OK && k < points; k++) {
        rs_session_point p;
        st = rs_session_read_points(s, k, 1, &p, err);
        if (st != RESHED_OK || p.state != RS_SESSION_MEASURED) continue;
        st = rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, err);
        for (int i = 0; st == RESHED_OK && i < n; i++) {
            const double a = was[i], b = metrics[k * n + i];
            if (isnan(a) && isnan(b)) continue;
            if (!(fabs(a - b) <= *worst)) *worst = fabs(a - b);
        }
        ++*compared;
    }
    return st;
}

static int analyse(scan_job *j)
{
    reshed_error err = {0};
    float *map = NULL;
    double *metrics = NULL, d_mean = NAN, d_var = NAN, d_metric = 0;
    rs_choice choice = {0};
    int compared = 0;
    name_files(j, j->o->analyse);
    j->where = j->path;
    reshed_status st = rs_session_open(j->path, &j->session, &err);
    if (st == RESHED_OK) st = settings_from_session(j->session, j->o, &err);
    if (st != RESHED_OK) return cli_fail(&scan_program, j->where, &err);
    const rs_session_setup *setup = rs_session_get_setup(j->session);
    const size_t n = (size_t)setup->frame.rows * (size_t)setup->frame.cols;
    rs_session_progress p;
    st = rs_session_get_progress(j->session, &p, &err);
    if (st == RESHED_OK) st = load_weights(j, setup->weights, &err);
    if (st == RESHED_OK && strcmp(j->digest, setup->weights_sha256) != 0 && !j->o->quiet)
        cli_warn(&scan_program, j->weights, "not the weights of the session");
    if (st == RESHED_OK) st = make_stream(j, setup->frame.rows, setup->frame.cols, &err);
    map = rs_alloc(4 * n, sizeof *map);
    metrics = rs_zalloc((size_t)(p.points * setup->metrics) + 1, sizeof *metrics);
    if (st == RESHED_OK && (!map || !metrics)) st = rs_fail_nomem(&err, "maps", 4 * n);
    j->frame = setup->frame;
    rs_region_options ro = region_options(j);
    ro.survey_news = NULL;
    if (st == RESHED_OK)
        st = rs_region_analyse(j->session, j->stream, &ro, map, map + n, &choice, metrics, &err);
    if (st == RESHED_OK)
        st = rs_session_read_map(j->session, RS_SESSION_MEAN, 0, setup->frame.rows, map + 2 * n,
                                 &err);
    if (st == RESHED_OK)
        st = rs_session_read_map(j->session, RS_SESSION_VARIANCE, 0, setup->frame.rows, map + 3 * n,
                                 &err);
    if (st == RESHED_OK && setup->metrics)
        st = compare_metrics(j->session, metrics, p.points, setup->metrics, &d_metric, &compared,
                             &err);
    if (st == RESHED_OK) {
        d_mean = distance(map, map + 2 * n, n);
        d_var = distance(map + n, map + 3 * n, n);
        if (j->o->json) {
            printf("{\"session\": ");
            cli_json_string(stdout, j->path);
            printf(", \"lines\": %d, \"lost_lines\": %d, \"points\": %d, \"walls\": %d, "
                   "\"mean_difference\": ",
                   p.lines, p.lost, p.points, choice.walls);
            cli_json_number(stdout, d_mean);
            printf(", \"variance_difference\": ");
            cli_json_number(stdout, d_var);
            printf(", \"metric_difference\": ");
            cli_json_number(stdout, d_metric);
            printf("}\n");
        } else {
            printf("%s: %d lines, %d walls, %d loops analysed again; largest differences: mean %g, "
                   "variance %g, loop metrics %g\n",
                   j->path, p.lines, choice.walls, compared, d_mean, d_var, d_metric);
        }
        if (j->report[0] && j->o->report) st = scan_report_write(j->session, j->report, &err);
    }
    rs_choice_clear(&choice);
    rs_free(map);
    rs_free(metrics);
    rs_session_finish(j->session, RESHED_OK, NULL);
    j->session = NULL;
    return st == RESHED_OK ? cli_close(&scan_program) : cli_fail(&scan_program, j->where, &err);
}

/* Points that cannot be read are better found before the scan than after it. */
static reshed_status look_at_points(scan_job *j, reshed_error *err)
{
    rs_session_point *p = NULL;
    int n;
    j->where = j->o->points;
    const reshed_status st = scan_read_points(j->o->points, &j->frame, &p, &n, err);
    if (st == RESHED_OK) j->where = NULL;
    rs_free(p);
    return st;
}

/* To the r-th of the further regions. The end of the one before has switched the drive off. */
static reshed_status next_region(scan_job *j, int r, reshed_error *err)
{
    char path[4096];
    const char *dot = strrchr(j->o->out, '.');
    const int stem = dot && dot != j->o->out ? (int)(dot - j->o->out) : (int)strlen(j->o->out);
    rs_driver_status st = RS_DRIVER_OK;
    snprintf(path, sizeof path, "%.*s_%d%s", stem, j->o->out, r + 1, j->o->out + stem);
    name_files(j, path);
    j->o->settings.x = j->frame.cx = j->o->region_x[r - 1];
    j->o->settings.y = j->frame.cy = j->o->region_y[r - 1];
    if (j->driver->caps.bins) {
        const rs_be_setup be = rs_scan_be(&j->o->settings);
        st = rs_safe_set_be(&j->safety, &be, CALL, err);
    } else if (j->driver->ops->set_drive) {
        st = rs_safe_set_drive(&j->safety, j->o->settings.be_amplitude, CALL, err);
    }
    if (st == RS_DRIVER_OK) st = rs_safe_set_frame(&j->safety, &j->frame, CALL, err);
    return st == RS_DRIVER_OK ? RESHED_OK : driver_failed(st, err);
}

static int scan(scan_job *j)
{
    reshed_error err = {0};
    reshed_status st = RESHED_OK;
    int status = CLI_OK;
    name_files(j, j->o->out ? j->o->out : "");
    if (j->o->dry_run && !j->o->resume && !is_simulated(j->o->driver)) return dry_run(j);
    if (j->o->resume) {
        st = resume_session(j, &err);
    } else {
        if (!j->o->dry_run) st = load_weights(j, NULL, &err);
        if (st == RESHED_OK) st = open_driver(j, j->o->driver, j->o->option, j->o->options, &err);
    }
    if (st == RESHED_OK && j->o->points) st = look_at_points(j, &err);
    if (st == RESHED_OK && j->o->dry_run) return dry_run(j);
    if (st == RESHED_OK) st = make_stream(j, j->frame.rows, j->frame.cols, &err);
    for (int r = 0; st == RESHED_OK && status == CLI_OK && r <= j->o->regions; r++) {
        if (r > 0) st = next_region(j, r, &err);
        if (st == RESHED_OK && !j->session) st = create_session(j, r, &err);
        if (st == RESHED_OK) status = run_region(j);
    }
    if (st != RESHED_OK) {
        if (j->driver) make_safe(j, false);
        status = cli_fail(&scan_program, j->where, &err);
    }
    return status == CLI_OK ? cli_close(&scan_program) : status;
}

int main(int argc, char **argv)
{
    scan_options *o = rs_zalloc(1, sizeof *o);
    scan_job *j = rs_zalloc(1, sizeof *j);
    reshed_error err = {0};
    if (!o || !j) {
        rs_fail_nomem(&err, "the job", sizeof *o + sizeof *j);
        return cli_fail(&scan_program, NULL, &err);
    }
    int status = scan_parse(argc, argv, o);
    if (status < 0) {
        j->o = o;
        j->time_zero = rs_os_monotonic();
        j->tty = rs_os_isatty(stderr);
        scan_catch_signals();
        status = o->analyse ? analyse(j) : scan(j);
        if (j->session) rs_session_finish(j->session, RESHED_EIO, NULL);
        rs_driver_close(j->driver);
        reshed_stream_free(j->stream);
        reshed_ensemble_free(j->ensemble);
    }
    rs_free(j);
    rs_free(o);
    return status;
}
