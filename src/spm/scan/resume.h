/* resume.h - what is typed when a session is resumed, held against what its file says.
 *
 * A file is not trusted: the driver, its options and the limits are those that were typed. What the
 * file says of them is only compared. Settings that were typed (plan.given) are applied where the
 * lines and points that are there stay what they are, and refused otherwise; none is ignored. */
#ifndef RS_SPM_SCAN_RESUME_H
#define RS_SPM_SCAN_RESUME_H

#include "spm/scan/plan.h"

/* Room for a driver's name and options in words. */
enum { RS_SCAN_DRIVER_TEXT = 512 };

/* "--driver twin -d clock=0 -d seed=7": options in alphabetical order, the last one of a name;
 * control characters become '?'. Returns buf. */
const char *rs_scan_driver_text(const char *driver, const rs_driver_option *option, int n,
                                char buf[RS_SCAN_DRIVER_TEXT]);

/* RESHED_EINVAL with both texts unless the plan's driver and options are those of the session. */
reshed_status rs_scan_resume_check_driver(const rs_scan_plan *p, const rs_session_setup *setup,
                                          reshed_error *err);

/* Takes the session's settings and stream into p, but for the settings that were typed:
 *
 *     limits (max_bias, max_drive, max_speed, max_step)   a narrower one
 *     max_points                                          a smaller one
 *     speed, budget, drift_every, reference_every, reference_change, alarm, line_timeout, queue,
 *     sync_every, preview                                 any
 *     all others, steps and further regions too           only the session's own value
 *
 * RESHED_EINVAL with the session's value and the typed one for what cannot be applied, RESHED_ECORRUPT
 * for a session whose settings and waveform contradict each other.
 * `changes` (NULL: not wanted) gets a text such as "max_bias=1 (was 0), speed=1e-6 (was 2e-6)", ""
 * when nothing was changed, cut to fit. */
reshed_status rs_scan_resume_plan(rs_scan_plan *p, const rs_session *s, char *changes, size_t room,
                                  reshed_error *err);

/* Holds an instrument that is open and set up as the settings say against the one that the session
 * was begun on: what it is, channels and units, bins, directions, the frame as it reads it back.
 * RESHED_EINVAL with both for what differs: lines of two kinds do not make one map. */
reshed_status rs_scan_resume_check_instrument(const rs_session_setup *setup,
                                              const rs_driver_caps *caps, const rs_frame *frame,
                                              reshed_error *err);

#endif
