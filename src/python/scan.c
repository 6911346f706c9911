#include "python/rooms.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "python/points.h"
#include "spm/scan/run.h"

typedef struct job {
    const rs_py_scan *scan;
    rs_scan_plan plan;
    const char *given[RS_SCAN_TEXTS];
    rs_scan_run run;
    uint8_t *state; /* [rows] */
} job;

/* ------------------------------------------------------------------------------------------ the plan */

static bool is_simulated(const char *driver)
{
    return strcmp(driver, "twin") == 0 || strcmp(driver, "replay") == 0;
}

static reshed_status make_plan(job *j, reshed_error *err)
{
    const rs_py_scan *s = j->scan;
    rs_scan_plan *p = &j->plan;
    reshed_status st = RESHED_OK;
    rs_scan_plan_defaults(p);
    if (!s->driver || !s->weights || !s->out || !s->start_time)
        return rs_fail(err, RESHED_EINVAL, "driver, weights, out, start time|all|one is missing");
    if (!s->table && !is_simulated(s->driver))
        return rs_fail(err, RESHED_EINVAL,
                       "driver|twin, replay or one of yours: for others reshed-scan, which has a "
                       "watchdog|%s",
                       s->driver);
    if (s->settings < 0 || s->settings >= RS_SCAN_TEXTS)
        return rs_fail(err, RESHED_EINVAL, "settings|up to %d|%d", RS_SCAN_TEXTS - 1, s->settings);
    p->driver = s->driver;
    p->table = s->table;
    p->option = s->option;
    p->options = s->options;
    p->given = j->given;
    p->stream.threads = s->threads;
    p->sample = s->sample;
    p->operator_name = s->operator_name;
    p->program = "reshed.py " RESHED_VERSION;
    for (int i = 0; st == RESHED_OK && i < s->settings; i++) {
        st = rs_scan_set(&p->settings, s->setting[i].name, s->setting[i].value, err);
        j->given[p->givens++] = s->setting[i].name;
    }
    if (st == RESHED_OK && s->norm) {
        st = rs_scan_plan_set_norm(p, s->norm, err);
        j->given[p->givens++] = "norm";
    }
    return st;
}

/* ----------------------------------------------------------------------------------- what it tells */

static bool interrupted(void *ctx)
{
    const job *j = ctx;
    return j->scan->interrupted && j->scan->interrupted(j->scan->ctx);
}

static void warn(void *ctx, bool serious, const char *what, const reshed_error *why)
{
    const job *j = ctx;
    char text[640], reason[512];
    if (!j->scan->warn) return;
    snprintf(text, sizeof text, "%s: %s", what, reshed_error_text(why, reason, sizeof reason));
    j->scan->warn(j->scan->ctx, serious, text);
}

static void survey_news(void *ctx, const rs_survey_news *n)
{
    job *j = ctx;
    if (!j->scan->line || !j->state) return;
    for (int y = 0; y < n->rows; y++)
        j->state[y] = n->map.state[y] == RS_ROW_UNSCANNED ? RS_SESSION_UNSCANNED
                      : n->map.stale[y]                   ? RS_SESSION_STALE
                      : n->map.state[y] == RS_ROW_FINAL   ? RS_SESSION_FINAL
                                                          : RS_SESSION_PROVISIONAL;
    j->scan->line(j->scan->ctx, n->line, n->arrived, n->lost, n->rows, n->cols, n->amplitude,
                  n->map.mean, n->map.variance, j->state, n->score, n->alarm);
}

static void measure_news(void *ctx, const rs_measure_news *n)
{
    const job *j = ctx;
    if (j->scan->point) j->scan->point(j->scan->ctx, n->done, n->of, n->left);
}

static bool confirm(void *ctx, const rs_choice *choice, rs_session_point **points, int *n)
{
    const job *j = ctx;
    (void)choice;
    if (!j->scan->confirm) return true;
    rs_py_session_point *flat = rs_alloc((size_t)*n, sizeof *flat);
    if (!flat) return false; /* nobody can look at them */
    for (int i = 0; i < *n; i++) flat[i] = rs_py_flat_point(&(*points)[i]);
    const bool yes = j->scan->confirm(j->scan->ctx, flat, *n) != 0;
    rs_free(flat);
    return yes;
}

/* ------------------------------------------------------------------------------------------ the run */

/* Everything before the first line. */
static reshed_status begin(job *j, reshed_error *err)
{
    const rs_py_scan *s = j->scan;
    rs_scan_run *r = &j->run;
    reshed_status st = s->resume ? rs_scan_run_resume(r, s->out, err) : RESHED_OK;
    if (st == RESHED_OK) st = rs_scan_run_load_weights(r, s->weights, err);
    if (st == RESHED_OK) st = s->resume ? rs_scan_run_open_again(r, err) : rs_scan_run_open(r, err);
    if (st == RESHED_OK) st = rs_scan_run_make_stream(r, err);
    if (st == RESHED_OK && !s->resume) st = rs_scan_run_create(r, s->out, 0, s->start_time, err);
    if (st == RESHED_OK) {
        j->state = rs_zalloc((size_t)r->frame.rows, 1);
        if (!j->state) st = rs_fail_nomem(err, "states of rows", (size_t)r->frame.rows);
    }
    return st;
}

static reshed_status region(job *j, rs_py_scan_end *end, reshed_error *err)
{
    const rs_region_options o = {
        .survey = {.news = survey_news}, .measure_news = measure_news, .confirm = confirm};
    const rs_outcome out = rs_scan_run_region(&j->run, &o);
    reshed_error why = {0};
    end->end = (int)out.end;
    const reshed_status wanted = out.end == RS_END_DONE ? RESHED_OK : RESHED_EIO;
    const reshed_status finished = rs_session_finish(j->run.session, wanted, &why);
    j->run.session = NULL;
    if (rs_outcome_failed(&out)) {
        *err = out.err;
        return out.err.status;
    }
    if (wanted == RESHED_OK && finished != RESHED_OK) {
        *err = why;
        return finished;
    }
    return RESHED_OK;
}

reshed_status rs_py_scan_run(const rs_py_scan *scan, rs_py_scan_end *end, reshed_error *err)
{
    *end = (rs_py_scan_end){.end = (int)RS_END_FAILED};
    job *j = rs_zalloc(1, sizeof *j);
    if (!j) return rs_fail_nomem(err, "an acquisition", sizeof *j);
    j->scan = scan;
    j->run = (rs_scan_run){.plan = &j->plan,
                           .time_zero = rs_os_monotonic(),
                           .ctx = j,
                           .interrupted = interrupted,
                           .warn = warn};
    reshed_status st = make_plan(j, err);
    if (st == RESHED_OK) {
        st = begin(j, err);
        if (st == RESHED_OK)
            st = region(j, end, err);
        else
            rs_scan_run_halt(&j->run);
    }
    end->unsafe = j->run.unsafe;
    rs_text_copy(end->left, sizeof end->left, j->run.left);
    rs_text_copy(end->where, sizeof end->where,
                 st != RESHED_OK && j->run.where ? j->run.where : "");
    rs_scan_run_close(&j->run);
    rs_free(j->state);
    rs_free(j);
    return st;
}
