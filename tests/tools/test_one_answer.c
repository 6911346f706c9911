/* One session through every program: the same walls, points, families, tests and loops. */
#include "support/scan_program.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/csv.h"
#include "io/hdf5/h5.h"
#include "io/image_file.h"
#include "io/npy.h"
#include "spm/scan/request/points.h"
#include "spm/session/session.h"

#define FILM                                                                                       \
    "-w weights/tiny8x4.h5 -j 1 --pictures none --set rows=64 --set cols=64 --set width=0.9e-6 "   \
    "--set height=0.9e-6 --set be_repeats=1 --set steps=32 --set cycles=2 --set every=4 --set "    \
    "min_wall=6 --set max_points=40 --set drift_every=0 --set reference_every=0 --set x=3e-7 "     \
    "--set "                                                                                       \
    "y=-1e-7 "

static char path[1024], page[1024];

static int make_session(void **state)
{
    (void)state;
    char args[4096];
    scan_temp(path, "one.h5");
    scan_temp(page, "one.html");
    remove(path);
    snprintf(args, sizeof args, TWIN FILM "--quiet --report %s -o %s", page, path);
    scan_run_to(0, args);
    return 0;
}

/* A program's --json, into a buffer of its own. */
static char *json_of(const char *program, const char *args)
{
    const outcome *o = run_program(program, args);
    if (o->status != 0) fail_msg("%s %s: exit %d, %s", program, args, o->status, o->err);
    char *copy = rs_alloc(strlen(o->out) + 1, 1);
    assert_non_null(copy);
    return strcpy(copy, o->out);
}

static char *bytes_of(const char *file, size_t *n)
{
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *data = rs_alloc(*n + 1, 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *n, f), *n);
    fclose(f);
    return data;
}

/* Numbers by name in two summaries. */
static void same(const char *a, const char *b, const char *const *name, int n)
{
    for (int i = 0; i < n; i++) {
        const double x = json_number(a, name[i]), y = json_number(b, name[i]);
        if (!(fabs(x - y) <= 1e-9 * fabs(x))) fail_msg("%s: %.17g and %.17g", name[i], x, y);
    }
}

/* The tests, number by number as text: they are the last entry of each summary. */
static const char *tests_in(const char *json)
{
    const char *at = strstr(json, "\"stats\":");
    if (!at) fail_msg("no tests in %s", json);
    assert_non_null(strstr(at, "\"long_short\": {"));
    return at;
}

static void report_analysis_and_walls_agree(void **state)
{
    (void)state;
    static const char *const counts[] = {"lines", "lost_lines", "points",  "measured",
                                         "walls", "trusted",    "families"};
    static const char *const walls_too[] = {"walls", "wall_length", "points"};
    char args[4096], again[1024];
    size_t na, nb;
    snprintf(args, sizeof args, "%s --json -o %s", path, scan_temp(again, "again.html"));
    char *report = json_of("reshed-report", args);
    char *live = bytes_of(page, &na), *late = bytes_of(again, &nb);
    assert_true(na == nb && memcmp(live, late, na) == 0);
    late[nb] = '\0'; /* settings have units, and the words that numbers stand for */
    assert_non_null(strstr(late, "0 (continue)</td>"));
    assert_non_null(strstr(late, "2e-06</td><td class=\"t\">m/s"));
    assert_non_null(strstr(late, ", wall probability 0."));
    snprintf(args, sizeof args, "--analyse %s --json " AGAIN, path);
    char *analysis = json_of("reshed-scan", args);
    snprintf(args, sizeof args, "%s --metric=width_mid --json", path);
    char *walls = json_of("reshed-walls", args);
    assert_true(json_number(report, "walls") >= 10 && json_number(report, "points") == 40);
    same(report, analysis, counts, 7);
    same(report, analysis, walls_too, 2);
    same(report, walls, walls_too, 3);
    assert_true(json_number(analysis, "points_chosen") == 40);
    assert_string_equal(tests_in(report), tests_in(analysis));
    assert_string_equal(tests_in(report), tests_in(walls));
    rs_free(report);
    rs_free(analysis);
    rs_free(walls);
    rs_free(live);
    rs_free(late);
}

