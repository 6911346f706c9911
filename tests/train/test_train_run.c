/* Training as a whole: recipes, checkpoints, curves, scores, runs that resume, calibration. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "support/io_support.h"
#include "support/model.h"
#include "support/program.h"

#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/figures/plot.h"
#include "io/weights/model.h"
#include "nn/filters.h"
#include "nn/net.h"
#include "train/budget.h"
#include "train/calibrate.h"
#include "train/checkpoint.h"
#include "train/compare.h"
#include "train/run.h"
#include "train/score.h"

enum { MEMBERS = 3, STEPS = 8 };

/* The smallest training that has everything. */
static rs_train_recipe tiny(void)
{
    rs_train_recipe r = rs_train_fit_defaults();
    r.members = MEMBERS;
    r.arch = (rs_arch){.levels = 3, .layers = {1, 1, 1}, .filters = 2, .classes = 1};
    r.batches.batch = 2;
    r.batches.augment.size = 24;
    r.batches.scene.size = 32;
    r.average_every = 1;
    r.statistics = 2;
    r.report = 3;
    r.judge = 4;
    r.checkpoint = 2;
    r.holdout = 3;
    rs_train_set_steps(&r, STEPS);
    return r;
}

static const char *folder(const char *name)
{
    reshed_error err = {0};
    const char *path = test_temp(name);
    assert_ok(rs_os_make_folder(path, &err), &err);
    return path;
}

/* -------------------------------------------------------------------------------------- recipes */
static void recipes_in_words(void **state)
{
    (void)state;
    char a[RS_MODEL_RECIPE], b[RS_MODEL_RECIPE];
    rs_train_recipe r = tiny();
    assert_true(rs_train_describe(&r, NULL, a, sizeof a));
    assert_non_null(strstr(a, "seed 1, members 3\n"));
    assert_non_null(strstr(a, "network of 2 filters, layers 1 1 1, bilinear\n"));
    assert_non_null(strstr(a, "rate cosine 0.002, "));
    assert_false(rs_train_describe(&r, NULL, b, 40));
    /* Whatever decides the bits is in it. */
    for (int k = 0; k < 8; k++) {
        rs_train_recipe s = r;
        if (k == 0) s.batches.seed = 2;
        if (k == 1) s.rate.rate = 2.0000001e-3;
        if (k == 2) s.member.decay = 0;
        if (k == 3) s.batches.augment.invert = 0.1;
        if (k == 4) s.batches.scene.film = RS_TWIN_FILM_MIX;
        if (k == 5) s.member.frozen = true;
        if (k == 6) s.statistics = 3;
        if (k == 7) rs_train_set_steps(&s, STEPS + 1);
        assert_true(rs_train_describe(&s, NULL, b, sizeof b));
        assert_true(strcmp(a, b) != 0);
    }
    assert_true(rs_train_describe(&r, "abc", b, sizeof b));
    assert_non_null(strstr(b, "start sha256 abc\n"));
    rs_train_recipe tune = rs_train_tune_defaults();
    assert_true(tune.rate.flat == 0 && tune.rate.steps == 80 && tune.member.frozen);
    rs_train_set_steps(&tune, 200);
    assert_true(tune.rate.flat == 0 && tune.rate.steps == 200 && tune.rate.rate == 4e-4);
}

static void recipes_out_of_range(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    assert_ok(rs_train_check(&r, &err), &err);
    r.members = 0;
    assert_error(rs_train_check(&r, &err), RESHED_EINVAL, &err, "members");
    r = tiny();
    r.rate.rate = NAN;
    assert_error(rs_train_check(&r, &err), RESHED_EINVAL, &err, "learning rate");
    r = tiny();
    r.arch.levels = 2;
    assert_error(rs_train_check(&r, &err), RESHED_EUNSUPPORTED, &err, "levels");
    r = tiny();
    r.report = 0;
    assert_error(rs_train_check(&r, &err), RESHED_EINVAL, &err, "curve");
    rs_train_result result = {0};
    r = tiny();
    r.tune = true; /* from nothing */
    const rs_train_job job = {.recipe = &r};
    assert_error(rs_train_run(&job, &result, &err), RESHED_EINVAL, &err, "start");
}

/* ------------------------------------------------------------------------------------------ runs */
static void assert_same_results(const rs_train_result *a, const rs_train_result *b)
{
    char x[65], y[65];
    rs_model_file_digest(&a->model, x);
    rs_model_file_digest(&b->model, y);
    assert_string_equal(x, y);
    for (int m = 0; m < a->model.members; m++) {
        assert_int_equal(a->curve[m].n, b->curve[m].n);
        for (int i = 0; i < a->curve[m].n; i++)
            assert_memory_equal(&a->curve[m].point[i], &b->curve[m].point[i],
                                sizeof(rs_curve_point));
    }
}

