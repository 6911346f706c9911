/* label.h - hand-drawn walls: what the values of a label mean, and lines on another grid. */
#ifndef RS_TRAIN_LABEL_H
#define RS_TRAIN_LABEL_H

#include <stdint.h>

#include "base/status.h"

/* A pixel belongs to a line that is turned or stretched when its centre lies this near
 * to it, in pixels: lines then stay one pixel wide and unbroken at any angle. */
#define RS_LABEL_REACH 0.6f

/* What value[n], a label as a file gives it, says: wall 1 on walls, known 0 where it does not say.
 *  - NaN and infinities: not known.
 *  - Positive values 1 and 255 (or in that proportion) and no others: 1 is wall, 255 not known, as
 *    in label maps of segmentation.
 *  - Else what is above half of the largest value is wall; a map without positive values has
 *    none. */
void rs_label_read(const float *value, size_t n, uint8_t *wall, uint8_t *known);

/* Makes lines that lead on diagonally connected along rows and columns, as people draw them: one of the
 * two corners of each diagonal step of wall[H,W] is marked as well, either as often as the other, so that
 * lines stay where they are. (The darker one, as most people draw, moves the two edges of a thin dark
 * stripe towards each other.) A line one pixel wide leaves half of the probability in pixels beside
 * it, and a network that learns it draws broken lines. */
void rs_label_close(int height, int width, uint8_t *wall);

/* distance[H,W]: pixels to the nearest wall; 1000 everywhere when there is none. */
reshed_status rs_label_distance(const uint8_t *wall, int height, int width, float *distance,
                                reshed_error *err);

/* wall[in_h,in_w] and known[in_h,in_w] on another grid over the same frame: walls as unbroken lines
 * one pixel wide in either direction, whatever the two scales are, known by the nearest pixel. A grid of the same size is a copy, thick lines and all. Outputs
 * [out_h,out_w] must not overlap the inputs. */
reshed_status rs_label_fit(const uint8_t *wall, const uint8_t *known, int in_h, int in_w,
                           uint8_t *out_wall, uint8_t *out_known, int out_h, int out_w,
                           reshed_error *err);

#endif
