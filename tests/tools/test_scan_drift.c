/* reshed-scan on a sample that drifts: the points at the end of the list are on walls still. */
#include "support/scan_program.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>

#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"
#include "spm/instrument/sim/twin.h"

/* 0.8 nm/s, half a pixel a patch: several pixels between the survey and the end of the list. */
#define DRIFT_X 6.4e-10
#define DRIFT_Y -4.8e-10
#define DRIFTING                                                                                   \
    "--driver twin -d clock=0 -d seed=7 -d drift_x=6.4e-10 -d drift_y=-4.8e-10 "                   \
    "-w weights/reshednet16x10.h5 -j 1 --pictures none --report none --quiet --set rows=96 "       \
    "--set cols=96 --set width=1.35e-6 --set height=1.35e-6 --set be_repeats=2 --set steps=32 "    \
    "--set cycles=1 --set drop_first=0 --set threshold=0.5 --set every=6 --set min_wall=8 "        \
    "--set queue=512 --set line_rate=4 --set patch=48 --set reference_every=0 --set "              \
    "max_points=24 "

/* Each look says when it was, and how fast the sample went since the same rows of the survey. */
static void check_log(rs_session *s, int n)
{
    reshed_error err = {0};
    rs_session_drift d[64];
    assert_true(n <= 64);
    assert_ok(rs_session_read_drift(s, 0, n, d, &err), &err);
    for (int k = 0; k < n; k++) {
        assert_true(d[k].time > (k ? d[k - 1].time : 0));
        assert_near(fabs(d[k].vx), fabs(DRIFT_X), 0.3 * fabs(DRIFT_X));
        assert_near(fabs(d[k].vy), fabs(DRIFT_Y), 0.3 * fabs(DRIFT_Y));
    }
}

/* m, rms: how far the tip was from the place of the sample that was chosen in the survey, which
 * drifted while it was scanned, too. */
static double displacement(rs_session *s, const rs_session_point *p, int n)
{
    reshed_error err = {0};
    rs_session_arrival line[256];
    double sum = 0;
    assert_true(rs_session_get_setup(s)->frame.rows <= 256);
    assert_ok(rs_session_read_arrivals(s, false, line, &err), &err);
    for (int k = 0; k < n; k++) {
        const double since = p[k].time - line[(int)(p[k].row + 0.5)].time;
        const double x = p[k].measured_x - p[k].x + DRIFT_X * since;
        const double y = p[k].measured_y - p[k].y + DRIFT_Y * since;
        sum += (x * x + y * y) / n;
    }
    return sqrt(sum);
}

/* Pixels from the n last points of a session to the nearest true wall, at the moment of each: the
 * largest and the mean. The twin without a clock works all the time, so its own time tells where
 * the film was. */
static void distances(const char *path, int n, double *largest, double *mean)
{
    static const rs_driver_option option[] = {{"clock", "0"}, {"seed", "7"}};
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_instrument *twin = NULL;
    rs_session_point p[64];
    const rs_session_progress g = scan_progress(path);
    assert_true(g.complete && g.points >= n && g.points <= 64 && g.measured == g.points);
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_session_read_points(s, 0, g.points, p, &err), &err);
    const rs_frame f = rs_session_get_setup(s)->frame;
    check_log(s, g.drifts);
    if (g.drifts > 0) {
        const double rms = displacement(s, p, g.points);
        printf("# %.2f nm from where the points were chosen, rms\n", 1e9 * rms);
        assert_true(rms < 4e-9);
    }
    rs_session_finish(s, RESHED_OK, NULL);
    assert_int_equal(rs_instrument_open("twin", option, 2, 10, &twin, &err), RS_DRIVER_OK);
    const rs_twin_sample *film = rs_driver_twin_sample(twin->self);
    *largest = *mean = 0;
    for (int k = g.points - n; k < g.points; k++) {
        rs_twin_point at;
        rs_twin_probe(film, p[k].measured_x + DRIFT_X * p[k].time,
                      p[k].measured_y + DRIFT_Y * p[k].time, &at);
        const double d = fabs((double)at.wall) / (f.width / f.cols);
        *largest = fmax(*largest, d);
        *mean += d / n;
    }
    rs_instrument_close(twin);
}

static void points_stay_on_walls(void **state)
{
    (void)state;
    char path[1024], args[4096];
    double largest, mean, blind, blind_mean;
    snprintf(args, sizeof args, DRIFTING "--set drift_every=4 -o %s", scan_temp(path, "drift.h5"));
    scan_run_to(0, args);
    distances(path, 8, &largest, &mean);
    printf("# last 8 points: %.2f pixels from a wall at most, %.2f on average\n", largest, mean);
    assert_true(largest <= 1.5);
    test_not_quick();
    snprintf(args, sizeof args, DRIFTING "--set drift_every=0 -o %s", scan_temp(path, "blind.h5"));
    scan_run_to(0, args);
    distances(path, 8, &blind, &blind_mean);
    printf("# the same without a look at the drift: %.2f, %.2f\n", blind, blind_mean);
    assert_true(blind > largest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(points_stay_on_walls)};
    return cmocka_run_group_tests_name("scan_drift", tests, NULL, NULL);
}
