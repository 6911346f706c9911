/* recipe.h - everything that decides how an ensemble is trained, but for the pictures themselves. Equal
 * recipes on equal pictures give equal bits, for any number of threads. */
#ifndef RS_TRAIN_RECIPE_H
#define RS_TRAIN_RECIPE_H

#include <stdbool.h>

#include "nn/net.h"
#include "train/batches.h"
#include "train/net/member.h"
#include "train/net/rate.h"

typedef struct rs_train_recipe {
    bool tune; /* members start as those of weights that are there, else at random */
    int members;
    rs_arch arch;
    rs_rate rate;             /* the number of steps is its */
    rs_member_options member; /* but for the sizes, which are those of the batches */
    rs_batches batches;       /* the seed is theirs */
    long average_every;       /* steps between weights that are averaged, in the flat part of the
                                 rate; 0: the last weights count */
    long statistics;          /* batches that the averaged weights' statistics are taken over */
    double keep;              /* tune: share of the start in the weights at the end, 0 to 1 */
    long report, judge;       /* steps between points of the curve, of which some have an F */
    long checkpoint;          /* steps between checkpoints */
    int holdout;              /* simulated frames by which F is judged in training */
} rs_train_recipe;

/* As the shipped ensemble is made: 10 members of 16 filters, 1200 steps. */
rs_train_recipe rs_train_fit_defaults(void);
/* For an ensemble that is there and a few labelled frames: 80 steps, a quarter of the pieces own ones,
 * batch normalisation as it is. Members, network and own frames are the caller's to fill in. */
rs_train_recipe rs_train_tune_defaults(void);
/* Another number of steps: warm-up and averaging keep their shares. */
void rs_train_set_steps(rs_train_recipe *r, long steps);

/* RESHED_EINVAL names what is out of its range. */
reshed_status rs_train_check(const rs_train_recipe *r, reshed_error *err);

/* The recipe in words, a line an item, for weights files and people: the own frames by a digest of
 * their pixels, the weights that it starts from (NULL: none) by theirs (64 digits). text[room]; false
 * when it does not fit. */
bool rs_train_describe(const rs_train_recipe *r, const char *start, char *text, size_t room);

#endif
