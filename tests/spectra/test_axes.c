/* Axes are recognised, and the readings of a loop found in a dataset. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "spectra/axes.h"
#include "spectra/layout.h"

static rs_nsid_dim axis(const char *name, const char *units, const char *type, int64_t n, double *v)
{
    rs_nsid_dim d;
    rs_axis_name(&d, name, "", units, type, n);
    d.values = v;
    return d;
}

static void units_are_known(void **state)
{
    (void)state;
    assert_near(rs_unit_hertz("kHz"), 1e3, 0);
    assert_near(rs_unit_hertz("V"), 0, 0);
    assert_near(rs_unit_volts("mV"), 1e-3, 0);
    assert_near(rs_unit_volts("kV"), 1e3, 0);
    assert_near(rs_unit_volts("Volts"), 1, 0);
    assert_near(rs_unit_volts("millivolt"), 1e-3, 0);
    assert_near(rs_unit_volts("Hz"), 0, 0);
}

static void axes_are_told_by_name_unit_and_type(void **state)
{
    (void)state;
    const struct {
        const char *name, *quantity, *units, *type;
        double volts;
        bool frequency, cycle, field;
    } known[] = {{"Voltage", "", "V", "SPECTRAL", 1, false, false, false},
                 {"step", "", "mV", "SPECTRAL", 1e-3, false, false, false},
                 {"DC_Offset", "", "", "SPECTRAL", 1, false, false, false},
                 {"step", "Tip Bias", "a.u.", "SPECTRAL", 1, false, false, false},
                 {"X", "Position", "V", "SPATIAL", 0, false, false, false}, /* of a scanner */
                 {"Drive FREQUENCY", "", "kHz", "SPECTRAL", 0, true, false, false},
                 {"n", "frequency", "a.u.", "SPECTRAL", 0, true, false, false},
                 {"Cycle", "", "", "CHANNEL", 0, false, true, false},
                 {"FORC", "", "", "CHANNEL", 0, false, true, false},
                 {"In-field", "", "", "CHANNEL", 0, false, false, true},
                 {"cycle field", "", "", "SPATIAL", 0, false, false, false},
                 {"Point", "index", "a.u.", "CHANNEL", 0, false, false, false}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        rs_nsid_dim d;
        rs_axis_name(&d, known[i].name, known[i].quantity, known[i].units, known[i].type, 4);
        assert_near(rs_axis_volts(&d), known[i].volts, 0);
        assert_int_equal(rs_axis_is_frequency(&d), known[i].frequency);
        assert_int_equal(rs_axis_is_cycle(&d), known[i].cycle);
        assert_int_equal(rs_axis_is_field(&d), known[i].field);
    }
}

static void positions_are_x_and_y_in_any_order(void **state)
{
    (void)state;
    int x, y;
    rs_nsid_dim d[3] = {axis("Y", "m", "SPATIAL", 5, NULL), axis("x", "m", "SPATIAL", 7, NULL),
                        axis("Z", "m", "SPATIAL", 1, NULL)};
    assert_true(rs_axes_xy(d, 2, &x, &y) && x == 1 && y == 0);
    assert_true(rs_axes_xy(d, 3, &x, &y) && x == 1 && y == 0);
    d[2].n = 2;
    assert_false(rs_axes_xy(d, 3, &x, &y));
    assert_false(rs_axes_xy(d, 1, &x, &y));
    d[0] = axis("a", "m", "SPATIAL", 5, NULL);
    d[1] = axis("b", "m", "SPATIAL", 5, NULL);
    assert_true(rs_axes_xy(d, 2, &x, &y) && x == 0 && y == 1);
    strcpy(d[1].type, "CHANNEL");
    assert_false(rs_axes_xy(d, 2, &x, &y));
}

/* --------------------------------------------------------------------------------------- layout */
enum { STEPS = 8 };
static double volts[STEPS] = {0, 2, 4, 2, 0, -2, -4, -2}, both[2] = {1, 0}, ons[2] = {1, 3};

static void begin(rs_layout *l, const rs_nsid_dim *d, int n)
{
    reshed_error err = {0};
    assert_ok(rs_layout_begin(l, d, n, -1, RS_FIELD_OFF, "/d", &err), &err);
}

static void axes_for_everything(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_layout l = {0};
    rs_nsid_dim d[5] = {axis("Field", "", "CHANNEL", 2, both), axis("X", "m", "SPATIAL", 3, NULL),
                        axis("Voltage", "mV", "SPECTRAL", STEPS, volts),
                        axis("Cycle", "", "CHANNEL", 2, NULL), axis("Y", "m", "SPATIAL", 2, NULL)};
    begin(&l, d, 5);
    assert_true(l.has_volts);
    assert_ok(rs_layout_end(&l, 0, "/d", &err), &err);
    assert_true(l.has[0] && l.has[1] && l.points == 6 && l.steps == STEPS && l.cycles == 2);
    for (int i = 0; i < 2 * STEPS; i++) assert_near(l.v[i], 1e-3 * volts[i % STEPS], 1e-18);
    for (int f = 0; f < 2; f++)
        for (int x = 0; x < 3; x++)
            for (int s = 0; s < STEPS; s++)
                for (int c = 0; c < 2; c++)
                    for (int y = 0; y < 2; y++) {
                        rs_layout_place p = rs_layout_next(&l);
                        assert_int_equal(p.field, f == 0 ? RS_FIELD_ON : RS_FIELD_OFF);
                        assert_int_equal(p.at, ((x * 2 + y) * 2 + c) * STEPS + s);
                    }
    rs_layout_clear(&l);
    assert_null(l.v);
}

