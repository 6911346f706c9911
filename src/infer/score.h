/* score.h - agreement of predicted walls with labelled ones: edges matched one to one, and
 * calibration near walls. */
#ifndef RS_INFER_SCORE_H
#define RS_INFER_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define RS_SCORE_RADIUS 1.5 /* pixels within which two wall pixels may match */
#define RS_SCORE_NEAR 5.0   /* pixels from a wall within which calibration is judged */
#define RS_SCORE_BINS 15

typedef struct rs_edge_score {
    int64_t matched;             /* pairs of one predicted and one true pixel */
    int64_t predicted, truth;    /* pixels of either skeleton */
    double precision, recall, f; /* matched/predicted, matched/truth, their harmonic mean */
} rs_edge_score;

/* predicted, truth: skeletons [H,W], non-zero on the line. Pixels whose centres are at most radius
 * apart are candidates; matched is the size of a maximum one-to-one matching of them, so the result
 * depends neither on an order nor on the direction of the comparison. Both empty: everything is 1.
 * One empty: precision, recall and f are 0. radius in [0,64]. */
reshed_status rs_score_edges(const uint8_t *predicted, const uint8_t *truth, int height, int width,
                             double radius, rs_edge_score *out, reshed_error *err);

typedef struct rs_calibration {
    int bins;                         /* <= RS_SCORE_BINS: fewer when there are fewer pixels */
    double confidence[RS_SCORE_BINS]; /* mean predicted probability in the bin */
    double accuracy[RS_SCORE_BINS];   /* share of true wall pixels in it */
    int64_t count[RS_SCORE_BINS];     /* pixels in it: equal up to one */
    int64_t pixels;
    double ece; /* sum over bins of count/pixels * |confidence - accuracy|; NaN without pixels */
} rs_calibration;

/* A pixel by which a probability is judged. */
typedef struct rs_judged {
    float p;
    bool wall;
} rs_judged;

/* The pixels of probability[H,W] at most `near` pixels from a non-zero pixel of truth or of
 * predicted (the binarised prediction), in a new list (*list [*count], rs_free). A probability
 * outside [0,1] or NaN among them is RESHED_EINVAL. Lists of several images may be joined. */
reshed_status rs_score_near_pixels(const float *probability, const uint8_t *predicted,
                                   const uint8_t *truth, int height, int width, double near,
                                   rs_judged **list, size_t *count, reshed_error *err);

/* Reliability over list[n], which is sorted by it. Bins hold equally many pixels, in order of
 * probability. Pixels of the same probability that fall on both sides of a bin's edge share their
 * accuracy evenly, so the order of pixels does not matter. */
void rs_score_reliability(rs_judged *list, size_t n, rs_calibration *out);

#endif
