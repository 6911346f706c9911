/* phase.h - the instrument's phase made comparable: constant offset, branch of the angle, direction
 * of counting, and which of the two polarisations is called forward.
 *
 * The measured phase of a switching ferroelectric has two values 180 degrees apart, shifted by
 * cables, filters and the distance from resonance, counted up or down, and cut at an arbitrary
 * angle (Asylum: -90 to 270 degrees; others -180 to 180 or 0 to 360). The histogram of the phase on
 * the circle has a peak for each polarisation, so the cut does not matter:
 *
 *        weight   ^   .                   .          offset = what brings the peaks to the
 *                 |  : :                 : :         target phases (0 and 180 degrees), the mean of
 *                 |. .  .. . ....... . .:   :..      both when they are not quite 180 apart
 *                 +----p0-----------------p1----->
 *
 * Which peak is forward cannot be seen in the histogram: rs_phase_orient takes a reference (a pixel
 * of known polarisation), rs_phase_orient_by_bias the rule that a high off-field voltage leaves the
 * forward state (PySSPFM's counter-clockwise convention). All angles are in radians. */
#ifndef RS_BEPS_PHASE_H
#define RS_BEPS_PHASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* phase moved by whole turns into [lower, lower + 2 pi). */
double rs_phase_wrap(double phase, double lower);

typedef struct rs_phase_options {
    int bins;            /* of the histogram, 16 to 4096 */
    double smoothing;    /* standard deviation of the kernel that smooths it, > 0 */
    double min_distance; /* between the two peaks */
    double forward;      /* target of the forward polarisation */
    double reverse;      /* target of the other */
    bool inverted;       /* the instrument counts the phase backwards: it is negated first */
} rs_phase_options;

/* 360 bins, 8 degrees, 60 degrees apart, targets 0 and pi. */
void rs_phase_defaults(rs_phase_options *o);

typedef struct rs_phase_cal {
    int sign;          /* calibrated = sign * measured + offset */
    double offset;     /* in (-pi, pi] */
    double peak[2];    /* measured phase of the forward and of the reverse peak, in (-pi, pi] */
    double weight[2];  /* share of the weight within 45 degrees of each peak, 0 to 1 */
    double separation; /* angle between the peaks, 0 to pi; pi is ideal */
    bool single;       /* only one peak stands out: nothing switched, offset is from it alone */
    double forward, reverse; /* the targets asked for */
} rs_phase_cal;

/* phase [n] (any branch), weight [n] >= 0 or NULL for ones: amplitudes are a good weight, because
 * the phase of a weak response is noise. Pairs with a non-finite member are skipped. RESHED_EINVAL
 * when options are out of range or no weight is left. The larger peak is called forward until an
 * orientation says otherwise. */
reshed_status rs_phase_calibrate(const double *phase, const double *weight, size_t n,
                                 const rs_phase_options *o, rs_phase_cal *cal, reshed_error *err);

/* The calibrated phase, in (-pi, pi]. */
double rs_phase_apply(const rs_phase_cal *cal, double phase);

/* Exchanges forward and reverse. */
void rs_phase_swap(rs_phase_cal *cal);

/* Makes the class of the measured phase `reference` the forward one (or the reverse one); true when
 * that exchanged the two. */
bool rs_phase_orient(rs_phase_cal *cal, double reference, bool is_forward);

/* Off-field data [n] at write voltages v: makes the state left by high voltages the forward one (or
 * the reverse one, high_is_forward false: sample grounded instead of tip, or d33 < 0). Each sample
 * counts by its weight (NULL: 1) and by how far its voltage is from the middle of the range. True
 * when that exchanged the two. */
bool rs_phase_orient_by_bias(rs_phase_cal *cal, const double *phase, const double *weight,
                             const double *v, size_t n, bool high_is_forward);

/* pr[i] = amplitude[i] * cos(calibrated phase - forward target); may be in place. */
void rs_phase_to_response(const rs_phase_cal *cal, const double *amplitude, const double *phase,
                          size_t n, double *pr);

#endif
