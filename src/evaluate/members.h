/* members.h - an ensemble at work on several frames at once, and its members averaged to one
 * network. */
#ifndef RS_EVALUATE_MEMBERS_H
#define RS_EVALUATE_MEMBERS_H

#include "evaluate/labelled.h"
#include "infer/ensemble.h"
#include "nn/plan.h"

typedef struct eval_net {
    rs_ensemble *ensemble; /* owned */
    int members, workers;
    rs_plan **plan; /* [workers]; owned */
} eval_net;

/* Loads weights of one class, with a plan for each of `workers` threads. */
reshed_status eval_net_open(const char *path, int workers, eval_net *out, reshed_error *err);
/* The first `members` of them; 0: all. RESHED_EINVAL where there are fewer. */
reshed_status eval_net_open_first(const char *path, int members, int workers, eval_net *out,
                                  reshed_error *err);
/* One network whose every weight is the mean over the members of net. */
reshed_status eval_net_average(const eval_net *net, eval_net *out, reshed_error *err);
/* Frees everything; fine on a zeroed net. */
void eval_net_close(eval_net *net);

/* Maps [H,W] of a frame; members [N,H,W] or NULL. */
reshed_status eval_net_run(eval_net *net, int worker, const eval_frame *f, float *mean,
                           float *variance, float *members, reshed_error *err);

#endif
