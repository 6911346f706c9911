#include "support/scan_rig.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"

#define CALL 10 /* s */

/* Streams are slow to pack and can be reset, so one for each size and ensemble is kept. */
enum { STREAMS = 4 };
static struct kept {
    const char *weights;
    int rows, cols;
    rs_live *stream;
} kept[STREAMS];

static rs_live *stream_for(const char *weights, int rows, int cols)
{
    reshed_error err = {0};
    rs_ensemble *e = NULL;
    rs_live_options o;
    int i = 0;
    for (; i < STREAMS && kept[i].stream; i++)
        if (kept[i].rows == rows && kept[i].cols == cols && strcmp(kept[i].weights, weights) == 0)
            return kept[i].stream;
    assert_true(i < STREAMS);
    rs_live_defaults(&o);
    o.norm = RS_LIVE_ROBUST;
    o.preview = RS_PREVIEW_OFF; /* final rows do not depend on it */
    o.threads = 1;              /* threads change no bits, and wait busily on a busy machine */
    assert_ok(rs_ensemble_load(weights, &e, &err), &err);
    assert_ok(rs_live_create(e, rows, cols, &o, &kept[i].stream, &err), &err);
    rs_ensemble_free(e);
    kept[i].weights = weights;
    kept[i].rows = rows;
    kept[i].cols = cols;
    return kept[i].stream;
}

int scan_rig_teardown(void **state)
{
    (void)state;
    for (int i = 0; i < STREAMS; i++) rs_live_free(kept[i].stream);
    memset(kept, 0, sizeof kept);
    return 0;
}

void scan_rig_init(scan_rig *r, const char *name)
{
    *r = (scan_rig){.weights = "weights/tiny8x4.h5"};
    rs_scan_settings_defaults(&r->set);
    r->set.rows = r->set.cols = 64;
    r->set.width = r->set.height = 0.9e-6;
    r->set.be_repeats = 1;
    r->set.steps = 32;
    r->set.cycles = 1;
    r->set.drop_first = 0;
    r->set.threshold = 0.4;
    r->set.every = 6;
    r->set.min_wall = 8;
    r->set.max_points = 12;
    r->set.drift_every = 5;
    r->set.patch = 24;
    r->set.reference_every = 5;
    r->set.queue = 16;
    r->set.line_timeout = 5;
    scan_rig_option(r, "clock", "0");
    scan_rig_option(r, "seed", "7");
    snprintf(r->path, sizeof r->path, "%s", test_temp(name));
}

void scan_rig_option(scan_rig *r, const char *name, const char *value)
{
    assert_true(r->options < RIG_OPTIONS);
    r->option[r->options++] = (rs_driver_option){name, value};
}

bool scan_rig_connect(scan_rig *r)
{
    const rs_limits limits = rs_scan_limits(&r->set);
    const rs_be_setup be = rs_scan_be(&r->set);
    r->frame = rs_scan_frame(&r->set);
    r->err = (reshed_error){0};
    r->status = rs_instrument_open("twin", r->option, r->options, CALL, &r->instrument, &r->err);
    if (r->status == RS_DRIVER_OK)
        assert_ok(rs_instrument_limit(r->instrument, &limits, &r->err), &r->err);
    if (r->status == RS_DRIVER_OK && rs_instrument_caps(r->instrument)->band_excitation) {
        r->status = rs_instrument_set_be(r->instrument, &be, CALL, &r->err);
    }
    if (r->status == RS_DRIVER_OK)
        r->status = rs_instrument_set_frame(r->instrument, &r->frame, CALL, &r->err);
    if (r->status == RS_DRIVER_OK)
        r->status = rs_instrument_get_frame(r->instrument, &r->frame, CALL, &r->err);
    if (r->status == RS_DRIVER_OK) r->stream = stream_for(r->weights, r->frame.rows, r->frame.cols);
    return r->status == RS_DRIVER_OK;
}

void scan_rig_open(scan_rig *r)
{
    static rs_session_metric metric[RS_SESSION_MAX_METRICS];
    rs_session_setup setup;
    if (!scan_rig_connect(r)) fail_msg("the twin refuses: %s", r->err.what);
    double *frequency =
        rs_zalloc((size_t)rs_instrument_caps(r->instrument)->bins + 1, sizeof *frequency);
    double *voltage = rs_zalloc((size_t)rs_scan_steps(&r->set) + 1, sizeof *voltage);
    assert_true(frequency && voltage);
    assert_ok(rs_region_setup(r->instrument, &r->frame, &r->set, frequency, voltage, metric, &setup,
                              &r->err),
              &r->err);
    setup.start_time = "2026-11-25T00:00:00Z";
    setup.driver = "twin";
    setup.norm = "robust";
    assert_ok(rs_session_create(r->path, &setup, (int)r->set.sync_every, &r->session, &r->err),
              &r->err);
    rs_free(frequency);
    rs_free(voltage);
}

