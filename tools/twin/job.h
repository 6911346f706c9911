/* job.h - the request on reshed-twin's command line, which its commands share. */
#ifndef RS_TOOLS_TWIN_JOB_H
#define RS_TOOLS_TWIN_JOB_H

#include "tools/cli/cli.h"
#include "io/hdf5/dataset.h"
#include "spm/labelled/recipe.h"

#define TWIN_MAX_SETS 64

typedef struct twin_job {
    const cli_program *program;
    const char *output, *formats;
    long count, height, width, threads, seed;
    double harsh, pixel; /* pixel: m, 0 when not given */
    rs_twin_film film;
    bool random, quiet, json;
    rs_dataset_type type;
    rs_labelled_setting set[TWIN_MAX_SETS];
    int sets;
} twin_job;

/* Adds a setting; false after a usage error. */
bool twin_add_setting(twin_job *j, const char *text);
/* The recipe of a job; its settings are the job's. options: in words, for the file. */
rs_labelled_recipe twin_recipe(const twin_job *j, const char *options);
/* Writes the options that matter for the result, as on the command line, into text[n]. */
void twin_describe(const twin_job *j, const char *command, char *text, size_t n);
#define TWIN_DESCRIPTION (TWIN_MAX_SETS * 96 + 512)

/* The commands; each returns the exit status. */
int twin_dataset(const twin_job *j);
int twin_image(const twin_job *j);
int twin_list(const twin_job *j);

#endif
