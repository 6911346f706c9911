/* A workflow as a file: what is read back, what is refused and how, and what its steps do. */
#include "support/scan_rig.h"
#include "support/driver_rig.h"
#include "support/session_sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "spm/scan/workflow/lines.h"
#include "spm/scan/workflow/workflow.h"

/* ---------------------------------------------------------------------------------------- faults */

typedef struct faults {
    reshed_error at[64];
    int n;
} faults;

static void keep(void *ctx, const reshed_error *e)
{
    faults *f = ctx;
    if (f->n < 64) f->at[f->n++] = *e;
}

/* Reads a text; its plan and workflow are the caller's to clear. */
static reshed_status read_into(const char *text, rs_scan_plan *p, rs_workflow *w, faults *f)
{
    reshed_error err = {0};
    rs_scan_plan_defaults(p);
    f->n = 0;
    return rs_workflow_parse(text, strlen(text), ".", p, w, keep, f, &err);
}

/* The text is refused with this fault first, all parts of it. */
static void refused(const char *text, const char *what, const char *expected, const char *found,
                    const char *where)
{
    rs_scan_plan p;
    rs_workflow w;
    faults f;
    assert_int_not_equal(read_into(text, &p, &w, &f), RESHED_OK);
    assert_true(f.n > 0);
    assert_string_equal(f.at[0].what, what);
    assert_string_equal(f.at[0].expected, expected);
    assert_string_equal(f.at[0].found, found);
    assert_string_equal(f.at[0].where, where);
    rs_workflow_clear(&w);
}

static void a_fault_says_line_key_expected_and_found(void **state)
{
    (void)state;
    refused("[settings]\nrws = 3\n", "[settings] rws: setting", "rows?", "rws", "line 2");
    refused("[settings]\nvoltge = 3\n", "[settings] voltge: setting", "voltage?", "voltge",
            "line 2");
    refused("# c\n\n[settings]\nrows = 3\n", "[settings] rows", "a whole number from 16 to 16384",
            "3", "line 4");
    refused("[settings]\nrows = many\n", "[settings] rows", "a number", "many", "line 2");
    refused("[settings]\nmax_bias = 3\n", "[settings] max_bias: setting", "in [limits]",
            "in [settings]", "line 2");
    refused("[limits]\nrows = 64\n", "[limits] rows: setting", "in [settings]", "in [limits]",
            "line 2");
    refused("[setings]\nrows = 64\n", "[setings] rows: section", "settings?", "setings", "line 2");
    refused("rows = 64\n", "[] rows: section",
            "settings, defaults, limits, map, regions, steps, waveform, metadata, instrument or "
            "reshed-scan",
            "", "line 1");
    refused("[map]\nnorm = loud\n", "[map] norm", "robust, scanned, frame or LO,HI", "loud",
            "line 2");
    refused("[map]\nfront = zeros\n", "[map] front: word", "zero?", "zeros", "line 2");
    refused("[regions]\n3 = 1,2\n", "[regions] 3: number of the region", "2", "3", "line 2");
    refused("[regions]\n2 = 1\n", "[regions] 2: centre", "X,Y in metres", "1", "line 2");
    refused("[steps]\n1 = choose\n", "[steps] 1: first step", "survey", "choose", "line 2");
    refused("[steps]\n1 = survey\n2 = chose\n", "[steps] 2: step", "choose?", "chose", "line 3");
    refused("[steps]\n1 = survey\n2 = choose evry=3\n", "[steps] 2: word of a choice", "every?",
            "evry", "line 3");
    refused("[steps]\n1 = survey\n2 = choose every=0\n", "[steps] 2: every",
            "a whole number from 1 to 1e+06", "0", "line 3");
    refused("[steps]\n1 = survey\n2 = loops\n", "[steps] 2: loops", "choose before it", "step 2",
            "line 3");
    refused("[steps]\n1 = survey\n2 = rescan\n", "[steps] 2: rescan", "rows=FIRST-LAST", "none",
            "line 3");
    refused("[steps]\n1 = survey\n2 = rescan rows=9-3\n", "[steps] 2: rows", "FIRST-LAST, from 0",
            "9-3", "line 3");
    refused("[steps]\n1 = survey\n2 = choose\n3 = repeat steps=2 times=3\n",
            "[steps] 3: steps to repeat", "at most 1, those after survey", "2", "line 4");
    refused("[steps]\n1 = survey\n2 = choose\n3 = repeat steps=1\n", "[steps] 3: repeat",
            "steps=N and times=N", "times is missing", "line 4");
    refused("[settings]\nrows = 64\n[steps]\n1 = survey\n2 = rescan rows=5-64\n",
            "[steps] rescan: rows of step 2", "0 to 63", "5-64", "");
    refused("[metadata]\nsmaple = x\n", "[metadata] smaple: key", "sample?", "smaple", "line 2");
    refused("[reshed-scan]\nformat = 2\n", "[reshed-scan] format", "1", "2", "line 2");
    refused("[waveform]\nvoltages = 1 2 x 4\n", "[waveform] voltages", "at most 65536 numbers",
            "x as the 3.", "line 2");
    refused("[waveform]\nvoltages = 1 2\n", "[waveform] voltages", "8 to 65536", "2", "line 2");
    refused("[waveform]\nvoltages = 0 0 0 0 0 0 0 0\n", "[waveform] voltages: largest voltage",
            "above 0 to 1000 V", "0", "line 2");
    refused("[settings]\nshape = list\n", "[settings] shape", "[waveform] voltages or file", "none",
            "");
    refused("[settings]\nsteps = 30\n", "[settings] steps", "a multiple of 4", "30", "");
}

