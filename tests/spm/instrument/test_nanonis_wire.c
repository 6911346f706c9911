/* Messages of the Nanonis interface against the bytes that the vendor's manual prints, replies that
 * lie about their sizes, and the bookkeeping of lines and staircases. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/nanonis/options.h"
#include "spm/instrument/nanonis/rows.h"
#include "spm/instrument/nanonis/segments.h"
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

/* ---------------------------------------------------------------------------------------- lines */

#define R 3
#define C 32

/* Channel 0 of one direction from a list of values by stored row and column. */
static void put_frame(rs_nano_rows *r, int direction, const float *v)
{
    bytes b;
    b.n = 0;
    for (int i = 0; i < R * C; i++) put_f(&b, v[i]);
    rs_nano_rows_put(r, 0, direction, b.data);
}

static void fill_row(float *v, int row, int from, int to, float base)
{
    for (int i = from; i < to; i++) v[row * C + i] = base + (float)i;
}

static void rows_become_complete(void **state)
{
    (void)state;
    rs_nano_rows r = {0};
    reshed_error err = {0};
    float v[R * C];
    for (int i = 0; i < R * C; i++) v[i] = NAN;
    assert_ok(rs_nano_rows_size(&r, 1, 1, R, C, &err), &err);
    rs_nano_rows_start(&r);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.furthest, -1);
    fill_row(v, 0, 0, 16, 5);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN);
    assert_int_equal(r.furthest, 0);
    fill_row(v, 0, 0, C, 5);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_COMPLETE);
    assert_int_equal(r.state[1], RS_NANO_EMPTY);
    v[3] = NAN; /* a hole in a line that was scanned */
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN);
    rs_nano_rows_free(&r);
}

/* The old frame is still there and is overwritten packet by packet. */
static void old_rows_do_not_count(void **state)
{
    (void)state;
    rs_nano_rows r = {0};
    reshed_error err = {0};
    float v[R * C];
    for (int i = 0; i < R; i++) fill_row(v, i, 0, C, (float)(100 * i));
    assert_ok(rs_nano_rows_size(&r, 1, 1, R, C, &err), &err);
    put_frame(&r, 0, v);
    rs_nano_rows_start(&r);
    rs_nano_rows_update(&r);
    assert_int_equal(r.furthest, -1);
    fill_row(v, 0, 0, 16, 7);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN); /* no NaN in it, and yet half of it is old */
    fill_row(v, 0, 0, 16, 0);
    fill_row(v, 0, 16, C, 7); /* one that is scanned from the right */
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN);
    fill_row(v, 0, 0, 16, 7);
    fill_row(v, 0, 16, C, 7);
    v[5] = 5; /* a pixel may well have its old value */
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_COMPLETE);
    assert_int_equal(r.state[1], RS_NANO_EMPTY);
    /* Once a row has been seen empty, its old values may come again. */
    for (int i = 0; i < C; i++) v[C + i] = NAN;
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    fill_row(v, 1, 0, C, 100);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[1], RS_NANO_COMPLETE);
    rs_nano_rows_free(&r);
}

static void rows_and_columns_of_every_order(void **state)
{
    (void)state;
    for (int k = 0; k < 12; k++) {
        const int order = k % 3;
        const bool up = k / 3 % 2, mirror = k / 6;
        rs_nano_rows r = {.up = up, .order = order, .backward_mirror = mirror};
        reshed_error err = {0};
        float v[2][R * C], line[C];
        assert_ok(rs_nano_rows_size(&r, 1, 2, R, C, &err), &err);
        /* The image has 1000*row + col at row 0 = top; backward 0.5 more. */
        for (int row = 0; row < R; row++)
            for (int col = 0; col < C; col++) {
                const int stored = order == RS_NANO_ORDER_TOP      ? row
                                   : order == RS_NANO_ORDER_BOTTOM ? R - 1 - row
                                   : up                            ? R - 1 - row
                                                                   : row;
                v[0][stored * C + col] = (float)(1000 * row + col);
                v[1][stored * C + (mirror ? C - 1 - col : col)] = (float)(1000 * row + col) + 0.5f;
            }
        put_frame(&r, 0, v[0]);
        put_frame(&r, 1, v[1]);
        for (int p = 0; p < 2 * R; p++) {
            const int row = rs_nano_rows_row(&r, p);
            assert_int_equal(row, up ? R - 1 - p / 2 : p / 2);
            assert_int_equal(rs_nano_rows_position(&r, row), p / 2 * 2);
            rs_nano_rows_line(&r, 0, p % 2, row, 2, line);
            for (int i = 0; i < C; i++)
                assert_true(line[i] == 2 * ((float)(1000 * row + i) + (p % 2 ? 0.5f : 0)));
        }
        rs_nano_rows_free(&r);
    }
}

static void frames_that_cannot_be(void **state)
{
    (void)state;
    rs_nano_rows r = {0};
    reshed_error err = {0};
    assert_int_equal(rs_nano_rows_size(&r, 1, 1, 0, 16, &err), RESHED_EINVAL);
    assert_int_equal(rs_nano_rows_size(&r, 1, 1, 65536, 65536, &err), RESHED_EINVAL);
    for (long n = 0; n < 3; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_nano_rows_size(&r, 2, 2, R, C, &err);
        test_alloc_fail_at(-1);
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(r.data);
    }
}

/* ----------------------------------------------------------------------------------- staircases */

