#include "evaluate/members.h"

#include <string.h>

#include "base/alloc.h"

void eval_net_close(eval_net *net)
{
    for (int i = 0; net->plan && i < net->workers; i++) rs_plan_free(net->plan[i]);
    rs_free(net->plan);
    rs_ensemble_free(net->ensemble);
    *net = (eval_net){0};
}

/* Plans for an ensemble that is there. */
static reshed_status make_plans(eval_net *net, int workers, reshed_error *err)
{
    const rs_ensemble *e = net->ensemble;
    rs_plan_options options = {.threads = 1};
    reshed_status st = rs_isa_select(&options.isa, err);
    if (st == RESHED_OK && e->arch.classes != 1)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "classes of the network|1|%d", e->arch.classes);
    if (st != RESHED_OK) return st;
    net->members = e->model.members;
    net->workers = workers;
    net->plan = rs_zalloc((size_t)workers, sizeof(rs_plan *));
    if (!net->plan) return rs_fail_nomem(err, "plans", (size_t)workers * sizeof(rs_plan *));
    for (int i = 0; i < workers && st == RESHED_OK; i++)
        st = rs_plan_create(&e->model, NULL, 64, 64, &options, &net->plan[i], err);
    return st;
}

/* Drops all members but the first so many. */
static reshed_status keep_first(rs_model_file *m, int members, reshed_error *err)
{
    if (members == 0) return RESHED_OK;
    if (members > m->members)
        return rs_fail(err, RESHED_EINVAL, "members|at least %d|%d", members, m->members);
    for (int i = members; i < m->members; i++) rs_tensors_clear(&m->member[i]);
    m->members = members;
    return RESHED_OK;
}

reshed_status eval_net_open(const char *path, int workers, eval_net *out, reshed_error *err)
{
    return eval_net_open_first(path, 0, workers, out, err);
}

reshed_status eval_net_open_first(const char *path, int members, int workers, eval_net *out,
                                  reshed_error *err)
{
    eval_net net = {0};
    reshed_status st = rs_ensemble_load(path, &net.ensemble, err);
    if (st == RESHED_OK) st = keep_first(&net.ensemble->model, members, err);
    if (st == RESHED_OK) st = make_plans(&net, workers, err);
    if (st != RESHED_OK) {
        eval_net_close(&net);
        return st;
    }
    *out = net;
    return RESHED_OK;
}

/* Members name their tensors alike, in any order. */
static reshed_status average_tensor(const rs_model_file *m, const rs_tensor *t, rs_tensors *out,
                                    reshed_error *err)
{
    bool counter = t->dtype == RS_I64;
    rs_tensor *a = rs_tensors_add(out, t->name, counter ? RS_I64 : RS_F32, t->ndim, t->dims);
    if (!a) return rs_fail_nomem(err, t->name, t->count * sizeof(float));
    if (counter) {
        memcpy(a->data, t->data, t->count * sizeof(int64_t));
        return RESHED_OK;
    }
    for (size_t k = 0; k < t->count; k++) {
        double sum = 0;
        for (int i = 0; i < m->members; i++)
            sum += rs_tensor_at(rs_tensors_find(&m->member[i], t->name), k);
        ((float *)a->data)[k] = (float)(sum / m->members);
    }
    return RESHED_OK;
}

reshed_status eval_net_average(const eval_net *net, eval_net *out, reshed_error *err)
{
    const rs_model_file *all = &net->ensemble->model;
    rs_model_file one = *all;
    eval_net average = {0};
    reshed_status st = RESHED_OK;
    one.members = 1;
    one.member = rs_zalloc(1, sizeof *one.member);
    if (!one.member) return rs_fail_nomem(err, "a network", sizeof *one.member);
    for (int i = 0; i < all->member[0].n && st == RESHED_OK; i++)
        st = average_tensor(all, &all->member[0].t[i], &one.member[0], err);
    if (st == RESHED_OK) st = rs_ensemble_of_model(&one, &average.ensemble, err);
    rs_model_file_clear(&one);
    if (st == RESHED_OK) st = make_plans(&average, net->workers, err);
    if (st != RESHED_OK) {
        eval_net_close(&average);
        return st;
    }
    *out = average;
    return RESHED_OK;
}

reshed_status eval_net_run(eval_net *net, int worker, const eval_frame *f, float *mean,
                           float *variance, float *members, reshed_error *err)
{
    reshed_status st = rs_plan_resize(net->plan[worker], f->height, f->width, err);
    if (st == RESHED_OK) rs_plan_run(net->plan[worker], f->image, mean, variance, members);
    return st;
}