static void a_line_that_could_be_lost_is_refused(void **state)
{
    (void)state;
    char longer[300];
    refused("[settings]\nrows = 64\n  cols = 64\n", "indented line",
            "none, or a backslash at the end of the one before", "cols = 64", "line 3");
    refused("[metadata]\nsample = a \\\noperator = b\n", "[metadata] sample",
            "an indented line after the backslash", "another", "line 3");
    refused("[metadata]\nsample = a \\\n", "[metadata] sample",
            "an indented line after the backslash", "the end", "");
    refused("[settings]\nrows = 64\nrows = 65\n", "[settings] rows", "once", "again", "line 3");
    refused("[settings]\nrows 64\n", "line", "[section], NAME = VALUE or a comment", "another",
            "line 2");
    refused("[metadata]\nsample = a\\b\n", "backslash", "\\\\ or \\xNN", "\\b", "line 2");
    refused("[metadata]\nsample = a\\x00\n", "backslash", "\\\\ or \\xNN", "\\x00", "line 2");
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "[settings]\n", 11);
    longer[sizeof longer - 1] = '\0';
    refused(longer, "line", "at most 190 bytes", "288", "line 2");
    rs_ini ini = {0};
    reshed_error err = {0};
    assert_int_equal(rs_ini_parse("a = b\0c", 7, &ini, &err), RESHED_EINVAL);
    assert_string_equal(err.what, "text");
}

static void every_fault_of_a_file_is_told(void **state)
{
    (void)state;
    rs_scan_plan p;
    rs_workflow w;
    faults f;
    assert_int_equal(read_into("[settings]\nrws = 3\nrows = 4\n[steps]\n1 = survey\n2 = chose\n"
                               "3 = loops\n[map]\nfront = x\n",
                               &p, &w, &f),
                     RESHED_EINVAL);
    assert_int_equal(f.n, 4); /* none for the step after the one that is not understood */
    assert_string_equal(f.at[2].where, "line 6");
    assert_string_equal(f.at[3].where, "line 9");
    rs_workflow_clear(&w);
}

/* ------------------------------------------------------------------------------------ round trips */

