/* stream_state.h - the stream itself and the state of its rows, below stream.c (rows in, views out)
 * and stream_work.c (what is computed, and in which order). For these two only. */
#ifndef RS_NN_STREAM_STATE_H
#define RS_NN_STREAM_STATE_H

#include "nn/front.h"
#include "nn/stream_types.h"

/* Rows of the image that rs_finals take in between two looks at the clock, and rows of a patch. */
#define UNIT_ROWS 8
#define PATCH_ROWS 32

typedef enum row_kind { NOTHING, QUICK, EXACT } row_kind;

/* One set of algorithms with its packed weights. */
typedef struct network {
    rs_layer *layer;   /* [nodes]; owned */
    rs_stage *stage;   /* [nodes]; owned */
    rs_packed *packed; /* [members]; owned */
} network;

struct rs_stream {
    rs_graph graph; /* owned */
    rs_arch arch;   /* its */
    rs_ring *ring;  /* [places]; owned */
    rs_stream_options options;
    rs_kernels kernels;
    int height, width, members;
    network direct, quick;
    rs_scratch_size scratch_size;
    float *scratch; /* [threads] */
    float *zero;    /* the longest row */
    rs_sampling *sampling;

    rs_extent extent;
    rs_span *field; /* [H]: image rows behind each output row */
    float blank;
    float *seen;  /* [H,W]: what the network sees */
    float *empty; /* [blank_height,W] */

    rs_finals *finals; /* [members] */
    bool finals_valid;
    rs_finals *patch; /* [threads] */
    rs_front_shape shape;
    rs_front *front;      /* [threads] */
    float *blank_rows[2]; /* [members][shape.blank_floats]: for scans down, up */
    bool blank_valid;
    rs_spans need, touched, window;

    uint8_t *scanned, *kind, *clean; /* [H] */
    uint8_t *state, *stale;          /* [H]: what the caller sees */
    int *changed;                    /* [H+1]: sums */
    int latest, lag;
    bool going_up, finished;

    float *prob; /* [members][H,W,C] */
    float *mean, *variance;
    size_t state_bytes, weight_bytes;
    rs_stream_work_done done;
};

/* From now on only image rows `there` exist; fills field. */
void rs_stream_cut(rs_stream *s, rs_span there);
/* changed[i] = sum of flag[0..i). */
void rs_stream_sum(rs_stream *s, const uint8_t *flag);
/* Returns the number of rows of a span that the sums count. */
int rs_stream_marked(const rs_stream *s, rs_span rows);
/* Brings state and stale up to date; afterwards the sums are those of `scanned`. */
void rs_stream_states(rs_stream *s);
/* True when everything that output row y depends on is scanned; needs the sums of `scanned`. */
bool rs_stream_can_be_final(const rs_stream *s, int y);
bool rs_stream_wants_final(const rs_stream *s, int y);

#endif
