/* Runs the program itself: what scripts rely on is its exit status, its words and its JSON. */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include "support/program.h"

static const outcome *run(const char *args)
{
    return run_program("reshed-weights", args);
}

static void help_and_version(void **state)
{
    (void)state;
    const outcome *o = run("--help");
    assert_int_equal(o->status, 0);
    assert_memory_equal(o->out, "Usage: reshed-weights ", 22);
    assert_string_equal(o->err, "");
    o = run("show --version");
    assert_int_equal(o->status, 0);
    assert_string_equal(o->out, "reshed-weights (reshed) " RESHED_VERSION "\n");
    o = run("--help >/dev/full");
    assert_int_equal(o->status, 1);
    assert_memory_equal(o->err, "reshed-weights: cannot write to standard output", 47);
}

static void wrong_usage_exits_with_2(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "expected import, export, show or check"},
        {"frobnicate x", "unknown command 'frobnicate'"},
        {"show", "show: no FILE given"},
        {"import x", "no output given"},
        {"import x y -o z", "takes one ENSEMBLE"},
        {"export x", "no output given (-o OUT.tar)"},
        {"export x y -o z", "takes one ENSEMBLE"},
        {"export x -o y --fp16", "export: takes no options of import"},
        {"show x -o y", "takes no options of import"},
        {"check --tensors x", "--tensors goes with show"},
        {"show --nonsense x", "unknown option '--nonsense'"},
        {"show -qz x", "unknown option '-q'"},
        {"import x -o", "option '-o' needs a value"},
        {"import x --output", "option '--output' needs a value"},
        {"show --json=1 x", "option '--json' takes no value"},
        {"import x -o y --pixel-size 5", "--pixel-size: expected LO,HI"},
        {"import x -o y --pixel-size 5,4", "--pixel-size: expected a number from 5"},
        {"import x -o y --ood-threshold nan", "--ood-threshold: expected a number of at least 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome *o = run(cases[i][0]);
        if (o->status != 2 || !strstr(o->err, cases[i][1]) || o->out[0] ||
            strncmp(o->err, "reshed-weights: ", 16) != 0 || !strstr(o->err, "--help"))
            fail_msg("'%s' gave %d: %s", cases[i][0], o->status, o->err);
    }
}

static void failures_name_the_file(void **state)
{
    (void)state;
    const outcome *o = run("show tests/data/torch_legacy.tar");
    assert_int_equal(o->status, 1);
    assert_string_equal(o->out, "");
    assert_memory_equal(o->err, "reshed-weights: tests/data/torch_legacy.tar: torch file in", 58);
    /* One bad file does not keep the others from being looked at. */
    o = run("check /nonexistent tests/data/tiny_nearest3_ensemble_metadict.tar");
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->out, "tiny_nearest3_ensemble_metadict.tar: ok (2 members"));
    assert_memory_equal(o->err, "reshed-weights: /nonexistent: cannot open", 41);
    o = run("check tests/data/torch_views.tar --json");
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->out, "\"ok\": false"));
}

/* Copies the value of "key": "..." into buf. */
static void json_text(const char *json, const char *key, char *buf, size_t room)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\": \"", key);
    const char *at = strstr(json, pattern);
    assert_non_null(at);
    at += strlen(pattern);
    snprintf(buf, room, "%.*s", (int)strcspn(at, "\""), at);
}

static void import_keeps_the_content(void **state)
{
    (void)state;
    char args[1024], before[80], after[80];
    const char *h5 = test_temp("imported.h5");
    json_text(run("show --json tests/data/tiny_bilinear_ensemble_metadict.tar")->out, "sha256",
              before, sizeof before);
    assert_int_equal(strlen(before), 64);
    snprintf(args, sizeof args,
             "import tests/data/tiny_bilinear_ensemble_metadict.tar -o %s --json --pixel-size 3,20",
             h5);
    const outcome *o = run(args);
    assert_int_equal(o->status, 0);
    json_text(o->out, "sha256", after, sizeof after);
    assert_string_equal(after, before);
    assert_non_null(strstr(o->out, "\"members\": 3, \"classes\": 1, \"filters\": 4, \"layers\": "
                                   "[2, 1, 2], \"batch_norm\": true, "));
    assert_non_null(strstr(o->out, "\"pixel_size_min\": 3e-09, \"pixel_size_max\": 2e-08"));
    snprintf(args, sizeof args, "check --quiet %s", h5);
    o = run(args);
    assert_int_equal(o->status, 0);
    assert_string_equal(o->out, "");
    snprintf(args, sizeof args, "show --tensors %s", h5);
    o = run(args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "net3.1.res_module.0.c1.weight"));
    assert_non_null(strstr(o->out, "16x16x3x3"));
}

/* What is exported comes back from the import with every bit. */
static void export_keeps_the_content(void **state)
{
    (void)state;
    char args[1024], before[80], after[80];
    const char *tar = test_temp("exported_ensemble_metadict.tar");
    json_text(run("show --json weights/tiny8x4.h5")->out, "sha256", before, sizeof before);
    snprintf(args, sizeof args, "export weights/tiny8x4.h5 --json -o %s", tar);
    const outcome *o = run(args);
    assert_int_equal(o->status, 0);
    json_text(o->out, "sha256", after, sizeof after);
    assert_string_equal(after, before);
    snprintf(args, sizeof args, "check --quiet %s", tar);
    assert_int_equal(run(args)->status, 0);
    o = run("export weights/tiny8x4.h5 -o /dev/full/x.tar");
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "reshed-weights: /dev/full/x.tar: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_version),         cmocka_unit_test(wrong_usage_exits_with_2),
        cmocka_unit_test(failures_name_the_file),   cmocka_unit_test(import_keeps_the_content),
        cmocka_unit_test(export_keeps_the_content),
    };
    return cmocka_run_group_tests_name("tool_weights", tests, NULL, NULL);
}
