/* results.h - writes what was measured on the loops of a file: NSID maps and a table. */
#ifndef RS_SPECTRA_RESULTS_H
#define RS_SPECTRA_RESULTS_H

#include <stdbool.h>

#include "spectra/field_loops.h"

/* The metrics to write: [RS_METRIC_COUNT]. */
typedef struct rs_metric_choice {
    bool chosen[RS_METRIC_COUNT];
} rs_metric_choice;

/* "all", "summary", or identifiers separated by commas; false, with *bad the unknown word (cut to
 * n), when there is one. */
bool rs_metric_choose(const char *list, rs_metric_choice *choice, char *bad, size_t n);

/* Writes the maps of n results (one for each field) to a new NSID file: a dataset for each chosen
 * metric with its definition as attributes, beside it its spread over the cycles, its bootstrap
 * error and its value in each cycle where there are such; flags; responses; average loops. */
reshed_status rs_results_write_h5(const char *path, const char *input, const rs_responses *in,
                                  const rs_loops_options *options, const rs_field_loops *r, int n,
                                  const rs_metric_choice *choice, reshed_error *err);

/* The same as a table, a row for each point (and field, when there are two; and cycle, when each has
 * voltages of its own). */
reshed_status rs_results_write_csv(const char *path, const rs_responses *in,
                                   const rs_field_loops *r, int n, const rs_metric_choice *choice,
                                   reshed_error *err);

#endif
