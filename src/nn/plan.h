/* plan.h - an ensemble made ready for one image size: packed weights, schedule, workspace.
 * Everything is decided and allocated here; rs_plan_run only computes. */
#ifndef RS_NN_PLAN_H
#define RS_NN_PLAN_H

#include "nn/exec.h"

/* Largest image side. */
#define RS_PLAN_MAX_SIDE 16384

typedef struct rs_plan rs_plan;

typedef struct rs_plan_options {
    int threads; /* >= 1 */
    rs_isa isa;
    rs_algo algo;
    rs_precision precision; /* RS_BF16 goes with AUTO or WINOGRAD only */
} rs_plan_options;

/* model must have passed rs_net_check; it is read only here, and not needed afterwards. take: NULL,
 * or the same model again to have each member's tensors cleared once they are packed, so that raw
 * and packed weights of a whole ensemble never lie in memory together. height, width: 4 to
 * RS_PLAN_MAX_SIDE, multiples of rs_arch_unit (RESHED_EUNSUPPORTED names those that would do). */
reshed_status rs_plan_create(const rs_model_file *model, rs_model_file *take, int height, int width,
                             const rs_plan_options *options, rs_plan **out, reshed_error *err);
void rs_plan_free(rs_plan *plan);

/* Makes the plan fit another image size; the packed weights stay. On failure the plan is as
 * before. */
reshed_status rs_plan_resize(rs_plan *plan, int height, int width, reshed_error *err);

/* image [H,W] finite; mean, variance [H,W,C]; members NULL or [N,H,W,C]. Allocates nothing. False:
 * it was stopped (rs_plan_set_stop), and the maps are of no use. */
bool rs_plan_run(rs_plan *plan, const float *image, float *mean, float *variance, float *members);

/* Bytes of all blocks that the plan holds. */
size_t rs_plan_bytes(const rs_plan *plan);

/* For reports: the schedule (borrowed) and seconds that packing took. */
const rs_schedule *rs_plan_schedule(const rs_plan *plan);
double rs_plan_pack_seconds(const rs_plan *plan);
const rs_arch *rs_plan_arch(const rs_plan *plan);
const rs_graph *rs_plan_graph(const rs_plan *plan);

/* From now on, each run asks stop(ctx) between its steps, on the caller's thread, and ends early
 * where it says true; NULL: no longer. */
void rs_plan_set_stop(rs_plan *plan, bool (*stop)(void *ctx), void *ctx);

/* From now on, each run reports its phases to *probe (borrowed); NULL: no longer. */
void rs_plan_set_probe(rs_plan *plan, const rs_probe *probe);

#endif
