/* sample.h - several networks from one training, in place of an ensemble of independent ones: what
 * Bayesian sampling of the weights is worth beside it (reshed-evaluate bayes).
 *
 *     rs_sampling s = rs_sampling_defaults(RS_SAMPLE_SGHMC);
 *     st = rs_sample_run(&s, 1, NULL, NULL, &model, &err);
 *     rs_model_file_clear(&model);
 *
 * The recipe's members are the samples, its steps those of the one chain, its batches those of
 * member 0. */
#ifndef RS_TRAIN_SAMPLE_H
#define RS_TRAIN_SAMPLE_H

#include "train/recipe.h"

typedef enum rs_sample_kind {
    /* Stochastic weight averaging, Gaussian (Maddox et al., arXiv 1902.02476): the weights of the
     * flat part of member 0's training, one in each average_every steps, give a mean, a variance of
     * each weight and a covariance of low rank, from which samples are drawn. */
    RS_SAMPLE_SWAG,
    /* Cyclical stochastic-gradient Hamiltonian Monte Carlo (Zhang et al., arXiv 1902.03932): the
     * rate falls along half a cosine in each cycle; in the last half of a cycle noise of the stated
     * temperature is added, in its last quarter samples are taken. The energy is images x (loss +
     * decay |w|^2 / 2). */
    RS_SAMPLE_SGHMC
} rs_sample_kind;

typedef struct rs_sampling {
    rs_sample_kind kind;
    rs_train_recipe recipe;
    /* SGHMC */
    int cycles;         /* 1 to the number of samples */
    double friction;    /* 0 to 1: of the momentum, lost in a step */
    double temperature; /* 1: the posterior itself; 0: no noise */
    long images;        /* that the posterior is of: of the data, each of weight 1 */
} rs_sampling;

typedef struct rs_sample_news {
    long step, steps;
    int samples; /* taken so far */
    double loss;
} rs_sample_news;

/* SWAG: as a member of rs_train_fit_defaults with 20 weights from its flat part. SGHMC: rate 0.1,
 * five cycles, friction 0.1, temperature 1, 1000 images. Ten samples; statistics of 20 batches. */
rs_sampling rs_sampling_defaults(rs_sample_kind kind);
/* Another number of steps; SWAG takes 20 weights of the flat part again, or as many as there are. */
void rs_sampling_set_steps(rs_sampling *s, long steps);
/* RESHED_EINVAL names what is out of its range. */
reshed_status rs_sampling_check(const rs_sampling *s, reshed_error *err);

/* Runs the chain, in this thread; others make batches (threads of them, at least 0). The same
 * sampling gives the same bits. Not resumable. On success *out is to be cleared. */
reshed_status rs_sample_run(const rs_sampling *s, int threads,
                            void (*news)(void *ctx, const rs_sample_news *n), void *ctx,
                            rs_model_file *out, reshed_error *err);

#endif
