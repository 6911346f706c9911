/* loops.h - the readings of one switching spectrum become a hysteresis loop with its metrics.
 *
 *     rs_loop_analysis *a = NULL;
 *     double value[RS_LOOP_VALUES];
 *     rs_loop_readings in = {.steps = steps, .fields = 2, .bins = 65, .spectra = spectra};
 *     rs_loop_result out = {.value = value};
 *     st = rs_loop_analysis_create(v, steps, 2, frequency, 65, NULL, &a, err);
 *     if (st == RESHED_OK) st = rs_loop_analysis_run(a, &in, &out, err);
 *     width = value[rs_loop_value_find("width_mid")];
 *     rs_loop_analysis_free(a);
 *
 * Amplitude is everywhere the A of beps/sho.h: drive-referred, the response far below resonance,
 * not the A Q of its peak. It is what BGlib and the author's "BE Quick Fitting" store as amplitude,
 * and what the twin's amplitude channel shows: with its spectra it is the channel's metres times
 * rs_driver_twin_sensitivity times the drive in volts. */
#ifndef RS_SPECTRA_LOOPS_H
#define RS_SPECTRA_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "beps/metrics.h"
#include "beps/sho_fit.h"

typedef struct rs_loop_analysis_options {
    bool on_field;    /* metrics of the on-field loop though there is an off-field one */
    bool drop_first;  /* leave the first of several cycles out of the metrics; the default */
    int cycles;       /* in the voltages; 0: found by where they repeat */
    double reference; /* rad: direction of the response of the state that high voltages leave, to
                         which each loop's sign is held; NaN (the default): the loop runs
                         counter-clockwise */
    rs_sho_options sho;
} rs_loop_analysis_options;

void rs_loop_analysis_defaults(rs_loop_analysis_options *o);

typedef struct rs_loop_analysis rs_loop_analysis;

/* voltage [steps] V, one or more cycles (copied); fields 1 (on field) or 2 (and off field);
 * frequency [bins] Hz (copied), or bins 0: the readings come as amplitude and phase. o may be NULL.
 * Errors: RESHED_EINVAL for sizes or options out of range and for steps that are not a multiple of
 * the cycles; RESHED_EUNSUPPORTED when the voltages are not those of a loop (rs_sweep_create) or
 * the bins not those of a resonance (rs_sho_check_axis); RESHED_ENOMEM. */
reshed_status rs_loop_analysis_create(const double *voltage, int steps, int fields,
                                      const double *frequency, int bins,
                                      const rs_loop_analysis_options *o, rs_loop_analysis **out,
                                      reshed_error *err);
void rs_loop_analysis_free(rs_loop_analysis *a);

/* The values of a loop, the same list for every analysis: all metrics of beps/metrics.h that this
 * project defines, by their id (the columns of reshed-beps: width_mid, coercive_mid, v_plus_mid,
 * v_minus_mid, imprint_mid, area, nucleation_pos, nucleation_neg, r_plus_0, r_minus_0, switchable,
 * fit_r2, ...), in the table's order, then
 *
 *   flags           RS_LOOP_* bits of the loop (beps/flags.h)
 *   unfold_angle    rad, direction of the response in the complex plane
 *   unfold_ratio    scatter across that line over the spread along it
 *   failed_steps    steps without a response (of the field and cycles measured)
 *   cycles          that the values are means over. */
#define RS_LOOP_VALUES (RS_M_SPIKES + 1 + 5)
/* Name of value k, 0 <= k < RS_LOOP_VALUES. */
const char *rs_loop_value_name(int k);
/* Its unit into buf (cut to fit), response_unit being that of the amplitude ("V", "m"); returns
 * buf. */
const char *rs_loop_value_unit(int k, const char *response_unit, char *buf, size_t n);
/* The place in the list, -1 when there is none of that name. */
int rs_loop_value_find(const char *name);

/* The readings of one spectrum; arrays borrowed, field 0 on field, field 1 off field. */
typedef struct rs_loop_readings {
    int steps, bins, fields;
    const float *spectra;           /* [fields][steps][bins][2], with bins */
    const float *amplitude, *phase; /* [fields][steps], without; rad */
} rs_loop_readings;

/* Arrays of the caller's, [fields created for][steps] and [RS_LOOP_VALUES]; NULL: not wanted. */
typedef struct rs_loop_result {
    float *amplitude, *frequency, *q, *phase; /* of each step */
    float *response;                          /* signed */
    double *value;
} rs_loop_result;

/* in->steps, bins and fields as created (fields 1 is taken where 2 were expected: only the on-field
 * loop is there then). What could not be fitted is NaN; a spectrum without a loop gives NaN metrics
 * (flags, failed_steps and cycles stay numbers) and RESHED_OK. Without bins amplitude and phase are
 * passed on, frequency and Q are NaN. The response is unfolded for each cycle and field; the
 * on-field one is on the side of the off-field one. Metrics are of the off-field loop where there
 * is one, else of the on-field loop, whose slope at saturation (the electrostatic force) is then
 * taken off first.
 * Errors: RESHED_EINVAL for sizes that do not fit, RESHED_ENOMEM; then out is unchanged. Not for
 * two threads at once. */
reshed_status rs_loop_analysis_run(rs_loop_analysis *a, const rs_loop_readings *in,
                                   const rs_loop_result *out, reshed_error *err);

#endif
