/* The watchdog: it leaves alone what makes progress or is at rest, and halts what does not; a second
 * process takes over when this one is dead or stopped, and nothing is handed back. */
#define _GNU_SOURCE
#include "support/driver_rig.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os/guard.h"
#include "base/thread.h"
#include "spm/instrument/drivers.h"
#include "spm/instrument/private.h"
#include "spm/instrument/rest.h"
#include "spm/instrument/watch.h"

static rs_watch *start_watch(rs_instrument *d, double seconds)
{
    rs_watch *w = NULL;
    reshed_error err = {0};
    assert_ok(rs_watch_start("twin", NULL, 0, NULL, NULL, &w, &err), &err);
    assert_false(rs_watch_is_double(w)); /* the twin ends with its process */
    assert_ok(rs_watch_attach(w, d, seconds, &err), &err);
    return w;
}

static bool wait_taken(rs_instrument *d)
{
    const double until = rs_os_monotonic() + 30;
    while (!rs_instrument_is_taken(d, NULL) && rs_os_monotonic() < until) rs_os_sleep(0.01);
    while (atomic_load(&d->busy) && rs_os_monotonic() < until) rs_os_sleep(0.01);
    return rs_instrument_is_taken(d, NULL) && !atomic_load(&d->busy);
}

static double signal_of(rs_instrument *d, const char *name)
{
    double v = NAN;
    reshed_error err = {0};
    assert_status(rs_instrument_read_signal(d, name, &v, 1, &err), RS_DRIVER_OK);
    return v;
}

static void no_progress_is_a_halt(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_instrument *d = twin_open("clock=0");
    rs_watch *w = start_watch(d, 0.3);
    rs_frame f = {.width = 5e-7, .height = 5e-7, .rows = 32, .cols = 32, .line_rate = 1};
    assert_status(rs_instrument_set_bias(d, 2, 1, &err), RS_DRIVER_OK);
    assert_true(wait_taken(d));
    assert_true(signal_of(d, "Bias") == 0 && signal_of(d, "Drive") == 0);
    /* One way: nothing acts any more, whoever asks and whatever the driver would say. */
    assert_status(rs_instrument_set_bias(d, 1, 1, &err), RS_DRIVER_REFUSED);
    assert_says(&err, "watchdog", "halted");
    assert_status(rs_instrument_set_frame(d, &f, 1, NULL), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_start(d, 0, 1, NULL), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_move_tip(d, 0, 0, 1e-6, 1, NULL), RS_DRIVER_REFUSED);
    rs_instrument_alive(d);
    assert_true(rs_instrument_is_taken(d, &err));
    assert_int_equal(err.status, RESHED_ETIMEOUT);
    assert_status(rs_instrument_halt(d, 1, &err), RS_DRIVER_OK);
    rs_watch_detach(w);
    rs_watch_detach(w);
    rs_instrument_close(d);
    rs_watch_end(w);
    rs_watch_end(NULL);
}

static void progress_and_rest_are_left_alone(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_instrument *d = twin_open("clock=0");
    rs_watch *w = start_watch(d, 2);
    const rs_rest leave = {.tip = RS_TIP_LEAVE};
    assert_status(rs_instrument_set_bias(d, 2, 1, &err), RS_DRIVER_OK);
    for (int i = 0; i < 25; i++) {
        rs_os_sleep(0.1);
        rs_instrument_alive(d);
    }
    assert_false(rs_instrument_is_taken(d, NULL));
    assert_true(signal_of(d, "Bias") == 2);
    assert_status(rs_instrument_rest(d, &leave, 1, NULL, &err), RS_DRIVER_OK);
    if (!test_quick()) rs_os_sleep(2.6);
    assert_false(rs_instrument_is_taken(d, NULL));
    /* What begins after a long pause has its time. */
    assert_status(rs_instrument_set_bias(d, 2, 1, &err), RS_DRIVER_OK);
    rs_os_sleep(0.5);
    assert_false(rs_instrument_is_taken(d, NULL));
    assert_status(rs_instrument_stop(d, 1, &err), RS_DRIVER_OK);
    assert_true(signal_of(d, "Bias") == 0);
    rs_watch_end(w);
    rs_instrument_close(d);
    assert_int_equal(rs_watch_start("cypher", NULL, 0, NULL, NULL, &w, &err), RESHED_EINVAL);
}

/* A driver that cannot be hurried: a call goes on through the halt and sets its voltage after it. */
typedef struct stubborn {
    atomic_int halts, refusals;
    atomic_bool inside;
    _Atomic double bias;
} stubborn;

static rs_driver_status stubborn_bias(void *self, double v, double t, reshed_error *err)
{
    stubborn *s = self;
    (void)t, (void)err;
    atomic_store(&s->inside, true);
    while (atomic_load(&s->halts) == 0) rs_os_sleep(1e-3);
    rs_os_sleep(0.1);
    atomic_store(&s->bias, v);
    return RS_DRIVER_OK;
}

