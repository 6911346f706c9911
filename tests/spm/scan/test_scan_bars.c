/* Checks that the numbers of an acquisition say what is in the sample: the whole way with the
 * shipped ensemble, on simulated films whose physics is known. */
#include "support/scan_rig.h"
#include "support/walls.h"

#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"

#include <math.h>
#include <string.h>

#include "imgproc/walls/tests.h"

enum { MOST = 400, METRICS = 4, PERMUTATIONS = 2000 };
#if defined(__SANITIZE_ADDRESS__)
enum { NEEDLE_PIXELS = 128 }; /* quicker, and its rate is not looked at */
#else
enum { NEEDLE_PIXELS = 256 };
#endif

static const char *const metric_name[METRICS] = {"width_mid", "v_plus_mid", "v_minus_mid", "area"};

/* One film, measured. */
typedef struct film {
    int n, on_wall;
    int wall[MOST];
    double value[METRICS][MOST], truth[METRICS][MOST];
    rs_wallgraph graph; /* the walls that were found */
} film;

static film f; /* large, and one at a time */

static bool note_walls(void *ctx, const rs_choice *c, rs_session_point **points, int *n)
{
    (void)ctx;
    (void)points;
    assert_true(*n <= MOST);
    copy_graph(&c->graph, &f.graph);
    return true;
}

/* The place of the film that is under the tip, and what is true there. */
static void note_point(scan_rig *r, int k)
{
    reshed_error err = {0};
    rs_session_point p;
    double x, y, metric[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = metric};
    rs_twin_point there;
    rs_twin_loop_truth t;
    void *twin = r->instrument->self;
    assert_ok(rs_session_read_points(r->session, k, 1, &p, &err), &err);
    if (p.state != RS_SESSION_MEASURED) return;
    assert_ok(rs_session_read_loop(r->session, RS_SESSION_POINTS, k, &loop, &err), &err);
    rs_driver_twin_place(twin, p.measured_x, p.measured_y, &x, &y);
    rs_twin_probe(rs_driver_twin_sample(twin), x, y, &there);
    const double pixel = r->set.width / r->set.cols;
    f.on_wall += there.stripe >= 0 && fabs((double)there.wall) <= 1.5 * pixel;
    assert_ok(rs_twin_switching_truth(rs_driver_twin_sample(twin), rs_driver_twin_switching(twin),
                                      x, y, -r->set.voltage, r->set.voltage, &t, &err),
              &err);
    const double truth[METRICS] = {t.width, t.v_plus, t.v_minus, t.area};
    f.wall[f.n] = p.wall;
    for (int m = 0; m < METRICS; m++) {
        f.value[m][f.n] = metric[rs_loop_value_find(metric_name[m])];
        f.truth[m][f.n] = truth[m];
    }
    f.n++;
}

/* A kind of film: what is built in and what the domains look like. */
typedef struct kind {
    const char *name;
    int first;  /* seed */
    int pixels; /* a side of the frame, 2 um */
    double
        least_on_wall; /* share of the points; needles two to four pixels apart are at the resolution */
    rs_driver_option option[9];
} kind;

/* Parallel stripes across the film, as in the paper's PbTiO3: the order of the walls is plain. */
#define LAMELLAE                                                                                   \
    {"spacing[0]", "200e-9"}, {"spacing[1]", "0"}, {"run", "0"}, {"mixed_tilt", "0"},              \
        {"thin_density", "0"},                                                                     \
    {                                                                                              \
        "inplane_density", "0"                                                                     \
    }
/* Stripes that end as needles, some soon and some late, and none that crosses another. */
#define NEEDLES                                                                                    \
    {"spacing[0]", "200e-9"}, {"spacing[1]", "0"}, {"run", "700e-9"}, {"needle_fraction", "1"},    \
    {                                                                                              \
        "inplane_density", "0"                                                                     \
    }

static void measure_film(scan_rig *r, const kind *k, int seed)
{
    static char text[32];
    rs_wallgraph_clear(&f.graph);
    memset(&f, 0, sizeof f);
    scan_rig_init(r, "film.h5");
    remove(r->path);
    snprintf(text, sizeof text, "%d", seed);
    r->weights = "weights/reshednet16x10.h5";
    scan_rig_option(r, "seed", text);
    for (int i = 0; i < 9 && k->option[i].name; i++)
        scan_rig_option(r, k->option[i].name, k->option[i].value);
    r->set.rows = r->set.cols = k->pixels;
    r->set.width = r->set.height = 2e-6;
    r->set.be_repeats = 4;
    r->set.steps = 64;
    r->set.threshold = 0.5;
    r->set.every = k->pixels > 128 ? 8 : 6; /* about 60 nm or more, apart */
    r->set.max_points = k->pixels > 128 ? 390 : 250;
    r->set.queue = 512; /* no pause, whose moment would depend on the machine's load */
    r->set.drift_every = r->set.reference_every = 0;
    r->confirm = note_walls;
    r->measured = note_point;
}