void scan_rig_reopen(scan_rig *r)
{
    if (!scan_rig_connect(r)) fail_msg("the twin refuses: %s", r->err.what);
    assert_ok(rs_session_resume(r->path, 1, &r->session, &r->err), &r->err);
}

/* ---------------------------------------------------------------------------------------- hooks */

static void survey_news(void *ctx, const rs_survey_news *n)
{
    scan_rig *r = ctx;
    r->news++;
    r->replayed += n->replayed;
    r->arrived = n->arrived;
    r->lost = n->lost;
    r->pauses = n->pauses;
    if (r->line_sleep > 0) rs_os_sleep(r->line_sleep);
}

static void measure_news(void *ctx, const rs_measure_news *n)
{
    scan_rig *r = ctx;
    r->points++;
    if (r->measured) r->measured(r, n->done - 1);
}

static bool interrupted(void *ctx)
{
    scan_rig *r = ctx;
    if (r->arrived == 0 || r->arrived == (int)r->set.rows) r->asked++;
    if (r->stop_at_ask > 0 && r->asked >= r->stop_at_ask) return true;
    if (r->stop_at_news > 0 && r->news >= r->stop_at_news) return true;
    return (r->stop_at_line > 0 && r->arrived >= r->stop_at_line) ||
           (r->stop_at_point > 0 && r->points >= r->stop_at_point);
}

static bool has_rescanned(rs_session *s)
{
    rs_session_progress p;
    rs_session_event e;
    reshed_error err = {0};
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    for (int i = 0; i < p.events; i++) {
        assert_ok(rs_session_read_events(s, i, 1, &e, &err), &err);
        if (strstr(e.text, "are scanned again")) return true;
    }
    return false;
}

static double score(void *ctx, const rs_live_view *map, int row0, int row1)
{
    const scan_rig *r = ctx;
    assert_true(row0 >= 0 && row0 < row1 && row1 <= map->height);
    return r->rescan_score > 0 && has_rescanned(r->session) ? r->rescan_score : r->score;
}

static rs_scan_context context_of(const scan_rig *r, rs_session *session)
{
    return (rs_scan_context){.session = session,
                             .instrument = r->instrument,
                             .settings = &r->set,
                             .threads = 1,
                             .ctx = (void *)r,
                             .interrupted = interrupted,
                             .helm = r->helm};
}

rs_end scan_rig_run(scan_rig *r)
{
    const rs_scan_context c = context_of(r, r->session);
    const rs_region_options o = {.steps = r->steps,
                                 .survey = {.news = survey_news,
                                            .score = r->alarm_score > 0 ? score : NULL,
                                            .score_ctx = r,
                                            .alarm_score = r->alarm_score},
                                 .measure_news = measure_news,
                                 .confirm = r->confirm,
                                 .ask = r->helm != NULL};
    r->arrived = r->points = r->asked = r->news = r->replayed = 0;
    r->outcome = rs_region_run(&c, r->stream, &o);
    if (rs_outcome_failed(&r->outcome))
        assert_true(r->outcome.err.status != RESHED_OK && r->outcome.err.what[0]);
    else
        assert_true(r->outcome.err.status == RESHED_OK && r->outcome.driver == RS_DRIVER_OK);
    return r->outcome.end;
}

void scan_rig_close(scan_rig *r)
{
    reshed_error err = {0};
    const reshed_status st = r->outcome.end == RS_END_DONE ? RESHED_OK : RESHED_EIO;
    assert_int_equal(rs_session_finish(r->session, st, &err), st);
    r->session = NULL;
    rs_instrument_close(r->instrument);
    r->instrument = NULL;
}

static void expect(const scan_rig *r, rs_end expected)
{
    if (r->outcome.end != expected)
        fail_msg("the region ended as %d, not %d: %s", r->outcome.end, expected,
                 r->outcome.err.what);
}

void scan_rig_do(scan_rig *r, rs_end expected)
{
    scan_rig_open(r);
    scan_rig_run(r);
    scan_rig_close(r);
    expect(r, expected);
}

void scan_rig_resume(scan_rig *r, rs_end expected)
{
    scan_rig_reopen(r);
    scan_rig_run(r);
    scan_rig_close(r);
    expect(r, expected);
}

/* -------------------------------------------------------------------------------------- looking */

int scan_rig_rows(rs_session *s, bool retrace, rs_session_line_state state)
{
    const int rows = rs_session_get_setup(s)->frame.rows;
    rs_session_arrival *a = rs_zalloc((size_t)rows, sizeof *a);
    reshed_error err = {0};
    int n = 0;
    assert_non_null(a);
    assert_ok(rs_session_read_arrivals(s, retrace, a, &err), &err);
    for (int i = 0; i < rows; i++) n += a[i].state == state;
    rs_free(a);
    return n;
}

