/* reshed.c - the public interface: what infer/ and nn/ can, under its public names, with every
 * argument checked at the door. */
#include "reshed.h"

#include <math.h>
#include <string.h>

#include "api/options.h"
#include "api/private.h"
#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/image/normalise.h"
#include "infer/engine.h"

_Static_assert((int)RESHED_ALGO_GEMM == (int)RS_ALGO_GEMM && (int)RESHED_BF16 == (int)RS_BF16,
               "the public values are those of nn/layers.h");

struct reshed_plan {
    rs_plan *plan;
    size_t pixels;
    rs_cancel cancel;
};

bool rs_cancel_asked(void *cancel)
{
    rs_cancel *c = cancel;
    const double now = rs_os_monotonic();
    if (now < c->next) return false;
    const bool yes = c->ask(c->ctx) != 0;
    c->next = rs_os_monotonic() + RS_CANCEL_EVERY;
    return yes;
}

int reshed_abi(void)
{
    return RESHED_ABI;
}

const char *reshed_version(void)
{
    return RESHED_VERSION;
}

/* --------------------------------------------------------------------------------- the ensemble */

reshed_status reshed_ensemble_load(const char *path, reshed_ensemble **out, reshed_error *err)
{
    if (!path || !out) return rs_fail(err, RESHED_EINVAL, "path and result|not NULL|NULL");
    reshed_ensemble *e = rs_zalloc(1, sizeof *e);
    if (!e) return rs_fail_nomem(err, "an ensemble", sizeof *e);
    reshed_status st = rs_ensemble_load(path, &e->inner, err);
    if (st != RESHED_OK) {
        rs_free(e);
        return st;
    }
    *out = e;
    return RESHED_OK;
}

void reshed_ensemble_free(reshed_ensemble *e)
{
    if (!e) return;
    rs_ensemble_free(e->inner);
    rs_free(e);
}

void reshed_ensemble_get_info(const reshed_ensemble *ensemble, reshed_ensemble_info *info)
{
    const rs_ensemble *e = ensemble->inner;
    *info = (reshed_ensemble_info){.members = e->model.members,
                                   .classes = e->arch.classes,
                                   .filters = e->arch.filters,
                                   .receptive_radius = e->radius,
                                   .pixel_size_min = e->model.pixel_size_min,
                                   .pixel_size_max = e->model.pixel_size_max};
}

const char *reshed_ensemble_network(const reshed_ensemble *e)
{
    return rs_net_name(e->inner->arch.net);
}

int reshed_ensemble_unit(const reshed_ensemble *e)
{
    return rs_arch_unit(&e->inner->arch);
}

/* ------------------------------------------------------------------------------------ inference */

void reshed_options_defaults(reshed_options *options)
{
    *options = (reshed_options){.size = sizeof *options};
}

/* The options as infer/ has them, checked. */
static reshed_status take_options(const reshed_options *options, rs_engine_options *out,
                                  reshed_error *err)
{
    static const size_t known[] = {sizeof(reshed_options)};
    reshed_options o;
    reshed_options_defaults(&o);
    reshed_status st = rs_api_options("reshed_options", options, known, 1, &o, err);
    if (st != RESHED_OK) return st;
    *out = (rs_engine_options){
        .threads = o.threads, .algo = (rs_algo)o.algo, .precision = (rs_precision)o.precision};
    return rs_engine_check(out, err);
}

reshed_status reshed_options_check(const reshed_options *options, reshed_error *err)
{
    rs_engine_options in;
    if (!options) return rs_fail(err, RESHED_EINVAL, "options|not NULL|NULL");
    return take_options(options, &in, err);
}

static reshed_status plan_create(const reshed_ensemble *e, rs_model_file *take, int height,
                                 int width, const reshed_options *options, reshed_plan **out,
                                 reshed_error *err)
{
    rs_engine_options in;
    rs_plan_options po;
    if (!e || !out) return rs_fail(err, RESHED_EINVAL, "ensemble and result|not NULL|NULL");
    reshed_status st = rs_ensemble_check_there(e->inner, err);
    if (st == RESHED_OK) st = take_options(options, &in, err);
    if (st == RESHED_OK) st = rs_engine_plan_options(&in, &po, err);
    if (st != RESHED_OK) return st;
    reshed_plan *p = rs_zalloc(1, sizeof *p);
    if (!p) return rs_fail_nomem(err, "a plan", sizeof *p);
    st = rs_plan_create(&e->inner->model, take, height, width, &po, &p->plan, err);
    if (st != RESHED_OK) {
        rs_free(p);
        return st;
    }
    p->pixels = (size_t)height * (size_t)width;
    *out = p;
    return RESHED_OK;
}

reshed_status reshed_plan_create(const reshed_ensemble *e, int height, int width,
                                 const reshed_options *options, reshed_plan **out,
                                 reshed_error *err)
{
    return plan_create(e, NULL, height, width, options, out, err);
}

reshed_status reshed_plan_create_taking(reshed_ensemble *e, int height, int width,
                                        const reshed_options *options, reshed_plan **out,
                                        reshed_error *err)
{
    reshed_status st =
        plan_create(e, e ? &e->inner->model : NULL, height, width, options, out, err);
    rs_ensemble_note_taken(e ? e->inner : NULL);
    return st;
}

reshed_status reshed_plan_resize(reshed_plan *p, int height, int width, reshed_error *err)
{
    reshed_status st = rs_plan_resize(p->plan, height, width, err);
    if (st == RESHED_OK) p->pixels = (size_t)height * (size_t)width;
    return st;
}

void reshed_plan_free(reshed_plan *p)
{
    if (!p) return;
    rs_plan_free(p->plan);
    rs_free(p);
}

size_t reshed_plan_bytes(const reshed_plan *p)
{
    return rs_plan_bytes(p->plan) + sizeof *p;
}

reshed_status reshed_plan_run(reshed_plan *p, const float *image, float *mean, float *variance,
                              float *members, reshed_error *err)
{
    if (!p || !image || !mean || !variance)
        return rs_fail(err, RESHED_EINVAL, "plan, image, mean and variance|not NULL|NULL");
    for (size_t i = 0; i < p->pixels; i++)
        if (!isfinite(image[i]))
            return rs_fail(err, RESHED_EINVAL, "image|finite values|%g|pixel %zu", (double)image[i],
                           i);
    if (!rs_plan_run(p->plan, image, mean, variance, members))
        return rs_fail(err, RESHED_ECANCELLED, "the run was cancelled");
    return RESHED_OK;
}

void reshed_plan_set_cancel(reshed_plan *p, int (*cancel)(void *ctx), void *ctx)
{
    p->cancel = (rs_cancel){cancel, ctx, 0};
    rs_plan_set_stop(p->plan, cancel ? rs_cancel_asked : NULL, &p->cancel);
}

reshed_status reshed_normalise(float *image, size_t n, reshed_error *err)
{
    rs_norm_range range;
    reshed_status st = rs_norm_range_frame(image, n, &range, err);
    return st == RESHED_OK ? rs_norm_apply(image, n, range, false, image, err) : st;
}
