/* job.h - the request made on reshed-evaluate's command line, shared by its commands. */
#ifndef RS_TOOLS_EVALUATE_JOB_H
#define RS_TOOLS_EVALUATE_JOB_H

#include "tools/cli/cli.h"

#include "evaluate/labelled.h"

typedef struct eval_job {
    const cli_program *program;
    const char *weights;        /* path */
    long frames, size, threads; /* frames of each simulated set or row */
    long seed;                  /* of the simulated frames; training uses 1000 and above */
    long fit;                   /* shift: frames that the score's model is fitted to */
    double harsh;               /* strength of the instrument in the usual frames */
    const char *effect;         /* shift: only these, with commas; NULL: all */
    bool plain;                 /* the default film */
    rs_twin_film film;          /* kind of the films else */
    bool store, features, quiet, json;
    const char *reliability; /* table: PNG of the usual frames' diagram, or NULL */
    char **pair;             /* table: image, walls, image, walls, ...; bayes: NAME[:N]=FILE, ... */
    int pairs;
} eval_job;

/* The commands; each returns the exit status. */
int eval_table_command(const eval_job *j);
int eval_shift_command(const eval_job *j);
int eval_bayes_command(eval_job *j);

#endif
