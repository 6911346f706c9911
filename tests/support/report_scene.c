#include "support/report_scene.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "beps/loop.h"
#include "beps/flags.h"
#include "beps/metrics.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "support/support.h"

#define TILT 0.35 /* rad, of the walls from the vertical */
enum { BETWEEN = 15, LOST_ROW = 5, METRICS = 7 };

static const rs_metric metrics[METRICS - 1] = {RS_M_WIDTH_MID,      RS_M_COERCIVE_MID,
                                               RS_M_AREA,           RS_M_NUCLEATION_NEG,
                                               RS_M_NUCLEATION_POS, RS_M_SWITCHABLE};

static double noise(int r, int c, int k)
{
    test_rng g = {(uint64_t)r * 100003 + (uint64_t)c * 1009 + (uint64_t)k};
    test_rand(&g);
    return test_gauss(&g);
}

/* Returns the distance to the nearest wall in pixels, and its number. Every fourth wall is a row of
 * needles. */
static double wall_distance(int r, int c, int *wall)
{
    double u = c * cos(TILT) + r * sin(TILT), v = r * cos(TILT) - c * sin(TILT);
    *wall = (int)lround(u / BETWEEN);
    double across = fabs(u - *wall * BETWEEN);
    if (*wall % 4 != 3) return across;
    double along = fmod(v + 1000 * 48, 48); /* 26 pixels of needle, 22 of none */
    return along < 26 ? across : hypot(across, fmin(along - 26, 48 - along));
}

void report_scene_maps(const report_scene *s, float *amplitude, float *mean, float *variance)
{
    for (int r = 0; r < s->rows; r++)
        for (int c = 0; c < s->cols; c++) {
            size_t i = (size_t)r * (size_t)s->cols + (size_t)c;
            int wall;
            double d = wall_distance(r, c, &wall), p = exp(-d * d / 5);
            bool there = r < s->lines;
            double tone = 1 + 0.15 * sin(0.02 * r + 0.05 * c) + 0.12 * (wall % 3);
            amplitude[i] = there && r != LOST_ROW
                               ? (float)(2e-4 * (tone * (1 - 0.75 * p) + 0.05 * noise(r, c, 1)))
                               : NAN;
            mean[i] = there ? (float)fmin(fmax(p + 0.02 * noise(r, c, 2), 0), 1) : NAN;
            variance[i] = there ? (float)(0.25 * p * (1 - p) + 0.001 * fabs(noise(r, c, 3))) : NAN;
        }
}

/* --------------------------------------------------------------------------------------- set up */
typedef struct making {
    const report_scene *scene;
    rs_session *session;
    rs_sweep sweep;
    double *voltage, *y, *work;
    float *map[RS_SESSION_MAPS];
    uint8_t *binary, *skeleton, *state;
    reshed_error err;
} making;

static void set_up(making *m, const char *path)
{
    static const rs_driver_option setting[] = {{"budget", "30"}, {"weights-note", "<b>&\"'"}};
    static const rs_driver_option option[] = {{"noise", "0.1"}, {"seed", "7"}};
    const report_scene *s = m->scene;
    rs_session_metric metric[METRICS] = {{"flags", "1"}};
    for (int k = 1; k < METRICS; k++) {
        snprintf(metric[k].name, sizeof metric[k].name, "%s", rs_metric_get(metrics[k - 1])->id);
        rs_metric_unit(metrics[k - 1], "a.u.", metric[k].unit, sizeof metric[k].unit);
    }
    rs_session_setup setup = {
        .start_time = "2026-11-25T10:15:00Z",
        .region = "A",
        .sample = s->sample,
        .operator_name = "N. N.",
        .program = "reshed-scan 0.1.0",
        .driver = "twin",
        .driver_option = option,
        .driver_options = 2,
        .setting = setting,
        .settings = 2,
        .weights = "reshednet16x10.h5",
        .weights_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .norm = "scanned",
        .caps = {.instrument = "digital twin 1",
                 .off_field = true,
                 .simulated = true,
                 .clock_rate = 100,
                 .channels = 1,
                 .channel = {"Amplitude"},
                 .unit = {"V"},
                 .limits = {-1e-4, 1e-4, -1e-4, 1e-4, 10, 3, 1e-3}},
        .frame = {.cx = 1e-6,
                  .cy = -2e-6,
                  .width = s->cols * 1e-8,
                  .height = s->rows * 1e-8,
                  .rows = s->rows,
                  .cols = s->cols,
                  .line_rate = 1},
    };
    if (s->steps) {
        setup.spectroscopy = (rs_spectroscopy){m->voltage, s->steps, true, 5e-3, 1e-3, 0, 4e-3, 0};
        setup.metric = metric;
        setup.metrics = METRICS;
    }
    assert_ok(rs_session_create(path, &setup, 1, &m->session, &m->err), &m->err);
}

