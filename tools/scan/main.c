/* reshed-scan - from the first scan line to loops on domain walls. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/cli/find_weights.h"
#include "tools/cli/wall_tests.h"
#include "tools/scan/job.h"
#include "tools/scan/live.h"
#include "tools/scan/selftest.h"
#include "tools/scan/signals.h"
#include "tools/scan/watchdog.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/number.h"
#include "base/os.h"
#include "base/text.h"
#include "report/report.h"
#include "spm/instrument/drivers.h"
#include "spm/scan/request/duration.h"
#include "spm/scan/loops.h"
#include "spm/scan/request/points.h"
#include "spm/scan/resume.h"

/* ------------------------------------------------------------------------------------ its files */

/* Names the session and what is made of it: SESSION.h5 -> SESSION.html, SESSION_points.csv, ... */
static void name_files(scan_job *j, const char *path)
{
    char stem[4000];
    snprintf(j->path, sizeof j->path, "%s", path);
    snprintf(stem, sizeof stem, "%.*s", (int)rs_path_stem(path), path);
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

/* Of region r: SESSION.h5, SESSION_2.h5, ... */
static reshed_status name_region_files(scan_job *j, int r, reshed_error *err)
{
    char path[4096];
    const reshed_status st = rs_regions_path(path, sizeof path, j->o->out, r, err);
    if (st == RESHED_OK) name_files(j, path);
    j->region = r;
    return st;
}

static int last_region(const scan_job *j)
{
    return j->alone ? 0 : j->o->plan.regions;
}

/* Loads the weights that the options name, else `wanted` (NULL: the shipped ones). */
static reshed_status load_weights(scan_job *j, const char *wanted, reshed_error *err)
{
    if (!cli_find_weights(&scan_program, j->o->weights ? j->o->weights : wanted, j->weights,
                          sizeof j->weights))
        return rs_fail(err, RESHED_EINVAL, "weights|a file|none");
    return rs_scan_run_load_weights(&j->run, j->weights, err);
}

/* ----------------------------------------------------------------------------------- one region */

/* An outcome in words and as an exit status. */
static const struct ending {
    const char *text;
    int status;
} endings[] = {
    [RS_END_DONE] = {"complete", CLI_OK},
    [RS_END_INTERRUPTED] = {"interrupted: --resume goes on", CLI_FAILED},
    [RS_END_UNCONFIRMED] = {"waiting for the points to be confirmed", CLI_FAILED},
    [RS_END_ALARMED] = {"stopped: out of distribution", CLI_FAILED},
    [RS_END_TIP_CHANGED] = {"paused: the tip seems changed; --resume goes on", CLI_FAILED},
    [RS_END_OUT_OF_TIME] = {"complete", CLI_OK},
    [RS_END_REFUSED] = {"failed", CLI_FAILED},
    [RS_END_LOST] = {"failed", CLI_FAILED},
    [RS_END_DISK] = {"failed", CLI_FAILED},
    [RS_END_FAILED] = {"failed", CLI_FAILED},
};

/* Takes from the session what the summary says of it. */
static void collect(scan_job *j)
{
    static const double share[2] = {0.5, 0.99};
    rs_session_progress g;
    reshed_error err = {0};
    rs_report_latency(j->run.session, share, 2, j->latency, &err);
    if (rs_session_get_progress(j->run.session, &g, &err) == RESHED_OK) {
        j->lines = g.lines;
        j->lost = g.lost;
        j->points = g.points;
        j->measured = g.measured;
        rs_scan_loops_trusted(j->run.session, &j->trusted, &err);
    }
}

static void print_summary(scan_job *j, const char *state)
{
    const bool fault = *j->fault;
    if (j->alarm && !j->o->quiet)
        cli_warn(&scan_program, j->path, "%s: do not trust the map and its points",
                 fault ? j->fault : "unlike the frames that the networks were trained on");
    if (j->o->json) {
        rs_json json = rs_json_to(stdout);
        rs_json_object(&json, NULL);
        rs_json_string(&json, "state", state);
        rs_json_integer(&json, "lines", j->lines);
        rs_json_integer(&json, "lost_lines", j->lost);
        rs_json_integer(&json, "points", j->points);
        rs_json_integer(&json, "measured", j->measured);
        rs_json_integer(&json, "trusted", j->trusted);
        rs_json_integer(&json, "pauses", j->pauses);
        rs_json_number(&json, "ood_score", j->score); /* null where none can be given */
        if (isnan(j->score))
            rs_json_null(&json, "ood");
        else
            rs_json_bool(&json, "ood", j->alarm);
        if (fault) rs_json_string(&json, "contrast", j->fault);
        rs_json_number(&json, "latency_ms_p50", 1e3 * j->latency[0]);
        rs_json_number(&json, "latency_ms_p99", 1e3 * j->latency[1]);
        rs_json_string(&json, "session", j->path);
        rs_json_string(&json, "report", j->report);
        rs_json_string(&json, "instrument_left", j->run.left);
        rs_json_end(&json);
    } else if (!j->o->quiet && rs_os_takes_more(stderr)) {
        fprintf(stderr, "%s: instrument: %s\n", CLI_TEXT(j->path), j->run.left);
        fprintf(stderr,
                "%s: %s: %d lines, %d lost, %d of %d points, %d to trust; map %.0f ms after a line "
                "(p99 %.0f)\n",
                CLI_TEXT(j->path), state, j->lines, j->lost, j->measured, j->points, j->trusted,
                1e3 * j->latency[0], 1e3 * j->latency[1]);
        if (j->report[0]) printf("report: %s\n", CLI_TEXT(j->report));
    }
}

static int finish_region(scan_job *j, const rs_outcome *o)
{
    reshed_error err = {0};
    int status = endings[o->end].status;
    scan_end_line(j);
    if (rs_outcome_failed(o)) cli_fail(&scan_program, j->path, &o->err);
    collect(j);
    if (j->report[0] && rs_report_write(j->run.session, j->report, &err) != RESHED_OK)
        status = cli_fail(&scan_program, j->report, &err);
    const reshed_status st = o->end == RS_END_DONE ? RESHED_OK : RESHED_EIO;
    err = (reshed_error){0};
    const reshed_status finished = rs_session_finish(j->run.session, st, &err);
    j->run.session = NULL;
    if (st == RESHED_OK && finished != RESHED_OK) status = cli_fail(&scan_program, j->path, &err);
    print_summary(j, endings[o->end].text);
    return j->run.unsafe ? CLI_FAILED : status;
}

static int run_region(scan_job *j)
{
    const rs_region_options o = {.survey = {.news = scan_survey_news},
                                 .measure_news = scan_measure_news,
                                 .confirm = scan_confirm,
                                 .ask = j->o->confirm};
    reshed_error err = {0};
    j->score = NAN;
    j->fault = "";
    j->alarm = false;
    const reshed_status st = scan_live_begin(j, &err);
    const rs_outcome end =
        st == RESHED_OK ? rs_scan_run_region(&j->run, &o) : rs_outcome_status(st, &err);
    if (st != RESHED_OK) rs_scan_run_halt(&j->run);
    scan_live_end(j, &end, endings[end.end].text, !j->run.more || end.end != RS_END_DONE);
    return finish_region(j, &end);
}

/* ------------------------------------------------------------------------------------ the modes */

/* The plan, from what was typed and, in a resumed run, from the session. Nothing is opened. */
static int print_plan(const scan_job *j)
{
    const rs_scan_settings *s = &j->o->plan.settings;
    const rs_frame f = rs_scan_frame(s);
    const char *driver = j->o->plan.driver;
    char text[RS_SCAN_DRIVER_TEXT];
    if (j->run.session) {
        const rs_session_setup *setup = rs_session_get_setup(j->run.session);
        printf("session      %s\n",
               CLI_TEXT(rs_scan_driver_text(setup->driver, setup->driver_option,
                                            setup->driver_options, text)));
        if (j->run.changes[0]) printf("changes      %s\n", CLI_TEXT(j->run.changes));
    }
    if (driver)
        printf("instrument   %s%s, not opened\n", CLI_TEXT(driver),
               rs_driver_is_simulated(driver) ? " (simulated)" : "");
    const bool bands = !driver || rs_driver_is_simulated(driver);
    const double survey = rs_durations_planned(s, bands, 1).survey;
    printf("frame        %g x %g m at (%g, %g), %d x %d pixels, %g lines/s: %.0f s\n", f.width,
           f.height, f.cx, f.cy, f.rows, f.cols, f.line_rate, survey);
    if (!bands && s->be_band > 0)
        printf(
            "             without the pulses of band excitation: whether %s has them is known once "
            "it is opened\n",
            CLI_TEXT(driver));
    if (s->be_band > 0)
        printf("excitation   %g V, %g Hz around %g Hz, where the instrument excites bands\n",
               s->be_amplitude, s->be_band, s->be_centre);
    if (s->voltage > 0) {
        const int n = (int)s->max_points;
        const rs_durations t = rs_durations_planned(s, bands, n);
        const double all = rs_durations_of_points(&t, s, 0, n);
        const bool cut = s->budget > 0 && all > s->budget;
        printf("spectroscopy %g V, %d steps, %g cycles: %.2f s a point with its way, at most %d "
               "points: %.0f s%s\n",
               s->voltage, (int)s->steps, s->cycles, t.point, n, cut ? s->budget : all,
               cut ? " (the budget)" : "");
        if (s->drift_every > 0 || s->reference_every > 0)
            printf("  of it      %.0f s for patches and reference loops\n", all - n * t.point);
    }
    if (j->region > 0)
        printf("regions      %d, from the %d. on\n", 1 + j->o->plan.regions, j->region + 1);
    else
        printf("regions      %d\n", 1 + j->o->plan.regions);
    printf("at the end   bias 0 V, drive off, tip %s\n",
           s->end == RS_TIP_LEAVE  ? "left on the sample"
           : s->end == RS_TIP_PARK ? "withdrawn and moved to park_x, park_y"
                                   : "withdrawn");
    return cli_close(&scan_program);
}

/* Opens the session at j->path for a look; it is closed again when it is complete. */
static reshed_status look_at(scan_job *j, bool *complete, reshed_error *err)
{
    rs_session_progress g;
    *complete = false;
    reshed_status st = rs_scan_run_preview(&j->run, j->path, err);
    if (st == RESHED_OK) st = rs_session_get_progress(j->run.session, &g, err);
    if (st != RESHED_OK || !g.complete) return st;
    *complete = true;
    rs_session_finish(j->run.session, RESHED_OK, NULL);
    j->run.session = NULL;
    return RESHED_OK;
}

/* The number (from 0) of the region whose session was named to be resumed. The name of a later one,
 * scan_3.h5, says where the others are; under any other name it is resumed alone. */
static reshed_status find_first(scan_job *j, int *r, reshed_error *err)
{
    char suffix[32], text[16];
    rs_session *s = NULL;
    double number = 1;
    const char *out = j->o->out;
    reshed_status st = rs_session_open(out, &s, err);
    j->run.where = out;
    if (st != RESHED_OK) return st;
    rs_text_copy(text, sizeof text, rs_session_get_setup(s)->region);
    rs_session_finish(s, RESHED_OK, NULL);
    *r = 0;
    if (!rs_number_parse(text, strlen(text), &number) || number < 2 ||
        number > 1 + RS_SCAN_MAX_REGIONS || number != floor(number))
        return RESHED_OK;
    const int k = snprintf(suffix, sizeof suffix, "_%d", (int)number);
    const int stem = (int)rs_path_stem(out);
    j->alone = stem <= k || strncmp(out + stem - k, suffix, (size_t)k) != 0;
    if (j->alone) return RESHED_OK;
    snprintf(j->first, sizeof j->first, "%.*s%s", stem - k, out, out + stem);
    j->o->out = j->first;
    *r = (int)number - 1;
    return RESHED_OK;
}

/* The region with which a resumed run begins: the first from the one that was named on whose session
 * is not complete, which is then open for reading, or is not there; the plan is that of the
 * session, or of the one before. */
static reshed_status find_region(scan_job *j, reshed_error *err)
{
    bool complete;
    int first = 0;
    reshed_status st = find_first(j, &first, err);
    for (int r = first; st == RESHED_OK && (r == first || r <= last_region(j)); r++) {
        st = name_region_files(j, r, err);
        if (st == RESHED_OK && r > first && !rs_os_is_file(j->path)) return st;
        if (st == RESHED_OK) st = look_at(j, &complete, err);
        if (st != RESHED_OK || !complete) return st;
    }
    if (st != RESHED_OK) return st;
    return rs_fail(err, RESHED_EINVAL, "cannot go on|an interrupted session|%s",
                   last_region(j) > first ? "complete ones of all regions" : "a complete one");
}

/* A plan that the limits that were typed do not allow is refused as it would be in earnest. */
static int dry_run(scan_job *j)
{
    const rs_scan_settings *s = &j->o->plan.settings;
    reshed_error err = {0};
    reshed_status st;
    if (j->o->resume) {
        st = find_region(j, &err);
        if (st == RESHED_OK && !j->run.session) printf("session      %s\n", CLI_TEXT(j->path));
    } else {
        const rs_limits limits = rs_scan_limits(s);
        const rs_frame frame = rs_scan_frame(s);
        st = rs_limits_check_frame(&limits, &frame, &err);
        if (st == RESHED_OK) st = rs_scan_plan_check(&j->o->plan, &frame, &limits, &err);
    }
    return st == RESHED_OK ? print_plan(j) : cli_fail(&scan_program, j->run.where, &err);
}

static void print_analysis(const scan_job *j, const rs_analysis *a)
{
    const int rows = rs_session_get_setup(j->run.session)->frame.rows;
    if (!j->o->json) {
        printf("%s: %d lines, %d walls, %d loops analysed again, %d to trust; largest differences: "
               "mean %g, "
               "variance %g (%d settled rows of %d), loop metrics %g\n",
               CLI_TEXT(j->path), a->progress.lines, a->walls, a->loops, a->trusted, a->mean,
               a->variance, a->rows, rows, a->metric);
        return;
    }
    rs_json json = rs_json_to(stdout);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "session", j->path);
    rs_json_integer(&json, "lines", a->progress.lines);
    rs_json_integer(&json, "lost_lines", a->progress.lost);
    rs_json_integer(&json, "points", a->progress.points);
    rs_json_integer(&json, "walls", a->walls);
    rs_json_integer(&json, "families", a->families);
    rs_json_number(&json, "wall_length", a->wall_length);
    rs_json_integer(&json, "points_chosen", a->chosen);
    rs_json_integer(&json, "measured", a->loops);
    rs_json_integer(&json, "trusted", a->trusted);
    rs_json_integer(&json, "rows_compared", a->rows);
    rs_json_number(&json, "mean_difference", a->mean);
    rs_json_number(&json, "variance_difference", a->variance);
    rs_json_number(&json, "metric_difference", a->metric);
    if (a->tested) cli_wall_tests_json(&json, a->tested, &a->tests);
    rs_json_end(&json);
}

