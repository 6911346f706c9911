/* responses.h - switching loops from the files that hold them:
 *
 * - an NSID main dataset of piezoresponse, or of complex response, with a voltage axis: grids
 *   (X,Y,V), point lists (N,V), single loops (V), and axes for cycles and fields beside them;
 * - two datasets, amplitude and phase (pairs.h), such as the maps of `reshed-beps sho`, whose flags are read as
 *   well: a fit that failed is no response;
 * - a switching-spectroscopy wave of Asylum's (IBW; asylum.h);
 * - USID files of BGlib: its oscillator fits (Raw_Data-SHO_Fit_000/Fit), or a dataset that is named;
 * - the file of the paper's author: a quick fit of (points, 4, steps), the 4 being amplitude,
 *   frequency, quality factor and phase, and the voltages in /BEPS/vdc_waveform.
 *
 * Where the steps alternate between on-field and off-field readings they are split, and so they are
 * where the voltages alternate between pulses and rest. */
#ifndef RS_SPECTRA_RESPONSES_H
#define RS_SPECTRA_RESPONSES_H

#include <stdbool.h>
#include <stdint.h>

#include "beps/waveform.h"
#include "io/nsid/nsid.h"

typedef struct rs_responses_source {
    const char *channel;           /* dataset to take; NULL: found by itself */
    const char *amplitude, *phase; /* both or neither: these two instead */
    int degrees;                   /* of the phase: 1 degrees, 0 radians, -1 by its unit or range */
    const char *waveform;          /* dataset of the write voltages; NULL: found by itself */
    bool unsigned_too; /* take an amplitude that has no phase: all states are positive */
    double triangle;   /* V: a bipolar triangle of this amplitude instead; 0: none */
    int cycles;        /* in the waveform; 0: found by itself */
    rs_field single;   /* what readings that do not alternate are: on or off */
} rs_responses_source;

typedef struct rs_responses {
    char path[256];           /* of the dataset in the file */
    char units[32];           /* of the response; "a.u." when unknown */
    bool of_session;          /* the loops of a session of reshed-scan */
    bool keep_first;          /* whose settings say so */
    double *row, *col, *wall; /* [points] of a session: pixels, and the wall's number; owned */
    double *kind;    /* the same: 0 on a wall, 1 to 3 a control point in an a or c domain or on
                                 a 180-degree wall */
    bool is_complex; /* response in re and im; else signed, in re, and im is NULL */
    bool has[2];     /* fields there are: [RS_FIELD_OFF], [RS_FIELD_ON] */
    int steps, cycles;
    char note[160];        /* what was made of the voltages, for people; "" when nothing special */
    double *v;             /* [cycles*steps], write voltages, V; owned */
    double *re[2], *im[2]; /* [points, cycles*steps] of each field there is; owned */
    uint8_t
        *suspect[2]; /* [points, cycles*steps] 1 where the oscillator's fit may be wrong, two modes
                            or clipped; owned, or NULL where the file has no flags of fits */
    int64_t points;
    int ndim;                          /* axes of a map, slowest first; >= 1 */
    rs_nsid_dim dim[RS_NSID_MAX_DIMS]; /* values owned */
    double *x, *y;                     /* [points], metres or what the file has; owned, or NULL */
    bool on_axes;                      /* x and y are the values of dim[x_axis] and dim[y_axis] */
    int x_axis, y_axis;
    char position_units[32];
} rs_responses;

/* Reads the file at path (rs_responses_clear). */
reshed_status rs_responses_read(const char *path, const rs_responses_source *source,
                                rs_responses *out, reshed_error *err);
void rs_responses_clear(rs_responses *r);

#endif