/* Voltages by their name in a unit that is none of voltage: said, unless the file says that it has none. */
static void unknown_units_of_voltage_are_said(void **state)
{
    (void)state;
    static const char *const units[] = {"DAC", "", "V", "generic", "None", "mV"};
    for (int k = 0; k < 6; k++) {
        rs_layout l = {0};
        const rs_nsid_dim d[2] = {axis("X", "m", "SPATIAL", 3, NULL),
                                  axis("Voltage", units[k], "SPECTRAL", STEPS, volts)};
        begin(&l, d, 2);
        assert_true(l.has_volts && (strstr(l.note, "'DAC'") != NULL) == (k == 0));
        if (k > 0) assert_string_equal(l.note, "");
        rs_layout_clear(&l);
    }
}

/* Two readings for each step, the second of which names the voltage that it was read at. */
static void fields_that_alternate_are_split(void **state)
{
    (void)state;
    reshed_error err = {0};
    double named[2 * STEPS], on[2 * STEPS], cycle[2 * STEPS];
    const rs_nsid_dim d[2] = {axis("Point", "", "SPATIAL", 2, NULL),
                              axis("Step", "a.u.", "SPECTRAL", 2 * STEPS, NULL)};
    for (int k = 0; k < 3; k++) {
        rs_layout l = {0};
        begin(&l, d, 2);
        assert_false(l.has_volts);
        for (int i = 0; i < 2 * STEPS; i++) {
            on[i] = i % 2 == 0;
            named[i] = on[i] != 0 ? volts[i / 2] : 0.1;
            cycle[i] = i / STEPS;
        }
        if (k == 0)
            assert_ok(rs_layout_volts(&l, volts, STEPS, "list", &err), &err);
        else
            assert_ok(rs_layout_volts(&l, named, 2 * STEPS, "list", &err), &err);
        if (k > 0) rs_layout_fields(&l, on, 2 * STEPS);
        rs_layout_fields(&l, ons, 2); /* not as many as positions */
        rs_layout_cycles(&l, ons, 2);
        if (k == 2) rs_layout_cycles(&l, cycle, 2 * STEPS);
        assert_ok(rs_layout_end(&l, 0, "/d", &err), &err);
        assert_true(l.has[0] && l.has[1] && l.points == 2);
        assert_int_equal(l.cycles, k == 2 ? 2 : 1);
        assert_int_equal(l.steps * l.cycles, STEPS);
        for (int i = 0; i < STEPS; i++) assert_near(l.v[i], volts[i], 0);
        for (int i = 0; i < 4 * STEPS; i++) {
            rs_layout_place p = rs_layout_next(&l);
            assert_int_equal(p.field, i % 2 ? RS_FIELD_OFF : RS_FIELD_ON);
            assert_int_equal(p.at, i / 2);
        }
        rs_layout_clear(&l);
    }
}

static void wrong_layouts_are_refused(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_layout l = {0};
    rs_nsid_dim d[2] = {axis("Field", "", "CHANNEL", 2, ons),
                        axis("Voltage", "V", "SPECTRAL", STEPS, volts)};
    begin(&l, d, 2); /* two on-field readings of everything */
    assert_int_equal(rs_layout_end(&l, 0, "/d", &err), RESHED_EUNSUPPORTED);
    rs_layout_clear(&l);
    begin(&l, d + 1, 1);
    assert_int_equal(rs_layout_end(&l, 3, "/d", &err), RESHED_EINVAL); /* cycles of 8 steps */
    rs_layout_clear(&l);
    begin(&l, d + 1, 1);
    assert_int_equal(rs_layout_volts(&l, volts, 3, "list", &err), RESHED_ECORRUPT);
    const double mostly[STEPS] = {1, 1, 1, 0, 1, 1, 1, 0};
    rs_layout_fields(&l, mostly, STEPS);
    assert_int_equal(rs_layout_end(&l, 0, "/d", &err), RESHED_EUNSUPPORTED);
    rs_layout_clear(&l);
    d[1] = axis("Point", "", "SPATIAL", 4, NULL);
    assert_int_equal(rs_layout_begin(&l, d + 1, 1, -1, RS_FIELD_OFF, "/d", &err),
                     RESHED_EUNSUPPORTED);
    rs_layout_clear(&l);
}

static void memory_may_fail(void **state)
{
    (void)state;
    const rs_nsid_dim d = axis("Voltage", "V", "SPECTRAL", STEPS, volts);
    for (long k = 0;; k++) {
        reshed_error err = {0};
        rs_layout l = {0};
        test_alloc_fail_at(k);
        reshed_status st = rs_layout_begin(&l, &d, 1, -1, RS_FIELD_ON, "/d", &err);
        if (st == RESHED_OK) st = rs_layout_end(&l, 0, "/d", &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_layout_clear(&l);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_known),
        cmocka_unit_test(axes_are_told_by_name_unit_and_type),
        cmocka_unit_test(positions_are_x_and_y_in_any_order),
        cmocka_unit_test(axes_for_everything),
        cmocka_unit_test(unknown_units_of_voltage_are_said),
        cmocka_unit_test(fields_that_alternate_are_split),
        cmocka_unit_test(wrong_layouts_are_refused),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
