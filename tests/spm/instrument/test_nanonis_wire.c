/* Messages of the Nanonis interface against the bytes that the vendor's manual prints, and
 * replies that lie about their sizes. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/nanonis/wire.h"

/* ------------------------------------------------------------------------ the manual's examples */

/* "FolMe.XYPosSet" and "FolMe.XYPosGet", padded to 32 bytes, as printed. */
#define XY_POS 0x46, 0x6F, 0x6C, 0x4D, 0x65, 0x2E, 0x58, 0x59, 0x50, 0x6F, 0x73
#define PADDING 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define XY_POS_SET XY_POS, 0x53, 0x65, 0x74, PADDING
#define XY_POS_GET XY_POS, 0x47, 0x65, 0x74, PADDING

static void requests_of_the_manual(void **state)
{
    (void)state;
    static const uint8_t set[] = {XY_POS_SET, 0,    0,    0,    0x14, 0,    1,    0,    0, /* */
                                  0x3E,       0x45, 0x79, 0x8E, 0xE2, 0x30, 0x8C, 0x3A, /* 10 nm */
                                  0x3E,       0x50, 0x1B, 0x2B, 0x29, 0xA4, 0x69, 0x2B, /* 15 nm */
                                  0,          0,    0,    1};
    static const uint8_t get[] = {XY_POS_GET, 0, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 1};
    rs_nano_message m;
    rs_nano_request(&m, "FolMe.XYPosSet", "ddI", (double[]){10e-9, 15e-9, 1});
    assert_false(m.overflow);
    assert_int_equal(m.size, sizeof set);
    assert_memory_equal(m.bytes, set, sizeof set);
    rs_nano_request(&m, "FolMe.XYPosGet", "I", (double[]){1});
    assert_int_equal(m.size, sizeof get);
    assert_memory_equal(m.bytes, get, sizeof get);
}

/* A whole reply, split as the link does it. */
static reshed_status split(const uint8_t *data, size_t len, const char *name, rs_nano_reply *r,
                           reshed_error *err)
{
    size_t body = 0;
    if (len < RS_NANO_HEADER) return rs_fail(err, RESHED_ECORRUPT, "short header");
    reshed_status st = rs_nano_read_header(data, name, 1 << 20, &body, err);
    if (st != RESHED_OK) return st;
    if (body != len - RS_NANO_HEADER) return rs_fail(err, RESHED_ECORRUPT, "another size");
    *r = (rs_nano_reply){name, data + RS_NANO_HEADER, body};
    return RESHED_OK;
}

