/* tally.h - scores of wall maps against labelled walls. Matched, predicted and true pixels are
 * counted, so that several frames can be scored as one.
 *
 *     rs_wall_tally sum = {0}, part = {0};
 *     rs_wall_tally_map(map, truth, thin, H, W, true, &part, &err);   for each frame
 *     rs_wall_tally_add(&sum, &part, &err);
 *     rs_wall_tally_scores(&sum, &scores, &calibration);
 */
#ifndef RS_INFER_TALLY_H
#define RS_INFER_TALLY_H

#include "infer/score.h"

#define RS_TALLY_RADII 3       /* 1, 1.5 and 2 pixels */
#define RS_TALLY_THRESHOLDS 19 /* 0.05, 0.10 ... 0.95 */

/* Pixels of skeletons. */
typedef struct rs_edge_count {
    int64_t matched, predicted, truth;
} rs_edge_count;

void rs_edge_count_add(rs_edge_count *sum, const rs_edge_count *part);
double rs_edge_count_f(const rs_edge_count *c);
double rs_edge_count_precision(const rs_edge_count *c);
double rs_edge_count_recall(const rs_edge_count *c);
/* The index with the largest F of counts[n]; the first of equal ones. */
int rs_edge_count_best(const rs_edge_count *counts, int n);

/* Of wall maps at probability 0.5; start with a zeroed one. */
typedef struct rs_wall_tally {
    rs_edge_count at[RS_TALLY_RADII];
    rs_edge_count over[RS_TALLY_THRESHOLDS]; /* within 1.5 pixels; only where it was asked for */
    int64_t both, either;                    /* pixels, for the IoU */
    rs_judged *near;                         /* [n_near] pixels near walls; owned */
    size_t n_near;
} rs_wall_tally;

void rs_wall_tally_clear(rs_wall_tally *t);

/* Counts map[H,W], probabilities of a wall, against truth[H,W] (walls not 0) and its skeleton
 * thin[H,W], into a zeroed tally. thresholds: over as well. */
reshed_status rs_wall_tally_map(const float *map, const uint8_t *truth, const uint8_t *thin,
                                int height, int width, bool thresholds, rs_wall_tally *t,
                                reshed_error *err);
/* Adds part, which is cleared. */
reshed_status rs_wall_tally_add(rs_wall_tally *sum, rs_wall_tally *part, reshed_error *err);

typedef struct rs_wall_scores {
    double precision, recall, f; /* at probability 0.5, within 1.5 pixels */
    double strict, loose;        /* F within 1 and 2 pixels */
    double best, best_threshold; /* F at the best of the thresholds */
    double iou;                  /* of the masks at 0.5; 1 when both are empty */
    double ece;                  /* calibration error near walls; NaN without pixels there */
} rs_wall_scores;

/* Sorts t->near. calibration may be NULL. */
void rs_wall_tally_scores(rs_wall_tally *t, rs_wall_scores *out, rs_calibration *calibration);

/* All of one map: truth is thinned here. */
reshed_status rs_wall_scores_of_map(const float *map, const uint8_t *truth, int height, int width,
                                    rs_wall_scores *out, rs_calibration *calibration,
                                    reshed_error *err);

#endif
