/* front.h - the map near the scan: rows that are scanned but can still change.
 *
 * After a new line the rows that can have changed form a cone: one row of the image, three of the
 * first convolution, five of the second, ... Of the cone only what the scanned part of the map
 * needs is computed, and only where the final rows (finals.h) end. Beyond the cone the frame is
 * still empty, and an empty frame looks the same everywhere but at its edges: those rows are kept
 * from a frame computed once (blank).
 *
 *       image        final | new | empty                                  scan goes this way ->
 *       level 0      ######|ccc.....bbbbbbbbbb      #  final, from the rings of rs_finals
 *       level 1      ####|ccccccc...bbbbbbbbbb      c  the cone, computed here
 *       level 2      ##|cccccccccc..bbbbbbbbbb      b  blank
 *       map          #|ccccc|                       scanned, provisional
 *
 * Fast, not row-independent, convolutions (Winograd, bf16) are welcome here: the rows will be
 * computed again when they are final. Nothing of a front is kept from line to line. */
#ifndef RS_NN_FRONT_H
#define RS_NN_FRONT_H

#include "nn/finals.h"

/* Shared by all members and threads: fixed by the network and the frame. */
typedef struct rs_front_shape {
    const rs_graph *graph; /* borrowed: of a ResHedNet */
    const rs_arch *arch;   /* its */
    const rs_ring *ring;   /* borrowed: of the places, as rs_finals_rings lays them out */
    int stages;
    int height, width;
    bool reflect;      /* unscanned rows mirror the scanned ones */
    int blank_height;  /* of the frame that stands for an empty one */
    rs_spans kept[2];  /* rows of it that are kept: x and y; [0] for scans down, [1] up; owned */
    rs_spans capacity; /* rows of each buffer that a front can have: hi - lo; owned */
    size_t row_floats, blank_floats[2], score_floats;
    size_t bytes;
} rs_front_shape;

reshed_status rs_front_shape_make(const rs_graph *g, const rs_ring *ring, int height, int width,
                                  bool reflect, rs_front_shape *out, reshed_error *err);
void rs_front_shape_clear(rs_front_shape *s);

/* Computes the rows of an empty frame that scans down and up will need, into down[blank_floats[0]]
 * and up[blank_floats[1]]. exec: a member with direct stages and weights and with the image of an
 * empty frame [blank_height, width]; finals: of the same stages, used as scratch. */
void rs_front_blank(const rs_front_shape *s, rs_exec *exec, rs_finals *finals,
                    const rs_scratch *scratch, float *down, float *up);

/* The rows to compute so that output rows [output) can be mixed when image rows [scanned) are
 * known: windows of x, y and out. made: what the finals have. */
void rs_front_windows(const rs_front_shape *s, bool up, rs_span scanned, rs_span output,
                      const rs_spans *made, rs_spans *need, rs_spans *touched, rs_spans *windows);

/* True when a front has room for them. */
bool rs_front_holds(const rs_front_shape *s, const rs_spans *windows);

/* One thread's rows. */
typedef struct rs_front {
    rs_tables table; /* owned */
    float *rows;     /* owned; columns around the image are zero */
    float *score;    /* owned */
    size_t bytes;
} rs_front;
reshed_status rs_front_make(const rs_front_shape *s, rs_front *out, reshed_error *err);
void rs_front_clear(rs_front *f);

/* Computes one member's windows; afterwards rs_exec_mix gives the output rows from exec. exec: a
 * member with the front's stages and weights, and the image as the network is to see it. */
void rs_front_run(const rs_front_shape *s, rs_front *f, const rs_spans *windows, rs_span output,
                  const rs_finals *finals, float *blank, rs_exec *exec, const rs_scratch *scratch);

#endif