/* Stage coordinates in a table. */
static void check_place(const rs_csv_table *t, size_t k, size_t x, size_t y, double px, double py)
{
    reshed_error err = {0};
    double v;
    assert_ok(rs_csv_cell_number(t, k, x, &v, &err), &err);
    assert_near(v, px, 1e-15);
    assert_ok(rs_csv_cell_number(t, k, y, &v, &err), &err);
    assert_near(v, py, 1e-15);
}

/* A bare array lies where another file says; the scan takes such a list. */
static void a_bare_map_lies_in_the_frame_of_another_file(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096], csv[1024], npy[1024];
    float map[64 * 64];
    const size_t dims[2] = {64, 64};
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_point *p = NULL;
    rs_csv_table t;
    size_t x, y;
    int n = 0;
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_session_read_map(s, RS_SESSION_MEAN, 0, 64, map, &err), &err);
    assert_ok(rs_npy_write(scan_temp(npy, "bare.npy"), RS_NPY_F4, 2, dims, map, &err), &err);
    snprintf(args, sizeof args, "%s --quiet --min-wall=6 --frame-of=%s --points=%s", npy, path,
             scan_temp(csv, "bare.csv"));
    rs_free(json_of("reshed-walls", args));
    assert_ok(rs_points_read(csv, &rs_session_get_setup(s)->frame, &p, &n, &err), &err);
    assert_ok(rs_csv_read(csv, &t, &err), &err);
    assert_ok(rs_csv_column(&t, "x", &x, &err), &err);
    assert_ok(rs_csv_column(&t, "y", &y, &err), &err);
    assert_true(n > 10 && (size_t)n == t.rows);
    for (int k = 0; k < n; k++) check_place(&t, (size_t)k, x, y, p[k].x, p[k].y);
    rs_csv_table_clear(&t);
    rs_free(p);
    /* Without it the list is one of another place, and the scan says so. */
    snprintf(args, sizeof args, "%s --quiet --pixel-size=14.0625 --points=%s", npy, csv);
    rs_free(json_of("reshed-walls", args));
    p = NULL;
    assert_int_equal(rs_points_read(csv, &rs_session_get_setup(s)->frame, &p, &n, &err),
                     RESHED_EINVAL);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* reshed-walls chooses the points that the scan measured, in its order. */
