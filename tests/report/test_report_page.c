#include <math.h>
#include <string.h>

#include "base/os.h"
#include "report/page.h"
#include "support/support.h"

static void pairs_share_their_unit(void **state)
{
    (void)state;
    static const struct {
        double a, b;
        const char *unit, *want;
    } c[] = {{4.3831, 0.1984, "V", "4.38 / 0.20 V"},
             {0.8237, 1.665, "V", "0.82 / 1.67 V"},
             {-0.02, 0.0031, "V",
              "\xe2\x88\x92"
              "20.0 / 3.1 mV"},
             {12.13, 8.79, "V*a.u.", "12.1 / 8.8 V*a.u."},
             {512e-9, 33e-9, "m", "512 / 33 nm"},
             {0, 0, "V", "0.00 / 0.00 V"},
             {2, NAN, "V", "2.00 V / \xe2\x80\x93"}};
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        rs_page p = {0};
        rs_page_pair(&p, c[i].a, " / ", c[i].b, 3, c[i].unit);
        rs_page_raw(&p, "|");
        char got[64];
        snprintf(got, sizeof got, "%.*s", (int)p.len - 1, p.text);
        assert_string_equal(got, c[i].want);
        rs_page_clear(&p);
    }
    rs_page p = {0};
    rs_page_fail(&p, RESHED_ECORRUPT, NULL);
    rs_page_raw(&p, "never");
    assert_int_equal(p.len, 0);
    assert_int_equal(rs_page_save(&p, test_temp("never.html"), &err), RESHED_ECORRUPT);
    assert_false(rs_os_is_file(test_temp("never.html")));
    rs_page_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pairs_share_their_unit)};
    return cmocka_run_group_tests_name("report_page", tests, NULL, NULL);
}
