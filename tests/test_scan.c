/* An acquisition from the first line to the last loop, on the twin, and everything that can go
 * wrong on the way. */
#include "scan_rig.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"

/* ------------------------------------------------------------------------------------- complete */

static void a_region_is_measured_to_the_end(void **state)
{
    (void)state;
    scan_rig r;
    rs_session_progress p;
    scan_rig_init(&r, "complete.h5");
    scan_rig_do(&r, RS_REGION_COMPLETE);
    assert_int_equal(r.arrived, 64);
    scan_rig_check_analysis(&r, true, &p);
    assert_true(p.complete);
    assert_int_equal(p.lines, 64);
    assert_int_equal(p.lost, 0);
    assert_true(p.points >= 6 && p.points <= 12);
    assert_int_equal(p.measured, p.points);
    assert_int_equal(r.points, p.points);
    assert_int_equal(p.patches, (p.points + 4) / 5);
    assert_int_equal(p.references, (p.points + 4) / 5);
    printf("# %d points, %d patches, %d drifts\n", p.points, p.patches, p.drifts);
}

static void the_same_seed_gives_the_same_raw_data(void **state)
{
    (void)state;
    scan_rig a, b;
    scan_rig_init(&a, "same_a.h5");
    scan_rig_init(&b, "same_b.h5");
    a.set.voltage = b.set.voltage = 0; /* no points */
    b.set.queue = 8;
    b.line_sleep = 0.01; /* however slowly it goes */
    scan_rig_open(&a);
    scan_rig_run(&a);
    scan_rig_open(&b);
    scan_rig_run(&b);
    assert_true(scan_rig_digest(a.session, 8) != 0);
    assert_int_equal(scan_rig_rows(a.session, false, RS_SESSION_ARRIVED), 64);
    assert_int_equal(scan_rig_rows(b.session, true, RS_SESSION_ARRIVED), 64);
    scan_rig_close(&a);
    scan_rig_close(&b);
    rs_session_progress p;
    scan_rig_check_analysis(&a, false, &p);
    assert_int_equal(p.points, 0);
    scan_rig_check_analysis(&b, false, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_is_measured_to_the_end),
        cmocka_unit_test(the_same_seed_gives_the_same_raw_data),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, scan_rig_teardown);
}
