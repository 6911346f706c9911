/* tables.h - tables of row pointers: where the rows of a member's buffers lie (see rs_exec). */
#ifndef RS_NN_TABLES_H
#define RS_NN_TABLES_H

#include "nn/exec.h"

typedef struct rs_tables {
    rs_block_rows *rows;                /* [blocks] */
    float **score[RS_MODEL_MAX_LEVELS]; /* [height of the level] */
    float **memory;                     /* of all tables; owned, as is rows */
    size_t bytes;
} rs_tables;

/* Tables for these stages with every entry NULL. */
reshed_status rs_tables_make(const rs_stage *stage, int stages, int levels, int height,
                             rs_tables *out, reshed_error *err);
void rs_tables_clear(rs_tables *t);

/* Points every row of every block's buffers into the rings that start at `rings`. */
void rs_tables_rings(rs_tables *t, const rs_stage *stage, int stages, float *rings);
/* Points the score rows into one block, level after level; row floats are widths times classes.
 * Returns the floats that takes; score NULL: only counts. */
size_t rs_tables_scores(rs_tables *t, int levels, int height, int width, int classes, float *score);

#endif
