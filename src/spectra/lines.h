/* lines.h - the spectra of a scan line become rows of amplitude, frequency, Q and phase.
 *
 * Amplitude is the A of beps/sho.h; see loops.h. */
#ifndef RS_SPECTRA_LINES_H
#define RS_SPECTRA_LINES_H

#include "base/status.h"
#include "beps/sho_fit.h"

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
