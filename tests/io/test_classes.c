/* Maps of several classes: arrays with a layer for each, and numbers of classes in one layer. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/classes.h"
#include "reshed_base.h"

enum { H = 5, W = 7, C = 3 };

static float layers[H * W * C], wanted[C][H * W];

/* Writes the layers with the axes in either order, and a leading axis of one element on demand. */
static const char *write_layers(const char *name, bool last, bool batch, double scale)
{
    test_rng r = {test_seed()};
    reshed_error err = {0};
    const char *path = test_temp(name);
    for (int i = 0; i < H * W; i++) {
        double p[C], sum = 0;
        for (int k = 0; k < C; k++) sum += p[k] = test_uniform(&r, 0.01, 1);
        for (int k = 0; k < C; k++) {
            const float v = (float)(scale * p[k] / sum);
            wanted[k][i] = layers[last ? i * C + k : k * H * W + i] = v;
        }
    }
    const size_t of_last[] = {1, H, W, C}, of_first[] = {1, C, H, W};
    const size_t *dims = last ? of_last : of_first;
    assert_ok(rs_npy_write(path, RS_NPY_F4, 3 + batch, batch ? dims : dims + 1, layers, &err),
              &err);
    return path;
}

static void layers_of_either_order(void **state)
{
    (void)state;
    for (int k = 0; k < 8; k++) {
        const bool whole = k < 4;
        reshed_error err = {0};
        rs_classes c;
        memset(&c, 0xa5, sizeof c);
        const char *path = write_layers("layers.npy", k % 2, k / 2 % 2, whole ? 1 : 0.3);
        assert_ok(rs_classes_read(path, &c, &err), &err);
        assert_true(c.classes == C && c.height == H && c.width == W);
        assert_true(c.last == k % 2 && c.whole == whole);
        for (int n = -1; n <= C; n++) {
            float *map = NULL;
            const reshed_status st = rs_classes_take(&c, n, &map, &err);
            assert_int_equal(st, n < C ? RESHED_OK : RESHED_EINVAL);
            if (n < C) assert_memory_equal(map, wanted[n < 0 ? 0 : n], sizeof wanted[0]);
            if (n == C) assert_null(map);
            rs_free(map);
        }
        assert_int_equal(rs_classes_match(&c, W, H, &err), RESHED_EINVAL);
        assert_ok(rs_classes_match(&c, H, W, &err), &err);
        assert_true(c.last == k % 2);
        rs_classes_clear(&c);
    }
}

/* A pixel that is not known does not count, and a square of classes is told by its sums. */
static void sums_decide(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_classes c;
    static float cube[4 * 4 * 4];
    const size_t dims[] = {4, 4, 4};
    const char *path = test_temp("cube.npy");
    for (int last = 0; last < 2; last++) {
        for (int i = 0; i < 64; i++) {
            const int k = last ? i % 4 : i / 16, pixel = last ? i / 4 : i % 16;
            cube[i] = pixel == 3 ? NAN : k == 0 ? 0.7f : 0.1f;
        }
        assert_ok(rs_npy_write(path, RS_NPY_F4, 3, dims, cube, &err), &err);
        assert_ok(rs_classes_read(path, &c, &err), &err);
        assert_true(c.whole && c.last == last && c.classes == 4);
        rs_classes_clear(&c);
    }
    for (int i = 0; i < 64; i++) cube[i] = NAN;
    assert_ok(rs_npy_write(path, RS_NPY_F4, 3, dims, cube, &err), &err);
    assert_ok(rs_classes_read(path, &c, &err), &err);
    assert_true(!c.whole && c.classes == 4);
    rs_classes_clear(&c);
}

static void other_files_have_no_classes(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_classes c;
    static float one[H * W * 2];
    static const size_t dims[][4] = {{H, W}, {H, W, 1}, {1, H, W}, {H * W}, {1, 1, H, W}};
    static const int ndim[] = {2, 3, 3, 1, 4};
    const char *path = test_temp("other.npy");
    for (size_t k = 0; k < sizeof ndim / sizeof *ndim; k++) {
        assert_ok(rs_npy_write(path, RS_NPY_F4, ndim[k], dims[k], one, &err), &err);
        assert_ok(rs_classes_read(path, &c, &err), &err);
        assert_true(c.classes == 0 && !c.array.data);
    }
    const size_t pairs[] = {2, 3, 2};
    assert_ok(rs_npy_write(path, RS_NPY_C8, 3, pairs, one, &err), &err);
    assert_ok(rs_classes_read(path, &c, &err), &err);
    assert_int_equal(c.classes, 0);
    const size_t five[] = {2, 2, 2, 2}; /* four axes of more than one */
    assert_ok(rs_npy_write(path, RS_NPY_F4, 4, five, one, &err), &err);
    assert_ok(rs_classes_read(path, &c, &err), &err);
    assert_int_equal(c.classes, 0);
    assert_ok(rs_classes_read("/nonexistent.npy", &c, &err), &err); /* for another reader to say */
    assert_int_equal(c.classes, 0);
}

static void numbers_of_classes(void **state)
{
    (void)state;
    static const double units[] = {1, 1 / 255.0, 1 / 65535.0};
    bool present[RS_CLASSES_LABELS];
    reshed_error err = {0};
    for (int u = 0; u < 3; u++) {
        float map[6] = {0, 1, 4, 1, 0, 4};
        for (int i = 0; i < 6; i++) map[i] = (float)(map[i] * units[u]);
        assert_int_equal(rs_classes_labels(map, 6, present), 4);
        assert_true(present[0] && present[1] && !present[2] && !present[3] && present[4]);
        for (int k = 2; k < 6; k++)
            if (k != 4) assert_int_equal(rs_classes_mark(map, 6, k, &err), RESHED_EINVAL);
        char text[512];
        assert_non_null(strstr(reshed_error_text(&err, text, sizeof text), "0, 1, 4"));
        assert_ok(rs_classes_mark(map, 6, 4, &err), &err);
        assert_true(map[0] == 0 && map[1] == 0 && map[2] == 1 && map[5] == 1);
    }
    static const float none[][3] = {
        {0, 0.3f, 0.9f}, {0, 1, 32}, {-1, 0, 1}, {0, NAN, 1}, {0, 1, 1.5f}};
    for (int k = 0; k < 5; k++) {
        float map[3];
        memcpy(map, none[k], sizeof map);
        assert_int_equal(rs_classes_labels(map, 3, present), -1);
        assert_int_equal(rs_classes_mark(map, 3, 1, &err), RESHED_EINVAL);
        assert_memory_equal(map, none[k], sizeof map);
    }
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    const char *path = write_layers("layers.npy", true, false, 1);
    for (long n = 0;; n++) {
        reshed_error err = {0};
        rs_classes c = {0};
        float *map = NULL;
        test_alloc_fail_at(n);
        reshed_status st = rs_classes_read(path, &c, &err);
        if (st == RESHED_OK) st = rs_classes_take(&c, 1, &map, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_classes_clear(&c);
        if (!failed) {
            assert_ok(st, &err);
            assert_true(n > 1);
            rs_free(map);
            return;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_either_order),      cmocka_unit_test(sums_decide),
        cmocka_unit_test(other_files_have_no_classes), cmocka_unit_test(numbers_of_classes),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("classes", tests, NULL, NULL);
}
