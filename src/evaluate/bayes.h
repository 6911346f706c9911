/* bayes.h - what several networks are worth beside one, and where they should come from: an ensemble
 * of independent trainings, averaged weights, samples of a Markov chain, another network. Each is a
 * weights file; all are scored on the same simulated frames.
 *
 * Usual frames give the edge score and the calibration near walls. Other frames, of which one number
 * of the instrument is set to a value that it never has in them, tell what is left of both there,
 * and whether the maps alone tell such a frame from a usual one. */
#ifndef RS_EVALUATE_BAYES_H
#define RS_EVALUATE_BAYES_H

#include "evaluate/labelled.h"
#include "evaluate/roc.h"

typedef struct eval_bayes_method {
    const char *name, *weights; /* path */
    int members;                /* the first so many of the file; 0: all */
} eval_bayes_method;

typedef struct eval_bayes_options {
    const eval_bayes_method *method; /* [methods] */
    int methods;
    int threads; /* >= 1, or 0 for all processors; the scores do not depend on it */
    long frames; /* of each block, >= 2 */
    int size;    /* pixels a side */
    uint64_t seed;
    double harsh;      /* strength of the instrument in usual frames */
    bool plain;        /* the default film */
    rs_twin_film film; /* kind of the films else */
} eval_bayes_options;

/* Scores of frames for each unit of wall: the sum over a frame's pixels over that of the mean. */
enum {
    EVAL_BAYES_ENTROPY,  /* of the mean probability: the whole uncertainty */
    EVAL_BAYES_VARIANCE, /* over the members: their disagreement; none where there is one */
    EVAL_BAYES_SCORES
};

/* One method on one block. */
typedef struct eval_bayes_block {
    const char *effect; /* "none": the usual frames */
    double strength;
    double f, best, ece;           /* edge score at 0.5, at the best threshold; near walls */
    rs_roc roc[EVAL_BAYES_SCORES]; /* against the usual frames; NaN in their own block */
} eval_bayes_block;

#define EVAL_BAYES_SHIFTS 8

typedef struct eval_bayes_row {
    const char *name; /* the option's */
    int members;
    eval_bayes_block block[1 + EVAL_BAYES_SHIFTS];
    double shifted_f, shifted_ece, auroc[EVAL_BAYES_SCORES]; /* means over the shifts */
    double seconds; /* of a processor for a frame, in one thread: the median */
} eval_bayes_row;

/* Fills row[methods]. After a failure *where is the weights' path, or NULL. */
reshed_status eval_bayes_run(const eval_bayes_options *o, eval_bayes_row *row, const char **where,
                             reshed_error *err);

#endif
