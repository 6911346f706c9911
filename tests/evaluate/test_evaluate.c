/* Scores of ensembles on labelled and simulated frames: rows, blocks and their numbers. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "evaluate/baselines.h"
#include "evaluate/roc.h"
#include "evaluate/shift.h"
#include "evaluate/table.h"
#include "infer/ensemble.h"
#include "infer/frame.h"
#include "io/npy.h"

#define ENSEMBLE "tiny_bilinear_ensemble_metadict.tar"

/* ------------------------------------------------------------------------------------------ ROC */

static void areas_by_hand(void **state)
{
    (void)state;
    static const double low[] = {1, 2, 3, 4}, high[] = {3, 5, 6};
    rs_roc roc;
    reshed_error err = {0};
    /* 3 beats 1 and 2 and ties with 3; 5 and 6 beat all: 10.5 of 12. */
    assert_ok(rs_roc_area(low, 4, high, 3, &roc, &err), &err);
    assert_true(fabs(roc.auroc - 10.5 / 12) < TOL_ROUNDING);
    /* DeLong by hand: shares of the positives 2.5/4, 1, 1 (variance 3/64), of the negatives 1, 1,
     * 2.5/3, 2/3 (variance 0.075/3 = 0.0254629...). */
    double vp = 3.0 / 64, m = (1 + 1 + 2.5 / 3 + 2.0 / 3) / 4;
    double vn =
        (2 * (1 - m) * (1 - m) + (2.5 / 3 - m) * (2.5 / 3 - m) + (2.0 / 3 - m) * (2.0 / 3 - m)) / 3;
    double reach = 1.959963984540054 * sqrt(vp / 3 + vn / 4);
    assert_true(fabs(roc.low - (10.5 / 12 - reach)) < TOL_DOUBLE);
    assert_true(roc.high == 1);
    /* The other way round. */
    rs_roc back;
    assert_ok(rs_roc_area(high, 3, low, 4, &back, &err), &err);
    assert_true(fabs(back.auroc - 1.5 / 12) < TOL_ROUNDING);
    assert_true(fabs(back.high - (1.5 / 12 + reach)) < TOL_DOUBLE);
    /* Wholly apart: no spread, the rule of three. */
    static const double far[] = {7, 8, 9, 10};
    assert_ok(rs_roc_area(low, 4, far, 4, &roc, &err), &err);
    assert_true(roc.auroc == 1 && roc.high == 1 && fabs(roc.low - 0.25) < TOL_ROUNDING);
    assert_int_equal(rs_roc_area(low, 1, far, 4, &roc, &err), RESHED_EINVAL);
    static const double bad[] = {1, NAN};
    assert_int_equal(rs_roc_area(low, 4, bad, 2, &roc, &err), RESHED_EINVAL);
}

/* Normal scores a known distance apart: the area is Phi(d/sqrt 2), and the interval covers it about
 * as often as it says. */
static void interval_covers_the_true_area(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    int covered = 0, runs = 400;
    const double d = 1.2, area = 0.5 * erfc(-d / 2);
    for (int k = 0; k < runs; k++) {
        double a[60], b[50];
        rs_roc roc;
        for (int i = 0; i < 60; i++) a[i] = test_gauss(&r);
        for (int i = 0; i < 50; i++) b[i] = d + test_gauss(&r);
        reshed_error err = {0};
        assert_ok(rs_roc_area(a, 60, b, 50, &roc, &err), &err);
        covered += roc.low <= area && area <= roc.high;
    }
    if (covered < 0.91 * runs || covered > 0.985 * runs)
        fail_msg("95 %% interval covers %d of %d", covered, runs);
}

/* ------------------------------------------------------------------------------------ the table */

enum { SIDE = 40, PIXELS = SIDE * SIDE, SETS = 5, BASELINES = 4 };

/* A dark square whose outermost pixels are its walls. */
static void draw_square(float *image, float *walls)
{
    for (int i = 0; i < PIXELS; i++) {
        const int r = i / SIDE, c = i % SIDE, inside = r >= 12 && r < 30 && c >= 10 && c < 28;
        image[i] = inside ? 0 : 1;
        walls[i] = inside && (r == 12 || r == 29 || c == 10 || c == 27);
    }
}

static const char *write_square(const char *name, const float *map)
{
    const size_t dims[2] = {SIDE, SIDE};
    const char *path = test_temp(name);
    reshed_error err = {0};
    assert_ok(rs_npy_write(path, RS_NPY_F4, 2, dims, map, &err), &err);
    return path;
}

static const eval_table_row *find_row(const eval_table *t, const char *set, const char *method)
{
    for (int i = 0; i < t->rows; i++)
        if (strcmp(t->row[i].set, set) == 0 && strcmp(t->row[i].method, method) == 0)
            return &t->row[i];
    fail_msg("no row '%s', '%s'", set, method);
    return NULL;
}

