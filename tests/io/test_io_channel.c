/* The channel that is taken when none is named: by names, by quantities and units, in each format. */
#include "support/io_support.h"

#include <string.h>

#include "io/image_file.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"

static void names_tell_quantities(void **state)
{
    (void)state;
    static const struct {
        rs_quantity quantity;
        const char *names[40];
    } cases[] = {
        {RS_QUANTITY_AMPLITUDE,
         {"Amplitude",
          "amplitude",
          "AMPLITUDE",
          "AmplitudeRetrace",
          "Amplitude1Trace",
          "Amp",
          "Amp2",
          "Amp Retrace",
          "AmpRetrace",
          "ampretrace",
          "NapAmplitude",
          "NapAmp2Retrace",
          "PFM amp",
          "PFMAmp",
          "pfmamp",
          "PFMAMP",
          "PFM Amplitude",
          "VPFM_Amplitude",
          "lpfm-amp",
          "Ampl.",
          "Lateral Amplitude",
          "Deflection amplitude",
          "Piezoresponse",
          "Piezo Response",
          "piezoresponse amplitude",
          "Magnitude",
          "Mag (V)",
          "R",
          "|R|",
          "R (m)",
          "R1",
          "LI Demod 1 R",
          "A",
          "Response",
          "d33",
          "PR",
          "BEAmplitude",
          "Amplitude, fwd",
          "OC M1 Ampl"}},
        {RS_QUANTITY_PHASE,
         {"Phase", "PhaseRetrace", "Phase1", "PFM phase", "NapPhase", "Theta",
          "Piezoresponse phase", "Amplitude-Phase", "Phs"}},
        {RS_QUANTITY_OTHER,
         {"Height",
          "HeightRetrace",
          "ZSensorTrace",
          "Topography",
          "topo",
          "Deflection",
          "Current",
          "Frequency",
          "UserIn0",
          "Amplitude Error",
          "AmplitudeSetpoint",
          "DriveAmplitude",
          "Drive amp",
          "Bias",
          "Friction",
          "Lateral",
          "LIX 1",
          "Piezoresponse X",
          "Current Amplifier",
          "Amplitude noise",
          "Frequency amp",
          "Z",
          "Skeleton",
          "Amplitude variance"}},
        {RS_QUANTITY_UNKNOWN,
         {"", "layer 2", "Channel_000", "wave0", "Sample", "Example", "Clamp", "Lamp", "Ramp",
          "Stamp", "Preamp", "Data", "(unnamed)", "Reading", "generic", "Run 3", "Camp", "Trace"}},
        {RS_QUANTITY_WALLS,
         {"Wall_probability", "Walls", "Truth walls", "Prediction", "Wall probability mean"}},
        {RS_QUANTITY_WALL_VARIANCE, {"Wall_variance", "Uncertainty", "Variance"}},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 40 && cases[i].names[k]; k++) {
            const rs_quantity_guess g = rs_quantity_of_name(cases[i].names[k]);
            if (g.quantity == cases[i].quantity && (g.grade > 0) == (g.quantity != 0)) continue;
            printf("'%s' gave %s\n", cases[i].names[k], rs_quantity_name(g.quantity));
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

/* A channel as NSID files have them: quantity, title, unit. */
typedef struct given {
    const char *quantity, *title, *unit;
} given;

/* An NSID file with these images, in that order; pixel k of channel i is 100 i + k. */
static const char *make_file(const char *name, const given *c, int n)
{
    const char *path = test_temp(name);
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    for (int i = 0; i < n; i++) {
        char group[64], dataset[256];
        rs_image im;
        rs_nsid_data d;
        assert_ok(rs_image_init(&im, 4, 5, &err), &err);
        for (int k = 0; k < 20; k++) im.data[k] = (float)(100 * i + k);
        im.dx = im.dy = 1e-8;
        assert_ok(rs_nsid_from_image(&im, &d, &err), &err);
        snprintf(group, sizeof group, "/Measurement_000/Channel_%03d", i);
        snprintf(d.name, sizeof d.name, "Channel_%03d", i);
        snprintf(d.quantity, sizeof d.quantity, "%s", c[i].quantity);
        snprintf(d.units, sizeof d.units, "%s", c[i].unit);
        assert_ok(rs_nsid_add(w, group, &d, RS_NSID_F32, dataset, sizeof dataset, &err), &err);
        if (*c[i].title) assert_ok(rs_nsid_set_text(w, dataset, "title", c[i].title, &err), &err);
        rs_nsid_data_clear(&d);
        rs_image_clear(&im);
    }
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    return path;
}

static void the_default_of_hdf5_is_an_amplitude(void **state)
{
    (void)state;
    static const struct {
        given c[4];
        int taken;        /* -1: refused */
        const char *said; /* in the channel and note, or in the error */
    } cases[] = {
        {{{"Height", "", "m"}, {"Amplitude", "", "m"}, {"Amplitude", "", "m"}}, 1, "first of 2"},
        {{{"Height", "", "m"}, {"Phase", "", "deg"}}, -1, "Height, Phase"},
        {{{"Height", "", "m"}}, 0, "Height"},
        {{{"Height", "", "m"}, {"PFM amp", "", "pm"}}, 1, "PFM amp"},
        {{{"Height", "", "m"}, {"R", "", "V"}, {"Theta", "", "deg"}}, 1, "R"},
        {{{"Height", "", "m"}, {"Piezoresponse", "Phase", "deg"}, {"Magnitude", "", "V"}},
         2,
         "Magnitude"},
        {{{"generic", "Height", "m"}, {"generic", "Magnitude", "a.u."}}, 1, "Magnitude"},
        {{{"Height", "PZT amplitude, run 3", "m"}, {"Amplitude", "PZT amplitude, run 3", "m"}},
         1,
         "Amplitude"},
        {{{"generic", "", "nm"}, {"generic", "", "pm"}, {"generic", "", "deg"}}, 1, "Channel_001"},
        {{{"generic", "", "nm"}, {"generic", "", "nm"}}, -1, "Channel_000"},
        {{{"Amplitude Error", "", "V"}, {"Response", "", "V"}, {"Amp", "", "V"}}, 2, "Amp"},
        {{{"Height", "", "m"}, {"Amplitude\x1b[31m", "", "m"}, {"Amp\xff", "", "m"}},
         1,
         "\\x1b[31m' is the first of 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = 0;
        char name[32], text[1024];
        rs_image im = {0};
        reshed_error err = {0};
        while (n < 4 && cases[i].c[n].quantity) n++;
        snprintf(name, sizeof name, "choice%zu.h5", i);
        const reshed_status st = rs_image_read(make_file(name, cases[i].c, n), NULL, &im, &err);
        const int taken = st == RESHED_OK ? (int)(im.data[0] / 100) : -1;
        if (st == RESHED_OK)
            snprintf(text, sizeof text, "%s %s", im.channel, im.note);
        else
            reshed_error_text(&err, text, sizeof text);
        if (taken != cases[i].taken || !strstr(text, cases[i].said))
            fail_msg("case %zu: took %d: %s", i, taken, text);
        if (taken < 0) assert_non_null(strstr(text, "--channel"));
        rs_image_clear(&im);
    }
}

/* A program that wants another quantity gets that one, or is told the names. */
static void other_quantities_can_be_asked_for(void **state)
{
    (void)state;
    static const given c[] = {{"Amplitude", "", "V"},
                              {"Wall_probability", "", ""},
                              {"Wall_variance", "", ""},
                              {"Walls", "", ""}};
    static const struct {
        rs_quantity quantity;
        int taken;
    } cases[] = {{RS_QUANTITY_AMPLITUDE, 0},
                 {RS_QUANTITY_WALLS, 1},
                 {RS_QUANTITY_WALL_VARIANCE, 2},
                 {RS_QUANTITY_PHASE, -1}};
    const char *path = make_file("session.h5", c, 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_image im = {0};
        reshed_error err = {0};
        const reshed_status st = rs_image_read_quantity(path, NULL, cases[i].quantity, &im, &err);
        if (cases[i].taken < 0)
            assert_error(st, RESHED_EINVAL, &err, "known as phase: Amplitude, Wall_probability");
        else
            assert_int_equal((int)(im.data[0] / 100), cases[i].taken);
        rs_image_clear(&im);
    }
}

/* Each axis by its own unit, and what is not understood is said. */
static void units_of_axes_are_understood_or_noted(void **state)
{
    (void)state;
    static const struct {
        const char *x, *y, *note;
        double dx, dy;
    } cases[] = {
        {"nanometer", "nanometers", "", 1e-9, 1e-9},
        {"um", "Microns", "", 1e-6, 1e-6},
        {"m", "cubits", "unit 'cubits' of the y axis", 1, 0},
        {"\x1b]0;x", "m", "unit '\\x1b]0;x' of the x axis", 0, 1},
        {"generic", "generic", "unit 'generic' of the x axis", 0, 0},
        {"px", "pixels", "", 0, 0},
    };
    const char *path = test_temp("units.h5");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reshed_error err = {0};
        rs_image im = {0};
        rs_nsid_data d;
        rs_nsid_writer *w = NULL;
        assert_ok(rs_image_init(&im, 4, 5, &err), &err);
        for (int k = 0; k < 20; k++) im.data[k] = (float)k;
        im.dx = im.dy = 1;
        assert_ok(rs_nsid_from_image(&im, &d, &err), &err);
        rs_image_clear(&im);
        snprintf(d.dim[0].units, sizeof d.dim[0].units, "%s", cases[i].x);
        snprintf(d.dim[1].units, sizeof d.dim[1].units, "%s", cases[i].y);
        assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
        assert_ok(rs_nsid_add(w, "/Measurement_000", &d, RS_NSID_F32, NULL, 0, &err), &err);
        assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
        rs_nsid_data_clear(&d);
        assert_ok(rs_image_read(path, NULL, &im, &err), &err);
        assert_near(im.dx, cases[i].dx, 1e-15);
        assert_near(im.dy, cases[i].dy, 1e-15);
        if (*cases[i].note ? !strstr(im.note, cases[i].note) : im.note[0])
            fail_msg("case %zu: '%s'", i, im.note);
        rs_image_clear(&im);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_quantities),
        cmocka_unit_test(the_default_of_hdf5_is_an_amplitude),
        cmocka_unit_test(other_quantities_can_be_asked_for),
        cmocka_unit_test(units_of_axes_are_understood_or_noted),
    };
    return cmocka_run_group_tests_name("io_channel", tests, NULL, NULL);
}