static void replies_of_the_manual(void **state)
{
    (void)state;
    static const uint8_t get[] = {XY_POS_GET, 0,    0,    0,    0x18, 0,    0,    0,    0, /* */
                                  0x3E,       0x35, 0x79, 0x8E, 0xE2, 0x30, 0x8C, 0x3A, /* 5 nm */
                                  0xBE,       0x35, 0x79, 0x8E, 0xE2, 0x30, 0x8C, 0x3A, /* -5 nm */
                                  0,          0,    0,    0,    0,    0,    0,    0};
    static const uint8_t set[] = {XY_POS_SET, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    rs_nano_reply r;
    reshed_error err = {0};
    double v[2] = {7, 7};
    assert_ok(split(get, sizeof get, "FolMe.XYPosGet", &r, &err), &err);
    assert_ok(rs_nano_read(&r, "dd", v, &err), &err);
    assert_true(v[0] == 5e-9 && v[1] == -5e-9);
    assert_ok(split(set, sizeof set, "FolMe.XYPosSet", &r, &err), &err);
    assert_ok(rs_nano_read(&r, "", NULL, &err), &err);
    /* The reply of one is not the reply of the other. */
    assert_int_equal(split(set, sizeof set, "FolMe.XYPosGet", &r, &err), RESHED_ECORRUPT);
    assert_string_equal(err.found, "FolMe.XYPosSet");
}

static void requests_of_every_kind(void **state)
{
    (void)state;
    static const uint8_t body[] = {
        0x80, 0x01,             /* H */
        0xff, 0xff, 0xff, 0xfe, /* I */
        0xff, 0xff, 0xff, 0xff, /* i: -1 */
        0x3f, 0xc0, 0,    0,    /* f: 1.5 */
        0,    0,    0,    3,    'M', 'L', 'S', 0, 0, 0,    9,    0, 0,
        0,    2,                                                        /* 9 bytes, 2 strings */
        0,    0,    0,    1,    'a', 0,   0,   0, 0, 0x7f, 0xc0, 0, 0}; /* NaN */
    rs_nano_message m;
    rs_nano_request(&m, "A.B", "HIif", (double[]){0x8001, 4294967294.0, -1, 1.5});
    rs_nano_put_string(&m, "MLS");
    rs_nano_put_strings(&m, (const char *[]){"a", ""}, 2);
    rs_nano_put(&m, "f", (double[]){NAN});
    assert_false(m.overflow);
    assert_int_equal(m.size, RS_NANO_HEADER + sizeof body);
    assert_int_equal(m.bytes[35], sizeof body);
    assert_memory_equal(m.bytes + RS_NANO_HEADER, body, sizeof body);
}

static void requests_that_are_too_long(void **state)
{
    (void)state;
    rs_nano_message m;
    char text[RS_NANO_MAX_REQUEST] = "";
    rs_nano_begin(&m, "A.B");
    memset(text, 'x', RS_NANO_MAX_REQUEST - RS_NANO_HEADER - 4);
    rs_nano_put_string(&m, text); /* fits to the byte */
    assert_false(m.overflow);
    assert_int_equal(m.size, RS_NANO_MAX_REQUEST);
    rs_nano_put(&m, "H", (double[]){1});
    assert_true(m.overflow);
    rs_nano_begin(&m, "A.Name.Of.More.Than.32.Characters.");
    assert_true(m.overflow);
    rs_nano_begin(&m, "A.Name.Of.Exactly.32.Characters.");
    assert_false(m.overflow);
    rs_nano_put_strings(&m, (const char *[]){text, text}, 2);
    assert_true(m.overflow);
}

/* ------------------------------------------------------------------------------ replies by hand */

typedef struct bytes {
    uint8_t data[8192];
    size_t n;
} bytes;

static void put(bytes *b, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--) b->data[b->n++] = (uint8_t)(v >> 8 * i);
}
static void put_f(bytes *b, float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    put(b, u, 4);
}
static void put_s(bytes *b, const char *s)
{
    put(b, strlen(s), 4);
    while (*s) b->data[b->n++] = (uint8_t)*s++;
}
static void begin(bytes *b, const char *name)
{
    memset(b->data, 0, 40);
    memcpy(b->data, name, strlen(name));
    b->n = 40;
}
static void end(bytes *b, uint32_t status, const char *text)
{
    put(b, status, 4);
    put_s(b, text);
    size_t n = b->n;
    b->n = 32;
    put(b, n - 40, 4);
    b->n = n;
}

#define NAMES 5
static const char *const name_list[NAMES] = {"Current (A)", "", "LI Demod 1 R (m)", "Z (m)", "x"};

static void put_names(bytes *b)
{
    size_t n = 0;
    for (int i = 0; i < NAMES; i++) n += 4 + strlen(name_list[i]);
    put(b, n, 4);
    put(b, NAMES, 4);
    for (int i = 0; i < NAMES; i++) put_s(b, name_list[i]);
}

static void names_reply(bytes *b, bool slots)
{
    begin(b, slots ? "Signals.InSlotsGet" : "Signals.NamesGet");
    put_names(b);
    if (slots) put(b, NAMES, 4);
    for (int i = 0; slots && i < NAMES; i++) put(b, (uint32_t)(7 * i), 4);
    end(b, 0, "");
}

static void check_names(const rs_nano_names *names)
{
    long sum = 0; /* every byte is looked at: the sanitizer sees what is outside */
    for (int i = 0; i < names->n; i++) sum += (long)strlen(names->name[i]);
    assert_true(sum >= 0);
}