static const char whole[] =
    "# everything\n[reshed-scan]\nformat = 1\n[instrument]\ndriver = twin\noption.seed = 7\n"
    "[settings]\nrows = 64 ; a comment\ncols: 48\norder = author\nend = park\nthreshold = "
    "0.123456789\n"
    "[defaults]\nx = 1e-7\nvoltage = 4\n[limits]\nmax_bias = 9\nmax_speed = 1e-5\n"
    "[map]\nweights = w.h5\nnorm = -1,2.5\nfront = reflect\npreview = off\n"
    "[regions]\n2 = 1e-06,2e-06\n3 = -1e-6,0\n"
    "[waveform]\nvoltages = 0 1 2 3 4 3 2 1 0 -1 -2 -3 -4 -3 -2 -1,\\\n"
    "    0 1 2 3 4 3 2 1 0 -1 -2 -3 -4 -3 -2 -1\n"
    "[steps]\n1 = survey\n2 = rescan rows=3-40\n"
    "3 = choose walls=paired a_domain=3 c_domain=2 control_distance=7.5 every=5 max_points=9 "
    "order=raster\n4 = loops\n5 = repeat steps=2 until=calm times=3\n"
    "[metadata]\nsample = PZT \\x3b 30 nm \\\\ SrRuO3 \\\n    on DyScO3\noperator = A. B.\n";

static void assert_same_plan(const rs_scan_plan *a, const rs_scan_plan *b)
{
    int n;
    char x[RS_STEPS_TEXT], y[RS_STEPS_TEXT];
    const rs_scan_field *f = rs_scan_fields(&n);
    for (int i = 0; i < n; i++) {
        if (rs_scan_get(&a->settings, &f[i]) != rs_scan_get(&b->settings, &f[i]))
            fail_msg("%s", f[i].name);
        assert_int_equal(rs_scan_plan_given(a, f[i].name), rs_scan_plan_given(b, f[i].name));
    }
    assert_int_equal(rs_scan_steps(&a->settings), rs_scan_steps(&b->settings));
    if ((int)a->settings.shape == RS_SCAN_LIST && a->settings.listed) {
        assert_int_equal(a->settings.listed, b->settings.listed);
        assert_memory_equal(a->settings.list, b->settings.list,
                            (size_t)a->settings.listed * sizeof(double));
    }
    assert_string_equal(rs_flow_format(x, &a->steps), rs_flow_format(y, &b->steps));
    assert_int_equal(a->regions, b->regions);
    for (int i = 0; i < a->regions; i++)
        assert_true(a->region_x[i] == b->region_x[i] && a->region_y[i] == b->region_y[i]);
    assert_true(a->stream.norm == b->stream.norm && a->stream.lo == b->stream.lo &&
                a->stream.hi == b->stream.hi && a->stream.front == b->stream.front &&
                a->stream.preview == b->stream.preview);
    assert_string_equal(a->norm, b->norm);
    assert_string_equal(a->sample ? a->sample : "(none)", b->sample ? b->sample : "(none)");
    assert_string_equal(a->operator_name ? a->operator_name : "(none)",
                        b->operator_name ? b->operator_name : "(none)");
}

/* Prints the plan, reads that, and compares; the second text must be the first. */
static void round_trip(const rs_scan_plan *p, const char *weights)
{
    char *text = NULL, *again = NULL;
    rs_scan_plan q;
    rs_workflow w;
    faults f;
    reshed_error err = {0};
    assert_ok(rs_workflow_text(p, weights, &text, &err), &err);
    const reshed_status st = read_into(text, &q, &w, &f);
    if (st != RESHED_OK)
        print_message("%s\n%s\n", reshed_error_text(&f.at[0], (char[512]){0}, 512), text);
    assert_int_equal(st, RESHED_OK);
    assert_same_plan(p, &q);
    if (weights) assert_string_equal(w.weights, weights);
    q.driver = p->driver;
    q.option = p->option;
    q.options = p->options;
    q.program = p->program;
    if (p->driver) assert_ok(rs_workflow_check_driver(&w, &q, &err), &err);
    /* What was not asked for stays so, but for words that are in a file. */
    assert_ok(rs_workflow_text(&q, weights, &again, &err), &err);
    assert_string_equal(text, again);
    rs_free(text);
    rs_free(again);
    rs_workflow_clear(&w);
}

