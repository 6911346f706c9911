/* loops.h - from what a driver delivers to what is looked at: a spectrum becomes a hysteresis loop
 * with its metrics, a scan line's spectra become rows of amplitude, frequency, Q and phase.
 *
 *     rs_loop_analysis *a = NULL;
 *     rs_session_metric name[RS_SESSION_MAX_METRICS];
 *     int metrics = rs_loop_analysis_metrics("V", name);            // for the session's setup
 *     st = rs_loop_analysis_create(v, steps, 2, frequency, 65, NULL, &a, err);
 *     ...
 *     if (st == RESHED_OK) st = rs_loop_analysis_run(a, &spectrum, &loop, err);
 *     width = loop.metric[rs_loop_analysis_metric("width_mid")];
 *     rs_loop_analysis_free(a);
 *
 * Amplitude is everywhere the A of beps/sho.h: drive-referred, the response far below resonance,
 * not the A Q of its peak. It is what BGlib and the author's "BE Quick Fitting" store as amplitude,
 * and what the twin's amplitude channel shows: with its spectra it is the channel's metres times
 * rs_driver_twin_sensitivity times the drive in volts. */
#ifndef RS_SPECTRA_LOOPS_H
#define RS_SPECTRA_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "beps/loop.h"
#include "beps/sho_fit.h"
#include "reshed_driver.h"
#include "spm/session/session.h"

/* --------------------------------------------------------------------------------------- loops */
typedef struct rs_loop_analysis_options {
    bool on_field;    /* metrics of the on-field loop though there is an off-field one */
    bool drop_first;  /* leave the first of several cycles out of the metrics */
    int cycles;       /* in the voltages; 0: found by where they repeat */
    double reference; /* rad: direction of the response of the state that high voltages leave, to
                         which each loop's sign is held; NaN (the default): the loop runs
                         counter-clockwise */
    rs_sho_options sho;
} rs_loop_analysis_options;

void rs_loop_analysis_defaults(rs_loop_analysis_options *o);

typedef struct rs_loop_analysis rs_loop_analysis;

/* voltage [steps] V, one or more cycles (copied); fields 1 (on field) or 2 (and off field);
 * frequency [bins] Hz (copied), or bins 0: the spectra come as amplitude and phase. o may be NULL.
 * Errors: RESHED_EINVAL for sizes or options out of range and for steps that are not a multiple of
 * the cycles; RESHED_EUNSUPPORTED when the voltages are not those of a loop (rs_sweep_create) or
 * the bins not those of a resonance (rs_sho_check_axis); RESHED_ENOMEM. */
reshed_status rs_loop_analysis_create(const double *voltage, int steps, int fields,
                                      const double *frequency, int bins,
                                      const rs_loop_analysis_options *o, rs_loop_analysis **out,
                                      reshed_error *err);
void rs_loop_analysis_free(rs_loop_analysis *a);

/* Names and units of the results, the same list for every analysis: all metrics of beps/metrics.h
 * that this project defines, by their id (the columns of reshed-beps: width_mid, coercive_mid,
 * v_plus_mid, v_minus_mid, imprint_mid, area, nucleation_pos, nucleation_neg, r_plus_0, r_minus_0,
 * switchable, fit_r2, ...), in the table's order, then
 *   flags           RS_LOOP_* bits of the loop
 *   unfold_angle    rad, direction of the response in the complex plane
 *   unfold_ratio    scatter across that line over the spread along it
 *   failed_steps    steps without a response (of the field and cycles measured)
 *   cycles          that the values are means over.
 * response_unit: of amplitude ("V", "m"). name [RS_SESSION_MAX_METRICS] may be NULL. Returns the
 * count. */
int rs_loop_analysis_metrics(const char *response_unit, rs_session_metric *name);
/* The place in that list, -1 when there is none of that name. */
int rs_loop_analysis_metric(const char *name);

/* in->steps, fields and bins as created (in->fields 1 is taken where 2 were expected: only the
 * on-field loop is there then); in->frequency is not looked at. out's arrays [fields][steps] and
 * metric [count] are the caller's and may be NULL where not wanted. What could not be fitted is
 * NaN; a spectrum without a loop gives NaN metrics (flags, failed_steps and cycles stay numbers)
 * and RESHED_OK. Without bins amplitude and phase are passed on, frequency and Q are NaN. response
 * is signed and
 * unfolded for each cycle and field; the on-field one is on the side of the off-field one. Metrics
 * are of the off-field loop where there is one, else of the on-field loop, whose slope at
 * saturation (the electrostatic force) is then taken off first.
 * Errors: RESHED_EINVAL for sizes that do not fit, RESHED_ENOMEM; then out is unchanged. Not for
 * two threads at once. */
reshed_status rs_loop_analysis_run(rs_loop_analysis *a, const rs_spectrum *in, rs_session_loop *out,
                                   reshed_error *err);

/* --------------------------------------------------------------------------------------- lines */
typedef struct rs_line_fit rs_line_fit;

/* For lines of up to cols pixels of bins bins at frequency [bins] Hz (copied). o may be NULL;
 * threads as in it. */
reshed_status rs_line_fit_create(const double *frequency, int bins, int cols,
                                 const rs_sho_options *o, rs_line_fit **out, reshed_error *err);
void rs_line_fit_free(rs_line_fit *f);

/* spectra [cols][bins][2] -> rows [cols] (NULL where not wanted): amplitude A in the spectra's
 * unit, frequency in Hz, Q, phase in (-pi, pi]. Pixels whose fit failed (RS_SHO_FAILED) are NaN in
 * all four; returns how many there are. cols <= the number created for. Allocates nothing. */
int rs_line_fit_run(rs_line_fit *f, const float *spectra, int cols, float *amplitude,
                    float *frequency, float *q, float *phase);

#endif
