/* reshed-scan - from the first scan line to loops on domain walls. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/scan/job.h"
#include "tools/scan/open.h"
#include "report/report.h"

#include "base/alloc.h"
#include "base/os.h"
#include "infer/judge.h"
#include "spm/instrument/drivers.h"

/* ----------------------------------------------------------------------------------- one region */

/* No more motion, drive off, bias zero: after a failure or a signal, and at the end. */
static void make_safe(scan_job *j, bool ended_well)
{
    reshed_error err = {0};
    if (ended_well)
        rs_instrument_rest(j->instrument, SCAN_CALL, &err);
    else if (rs_instrument_halt(j->instrument, SCAN_CALL, &err) != RS_DRIVER_OK)
        cli_fail(&scan_program, "the instrument could not be halted", &err);
}

/* Of final rows, by what the weights know about frames like those of training. */
static double score(void *ctx, const rs_live_view *v, int row0, int row1)
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

/* What the summary says of the session, into the job. */
static void collect(scan_job *j)
{
    static const double share[2] = {0.5, 0.99};
    rs_session_progress g;
    reshed_error err = {0};
    rs_report_latency(j->session, share, 2, j->latency, &err);
    if (rs_session_get_progress(j->session, &g, &err) == RESHED_OK) {
        j->lines = g.lines;
        j->lost = g.lost;
        j->points = g.points;
        j->measured = g.measured;
    }
}

