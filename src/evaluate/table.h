/* table.h - the scores of an ensemble, its members, the average of their weights and the baselines,
 * on labelled images and on simulated frames. */
#ifndef RS_EVALUATE_TABLE_H
#define RS_EVALUATE_TABLE_H

#include "evaluate/labelled.h"
#include "infer/tally.h"

typedef struct eval_table_options {
    const char *weights; /* path */
    int threads;         /* >= 1, or 0 for all processors; the result does not depend on it */
    const char *const *image, *const *walls; /* [labelled] paths */
    int labelled;
    long frames; /* of each simulated set, >= 1 */
    int size;    /* pixels a side of simulated frames */
    uint64_t seed;
    double harsh;      /* strength of the instrument in the usual frames */
    bool plain;        /* usual and partial frames show the default film */
    rs_twin_film film; /* kind of all other films */
} eval_table_options;

/* One method on one set. Scores that a method does not have are NaN. */
typedef struct eval_table_row {
    char set[64], method[64];
    rs_wall_scores scores;
} eval_table_row;

typedef struct eval_table {
    int rows;
    eval_table_row *row; /* [rows], in the order of a report; owned */
    /* Of the ensemble on usual simulated frames. */
    char usual[64]; /* that set's name */
    rs_calibration calibration;
    /* Frames scanned in part: rows below the front, beyond what the maps may still respond to. */
    char partial[64];    /* that set's name */
    float largest_ahead; /* largest mean there, of all frames */
    long frames_ahead;   /* frames in which it is above EVAL_AHEAD */
    long partial_frames;
} eval_table;

#define EVAL_FRONT_ROWS 6 /* below the scan front in which the maps may still respond */
#define EVAL_AHEAD 0.3f

/* Scores everything; out is freed with eval_table_clear. After a failure, where[64] names the set
 * that it belongs to, or is "" when it belongs to the weights. */
reshed_status eval_table_make(const eval_table_options *o, eval_table *out, char where[64],
                              reshed_error *err);
void eval_table_clear(eval_table *t);

#endif
