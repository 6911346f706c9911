#include "support/report_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/png.h"
#include "support/support.h"

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

void page_check(const char *page)
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
    print_message("# report: %d figures, %zu bytes\n", figures, strlen(page));
}

int page_pictures(const char *page)
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

char *page_read(const char *path)
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

void page_has(const char *page, const char *text)
{
    if (!strstr(page, text)) fail_msg("the page lacks: %s", text);
}

void page_lacks(const char *page, const char *text)
{
    if (strstr(page, text)) fail_msg("the page holds: %s", text);
}

double page_number(const char *page, const char *row, int n)
{
    char name[128];
    snprintf(name, sizeof name, "<tr><td class=\"t\">%s</td>", row);
    const char *at = strstr(page, name);
    if (!at) fail_msg("the page has no row: %s", row);
    at += strlen(name);
    for (int i = 0; i < n; i++) {
        at = strstr(at, "</td><td>");
        assert_non_null(at);
        at += 5;
    }
    char *unit;
    assert_memory_equal(at, "<td>", 4);
    double v = strtod(at + 4, &unit);
    if (strncmp(unit, " ms", 3) == 0) v *= 1e-3;
    if (strncmp(unit, " \xc2\xb5s", 4) == 0) v *= 1e-6;
    return v;
}
