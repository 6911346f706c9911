/* unfold.h - complex responses of a file become signed ones, by one of several methods. */
#ifndef RS_SPECTRA_UNFOLD_H
#define RS_SPECTRA_UNFOLD_H

#include "beps/analyse.h"
#include "spectra/responses.h"

typedef enum rs_unfolding {
    RS_UNFOLD_MAP,   /* each loop's line, on the side of the map's common direction */
    RS_UNFOLD_AREA,  /* each loop's line, counter-clockwise */
    RS_UNFOLD_FIXED, /* the map's common direction */
    RS_UNFOLD_PHASE, /* one calibration of the phase, from its histogram */
    RS_UNFOLD_BGLIB  /* BGlib's projectLoop */
} rs_unfolding;

typedef struct rs_unfolded {
    const char *how;  /* "signed response as in the file", ... */
    double *response; /* [points][cycles*steps]; owned */
    double reference; /* rad, the direction held to; NaN when each loop has its own */
    rs_unfold *line;  /* [points][cycles]; owned; NULL for responses that were real, and by phase */
} rs_unfolded;

/* The responses of a field that there is. point: the one whose loop is counter-clockwise, -1 for
 * none (not with AREA and BGLIB). Real responses are taken over from `in` as they are. threads as
 * in rs_unfold_options. rs_unfolded_clear, also after a failure. */
reshed_status rs_responses_unfold(rs_responses *in, rs_field field, rs_unfolding method,
                                  int64_t point, int threads, rs_unfolded *out, reshed_error *err);
void rs_unfolded_clear(rs_unfolded *u);

#endif