static void what_is_printed_reads_back_as_the_same_run(void **state)
{
    (void)state;
    rs_scan_plan p;
    rs_workflow w;
    faults f;
    rs_scan_plan_defaults(&p);
    round_trip(&p, NULL);
    assert_int_equal(read_into(whole, &p, &w, &f), RESHED_OK);
    assert_string_equal(p.sample, "PZT ; 30 nm \\ SrRuO3 on DyScO3");
    assert_true(p.settings.rows == 64 && p.settings.cols == 48 && p.settings.order == 1);
    assert_true(p.settings.voltage == 4 && p.settings.steps == 16 && p.settings.cycles == 2);
    assert_true(rs_scan_plan_given(&p, "rows") && !rs_scan_plan_given(&p, "x"));
    assert_int_equal(p.steps.step[2].rules, 3);
    assert_true(rs_flow_step_settings(&p.settings, &p.steps.step[2]).max_points == 9);
    assert_int_equal(p.regions, 2);
    p.driver = "twin";
    round_trip(&p, "w.h5");
    rs_flow_drop(&p.steps, "every");
    assert_int_equal(p.steps.step[2].rules, 2);
    rs_workflow_clear(&w);
}

/* Texts of any bytes, any settings, any list. */
static void any_run_reads_back(void **state)
{
    (void)state;
    test_rng rng = {test_seed()};
    int n;
    const rs_scan_field *f = rs_scan_fields(&n);
    for (long t = 0; t < test_tier(50, 500, 20000); t++) {
        rs_scan_plan p;
        const char *given[RS_SCAN_TEXTS];
        char sample[700], value[RS_NUMBER_TEXT];
        double list[600];
        size_t len = 1 + test_below(&rng, sizeof sample - 1);
        reshed_error err = {0};
        const rs_driver_option option[] = {{"file", sample}, {"seed", "2"}};
        rs_scan_plan_defaults(&p);
        p.given = given;
        for (int i = 0; i < n; i++) {
            if (test_below(&rng, 3)) continue;
            double v = test_uniform(&rng, fmax(f[i].lo, -1e3), fmin(f[i].hi, 1e3));
            if (f[i].whole) v = floor(v);
            if (strcmp(f[i].name, "shape") == 0 || strcmp(f[i].name, "steps") == 0) continue;
            if (rs_scan_set(&p.settings, f[i].name, rs_number_format(value, v), NULL) ==
                    RESHED_OK &&
                (test_below(&rng, 2) || strncmp(f[i].name, "max_", 4) == 0))
                given[p.givens++] = f[i].name;
        }
        for (size_t i = 0; i + 1 < len; i++)
            sample[i] = test_below(&rng, 3) ? " \\;#=[]x\t\n"[test_below(&rng, 10)]
                                            : (char)(1 + test_below(&rng, 255));
        sample[len - 1] = '\0';
        p.sample = test_below(&rng, 2) ? sample : NULL;
        p.driver = test_below(&rng, 2) ? sample : "twin";
        p.option = option;
        p.options = (int)test_below(&rng, 3);
        if (test_below(&rng, 2)) {
            const int steps = 8 + (int)test_below(&rng, 592);
            for (int i = 0; i < steps; i++) list[i] = test_uniform(&rng, -9, 9);
            assert_ok(rs_scan_set_list(&p.settings, list, steps, &err), &err);
            if (!rs_scan_plan_given(&p, "shape")) given[p.givens++] = "shape";
        }
        round_trip(&p, p.sample);
    }
}

static reshed_status read_bytes(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_scan_plan p;
    rs_workflow w;
    rs_scan_plan_defaults(&p);
    const reshed_status st =
        rs_workflow_parse((const char *)data, len, NULL, &p, &w, NULL, NULL, err);
    if (st == RESHED_OK) {
        char *text = NULL;
        const reshed_status written = rs_workflow_text(&p, w.weights, &text, err);
        if (written != RESHED_OK) {
            rs_workflow_clear(&w);
            return written;
        }
        rs_free(text);
    }
    rs_workflow_clear(&w);
    return st;
}

