/* tables.h - tables of row pointers: where the rows of a member's places lie (see rs_exec). */
#ifndef RS_NN_TABLES_H
#define RS_NN_TABLES_H

#include "nn/exec.h"

typedef struct rs_tables {
    float ***rows;  /* [places][height of the level]; owned */
    float **memory; /* of all tables; owned */
    size_t bytes;
} rs_tables;

/* Tables for the places of a graph with every entry NULL. */
reshed_status rs_tables_make(const rs_graph *g, int height, rs_tables *out, reshed_error *err);
void rs_tables_clear(rs_tables *t);

/* Points every row of every place but the scores into the rings that start at `rings`. */
void rs_tables_rings(rs_tables *t, const rs_graph *g, int height, const rs_ring *ring,
                     float *rings);
/* Points the score rows into one block, one score after the other; row floats are widths times
 * classes. Returns the floats that takes; score NULL: only counts. */
size_t rs_tables_scores(rs_tables *t, const rs_graph *g, int height, int width, float *score);

#endif
