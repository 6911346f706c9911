/* replay_loops.h - recorded switching loops as the replay driver gives them again: from an NSID
 * file whose main dataset has axes x and y, a voltage, and perhaps a frequency and a field; real
 * (piezoresponse) or complex; or from the USID file of BGlib with its raw spectra. */
#ifndef RS_SPECTRA_REPLAY_LOOPS_H
#define RS_SPECTRA_REPLAY_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct rs_replay_loops {
    int64_t points;
    double *x, *y; /* [points], m; owned */
    int steps;
    double *v;         /* [steps], V; owned */
    bool on, off;      /* fields there are */
    int bins;          /* 0: one complex response for each step instead of a spectrum */
    double *frequency; /* [bins], Hz; owned; NULL without bins */
    float *z;          /* [points][fields][steps][bins or 1][2], on field before off field; owned */
} rs_replay_loops;

/* channel: a dataset of the file, or NULL for the first that has a voltage axis. Readings whose
 * field the file does not tell are off-field when off is true. */
reshed_status rs_replay_loops_read(const char *path, const char *channel, bool off,
                                   rs_replay_loops *out, reshed_error *err);
void rs_replay_loops_clear(rs_replay_loops *l);

/* The point nearest to (x,y); *distance in m. */
int64_t rs_replay_loops_nearest(const rs_replay_loops *l, double x, double y, double *distance);

#endif
