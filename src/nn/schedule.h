/* schedule.h - the order in which one member's work is done for one image size.
 *
 * The network is a graph of convolutions (graph.h), with the pixel-wise operations (1x1 convolutions,
 * pools, score heads) carried out on the rows that a convolution has just made. Instead of finishing
 * a layer before the next begins, the schedule is a wavefront: a layer advances by a few rows as soon
 * as the rows below it are there, so that they are still in cache, and each place needs only a ring
 * of the rows between its fastest writer and its slowest reader, whatever the height of the image. A
 * skip connection is a place whose ring is long.
 *
 *     image rows  ------>
 *     c1 of block 0      ======>
 *     c2 of block 0          =====>            a step: `rows` new rows of one stage
 *     c1 of block 1             ====>
 *     ...
 *
 * A step is cut into tasks, which may run on different threads. Steps, tasks and rings are fixed by
 * the image size and the algorithms, never by the number of threads. (`tasks` of rs_schedule_make
 * depends on it, and changes only the order of the same tasks.)
 *
 * Winograd's method for a convolution of dilation d works on every d-th row and column, which is a
 * plain convolution of an image d times smaller; there are d x d of them, its phases. A task has the
 * tiles of one phase of rows, and all phases of columns. */
#ifndef RS_NN_SCHEDULE_H
#define RS_NN_SCHEDULE_H

#include "nn/layers.h"

/* Rows lo to hi - 1. */
typedef struct rs_span {
    int lo, hi;
} rs_span;

/* Rows of a layer's buffer that are kept: row r lies in slot r % capacity. */
typedef struct rs_ring {
    int capacity;  /* rows */
    size_t stride; /* floats from slot to slot: a zero pixel, the row, zero pixels up to the last
                      tile */
    size_t offset; /* floats from the start of the workspace */
} rs_ring;

/* A node of the graph at this image size. */
typedef struct rs_stage {
    rs_layer layer;
    int height, width;
    int phases;    /* of rows, that tasks share out: the dilation with Winograd's method, else 1 */
    int step_rows; /* rows that one step makes */
    int task_rows; /* rows and columns of a task's frame, with all phases; multiples of the tile */
    int task_cols; /* (times the phases) and of 2 */
} rs_stage;

/* Rows r0, r0 + step, ... (n of them) and columns c0 to c1 - 1. */
typedef struct rs_task {
    int r0, n, step, c0, c1;
} rs_task;

typedef struct rs_step {
    int stage;      /* index into stages; -1: the image's rows become the first layer's input */
    int row0, row1; /* rows of that stage */
} rs_step;

/* Scratch of one task, in floats. */
typedef struct rs_scratch_size {
    size_t v, m, o, p, col;
} rs_scratch_size;

typedef struct rs_schedule {
    int height, width;
    int stages, places;
    rs_stage *stage; /* owned */
    rs_ring *ring;   /* [places], empty for scores; owned */
    int steps;
    rs_step *step;      /* owned */
    size_t ring_floats; /* all rings of one member */
    size_t zero_floats; /* longest row: rows outside the frame */
    rs_scratch_size scratch;
} rs_schedule;

/* The stages of a frame, without steps. layers: of the graph's nodes; out: [nodes]. */
void rs_stages_make(const rs_graph *g, const rs_layer *layers, int height, int width,
                    rs_stage *out);
/* Enlarges *size to what tasks of these stages need. */
void rs_scratch_measure(const rs_graph *g, const rs_stage *stage, rs_scratch_size *size);

/* Columns of a stage's input, from column 0 on, that its tiles reach. */
int rs_stage_reach(const rs_stage *s);

/* tasks: how many tasks a step should have, 1 when a member runs on one thread; it changes the order
 * of the work and the size of the rings, never a result. */
reshed_status rs_schedule_make(const rs_graph *g, const rs_layer *layers, int height, int width,
                               int tasks, rs_schedule *out, reshed_error *err);
void rs_schedule_clear(rs_schedule *s);

/* Tasks of rows [row0,row1) of a stage, and the part of the frame that task i covers. */
int rs_step_tasks(const rs_stage *s, int row0, int row1);
rs_task rs_step_task(const rs_stage *s, int row0, int row1, int i);

/* Floats between the elements of Winograd's V and M for that many tiles: an odd number of 64-byte
 * lines, so that the (m+2)^2 streams of a tile spread over all sets of a cache (an even number can
 * halve the speed of the transforms). */
size_t rs_wino_stride(int tiles, int channels);
/* The same in bf16 numbers for V of reduced precision. */
size_t rs_wino_stride_bf16(int tiles, int channels);

#endif
