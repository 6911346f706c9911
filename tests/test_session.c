/* The session file: what is put is found again, by us and by others. */
#include "session_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/nsid.h"
#include "io_support.h"

static void remove_session(const char *path)
{
    char journal[4096];
    snprintf(journal, sizeof journal, "%s.journal", path);
    remove(path);
    remove(journal);
}

/* A session with the first n puts, still open. */
static rs_session *begin(const char *path, int n, int sync_every, sim_model *m)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    remove_session(path);
    assert_ok(rs_session_create(path, sim_setup(), sync_every, &s, &err), &err);
    sim_after(m, 0);
    for (int k = 0; k < n; k++) assert_ok(sim_put(m, s, k, &err), &err);
    return s;
}

static void assert_holds(rs_session *s, int n)
{
    sim_model *there = rs_alloc(2, sizeof *there), *model = there + 1;
    assert_non_null(there);
    sim_read(s, there);
    sim_after(model, n);
    assert_true(sim_equal(there, model));
    rs_free(there);
}

static void what_is_put_is_found(void **state)
{
    (void)state;
    static sim_model m;
    const char *path = test_temp("all.h5");
    char journal[4096];
    reshed_error err = {0};
    rs_session *s = begin(path, sim_puts(), 1, &m);
    snprintf(journal, sizeof journal, "%s.journal", path);
    assert_holds(s, sim_puts());
    assert_true(rs_os_is_file(journal));
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_false(rs_os_is_file(journal));
    assert_int_equal(files_beside(path, ".tmp"), 0);
    s = NULL;
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_holds(s, sim_puts());
    rs_session_progress p;
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.complete && !p.live && p.lines == SIM_ROWS - 1 && p.lost == 1);
    assert_true(p.first_missing == SIM_ROWS && p.points == 3 && p.measured == 2);
    assert_int_equal(p.first_pending, 3);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    s = NULL;
    assert_error(rs_session_resume(path, 1, &s, &err), RESHED_EINVAL, &err, "complete");
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
