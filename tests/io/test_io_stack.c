/* Stacks of frames in arrays and HDF5, and what other programs write beside their images. */
#include "support/h5_bare.h"
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"
#include "io/image_file.h"
#include "io/common/stack.h"
#include "io/npy.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"

enum { F = 3, H = 9, W = 12 };

static float value_at(int f, int r, int c)
{
    return (float)(1000 * f + 20 * r + c);
}

static void assert_frame(const rs_image *im, int f, bool turned)
{
    assert_true(im->height == H && im->width == W && im->frame == f && im->frames == F);
    for (int r = 0; r < H; r++)
        for (int c = 0; c < W; c++)
            assert_true(im->data[r * W + c] == value_at(f, turned ? H - 1 - r : r, c));
}

/* Each frame of the file, and what is said without one. */
static void check_frames(const char *path, const char *channel, bool turned)
{
    rs_image im;
    reshed_error err = {0};
    int frames = 0;
    for (int f = 0; f < F; f++) {
        assert_ok(rs_image_read_frame(path, channel, RS_QUANTITY_AMPLITUDE, f, &im, &err), &err);
        assert_frame(&im, f, turned);
        rs_image_clear(&im);
    }
    assert_ok(rs_image_frames(path, channel, RS_QUANTITY_WALLS, &frames, &err), &err);
    assert_int_equal(frames, F);
    assert_error(rs_image_read(path, channel, &im, &err), RESHED_EINVAL, &err,
                 "--frame=N, from 0 to 2, or --frame=all");
    assert_error(rs_image_read_frame(path, channel, RS_QUANTITY_AMPLITUDE, F, &im, &err),
                 RESHED_EINVAL, &err, "frame");
}

