#include "train/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "io/weights/model.h"
#include "train/feed.h"
#include "train/net/walk.h"
#include "train/start.h"

/* Streams of random numbers. */
enum { STREAM_NOISE = 321, STREAM_DRAW };

#define SAMPLES 10
#define SNAPSHOTS 20 /* of SWAG: weights that its Gaussian is taken from */
#define AHEAD 3

typedef struct chain {
    const rs_sampling *s;
    rs_member *m;
    rs_feed *feed;
    rs_model_file *out;
    size_t n;        /* parameters, padding included */
    float *p;        /* [n], the member's */
    float *momentum; /* SGHMC: [n] */
    uint8_t *real;   /* SGHMC: [n], 0: padding */
    rs_swag swag;
    int taken;
    rs_sample_news news;
    void (*tell)(void *ctx, const rs_sample_news *n);
    void *ctx;
} chain;

/* -------------------------------------------------------------------------------------- settings */
rs_sampling rs_sampling_defaults(rs_sample_kind kind)
{
    rs_sampling s = {.kind = kind,
                     .recipe = rs_train_fit_defaults(),
                     .cycles = 5,
                     .friction = 0.1,
                     .temperature = 1,
                     .images = 1000};
    s.recipe.members = SAMPLES;
    s.recipe.statistics = 20;
    if (kind == RS_SAMPLE_SGHMC) {
        s.recipe.rate = rs_rate_make(RS_RATE_CONSTANT, s.recipe.rate.steps, 0.1);
        s.recipe.average_every = 0;
    } else {
        rs_sampling_set_steps(&s, s.recipe.rate.steps);
    }
    return s;
}

void rs_sampling_set_steps(rs_sampling *s, long steps)
{
    rs_train_set_steps(&s->recipe, steps);
    if (s->kind == RS_SAMPLE_SWAG)
        s->recipe.average_every =
            s->recipe.rate.flat / SNAPSHOTS > 1 ? s->recipe.rate.flat / SNAPSHOTS : 1;
}

reshed_status rs_sampling_check(const rs_sampling *s, reshed_error *err)
{
    const rs_train_recipe *r = &s->recipe;
    reshed_status st = rs_train_check(r, err);
    if (st != RESHED_OK) return st;
    if (r->member.frozen || r->tune)
        return rs_fail(err, RESHED_EUNSUPPORTED, "start of a chain|random|other weights");
    if (s->kind == RS_SAMPLE_SWAG) {
        if (r->average_every < 1 || r->rate.flat / r->average_every < 2)
            return rs_fail(err, RESHED_EINVAL,
                           "steps|enough for two weights of their last quarter|%ld", r->rate.steps);
        return RESHED_OK;
    }
    if (s->cycles < 1 || s->cycles > r->members)
        return rs_fail(err, RESHED_EINVAL, "cycles|1 to %d, the samples|%d", r->members, s->cycles);
    if (r->rate.steps / s->cycles < 8 * (r->members / s->cycles + 1))
        return rs_fail(err, RESHED_EINVAL, "steps of a cycle|%d or more for its samples|%ld",
                       8 * (r->members / s->cycles + 1), r->rate.steps / s->cycles);
    if (!(s->friction > 0 && s->friction <= 1))
        return rs_fail(err, RESHED_EINVAL, "friction|above 0, up to 1|%g", s->friction);
    if (!(s->temperature >= 0 && s->temperature <= 1e6))
        return rs_fail(err, RESHED_EINVAL, "temperature|0 to 1e6|%g", s->temperature);
    if (s->images < 1)
        return rs_fail(err, RESHED_EINVAL, "images of the posterior|1 or more|%ld", s->images);
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- samples */
static void tell(chain *c, double loss)
{
    c->news.loss = loss;
    c->news.samples = c->taken;
    if (c->tell) c->tell(c->ctx, &c->news);
}

/* The present weights as the next sample, with statistics of their own. */
static reshed_status take_sample(chain *c, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    rs_member_statistics_begin(c->m);
    for (long i = 0; st == RESHED_OK && i < c->s->recipe.statistics; i++) {
        const rs_batch *batch = NULL;
        st = rs_feed_take(c->feed, 0, &batch, err);
        if (st == RESHED_OK) rs_member_statistics_add(c->m, batch);
        rs_feed_release(c->feed, 0);
    }
    rs_member_statistics_end(c->m);
    return st == RESHED_OK ? rs_member_tensors(c->m, &c->out->member[c->taken++], err) : st;
}

static reshed_status check_loss(double loss, long step, reshed_error *err)
{
    if (isfinite(loss)) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL,
                   "loss of the chain|a finite number; a smaller rate may do|%g in step %ld", loss,
                   step + 1);
}