/* The last is inside the part that is averaged; checkpoints are of every second step. */
static const long kept_at[MEMBERS] = {3, 5, 7};
enum { AVERAGED_FROM = 5 }; /* the first step whose weights are averaged */

/* Keeps each member's checkpoint as it is after a step of its own, as a kill there would leave it. */
typedef struct keeper {
    const char *folder;
    uint8_t *file[MEMBERS];
    size_t bytes[MEMBERS];
    int calls;
    double f;
    bool resumed[MEMBERS];
    long first[MEMBERS]; /* step of the first news of each member + 1 */
} keeper;

static void keep(void *ctx, const rs_train_news *n)
{
    keeper *k = ctx;
    char path[4096];
    k->calls++;
    if (isfinite(n->f)) k->f = n->f;
    if (n->resumed) {
        assert_int_equal(k->first[n->member], 0); /* before all other news */
        k->resumed[n->member] = true;
    }
    if (k->first[n->member] == 0) k->first[n->member] = n->step + 1;
    if (!k->folder || n->step != kept_at[n->member]) return;
    snprintf(path, sizeof path, "%s/member_%03d.state", k->folder, n->member);
    rs_free(k->file[n->member]);
    k->file[n->member] = test_read_file(path, &k->bytes[n->member]);
}

static void runs_do_not_depend_on_threads(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    rs_train_result a = {0}, b = {0};
    keeper k = {.f = NAN};
    rs_train_job job = {.recipe = &r, .threads = 1, .news = keep, .ctx = &k};
    assert_ok(rs_train_run(&job, &a, &err), &err);
    assert_true(k.calls >= MEMBERS * STEPS && isfinite(k.f));
    for (job.threads = 2; job.threads <= 3; job.threads++) {
        assert_ok(rs_train_run(&job, &b, &err), &err);
        assert_same_results(&a, &b);
        rs_train_result_clear(&b);
    }
    /* A network of the engine, with its recipe; members differ. */
    assert_ok(rs_net_check(&a.model, &err), &err);
    assert_non_null(strstr(a.model.recipe, "seed 1, members 3\n"));
    assert_true(a.model.pixel_size_min == 4e-9 && a.model.pixel_size_max == 24e-9);
    const rs_tensor *s = rs_tensors_find(&a.model.member[0], "out.weight");
    const rs_tensor *t = rs_tensors_find(&a.model.member[1], "out.weight");
    assert_true(memcmp(s->data, t->data, s->count * sizeof(float)) != 0);
    /* Points at 3, 6, at 4 and 8 (judged), and one of the averaged weights. */
    assert_int_equal(a.curve[0].n, 5);
    assert_true(a.curve[0].point[1].step == 4 && isfinite(a.curve[0].point[1].f));
    assert_true(isnan(a.curve[0].point[0].f) && isnan(a.curve[0].point[4].loss));
    rs_train_result_clear(&a);
}