static void the_points_are_those_of_the_scan(void **state)
{
    (void)state;
    char args[4096], csv[1024];
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_csv_table t;
    size_t row, col, wall, x, y;
    snprintf(args, sizeof args, "%s --quiet --points=%s", path, scan_temp(csv, "points.csv"));
    rs_free(json_of("reshed-walls", args));
    assert_ok(rs_csv_read(csv, &t, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_csv_column(&t, "row", &row, &err), &err);
    assert_ok(rs_csv_column(&t, "col", &col, &err), &err);
    assert_ok(rs_csv_column(&t, "wall", &wall, &err), &err);
    assert_ok(rs_csv_column(&t, "x", &x, &err), &err);
    assert_ok(rs_csv_column(&t, "y", &y, &err), &err);
    assert_int_equal(t.rows, 40);
    for (int k = 0; k < 40; k++) {
        const size_t column[] = {row, col, wall};
        rs_session_point p;
        assert_ok(rs_session_read_points(s, k, 1, &p, &err), &err);
        const double want[] = {p.row, p.col, p.wall};
        for (int i = 0; i < 3; i++) {
            double v;
            assert_ok(rs_csv_cell_number(&t, (size_t)k, column[i], &v, &err), &err);
            assert_true(v == want[i]);
        }
        check_place(&t, (size_t)k, x, y, p.x, p.y);
    }
    rs_csv_table_clear(&t);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* The loops of a session, from its spectra once more. */
static void loops_are_those_of_the_scan(void **state)
{
    (void)state;
    char args[4096], csv[1024], command[4096];
    snprintf(args, sizeof args, "%s --json", path);
    char *report = json_of("reshed-report", args);
    snprintf(args, sizeof args, "loops %s --csv %s --quiet", path, scan_temp(csv, "loops.csv"));
    rs_free(json_of("reshed-beps", args));
    snprintf(args, sizeof args, "loops %s --json --quiet", path);
    char *loops = json_of("reshed-beps", args);
    static const char *const counts[] = {"points", "trusted"};
    same(report, loops, counts, 2);
    static const char *const metric[] = {"width_mid", "coercive_mid", "area", "nucleation_pos"};
    const char *a = strstr(report, "\"metrics\":"), *b = strstr(loops, "\"metrics\":");
    for (int i = 0; i < 4; i++) {
        char key[64];
        snprintf(key, sizeof key, "\"%s\": {", metric[i]);
        const char *x = strstr(a, key), *y = strstr(b, key);
        assert_true(x && y);
        const double u = json_number(x, "median"), v = json_number(y, "median");
        assert_near(u, v, 1e-9 * fabs(u));
        assert_true(json_number(x, "loops") == json_number(y, "n"));
    }
    /* The table with its flags gives the same tests. */
    snprintf(args, sizeof args, "%s --values=%s --metric=width_mid --json", path, csv);
    char *walls = json_of("reshed-walls", args);
    assert_string_equal(tests_in(report), tests_in(walls));
    rs_free(report);
    rs_free(loops);
    rs_free(walls);
    if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) return;
    snprintf(command, sizeof command, "/usr/bin/python3 tests/read_session.py numbers %s %s", path,
             csv);
    assert_int_equal(system(command), 0);
}

/* Images are no loops, and the message names what is meant; spectra are the survey's or the points'. */
static void channels_of_a_session_say_what_they_are(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096], out[1024];
    snprintf(args, sizeof args, "loops %s --channel Amplitude --json", path);
    const outcome *o = run_program("reshed-beps", args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "--channel BEPS"));
    snprintf(args, sizeof args, "sho %s -o %s --json", path, scan_temp(out, "sho.h5"));
    o = run_program("reshed-beps", args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "/Trace/BE_spectra"));
    snprintf(args, sizeof args, "sho %s --channel BEPS -o %s --json", path, out);
    o = run_program("reshed-beps", args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "\"/BEPS/spectra\""));
    assert_true(json_number(o->out, "spectra") == 40 * 2 * 64);
}

/* A file for Gwyddion lies where the frame does, and responses without a unit are volts. */
static void gwyddion_gets_place_and_unit(void **state)
{
    (void)state;
    char args[4096], copy[1024], gwy[1024];
    reshed_error err = {0};
    rs_session *s = NULL;
    size_t n;
    char *bytes = bytes_of(path, &n);
    assert_ok(rs_os_write_file(scan_temp(copy, "volts.h5"), (const uint8_t *)bytes, n, &err), &err);
    rs_free(bytes);
    scan_temp(gwy, "volts.gwy");
    for (int without = 0; without < 2; without++) {
        rs_image im;
        hid_t f = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(f >= 0);
        hid_t g = H5Gopen2(f, "/Session", H5P_DEFAULT);
        assert_true(H5Adelete(g, "amplitude_unit") >= 0);
        assert_true(rs_h5_set_text(g, "amplitude_unit", without ? "" : "pm"));
        H5Gclose(g), H5Fclose(f);
        assert_ok(rs_session_open(copy, &s, &err), &err);
        assert_string_equal(rs_session_get_setup(s)->amplitude_unit, without ? "" : "pm");
        rs_session_finish(s, RESHED_OK, NULL);
        snprintf(args, sizeof args, "--quiet --gwy=%s %s", gwy, copy);
        assert_int_equal(run_program("reshed-walls", args)->status, 0);
        assert_ok(rs_image_read(gwy, "Amplitude", &im, &err), &err);
        assert_string_equal(im.unit, without ? "V" : "pm");
        assert_true(fabs(im.x0 - 3e-7) < 1e-12 && fabs(im.y0 + 1e-7) < 1e-12);
        rs_image_clear(&im);
    }
}

