/* segments.h - a staircase of voltages as straight pieces, the form in which the Bias Spectroscopy
 * module takes it. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_SEGMENTS_H
#define RS_SPM_INSTRUMENT_NANONIS_SEGMENTS_H

/* Points first .. first+points-1 of the staircase, evenly spaced from the first to the last. */
typedef struct rs_nano_segment {
    int first, points;
} rs_nano_segment;

/* Cuts voltage[n] into pieces, every point in one of them. A point may be off its straight line by
 * 1e-5 of the largest voltage. No piece has one point only where a neighbour can spare one. Returns
 * how many there are; only the first `room` are written. */
int rs_nano_segments(const double *voltage, int n, rs_nano_segment *out, int room);

#endif
