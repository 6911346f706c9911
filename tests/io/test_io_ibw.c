/* Igor binary waves, built here field by field, and the shared Asylum file. */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/ibw.h"
#include "io/image_file.h"

typedef struct wave {
    bool big, flip_x, flip_y; /* flip: negative deltas */
    int type, layers;         /* layers 0: a two-dimensional wave */
    bool labels;
    const char *note, *dim_unit;
    double dx, dy, x0, y0;
} wave;

static int size_of(int type)
{
    int t = type & ~64;
    return t == 8 ? 1 : t == 16 ? 2 : t == 2 || t == 32 || t == 3 ? 4 : 8;
}

static void put_number(file_bytes *b, int type, int v, bool big)
{
    float f = (float)v;
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if (type == 4)
        put_double(b, v, big);
    else
        put_uint(b, type == 2 ? u : (uint64_t)(int64_t)v, size_of(type), big);
}

/* Makes the int16s of the header add up to zero. */
static void fix_checksum(uint8_t *p, bool big)
{
    uint16_t sum = 0;
    p[2] = p[3] = 0;
    for (int i = 0; i < 384; i += 2)
        sum = (uint16_t)(sum + (big ? p[i] << 8 | p[i + 1] : p[i] | p[i + 1] << 8));
    sum = (uint16_t)-sum;
    p[big ? 3 : 2] = (uint8_t)sum;
    p[big ? 2 : 3] = (uint8_t)(sum >> 8);
}

/* The pattern, plus 40 in each further layer. */
static void wave_file(file_bytes *b, const wave *w)
{
    bool g = w->big;
    uint32_t layers = w->layers ? (uint32_t)w->layers : 1, n = PATTERN_H * PATTERN_W * layers;
    size_t note = w->note ? strlen(w->note) : 0;
    b->n = 0;
    put_uint(b, 5, 2, g);
    put_uint(b, 0, 2, g);
    put_uint(b, 320 + n * (uint32_t)size_of(w->type), 4, g);
    put_uint(b, 3, 4, g); /* a formula of three bytes */
    put_uint(b, note, 4, g);
    for (int i = 0; i < 5; i++) put_uint(b, 0, 4, g);
    for (int i = 0; i < 4; i++) put_uint(b, i == 2 && w->labels ? 32 * (layers + 1) : 0, 4, g);
    put_text(b, "", 12);
    put_uint(b, 0, 4, g);
    put_uint(b, 3000000000u, 4, g);
    put_uint(b, 3000000001u, 4, g);
    put_uint(b, n, 4, g);
    put_uint(b, (uint64_t)w->type, 2, g);
    put_text(b, "", 10);
    put_text(b, "wave0", 32);
    put_text(b, "", 8);
    const uint32_t dims[4] = {PATTERN_W, PATTERN_H, (uint32_t)w->layers, 0};
    for (int i = 0; i < 4; i++) put_uint(b, dims[i], 4, g);
    put_double(b, w->flip_x ? -w->dx : w->dx, g);
    put_double(b, w->flip_y ? -w->dy : w->dy, g);
    put_double(b, 1, g);
    put_double(b, 1, g);
    put_double(b, w->x0, g);
    put_double(b, w->y0, g);
    put_double(b, 0, g);
    put_double(b, 0, g);
    put_text(b, "m", 4);
    for (int i = 0; i < 4; i++) put_text(b, i < 2 ? w->dim_unit : "", 4);
    put_text(b, "", 384 - b->n);
    for (uint32_t k = 0; k < layers; k++)
        for (int j = 0; j < PATTERN_H; j++)
            for (int i = 0; i < PATTERN_W; i++)
                put_number(b, w->type,
                           pattern_at(w->flip_y ? j : PATTERN_H - 1 - j,
                                      w->flip_x ? PATTERN_W - 1 - i : i) +
                               40 * (int)k,
                           g);
    put_text(b, "a=b", 3);
    put_text(b, w->note ? w->note : "", note);
    static const char *const labels[] = {"HeightRetrace", "Amplitude1Retrace\0old",
                                         "Phase1Retrace"};
    if (w->labels) {
        put_text(b, "", 32);
        for (uint32_t k = 0; k < layers; k++) put_text(b, labels[k], 32);
    }
    put_text(b, "footer", 6);
    fix_checksum(b->data, g);
}