static reshed_status open_analysis(scan_job *j, reshed_error *err)
{
    reshed_status st = rs_scan_run_read(&j->run, j->path, err);
    if (st != RESHED_OK) return st;
    const rs_session_setup *setup = rs_session_get_setup(j->run.session);
    st = load_weights(j, setup->weights, err);
    if (st == RESHED_OK && strcmp(j->run.digest, setup->weights_sha256) != 0 && !j->o->quiet)
        cli_warn(&scan_program, j->weights, "not the weights of the session");
    return st == RESHED_OK ? rs_scan_run_make_stream(&j->run, err) : st;
}

static int analyse(scan_job *j)
{
    reshed_error err = {0};
    rs_analysis a = {0};
    name_files(j, j->o->analyse);
    if (open_analysis(j, &err) != RESHED_OK) return cli_fail(&scan_program, j->run.where, &err);
    const rs_outcome o = rs_scan_run_analyse(&j->run, &a);
    int status = endings[o.end].status;
    if (rs_outcome_failed(&o)) cli_fail(&scan_program, j->path, &o.err);
    if (o.end == RS_END_DONE) {
        print_analysis(j, &a);
        rs_analysis_clear(&a);
        if (j->report[0] && j->o->report &&
            rs_report_write(j->run.session, j->report, &err) != RESHED_OK)
            status = cli_fail(&scan_program, j->report, &err);
    }
    rs_session_finish(j->run.session, RESHED_OK, NULL);
    j->run.session = NULL;
    return status == CLI_OK ? cli_close(&scan_program) : status;
}

