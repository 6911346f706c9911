#include "train/start.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "spm/twin/random.h"

/* The stream of random numbers of members' starts. */
#define STREAM_START 311

static rs_member_options member_options(const rs_train_recipe *r)
{
    rs_member_options o = r->member;
    o.batch = r->batches.batch;
    o.height = o.width = r->batches.augment.size;
    return o;
}

reshed_status rs_train_member(const rs_train_recipe *r, const rs_model_file *start, int i,
                              rs_member **out, reshed_error *err)
{
    const rs_member_options o = member_options(r);
    const uint64_t seed = rs_random_at(r->batches.seed, STREAM_START, (uint64_t)i).state;
    rs_member *m = NULL;
    reshed_status st = rs_member_create(&r->arch, &o, seed, &m, err);
    if (st == RESHED_OK && start) st = rs_member_load(m, &start->member[i % start->members], err);
    if (st == RESHED_OK)
        *out = m;
    else
        rs_member_free(m);
    return st;
}

reshed_status rs_train_model(const rs_train_recipe *r, const rs_model_file *start,
                             const char *words, rs_model_file *m, reshed_error *err)
{
    m->pixel_size_min = start ? start->pixel_size_min : RS_TWIN_PIXEL_MIN;
    m->pixel_size_max = start ? start->pixel_size_max : RS_TWIN_PIXEL_MAX;
    snprintf(m->model, sizeof m->model, "ResHedNet");
    snprintf(m->upsampling, sizeof m->upsampling, "%s",
             r->arch.upsampling == RS_BILINEAR ? "bilinear" : "nearest");
    m->classes = r->arch.classes;
    m->filters = r->arch.filters;
    m->levels = r->arch.levels;
    memcpy(m->layers, r->arch.layers, sizeof m->layers);
    /* How the ensemble that it starts from was made follows, as far as there is room. */
    static const char before[] = "that start:\n";
    rs_text_copy(m->recipe, sizeof m->recipe, words);
    const size_t n = strlen(m->recipe);
    if (start && start->recipe[0] && n + sizeof before < sizeof m->recipe) {
        memcpy(m->recipe + n, before, sizeof before);
        rs_text_copy(m->recipe + n + sizeof before - 1, sizeof m->recipe - n - sizeof before + 1,
                     start->recipe);
    }
    m->members = r->members;
    m->member = rs_zalloc((size_t)r->members, sizeof *m->member);
    return m->member ? RESHED_OK : rs_fail_nomem(err, "members", sizeof *m->member);
}
