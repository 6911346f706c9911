/* nanonis_rig.h - an open nanonis driver and the emulator that it talks to, for the suites that
 * test it. Times are generous and never decide: where something has to be late or pending, the
 * emulator holds it. */
#ifndef RS_TESTS_SUPPORT_NANONIS_RIG_H
#define RS_TESTS_SUPPORT_NANONIS_RIG_H

#include "support/support.h"

#include "support/nanonis_emulator.h"
#include "spm/instrument/nanonis/nanonis.h"

#define T 60.0      /* a timeout that no test reaches */
#define AMPLITUDE 6 /* signals of the emulator */
#define PHASE 9
#define HEIGHT 12
#define MAX_STEPS 600

extern struct nano_rig {
    emulator *emu;
    const rs_driver_ops *ops;
    void *self;
    reshed_error err;
    float values[3 * EMU_SIDE]; /* of the last line */
    float amplitude[MAX_STEPS], phase[MAX_STEPS];
} nano;

/* Start an emulator without a driver yet; end both. A request that is not well formed fails the
 * test. */
int nano_setup(void **state);
int nano_teardown(void **state);

/* Opens with the amplitude's channel, the emulator's ports and these options ("name=value", NULL at
 * the end; NULL: none). */
rs_driver_status nano_open(const char *const *more);
#define OPEN(...) is(OK, nano_open((const char *const[]){__VA_ARGS__, NULL}))
#define PLAIN "phase=LI Demod 1 Phi", "ramp=0"

/* is(RETRY, call): fails the test when the call gives another status. */
#define is(want, call) nano_check((call), RS_DRIVER_##want, #call, __FILE__, __LINE__)
void nano_check(rs_driver_status st, rs_driver_status want, const char *what, const char *file,
                int line);

/* Members of the emulator. */
#define SET(member, value) (emu_lock(nano.emu), nano.emu->member = (value), emu_unlock(nano.emu))
#define GET(member) (emu_state(nano.emu)->member)

rs_frame nano_frame(int rows, int cols, bool upward);
void nano_set_frame(int rows, int cols, bool upward);
void nano_start(int row);
/* The next line, into nano.values. */
rs_driver_status nano_next(rs_line *line);
/* It is row `row` of that scan, left to right, in all channels, and nothing more was written. */
void nano_check_line(const rs_line *line, int row, bool retrace, int cols, int channels, int scan);
/* All lines of a scan that has just been started. */
void nano_whole_scan(int rows, int cols, bool upward, bool retrace, int channels, int scan);

rs_spectroscopy nano_staircase(const double *voltage, int n);
/* Room for one, in nano.amplitude and nano.phase. */
rs_spectrum nano_spectrum(int steps);

#endif
