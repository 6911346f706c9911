/* What networks learn from: labels, pictures, augmentation, batches and their queues. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/npy.h"
#include "io/png.h"
#include "train/augment.h"
#include "train/batches.h"
#include "train/feed.h"
#include "train/label.h"
#include "train/picture.h"

#define MARK 0x5c

/* A block of n bytes with guard bands, filled with NaN patterns. */
typedef struct guarded {
    uint8_t *block;
    size_t n;
} guarded;

static void *guard_make(guarded *g, size_t n)
{
    g->n = n;
    g->block = rs_alloc(n + 128, 1);
    assert_non_null(g->block);
    memset(g->block, MARK, n + 128);
    memset(g->block + 64, 0xff, n);
    return g->block + 64;
}

static void guard_check(guarded *g)
{
    for (int i = 0; i < 64; i++)
        assert_true(g->block[i] == MARK && g->block[64 + g->n + (size_t)i] == MARK);
    rs_free(g->block);
}

/* ---------------------------------------------------------------------------------------- labels */
static void values_of_labels(void **state)
{
    (void)state;
    struct {
        float value[5];
        uint8_t wall[5], known[5];
    } cases[] = {
        {{0, 1, 0, 1, 0}, {0, 1, 0, 1, 0}, {1, 1, 1, 1, 1}},
        {{0, 255, 0, 255, 3}, {0, 1, 0, 1, 0}, {1, 1, 1, 1, 1}},      /* white on black */
        {{0, 1, 255, 1, 0}, {0, 1, 0, 1, 0}, {1, 1, 0, 1, 1}},        /* 255: unknown */
        {{0, 1 / 255.0f, 1, 0, 0}, {0, 1, 0, 0, 0}, {1, 1, 0, 1, 1}}, /* the same in a PNG */
        {{0, 1, 255, 2, 0}, {0, 0, 1, 0, 0}, {1, 1, 1, 1, 1}},        /* grey values */
        {{NAN, 1, INFINITY, 0.4f, 0.6f}, {0, 1, 0, 0, 1}, {0, 1, 0, 1, 1}},
        {{0, 0, -1, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 1, 1, 1}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        guarded a, b;
        uint8_t *wall = guard_make(&a, 5), *known = guard_make(&b, 5);
        rs_label_read(cases[k].value, 5, wall, known);
        assert_memory_equal(wall, cases[k].wall, 5);
        assert_memory_equal(known, cases[k].known, 5);
        guard_check(&a);
        guard_check(&b);
    }
}

/* A cross of lines on one grid is a cross of thin, unbroken lines on any other. */
static void labels_of_another_size(void **state)
{
    (void)state;
    enum { H = 40, W = 60 };
    uint8_t wall[H * W] = {0}, known[H * W];
    reshed_error err = {0};
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            wall[y * W + x] = abs(y - 20) <= 1 || abs(x - y - 10) <= 1; /* three pixels thick */
            known[y * W + x] = x < 50;
        }
    const int size[][2] = {{40, 60}, {80, 120}, {20, 30}, {57, 91}, {23, 95}};
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
        const int h = size[k][0], w = size[k][1];
        guarded a, b;
        uint8_t *line = guard_make(&a, (size_t)(h * w)), *there = guard_make(&b, (size_t)(h * w));
        assert_ok(rs_label_fit(wall, known, H, W, line, there, h, w, &err), &err);
        /* The level line goes through every column that is known, at its place. */
        for (int x = 4 * w / 60 + 1; x < w * 48 / 60; x++) { /* ends recede */
            int count = 0, first = -1;
            const bool crossing = fabs((x + 0.5) * W / w - 30.5) < 8 * fmax(1, (double)W / w);
            /* Thinning may move a crossing by a pixel. */
            const double near = 2.5 + (crossing ? (double)H / h : 0);
            for (int y = 0; y < h; y++)
                if (line[y * w + x] && fabs((y + 0.5) * H / h - 20.5) < near) {
                    count++;
                    if (first < 0) first = y;
                }
            if (count < 1) fail_msg("%d x %d: no wall in column %d", h, w, x);
            if (!crossing) assert_true(count <= (k ? 2 : 3));
        }
        for (int i = 0; i < h * w; i++) assert_true(there[i] <= 1 && line[i] <= 1);
        assert_int_equal(there[w - 1], 0);
        assert_int_equal(there[0], 1);
        guard_check(&a);
        guard_check(&b);
    }
}

