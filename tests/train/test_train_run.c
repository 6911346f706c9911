/* Training as a whole: recipes, checkpoints, curves, scores, runs that resume, calibration. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "support/io_support.h"
#include "support/model.h"

#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/figures/plot.h"
#include "io/weights/model.h"
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

/* Keeps each member's checkpoint as it is after a step of its own, as a kill there would leave it. */
typedef struct keeper {
    const char *folder;
    uint8_t *file[MEMBERS];
    size_t bytes[MEMBERS];
    int calls;
    double f;
} keeper;

static void keep(void *ctx, const rs_train_news *n)
{
    keeper *k = ctx;
    char path[4096];
    k->calls++;
    if (isfinite(n->f)) k->f = n->f;
    if (!k->folder || n->step != 3 + 2 * n->member) return;
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
    rs_train_result a = {0}, b = {0};
    keeper k = {.folder = folder("resume")};
    rs_train_job job = {.recipe = &r, .folder = k.folder, .threads = 2, .news = keep, .ctx = &k};
    assert_ok(rs_train_run(&job, &a, &err), &err);
    /* Finished members are taken as they are. */
    keeper none = {.folder = NULL};
    job.ctx = &none;
    assert_ok(rs_train_run(&job, &b, &err), &err);
    assert_same_results(&a, &b);
    rs_train_result_clear(&b);
    /* Each from another step, and one from none. */
    char path[4096];
    for (int m = 0; m < MEMBERS; m++) {
        assert_non_null(k.file[m]);
        snprintf(path, sizeof path, "%s/member_%03d.state", k.folder, m);
        test_write_file(path, k.file[m], k.bytes[m]);
    }
    job.threads = 1;
    assert_ok(rs_train_run(&job, &b, &err), &err);
    assert_same_results(&a, &b);
    rs_train_result_clear(&b);
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

/* Tuning starts from weights, learns from own frames, and leaves what is not known alone. */
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
    for (long k = 0;; k += stride) {
        rs_train_result a = {0};
        test_alloc_fail_at(k);
        const reshed_status st = rs_train_run(&job, &a, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) {
            rs_train_result_clear(&a);
            break;
        }
        rs_os_clear_folder(path, "member_");
        assert_ok(rs_os_make_folder(path, &err), &err);
    }
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
    const char *path = folder("budget");
    double pace = 0;
    assert_ok(rs_train_pace(&r, 3, &pace, &err), &err);
    assert_true(pace > 0);
    assert_ok(rs_train_budget(&r, 0.02, 1, path, &err), &err);
    const long steps = r.rate.steps;
    assert_true(steps >= 10);
    /* Found again, whatever the pace is by now; other minutes are measured anew. */
    rs_train_recipe other = tiny();
    assert_ok(rs_train_budget(&other, 0.02, 8, path, &err), &err);
    assert_int_equal(other.rate.steps, steps);
    assert_ok(rs_train_budget(&other, 1e-6, 1, path, &err), &err);
    assert_int_equal(other.rate.steps, 10);
    rs_os_clear_folder(path, "member_");
    assert_ok(rs_train_budget(&other, 1e-6, 1, NULL, &err), &err);
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
    assert_string_equal(m.recipe, "seed 1\ncalibrated: scale 1.5, shift 0.4\n");
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
        cmocka_unit_test(tuning_learns_own_frames),
        cmocka_unit_test(runs_bear_want_of_memory),
        cmocka_unit_test(checkpoints_bear_any_bytes),
        cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(calibration_by_hand),
        cmocka_unit_test(unknown_pixels_do_not_count),
        cmocka_unit_test(curves_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
