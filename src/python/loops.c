#include "python/rooms.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/analyse.h"
#include "python/settings.h"

struct rs_py_loops {
    rs_loops loops;
    double *response;
    double reference;
    int64_t points;
};

typedef struct request {
    rs_loops_options loops;
    rs_unfold_options unfold;
    int way; /* of unfolding, as rooms.h numbers them */
} request;

static reshed_status take(const rs_py_setting *setting, int n, request *r, reshed_error *err)
{
    int seed = 0, branches = 0, threads = 0;
    bool bglib_bounds = false;
    double reference = NAN;
    *r = (request){.way = 0};
    rs_loops_defaults(&r->loops);
    const rs_py_place place[] = {{.name = "sat_fraction", .number = &r->loops.metric.sat_fraction},
                                 {.name = "nucleation", .number = &r->loops.metric.nucleation},
                                 {.name = "onset_slope", .number = &r->loops.metric.onset_slope},
                                 {.name = "fit", .flag = &r->loops.metric.fit},
                                 {.name = "bglib_bounds", .flag = &bglib_bounds},
                                 {.name = "branches", .whole = &branches},
                                 {.name = "keep_spikes", .flag = &r->loops.keep_spikes},
                                 {.name = "drop_first", .flag = &r->loops.drop_first},
                                 {.name = "orient", .flag = &r->loops.orient},
                                 {.name = "remove_slope", .flag = &r->loops.remove_slope},
                                 {.name = "outlier", .number = &r->loops.outlier},
                                 {.name = "bootstrap", .whole = &r->loops.bootstrap},
                                 {.name = "seed", .whole = &seed},
                                 {.name = "threads", .whole = &threads},
                                 {.name = "unfold", .whole = &r->way},
                                 {.name = "reference", .number = &reference}};
    const reshed_status st =
        rs_py_place_all(setting, n, place, (int)(sizeof place / sizeof *place), err);
    if (st != RESHED_OK) return st;
    if (r->way < 0 || r->way > 3) return rs_fail(err, RESHED_EINVAL, "unfold|0 to 3|%d", r->way);
    if (branches < 0 || branches > RS_MODEL_ARCTAN)
        return rs_fail(err, RESHED_EINVAL, "branches|0 to %d|%d", (int)RS_MODEL_ARCTAN, branches);
    if (seed < 0) return rs_fail(err, RESHED_EINVAL, "seed|0 or more|%d", seed);
    if (threads < 0 || threads > 1024)
        return rs_fail(err, RESHED_EINVAL, "threads|0 to 1024|%d", threads);
    r->loops.metric.bounds = bglib_bounds ? RS_BOUNDS_BGLIB : RS_BOUNDS_SCALED;
    r->loops.metric.branches.model = (rs_branch_model)branches;
    r->loops.seed = (uint64_t)seed;
    r->loops.threads = r->unfold.threads = threads;
    r->unfold.sign = r->way == 1 ? RS_SIGN_AREA : r->way == 2 ? RS_SIGN_FIXED : RS_SIGN_REFERENCE;
    r->unfold.bglib = r->way == 3;
    r->unfold.reference = reference;
    return RESHED_OK;
}

static reshed_status analyse(const rs_py_loops_input *in, const request *r, rs_py_loops *p,
                             reshed_error *err)
{
    const size_t n = (size_t)in->points * (size_t)in->steps * (size_t)in->cycles;
    p->response = rs_alloc(n, sizeof *p->response);
    if (!p->response) return rs_fail_nomem(err, "responses", n * sizeof *p->response);
    p->reference = NAN;
    p->points = in->points;
    reshed_status st = RESHED_OK;
    if (in->im)
        st = rs_loops_unfold(in->v, in->steps, in->cycles, in->re, in->im, in->points, &r->unfold,
                             p->response, NULL, &p->reference, err);
    else
        memcpy(p->response, in->re, n * sizeof *p->response);
    return st == RESHED_OK ? rs_loops_analyse(in->v, in->steps, in->cycles, p->response, in->points,
                                              &r->loops, &p->loops, err)
                           : st;
}

reshed_status rs_py_loops_find(const rs_py_loops_input *in, const rs_py_setting *setting, int n,
                               rs_py_loops **out, reshed_error *err)
{
    request r;
    if (in->steps < 1 || in->cycles < 1 || in->points < 1)
        return rs_fail(err, RESHED_EINVAL, "points, cycles and steps|at least 1|%lld, %d, %d",
                       (long long)in->points, in->cycles, in->steps);
    reshed_status st = take(setting, n, &r, err);
    if (st != RESHED_OK) return st;
    rs_py_loops *p = rs_zalloc(1, sizeof *p);
    if (!p) return rs_fail_nomem(err, "loops", sizeof *p);
    st = analyse(in, &r, p, err);
    if (st != RESHED_OK) {
        rs_py_loops_free(p);
        return st;
    }
    *out = p;
    return RESHED_OK;
}

void rs_py_loops_free(rs_py_loops *p)
{
    if (!p) return;
    rs_loops_clear(&p->loops);
    rs_free(p->response);
    rs_free(p);
}

void rs_py_loops_get(const rs_py_loops *p, rs_py_loops_view *v)
{
    *v = (rs_py_loops_view){.metrics = RS_METRIC_COUNT,
                            .cycles = p->loops.cycles,
                            .points = p->points,
                            .value = p->loops.value,
                            .spread = p->loops.spread,
                            .error = p->loops.error,
                            .flags = p->loops.flags,
                            .response = p->response,
                            .reference = p->reference};
}

const char *rs_py_metric_id(int k)
{
    return k >= 0 && k < RS_METRIC_COUNT ? rs_metric_get((rs_metric)k)->id : "";
}

const char *rs_py_metric_unit(int k)
{
    return k >= 0 && k < RS_METRIC_COUNT ? rs_metric_get((rs_metric)k)->unit : "";
}

const char *rs_py_metric_text(int k)
{
    return k >= 0 && k < RS_METRIC_COUNT ? rs_metric_get((rs_metric)k)->description : "";
}

int rs_py_metric_in_summary(int k)
{
    return k >= 0 && k < RS_METRIC_COUNT && rs_metric_get((rs_metric)k)->in_summary;
}

const char *rs_py_loop_flag_name(int k)
{
    return k >= 0 && k < RS_LOOP_FLAGS ? rs_loop_flag_name(k) : "";
}

uint32_t rs_py_loop_bad(void)
{
    return RS_LOOP_BAD;
}