static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    test_truncate(read_bytes, (const uint8_t *)whole, sizeof whole - 1, 0);
    test_mutate("workflow", read_bytes, (const uint8_t *)whole, sizeof whole - 1,
                test_mutations() / 4);
}

static void short_of_memory_it_says_so(void **state)
{
    (void)state;
    test_each_alloc(read_bytes, (const uint8_t *)whole, sizeof whole - 1);
}

/* ------------------------------------------------------------------------------------------ words */

static void the_nearest_word(void **state)
{
    (void)state;
    static const char *const list[] = {"threshold", "every", "min_wall", "x"};
    char buf[64];
    assert_int_equal(rs_text_nearest("treshold", list, 4), 0);
    assert_int_equal(rs_text_nearest("EVERY", list, 4), 1);
    assert_int_equal(rs_text_nearest("evrey", list, 4), 1);
    assert_int_equal(rs_text_nearest("minwall", list, 4), 2);
    assert_int_equal(rs_text_nearest("nothing", list, 4), -1);
    assert_int_equal(rs_text_nearest("", list, 4), -1);
    assert_int_equal(rs_text_nearest("x", list, 0), -1);
    assert_string_equal(rs_text_expected(buf, sizeof buf, "q", list, 4),
                        "threshold, every, min_wall or x");
    assert_string_equal(rs_text_expected(buf, 12, "q", list, 4), "threshold, ");
    assert_string_equal(rs_text_expected(buf, sizeof buf, "evry", list, 4), "every?");
}

/* --------------------------------------------------------------------------------------- waveforms */

static void a_list_of_voltages_is_the_waveform(void **state)
{
    (void)state;
    rs_scan_settings s;
    reshed_error err = {0};
    double list[32], out[32];
    rs_scan_settings_defaults(&s);
    for (int i = 0; i < 32; i++) list[i] = 3 * sin(i % 16 * 0.3926990816987);
    assert_ok(rs_scan_set_list(&s, list, 32, &err), &err);
    assert_true(s.steps == 16 && s.cycles == 2 && rs_scan_steps(&s) == 32);
    assert_ok(rs_scan_waveform(&s, out, &err), &err);
    assert_memory_equal(out, list, sizeof list);
    s.voltage /= 2;
    assert_ok(rs_scan_waveform(&s, out, &err), &err);
    for (int i = 0; i < 32; i++) assert_near(out[i], list[i] / 2, 1e-12);
    s.cycles = 1;
    assert_int_equal(rs_scan_waveform(&s, out, &err), RESHED_EINVAL);
    s.voltage = 0;
    assert_int_equal(rs_scan_steps(&s), 0);
    rs_scan_settings_defaults(&s);
    s.shape = RS_SCAN_INVERSE;
    s.steps = 8;
    s.cycles = 1;
    assert_ok(rs_scan_waveform(&s, out, &err), &err);
    assert_true(out[2] == -8 && out[6] == 8);
    s.shape = RS_SCAN_LIST;
    s.listed = 0;
    assert_int_equal(rs_scan_waveform(&s, out, &err), RESHED_EINVAL);
    list[3] = NAN;
    assert_int_equal(rs_scan_set_list(&s, list, 32, &err), RESHED_EINVAL);
    assert_string_equal(err.what, "voltage 4");
    list[3] = 2000;
    assert_int_equal(rs_scan_set_list(&s, list, 32, &err), RESHED_EINVAL);
}

