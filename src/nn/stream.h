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

#include "nn/stream_work.h"

/* RESHED_EUNSUPPORTED for networks that take whole images alone. */
reshed_status rs_stream_check(const rs_arch *arch, reshed_error *err);

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

/* Bytes of packed weights, and of everything else. */
size_t rs_stream_weight_bytes(const rs_stream *s);
size_t rs_stream_state_bytes(const rs_stream *s);

#endif
