/* The phase that belongs to an amplitude. */
#include "support/io_support.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"
#include "io/npy.h"
#include "io/phase.h"

enum { H = 4, W = 6 };

/* An NSID file of channels; the k-th holds k + 1 (times 10 where its unit is deg). */
static const char *write_channels(const char *const (*name)[2], int n)
{
    reshed_error err = {0};
    const char *path = test_temp("channels.h5");
    rs_nsid_writer *w = NULL;
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    for (int k = 0; k < n; k++) {
        rs_image im;
        rs_nsid_data d;
        char at[64];
        assert_ok(rs_image_init(&im, H, W, &err), &err);
        for (int i = 0; i < H * W; i++)
            im.data[i] = (float)(k + 1) * (strcmp(name[k][1], "rad") == 0 ? 1.0f : 10.0f);
        snprintf(im.channel, sizeof im.channel, "%s", name[k][0]);
        snprintf(im.unit, sizeof im.unit, "%s", name[k][1]);
        assert_ok(rs_nsid_from_image(&im, &d, &err), &err);
        snprintf(d.title, sizeof d.title, "%s", name[k][0]);
        snprintf(at, sizeof at, "/Measurement_000/Channel_%03d", k);
        assert_ok(rs_nsid_add(w, at, &d, RS_NSID_F32, NULL, 0, &err), &err);
        rs_nsid_data_clear(&d);
        rs_image_clear(&im);
    }
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    return path;
}

static void expect(const char *path, const char *wanted, const char *amplitude, double value)
{
    reshed_error err = {0};
    rs_image im;
    assert_ok(rs_phase_read(path, wanted, amplitude, RS_FRAME_ONLY, &im, &err), &err);
    if (isnan(value)) {
        assert_null(im.data);
        return;
    }
    assert_non_null(im.data);
    assert_near(im.data[0], value, 1e-6);
    assert_string_equal(im.unit, "rad");
    rs_image_clear(&im);
}

static void the_phase_of_the_same_name_is_taken(void **state)
{
    (void)state;
    static const char *const list[][2] = {{"HeightRetrace", "m"},
                                          {"AmplitudeRetrace", "m"},
                                          {"PhaseRetrace", "deg"},
                                          {"NapAmplitudeRetrace", "m"},
                                          {"NapPhaseRetrace", "deg"}};
    const char *path = write_channels(list, 5);
    expect(path, NULL, "AmplitudeRetrace", 30 * RS_DEGREE);
    expect(path, NULL, "NapAmplitudeRetrace", 50 * RS_DEGREE);
    expect(path, NULL, "Magnitude", NAN);     /* either of two */
    expect(path, NULL, "HeightRetrace", NAN); /* no amplitude has been mapped */
    expect(path, "NapPhase", "AmplitudeRetrace", 50 * RS_DEGREE);
}

static void partners_have_the_same_number(void **state)
{
    (void)state;
    static const char *const both[][2] = {
        {"Amp1", "m"}, {"Pha1", "rad"}, {"Amp2", "m"}, {"Pha2", "rad"}};
    static const char *const one[][2] = {{"Amp1", "m"}, {"Amp2", "m"}, {"Pha1", "rad"}};
    static const char *const parts[][2] = {{"PFM Amplitude", "m"}, {"LI_Demod Amp", "V"},
                                           {"PFM_Phase", "rad"},   {"LI Demod Phas", "rad"},
                                           {"Sample Amp 2", "V"},  {"sample_pha2", "rad"}};
    const char *path = write_channels(both, 4);
    expect(path, NULL, "Amp1", 2);
    expect(path, NULL, "Amp2", 4);
    expect(path, NULL, "Amp3", NAN);
    expect(path, NULL, "Amp", NAN);
    path = write_channels(one, 3);
    expect(path, NULL, "Amp1", 3);
    expect(path, NULL, "Amp2", NAN);
    expect(path, NULL, "Amplitude", 3);
    path = write_channels(parts, 6);
    expect(path, NULL, "PFM Amplitude", 3);
    expect(path, NULL, "LI_Demod Amp", 4);
    expect(path, NULL, "Sample Amp 2", 6);
}