/* The list that was typed and the points that a resumed session has: the same, or it is refused. */
static reshed_status compare_points(const scan_job *j, const rs_session_point *p, int n,
                                    reshed_error *err)
{
    rs_session_progress g;
    reshed_status st = rs_session_get_progress(j->run.session, &g, err);
    if (st != RESHED_OK || g.points == 0) return st;
    rs_session_point *have = rs_alloc((size_t)g.points, sizeof *have);
    if (!have) return rs_fail_nomem(err, "points", (size_t)g.points * sizeof *have);
    st = rs_session_read_points(j->run.session, 0, g.points, have, err);
    bool same = n == g.points;
    for (int k = 0; st == RESHED_OK && same && k < n; k++)
        same = hypot(p[k].row - have[k].row, p[k].col - have[k].col) < 1e-3;
    rs_free(have);
    if (st != RESHED_OK || same) return st;
    return rs_fail(err, RESHED_EINVAL,
                   "points of a session that has some already|the same %d|%d others", g.points, n);
}

/* Reads the points before the scan: a list that cannot be read is better found now than after
 * it. */
static reshed_status try_points(scan_job *j, reshed_error *err)
{
    const scan_options *o = j->o;
    rs_session_point *p = NULL;
    int n, left_out = 0, near = 0;
    j->run.where = o->points;
    reshed_status st = scan_read_points(j, &p, &n, &left_out, &near, err);
    if (st == RESHED_OK && left_out > 0 && !o->quiet)
        cli_warn(&scan_program, o->points, "%d points left out: nearer than %s to one before them",
                 left_out,
                 rs_scan_plan_given(&o->plan, "min_distance") ? "min_distance" : "0.01 pixels");
    if (st == RESHED_OK && near > 0 && !o->quiet)
        cli_warn(&scan_program, o->points,
                 "%d points are nearer to one before them than points that are chosen "
                 "(--set min_distance=PX leaves such out, 0 measures all)",
                 near);
    if (st == RESHED_OK && rs_scan_plan_given(&o->plan, "max_points") &&
        n > o->plan.settings.max_points)
        st = rs_fail(err, RESHED_EINVAL, "points|at most max_points, %g|%d",
                     o->plan.settings.max_points, n);
    if (st == RESHED_OK && o->resume) {
        st = compare_points(j, p, n, err);
        /* The session's own may have been thinned by a distance that is not typed again. */
        if (st == RESHED_EINVAL &&
            rs_points_keep_apart(&j->run.frame, o->plan.settings.min_distance, p, &n, NULL) ==
                RESHED_OK &&
            compare_points(j, p, n, NULL) == RESHED_OK)
            st = RESHED_OK;
    }
    if (st == RESHED_OK) j->run.where = NULL;
    rs_free(p);
    return st;
}