static void a_waveform_comes_from_a_file(void **state)
{
    (void)state;
    rs_scan_plan p;
    rs_workflow w;
    reshed_error err = {0};
    static const char volts[] = "# V\n0\n1\n2\n1\n0\n-1\n-2\n-1\n";
    static const char text[] = "[waveform]\nfile = volts.txt\n";
    char path[512];
    rs_text_copy(path, sizeof path, test_temp("flow.ini"));
    test_write_file(test_temp("volts.txt"), volts, sizeof volts - 1);
    test_write_file(path, text, sizeof text - 1);
    rs_scan_plan_defaults(&p);
    assert_ok(rs_workflow_read(path, &p, &w, NULL, NULL, &err), &err);
    assert_true(p.settings.listed == 8 && p.settings.list[2] == 2 && p.settings.voltage == 2);
    rs_workflow_clear(&w);
    assert_int_equal(rs_workflow_read(test_temp("none.ini"), &p, &w, NULL, NULL, &err), RESHED_EIO);
    rs_workflow_clear(&w);
    /* A text that is no file of its own names none. */
    assert_int_equal(rs_workflow_parse(text, sizeof text - 1, NULL, &p, &w, NULL, NULL, &err),
                     RESHED_EINVAL);
    rs_workflow_clear(&w);
}

/* A driver is never the file's. */
static void the_driver_is_only_compared(void **state)
{
    (void)state;
    rs_scan_plan p;
    rs_workflow w;
    faults f;
    reshed_error err = {0};
    rs_driver_option option[] = {{"seed", "7"}};
    assert_int_equal(read_into("[instrument]\ndriver = ./note.so\noption.seed = 7\n", &p, &w, &f),
                     RESHED_OK);
    assert_null(p.driver);
    assert_int_equal(rs_workflow_check_driver(&w, &p, &err), RESHED_EINVAL);
    assert_string_equal(err.found, "no --driver");
    p.driver = "twin";
    p.option = option;
    p.options = 1;
    assert_int_equal(rs_workflow_check_driver(&w, &p, &err), RESHED_EINVAL);
    p.driver = "./note.so";
    assert_ok(rs_workflow_check_driver(&w, &p, &err), &err);
    option[0].value = "8";
    assert_int_equal(rs_workflow_check_driver(&w, &p, &err), RESHED_EINVAL);
    rs_workflow_clear(&w);
}

/* ------------------------------------------------------------------------------------------ steps */

static void the_counter_goes_on_from_its_notes(void **state)
{
    (void)state;
    rs_flow s;
    reshed_error err = {0};
    static const int order[] = {0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4}; /* steps done */
    char note[16][96];
    assert_ok(
        rs_flow_parse("survey; choose; loops; repeat steps=2 times=3; rescan rows=1-2", &s, &err),
        &err);
    assert_false(rs_flow_choose_once(&s));
    rs_flow_place p = {.round = 1};
    for (int i = 0; i < 11; i++) {
        assert_int_equal(p.at, order[i]);
        const bool again = p.at == 3 && p.round < 3;
        rs_flow_mark(&s, &p, again, note[i], sizeof note[i]);
        rs_flow_place q = {.round = 1}; /* of a run that begins anew */
        for (int k = 0; k <= i; k++) {
            rs_flow_take_mark(&s, &q, "3 walls, 2 points");
            rs_flow_take_mark(&s, &q, note[k]);
        }
        assert_true(q.at == p.at && q.round == p.round);
    }
    assert_int_equal(p.at, 5);
    rs_flow_take_mark(&s, &p, note[10]);
    assert_int_equal(p.at, 5);
}

/* However much a step says, its text says all of it. */
static void a_step_that_says_everything_reads_back(void **state)
{
    (void)state;
    static const char text[] =
        "survey; choose walls=paired a_domain=12345 c_domain=12345 "
        "control_distance=1234.5678901234567 threshold=0.12345678901234566 thinning=skimage "
        "every=1234 min_wall=123.45678901234567 min_distance=1.2345678901234567 "
        "margin=12.345678901234567 order=raster max_points=123456; loops";
    rs_flow a, b;
    char was[RS_STEPS_TEXT], again[RS_STEPS_TEXT];
    reshed_error err = {0};
    assert_ok(rs_flow_parse(text, &a, &err), &err);
    assert_int_equal(a.step[1].rules, 8);
    assert_ok(rs_flow_parse(rs_flow_format(was, &a), &b, &err), &err);
    assert_int_equal(b.step[1].rules, 8);
    assert_string_equal(was, rs_flow_format(again, &b));
    assert_true(rs_flow_has_rule(&b, "max_points") && !rs_flow_has_rule(&b, "rows"));
}

