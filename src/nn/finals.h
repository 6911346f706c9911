/* finals.h - rows that can no longer change, one after another, as a scan goes down or up.
 *
 * A rs_finals carries one member's direct (row-independent) convolutions as far as the known rows
 * of the image determine them, and stops; with more rows it goes on where it stopped. Each buffer
 * keeps the last few rows in a ring. What comes out has the bits of the whole frame's direct
 * convolutions, whatever the order and the portions in which the rows came:
 *
 *     image    ##############|             known up to the scan
 *     level 0  ###########...              determined rows; each 3x3 lags one row more
 *     level 1  #######....
 *     level 2  ###.....                    final rows of the map lag by the receptive radius
 */
#ifndef RS_NN_FINALS_H
#define RS_NN_FINALS_H

#include "nn/spans.h"
#include "nn/tables.h"

/* Rows of a buffer that are kept: what its own steps and a front (front.h) read. */
#define RS_FINALS_ROWS 8

typedef struct rs_finals {
    rs_extent extent;
    bool up;         /* rows come from the last to the first */
    rs_span image;   /* rows of the image that have been taken in */
    rs_spans made;   /* rows of each buffer so far; owned. The last few of them are in the rings */
    rs_tables table; /* owned */
    float *rings;    /* owned; columns around the image are zero */
    float *score;    /* owned; [all levels], of the whole frame */
    size_t bytes;
    double macs, weight_bytes; /* of 3x3 convolutions, since the caller set them to 0 */
} rs_finals;

/* g: of a ResHedNet; ring: laid out by rs_finals_rings; ring_floats what that returned. */
reshed_status rs_finals_make(const rs_graph *g, const rs_ring *ring, int height, int width,
                             size_t ring_floats, rs_finals *out, reshed_error *err);
void rs_finals_clear(rs_finals *s);

/* Lays out the rings of the places [g->places], with columns to the right for tiles of up to six; returns
 * the floats of all rings. */
size_t rs_finals_rings(const rs_graph *g, int width, rs_ring *ring);

/* Forgets everything; the next rows are the first. */
void rs_finals_start(rs_finals *s, rs_extent extent, bool up);

/* One step: `step` says what was done. False when `known` (a span of image rows that holds
 * s->image) determines no more. exec: a member with stage, kernels, weights, image, zero and
 * sampling set; the rest is set here. */
bool rs_finals_step(rs_finals *s, rs_span known, rs_exec *exec, const rs_scratch *scratch,
                    rs_step *step);

/* Steps until nothing moves. */
void rs_finals_advance(rs_finals *s, rs_span known, rs_exec *exec, const rs_scratch *scratch);

/* True when output row y can be mixed. */
bool rs_finals_has(const rs_finals *s, int y);

#endif
