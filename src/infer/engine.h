/* engine.h - options of running a network: checks them, and turns them into those of a plan. */
#ifndef RS_INFER_ENGINE_H
#define RS_INFER_ENGINE_H

#include "nn/plan.h"

typedef struct rs_engine_options {
    int threads; /* 1 to 1024, or 0 for all processors; the result does not depend on it */
    rs_algo algo;
    rs_precision precision; /* RS_BF16 goes with RS_ALGO_AUTO and RS_ALGO_WINOGRAD */
} rs_engine_options;

/* RESHED_EINVAL names the option that is out of its range. */
reshed_status rs_engine_check(const rs_engine_options *o, reshed_error *err);

/* Options of a plan on this machine: its processors and its instruction set (RESHED_ISA). */
reshed_status rs_engine_plan_options(const rs_engine_options *o, rs_plan_options *out,
                                     reshed_error *err);

/* Returns false, with a reason, where bf16 is no faster than fp32: on this processor with the
 * instruction set in use. The programs then run fp32. */
bool rs_engine_bf16_pays(const char **reason);

#endif
