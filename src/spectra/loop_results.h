/* loop_results.h - the loops of one field, analysed, and how they are written. */
#ifndef RS_SPECTRA_LOOP_RESULTS_H
#define RS_SPECTRA_LOOP_RESULTS_H

#include <stdbool.h>

#include "beps/analyse.h"
#include "spectra/responses.h"

/* Everything that is known about the loops of one field. */
typedef struct beps_loop_results {
    rs_field field;       /* RS_FIELD_OFF or RS_FIELD_ON */
    const char *unfolded; /* how the response got its sign: "as in the file", "map", ... */
    double *response;     /* [points, cycles*steps]; owned */
    double reference;     /* rad, of the unfolding; NaN when each loop has its own */
    rs_unfold *unfold;    /* [points, cycles]; owned; NULL for responses that were real */
    bool orient;          /* loops with a negative area were turned over */
    rs_loops loops;
    bool slope_removed; /* the slope of the saturated ends was subtracted first */
    double *median;     /* [cycles*steps]: of all loops as they are; owned */
    double *mean;       /* [cycles*steps]: of the trusted loops, signs as analysed; owned */
    /* The metrics of the first used cycle of both. */
    double median_metrics[RS_METRIC_COUNT], mean_metrics[RS_METRIC_COUNT];
    /* On-field minus off-field, [points] each; owned; NULL unless both were measured. */
    double *difference_slope, *difference_cpd, *difference_r2;
    double seconds; /* for the analysis */
} beps_loop_results;

void beps_loop_results_clear(beps_loop_results *r);

/* "off-field" or "on-field". */
const char *beps_field_name(rs_field field);

/* Which metrics to write: [RS_METRIC_COUNT]. */
typedef struct beps_metric_choice {
    bool chosen[RS_METRIC_COUNT];
} beps_metric_choice;

/* "all", "summary", or identifiers separated by commas; false, with *bad the unknown word (cut to
 * n), when there is one. */
bool beps_metric_choose(const char *list, beps_metric_choice *choice, char *bad, size_t n);

/* Writes the maps of n results (one for each field) to a new NSID file: a dataset for each chosen
 * metric with its definition as attributes, beside it its spread over the cycles, its bootstrap
 * error and its value in each cycle where there are such; flags; responses; average loops. */
reshed_status beps_loop_write_h5(const char *path, const char *input, const beps_responses *in,
                                 const rs_loops_options *options, const beps_loop_results *r, int n,
                                 const beps_metric_choice *choice, reshed_error *err);

/* The same as a table, a row for each point (and field, when there are two). */
reshed_status beps_loop_write_csv(const char *path, const beps_responses *in,
                                  const beps_loop_results *r, int n,
                                  const beps_metric_choice *choice, reshed_error *err);

/* Flags as words: "spikes unsaturated"; "" for none. Returns buf. */
const char *beps_flag_words(uint32_t flags, char *buf, size_t n);

#endif
