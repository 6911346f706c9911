/* From a name to an instrument: the table of drivers, and shared objects. */
#include "support/driver_rig.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/os/child.h"
#include "spm/instrument/drivers.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"
#include "spm/instrument/words.h"

/* --------------------------------------------------------------------- names and shared objects */

static void names_are_found(void **state)
{
    (void)state;
    const rs_driver_ops *ops = NULL;
    rs_os_library *library = NULL;
    reshed_error err = {0};
    assert_true(rs_driver_count() >= 3);
    for (int i = 0; i < rs_driver_count(); i++) {
        assert_true(strlen(rs_driver_help(i)) > 10);
        assert_ok(rs_driver_find(rs_driver_name(i), &ops, &library, &err), &err);
        assert_int_equal(ops->abi, RS_DRIVER_ABI);
        assert_int_equal(ops->size, sizeof *ops);
        assert_string_equal(ops->name, rs_driver_name(i));
        assert_ptr_equal(ops->help, rs_driver_help(i));
        assert_null(library);
    }
    assert_true(rs_driver_is_simulated("twin") && rs_driver_is_simulated("replay"));
    assert_false(rs_driver_is_simulated("nanonis") || rs_driver_is_simulated("./twin.so"));
    assert_int_equal(rs_driver_find("cypher", &ops, &library, &err), RESHED_EINVAL);
    assert_says(&err, "twin, replay, nanonis", "cypher");
    const rs_driver_option twice[] = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
    assert_string_equal(rs_driver_option_find(twice, 3, "a"), "3");
    assert_null(rs_driver_option_find(twice, 3, "c"));
    rs_instrument_close(NULL);
}

/* Compiles source to a shared object named after it, with a compiler that is at hand. */
static bool compile(const char *source, const char *object)
{
    static bool header_made = false;
    char folder[512], out[512];
    reshed_error err = {0};
    snprintf(out, sizeof out, "%s", test_temp(object));
    snprintf(folder, sizeof folder, "%s", test_temp("reshed_driver.h"));
    if (!header_made) {
        size_t len;
        uint8_t *header = test_read_file("include/reshed_driver.h", &len);
        assert_ok(rs_os_write_file(folder, header, len, &err), &err);
        rs_free(header);
        header_made = true;
    }
    *strrchr(folder, '/') = '\0';
    const char *const argv[] = {"cc",      "-std=c11", "-Wall",     "-Wextra", "-Werror",
                                "-shared", "-fPIC",    "-Iinclude", "-I",      folder,
                                "-o",      out,        source,      "-lm",     NULL};
    return rs_child_run(argv, &err) == RESHED_OK;
}

static void need_compiler(void)
{
    static const char *const argv[] = {"cc", "--version", NULL};
    reshed_error err = {0};
    if (rs_child_run(argv, &err) != RESHED_OK) {
        print_message("# no compiler 'cc': skipped\n");
        skip();
    }
}

