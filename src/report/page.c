#include "report/page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/figures/ticks.h"
#include "io/png.h"
#include "report/save.h"

static const char style[] =
    "body{font:15px/1.45 system-ui,'Segoe UI','Helvetica Neue',Helvetica,Arial,'DejaVu "
    "Sans',sans-serif;color:#1b1b1f;"
    "background:#fff;max-width:1180px;margin:0 auto;padding:1.2em 1.4em 3em}"
    "h1{font-size:1.65em;margin:.2em 0 .1em}h2{font-size:1.25em;margin:1.9em 0 .5em;"
    "border-bottom:1px solid #d5d5da;padding-bottom:.2em}h3{font-size:1.02em;margin:1.2em 0 .4em}"
    "p{margin:.5em 0}.lead{color:#55555e;margin-top:0}"
    ".note{background:#fff7e0;border-left:4px solid #e6a100;padding:.45em .8em}"
    ".none{color:#666670}"
    "dl{display:grid;grid-template-columns:repeat(2,max-content 1fr);gap:.2em 1.1em;margin:.8em 0}"
    "dt{color:#66666f}dd{margin:0;overflow-wrap:anywhere}"
    ".row{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(540px,100%),1fr));"
    "gap:14px 18px;align-items:start}"
    "figure{margin:0;break-inside:avoid;max-width:100%}figure img{display:block;max-width:100%;"
    "height:auto}figcaption{font-size:.88em;color:#44444c;margin-top:.25em}"
    "table{border-collapse:collapse;font-size:.92em;margin:.6em 0;font-variant-numeric:"
    "tabular-nums}th,td{padding:.18em .75em;border-bottom:1px solid #e3e3e8;text-align:right;"
    "vertical-align:top}th{color:#55555e;font-weight:600;border-bottom-color:#b9b9c2}"
    "td.t,th.t{text-align:left;overflow-wrap:anywhere}tr.w td{background:#fff7e0}"
    "tr.e td{background:#ffe9e4}.key span{display:inline-block;margin-right:1.3em}"
    ".key svg{vertical-align:-2px;margin-right:.35em}code{font-size:.93em;overflow-wrap:anywhere}"
    ".pick{position:relative;max-width:1100px}.pick figure{width:49.1%!important}"
    ".pick svg{position:absolute;inset:0;width:100%;height:100%;font-size:13px}"
    ".pick .axes{fill:none;stroke:#c4c4cc}.pick text{fill:#55555e}.pt circle{fill:#ff8a14;"
    "stroke:#000;cursor:pointer}.pt.no circle{fill:#fff}.pt path{fill:none;stroke:#1f5fbf;"
    "stroke-width:2;stroke-linejoin:round}.pt path,.pt text{visibility:hidden;pointer-events:none}"
    ".pt:hover>*,.pt:focus>*{visibility:visible}.pt:focus{outline:none}"
    ".pt:hover circle,.pt:focus circle{stroke:#1f5fbf;stroke-width:4}.pick:hover .pt:not(:hover)"
    ":focus path,.pick:hover .pt:not(:hover):focus text{visibility:hidden}.pick .name{fill:#1b1b1f}"
    "details summary{cursor:pointer;color:#44444c}"
    "@media (max-width:760px){dl{grid-template-columns:max-content 1fr}}"
    "@media print{body{padding:0;max-width:none;font-size:11px}.row{grid-template-columns:1fr "
    "1fr}h2{break-after:avoid}"
    "h3{break-after:avoid}tr{break-inside:avoid}}";

void rs_page_clear(rs_page *p)
{
    rs_free(p->text);
    *p = (rs_page){0};
}

void rs_page_fail(rs_page *p, reshed_status st, const reshed_error *err)
{
    if (st == RESHED_OK || p->failure.status != RESHED_OK) return;
    if (err) p->failure = *err;
    p->failure.status = st;
}

bool rs_page_sound(const rs_page *p)
{
    return p->failure.status == RESHED_OK;
}

