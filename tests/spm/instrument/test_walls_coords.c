#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"
#include "spm/instrument/coords.h"

#define UM 1e-6

static void near_xy(rs_xy p, double x, double y, double tolerance)
{
    if (fabs(p.x - x) > tolerance || fabs(p.y - y) > tolerance)
        fail_msg("(%.12g, %.12g), not (%.12g, %.12g)", p.x, p.y, x, y);
}

static void near_pixel(rs_rowcol p, double row, double col, double tolerance)
{
    if (fabs(p.row - row) > tolerance || fabs(p.col - col) > tolerance)
        fail_msg("row %.12g column %.12g, not %.12g, %.12g", p.row, p.col, row, col);
}

static rs_coords coords_of(rs_coords_frame frame, rs_device device)
{
    rs_coords c;
    reshed_error err = {0};
    assert_ok(rs_coords_init(&c, &frame, &device, &err), &err);
    return c;
}

static rs_xy to_device(const rs_coords *c, double row, double col)
{
    rs_rowcol p = {row, col};
    rs_xy out;
    rs_pixel_to_device(c, &p, 1, &out);
    return out;
}

/* A frame that is not square in metres or pixels, off centre and turned. */
static rs_coords_frame odd_frame(rs_pixel_rule rule)
{
    return (rs_coords_frame){.cx = 3 * UM,
                             .cy = -7 * UM,
                             .width = 2 * UM,
                             .height = 0.5 * UM,
                             .angle = 30 * RS_DEGREE,
                             .rows = 64,
                             .cols = 256,
                             .rule = rule};
}

static rs_device volts(double sx, double sy, rs_sign_policy sign)
{
    return (rs_device){.kind = RS_DEVICE_VOLTS,
                       .sensitivity_x = sx,
                       .sensitivity_y = sy,
                       .offset_x = -2.03,
                       .offset_y = 0.92,
                       .sign = sign};
}

static void pixel_rules_place_corners(void **state)
{
    (void)state;
    const rs_rowcol corners[4] = {{0, 0}, {0, 3}, {1, 0}, {1, 3}};
    rs_coords_frame f = {.width = 8, .height = 4, .rows = 2, .cols = 4};
    rs_xy p[4];
    rs_coords c = coords_of(f, rs_device_metres());
    rs_pixel_to_frame(&c, corners, 4, p); /* pixels of 2 x 2 m tile the frame */
    near_xy(p[0], -3, 1, 1e-15);
    near_xy(p[1], 3, 1, 1e-15);
    near_xy(p[2], -3, -1, 1e-15);
    near_xy(p[3], 3, -1, 1e-15);

    f.rule = RS_PIXEL_INCLUSIVE;
    c = coords_of(f, rs_device_metres());
    rs_pixel_to_frame(&c, corners, 4, p); /* the outer centres are the corners */
    near_xy(p[0], -4, 2, 1e-15);
    near_xy(p[3], 4, -2, 1e-15);

    f.rule = RS_PIXEL_HALF_OPEN;
    c = coords_of(f, rs_device_metres());
    rs_pixel_to_frame(&c, corners, 4, p); /* bottom left is a corner, the rest one step inside */
    near_xy(p[2], -4, -2, 1e-15);
    near_xy(p[1], 2, 0, 1e-15);
}

/* The author's raster: line i of N at -1 + 2i/(N-1); his convert_coordinates: (k - N/2)/N * 2.
 * He counts rows from the bottom. */
static void author_conventions_are_reproduced(void **state)
{
    (void)state;
    rs_coords_frame f = {.width = 5 * UM, .height = 5 * UM, .rows = 256, .cols = 256};
    f.rule = RS_PIXEL_INCLUSIVE;
    rs_coords raster = coords_of(f, rs_device_normalised());
    f.rule = RS_PIXEL_HALF_OPEN;
    rs_coords convert = coords_of(f, rs_device_normalised());
    for (int k = 0; k < 256; k++) {
        near_xy(to_device(&raster, 255 - k, k), -1 + 2 * k / 255.0, -1 + 2 * k / 255.0, 1e-14);
        near_xy(to_device(&convert, 255 - k, k), (k - 128) / 128.0, (k - 128) / 128.0, 1e-14);
    }
    near_xy(to_device(&convert, 255, 255), 0.9921875, -1, 1e-14);
    near_xy(to_device(&raster, 255, 255), 1, -1, 1e-14);
    /* They differ by 2k/(N(N-1)): one step at the far edge. */
    double apart = to_device(&raster, 0, 255).x - to_device(&convert, 0, 255).x;
    assert_true(fabs(apart - 2 * 255 / (256.0 * 255)) < 1e-14);
}

