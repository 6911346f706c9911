/* Text, paths, and the small functions on numbers. */
#include "base/text.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"
#include "support/support.h"
#include "support/tolerance.h"

static void letter_case_never_counts(void **state)
{
    (void)state;
    assert_true(rs_text_same("NanX", "nAny", 3) && !rs_text_same("NanX", "nAny", 4));
    assert_true(rs_text_same("", "x", 0) && !rs_text_same("a", "ab", 2));
    assert_true(rs_text_begins("Amplitude 1", "amp") && rs_text_begins("a", ""));
    assert_false(rs_text_begins("am", "amp") || rs_text_begins("samp", "amp"));
    assert_true(rs_text_contains("Off-Field", "field") && rs_text_contains("xxy", "XY"));
    assert_true(rs_text_contains("", "") && rs_text_contains("a", ""));
    assert_false(rs_text_contains("fiel", "field") || rs_text_contains("", "a"));
    assert_false(rs_text_same("\xc4", "\xe4", 1)); /* only that of ASCII */
    assert_false(rs_text_same("[", "{", 1) || rs_text_same("@", "`", 1));
}

static void text_is_cut_at_whole_characters(void **state)
{
    (void)state;
    char buf[4];
    rs_text_copy(buf, sizeof buf, "ab\xc3\xb6");
    assert_string_equal(buf, "ab");
    rs_text_copy(buf, sizeof buf, "a\xc3\xb6z");
    assert_string_equal(buf, "a\xc3\xb6");
    rs_text_copy(buf, sizeof buf, "");
    assert_string_equal(buf, "");
    memset(buf, 'x', sizeof buf);
    rs_text_copy(buf, 1, "abc");
    assert_true(buf[0] == '\0' && buf[1] == 'x');
}

static void paths_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name;
        size_t stem;
    } c[] = {{"a.b/c.h5", "c.h5", 5},
             {"image.png", "image.png", 5},
             {"/x/y.tar.gz", "y.tar.gz", 8},
             {"a.b/c", "c", 5},
             {"folder/", "", 7},
             {".hidden", ".hidden", 7},
             {"d/.hidden", ".hidden", 9},
             {"", "", 0},
             {"end.", "end.", 3}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        assert_string_equal(rs_path_name(c[i].path), c[i].name);
        assert_int_equal(rs_path_stem(c[i].path), c[i].stem);
    }
}

static void numbers_are_held_and_turned(void **state)
{
    (void)state;
    assert_true(rs_min_int(-1, 2) == -1 && rs_max_int(-1, 2) == 2);
    assert_true(rs_clamp_int(5, 0, 3) == 3 && rs_clamp_int(-5, 0, 3) == 0 &&
                rs_clamp_int(2, 0, 3) == 2);
    assert_true(rs_clamp(5, 0, 3) == 3 && rs_clamp(-5, 0, 3) == 0 && rs_clamp(2.5, 0, 3) == 2.5);
    assert_true(isnan(rs_clamp(NAN, 0, 1)));
    assert_true(RS_PI == acos(-1) && 180 * RS_DEGREE == RS_PI && RS_RADIAN * RS_PI == 180);
    assert_true(rs_wrap_angle(RS_PI) == RS_PI && rs_wrap_angle(-RS_PI) == RS_PI);
    assert_near(rs_wrap_angle(7), 7 - 2 * RS_PI, TOL_ROUNDING);
    assert_near(rs_wrap_angle(-7), 2 * RS_PI - 7, TOL_ROUNDING);
    assert_true(rs_wrap_angle(0.25) == 0.25 && isnan(rs_wrap_angle(NAN)));
    for (int i = -50; i <= 50; i++) {
        double a = rs_wrap_angle(i * RS_PI);
        assert_true(a > -RS_PI && a <= RS_PI);
    }
}

static void escapes_what_a_terminal_obeys(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain, with spaces", "plain, with spaces"},
        {"a\x1b[2Jb\n\t\x7f", "a\\x1b[2Jb\\x0a\\x09\\x7f"},
        {"\xc2\xb5m \xe6\x8c\xaf \xf0\x9f\x94\xac", "\xc2\xb5m \xe6\x8c\xaf \xf0\x9f\x94\xac"},
        {"\xff\xb5m \xc3", "\\xff\\xb5m \\xc3"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, /* a control sequence of C1 */
        {"a\xe2\x80\xae"
         "gpj.b",
         "a\\xe2\\x80\\xaegpj.b"}, /* from right to left */
        {"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
    };
    char buf[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(rs_text_escape(buf, sizeof buf, cases[i][0]), cases[i][1]);
    for (size_t n = 1; n < 12; n++) { /* cut between characters, never within */
        memset(buf, 'x', sizeof buf);
        rs_text_escape(buf, n, "a\x01\xc2\xb5");
        assert_string_equal(buf, n < 2 ? "" : n < 6 ? "a" : n < 8 ? "a\\x01" : "a\\x01\xc2\xb5");
        assert_int_equal(buf[n], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letter_case_never_counts),
        cmocka_unit_test(text_is_cut_at_whole_characters),
        cmocka_unit_test(paths_are_taken_apart),
        cmocka_unit_test(numbers_are_held_and_turned),
        cmocka_unit_test(escapes_what_a_terminal_obeys),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
