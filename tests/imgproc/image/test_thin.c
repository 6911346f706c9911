/* test_thin.c - rs_thin keeps every line: connectivity, bars in every direction, turns and
 * mirrors. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/image/skeleton.h"

enum { SIDE = 100, MOST = SIDE * SIDE };

typedef struct picture {
    int h, w;
    uint8_t m[MOST];
} picture;

static int at(const picture *p, int r, int c)
{
    return r >= 0 && c >= 0 && r < p->h && c < p->w && p->m[r * p->w + c];
}

static void thin(const picture *in, picture *out)
{
    reshed_error err = {0};
    *out = *in;
    memset(out->m, 0x5a, sizeof out->m);
    assert_ok(rs_thin(in->m, in->h, in->w, out->m, &err), &err);
    for (size_t i = (size_t)(in->h * in->w); i < MOST; i++) assert_int_equal(out->m[i], 0x5a);
}

/* Labels the pieces of value v (0: the background with its border, along rows and columns; 1: the
 * object, also along diagonals); label [(h+2)*(w+2)], 0 elsewhere. Returns how many there are. */
static int pieces(const picture *p, int v, int *label)
{
    static int stack[(SIDE + 2) * (SIDE + 2)];
    static const int dr[8] = {-1, 0, 1, 0, -1, -1, 1, 1}, dc[8] = {0, 1, 0, -1, -1, 1, 1, -1};
    const int w = p->w + 2, n = (p->h + 2) * w;
    int count = 0;
    memset(label, 0, (size_t)n * sizeof *label);
    for (int i = 0; i < n; i++) {
        if (label[i] || at(p, i / w - 1, i % w - 1) != v) continue;
        int top = 0;
        label[i] = ++count;
        stack[top++] = i;
        while (top) {
            const int j = stack[--top];
            for (int k = 0; k < (v ? 8 : 4); k++) {
                const int r = j / w + dr[k], c = j % w + dc[k];
                if (r < 0 || c < 0 || r >= p->h + 2 || c >= w || label[r * w + c]) continue;
                if (at(p, r - 1, c - 1) != v) continue;
                label[r * w + c] = count;
                stack[top++] = r * w + c;
            }
        }
    }
    return count;
}

/* Every piece of the object keeps a pixel and stays in one piece, every hole stays and none opens,
 * lines are one pixel wide, and thinning again changes nothing. */
static void check(const picture *in)
{
    static int before[(SIDE + 2) * (SIDE + 2)], after[(SIDE + 2) * (SIDE + 2)];
    static picture out, again;
    thin(in, &out);
    const int n = pieces(in, 1, before), n_out = pieces(&out, 1, after);
    assert_int_equal(n_out, n);
    for (int i = 0; i < (in->h + 2) * (in->w + 2); i++)
        if (after[i]) assert_true(before[i]); /* n pieces within n pieces ... */
    static uint8_t kept[MOST + 1];
    memset(kept, 0, sizeof kept);
    for (int i = 0; i < (in->h + 2) * (in->w + 2); i++)
        if (after[i]) kept[before[i]] = 1;
    for (int i = 1; i <= n; i++) assert_true(kept[i]); /* ... and one in each */
    assert_int_equal(pieces(&out, 0, after), pieces(in, 0, before));
    thin(&out, &again);
    assert_memory_equal(again.m, out.m, (size_t)(in->h * in->w));
}

static void every_small_mask_stays_connected(void **state)
{
    (void)state;
    test_not_quick();
    static picture p = {.h = 4, .w = 4};
    for (unsigned bits = 0; bits < 1u << 16; bits++) {
        for (int i = 0; i < 16; i++) p.m[i] = bits >> i & 1;
        check(&p);
    }
}

static void random_masks_stay_connected(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    static picture p;
    for (int trial = 0; trial < 2000; trial++) {
        p.h = 1 + (int)test_uniform(&r, 0, trial % 20 ? 12 : SIDE - 1);
        p.w = 1 + (int)test_uniform(&r, 0, trial % 20 ? 80 : SIDE - 1);
        const double share = test_uniform(&r, 0.1, 0.98);
        for (int i = 0; i < p.h * p.w; i++) p.m[i] = test_uniform(&r, 0, 1) < share;
        check(&p);
    }
}

/* A bar of half length 36; [0] and [1]: the least and the greatest place along it. */
static void bar(picture *p, double width, double angle, double row, double col, double reach[2])
{
    p->h = p->w = SIDE;
    reach[0] = 1e9, reach[1] = -1e9;
    for (int i = 0; i < MOST; i++) {
        const double y = i / SIDE - row, x = i % SIDE - col;
        const double along = x * cos(angle) + y * sin(angle);
        p->m[i] = fabs(along) <= 36 && fabs(y * cos(angle) - x * sin(angle)) <= width / 2;
        if (!p->m[i]) continue;
        reach[0] = fmin(reach[0], along);
        reach[1] = fmax(reach[1], along);
    }
}

