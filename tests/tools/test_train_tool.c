/* reshed-train itself: its words, its files, and that kill -9 at any moment changes no bit. */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/program.h"

#include "base/alloc.h"
#include "base/os.h"

/* The smallest training: a fraction of a second. */
#define TINY "--members 2 --filters 2 --layers 1,1,1 --batch 2 --piece 24"

static const outcome *run(const char *args)
{
    return run_program("reshed-train", args);
}

static void help_and_version(void **state)
{
    (void)state;
    const outcome *o = run("--help");
    assert_int_equal(o->status, 0);
    assert_memory_equal(o->out, "Usage: reshed-train ", 20);
    o = run("--version");
    assert_int_equal(o->status, 0);
    assert_string_equal(o->out, "reshed-train (reshed) " RESHED_VERSION "\n");
}

static void wrong_usage_exits_with_2(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "expected fit, tune, calibrate or sample"},
        {"learn -o x.h5", "unknown command 'learn'"},
        {"fit", "fit: no output given"},
        {"tune -o x.h5", "tune: no IMAGE and WALLS given, nor a --film but pzt"},
        {"tune -o x.h5 a.npy", "an image without its walls: 'a.npy'"},
        {"fit -o x.h5 -w y.h5", "fit starts from nothing"},
        {"fit -o x.h5 --keep 0.5", "fit starts from nothing"},
        {"tune -o x.h5 --film mix --keep 1.5", "--keep: expected"},
        {"tune -o x.h5 --film mix --keep -0.5", "--keep: expected"},
        {"calibrate -o x.h5 --keep 0.5", "no options of fit and tune"},
        {"tune -o x.h5 --filters 8 a b", "the network is that of the weights"},
        {"calibrate -o x.h5 a b", "calibrate takes no images"},
        {"calibrate -o x.h5 --steps 5", "no options of fit and tune"},
        {"fit -o x.h5 --scales 1", "takes no options of calibrate"},
        {"fit -o x.h5 --share 0.5", "--share goes with own frames"},
        {"fit -o x.h5 --steps 5 --minutes 1", "--steps or --minutes"},
        {"fit -o x.h5 --layers 3,x", "--layers: expected"},
        {"fit -o x.h5 --layers 3.7,4,5", "--layers: expected whole numbers"},
        {"fit -o x.h5 --film jelly", "--film: expected"},
        {"fit -o x.h5 --rate 0", "--rate: expected"},
        {"tune -o x.h5 --unknown u --unknown v a b", "--unknown: more maps than frames"},
        {"tune -o a.npy a.npy b.npy", "name another output"},
        {"sample -o x.h5", "--sampler: expected swag or sghmc, found 'none'"},
        {"sample -o x.h5 --sampler mc", "--sampler: expected swag or sghmc, found 'mc'"},
        {"sample -o x.h5 --sampler swag --cycles 2", "go with sghmc"},
        {"sample -o x.h5 --sampler sghmc --curve c.png", "do not go with it"},
        {"sample -o x.h5 --sampler sghmc a b", "sample takes no images"},
        {"fit -o x.h5 --temperature 1", "go with sample"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome *o = run(cases[i][0]);
        if (o->status != 2 || !strstr(o->err, cases[i][1]) || o->out[0])
            fail_msg("'%s' gave %d: %s", cases[i][0], o->status, o->err);
    }
}

static void failures_name_the_file(void **state)
{
    (void)state;
    char args[1024];
    const char *out = test_temp("failed.h5");
    snprintf(args, sizeof args, "tune -w weights/tiny8x4.h5 -o %s none.npy walls.npy", out);
    const outcome *o = run(args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "reshed-train: none.npy: "));
    snprintf(args, sizeof args, "fit " TINY " -o %s --layers 1,1", out);
    o = run(args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "levels of the network"));
    snprintf(args, sizeof args, "fit " TINY " --steps 2 -o /nowhere/x.h5");
    assert_int_equal(run(args)->status, 1);
    assert_false(rs_os_is_file(out));
}