static const wave plain = {.type = 2,
                           .layers = 3,
                           .labels = true,
                           .dim_unit = "m",
                           .dx = 3e-9,
                           .dy = 2e-9,
                           .note =
                               "ScanSize: 5e-06\rXOffset: -2.5e-06\rYOffset:6e-06\rXOffset: 7\r"};

static void reads_every_type_and_order(void **state)
{
    (void)state;
    const int types[] = {2, 4, 8, 8 | 64, 16, 16 | 64, 32, 32 | 64, 128, 128 | 64};
    reshed_error err = {0};
    for (size_t t = 0; t < 10 * 2 * 4; t++) {
        file_bytes b;
        rs_image im;
        wave w = plain;
        w.type = types[t % 10];
        w.big = t / 10 % 2;
        w.flip_x = t / 20 % 2;
        w.flip_y = t / 40 % 2;
        wave_file(&b, &w);
        assert_ok(rs_image_read_mem(b.data, b.n, "Height", &im, &err), &err);
        assert_pattern(&im, 1);
        assert_true(im.dx == 3e-9 && im.dy == 2e-9);
        assert_true(im.x0 == -2.5e-6 && im.y0 == 6e-6);
        rs_image_clear(&im);
    }
}

static void chooses_channels(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *name, *unit;
        int layer;
    } cases[] = {
        {NULL, "Amplitude1Retrace", "m", 1},   {"0", "HeightRetrace", "m", 0},
        {"2", "Phase1Retrace", "deg", 2},      {"phase1retrace", "Phase1Retrace", "deg", 2},
        {"Ampl", "Amplitude1Retrace", "m", 1}, {"ghtr", "HeightRetrace", "m", 0},
    };
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    wave_file(&b, &plain);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(rs_image_read_mem(b.data, b.n, cases[i].wanted, &im, &err), &err);
        assert_string_equal(im.channel, cases[i].name);
        assert_string_equal(im.unit, cases[i].unit);
        assert_true(im.data[0] == (float)(1 + 40 * cases[i].layer));
        rs_image_clear(&im);
    }
    im.height = 7;
    assert_error(rs_image_read_mem(b.data, b.n, "Retrace", &im, &err), RESHED_EINVAL, &err,
                 "ambiguous");
    assert_error(rs_image_read_mem(b.data, b.n, "3", &im, &err), RESHED_EINVAL, &err,
                 "one of HeightRetrace, Amplitude1Retrace, Phase1Retrace");
    assert_error(rs_image_read_mem(b.data, b.n, "", &im, &err), RESHED_EINVAL, &err,
                 "no channel ''");
    assert_int_equal(im.height, 7);
}

static void reads_waves_without_labels_or_layers(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    rs_ibw wv;
    rs_channels list;
    reshed_error err = {0};
    wave w = plain;
    w.labels = false;
    wave_file(&b, &w);
    assert_ok(rs_ibw_open_mem(b.data, b.n, &wv, &err), &err);
    assert_ok(rs_ibw_list(&wv, &list, &err), &err);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.c[2].name, "layer 2");
    rs_channels_clear(&list);
    w.layers = 0;
    wave_file(&b, &w);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_string_equal(im.channel, "wave0");
    assert_pattern(&im, 1);
    rs_image_clear(&im);
}