static void bars_keep_their_length_in_every_direction(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    static picture p, out;
    double most = 0;
    for (int width = 1; width <= 9; width++)
        for (int degree = 0; degree < 180; degree++)
            for (int k = 0; k < 3; k++) {
                const double angle = degree * RS_PI / 180;
                const double row = SIDE / 2 + (k ? test_uniform(&r, 0, 1) : 0);
                const double col = SIDE / 2 + (k ? test_uniform(&r, 0, 1) : 0);
                double reach[2], left[2] = {1e9, -1e9};
                bar(&p, width, angle, row, col, reach);
                thin(&p, &out);
                for (int i = 0; i < MOST; i++) {
                    if (!out.m[i]) continue;
                    const double along =
                        (i % SIDE - col) * cos(angle) + (i / SIDE - row) * sin(angle);
                    left[0] = fmin(left[0], along);
                    left[1] = fmax(left[1], along);
                }
                const double lost = fmax(left[0] - reach[0], reach[1] - left[1]);
                if (lost > width / 2.0 + 1.5)
                    fail_msg("width %d at %d degrees loses %.2f pixels at an end (seed %llu)",
                             width, degree, lost, (unsigned long long)test_seed());
                most = fmax(most, lost - width / 2.0);
            }
    print_message("# bars: an end recedes by at most half the width and %.2f pixels\n", most);
}

/* Turned by k quarters, mirrored before that when k >= 4. */
static void turn(const picture *in, int k, picture *out)
{
    *out = *in;
    for (int i = 0; i < MOST; i++) {
        int r = i / SIDE, c = i % SIDE;
        if (k >= 4) c = SIDE - 1 - c;
        for (int q = 0; q < k % 4; q++) {
            const int old = r;
            r = c;
            c = SIDE - 1 - old;
        }
        out->m[r * SIDE + c] = in->m[i];
    }
}

static int far_from(const picture *a, const picture *b)
{
    int far = 0;
    for (int i = 0; i < MOST; i++) {
        if (!a->m[i]) continue;
        int near = 0;
        for (int k = 0; k < 9; k++) near |= at(b, i / SIDE + k / 3 - 1, i % SIDE + k % 3 - 1);
        far += !near;
    }
    return far;
}

/* Lines of many directions and widths across each other. */
static void turned_and_mirrored_the_lines_are_the_same(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    static picture p, q, thin_p, thin_q, expected;
    int pixels = 0, far = 0;
    for (int trial = 0; trial < 20; trial++) {
        double reach[2];
        memset(&p, 0, sizeof p);
        p.h = p.w = SIDE;
        for (int k = 0; k < 6; k++) {
            bar(&q, test_uniform(&r, 1, 6), test_uniform(&r, 0, 3.14159), test_uniform(&r, 20, 80),
                test_uniform(&r, 20, 80), reach);
            for (int i = 0; i < MOST; i++) p.m[i] |= q.m[i];
        }
        thin(&p, &thin_p);
        int n = 0;
        for (int i = 0; i < MOST; i++) n += thin_p.m[i];
        for (int k = 1; k < 8; k++) {
            turn(&p, k, &q);
            thin(&q, &thin_q);
            turn(&thin_p, k, &expected);
            pixels += n;
            far += far_from(&expected, &thin_q);
            far += far_from(&thin_q, &expected);
        }
    }
    print_message("# turned and mirrored: %.2f %% of the pixels further than one pixel away\n",
                  100.0 * far / pixels);
    assert_true(far <= pixels / 100);
}

static void refuses_and_survives(void **state)
{
    (void)state;
    static picture p, out;
    reshed_error err = {0};
    p.h = p.w = 30;
    assert_int_equal(rs_thin(p.m, 0, 30, out.m, &err), RESHED_EINVAL);
    for (int k = 0; k < 2; k++) {
        test_alloc_fail_at(k);
        assert_int_equal(rs_thin(p.m, 30, 30, out.m, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_mask_stays_connected),
        cmocka_unit_test(random_masks_stay_connected),
        cmocka_unit_test(bars_keep_their_length_in_every_direction),
        cmocka_unit_test(turned_and_mirrored_the_lines_are_the_same),
        cmocka_unit_test(refuses_and_survives),
    };
    return cmocka_run_group_tests_name("thin", tests, NULL, NULL);
}