static void the_example_is_a_driver(void **state)
{
    (void)state;
    need_compiler();
    assert_true(compile("examples/driver_lines.c", "lines.so"));
    const rs_driver_option none[] = {{"nonsense", "1"}};
    rs_instrument *d = NULL;
    reshed_error err = {0};
    assert_status(rs_instrument_open(test_temp("lines.so"), none, 1, 1, &d, &err),
                  RS_DRIVER_REFUSED);
    assert_says(&err, "no options", "");
    d = driver_open(test_temp("lines.so"), NULL, 0);
    assert_string_equal(d->ops->name, "lines");
    assert_string_equal(d->caps.channel[0], "Amplitude");
    assert_non_null(d->library);
    rs_frame f = {
        .width = 2e-6, .height = 1e-6, .rows = 5, .cols = 9, .line_rate = 2, .upward = true};
    assert_status(rs_instrument_set_frame(d, &f, 1, &err), RS_DRIVER_OK);
    f.cx = 4.5e-6;
    assert_status(rs_instrument_set_frame(d, &f, 1, &err), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_set_bias(d, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_says(&err, "lines", "bias");
    assert_status(d->ops->start(d->self, 4, 1, &err), RS_DRIVER_OK);
    float row[9];
    for (int r = 4; r >= 0; r--) {
        rs_line line = {.cols = 9, .channels = 1, .channel = row};
        assert_status(d->ops->wait_line(d->self, 1, &line, &err), RS_DRIVER_OK);
        assert_int_equal(line.row, r);
        assert_near(line.time, 0.5 * (5 - r), TOL_DOUBLE);
        assert_near(row[8], 1e-10 * (1 + 0.5 * sin(0.3 * 8 + 0.1 * r)), 1e-16);
    }
    rs_line line = {.cols = 9, .channels = 1, .channel = row};
    assert_status(d->ops->wait_line(d->self, 1, &line, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->halt(d->self, 1, &err), RS_DRIVER_OK);
    rs_instrument_close(d);
}

/* Each table is wrong in one way. */
static void what_is_no_driver_is_refused(void **state)
{
    (void)state;
    need_compiler();
    static const char begin[] =
        "#include <reshed_driver.h>\n"
        "static void nothing(void) {}\n"
        "#define F(name) .name = (void *)nothing\n"
        "const rs_driver_ops *reshed_driver_ops(uint32_t abi);\n"
        "const rs_driver_ops *reshed_driver_ops(uint32_t abi)\n"
        "{\n    static rs_driver_ops o = {.abi = RS_DRIVER_ABI, .size = sizeof o, .name = \"o\",\n"
        "        .help = \"\", F(open), F(close), F(caps), F(halt), F(set_frame), F(get_frame),\n"
        "        F(start), F(pause), F(wait_line)};\n    ";
    static const struct {
        const char *change, *says, *too;
    } wrong[] = {
        {"return abi == 77 ? &o : 0;", "version", "others only"},
        {"o.abi = 2; return abi ? &o : 0;", "expected 1", "found 2"},
        {"o.size -= 16; return abi ? &o : 0;", "size", "bytes"},
        {"o.name = 0; return abi ? &o : 0;", "name", ""},
        {"o.caps = 0; return abi ? &o : 0;", "caps", "o"},
        {"o.halt = 0; return abi ? &o : 0;", "halt", "o"},
        {"o.pause = 0; return abi ? &o : 0;", "scanning", "4"},
        {"F2(run_spectroscopy) return abi ? &o : 0;", "spectroscopy", "1"},
        {"F2(run_spectroscopy) F2(get_tip) F2(move_tip) return abi ? &o : 0;", "spectroscopy", "3"},
        {"o.set_frame = 0; o.get_frame = 0; o.start = 0; o.pause = 0; o.wait_line = 0; "
         "return abi ? &o : 0;",
         "neither", "o"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i += (size_t)test_tier(4, 1, 1)) {
        char text[2048], source[512], object[32];
        const rs_driver_ops *ops = NULL;
        rs_os_library *library = NULL;
        reshed_error err = {0};
        int n = snprintf(text, sizeof text, "#define F2(name) o.name = (void *)nothing;\n%s%s\n}\n",
                         begin, wrong[i].change);
        snprintf(source, sizeof source, "%s", test_temp("wrong.c"));
        snprintf(object, sizeof object, "wrong%zu.so", i);
        assert_ok(rs_os_write_file(source, text, (size_t)n, &err), &err);
        assert_true(compile(source, object));
        assert_int_equal(rs_driver_find(test_temp(object), &ops, &library, &err),
                         RESHED_EUNSUPPORTED);
        assert_says(&err, wrong[i].says, wrong[i].too);
        assert_null(library);
        rs_instrument *d = NULL;
        assert_status(rs_instrument_open(test_temp(object), NULL, 0, 1, &d, &err),
                      RS_DRIVER_REFUSED);
        assert_null(d);
    }
    const rs_driver_ops *ops = NULL;
    rs_os_library *library = NULL;
    reshed_error err = {0};
    /* A table of before the last function, and one of after it. */
    static const char *const sizes[] = {"o.size -= 8; return abi ? &o : 0;",
                                        "o.size += 8; return abi ? &o : 0;"};
    for (int i = 0; i < 2; i++) {
        char text[2048], object[32];
        const int n = snprintf(text, sizeof text, "%s%s\n}\n", begin, sizes[i]);
        snprintf(object, sizeof object, "size%d.so", i);
        assert_ok(rs_os_write_file(test_temp("size.c"), text, (size_t)n, &err), &err);
        assert_true(compile(test_temp("size.c"), object));
        assert_ok(rs_driver_find(test_temp(object), &ops, &library, &err), &err);
        assert_true(ops->size >= RS_DRIVER_LEAST_SIZE);
        rs_os_library_close(library);
        library = NULL;
    }
    assert_ok(rs_os_write_file(test_temp("empty.c"), "int reshed_nothing;\n", 20, &err), &err);
    assert_true(compile(test_temp("empty.c"), "empty.so"));
    assert_int_equal(rs_driver_find(test_temp("empty.so"), &ops, &library, &err),
                     RESHED_EUNSUPPORTED);
    assert_says(&err, "reshed_driver_ops", "none");
}

static void what_cannot_be_loaded_says_why(void **state)
{
    (void)state;
    const rs_driver_ops *ops = NULL;
    rs_os_library *library = NULL;
    reshed_error err = {0};
    assert_int_equal(rs_driver_find(test_temp("absent.so"), &ops, &library, &err), RESHED_EIO);
    assert_says(&err, "cannot load", "absent.so");
    assert_int_equal(rs_driver_find("absent.so", &ops, &library, &err), RESHED_EIO);
    assert_says(&err, "cannot load", "./absent.so");
    assert_ok(rs_os_write_file(test_temp("text.so"), "not an object\n", 14, &err), &err);
    assert_int_equal(rs_driver_find(test_temp("text.so"), &ops, &library, &err), RESHED_EIO);
    char name[700];
    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 4, ".so", 4);
    assert_int_equal(rs_driver_find(name, &ops, &library, &err), RESHED_EINVAL);
    test_alloc_fail_at(0);
    rs_instrument *d = NULL;
    assert_status(rs_instrument_open("twin", NULL, 0, 1, &d, &err), RS_DRIVER_REFUSED);
    test_alloc_fail_at(-1);
    assert_int_equal(err.status, RESHED_ENOMEM);
}

/* Capabilities that cannot be are refused; texts are ended. */
static void impossible_capabilities_are_refused(void **state)
{
    (void)state;
    test_not_quick();
    need_compiler();
    static const char *const set[] = {"c->channels = 17;",
                                      "c->channels = -1;",
                                      "c->bins = 5;",
                                      "c->band_excitation = true;",
                                      "c->bins = -1;",
                                      "c->clock_rate = 0;",
                                      NULL};
    for (int i = 0; i < 7; i++) {
        char text[2048], source[512], object[32];
        rs_instrument *d = NULL;
        reshed_error err = {0};
        int n = snprintf(
            text, sizeof text,
            "#include <string.h>\n#include <reshed_driver.h>\n"
            "static rs_driver_status o(const rs_driver_option *p, int n, double t, void **s,\n"
            "    reshed_error *e) { return p == 0 && n == 0 && t > 0 && s && e ? 0 : 3; }\n"
            "static void x(void *s) { (void)s; }\n"
            "static void q(void *s, rs_driver_caps *c)\n"
            "{\n    (void)s;\n    memset(c, 'a', sizeof *c);\n    c->band_excitation = false;\n"
            "    c->off_field = c->retrace = c->simulated = false;\n    c->clock_rate = 1;\n"
            "    c->bins = 0;\n    c->channels = 1;\n    %s\n}\n"
            "#define F(name) .name = (void *)x\n"
            "const rs_driver_ops *reshed_driver_ops(uint32_t abi);\n"
            "const rs_driver_ops *reshed_driver_ops(uint32_t abi)\n"
            "{\n    static rs_driver_ops t = {.abi = 1, .size = sizeof t, .name = \"odd\",\n"
            "        .help = \"\", .open = o, .close = x, .caps = q, F(halt), F(set_frame),\n"
            "        F(get_frame), F(start), F(pause), F(wait_line)};\n"
            "    return abi ? &t : 0;\n}\n",
            set[i] ? set[i] : "");
        assert_true(n > 0 && n < (int)sizeof text);
        snprintf(source, sizeof source, "%s", test_temp("odd.c"));
        snprintf(object, sizeof object, "odd%d.so", i);
        assert_ok(rs_os_write_file(source, text, (size_t)n, &err), &err);
        assert_true(compile(source, object));
        rs_driver_status st = rs_instrument_open(test_temp(object), NULL, 0, 1, &d, &err);
        assert_status(st, set[i] ? RS_DRIVER_REFUSED : RS_DRIVER_OK);
        if (set[i]) {
            assert_null(d);
            assert_says(&err, "of the driver odd", "");
            continue;
        }
        assert_int_equal(strlen(d->caps.instrument), sizeof d->caps.instrument - 1);
        assert_int_equal(strlen(d->caps.channel[15]), sizeof d->caps.channel[15] - 1);
        rs_instrument_close(d);
    }
}

/* A table that the caller has, not the loader, is checked as one that was loaded. */
static void a_table_of_ones_own_is_an_instrument(void **state)
{
    (void)state;
    const rs_driver_option option[] = {{"seed", "3"}, {"clock", "0"}};
    const rs_driver_ops *twin = NULL;
    rs_os_library *library = NULL;
    rs_instrument *d = NULL;
    reshed_error err = {0};
    assert_ok(rs_driver_find("twin", &twin, &library, &err), &err);
    rs_driver_ops mine = *twin;
    mine.name = "mine";
    assert_status(rs_instrument_open_table(&mine, option, 2, 1, &d, &err), RS_DRIVER_OK);
    assert_true(rs_instrument_can_scan(d));
    rs_instrument_close(d);
    d = NULL;
    mine.halt = NULL;
    assert_status(rs_instrument_open_table(&mine, option, 2, 1, &d, &err), RS_DRIVER_REFUSED);
    assert_says(&err, "driver mine", "none");
    assert_null(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(the_example_is_a_driver),
        cmocka_unit_test(what_is_no_driver_is_refused),
        cmocka_unit_test(what_cannot_be_loaded_says_why),
        cmocka_unit_test(impossible_capabilities_are_refused),
        cmocka_unit_test(a_table_of_ones_own_is_an_instrument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
