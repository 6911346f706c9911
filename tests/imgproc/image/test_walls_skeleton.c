#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"

enum { GUARD = 32 };

/* The patterns of eight neighbours that a pass removes: bit 0 is the neighbour up left, the others
 * follow clockwise. */
static const uint8_t FIRST[] = {3,   6,   7,   10,  11,  12,  14,  15,  28,  30,  31,  40,
                                60,  112, 120, 124, 130, 131, 134, 135, 143, 159, 160, 161,
                                193, 194, 195, 198, 199, 207, 225, 227, 231, 240, 241, 243};
static const uint8_t SECOND[] = {7,   10,  15,  24,  26,  28,  30,  31,  40,  56,  60,  62,
                                 63,  96,  104, 108, 112, 120, 124, 126, 130, 135, 160, 176,
                                 192, 193, 195, 199, 224, 225, 240, 241, 248, 249, 252};

static int at(const uint8_t *m, int h, int w, int row, int col)
{
    return row >= 0 && row < h && col >= 0 && col < w && m[row * w + col];
}

static bool removes(const uint8_t *m, int h, int w, int row, int col, bool first)
{
    static const int dr[8] = {-1, -1, -1, 0, 1, 1, 1, 0}, dc[8] = {-1, 0, 1, 1, 1, 0, -1, -1};
    int pattern = 0;
    for (int k = 0; k < 8; k++) pattern |= at(m, h, w, row + dr[k], col + dc[k]) << k;
    const uint8_t *list = first ? FIRST : SECOND;
    for (size_t i = 0; i < (first ? sizeof FIRST : sizeof SECOND); i++)
        if (list[i] == pattern) return true;
    return false;
}

/* The algorithm pixel by pixel. */
static void thin_plainly(uint8_t *m, int h, int w)
{
    uint8_t *old = rs_alloc((size_t)(h * w), 1);
    bool any = true;
    while (any) {
        any = false;
        for (int pass = 0; pass < 2; pass++) {
            memcpy(old, m, (size_t)(h * w));
            for (int r = 0; r < h; r++)
                for (int c = 0; c < w; c++)
                    if (old[r * w + c] && removes(old, h, w, r, c, pass == 0)) {
                        m[r * w + c] = 0;
                        any = true;
                    }
        }
    }
    rs_free(old);
}

static void assert_thins_to(const uint8_t *mask, const uint8_t *want, int h, int w)
{
    size_t n = (size_t)h * (size_t)w;
    reshed_error err = {0};
    uint8_t *out = rs_alloc(n + 2 * GUARD, 1);
    memset(out, 0x5a, n + 2 * GUARD);
    assert_ok(rs_skeletonize(mask, h, w, out + GUARD, &err), &err);
    for (size_t i = 0; i < n; i++)
        if (out[GUARD + i] != want[i])
            fail_msg("%d x %d: row %d, column %d is %d (seed %llu)", h, w, (int)i / w, (int)i % w,
                     out[GUARD + i], (unsigned long long)test_seed());
    for (int i = 0; i < GUARD; i++) {
        assert_int_equal(out[i], 0x5a);
        assert_int_equal(out[GUARD + n + (size_t)i], 0x5a);
    }
    /* A skeleton thins to itself, in place as well. */
    assert_ok(rs_skeletonize(out + GUARD, h, w, out + GUARD, &err), &err);
    assert_memory_equal(out + GUARD, want, n);
    rs_free(out);
}

static void skeleton_equals_scikit_image(void **state)
{
    (void)state;
    size_t len;
    uint8_t *text = test_read_file(test_data("skeletons.txt"), &len);
    char *p = rs_alloc(len + 1, 1), *s = p;
    memcpy(s, text, len);
    s[len] = '\0';
    int cases = 0;
    s = strchr(s, '\n') + 1;
    while (*s) {
        char name[32];
        int h, w;
        assert_int_equal(sscanf(s, "%31s %d %d", name, &h, &w), 3);
        s = strchr(s, '\n') + 1;
        uint8_t *mask = rs_alloc((size_t)(h * w), 2), *want = mask + h * w;
        for (int r = 0; r < h; r++, s = strchr(s, '\n') + 1)
            for (int c = 0; c < w; c++) {
                mask[r * w + c] = s[c] == '.' ? 0 : 200; /* any value but 0 is object */
                want[r * w + c] = s[c] == '#';
            }
        assert_thins_to(mask, want, h, w);
        rs_free(mask);
        cases++;
    }
    assert_int_equal(cases, 17);
    rs_free(p);
    rs_free(text);
}

