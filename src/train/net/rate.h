/* rate.h - how the learning rate goes with the step: pure functions. */
#ifndef RS_TRAIN_RATE_H
#define RS_TRAIN_RATE_H

typedef enum rs_rate_shape {
    RS_RATE_CONSTANT,
    RS_RATE_COSINE,   /* linear warm-up, half a cosine, then constant while weights are averaged */
    RS_RATE_ONE_CYCLE /* PyTorch's OneCycleLR with cosines: up to `rate`, down to almost nothing */
} rs_rate_shape;

typedef struct rs_rate {
    rs_rate_shape shape;
    long steps;   /* of the whole run, >= 1 */
    double rate;  /* the largest */
    long warm;    /* steps of the way up; the first has rate / warm (COSINE) */
    long flat;    /* steps at the end at rate * end (COSINE) */
    double start; /* the first rate over the largest (ONE_CYCLE): 1/25 */
    double end;   /* the last rate over the largest: 0.25, or 4e-6 (ONE_CYCLE) */
} rs_rate;

/* A schedule with the numbers usual for its shape: a twentieth of the steps (ONE_CYCLE: three
 * tenths) up, the last quarter flat. steps >= 1. */
rs_rate rs_rate_make(rs_rate_shape shape, long steps, double rate);

/* The rate of a step, 0 <= step < steps. */
double rs_rate_at(const rs_rate *r, long step);

#endif
