/* spans.h - which rows follow from which: the arithmetic of rows in a ResHedNet.
 *
 * A 3x3 convolution takes one row more on each side, a pool two rows for one, the resize of a
 * level's scores one or two rows for one. Followed through the network that gives, for a span of
 * rows in one place, the spans in all others:
 *
 *     behind      what some output rows need            (upwards through the network)
 *     determined  what follows once some image rows are known: every row all of whose sources lie
 *                 among them
 *     touched     what can change when some image rows change: every row one of whose sources does
 *
 * A frame may be cut short: only rows `there` exist, and a row of a pooled level exists when both
 * of its rows do. Rows around them are zero, as at the edge of a frame. */
#ifndef RS_NN_SPANS_H
#define RS_NN_SPANS_H

#include <stdbool.h>

#include "nn/schedule.h"

/* A frame of `height` rows of which only there[0] exist. */
typedef struct rs_extent {
    const rs_arch *arch; /* borrowed */
    int height;
    rs_span there[RS_MODEL_MAX_LEVELS]; /* rows of each level that exist */
} rs_extent;

/* Rows `image` of a frame exist and nothing else. */
rs_extent rs_extent_make(const rs_arch *arch, int height, rs_span image);

/* A span of each buffer of a member: the image is x of block 0, out what leaves the block. */
typedef struct rs_spans {
    int blocks;
    rs_span *x, *y, *out; /* [blocks]; one block of memory, owned */
} rs_spans;
reshed_status rs_spans_make(const rs_arch *arch, rs_spans *out, reshed_error *err);
void rs_spans_clear(rs_spans *s);

bool rs_span_empty(rs_span s);
/* a within b. */
bool rs_span_within(rs_span a, rs_span b);

/* Level of a block, and whether a pool follows it. */
int rs_block_level(const rs_arch *arch, int block);
bool rs_block_pooled(const rs_arch *arch, int block);

/* The rows that output rows [output) need. Spans of pooled blocks are whole pairs. */
void rs_spans_behind(const rs_extent *e, rs_span output, rs_spans *out);
void rs_spans_determined(const rs_extent *e, rs_span image, rs_spans *out);
void rs_spans_touched(const rs_extent *e, rs_span image, rs_spans *out);

/* The steps of these: one convolution, one pool. */
rs_span rs_span_erode(rs_span s, rs_span there);
rs_span rs_span_pooled(rs_span s, rs_span there_above); /* pairs that lie within s */

/* Rows of a level's scores that output rows [output) sample. */
rs_span rs_span_sampled(const rs_extent *e, int level, rs_span output);

#endif
