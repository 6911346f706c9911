/* fits.h - the oscillator fits of all spectra of a file: their summary, and their NSID maps. */
#ifndef RS_SPECTRA_FITS_H
#define RS_SPECTRA_FITS_H

#include <stdbool.h>

#include "beps/sho_fit.h"
#include "spectra/spectra.h"

/* Fits all spectra of `in` into fits [in->n]. done (may be NULL): called now and then with how many
 * are through. */
reshed_status rs_fits_run(const rs_spectra *in, const rs_sho_options *options,
                          void (*done)(void *ctx, int64_t spectra), void *ctx, rs_sho_fit *fits,
                          reshed_error *err);

/* Bits of rs_sho_fit.flags at most. */
#define RS_SHO_FLAG_BITS 16

typedef struct rs_fits_summary {
    int64_t failed;
    int64_t flag[RS_SHO_FLAG_BITS]; /* fits that have each flag */
    double r2, frequency, q;        /* medians of the fits that did not fail; NaN when all did */
} rs_fits_summary;

reshed_status rs_fits_summarise(const rs_sho_fit *fits, int64_t n, rs_fits_summary *sum,
                                reshed_error *err);

/* The group of the maps in the file: GROUP/NAME/NAME. */
#define RS_FITS_GROUP "/Measurement_000/SHO_Fit"

/* Writes, over the axes of s, the maps "Amplitude", "Frequency", "Quality Factor", "Phase",
 * "R2 Criterion", "Peak Amplitude", an error of each parameter ("Amplitude Error", ...), "Noise"
 * and "Flags" to a new file at path; mask: NaN where a fit failed. sho32: also "sho32", with the
 * five numbers of BGlib's record along a last axis. What s carries in s->extra goes along. input:
 * the name of the file that was fitted. */
reshed_status rs_fits_write(const char *path, const char *input, const rs_spectra *s,
                            const rs_sho_options *options, const rs_sho_fit *fits, bool mask,
                            bool sho32, reshed_error *err);

#endif