/* ---------------------------------------------------------------------------------------- lines */
static void put_lines(making *m)
{
    const report_scene *s = m->scene;
    for (int r = 0; r < s->lines; r++) {
        if (r == LOST_ROW) {
            assert_ok(rs_session_put_lost_line(m->session, r, false, 0, 100 + r, &m->err), &m->err);
            continue;
        }
        rs_line line = {.cols = s->cols,
                        .channels = 1,
                        .channel = m->map[RS_SESSION_AMPLITUDE] + (size_t)r * (size_t)s->cols,
                        .row = r,
                        .time = r};
        assert_ok(rs_session_put_line(m->session, &line, 100 + r, &m->err), &m->err);
        rs_session_processed p = {.latency = 0.08 + 0.02 * fabs(noise(r, 0, 5)),
                                  .inference = 0.06 + 0.01 * fabs(noise(r, 0, 6)),
                                  .lag = r < 20 ? r : 20,
                                  .coalesced = 1 + (r % 37 == 36),
                                  .alarm = r == 9,
                                  .score = NAN};
        assert_ok(rs_session_put_processed(m->session, r, &p, &m->err), &m->err);
    }
}

static void put_maps(making *m)
{
    const report_scene *s = m->scene;
    size_t n = (size_t)s->rows * (size_t)s->cols;
    for (size_t i = 0; i < n; i++) {
        bool none = isnan(m->map[RS_SESSION_AMPLITUDE][i]);
        int r = (int)(i / (size_t)s->cols), c = (int)(i % (size_t)s->cols);
        double e = noise(r, c, 4);
        m->map[RS_SESSION_FREQUENCY][i] =
            none ? NAN : (float)(352e3 + 400 * sin(0.03 * c) + 80 * e);
        m->map[RS_SESSION_Q][i] = none ? NAN : (float)(140 + 20 * sin(0.02 * r) + 5 * e);
        m->map[RS_SESSION_PHASE][i] = none ? NAN : (float)((c + r > 200 ? 1.4 : -1.7) + 0.2 * e);
    }
    for (int k = 0; s->lines && k < RS_SESSION_MAPS; k++)
        assert_ok(
            rs_session_put_map(m->session, (rs_session_map)k, 0, s->lines, m->map[k], &m->err),
            &m->err);
    rs_threshold(m->map[RS_SESSION_MEAN], n, 0.4, m->binary);
    assert_ok(rs_skeletonize(m->binary, s->rows, s->cols, m->skeleton, &m->err), &m->err);
    int all = s->lines == s->rows;
    for (int r = 0; r < s->lines; r++)
        m->state[r] = all || r < s->lines - 12 ? RS_SESSION_FINAL : RS_SESSION_PROVISIONAL;
    if (!s->lines) return;
    assert_ok(rs_session_put_states(m->session, 0, s->lines, m->state, &m->err), &m->err);
    assert_ok(rs_session_put_mask(m->session, RS_SESSION_BINARY, 0, s->lines, m->binary, &m->err),
              &m->err);
    assert_ok(
        rs_session_put_mask(m->session, RS_SESSION_SKELETON, 0, s->lines, m->skeleton, &m->err),
        &m->err);
}

/* --------------------------------------------------------------------------------------- points */
static void choose(making *m)
{
    const report_scene *s = m->scene;
    size_t on = 0, n = (size_t)s->rows * (size_t)s->cols, seen = 0;
    int chosen = 0;
    for (size_t i = 0; i < n; i++) on += m->skeleton[i];
    assert_true(on >= (size_t)s->points);
    for (size_t i = 0; i < n && chosen < s->points; i++) {
        if (!m->skeleton[i] || seen++ * (size_t)s->points / on < (size_t)chosen) continue;
        int r = (int)(i / (size_t)s->cols), c = (int)(i % (size_t)s->cols);
        rs_session_point p = {.row = r,
                              .col = c,
                              .x = c * 1e-8,
                              .y = (s->rows - 1 - r) * 1e-8,
                              .measured_x = NAN,
                              .measured_y = NAN,
                              .time = NAN,
                              .target = chosen,
                              .wall = -1};
        assert_ok(rs_session_put_points(m->session, chosen++, 1, &p, &m->err), &m->err);
    }
}

