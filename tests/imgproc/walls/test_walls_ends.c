/* Lengths of walls, from the map through thinning and graph: bars in every direction, films turned
 * and mirrored, blunt ends. */
#include "support/walls.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/walls/graph/build.h"
#include "imgproc/walls/find.h"
#include "imgproc/walls/graph/prune.h"
#include "spm/twin/sample.h"

/* Every wall counts, up to the edge. */
static void start_from(rs_find_options *o)
{
    rs_find_defaults(o);
    o->low = 0.4;
    o->every = 5;
    o->min_wall.value = o->margin.value = 0;
    o->control_distance.value = 3;
}

enum { SIDE = 230, MOST = 256 * 256 };

static float map[MOST], turned_map[MOST];

static void find(const float *m, int side, const rs_find_options *o, rs_found *f)
{
    reshed_error err = {0};
    const rs_find_input in = {.grid = {side, side, 1, 1}, .map = m};
    assert_ok(rs_find(&in, o, f, &err), &err);
    assert_graph_is_sound(&f->graph);
}

/* A bar of a length and width about a centre. */
static void bar(int side, double length, double width, double angle, double row, double col)
{
    for (int i = 0; i < side * side; i++) {
        const double y = i / side - row, x = i % side - col;
        if (fabs(x * cos(angle) + y * sin(angle)) <= length / 2 &&
            fabs(y * cos(angle) - x * sin(angle)) <= width / 2)
            map[i] = 1;
    }
}

/* ----------------------------------------------------------------------------------------- bars */

/* One wall with two free ends, and its line ends half the bar's width before the bar: the length is
 * the bar's less its width, within 1 % and half a pixel at each end. Bars of one and two pixels have
 * no corners, and may keep what they are wide. */
static void bars_in_every_direction(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    const double length = 200;
    double worst = 0;
    rs_find_options o;
    start_from(&o);
    const int stride = (int)test_tier(45, 12, 1);
    for (int width = 1; width <= 9; width++)
        for (int degree = width % 2 ? 0 : stride / 2; degree < 180; degree += stride) {
            const double angle = degree * RS_DEGREE;
            const bool centred = degree % 45 == 0 && width % 2;
            const double row = SIDE / 2 + (centred ? 0 : test_uniform(&r, 0, 1));
            const double col = SIDE / 2 + (centred ? 0 : test_uniform(&r, 0, 1));
            rs_found f;
            memset(map, 0, sizeof map);
            bar(SIDE, length, width, angle, row, col);
            find(map, SIDE, &o, &f);
            if (f.graph.walls != 1 || count_ends(&f.graph, RS_END_FREE) != 2)
                fail_msg("width %d at %d degrees: %d walls, %d free ends (seed %llu)", width,
                         degree, f.graph.walls, count_ends(&f.graph, RS_END_FREE),
                         (unsigned long long)test_seed());
            assert_int_equal(f.graph.branches, 1);
            const double is = f.graph.wall[0].line.length, least = length - width;
            const double most = width < 3 ? length : least;
            const double off = fmax(least - is, is - most);
            if (off > 0.01 * length + 1)
                fail_msg("width %d at %d degrees is %.1f long (seed %llu)", width, degree, is,
                         (unsigned long long)test_seed());
            worst = fmax(worst, off);
            rs_found_clear(&f);
        }
    print_message("# bars: length less width within %.2f pixels of %g\n", worst, length);
}

/* A line that scikit-image's rule takes from both sides at once. */
static void diagonal_lines_of_even_width(void **state)
{
    (void)state;
    for (int width = 2; width <= 4; width += 2) {
        int walls[2][2];
        double length[2][2];
        for (int mirror = 0; mirror < 2; mirror++)
            for (int rule = 0; rule < 2; rule++) {
                rs_found f;
                rs_find_options o;
                start_from(&o);
                o.thinning = rule ? RS_FIND_SKIMAGE : RS_FIND_KEEP;
                memset(map, 0, sizeof map);
                for (int i = 0; i < 64; i++)
                    for (int k = 0; k < width; k++)
                        if (i + k < 64) map[i * 64 + (mirror ? 63 - i - k : i + k)] = 1;
                find(map, 64, &o, &f);
                walls[mirror][rule] = f.graph.walls;
                length[mirror][rule] = rs_wallgraph_length(&f.graph);
                rs_found_clear(&f);
            }
        assert_int_equal(walls[0][0], 1);
        assert_int_equal(walls[1][0], 1);
        assert_near(length[0][0], 63 * sqrt(2), 2 * width);
        assert_near(length[1][0], length[0][0], 0.01 * length[0][0] + 1);
        if (width == 2) assert_int_equal(walls[0][1] + walls[1][1], 2);
        if (width == 2) assert_true(fmin(length[0][1], length[1][1]) < 2); /* lost */
    }
}

