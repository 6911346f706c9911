/* The JSON writer: each text is compared byte for byte. */
#include "base/json.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static char text[2048];
static FILE *stream;

static rs_json open_text(void)
{
    stream = tmpfile();
    assert_non_null(stream);
    return rs_json_to(stream);
}

/* Everything written since open_text. */
static const char *written(void)
{
    rewind(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

static void values_of_every_kind(void **state)
{
    (void)state;
    rs_json j = open_text();
    rs_json_object(&j, NULL);
    rs_json_string(&j, "name", "wall");
    rs_json_string(&j, "missing", NULL);
    rs_json_integer(&j, "least", INT64_MIN);
    rs_json_bool(&j, "yes", true);
    rs_json_bool(&j, "no", false);
    rs_json_null(&j, "none");
    rs_json_end(&j);
    assert_string_equal(written(), "{\"name\": \"wall\", \"missing\": null, \"least\": "
                                   "-9223372036854775808, \"yes\": true, \"no\": false, "
                                   "\"none\": null}\n");
}

static void nesting_places_commas(void **state)
{
    (void)state;
    rs_json j = open_text();
    rs_json_object(&j, NULL);
    rs_json_array(&j, "empty");
    rs_json_end(&j);
    rs_json_array(&j, "list");
    for (int i = 0; i < 3; i++) rs_json_integer(&j, NULL, i);
    rs_json_object(&j, NULL);
    rs_json_end(&j);
    rs_json_array(&j, NULL);
    rs_json_bool(&j, NULL, true);
    rs_json_end(&j);
    rs_json_end(&j);
    rs_json_integer(&j, "after", 1);
    rs_json_end(&j);
    assert_string_equal(written(),
                        "{\"empty\": [], \"list\": [0, 1, 2, {}, [true]], \"after\": 1}\n");
}

static void outermost_values_are_lines(void **state)
{
    (void)state;
    rs_json j = open_text();
    rs_json_object(&j, NULL);
    rs_json_end(&j);
    rs_json_array(&j, NULL);
    rs_json_end(&j);
    rs_json_integer(&j, NULL, 7);
    assert_string_equal(written(), "{}\n[]\n7\n");
}

static void every_depth_is_kept(void **state)
{
    (void)state;
    rs_json j = open_text();
    for (int i = 0; i < RS_JSON_DEPTH; i++) rs_json_array(&j, NULL);
    for (int i = 0; i < RS_JSON_DEPTH; i++) rs_json_end(&j);
    assert_string_equal(written(), "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n");
}

static void strings_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } c[] = {
        {"", "\"\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x7f", "\"\\u000a\\u0009\\u0001\\u007f\""},
        {"\xc2\xb5m \xe2\x84\xab \xf0\x9f\x98\x80", "\"\xc2\xb5m \xe2\x84\xab \xf0\x9f\x98\x80\""},
        {"\xff", "\"\\ufffd\""},
        {"a\xc3", "\"a\\ufffd\""},                                  /* cut short */
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},                         /* longer than needed */
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},              /* a surrogate */
        {"\xf4\x90\x80\x80z", "\"\\ufffd\\ufffd\\ufffd\\ufffdz\""}, /* above U+10FFFF */
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        char line[128];
        rs_json j = open_text();
        rs_json_string(&j, NULL, c[i].in);
        snprintf(line, sizeof line, "%s\n", c[i].out);
        assert_string_equal(written(), line);
    }
    rs_json j = open_text();
    rs_json_object(&j, NULL);
    rs_json_null(&j, "a\"\n");
    rs_json_end(&j);
    assert_string_equal(written(), "{\"a\\\"\\u000a\": null}\n");
}

static void numbers_read_back(void **state)
{
    (void)state;
    static const double v[] = {0,     -0.0,     1,       -1.5,    0.1,       1e6,
                               1e300, 4.9e-324, 1.0 / 3, 2.0 / 3, 123456789, 0.1 + 0.2};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        rs_json j = open_text();
        rs_json_number(&j, NULL, v[i]);
        char *end;
        double back = strtod(written(), &end);
        assert_memory_equal(&back, &v[i], sizeof back);
        assert_string_equal(end, "\n");
    }
    rs_json j = open_text();
    rs_json_array(&j, NULL);
    rs_json_number(&j, NULL, 0.1);
    rs_json_number(&j, NULL, NAN);
    rs_json_number(&j, NULL, INFINITY);
    rs_json_number(&j, NULL, -INFINITY);
    rs_json_number(&j, NULL, 2097152);
    rs_json_end(&j);
    assert_string_equal(written(), "[0.1, null, null, null, 2097152]\n");
}

static void locale_does_not_matter(void **state)
{
    (void)state;
    static const char *const name[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "nl_NL.UTF-8"};
    bool set = false;
    for (size_t i = 0; i < sizeof name / sizeof *name && !set; i++)
        set = setlocale(LC_NUMERIC, name[i]) != NULL;
    rs_json j = open_text();
    rs_json_number(&j, NULL, 1.5);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(written(), "1.5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_kind),       cmocka_unit_test(nesting_places_commas),
        cmocka_unit_test(outermost_values_are_lines), cmocka_unit_test(every_depth_is_kept),
        cmocka_unit_test(strings_are_escaped),        cmocka_unit_test(numbers_read_back),
        cmocka_unit_test(locale_does_not_matter),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
