/* Whole programs whose calls fail in turn, those of libraries included (tests/data/fail_calls.c, preloaded):
 * allocations; reads, writes, syncs and renames of files; and whole programs that are asked to end at each such call. No
 * crash and no hang of ours, told from a library's by the frames on top; exit status 1, or all that was asked
 * for; and no file but a whole one. */
#define _DEFAULT_SOURCE
#include "support/program.h"
#include "support/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "io/npy.h"

/* The sanitizers have an allocator of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_ALLOCATOR 1
#endif
#endif
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 0
#endif

enum { SIDE = 32, WORDS = 40, FILES = 8, WAITS = 8, BY_LIBRARY = 255 };

/* What fails; SIGNAL: SIGTERM comes. */
typedef enum kind { MEMORY, DISK, SIGNAL } kind;
static const char *const kind_name[] = {"memory", "files", "signal"};
static const char *const kind_calls[] = {"allocation", "file call", "signal at file call"};

typedef struct job {
    const char *args; /* {} is the folder of the outputs, <> that of the inputs */
    bool grows; /* its session is written as it goes; what cannot be written it waits with, as on a
                         full disk, until it is asked to end */
    int files;  /* of the run with all memory */
    char file[FILES][64];
    off_t size[FILES];
} job;

typedef struct ending {
    int status; /* of the exit, -1: a crash, -2: a hang */
    bool ours;
    bool said; /* one line or more on standard error */
    char frame[256];
    long calls;
} ending;

static char inputs[256], outputs[256];

/* ---------------------------------------------------------------------------------------- running */

/* The command's words, the folders put in. */
static void split(const job *j, char *buf, size_t room, char *word[WORDS])
{
    /* The programs as users have them: frames tell a library's crash only where it is shared. */
    const char *bin = getenv("SHARED_BIN");
    if (!bin) bin = getenv("BIN");
    size_t n = (size_t)snprintf(buf, room, "%s/", bin ? bin : "build");
    for (const char *s = j->args; *s; s++) {
        const char *folder = strncmp(s, "{}", 2) == 0   ? outputs
                             : strncmp(s, "<>", 2) == 0 ? inputs
                                                        : NULL;
        n += (size_t)snprintf(buf + n, room - n, folder ? "%s" : "%.1s", folder ? folder : s);
        assert_true(n < room);
        if (folder) s++;
    }
    int words = 0;
    for (char *s = strtok(buf, " "); s; s = strtok(NULL, " ")) word[words++] = s;
    word[words] = NULL;
}