/* Two walls that cross share a piece: both lengths have it, and the length of all
 * has it once. */
static void shared_pieces_count_once(void **state)
{
    (void)state;
    reshed_error err = {0};
    for (int width = 1; width <= 5; width += 2) {
        rs_found f;
        rs_find_options o;
        start_from(&o);
        memset(map, 0, sizeof map);
        bar(200, 180, width, 0.4, 100, 100);
        bar(200, 140, width, -0.4, 100, 100);
        find(map, 200, &o, &f);
        assert_int_equal(f.graph.walls, 2);
        const rs_wall *a = &f.graph.wall[0], *b = &f.graph.wall[1];
        assert_near(a->line.length, 180 - width, 3);
        assert_near(b->line.length, 140 - width, 3);
        assert_true(a->own_length == a->line.length);
        assert_true(b->own_length < b->line.length - 1);
        assert_true(b->own_length > b->line.length - 4 - 6 * width);
        assert_true(rs_wallgraph_length(&f.graph) == a->own_length + b->own_length);
        rs_found_clear(&f);
    }
    rs_wallgraph g;
    static uint8_t ring[900]; /* a closed line is its own, the step at its seam included */
    for (int i = 0; i < 900; i++) {
        const int r = i / 30, c = i % 30;
        ring[i] =
            r >= 5 && r <= 20 && c >= 5 && c <= 20 && (r == 5 || r == 20 || c == 5 || c == 20);
    }
    rs_wallgraph_options go;
    rs_wallgraph_options_defaults(&go);
    go.corner = RS_PI;
    const rs_wallgraph_input in = {.grid = {30, 30, 1, 1}, .skeleton = ring};
    assert_ok(rs_wallgraph_build(&in, &go, &g, &err), &err);
    assert_true(g.walls == 1 && g.wall[0].end[0] == RS_END_CLOSED);
    assert_near(g.wall[0].own_length, g.wall[0].line.length, 1e-9);
    rs_wallgraph_clear(&g);
}

/* ------------------------------------------------------------------------------ turned, mirrored */

/* turned_map: map turned by k quarters, mirrored before that when k >= 4. */
static void turn(int side, int k)
{
    for (int i = 0; i < side * side; i++) {
        int r = i / side, c = i % side;
        if (k >= 4) c = side - 1 - c;
        for (int q = 0; q < k % 4; q++) {
            const int old = r;
            r = c;
            c = side - 1 - old;
        }
        turned_map[r * side + c] = map[i];
    }
}

/* Length and number of points of the map's walls under the eight symmetries: worst[] is the largest
 * deviation from their mean. */
static void try_symmetries(int side, const char *what, double worst[2])
{
    double value[2][8], mean[2] = {0, 0};
    rs_find_options o;
    start_from(&o);
    for (int k = 0; k < 8; k++) {
        rs_found f;
        turn(side, k);
        find(turned_map, side, &o, &f);
        value[0][k] = rs_wallgraph_length(&f.graph);
        value[1][k] = f.points.n;
        for (int q = 0; q < 2; q++) mean[q] += value[q][k] / 8;
        rs_found_clear(&f);
    }
    double off[2] = {0, 0};
    for (int k = 0; k < 8; k++)
        for (int q = 0; q < 2; q++) off[q] = fmax(off[q], fabs(value[q][k] / mean[q] - 1));
    print_message("# %s: %.1f pixels within %.2f %%, %.0f points within %.2f %%\n", what, mean[0],
                  100 * off[0], mean[1], 100 * off[1]);
    for (int q = 0; q < 2; q++) worst[q] = fmax(worst[q], off[q]);
}

