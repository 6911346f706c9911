/* A data file, resumed or analysed, makes no program load, connect, start or write anything that was
 * not asked for: seen from outside, call by call, on sessions that name a driver that is there to be
 * loaded, and one that would connect. */
#include "support/scan_program.h"
#include "support/support.h"
#include "support/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "base/os.h"
#include "io/hdf5/h5.h"

typedef struct judge {
    const char *stem;  /* writes are for paths that begin so; NULL: for none */
    const char *never; /* is not even opened */
    const char *what;
    int events, execs, objects;
} judge;

/* Returns true for folders of the loader and the C library. */
static bool is_systems(const char *path)
{
    return strncmp(path, "/usr/", 5) == 0 || strncmp(path, "/lib", 4) == 0 ||
           strncmp(path, "/opt/", 5) == 0 || strncmp(path, "/etc/", 5) == 0;
}

static void see(void *ctx, trace_kind kind, const char *text)
{
    judge *j = ctx;
    j->events++;
    switch (kind) {
    case TRACE_CONNECT: fail_msg("%s: connects (family %s)", j->what, text); break;
    case TRACE_EXEC:
        if (j->execs++ > 0) fail_msg("%s: starts %s", j->what, text);
        break;
    case TRACE_WRITE:
        if (strcmp(text, "/dev/null") != 0 &&
            (!j->stem || strncmp(text, j->stem, strlen(j->stem)) != 0))
            fail_msg("%s: writes %s", j->what, text);
        break;
    case TRACE_READ:
        j->objects += strstr(text, ".so") != NULL;
        if (strstr(text, ".so") && !is_systems(text)) fail_msg("%s: opens %s", j->what, text);
        break;
    }
    if (strstr(text, j->never)) fail_msg("%s: touches %s", j->what, text);
}

/* Runs the program with these arguments (words, no quotes) and judges it. False: no tracing here. */
static bool trace(int expected, const char *name, const char *args, const char *stem)
{
    char program[1024], words[4096];
    const char *argv[64], *bin = getenv("BIN");
    int n = 0, status = 0;
    judge j = {.stem = stem, .never = "note.so", .what = args};
    snprintf(program, sizeof program, "%s/%s", bin ? bin : "build", name);
    if (!rs_os_is_file(program)) skip();
    argv[n++] = program;
    snprintf(words, sizeof words, "%s", args);
    for (char *w = strtok(words, " "); w && n < 63; w = strtok(NULL, " ")) argv[n++] = w;
    argv[n] = NULL;
    if (!trace_run(argv, see, &j, &status)) {
        print_message("# programs cannot be traced here\n");
        return false;
    }
    if (status != expected) fail_msg("%s: exit %d (expected %d)", args, status, expected);
    assert_true(j.execs == 1 && j.events > 10 && j.objects > 3); /* it has seen something */
    return true;
}

static void set_driver(const char *path, const char *driver)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t g = H5Gopen2(file, "/Session", H5P_DEFAULT);
    assert_true(g >= 0 && H5Adelete(g, "driver") >= 0);
    assert_true(rs_h5_set_text(g, "driver", driver));
    H5Gclose(g);
    assert_true(H5Fclose(file) >= 0);
}

static void a_data_file_does_nothing_but_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int expected;
        bool writes; /* the session is opened to go on with it */
    } runs[] = {{"--analyse", 0, false},
                {"--resume --dry-run -o", 0, false},
                {"--resume -o", 1, true},
                {"--resume --driver twin -o", 1, true}};
    char path[1024], object[1024], args[4096];
    scan_temp(path, "named.h5");
    scan_temp(object, "note.so");
    test_write_file(object, "no object\n", 10);
    snprintf(args, sizeof args, TWIN QUICK "-s rows=32 -s cols=32 --report none --confirm -o %s",
             path);
    scan_run_to(1, args);
    for (int driver = 0; driver < 2; driver++) {
        set_driver(path, driver ? "nanonis" : object);
        for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
            snprintf(args, sizeof args, "%s %s --report none " AGAIN, runs[i].words, path);
            if (!trace(runs[i].expected, "reshed-scan", args, runs[i].writes ? path : NULL)) return;
        }
    }
}

/* The files asked for are written, and no others: session, journal, points, report. */
static void only_what_was_asked_for_is_written(void **state)
{
    (void)state;
    char path[1024], stem[1024], args[4096];
    scan_temp(path, "asked.h5");
    scan_temp(stem, "asked");
    snprintf(args, sizeof args,
             TWIN QUICK "-s rows=32 -s cols=32 -s max_points=2 --report none --confirm -o %s",
             path);
    if (!trace(1, "reshed-scan", args, stem)) return;
    test_not_quick();
    snprintf(args, sizeof args, "--analyse %s --report %s.html " AGAIN, path, stem);
    trace(0, "reshed-scan", args, stem);
    snprintf(args, sizeof args, "--resume " TWIN "--report none -o %s " AGAIN, path);
    trace(0, "reshed-scan", args, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_data_file_does_nothing_but_be_read),
        cmocka_unit_test(only_what_was_asked_for_is_written),
    };
    return cmocka_run_group_tests_name("scan_trace", tests, NULL, NULL);
}