static reshed_status read_names(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_nano_reply r;
    rs_nano_names names = {0};
    reshed_status st = split(data, len, "Signals.NamesGet", &r, err);
    if (st == RESHED_OK) st = rs_nano_read_names(&r, &names, NULL, err);
    if (st != RESHED_OK) assert_true(names.n == 0 && !names.name);
    check_names(&names);
    rs_nano_names_free(&names);
    return st;
}

static reshed_status read_slots(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_nano_reply r;
    rs_nano_names names = {0};
    int *slots = NULL, sum = 0;
    reshed_status st = split(data, len, "Signals.InSlotsGet", &r, err);
    if (st == RESHED_OK) st = rs_nano_read_names(&r, &names, &slots, err);
    check_names(&names);
    for (int i = 0; i < names.n; i++) sum ^= slots[i];
    (void)sum;
    rs_nano_names_free(&names);
    rs_free(slots);
    return st;
}

static void frame_reply(bytes *b)
{
    begin(b, "Scan.FrameDataGrab");
    put_s(b, "Z (m)");
    put(b, 3, 4);
    put(b, 16, 4);
    for (int i = 0; i < 48; i++) put_f(b, i < 32 ? (float)i : NAN);
    put(b, 1, 4);
    end(b, 0, "");
}

static reshed_status read_frame(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_nano_reply r;
    rs_nano_frame f;
    reshed_status st = split(data, len, "Scan.FrameDataGrab", &r, err);
    if (st == RESHED_OK) st = rs_nano_read_frame(&r, &f, err);
    if (st != RESHED_OK) return st;
    assert_true(f.rows >= 0 && f.cols >= 0 && strlen(f.channel) < sizeof f.channel);
    size_t n = (size_t)f.rows * (size_t)f.cols;
    assert_true(n <= len / 4);
    float *v = rs_alloc(n, sizeof *v);
    if (!v) return rs_fail_nomem(err, "values", n);
    rs_nano_floats(f.values, n, v);
    rs_free(v);
    return RESHED_OK;
}

static void curves_reply(bytes *b)
{
    begin(b, "BiasSpectr.Start");
    put_names(b);
    put(b, NAMES, 4);
    put(b, 4, 4);
    for (int i = 0; i < 4 * NAMES; i++) put_f(b, (float)i);
    put(b, 2, 4);
    put_f(b, 1);
    put_f(b, 2);
    end(b, 0, "");
}

static reshed_status read_curves(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_nano_reply r;
    rs_nano_curves c = {0};
    reshed_status st = split(data, len, "BiasSpectr.Start", &r, err);
    if (st == RESHED_OK) st = rs_nano_read_curves(&r, &c, err);
    if (st != RESHED_OK) return st;
    assert_int_equal(c.rows, c.channel.n);
    check_names(&c.channel);
    for (int i = 0; i < c.rows * c.cols; i++) {
        float v;
        rs_nano_floats(c.values + 4 * i, 1, &v);
    }
    rs_nano_names_free(&c.channel);
    return RESHED_OK;
}

static void props_reply(bytes *b)
{
    begin(b, "Scan.PropsGet");
    put(b, 1, 4);
    put(b, 0, 4);
    put(b, 2, 4);
    put_s(b, "series");
    put_s(b, "a comment");
    put(b, 77, 4);
    end(b, 0, "");
}

static reshed_status read_props(const uint8_t *data, size_t len, reshed_error *err)
{
    static rs_nano_props p;
    rs_nano_reply r;
    reshed_status st = split(data, len, "Scan.PropsGet", &r, err);
    return st == RESHED_OK ? rs_nano_read_props(&r, &p, err) : st;
}

static void version_reply(bytes *b)
{
    begin(b, "Util.VersionGet");
    put_s(b, "Mimea");
    put_s(b, "Generic 5");
    put(b, 13742, 4);
    put(b, 13741, 4);
    end(b, 0, "");
}

