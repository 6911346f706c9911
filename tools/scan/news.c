#include "tools/scan/job.h"
#include "tools/scan/live.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/pictures.h"

#include "base/alloc.h"
#include "base/os.h"
#include "spm/scan/request/points.h"
#include "spm/scan/resume.h"

/* Seconds between two progress lines on a terminal and elsewhere, and between previews. */
#define SHOW_TTY 0.1
#define SHOW_PLAIN 5.0
#define DRAW_EVERY 2.0

/* ------------------------------------------------------------------------------------- progress */

static bool time_to_show(scan_job *j, bool last)
{
    const double now = rs_os_monotonic();
    if (j->o->quiet || !rs_os_takes_more(stderr)) return false;
    if (!last && now - j->shown < (j->tty ? SHOW_TTY : SHOW_PLAIN)) return false;
    j->shown = now;
    return true;
}

static void begin_line(scan_job *j)
{
    if (j->tty) fputs("\r\033[K", stderr);
    j->line_open = j->tty;
}

static void finish_line(const scan_job *j)
{
    if (!j->tty) fputc('\n', stderr);
    fflush(stderr);
}

void scan_end_line(scan_job *j)
{
    if (j->line_open) fputc('\n', stderr);
    j->line_open = false;
}

static void draw(scan_job *j, const rs_survey_news *n, bool last)
{
    const double now = rs_os_monotonic();
    reshed_error err = {0};
    if (!j->pictures[0] || (!last && now - j->drawn < DRAW_EVERY)) return;
    uint8_t *state = rs_zalloc((size_t)n->rows, 1);
    if (!state) return;
    for (int y = 0; y < n->rows; y++)
        state[y] = n->map.state[y] == RS_ROW_UNSCANNED ? RS_SESSION_UNSCANNED
                   : n->map.stale[y]                   ? RS_SESSION_STALE
                   : n->map.state[y] == RS_ROW_FINAL   ? RS_SESSION_FINAL
                                                       : RS_SESSION_PROVISIONAL;
    if (rs_report_pictures(j->pictures, n->rows, n->cols, j->run.frame.width / n->cols,
                           n->amplitude, n->map.mean, n->map.variance, state, NULL, 0,
                           &err) != RESHED_OK)
        scan_warn(j, false, "no preview", &err);
    rs_free(state);
    j->drawn = rs_os_monotonic();
}

void scan_warn(void *ctx, bool serious, const char *what, const reshed_error *why)
{
    scan_job *j = ctx;
    char text[512];
    if (j->o->quiet && !serious) return;
    /* A scan does not wait for whoever reads this; what is serious is in the session's log, too. */
    if (!rs_os_takes_more(stderr)) return;
    scan_end_line(j);
    cli_warn(&scan_program, NULL, "%s: %s", what, reshed_error_text(why, text, sizeof text));
}

void scan_survey_news(void *ctx, const rs_survey_news *n)
{
    scan_job *j = ctx;
    const bool last = n->arrived + n->lost == n->rows;
    j->lines = n->arrived;
    j->lost = n->lost;
    j->pauses = n->pauses;
    j->score = n->score;
    j->fault = n->fault;
    j->alarm = n->alarm;
    draw(j, n, last);
    scan_live_survey(j, n);
    if (!time_to_show(j, last)) return;
    begin_line(j);
    const double rate =
        isfinite(j->run.instrument ? rs_instrument_caps(j->run.instrument)->clock_rate : INFINITY)
            ? j->run.frame.line_rate * rs_instrument_caps(j->run.instrument)->clock_rate
            : 0;
    fprintf(stderr, "line %d of %d, lag %d", n->arrived + n->lost, n->rows,
            n->map.lag + n->waiting);
    if (n->lost) fprintf(stderr, ", %d lost", n->lost);
    const double u = rs_survey_uncertainty(n);
    if (isfinite(u)) fprintf(stderr, ", uncertainty %.4f", u);
    if (isfinite(n->score)) fprintf(stderr, ", score %.2f%s", n->score, n->alarm ? " ALARM" : "");
    if (rate > 0) fprintf(stderr, ", %.0f s left", (n->rows - n->arrived - n->lost) / rate);
    finish_line(j);
}