/* A phase of two pixels in this unit, as radians; said: what the note says, NULL for none. */
static void expect_unit(const char *unit, float value, double radians, const char *said)
{
    float v[2] = {value, -value};
    rs_image im = {.data = v, .height = 1, .width = 2};
    snprintf(im.unit, sizeof im.unit, "%s", unit);
    rs_phase_to_radians(&im);
    assert_near(v[0], radians, 1e-6);
    assert_near(v[1], -radians, 1e-6);
    assert_string_equal(im.unit, "rad");
    if (said ? !strstr(im.note, said) : im.note[0] != 0)
        fail_msg("unit '%s' is said to be: %s", unit, im.note);
}

static void units_are_known_in_any_spelling(void **state)
{
    (void)state;
    static const char *const radians[] = {"rad", "Rad", "RAD", "radian", "Radians", " rad "},
                             *const degrees[] = {"deg",     "Deg",      "DEG",  "degree",
                                                 "Degrees", "\xc2\xb0", "\xb0", "deg "};
    for (size_t i = 0; i < sizeof radians / sizeof *radians; i++)
        expect_unit(radians[i], 20, 20, NULL);
    for (size_t i = 0; i < sizeof degrees / sizeof *degrees; i++)
        expect_unit(degrees[i], 2, 2 * RS_DEGREE, NULL);
    expect_unit("V", 3, 3, "the unit V");
    expect_unit("V", 90, 90 * RS_DEGREE, "degrees");
    expect_unit("", 3, 3, "radians");
    expect_unit("", 170, 170 * RS_DEGREE, "no unit");
}

static void one_image_stands_for_all_frames(void **state)
{
    (void)state;
    static const char *const list[][2] = {{"Amplitude", "m"}, {"Phase", "rad"}};
    const char *path = write_channels(list, 2);
    for (int frame = 0; frame < 3; frame++) {
        reshed_error err = {0};
        rs_image im;
        assert_ok(rs_phase_read(path, NULL, "Amplitude", frame, &im, &err), &err);
        assert_near(im.data[H * W - 1], 2, 1e-6);
        rs_image_clear(&im);
    }
}

static void units_are_made_radians(void **state)
{
    (void)state;
    static const char *const radians[][2] = {{"Amplitude", "m"}, {"Phase", "rad"}};
    static const char *const bare[][2] = {{"Amplitude", "m"}, {"Phase", ""}};
    expect(write_channels(radians, 2), NULL, "Amplitude", 2);
    expect(write_channels(bare, 2), NULL, "Amplitude", 20 * RS_DEGREE);
}

static void files_without_a_phase_are_fine(void **state)
{
    (void)state;
    static const char *const list[][2] = {{"Amplitude", "m"}, {"Height", "m"}};
    static const float one[H * W] = {0};
    const size_t dims[2] = {H, W};
    reshed_error err = {0};
    rs_image im;
    const char *path = write_channels(list, 2);
    expect(path, NULL, "Amplitude", NAN);
    assert_int_not_equal(rs_phase_read(path, "Phase", "Amplitude", RS_FRAME_ONLY, &im, &err),
                         RESHED_OK);
    path = test_temp("phase.npy");
    assert_ok(rs_npy_write(path, RS_NPY_F4, 2, dims, one, &err), &err);
    expect(path, NULL, "", NAN);
    expect("/nonexistent/x.h5", NULL, "Amplitude", NAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_phase_of_the_same_name_is_taken),
        cmocka_unit_test(partners_have_the_same_number),
        cmocka_unit_test(units_are_known_in_any_spelling),
        cmocka_unit_test(one_image_stands_for_all_frames),
        cmocka_unit_test(units_are_made_radians),
        cmocka_unit_test(files_without_a_phase_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
