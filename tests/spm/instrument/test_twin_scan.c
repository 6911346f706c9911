/* The twin's scans as an instrument runs them: clock, start, pause and queue, faults, halt. Nothing
 * here depends on how fast the machine is. */
#include "support/driver_rig.h"
#include "support/tolerance.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "beps/sho_fit.h"
#include "spm/instrument/coords.h"
#include "spm/instrument/sim/twin.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"
#include "spm/instrument/words.h"

static const rs_frame patch = {
    .cx = 2e-7, .cy = -1e-7, .width = 9e-7, .height = 6e-7, .rows = 12, .cols = 40};

/* ----------------------------------------------------------------------- start, pause and queue */

static void a_scan_can_be_stopped_and_taken_up(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0 be=0");
    rs_frame f = patch;
    reshed_error err = {0};
    float row[3 * 40];
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_REFUSED); /* nothing was started */
    twin_set_frame(d, f);
    assert_status(d->ops->start(d->self, 12, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->start(d->self, -1, 1, &err), RS_DRIVER_REFUSED);
    twin_start(d, 0);
    for (int i = 0; i < 5; i++) assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.row, 2);
    assert_false(line.retrace);
    assert_int_equal(line.frame, 0);
    assert_near(line.time, 2.5, TOL_DOUBLE);
    /* While it scans, no other frame and no other place. */
    assert_status(d->ops->set_frame(d->self, &f, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->pause(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->pause(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK); /* the retrace of the row at hand */
    assert_int_equal(line.row, 2);
    assert_true(line.retrace);
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_OK);
    twin_start(d, 3);
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.row, 3);
    assert_int_equal(line.frame, 0); /* the same frame goes on */
    twin_start(d, 0);                /* a running scan gives way */
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.row, 0);
    assert_int_equal(line.frame, 1);
    assert_status(d->ops->pause(d->self, 1, &err), RS_DRIVER_OK);
    f.upward = true;
    twin_set_frame(d, f);
    twin_start(d, 7);
    for (int i = 0; i < 16; i++) {
        assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
        assert_int_equal(line.row, 7 - i / 2);
        assert_int_equal(line.frame, 2);
    }
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_REFUSED);
    float *grabbed = rig_twin_image(f.rows, f.cols);
    assert_status(d->ops->grab_frame(d->self, 0, true, grabbed, 1, &err), RS_DRIVER_OK);
    for (int i = 0; i < f.rows * f.cols; i++)
        assert_true(isnan(grabbed[i]) == (i / f.cols > 7)); /* rows that were never scanned */
    assert_memory_equal(grabbed, row, 40 * sizeof *row);
    assert_status(d->ops->grab_frame(d->self, 3, true, grabbed, 1, &err), RS_DRIVER_REFUSED);
    rs_free(grabbed);
    rs_instrument_close(d);
}

/* A line fills what it says and nothing else. */
static void a_line_stays_in_its_arrays(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0");
    float spectra[42 * 70 * 2], height[44];
    double frequency[70];
    for (size_t i = 0; i < sizeof spectra / sizeof *spectra; i++) spectra[i] = NAN;
    for (size_t i = 0; i < 44; i++) height[i] = NAN;
    for (size_t i = 0; i < 70; i++) frequency[i] = NAN;
    twin_set_frame(d, patch);
    twin_start(d, 0);
    rs_line line = {.cols = 42,
                    .bins = 69,
                    .channels = 1,
                    .channel = height,
                    .spectra = spectra,
                    .frequency = frequency};
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.cols, 40);
    assert_int_equal(line.bins, 65);
    assert_int_equal(line.channels, 1);
    for (int i = 0; i < 42 * 70 * 2; i++) assert_true(isnan(spectra[i]) == (i >= 40 * 65 * 2));
    for (int i = 0; i < 44; i++) assert_true(isnan(height[i]) == (i >= 40));
    for (int i = 0; i < 70; i++) assert_true(isnan(frequency[i]) == (i >= 65));
    line = (rs_line){.cols = 39};
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_REFUSED);
    line = (rs_line){.cols = 40}; /* nothing wanted but the news */
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
    assert_true(line.retrace);
    rs_instrument_close(d);
    d = twin_open("clock=0 be=0"); /* room for two channels of three */
    float two[3 * 40];
    for (int i = 0; i < 120; i++) two[i] = NAN;
    twin_set_frame(d, patch);
    twin_start(d, 0);
    line = (rs_line){.cols = 40, .channels = 2, .channel = two};
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.channels, 2);
    for (int i = 0; i < 120; i++) assert_true(isnan(two[i]) == (i >= 80));
    rs_instrument_close(d);
}