/* --confirm has no meaning once there are points. */
static reshed_status check_confirm(const scan_job *j, reshed_error *err)
{
    rs_session_progress g;
    if (!j->o->confirm) return RESHED_OK;
    const reshed_status st = rs_session_get_progress(j->run.session, &g, err);
    if (st != RESHED_OK || g.points == 0) return st;
    return rs_fail(err, RESHED_EINVAL, "--confirm|a session without points|%d points", g.points);
}

/* The weights of the region before the one that is to be begun. */
static reshed_status weights_before(scan_job *j, char *weights, size_t size, reshed_error *err)
{
    char path[4096];
    rs_session *s = NULL;
    reshed_status st = rs_regions_path(path, sizeof path, j->o->out, j->region - 1, err);
    if (st == RESHED_OK) st = rs_session_open(path, &s, err);
    if (st != RESHED_OK) return st;
    snprintf(weights, size, "%s", rs_session_get_setup(s)->weights);
    snprintf(j->digest, sizeof j->digest, "%s", rs_session_get_setup(s)->weights_sha256);
    rs_session_finish(s, RESHED_OK, NULL);
    return RESHED_OK;
}

/* Goes on with the session at j->path, whose weights are loaded unless they are. */
static reshed_status go_on(scan_job *j, reshed_error *err)
{
    rs_scan_run *run = &j->run;
    reshed_status st = rs_scan_run_resume(run, j->path, err);
    if (st == RESHED_OK) st = check_confirm(j, err);
    if (st == RESHED_OK && j->o->points) st = try_points(j, err);
    if (st == RESHED_OK && !run->ensemble)
        st = load_weights(j, rs_session_get_setup(run->session)->weights, err);
    return st == RESHED_OK ? rs_scan_run_open_again(run, err) : st;
}

