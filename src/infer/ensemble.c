/* ensemble.c - joins the readers of weights (io) and the engine (nn). */
#include "infer/ensemble.h"

#include <string.h>

#include "base/alloc.h"
#include "io/weights/weights.h"
#include "nn/filters.h"

reshed_status rs_ensemble_of_model(rs_model_file *model, rs_ensemble **out, reshed_error *err)
{
    rs_arch arch;
    rs_graph graph = {0};
    reshed_status st = rs_arch_from_file(model, &arch, err);
    if (st == RESHED_OK) st = rs_net_check(model, err);
    if (st == RESHED_OK) st = rs_graph_make(&arch, &graph, err);
    if (st != RESHED_OK) return st;
    const int radius =
        arch.net == RS_RESHEDNET ? rs_receptive_radius(&arch) : rs_graph_radius(&graph);
    rs_graph_clear(&graph);
    rs_ensemble *e = rs_alloc(1, sizeof *e);
    if (!e) return rs_fail_nomem(err, "an ensemble", sizeof *e);
    *e = (rs_ensemble){.model = *model, .arch = arch, .radius = radius};
    memset(model, 0, sizeof *model);
    *out = e;
    return RESHED_OK;
}

reshed_status rs_ensemble_load(const char *path, rs_ensemble **out, reshed_error *err)
{
    rs_model_file model = {0};
    reshed_status st = rs_weights_load(path, &model, err);
    if (st == RESHED_OK) st = rs_ensemble_of_model(&model, out, err);
    rs_model_file_clear(&model);
    return st;
}

void rs_ensemble_free(rs_ensemble *e)
{
    if (!e) return;
    rs_model_file_clear(&e->model);
    rs_free(e);
}

reshed_status rs_ensemble_check_there(const rs_ensemble *e, reshed_error *err)
{
    return e->taken
               ? rs_fail(err, RESHED_EINVAL, "ensemble|its weights|already taken by another plan")
               : RESHED_OK;
}

void rs_ensemble_note_taken(rs_ensemble *e)
{
    for (int i = 0; e && i < e->model.members; i++)
        if (e->model.member[i].n == 0) e->taken = true;
}