static void random_films_are_symmetric(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double worst[2] = {0, 0};
    const int films = (int)test_tier(1, 2, 8);
    for (int film = 0; film < films; film++) {
        memset(map, 0, sizeof map);
        for (int k = 0; k < 10; k++)
            bar(256, test_uniform(&r, 40, 300), test_uniform(&r, 1, 8), test_uniform(&r, 0, RS_PI),
                test_uniform(&r, 20, 236), test_uniform(&r, 20, 236));
        try_symmetries(256, "bars", worst);
    }
    assert_true(worst[0] < 0.01 && worst[1] < 0.03);
}

/* The walls of a film as a network draws them: a line and its neighbourhood. */
static void twin_map(int seed, double half)
{
    static uint8_t wall[MOST];
    rs_twin_options o;
    reshed_error err = {0};
    rs_twin_sample *s = NULL;
    const int n = 256;
    rs_twin_options_defaults(&o);
    o.seed = (uint64_t)seed;
    rs_twin_view v = {.width = 2e-6, .height = 2e-6, .rows = n, .cols = n, .row_end = n};
    rs_twin_channels out = {.wall = wall};
    assert_ok(rs_twin_sample_create(&o, &s, &err), &err);
    assert_ok(rs_twin_render(s, &v, &out, &err), &err);
    rs_twin_sample_free(s);
    memset(map, 0, sizeof map);
    const int reach = (int)half;
    for (int i = 0; i < n * n; i++) {
        if (!wall[i]) continue;
        for (int dr = -reach; dr <= reach; dr++)
            for (int dc = -reach; dc <= reach; dc++) {
                const int r = i / n + dr, c = i % n + dc;
                if (r >= 0 && c >= 0 && r < n && c < n && dr * dr + dc * dc <= half * half)
                    map[r * n + c] = 1;
            }
    }
}

static void twin_films_are_symmetric(void **state)
{
    (void)state;
    test_not_quick();
    double worst[2] = {0, 0};
    const int films = (int)test_tier(1, 1, 4);
    for (int seed = 1; seed <= films; seed++) {
        twin_map(seed, 0);
        try_symmetries(256, "film, lines", worst);
        twin_map(seed, 1);
        try_symmetries(256, "film, three pixels", worst);
        twin_map(seed, 1.5);
        try_symmetries(256, "film, square of three", worst);
    }
    assert_true(worst[0] < 0.01 && worst[1] < 0.03);
}

/* ------------------------------------------------------------------------------- every direction */

/* Two walls to each stripe of a film, as far as they lie in a disc, drawn a pixel and a half wide.
 * The stripes are wide enough that their walls do not touch: whether two that nearly do are one in
 * the map depends on the direction. */
static void films_in_every_direction(void **state)
{
    (void)state;
    enum { N = 256 };
    const double pixel = 2e-6 / N;
    const int stride = (int)test_tier(60, 24, 1);
    double sum[2] = {0, 0}, least[2] = {HUGE_VAL, HUGE_VAL}, most[2] = {0, 0};
    int n = 0;
    rs_twin_options o;
    reshed_error err = {0};
    rs_twin_sample *s = NULL;
    rs_find_options fo;
    start_from(&fo);
    rs_twin_options_defaults(&o);
    o.seed = 3;
    o.spacing[0] = 200e-9;
    o.spacing[1] = 220e-9;
    o.run = o.thin_density = o.inplane_density = 0;
    assert_ok(rs_twin_sample_create(&o, &s, &err), &err);
    for (int degree = 0; degree < 360; degree += stride, n++) {
        const double c = cos(degree * RS_DEGREE), d = sin(degree * RS_DEGREE);
        for (int i = 0; i < N * N; i++) {
            const double y = ((N - 1) / 2.0 - i / N) * pixel, x = (i % N - (N - 1) / 2.0) * pixel;
            rs_twin_point p;
            map[i] = 0;
            if (hypot(x, y) > 118 * pixel) continue;
            rs_twin_probe(s, x * c - y * d, x * d + y * c, &p);
            map[i] = p.stripe >= 0 && fabs((double)p.wall) <= 0.75 * pixel;
        }
        rs_found f;
        find(map, N, &fo, &f);
        const double is[2] = {rs_wallgraph_length(&f.graph), f.points.n};
        rs_found_clear(&f);
        for (int q = 0; q < 2; q++) {
            sum[q] += is[q];
            least[q] = fmin(least[q], is[q]);
            most[q] = fmax(most[q], is[q]);
        }
    }
    rs_twin_sample_free(s);
    for (int q = 0; q < 2; q++) {
        const double mean = sum[q] / n;
        print_message("# film, %d directions: %.1f %s, %.2f to %+.2f %%\n", n, mean,
                      q ? "points" : "pixels", 100 * (least[q] / mean - 1),
                      100 * (most[q] / mean - 1));
        assert_true(least[q] > mean * (q ? 0.98 : 0.99) && most[q] < mean * (q ? 1.02 : 1.01));
    }
}