/* Makes room for n more bytes and returns its place; NULL after a failure. */
static char *room(rs_page *p, size_t n)
{
    if (!rs_page_sound(p)) return NULL;
    if (n > p->capacity - p->len) {
        size_t capacity = p->capacity * 2 > p->len + n ? p->capacity * 2 : p->len + n + 4096;
        char *text = rs_regrow(p->text, p->len, capacity, 1);
        if (!text) {
            rs_fail_nomem(&p->failure, "a page", capacity);
            return NULL;
        }
        p->text = text;
        p->capacity = capacity;
    }
    return p->text + p->len;
}

static void put(rs_page *p, const char *s, size_t n)
{
    char *to = room(p, n);
    if (!to) return;
    memcpy(to, s, n);
    p->len += n;
}

void rs_page_raw(rs_page *p, const char *markup)
{
    put(p, markup, strlen(markup));
}

void rs_page_format(rs_page *p, const char *format, ...)
{
    char s[1024];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(s, sizeof s, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof s)
        rs_page_fail(
            p, rs_fail(&p->failure, RESHED_EINTERNAL, "piece of a page|%zu bytes|%d", sizeof s, n),
            NULL);
    else
        put(p, s, (size_t)n);
}

/* Returns the bytes of the UTF-8 character at s, 0 when there is none. */
static size_t character(const unsigned char *s)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    if (n < 2) return n;
    uint32_t code = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) return 0;
        code = code << 6 | (s[i] & 63);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000, control = code < 0xa0;
    return code < least[n] || code > 0x10ffff || surrogate || control ? 0 : n;
}

void rs_page_text(rs_page *p, const char *s)
{
    for (const unsigned char *c = (const unsigned char *)s; *c;) {
        size_t n = character(c);
        if (*c == '&' || *c == '<' || *c == '>' || *c == '"' || *c == '\'')
            rs_page_format(p, "&#%d;", *c);
        else if (n == 0 || *c == 127 || (*c < 32 && *c != '\t' && *c != '\n'))
            rs_page_raw(p, "\xef\xbf\xbd");
        else
            put(p, (const char *)c, n);
        c += n ? n : 1;
    }
}

void rs_page_quantity(rs_page *p, double value, int digits, const char *unit)
{
    char s[96];
    if (isfinite(value))
        rs_page_text(p, rs_si_text(value, digits, unit, s, sizeof s));
    else
        rs_page_raw(p, "\xe2\x80\x93");
}

void rs_page_pair(rs_page *p, double a, const char *between, double b, int digits, const char *unit)
{
    double largest = fmax(fabs(a), fabs(b));
    int power = largest > 0 && isfinite(largest) ? (int)floor(log10(largest)) : 0;
    /* Units without prefixes stay as they are; far from 1 they are written with powers of ten. */
    bool prefixed = rs_unit_takes_prefix(unit), plain = power >= -2 && power < digits;
    if (!isfinite(a) || !isfinite(b) || (!prefixed && !plain) || power < -14 || power > 11) {
        rs_page_quantity(p, a, digits, unit);
        rs_page_raw(p, between);
        rs_page_quantity(p, b, digits, unit);
        return;
    }
    int thousand = prefixed ? (int)floor(power / 3.0) : 0;
    double factor = pow(10, -3 * thousand);
    int decimals = digits - 1 - (power - 3 * thousand);
    char text[64];
    rs_si_text(pow(10, 3 * thousand), 1, unit, text, sizeof text);
    const char *name = strchr(text, ' ');
    if (decimals < 0) decimals = 0;
    rs_page_format(p, "%s%.*f%s", a < 0 ? "\xe2\x88\x92" : "", decimals, fabs(a * factor), between);
    rs_page_format(p, "%s%.*f", b < 0 ? "\xe2\x88\x92" : "", decimals, fabs(b * factor));
    rs_page_text(p, name ? name : "");
}