static pid_t start(const job *j, kind what, const char *log, long at, bool rest)
{
    char buf[4096], so[512], said[1024], number[32], *word[WORDS];
    const char *b = getenv("B");
    split(j, buf, sizeof buf, word);
    snprintf(so, sizeof so, "%s/tests/fail_calls.so", b ? b : "build/gcc");
    assert_true(rs_os_is_file(so));
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    snprintf(said, sizeof said, "%s.said", log);
    dup2(open("/dev/null", O_WRONLY), 1);
    dup2(open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    snprintf(number, sizeof number, "%ld", at);
    setenv("LD_PRELOAD", so, 1);
    setenv("FAIL_LOG", log, 1);
    setenv("FAIL_WHAT", kind_name[what], 1);
    if (at >= 0) setenv("FAIL_AT", number, 1);
    if (rest) setenv("FAIL_REST", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    execv(word[0], word);
    _exit(126);
}

/* Whose crash or hang it was: the innermost frame that is neither the C library's nor the preloaded
 * object's tells. */
static bool is_ours(char *log, char frame[256])
{
    snprintf(frame, 256, "no frame");
    for (char *s = strtok(log, "\n"); s; s = strtok(NULL, "\n")) {
        if (strstr(s, "fail_calls.so") || strstr(s, "libc.so") || strstr(s, "ld-linux") ||
            *s != '/')
            continue;
        snprintf(frame, 256, "%.255s", s);
        return strstr(s, "/reshed-") != NULL;
    }
    return true;
}

static ending run(const job *j, kind what, long at, bool rest)
{
    char log[512], text[16384];
    ending e = {.calls = -1};
    int status = 0;
    snprintf(log, sizeof log, "%s/log", inputs);
    remove(log);
    const pid_t pid = start(j, what, log, at, rest);
    const double begin = rs_os_monotonic();
    bool hung = false, asked = false;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        usleep(1000);
        if (j->grows && !asked && rs_os_monotonic() - begin > WAITS) {
            asked = true;
            kill(pid, SIGTERM);
        }
        if (hung || rs_os_monotonic() - begin < test_tier(20, 60, 60)) continue;
        hung = true; /* its frames are told as those of a crash */
        kill(pid, SIGABRT);
        usleep(500000);
        kill(pid, SIGKILL);
    }
    read_text(log, text, sizeof text);
    e.calls = strtol(text, NULL, 10);
    char *crash = strstr(text, "crash\n"), path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s.said", log);
    e.said = stat(path, &st) == 0 && st.st_size > 0;
    if (what == SIGNAL && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
        e.status = 1, e.said = true; /* as asked */
    else if (crash || hung || !WIFEXITED(status)) {
        e.status = hung ? -2 : -1;
        e.ours = is_ours(crash ? crash + 6 : text, e.frame);
    } else {
        e.status = WEXITSTATUS(status);
    }
    return e;
}

/* ---------------------------------------------------------------------------------------- judging */

/* Lists the folder of the outputs into j, or returns the first file that j does not know as it is. */
static const char *look(job *j, kind what, bool list, bool all)
{
    static char bad[256];
    int known = 0;
    DIR *d = opendir(outputs);
    assert_non_null(d);
    *bad = '\0';
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        char path[1024];
        const size_t length = strlen(e->d_name);
        if (*e->d_name == '.') continue;
        /* What was killed leaves what it was at under a name of its own. */
        if (what == SIGNAL && length > 4 && strcmp(e->d_name + length - 4, ".tmp") == 0) continue;
        snprintf(path, sizeof path, "%s/%.255s", outputs, e->d_name);
        assert_int_equal(stat(path, &st), 0);
        if (list) {
            assert_true(j->files < FILES && strlen(e->d_name) < 64);
            snprintf(j->file[j->files], 64, "%.63s", e->d_name);
            j->size[j->files++] = st.st_size;
            continue;
        }
        int k = 0;
        while (k < j->files && strcmp(j->file[k], e->d_name) != 0) k++;
        known += k < j->files;
        if (k == j->files || (st.st_size != j->size[k] && !j->grows))
            snprintf(bad, sizeof bad, "%.200s", e->d_name);
    }
    closedir(d);
    if (!list && all && known < j->files) snprintf(bad, sizeof bad, "too few files");
    return bad;
}

static void clear(void)
{
    DIR *d = opendir(outputs);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%.255s", outputs, e->d_name);
        if (*e->d_name != '.') remove(path);
    }
    closedir(d);
}

/* n places from the first call to the last, none with a regular distance to the next. Returns how many runs
 * ended as if nothing had been. */
static int sweep(job *j, kind what, const char *name, long n)
{
    test_rng r = {test_seed()};
    int failed = 0, passed = 0, libraries = 0;
    clear();
    const ending whole = run(j, what, -1, false);
    assert_int_equal(whole.status, 0);
    j->files = 0;
    look(j, what, true, true);
    assert_true(j->files > 0 && whole.calls > (what == MEMORY ? 100 : 4));
    if (n > whole.calls) n = whole.calls;
    for (long i = 0; i < n; i++)
        for (int rest = 0; rest < (what == SIGNAL ? 1 : 2); rest++) {
            const long first = i * whole.calls / n, next = (i + 1) * whole.calls / n;
            const long at = first + (long)test_below(&r, (uint64_t)(next - first));
            clear();
            const ending e = run(j, what, at, rest);
            const bool library = e.status < 0 ? !e.ours : e.status == BY_LIBRARY;
            const char *bad = library ? "" : look(j, what, false, e.status == 0);
            if ((e.status < 0 && e.ours) || (!library && e.status > 1) || *bad ||
                (e.status == 1 && !e.said))
                fail_msg("%s, %s %ld%s: status %d, %s %s%s", name, kind_calls[what], at,
                         rest ? " and all after" : "", e.status, e.frame, bad,
                         e.said ? "" : ", not a word");
            libraries += library;
            failed += e.status == 1;
            passed += e.status == 0;
        }
    printf("# %s: %ld of %ld %ss%s: %d failed cleanly, %d did without, %d ended in a library\n",
           name, n, whole.calls, kind_calls[what],
           what == SIGNAL ? "" : ", once and with all after", failed, passed, libraries);
    return passed;
}

