/* stream_work.h - computes what new lines have changed, in the order of its use. Callers include
 * stream.h. */
#ifndef RS_NN_STREAM_WORK_H
#define RS_NN_STREAM_WORK_H

#include "nn/spans.h"
#include "nn/stream_types.h"

/* Asked between units of work: whether to stop here. */
typedef bool rs_stream_late(void *ctx);

/* Work to do besides rows that have become final. */
enum { RS_STREAM_FINALS = 0, RS_STREAM_FRONT = 1, RS_STREAM_STALE = 2, RS_STREAM_ALL = 3 };

/* Does what there is to do, in this order: rows that have become final, the front, stale rows,
 * newest first (provisional ones only together with the front). late NULL: does everything. True
 * when a front was computed. */
bool rs_stream_work(rs_stream *s, unsigned what, rs_stream_late *late, void *ctx);

/* Ends the frame: every row between the first and the last scanned one becomes final, with what
 * lies beyond as the edge of the frame. Rows that are already final keep their bits. Every row in
 * between must have been put; false when they are too few for the coarsest level to have a row. */
bool rs_stream_finish(rs_stream *s);
/* True when a frame of which only rows `there` exist is high enough. */
bool rs_stream_can_finish(const rs_stream *s, rs_span there);

/* Takes the counts of the work done since the last call. */
void rs_stream_take_counts(rs_stream *s, rs_stream_work_done *out);

/* Computes the rows of an empty frame unless they are valid: for stream.c, so that the first line
 * need not wait for them. */
void rs_stream_empty(rs_stream *s);

#endif
