/* recorded.h - recorded switching loops, as the replay driver gives them again: all that spectra.h
 * and responses.h read, with the places in metres and on-field readings before off-field ones. */
#ifndef RS_SPECTRA_RECORDED_H
#define RS_SPECTRA_RECORDED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct rs_recorded {
    int64_t points;
    double *x, *y;     /* [points], m; owned */
    int steps;         /* of all cycles */
    double *v;         /* [steps], V; owned */
    bool on, off;      /* fields there are */
    int bins;          /* 0: one complex response for each step instead of a spectrum */
    double *frequency; /* [bins], Hz; owned; NULL without bins */
    float *z;          /* [points][fields][steps][bins or 1][2], on field before off field; owned */
} rs_recorded;

/* channel: a dataset of the file, or NULL for the first that has a voltage axis. Readings whose
 * field the file does not tell are off-field when off is true. */
reshed_status rs_recorded_read(const char *path, const char *channel, bool off, rs_recorded *out,
                               reshed_error *err);
void rs_recorded_clear(rs_recorded *l);

/* The point nearest to (x,y); *distance in m. */
int64_t rs_recorded_nearest(const rs_recorded *l, double x, double y, double *distance);

#endif