static void runs_resume_to_the_same_bits(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    r.rate.flat = 4;
    rs_train_result a = {0}, b = {0};
    keeper k = {.folder = folder("resume")};
    rs_train_job job = {.recipe = &r, .folder = k.folder, .threads = 2, .news = keep, .ctx = &k};
    assert_ok(rs_train_run(&job, &a, &err), &err);
    assert_true(!k.resumed[0] && k.first[0] == 2);
    /* Finished members are taken as they are. */
    keeper second = {.folder = NULL};
    job.ctx = &second;
    assert_ok(rs_train_run(&job, &b, &err), &err);
    assert_same_results(&a, &b);
    for (int m = 0; m < MEMBERS; m++)
        assert_true(second.resumed[m] && second.first[m] == STEPS + 1);
    rs_train_result_clear(&b);
    /* Each from another step, and one from none. */
    char path[4096];
    assert_true(r.rate.steps - r.rate.flat + 1 == AVERAGED_FROM);
    for (int gone = 0; gone < MEMBERS; gone++) {
        keeper third = {.folder = NULL};
        for (int m = 0; m < MEMBERS; m++) {
            assert_non_null(k.file[m]);
            snprintf(path, sizeof path, "%s/member_%03d.state", k.folder, m);
            test_write_file(path, k.file[m], k.bytes[m]);
            if (m == gone) assert_int_equal(remove(path), 0);
        }
        job.threads = 1 + gone % 2;
        job.ctx = &third;
        assert_ok(rs_train_run(&job, &b, &err), &err);
        assert_same_results(&a, &b);
        for (int m = 0; m < MEMBERS; m++) {
            assert_true(third.resumed[m] == (m != gone));
            assert_int_equal(third.first[m], m == gone ? 2 : kept_at[m] / 2 * 2 + 1);
        }
        rs_train_result_clear(&b);
    }
    for (int m = 0; m < MEMBERS; m++) {
        snprintf(path, sizeof path, "%s/member_%03d.state", k.folder, m);
        test_write_file(path, k.file[m], k.bytes[m]);
    }
    keeper none = {.folder = NULL};
    job.ctx = &none;
    job.threads = 1;
    /* Another recipe does not go on from them. */
    r.batches.seed = 9;
    assert_error(rs_train_run(&job, &b, &err), RESHED_EINVAL, &err, "checkpoint of another");
    r.batches.seed = 1;
    /* A damaged one is refused, not trained on. */
    k.file[1][k.bytes[1] / 2] ^= 1;
    snprintf(path, sizeof path, "%s/member_001.state", k.folder);
    test_write_file(path, k.file[1], k.bytes[1]);
    assert_error(rs_train_run(&job, &b, &err), RESHED_ECORRUPT, &err, "checksum");
    rs_os_clear_folder(k.folder, "member_");
    assert_false(rs_os_is_file(path));
    for (int m = 0; m < MEMBERS; m++) rs_free(k.file[m]);
    rs_train_result_clear(&a);
}

/* A checkpoint of this recipe whose numbers do not fit it is damaged, whatever its checksum says. */
static void checkpoints_fit_their_recipe(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    r.members = 1;
    r.holdout = 1;
    rs_train_result a = {0};
    char words[RS_MODEL_RECIPE], path[4096];
    rs_train_job job = {.recipe = &r, .folder = folder("fits"), .threads = 1};
    assert_ok(rs_train_run(&job, &a, &err), &err);
    rs_train_result_clear(&a);
    assert_true(rs_train_describe(&r, NULL, words, sizeof words));
    assert_ok(rs_checkpoint_path(job.folder, 0, path, sizeof path, &err), &err);
    rs_member *m = NULL;
    rs_checkpoint c = {.member = 0};
    rs_member_options o = r.member;
    o.batch = r.batches.batch;
    o.height = o.width = r.batches.augment.size;
    assert_ok(rs_member_create(&r.arch, &o, 1, &m, &err), &err);
    assert_ok(rs_checkpoint_load(path, words, &c, m, &err), &err);
    assert_true(c.done && c.step == STEPS && c.curve.n > 0);
    static const char *const what[] = {"steps in", "steps in",  "steps of",
                                       "losses",   "losses in", "curve in"};
    for (int k = 0; k < 6; k++) {
        const rs_checkpoint good = c;
        const rs_curve_point point = c.curve.point[0];
        if (k == 0) c.step = STEPS + 1;
        if (k == 1) c.step = STEPS - 1;
        if (k == 2) c.step = STEPS - 1, c.done = false;
        if (k == 3) c.losses = STEPS + 1;
        if (k == 4) c.losses = -1;
        if (k == 5) c.curve.point[0].step = STEPS + 1;
        assert_ok(rs_checkpoint_save(path, words, &c, m, &err), &err);
        assert_error(rs_train_run(&job, &a, &err), RESHED_ECORRUPT, &err, what[k]);
        c = good;
        c.curve.point[0] = point;
    }
    assert_ok(rs_checkpoint_save(path, words, &c, m, &err), &err);
    assert_ok(rs_train_run(&job, &a, &err), &err);
    rs_train_result_clear(&a);
    rs_curve_clear(&c.curve);
    rs_member_free(m);
    rs_os_clear_folder(job.folder, "member_");
}

