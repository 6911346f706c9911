#include "train/batches.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/tensors.h"
#include "train/label.h"

/* Streams of random numbers. */
enum { STREAM_SET = 301, STREAM_PIECE };

#define LEAST_SET 1000

/* Of a piece, and how often one with less is drawn again. */
#define LEAST_KNOWN 0.1
#define MOST_TRIES 50

reshed_status rs_batches_check(const rs_batches *b, reshed_error *err)
{
    reshed_status st = rs_augment_check(&b->augment, err);
    if (st != RESHED_OK) return st;
    if (b->batch < 1 || b->batch > 1024)
        return rs_fail(err, RESHED_EINVAL, "pieces in a batch|1 to 1024|%d", b->batch);
    if (b->scene.size < 16 || b->scene.size > 4096)
        return rs_fail(err, RESHED_EINVAL, "pixels a side of simulated frames|16 to 4096|%d",
                       b->scene.size);
    if (!(b->scene.harsh >= 0 && b->scene.harsh <= 2))
        return rs_fail(err, RESHED_EINVAL, "strength of the instrument|0 to 2|%g", b->scene.harsh);
    if (b->scene.film < 0 || b->scene.film >= RS_TWIN_FILMS)
        return rs_fail(err, RESHED_EINVAL, "kind of the simulated film||%d", (int)b->scene.film);
    if (b->repeat < 0)
        return rs_fail(err, RESHED_EINVAL, "frames to repeat|0 or more|%lld", (long long)b->repeat);
    if (!(b->share >= 0 && b->share <= 1 && b->own_turn >= 0 && b->own_turn <= 1))
        return rs_fail(err, RESHED_EINVAL, "share of own frames|0 to 1|%g", b->share);
    if (b->share > 0 && b->owns < 1)
        return rs_fail(err, RESHED_EINVAL, "own frames|at least one|none");
    return RESHED_OK;
}

void rs_batch_clear(rs_batch *batch)
{
    rs_free(batch->image);
    rs_free(batch->target);
    rs_free(batch->weight);
    *batch = (rs_batch){0};
}

reshed_status rs_batch_init(const rs_batches *b, rs_batch *out, reshed_error *err)
{
    const size_t side = (size_t)b->augment.size, n = (size_t)b->batch * side * side;
    *out = (rs_batch){.n = b->batch, .height = b->augment.size, .width = b->augment.size};
    out->image = rs_alloc(n, sizeof *out->image);
    out->target = rs_alloc(n, sizeof *out->target);
    out->weight = rs_alloc(n, sizeof *out->weight);
    if (out->image && out->target && out->weight) return RESHED_OK;
    rs_batch_clear(out);
    return rs_fail_nomem(err, "a batch", 3 * n * sizeof(float));
}

uint64_t rs_batches_set(uint64_t seed, int member)
{
    rs_random r = rs_random_at(seed, STREAM_SET, (uint64_t)member);
    return LEAST_SET + rs_random_below(&r, ((uint64_t)1 << 32) - LEAST_SET);
}

/* One of the own pictures, by its share of all their pixels. */
static const rs_picture *choose(const rs_batches *b, rs_random *r)
{
    uint64_t all = 0;
    for (int i = 0; i < b->owns; i++) all += (uint64_t)b->own[i].height * (uint64_t)b->own[i].width;
    uint64_t at = rs_random_below(r, all);
    int k = 0;
    for (;; k++) {
        const uint64_t area = (uint64_t)b->own[k].height * (uint64_t)b->own[k].width;
        if (at < area) return &b->own[k];
        at -= area;
    }
}

/* Share of the pixels of a piece that are known. */
static double known_share(const rs_piece *piece)
{
    const size_t n = (size_t)piece->size * (size_t)piece->size;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)piece->weight[i];
    return sum / (double)n;
}

/* Where little of a frame is known, pieces without any of it are drawn again. */
static reshed_status own_piece(const rs_batches *b, rs_random *r, const rs_piece *piece,
                               reshed_error *err)
{
    rs_augment a = b->augment;
    reshed_status st = RESHED_OK;
    a.turn = b->own_turn;
    for (int tries = 0; st == RESHED_OK && tries < MOST_TRIES; tries++) {
        rs_picture shared = *choose(b, r);
        assert(shared.distance); /* else threads would all make it */
        st = rs_augment_place(&a, r, &shared, piece, err);
        if (st == RESHED_OK && known_share(piece) >= LEAST_KNOWN) break;
    }
    return st == RESHED_OK ? rs_augment_effects(&a, r, piece, err) : st;
}

static reshed_status simulated_piece(const rs_batches *b, int member, int64_t number, rs_random *r,
                                     const rs_piece *piece, reshed_error *err)
{
    rs_picture p = {0};
    const int64_t i = b->repeat > 0 ? (int64_t)rs_random_below(r, (uint64_t)b->repeat) : number;
    reshed_status st = rs_picture_simulate(&b->scene, rs_batches_set(b->seed, member), i, &p, err);
    /* Only what is learnt from: scores and calibration keep to the lines that reshed-evaluate counts by. */
    if (st == RESHED_OK) rs_label_close(p.height, p.width, p.wall);
    if (st == RESHED_OK) st = rs_augment_piece(&b->augment, r, &p, piece, err);
    rs_picture_clear(&p);
    return st;
}

reshed_status rs_batches_make(const rs_batches *b, int member, int64_t step, rs_batch *out,
                              reshed_error *err)
{
    const size_t n = (size_t)b->augment.size * (size_t)b->augment.size;
    reshed_status st = RESHED_OK;
    assert(member >= 0 && member < RS_MODEL_MAX_MEMBERS && step >= 0);
    for (int k = 0; st == RESHED_OK && k < b->batch; k++) {
        const int64_t number = step * b->batch + k;
        rs_random r = rs_random_at(rs_random_keyed(b->seed, (uint64_t)member).state, STREAM_PIECE,
                                   (uint64_t)number);
        const rs_piece piece = {b->augment.size, out->image + (size_t)k * n,
                                out->target + (size_t)k * n, out->weight + (size_t)k * n};
        st = rs_random_chance(&r, b->share) ? own_piece(b, &r, &piece, err)
                                            : simulated_piece(b, member, number, &r, &piece, err);
    }
    return st;
}
