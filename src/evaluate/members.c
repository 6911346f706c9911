#include "evaluate/members.h"

#include <string.h>

#include "base/alloc.h"
#include "io/weights/weights.h"
#include "nn/net.h"

void eval_net_close(eval_net *net)
{
    for (int i = 0; net->plan && i < net->workers; i++) rs_plan_free(net->plan[i]);
    rs_free(net->plan);
    rs_model_file_clear(&net->model);
    *net = (eval_net){0};
}

/* Plans for a model that has been loaded. */
static reshed_status make_plans(eval_net *net, int workers, reshed_error *err)
{
    rs_plan_options options = {.threads = 1};
    rs_arch arch;
    reshed_status st = rs_isa_select(&options.isa, err);
    if (st == RESHED_OK) st = rs_arch_from_file(&net->model, &arch, err);
    if (st == RESHED_OK && arch.classes != 1)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "classes of the network|1|%d", arch.classes);
    if (st == RESHED_OK) st = rs_net_check(&net->model, err);
    if (st != RESHED_OK) return st;
    net->members = net->model.members;
    net->workers = workers;
    net->plan = rs_zalloc((size_t)workers, sizeof(rs_plan *));
    if (!net->plan) return rs_fail_nomem(err, "plans", (size_t)workers * sizeof(rs_plan *));
    for (int i = 0; i < workers && st == RESHED_OK; i++)
        st = rs_plan_create(&net->model, NULL, 64, 64, &options, &net->plan[i], err);
    return st;
}

reshed_status eval_net_open(const char *path, int workers, eval_net *out, reshed_error *err)
{
    eval_net net = {0};
    reshed_status st = rs_weights_load(path, &net.model, err);
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
    eval_net one = {.model = net->model};
    const rs_tensors *first = &net->model.member[0];
    reshed_status st = RESHED_OK;
    one.model.members = 1;
    one.model.member = rs_zalloc(1, sizeof *one.model.member);
    if (!one.model.member) return rs_fail_nomem(err, "a network", sizeof *one.model.member);
    for (int i = 0; i < first->n && st == RESHED_OK; i++)
        st = average_tensor(&net->model, &first->t[i], &one.model.member[0], err);
    if (st == RESHED_OK) st = make_plans(&one, net->workers, err);
    if (st != RESHED_OK) {
        eval_net_close(&one);
        return st;
    }
    *out = one;
    return RESHED_OK;
}

reshed_status eval_net_run(eval_net *net, int worker, const eval_frame *f, float *mean,
                           float *variance, float *members, reshed_error *err)
{
    reshed_status st = rs_plan_resize(net->plan[worker], f->height, f->width, err);
    if (st == RESHED_OK) rs_plan_run(net->plan[worker], f->image, mean, variance, members);
    return st;
}