/* Tuning starts from weights and learns from own frames. */
static void tuning_learns_own_frames(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    rs_picture own = {0};
    const rs_picture_scene scene = {.size = 40, .harsh = 0.5};
    rs_model_file start = {0};
    assert_ok(rs_picture_simulate(&scene, 77, 0, &own, &err), &err);
    assert_ok(rs_picture_distance(&own, &err), &err);
    test_model(&start, 2, 2, 1, (const int[]){1, 1, 1}, "bilinear", 5);
    snprintf(start.recipe, sizeof start.recipe, "as it was");
    r.tune = r.member.frozen = true;
    r.batches.own = &own;
    r.batches.owns = 1;
    r.batches.share = 1;
    r.average_every = r.statistics = 0;
    r.rate.flat = 0;
    r.rate.rate = 0.01;
    rs_train_set_steps(&r, 120);
    r.report = 10;
    r.judge = 1000;
    rs_train_result a = {0};
    const rs_train_job job = {.recipe = &r, .start = &start, .threads = 2};
    assert_ok(rs_train_run(&job, &a, &err), &err);
    for (int m = 0; m < MEMBERS; m++)
        assert_true(a.curve[m].point[11].loss < a.curve[m].point[0].loss);
    assert_non_null(strstr(a.model.recipe, "own frames 1, share 1, "));
    assert_non_null(strstr(a.model.recipe, "that start:\nas it was"));
    /* Frozen statistics are those of the start. */
    const char *name = "net1.res_module.0.bn1.running_mean";
    const rs_tensor *s = rs_tensors_find(&start.member[1], name);
    const rs_tensor *t = rs_tensors_find(&a.model.member[1], name);
    for (size_t i = 0; i < s->count; i++) assert_true(rs_tensor_at(s, i) == rs_tensor_at(t, i));
    /* It is judged with the frame it has learnt, and on others. */
    rs_train_scores before, after;
    assert_ok(rs_train_compare(&start, RS_TWIN_FILM_PZT, 2, &own, 1, 2, &before, &err), &err);
    assert_ok(rs_train_compare(&a.model, RS_TWIN_FILM_PZT, 2, NULL, 0, 1, &after, &err), &err);
    assert_true(before.own >= 0 && before.own <= 1 && isnan(after.own));
    assert_true(after.holdout >= 0 && after.holdout <= 1);
    rs_train_result_clear(&a);
    rs_model_file_clear(&start);
    rs_picture_clear(&own);
}

/* Of the start is kept what was asked for, by members that were interrupted as well. */
static void tuning_keeps_of_the_start(void **state)
{
    (void)state;
    enum { RUNS = 5 };
    static const double share[RUNS] = {0, 0, 0.5, 0.25, 1};
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    rs_model_file start = {0};
    rs_train_result result[RUNS];
    memset(result, 0, sizeof result);
    test_model(&start, 2, 2, 1, (const int[]){1, 1, 1}, "bilinear", 5);
    r.tune = true; /* statistics move too */
    r.average_every = r.statistics = 0;
    r.rate.flat = 0;
    rs_train_job job = {.recipe = &r, .start = &start, .threads = 2};
    for (int k = 0; k < RUNS; k++) {
        r.keep = share[k];
        assert_ok(rs_train_run(&job, &result[k], &err), &err);
        assert_true((strstr(result[k].model.recipe, "kept of the start") != NULL) == (k > 1));
    }
    assert_same_results(&result[0], &result[1]);
    assert_non_null(strstr(result[2].model.recipe, "kept of the start 0.5\n"));
    bool moved = false;
    for (int m = 0; m < MEMBERS; m++)
        for (int i = 0; i < result[0].model.member[m].n; i++) {
            const rs_tensor *t = &result[0].model.member[m].t[i];
            const rs_tensor *s = rs_tensors_find(&start.member[m % 2], t->name);
            if (t->dtype != RS_F32) continue;
            for (int k = 1; k < RUNS; k++) {
                const rs_tensor *x = rs_tensors_find(&result[k].model.member[m], t->name);
                for (size_t j = 0; j < t->count; j++) {
                    const double from = rs_tensor_at(s, j), to = rs_tensor_at(t, j);
                    const float want = (float)(share[k] * from + (1 - share[k]) * to);
                    assert_true((float)rs_tensor_at(x, j) == want);
                    moved = moved || from != to;
                }
            }
        }
    assert_true(moved);
    /* The last point of the curve is the F of what is kept. */
    assert_int_equal(result[2].curve[0].n, result[0].curve[0].n + 1);
    /* A finished member is not mixed again, and one of another share does not go on. */
    rs_train_result again = {0};
    job.folder = folder("kept");
    r.keep = 0.5;
    for (int k = 0; k < 2; k++) {
        assert_ok(rs_train_run(&job, &again, &err), &err);
        assert_same_results(&result[2], &again);
        rs_train_result_clear(&again);
    }
    r.keep = 0.25;
    assert_error(rs_train_run(&job, &again, &err), RESHED_EINVAL, &err, "checkpoint of another");
    rs_os_clear_folder(job.folder, "member_");
    job.folder = NULL;
    static const double wrong[] = {-0.1, 1.1, NAN};
    for (int k = 0; k < 3; k++) {
        r.keep = wrong[k];
        assert_error(rs_train_run(&job, &again, &err), RESHED_EINVAL, &err, "kept of the start");
    }
    r = tiny(); /* fit has no start */
    r.keep = 0.5;
    assert_error(rs_train_check(&r, &err), RESHED_EINVAL, &err, "kept of the start");
    for (int k = 0; k < RUNS; k++) rs_train_result_clear(&result[k]);
    rs_model_file_clear(&start);
}

