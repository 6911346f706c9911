/* job.h - the request made on reshed-train's command line, shared by its commands. */
#ifndef RS_TOOLS_TRAIN_JOB_H
#define RS_TOOLS_TRAIN_JOB_H

#include "tools/cli/cli.h"
#include "train/recipe.h"
#include "train/sample.h"

#define TRAIN_MAX_GRID 64

typedef struct train_job {
    const cli_program *program;
    bool tune;
    rs_train_recipe recipe; /* of fit and tune, with what the options say */
    rs_sampling sampling;   /* of sample, likewise */
    const char *weights;    /* that it starts from, path; NULL for fit */
    const char *output;
    const char *checkpoints; /* folder; NULL: beside the output, and removed at the end */
    const char *curve;       /* figure, or NULL */
    double minutes;          /* 0: the recipe's steps */
    long members;            /* 0: the recipe's, or all of the weights */
    long threads;
    bool fp16, quiet, json;
    char **operand; /* image, walls, image, walls, ... */
    int operands;
    const char **unknown; /* [unknowns] maps of unknown pixels, of the frames in order */
    int unknowns;
    /* calibrate */
    long frames;
    double scale[TRAIN_MAX_GRID], shift[TRAIN_MAX_GRID], most_error;
    int scales, shifts;
} train_job;

/* The commands; each returns the exit status. */
int train_command(train_job *j);
int train_calibrate(const train_job *j);
int train_sample(const train_job *j);

#endif