/* Names are compared with all before them, so there is an end to them. */
static void lines_have_a_number(void **state)
{
    (void)state;
    reshed_error err = {0};
    char *text = malloc(RS_INI_LINES * 16 + 64);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "[settings]\n");
    for (int i = 0; i < RS_INI_LINES; i++) n += (size_t)sprintf(text + n, "n%d=1\n", i);
    rs_ini lines = {0};
    assert_ok(rs_ini_parse(text, n, &lines, &err), &err);
    assert_int_equal(lines.n, RS_INI_LINES);
    rs_ini_clear(&lines);
    n += (size_t)sprintf(text + n, "more=1\n");
    assert_int_equal(rs_ini_parse(text, n, &lines, &err), RESHED_EINVAL);
    assert_non_null(strstr(err.what, "lines"));
    free(text);
}

static const char steps_text[] = "survey; rescan rows=20-40; choose max_points=4 every=4; loops; "
                                 "choose walls=long max_points=3; loops; repeat steps=2 times=2";

/* A rescan, two choices and a repeat, interrupted anywhere, come to the same end. */
static void an_interrupted_workflow_goes_on(void **state)
{
    (void)state;
    rs_flow steps;
    reshed_error err = {0};
    int want = 0;
    test_not_quick();
    assert_ok(rs_flow_parse(steps_text, &steps, &err), &err);
    for (long cut = 0; cut < test_tier(2, 3, 40); cut++) {
        scan_rig r;
        rs_session_progress p;
        scan_rig_init(&r, "flow.h5");
        r.steps = &steps;
        r.set.drift_every = r.set.reference_every = 0;
        if (cut > 0) {
            if (cut % 2) /* among the lines that are scanned again */
                r.stop_at_news = 66 + (int)(cut * 3) % 16;
            else
                r.stop_at_point = 1 + (int)(cut / 2 * 3) % (want - 1);
            scan_rig_do(&r, RS_END_INTERRUPTED);
            r.stop_at_point = r.stop_at_news = 0;
            scan_rig_resume(&r, RS_END_DONE);
        } else {
            scan_rig_do(&r, RS_END_DONE);
        }
        scan_rig_check_analysis(&r, false, &p);
        if (cut == 0) want = p.points;
        assert_int_equal(p.points, want);
        assert_true(p.points > 4 && p.points <= 10);
        assert_int_equal(p.measured, p.points);
        assert_true(session_has_event(r.path, "rows 20 to 40 are scanned again"));
        assert_true(session_has_event(r.path, "step 7 of 7: back to step 5, round 2"));
        assert_true(session_has_event(r.path, "step 7 of 7 done: repeat"));
        remove(r.path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_says_line_key_expected_and_found),
        cmocka_unit_test(a_line_that_could_be_lost_is_refused),
        cmocka_unit_test(every_fault_of_a_file_is_told),
        cmocka_unit_test(what_is_printed_reads_back_as_the_same_run),
        cmocka_unit_test(any_run_reads_back),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(short_of_memory_it_says_so),
        cmocka_unit_test(the_nearest_word),
        cmocka_unit_test(a_list_of_voltages_is_the_waveform),
        cmocka_unit_test(a_waveform_comes_from_a_file),
        cmocka_unit_test(the_driver_is_only_compared),
        cmocka_unit_test(the_counter_goes_on_from_its_notes),
        cmocka_unit_test(an_interrupted_workflow_goes_on),
        cmocka_unit_test(a_step_that_says_everything_reads_back),
        cmocka_unit_test(lines_have_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, scan_rig_teardown);
}