static void print_summary(scan_job *j, rs_region_end end)
{
    if (j->o->json) {
        printf("{\"state\": ");
        cli_json_string(stdout, end_text(end));
        printf(", \"lines\": %d, \"lost_lines\": %d, \"points\": %d, \"measured\": %d, \"pauses\": "
               "%d, \"latency_ms_p50\": ",
               j->lines, j->lost, j->points, j->measured, j->pauses);
        cli_json_number(stdout, 1e3 * j->latency[0]);
        printf(", \"latency_ms_p99\": ");
        cli_json_number(stdout, 1e3 * j->latency[1]);
        printf(", \"session\": ");
        cli_json_string(stdout, j->path);
        printf(", \"report\": ");
        cli_json_string(stdout, j->report);
        printf("}\n");
    } else if (!j->o->quiet) {
        fprintf(stderr,
                "%s: %s: %d lines, %d lost, %d of %d points; map %.0f ms after a line (p99 %.0f)\n",
                j->path, end_text(end), j->lines, j->lost, j->measured, j->points,
                1e3 * j->latency[0], 1e3 * j->latency[1]);
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
    if (j->report[0] && rs_report_write(j->session, j->report, &again) != RESHED_OK)
        status = cli_fail(&scan_program, j->report, &again);
    const reshed_status st = end == RS_REGION_COMPLETE ? RESHED_OK : RESHED_EIO;
    again = (reshed_error){0};
    const reshed_status finished = rs_session_finish(j->session, st, &again);
    j->session = NULL;
    if (st == RESHED_OK && finished != RESHED_OK) status = cli_fail(&scan_program, j->path, &again);
    print_summary(j, end);
    return status;
}

static int run_region(scan_job *j)
{
    reshed_error err = {0};
    rs_driver_status driver = RS_DRIVER_OK;
    const rs_region_options ro = region_options(j);
    const rs_region_end end =
        rs_region_run(j->session, j->instrument, j->stream, &ro, &driver, &err);
    make_safe(j, end == RS_REGION_COMPLETE || end == RS_REGION_UNCONFIRMED);
    return finish_region(j, end, &err);
}

/* ------------------------------------------------------------------------------------ the modes */

static int dry_run(const scan_job *j)
{
    const rs_scan_settings *s = &j->o->settings;
    const rs_frame f = j->instrument ? j->frame : rs_scan_frame(s);
    if (j->instrument)
        printf("instrument   %s%s\n", rs_instrument_caps(j->instrument)->instrument,
               rs_instrument_caps(j->instrument)->simulated ? " (simulated)" : "");
    else
        printf("instrument   %s (not opened)\n", j->o->driver);
    printf("frame        %g x %g m at (%g, %g), %d x %d pixels, %g lines/s: %.0f s\n", f.width,
           f.height, f.cx, f.cy, f.rows, f.cols, f.line_rate, f.rows / f.line_rate);
    if (j->instrument && rs_instrument_caps(j->instrument)->bins)
        printf("excitation   %g V, %g Hz around %g Hz, %d bins\n", s->be_amplitude, s->be_band,
               s->be_centre, rs_instrument_caps(j->instrument)->bins);
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

/* How far what was found now is from what the session says, in the rows marked in `row`. */
static double distance(const float *a, const float *b, const uint8_t *row, int rows, int cols)
{
    double worst = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; row[r] && c < cols; c++) {
            const size_t i = (size_t)r * (size_t)cols + (size_t)c;
            if (isnan(a[i]) && isnan(b[i])) continue;
            const double d = fabs((double)a[i] - b[i]);
            if (!(d <= worst)) worst = d;
        }
    return worst;
}

/* The rows in which a session and its analysis must agree: all of a complete one. One that was
 * interrupted also holds rows as they were shown then, which later lines would have changed. */
static reshed_status settled_rows(rs_session *s, const rs_session_progress *p, int rows,
                                  uint8_t *settled, int *count, reshed_error *err)
{
    reshed_status st = rs_session_read_states(s, 0, rows, settled, err);
    *count = 0;
    for (int r = 0; st == RESHED_OK && r < rows; r++) {
        settled[r] = p->complete || settled[r] == RS_SESSION_FINAL;
        *count += settled[r];
    }
    return st;
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
    uint8_t *settled = NULL;
    rs_choice choice = {0};
    int compared = 0, rows = 0;
    scan_name_files(j, j->o->analyse);
    j->where = j->path;
    reshed_status st = rs_session_open(j->path, &j->session, &err);
    if (st == RESHED_OK) st = scan_settings_from_session(j->session, j->o, &err);
    if (st != RESHED_OK) return cli_fail(&scan_program, j->where, &err);
    const rs_session_setup *setup = rs_session_get_setup(j->session);
    const size_t n = (size_t)setup->frame.rows * (size_t)setup->frame.cols;
    rs_session_progress p;
    st = rs_session_get_progress(j->session, &p, &err);
    if (st == RESHED_OK) st = scan_load_weights(j, setup->weights, &err);
    if (st == RESHED_OK && strcmp(j->digest, setup->weights_sha256) != 0 && !j->o->quiet)
        cli_warn(&scan_program, j->weights, "not the weights of the session");
    if (st == RESHED_OK) st = scan_make_stream(j, setup->frame.rows, setup->frame.cols, &err);
    map = rs_alloc(4 * n, sizeof *map);
    metrics = rs_zalloc((size_t)(p.points * setup->metrics) + 1, sizeof *metrics);
    settled = rs_zalloc((size_t)setup->frame.rows, 1);
    if (st == RESHED_OK && (!map || !metrics || !settled)) st = rs_fail_nomem(&err, "maps", 4 * n);
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
    if (st == RESHED_OK) st = settled_rows(j->session, &p, setup->frame.rows, settled, &rows, &err);
    if (st == RESHED_OK && setup->metrics)
        st = compare_metrics(j->session, metrics, p.points, setup->metrics, &d_metric, &compared,
                             &err);
    if (st == RESHED_OK) {
        d_mean = distance(map, map + 2 * n, settled, setup->frame.rows, setup->frame.cols);
        d_var = distance(map + n, map + 3 * n, settled, setup->frame.rows, setup->frame.cols);
        if (j->o->json) {
            printf("{\"session\": ");
            cli_json_string(stdout, j->path);
            printf(", \"lines\": %d, \"lost_lines\": %d, \"points\": %d, \"walls\": %d, "
                   "\"rows_compared\": %d, \"mean_difference\": ",
                   p.lines, p.lost, p.points, choice.walls, rows);
            cli_json_number(stdout, d_mean);
            printf(", \"variance_difference\": ");
            cli_json_number(stdout, d_var);
            printf(", \"metric_difference\": ");
            cli_json_number(stdout, d_metric);
            printf("}\n");
        } else {
            printf("%s: %d lines, %d walls, %d loops analysed again; largest differences: mean %g, "
                   "variance %g (%d settled rows of %d), loop metrics %g\n",
                   j->path, p.lines, choice.walls, compared, d_mean, d_var, rows, setup->frame.rows,
                   d_metric);
        }
        if (j->report[0] && j->o->report) st = rs_report_write(j->session, j->report, &err);
    }
    rs_choice_clear(&choice);
    rs_free(map);
    rs_free(metrics);
    rs_free(settled);
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
    scan_name_files(j, path);
    j->o->settings.x = j->frame.cx = j->o->region_x[r - 1];
    j->o->settings.y = j->frame.cy = j->o->region_y[r - 1];
    if (rs_instrument_caps(j->instrument)->bins) {
        const rs_be_setup be = rs_scan_be(&j->o->settings);
        st = rs_instrument_set_be(j->instrument, &be, SCAN_CALL, err);
    } else if (rs_instrument_can_drive(j->instrument)) {
        st = rs_instrument_set_drive(j->instrument, j->o->settings.be_amplitude, SCAN_CALL, err);
    }
    if (st == RS_DRIVER_OK) st = rs_instrument_set_frame(j->instrument, &j->frame, SCAN_CALL, err);
    return st == RS_DRIVER_OK ? RESHED_OK : scan_driver_failed(st, err);
}

static int scan(scan_job *j)
{
    reshed_error err = {0};
    reshed_status st = RESHED_OK;
    int status = CLI_OK;
    scan_name_files(j, j->o->out ? j->o->out : "");
    if (j->o->dry_run && !j->o->resume && !rs_driver_is_simulated(j->o->driver)) return dry_run(j);
    if (j->o->resume) {
        st = scan_resume_session(j, &err);
    } else {
        if (!j->o->dry_run) st = scan_load_weights(j, NULL, &err);
        if (st == RESHED_OK)
            st = scan_open_driver(j, j->o->driver, j->o->option, j->o->options, &err);
    }
    if (st == RESHED_OK && j->o->points) st = look_at_points(j, &err);
    if (st == RESHED_OK && j->o->dry_run) return dry_run(j);
    if (st == RESHED_OK) st = scan_make_stream(j, j->frame.rows, j->frame.cols, &err);
    for (int r = 0; st == RESHED_OK && status == CLI_OK && r <= j->o->regions; r++) {
        if (r > 0) st = next_region(j, r, &err);
        if (st == RESHED_OK && !j->session) st = scan_create_session(j, r, &err);
        if (st == RESHED_OK) status = run_region(j);
    }
    if (st != RESHED_OK) {
        if (j->instrument) make_safe(j, false);
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
        rs_instrument_close(j->instrument);
        rs_live_free(j->stream);
        rs_ensemble_free(j->ensemble);
    }
    rs_free(j);
    rs_free(o);
    return status;
}