static void rows_go_down_and_columns_right(void **state)
{
    (void)state;
    for (int rule = 0; rule < 3; rule++) {
        rs_coords_frame f = {
            .width = 4, .height = 2, .rows = 10, .cols = 20, .rule = (rs_pixel_rule)rule};
        rs_coords c = coords_of(f, rs_device_metres());
        rs_rowcol in[3] = {{2, 5}, {3, 5}, {2, 6}};
        rs_xy out[3];
        rs_pixel_to_frame(&c, in, 3, out);
        double dx, dy;
        rs_coords_pixel_size(&c, &dx, &dy);
        near_xy(out[1], out[0].x, out[0].y - dy, 1e-15);
        near_xy(out[2], out[0].x + dx, out[0].y, 1e-15);
        double n = rule == RS_PIXEL_INCLUSIVE ? 1 : 0;
        assert_true(fabs(dx - 4 / (20 - n)) < TOL_ROUNDING &&
                    fabs(dy - 2 / (10 - n)) < TOL_ROUNDING);
    }
}

static void frame_turns_counterclockwise(void **state)
{
    (void)state;
    rs_coords_frame f = {
        .cx = 10, .cy = 20, .width = 4, .height = 2, .angle = 90 * RS_DEGREE, .rows = 1, .cols = 1};
    rs_coords c = coords_of(f, rs_device_metres());
    rs_xy in[2] = {{2, 0}, {0, 1}}, out[2];
    rs_frame_to_stage(&c, in, 2, out);
    near_xy(out[0], 10, 22, 1e-14); /* the frame's right is the stage's up */
    near_xy(out[1], 9, 20, 1e-14);
    rs_stage_to_frame(&c, out, 2, out);
    near_xy(out[0], 2, 0, 1e-14);
    near_xy(out[1], 0, 1, 1e-14);
}

/* -1 .. 1 runs along the frame, however it is turned and placed. */
static void normalised_units_ignore_place_and_angle(void **state)
{
    (void)state;
    rs_coords c = coords_of(odd_frame(RS_PIXEL_INCLUSIVE), rs_device_normalised());
    near_xy(to_device(&c, 0, 0), -1, 1, 1e-13);
    near_xy(to_device(&c, 63, 255), 1, -1, 1e-13);
    near_xy(to_device(&c, 31.5, 127.5), 0, 0, 1e-13);
    rs_device d = {.kind = RS_DEVICE_NORMALISED, .low = 10, .high = 0};
    c = coords_of(odd_frame(RS_PIXEL_INCLUSIVE), d);
    near_xy(to_device(&c, 0, 0), 10, 0, 1e-12);
}

/* V = x/sensitivity + offset, as public Asylum code has it, for sensitivities of real headers. */
static void volts_follow_sign_policy(void **state)
{
    (void)state;
    rs_coords_frame f = {.cx = 1 * UM,
                         .cy = 2 * UM,
                         .width = 3 * UM,
                         .height = 3 * UM,
                         .angle = -0.3,
                         .rows = 256,
                         .cols = 256,
                         .rule = RS_PIXEL_INCLUSIVE};
    double u = -1.5 * UM, v = 1.5 * UM; /* pixel (0,0) in the frame */
    double x = cos(0.3) * u + sin(0.3) * v + 1 * UM, y = -sin(0.3) * u + cos(0.3) * v + 2 * UM;
    rs_coords c = coords_of(f, volts(4.22e-6, -3.67e-6, RS_SIGN_AS_GIVEN));
    near_xy(to_device(&c, 0, 0), x / 4.22e-6 - 2.03, y / -3.67e-6 + 0.92, 1e-12);
    c = coords_of(f, volts(4.22e-6, -3.67e-6, RS_SIGN_ABSOLUTE));
    near_xy(to_device(&c, 0, 0), x / 4.22e-6 - 2.03, y / 3.67e-6 + 0.92, 1e-12);
}