/* An output that cannot be written is told before hours of work, and nothing is left behind. */
static void outputs_are_checked_first(void **state)
{
    (void)state;
    reshed_error err = {0};
    char args[4096], folder[512], file[512], state_file[600];
    snprintf(folder, sizeof folder, "%s", test_temp("outputs"));
    snprintf(file, sizeof file, "%s", test_temp("checked.h5"));
    assert_ok(rs_os_make_folder(folder, &err), &err);
    const struct {
        const char *output, *rest, *message;
    } cases[] = {
        {folder, "", "a folder"},
        {"/nowhere/x.h5", "", "/nowhere/x.h5: cannot write into the output's folder"},
        {file, "--curve /nowhere/c.png", "/nowhere/c.png: cannot write into the output's folder"},
        {file, "--checkpoints ", "a folder"}, /* the output itself */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bool same = strcmp(cases[i].rest, "--checkpoints ") == 0;
        snprintf(args, sizeof args, "fit " TINY " --steps 100000000 --quiet -o %s %s%s",
                 cases[i].output, cases[i].rest, same ? cases[i].output : "");
        const outcome *o = run(args);
        if (o->status != 1 || !strstr(o->err, cases[i].message))
            fail_msg("'%s' gave %d: %s", args, o->status, o->err);
        snprintf(state_file, sizeof state_file, "%s.training", cases[i].output);
        assert_int_not_equal(access(state_file, F_OK), 0);
    }
    assert_int_not_equal(access(file, F_OK), 0);
    snprintf(args, sizeof args, "calibrate -w weights/tiny8x4.h5 --frames 10000 -o %s", folder);
    const outcome *o = run(args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "a folder"));
    rs_os_clear_folder(folder, "none");
}

/* A finished training whose checkpoints are kept is found finished, and says so without harm. */
static void finished_trainings_are_run_again(void **state)
{
    (void)state;
    char args[4096], file[512], states[512];
    test_not_quick(); /* progress_of_nothing of test_base.c stands for it */
    snprintf(file, sizeof file, "%s", test_temp("again.h5"));
    snprintf(states, sizeof states, "%s", test_temp("again"));
    snprintf(args, sizeof args, "fit " TINY " --steps 2 -o %s --checkpoints %s", file, states);
    assert_int_equal(run(args)->status, 0);
    size_t n, k;
    uint8_t *a = test_read_file(file, &n);
    assert_int_equal(run(args)->status, 0);
    uint8_t *b = test_read_file(file, &k);
    assert_int_equal(n, k);
    assert_memory_equal(a, b, n);
    rs_free(a);
    rs_free(b);
    rs_os_clear_folder(states, "member_");
}

/* Fits, tunes what was fitted on a frame of the twin, calibrates; each file is one of weights. */
static void a_life_of_an_ensemble(void **state)
{
    (void)state;
    char args[4096], film[512], fit[512], tuned[512], last[512], curve[512];
    test_not_quick(); /* test_train_run.c stands for it */
    snprintf(film, sizeof film, "%s", test_temp("film"));
    snprintf(fit, sizeof fit, "%s", test_temp("fit.h5"));
    snprintf(tuned, sizeof tuned, "%s", test_temp("tuned.h5"));
    snprintf(last, sizeof last, "%s", test_temp("last.h5"));
    snprintf(curve, sizeof curve, "%s", test_temp("curve.png"));
    snprintf(args, sizeof args, "image -o %s -s 48 --formats png --quiet", film);
    assert_int_equal(run_program("reshed-twin", args)->status, 0);
    snprintf(args, sizeof args, "fit " TINY " --steps 6 --json -o %s --curve %s", fit, curve);
    const outcome *o = run(args);
    assert_int_equal(o->status, 0);
    assert_true(json_number(o->out, "members") == 2 && json_number(o->out, "steps") == 6);
    assert_true(rs_os_is_file(curve));
    snprintf(args, sizeof args,
             "tune -w %s -o %s --steps 4 --piece 24 --batch 2 --json %s.png %s_walls.png", fit,
             tuned, film, film);
    o = run(args);
    assert_int_equal(o->status, 0);
    assert_true(json_number(o->out, "members") == 2);
    assert_true(json_number(o->out, "own_f_before") >= 0 && json_number(o->out, "own_f") >= 0);
    assert_non_null(strstr(o->out, "own frames 1"));
    snprintf(args, sizeof args,
             "calibrate -w %s -o %s --frames 2 --scales 1,2 --shifts 0.5 --most-error 1 --json",
             tuned, last);
    o = run(args);
    assert_int_equal(o->status, 0);
    assert_true(json_number(o->out, "edge_f") >= 0);
    snprintf(args, sizeof args, "check --quiet %s", last);
    assert_int_equal(run_program("reshed-weights", args)->status, 0);
    /* No checkpoint is left beside what was written. */
    snprintf(args, sizeof args, "%s.training/member_000.state", fit);
    assert_false(rs_os_is_file(args));
    snprintf(args, sizeof args, "calibrate -w %s -o %s --frames 1 --most-error 0", tuned, last);
    o = run(args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "--most-error allows more"));
}

