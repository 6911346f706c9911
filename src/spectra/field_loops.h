/* field_loops.h - the loops of a whole file, one field's: unfolded, measured, averaged.
 *
 *     rs_field_loops r = {.field = RS_FIELD_OFF};
 *     st = rs_responses_unfold(&in, r.field, RS_UNFOLD_MAP, -1, 0, &r.unfolded, err);
 *     if (st == RESHED_OK) st = rs_field_loops_analyse(&in, &options, &r, err);
 *     ...
 *     rs_field_loops_clear(&r);
 */
#ifndef RS_SPECTRA_FIELD_LOOPS_H
#define RS_SPECTRA_FIELD_LOOPS_H

#include <stdbool.h>

#include "beps/analyse.h"
#include "beps/flags.h"
#include "spectra/responses.h"
#include "spectra/unfold.h"

/* AUTO: decided by the data. */
typedef enum rs_answer { RS_ANSWER_AUTO, RS_ANSWER_YES, RS_ANSWER_NO } rs_answer;

typedef struct rs_field_options {
    rs_loops_options analysis; /* orient, remove_slope and metric.branches.slope are set by: */
    rs_answer by_area;         /* turn loops of negative area over; AUTO: when the response is real,
                                  off-field, and every loop's area as measured is positive */
    rs_answer remove_slope;    /* of the saturated ends, first; AUTO: on-field */
} rs_field_options;

/* Everything that is known about the loops of one field. */
typedef struct rs_field_loops {
    rs_field field; /* RS_FIELD_OFF or RS_FIELD_ON */
    rs_unfolded unfolded;
    bool orient; /* loops with a negative area were turned over */
    rs_loops loops;
    bool slope_removed; /* the slope of the saturated ends was subtracted first */
    double *median;     /* [cycles*steps]: of all loops as they are; owned */
    double *mean;       /* [cycles*steps]: of the trusted loops, signs as analysed; owned */
    /* The metrics of the first used cycle of both. */
    double median_metrics[RS_METRIC_COUNT], mean_metrics[RS_METRIC_COUNT];
    /* On-field minus off-field, [points] each; owned; NULL unless both were measured. */
    double *difference_slope, *difference_cpd, *difference_r2;
    double seconds; /* for the analysis */
} rs_field_loops;

void rs_field_loops_clear(rs_field_loops *r);

/* "off-field" or "on-field". */
const char *rs_field_name(rs_field field);
/* Flags as words: "spikes unsaturated"; "" for none. Returns buf. */
const char *rs_loop_flag_words(uint32_t flags, char *buf, size_t n);

/* The fields to analyse: AUTO is off-field where there is such. Returns how many, 0 when the file
 * lacks what is wanted. */
typedef enum rs_field_wanted {
    RS_WANT_AUTO,
    RS_WANT_OFF,
    RS_WANT_ON,
    RS_WANT_BOTH
} rs_field_wanted;
int rs_field_choose(const rs_responses *in, rs_field_wanted wanted, rs_field fields[2]);

/* Measures r->unfolded and its averages into r (rs_field_loops_clear, also after a failure). */
reshed_status rs_field_loops_analyse(const rs_responses *in, const rs_field_options *options,
                                     rs_field_loops *r, reshed_error *err);
/* On-field minus off-field, point by point, over the first used cycle, into on->difference_*. */
reshed_status rs_field_loops_difference(const rs_responses *in, const rs_field_loops *off,
                                        rs_field_loops *on, reshed_error *err);

/* A metric's map with NaN where the loop is not to be trusted, out [points]; returns how many
 * values are left. */
size_t rs_field_loops_trusted(const rs_loops *l, rs_metric m, double *out);
/* Median and robust standard deviation of those values; work [2*points]. Returns how many. */
size_t rs_field_loops_spread(const rs_loops *l, rs_metric m, double *work, double *median,
                             double *robust_sd);

#endif
