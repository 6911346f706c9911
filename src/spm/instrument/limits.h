/* limits.h - the limits of an instrument as data, and whether a request lies within them.
 *
 * What holds is the driver's own limits and the user's, whichever is narrower. A request that is
 * not finite or lies outside is refused whole, with one message that names the value; nothing is
 * ever clamped, because half of a wrong request is wrong too.
 *
 *     rs_limits user, limits;
 *     rs_limits_none(&user);
 *     user.driver.bias_max = 5;
 *     st = rs_limits_join(&caps.limits, &user, &limits, err);
 *     if (st == RESHED_OK) st = rs_limits_check_place(&limits, x, y, err);
 *
 * Nothing here calls a driver: the checks serve the door before the instrument (instrument.h), the
 * simulated instruments themselves, whole lists of points before anything moves, and dry runs. */
#ifndef RS_SPM_INSTRUMENT_LIMITS_H
#define RS_SPM_INSTRUMENT_LIMITS_H

#include "base/status.h"
#include "reshed_driver.h"

typedef struct rs_limits {
    rs_driver_limits driver;
    double step_max; /* s: longest time at one voltage of spectroscopy, or of a pulse */
} rs_limits;

/* No limit at all: a start for the user's own. */
void rs_limits_none(rs_limits *limits);

/* The narrower of both into *out; user may be NULL. RESHED_EINVAL when a limit is NaN, a maximum is
 * negative, or the two leave no place for the tip. */
reshed_status rs_limits_join(const rs_driver_limits *driver, const rs_limits *user, rs_limits *out,
                             reshed_error *err);

/* RESHED_OK, or RESHED_EINVAL with what is wrong. frame: all four corners lie within the stage's
 * range, and the tip's mean speed along its lines, there and back, is no more than speed_max. */
reshed_status rs_limits_check_frame(const rs_limits *l, const rs_frame *frame, reshed_error *err);
reshed_status rs_limits_check_place(const rs_limits *l, double x, double y, reshed_error *err);
reshed_status rs_limits_check_speed(const rs_limits *l, double speed, reshed_error *err);
/* Speed, then place. */
reshed_status rs_limits_check_move(const rs_limits *l, double x, double y, double speed,
                                   reshed_error *err);
reshed_status rs_limits_check_bias(const rs_limits *l, double volts, reshed_error *err);
reshed_status rs_limits_check_drive(const rs_limits *l, double volts, reshed_error *err);
reshed_status rs_limits_check_be(const rs_limits *l, const rs_be_setup *be, reshed_error *err);
/* width: s. */
reshed_status rs_limits_check_pulse(const rs_limits *l, double volts, double width,
                                    reshed_error *err);
/* Every voltage, the reading bias, and the time that one step takes. */
reshed_status rs_limits_check_spectroscopy(const rs_limits *l, const rs_spectroscopy *spectroscopy,
                                           reshed_error *err);

#endif