/* Every point lies in one piece and on its line. */
static int check_segments(const double *v, int n, int room)
{
    rs_nano_segment s[64];
    int count = rs_nano_segments(v, n, s, room), at = 0;
    for (int k = 0; k < count && k < room; k++) {
        assert_int_equal(s[k].first, at);
        assert_true(s[k].points >= 1);
        for (int i = 0; i < s[k].points; i++) {
            const double a = v[at], b = v[at + s[k].points - 1];
            const double want = s[k].points > 1 ? a + (b - a) * i / (s[k].points - 1) : a;
            assert_true(fabs(v[at + i] - want) <= 1e-4 * 10);
        }
        at += s[k].points;
    }
    if (count <= room) assert_int_equal(at, n);
    return count;
}

static void staircases_in_pieces(void **state)
{
    (void)state;
    double v[512];
    for (int i = 0; i < 100; i++) v[i] = -5 + 0.1 * i;
    assert_int_equal(check_segments(v, 100, 16), 1);
    for (int n = 8; n <= 512; n += 4) { /* the triangle 0, +, 0, -, 0 of one cycle */
        for (int i = 0; i < n; i++) {
            double t = (double)i / n;
            v[i] = 10 * (t < 0.25 ? 4 * t : t < 0.75 ? 2 - 4 * t : 4 * t - 4);
        }
        assert_true(check_segments(v, n, 16) <= 4);
    }
    /* A single point at the end takes one from the piece before. */
    double tail[] = {0, 1, 2, 3, 0};
    rs_nano_segment s[4];
    assert_int_equal(rs_nano_segments(tail, 5, s, 4), 2);
    assert_true(s[0].points == 3 && s[1].first == 3 && s[1].points == 2);
    double one[] = {3};
    assert_int_equal(check_segments(one, 1, 16), 1);
    /* More pieces than there is room for: counted, not written. */
    for (int i = 0; i < 512; i++) v[i] = (double)(i * i % 7);
    assert_true(check_segments(v, 512, 16) > 16);
    assert_int_equal(rs_nano_segments(v, 0, s, 4), 0);
}

/* -------------------------------------------------------------------------------------- options */

static void options_are_checked(void **state)
{
    (void)state;
    rs_nano_settings s;
    reshed_error err = {0};
    const rs_driver_option good[] = {
        {"also", "Z (m)"},    {"phase", "Phi"},        {"channel", "R"},
        {"host", "10.0.0.3"}, {"ports", "7001, 7002"}, {"retrace", "yes"},
        {"order", "bottom"},  {"backward", "space"},   {"angle", "counterclockwise"},
        {"index", "slot"},    {"wait", "poll"},        {"props", "keep"},
        {"hold", "off"},      {"engage", "feedback"},  {"modulator", "2"},
        {"bias_max", "5.5"},  {"x_min", "-1e-6"}};
    assert_ok(rs_nano_options(good, 17, &s, &err), &err);
    assert_int_equal(s.signals, 3);
    assert_string_equal(s.signal[0], "R");
    assert_string_equal(s.signal[1], "Phi");
    assert_string_equal(s.signal[2], "Z (m)");
    assert_string_equal(s.host, "10.0.0.3");
    assert_true(s.ports == 2 && s.port[0] == 7001 && s.port[1] == 7002);
    assert_true(s.retrace && s.order == RS_NANO_ORDER_BOTTOM && !s.backward_in_time);
    assert_true(s.counterclockwise && s.slots && s.poll && s.keep_props && s.hold == 2);
    assert_true(s.feedback_only && s.modulator == 2 && s.limits.bias_max == 5.5);
    assert_true(s.limits.x_min == -1e-6 && isnan(s.limits.x_max));
    const rs_driver_option least[] = {{"channel", "R"}};
    assert_ok(rs_nano_options(least, 1, &s, &err), &err);
    assert_true(s.ports == 4 && s.port[0] == 6501 && s.port[3] == 6504 && s.backward_in_time);
    const rs_driver_option bad[][2] = {
        {{"channel", "R"}, {"channel", "S"}},    {{"channel", "R"}, {"ports", "6501"}},
        {{"channel", "R"}, {"ports", "a,b"}},    {{"channel", "R"}, {"ports", "6501,"}},
        {{"channel", "R"}, {"ports", "0,6501"}}, {{"channel", "R"}, {"order", "tim"}},
        {{"channel", "R"}, {"order", "times"}},  {{"channel", "R"}, {"nonsense", "1"}},
        {{"channel", "R"}, {"bias_max", "-1"}},  {{"channel", "R"}, {"bias_max", "nan"}},
        {{"channel", "R"}, {"silence", "1x"}},   {{"channel", "R"}, {"host", ""}},
        {{"channel", ""}, {"host", "a"}},        {{"phase", "R"}, {"host", "a"}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (reshed_error){0};
        assert_int_equal(rs_nano_options(bad[i], 2, &s, &err), RESHED_EINVAL);
        assert_true(err.what[0] != '\0');
    }
    /* Each option of the help is known, and the help names all of them. */
    for (size_t i = 0; i < 17; i++) assert_non_null(strstr(rs_nano_options_help, good[i].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_the_manual),
        cmocka_unit_test(replies_of_the_manual),
        cmocka_unit_test(requests_of_every_kind),
        cmocka_unit_test(requests_that_are_too_long),
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(errors_of_the_instrument),
        cmocka_unit_test(sizes_that_lie),
        cmocka_unit_test(hostile_replies),
        cmocka_unit_test(rows_become_complete),
        cmocka_unit_test(old_rows_do_not_count),
        cmocka_unit_test(rows_and_columns_of_every_order),
        cmocka_unit_test(frames_that_cannot_be),
        cmocka_unit_test(staircases_in_pieces),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests_name("nanonis wire", tests, NULL, NULL);
}