/* Pearson's, of the finite pairs. */
static double correlation(const double *a, const double *b, int n)
{
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    int m = 0;
    for (int i = 0; i < n; i++)
        if (isfinite(a[i]) && isfinite(b[i])) {
            sa += a[i];
            sb += b[i];
            m++;
        }
    for (int i = 0; i < n; i++)
        if (isfinite(a[i]) && isfinite(b[i])) {
            const double da = a[i] - sa / m, db = b[i] - sb / m;
            aa += da * da;
            bb += db * db;
            ab += da * db;
        }
    assert_true(m > 10);
    return ab / sqrt(aa * bb);
}

/* Does the width alternate from wall to wall; are short walls wider than long ones? */
static rs_wall_tests ask(void)
{
    rs_wall_tests_options o;
    rs_wall_tests tests;
    reshed_error err = {0};
    rs_wall_tests_defaults(&f.graph.grid, &o);
    o.permutations = PERMUTATIONS;
    o.long_wall = 350e-9;
    assert_ok(rs_wall_tests_run(&f.graph, &o, f.wall, f.value[0], f.n, &tests, &err), &err);
    return tests;
}

typedef struct tally {
    int films, tested, found, tested_lengths, short_wider;
    int points, on_wall;
    double worst[METRICS];
} tally;

static void run_kind(const kind *k, int seeds, tally *t)
{
    *t = (tally){.worst = {1, 1, 1, 1}};
    for (int i = 0; i < seeds; i++) {
        scan_rig r;
        measure_film(&r, k, k->first + i);
        scan_rig_do(&r, RS_END_DONE);
        rs_wall_tests a = ask();
        t->films++;
        t->tested += a.has_alternation;
        t->found += a.has_alternation && a.alternation.p_successive < 0.05;
        t->tested_lengths += a.has_lengths;
        t->short_wider += a.has_lengths && a.lengths.p < 0.05 && a.lengths.shift < 0;
        t->points += f.n;
        t->on_wall += f.on_wall;
        printf("# %s, film %d: %d points (%.1f %% on a wall), %d walls; alternation of %d: p %.3f, "
               "neighbours p %.3f; short %d long %d: p %.3g, shift %.2f V; r",
               k->name, k->first + i, f.n, 100.0 * f.on_wall / f.n, f.graph.walls,
               a.alternation.walls, a.alternation.p, a.alternation.p_successive, a.lengths.n[1],
               a.lengths.n[0], a.lengths.p, -a.lengths.shift);
        rs_wall_tests_clear(&a);
        for (int m = 0; m < METRICS; m++) {
            const double c = correlation(f.value[m], f.truth[m], f.n);
            t->worst[m] = fmin(t->worst[m], c);
            printf(" %.3f", c);
        }
        printf("\n");
        fflush(stdout);
    }
    printf(
        "# %s: alternation found in %d of %d tested (%d films), short wider in %d of %d; %.1f %% "
        "of %d points on a wall; worst r of width %.3f, V+ %.3f, V- %.3f, area %.3f\n",
        k->name, t->found, t->tested, t->films, t->short_wider, t->tested_lengths,
        100.0 * t->on_wall / t->points, t->points, t->worst[0], t->worst[1], t->worst[2],
        t->worst[3]);
    assert_true(t->on_wall >= k->least_on_wall * t->points);
    for (int m = 0; m < METRICS; m++) assert_true(t->worst[m] >= 0.95);
}

static int seeds(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return 1; /* the code runs once; the rates are for the plain build */
#endif
    return (int)test_tier(1, 5, 50);
}

static void alternation_is_found(void **state)
{
    (void)state;
    static const kind with = {"alternating", 500, 128, 0.99, {LAMELLAE, {"alternate", "0.25"}}},
                      without = {"not alternating", 600, 128, 0.99, {LAMELLAE, {"alternate", "0"}}};
    tally t;
    run_kind(&with, seeds(), &t);
    assert_true(t.tested >= 0.9 * t.films && t.found >= 0.9 * t.tested);
    test_not_quick();
    run_kind(&without, seeds(), &t);
    assert_true(t.found <= (test_long() ? 3 : 1));
}

/* At 16 nm a pixel the short walls of these films, most of them edges of stripes 24 to 40 nm wide,
 * are seen as pieces and bridges of one another; at 8 nm they are seen as walls. */
static void short_walls_are_found_wider(void **state)
{
    (void)state;
    test_not_quick();
    static const kind with = {"short wider",
                              700,
                              NEEDLE_PIXELS,
                              0.94,
                              {NEEDLES, {"alternate", "0"}, {"short", "0.3"}}},
                      without = {"short as long",
                                 800,
                                 NEEDLE_PIXELS,
                                 0.94,
                                 {NEEDLES, {"alternate", "0"}, {"short", "0"}}};
    tally t;
    run_kind(&with, seeds(), &t);
    assert_true(t.tested_lengths == t.films);
    if (NEEDLE_PIXELS > 128) assert_true(t.short_wider >= 0.9 * t.films);
    run_kind(&without, seeds(), &t);
    assert_true(t.short_wider <= (test_long() ? 3 : 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alternation_is_found),
        cmocka_unit_test(short_walls_are_found_wider),
    };
    return cmocka_run_group_tests_name("scan_bars", tests, NULL, scan_rig_teardown);
}
