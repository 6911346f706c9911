#include "train/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/sha256.h"

#define LEVELS 3

rs_train_recipe rs_train_fit_defaults(void)
{
    rs_train_recipe r = {
        .members = 10,
        .arch = {.levels = 3, .layers = {3, 4, 5}, .filters = 16, .classes = 1},
        .member = rs_member_defaults(),
        .batches =
            {.seed = 1,
             .batch = 8,
             .augment = {.size = 112, .strength = 1, .turn = 0.25, .partial = 0.2, .eight = 0.3},
             .scene = {.size = 128, .harsh = 1},
             .own_turn = 0.75},
        .average_every = 20,
        .statistics = 100,
        .report = 20,
        .judge = 200,
        .checkpoint = 100,
        .holdout = 16,
    };
    r.rate = rs_rate_make(RS_RATE_COSINE, 1200, 2e-3);
    r.rate.end = 0.1;
    return r;
}

rs_train_recipe rs_train_tune_defaults(void)
{
    rs_train_recipe r = rs_train_fit_defaults();
    r.tune = true;
    r.member.frozen = true;
    r.batches.share = 0.25;
    r.average_every = r.statistics = 0;
    r.report = 5;
    r.judge = 40;
    r.checkpoint = 20;
    r.rate = rs_rate_make(RS_RATE_COSINE, 80, 4e-4);
    r.rate.flat = 0;
    r.rate.end = 0.02;
    return r;
}

void rs_train_set_steps(rs_train_recipe *r, long steps)
{
    const rs_rate old = r->rate;
    r->rate = rs_rate_make(old.shape, steps, old.rate);
    r->rate.start = old.start;
    r->rate.end = old.end;
    if (old.flat == 0) r->rate.flat = 0;
}

/* ---------------------------------------------------------------------------------------- checks */
static reshed_status check_number(const char *what, double v, double lo, double hi,
                                  reshed_error *err)
{
    if (v >= lo && v <= hi) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|%g to %g|%g", what, lo, hi, v);
}

reshed_status rs_train_check(const rs_train_recipe *r, reshed_error *err)
{
    const struct {
        const char *what;
        double value, lo, hi;
    } all[] = {{"members", r->members, 1, RS_MODEL_MAX_MEMBERS},
               {"steps", (double)r->rate.steps, 1, 1e8},
               {"learning rate", r->rate.rate, 1e-8, 10},
               {"weight decay", r->member.decay, 0, 1},
               {"steps between averaged weights", (double)r->average_every, 0, 1e8},
               {"batches of statistics", (double)r->statistics, 0, 1e6},
               {"share kept of the start", r->keep, 0, r->tune ? 1 : 0},
               {"steps between points of the curve", (double)r->report, 1, 1e8},
               {"steps between scores", (double)r->judge, 1, 1e8},
               {"steps between checkpoints", (double)r->checkpoint, 1, 1e8},
               {"simulated frames to judge by", r->holdout, 0, 10000}};
    reshed_status st = rs_batches_check(&r->batches, err);
    if (st == RESHED_OK && r->arch.levels != LEVELS) /* the engine's */
        st = rs_fail(err, RESHED_EUNSUPPORTED, "levels of the network|%d|%d", LEVELS,
                     r->arch.levels);
    for (size_t i = 0; st == RESHED_OK && i < sizeof all / sizeof *all; i++)
        st = check_number(all[i].what, all[i].value, all[i].lo, all[i].hi, err);
    return st;
}

/* ---------------------------------------------------------------------------------------- in words */
typedef struct words {
    char *text;
    size_t n, room;
    bool full;
} words;

/* %g takes the shortest text that reads back, with a point in every locale; %d and %s as in printf. */
static void say(words *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    for (const char *f = format; *f; f++) {
        char number[RS_NUMBER_TEXT] = {*f, '\0'};
        const char *part = number;
        if (f[0] == '%' && f[1] == 'g') part = rs_number_format(number, va_arg(args, double));
        if (f[0] == '%' && f[1] == 'd') snprintf(number, sizeof number, "%ld", va_arg(args, long));
        if (f[0] == '%' && f[1] == 's') part = va_arg(args, const char *);
        f += f[0] == '%';
        const size_t n = strlen(part);
        w->full = w->full || n >= w->room - w->n;
        if (w->full) break;
        memcpy(w->text + w->n, part, n + 1);
        w->n += n;
    }
    va_end(args);
}

