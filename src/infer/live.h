/* live.h - an ensemble's map of an image while it is being scanned: gaps, normalisation and a time
 * budget around nn/stream.h. The public interface (reshed_stream_*) says the same to the world.
 *
 *     rs_live_create(ensemble, H, W, NULL, &live, &err);
 *     while (a line has come)
 *         rs_live_push(live, row, 1, line, &err), rs_live_get(live, &view);
 *     rs_live_finish(live, &err);
 *
 * A row of the map is final once everything within its receptive field has been scanned: it then
 * has the same bits whatever the order and the portions in which the lines came, and the same as
 * RS_ALGO_DIRECT gives for the whole frame under the same normalisation. A provisional row can
 * still change. docs/streaming.md draws how it works. */
#ifndef RS_INFER_LIVE_H
#define RS_INFER_LIVE_H

#include "infer/ensemble.h"
#include "nn/stream.h"

typedef struct rs_live rs_live;

/* The values that become 0 and 1 for the network. A row is final for the range in force; when that
 * changes (all but FIXED), rows become stale and are computed again, newest first, as time
 * allows. */
typedef enum rs_live_norm {
    RS_LIVE_ROBUST = 0, /* percentiles 0.5 and 99.5 of the first 16 lines; values outside are
                           clipped; widened when more than 2 % of later pixels are */
    RS_LIVE_SCANNED,    /* least and greatest value scanned so far */
    RS_LIVE_FRAME,      /* the same of the canvas, unscanned pixels counted as 0, as AtomAI's
                           predictor does with a frame that is being filled */
    RS_LIVE_FIXED       /* lo and hi of the options */
} rs_live_norm;

/* The network's picture of rows that are not scanned yet. */
typedef enum rs_front_kind {
    RS_FRONT_ZERO = 0, /* 0 after normalisation (FRAME: before it) */
    RS_FRONT_REFLECT   /* the scanned rows, mirrored: dearer */
} rs_front_kind;

typedef struct rs_live_options {
    int threads; /* >= 1, or 0 for all processors, but no more than members are used */
    rs_live_norm norm;
    float lo, hi; /* for FIXED: lo < hi */
    rs_front_kind front;
    rs_preview preview;
    double budget; /* seconds that a push may take, 0: as long as it needs. Rows that became final
                      come first, then the provisional ones, then stale ones; what does not fit
                      waits for the next push, and lag says so */
    double (*clock)(void *ctx); /* seconds, for the budget; NULL: the system's monotonic clock */
    void *clock_ctx;
} rs_live_options;

void rs_live_defaults(rs_live_options *options);
/* RESHED_EINVAL names the option that is out of its range. */
reshed_status rs_live_check(const rs_live_options *options, reshed_error *err);

/* height, width >= 16. options may be NULL for the defaults. The ensemble is not needed
 * afterwards. */
reshed_status rs_live_create(const rs_ensemble *ensemble, int height, int width,
                             const rs_live_options *options, rs_live **out, reshed_error *err);
/* Frees each member's weights once they are packed, as reshed_plan_create_taking. */
reshed_status rs_live_create_taking(rs_ensemble *ensemble, int height, int width,
                                    const rs_live_options *options, rs_live **out,
                                    reshed_error *err);
void rs_live_free(rs_live *stream);

/* Rows first ... first+rows-1 have been scanned: data [rows,W] in the image's own units. In any
 * order; a row that was scanned before is replaced, and what depends on it becomes provisional
 * until it is computed again (rows near the scan cheaply, others at up to the price of a receptive
 * field of rows). Pixels that are not finite are filled from their neighbours in the row; a row
 * without any finite pixel counts as missing and stays unscanned, or as it was before. Allocates
 * nothing. RESHED_EINVAL, and nothing is changed: rows outside the frame, or a frame that is
 * finished. */
reshed_status rs_live_push(rs_live *stream, int first, int rows, const float *data,
                           reshed_error *err);
/* Goes on with what the budget has left over, without a new row. However small the budget, each
 * call gets something done: called often enough, lag becomes 0 and no scanned row stays stale
 * (without a preview: only those that cannot be final yet). */
reshed_status rs_live_work(rs_live *stream, reshed_error *err);
/* Ends the frame: missing rows between scanned ones are interpolated, what lies beyond the scanned
 * rows counts as the edge of the frame, and every row in between becomes final; rows that are final
 * keep their bits. Takes as long as it needs. RESHED_EINVAL when fewer rows were scanned than the
 * network's coarsest level needs. */
reshed_status rs_live_finish(rs_live *stream, reshed_error *err);
/* Begins a new frame of the same size. */
void rs_live_reset(rs_live *stream);

/* Borrowed; valid until the next call with this stream. */
typedef struct rs_live_view {
    int height, width, classes, members;
    const float *mean, *variance; /* [H,W] or [H,W,C]; NaN where nothing has been computed yet */
    const float *member;          /* [N,H,W] or [N,H,W,C]: each member's probabilities */
    const float *input;           /* [H,W]: what the network sees */
    const uint8_t *state;         /* [H]: rs_row_state */
    const uint8_t *stale; /* [H]: 1 where the values belong to an older range or older rows */
    int lag;              /* rows pushed that the map does not show yet */
    float lo, hi;         /* the range in force */
    int range_changes;    /* how often it has changed in this frame */
    size_t filled;        /* pixels that were not finite */
    double clipped;       /* share of the pixels that lie outside the range in force */
} rs_live_view;
void rs_live_get(const rs_live *stream, rs_live_view *view);

/* The rows [*first, *end) of the image that row `row` of the map depends on. */
void rs_live_field(const rs_live *stream, int row, int *first, int *end);

/* Bytes of packed weights, and of everything else that the stream holds. */
void rs_live_bytes(const rs_live *stream, size_t *weights, size_t *state);

#endif