/* 100 rows pass without a call: those that the queue holds come, the others are lost lines. */
static void a_late_caller_loses_the_oldest_lines(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        rs_instrument *d = twin_open(k ? "clock=1e7 be=0 queue=64" : "clock=1e7 be=0 queue=200");
        rs_frame f = {.width = 1e-6, .height = 1e-6, .rows = 100, .cols = 8};
        float row[24];
        rs_line line = {.cols = 8, .channels = 3, .channel = row};
        int lost = 0, came = 0;
        twin_set_frame(d, f);
        twin_start(d, 0);
        rs_os_sleep(0.05); /* 500,000 s of its clock, where 100 would do */
        for (int i = 0; i < 200; i++) {
            rs_driver_status st = twin_next_line(d, 1, &line);
            assert_true(st == RS_DRIVER_OK || st == RS_DRIVER_LOST_LINE);
            assert_int_equal(line.row, i / 2);
            assert_int_equal(line.retrace, i % 2);
            lost += st == RS_DRIVER_LOST_LINE;
            came += st == RS_DRIVER_OK;
            assert_true(st == RS_DRIVER_OK || came == 0);
        }
        assert_int_equal(lost, k ? 136 : 0);
        assert_int_equal(came, k ? 64 : 200);
        assert_status(twin_next_line(d, 0, &line), RS_DRIVER_REFUSED);
        rs_instrument_close(d);
    }
}

