/* axes.h - recognises the axes of a dataset: voltages, frequencies, cycles, fields, positions; by
 * their names and quantities in any letter case, their units and their types; everything that reads
 * spectra or loops asks here. */
#ifndef RS_SPECTRA_AXES_H
#define RS_SPECTRA_AXES_H

#include <stdbool.h>

#include "io/nsid/nsid.h"
#include "io/nsid/usid.h"

/* Datasets in which the acquisition program of the paper's author keeps what its axes do not
 * tell. */
#define RS_AUTHOR_FREQUENCY "/BE Parameters/frequency"
#define RS_AUTHOR_WAVEFORM "/BEPS/vdc_waveform"
#define RS_AUTHOR_COORDINATES "/BEPS/coordinates"

/* Hz, V or m in one unit of that text; 0 when it is none of a frequency, a voltage or a length. */
double rs_unit_hertz(const char *units);
double rs_unit_volts(const char *units);

/* Fills everything but the values. */
void rs_axis_name(rs_nsid_dim *axis, const char *name, const char *quantity, const char *units,
                  const char *type, int64_t n);

/* An axis that is called a frequency; its unit need not be one. */
bool rs_axis_is_frequency(const rs_nsid_dim *axis);
/* Volts per unit of an axis that holds voltages; 0 when it does not: it is SPATIAL, or neither its
 * name nor its unit says so. */
double rs_axis_volts(const rs_nsid_dim *axis);
/* Cycles of the voltages, one after the other. SPATIAL axes are none. */
bool rs_axis_is_cycle(const rs_nsid_dim *axis);
/* On-field and off-field readings: values other than 0 are on-field. SPATIAL axes are none. */
bool rs_axis_is_field(const rs_nsid_dim *axis);
bool rs_axis_is_spatial(const rs_nsid_dim *axis);
bool rs_axis_is_voltage(const rs_nsid_dim *axis);
/* Coordinates whose names begin with x, or y. */
bool rs_axis_is_x(const rs_nsid_dim *axis);
bool rs_axis_is_y(const rs_nsid_dim *axis);

/* The axes of a map's positions: those whose names begin with x and y when all others have length
 * 1, else, of two SPATIAL axes, x first as NSID has it. False when there are none such. */
bool rs_axes_xy(const rs_nsid_dim *axis, int ndim, int *x, int *y);

/* When the positions of a USID file form a full grid of two dimensions, one of them running fast, which
 * one and how many of each. */
bool rs_usid_is_grid(const rs_usid_axes *a, int *fast, int64_t *n_fast);

/* Row d of a USID file's coordinates as an axis of type SPECTRAL, without values. */
void rs_axis_of_usid(rs_nsid_dim *axis, const rs_usid_axes *a, int d);

#endif