static reshed_status read_version(const uint8_t *data, size_t len, reshed_error *err)
{
    char text[96];
    rs_nano_reply r;
    reshed_status st = split(data, len, "Util.VersionGet", &r, err);
    return st == RESHED_OK ? rs_nano_read_version(&r, text, sizeof text, err) : st;
}

static void buffer_reply(bytes *b)
{
    begin(b, "Scan.BufferGet");
    put(b, 2, 4);
    put(b, 14, 4);
    put(b, 30, 4);
    put(b, 256, 4);
    put(b, 128, 4);
    end(b, 0, "");
}

static reshed_status read_buffer(const uint8_t *data, size_t len, reshed_error *err)
{
    int pixels = 0, lines = 0;
    rs_nano_reply r;
    reshed_status st = split(data, len, "Scan.BufferGet", &r, err);
    if (st == RESHED_OK) st = rs_nano_read_buffer(&r, &pixels, &lines, err);
    if (st == RESHED_OK) assert_true(pixels >= 1 && lines >= 1);
    return st;
}

static void replies_are_read(void **state)
{
    (void)state;
    bytes b;
    rs_nano_reply r;
    reshed_error err = {0};
    rs_nano_names names;
    int *slots = NULL, pixels, lines;
    names_reply(&b, true);
    assert_ok(split(b.data, b.n, "Signals.InSlotsGet", &r, &err), &err);
    assert_ok(rs_nano_read_names(&r, &names, &slots, &err), &err);
    assert_int_equal(names.n, NAMES);
    for (int i = 0; i < NAMES; i++) {
        assert_string_equal(names.name[i], name_list[i]);
        assert_int_equal(slots[i], 7 * i);
    }
    rs_nano_names_free(&names);
    rs_free(slots);

    rs_nano_frame f;
    float v[48];
    frame_reply(&b);
    assert_ok(split(b.data, b.n, "Scan.FrameDataGrab", &r, &err), &err);
    assert_ok(rs_nano_read_frame(&r, &f, &err), &err);
    assert_string_equal(f.channel, "Z (m)");
    assert_true(f.rows == 3 && f.cols == 16 && f.up);
    rs_nano_floats(f.values, 48, v);
    for (int i = 0; i < 48; i++) assert_true(i < 32 ? v[i] == (float)i : isnan(v[i]));

    rs_nano_curves c;
    curves_reply(&b);
    assert_ok(split(b.data, b.n, "BiasSpectr.Start", &r, &err), &err);
    assert_ok(rs_nano_read_curves(&r, &c, &err), &err);
    assert_true(c.rows == NAMES && c.cols == 4);
    rs_nano_floats(c.values, 20, v);
    assert_true(v[19] == 19);
    rs_nano_names_free(&c.channel);

    char text[96];
    version_reply(&b);
    assert_ok(split(b.data, b.n, "Util.VersionGet", &r, &err), &err);
    assert_ok(rs_nano_read_version(&r, text, sizeof text, &err), &err);
    assert_string_equal(text, "SPECS Nanonis Mimea, Generic 5, host R13742, RT engine R13741");
    buffer_reply(&b);
    assert_ok(split(b.data, b.n, "Scan.BufferGet", &r, &err), &err);
    assert_ok(rs_nano_read_buffer(&r, &pixels, &lines, &err), &err);
    assert_true(pixels == 256 && lines == 128);
    static rs_nano_props p;
    props_reply(&b);
    assert_ok(split(b.data, b.n, "Scan.PropsGet", &r, &err), &err);
    assert_ok(rs_nano_read_props(&r, &p, &err), &err);
    assert_string_equal(p.series, "series");
    assert_string_equal(p.comment, "a comment");
}

