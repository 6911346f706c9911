#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/figures/contour.h"
#include "io/png.h"
#include "support/io_support.h"
#include "support/report_scene.h"
#include "report/page.h"
#include "report/pictures.h"
#include "report/report.h"
#include "support/support.h"

/* Large enough for a dozen walls, small enough for the sanitizers. */
static const report_scene small = {.rows = 96,
                                   .cols = 200,
                                   .lines = 96,
                                   .points = 40,
                                   .measured = 36,
                                   .steps = 32,
                                   .sample = "PbTiO3 film",
                                   .event = "tip change"};

/* ------------------------------------------------------------------------ a checker of HTML pages
 */
static bool is_void(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "br") == 0 || strcmp(name, "img") == 0;
}

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Passes the attributes from p to the end of the tag: name="value" with known references only. */
static const char *pass_attributes(const char *p, bool *closed)
{
    *closed = false;
    for (;;) {
        while (*p == ' ' || *p == '\n') p++;
        if (*p == '/' && p[1] == '>') {
            *closed = true;
            return p + 2;
        }
        if (*p == '>') return p + 1;
        const char *name = p;
        while (in_name(*p) || (*p >= 'A' && *p <= 'Z')) p++;
        assert_true(p > name && p[0] == '=' && p[1] == '"');
        size_t len = (size_t)(p - name);
        p += 2;
        bool outside =
            (len == 3 && memcmp(name, "src", 3) == 0) || (len == 4 && memcmp(name, "href", 4) == 0);
        if (outside) assert_memory_equal(p, "data:image/", 11);
        assert_false(len >= 2 && memcmp(name, "on", 2) == 0); /* no handlers */
        while (*p != '"') {
            assert_true(*p && *p != '<' && *p != '>');
            p++;
        }
        p++;
    }
}

/* Tags are balanced, nothing points outside, every & begins a reference. */
static void check_page(const char *page)
{
    char stack[64][16], name[16];
    int depth = 0, figures = 0;
    assert_memory_equal(page, "<!DOCTYPE html>\n", 16);
    for (const char *p = page + 16; *p;) {
        if (*p == '&') {
            assert_true(p[1] == '#' || strncmp(p, "&lt;", 4) == 0);
            assert_non_null(memchr(p, ';', 8));
        }
        assert_true(*p != '>');
        if (*p != '<') {
            p++;
            continue;
        }
        bool end = p[1] == '/', closed;
        size_t n = 0;
        p += end ? 2 : 1;
        while (in_name(*p) && n + 1 < sizeof name) name[n++] = *p++;
        name[n] = '\0';
        assert_true(n > 0 && strcmp(name, "script") != 0 && strcmp(name, "link") != 0);
        if (end) {
            assert_true(*p == '>' && depth > 0);
            assert_string_equal(stack[--depth], name);
            p++;
            continue;
        }
        figures += strcmp(name, "figure") == 0;
        p = pass_attributes(p, &closed);
        if (closed || is_void(name)) continue;
        assert_true(depth < 64);
        strcpy(stack[depth++], name);
        if (strcmp(name, "style") == 0) { /* CSS has its own signs */
            const char *stop = strstr(p, "</style>");
            assert_non_null(stop);
            for (const char *c = p; c < stop; c++)
                assert_true(*c != '@' || strncmp(c, "@media", 6) == 0);
            const char *url = strstr(p, "url(");
            assert_true(!url || url > stop);
            p = stop;
        }
    }
    assert_int_equal(depth, 0);
    assert_null(strstr(page, "http:"));
    assert_null(strstr(page, "https:"));
    print_message("# scan_report: %d figures, %zu bytes\n", figures, strlen(page));
}