static uint64_t add(uint64_t h, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < bytes; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

uint64_t scan_rig_digest(rs_session *s, int rows)
{
    const rs_session_setup *setup = rs_session_get_setup(s);
    const size_t w = (size_t)setup->frame.cols;
    const size_t spectra = 2 * w * (size_t)setup->caps.bins,
                 channels = w * (size_t)setup->caps.channels;
    reshed_error err = {0};
    uint64_t h = UINT64_C(14695981039346656037);
    rs_line line = {.cols = setup->frame.cols,
                    .bins = setup->caps.bins,
                    .channels = setup->caps.channels,
                    .spectra = rs_alloc(spectra + 1, sizeof(float)),
                    .channel = rs_alloc(channels + 1, sizeof(float))};
    assert_true(line.spectra && line.channel);
    for (int y = 0; y < rows; y++)
        for (int retrace = 0; retrace < 2; retrace++) {
            rs_session_arrival a;
            assert_ok(rs_session_read_line(s, y, retrace, &line, &a, &err), &err);
            h = add(h, line.spectra, spectra * sizeof(float));
            h = add(h, line.channel, channels * sizeof(float));
            h = add(h, &a.state, sizeof a.state);
        }
    rs_free(line.spectra);
    rs_free(line.channel);
    return h;
}

/* Equal bits, or both NaN. */
static void assert_same(const float *a, const float *b, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (!(isnan(a[i]) && isnan(b[i])) && memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("%s: value %zu is %.9g when analysed again, was %.9g", what, i, a[i], b[i]);
}

static void assert_same_metrics(rs_session *s, const double *again, int points)
{
    const int n = rs_session_get_setup(s)->metrics;
    double was[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = was};
    reshed_error err = {0};
    for (int k = 0; k < points; k++) {
        rs_session_point p;
        assert_ok(rs_session_read_points(s, k, 1, &p, &err), &err);
        if (p.state != RS_SESSION_MEASURED) continue;
        assert_ok(rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, &err), &err);
        for (int i = 0; i < n; i++) {
            const double b = again[k * n + i];
            if (!(isnan(was[i]) && isnan(b)) && was[i] != b)
                fail_msg("metric %d of point %d is %.17g when analysed again, was %.17g", i, k, b,
                         was[i]);
        }
    }
}

static void assert_same_points(rs_session *s, const rs_choice *c, int points)
{
    reshed_error err = {0};
    assert_int_equal(c->n, points);
    for (int k = 0; k < points; k++) {
        rs_session_point p;
        assert_ok(rs_session_read_points(s, k, 1, &p, &err), &err);
        assert_true(p.row == c->point[k].row && p.col == c->point[k].col && p.x == c->point[k].x &&
                    p.y == c->point[k].y && p.wall == c->point[k].wall);
    }
}

void scan_rig_check_analysis(const scan_rig *r, bool chosen, rs_session_progress *p)
{
    const rs_survey_options o = {.news = NULL};
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_choice choice = {0};
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    rs_scan_context context = context_of(r, s);
    context.interrupted = NULL;
    assert_ok(rs_session_get_progress(s, p, &err), &err);
    const rs_session_setup *setup = rs_session_get_setup(s);
    const int rows = setup->frame.rows;
    const size_t n = (size_t)rows * (size_t)setup->frame.cols;
    float *map = rs_alloc(4 * n, sizeof *map);
    double *metrics = rs_alloc((size_t)(p->points * setup->metrics) + 1, sizeof *metrics);
    assert_true(map && metrics);
    memset(map, 0xff, 4 * n * sizeof *map);
    const rs_outcome done =
        rs_analyse(&context, r->stream, &o, NULL, map, map + n, &choice, metrics);
    assert_int_equal(done.end, RS_END_DONE);
    assert_ok(rs_session_read_map(s, RS_SESSION_MEAN, 0, rows, map + 2 * n, &err), &err);
    assert_ok(rs_session_read_map(s, RS_SESSION_VARIANCE, 0, rows, map + 3 * n, &err), &err);
    size_t finite = 0;
    for (size_t i = 0; i < n; i++) finite += isfinite(map[i]) != 0;
    assert_true(finite > n / 2);
    assert_same(map, map + 2 * n, n, "mean");
    assert_same(map + n, map + 3 * n, n, "variance");
    assert_same_metrics(s, metrics, p->points);
    if (chosen) assert_same_points(s, &choice, p->points);
    rs_choice_clear(&choice);
    rs_free(map);
    rs_free(metrics);
    rs_session_finish(s, RESHED_OK, NULL);
}

rs_session_point_state scan_rig_point(const scan_rig *r, int k, const char *metric, double *value)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_point p;
    double all[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = all};
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    assert_ok(rs_session_read_points(s, k, 1, &p, &err), &err);
    if (metric) {
        assert_ok(rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, &err), &err);
        *value = all[rs_loop_value_find(metric)];
    }
    rs_session_finish(s, RESHED_OK, NULL);
    return p.state;
}