/* The array of a version 1 .npy file of one-byte elements. */
static const uint8_t *npy_bytes(const uint8_t *file, size_t len, int *h, int *w)
{
    char head[256];
    size_t n = (size_t)file[8] + 256 * (size_t)file[9];
    assert_true(n < sizeof head && 10 + n <= len);
    memcpy(head, file + 10, n);
    head[n - 1] = '\0';
    assert_int_equal(sscanf(strstr(head, "'shape': ("), "'shape': (%d, %d)", h, w), 2);
    assert_int_equal(len, 10 + n + (size_t)*h * (size_t)*w);
    return file + 10 + n;
}

static void skeleton_equals_shared_goldens(void **state)
{
    (void)state;
    const char *names[] = {"blobs_180x203", "dense_64x64", "empty_9x9", "full_33x33", "line_1x40",
                           "noise_97x131",  "pred_a",      "two_2x2",   "walls_a",    "wide_b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char in[64], out[64];
        size_t in_len, out_len;
        int h, w, oh, ow;
        snprintf(in, sizeof in, "golden/skeleton_in_%s.npy", names[i]);
        snprintf(out, sizeof out, "golden/skeleton_out_%s.npy", names[i]);
        uint8_t *a = test_read_file(test_shared(in), &in_len);
        uint8_t *b = test_read_file(test_shared(out), &out_len);
        const uint8_t *mask = npy_bytes(a, in_len, &h, &w);
        const uint8_t *want = npy_bytes(b, out_len, &oh, &ow);
        assert_true(h == oh && w == ow);
        assert_thins_to(mask, want, h, w);
        rs_free(a);
        rs_free(b);
    }
}

static void skeleton_equals_plain_algorithm(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int trial = 0; trial < test_tier(40, 400, 5000); trial++) {
        int h = 1 + (int)test_below(&r, trial % 3 ? 40 : 8);
        int w = 1 + (int)test_below(&r, trial % 3 ? 140 : 8);
        double density = test_uniform(&r, 0, 1);
        uint8_t *mask = rs_alloc((size_t)(h * w), 2), *want = mask + h * w;
        for (int i = 0; i < h * w; i++) mask[i] = test_uniform(&r, 0, 1) < density;
        if (trial % 2) /* thicker: every pixel that is set also sets those up, left, up left */
            for (int row = 0; row < h; row++)
                for (int col = 0; col < w; col++)
                    if (at(mask, h, w, row + 1, col) || at(mask, h, w, row, col + 1) ||
                        at(mask, h, w, row + 1, col + 1))
                        mask[row * w + col] = 1;
        memcpy(want, mask, (size_t)(h * w));
        thin_plainly(want, h, w);
        assert_thins_to(mask, want, h, w);
        rs_free(mask);
    }
}

static void skeleton_refuses_and_survives(void **state)
{
    (void)state;
    reshed_error err = {0};
    uint8_t mask[30 * 70], out[30 * 70], before[30 * 70];
    memset(mask, 1, sizeof mask);
    memset(out, 7, sizeof out);
    memcpy(before, out, sizeof out);
    assert_int_equal(rs_skeletonize(mask, 0, 70, out, &err), RESHED_EINVAL);
    assert_int_equal(rs_skeletonize(mask, 30, 65537, out, &err), RESHED_EINVAL);
    test_alloc_reset();
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_skeletonize(mask, 30, 70, out, &err);
        if (!test_alloc_failed()) {
            test_alloc_fail_at(-1);
            assert_int_equal(st, RESHED_OK);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_memory_equal(out, before, sizeof out);
    }
}

/* ----------------------------------------------------------------------------------- thresholds */

static void threshold_is_strict(void **state)
{
    (void)state;
    const float at = (float)RS_THRESHOLD_DEFAULT;
    const float map[] = {at, nextafterf(at, 1), nextafterf(at, 0), 0, 1, NAN, INFINITY, -INFINITY};
    const uint8_t want[] = {0, 1, 0, 0, 1, 0, 1, 0};
    uint8_t mask[8];
    memset(mask, 9, sizeof mask);
    rs_threshold(map, 8, RS_THRESHOLD_DEFAULT, mask);
    assert_memory_equal(mask, want, sizeof mask);
}

/* Every split, its variance between classes from the definition. */
static double otsu_plainly(const float *map, int n)
{
    float *s = rs_alloc((size_t)n, sizeof *s);
    memcpy(s, map, (size_t)n * sizeof *s);
    qsort(s, (size_t)n, sizeof *s, rs_compare_floats);
    double best = -1, t = 0;
    for (int k = 1; k < n; k++) {
        if (s[k] == s[k - 1]) continue;
        double m0 = 0, m1 = 0;
        for (int i = 0; i < n; i++) *(i < k ? &m0 : &m1) += s[i];
        m0 /= k;
        m1 /= n - k;
        double between = (double)k * (n - k) * (m0 - m1) * (m0 - m1);
        if (between > best * (1 + 1e-12)) {
            best = between;
            t = s[k - 1];
        }
    }
    rs_free(s);
    return t;
}