static void what_takes_time_is_retried(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=1 be=0");
    rs_frame f = patch;
    float row[120];
    reshed_error err = {0};
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    double x, y, v[16] = {0}, when;
    f.line_rate = 0.01;
    twin_set_frame(d, f);
    twin_start(d, 0);
    assert_status(twin_next_line(d, 0, &line), RS_DRIVER_RETRY); /* half a line takes 50 s */
    assert_status(twin_next_line(d, 0.02, &line), RS_DRIVER_RETRY);
    assert_status(d->ops->pause(d->self, 0.01, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-9, 0.01, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->halt(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 1e-6, 1e-6, 1e-10, 0.01, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->get_tip(d->self, &x, &y, 1, &err), RS_DRIVER_OK);
    assert_true(x < 0.9e-6);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &(rs_spectrum){.steps = 16}, &err),
                  RS_DRIVER_REFUSED);
    /* Another target ends the way there. */
    assert_status(d->ops->move_tip(d->self, x, y, 1e-4, 10, &err), RS_DRIVER_OK);
    rs_spectroscopy s = {.voltage = v, .steps = 16, .dwell = 100};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_near(d->ops->spectroscopy_seconds(d->self), 1600, 1e-9);
    rs_spectrum out = {.steps = 16};
    assert_status(d->ops->run_spectroscopy(d->self, 0.01, &out, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->run_spectroscopy(d->self, 0.01, &out, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->read_signal(d->self, "Time", &when, 1, &err), RS_DRIVER_OK);
    assert_true(when > 0.03);
    rs_instrument_close(d);
}

/* --------------------------------------------------------------------------------------- faults */

static void faults_are_met_once(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0 be=0 lose=2 nan=4 stall=6 stall_seconds=3");
    rs_frame f = patch;
    float row[120];
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    twin_set_frame(d, f);
    for (int pass = 0; pass < 2; pass++) {
        twin_start(d, 0);
        int retries = 0;
        double before = 0;
        for (int i = 0; i < 24; i++) {
            rs_driver_status st = twin_next_line(d, 1, &line);
            while (st == RS_DRIVER_RETRY && retries < 10) {
                assert_int_equal(i, 12);
                retries++;
                st = twin_next_line(d, 1, &line);
            }
            bool lost = pass == 0 && i / 2 == 2, nan = pass == 0 && i / 2 == 4;
            assert_status(st, lost ? RS_DRIVER_LOST_LINE : RS_DRIVER_OK);
            assert_int_equal(line.row, i / 2);
            assert_int_equal(line.retrace, i % 2);
            if (lost) continue;
            for (int c = 0; c < 120; c++) assert_true(isnan(row[c]) == nan);
            if (pass == 0 && i == 12) assert_near(line.time - before, 3.5, 1e-9);
            before = line.time;
        }
        assert_int_equal(retries, pass == 0 ? 2 : 0); /* the third call has it */
    }
    rs_instrument_close(d);
}

static void a_connection_can_be_lost(void **state)
{
    (void)state;
    for (int reconnect = 0; reconnect < 2; reconnect++) {
        const char *options =
            reconnect ? "clock=0 be=0 disconnect=3 reconnect=1" : "clock=0 be=0 disconnect=3";
        rs_instrument *d = twin_open(options);
        float row[120];
        double x, y;
        rs_frame f = patch, got;
        reshed_error err = {0};
        rs_line line = {.cols = 40, .channels = 3, .channel = row};
        twin_set_frame(d, f);
        twin_start(d, 0);
        for (int i = 0; i < 6; i++) assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
        assert_status(twin_next_line(d, 1, &line), RS_DRIVER_LOST);
        assert_status(twin_next_line(d, 1, &line), RS_DRIVER_LOST);
        assert_status(d->ops->get_frame(d->self, &got, 1, &err), RS_DRIVER_LOST);
        assert_status(d->ops->get_tip(d->self, &x, &y, 1, &err), RS_DRIVER_LOST);
        assert_status(d->ops->halt(d->self, 1, &err), RS_DRIVER_LOST);
        rs_instrument_close(d);
        d = twin_open(options);
        twin_set_frame(d, f);
        twin_start(d, 3);
        assert_status(twin_next_line(d, 1, &line), reconnect ? RS_DRIVER_OK : RS_DRIVER_LOST);
        if (reconnect) assert_int_equal(line.row, 3);
        rs_instrument_close(d);
    }
}

static void replies_can_be_slow(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0 reply_delay=0.02");
    double x, y, before = rs_os_monotonic();
    reshed_error err = {0};
    assert_status(d->ops->get_tip(d->self, &x, &y, 0.001, &err), RS_DRIVER_RETRY);
    assert_int_equal(err.status, RESHED_ETIMEOUT);
    assert_status(d->ops->get_tip(d->self, &x, &y, 10, &err), RS_DRIVER_OK);
    assert_true(rs_os_monotonic() - before >= 0.02);
    rs_instrument_close(d);
}

static void spectra_can_be_lost(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0 lose_spectrum=1 nan_spectrum=2");
    double v[8] = {0, 2, 4, 2, 0, -2, -4, -2};
    float spectra[2 * 8 * 65 * 2];
    reshed_error err = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .off_field = true, .dwell = 1e-3};
    rs_spectrum out = {.steps = 8, .bins = 65, .spectra = spectra};
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    const rs_driver_status want[] = {RS_DRIVER_OK, RS_DRIVER_LOST_LINE, RS_DRIVER_OK, RS_DRIVER_OK};
    for (int i = 0; i < 4; i++) {
        memset(spectra, 0, sizeof spectra);
        assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), want[i]);
        if (want[i] != RS_DRIVER_OK) continue;
        assert_true(isnan(spectra[0]) == (i == 2));
        assert_true(isnan(spectra[2 * 8 * 65 * 2 - 1]) == (i == 2));
    }
    out.steps = 7;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_REFUSED);
    out.steps = 8;
    out.bins = 64;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_REFUSED);
    v[3] = 11; /* the driver has a copy, and would refuse this one */
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_REFUSED);
    out.bins = 65;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    rs_instrument_close(d);
}

/* A loop measured again at the same place differs by its noise only, and not at all without. */
static void a_place_measured_again_gives_the_same_loop(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0 noise=0");
    double v[32];
    static float a[2 * 32 * 65 * 2], b[2 * 32 * 65 * 2];
    reshed_error err = {0};
    for (int i = 0; i < 32; i++) v[i] = 8 * sin(2 * acos(-1) * i / 32);
    rs_spectroscopy s = {.voltage = v, .steps = 32, .off_field = true, .dwell = 1e-3};
    rs_spectrum out = {.steps = 32, .bins = 65, .spectra = a};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 3e-7, 2e-7, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    assert_near(out.x, 3e-7, 0);
    assert_status(d->ops->move_tip(d->self, -5e-7, 2e-7, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 3e-7, 2e-7, 1e-6, 1, &err), RS_DRIVER_OK);
    out.spectra = b;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    assert_memory_equal(a, b, sizeof a);
    /* On field there is the force between charges too: at 0 V the two readings agree but for the
     * shift of the resonance that a voltage makes. */
    assert_memory_equal(a, a + 32 * 65 * 2, 65 * 2 * sizeof *a);
    assert_true(memcmp(a + 8 * 130, a + (32 + 8) * 130, 130 * sizeof *a) != 0);
    rs_instrument_close(d);
}

