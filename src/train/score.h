/* score.h - how well an ensemble marks the walls of labelled pictures. Pixels that are not known count
 * nowhere. */
#ifndef RS_TRAIN_SCORE_H
#define RS_TRAIN_SCORE_H

#include "base/tensors.h"
#include "infer/tally.h"
#include "train/picture.h"

/* Pictures of simulated frames, the first n of a set (rs_pictures_free). */
reshed_status rs_pictures_simulate(const rs_picture_scene *scene, uint64_t set, int n, int threads,
                                   rs_picture **out, reshed_error *err);
void rs_pictures_free(rs_picture *p, int n);

/* The maps of every member: maps[n] new blocks [members,H,W] of each picture (rs_free), NULL after a
 * failure. m must have passed rs_net_check; one class. The result does not depend on threads (0: all
 * processors). */
reshed_status rs_score_maps(const rs_model_file *m, const rs_picture *p, int n, int threads,
                            float **maps, reshed_error *err);

/* Counts one map [H,W] into a zeroed tally. */
reshed_status rs_score_map(const rs_picture *p, const float *map, rs_wall_tally *t,
                           reshed_error *err);

/* Scores of the mean of the members on all pictures taken as one. */
reshed_status rs_score_ensemble(const rs_model_file *m, const rs_picture *p, int n, int threads,
                                rs_wall_scores *out, reshed_error *err);

#endif
