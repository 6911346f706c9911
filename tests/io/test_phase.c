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
    expect(path, NULL, "Magnitude", 30 * RS_DEGREE); /* the first */
    expect(path, NULL, "HeightRetrace", NAN);        /* no amplitude has been mapped */
    expect(path, "NapPhase", "AmplitudeRetrace", 50 * RS_DEGREE);
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
        cmocka_unit_test(units_are_made_radians),
        cmocka_unit_test(files_without_a_phase_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
