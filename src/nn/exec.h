/* exec.h - carries out the steps of a schedule for one member. */
#ifndef RS_NN_EXEC_H
#define RS_NN_EXEC_H

#include "nn/schedule.h"

/* For reports of where the time goes: mark is called at the start of a task and after each of its
 * phases, on the worker that did it. stage is an index into the schedule's stages, -1 for the
 * image's rows on their way to the first layer, and the number of stages for the mix of scores. */
typedef enum rs_phase {
    RS_PHASE_START,
    RS_PHASE_IN,      /* Winograd's input transform, im2col */
    RS_PHASE_PRODUCT, /* the multiply-adds of a 3x3 convolution */
    RS_PHASE_OUT,     /* output transform; bias, residual and activation where they are a pass */
    RS_PHASE_AFTER,   /* what is carried out on the new rows: 1x1 convolutions, pool, score head */
    RS_PHASES
} rs_phase;

typedef struct rs_probe {
    void (*mark)(void *ctx, int worker, int stage, rs_phase phase);
    void *ctx;
} rs_probe;

/* Scratch of one thread; each block has the size that the schedule states. */
typedef struct rs_scratch {
    float *v, *m, *o, *p, *col;
    const rs_probe *probe; /* NULL: phases are not measured */
    int worker;
} rs_scratch;

size_t rs_scratch_floats(const rs_scratch_size *size);
/* Scratch in a block of that many floats. */
rs_scratch rs_scratch_at(float *block, const rs_scratch_size *size);

/* The two columns of a level's score row that a column of the image samples. */
typedef struct rs_sampling {
    int lo, hi;
    float t; /* weight of hi */
} rs_sampling;

static inline void rs_mark(const rs_scratch *s, int stage, rs_phase phase)
{
    if (s->probe) s->probe->mark(s->probe->ctx, s->worker, stage, phase);
}

/* One member at work. All pointers are borrowed. rows[place][r] is where row r of a place begins, with the
 * zero pixels left of column 0; after the last column pixels are zero up to the last tile. Only
 * entries of rows that a step reads or writes need be set. */
typedef struct rs_exec {
    const rs_graph *graph;
    int stages;
    const rs_stage *stage;
    const rs_kernels *kernels;
    const rs_packed *weights;
    int height, width;                  /* of the frame */
    rs_span there[RS_MODEL_MAX_LEVELS]; /* rows of each level that exist; zero around them */
    bool gemm;                          /* 1x1 convolutions by BLAS */
    const float *image;                 /* [H,W] */
    const float *zero;                  /* a row of zeros */
    const rs_sampling *sampling;        /* [scores][W] */
    float **const *rows;                /* [places][height of the level] */
} rs_exec;

/* Tasks of a step; they may run in any order and side by side. */
int rs_exec_tasks(const rs_exec *e, const rs_step *step);
void rs_exec_task(const rs_exec *e, const rs_step *step, int task, const rs_scratch *scratch);

/* Fills the table that rs_exec.sampling points to: [scores][width]. */
void rs_sampling_fill(const rs_graph *g, int width, rs_sampling *table);

/* PyTorch's interpolate, align_corners=False: output index i of n samples lo and hi of m inputs,
 * with weight t of hi. */
void rs_sample(int i, int n, int m, rs_upsampling mode, int *lo, int *hi, float *t);

/* Probabilities of one row from the scores of the rows that it samples: out [W,classes]. */
void rs_exec_mix(const rs_exec *e, int row, const rs_scratch *scratch, float *out);

/* Mean and population variance over the members (paper, Eq. 1a and 1b) of n values: prob[m * stride
 * + i] is member m's. */
void rs_moments(const float *prob, size_t stride, int members, size_t n, float *mean,
                float *variance);

#endif
