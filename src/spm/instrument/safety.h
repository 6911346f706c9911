/* safety.h - the last door before the instrument: nothing passes that is not finite or lies outside
 * the limits, which are the driver's own and the user's, whichever is narrower. What is refused is
 * refused whole, with one message that names the value, and the instrument is not called; nothing
 * is ever clamped, because half of a wrong request is wrong too.
 *
 *     rs_safety_limits user;
 *     rs_safety safe;
 *     rs_safety_unlimited(&user);
 *     user.driver.bias_max = 5;
 *     if (rs_safety_init(&safe, d, &user, &err) == RESHED_OK)
 *         rs_safe_move_tip(&safe, x, y, 1e-6, 10, &err);
 *
 * The rs_safety_check_* functions only look: for whole lists of points before anything moves, and
 * for dry runs. */
#ifndef RS_SPM_INSTRUMENT_SAFETY_H
#define RS_SPM_INSTRUMENT_SAFETY_H

#include "spm/instrument/drivers.h"

typedef struct rs_safety_limits {
    rs_driver_limits driver;
    double step_max; /* s: longest time at one voltage of spectroscopy, or of a pulse */
} rs_safety_limits;

typedef struct rs_safety {
    const rs_driver *driver; /* borrowed */
    rs_safety_limits limits; /* what holds */
} rs_safety;

/* No limit at all: a start for the user's own. */
void rs_safety_unlimited(rs_safety_limits *limits);

/* user may be NULL. RESHED_EINVAL when a limit is NaN, a maximum is negative, or the two leave no
 * place for the tip. */
reshed_status rs_safety_init(rs_safety *s, const rs_driver *driver, const rs_safety_limits *user,
                             reshed_error *err);

/* RESHED_OK, or RESHED_EINVAL with what is wrong. frame: all four corners lie within the stage's
 * range, and the tip's mean speed along its lines, there and back, is no more than speed_max. */
reshed_status rs_safety_check_frame(const rs_safety *s, const rs_frame *frame, reshed_error *err);
reshed_status rs_safety_check_place(const rs_safety *s, double x, double y, reshed_error *err);
reshed_status rs_safety_check_speed(const rs_safety *s, double speed, reshed_error *err);
reshed_status rs_safety_check_bias(const rs_safety *s, double volts, reshed_error *err);
reshed_status rs_safety_check_drive(const rs_safety *s, double volts, reshed_error *err);
reshed_status rs_safety_check_be(const rs_safety *s, const rs_be_setup *be, reshed_error *err);
/* width: s. */
reshed_status rs_safety_check_pulse(const rs_safety *s, double volts, double width,
                                    reshed_error *err);
/* Every voltage, the reading bias, and the time that one step takes. */
reshed_status rs_safety_check_spectroscopy(const rs_safety *s, const rs_spectroscopy *spectroscopy,
                                           reshed_error *err);

/* Check, then call. RS_DRIVER_REFUSED when the check fails, and when the driver has no such
 * function. */
rs_driver_status rs_safe_set_frame(const rs_safety *s, const rs_frame *frame, double timeout,
                                   reshed_error *err);
rs_driver_status rs_safe_set_be(const rs_safety *s, const rs_be_setup *be, double timeout,
                                reshed_error *err);
rs_driver_status rs_safe_move_tip(const rs_safety *s, double x, double y, double speed,
                                  double timeout, reshed_error *err);
rs_driver_status rs_safe_set_bias(const rs_safety *s, double volts, double timeout,
                                  reshed_error *err);
rs_driver_status rs_safe_pulse(const rs_safety *s, double volts, double width, double timeout,
                               reshed_error *err);
rs_driver_status rs_safe_set_drive(const rs_safety *s, double volts, double timeout,
                                   reshed_error *err);
rs_driver_status rs_safe_set_spectroscopy(const rs_safety *s, const rs_spectroscopy *spectroscopy,
                                          double timeout, reshed_error *err);

#endif
