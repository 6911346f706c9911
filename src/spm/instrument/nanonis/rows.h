/* rows.h - finds the lines of a running scan that are complete.
 *
 * Nanonis gives away a frame as a whole (Scan.FrameDataGrab), while it is being filled. Which lines
 * of it are finished is read from the data alone, since the numbering of Scan.WaitEndOfLine is not
 * documented:
 *
 *  - pixels that were not scanned yet are NaN;
 *  - or, where the software keeps the last frame until it is overwritten, they still have the bits
 *    that a grab before the start of the scan found. A line that has once been seen empty is known
 *    to have been cleared, and what it had before does not count any more.
 *
 * Pixels come in packets of 16. So a line is complete when no pixel is NaN and its first and last
 * packets are new; it has begun when any pixel is new.
 *
 * Lines are counted in the order of the scan: position p is line p/directions of the scan, forward
 * first, then backward. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_ROWS_H
#define RS_SPM_INSTRUMENT_NANONIS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spm/instrument/nanonis/options.h"

typedef struct rs_nano_rows {
    int channels, directions, rows, cols;
    bool up;
    int order;            /* RS_NANO_ORDER_... */
    bool backward_mirror; /* columns of backward rows run from +x to -x */
    float *data;          /* [channels][directions][rows][cols], as grabbed */
    float *before;        /* [directions][rows][cols] of channel 0 */
    uint8_t *state;       /* [rows*directions] by position: rs_nano_row_state */
    int furthest;         /* the last position that has begun, -1: none */
} rs_nano_rows;

typedef enum rs_nano_row_state { RS_NANO_EMPTY, RS_NANO_BEGUN, RS_NANO_COMPLETE } rs_nano_row_state;

/* Memory for frames of this size; the choices above are set by the caller. On failure
 * (RESHED_EINVAL for sizes out of range, RESHED_ENOMEM) *r is as before. */
reshed_status rs_nano_rows_size(rs_nano_rows *r, int channels, int directions, int rows, int cols,
                                reshed_error *err);
void rs_nano_rows_free(rs_nano_rows *r);

/* The frame of one channel as it was grabbed: rows*cols big-endian f32. */
void rs_nano_rows_put(rs_nano_rows *r, int channel, int direction, const uint8_t *values);
/* Forgets all data. */
void rs_nano_rows_clear(rs_nano_rows *r);
/* Marks what channel 0 holds now as old: it was there before the scan. */
void rs_nano_rows_start(rs_nano_rows *r);
/* Finds the state of all lines after channel 0 has been put. */
void rs_nano_rows_update(rs_nano_rows *r);

/* Row of the image (0 at the +y edge) of a position, and back. */
int rs_nano_rows_row(const rs_nano_rows *r, int position);
int rs_nano_rows_position(const rs_nano_rows *r, int row);

/* One line from -x to +x, times scale. */
void rs_nano_rows_line(const rs_nano_rows *r, int channel, int direction, int row, double scale,
                       float *out);

#endif