/* Every PNG of the page can be read; returns how many there are. */
static int check_pictures(const char *page)
{
    static const char mark[] = "data:image/png;base64,";
    static const char sign[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int pictures = 0;
    for (const char *p = page; (p = strstr(p, mark)) != NULL; pictures++) {
        p += sizeof mark - 1;
        size_t chars = strcspn(p, "\""), len = 0;
        uint8_t *data = rs_alloc(chars, 1);
        reshed_error err = {0};
        rs_image image = {0};
        assert_int_equal(chars % 4, 0);
        for (size_t i = 0; i < chars; i += 4) {
            uint32_t v = 0;
            int n = 3;
            for (int k = 0; k < 4; k++) {
                const char *at = p[i + k] == '=' ? sign : strchr(sign, p[i + k]);
                assert_non_null(at);
                n -= p[i + k] == '=';
                v = v << 6 | (uint32_t)(at - sign);
            }
            for (int k = 0; k < n; k++) data[len++] = (uint8_t)(v >> (16 - 8 * k));
        }
        assert_ok(rs_png_read_mem(data, len, &image, &err), &err);
        rs_image_clear(&image);
        rs_free(data);
    }
    return pictures;
}

static char *read_page(const char *path)
{
    size_t len;
    uint8_t *bytes = test_read_file(path, &len);
    char *page = rs_alloc(len + 1, 1);
    memcpy(page, bytes, len);
    page[len] = '\0';
    assert_int_equal(strlen(page), len);
    rs_free(bytes);
    return page;
}

static char *report_of(rs_session *s)
{
    reshed_error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", test_temp("report.html"));
    assert_ok(rs_report_write(s, path, &err), &err);
    char *page = read_page(path);
    check_page(page);
    return page;
}

static rs_session *session_of(const report_scene *scene, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s", test_temp(name));
    return report_scene_session(scene, path);
}

static void has(const char *page, const char *text)
{
    if (!strstr(page, text)) fail_msg("the page lacks: %s", text);
}

static void lacks(const char *page, const char *text)
{
    if (strstr(page, text)) fail_msg("the page holds: %s", text);
}

/* ---------------------------------------------------------------------------------------- reports
 */
static void a_finished_session(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.measured = scene.points;
    char path[512], html[512];
    snprintf(path, sizeof path, "%s", test_temp("finished.h5"));
    snprintf(html, sizeof html, "%s", test_temp("finished.html"));
    rs_session *s = report_scene_session(&scene, path);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    char *page = report_of(s);
    has(page, "<h1>PbTiO3 film, region A</h1>");
    has(page, "2026-11-25T10:15:00Z");
    has(page, "digital twin 1");
    has(page, "2 &#215; 0.96 &#181;m, 200 &#215; 96 pixels of 10.0 nm");
    has(page, "reshednet16x10.h5");
    has(page, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    has(page, "<dt>Normalisation</dt><dd>scanned</dd>");
    has(page, "<dt>Lines</dt><dd>95 of 96</dd>");
    has(page, "<dt>Lost lines</dt><dd>1 (rows 5)</dd>");
    has(page, "<dt>Points</dt><dd>40, 38 measured, 1 lost, 1 skipped</dd>");
    has(page, "<dt>Alarms</dt><dd>1 (rows 9)</dd>");
    has(page, "32 steps from -8 to 8 V");
    has(page, "Averaged off-field loop of 37 of 38 measured points; width ");
    has(page, "1 of 38 loops");
    has(page, "Loop width (width_mid)");
    has(page, "Positive nucleation bias (nucleation_pos)");
    has(page, "from the smallest (A) to the largest (E)");
    has(page, "Alternation along parallel walls: family 1, ");
    has(page, "Short against long walls: ");
    has(page, "(rank-sum test, p");
    has(page, "measured (38)");
    has(page, "<td>200.0</td><td>24.0 nm</td>"); /* drift */
    has(page, "1 error, 1 warning");
    has(page, "row 5 was not delivered by the instrument");
    has(page, "<td>301.5</td><td class=\"t\">error</td><td class=\"t\">tip change</td>");
    has(page, "At most 2 lines went through the network together");
    lacks(page, "not finished");
    lacks(page, "being recorded");
    /* four channels, mean, variance, walls, points, five metrics, picked loops, numbered walls */
    assert_int_equal(check_pictures(page), 15);
    /* The same session, the same bytes. */
    assert_ok(rs_report_write(s, html, &err), &err);
    char *again = read_page(html);
    assert_string_equal(page, again);
    rs_free(again);
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* The median of the width in the table is that of the session's values, and the wall table counts
 * each point once. */
static void numbers_are_the_sessions(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_session *s = session_of(&small, "numbers.h5");
    char *page = report_of(s), want[64];
    double width[64], metric[16];
    int n = 0, counted = 0;
    for (int k = 0; k < small.measured; k++) {
        rs_session_loop loop = {.metric = metric};
        rs_session_point p;
        assert_ok(rs_session_read_points(s, k, 1, &p, &err), &err);
        if (p.state != RS_SESSION_MEASURED) continue;
        assert_ok(rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, &err), &err);
        if (metric[0] == 0) width[n++] = metric[1];
    }
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && width[j] < width[j - 1]; j--) {
            double swap = width[j];
            width[j] = width[j - 1];
            width[j - 1] = swap;
        }
    double median = (width[(n - 1) / 2] + width[n / 2]) / 2;
    snprintf(want, sizeof want, "(width_mid)</td><td>%d</td><td>%.3f V</td>", n, median);
    has(page, want);
    snprintf(want, sizeof want, "<td>%.3f V</td><td>%.3f V</td></tr>", width[0], width[n - 1]);
    has(page, want);
    const char *table = strstr(page, "<th>Loop width, mean");
    assert_non_null(table);
    for (const char *p = table; (p = strstr(p, "&#176;</td><td>")) != NULL; p++) {
        int family, points;
        assert_int_equal(sscanf(p, "&#176;</td><td>%d</td><td>%d</td>", &family, &points), 2);
        counted += points;
    }
    snprintf(want, sizeof want, "<p>Loop width: %d values on ", counted);
    has(page, want);
    assert_int_equal(counted, n); /* all were put on walls */
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static void half_a_session(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = 48;
    scene.points = 0;
    rs_session *s = session_of(&scene, "half.h5");
    char *page = report_of(s);
    has(page, "This session is not finished");
    has(page, "47 of 96 lines");
    has(page, "36 final, 12 may still change");
    has(page, "48 not scanned");
    has(page, "No points have been chosen yet");
    has(page, "No loop has been analysed yet");
    lacks(page, "Maps over the walls");
    assert_int_equal(check_pictures(page), 8);
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static void an_empty_session(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = scene.points = scene.steps = 0;
    rs_session *s = session_of(&scene, "empty.h5");
    char *page = report_of(s);
    has(page, "No line has been processed yet");
    has(page, "There is no prediction yet");
    has(page, "this session has no spectroscopy");
    has(page, "No skeleton has been recorded");
    has(page, "No timings have been recorded");
    assert_int_equal(check_pictures(page), 0);
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* Points chosen, none measured; and metrics that no report knows. */
static void points_before_loops(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.measured = 0;
    rs_session *s = session_of(&scene, "pending.h5");
    char *page = report_of(s);
    has(page, "pending (40)");
    lacks(page, "measured (");
    has(page, "No loop has been analysed yet");
    has(page, "none of them has a measured loop yet");
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* Another program writes the session while this one reads it. */
static void a_live_session(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = 60;
    char path[512], html[512];
    snprintf(path, sizeof path, "%s", test_temp("live.h5"));
    snprintf(html, sizeof html, "%s", test_temp("live.html"));
    rs_session *writer = report_scene_session(&scene, path);
    pid_t child = fork();
    if (child == 0) {
        rs_session *s = NULL;
        bool good = rs_session_open(path, &s, &err) == RESHED_OK &&
                    rs_report_write(s, html, &err) == RESHED_OK &&
                    rs_session_finish(s, RESHED_OK, &err) == RESHED_OK;
        if (!good) print_error("%s\n", err.what);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char *page = read_page(html);
    check_page(page);
    has(page, "This session is being recorded");
    has(page, "59 of 96 lines");
    rs_free(page);
    assert_ok(rs_session_finish(writer, RESHED_OK, &err), &err);
}

static void hostile_texts(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = 20;
    scene.points = 0;
    scene.sample = "</title><script>alert(1)</script> & \"x\" 'y' \xff\xc0\x80 \xc2\xb5m";
    scene.event = "<img src=x onerror=1>\x01\x1b[31m \xed\xa0\x80";
    rs_session *s = session_of(&scene, "hostile.h5");
    char *page = report_of(s);
    lacks(page, "<script");
    lacks(page, "<img src=x");
    lacks(page, "\x1b");
    has(page, "&#60;/title&#62;&#60;script&#62;alert(1)&#60;/script&#62; &#38; &#34;x&#34; "
              "&#39;y&#39; ");
    has(page, " \xc2\xb5m");
    has(page, "&#60;img src=x onerror=1&#62;\xef\xbf\xbd\xef\xbf\xbd[31m");
    has(page, "&#60;b&#62;&#38;&#34;&#39;"); /* a setting */
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* --------------------------------------------------------------------------------------- failures
 */
/* Early ones all, of the rest a sample: each try draws up to that point. */
static void each_allocation_fails(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = {.rows = 48,
                          .cols = 64,
                          .lines = 48,
                          .points = 12,
                          .measured = 10,
                          .steps = 16,
                          .sample = "s",
                          .event = "e"};
    rs_session *s = session_of(&scene, "alloc.h5");
    char html[512];
    snprintf(html, sizeof html, "%s", test_temp("alloc.html"));
    test_alloc_reset();
    assert_ok(rs_report_write(s, html, &err), &err);
    long total = test_alloc_count(), tried = 0;
    char *whole = read_page(html);
    test_rng g = {test_seed()};
    for (long n = 0; n < total;) {
        test_alloc_fail_at(n);
        reshed_status st = rs_report_write(s, html, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        if (st != RESHED_ENOMEM) fail_msg("allocation %ld of %ld: status %d", n, total, st);
        tried++;
        n += n < 60        ? 1
             : test_long() ? 1 + (long)test_below(&g, 5)
                           : 1 + (long)test_below(&g, (uint64_t)total / 12);
    }
    char *after = read_page(html);
    assert_string_equal(whole, after); /* untouched */
    print_message("# scan_report: %ld of %ld allocations made to fail\n", tried, total);
    rs_free(whole);
    rs_free(after);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static bool report_on_full_disk(rs_session *s, const char *html)
{
    reshed_error err = {0};
    limit_file_size(2000);
    return rs_report_write(s, html, &err) == RESHED_EIO && err.what[0];
}

static void a_full_disk_leaves_no_half_file(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = scene.points = scene.steps = 0;
    rs_session *s = session_of(&scene, "full.h5");
    char html[512];
    snprintf(html, sizeof html, "%s", test_temp("full.html"));
    for (int old = 0; old < 2; old++) {
        if (old) assert_ok(rs_os_write_file(html, "old", 3, &err), &err);
        pid_t child = fork();
        if (child == 0) _exit(report_on_full_disk(s, html) ? 0 : 1);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(rs_os_is_file(html), old);
        assert_int_equal(files_beside(html, ".tmp"), 0);
    }
    char *page = read_page(html);
    assert_string_equal(page, "old");
    rs_free(page);
    assert_int_equal(rs_report_write(s, "no/such/folder/report.html", &err), RESHED_EIO);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* --------------------------------------------------------------------------------------- pictures
 */
enum { H = 64, W = 64 };

typedef struct preview {
    float amplitude[H * W], mean[H * W], variance[H * W];
    uint8_t state[H];
    rs_session_point point[3];
    char prefix[512];
} preview;

static void make_preview(preview *v, const char *name)
{
    const report_scene scene = {.rows = H, .cols = W, .lines = H};
    memset(v, 0, sizeof *v);
    report_scene_maps(&scene, v->amplitude, v->mean, v->variance);
    for (int r = 0; r < H; r++)
        v->state[r] = r < 30   ? RS_SESSION_FINAL
                      : r < 40 ? RS_SESSION_PROVISIONAL
                               : RS_SESSION_UNSCANNED;
    for (int i = 0; i < 3; i++)
        v->point[i] =
            (rs_session_point){.row = 10 * i + 5, .col = 20, .state = (rs_session_point_state)i};
    snprintf(v->prefix, sizeof v->prefix, "%s", test_temp(name));
}

static rs_image picture(const preview *v, const char *name)
{
    char path[600];
    reshed_error err = {0};
    rs_image im = {0};
    size_t len;
    snprintf(path, sizeof path, "%s_%s.png", v->prefix, name);
    uint8_t *bytes = test_read_file(path, &len);
    assert_ok(rs_png_read_mem(bytes, len, &im, &err), &err);
    rs_free(bytes);
    return im;
}

/* Luminance of the picture at the centre of a pixel of the map, moved by (dx, dy) picture pixels.
 */
static double tone(const rs_image *im, double row, double col, int dx, int dy)
{
    int k = 512 / W, x = (int)(col * k + k / 2.0) + dx, y = (int)(row * k + k / 2.0) + dy;
    assert_true(x >= 0 && y >= 0 && x < im->width && y < im->height);
    return im->data[(size_t)y * (size_t)im->width + (size_t)x];
}

/* What is not measured, as luminance. */
#define GREY ((0.2126 * 0x9a + 0.7152 * 0x9a + 0.0722 * 0xa2) / 255)

static void rows_in_the_pictures(void **state)
{
    (void)state;
    static const char *const name[] = {"amplitude", "mean", "variance", "walls"};
    static preview v;
    reshed_error err = {0};
    char path[600];
    make_preview(&v, "rows");
    assert_ok(rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance, v.state,
                                 NULL, 0, &err),
              &err);
    for (int i = 0; i < 4; i++) {
        rs_image im = picture(&v, name[i]);
        assert_int_equal(im.height, 512);
        /* not scanned: grey, whatever the maps hold there */
        for (int c = 30; c < W; c++) assert_float_equal(tone(&im, 45, c, 0, 0), GREY, 0.01);
        double bar = (0.2126 * 0xff + 0.7152 * 0x8c) / 255; /* orange, at the provisional rows */
        for (int r = 31; r < 39; r++) assert_float_equal(tone(&im, r, 0, -3, 0), bar, 0.02);
        for (int r = 42; r < 50; r++) assert_float_equal(tone(&im, r, 0, -3, 0), GREY, 0.02);
        bool varies = false;
        for (int c = 1; c < W; c++)
            varies = varies || fabs(tone(&im, 20, c, 0, 0) - tone(&im, 20, c - 1, 0, 0)) > 0.1;
        assert_true(varies);
        rs_image_clear(&im);
    }
    snprintf(path, sizeof path, "%s_points.png", v.prefix);
    assert_false(rs_os_is_file(path));
    /* With all rows final there is no bar. */
    assert_ok(
        rs_report_pictures(v.prefix, H, W, 0, v.amplitude, v.mean, v.variance, NULL, NULL, 0, &err),
        &err);
    rs_image im = picture(&v, "mean");
    for (int r = 0; r < H; r++) assert_true(tone(&im, r, 0, -3, 0) < 0.99);
    assert_true(fabs(tone(&im, 35, 0, -3, 0) - (0.2126 * 0xff + 0.7152 * 0x8c) / 255) > 0.02 ||
                v.mean[35 * W] > 0.5F);
    rs_image_clear(&im);
}

static void points_in_the_picture(void **state)
{
    (void)state;
    static preview v;
    reshed_error err = {0};
    make_preview(&v, "points");
    assert_ok(rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance, NULL,
                                 v.point, 3, &err),
              &err);
    rs_image im = picture(&v, "points"), plain = picture(&v, "amplitude");
    assert_int_equal(im.width, plain.width);
    /* a ring leaves its centre, a disc and a cross cover it */
    double disc = (0.7152 * 0xb8 + 0.0722 * 0x84) / 255;
    double cross = (0.2126 * 0xff + 0.7152 * 0x3b + 0.0722 * 0x1f) / 255;
    assert_float_equal(tone(&im, 5, 20, 0, 0), tone(&plain, 5, 20, 0, 0), 0.02);
    assert_float_equal(tone(&im, 15, 20, 0, 0), disc, 0.02);
    assert_float_equal(tone(&im, 25, 20, 0, 0), cross, 0.05);
    rs_image_clear(&im);
    rs_image_clear(&plain);
}

static void pictures_fail_cleanly(void **state)
{
    (void)state;
    static preview v;
    reshed_error err = {0};
    make_preview(&v, "fail");
    test_alloc_reset();
    assert_ok(rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance, v.state,
                                 v.point, 3, &err),
              &err);
    long total = test_alloc_count();
    for (long n = 0; n < total; n += test_long() || n < 20 ? 1 : 9) {
        test_alloc_fail_at(n);
        reshed_status st = rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance,
                                              v.state, v.point, 3, &err);
        assert_true(test_alloc_failed());
        test_alloc_fail_at(-1);
        if (st != RESHED_ENOMEM) fail_msg("allocation %ld of %ld: status %d", n, total, st);
    }
    rs_image im = picture(&v, "points"); /* the old one is whole */
    rs_image_clear(&im);
    assert_int_equal(rs_report_pictures("no/such/folder/x", H, W, 1e-8, v.amplitude, v.mean,
                                        v.variance, v.state, NULL, 0, &err),
                     RESHED_EIO);
    assert_int_equal(rs_report_pictures(v.prefix, 0, W, 1e-8, v.amplitude, v.mean, v.variance, NULL,
                                        NULL, 0, &err),
                     RESHED_EINVAL);
}

/* ------------------------------------------------------------------------------ contours and pages
 */
/* A cone's level is a circle: closed, of the right radius, each point met by two pieces. */
static void a_contour_is_a_closed_line(void **state)
{
    (void)state;
    enum { N = 41 };
    float cone[N * N];
    rs_segments s = {0};
    reshed_error err = {0};
    double length = 0;
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++) cone[r * N + c] = (float)(20 - hypot(r - 20.2, c - 19.7));
    assert_ok(rs_contour(cone, N, N, 7.5, &s, &err), &err);
    for (int i = 0; i < 2 * s.n; i++) {
        int met = 0;
        assert_float_equal(hypot(s.y[i] - 20.2, s.x[i] - 19.7), 12.5, 0.02);
        for (int j = 0; j < 2 * s.n; j++)
            met += fabs(s.x[i] - s.x[j]) < 1e-6 && fabs(s.y[i] - s.y[j]) < 1e-6;
        assert_int_equal(met, 2);
    }
    for (int i = 0; i < s.n; i++)
        length += hypot(s.x[2 * i + 1] - s.x[2 * i], s.y[2 * i + 1] - s.y[2 * i]);
    assert_float_equal(length, 2 * 3.14159265 * 12.5, 0.5);
    rs_segments_clear(&s);
    /* NaN pixels take their squares away; both ways through a saddle. */
    for (int i = 0; i < N * N; i++) cone[i] = NAN;
    assert_ok(rs_contour(cone, N, N, 7.5, &s, &err), &err);
    assert_int_equal(s.n, 0);
    rs_segments_clear(&s);
    for (int high = 0; high < 2; high++) {
        const float saddle[4] = {1, 0, 0, high ? 1.5F : 0.7F};
        assert_ok(rs_contour(saddle, 2, 2, 0.5, &s, &err), &err);
        assert_int_equal(s.n, 2);
        /* the mean above the level: the two low corners are cut off, the upper right one first */
        bool joined = high, right = false;
        for (int i = 0; i < 2; i++)
            right = right || (fmin(s.y[2 * i], s.y[2 * i + 1]) == 0 &&
                              fmax(s.x[2 * i], s.x[2 * i + 1]) == 1);
        assert_int_equal(right, joined);
        rs_segments_clear(&s);
    }
    assert_int_equal(rs_contour(cone, 0, N, 1, &s, &err), RESHED_EINVAL);
}

static void a_skeleton_becomes_lines(void **state)
{
    (void)state;
    /* an L whose corner has no diagonal, a diagonal, and a lone pixel */
    static const uint8_t on[5][6] = {{1, 0, 0, 0, 0, 1},
                                     {1, 0, 0, 0, 1, 0},
                                     {1, 1, 0, 0, 0, 0},
                                     {0, 0, 0, 0, 0, 0},
                                     {0, 0, 1, 0, 0, 0}};
    rs_segments s = {0};
    reshed_error err = {0};
    assert_ok(rs_skeleton_segments(on[0], 5, 6, &s, &err), &err);
    assert_int_equal(s.n, 5); /* three of the L, one diagonal, the lone one */
    int lone = 0, diagonal = 0;
    for (int i = 0; i < s.n; i++) {
        double step = hypot(s.x[2 * i + 1] - s.x[2 * i], s.y[2 * i + 1] - s.y[2 * i]);
        lone += step == 0;
        diagonal += step > 1.1;
    }
    assert_int_equal(lone, 1);
    assert_int_equal(diagonal, 1);
    rs_segments_clear(&s);
}

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_session),
        cmocka_unit_test(numbers_are_the_sessions),
        cmocka_unit_test(half_a_session),
        cmocka_unit_test(an_empty_session),
        cmocka_unit_test(points_before_loops),
        cmocka_unit_test(a_live_session),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(a_full_disk_leaves_no_half_file),
        cmocka_unit_test(rows_in_the_pictures),
        cmocka_unit_test(points_in_the_picture),
        cmocka_unit_test(pictures_fail_cleanly),
        cmocka_unit_test(a_contour_is_a_closed_line),
        cmocka_unit_test(a_skeleton_becomes_lines),
        cmocka_unit_test(pairs_share_their_unit),
    };
    return cmocka_run_group_tests_name("scan_report", tests, NULL, NULL);
}
