/* reshed-scan - from the first scan line to loops on domain walls. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/scan/job.h"
#include "tools/scan/open.h"
#include "report/report.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/os.h"
#include "base/text.h"
#include "infer/judge.h"
#include "spm/instrument/drivers.h"
#include "spm/scan/analyse.h"

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
    double value;
    reshed_status st = rs_ood_judge(&j->ensemble->model.ood, v->classes, v->input, v->mean,
                                    v->variance, v->width, row0, row1, &value, NULL);
    return st == RESHED_OK ? value : NAN;
}

static rs_scan_context context_of(scan_job *j)
{
    return (rs_scan_context){.session = j->session,
                             .instrument = j->instrument,
                             .settings = &j->o->settings,
                             .time_zero = j->time_zero,
                             .threads = j->o->stream.threads,
                             .ctx = j,
                             .interrupted = scan_interrupted};
}

/* An outcome in words and as an exit status. */
static const struct ending {
    const char *text;
    bool safe; /* the instrument may stay as it is but for its voltages */
    int status;
} endings[] = {
    [RS_END_DONE] = {"complete", true, CLI_OK},
    [RS_END_INTERRUPTED] = {"interrupted: --resume goes on", false, CLI_FAILED},
    [RS_END_UNCONFIRMED] = {"waiting for the points to be confirmed", true, CLI_FAILED},
    [RS_END_ALARMED] = {"stopped: out of distribution", false, CLI_FAILED},
    [RS_END_TIP_CHANGED] = {"paused: the tip seems changed; --resume goes on", false, CLI_FAILED},
    [RS_END_OUT_OF_TIME] = {"complete", true, CLI_OK},
    [RS_END_REFUSED] = {"failed", false, CLI_FAILED},
    [RS_END_LOST] = {"failed", false, CLI_FAILED},
    [RS_END_DISK] = {"failed", false, CLI_FAILED},
    [RS_END_FAILED] = {"failed", false, CLI_FAILED},
};

/* Takes from the session what the summary says of it. */
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

static void print_summary(scan_job *j, const char *state)
{
    if (j->o->json) {
        rs_json json = rs_json_to(stdout);
        rs_json_object(&json, NULL);
        rs_json_string(&json, "state", state);
        rs_json_integer(&json, "lines", j->lines);
        rs_json_integer(&json, "lost_lines", j->lost);
        rs_json_integer(&json, "points", j->points);
        rs_json_integer(&json, "measured", j->measured);
        rs_json_integer(&json, "pauses", j->pauses);
        rs_json_number(&json, "latency_ms_p50", 1e3 * j->latency[0]);
        rs_json_number(&json, "latency_ms_p99", 1e3 * j->latency[1]);
        rs_json_string(&json, "session", j->path);
        rs_json_string(&json, "report", j->report);
        rs_json_end(&json);
    } else if (!j->o->quiet) {
        fprintf(stderr,
                "%s: %s: %d lines, %d lost, %d of %d points; map %.0f ms after a line (p99 %.0f)\n",
                j->path, state, j->lines, j->lost, j->measured, j->points, 1e3 * j->latency[0],
                1e3 * j->latency[1]);
        if (j->report[0]) printf("report: %s\n", j->report);
    }
}

static int finish_region(scan_job *j, const rs_outcome *o)
{
    reshed_error err = {0};
    int status = endings[o->end].status;
    scan_end_line(j);
    if (rs_outcome_failed(o)) cli_fail(&scan_program, j->where ? j->where : j->path, &o->err);
    collect(j);
    if (j->report[0] && rs_report_write(j->session, j->report, &err) != RESHED_OK)
        status = cli_fail(&scan_program, j->report, &err);
    const reshed_status st = o->end == RS_END_DONE ? RESHED_OK : RESHED_EIO;
    err = (reshed_error){0};
    const reshed_status finished = rs_session_finish(j->session, st, &err);
    j->session = NULL;
    if (st == RESHED_OK && finished != RESHED_OK) status = cli_fail(&scan_program, j->path, &err);
    print_summary(j, endings[o->end].text);
    return status;
}

static int run_region(scan_job *j)
{
    const rs_scan_context c = context_of(j);
    const rs_region_options ro = {.survey = {.news = scan_survey_news,
                                             .score = score,
                                             .alarm_score = j->ensemble->model.ood_threshold},
                                  .measure_news = scan_measure_news,
                                  .confirm = scan_confirm};
    const rs_outcome o = rs_region_run(&c, j->stream, &ro);
    make_safe(j, endings[o.end].safe);
    return finish_region(j, &o);
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

static void print_analysis(const scan_job *j, const rs_analysis *a)
{
    const int rows = rs_session_get_setup(j->session)->frame.rows;
    if (!j->o->json) {
        printf("%s: %d lines, %d walls, %d loops analysed again; largest differences: mean %g, "
               "variance %g (%d settled rows of %d), loop metrics %g\n",
               j->path, a->progress.lines, a->walls, a->loops, a->mean, a->variance, a->rows, rows,
               a->metric);
        return;
    }
    rs_json json = rs_json_to(stdout);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "session", j->path);
    rs_json_integer(&json, "lines", a->progress.lines);
    rs_json_integer(&json, "lost_lines", a->progress.lost);
    rs_json_integer(&json, "points", a->progress.points);
    rs_json_integer(&json, "walls", a->walls);
    rs_json_integer(&json, "rows_compared", a->rows);
    rs_json_number(&json, "mean_difference", a->mean);
    rs_json_number(&json, "variance_difference", a->variance);
    rs_json_number(&json, "metric_difference", a->metric);
    rs_json_end(&json);
}

/* Opens session, weights and stream for an analysis. */
static reshed_status open_analysis(scan_job *j, reshed_error *err)
{
    j->where = j->path;
    reshed_status st = rs_session_open(j->path, &j->session, err);
    if (st == RESHED_OK) st = scan_settings_from_session(j->session, j->o, err);
    if (st != RESHED_OK) return st;
    const rs_session_setup *setup = rs_session_get_setup(j->session);
    j->frame = setup->frame;
    st = scan_load_weights(j, setup->weights, err);
    if (st == RESHED_OK && strcmp(j->digest, setup->weights_sha256) != 0 && !j->o->quiet)
        cli_warn(&scan_program, j->weights, "not the weights of the session");
    if (st == RESHED_OK) st = scan_make_stream(j, setup->frame.rows, setup->frame.cols, err);
    return st;
}

static int analyse(scan_job *j)
{
    reshed_error err = {0};
    rs_analysis a;
    scan_name_files(j, j->o->analyse);
    reshed_status st = open_analysis(j, &err);
    if (st != RESHED_OK) return cli_fail(&scan_program, j->where, &err);
    const rs_scan_context c = context_of(j);
    const rs_survey_options so = {.score = score, .alarm_score = j->ensemble->model.ood_threshold};
    const rs_outcome o = rs_analyse_compare(&c, j->stream, &so, &a);
    int status = endings[o.end].status;
    if (rs_outcome_failed(&o)) cli_fail(&scan_program, j->path, &o.err);
    if (o.end == RS_END_DONE) {
        print_analysis(j, &a);
        if (j->report[0] && j->o->report &&
            rs_report_write(j->session, j->report, &err) != RESHED_OK)
            status = cli_fail(&scan_program, j->report, &err);
    }
    rs_session_finish(j->session, RESHED_OK, NULL);
    j->session = NULL;
    return status == CLI_OK ? cli_close(&scan_program) : status;
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
    const int stem = (int)rs_path_stem(j->o->out);
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
