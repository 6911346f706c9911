/* loop_options.h - the options of `reshed-beps loops`. */
#ifndef RS_TOOLS_BEPS_LOOP_OPTIONS_H
#define RS_TOOLS_BEPS_LOOP_OPTIONS_H

#include <stdbool.h>

#include "spectra/field_loops.h"
#include "spectra/responses.h"
#include "spectra/results.h"
#include "tools/cli/paper.h"

/* For messages. */
extern const cli_program beps_loops_program;

/* Points whose loops are drawn, at most. */
#define BEPS_MAX_POINTS 48

typedef struct beps_loop_settings {
    const char *input, *output, *csv, *png, *figures, *kind, *points, *reference;
    rs_paper paper; /* of the figures; `kind` NULL: pdf */
    rs_responses_source source;
    rs_metric_choice metrics;
    rs_field_options options;
    rs_unfolding unfold;
    rs_field_wanted field;
    bool unfold_given, outlier_given, first_given;
    bool paper_given, quiet, json;
} beps_loop_settings;

/* Reads the command line; true when there is work to do, else *rc is the exit status. */
bool beps_loop_parse(int argc, char **argv, beps_loop_settings *s, int *rc);

/* --points and --reference, which need the file to be understood: points [BEPS_MAX_POINTS] and
 * *n_points; *reference, -1 when none was given. False after a usage error. */
bool beps_loop_parse_points(const beps_loop_settings *s, const rs_responses *in, int64_t *points,
                            int *n_points, int64_t *reference);

#endif
