/* usid.h - reads the Universal Spectroscopic and Imaging Data layout of pyUSID and BGlib, the one
 * before NSID: a 2-D main dataset [positions][points of a spectrum] whose axes are spelled out by
 * four further datasets that it refers to,
 *
 *     Position_Indices, Position_Values              [positions][position dimensions]
 *     Spectroscopic_Indices, Spectroscopic_Values    [spectral dimensions][points]
 *
 * each with the attributes `labels` and `units`, a text for each dimension. */
#ifndef RS_IO_USID_H
#define RS_IO_USID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

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
    double *data; /* [position.n][spectral.n], of (re, im) pairs when complex; owned */
} rs_usid_data;

/* Reads a main dataset: the one whose path or name is `dataset`, or when that is NULL the first
 * complex one in alphabetical order, else the first. A file without any is RESHED_EUNSUPPORTED. */
reshed_status rs_usid_read(const char *path, const char *dataset, rs_usid_data *out,
                           reshed_error *err);
/* The same from bytes[len], which are copied. */
reshed_status rs_usid_read_mem(const uint8_t *bytes, size_t len, const char *dataset,
                               rs_usid_data *out, reshed_error *err);
/* Frees what *d owns and zeroes it. */
void rs_usid_data_clear(rs_usid_data *d);

#endif