/* What is said of walls where nothing is known changes no bit of what is learnt. */
static void tuning_leaves_the_unknown_alone(void **state)
{
    (void)state;
    enum { S = 40 };
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    rs_picture own = {0};
    const rs_picture_scene scene = {.size = S, .harsh = 0.5};
    rs_model_file start = {0};
    rs_train_result result[3];
    memset(result, 0, sizeof result);
    r.tune = r.member.frozen = true;
    r.members = 1;
    r.batches.own = &own;
    r.batches.owns = 1;
    r.batches.share = 1;
    r.batches.own_turn = 0; /* a turned piece mixes neighbours */
    r.average_every = r.statistics = r.holdout = 0;
    r.rate.flat = 0;
    test_model(&start, 1, 2, 1, (const int[]){1, 1, 1}, "bilinear", 5);
    const rs_train_job job = {.recipe = &r, .start = &start, .threads = 1};
    for (int k = 0; k < 3; k++) {
        assert_ok(rs_picture_simulate(&scene, 77, 0, &own, &err), &err);
        assert_ok(rs_picture_distance(&own, &err), &err);
        for (int i = 0; i < S * S; i++) {
            const bool unknown = i % S >= S / 2;
            if (unknown && k < 2) own.known[i] = 0;
            if (unknown && k > 0) own.wall[i] ^= 1;
        }
        assert_ok(rs_train_run(&job, &result[k], &err), &err);
        rs_picture_clear(&own);
    }
    const rs_tensor *t[3];
    for (int k = 0; k < 3; k++) {
        t[k] = rs_tensors_find(&result[k].model.member[0], "out.weight");
        assert_non_null(t[k]);
    }
    assert_memory_equal(t[0]->data, t[1]->data, t[0]->count * sizeof(float));
    assert_true(memcmp(t[1]->data, t[2]->data, t[1]->count * sizeof(float)) != 0); /* all known */
    for (int k = 0; k < 3; k++) rs_train_result_clear(&result[k]);
    rs_model_file_clear(&start);
}

/* The n-th failure of an allocation ends the run with that, leaks nothing and leaves the last whole
 * checkpoints. */