/* A loop with its transitions at -centre and +centre volts. */
static void measure(making *m, int k, const rs_session_point *p)
{
    int n = m->scene->steps, wall;
    double metric[METRICS], all[RS_METRIC_COUNT];
    float response[2][512], amplitude[2][512], phase[2][512];
    rs_metric_options o;
    rs_loop_fit fit;
    wall_distance((int)p->row, (int)p->col, &wall);
    double centre = 2.6 + (wall % 2 ? 0.35 : -0.35) + (wall % 4 == 3 ? 0.8 : 0);
    centre += 0.12 * noise(k, 0, 7);
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < n; i++) {
            double v = m->voltage[i], at = m->sweep.falling[i] ? -centre - 0.3 : centre - 0.3;
            double r = tanh((v - at) / 0.7) + 0.04 * noise(k, i, 8 + f) + (f ? 0 : 0.05 * v);
            response[f][i] = (float)r;
            amplitude[f][i] = fabsf((float)r);
            phase[f][i] = r < 0 ? 3.1F : 0;
            m->y[i] = r;
        }
    rs_spectrum spectrum = {.steps = n,
                            .fields = 2,
                            .amplitude = amplitude[0],
                            .phase = phase[0],
                            .x = p->x,
                            .y = p->y,
                            .time = 300 + k};
    float packed[3][2 * 512]; /* [fields][steps] */
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < n; i++) {
            packed[0][f * n + i] = response[f][i];
            packed[1][f * n + i] = amplitude[f][i];
            packed[2][f * n + i] = phase[f][i];
        }
    spectrum.amplitude = packed[1];
    spectrum.phase = packed[2];
    rs_metric_defaults(&o);
    rs_metrics_compute(&m->sweep, m->y, NULL, true, &o, m->work, all, &fit);
    metric[0] = k == 4 ? RS_LOOP_OUTLIER : 0;
    for (int i = 1; i < METRICS; i++) metric[i] = all[metrics[i - 1]];
    rs_session_loop loop = {.response = packed[0], .metric = metric};
    assert_ok(rs_session_put_spectrum(m->session, RS_SESSION_POINTS, k, &spectrum, &m->err),
              &m->err);
    assert_ok(rs_session_put_loop(m->session, RS_SESSION_POINTS, k, &loop, &m->err), &m->err);
}

static void put_points(making *m)
{
    const report_scene *s = m->scene;
    choose(m);
    for (int k = 0; k < s->measured; k++) {
        rs_session_point p;
        assert_ok(rs_session_read_points(m->session, k, 1, &p, &m->err), &m->err);
        if (k == 2 || k == 3) {
            p.state = k == 2 ? RS_SESSION_POINT_LOST : RS_SESSION_SKIPPED;
            assert_ok(rs_session_put_points(m->session, k, 1, &p, &m->err), &m->err);
        } else {
            measure(m, k, &p);
        }
    }
}

static void put_log(making *m)
{
    for (int i = 0; i < 3; i++) {
        rs_session_drift d = {.time = 100 * i,
                              .dx = 12e-9 * i,
                              .dy = -5e-9 * i,
                              .vx = 0.12e-9,
                              .vy = -0.05e-9,
                              .sigma = 0.8e-9,
                              .source = i - 1};
        assert_ok(rs_session_add_drift(m->session, &d, &m->err), &m->err);
    }
    assert_ok(rs_session_add_event(m->session, 100, RS_SESSION_NOTE, "scan started", &m->err),
              &m->err);
    assert_ok(rs_session_add_event(m->session, 105, RS_SESSION_WARNING,
                                   "row 5 was not delivered by the instrument", &m->err),
              &m->err);
    assert_ok(rs_session_add_event(m->session, 401.5, RS_SESSION_ERROR, m->scene->event, &m->err),
              &m->err);
}

rs_session *report_scene_session(const report_scene *s, const char *path)
{
    size_t n = (size_t)s->rows * (size_t)s->cols, steps = (size_t)s->steps;
    making m = {.scene = s};
    assert_true(s->steps == 0 || (s->steps >= 16 && s->steps % 4 == 0 && s->steps <= 512));
    m.voltage = rs_zalloc(steps + 1, sizeof *m.voltage);
    m.y = rs_zalloc(steps + 1, sizeof *m.y);
    m.work = rs_alloc(rs_metric_work(s->steps + 1), sizeof *m.work);
    for (int i = 0; i < s->steps; i++) /* a triangle of 8 V from 0 */
        m.voltage[i] = 16 / RS_PI * asin(sin(2 * RS_PI * i / s->steps));
    if (steps) assert_ok(rs_sweep_create(m.voltage, s->steps, &m.sweep, &m.err), &m.err);
    for (int k = 0; k < RS_SESSION_MAPS; k++) m.map[k] = rs_alloc(n, sizeof *m.map[k]);
    m.binary = rs_alloc(n, 1);
    m.skeleton = rs_alloc(n, 1);
    m.state = rs_zalloc((size_t)s->rows, 1);
    report_scene_maps(s, m.map[RS_SESSION_AMPLITUDE], m.map[RS_SESSION_MEAN],
                      m.map[RS_SESSION_VARIANCE]);
    set_up(&m, path);
    put_lines(&m);
    put_maps(&m);
    if (s->points) put_points(&m);
    put_log(&m);
    assert_ok(rs_session_commit(m.session, &m.err), &m.err);
    rs_sweep_clear(&m.sweep);
    rs_free(m.voltage);
    rs_free(m.y);
    rs_free(m.work);
    for (int k = 0; k < RS_SESSION_MAPS; k++) rs_free(m.map[k]);
    rs_free(m.binary);
    rs_free(m.skeleton);
    rs_free(m.state);
    return m.session;
}
