/* A run from a plan to its end: what is taken from the instrument and from a session, lists of
 * points as files, and an instrument that is left as it should be. */
#include "support/session_sim.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/walls/find.h"
#include "spm/instrument/private.h"
#include "spm/scan/request/points.h"
#include "spm/scan/resume.h"
#include "spm/scan/run.h"

/* ---------------------------------------------------------------------------------------- plans */

static void words_of_a_norm(void **state)
{
    (void)state;
    rs_scan_plan p;
    reshed_error err = {0};
    rs_scan_plan_defaults(&p);
    assert_string_equal(p.norm, "scanned");
    assert_int_equal(p.stream.norm, RS_LIVE_SCANNED);
    assert_ok(rs_scan_plan_set_norm(&p, "robust", &err), &err);
    assert_int_equal(p.stream.norm, RS_LIVE_ROBUST);
    assert_ok(rs_scan_plan_set_norm(&p, "-1.5,2e3", &err), &err);
    assert_int_equal(p.stream.norm, RS_LIVE_FIXED);
    assert_true(p.stream.lo == -1.5f && p.stream.hi == 2e3f);
    static const char *const wrong[] = {"", "loud", "1", "1,", ",2", "1,2,3", "Robust"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const rs_scan_plan before = p;
        assert_int_equal(rs_scan_plan_set_norm(&p, wrong[i], &err), RESHED_EINVAL);
        assert_memory_equal(&p, &before, sizeof p);
    }
}

static void every_setting_has_a_text(void **state)
{
    (void)state;
    static const char *const given[] = {"rows", "voltage"};
    rs_scan_plan p;
    rs_scan_texts t;
    int fields;
    rs_scan_plan_defaults(&p);
    p.given = given;
    p.givens = 2;
    assert_true(rs_scan_plan_given(&p, "voltage"));
    assert_false(rs_scan_plan_given(&p, "cols"));
    p.stream.front = RS_FRONT_REFLECT;
    p.stream.preview = RS_PREVIEW_OFF;
    rs_scan_plan_texts(&p, &t);
    rs_scan_fields(&fields);
    assert_int_equal(t.n, fields + 5);
    assert_true(t.n <= RS_SCAN_TEXTS);
    for (int i = 0; i < t.n; i++) {
        assert_true(t.setting[i].name[0] && (t.setting[i].value[0] || i == t.n - 1));
        if (strcmp(t.setting[i].name, "min_distance") == 0) /* what is meant, not "auto" */
            assert_string_equal(t.setting[i].value, "2");
    }
    assert_string_equal(t.setting[t.n - 3].value, "reflect");
    assert_string_equal(t.setting[t.n - 2].value, "off");
}

/* What a session does not name was as in the programs that did not have it. */
static void old_sessions_keep_their_recipe(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        static const rs_driver_option setting[] = {
            {"every", "2"}, {"thinning", "0"}, {"min_distance", "1.5"}};
        rs_session_setup setup = *sim_setup();
        rs_session *s = NULL;
        rs_scan_plan p;
        reshed_error err = {0};
        const char *path = test_temp(named ? "named.h5" : "unnamed.h5");
        setup.setting = setting;
        setup.settings = 1 + 2 * named;
        rs_scan_plan_defaults(&p);
        assert_true(p.settings.thinning == RS_FIND_KEEP && p.settings.min_distance < 0);
        assert_ok(rs_session_create(path, &setup, 1, &s, &err), &err);
        assert_ok(rs_scan_plan_from_session(&p, s, &err), &err);
        assert_true(p.settings.every == 2);
        assert_true(p.settings.thinning == (named ? RS_FIND_KEEP : RS_FIND_SKIMAGE));
        assert_true(p.settings.min_distance == (named ? 1.5 : 0));
        assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    }
}