static void runs_bear_want_of_memory(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    r.members = 1;
    r.holdout = 1;
    rs_train_set_steps(&r, 2);
    const char *path = folder("want");
    const rs_train_job job = {.recipe = &r, .folder = path, .threads = 1};
    const long stride = test_tier(97, 17, 1);
    r.checkpoint = 1;
    char words[RS_MODEL_RECIPE], state_path[4096];
    assert_true(rs_train_describe(&r, NULL, words, sizeof words));
    assert_ok(rs_checkpoint_path(path, 0, state_path, sizeof state_path, &err), &err);
    rs_member *m = NULL;
    rs_member_options o = r.member;
    o.batch = r.batches.batch;
    o.height = o.width = r.batches.augment.size;
    assert_ok(rs_member_create(&r.arch, &o, 1, &m, &err), &err);
    int whole = 0;
    for (long k = 0;; k += stride) {
        rs_train_result a = {0};
        test_alloc_fail_at(k);
        const reshed_status st = rs_train_run(&job, &a, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (rs_os_is_file(state_path)) {
            rs_checkpoint c = {.member = 0};
            assert_ok(rs_checkpoint_load(state_path, words, &c, m, &err), &err);
            assert_true(c.step >= 1 && c.step <= 2 && rs_member_steps(m) == c.step);
            rs_curve_clear(&c.curve);
            whole += failed;
        }
        if (!failed) {
            rs_train_result_clear(&a);
            break;
        }
        rs_os_clear_folder(path, "member_");
        assert_ok(rs_os_make_folder(path, &err), &err);
    }
    assert_true(whole > 0);
    rs_member_free(m);
}

/* ------------------------------------------------------------------------------------ checkpoints */
static void checkpoints_bear_any_bytes(void **state)
{
    (void)state;
    reshed_error err = {0};
    const rs_arch arch = {.levels = 1, .layers = {1}, .filters = 1, .classes = 1};
    rs_member_options o = rs_member_defaults();
    rs_member *m = NULL;
    rs_checkpoint c = {.member = 2, .step = 7, .loss = 0.5, .losses = 3};
    o.batch = 1;
    o.height = o.width = 16;
    assert_ok(rs_member_create(&arch, &o, 4, &m, &err), &err);
    for (int i = 0; i < 20; i++)
        assert_ok(rs_curve_add(&c.curve, &(rs_curve_point){i, 1.0 / (i + 1), NAN}, &err), &err);
    const char *path = test_temp("one.state");
    assert_ok(rs_checkpoint_save(path, "words", &c, m, &err), &err);
    size_t n;
    uint8_t *bytes = test_read_file(path, &n);
    for (size_t k = 0; k < n; k += (size_t)test_tier(997, 97, 1)) {
        bytes[k] ^= 0x10; /* no byte but is under the checksum */
        test_write_file(path, bytes, n);
        rs_checkpoint d = {.member = 2};
        assert_int_equal(rs_checkpoint_load(path, "words", &d, m, &err), RESHED_ECORRUPT);
        bytes[k] ^= 0x10;
        test_write_file(path, bytes, k); /* cut */
        assert_int_equal(rs_checkpoint_load(path, "words", &d, m, &err), RESHED_ECORRUPT);
        assert_int_equal(d.curve.n, 0);
    }
    test_write_file(path, bytes, n);
    rs_checkpoint d = {.member = 2}, e = {.member = 1};
    assert_int_equal(rs_checkpoint_load(path, "others", &d, m, &err), RESHED_EINVAL);
    assert_int_equal(rs_checkpoint_load(path, "words", &e, m, &err), RESHED_EINVAL);
    assert_ok(rs_checkpoint_load(path, "words", &d, m, &err), &err);
    assert_true(d.step == 7 && d.loss == 0.5 && d.losses == 3 && !d.done && d.curve.n == 20);
    assert_true(d.curve.point[19].step == 19 && isnan(d.curve.point[19].f));
    rs_curve_clear(&c.curve);
    rs_curve_clear(&d.curve);
    rs_free(bytes);
    rs_member_free(m);
    char narrow[8];
    assert_int_equal(rs_checkpoint_path("folder", 0, narrow, sizeof narrow, &err), RESHED_EINVAL);
}

/* ---------------------------------------------------------------------------------------- budgets */
static void budgets_are_kept(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    rs_train_limit limit = {.minutes = 0.02, .threads = 1, .folder = folder("budget")};
    rs_train_pace pace = {0};
    assert_ok(rs_train_measure(&r, 2, 3, &pace, &err), &err);
    assert_true(pace.step > 0 && pace.statistics > 0 && pace.judge > 0);
    /* What is kept is found again, whatever the pace is by now. */
    char path[4096], text[400];
    snprintf(path, sizeof path, "%s/member_steps.txt", limit.folder);
    assert_ok(rs_train_budget(&r, &limit, &err), &err);
    assert_true(r.rate.steps >= 10);
    read_text(path, text, sizeof text);
    char *line = strchr(text, '\n');
    assert_non_null(line);
    strcpy(line + 1, "54321");
    test_write_file(path, text, strlen(text));
    r = tiny();
    assert_ok(rs_train_budget(&r, &limit, &err), &err);
    assert_int_equal(r.rate.steps, 54321);
    /* The steps that the recipe had before do not matter. */
    r = tiny();
    rs_train_set_steps(&r, 77);
    assert_ok(rs_train_budget(&r, &limit, &err), &err);
    assert_int_equal(r.rate.steps, 54321);
    /* For another recipe, other threads or other minutes it is measured anew. */
    for (int k = 0; k < 3; k++) {
        rs_train_limit other = limit;
        r = tiny();
        if (k == 0) r.batches.seed = 5;
        if (k == 1) other.threads = 2;
        if (k == 2) other.minutes = 1e-6;
        test_write_file(path, text, strlen(text));
        assert_ok(rs_train_budget(&r, &other, &err), &err);
        assert_int_not_equal(r.rate.steps, 54321);
        if (k == 2) assert_int_equal(r.rate.steps, 10);
    }
    rs_os_clear_folder(limit.folder, "member_");
    limit.folder = NULL;
    assert_ok(rs_train_budget(&r, &limit, &err), &err);
}

/* Statistics and scores are part of the time: a short training takes fewer batches of statistics, and
 * what costs more leaves room for fewer steps. */
static void budgets_count_everything(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_train_recipe r = tiny();
    const rs_train_limit tight = {.minutes = 1e-6, .threads = 1};
    r.statistics = 1000;
    assert_ok(rs_train_budget(&r, &tight, &err), &err);
    assert_true(r.rate.steps == 10 && r.statistics == 10);
    /* Time for some 1000 steps; none is left beside scores that take longer than all of it. */
    rs_train_pace pace;
    r = tiny();
    r.members = 1;
    assert_ok(rs_train_measure(&r, 1, 5, &pace, &err), &err);
    rs_train_limit limit = {.minutes = 4000 * pace.step / 60, .threads = 1};
    assert_ok(rs_train_budget(&r, &limit, &err), &err);
    assert_true(r.rate.steps > 10);
    const double piece = r.batches.batch * 24.0 * 24;
    limit.pixels = 1e6 * pace.step / pace.judge * piece;
    r = tiny();
    r.members = 1;
    assert_ok(rs_train_budget(&r, &limit, &err), &err);
    assert_int_equal(r.rate.steps, 10);
}

/* ------------------------------------------------------------------------------------ calibration */
static void calibration_by_hand(void **state)
{
    (void)state;
    enum { N = 2, FRAMES = 3 };
    reshed_error err = {0};
    rs_model_file m = {0};
    rs_picture *p = NULL;
    float *maps[FRAMES], *changed[FRAMES];
    const rs_picture_scene scene = {.size = 32, .harsh = 0.5};
    const double scale[] = {1, 1.5}, shift[] = {0, 0.4, -3};
    rs_calibration_trial trial[6];
    int best = -1;
    test_model(&m, N, 2, 1, (const int[]){1, 1, 1}, "bilinear", 6);
    assert_ok(rs_pictures_simulate(&scene, 8, FRAMES, 2, &p, &err), &err);
    assert_ok(rs_calibrate(&m, p, FRAMES, 2, scale, 2, shift, 3, 1, trial, &best, &err), &err);
    assert_true(best >= 0 && trial[4].scale == 1.5 && trial[4].shift == 0.4);
    for (int i = 0; i < 6; i++) assert_true(trial[i].scores.f <= trial[best].scores.f);
    /* No error is small enough. */
    assert_ok(rs_calibrate(&m, p, FRAMES, 1, scale, 2, shift, 3, 0, trial, &best, &err), &err);
    assert_int_equal(best, -1);
    /* What is scored is what the changed network says. */
    assert_ok(rs_score_maps(&m, p, FRAMES, 1, maps, &err), &err);
    snprintf(m.recipe, sizeof m.recipe, "seed 1\n");
    assert_ok(rs_calibrate_apply(&m, 1.5, 0.4, &err), &err);
    assert_string_equal(m.recipe, "calibrated: scale 1.5, shift 0.4\nseed 1\n");
    assert_ok(rs_score_maps(&m, p, FRAMES, 1, changed, &err), &err);
    for (int i = 0; i < FRAMES; i++) {
        for (int k = 0; k < N * 32 * 32; k++) {
            const double z = log((double)maps[i][k] / (1 - (double)maps[i][k]));
            assert_near(changed[i][k], 1 / (1 + exp(-1.5 * z - 0.4)), 1e-5);
        }
        rs_free(maps[i]);
        rs_free(changed[i]);
    }
    rs_wall_scores s;
    assert_ok(rs_score_ensemble(&m, p, FRAMES, 2, &s, &err), &err);
    assert_near(s.f, trial[4].scores.f, TOL_FLOAT);
    rs_tensor *t = &m.member[1].t[m.member[1].n - 1];
    t->name[0] = 'x';
    assert_int_equal(rs_calibrate_apply(&m, 2, 0, &err), RESHED_EUNSUPPORTED);
    rs_pictures_free(p, FRAMES);
    rs_model_file_clear(&m);
}

/* The calibration stands first, whatever was known before: nothing, or more than there is room for. */
static void calibrations_are_written_down(void **state)
{
    (void)state;
    static const char line[] = "calibrated: scale 2, shift 0.5\n";
    reshed_error err = {0};
    rs_model_file m = {0};
    test_model(&m, 1, 2, 1, (const int[]){1, 1, 1}, "bilinear", 6);
    m.recipe[0] = '\0';
    assert_ok(rs_calibrate_apply(&m, 2, 0.5, &err), &err);
    assert_string_equal(m.recipe, line);
    for (size_t n = sizeof m.recipe - sizeof line - 4; n < sizeof m.recipe; n++) {
        memset(m.recipe, 'r', sizeof m.recipe);
        m.recipe[n] = '\0';
        assert_ok(rs_calibrate_apply(&m, 2, 0.5, &err), &err);
        assert_memory_equal(m.recipe, line, sizeof line - 1);
        const size_t all = n + sizeof line - 1;
        assert_int_equal(strlen(m.recipe), all < sizeof m.recipe ? all : sizeof m.recipe - 1);
    }
    rs_model_file_clear(&m);
}

/* Walls drawn as diagonals of two pixels are walls: a line along them is right. */
static void diagonals_of_two_pixels_count(void **state)
{
    (void)state;
    enum { S = 24 };
    reshed_error err = {0};
    rs_picture p;
    float map[S * S] = {0};
    rs_wall_tally t = {0};
    rs_wall_scores s;
    assert_ok(rs_picture_init(&p, S, S, &err), &err);
    memset(p.wall, 0, S * S);
    for (int x = 2; x < S - 3; x++) {
        p.wall[x * S + x] = p.wall[x * S + x + 1] = 1;
        map[x * S + x] = 1;
    }
    assert_ok(rs_score_map(&p, map, &t, &err), &err);
    rs_wall_tally_scores(&t, &s, NULL);
    assert_near(s.precision, 1, TOL_ROUNDING);
    assert_true(s.recall > 0.9);
    rs_wall_tally_clear(&t);
    rs_picture_clear(&p);
}

/* Pixels that are not known make neither a hit nor a miss. */
static void unknown_pixels_do_not_count(void **state)
{
    (void)state;
    enum { S = 16 };
    reshed_error err = {0};
    rs_picture p;
    float map[S * S] = {0};
    rs_wall_tally t = {0};
    rs_wall_scores s;
    assert_ok(rs_picture_init(&p, S, S, &err), &err);
    memset(p.wall, 0, S * S);
    for (int x = 0; x < S; x++) {
        p.wall[4 * S + x] = 1;
        map[4 * S + x] = map[12 * S + x] = 1;
        for (int y = 9; y < S; y++) p.known[y * S + x] = 0;
    }
    assert_ok(rs_score_map(&p, map, &t, &err), &err);
    rs_wall_tally_scores(&t, &s, NULL);
    assert_true(s.f == 1);
    rs_wall_tally_clear(&t);
    memset(p.known, 1, S * S);
    assert_ok(rs_score_map(&p, map, &t, &err), &err);
    rs_wall_tally_scores(&t, &s, NULL);
    assert_near(s.precision, 0.5, TOL_ROUNDING);
    rs_wall_tally_clear(&t);
    rs_picture_clear(&p);
}

static void curves_are_drawn(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_curve c[2] = {{0}};
    rs_figure *f = NULL;
    rs_rgb8 picture = {0};
    for (int i = 0; i < 40; i++)
        for (int m = 0; m < 2; m++)
            assert_ok(rs_curve_add(
                          &c[m], &(rs_curve_point){i, 1.0 / (i + 1 + m), i % 5 ? NAN : 0.5}, &err),
                      &err);
    assert_ok(rs_curve_figure(c, 2, 600, 300, &f, &err), &err);
    assert_ok(rs_figure_draw(f, &picture, &err), &err);
    assert_true(picture.width == 600 && picture.height == 300);
    rs_rgb8_clear(&picture);
    rs_figure_free(f);
    rs_curve none = {0};
    assert_ok(rs_curve_figure(&none, 1, 600, 300, &f, &err), &err);
    rs_figure_free(f);
    rs_curve_clear(&c[0]);
    rs_curve_clear(&c[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipes_in_words),
        cmocka_unit_test(recipes_out_of_range),
        cmocka_unit_test(runs_do_not_depend_on_threads),
        cmocka_unit_test(runs_resume_to_the_same_bits),
        cmocka_unit_test(checkpoints_fit_their_recipe),
        cmocka_unit_test(tuning_learns_own_frames),
        cmocka_unit_test(tuning_keeps_of_the_start),
        cmocka_unit_test(tuning_leaves_the_unknown_alone),
        cmocka_unit_test(runs_bear_want_of_memory),
        cmocka_unit_test(checkpoints_bear_any_bytes),
        cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(budgets_count_everything),
        cmocka_unit_test(calibration_by_hand),
        cmocka_unit_test(calibrations_are_written_down),
        cmocka_unit_test(diagonals_of_two_pixels_count),
        cmocka_unit_test(unknown_pixels_do_not_count),
        cmocka_unit_test(curves_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