static int set_up(void **state)
{
    (void)state;
    float x[SIDE * SIDE], m[SIDE * SIDE];
    const size_t dims[2] = {SIDE, SIDE};
    char path[512];
    test_rng r = {test_seed()};
    snprintf(inputs, sizeof inputs, "%s", test_temp("in"));
    snprintf(outputs, sizeof outputs, "%s", test_temp("out"));
    if (rs_os_make_folder(inputs, NULL) != RESHED_OK ||
        rs_os_make_folder(outputs, NULL) != RESHED_OK)
        return -1;
    for (int i = 0; i < SIDE * SIDE; i++) {
        m[i] = (i % SIDE + i / SIDE / 2) % 12 == 3;
        x[i] = 2 - m[i] + (float)test_uniform(&r, -0.2, 0.2);
    }
    snprintf(path, sizeof path, "%s/x.npy", inputs);
    if (rs_npy_write(path, RS_NPY_F4, 2, dims, x, NULL) != RESHED_OK) return -1;
    snprintf(path, sizeof path, "%s/m.npy", inputs);
    return rs_npy_write(path, RS_NPY_F4, 2, dims, m, NULL) == RESHED_OK ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------ tests */

static void infer(void **state)
{
    (void)state;
    if (OWN_ALLOCATOR) return;
    job j = {
        .args =
            "reshed-infer -w tests/data/tiny_bilinear_ensemble_metadict.tar -j 1 --mean {}/m.npy "
            "--var {}/v.npy --h5 {}/w.h5 <>/x.npy"};
    job pictures = {.args = "reshed-infer -w weights/tiny8x4.h5 -j 1 --png {}/p <>/x.npy"};
    job others = {.args = "reshed-infer -w weights/tiny8x4.h5 -j 1 --gwy {}/g.gwy --gsf {}/g --iso "
                          "{}/g.spm --figure {}/g.pdf <>/x.npy"};
    sweep(&j, MEMORY, "infer", test_tier(2, 4, 8000));
    sweep(&j, DISK, "infer", test_tier(1, 4, 1000));
    if (test_quick()) return;
    sweep(&j, SIGNAL, "infer", test_tier(1, 2, 1000));
    sweep(&others, DISK, "infer for other programs", test_tier(1, 4, 1000));
    if (!test_long()) return;
    sweep(&pictures, MEMORY, "infer with pictures", 4000);
    sweep(&pictures, DISK, "infer with pictures", 1000);
    sweep(&pictures, SIGNAL, "infer with pictures", 1000);
}

static void walls(void **state)
{
    (void)state;
    test_not_quick();
    if (OWN_ALLOCATOR) return;
    job j = {.args = "reshed-walls <>/m.npy --points {}/p.csv --walls {}/w.csv --skeleton {}/s.npy "
                     "--png {}/p.png"};
    sweep(&j, MEMORY, "walls", test_tier(2, 4, 8000));
    sweep(&j, DISK, "walls", test_tier(2, 8, 1000));
    sweep(&j, SIGNAL, "walls", test_tier(2, 4, 1000));
}

/* A session is a grid of spectra, too. */
#define SCAN                                                                                       \
    "reshed-scan --driver twin -d clock=0 -w weights/tiny8x4.h5 -j 1 --set rows=24 --set cols=24 " \
    "--set voltage=0 --set be_repeats=1 --pictures none --quiet "

static void beps(void **state)
{
    (void)state;
    test_not_quick();
    if (OWN_ALLOCATOR) return;
    job scan = {.args = SCAN "--report none -o <>/s.h5"};
    job j = {.args = "reshed-beps sho <>/s.h5 -o {}/o.h5 --threads 1"};
    char session[512];
    snprintf(session, sizeof session, "%s/s.h5", inputs);
    assert_int_equal(run(&scan, MEMORY, -1, false).status, 0);
    sweep(&j, MEMORY, "beps", test_tier(2, 4, 8000));
    /* Nearly all are reads of the session: what is not read is not taken for absent. */
    const long n = test_tier(2, 8, 1000);
    assert_true(sweep(&j, DISK, "beps", n) * 8 <= n);
    sweep(&j, SIGNAL, "beps", test_tier(2, 4, 1000));
    remove(session);
}

/* What asks a scan to end at every write is in test_scan_signals. */
static void scan(void **state)
{
    (void)state;
    if (OWN_ALLOCATOR) return;
    job j = {.args = SCAN "--report {}/s.html -o {}/s.h5", .grows = true};
    sweep(&j, MEMORY, "scan", test_tier(1, 2, 4000));
    if (test_long()) sweep(&j, DISK, "scan", 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(infer),
        cmocka_unit_test(walls),
        cmocka_unit_test(beps),
        cmocka_unit_test(scan),
    };
    return cmocka_run_group_tests_name("failing_calls", tests, set_up, NULL);
}
