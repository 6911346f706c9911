/* instrument.h - the one door to an instrument. Nothing outside this folder calls a driver.
 *
 *     const rs_driver_option option[] = {{"seed", "7"}, {"clock", "0"}};
 *     rs_instrument *it = NULL;
 *     if (rs_instrument_open("twin", option, 2, 10, &it, &err) == RS_DRIVER_OK)
 *         rs_instrument_set_frame(it, &frame, 10, &err);
 *     rs_instrument_close(it);
 *
 * Every request that could harm a sample or a tip is checked against the limits (limits.h) before
 * the driver sees it. RS_DRIVER_REFUSED when the check fails, and when the driver has no such
 * function; the driver is then not called. err may be NULL.
 *
 * One call at a time; only rs_instrument_halt may be called beside another, from any thread, at any
 * moment. No limit is checked and no other call waited for. */
#ifndef RS_SPM_INSTRUMENT_INSTRUMENT_H
#define RS_SPM_INSTRUMENT_INSTRUMENT_H

#include "reshed_driver.h"
#include "spm/instrument/limits.h"

typedef struct rs_instrument rs_instrument;

/* Finds the driver (drivers.h), opens it and asks for its capabilities (rs_instrument_close).
 * A driver that is not found is RS_DRIVER_REFUSED, and so are capabilities and limits that cannot
 * be. The limits are the driver's own. */
rs_driver_status rs_instrument_open(const char *name, const rs_driver_option *option, int n,
                                    double timeout, rs_instrument **out, reshed_error *err);
/* The same with a table of the caller's, which must outlive the instrument. */
rs_driver_status rs_instrument_open_table(const rs_driver_ops *table,
                                          const rs_driver_option *option, int n, double timeout,
                                          rs_instrument **out, reshed_error *err);
/* One that was set to work, and neither came to rest (rest.h) nor was halted since, is halted first:
 * no way out of a program leaves voltages on. NULL is fine. */
void rs_instrument_close(rs_instrument *i);

/* Borrowed; the bins change with rs_instrument_set_be. */
const rs_driver_caps *rs_instrument_caps(const rs_instrument *i);
/* Narrows the limits by the user's (NULL: the driver's alone again). Errors: rs_limits_join's. */
reshed_status rs_instrument_limit(rs_instrument *i, const rs_limits *user, reshed_error *err);
/* The limits that hold; borrowed. */
const rs_limits *rs_instrument_limits(const rs_instrument *i);

/* True when the driver has these functions; drive: and when its limits leave one to be set. */
bool rs_instrument_can_scan(const rs_instrument *i);
bool rs_instrument_can_measure(const rs_instrument *i);
bool rs_instrument_can_drive(const rs_instrument *i);

/* ---------------------------------------------------------------------- one request, one answer */

/* As the functions of rs_driver_ops have it. */
rs_driver_status rs_instrument_set_frame(rs_instrument *i, const rs_frame *frame, double timeout,
                                         reshed_error *err);
rs_driver_status rs_instrument_get_frame(rs_instrument *i, rs_frame *frame, double timeout,
                                         reshed_error *err);
rs_driver_status rs_instrument_set_be(rs_instrument *i, const rs_be_setup *be, double timeout,
                                      reshed_error *err);
rs_driver_status rs_instrument_start(rs_instrument *i, int row, double timeout, reshed_error *err);
rs_driver_status rs_instrument_pause(rs_instrument *i, double timeout, reshed_error *err);
rs_driver_status rs_instrument_wait_line(rs_instrument *i, double timeout, rs_line *line,
                                         reshed_error *err);
rs_driver_status rs_instrument_move_tip(rs_instrument *i, double x, double y, double speed,
                                        double timeout, reshed_error *err);
rs_driver_status rs_instrument_get_tip(rs_instrument *i, double *x, double *y, double timeout,
                                       reshed_error *err);
rs_driver_status rs_instrument_set_bias(rs_instrument *i, double volts, double timeout,
                                        reshed_error *err);
rs_driver_status rs_instrument_get_bias(rs_instrument *i, double *volts, double timeout,
                                        reshed_error *err);
rs_driver_status rs_instrument_withdraw(rs_instrument *i, double timeout, reshed_error *err);
rs_driver_status rs_instrument_pulse(rs_instrument *i, double volts, double width, double timeout,
                                     reshed_error *err);
rs_driver_status rs_instrument_set_drive(rs_instrument *i, double volts, double timeout,
                                         reshed_error *err);
rs_driver_status rs_instrument_set_spectroscopy(rs_instrument *i,
                                                const rs_spectroscopy *spectroscopy, double timeout,
                                                reshed_error *err);
rs_driver_status rs_instrument_run_spectroscopy(rs_instrument *i, double timeout, rs_spectrum *out,
                                                reshed_error *err);
/* s of real time that the spectroscopy which was set will take; NaN: it does not say. */
double rs_instrument_spectroscopy_seconds(const rs_instrument *i);
rs_driver_status rs_instrument_read_signal(rs_instrument *i, const char *name, double *value,
                                           double timeout, reshed_error *err);

/* -------------------------------------------------------------------------- what takes its time */

/* A wait for something that takes its time. A driver that answers RS_DRIVER_RETRY is called again
 * until it answers otherwise, until `interrupted` returns true (the answer is then RETRY, and the
 * instrument is still at work: halt it), or until `within` seconds from `since` are over:
 * RS_DRIVER_LOST, RESHED_ETIMEOUT. */
typedef struct rs_wait {
    double poll;          /* s: longest single call of the driver, and between two questions */
    double since, within; /* rs_os_monotonic; s */
    bool (*interrupted)(void *ctx); /* NULL: never */
    void *ctx;
} rs_wait;

rs_driver_status rs_instrument_go(rs_instrument *i, double x, double y, double speed,
                                  const rs_wait *wait, reshed_error *err);
rs_driver_status rs_instrument_measure(rs_instrument *i, const rs_wait *wait, rs_spectrum *out,
                                       reshed_error *err);
/* The next line. One call of the driver only, so that a caller can pause the scan in between:
 * RETRY when none came within `poll`; `interrupted` is not asked. */
rs_driver_status rs_instrument_next_line(rs_instrument *i, const rs_wait *wait, rs_line *line,
                                         reshed_error *err);

/* ----------------------------------------------------------------------------------------- ends */

/* The good end is rest.h's. */

/* At once, from any thread, after any failure, and twice: no more motion, drive off, bias zero. */
rs_driver_status rs_instrument_halt(rs_instrument *i, double timeout, reshed_error *err);
/* Halts one that was set to work, and neither came to rest nor was halted since. */
rs_driver_status rs_instrument_stop(rs_instrument *i, double timeout, reshed_error *err);

/* ------------------------------------------------------------------------------------- watchdog */

/* Tells the watchdog (watch.h) that the caller makes progress. Every wait above does so, too. */
void rs_instrument_alive(rs_instrument *i);
/* True, and err filled, once the watchdog has halted it: whatever acts is then refused. */
bool rs_instrument_is_taken(const rs_instrument *i, reshed_error *err);

#endif