/* ----------------------------------------------------------------------------------------- halt */

static void *halts(void *self)
{
    reshed_error err = {0};
    rs_os_sleep(0.02);
    rs_driver_twin_ops()->halt(self, 1, &err);
    rs_driver_twin_ops()->halt(self, 1, &err);
    return NULL;
}

static void a_halt_comes_from_any_thread(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=1 be=0");
    rs_frame f = patch;
    float row[120];
    double volts, drive;
    reshed_error err = {0};
    pthread_t thread;
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    f.line_rate = 1e-4;
    twin_set_frame(d, f);
    assert_status(d->ops->set_bias(d->self, 3, 1, &err), RS_DRIVER_OK);
    twin_start(d, 0);
    assert_int_equal(pthread_create(&thread, NULL, halts, d->self), 0);
    assert_status(twin_next_line(d, 600, &line),
                  RS_DRIVER_REFUSED); /* not RETRY after ten minutes */
    pthread_join(thread, NULL);
    assert_status(d->ops->get_bias(d->self, &volts, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->read_signal(d->self, "Drive", &drive, 1, &err), RS_DRIVER_OK);
    assert_true(volts == 0 && drive == 0);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_bias(d->self, 1, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_drive(d->self, 1, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->pulse(d->self, 1, 1e-3, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_bias(d->self, 0, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->set_bias(d->self, 1, 1, &err), RS_DRIVER_OK);
    twin_start(d, 0);
    /* The same while the tip moves and while it measures. */
    assert_status(d->ops->halt(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_int_equal(pthread_create(&thread, NULL, halts, d->self), 0);
    assert_status(d->ops->move_tip(d->self, 9e-7, 9e-7, 1e-12, 600, &err), RS_DRIVER_REFUSED);
    pthread_join(thread, NULL);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    double v[8] = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .dwell = 1000};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_int_equal(pthread_create(&thread, NULL, halts, d->self), 0);
    assert_status(d->ops->run_spectroscopy(d->self, 600, &(rs_spectrum){.steps = 8}, &err),
                  RS_DRIVER_REFUSED);
    pthread_join(thread, NULL);
    assert_status(d->ops->withdraw(d->self, 1, &err), RS_DRIVER_OK);
    rs_instrument_close(d);
}

static void a_withdrawn_tip_does_not_scan(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0");
    double v[8] = {0}, value;
    reshed_error err = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .dwell = 1e-3};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->withdraw(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &(rs_spectrum){.steps = 8}, &err),
                  RS_DRIVER_REFUSED);
    assert_status(d->ops->pulse(d->self, 1, 1e-3, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->pulse(d->self, 1, 1e-3, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->set_setpoint(d->self, 0.5, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->get_setpoint(d->self, &value, 1, &err), RS_DRIVER_OK);
    assert_near(value, 0.5, 0);
    assert_status(d->ops->set_setpoint(d->self, NAN, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->read_signal(d->self, "Nonsense", &value, 1, &err), RS_DRIVER_REFUSED);
    rs_instrument_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_can_be_stopped_and_taken_up),
        cmocka_unit_test(a_line_stays_in_its_arrays),
        cmocka_unit_test(a_late_caller_loses_the_oldest_lines),
        cmocka_unit_test(what_takes_time_is_retried),
        cmocka_unit_test(faults_are_met_once),
        cmocka_unit_test(a_connection_can_be_lost),
        cmocka_unit_test(replies_can_be_slow),
        cmocka_unit_test(spectra_can_be_lost),
        cmocka_unit_test(a_place_measured_again_gives_the_same_loop),
        cmocka_unit_test(a_halt_comes_from_any_thread),
        cmocka_unit_test(a_withdrawn_tip_does_not_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