static void the_table_scores_what_it_lists(void **state)
{
    (void)state;
    static float image[PIXELS], walls[PIXELS];
    static uint8_t truth[PIXELS];
    char where[64];
    draw_square(image, walls);
    const char *const images[] = {write_square("square.npy", image)};
    const char *const labels[] = {write_square("square_walls.npy", walls)};
    const eval_table_options o = {.weights = test_data(ENSEMBLE),
                                  .threads = 2,
                                  .image = images,
                                  .walls = labels,
                                  .labelled = 1,
                                  .frames = 2,
                                  .size = 32,
                                  .seed = 7,
                                  .harsh = 0.5};
    eval_table t;
    reshed_error err = {0};
    assert_ok(eval_table_make(&o, &t, where, &err), &err);

    /* the ensemble's row is that of its map */
    rs_ensemble *e = NULL;
    rs_frame *f = NULL;
    rs_frame_view v;
    rs_wall_scores scores;
    assert_ok(rs_ensemble_load(test_data(ENSEMBLE), &e, &err), &err);
    assert_ok(rs_frame_create(e, NULL, &f, &err), &err);
    assert_ok(rs_frame_run(f, image, SIDE, SIDE, 0, 0, &err), &err);
    rs_frame_get(f, &v);
    for (int i = 0; i < PIXELS; i++) truth[i] = walls[i] > 0;
    assert_ok(rs_wall_scores_of_map(v.wall, truth, SIDE, SIDE, &scores, NULL, &err), &err);
    const rs_wall_scores *row = &find_row(&t, "square.npy", "ensemble")->scores;
    assert_memory_equal(row, &scores, sizeof scores);
    row = &find_row(&t, "labelled images, mean", "ensemble")->scores; /* of one image */
    assert_memory_equal(row, &scores, sizeof scores);

    /* every set has members, their mean, the ensemble, the average network and the baselines */
    const int members = v.members;
    assert_int_equal(t.rows, (SETS + 1) * (members + 3 + BASELINES) + 2);
    double sum = 0;
    for (int k = 0; k < members; k++) {
        char name[32];
        snprintf(name, sizeof name, "member %d", k);
        sum += find_row(&t, t.usual, name)->scores.f / members;
    }
    row = &find_row(&t, t.usual, "mean of the members")->scores;
    assert_true(fabs(row->f - sum) < TOL_ROUNDING);
    assert_true(t.calibration.ece == find_row(&t, t.usual, "ensemble")->scores.ece);
    find_row(&t, "simulated, as trained", "average of the weights");
    assert_string_equal(t.partial, "simulated, partial");
    assert_true(t.partial_frames == 2 && t.frames_ahead >= 0 && t.frames_ahead <= 2);

    /* the boundary of a dark square is where its walls are; a baseline is no probability */
    int found = 0;
    for (int i = 0; i < t.rows; i++) {
        const eval_table_row *r = &t.row[i];
        if (strcmp(r->set, "square.npy") != 0 || strncmp(r->method, "boundary tuned", 14) != 0)
            continue;
        found++;
        assert_true(r->scores.f > 0.93);
        assert_true(isnan(r->scores.ece) && isnan(r->scores.iou) && isnan(r->scores.best));
    }
    assert_int_equal(found, 1);
    rs_frame_free(f);
    rs_ensemble_free(e);
    eval_table_clear(&t);
    assert_null(t.row);
}

static void the_table_says_where_it_failed(void **state)
{
    (void)state;
    const char *const missing[] = {"/nonexistent/image.npy"};
    eval_table_options o = {.weights = test_data(ENSEMBLE),
                            .threads = 1,
                            .image = missing,
                            .walls = missing,
                            .labelled = 1,
                            .frames = 1,
                            .size = 32};
    eval_table t = {.rows = -7};
    char where[64];
    reshed_error err = {0};
    assert_int_equal(eval_table_make(&o, &t, where, &err), RESHED_EIO);
    assert_string_equal(where, "image.npy");
    o.weights = "/nonexistent";
    assert_int_equal(eval_table_make(&o, &t, where, &err), RESHED_EIO);
    assert_string_equal(where, "");
    o.weights = test_data("tiny_nearest3_ensemble_metadict.tar"); /* several classes */
    assert_int_equal(eval_table_make(&o, &t, where, &err), RESHED_EUNSUPPORTED);
    assert_int_equal(t.rows, -7);
}

/* -------------------------------------------------------------------------------- the baselines */

