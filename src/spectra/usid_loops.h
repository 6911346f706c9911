/* usid_loops.h - loops from USID files: a dataset of positions by steps becomes one over the axes of a
 * map, and its spectroscopic values the voltages, fields and cycles of a layout. */
#ifndef RS_SPECTRA_USID_LOOPS_H
#define RS_SPECTRA_USID_LOOPS_H

#include "io/nsid/usid.h"
#include "spectra/layout.h"

/* Moves what is in `from` to *out (rs_nsid_data_clear): axes Y and X of a grid, or a list of
 * positions; then "Step". Pairs stay pairs. RESHED_EUNSUPPORTED for spectra (a frequency among the
 * steps), which are to be fitted first. */
reshed_status rs_usid_to_nsid(rs_usid_data *from, rs_nsid_data *out, reshed_error *err);

/* Fails because what is at path are spectra, and says what makes responses of them. */
reshed_status rs_fail_spectra(const char *path, reshed_error *err);

/* The voltages, fields and cycles of the steps into the layout of that dataset. */
reshed_status rs_usid_steps(const rs_usid_axes *steps, const char *path, rs_layout *l,
                            reshed_error *err);

/* x and y [positions] of a list, if it has both. */
bool rs_usid_places(const rs_usid_axes *position, double *x, double *y, char *units, size_t n);

#endif
