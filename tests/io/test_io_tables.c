/* Tables, numbers as text, wall map files, channel names. */
#include "support/io_support.h"

#include <locale.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "io/common/channel.h"
#include "io/csv.h"
#include "io/hdf5/h5.h"
#include "io/nsid/nsid.h"
#include "io/common/units.h"
#include "io/walls_h5.h"

/* -------------------------------------------------------------------------------------- numbers */
static void numbers_round_trip(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    char buf[RS_NUMBER_TEXT];
    const double some[] = {0,      1,       -1,  0.1, 1e-6, 3e-9, 1.7976931348623157e308,
                           5e-324, 1 / 3.0, 256, 1e22};
    double back;
    for (size_t i = 0; i < 20000 + sizeof some / sizeof *some; i++) {
        double v;
        uint64_t bits = test_rand(&r);
        memcpy(&v, &bits, sizeof v);
        if (i < sizeof some / sizeof *some) v = some[i];
        if (isnan(v)) continue;
        rs_number_format(buf, v);
        assert_true(strlen(buf) < 26);
        assert_true(rs_number_parse(buf, strlen(buf), &back) && back == v);
    }
    assert_string_equal(rs_number_format(buf, 0.1), "0.1");
    assert_string_equal(rs_number_format(buf, 3e-9), "3e-09");
    assert_string_equal(rs_number_format(buf, 256), "256");
    assert_string_equal(rs_number_format(buf, NAN), "nan");
    assert_string_equal(rs_number_format(buf, -INFINITY), "-inf");
    assert_true(rs_number_parse(" -Inf\t", 6, &back) && back == -INFINITY);
    assert_true(rs_number_parse("NaN", 3, &back) && isnan(back));
    assert_true(rs_number_parse("12345", 3, &back) && back == 123);
    const char *bad[] = {"",     " ",
                         "1,5",  "0x10",
                         "1e",   "1.2.3",
                         "--1",  "1 2",
                         "nano", "inf1",
                         "+",    ".",
                         "e5",   "1234567890123456789012345678901234567890123456789012345678901"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rs_number_parse(bad[i], strlen(bad[i]), &back));
    assert_false(rs_number_parse("1\0002", 3, &back));
}

static void numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8"};
    char buf[RS_NUMBER_TEXT];
    double v;
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
        found = setlocale(LC_NUMERIC, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
    if (!found) {
        setlocale(LC_NUMERIC, "C");
        skip();
    }
    bool same = strcmp(rs_number_format(buf, -1.5e-9), "-1.5e-09") == 0 &&
                rs_number_parse("2.25", 4, &v) && v == 2.25 && !rs_number_parse("2,25", 4, &v);
    setlocale(LC_NUMERIC, "C");
    assert_true(same);
}

