/* loop_options.h - the options of `reshed-beps loops`. */
#ifndef RS_TOOLS_BEPS_LOOP_OPTIONS_H
#define RS_TOOLS_BEPS_LOOP_OPTIONS_H

#include <stdbool.h>

#include "beps/analyse.h"
#include "spectra/loop_results.h"
#include "spectra/responses.h"
#include "tools/cli/cli.h"

/* For messages. */
extern const cli_program beps_loops_program;

typedef enum beps_unfolding {
    UNFOLD_MAP,
    UNFOLD_AREA,
    UNFOLD_FIXED,
    UNFOLD_PHASE,
    UNFOLD_BGLIB
} beps_unfolding;
typedef enum beps_choice { CHOICE_AUTO, CHOICE_YES, CHOICE_NO } beps_choice;
typedef enum beps_wanted { WANT_AUTO, WANT_OFF, WANT_ON, WANT_BOTH } beps_wanted;

/* Points whose loops are drawn, at most. */
#define BEPS_MAX_POINTS 48

typedef struct beps_loop_settings {
    const char *input, *output, *csv, *png, *points, *reference;
    beps_response_source source;
    beps_metric_choice metrics;
    rs_loops_options analysis;
    beps_unfolding unfold;
    beps_choice by_area, remove_slope;
    beps_wanted field;
    bool quiet, json;
} beps_loop_settings;

/* Reads the command line; true when there is work to do, else *rc is the exit status. */
bool beps_loop_parse(int argc, char **argv, beps_loop_settings *s, int *rc);

/* --points and --reference, which need the file to be understood: points [BEPS_MAX_POINTS] and
 * *n_points; *reference, -1 when none was given. False after a usage error. */
bool beps_loop_parse_points(const beps_loop_settings *s, const beps_responses *in, int64_t *points,
                            int *n_points, int64_t *reference);

#endif