/* The error block after the values, and without them. */
static void errors_of_the_instrument(void **state)
{
    (void)state;
    bytes b;
    rs_nano_reply r;
    double v = 3;
    for (int values = 0; values < 2; values++) {
        reshed_error err = {0};
        begin(&b, "Bias.Get");
        if (values) put_f(&b, 1);
        end(&b, 1, "bias module: out of range");
        assert_ok(split(b.data, b.n, "Bias.Get", &r, &err), &err);
        assert_int_equal(rs_nano_read(&r, "f", &v, &err), RESHED_EUNSUPPORTED);
        assert_non_null(strstr(err.what, "bias module: out of range"));
        assert_true(v == 3);
        begin(&b, "Signals.NamesGet");
        if (values) put_names(&b);
        end(&b, 1, "no");
        assert_int_equal(read_names(b.data, b.n, &err), RESHED_EUNSUPPORTED);
    }
    reshed_error err = {0};
    begin(&b, "Bias.Get"); /* too little for a success */
    end(&b, 0, "");
    assert_ok(split(b.data, b.n, "Bias.Get", &r, &err), &err);
    assert_int_equal(rs_nano_read(&r, "f", &v, &err), RESHED_ECORRUPT);
    begin(&b, "Bias.Get"); /* too much */
    put_f(&b, 1);
    put_f(&b, 1);
    end(&b, 0, "");
    assert_ok(split(b.data, b.n, "Bias.Get", &r, &err), &err);
    assert_int_equal(rs_nano_read(&r, "f", &v, &err), RESHED_ECORRUPT);
}

static void sizes_that_lie(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0x7fffffff, 0x80000000u, 0xffffffffu, 0x40000000, 65537, 65536};
    const struct {
        void (*make)(bytes *b);
        test_reader read;
        size_t at[4]; /* where the sizes are, after the header */
    } t[] = {{frame_reply, read_frame, {0, 9, 13, 0}},
             {curves_reply, read_curves, {0, 4, 8, 0}},
             {buffer_reply, read_buffer, {0, 0, 0, 0}}};
    for (size_t k = 0; k < 3; k++)
        for (size_t j = 0; j < 4; j++)
            for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                bytes b;
                reshed_error err = {0};
                t[k].make(&b);
                size_t n = b.n;
                b.n = 40 + t[k].at[j];
                put(&b, bad[i], 4);
                assert_int_equal(t[k].read(b.data, n, &err), RESHED_ECORRUPT);
            }
    const int32_t sizes[] = {-1, 0, 7, 1 << 20 | 1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < 6; i++) {
        bytes b;
        reshed_error err = {0};
        size_t body = 99;
        frame_reply(&b);
        b.n = 32;
        put(&b, (uint32_t)sizes[i], 4);
        assert_int_equal(rs_nano_read_header(b.data, "Scan.FrameDataGrab", 1 << 20, &body, &err),
                         RESHED_ECORRUPT);
        assert_int_equal(body, 99);
    }
}

static void hostile(const char *name, void (*make)(bytes *b), test_reader read, bool allocates)
{
    bytes b;
    make(&b);
    test_truncate(read, b.data, b.n, b.n);
    test_mutate(name, read, b.data, b.n, test_mutations());
    if (allocates) test_each_alloc(read, b.data, b.n);
}

static void only_names(bytes *b)
{
    names_reply(b, false);
}
static void with_slots(bytes *b)
{
    names_reply(b, true);
}

static void hostile_replies(void **state)
{
    (void)state;
    hostile("names", only_names, read_names, true);
    hostile("slots", with_slots, read_slots, true);
    hostile("frame", frame_reply, read_frame, true);
    hostile("curves", curves_reply, read_curves, true);
    hostile("properties", props_reply, read_props, false);
    hostile("version", version_reply, read_version, false);
    hostile("buffer", buffer_reply, read_buffer, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_the_manual), cmocka_unit_test(replies_of_the_manual),
        cmocka_unit_test(requests_of_every_kind), cmocka_unit_test(requests_that_are_too_long),
        cmocka_unit_test(replies_are_read),       cmocka_unit_test(errors_of_the_instrument),
        cmocka_unit_test(sizes_that_lie),         cmocka_unit_test(hostile_replies),
    };
    return cmocka_run_group_tests_name("nanonis wire", tests, NULL, NULL);
}