/* How many pixels of line[h,w] lie in row y, or with `down` in column y, from one end of the line to
 * the other. */
static int across(const uint8_t *line, int h, int w, bool down, int y)
{
    int count = 0;
    for (int x = 0; x < (down ? h : w); x++) count += line[down ? x * w + y : y * w + x];
    return count;
}

/* Straight lines of one to three pixels: on other grids, of other proportions and enlarged, they are one
 * pixel wide and have no gap, from frame edge to frame edge but for what thinning takes. */
static void lines_on_other_grids(void **state)
{
    (void)state;
    enum { H = 40, W = 60 };
    static const int size[][2] = {{23, 95},   {95, 23}, {128, 512}, {80, 120}, {160, 240},
                                  {400, 300}, {20, 30}, {13, 60},   {40, 17}};
    reshed_error err = {0};
    uint8_t known[H * W];
    memset(known, 1, sizeof known);
    for (int k = 0; k < (int)(sizeof size / sizeof *size) * 12; k++) {
        const int h = size[k / 12][0], w = size[k / 12][1], thick = 1 + k % 3, kind = k / 3 % 4;
        uint8_t wall[H * W] = {0};
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int off = kind == 0   ? x - 31
                                : kind == 1 ? y - 17
                                : kind == 2 ? x - y - 9
                                            : x + y - 49;
                wall[y * W + x] = off >= 0 && off < thick;
            }
        guarded a, b;
        uint8_t *line = guard_make(&a, (size_t)(h * w)), *there = guard_make(&b, (size_t)(h * w));
        assert_ok(rs_label_fit(wall, known, H, W, line, there, h, w, &err), &err);
        /* Steep lines have one pixel in each row, others one in each column. */
        const bool steep = kind == 0 || (kind > 1 && h * W > w * H);
        int first = steep ? 0 : kind == 1 ? 0 : 9 * w / W;
        int last = steep ? h : kind == 1 ? w : 49 * w / W;
        const int lost = 1 + 3 * (steep ? h : w) / (steep ? H : W); /* by thinning, at the ends */
        for (int i = first + lost; i < last - lost; i++)
            if (across(line, h, w, !steep, i) != 1)
                fail_msg("%d x %d, kind %d, %d thick: %d pixels at %d", h, w, kind, thick,
                         across(line, h, w, !steep, i), i);
        guard_check(&a);
        guard_check(&b);
    }
    for (long k = 0; k < 20; k++) {
        uint8_t wall[H * W] = {1}, line[20 * 30], there[20 * 30];
        test_alloc_fail_at(k);
        const reshed_status st = rs_label_fit(wall, known, H, W, line, there, 20, 30, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
}

/* Diagonal steps get one of their corners, and nothing else changes. */
static void lines_are_closed(void **state)
{
    (void)state;
    enum { H = 9, W = 11 };
    guarded g;
    uint8_t *wall = guard_make(&g, (size_t)H * W), before[H * W];
    memset(wall, 0, (size_t)H * W);
    for (int i = 0; i < 8; i++) wall[i * W + i] = 1;      /* a diagonal */
    for (int i = 0; i < 4; i++) wall[i * W + 10 - i] = 1; /* the other one */
    for (int c = 0; c < 6; c++) wall[8 * W + c] = 1;      /* straight: stays */
    memcpy(before, wall, sizeof before);
    rs_label_close(H, W, wall);
    int more = 0;
    for (int i = 0; i < H * W; i++) {
        assert_true(wall[i] == 1 || (wall[i] == 0 && before[i] == 0));
        more += wall[i] != before[i];
    }
    assert_true(more >= 8);
    for (int y = 0; y + 1 < H; y++)
        for (int x = 0; x + 1 < W; x++) {
            const uint8_t *a = wall + y * W + x;
            assert_false(a[0] && a[W + 1] && !a[1] && !a[W]);
            assert_false(a[1] && a[W] && !a[0] && !a[W + 1]);
        }
    for (int i = 0; i < 2; i++) /* clear of other lines: one corner, not both */
        assert_int_equal(wall[i * W + i + 1] + wall[(i + 1) * W + i], 1);
    guard_check(&g);
}

/* Corners are taken on either side alike, so that the middle of a long line stays in its place. */
static void closed_lines_stay_in_their_place(void **state)
{
    (void)state;
    enum { N = 400 };
    uint8_t *wall = rs_zalloc((size_t)N * N, 1);
    assert_non_null(wall);
    for (int turn = 0; turn < 2; turn++) {
        double offset = 0;
        memset(wall, 0, (size_t)N * N);
        for (int i = 0; i < N; i++) wall[i * N + (turn ? N - 1 - i : i)] = 1;
        rs_label_close(N, N, wall);
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++)
                if (wall[y * N + x]) offset += (turn ? N - 1 - x : x) - y;
        assert_near(offset / N, 0, 0.15); /* three standard deviations of as many coins */
    }
    rs_free(wall);
}