static void words_of_settings(void **state)
{
    (void)state;
    rs_scan_settings s;
    reshed_error err = {0};
    rs_scan_settings_defaults(&s);
    assert_ok(rs_scan_set(&s, "thinning", "skimage", &err), &err);
    assert_true(s.thinning == RS_FIND_SKIMAGE);
    assert_ok(rs_scan_set(&s, "thinning", "keep", &err), &err);
    assert_true(s.thinning == RS_FIND_KEEP);
    assert_ok(rs_scan_set(&s, "order", "raster", &err), &err);
    assert_ok(rs_scan_set(&s, "alarm", "stop", &err), &err);
    assert_true(s.order == RS_FIND_RASTER && s.alarm == RS_SCAN_ALARM_STOP);
    assert_ok(rs_scan_set(&s, "min_distance", "3", &err), &err);
    rs_scan_settings_settle(&s);
    assert_true(s.min_distance == 3);
    assert_ok(rs_scan_set(&s, "min_distance", "auto", &err), &err);
    assert_true(s.min_distance == -1);
    rs_scan_settings_settle(&s);
    assert_true(s.min_distance == 2);
    s.min_distance = -1;
    s.every = 1;
    rs_scan_settings_settle(&s);
    assert_true(s.min_distance == 1);
    assert_int_equal(rs_scan_set(&s, "thinning", "raster", &err), RESHED_EINVAL);
    assert_int_equal(rs_scan_set(&s, "every", "keep", &err), RESHED_EINVAL);
}

/* --------------------------------------------------------------------------------------- points */

static const rs_frame frame = {
    .cx = 1e-6, .cy = -2e-6, .width = 2e-6, .height = 1e-6, .angle = 0.3, .rows = 50, .cols = 100};

static void write_text(const char *name, const char *text)
{
    reshed_error err = {0};
    assert_ok(rs_os_write_file(test_temp(name), text, strlen(text), &err), &err);
}