static void all_spaces_round_trip(void **state)
{
    (void)state;
    const rs_device devices[] = {rs_device_metres(), rs_device_normalised(),
                                 volts(4.22e-6, -3.67e-6, RS_SIGN_AS_GIVEN),
                                 volts(-4.22e-6, 3.67e-6, RS_SIGN_ABSOLUTE)};
    const rs_rowcol in[] = {{0, 0},     {0, 255},   {63, 0},       {63, 255},
                            {-0.5, 12}, {31.25, 3}, {63.5, 255.5}, {1, 100}};
    enum { N = sizeof in / sizeof *in };
    for (int rule = 0; rule < 3; rule++)
        for (size_t k = 0; k < sizeof devices / sizeof *devices; k++) {
            rs_coords c = coords_of(odd_frame((rs_pixel_rule)rule), devices[k]);
            rs_xy frame[N], stage[N], device[N], direct[N];
            rs_rowcol back[N];
            rs_pixel_to_frame(&c, in, N, frame);
            rs_frame_to_stage(&c, frame, N, stage);
            rs_stage_to_device(&c, stage, N, device);
            rs_pixel_to_stage(&c, in, N, direct);
            for (int i = 0; i < N; i++) near_xy(direct[i], stage[i].x, stage[i].y, 1e-20);
            rs_pixel_to_device(&c, in, N, direct);
            for (int i = 0; i < N; i++) near_xy(direct[i], device[i].x, device[i].y, 1e-13);
            rs_device_to_pixel(&c, device, N, back);
            for (int i = 0; i < N; i++) near_pixel(back[i], in[i].row, in[i].col, 1e-9);
            rs_stage_to_pixel(&c, stage, N, back);
            for (int i = 0; i < N; i++) near_pixel(back[i], in[i].row, in[i].col, 1e-9);
            rs_device_to_stage(&c, device, N, device);
            rs_stage_to_frame(&c, device, N, device);
            for (int i = 0; i < N; i++) near_xy(device[i], frame[i].x, frame[i].y, 1e-19);
            rs_frame_to_pixel(&c, device, N, back);
            for (int i = 0; i < N; i++) near_pixel(back[i], in[i].row, in[i].col, 1e-9);
        }
}

static void outside_points_are_found(void **state)
{
    (void)state;
    rs_coords c = coords_of(odd_frame(RS_PIXEL_CENTRED), rs_device_metres());
    rs_xy p[4] = {{1 * UM, -0.25 * UM}, {-1 * UM, 0.25 * UM}, {0, 0.26 * UM}, {NAN, 0}};
    assert_int_equal(rs_first_outside(&c, p, 4, 1e-12), 2);
    assert_int_equal(rs_first_outside(&c, p, 2, 1e-12), 2);
    assert_int_equal(rs_first_outside(&c, p, 4, 0.02 * UM), 3);
}

static void bad_frames_and_devices_are_refused(void **state)
{
    (void)state;
    rs_coords c, before;
    reshed_error err = {0};
    memset(&before, 0x5a, sizeof before);
    c = before;
    rs_device ok = rs_device_metres();
    rs_coords_frame good = odd_frame(RS_PIXEL_INCLUSIVE), f;
#define REFUSED(change)                                                                            \
    f = good;                                                                                      \
    change;                                                                                        \
    assert_int_equal(rs_coords_init(&c, &f, &ok, &err), RESHED_EINVAL);                            \
    assert_memory_equal(&c, &before, sizeof c)
    REFUSED(f.width = 0);
    REFUSED(f.height = -1);
    REFUSED(f.width = NAN);
    REFUSED(f.height = INFINITY);
    REFUSED(f.cx = INFINITY);
    REFUSED(f.angle = NAN);
    REFUSED(f.rows = 1); /* one row cannot reach both edges */
    REFUSED(f.cols = 70000);
    REFUSED(ok = volts(0, 1e-6, RS_SIGN_AS_GIVEN));
    REFUSED(ok = volts(1e-6, NAN, RS_SIGN_ABSOLUTE));
    REFUSED(ok = volts(1e-6, 1e-6, RS_SIGN_ABSOLUTE); ok.offset_y = INFINITY);
    REFUSED(ok = rs_device_normalised(); ok.low = 1);
#undef REFUSED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixel_rules_place_corners),
        cmocka_unit_test(author_conventions_are_reproduced),
        cmocka_unit_test(rows_go_down_and_columns_right),
        cmocka_unit_test(frame_turns_counterclockwise),
        cmocka_unit_test(normalised_units_ignore_place_and_angle),
        cmocka_unit_test(volts_follow_sign_policy),
        cmocka_unit_test(all_spaces_round_trip),
        cmocka_unit_test(outside_points_are_found),
        cmocka_unit_test(bad_frames_and_devices_are_refused),
    };
    return cmocka_run_group_tests_name("walls_coords", tests, NULL, NULL);
}