/* Opens weights and instrument for the first of the regions that are left. */
static reshed_status open_again(scan_job *j, reshed_error *err)
{
    rs_scan_run *run = &j->run;
    char weights[4096] = "";
    reshed_status st = find_region(j, err);
    if (st == RESHED_OK && run->session) {
        rs_session_finish(run->session, RESHED_OK, NULL);
        run->session = NULL;
        return go_on(j, err);
    }
    /* It has to be begun, as the one before was. */
    run->resumed = true;
    if (st == RESHED_OK) st = weights_before(j, weights, sizeof weights, err);
    if (st == RESHED_OK) st = load_weights(j, weights, err);
    if (st == RESHED_OK && strcmp(run->digest, j->digest) != 0)
        st = rs_fail(err, RESHED_EINVAL, "weights|those of the region before, %.16s...|%.16s...",
                     j->digest, run->digest);
    if (st == RESHED_OK) st = rs_scan_run_open(run, err);
    return st == RESHED_OK && j->o->points ? try_points(j, err) : st;
}

/* Opens weights and instrument, of a new session or of one that is resumed. */
static reshed_status open_all(scan_job *j, reshed_error *err)
{
    if (j->o->resume) return open_again(j, err);
    reshed_status st = load_weights(j, NULL, err);
    if (st == RESHED_OK) st = rs_scan_run_open(&j->run, err);
    return st == RESHED_OK && j->o->points ? try_points(j, err) : st;
}

