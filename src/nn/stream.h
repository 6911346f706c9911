/* stream.h - inference while the image is being scanned: after each new line the map holds what the
 * whole network would say of the canvas, at a fraction of the work.
 *
 * The rows of the map are of three kinds (rs_row_state). Final rows come from rs_finals with direct
 * kernels and have the same bits in whatever order the lines came; provisional rows near the scan
 * come from a front (front.h). Whatever neither of them reaches, such as rows around a line that
 * was scanned again, is computed from the canvas anew (a "patch": the rows wanted and a receptive
 * radius on each side, with direct kernels). */
#ifndef RS_NN_STREAM_H
#define RS_NN_STREAM_H

#include "nn/front.h"

typedef enum rs_row_state {
    RS_ROW_UNSCANNED = 0,
    RS_ROW_PROVISIONAL, /* something within the receptive field is unscanned or has changed */
    RS_ROW_FINAL
} rs_row_state;

/* How provisional rows are computed. */
typedef enum rs_preview {
    RS_PREVIEW_FP32 = 0,
    RS_PREVIEW_BF16, /* faster where there is AVX512_BF16; with the error of RS_BF16 */
    RS_PREVIEW_OFF   /* not at all: NaN until they are final */
} rs_preview;

typedef struct rs_stream_options {
    int threads; /* >= 1 */
    rs_isa isa;
    bool reflect; /* how unscanned rows look to the network: mirrored, or `blank` */
    rs_preview preview;
} rs_stream_options;

typedef struct rs_stream rs_stream;

/* height, width: 16 to RS_PLAN_MAX_SIDE. model, take: as rs_plan_create. */
reshed_status rs_stream_create(const rs_model_file *model, rs_model_file *take, int height,
                               int width, const rs_stream_options *options, rs_stream **out,
                               reshed_error *err);
void rs_stream_free(rs_stream *s);

/* The value of an unscanned pixel in the network's units; changing it makes every row stale. */
void rs_stream_set_blank(rs_stream *s, float blank);

/* Rows [first, first+n) of the image, in the network's units, finite: data [n,W]. New rows, or rows
 * that are scanned again. 0 <= first, first + n <= H. */
void rs_stream_put(rs_stream *s, int first, int n, const float *data);

/* New values for every scanned row (another normalisation): data [H,W]. */
void rs_stream_replace(rs_stream *s, const float *data);

/* Asked between units of work: whether to stop here. */
typedef bool rs_stream_late(void *ctx);

/* What to do besides rows that have become final. */
enum { RS_STREAM_FINALS = 0, RS_STREAM_FRONT = 1, RS_STREAM_STALE = 2, RS_STREAM_ALL = 3 };

/* Does what there is to do, in this order: rows that have become final, the front, stale rows,
 * newest first (provisional ones only together with the front). late NULL: does everything. True
 * when a front was computed. */
bool rs_stream_work(rs_stream *s, unsigned what, rs_stream_late *late, void *ctx);

/* Ends the frame: every row between the first and the last scanned one becomes final, with what
 * lies beyond as the edge of the frame. Rows that are already final keep their bits. Every row in
 * between must have been put; false when they are too few for the coarsest level to have a row. */
bool rs_stream_finish(rs_stream *s);
/* Whether a frame of which only rows `there` exist is high enough. */
bool rs_stream_can_finish(const rs_stream *s, rs_span there);

/* Forgets the frame; weights and workspace stay. */
void rs_stream_reset(rs_stream *s);

/* Results, borrowed; valid until the next call. mean, variance [H,W,C]: NaN where nothing has been
 * computed yet. state [H]: rs_row_state. stale [H]: 1 where the values belong to older data.
 * members [N][H,W,C]. */
typedef struct rs_stream_view {
    const float *mean, *variance, *members;
    const float *seen; /* [H,W]: what the network sees */
    const uint8_t *state, *stale;
    int lag; /* rows put that the map does not show yet */
} rs_stream_view;
void rs_stream_get(const rs_stream *s, rs_stream_view *view);

/* The image rows that output row y depends on. */
rs_span rs_stream_field(const rs_stream *s, int y);

/* What has been done since the last call, over all members. */
typedef struct rs_stream_work_done {
    double macs;         /* multiply-adds of the 3x3 convolutions if they were done directly */
    double products;     /* those really done: fewer where Winograd's method was used */
    double weight_bytes; /* of packed 3x3 weights that passed from memory or cache */
    double rows_final, rows_front, rows_patch; /* of the map */
} rs_stream_work_done;
void rs_stream_take_counts(rs_stream *s, rs_stream_work_done *out);

/* Bytes of packed weights, and of everything else. */
size_t rs_stream_weight_bytes(const rs_stream *s);
size_t rs_stream_state_bytes(const rs_stream *s);

#endif
