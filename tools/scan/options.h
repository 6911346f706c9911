/* options.h - the command line of reshed-scan. */
#ifndef RS_TOOLS_SCAN_OPTIONS_H
#define RS_TOOLS_SCAN_OPTIONS_H

#include "infer/live.h"
#include "tools/cli/cli.h"

#include "spm/scan/settings.h"

#define SCAN_MAX_OPTIONS 64
#define SCAN_MAX_REGIONS 64

typedef struct scan_options {
    const char *driver;
    rs_driver_option option[SCAN_MAX_OPTIONS]; /* of the driver; names are cut out of argv */
    int options;
    rs_scan_settings settings;
    const char *given[SCAN_MAX_OPTIONS]; /* names of the settings that were given */
    int givens;
    double region_x[SCAN_MAX_REGIONS], region_y[SCAN_MAX_REGIONS]; /* m: more regions */
    int regions;
    const char *weights, *out, *points, *report, *pictures, *analyse;
    rs_live_options stream; /* norm, lo, hi, front, preview, threads */
    const char *norm, *sample, *user;
    bool dry_run, confirm, resume, json, quiet;
} scan_options;

extern const cli_program scan_program;

/* -1: go on; else the exit status. */
int scan_parse(int argc, char **argv, scan_options *o);
/* Whether --set named that setting. */
bool scan_given(const scan_options *o, const char *name);
/* --norm's words; false after a message. */
bool scan_parse_norm(const char *text, rs_live_options *o);

#endif