/* The session of region r: a new one, or one that an interrupted run has left. A complete one is
 * left alone, and j->run.session is NULL. */
static reshed_status begin_region(scan_job *j, int r, reshed_error *err)
{
    const rs_scan_plan *p = &j->o->plan;
    char start[32];
    bool complete;
    const time_t now = time(NULL);
    reshed_status st = name_region_files(j, r, err);
    if (st != RESHED_OK || j->run.session) return st;
    if (j->o->resume && rs_os_is_file(j->path)) {
        st = look_at(j, &complete, err);
        if (st != RESHED_OK || complete) return st;
        rs_session_finish(j->run.session, RESHED_OK, NULL);
        j->run.session = NULL;
        return go_on(j, err);
    }
    if (r > 0) st = rs_scan_run_move(&j->run, p->region_x[r - 1], p->region_y[r - 1], err);
    if (st != RESHED_OK) return st;
    strftime(start, sizeof start, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    return rs_scan_run_create(&j->run, j->path, r, start, err);
}

/* Returns whether anything is to be done in the regions from r on. */
static bool is_left(const scan_job *j, int r)
{
    char path[4096];
    for (; r <= last_region(j); r++) {
        rs_session_progress g = {0};
        rs_session *s = NULL;
        if (!j->o->resume || rs_regions_path(path, sizeof path, j->o->out, r, NULL) != RESHED_OK ||
            !rs_os_is_file(path) || rs_session_open(path, &s, NULL) != RESHED_OK)
            return true;
        const reshed_status st = rs_session_get_progress(s, &g, NULL);
        rs_session_finish(s, RESHED_OK, NULL);
        if (st != RESHED_OK || !g.complete) return true;
    }
    return false;
}

static int scan(scan_job *j)
{
    scan_options *o = j->o;
    reshed_error err = {0};
    int status = CLI_OK;
    name_files(j, o->out ? o->out : "");
    if (o->dry_run) return dry_run(j);
    reshed_status st = scan_start_watch(j, &err);
    if (st == RESHED_OK) st = scan_live_start(j, &err);
    if (st == RESHED_OK) st = open_all(j, &err);
    if (st == RESHED_OK) st = rs_scan_run_make_stream(&j->run, &err);
    for (int r = j->region; st == RESHED_OK && status == CLI_OK && r <= last_region(j); r++) {
        j->run.more = is_left(j, r + 1);
        st = begin_region(j, r, &err);
        if (st == RESHED_OK && j->run.session) status = run_region(j);
        if (o->resume && o->points) { /* they were confirmed for that region only */
            o->points = NULL;
            o->confirm = true;
        }
    }
    if (st != RESHED_OK) {
        const rs_outcome end = rs_outcome_status(st, &err);
        rs_scan_run_halt(&j->run);
        scan_live_end(j, &end, endings[end.end].text, true);
        status = cli_fail(&scan_program, j->run.where, &err);
        if (j->run.left[0]) fprintf(stderr, "%s: instrument: %s\n", CLI_TEXT(j->path), j->run.left);
    }
    return status == CLI_OK ? cli_close(&scan_program) : status;
}

/* By a signal, or by a viewer who steers. */
static bool is_over(void *ctx)
{
    return scan_interrupted(NULL) || scan_live_stops(ctx);
}

int main(int argc, char **argv)
{
    scan_guard_output();
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
        j->run = (rs_scan_run){.plan = &o->plan,
                               .time_zero = rs_os_monotonic(),
                               .ctx = j,
                               .interrupted = is_over,
                               .warn = scan_warn};
        j->tty = rs_os_isatty(stderr);
        scan_catch_signals();
        status = o->self_test ? scan_self_test(o) : o->analyse ? analyse(j) : scan(j);
        scan_live_close(j);
        rs_scan_run_close(&j->run);
        rs_watch_end(j->run.watch);
    }
    rs_workflow_clear(&o->workflow);
    rs_free(j);
    rs_free(o);
    return status;
}