/* ------------------------------------------------------------------------------------------ SWAG */
static reshed_status run_swag(chain *c, reshed_error *err)
{
    const rs_train_recipe *r = &c->s->recipe;
    reshed_status st = RESHED_OK;
    for (long i = 0; st == RESHED_OK && i < r->rate.steps; i++) {
        const rs_batch *batch = NULL;
        double loss = 0;
        st = rs_feed_take(c->feed, 0, &batch, err);
        if (st == RESHED_OK) loss = rs_member_step(c->m, batch, rs_rate_at(&r->rate, i));
        rs_feed_release(c->feed, 0);
        if (st == RESHED_OK) st = check_loss(loss, i, err);
        if (i >= r->rate.steps - r->rate.flat && (i + 1) % r->average_every == 0)
            rs_swag_add(&c->swag, c->p);
        c->news.step = i + 1;
        tell(c, loss);
    }
    for (int k = 0; st == RESHED_OK && k < r->members; k++) {
        rs_random random = rs_random_at(r->batches.seed, STREAM_DRAW, (uint64_t)k);
        rs_swag_draw(&c->swag, &random, c->p);
        st = take_sample(c, err);
        tell(c, c->news.loss);
    }
    return st;
}

/* ----------------------------------------------------------------------------------------- SGHMC */
/* While the rate is large the gradient is cut as in training; with noise it is as it is. */
static void move(chain *c, double rate, long step, bool noisy)
{
    const rs_sampling *s = c->s;
    const rs_walk w = {.rate = rate,
                       .friction = s->friction,
                       .decay = s->recipe.member.decay,
                       .clip = noisy ? 0 : s->recipe.member.clip,
                       .noise = noisy ? sqrt(s->temperature / (double)s->images) : 0};
    rs_random random = rs_random_at(s->recipe.batches.seed, STREAM_NOISE, (uint64_t)step);
    rs_walk_step(&w, c->p, c->momentum, rs_member_gradient_values(c->m), c->real, c->n,
                 rs_member_gradient_norm(c->m), &random);
}

/* True after steps at which a sample is taken: spread over the last quarter of the cycle, the last
 * one at its end. */
static bool takes_sample(long at, long length, int wanted)
{
    const long part = rs_max_int(1, (int)(length / 4 / (wanted > 0 ? wanted : 1)));
    const long left = length - 1 - at;
    return left % part == 0 && left / part < wanted;
}

static reshed_status run_sghmc(chain *c, reshed_error *err)
{
    const rs_sampling *s = c->s;
    const rs_train_recipe *r = &s->recipe;
    reshed_status st = RESHED_OK;
    for (int cycle = 0; st == RESHED_OK && cycle < s->cycles; cycle++) {
        const long first = r->rate.steps * cycle / s->cycles,
                   end = r->rate.steps * (cycle + 1) / s->cycles;
        const int wanted = r->members * (cycle + 1) / s->cycles - r->members * cycle / s->cycles;
        for (long i = first; st == RESHED_OK && i < end; i++) {
            const long at = i - first, length = end - first;
            const double rate = rs_walk_cycle_rate(r->rate.rate, at, length);
            const rs_batch *batch = NULL;
            double loss = 0;
            st = rs_feed_take(c->feed, 0, &batch, err);
            if (st == RESHED_OK) loss = rs_member_gradient(c->m, batch);
            rs_feed_release(c->feed, 0);
            if (st == RESHED_OK) st = check_loss(loss, i, err);
            if (st != RESHED_OK) return st;
            move(c, rate, i, 2 * at >= length);
            if (takes_sample(at, length, wanted)) st = take_sample(c, err);
            c->news.step = i + 1;
            tell(c, loss);
        }
    }
    return st;
}

