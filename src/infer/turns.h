/* turns.h - an image flipped and turned by quarters, and maps turned back. The first two of the
 * eight are the image itself and its half turn, the next two its flips; the last four are those
 * with rows and columns swapped. */
#ifndef RS_INFER_TURNS_H
#define RS_INFER_TURNS_H

#include <stdbool.h>

#define RS_TURNS 8

/* 1, 2, 4 or 8: as many of the first as make a group. */
bool rs_turns_known(int n);
/* True for those whose rows are the image's columns. */
bool rs_turn_swaps(int turn);
/* x [height,width] as turn 0 to RS_TURNS - 1 shows it: [width,height] where rs_turn_swaps. */
void rs_turn(const float *x, int height, int width, int turn, float *out);

/* Sums over the maps of several turns, on the image's grid. */
typedef struct rs_turn_sums {
    float *mean, *variance; /* [H,W,C]: at first those of turn 0 */
    float *away;            /* [H,W,C]: at first 0; sum of what the others differ from that mean */
} rs_turn_sums;

/* Adds mean and variance as turn `turn` of an image [height,width] gave them. */
void rs_turn_add(const float *mean, const float *variance, int height, int width, int classes,
                 int turn, const rs_turn_sums *sums);
/* After n turns: the mean of their means, and the variance over all members and turns. */
void rs_turn_finish(int height, int width, int classes, int n, const rs_turn_sums *sums);

#endif
