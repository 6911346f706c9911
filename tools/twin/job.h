/* job.h - what reshed-twin's commands share: the request made on the command line. */
#ifndef RS_TOOLS_TWIN_JOB_H
#define RS_TOOLS_TWIN_JOB_H

#include "tools/cli/cli.h"
#include "io/hdf5/dataset.h"
#include "spm/twin/random.h"

#define TWIN_MAX_SETS 64

/* One --set NAME=VALUE. */
typedef struct twin_setting {
    const rs_twin_field *field;
    bool effect; /* of the instrument, else of the film */
    double value;
} twin_setting;

typedef struct twin_job {
    const cli_program *program;
    const char *output, *formats;
    long count, height, width, threads, seed;
    double harsh, pixel; /* pixel: m, 0 when not given */
    bool random, quiet, json;
    rs_dataset_type type;
    twin_setting set[TWIN_MAX_SETS];
    int sets;
} twin_job;

/* Adds a setting; false after a usage error. */
bool twin_add_setting(twin_job *j, const char *text);
void twin_apply_settings(const twin_job *j, rs_twin_options *opt, rs_twin_effects *fx);
/* The options that matter for the result, as on the command line, into text[n]. */
void twin_describe(const twin_job *j, const char *command, char *text, size_t n);
#define TWIN_DESCRIPTION (TWIN_MAX_SETS * 96 + 512)

/* The commands; each returns the exit status. */
int twin_dataset(const twin_job *j);
int twin_image(const twin_job *j);
int twin_list(const twin_job *j);

#endif