static void lengths_have_many_names(void **state)
{
    (void)state;
    static const struct {
        double metres;
        const char *names[20];
    } cases[] = {
        {1, {"m", "meter", "metre", "meters", "metres", "Meters", "METRE", " m ", "[m]", "(m)"}},
        {1e-2, {"cm", "centimeter"}},
        {1e-3, {"mm", "millimeter", "Millimetres"}},
        {1e-6,
         {"um", "UM", "\xc2\xb5m", "\xce\xbcm", "\xb5m", "micron", "microns", "Micron", "MICRONS",
          "micrometer", "micrometers", "Micrometre", "micro-metres", "micro meter", "mikrometer",
          "\xc2\xb5meter", "\xce\xbcmetres", "\xc2\xb5", "mu m"}},
        {1e-9,
         {"nm", "NM", "nanometer", "nanometers", "nanometre", "nanometres", "Nanometer",
          "NANOMETERS", "nano meters", "nm.", "[nm]", "\"nm\"", "nmeters"}},
        {1e-10,
         {"A", "\xc3\x85", "\xe2\x84\xab", "\xc5", "Angstrom", "angstroms", "ANGSTROM",
          "\xc3\x85ngstr\xc3\xb6m", "Ang", "Angstroem"}},
        {1e-12, {"pm", "PM", "picometer", "Picometres"}},
        {1e-15, {"fm"}},
        {1e3, {"km"}},
        {0, {"",  "s",  "V",   "px",   "M", "MM",    "Mm",      "Nm", "nM",   "Pm",
             "a", "mV", "deg", "nano", "u", "n m m", "meterss", "1",  "a.u.", "am"}},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 20 && cases[i].names[k]; k++) {
            const double metres = rs_metres_per(cases[i].names[k]);
            if (metres == cases[i].metres) continue;
            printf("'%s' gave %g m\n", cases[i].names[k], metres);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

/* ------------------------------------------------------------------------------------- channels */
static void channels_are_found_by_rule(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_channels list = {0};
    const char *const names[] = {"Height", "Phase", "phase 2", "BEAmplitude", "Amplitude", "3"};
    rs_channel *c;
    for (int i = 0; i < 6; i++) assert_ok(rs_channels_add(&list, names[i], &c, &err), &err);
    strcpy(c->alias[0], "three");
    strcpy(c->alias[5], "/a/Height/b");
    static const struct {
        const char *wanted;
        int index; /* -1: none, -2: several */
    } cases[] = {
        {"phase", 1}, {"PHASE 2", 2},     {"3", 5},
        {"2", 2},     {"6", -1},          {"-1", -1},
        {"h", 0},     {"ph", -2},         {"amplitude", 4},
        {"AMPLI", 4}, {"bea", 3},         {"mplitud", -2},
        {"THR", 5},   {"/a/height/B", 5}, {"/a", -1},
        {"x", -1},    {"", -1},           {"99999999999999999999", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int k = -3;
        reshed_status st = rs_channel_find(&list, cases[i].wanted, &k, &err);
        if (cases[i].index < 0)
            assert_error(st, RESHED_EINVAL, &err,
                         cases[i].index == -1 ? "no channel" : "ambiguous");
        else if (st != RESHED_OK || k != cases[i].index)
            fail_msg("'%s' gave %d", cases[i].wanted, k);
    }
    int k;
    assert_int_equal(rs_channel_default(&list, RS_QUANTITY_AMPLITUDE, &k), 3);
    assert_int_equal(k, 2);
    rs_channels_clear(&list);
    assert_error(rs_channel_choose(&list, NULL, RS_QUANTITY_AMPLITUDE, &k, &err), RESHED_EINVAL,
                 &err, "no image");
    for (int i = 0; i < RS_CHANNEL_MAX; i++)
        assert_ok(rs_channels_add(&list, "a long name indeed", NULL, &err), &err);
    assert_error(rs_channels_add(&list, "one more", NULL, &err), RESHED_EUNSUPPORTED, &err, "4096");
    assert_error(rs_channel_find(&list, "zzz", &k, &err), RESHED_EINVAL, &err, ", ...");
    rs_channels_clear(&list);
}

/* --------------------------------------------------------------------------------------- tables */
static void tables_round_trip(void **state)
{
    (void)state;
    static const char *const texts[] = {"plain", "with, comma", "with \"quotes\"", "two\nlines",
                                        "",      " blanks ",    "\xc2\xb5m",       "cr\r"};
    const double numbers[] = {0.1, -3e-9, NAN, 1e300};
    reshed_error err = {0};
    rs_csv c = {0};
    rs_csv_table t;
    const char *path = test_temp("table.csv");
    rs_csv_heading(&c, "x", "m");
    rs_csv_heading(&c, "note", "");
    rs_csv_heading(&c, "n", "");
    rs_csv_end_row(&c);
    for (int i = 0; i < 8; i++) {
        rs_csv_number(&c, numbers[i % 4]);
        rs_csv_text(&c, texts[i]);
        rs_csv_integer(&c, INT64_MIN + i);
        rs_csv_end_row(&c);
    }
    assert_memory_equal(
        c.text, "x (m),note,n\n0.1,plain,-9223372036854775808\n-3e-09,\"with, comma\",", 62);
    assert_ok(rs_csv_save(&c, path, &err), &err);
    rs_csv_clear(&c);
    assert_ok(rs_csv_read(path, &t, &err), &err);
    assert_true(t.rows == 8 && t.columns == 3);
    size_t x, note;
    assert_ok(rs_csv_column(&t, "X", &x, &err), &err);
    assert_ok(rs_csv_column(&t, "note", &note, &err), &err);
    assert_true(x == 0 && note == 1);
    assert_ok(rs_csv_column(&t, "x (m)", &x, &err), &err);
    assert_error(rs_csv_column(&t, "y", &x, &err), RESHED_ECORRUPT, &err, "x (m), note, n");
    for (size_t i = 0; i < 8; i++) {
        double v;
        assert_ok(rs_csv_cell_number(&t, i, 0, &v, &err), &err);
        assert_true(v == numbers[i % 4] || (isnan(v) && i % 4 == 2));
        assert_string_equal(rs_csv_cell(&t, i, 1), texts[i]);
    }
    double v;
    assert_error(rs_csv_cell_number(&t, 4, 1, &v, &err), RESHED_ECORRUPT, &err,
                 "line 7, column note");
    rs_csv_table_clear(&t);
}

static void tables_are_read_as_people_write_them(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_csv_table t;
    const char *text = "\xef\xbb\xbfrow,col\r\n\r\n 1 ,2\r\n\n\"3\",\"4\"\r\n5,6";
    assert_ok(rs_csv_read_mem((const uint8_t *)text, strlen(text), &t, &err), &err);
    assert_true(t.rows == 3 && t.columns == 2);
    assert_string_equal(rs_csv_name(&t, 0), "row");
    assert_string_equal(rs_csv_name(&t, 1), "col");
    for (size_t i = 0; i < 6; i++) {
        double v;
        assert_ok(rs_csv_cell_number(&t, i / 2, i % 2, &v, &err), &err);
        assert_true(v == (double)(i + 1));
    }
    assert_true(t.line[0] == 1 && t.line[1] == 3 && t.line[2] == 5 && t.line[3] == 6);
    rs_csv_table_clear(&t);
    text = "a,b\n1,\n";
    assert_ok(rs_csv_read_mem((const uint8_t *)text, 6, &t, &err), &err); /* ends after the comma */
    assert_string_equal(rs_csv_cell(&t, 0, 1), "");
    rs_csv_table_clear(&t);
}

static void tables_that_are_wrong_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
        size_t n;
    } cases[] = {
        {"", "empty table", 0},          {"\n\n", "empty table", 2},     {"a,b\n1\n", "line 2", 6},
        {"a,b\n1,2,3\n", "found 3", 10}, {"a,\"b\n1,2\n", "closing", 9}, {"a,b\"c\n", "inside", 6},
        {"a,\"b\"c\n", "'c'", 7},        {"a\0b", "zero byte", 3},
    };
    reshed_error err = {0};
    rs_csv_table t = {.rows = 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_error(rs_csv_read_mem((const uint8_t *)cases[i].text, cases[i].n, &t, &err),
                     RESHED_ECORRUPT, &err, cases[i].part);
    char many[3000];
    memset(many, ',', sizeof many);
    assert_error(rs_csv_read_mem((const uint8_t *)many, sizeof many, &t, &err), RESHED_EUNSUPPORTED,
                 &err, "1024");
    assert_int_equal(rs_csv_read(test_temp("no.csv"), &t, &err), RESHED_EIO);
    assert_int_equal(t.rows, 7);
}

static reshed_status read_csv(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_csv_table t;
    reshed_status st = rs_csv_read_mem(data, len, &t, err);
    if (st != RESHED_OK) return st;
    volatile size_t sum = 0;
    for (size_t r = 0; r < t.rows; r++)
        for (size_t c = 0; c < t.columns; c++)
            sum = sum + strlen(rs_csv_cell(&t, r, c)) + strlen(rs_csv_name(&t, c));
    rs_csv_table_clear(&t);
    return st;
}

static reshed_status write_csv(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_csv c = {0};
    (void)data, (void)len;
    for (int i = 0; i < 400; i++) rs_csv_text(&c, "some text"), rs_csv_end_row(&c);
    reshed_status st = rs_csv_save(&c, test_temp("nomem.csv"), err);
    rs_csv_clear(&c);
    return st;
}

static void tables_survive_damage(void **state)
{
    (void)state;
    char text[2048];
    size_t n = (size_t)snprintf(text, sizeof text, "row,col,\"no\"\"te\"\r\n");
    for (int i = 0; i < 60; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%d,%d,\"a,b\n%d\"\n", i, 2 * i, i);
    test_truncate(read_csv, (const uint8_t *)text, n, 0);
    test_each_alloc(read_csv, (const uint8_t *)text, n);
    test_each_alloc(write_csv, (const uint8_t *)"", 0);
    test_mutate("csv", read_csv, (const uint8_t *)text, n, test_mutations());
}

/* ------------------------------------------------------------------------------------ wall maps */
#define H 70
#define W 5

static rs_walls_file sample_walls(int classes, int members)
{
    static float maps[3 * H * W * 2], variance[H * W * 2], input[H * W];
    for (int i = 0; i < 3 * H * W * 2; i++) maps[i] = (float)i;
    for (int i = 0; i < H * W * 2; i++) variance[i] = (float)-i;
    for (int i = 0; i < H * W; i++) input[i] = (float)i / 2;
    return (rs_walls_file){.height = H,
                           .width = W,
                           .classes = classes,
                           .members = members,
                           .mean = maps,
                           .variance = variance,
                           .input = input,
                           .member = members ? maps : NULL,
                           .dx = 3e-9,
                           .dy = 2e-9,
                           .x0 = 1e-6,
                           .y0 = -1e-6,
                           .lo = -0.5,
                           .hi = 2,
                           .normalisation = "robust",
                           .precision = "bf16",
                           .weights_checksum = "0123abcd",
                           .program = "reshed-infer",
                           .source = "scan.ibw",
                           .channel = "Amplitude"};
}

static void wall_maps_hold_everything(void **state)
{
    (void)state;
    reshed_error err = {0};
    for (int k = 0; k < 3; k++) {
        const char *path = test_temp("walls.h5"); /* the second one replaces the first */
        int classes = k == 2 ? 2 : 1, members = k ? 3 : 0;
        rs_walls_file w = sample_walls(classes, members);
        rs_nsid_file *f;
        rs_nsid_array a;
        char text[64];
        double v;
        assert_ok(rs_walls_write(path, &w, &err), &err);
        assert_ok(rs_nsid_open(path, &f, &err), &err);
        assert_ok(rs_nsid_read_array(f, "/mean", &a, &err), &err);
        assert_true(a.ndim == (classes > 1 ? 3 : 2) && a.dims[0] == H && a.dims[1] == W);
        for (uint64_t i = 0; i < a.count; i++) assert_true(a.data[i] == (double)i);
        rs_nsid_array_clear(&a);
        assert_ok(rs_nsid_read_array(f, "/variance", &a, &err), &err);
        assert_true(a.count == (uint64_t)(H * W * classes) && a.data[7] == -7);
        rs_nsid_array_clear(&a);
        assert_ok(rs_nsid_read_array(f, "/input", &a, &err), &err);
        assert_true(a.ndim == 2 && a.data[H * W - 1] == (H * W - 1) / 2.0);
        rs_nsid_array_clear(&a);
        assert_int_equal(rs_nsid_exists(f, "/members"), members > 0);
        if (members) {
            assert_ok(rs_nsid_read_array(f, "/members", &a, &err), &err);
            assert_true(a.ndim == (classes > 1 ? 4 : 3) && a.dims[0] == 3 &&
                        a.data[a.count - 1] == (double)(a.count - 1));
            rs_nsid_array_clear(&a);
        }
        static const char *const texts[][2] = {
            {"format", "reshed-walls"},  {"weights_checksum", "0123abcd"},
            {"normalisation", "robust"}, {"precision", "bf16"},
            {"program", "reshed-infer"}, {"program_version", RESHED_VERSION},
            {"source", "scan.ibw"},      {"channel", "Amplitude"},
            {"format_version", "1"}};
        for (int i = 0; i < 8; i++) {
            assert_ok(rs_nsid_get_text(f, "/", texts[i][0], text, sizeof text, &err), &err);
            assert_string_equal(text, texts[i][1]);
        }
        static const struct {
            const char *name;
            double value;
        } numbers[] = {{"dx", 3e-9},
                       {"dy", 2e-9},
                       {"x0", 1e-6},
                       {"y0", -1e-6},
                       {"normalisation_lo", -0.5},
                       {"normalisation_hi", 2}};
        for (int i = 0; i < 6; i++) {
            assert_ok(rs_nsid_get_number(f, "/", numbers[i].name, &v, &err), &err);
            assert_true(v == numbers[i].value);
        }
        rs_nsid_close(f);
    }
}

static void wall_maps_are_checked(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_walls_file w = sample_walls(1, 0);
    w.height = 0;
    assert_error(rs_walls_write(test_temp("bad.h5"), &w, &err), RESHED_EINVAL, &err, "0 x 5");
    w = sample_walls(1, 0);
    w.members = 3;
    assert_error(rs_walls_write(test_temp("bad.h5"), &w, &err), RESHED_EINVAL, &err,
                 "without maps");
    w = sample_walls(1, 0);
    assert_int_equal(rs_walls_write(test_temp("no/folder.h5"), &w, &err), RESHED_EIO);
    assert_false(rs_os_is_file(test_temp("bad.h5")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_round_trip),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(lengths_have_many_names),
        cmocka_unit_test(channels_are_found_by_rule),
        cmocka_unit_test(tables_round_trip),
        cmocka_unit_test(tables_are_read_as_people_write_them),
        cmocka_unit_test(tables_that_are_wrong_are_refused),
        cmocka_unit_test(tables_survive_damage),
        cmocka_unit_test(wall_maps_hold_everything),
        cmocka_unit_test(wall_maps_are_checked),
    };
    return cmocka_run_group_tests_name("io_tables", tests, NULL, NULL);
}
