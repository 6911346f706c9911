/* reshed-beps loops: what counts as a number, and which loops count. */
#include "support/support.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/os.h"
#include "io/csv.h"
#include "io/nsid/write.h"
#include "support/loop_sim.h"
#include "support/program.h"

enum { N = 64, POINTS = 12, MAX_CYCLES = 3 };

static rs_nsid_dim axis(const char *name, const char *units, const char *type, int64_t n,
                        double *values)
{
    rs_nsid_dim d = {.n = n, .values = values};
    snprintf(d.name, sizeof d.name, "%s", name);
    snprintf(d.quantity, sizeof d.quantity, "%s", name);
    snprintf(d.units, sizeof d.units, "%s", units);
    snprintf(d.type, sizeof d.type, "%s", type);
    return d;
}

/* Loops of a region that was poled up: it switches down at -2.54 V and up again at 3.45 V, between
 * two steps of 0.5 V. */
static void write_poled(const char *path, int cycles)
{
    static double v[MAX_CYCLES * N], y[POINTS * MAX_CYCLES * N];
    const int steps = cycles * N;
    test_rng r = {test_seed()};
    reshed_error e = {0};
    rs_nsid_writer *w = NULL;
    for (int c = 0; c < cycles; c++) sim_triangle(N, 8, v + c * N);
    for (int p = 0; p < POINTS; p++) {
        bool up = true;
        for (int i = 0; i < steps; i++) {
            up = v[i] > 3.45 || (up && v[i] > -2.54);
            y[p * steps + i] = (up ? 1 : -1) + 0.01 * test_gauss(&r);
        }
    }
    rs_nsid_data d = {.ndim = 2, .data = y};
    strcpy(d.name, "PR");
    strcpy(d.title, "PR");
    strcpy(d.quantity, "PR");
    strcpy(d.units, "pm");
    strcpy(d.data_type, "LINE_PLOT_FAMILY");
    d.dim[0] = axis("Point", "a.u.", "SPATIAL", POINTS, NULL);
    d.dim[1] = axis("Bias", "V", "SPECTRAL", steps, v);
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &e), &e);
    assert_ok(rs_nsid_add(w, "/Measurement_000/Channel_000", &d, RS_NSID_F64, NULL, 0, &e), &e);
    assert_ok(rs_nsid_finish(w, RESHED_OK, &e), &e);
}

static const outcome *loops(const char *file, const char *options)
{
    char args[1024];
    snprintf(args, sizeof args, "loops %s %s", file, options);
    const outcome *o = run_program("reshed-beps", args);
    if (o->status != 0) fail_msg("%s: exit %d: %s", args, o->status, o->err);
    return o;
}

static void a_poled_region_has_no_v_plus(void **state)
{
    (void)state;
    char file[128], csv[128], options[512];
    snprintf(file, sizeof file, "%.127s", test_temp("poled.h5"));
    snprintf(csv, sizeof csv, "%.127s", test_temp("poled.csv"));
    write_poled(file, 1);
    snprintf(options, sizeof options, "--json --csv %s --metrics v_plus_mid,v_minus_mid", csv);
    const outcome *o = loops(file, options);
    assert_near(json_number(o->out, "trusted"), 0, 0);
    assert_near(json_number(o->out, "not_closed"), POINTS, 0);
    assert_near(json_number(o->out, "no_switching"), 0, 0);
    assert_non_null(strstr(o->out, "\"v_plus_mid\": null"));
    assert_null(strstr(o->out, "nan"));
    const char *median = strstr(o->out, "\"median_loop\"");
    assert_near(json_number(median, "v_minus_mid"), -2.54, 0.26);

    rs_csv_table t = {0};
    reshed_error e = {0};
    size_t column, flags;
    double v;
    assert_ok(rs_csv_read(csv, &t, &e), &e);
    assert_ok(rs_csv_column(&t, "v_plus_mid", &column, &e), &e);
    for (size_t i = 0; i < t.rows; i++) {
        assert_ok(rs_csv_cell_number(&t, i, column, &v, &e), &e);
        assert_true(isnan(v));
        assert_ok(rs_csv_column(&t, "flags", &flags, &e), &e);
        assert_non_null(strstr(rs_csv_cell(&t, i, flags), "not_closed"));
    }
    rs_csv_table_clear(&t);

    o = loops(file, "--csv /dev/null");
    assert_non_null(strstr(o->out, "12 off-field loops of 64 steps, 0 to trust"));
    assert_non_null(strstr(o->out, "12 not_closed"));
    assert_non_null(strstr(o->out, "V+ none, V- -2."));
    assert_null(strstr(o->out, "cycles"));
}

static void the_first_of_several_cycles_is_left_out(void **state)
{
    (void)state;
    char file[128];
    snprintf(file, sizeof file, "%.127s", test_temp("poled3.h5"));
    for (int cycles = 2; cycles <= MAX_CYCLES; cycles++) {
        char words[64];
        write_poled(file, cycles);
        const outcome *o = loops(file, "--json");
        assert_near(json_number(o->out, "cycles"), cycles, 0);
        assert_near(json_number(o->out, "cycles_used"), cycles - 1, 0);
        assert_non_null(strstr(o->out, "\"first_cycle_dropped\": true"));
        assert_near(json_number(o->out, "trusted"), POINTS, 0);
        const char *metrics = strstr(o->out, "\"metrics\"");
        assert_near(json_number(strstr(metrics, "\"v_plus_mid\""), "median"), 3.45, 0.26);
        assert_near(json_number(strstr(metrics, "\"v_minus_mid\""), "median"), -2.54, 0.26);
        o = loops(file, "--csv /dev/null --drop-first");
        snprintf(words, sizeof words, "means over %d of %d cycles, without the first", cycles - 1,
                 cycles);
        assert_non_null(strstr(o->out, words));
        /* With it no number is trusted. */
        o = loops(file, "--json --keep-first");
        assert_near(json_number(o->out, "cycles_used"), cycles, 0);
        assert_near(json_number(o->out, "trusted"), 0, 0);
        assert_near(json_number(o->out, "cycles_differ"), POINTS, 0);
        o = loops(file, "--csv /dev/null --keep-first");
        snprintf(words, sizeof words, "means over %d of %d cycles\n", cycles, cycles);
        assert_non_null(strstr(o->out, words));
    }
}

/* Figures are named by the whole prefix, however long. */
static void a_long_prefix_is_kept(void **state)
{
    (void)state;
    test_not_quick();
    char file[128], folder[400], options[1200], words[900];
    snprintf(file, sizeof file, "%.127s", test_temp("poled.h5"));
    write_poled(file, 2);
    snprintf(folder, sizeof folder, "%.100s/%0120d", test_temp("."), 7);
    assert_int_equal(mkdir(folder, 0777), 0);
    snprintf(options, sizeof options, "--quiet --png %s/%0140d", folder, 8);
    loops(file, options);
    static const char *const figures[] = {"average", "histograms", "maps", "loops"};
    for (size_t k = 0; k < 4; k++) {
        snprintf(words, sizeof words, "%s/%0140d_%s.png", folder, 8, figures[k]);
        assert_true(rs_os_is_file(words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poled_region_has_no_v_plus),
        cmocka_unit_test(the_first_of_several_cycles_is_left_out),
        cmocka_unit_test(a_long_prefix_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
