/* exec.h - carries out the steps of a schedule for one member. */
#ifndef RS_NN_EXEC_H
#define RS_NN_EXEC_H

#include "nn/schedule.h"

/* Scratch of one thread; each block has the size that the schedule states. */
typedef struct rs_scratch {
    float *v, *m, *o, *p, *col;
} rs_scratch;

/* One member at work. All pointers are borrowed. */
typedef struct rs_exec {
    const rs_arch *arch;
    const rs_schedule *schedule;
    const rs_kernels *kernels;
    const rs_packed *weights;
    bool gemm;                         /* 1x1 convolutions by BLAS */
    const float *image;                /* [H,W] */
    const float *zero;                 /* a row of zeros */
    float *rings;                      /* schedule->ring_floats; borders zero */
    float *score[RS_MODEL_MAX_LEVELS]; /* [h,w,classes] of each level */
} rs_exec;

/* Tasks of a step; they may run in any order and side by side. */
int rs_exec_tasks(const rs_exec *e, const rs_step *step);
void rs_exec_task(const rs_exec *e, const rs_step *step, int task, const rs_scratch *scratch);

/* Probabilities of rows [row0,row1) from the scores, once all steps are done: out [H,W,classes]. */
void rs_exec_mix(const rs_exec *e, int row0, int row1, float *out);

#endif