/* -------------------------------------------------------------------------------------- kill -9 */
#define KILLED "fit " TINY " --steps 210 --seed 3 --quiet -j 2"

static void shell(const char *args, char *command, size_t room)
{
    const char *bin = getenv("BIN");
    snprintf(command, room, "exec %s/reshed-train %s", bin ? bin : "build", args);
}

/* Starts the program and kills it after some seconds, or (path unlike NULL) as soon as that file is
 * there; false when it was done by then. */
static bool start_and_kill(const char *args, double seconds, const char *path)
{
    char command[8192];
    int rc;
    shell(args, command, sizeof command);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    bool ended = false;
    while (path && !ended && !rs_os_is_file(path)) {
        rs_os_sleep(0.001);
        ended = waitpid(child, &rc, WNOHANG) == child;
    }
    if (!path) rs_os_sleep(seconds);
    if (ended) return false;
    kill(child, SIGKILL);
    assert_true(waitpid(child, &rc, 0) == child);
    return WIFSIGNALED(rc);
}

static void kills_change_no_bit(void **state)
{
    (void)state;
    char whole[512], killed[512], folder[512], args[2048];
    test_not_quick(); /* runs_resume_to_the_same_bits of test_train_run.c stands for it */
    snprintf(whole, sizeof whole, "%s", test_temp("whole.h5"));
    snprintf(killed, sizeof killed, "%s", test_temp("killed.h5"));
    snprintf(folder, sizeof folder, "%s", test_temp("states"));
    snprintf(args, sizeof args, KILLED " -o %s", whole);
    const double begin = rs_os_monotonic();
    assert_int_equal(run(args)->status, 0);
    const double seconds = rs_os_monotonic() - begin;
    size_t n, k;
    uint8_t *want = test_read_file(whole, &n), *got;
    test_rng r = {test_seed()};
    snprintf(args, sizeof args, KILLED " --checkpoints %s -o %s", folder, killed);
    char first[600], other[2100];
    snprintf(first, sizeof first, "%s/member_000.state", folder);
    int kills = 0, resumed = 0;
    for (long i = 0; i < test_tier(0, 3, 20); i++) {
        /* At any moment, but the first time with a checkpoint there. */
        const bool killed_now =
            start_and_kill(args, test_uniform(&r, 0.02, 0.95 * seconds), resumed ? NULL : first);
        kills += killed_now;
        if (killed_now && rs_os_is_file(first)) {
            /* It is read: another training cannot go on from it. */
            snprintf(other, sizeof other, "%s --seed 4", args);
            assert_int_equal(run(other)->status, 1);
            assert_non_null(strstr(run(other)->err, "checkpoint of another training"));
            resumed++;
        }
        assert_int_equal(run(args)->status, 0);
        got = test_read_file(killed, &k);
        assert_int_equal(n, k);
        assert_memory_equal(want, got, n);
        rs_free(got);
        remove(killed);
        rs_os_clear_folder(folder, "member_");
    }
    printf("# killed %d times, %d with a checkpoint\n", kills, resumed);
    assert_true(kills > 0 && resumed > 0);
    rs_free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(wrong_usage_exits_with_2),
        cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(a_life_of_an_ensemble),
        cmocka_unit_test(outputs_are_checked_first),
        cmocka_unit_test(finished_trainings_are_run_again),
        cmocka_unit_test(kills_change_no_bit),
    };
    return cmocka_run_group_tests_name("tool_train", tests, NULL, NULL);
}