static void digest_of_own(const rs_batches *b, char hex[65])
{
    uint8_t digest[32];
    rs_sha256 s;
    rs_sha256_start(&s);
    for (int i = 0; i < b->owns; i++) {
        const rs_picture *p = &b->own[i];
        const size_t n = (size_t)p->height * (size_t)p->width;
        const int32_t size[2] = {p->height, p->width};
        rs_sha256_add(&s, size, sizeof size);
        rs_sha256_add(&s, p->image, n * sizeof *p->image);
        rs_sha256_add(&s, p->wall, n);
        rs_sha256_add(&s, p->known, n);
    }
    rs_sha256_end(&s, digest);
    rs_sha256_hex(digest, hex);
}

static void say_learning(words *w, const rs_train_recipe *r)
{
    static const char *const shapes[] = {"constant", "cosine", "one-cycle"};
    const rs_member_options *m = &r->member;
    say(w, "steps %d of %d pieces of %d x %d\n", r->rate.steps, (long)r->batches.batch,
        (long)r->batches.augment.size, (long)r->batches.augment.size);
    say(w, "rate %s %g, warm %d, flat %d, start %g, end %g\n", shapes[r->rate.shape], r->rate.rate,
        r->rate.warm, r->rate.flat, r->rate.start, r->rate.end);
    say(w, "loss entropy %g, Dice %g\n", m->entropy, m->dice);
    say(w, "AdamW decay %g, betas %g %g, epsilon %g, clip %g\n", m->decay, m->beta1, m->beta2,
        m->epsilon, m->clip);
    if (m->frozen)
        say(w, "batch normalisation frozen\n");
    else
        say(w, "batch normalisation momentum %g\n", m->momentum);
    if (r->average_every > 0)
        say(w, "weights averaged every %d steps, statistics over %d batches\n", r->average_every,
            r->statistics);
    if (r->keep > 0) say(w, "kept of the start %g\n", r->keep);
}

static void say_data(words *w, const rs_batches *b)
{
    const rs_augment *a = &b->augment;
    say(w, "simulated frames %s, %d x %d, instrument %g", rs_twin_film_name(b->scene.film),
        (long)b->scene.size, (long)b->scene.size, b->scene.harsh);
    if (b->repeat > 0) say(w, ", %d of them again and again", (long)b->repeat);
    say(w, "\naugmentation %g, turned %g, partial %g, noisy %g, inverted %g, 8 bits %g\n",
        a->strength, a->turn, a->partial, a->noisy, a->invert, a->eight);
    if (b->owns > 0) {
        char hex[65];
        digest_of_own(b, hex);
        say(w, "own frames %d, share %g, turned %g, sha256 %s\n", (long)b->owns, b->share,
            b->own_turn, hex);
    }
}

bool rs_train_describe(const rs_train_recipe *r, const char *start, char *text, size_t room)
{
    words w = {.text = text, .room = room};
    say(&w, "reshed-train %s, version %s\n", r->tune ? "tune" : "fit", RESHED_VERSION);
    say(&w, "seed %d, members %d\n", (long)r->batches.seed, (long)r->members);
    say(&w, "network of %d filters, layers", (long)r->arch.filters);
    for (int i = 0; i < r->arch.levels; i++) say(&w, " %d", (long)r->arch.layers[i]);
    say(&w, r->arch.upsampling == RS_BILINEAR ? ", bilinear\n" : ", nearest\n");
    if (start) say(&w, "start sha256 %s\n", start);
    say_learning(&w, r);
    say_data(&w, &r->batches);
    say(&w, "instructions %s\n", rs_isa_name(r->member.isa));
    return !w.full;
}