static void finds_the_scale(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    wave w = plain;
    w.dim_unit = "nm", w.dx = 3, w.dy = 2, w.x0 = 100, w.y0 = -200, w.note = NULL;
    wave_file(&b, &w);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_true(fabs(im.dx - 3e-9) < TOL_PIXEL && fabs(im.dy - 2e-9) < TOL_PIXEL);
    assert_true(fabs(im.x0 - 107.5e-9) < TOL_PLACE && fabs(im.y0 + 197e-9) < TOL_PLACE);
    rs_image_clear(&im);
    w = plain; /* no unit: the note tells */
    w.dim_unit = "", w.note = "FastScanSize: 5e-06\nSlowScanSize:3e-06\n";
    wave_file(&b, &w);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_true(fabs(im.dx - 1e-6) < TOL_PLACE && fabs(im.dy - 1e-6) < TOL_PLACE);
    rs_image_clear(&im);
    w.note = "FastScanSize: lots\rSlowScanSize: -1\r";
    wave_file(&b, &w);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_true(im.dx == 0 && im.dy == 0 && im.x0 == 0 && im.y0 == 0);
    rs_image_clear(&im);
    w = plain;
    w.dx = NAN, w.note = NULL;
    wave_file(&b, &w);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_true(im.dx == 0 && im.dy == 2e-9);
    rs_image_clear(&im);
}

static void refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        int at, size;
        uint64_t value;
        reshed_status st;
        const char *part;
    } cases[] = {
        {0, 2, 2, RESHED_EUNSUPPORTED, "version"},
        {0, 2, 6, RESHED_ECORRUPT, "not an Igor"},
        {80, 2, 3, RESHED_EUNSUPPORTED, "complex"},
        {80, 2, 0, RESHED_EUNSUPPORTED, "text"},
        {80, 2, 512, RESHED_EUNSUPPORTED, "unknown type"},
        {80, 2, 4, RESHED_ECORRUPT, "576 bytes"},
        {76, 4, 71, RESHED_ECORRUPT, "72 by its dimensions"},
        {76, 4, 0xffffffff, RESHED_ECORRUPT, "points"},
        {132, 4, 0xffffffff, RESHED_ECORRUPT, "points"},
        {132, 4, 0, RESHED_ECORRUPT, "points"},
        {4, 4, 100, RESHED_ECORRUPT, "at least 320 bytes"},
        {4, 4, 0x7fffffff, RESHED_ECORRUPT, "size of the IBW file"},
        {4, 4, 0xffffffff, RESHED_ECORRUPT, "size of the wave"},
        {12, 4, 0x7fffffff, RESHED_ECORRUPT, "size of the IBW file"},
        {12, 4, 0x80000000, RESHED_ECORRUPT, "size of part 1"},
        {44, 4, 0x7fffffff, RESHED_ECORRUPT, "size of the IBW file"},
        {52, 4, 0x7fffffff, RESHED_ECORRUPT, "size of the IBW file"},
    };
    reshed_error err = {0};
    rs_image im = {.height = 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        wave_file(&b, &plain);
        for (int k = 0; k < cases[i].size; k++)
            b.data[cases[i].at + k] = (uint8_t)(cases[i].value >> (8 * k));
        fix_checksum(b.data, false);
        assert_error(rs_ibw_image_read_mem(b.data, b.n, NULL, &im, &err), cases[i].st, &err,
                     cases[i].part);
    }
    file_bytes b;
    wave_file(&b, &plain);
    b.data[100] ^= 1;
    assert_error(rs_ibw_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_ECORRUPT, &err,
                 "checksum");
    /* one dimension; four dimensions */
    wave_file(&b, &plain);
    b.data[76] = PATTERN_W, b.data[136] = 0;
    fix_checksum(b.data, false);
    assert_error(rs_ibw_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_EUNSUPPORTED, &err,
                 "found 1");
    wave_file(&b, &plain);
    b.data[76] = 144, b.data[144] = 2;
    fix_checksum(b.data, false);
    assert_error(rs_ibw_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_EUNSUPPORTED, &err,
                 "found 4");
    assert_int_equal(im.height, 7);
}

