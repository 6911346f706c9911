/* usid.h - reads the Universal Spectroscopic and Imaging Data layout of pyUSID and BGlib, the one
 * before NSID: a 2-D main dataset [positions][points of a spectrum], usually
 * /Measurement_000/Channel_000/Raw_Data, whose axes are spelled out by further datasets,
 *
 *     Position_Indices, Position_Values              [positions][position dimensions]
 *     Spectroscopic_Indices, Spectroscopic_Values    [spectral dimensions][points]
 *
 * each with the attributes `labels` and `units`, a text for each dimension. The main dataset refers
 * to them; they are taken here by their names, from its group or the one above, where pyUSID and
 * BGlib put them. */
#ifndef RS_IO_NSID_USID_H
#define RS_IO_NSID_USID_H

#include "io/nsid/nsid.h"

#define RS_USID_MAX_DIMS 8

/* The coordinates of the n positions or points. */
typedef struct rs_usid_axes {
    int dims; /* 1..RS_USID_MAX_DIMS */
    int64_t n;
    char label[RS_USID_MAX_DIMS][64], units[RS_USID_MAX_DIMS][32]; /* "" when the file has none */
    double *values;                                                /* [dims][n]; owned */
} rs_usid_axes;

typedef struct rs_usid_data {
    char path[256]; /* of the main dataset */
    char quantity[64], units[32];
    rs_usid_axes position, spectral;
    bool is_complex;
    bool is_fit;  /* the pairs are amplitude and phase (rad) */
    double *data; /* [position.n][spectral.n], of (re, im) pairs when complex; owned */
} rs_usid_data;

/* Returns whether the file has a USID main dataset, and its path. dataset: a path, or a name within
 * the channel groups; NULL: "Raw_Data". The first of Measurement_000 to 009 and Channel_000 to 009
 * that has it counts. */
bool rs_usid_find(rs_nsid_file *file, const char *dataset, char *path, size_t n);

/* Finds the oscillator fits of BGlib: records of five numbers in Raw_Data-SHO_Fit_NNN/Fit, or Guess
 * where there is no Fit; of several the last. */
bool rs_usid_find_fit(rs_nsid_file *file, char *path, size_t n);

/* Reads the main dataset at path (rs_usid_data_clear). Of fits (rs_usid_find_fit) it reads the
 * amplitude and the phase, as pairs. */
reshed_status rs_usid_read(rs_nsid_file *file, const char *path, rs_usid_data *out,
                           reshed_error *err);
/* Frees what *d owns and zeroes it. */
void rs_usid_data_clear(rs_usid_data *d);

#endif