static void baselines_name_their_parameters(void **state)
{
    (void)state;
    char text[40];
    eval_boundary_text(0, text, sizeof text);
    assert_string_equal(text, "threshold 0.050");
    eval_boundary_text(EVAL_BOUNDARIES - 1, text, sizeof text);
    assert_string_equal(text, "threshold 0.950");
    eval_canny_text(0, text, sizeof text);
    assert_string_equal(text, "sigma 1, gradient 0.010");
    eval_canny_text(EVAL_CANNYS - 1, text, sizeof text);
    assert_string_equal(text, "sigma 3, gradient 0.207");
}

/* ---------------------------------------------------------------------------------- the shifts */

enum { FRAMES = 3, FIT = 100, BLOCKS = 8 };

/* The blocks in the order in which they came. */
typedef struct diary {
    int n;
    struct {
        eval_shift_stage stage;
        char effect[16];
        double strength, threshold, alarms;
        long frames;
        eval_shift_row row;
    } block[BLOCKS];
} diary;

static void note(void *ctx, const eval_shift_news *n)
{
    diary *d = ctx;
    assert_true(d->n < BLOCKS);
    d->block[d->n].stage = n->stage;
    snprintf(d->block[d->n].effect, sizeof d->block[d->n].effect, "%s", n->effect);
    d->block[d->n].strength = n->strength;
    d->block[d->n].frames = n->frames;
    d->block[d->n].threshold = n->threshold;
    d->block[d->n].alarms = n->alarms;
    d->block[d->n].row = n->row;
    for (long i = 0; i < n->frames; i++) {
        assert_true(n->frame[i].wall_share >= 0 && n->frame[i].wall_share <= 1);
        for (int k = 0; k < RS_OOD_FEATURES; k++) assert_true(isfinite(n->frame[i].features[k]));
    }
    if (n->stage == EVAL_SHIFT_UNSHIFTED) assert_true(n->parameter[EVAL_WITH_CANNY][0] == 's');
    d->n++;
}

static void shifts_come_block_by_block(void **state)
{
    (void)state;
    test_not_quick();
    static diary one, two;
    eval_shift_options o = {.weights = test_data(ENSEMBLE),
                            .threads = 1,
                            .frames = FRAMES,
                            .fit = FIT,
                            .size = 32,
                            .seed = 3,
                            .harsh = 0.5,
                            .effect = "blur",
                            .separation = true};
    reshed_error err = {0};
    assert_ok(eval_shift_run(&o, note, &one, &err), &err);
    assert_int_equal(one.n, 8);
    assert_int_equal(one.block[0].stage, EVAL_SHIFT_FIT); /* the weights know no score */
    assert_int_equal(one.block[0].frames, FIT);
    assert_int_equal(one.block[1].stage, EVAL_SHIFT_USUAL);
    assert_true(one.block[1].threshold > 0);
    assert_true(one.block[1].alarms >= 0 && one.block[1].alarms <= 1);
    assert_int_equal(one.block[2].stage, EVAL_SHIFT_UNSHIFTED);
    for (int i = 3; i < one.n; i++) {
        const eval_shift_row *r = &one.block[i].row;
        assert_int_equal(one.block[i].stage, EVAL_SHIFT_SHIFTED);
        assert_string_equal(one.block[i].effect, "blur");
        assert_true(one.block[i].strength >= one.block[i - 1].strength);
        assert_int_equal(one.block[i].frames, FRAMES);
        assert_true(r->f >= 0 && r->f <= 1 && r->change == r->f - one.block[2].row.f);
        assert_true(r->roc.auroc >= 0 && r->roc.auroc <= 1);
        for (int k = 0; k < RS_OOD_FEATURES; k++)
            assert_true(r->separation[k] >= 0 && r->separation[k] <= 1);
    }
    o.threads = 2;
    assert_ok(eval_shift_run(&o, note, &two, &err), &err);
    assert_memory_equal(&one, &two, sizeof one); /* whatever the number of threads */
}

static void shifts_store_into_weights_of_ours_only(void **state)
{
    (void)state;
    static diary d;
    const eval_shift_options o = {.weights = test_data(ENSEMBLE),
                                  .threads = 1,
                                  .frames = 2,
                                  .fit = FIT,
                                  .size = 32,
                                  .store = true};
    reshed_error err = {0};
    assert_true(eval_shift_run(&o, note, &d, &err) != RESHED_OK); /* AtomAI's file stays */
    assert_int_equal(d.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_by_hand),
        cmocka_unit_test(interval_covers_the_true_area),
        cmocka_unit_test(the_table_scores_what_it_lists),
        cmocka_unit_test(the_table_says_where_it_failed),
        cmocka_unit_test(baselines_name_their_parameters),
        cmocka_unit_test(shifts_come_block_by_block),
        cmocka_unit_test(shifts_store_into_weights_of_ours_only),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