/* ------------------------------------------------------------------------------------- the chain */
static reshed_status describe(const rs_sampling *s, rs_model_file *m, reshed_error *err)
{
    char words[RS_MODEL_RECIPE], all[RS_MODEL_RECIPE];
    if (!rs_train_describe(&s->recipe, NULL, words, sizeof words))
        return rs_fail(err, RESHED_EINTERNAL, "recipe of a chain|%d bytes|more", RS_MODEL_RECIPE);
    int n;
    if (s->kind == RS_SAMPLE_SWAG)
        n = snprintf(all, sizeof all,
                     "samples of one training, SWAG: up to %d weights, %ld steps apart\n%s",
                     SNAPSHOTS, s->recipe.average_every, words);
    else
        n = snprintf(all, sizeof all,
                     "samples of one chain, cyclical SGHMC: cycles %d, friction %g, temperature "
                     "%g, images %ld\n%s",
                     s->cycles, s->friction, s->temperature, s->images, words);
    if (n < 0 || (size_t)n >= sizeof all)
        return rs_fail(err, RESHED_EINTERNAL, "recipe of a chain|%d bytes|more", RS_MODEL_RECIPE);
    return rs_train_model(&s->recipe, NULL, all, m, err);
}

static reshed_status prepare(chain *c, int threads, reshed_error *err)
{
    const rs_train_recipe *r = &c->s->recipe;
    reshed_status st = rs_train_member(r, NULL, 0, &c->m, err);
    if (st == RESHED_OK) st = rs_feed_open(&r->batches, 1, threads, AHEAD, &c->feed, err);
    if (st != RESHED_OK) return st;
    rs_feed_begin(c->feed, 0, 0, 0, r->rate.steps + (int64_t)r->members * r->statistics);
    c->p = rs_member_parameters(c->m, &c->n);
    if (c->s->kind == RS_SAMPLE_SWAG) return rs_swag_make(c->n, SNAPSHOTS, &c->swag, err);
    c->momentum = rs_zalloc(c->n, sizeof *c->momentum);
    c->real = rs_zalloc(c->n, 1);
    if (!c->momentum || !c->real) return rs_fail_nomem(err, "momenta", c->n * sizeof(float));
    rs_member_real(c->m, c->real);
    return RESHED_OK;
}

reshed_status rs_sample_run(const rs_sampling *s, int threads,
                            void (*news)(void *ctx, const rs_sample_news *n), void *ctx,
                            rs_model_file *out, reshed_error *err)
{
    rs_model_file m = {0};
    reshed_status st = rs_sampling_check(s, err);
    if (st != RESHED_OK) return st;
    chain c = {
        .s = s, .out = &m, .tell = news, .ctx = ctx, .news = {.steps = s->recipe.rate.steps}};
    st = describe(s, &m, err);
    if (st == RESHED_OK) st = prepare(&c, threads, err);
    if (st == RESHED_OK) st = s->kind == RS_SAMPLE_SWAG ? run_swag(&c, err) : run_sghmc(&c, err);
    rs_feed_close(c.feed);
    rs_member_free(c.m);
    rs_free(c.momentum);
    rs_free(c.real);
    rs_swag_clear(&c.swag);
    if (st == RESHED_OK) st = rs_model_file_check(&m, err);
    if (st == RESHED_OK)
        *out = m;
    else
        rs_model_file_clear(&m);
    return st;
}