/* A session's pixels tile its frame for every instrument, unless another rule is typed; then the frame's
 * size is that between the centres of its outer pixels. */
static void a_device_file_has_the_pixels_of_the_session(void **state)
{
    (void)state;
    test_not_quick();
    char args[8192], csv[1024], npy[1024], bare[1024];
    static float map[64 * 64];
    const size_t dims[2] = {64, 64};
    reshed_error err = {0};
    for (int i = 0; i < 64; i++) map[20 * 64 + i] = map[21 * 64 + i] = 0.9f;
    assert_ok(rs_npy_write(scan_temp(bare, "level.npy"), RS_NPY_F4, 2, dims, map, &err), &err);
    scan_temp(csv, "device.csv");
    scan_temp(npy, "device.npy");
    for (int i = 0; i < 3; i++) {
        rs_csv_table t;
        rs_npy a;
        size_t row, col;
        snprintf(
            args, sizeof args,
            "%s%s%s --quiet --min-wall=6 --margin=0 --for=aecroscopy%s --device=%s --points=%s",
            i ? bare : path, i ? " --frame-of=" : "", i ? path : "",
            i == 2 ? " --pixels=inclusive" : "", npy, csv);
        rs_free(json_of("reshed-walls", args));
        assert_ok(rs_csv_read(csv, &t, &err), &err);
        assert_ok(rs_npy_read(npy, &a, &err), &err);
        assert_ok(rs_csv_column(&t, "row", &row, &err), &err);
        assert_ok(rs_csv_column(&t, "col", &col, &err), &err);
        assert_true(t.rows > 3 && a.dims[0] == t.rows);
        for (size_t k = 0; k < t.rows; k++) {
            double r, c;
            assert_ok(rs_csv_cell_number(&t, k, row, &r, &err), &err);
            assert_ok(rs_csv_cell_number(&t, k, col, &c, &err), &err);
            const double n = i == 2 ? 63 : 64, half = i == 2 ? 0 : 0.5;
            assert_near(rs_npy_at(&a, 2 * k), 2 * (c + half) / n - 1, 1e-9);
            assert_near(rs_npy_at(&a, 2 * k + 1), 1 - 2 * (r + half) / n, 1e-9);
        }
        if (i == 2) { /* and in metres the frame is 0.9 um wide, not 64/63 of that or the inverse */
            size_t x;
            double c, at;
            assert_ok(rs_csv_column(&t, "x", &x, &err), &err);
            assert_ok(rs_csv_cell_number(&t, 0, x, &at, &err), &err);
            assert_ok(rs_csv_cell_number(&t, 0, col, &c, &err), &err);
            assert_near(at, 3e-7 + (c / 63 - 0.5) * 0.9e-6, 1e-15);
        }
        rs_npy_clear(&a);
        rs_csv_table_clear(&t);
    }
}

/* What is typed is another question than the session's. */
static void what_is_typed_counts(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096];
    snprintf(args, sizeof args, "%s --threshold=0.3 --max-points=7 --json", path);
    char *walls = json_of("reshed-walls", args);
    assert_true(json_number(walls, "threshold") == 0.3 && json_number(walls, "points") == 7);
    rs_free(walls);
    snprintf(args, sizeof args, "%s --metric=width --json", path);
    const outcome *o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "width_mid")); /* the names that there are */
    snprintf(args, sizeof args, "weights/tiny8x4.h5 --metric=width");
    assert_int_not_equal(run_program("reshed-walls", args)->status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_analysis_and_walls_agree),
        cmocka_unit_test(the_points_are_those_of_the_scan),
        cmocka_unit_test(a_bare_map_lies_in_the_frame_of_another_file),
        cmocka_unit_test(loops_are_those_of_the_scan),
        cmocka_unit_test(channels_of_a_session_say_what_they_are),
        cmocka_unit_test(gwyddion_gets_place_and_unit),
        cmocka_unit_test(a_device_file_has_the_pixels_of_the_session),
        cmocka_unit_test(what_is_typed_counts),
    };
    return cmocka_run_group_tests_name("one_answer", tests, make_session, NULL);
}
