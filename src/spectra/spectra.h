/* spectra.h - complex band-excitation spectra from the files that hold them:
 *
 * - any NSID main dataset with a frequency axis;
 * - the file of the paper's author, where the axes say nothing and '/BE Parameters/frequency' holds
 *   one frequency a bin, with one or several pulses in a row along the last axis;
 * - the USID file of BGlib (Raw_Data), whose Spectroscopic_Values hold the frequency. */
#ifndef RS_SPECTRA_SPECTRA_H
#define RS_SPECTRA_SPECTRA_H

#include "io/nsid/nsid.h"

#define RS_SPECTRA_MAX_EXTRAS 20

/* An array that belongs with the results: the waveform, coordinates, ... */
typedef struct rs_spectra_extra {
    char path[128];
    char units[32]; /* "" when the file does not say */
    rs_nsid_array a;
} rs_spectra_extra;

typedef struct rs_spectra {
    char path[256]; /* of the dataset in the file */
    char units[32]; /* of the spectra; "V" when the file does not say */
    char layout[8]; /* "NSID" or "USID" */
    int bins;
    double *frequency; /* [bins], Hz, rising; owned */
    int64_t n;         /* spectra */
    double *data;      /* [n][bins][2]; owned */
    int ndim;          /* axes of a map of the spectra, slowest first; 1..RS_NSID_MAX_DIMS */
    rs_nsid_dim dim[RS_NSID_MAX_DIMS]; /* values owned */
    int extras;
    rs_spectra_extra extra[RS_SPECTRA_MAX_EXTRAS];
} rs_spectra;

typedef struct rs_spectra_source {
    const char *channel;     /* dataset to take; NULL: the first complex one */
    const char *frequency;   /* dataset of the bins' frequencies in Hz; NULL: found by itself */
    double band_lo, band_hi; /* Hz: bins evenly spaced over the last axis; 0, 0: not given */
} rs_spectra_source;

/* Reads the file at path (rs_spectra_clear). */
reshed_status rs_spectra_read(const char *path, const rs_spectra_source *source, rs_spectra *out,
                              reshed_error *err);
void rs_spectra_clear(rs_spectra *s);

#endif