static void otsu_equals_definition(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    float map[200];
    for (int trial = 0; trial < 300; trial++) {
        int n = 2 + (int)test_below(&r, 199);
        for (int i = 0; i < n; i++) {
            double v = test_below(&r, 3) ? 0.2 * test_gauss(&r) : 3 + test_gauss(&r);
            map[i] = trial % 3 ? (float)v : (float)floor(4 * v); /* with ties */
        }
        map[0] = -5;
        map[1] = 5;
        double t = 0;
        assert_ok(rs_threshold_otsu(map, (size_t)n, &t, &err), &err);
        assert_true(t == otsu_plainly(map, n));
    }
}

static void otsu_splits_two_levels(void **state)
{
    (void)state;
    reshed_error err = {0};
    float map[64];
    double t = -1;
    for (int i = 0; i < 64; i++) map[i] = i < 60 ? -0.25f : 0.75f;
    map[7] = NAN;
    map[8] = INFINITY;
    assert_ok(rs_threshold_otsu(map, 64, &t, &err), &err);
    assert_true(t == -0.25);
    for (int i = 0; i < 64; i++) map[i] = i % 2 ? -0.0f : 0.0f;
    t = -1;
    assert_int_equal(rs_threshold_otsu(map, 64, &t, &err), RESHED_EINVAL);
    assert_int_equal(rs_threshold_otsu(map, 0, &t, &err), RESHED_EINVAL);
    map[3] = 1;
    test_alloc_fail_at(0);
    assert_int_equal(rs_threshold_otsu(map, 64, &t, &err), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
    assert_true(t == -1);
}

static void hysteresis_keeps_what_touches_the_core(void **state)
{
    (void)state;
    reshed_error err = {0};
    /* 1: above low, 2: above high */
    const char *rows[] = {"1110000", "0001000", "0000200", "1100000", "1100001", "0000001"};
    const char *want[] = {"1110000", "0001000", "0000100", "0000000", "0000000", "0000000"};
    float map[42];
    uint8_t mask[42];
    for (int i = 0; i < 42; i++) map[i] = 0.3f * (float)(rows[i / 7][i % 7] - '0');
    assert_ok(rs_threshold_hysteresis(map, 6, 7, 0.2, 0.5, mask, &err), &err);
    for (int i = 0; i < 42; i++) assert_int_equal(mask[i], want[i / 7][i % 7] - '0');
    map[13] = NAN;
    assert_ok(rs_threshold_hysteresis(map, 6, 7, 0.2, 0.2, mask, &err), &err);
    for (int i = 0; i < 42; i++) assert_int_equal(mask[i], map[i] > 0.2f);
    assert_int_equal(rs_threshold_hysteresis(map, 6, 7, 0.5, 0.2, mask, &err), RESHED_EINVAL);
    assert_int_equal(rs_threshold_hysteresis(map, 6, 7, NAN, 0.2, mask, &err), RESHED_EINVAL);
    assert_int_equal(rs_threshold_hysteresis(map, 6, 0, 0.1, 0.2, mask, &err), RESHED_EINVAL);
    test_alloc_fail_at(0);
    assert_int_equal(rs_threshold_hysteresis(map, 6, 7, 0.2, 0.5, mask, &err), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
}

/* Spreading from the cores until nothing changes. */
static void hysteresis_equals_spreading(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    float map[30 * 40];
    uint8_t mask[30 * 40], want[30 * 40];
    for (int trial = 0; trial < 50; trial++) {
        for (int i = 0; i < 1200; i++) map[i] = (float)test_uniform(&r, 0, 1);
        double low = test_uniform(&r, 0.3, 0.8), high = test_uniform(&r, low, 1);
        rs_threshold(map, 1200, high, want);
        for (bool again = true; again;) {
            again = false;
            for (int i = 0; i < 1200; i++) {
                if (want[i] || !(map[i] > (float)low)) continue;
                for (int k = 0; k < 9; k++)
                    want[i] |= (uint8_t)at(want, 30, 40, i / 40 + k / 3 - 1, i % 40 + k % 3 - 1);
                again = again || want[i];
            }
        }
        assert_ok(rs_threshold_hysteresis(map, 30, 40, low, high, mask, &err), &err);
        assert_memory_equal(mask, want, sizeof mask);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skeleton_equals_scikit_image),
        cmocka_unit_test(skeleton_equals_shared_goldens),
        cmocka_unit_test(skeleton_equals_plain_algorithm),
        cmocka_unit_test(skeleton_refuses_and_survives),
        cmocka_unit_test(threshold_is_strict),
        cmocka_unit_test(otsu_equals_definition),
        cmocka_unit_test(otsu_splits_two_levels),
        cmocka_unit_test(hysteresis_keeps_what_touches_the_core),
        cmocka_unit_test(hysteresis_equals_spreading),
    };
    return cmocka_run_group_tests_name("walls_skeleton", tests, NULL, NULL);
}