/* ----------------------------------------------------------------------------------------- ends */

/* Ends that are not blunt stay: a short wall that begins at another, the tip of a needle, a wall
 * that leaves the frame. */
static void real_ends_stay(void **state)
{
    (void)state;
    rs_found f;
    rs_find_options o;
    start_from(&o);
    memset(map, 0, sizeof map);
    for (int c = 0; c < 100; c++) /* along the frame, from edge to edge */
        for (int r = 48; r < 53; r++) map[r * 100 + c] = 1;
    for (int r = 36; r < 48; r++) /* a short wall on it, three wide */
        for (int c = 49; c < 52; c++) map[r * 100 + c] = 1;
    find(map, 100, &o, &f);
    assert_int_equal(f.graph.walls, 2);
    assert_int_equal(count_ends(&f.graph, RS_END_BORDER), 2);
    assert_int_equal(count_ends(&f.graph, RS_END_FREE), 1);
    assert_near(f.graph.wall[0].line.length, 99, 1);
    assert_near(f.graph.wall[1].line.length, 50 - 37.5, 1.5);
    rs_found_clear(&f);

    memset(map, 0, sizeof map);
    for (int c = 10; c < 90; c++) /* a needle, from a point to eight pixels */
        for (int r = 20; r < 80; r++) map[r * 100 + c] = fabs(r - 50.0) <= (c - 10) / 20.0 ? 1 : 0;
    find(map, 100, &o, &f);
    assert_int_equal(f.graph.walls, 1);
    assert_near(f.graph.wall[0].line.length, 80 - 4, 2); /* the blunt end at its base */
    rs_found_clear(&f);
}

/* Small and thick things keep a pixel, and no memory is no crash. */
static void blobs_and_allocations(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_find_options o;
    rs_found f;
    start_from(&o);
    for (int w = 1; w <= 20; w++)
        for (int h = 1; h <= 20; h++) {
            memset(map, 0, sizeof map);
            for (int r = 0; r < h; r++)
                for (int c = 0; c < w; c++) map[(r + 5) * 40 + c + 5] = 1;
            find(map, 40, &o, &f);
            assert_int_equal(f.graph.walls, 1);
            assert_true(rs_wallgraph_length(&f.graph) <= fmax(w, h));
            rs_found_clear(&f);
        }
    for (int i = 0; i < 1600; i++) map[i] = 1; /* no background */
    find(map, 40, &o, &f);
    assert_true(f.graph.walls >= 1);
    rs_found_clear(&f);
    memset(map, 0, sizeof map);
    bar(100, 60, 7, 0.4, 50, 50);
    const rs_find_input in = {.grid = {100, 100, 1, 1}, .map = map};
    reshed_status st = RESHED_ENOMEM;
    for (int n = 0; st == RESHED_ENOMEM && n < 300; n++) {
        test_alloc_fail_at(n);
        st = rs_find(&in, &o, &f, &err);
        test_alloc_fail_at(-1);
        if (st != RESHED_OK) assert_int_equal(st, RESHED_ENOMEM);
    }
    assert_int_equal(st, RESHED_OK);
    rs_found_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_in_every_direction),  cmocka_unit_test(diagonal_lines_of_even_width),
        cmocka_unit_test(shared_pieces_count_once), cmocka_unit_test(random_films_are_symmetric),
        cmocka_unit_test(twin_films_are_symmetric), cmocka_unit_test(films_in_every_direction),
        cmocka_unit_test(real_ends_stay),           cmocka_unit_test(blobs_and_allocations),
    };
    return cmocka_run_group_tests_name("walls_ends", tests, NULL, NULL);
}