void scan_measure_news(void *ctx, const rs_measure_news *n)
{
    scan_job *j = ctx;
    scan_live_measure(j, n);
    if (!time_to_show(j, n->done == n->of)) return;
    begin_line(j);
    fprintf(stderr, "point %d of %d", n->done, n->of);
    const int width = rs_loop_value_find("width_mid");
    if (width >= 0 && isfinite(n->metric[width]))
        fprintf(stderr, ", width %.2f V", n->metric[width]);
    fprintf(stderr, ", %.0f s left", n->left);
    finish_line(j);
}

/* --------------------------------------------------------------------------------------- points */

/* The points on the map, as CSV and picture. */
static void show_points(scan_job *j, const rs_session_point *points, int n)
{
    rs_live_view v;
    reshed_error err = {0};
    char text[512];
    const size_t px = (size_t)j->run.frame.rows * (size_t)j->run.frame.cols;
    float *amplitude = rs_alloc(px, sizeof *amplitude);
    rs_live_get(j->run.stream, &v);
    reshed_status st = amplitude ? rs_session_read_map(j->run.session, RS_SESSION_AMPLITUDE, 0,
                                                       j->run.frame.rows, amplitude, &err)
                                 : rs_fail_nomem(&err, "a picture", px);
    if (st == RESHED_OK && j->pictures[0])
        st = rs_report_pictures(j->pictures, v.height, v.width, j->run.frame.width / v.width,
                                amplitude, v.mean, v.variance, NULL, points, n, &err);
    if (st != RESHED_OK)
        cli_warn(&scan_program, j->pictures, "no picture of the points: %s",
                 reshed_error_text(&err, text, sizeof text));
    rs_free(amplitude);
}

reshed_status scan_read_points(const scan_job *j, rs_session_point **points, int *n, int *left_out,
                               int *near, reshed_error *err)
{
    const rs_scan_plan *plan = &j->o->plan;
    const rs_frame *frame = &j->run.frame;
    rs_scan_settings s = plan->settings;
    rs_session_point *p = NULL, *trial = NULL;
    int count = 0, all, kept;
    const bool asked = rs_scan_plan_given(plan, "min_distance") && s.min_distance >= 0;
    reshed_status st = rs_points_read(j->o->points, frame, &p, &count, err);
    rs_scan_settings_settle(&s);
    all = count;
    if (st == RESHED_OK)
        st = rs_points_keep_apart(frame, asked ? s.min_distance : RS_POINTS_SAME, p, &count, err);
    kept = count;
    if (st == RESHED_OK && !asked) {
        trial = rs_alloc((size_t)count, sizeof *trial);
        if (!trial)
            st = rs_fail_nomem(err, "points", (size_t)count * sizeof *trial);
        else if (count)
            memcpy(trial, p, (size_t)count * sizeof *trial);
        if (st == RESHED_OK) st = rs_points_keep_apart(frame, s.min_distance, trial, &kept, err);
        rs_free(trial);
    }
    if (st != RESHED_OK) {
        rs_free(p);
        return st;
    }
    *points = p;
    *n = count;
    *left_out = all - count;
    *near = count - kept;
    return RESHED_OK;
}

bool scan_confirm(void *ctx, const rs_choice *choice, rs_session_point **points, int *n)
{
    scan_job *j = ctx;
    reshed_error err = {0};
    scan_live_walls(j, choice);
    scan_end_line(j);
    if (j->o->points) {
        rs_session_point *mine = NULL;
        int count = 0, left_out, near;
        if (scan_read_points(j, &mine, &count, &left_out, &near, &err) != RESHED_OK) {
            cli_fail(&scan_program, j->o->points, &err);
            return false;
        }
        rs_free(*points);
        *points = mine;
        *n = count;
    }
    show_points(j, *points, *n);
    if (!j->o->confirm) return true;
    if (rs_points_write(j->points_csv, *points, *n, &err) != RESHED_OK) {
        cli_fail(&scan_program, j->points_csv, &err);
        return false;
    }
    if (j->live) return true; /* they wait on the page */
    char driver[RS_SCAN_DRIVER_TEXT];
    const rs_scan_plan *p = &j->o->plan;
    fprintf(stderr,
            "%d points wait for a yes: %s\n"
            "Go on with: reshed-scan --resume %s -o %s --points %s\n",
            *n, j->points_csv, rs_scan_driver_text(p->driver, p->option, p->options, driver),
            j->path, j->points_csv);
    return false;
}
