#include "support/nanonis_rig.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"

struct nano_rig nano;

int nano_setup(void **state)
{
    (void)state;
    memset(&nano, 0, sizeof nano);
    nano.ops = rs_driver_nanonis();
    nano.emu = emu_start();
    return nano.emu ? 0 : -1;
}

int nano_teardown(void **state)
{
    (void)state;
    emu_release(nano.emu);
    if (nano.self) nano.ops->close(nano.self);
    const char *complaint = GET(complaint);
    if (complaint[0]) print_error("ill-formed request: %s\n", complaint);
    int rc = complaint[0] ? -1 : 0;
    emu_stop(nano.emu);
    return rc;
}

void nano_check(rs_driver_status st, rs_driver_status want, const char *what, const char *file,
                int line)
{
    char text[600];
    if (st == want) return;
    print_error("%s: status %d (expected %d): %s\n", what, st, want,
                reshed_error_text(&nano.err, text, sizeof text));
    _fail(file, line);
}

rs_driver_status nano_open(const char *const *more)
{
    static char ports[64], text[24][64];
    rs_driver_option o[26] = {{"channel", "LI Demod 1 R"}, {"ports", ports}};
    int n = 2;
    snprintf(ports, sizeof ports, "%d,%d,%d,%d", emu_port(nano.emu, 0), emu_port(nano.emu, 1),
             emu_port(nano.emu, 2), emu_port(nano.emu, 3));
    for (; more && *more; more++, n++) {
        char *eq = strchr(strcpy(text[n - 2], *more), '=');
        *eq = '\0';
        o[n] = (rs_driver_option){text[n - 2], eq + 1};
    }
    memset(&nano.err, 0, sizeof nano.err);
    nano.self = NULL;
    return nano.ops->open(o, n, T, &nano.self, &nano.err);
}

rs_frame nano_frame(int rows, int cols, bool upward)
{
    return (rs_frame){.cx = 1e-6,
                      .cy = -2e-6,
                      .width = 4e-6,
                      .height = 2e-6,
                      .angle = 0.3,
                      .rows = rows,
                      .cols = cols,
                      .line_rate = 1,
                      .upward = upward};
}

void nano_set_frame(int rows, int cols, bool upward)
{
    rs_frame f = nano_frame(rows, cols, upward);
    is(OK, nano.ops->set_frame(nano.self, &f, T, &nano.err));
}

void nano_start(int row)
{
    is(OK, nano.ops->start(nano.self, row, T, &nano.err));
}

rs_driver_status nano_next(rs_line *line)
{
    for (int i = 0; i < 3 * EMU_SIDE; i++) nano.values[i] = -777;
    *line = (rs_line){.cols = EMU_SIDE, .channels = 3, .channel = nano.values};
    return nano.ops->wait_line(nano.self, T, line, &nano.err);
}

void nano_check_line(const rs_line *l, int row, bool retrace, int cols, int channels, int scan)
{
    static const int signal[] = {AMPLITUDE, PHASE, HEIGHT};
    assert_int_equal(l->row, row);
    assert_int_equal(l->retrace, retrace);
    assert_int_equal(l->cols, cols);
    assert_int_equal(l->bins, 0);
    assert_int_equal(l->channels, channels);
    assert_true(l->time >= 0);
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < cols; i++) {
            const float scale = c == 1 ? (float)RS_DEGREE : 1;
            const float want = emu_pixel(scan, signal[c], retrace, row, i) * scale;
            const float have = nano.values[c * cols + i];
            if (!(fabsf(have - want) <= 1e-6f * fabsf(want)))
                fail_msg("row %d, channel %d, pixel %d: %g (expected %g)", row, c, i, (double)have,
                         (double)want);
        }
    assert_true(nano.values[channels * cols] == -777);
}

void nano_whole_scan(int rows, int cols, bool upward, bool retrace, int channels, int scan)
{
    rs_line l;
    for (int k = 0; k < rows; k++)
        for (int d = 0; d <= retrace; d++) {
            is(OK, nano_next(&l));
            nano_check_line(&l, upward ? rows - 1 - k : k, d, cols, channels, scan);
        }
    is(REFUSED, nano_next(&l));
}

rs_spectroscopy nano_staircase(const double *voltage, int n)
{
    return (rs_spectroscopy){.voltage = voltage, .steps = n, .dwell = 0.01, .settle = 0.002};
}

rs_spectrum nano_spectrum(int steps)
{
    for (int i = 0; i < MAX_STEPS; i++) nano.amplitude[i] = nano.phase[i] = -777;
    return (rs_spectrum){.steps = steps, .amplitude = nano.amplitude, .phase = nano.phase};
}
