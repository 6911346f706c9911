/* asylum.h - switching-spectroscopy waves of Asylum microscopes (IBW): samples over time in columns,
 * Amp, Phase and Bias among them, [samples, columns] or [samples, columns, points]. */
#ifndef RS_SPECTRA_ASYLUM_H
#define RS_SPECTRA_ASYLUM_H

#include "io/ibw.h"
#include "io/nsid/nsid.h"

/* The complex response at each step of the bias (plateaus.h), as a dataset (rs_nsid_data_clear) over
 * points and voltages: the mean of the settled samples of a step. amplitude, phase: columns, or NULL
 * for those called so. degrees: of the phase, 1 or -1 (Asylum's own), or 0 for radians. Errors name
 * what there is: RESHED_EUNSUPPORTED without those columns or without steps, RESHED_ECORRUPT for a
 * bias that is no number or not that of the first point. */
reshed_status rs_asylum_loops(const rs_ibw *w, const char *amplitude, const char *phase,
                              int degrees, rs_nsid_data *out, reshed_error *err);

#endif