static rs_driver_status stubborn_halt(void *self, double t, reshed_error *err)
{
    stubborn *s = self;
    (void)t;
    atomic_store(&s->bias, 0);
    atomic_fetch_add(&s->halts, 1);
    if (atomic_fetch_sub(&s->refusals, 1) <= 0) return RS_DRIVER_OK;
    rs_fail(err, RESHED_EIO, "not now");
    return RS_DRIVER_LOST;
}

static void sets_bias(void *ctx)
{
    rs_instrument_set_bias(ctx, 3, 60, NULL);
}

static void a_call_under_way_does_not_win(void **state)
{
    (void)state;
    const rs_driver_ops ops = {
        .name = "stubborn", .set_bias = stubborn_bias, .halt = stubborn_halt};
    for (int refusals = 0; refusals < 3; refusals += 2) {
        stubborn s = {.refusals = refusals};
        rs_instrument i = {.ops = &ops, .self = &s};
        reshed_error err = {0};
        rs_thread *thread = NULL;
        rs_limits_none(&i.limits);
        rs_watch *w = start_watch(&i, 0.2);
        assert_ok(rs_thread_start(sets_bias, &i, &thread, &err), &err);
        assert_true(wait_taken(&i));
        rs_thread_join(thread);
        const double until = rs_os_monotonic() + 30;
        /* What it set after the first halt is taken back by another one. */
        while ((atomic_load(&s.bias) != 0 || atomic_load(&s.halts) < 2) &&
               rs_os_monotonic() < until)
            rs_os_sleep(0.01);
        assert_true(atomic_load(&s.bias) == 0);
        assert_true(atomic_load(&s.halts) >= 2);
        rs_watch_end(w);
    }
}

/* --------------------------------------------------------------------------- the second process */

static char note[1024];

static void write_note(void *ctx, bool died)
{
    const char *text = died ? "died" : "silent";
    assert_string_equal(ctx, "mine");
    test_write_file(note, text, strlen(text));
}

typedef enum fate { ENDS_WELL, IDLE_DEATH, BUSY_DEATH, BUSY_STOP, BUSY_SILENCE, TALKS } fate;

/* What a guarded process does; it is a child of the test. */
static void live(fate f)
{
    rs_os_guard *g = NULL;
    reshed_error err = {0};
    char mine[] = "mine";
    if (rs_os_guard_start(write_note, mine, &g, &err) != RESHED_OK) _exit(3);
    rs_os_guard_say(g, RS_GUARD_PATIENCE, 0.5);
    if (f != IDLE_DEATH && !rs_os_guard_say(g, RS_GUARD_BUSY, 0)) _exit(4);
    if (f == IDLE_DEATH || f == BUSY_DEATH) _exit(5);
    if (f == BUSY_STOP) kill(getpid(), SIGSTOP);
    if (f == BUSY_SILENCE) rs_os_sleep(60);
    if (f == TALKS)
        for (int i = 0; i < 12; i++) {
            rs_os_sleep(0.1);
            rs_os_guard_say(g, RS_GUARD_SIGN, 0);
        }
    rs_os_guard_say(g, RS_GUARD_IDLE, 0);
    rs_os_guard_end(g);
    _exit(0);
}

static void a_second_process_acts_when_this_one_cannot(void **state)
{
    (void)state;
    static const char *const says[] = {"", "", "died", "silent", "silent", ""};
    for (int f = ENDS_WELL; f <= TALKS; f++) {
        char text[32] = "";
        int status = 0;
        snprintf(note, sizeof note, "%s", test_temp("note"));
        remove(note);
        fflush(NULL);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) live((fate)f);
        while (waitpid(pid, &status, 0) < 0) {
        }
        if (says[f][0]) {
            const double until = rs_os_monotonic() + 30;
            while (strcmp(text, says[f]) != 0 && rs_os_monotonic() < until) {
                FILE *file = fopen(note, "rb");
                rs_os_sleep(0.01);
                if (!file) continue;
                text[fread(text, 1, sizeof text - 1, file)] = '\0';
                fclose(file);
            }
            assert_string_equal(text, says[f]);
        } else {
            rs_os_sleep(0.1);
            assert_false(rs_os_is_file(note));
        }
        if (f == BUSY_STOP || f == BUSY_SILENCE)
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        else
            assert_int_equal(WEXITSTATUS(status), f == IDLE_DEATH || f == BUSY_DEATH ? 5 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_progress_is_a_halt),
        cmocka_unit_test(progress_and_rest_are_left_alone),
        cmocka_unit_test(a_call_under_way_does_not_win),
        cmocka_unit_test(a_second_process_acts_when_this_one_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
