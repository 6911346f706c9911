/* maps.h - the results of SHO fits as NSID maps. */
#ifndef RS_SPECTRA_MAPS_H
#define RS_SPECTRA_MAPS_H

#include <stdbool.h>

#include "beps/sho_fit.h"
#include "spectra/spectra.h"

/* Where the maps are in the file: GROUP/NAME/NAME. */
#define BEPS_SHO_GROUP "/Measurement_000/SHO_Fit"

/* Writes, over the axes of s, the maps "Amplitude", "Frequency", "Quality Factor", "Phase",
 * "R2 Criterion", "Peak Amplitude", an error of each parameter ("Amplitude Error", ...), "Noise"
 * and "Flags" to a new file at path; mask: NaN where a fit failed. sho32: also "sho32", with the
 * five numbers of BGlib's record along a last axis. What s carries in s->extra goes along. input:
 * the name of the file that was fitted. */
reshed_status beps_maps_write(const char *path, const char *input, const beps_spectra *s,
                              const rs_sho_options *options, const rs_sho_fit *fits, bool mask,
                              bool sho32, reshed_error *err);

#endif
