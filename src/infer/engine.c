#include "infer/engine.h"

#include "base/parallel.h"
#include "nn/choices.h"

reshed_status rs_engine_check(const rs_engine_options *o, reshed_error *err)
{
    if (o->threads < 0 || o->threads > 1024)
        return rs_fail(err, RESHED_EINVAL, "threads|0 to 1024|%d", o->threads);
    if (o->algo < RS_ALGO_AUTO || o->algo > RS_ALGO_GEMM)
        return rs_fail(err, RESHED_EINVAL, "algorithm|a value of reshed_algo|%d", (int)o->algo);
    if (o->precision != RS_FP32 && o->precision != RS_BF16)
        return rs_fail(err, RESHED_EINVAL, "precision|a value of reshed_precision|%d",
                       (int)o->precision);
    if (o->precision == RS_BF16 && o->algo != RS_ALGO_AUTO && o->algo != RS_ALGO_WINOGRAD)
        return rs_fail(err, RESHED_EINVAL, "algorithm for bf16|RESHED_ALGO_AUTO or _WINOGRAD|%d",
                       (int)o->algo);
    return RESHED_OK;
}

reshed_status rs_engine_plan_options(const rs_engine_options *o, rs_plan_options *out,
                                     reshed_error *err)
{
    rs_plan_options p = {.algo = o->algo, .precision = o->precision};
    reshed_status st = rs_engine_check(o, err);
    if (st == RESHED_OK) st = rs_isa_select(&p.isa, err);
    if (st != RESHED_OK) return st;
    p.threads = rs_threads_or_all(o->threads);
    *out = p;
    return RESHED_OK;
}

bool rs_engine_bf16_pays(const char **reason)
{
    rs_isa isa;
    if (rs_isa_select(&isa, NULL) != RESHED_OK) isa = rs_isa_best(); /* refused elsewhere */
    const rs_capability here = rs_capability_of(isa);
    const rs_choice c = rs_choice_bf16(&here);
    if (reason) *reason = c.reason;
    return c.pays;
}