static void axes_are_told_by_their_lengths(void **state)
{
    (void)state;
    static const struct {
        uint64_t dims[5];
        int ndim;
        bool ok;
        int64_t frames, height, width;
        size_t frame_step, row_step, column_step;
    } cases[] = {
        {{9, 12}, 2, true, 1, 9, 12, 0, 12, 1},
        {{1, 12}, 2, true, 1, 1, 12, 0, 12, 1},
        {{9, 1, 1}, 3, true, 1, 9, 1, 0, 1, 1},
        {{1, 9, 12, 1}, 4, true, 1, 9, 12, 0, 12, 1},
        {{3, 9, 12}, 3, true, 3, 9, 12, 108, 12, 1},
        {{3, 1, 9, 12}, 4, true, 3, 9, 12, 108, 12, 1},
        {{9, 12, 3}, 3, true, 3, 9, 12, 1, 36, 3},
        {{3, 9, 4}, 3, true, 3, 9, 4, 36, 4, 1},
        {{100, 9, 12}, 3, true, 100, 9, 12, 108, 12, 1},
        {{12}, 1, false, 0, 0, 0, 0, 0, 0},
        {{2, 3, 9, 12}, 4, false, 0, 0, 0, 0, 0, 0},
        {{UINT64_MAX, 9}, 2, false, 0, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_stack s;
        memset(&s, 0xa5, sizeof s);
        assert_int_equal(rs_stack_of(cases[i].dims, cases[i].ndim, &s), cases[i].ok);
        if (!cases[i].ok) continue;
        assert_true(s.frames == cases[i].frames && s.height == cases[i].height &&
                    s.width == cases[i].width);
        assert_true(s.row_step == cases[i].row_step && s.column_step == cases[i].column_step);
        assert_true(s.frame_step == cases[i].frame_step && (s.axis[0] < 0) == (s.frames == 1));
    }
}

static void arrays_are_stacks(void **state)
{
    (void)state;
    static float first[F * H * W], last[F * H * W];
    static const size_t dims[][4] = {{F, H, W}, {F, 1, H, W}, {H, W, F}};
    reshed_error err = {0};
    for (int i = 0; i < F * H * W; i++) {
        const int f = i / (H * W), r = i / W % H, c = i % W;
        first[i] = value_at(f, r, c);
        last[(r * W + c) * F + f] = value_at(f, r, c);
    }
    for (int k = 0; k < 3; k++) {
        const char *path = test_temp("stack.npy");
        assert_ok(
            rs_npy_write(path, RS_NPY_F4, k == 1 ? 4 : 3, dims[k], k == 2 ? last : first, &err),
            &err);
        check_frames(path, NULL, false);
    }
}

/* A few bytes that claim large frames, and not one of them. */
static void stacks_without_frames_are_refused(void **state)
{
    (void)state;
    static const size_t dims[][4] = {{0, 16384, 16384}, {16384, 16384, 0}, {0, 1, 9, 12}};
    static const int ask[] = {RS_FRAME_ONLY, 0, 3};
    double axis[W] = {0, 1, 2};
    reshed_error err = {0};
    rs_image im = {0};
    int frame;
    for (int k = 0; k < 3; k++) {
        assert_error(rs_stack_choose(0, ask[k], &frame, &err), RESHED_EUNSUPPORTED, &err,
                     "one frame or more");
        for (int i = 0; i < 3; i++) {
            uint8_t *bytes = NULL;
            size_t len = 0;
            assert_ok(
                rs_npy_write_mem(RS_NPY_F4, i == 2 ? 4 : 3, dims[i], axis, &bytes, &len, &err),
                &err);
            assert_error(rs_npy_image_read_mem(bytes, len, ask[k], &im, &err), RESHED_EUNSUPPORTED,
                         &err, "one frame or more");
            rs_free(bytes);
        }
    }
    rs_nsid_data d = {.ndim = 3, .data = axis};
    strcpy(d.data_type, "IMAGE_STACK");
    for (int k = 0; k < 3; k++) {
        strcpy(d.dim[k].name, k == 0 ? "time" : k == 1 ? "x" : "y");
        strcpy(d.dim[k].type, k ? "SPATIAL" : "TEMPORAL");
        d.dim[k].values = axis;
        d.dim[k].n = k ? W : 0;
    }
    assert_error(rs_nsid_to_image(&d, &im, &err), RESHED_EUNSUPPORTED, &err, "one frame or more");
    assert_null(im.data);
}

static hid_t put(hid_t at, const char *name, hid_t memory, int ndim, const hsize_t *dims,
                 const void *v)
{
    hid_t space = H5Screate_simple(ndim, dims, NULL);
    hid_t d = H5Dcreate2(at, name, memory, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(d >= 0 && H5Dwrite(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    H5Sclose(space);
    return d;
}

static void put_stack(hid_t at, const char *name, bool turned)
{
    static float v[F * H * W];
    const hsize_t dims[3] = {F, H, W};
    for (int i = 0; i < F * H * W; i++)
        v[i] = value_at(i / (H * W), turned ? H - 1 - i / W % H : i / W % H, i % W);
    H5Dclose(put(at, name, H5T_NATIVE_FLOAT, 3, dims, v));
}

static hid_t group(hid_t at, const char *name)
{
    hid_t g = H5Gcreate2(at, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(g >= 0);
    return g;
}

static void bare_datasets_are_stacks(void **state)
{
    (void)state;
    rs_image im;
    reshed_error err = {0};
    const char *path = test_temp("stack.h5");
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put_stack(f, "movie", false);
    H5Fclose(f);
    check_frames(path, NULL, false);
    /* Beside an image it is taken only by its name. */
    f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    static int one[H * W];
    const hsize_t dims[2] = {H, W};
    H5Dclose(put(f, "scan", H5T_NATIVE_INT, 2, dims, one));
    H5Fclose(f);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    assert_true(im.frames == 0 && im.data[5] == 0);
    assert_string_equal(im.channel, "scan");
    rs_image_clear(&im);
    assert_ok(rs_image_read_frame(path, "movie", RS_QUANTITY_AMPLITUDE, 2, &im, &err), &err);
    assert_frame(&im, 2, false);
    rs_image_clear(&im);
}

/* HyperSpy: a group axis-N for each axis of the array. */
static void hyperspy_has_its_axes_in_groups(void **state)
{
    (void)state;
    static const struct {
        double scale, offset;
        const char *units;
    } axis[3] = {{1, 0, "s"}, {2, 10, "nm"}, {0.003, 0, "\xc2\xb5m"}};
    rs_image im;
    reshed_error err = {0};
    const char *path = test_temp("spy.hspy");
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t e = group(f, "Experiments"), g = group(e, "amplitude");
    put_stack(g, "data", false);
    for (int k = 0; k < 3; k++) {
        char name[8];
        snprintf(name, sizeof name, "axis-%d", k);
        hid_t a = group(g, name);
        assert_true(rs_h5_set_number(a, "scale", axis[k].scale) &&
                    rs_h5_set_number(a, "offset", axis[k].offset) &&
                    rs_h5_set_text(a, "units", axis[k].units));
        H5Gclose(a);
    }
    H5Gclose(g), H5Gclose(e), H5Fclose(f);
    check_frames(path, NULL, false);
    assert_ok(rs_image_read_frame(path, NULL, RS_QUANTITY_AMPLITUDE, 1, &im, &err), &err);
    assert_near(im.dx, 3e-9, TOL_PLACE);
    assert_near(im.dy, 2e-9, TOL_PLACE);
    assert_near(im.x0, 0.5 * (W - 1) * 3e-9, TOL_PLACE);
    assert_near(im.y0, -(10e-9 + 0.5 * (H - 1) * 2e-9), TOL_PLACE); /* its rows run down */
    rs_image_clear(&im);
}

/* NeXus: the group names the datasets of its axes; y runs up. */
static void nexus_has_its_axes_in_datasets(void **state)
{
    (void)state;
    static const char *const names[3] = {"time", "y", "x"};
    for (int k = 0; k < 3; k++) { /* rising; falling; in an older file's words */
        rs_image im;
        reshed_error err = {0};
        double v[3][W];
        const char *path = test_temp("nexus.nxs");
        hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        hid_t e = group(f, "entry"), g = group(e, "data");
        put_stack(g, "signal", k != 1);
        if (k < 2) h5_put_texts(g, "axes", 3, names);
        const hsize_t n[3] = {F, H, W};
        for (int a = 0; a < 3; a++) {
            for (int i = 0; i < (int)n[a]; i++)
                v[a][i] = a == 1 ? (k == 1 ? -2.0 : 2.0) * i : 3.0 * i - 5;
            hid_t d = put(g, names[a], H5T_NATIVE_DOUBLE, 1, &n[a], v[a]);
            assert_true(rs_h5_set_text(d, "units", a ? "nm" : "s"));
            H5Dclose(d);
        }
        if (k == 2) {
            hid_t d = H5Dopen2(g, "signal", H5P_DEFAULT);
            assert_true(rs_h5_set_text(d, "axes", "time:y:x"));
            H5Dclose(d);
        }
        H5Gclose(g), H5Gclose(e), H5Fclose(f);
        check_frames(path, "signal", false);
        assert_ok(rs_image_read_frame(path, "signal", RS_QUANTITY_AMPLITUDE, 1, &im, &err), &err);
        assert_near(im.dx, 3e-9, TOL_PLACE);
        assert_near(im.dy, 2e-9, TOL_PLACE);
        assert_near(im.x0, (0.5 * (W - 1) * 3 - 5) * 1e-9, TOL_PLACE);
        assert_near(im.y0, (k == 1 ? -1 : 1) * 0.5 * (H - 1) * 2e-9, TOL_PLACE);
        rs_image_clear(&im);
    }
}

/* An image of H x W whose axes are named x and y in either order and rise or fall: it lies as on the stage,
 * with x to the right and y upwards (HyperSpy: its rows run down). */
static void axes_turn_the_image(void **state)
{
    (void)state;
    for (int k = 0; k < 16; k++) {
        const bool nexus = k & 1, swapped = k & 2, x_falls = k & 4, y_falls = k & 8;
        static float v[H * W];
        const char *path = test_temp("turned.h5"), *const names[] = {swapped ? "x_stage" : "y",
                                                                     swapped ? "Y" : "x"};
        reshed_error err = {0};
        rs_image im;
        const hsize_t dims[2] = {swapped ? W : H, swapped ? H : W};
        for (int i = 0; i < H; i++)
            for (int j = 0; j < W; j++) { /* at the i-th y and j-th x in the file's order */
                const bool down = nexus ? y_falls : true;
                const int r = down ? i : H - 1 - i, c = x_falls ? W - 1 - j : j;
                v[swapped ? j * H + i : i * W + j] = value_at(0, r, c);
            }
        hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), g = group(f, "data");
        H5Dclose(put(g, "signal", H5T_NATIVE_FLOAT, 2, dims, v));
        if (nexus) h5_put_texts(g, "axes", 2, names);
        for (int a = 0; a < 2; a++) {
            const bool is_x = a == (swapped ? 0 : 1);
            const double step = (is_x ? 3 : 2) * ((is_x ? x_falls : y_falls) ? -1 : 1);
            double at[W];
            char name[8];
            for (int i = 0; i < W; i++) at[i] = 10 + step * i;
            snprintf(name, sizeof name, "axis-%d", a);
            hid_t d = nexus ? put(g, names[a], H5T_NATIVE_DOUBLE, 1, &dims[a], at) : group(g, name);
            assert_true(rs_h5_set_text(d, "units", "nm"));
            if (!nexus)
                assert_true(rs_h5_set_text(d, "name", names[a]) &&
                            rs_h5_set_number(d, "scale", step) &&
                            rs_h5_set_number(d, "offset", 10));
            if (nexus)
                H5Dclose(d);
            else
                H5Gclose(d);
        }
        H5Gclose(g), H5Fclose(f);
        assert_ok(rs_image_read(path, nexus ? "signal" : NULL, &im, &err), &err);
        assert_true(im.height == H && im.width == W);
        for (int i = 0; i < H * W; i++)
            if (im.data[i] != value_at(0, i / W, i % W))
                fail_msg("case %d: pixel (%d,%d) is %g", k, i / W, i % W, (double)im.data[i]);
        assert_near(im.dx, 3e-9, TOL_PLACE);
        assert_near(im.dy, 2e-9, TOL_PLACE);
        assert_near(im.x0, (10 + 0.5 * (W - 1) * (x_falls ? -3 : 3)) * 1e-9, TOL_PLACE);
        rs_image_clear(&im);
    }
}

static void main_datasets_are_stacks(void **state)
{
    (void)state;
    static double v[F * H * W], time[F], x[W], y[H];
    rs_nsid_writer *w = NULL;
    reshed_error err = {0};
    const char *path = test_temp("nsid.h5");
    for (int i = 0; i < W; i++) x[i] = 3e-9 * i;
    for (int i = 0; i < H; i++) y[i] = 2e-9 * i;
    for (int i = 0; i < F; i++) time[i] = i;
    for (int i = 0; i < F * H * W; i++) /* [time, x, y] */
        v[i] = (double)value_at(i / (H * W), H - 1 - i % H, i / H % W);
    rs_nsid_data d = {.ndim = 3, .data = v};
    strcpy(d.name, "Amplitude");
    strcpy(d.quantity, "Amplitude");
    strcpy(d.units, "V");
    strcpy(d.data_type, "IMAGE_STACK");
    const char *const name[3] = {"time", "x", "y"}, *const type[3] = {"TEMPORAL", "SPATIAL",
                                                                      "SPATIAL"};
    double *const values[3] = {time, x, y};
    const int64_t n[3] = {F, W, H};
    for (int k = 0; k < 3; k++) {
        strcpy(d.dim[k].name, name[k]);
        strcpy(d.dim[k].quantity, name[k]);
        strcpy(d.dim[k].units, k ? "m" : "s");
        strcpy(d.dim[k].type, type[k]);
        d.dim[k].values = values[k];
        d.dim[k].n = n[k];
    }
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    assert_ok(rs_nsid_add(w, "/Measurement_000/Channel_000", &d, RS_NSID_F64, NULL, 0, &err), &err);
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    check_frames(path, NULL, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_are_told_by_their_lengths),
        cmocka_unit_test(arrays_are_stacks),
        cmocka_unit_test(stacks_without_frames_are_refused),
        cmocka_unit_test(bare_datasets_are_stacks),
        cmocka_unit_test(hyperspy_has_its_axes_in_groups),
        cmocka_unit_test(nexus_has_its_axes_in_datasets),
        cmocka_unit_test(axes_turn_the_image),
        cmocka_unit_test(main_datasets_are_stacks),
    };
    return cmocka_run_group_tests_name("io_stack", tests, NULL, NULL);
}