/* The wave of refused_curve: PATTERN_W values in PATTERN_H columns. */
static void curve_file(file_bytes *b, const char *units, const char *labels, int type)
{
    wave w = plain;
    static const char *const column[] = {"Raw", "Amp", "Phase", "Bias"};
    w.layers = 0, w.labels = false, w.note = NULL, w.dim_unit = "", w.type = type;
    wave_file(b, &w);
    b->n -= 6; /* the footer */
    put_text(b, "", 32);
    for (int i = 0; i < PATTERN_H; i++) put_text(b, *labels ? column[i] : "", 32);
    b->data[40] = 32 * (PATTERN_H + 1); /* labels of dimension 1 */
    memcpy(b->data + 216, units, strlen(units) < 4 ? strlen(units) : 4);
    fix_checksum(b->data, w.big);
}

static void refuses_curves(void **state)
{
    (void)state;
    static const struct {
        const char *units, *labels, *said; /* NULL: an image */
    } cases[] = {
        {"s", "yes", "6 x 4 values along s (Raw, Amp, Phase, Bias)"},
        {"s", "", "6 x 4 values along s"},
        {"", "yes", "6 x 4 values (Raw, Amp, Phase, Bias)"},
        {"ms", "", "along ms"},
        {"V", "", "along V"},
        {"kHz", "", "along kHz"},
        {"m", "", NULL},
        {"", "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 3; k++) { /* the usual channel, a column's name, a number */
            static const char *const channel[] = {NULL, "Amp", "0"};
            file_bytes b;
            rs_image im = {0};
            reshed_error err = {0};
            curve_file(&b, cases[i].units, cases[i].labels, 2);
            const reshed_status st = rs_image_read_mem(b.data, b.n, channel[k], &im, &err);
            if (cases[i].said) {
                assert_error(st, RESHED_EUNSUPPORTED, &err, cases[i].said);
                assert_error(st, RESHED_EUNSUPPORTED, &err, "reshed-beps loops");
            } else if (k != 1) {
                assert_ok(st, &err);
            }
            rs_image_clear(&im);
        }
}

static reshed_status read_ibw(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_ibw w;
    rs_image im;
    double v;
    reshed_status st = rs_ibw_open_mem(data, len, &w, err);
    if (st != RESHED_OK) return st;
    rs_ibw_note_number(&w, "ScanSize", &v);
    st = rs_ibw_image(&w, NULL, &im, err);
    if (st == RESHED_OK) st = (rs_image_clear(&im), rs_ibw_image(&w, "0", &im, err));
    if (st != RESHED_OK) return st;
    assert_true(image_is_sane(&im));
    rs_image_clear(&im);
    return st;
}

/* The same with a checksum that fits, so that mutants get past it. */
static reshed_status read_fixed(const uint8_t *data, size_t len, reshed_error *err)
{
    static uint8_t copy[32768];
    if (len < 384 || len > sizeof copy) return read_ibw(data, len, err);
    memcpy(copy, data, len);
    fix_checksum(copy, copy[0] == 0);
    uint8_t *exact = rs_alloc(len, 1); /* may be the allocation that fails */
    if (!exact) return rs_fail_nomem(err, "the test", len);
    memcpy(exact, copy, len);
    reshed_status st = read_ibw(exact, len, err);
    rs_free(exact);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    wave w = plain;
    wave_file(&b, &w);
    test_truncate(read_ibw, b.data, b.n, b.n - 6); /* the footer is not ours */
    test_each_alloc(read_ibw, b.data, b.n);
    test_mutate("ibw", read_ibw, b.data, b.n, test_mutations() / 4);
    test_mutate("ibw, checksum mended", read_fixed, b.data, b.n, test_mutations());
    w.big = true, w.type = 16, w.labels = false;
    wave_file(&b, &w);
    test_mutate("ibw, big-endian", read_fixed, b.data, b.n, test_mutations() / 4);
}

static void takes_latin1_labels(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    wave_file(&b, &plain);
    for (size_t i = 0; i + 13 < b.n; i++)
        if (memcmp(b.data + i, "HeightRetrace", 13) == 0)
            memcpy(b.data + i,
                   "H\xf6"
                   "he (\xb5m)",
                   9 + 1);
    assert_ok(rs_ibw_image_read_mem(b.data, b.n, "0", &im, &err), &err);
    assert_string_equal(im.channel, "H\xc3\xb6he (\xc2\xb5m)");
    rs_image_clear(&im);
}

/* Golden numbers of the specification (F5). */
static void reads_shared_asylum_file(void **state)
{
    (void)state;
    size_t len;
    rs_ibw w;
    rs_image im;
    rs_channels list;
    double v;
    reshed_error err = {0};
    const char *path = test_shared("data/ibw/scan_0001.ibw");
    uint8_t *file = test_read_file(path, &len);
    assert_ok(rs_ibw_open_mem(file, len, &w, &err), &err);
    assert_int_equal(w.version, 5);
    assert_int_equal(w.checksum, -27933);
    assert_int_equal(w.wave_size, 1573184);
    assert_int_equal(w.note_size, 21011);
    assert_int_equal(w.labels_size[2], 224);
    assert_true(w.dims[0] == 256 && w.dims[1] == 256 && w.dims[2] == 6 && w.dims[3] == 0);
    /* 2010-11-24 16:06:06 and 2024-08-20 08:30:46, counted from 1904-01-01: 24107 days from there
     * to 1970, 14937 and 19955 from 1970 to the dates */
    assert_int_equal(w.created, (24107u + 14937u) * 86400u + 16 * 3600 + 6 * 60 + 6);
    assert_int_equal(w.modified, (24107u + 19955u) * 86400u + 8 * 3600 + 30 * 60 + 46);
    assert_true(rs_ibw_note_number(&w, "ScanSize", &v) && v == 5e-6);
    assert_true(rs_ibw_note_number(&w, "ScanPoints", &v) && v == 256);
    assert_false(rs_ibw_note_number(&w, "ScanMode", &v)); /* "Closed Loop" */
    assert_false(rs_ibw_note_number(&w, "canSize", &v));

    assert_ok(rs_image_list(path, &list, &err), &err);
    assert_int_equal(list.n, 6);
    assert_string_equal(list.c[0].name, "HeightRetrace");
    assert_string_equal(list.c[5].name, "FrequencyRetrace");
    rs_channels_clear(&list);

    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    assert_string_equal(im.channel, "Amplitude1Retrace");
    assert_string_equal(im.unit, "m");
    assert_true(im.height == 256 && im.width == 256);
    assert_true(fabs(im.dx - 5e-6 / 255) < TOL_PIXEL && fabs(im.dy - 5e-6 / 255) < TOL_PIXEL);
    assert_true(im.x0 == -2.5933e-06 && im.y0 == -6.07e-06);
    /* The wave's first point is the bottom left of the frame, its last the top right. */
    float first, last;
    memcpy(&first, file + 384 + 4 * 65536, 4);
    memcpy(&last, file + 384 + 8 * 65536 - 4, 4);
    assert_true(im.data[255 * 256] == first && im.data[255] == last);
    rs_image_clear(&im);
    assert_ok(rs_image_read(path, "phase1", &im, &err), &err);
    assert_string_equal(im.unit, "deg");
    rs_image_clear(&im);
    rs_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type_and_order),
        cmocka_unit_test(chooses_channels),
        cmocka_unit_test(reads_waves_without_labels_or_layers),
        cmocka_unit_test(finds_the_scale),
        cmocka_unit_test(refuses_and_says_why),
        cmocka_unit_test(refuses_curves),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(takes_latin1_labels),
        cmocka_unit_test(reads_shared_asylum_file),
    };
    return cmocka_run_group_tests_name("io_ibw", tests, NULL, NULL);
}
