/* driver_rig.h - drivers opened in tests, and the twin scanned call by call. */
#ifndef RS_TESTS_SUPPORT_DRIVER_RIG_H
#define RS_TESTS_SUPPORT_DRIVER_RIG_H

#include "spm/instrument/instrument.h"
#include "spm/instrument/words.h"
#include "support/support.h"

#define assert_status(expr, want)                                                                  \
    assert_string_equal(rs_driver_status_text(expr), rs_driver_status_text(want))

/* Opens it or fails the test (rs_instrument_close). */
rs_instrument *driver_open(const char *name, const rs_driver_option *option, int n);
/* Asserts that the error's text holds both words. */
void assert_says(const reshed_error *err, const char *a, const char *b);

/* "clock=0 noise=0" to an open instrument (rs_instrument_close). */
rs_instrument *twin_open(const char *options);

/* line_rate 0 is 1. */
void twin_set_frame(rs_instrument *d, rs_frame f);
void twin_start(rs_instrument *d, int row);
/* The driver's status, which must go with its error. */
rs_driver_status twin_next_line(rs_instrument *d, double timeout, rs_line *line);
/* A whole scan of channel 0 from its beginning: image [rows][cols] of each direction; NULL where
 * not wanted. */
void twin_scan(rs_instrument *d, const rs_frame *f, float *trace, float *retrace);
/* [rows][cols] of NaN; rs_free. */
float *rig_twin_image(int rows, int cols);

#endif
