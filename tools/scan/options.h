/* options.h - the command line of reshed-scan. */
#ifndef RS_TOOLS_SCAN_OPTIONS_H
#define RS_TOOLS_SCAN_OPTIONS_H

#include "spm/scan/plan.h"
#include "spm/scan/workflow/workflow.h"
#include "tools/cli/cli.h"
#include "tools/cli/serve.h"

#define SCAN_MAX_OPTIONS 64

typedef struct scan_options {
    rs_scan_plan plan;                         /* points into the arrays below */
    rs_driver_option option[SCAN_MAX_OPTIONS]; /* of the driver; names are cut out of argv */
    const char *given[RS_SCAN_TEXTS]; /* names of the settings that were given, each once */
    rs_workflow workflow;             /* what the plan has of a file; rs_workflow_clear */
    const char *workflow_file;
    const char *weights, *out, *points, *report, *pictures, *analyse, *self_test;
    cli_address live_at;
    double live_wait; /* s that the page's person is waited for */
    bool live, open;
    bool dry_run, confirm, resume, save_settings, regions_typed, json, quiet;
} scan_options;

extern const cli_program scan_program;

/* -1: go on; else the exit status. */
int scan_parse(int argc, char **argv, scan_options *o);

#endif