static void distances_of_labels(void **state)
{
    (void)state;
    uint8_t wall[6 * 8] = {0};
    reshed_error err = {0};
    guarded g;
    float *d = guard_make(&g, sizeof(float[6 * 8]));
    assert_ok(rs_label_distance(wall, 6, 8, d, &err), &err);
    for (int i = 0; i < 48; i++) assert_true(d[i] == 1000);
    wall[2 * 8 + 3] = 1;
    assert_ok(rs_label_distance(wall, 6, 8, d, &err), &err);
    for (int y = 0; y < 6; y++)
        for (int x = 0; x < 8; x++) assert_near(d[y * 8 + x], hypot(y - 2, x - 3), TOL_FLOAT);
    guard_check(&g);
    for (long k = 0; k < 50; k++) {
        test_alloc_fail_at(k);
        reshed_status st = rs_label_distance(wall, 6, 8, (float[48]){0}, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
}

/* -------------------------------------------------------------------------------------- pictures */
static void simulated_pictures(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_picture a = {0}, b = {0};
    rs_picture_scene scene = {.size = 64, .harsh = 1};
    assert_ok(rs_picture_simulate(&scene, 1234, 5, &a, &err), &err);
    assert_ok(rs_picture_simulate(&scene, 1234, 5, &b, &err), &err);
    float lo = 9, hi = -9;
    for (int i = 0; i < 64 * 64; i++) {
        lo = fminf(lo, a.image[i]);
        hi = fmaxf(hi, a.image[i]);
        assert_true(a.wall[i] <= 1 && a.known[i] == 1);
    }
    assert_true(lo == 0 && hi == 1);
    assert_memory_equal(a.image, b.image, 64 * 64 * sizeof(float));
    assert_memory_equal(a.wall, b.wall, 64 * 64);
    rs_picture_clear(&b);
    assert_ok(rs_picture_simulate(&scene, 1234, 6, &b, &err), &err);
    assert_true(memcmp(a.image, b.image, 64 * 64 * sizeof(float)) != 0);
    rs_picture_clear(&a);
    rs_picture_clear(&b);
    scene.film = RS_TWIN_FILM_MIX;
    assert_ok(rs_picture_simulate(&scene, 1234, 5, &a, &err), &err);
    rs_picture_clear(&a);
    scene = (rs_picture_scene){.size = 3, .harsh = 1};
    assert_int_equal(rs_picture_simulate(&scene, 1, 0, &a, &err), RESHED_EUNSUPPORTED);
    scene.size = 16;
    for (long k = 0; k < 200; k++) {
        test_alloc_fail_at(k);
        reshed_status st = rs_picture_simulate(&scene, 7, 0, &a, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
    rs_picture_clear(&a);
}

static void own_pictures(void **state)
{
    (void)state;
    enum { H = 20, W = 24 };
    reshed_error err = {0};
    const char *where = NULL;
    float image[H * W], walls[4 * H * W] = {0};
    uint8_t mask[4 * H * W] = {0};
    for (int i = 0; i < H * W; i++) image[i] = (float)(3 + i % W);
    image[2 * W + 2] = NAN;
    for (int y = 0; y < 2 * H; y++) walls[y * 2 * W + 24] = 1; /* twice the size: x = 12 */
    for (int i = 0; i < 2 * W * 10; i++) mask[i] = 255;        /* the upper five rows */
    const char *a = test_temp("frame.npy"), *b = test_temp("walls.npy"), *c = test_temp("no.png");
    assert_ok(rs_npy_write(a, RS_NPY_F4, 2, (size_t[]){H, W}, image, &err), &err);
    assert_ok(rs_npy_write(b, RS_NPY_F4, 2, (size_t[]){2 * H, 2 * W}, walls, &err), &err);
    assert_ok(rs_png_write(c, RS_PNG_GREY8, 2 * H, 2 * W, mask, &err), &err);
    rs_picture p = {0};
    rs_picture_files files = {a, b, NULL};
    assert_ok(rs_picture_read(&files, 4e-9, 24e-9, &p, &where, &err), &err);
    assert_true(p.height == H && p.width == W);
    assert_near(p.image[5 * W], 0, TOL_FLOAT);
    assert_near(p.image[5 * W + W - 1], 1, TOL_FLOAT);
    assert_near(p.image[2 * W + 2], 2.0 / (W - 1), TOL_FLOAT); /* filled, and not known */
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            assert_int_equal(p.known[y * W + x], !(y == 2 && x == 2));
            if (x < 11 || x > 13) assert_int_equal(p.wall[y * W + x], 0);
        }
    assert_int_equal(p.wall[9 * W + 12], 1);
    rs_picture_clear(&p);
    files.unknown = c;
    assert_ok(rs_picture_read(&files, 0, 0, &p, &where, &err), &err);
    for (int y = 0; y < H; y++) assert_int_equal(p.known[y * W + 7], y >= 5);
    assert_int_equal(p.wall[2 * W + 12], 0);
    rs_picture_clear(&p);
    files.unknown = a; /* of another size */
    assert_int_equal(rs_picture_read(&files, 0, 0, &p, &where, &err), RESHED_EINVAL);
    assert_string_equal(where, a);
    memset(walls, 0, sizeof walls);
    assert_ok(rs_npy_write(b, RS_NPY_F4, 2, (size_t[]){2 * H, 2 * W}, walls, &err), &err);
    files.unknown = NULL;
    assert_int_equal(rs_picture_read(&files, 0, 0, &p, &where, &err), RESHED_EINVAL);
    assert_string_equal(where, b);
    files.walls = test_temp("absent.npy");
    assert_int_equal(rs_picture_read(&files, 0, 0, &p, &where, &err), RESHED_EIO);
    assert_string_equal(where, files.walls);
}

/* ---------------------------------------------------------------------------------- augmentation */
/* A picture whose every pixel tells where it is; a wall along row 10, unknown at column 3. */
static rs_picture places(int h, int w)
{
    rs_picture p;
    reshed_error err = {0};
    assert_ok(rs_picture_init(&p, h, w, &err), &err);
    for (int i = 0; i < h * w; i++) {
        p.image[i] = (float)i / (float)(h * w - 1);
        p.wall[i] = i / w == 10;
        p.known[i] = i % w != 3;
    }
    assert_ok(rs_picture_distance(&p, &err), &err);
    return p;
}

typedef struct planes {
    guarded g[3];
    rs_piece piece;
} planes;

static planes planes_make(int size)
{
    planes p;
    const size_t n = sizeof(float) * (size_t)size * (size_t)size;
    p.piece.size = size;
    p.piece.image = guard_make(&p.g[0], n);
    p.piece.target = guard_make(&p.g[1], n);
    p.piece.weight = guard_make(&p.g[2], n);
    return p;
}

static void planes_free(planes *p)
{
    for (int i = 0; i < 3; i++) guard_check(&p->g[i]);
}

/* Every pixel of a cut piece comes from one pixel with its label, in one of eight orientations, and
 * all eight and all places occur. */
static void pieces_are_cut_out(void **state)
{
    (void)state;
    enum { H = 25, W = 31, N = 16 };
    rs_picture p = places(H, W);
    rs_random r = {test_seed()};
    bool seen[3][3] = {0};
    int least = H * W, most = 0;
    for (int k = 0; k < 300; k++) {
        planes out = planes_make(N);
        int at[N * N];
        rs_augment_cut(&p, &r, &out.piece);
        for (int i = 0; i < N * N; i++) {
            at[i] = (int)lroundf(out.piece.image[i] * (H * W - 1));
            assert_true(at[i] >= 0 && at[i] < H * W);
            assert_true(out.piece.target[i] == p.wall[at[i]]);
            assert_true(out.piece.weight[i] == p.known[at[i]]);
        }
        /* One step to the right, and one down, are steps along different axes of the picture. */
        const int right = at[1] - at[0], down = at[N] - at[0];
        assert_true((abs(right) == 1 && abs(down) == W) || (abs(right) == W && abs(down) == 1));
        for (int i = 0; i < N * N; i++)
            assert_int_equal(at[i], at[0] + right * (i % N) + down * (i / N));
        seen[abs(right) == 1 ? (right > 0) : 2][(right > 0) + 2 * (down > 0) > 2] = true;
        for (int i = 0; i < N * N; i++) {
            least = at[i] < least ? at[i] : least;
            most = at[i] > most ? at[i] : most;
        }
        planes_free(&out);
    }
    assert_true(least < W && most >= (H - 1) * W);
    assert_true(seen[0][0] && seen[1][0] && seen[1][1] && seen[2][0] && seen[2][1]);
    rs_picture_clear(&p);
    /* A picture that is smaller goes on as its mirror image. */
    p = places(12, 9);
    planes out = planes_make(N);
    rs_augment_cut(&p, &r, &out.piece);
    int turns = 0;
    for (int i = 0; i < N * N; i++) {
        assert_true(out.piece.image[i] >= 0 && out.piece.image[i] <= 1);
        const int at = (int)lroundf(out.piece.image[i] * (12 * 9 - 1));
        assert_true(out.piece.target[i] == p.wall[at] && out.piece.weight[i] == p.known[at]);
        /* Neighbours are neighbours there, or the same pixel where the picture turns back. */
        for (int k = 0; k < 2; k++) {
            if (k == 0 ? i % N == N - 1 : i / N == N - 1) continue;
            const int next = (int)lroundf(out.piece.image[i + (k ? N : 1)] * (12 * 9 - 1));
            const int dy = abs(next / 9 - at / 9), dx = abs(next % 9 - at % 9);
            assert_true(dy + dx <= 1);
            turns += dy + dx == 0;
        }
    }
    assert_true(turns < 5 * N);
    planes_free(&out);
    rs_picture_clear(&p);
}

/* Turned walls are lines of one pixel that lie where the turned image has them. */
static void pieces_are_turned(void **state)
{
    (void)state;
    enum { H = 60, W = 70, N = 32 };
    rs_picture p;
    reshed_error err = {0};
    assert_ok(rs_picture_init(&p, H, W, &err), &err);
    for (int i = 0; i < H * W; i++) {
        p.image[i] = (float)(i / W) / H; /* so the row can be read off */
        p.wall[i] = i / W == 30;
        p.known[i] = i / W > 4;
    }
    assert_ok(rs_picture_distance(&p, &err), &err);
    rs_random r = {test_seed() + 1};
    int lines = 0;
    for (int k = 0; k < 100; k++) {
        planes out = planes_make(N);
        uint8_t mask[N * N];
        rs_augment_turn(&p, &r, &out.piece);
        int wall = 0;
        for (int i = 0; i < N * N; i++) {
            const float row = out.piece.image[i] * H;
            assert_true(row >= 0 && row < H);
            assert_true(out.piece.target[i] == 0 || out.piece.target[i] == 1);
            if (out.piece.target[i] == 1) assert_true(fabsf(row - 30) <= 0.79f);
            /* Mirror images beyond the frame double back, hence within the frame only. */
            if (fabsf(row - 30) < 0.3f) assert_true(out.piece.target[i] == 1);
            if (row > 5.01f) assert_true(out.piece.weight[i] == 1);
            if (row < 4) assert_true(out.piece.weight[i] == 0);
            mask[i] = out.piece.target[i] > 0;
            wall += mask[i];
        }
        for (int y = 1; y < N - 1; y++)
            for (int x = 1; x < N - 1; x++) {
                int full = 0;
                for (int i = 0; i < 9; i++) full += mask[(y + i / 3 - 1) * N + x + i % 3 - 1];
                assert_true(full < 7); /* a line 1.2 wide */
            }
        lines += wall > N / 2;
        planes_free(&out);
    }
    assert_true(lines > 20);
    rs_picture_clear(&p);
}

static rs_augment usual(int size)
{
    return (rs_augment){
        .size = size, .strength = 1, .turn = 0.25, .partial = 0.2, .invert = 0, .eight = 0.3};
}

static void instruments_change_pieces(void **state)
{
    (void)state;
    enum { N = 40 };
    rs_picture p = places(N, N);
    reshed_error err = {0};
    rs_random r = {test_seed() + 2};
    int partial = 0, eight = 0;
    rs_augment a = usual(N);
    for (int k = 0; k < 200; k++) {
        planes out = planes_make(N);
        rs_random cut = {(uint64_t)k};
        rs_augment_cut(&p, &cut, &out.piece);
        assert_ok(rs_augment_effects(&a, &r, &out.piece, &err), &err);
        float lo = 9, hi = -9;
        int rows = 0;
        bool whole = true;
        for (int i = 0; i < N * N; i++) {
            lo = fminf(lo, out.piece.image[i]);
            hi = fmaxf(hi, out.piece.image[i]);
            if (out.piece.image[i] > 0) rows = i / N + 1;
            const float level = out.piece.image[i] * 255;
            if (fabsf(level - roundf(level)) > 1e-4f) whole = false;
        }
        assert_true(lo == 0 && hi == 1);
        if (rows < N) {
            partial++;
            for (int i = (rows + 1) * N; i < N * N; i++)
                assert_true(out.piece.image[i] == 0 && out.piece.target[i] == 0);
        }
        eight += whole;
        planes_free(&out);
    }
    assert_true(partial > 15 && partial < 70);
    assert_true(eight > 30 && eight < 100);
    /* Nothing is changed but the range when everything is off. */
    a = (rs_augment){.size = N};
    planes out = planes_make(N);
    rs_random cut = {5};
    rs_augment_cut(&p, &cut, &out.piece);
    float before[N * N];
    memcpy(before, out.piece.image, sizeof before);
    assert_ok(rs_augment_effects(&a, &r, &out.piece, &err), &err);
    float off = 0;
    for (int i = 0; i < N * N; i++) off += fabsf(out.piece.image[i] - before[i]);
    assert_true(off / (N * N) < 0.01f); /* noise is drawn with strength 0 */
    /* Inverted on request: the least becomes the greatest. */
    a.invert = 1;
    memcpy(out.piece.image, before, sizeof before);
    assert_ok(rs_augment_effects(&a, &r, &out.piece, &err), &err);
    for (int i = 0; i < N * N; i++)
        assert_near(out.piece.image[i], 1 - (double)before[i], 2 * TOL_FLOAT);
    planes_free(&out);
    rs_picture_clear(&p);
}

static void settings_out_of_range(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_augment a = usual(112);
    assert_ok(rs_augment_check(&a, &err), &err);
    a.size = 7;
    assert_int_equal(rs_augment_check(&a, &err), RESHED_EINVAL);
    a = usual(112);
    a.turn = NAN;
    assert_int_equal(rs_augment_check(&a, &err), RESHED_EINVAL);
    rs_batches b = {.batch = 8, .augment = usual(112), .scene = {.size = 128, .harsh = 1}};
    assert_ok(rs_batches_check(&b, &err), &err);
    b.share = 0.5;
    assert_int_equal(rs_batches_check(&b, &err), RESHED_EINVAL); /* no own frames */
    b.share = 0;
    b.batch = 0;
    assert_int_equal(rs_batches_check(&b, &err), RESHED_EINVAL);
    b.batch = 8;
    b.scene.harsh = 3;
    assert_int_equal(rs_batches_check(&b, &err), RESHED_EINVAL);
}

/* --------------------------------------------------------------------------------------- batches */
enum { SIDE = 24, PIECES = 3 };

static rs_batches small(const rs_picture *own)
{
    return (rs_batches){.seed = 11,
                        .batch = PIECES,
                        .augment = usual(SIDE),
                        .scene = {.size = 32, .harsh = 1},
                        .own = own,
                        .owns = own ? 1 : 0,
                        .share = own ? 0.5 : 0,
                        .own_turn = 0.75};
}

static void assert_same_batch(const rs_batch *a, const rs_batch *b)
{
    const size_t n = (size_t)a->n * SIDE * SIDE * sizeof(float);
    assert_memory_equal(a->image, b->image, n);
    assert_memory_equal(a->target, b->target, n);
    assert_memory_equal(a->weight, b->weight, n);
}

static void batches_follow_from_member_and_step(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_picture own = places(30, 40);
    rs_batches b = small(&own);
    rs_batch x = {0}, y = {0};
    assert_ok(rs_batch_init(&b, &x, &err), &err);
    assert_ok(rs_batch_init(&b, &y, &err), &err);
    assert_ok(rs_batches_make(&b, 2, 9, &x, &err), &err);
    assert_ok(rs_batches_make(&b, 2, 9, &y, &err), &err);
    assert_same_batch(&x, &y);
    for (int k = 0; k < 3; k++) {
        rs_batches other = b;
        other.seed += k == 2;
        assert_ok(rs_batches_make(&other, k == 0 ? 3 : 2, k == 1 ? 10 : 9, &y, &err), &err);
        assert_true(memcmp(x.image, y.image, SIDE * SIDE * sizeof(float)) != 0);
    }
    for (size_t i = 0; i < PIECES * SIDE * SIDE; i++) {
        assert_true(x.image[i] >= 0 && x.image[i] <= 1);
        assert_true(x.target[i] == 0 || x.target[i] == 1);
        assert_true(x.weight[i] == 0 || x.weight[i] == 1);
    }
    /* Sets of members differ, and keep out of those for judging. */
    for (int m = 0; m < 20; m++) {
        assert_true(rs_batches_set(1, m) >= 1000 && rs_batches_set(1, m) < (uint64_t)1 << 32);
        for (int k = 0; k < m; k++) assert_true(rs_batches_set(1, m) != rs_batches_set(1, k));
    }
    rs_batch_clear(&x);
    rs_batch_clear(&y);
    rs_picture_clear(&own);
}

/* A frame of which only a corner is known gives pieces that hold some of it. */
static void pieces_hold_what_is_known(void **state)
{
    (void)state;
    enum { H = 120, W = 120 };
    reshed_error err = {0};
    rs_picture own = places(H, W);
    rs_batches b = small(&own);
    rs_batch x = {0};
    b.share = 1;
    for (int i = 0; i < H * W; i++) own.known[i] = i / W < 20 && i % W < 20;
    assert_ok(rs_batch_init(&b, &x, &err), &err);
    int with = 0;
    for (int step = 0; step < 20; step++) {
        assert_ok(rs_batches_make(&b, 0, step, &x, &err), &err);
        for (int k = 0; k < PIECES; k++) {
            double sum = 0;
            for (int i = 0; i < SIDE * SIDE; i++) sum += (double)x.weight[k * SIDE * SIDE + i];
            with += sum >= 0.1 * SIDE * SIDE;
        }
    }
    assert_true(with > 20 * PIECES / 2); /* a twentieth without drawing again */
    rs_batch_clear(&x);
    rs_picture_clear(&own);
}

/* Queues give the same batches with any number of threads, also when a lane is turned half-way. */
static void queues_give_the_same_batches(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_picture own = places(30, 40);
    rs_batches b = small(&own);
    rs_batch want = {0};
    assert_ok(rs_batch_init(&b, &want, &err), &err);
    for (int threads = 0; threads < 4; threads++) {
        rs_feed *feed = NULL;
        const rs_batch *got = NULL;
        assert_ok(rs_feed_open(&b, 2, threads, 1 + threads, &feed, &err), &err);
        const struct {
            int lane, member;
            int64_t first, end, taken;
        } turn[] = {
            {0, 0, 0, 6, 6}, {1, 4, 3, 9, 2}, {1, 1, 0, 3, 3}, {0, 2, 7, 7, 0}, {0, 3, 5, 8, 3}};
        for (size_t k = 0; k < sizeof turn / sizeof *turn; k++) {
            rs_feed_begin(feed, turn[k].lane, turn[k].member, turn[k].first, turn[k].end);
            for (int64_t s = 0; s < turn[k].taken; s++) {
                assert_ok(rs_feed_take(feed, turn[k].lane, &got, &err), &err);
                assert_ok(rs_batches_make(&b, turn[k].member, turn[k].first + s, &want, &err),
                          &err);
                assert_same_batch(got, &want);
                rs_feed_release(feed, turn[k].lane);
            }
        }
        rs_feed_close(feed);
    }
    rs_batch_clear(&want);
    rs_picture_clear(&own);
}

static void queues_bear_failures(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_batches b = small(NULL);
    rs_feed *feed = NULL;
    b.scene.size = 2;
    assert_int_equal(rs_feed_open(&b, 1, 1, 1, &feed, &err), RESHED_EINVAL);
    b = small(NULL);
    for (long k = 0; k < 100; k++) {
        test_alloc_fail_at(k);
        reshed_status st = rs_feed_open(&b, 2, 0, 2, &feed, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
    /* A batch that cannot be made is its taker's failure; the next one is made. */
    const rs_batch *got = NULL;
    rs_feed_begin(feed, 0, 0, 0, 2);
    test_alloc_fail_at(0);
    assert_int_equal(rs_feed_take(feed, 0, &got, &err), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
    rs_feed_release(feed, 0);
    assert_ok(rs_feed_take(feed, 0, &got, &err), &err);
    rs_feed_release(feed, 0);
    rs_feed_close(feed);
    rs_feed_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_labels),
        cmocka_unit_test(labels_of_another_size),
        cmocka_unit_test(lines_on_other_grids),
        cmocka_unit_test(lines_are_closed),
        cmocka_unit_test(closed_lines_stay_in_their_place),
        cmocka_unit_test(distances_of_labels),
        cmocka_unit_test(simulated_pictures),
        cmocka_unit_test(own_pictures),
        cmocka_unit_test(pieces_are_cut_out),
        cmocka_unit_test(pieces_are_turned),
        cmocka_unit_test(instruments_change_pieces),
        cmocka_unit_test(settings_out_of_range),
        cmocka_unit_test(batches_follow_from_member_and_step),
        cmocka_unit_test(pieces_hold_what_is_known),
        cmocka_unit_test(queues_give_the_same_batches),
        cmocka_unit_test(queues_bear_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