void rs_page_open(rs_page *p, const char *title)
{
    rs_page_raw(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<title>");
    rs_page_text(p, title);
    rs_page_raw(p, "</title>\n<style>");
    rs_page_raw(p, style);
    rs_page_raw(p, "</style>\n</head>\n<body>\n");
}

void rs_page_close(rs_page *p)
{
    rs_page_raw(p, "</body>\n</html>\n");
}

reshed_status rs_page_save(rs_page *p, const char *path, reshed_error *err)
{
    if (!rs_page_sound(p)) {
        if (err) *err = p->failure;
        return p->failure.status;
    }
    return rs_os_write_file(path, p->text, p->len, err);
}

/* ------------------------------------------------------------------------------------- pictures */
static void put_base64(rs_page *p, const uint8_t *data, size_t len)
{
    static const char sign[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = room(p, (len + 2) / 3 * 4);
    if (!to) return;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v = (uint32_t)data[i] << 16;
        if (left > 1) v |= (uint32_t)data[i + 1] << 8;
        if (left > 2) v |= data[i + 2];
        *to++ = sign[v >> 18];
        *to++ = sign[v >> 12 & 63];
        *to++ = left > 1 ? sign[v >> 6 & 63] : '=';
        *to++ = left > 2 ? sign[v & 63] : '=';
        p->len += 4;
    }
}

static void put_image(rs_page *p, const char *type, const uint8_t *data, size_t len, int width,
                      const char *caption)
{
    rs_page_format(p, "<figure style=\"width:%dpx\"><img alt=\"", width);
    if (caption) rs_page_text(p, caption);
    rs_page_format(p, "\" style=\"width:100%%\" src=\"data:%s;base64,", type);
    put_base64(p, data, len);
    rs_page_raw(p, "\">");
    if (caption) {
        rs_page_raw(p, "<figcaption>");
        rs_page_text(p, caption);
        rs_page_raw(p, "</figcaption>");
    }
    rs_page_raw(p, "</figure>\n");
}

void rs_page_picture(rs_page *p, const rs_rgb8 *picture, int width, const char *caption)
{
    uint8_t *data = NULL;
    size_t len = 0;
    reshed_error err = {0};
    if (!rs_page_sound(p)) return;
    reshed_status st = rs_png_write_mem(RS_PNG_RGB8, picture->height, picture->width, picture->data,
                                        &data, &len, &err);
    if (st == RESHED_OK)
        put_image(p, "image/png", data, len, width, caption);
    else
        rs_page_fail(p, st, &err);
    rs_free(data);
}

/* Writes the figure as a file, with its size on paper. */
static void export_figure(rs_page *p, rs_figure *f, const char *caption)
{
    rs_page_export *e = p->export;
    char name[32], path[4096];
    reshed_error err = {0};
    snprintf(name, sizeof name, "figure_%02d.%s", ++e->count, e->ending);
    const size_t n = (size_t)snprintf(path, sizeof path, "%s/%s", e->folder, name);
    reshed_status st = n < sizeof path ? RESHED_OK
                                       : rs_fail(&err, RESHED_EINVAL,
                                                 "path|less than %zu bytes|%zu", sizeof path, n);
    rs_figure_paper(f, e->paper);
    st = rs_report_save_figure(st, f, path, &err);
    rs_page_fail(p, st, &err);
    rs_page_raw(e->captions, name);
    rs_page_raw(e->captions, ": ");
    rs_page_raw(e->captions, caption ? caption : "");
    rs_page_raw(e->captions, ".\n");
}

void rs_page_figure(rs_page *p, rs_figure *f, rs_page_kind kind, int width, const char *caption)
{
    rs_rgb8 picture = {0};
    uint8_t *data = NULL;
    size_t len = 0;
    reshed_error err = {0};
    if (p->export && rs_page_sound(p)) {
        export_figure(p, f, caption);
        return;
    }
    if (rs_page_sound(p)) {
        reshed_status st = kind == RS_PAGE_SVG
                               ? rs_figure_document(f, RS_DOCUMENT_SVG, &data, &len, &err)
                               : rs_figure_draw(f, &picture, &err);
        /* This cairo has no SVG: pixels instead. */
        if (kind == RS_PAGE_SVG && st == RESHED_EUNSUPPORTED) {
            kind = RS_PAGE_PNG;
            st = rs_figure_draw(f, &picture, &err);
        }
        if (st != RESHED_OK)
            rs_page_fail(p, st, &err);
        else if (kind == RS_PAGE_SVG)
            put_image(p, "image/svg+xml", data, len, width, caption);
        else
            rs_page_picture(p, &picture, width, caption);
    }
    rs_rgb8_clear(&picture);
    rs_free(data);
    rs_figure_free(f);
}
