#include "train/start.h"

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