static void points_come_back_from_a_file(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_session_point *p = NULL, *q = NULL;
    int n = -1;
    write_text("a.csv", "row,col\n0,0\n49,99\n12.5,30\n");
    assert_ok(rs_points_read(test_temp("a.csv"), &frame, &p, &n, &err), &err);
    assert_int_equal(n, 3);
    for (int i = 0; i < n; i++) {
        assert_true(p[i].target == i && p[i].wall == -1 && p[i].state == RS_SESSION_PENDING);
        assert_true(isnan(p[i].time) && isnan(p[i].measured_x) && isnan(p[i].measured_y));
        assert_true(p[i].device_x == p[i].x && p[i].device_y == p[i].y);
    }
    /* The file holds both kinds of columns; pixels are read. */
    assert_ok(rs_points_write(test_temp("b.csv"), p, n, &err), &err);
    assert_ok(rs_points_read(test_temp("b.csv"), &frame, &q, &n, &err), &err);
    for (int i = 0; i < n; i++) {
        assert_true(q[i].row == p[i].row && q[i].col == p[i].col);
        assert_near(q[i].x, p[i].x, 1e-18);
        assert_near(q[i].y, p[i].y, 1e-18);
    }
    rs_free(q);
    char text[512];
    snprintf(text, sizeof text, "y,x\n%.17g,%.17g\n", p[2].y, p[2].x);
    write_text("c.csv", text);
    assert_ok(rs_points_read(test_temp("c.csv"), &frame, &q, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_near(q[0].row, 12.5, 1e-9);
    assert_near(q[0].col, 30, 1e-9);
    rs_free(q);
    /* Edited in one of the two places, the line is named; an empty cell says nothing. */
    snprintf(text, sizeof text, "row,col,x,y\n12.5,30,%.17g,%.17g\n20,30,%.17g,%.17g\n", p[2].x,
             p[2].y, p[2].x, p[2].y);
    write_text("d.csv", text);
    assert_int_equal(rs_points_read(test_temp("d.csv"), &frame, &q, &n, &err), RESHED_EINVAL);
    assert_non_null(strstr(reshed_error_text(&err, text, sizeof text), "line 3"));
    snprintf(text, sizeof text, "row,col,x,y\n12.5,30,%.17g,%.17g\n20,30,,\n", p[2].x, p[2].y);
    write_text("d.csv", text);
    err = (reshed_error){0};
    assert_ok(rs_points_read(test_temp("d.csv"), &frame, &q, &n, &err), &err);
    rs_free(q);
    rs_free(p);
}

/* Against every pair, on pixels twice as wide as high. */
static void points_are_kept_apart(void **state)
{
    (void)state;
    enum { N = 400 };
    static const double distance[] = {0, 0.01, 0.7, 3, 40, 1e4};
    const rs_frame oblong = {.width = 2e-6, .height = 1e-6, .rows = 40, .cols = 40};
    static rs_session_point p[N], before[N];
    test_rng r = {test_seed()};
    reshed_error err = {0};
    for (int i = 0; i < N; i++) {
        before[i] = (rs_session_point){.row = (double)test_below(&r, 40) - 0.5 * (i % 3),
                                       .col = test_uniform(&r, -0.5, 39.5),
                                       .target = i};
        if (i % 5 == 4) before[i] = before[i - 3];
    }
    for (size_t k = 0; k < sizeof distance / sizeof *distance; k++) {
        int n = N, kept = 0;
        memcpy(p, before, sizeof p);
        assert_ok(rs_points_keep_apart(&oblong, distance[k], p, &n, &err), &err);
        for (int i = 0; i < N; i++) {
            bool near = false;
            for (int j = 0; j < kept && !near; j++)
                near = hypot((before[i].col - p[j].col) * sqrt(2.0),
                             (before[i].row - p[j].row) * sqrt(0.5)) < distance[k] * (1 - 1e-9);
            if (near) continue;
            assert_true(kept < n && p[kept].row == before[i].row && p[kept].col == before[i].col);
            assert_int_equal(p[kept].target, distance[k] > 0 ? kept : before[i].target);
            kept++;
        }
        assert_int_equal(kept, n);
    }
    int n = N;
    assert_int_equal(rs_points_keep_apart(&oblong, NAN, p, &n, &err), RESHED_EINVAL);
    for (long k = 0; k < 2; k++) {
        memcpy(p, before, sizeof p);
        test_alloc_fail_at(k);
        assert_int_equal(rs_points_keep_apart(&oblong, 3, p, &n, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
        assert_memory_equal(p, before, sizeof p);
        assert_int_equal(n, N);
    }
}

static void wrong_points_are_refused_by_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where;
    } wrong[] = {{"row,col\n1,2\n50,2\n", "line 3"},
                 {"row,col\n-0.6,2\n", "line 2"},
                 {"x,y\n1e-6,0\n", "line 2"},
                 {"row,col\n1,2\n3,4\nnan,4\n", "line 4"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rs_session_point *p = NULL;
        int n = -1;
        reshed_error err = {0};
        write_text("wrong.csv", wrong[i].text);
        assert_true(rs_points_read(test_temp("wrong.csv"), &frame, &p, &n, &err) != RESHED_OK);
        assert_string_equal(err.where, wrong[i].where);
        assert_true(p == NULL && n == -1);
    }
    write_text("none.csv", "row,y\n1,2\n");
    rs_session_point *p = NULL;
    int n;
    reshed_error err = {0};
    assert_true(rs_points_read(test_temp("none.csv"), &frame, &p, &n, &err) != RESHED_OK);
    write_text("a.csv", "row,col\n0,0\n");
    for (long k = 0;; k++) {
        test_alloc_fail_at(k);
        const reshed_status st = rs_points_read(test_temp("a.csv"), &frame, &p, &n, &err);
        const bool hit = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!hit) {
            assert_int_equal(st, RESHED_OK);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(p);
    }
    rs_free(p);
}

/* ----------------------------------------------------------------------------------------- runs */

typedef struct watcher {
    int lines, warnings;
    int stop_at; /* interrupts after so many lines; 0: never */
} watcher;

static void news(void *ctx, const rs_survey_news *n)
{
    ((watcher *)ctx)->lines = n->arrived;
}

static bool interrupted(void *ctx)
{
    const watcher *w = ctx;
    return w->stop_at > 0 && w->lines >= w->stop_at;
}

static void warn(void *ctx, bool serious, const char *what, const reshed_error *why)
{
    assert_true(what[0] && why->what[0]);
    assert_int_equal(serious, strstr(why->what, "bias 0") != NULL);
    ((watcher *)ctx)->warnings++;
}

static const rs_driver_option twin[] = {{"clock", "0"}, {"seed", "7"}};
static const char *const given[] = {"rows", "cols", "width", "height"};

static void small_plan(rs_scan_plan *p)
{
    rs_scan_plan_defaults(p);
    p->driver = "twin";
    p->option = twin;
    p->options = 2;
    p->given = given;
    p->givens = 4;
    p->settings.rows = p->settings.cols = 32;
    p->settings.width = p->settings.height = 0.45e-6;
    p->settings.be_repeats = 1;
    p->settings.steps = 32;
    p->settings.cycles = 1;
    p->settings.drop_first = 0;
    p->settings.threshold = 0.4;
    p->settings.every = 6;
    p->settings.max_points = 2;
    p->settings.patch = 16;
    p->stream.threads = 1;
}

static double read_signal(rs_instrument *i, const char *name)
{
    double v = NAN;
    reshed_error err = {0};
    assert_int_equal(rs_instrument_read_signal(i, name, &v, 1, &err), RS_DRIVER_OK);
    return v;
}

/* The session's log ends with how the instrument was left. */
static void check_last_event(rs_session *s, const char *text)
{
    rs_session_event e;
    rs_session_progress p;
    reshed_error err = {0};
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.events > 0);
    assert_ok(rs_session_read_events(s, p.events - 1, 1, &e, &err), &err);
    assert_string_equal(e.text, text);
}

static void a_plan_is_run_interrupted_resumed_and_analysed(void **state)
{
    (void)state;
    static const double x[] = {1e-7}, y[] = {-1e-7};
    char path[1024];
    reshed_error err = {0};
    rs_scan_plan plan, again;
    watcher w = {.stop_at = 7};
    const rs_region_options o = {.survey = {.news = news}};
    snprintf(path, sizeof path, "%s", test_temp("run.h5"));
    small_plan(&plan);
    plan.region_x[0] = x[0];
    plan.region_y[0] = y[0];
    plan.regions = 1;
    plan.settings.max_points = 20;
    plan.settings.x = 5e-8; /* not given: the instrument's */
    assert_ok(rs_flow_parse("survey; choose every=4; loops", &plan.steps, &err), &err);
    rs_scan_run r = {.plan = &plan, .ctx = &w, .interrupted = interrupted, .warn = warn};
    assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
    assert_ok(rs_scan_run_open(&r, &err), &err);
    assert_true(plan.settings.x == 0 && r.frame.cx == 0 && r.frame.rows == 32);
    assert_ok(rs_scan_run_make_stream(&r, &err), &err);
    assert_ok(rs_scan_run_create(&r, path, 0, "2026-11-25T00:00:00Z", &err), &err);
    rs_outcome end = rs_scan_run_region(&r, &o);
    assert_int_equal(end.end, RS_END_INTERRUPTED);
    assert_string_equal(r.left, "halted: bias 0 V, drive off, nothing moves");
    /* It has been halted: nothing starts by itself. */
    assert_true(read_signal(r.instrument, "Bias") == 0 && read_signal(r.instrument, "Drive") == 0);
    assert_int_equal(rs_instrument_start(r.instrument, 0, 1, NULL), RS_DRIVER_REFUSED);
    rs_scan_run_close(&r);
    rs_scan_run_close(&r); /* and twice */

    w = (watcher){.stop_at = 0};
    rs_scan_plan_defaults(&again); /* all but the driver comes from the session */
    again.driver = plan.driver;
    again.option = plan.option;
    again.options = plan.options;
    r = (rs_scan_run){
        .plan = &again, .more = true, .ctx = &w, .interrupted = interrupted, .warn = warn};
    assert_ok(rs_scan_run_resume(&r, path, &err), &err);
    assert_true(again.settings.rows == 32 && again.settings.every == 6);
    again.stream.threads = 1;
    assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
    assert_ok(rs_scan_run_open_again(&r, &err), &err);
    assert_ok(rs_scan_run_make_stream(&r, &err), &err);
    end = rs_scan_run_region(&r, &o);
    assert_int_equal(end.end, RS_END_DONE);
    assert_int_equal(w.lines, 32);
    assert_int_equal(w.warnings, 0);
    /* It is at rest, and can go on. */
    assert_string_equal(r.left, "bias 0 V, drive off, tip left on the sample");
    check_last_event(r.session, r.left);
    assert_true(read_signal(r.instrument, "Bias") == 0 && read_signal(r.instrument, "Drive") == 0);
    assert_ok(rs_session_finish(r.session, RESHED_OK, &err), &err);
    r.session = NULL;
    assert_ok(rs_scan_run_move(&r, x[0], y[0], &err), &err);
    assert_true(again.settings.x == x[0] && r.frame.cy == y[0]);
    assert_true(read_signal(r.instrument, "Drive") == again.settings.be_amplitude);
    assert_int_equal(rs_instrument_start(r.instrument, 0, 1, &err), RS_DRIVER_OK);
    rs_scan_run_halt(&r);
    rs_scan_run_close(&r);

    rs_analysis a = {0};
    r = (rs_scan_run){.plan = &again};
    assert_ok(rs_scan_run_read(&r, path, &err), &err);
    assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
    assert_ok(rs_scan_run_make_stream(&r, &err), &err);
    end = rs_scan_run_analyse(&r, &a);
    assert_int_equal(end.end, RS_END_DONE);
    assert_true(a.progress.lines == 32 && a.mean == 0 && a.variance == 0 && a.metric == 0);
    rs_session_progress g;
    assert_ok(rs_session_get_progress(r.session, &g, &err), &err);
    assert_int_equal(a.chosen, g.points); /* by the step's own rules */
    rs_analysis_clear(&a);
    rs_scan_run_close(&r);
}

/* The instrument of a session and one that differs in a single thing. */
static void another_instrument_is_not_gone_on_with(void **state)
{
    (void)state;
    rs_session_setup setup = {
        .caps = {.instrument = "scope", .retrace = true, .bins = 3, .channels = 2},
        .frame = {.cx = 1e-6,
                  .cy = -1e-6,
                  .width = 2e-6,
                  .height = 1e-6,
                  .angle = 0.3,
                  .rows = 50,
                  .cols = 100,
                  .line_rate = 1}};
    strcpy(setup.caps.channel[0], "Amplitude");
    strcpy(setup.caps.unit[0], "m");
    strcpy(setup.caps.channel[1], "Phase");
    strcpy(setup.caps.unit[1], "rad");
    for (int i = 0; i < 17; i++) {
        static const char *const says[] = {"",      "instrument", "channel", "channel", "lines",
                                           "lines", "lines",      "lines",   "frame"};
        rs_driver_caps caps = setup.caps;
        rs_frame f = setup.frame;
        reshed_error err = {0};
        switch (i) {
        case 0: f.cx += 1e-11; break; /* within a hundredth of a pixel */
        case 1: strcpy(caps.instrument, "another"); break;
        case 2: strcpy(caps.channel[0], "Current"); break;
        case 3: strcpy(caps.unit[1], "deg"); break;
        case 4: caps.channels = 1; break;
        case 5: caps.bins = 4; break;
        case 6: caps.retrace = false; break;
        case 7: caps.off_field = true; break;
        case 8: f.cx += 1e-9; break;
        case 9: f.cy -= 1e-9; break;
        case 10: f.width *= 1.01; break;
        case 11: f.height *= 0.99; break;
        case 12: f.angle += 0.01; break;
        case 13: f.rows = 51; break;
        case 14: f.cols = 99; break;
        case 15: f.line_rate = 1.1; break;
        default: f.upward = true; break;
        }
        const reshed_status st = rs_scan_resume_check_instrument(&setup, &caps, &f, &err);
        assert_int_equal(st, i == 0 ? RESHED_OK : RESHED_EINVAL);
        if (i > 0) assert_non_null(strstr(err.what, says[i < 8 ? i : 8]));
    }
}

static void lists_of_regions_are_texts(void **state)
{
    (void)state;
    double x[RS_SCAN_MAX_REGIONS], y[RS_SCAN_MAX_REGIONS], u[RS_SCAN_MAX_REGIONS],
        v[RS_SCAN_MAX_REGIONS];
    char text[RS_SCAN_REGIONS_TEXT], path[64];
    int n = -1;
    reshed_error err = {0};
    for (int i = 0; i < RS_SCAN_MAX_REGIONS; i++) {
        x[i] = -1.2345678901234567e-100 / (i + 3);
        y[i] = 1e-6 / (i + 7);
    }
    for (int k = 0; k <= RS_SCAN_MAX_REGIONS; k += k == 1 ? RS_SCAN_MAX_REGIONS - 1 : 1) {
        rs_regions_format(text, x, y, k);
        assert_true(strlen(text) < 4000); /* of a session's texts */
        assert_ok(rs_regions_parse(text, u, v, &n, &err), &err);
        assert_int_equal(n, k);
        assert_true(k == 0 || (memcmp(x, u, (size_t)k * sizeof *x) == 0 &&
                               memcmp(y, v, (size_t)k * sizeof *y) == 0));
    }
    static const char *const wrong[] = {" ",     "1",     "1,",       ",1",   "1,2,3", "1,2;3,4",
                                        "1,nan", "inf,1", "1,2  3,4", "1, 2", "a,b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        n = -1;
        if (rs_regions_parse(wrong[i], u, v, &n, &err) != RESHED_EINVAL || n != -1)
            fail_msg("'%s' is taken", wrong[i]);
    }
    memset(text, 0, sizeof text);
    for (int i = 0; i <= RS_SCAN_MAX_REGIONS; i++) strcat(text, i ? " 1,2" : "1,2");
    assert_int_equal(rs_regions_parse(text, u, v, &n, &err), RESHED_EINVAL);
    assert_ok(rs_regions_path(path, sizeof path, "a.b/scan.h5", 0, &err), &err);
    assert_string_equal(path, "a.b/scan.h5");
    assert_ok(rs_regions_path(path, sizeof path, "a.b/scan", 1, &err), &err);
    assert_string_equal(path, "a.b/scan_2");
    assert_ok(rs_regions_path(path, 15, "a.b/scan.h5", 9, &err), &err); /* and its end */
    assert_string_equal(path, "a.b/scan_10.h5");
    assert_int_equal(rs_regions_path(path, 14, "a.b/scan.h5", 9, &err), RESHED_EINVAL);
}

static rs_driver_status refuse_bias(void *self, double volts, double timeout, reshed_error *err)
{
    (void)self;
    (void)volts;
    (void)timeout;
    rs_fail(err, RESHED_EUNSUPPORTED, "bias 0 is not possible now");
    return RS_DRIVER_REFUSED;
}

/* All is measured, but the bias does not go to 0: a warning, a halt, and a run that has failed. */
static void a_refused_bias_at_a_good_end_is_a_failure(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_scan_plan plan;
    watcher w = {.stop_at = 0};
    const rs_region_options o = {.survey = {.news = news}};
    small_plan(&plan);
    plan.settings.voltage = 0;
    rs_scan_run r = {.plan = &plan, .ctx = &w, .interrupted = interrupted, .warn = warn};
    assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
    assert_ok(rs_scan_run_open(&r, &err), &err);
    rs_driver_ops ops = *r.instrument->ops;
    ops.set_bias = refuse_bias;
    r.instrument->ops = &ops;
    assert_ok(rs_scan_run_make_stream(&r, &err), &err);
    assert_ok(rs_scan_run_create(&r, test_temp("rest.h5"), 0, "2026-11-25T00:00:00Z", &err), &err);
    assert_int_equal(rs_scan_run_region(&r, &o).end, RS_END_DONE);
    assert_true(r.unsafe);
    assert_int_equal(w.warnings, 1);
    assert_string_equal(r.left, "bias 0 V: FAILED, drive off, tip withdrawn; halted: bias 0 V, "
                                "drive off, nothing moves");
    check_last_event(r.session, r.left);
    assert_int_equal(rs_instrument_start(r.instrument, 0, 1, NULL), RS_DRIVER_REFUSED);
    assert_ok(rs_session_finish(r.session, RESHED_OK, &err), &err);
    r.session = NULL;
    rs_scan_run_close(&r);
}

static void what_would_be_refused_later_is_refused_first(void **state)
{
    (void)state;
    static const char *const ends[] = {"end"};
    for (int i = 0; i < 6; i++) {
        reshed_error err = {0};
        rs_scan_plan p;
        watcher w = {0};
        small_plan(&p);
        p.region_x[0] = 1e-3;
        if (i == 0) p.regions = 1;
        if (i == 1) p.settings.speed = 1;
        if (i == 2) p.settings.voltage = 11;
        if (i == 3) p.settings.width = 1e-3;
        if (i == 4) p.driver = "atom";
        if (i == 5) { /* to be parked off the stage */
            p.given = ends;
            p.givens = 1;
            p.settings.end = RS_TIP_PARK;
            p.settings.park_x = 1e-3;
        }
        rs_scan_run r = {.plan = &p, .ctx = &w, .warn = warn};
        assert_int_equal(rs_scan_run_open(&r, &err), RESHED_EINVAL);
        assert_int_equal(err.status, RESHED_EINVAL);
        if (i == 4) assert_string_equal(r.where, "atom");
        assert_int_equal(w.warnings, 0);
        rs_scan_run_halt(&r); /* also of one that could not be opened */
        rs_scan_run_close(&r);
    }
    reshed_error err = {0};
    rs_scan_plan p;
    rs_scan_plan_defaults(&p);
    rs_scan_run r = {.plan = &p};
    assert_int_equal(rs_scan_run_load_weights(&r, "none.h5", &err), RESHED_EIO);
    assert_string_equal(r.where, "none.h5");
    assert_int_equal(rs_scan_run_read(&r, "nothing.h5", &err), RESHED_EIO);
    assert_string_equal(r.where, "nothing.h5");
    rs_scan_run_close(&r);
}

/* ------------------------------------------------------------------------------- what is typed */

/* A session of that region with nothing in it, of an open run. */
static void begin(rs_scan_run *r, const char *path, int region)
{
    reshed_error err = {0};
    assert_ok(rs_scan_run_create(r, path, region, "2026-11-25T00:00:00Z", &err), &err);
    rs_session_finish(r->session, RESHED_EIO, NULL);
    r->session = NULL;
}

/* Goes on with the session, having typed this one setting. */
static reshed_status go_on(const char *path, rs_scan_plan *p, const char *const *name, double value,
                           char *changes, reshed_error *err)
{
    rs_scan_plan_defaults(p);
    p->driver = "twin";
    p->option = twin;
    p->options = 2;
    p->given = name;
    p->givens = 1;
    memcpy((char *)&p->settings + rs_scan_field_find(*name)->offset, &value, sizeof value);
    rs_scan_run r = {.plan = p};
    *err = (reshed_error){0};
    const reshed_status st = rs_scan_run_resume(&r, path, err);
    strcpy(changes, r.changes);
    rs_scan_run_close(&r);
    return st;
}

static void what_is_typed_comes_before_a_steps_own(void **state)
{
    (void)state;
    static const char *const max_points[] = {"max_points"}, *const every[] = {"every"},
                             *const x[] = {"x"}, *const y[] = {"y"};
    char first[1024], second[1024], changes[1024];
    reshed_error err = {0};
    rs_scan_plan plan, p;
    watcher w = {0};
    snprintf(first, sizeof first, "%s", test_temp("typed.h5"));
    snprintf(second, sizeof second, "%s", test_temp("typed_2.h5"));
    small_plan(&plan);
    plan.settings.max_points = 90;
    plan.region_x[0] = 1e-7;
    plan.region_y[0] = -1e-7;
    plan.regions = 1;
    assert_ok(rs_flow_parse("survey; choose max_points=5 every=4; loops", &plan.steps, &err), &err);
    rs_scan_run r = {.plan = &plan, .ctx = &w, .warn = warn};
    assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
    assert_ok(rs_scan_run_open(&r, &err), &err);
    begin(&r, first, 0);
    assert_ok(rs_scan_run_move(&r, 1e-7, -1e-7, &err), &err);
    begin(&r, second, 1);
    rs_scan_run_close(&r);
    /* Fewer points than the step has; not more. */
    assert_ok(go_on(first, &p, max_points, 3, changes, &err), &err);
    assert_true(p.settings.max_points == 3 && !rs_flow_has_rule(&p.steps, "max_points"));
    assert_true(rs_flow_has_rule(&p.steps, "every"));
    assert_non_null(strstr(changes, "max_points=3 (was 5)"));
    assert_int_equal(go_on(first, &p, max_points, 6, changes, &err), RESHED_EINVAL);
    /* What points were chosen by stays. */
    assert_int_equal(go_on(first, &p, every, 6, changes, &err), RESHED_EINVAL);
    /* The place that was typed is that of the first region. */
    assert_ok(go_on(first, &p, x, 0, changes, &err), &err);
    assert_int_equal(go_on(first, &p, x, 1e-7, changes, &err), RESHED_EINVAL);
    assert_ok(go_on(second, &p, x, 0, changes, &err), &err);
    assert_true(p.settings.x == 1e-7);
    assert_ok(go_on(second, &p, y, 0, changes, &err), &err);
    assert_true(p.settings.y == -1e-7);
}

/* A waveform that was asked for is measured, or the run fails. */
static void a_waveform_that_was_asked_for_is_not_dropped(void **state)
{
    (void)state;
    static const char *const shape[] = {"shape"};
    static const char head[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, "
                               "'shape': (32, 32), }";
    uint8_t file[128 + 4 * 32 * 32];
    char path[1024];
    reshed_error err = {0};
    memset(file, ' ', 128);
    memcpy(file, head, sizeof head - 1);
    file[127] = '\n';
    for (int i = 0; i < 32 * 32; i++) {
        const float v = (float)(i % 7);
        memcpy(file + 128 + 4 * i, &v, 4);
    }
    snprintf(path, sizeof path, "%s", test_temp("image.npy"));
    assert_ok(rs_os_write_file(path, file, sizeof file, &err), &err);
    for (int asked = 0; asked < 2; asked++) {
        const rs_driver_option option[] = {{"file", path}, {"clock", "0"}};
        rs_scan_plan p;
        watcher w = {0};
        small_plan(&p);
        p.driver = "replay";
        p.option = option;
        p.given = shape;
        p.givens = asked;
        rs_scan_run r = {.plan = &p, .ctx = &w, .warn = warn};
        const reshed_status st = rs_scan_run_open(&r, &err);
        if (!asked) assert_ok(st, &err);
        if (!asked) assert_true(p.settings.voltage == 0 && w.warnings == 1);
        if (asked) assert_true(st != RESHED_OK && w.warnings == 0);
        rs_scan_run_close(&r);
    }
}

/* Bands that the instrument excites by itself: nothing would switch them on again between regions, and one
 * region can be gone on with. */
static void bands_that_the_plan_does_not_set(void **state)
{
    (void)state;
    static const char *const names[] = {"rows", "cols", "width", "height", "be_band"};
    char path[1024], changes[1024];
    for (int regions = 1; regions >= 0; regions--) {
        reshed_error err = {0};
        rs_scan_plan p;
        watcher w = {0};
        small_plan(&p);
        p.given = names;
        p.givens = 5;
        p.settings.be_band = 0;
        p.regions = regions;
        rs_scan_run r = {.plan = &p, .ctx = &w, .warn = warn};
        assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
        assert_int_equal(rs_scan_run_open(&r, &err), regions ? RESHED_EINVAL : RESHED_OK);
        if (regions) assert_non_null(strstr(err.what, "be_band"));
        snprintf(path, sizeof path, "%s", test_temp("bands.h5"));
        if (!regions) begin(&r, path, 0);
        rs_scan_run_close(&r);
        if (!regions) assert_ok(go_on(path, &p, names + 4, 0, changes, &err), &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_a_norm),
        cmocka_unit_test(every_setting_has_a_text),
        cmocka_unit_test(old_sessions_keep_their_recipe),
        cmocka_unit_test(words_of_settings),
        cmocka_unit_test(points_come_back_from_a_file),
        cmocka_unit_test(points_are_kept_apart),
        cmocka_unit_test(wrong_points_are_refused_by_their_line),
        cmocka_unit_test(a_plan_is_run_interrupted_resumed_and_analysed),
        cmocka_unit_test(another_instrument_is_not_gone_on_with),
        cmocka_unit_test(lists_of_regions_are_texts),
        cmocka_unit_test(a_refused_bias_at_a_good_end_is_a_failure),
        cmocka_unit_test(what_would_be_refused_later_is_refused_first),
        cmocka_unit_test(what_is_typed_comes_before_a_steps_own),
        cmocka_unit_test(a_waveform_that_was_asked_for_is_not_dropped),
        cmocka_unit_test(bands_that_the_plan_does_not_set),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
