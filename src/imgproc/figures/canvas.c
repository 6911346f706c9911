#include "imgproc/figures/canvas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef CAIRO_HAS_SVG_SURFACE
#include <cairo-svg.h>
#endif
#ifdef CAIRO_HAS_PDF_SURFACE
#include <cairo-pdf.h>
#endif

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/text.h"

#define LARGEST_SIDE 32767   /* of a cairo image surface */
#define CAPITAL_HEIGHT 0.729 /* of DejaVu Sans, em */

static reshed_status start(rs_canvas *c, cairo_surface_t *surface, double scale, reshed_error *err)
{
    *c = (rs_canvas){.surface = surface, .cr = cairo_create(surface), .scale = scale};
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_SLIGHT);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(c->cr, o);
    cairo_font_options_destroy(o);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    cairo_paint(c->cr);
    cairo_scale(c->cr, scale, scale);
    reshed_status st = rs_canvas_check(c, err);
    if (st != RESHED_OK) rs_canvas_close(c);
    return st;
}

reshed_status rs_canvas_open(rs_canvas *c, double width, double height, double scale,
                             reshed_error *err)
{
    const double w = round(width * scale), h = round(height * scale);
    if (!(w >= 1 && h >= 1 && w <= LARGEST_SIDE && h <= LARGEST_SIDE))
        return rs_fail(err, RESHED_EUNSUPPORTED, "size of the picture|1 to %d a side|%.0f x %.0f",
                       LARGEST_SIDE, w, h);
    return start(c, cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)w, (int)h), scale, err);
}

void rs_canvas_close(rs_canvas *c)
{
    if (c->cr) cairo_destroy(c->cr);
    if (c->surface) cairo_surface_destroy(c->surface);
    memset(c, 0, sizeof *c);
}

reshed_status rs_canvas_check(const rs_canvas *c, reshed_error *err)
{
    cairo_status_t s = cairo_status(c->cr);
    if (s == CAIRO_STATUS_SUCCESS) s = cairo_surface_status(c->surface);
    if (s == CAIRO_STATUS_SUCCESS) return RESHED_OK;
    return rs_fail(err, s == CAIRO_STATUS_NO_MEMORY ? RESHED_ENOMEM : RESHED_EINTERNAL,
                   "drawing failed: %s", cairo_status_to_string(s));
}

reshed_status rs_canvas_picture(const rs_canvas *c, rs_rgb8 *out, reshed_error *err)
{
    rs_rgb8 p;
    reshed_status st = rs_canvas_check(c, err);
    if (st != RESHED_OK) return st;
    cairo_surface_flush(c->surface);
    const unsigned char *row = cairo_image_surface_get_data(c->surface);
    int stride = cairo_image_surface_get_stride(c->surface);
    st = rs_rgb8_init(&p, cairo_image_surface_get_height(c->surface),
                      cairo_image_surface_get_width(c->surface), err);
    if (st != RESHED_OK) return st;
    uint8_t *q = p.data;
    for (int y = 0; y < p.height; y++, row += stride)
        for (int x = 0; x < p.width; x++) {
            uint32_t v; /* 0xXXRRGGBB in the machine's byte order */
            memcpy(&v, row + 4 * (size_t)x, sizeof v);
            *q++ = (uint8_t)(v >> 16);
            *q++ = (uint8_t)(v >> 8);
            *q++ = (uint8_t)v;
        }
    *out = p;
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------ documents */

static cairo_status_t collect(void *closure, const unsigned char *data, unsigned int length)
{
    rs_document *d = closure;
    size_t need = d->len + length;
    if (need > d->capacity) {
        size_t more = need < 65536 ? 65536 : 2 * need;
        uint8_t *grown = rs_regrow(d->data, d->len, more, 1);
        if (!grown) {
            d->failed = true;
            return CAIRO_STATUS_NO_MEMORY;
        }
        d->data = grown;
        d->capacity = more;
    }
    memcpy(d->data + d->len, data, length);
    d->len = need;
    return CAIRO_STATUS_SUCCESS;
}

/* Returns NULL where this cairo cannot make such a document. w, h: points. */
static cairo_surface_t *document_surface(rs_document *d, double w, double h)
{
#ifdef CAIRO_HAS_SVG_SURFACE
    if (d->kind == RS_DOCUMENT_SVG) return cairo_svg_surface_create_for_stream(collect, d, w, h);
#endif
#ifdef CAIRO_HAS_PDF_SURFACE
    if (d->kind == RS_DOCUMENT_PDF) {
        cairo_surface_t *s = cairo_pdf_surface_create_for_stream(collect, d, w, h);
        /* Else the time of writing is in the document, and no two are the same. */
        cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, "");
        return s;
    }
#endif
    return NULL;
}

reshed_status rs_canvas_open_document(rs_canvas *c, rs_document *d, rs_document_kind kind,
                                      double width, double height, double scale, reshed_error *err)
{
    *d = (rs_document){.kind = kind};
    cairo_surface_t *s = document_surface(d, width * scale, height * scale);
    if (!s)
        return rs_fail(err, RESHED_EUNSUPPORTED, "%s|a cairo built with it|one without",
                       kind == RS_DOCUMENT_PDF ? "PDF" : "SVG");
    reshed_status st = start(c, s, scale, err);
    if (st != RESHED_OK) rs_free(d->data); /* closing the surface may have written some */
    return st;
}

/* Digits of the name of a surface ("surface12" as an id, or in a link) at p, of which `left` bytes
 * are there; 0 when it is none. */
#define SURFACE "surface"
#define STEM sizeof SURFACE /* with the quotation mark or the # before it */
static size_t surface_digits(const uint8_t *p, size_t left)
{
    size_t n = 0;
    if ((p[0] != '"' && p[0] != '#') || left <= STEM || memcmp(p + 1, SURFACE, STEM - 1) != 0)
        return 0;
    while (STEM + n < left && p[STEM + n] >= '0' && p[STEM + n] <= '9') n++;
    return n <= 9 ? n : 0;
}

/* Cairo numbers surfaces through the whole life of the program. Here they count from 0, so that the
 * same figure is the same document. This is done in place: no number becomes longer, as the k-th
 * was at least k. */
static void rename_surfaces(rs_document *svg)
{
    enum { NAMES = 64 }; /* of those that are kept apart: a figure has one or two */
    unsigned long seen[NAMES];
    int names = 0;
    size_t to = 0;
    for (size_t from = 0, digits; from < svg->len; from += digits ? STEM + digits : 1) {
        const uint8_t *p = svg->data + from;
        unsigned long number = 0;
        int k = 0;
        digits = surface_digits(p, svg->len - from);
        for (size_t i = 0; i < digits; i++)
            number = 10 * number + (unsigned long)(p[STEM + i] - '0');
        while (digits && k < names && seen[k] != number) k++;
        if (digits && k == names && k < NAMES) seen[names++] = number;
        size_t keep = digits ? STEM + digits : 1;
        memmove(svg->data + to, p, keep);
        if (digits && k < NAMES) {
            char name[24];
            size_t n = (size_t)snprintf(name, sizeof name, "%d", k);
            if (n <= digits) {
                memcpy(svg->data + to + STEM, name, n);
                keep = STEM + n;
            }
        }
        to += keep;
    }
    svg->len = to;
}

reshed_status rs_canvas_finish_document(rs_canvas *c, rs_document *d, uint8_t **data, size_t *len,
                                        reshed_error *err)
{
    cairo_surface_finish(c->surface); /* writes the document */
    reshed_status st =
        d->failed ? rs_fail_nomem(err, "a figure's document", 2 * d->len) : rs_canvas_check(c, err);
    if (st != RESHED_OK) {
        rs_free(d->data);
    } else {
        if (d->kind == RS_DOCUMENT_SVG) rename_surfaces(d);
        *data = d->data;
        *len = d->len;
    }
    memset(d, 0, sizeof *d);
    return st;
}

/* ------------------------------------------------------------------------------------- drawing */

void rs_canvas_colour(rs_canvas *c, uint32_t rgb, double opacity)
{
    cairo_set_source_rgba(c->cr, (rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0,
                          (rgb & 255) / 255.0, opacity);
}

void rs_canvas_pixels(rs_canvas *c, const uint8_t *rgb, int height, int width, double x, double y,
                      double w, double h)
{
    if (!(w > 0 && h > 0)) return;
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    unsigned char *row = cairo_image_surface_get_data(s);
    int stride = cairo_image_surface_get_stride(s);
    for (int i = 0; row && i < height; i++, row += stride)
        for (int j = 0; j < width; j++, rgb += 3) {
            uint32_t v = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
            memcpy(row + 4 * (size_t)j, &v, sizeof v);
        }
    cairo_surface_mark_dirty(s);
    cairo_save(c->cr);
    cairo_rectangle(c->cr, x, y, w, h);
    cairo_clip(c->cr);
    cairo_translate(c->cr, x, y);
    cairo_scale(c->cr, w / width, h / height);
    cairo_set_source_surface(c->cr, s, 0, 0); /* an error of s becomes one of cr */
    cairo_pattern_t *p = cairo_get_source(c->cr);
    bool enlarged = w * c->scale >= width && h * c->scale >= height;
    cairo_pattern_set_filter(p, enlarged ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_pattern_set_extend(p, CAIRO_EXTEND_PAD);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
    cairo_surface_destroy(s);
}

/* ---------------------------------------------------------------------------------------- text */

/* Returns the bytes of the well-formed, printable UTF-8 character at s, or 0. */
static size_t character(const unsigned char *s)
{
    uint32_t v;
    size_t n = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
    static const uint32_t least[5] = {0, 0x20, 0xa0, 0x800, 0x10000};
    if (n == 0) return 0;
    v = n == 1 ? *s : *s & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) return 0; /* also at the end of the string */
        v = v << 6 | (s[i] & 0x3f);
    }
    return v < least[n] || v == 0x7f || v > 0x10ffff || v >> 11 == 0x1b ? 0 : n;
}

/* s, cut to the buffer at a character, with '?' for what cairo would refuse. */
static void clean(const char *s, char *buf, size_t size)
{
    size_t k = 0;
    while (*s && k + 4 < size) {
        size_t n = character((const unsigned char *)s);
        if (n == 0) {
            buf[k++] = '?';
            s++;
        } else {
            memcpy(buf + k, s, n);
            k += n;
            s += n;
        }
    }
    buf[k] = '\0';
}

enum { TEXT_BYTES = 512 };

static void set_font(rs_canvas *c, const rs_text *t)
{
    cairo_select_font_face(c->cr, c->family ? c->family : "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           t->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->cr, t->size);
}

double rs_text_width(rs_canvas *c, const rs_text *t, const char *s)
{
    char text[TEXT_BYTES];
    cairo_text_extents_t e;
    clean(s, text, sizeof text);
    set_font(c, t);
    cairo_text_extents(c->cr, text, &e);
    return e.x_advance;
}

double rs_text_height(const rs_text *t)
{
    return CAPITAL_HEIGHT * t->size;
}

void rs_text_draw(rs_canvas *c, const rs_text *t, double x, double y, const char *s)
{
    char text[TEXT_BYTES];
    if (!*s) return;
    clean(s, text, sizeof text);
    double width = rs_text_width(c, t, text);
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    if (t->upwards) cairo_rotate(c->cr, -RS_PI / 2);
    cairo_move_to(c->cr, -t->ax * width, (1 - t->ay) * rs_text_height(t));
    if (t->halo) {
        cairo_text_path(c->cr, text);
        cairo_path_t *path = cairo_copy_path(c->cr);
        cairo_pattern_t *ink = cairo_pattern_reference(cairo_get_source(c->cr));
        cairo_set_source_rgba(c->cr, 1, 1, 1, 0.85);
        cairo_set_line_width(c->cr, fmax(2, 0.25 * t->size));
        cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
        cairo_stroke(c->cr);
        cairo_set_source(c->cr, ink);
        cairo_append_path(c->cr, path);
        cairo_fill(c->cr);
        cairo_pattern_destroy(ink);
        cairo_path_destroy(path);
    } else {
        cairo_show_text(c->cr, text);
    }
    cairo_restore(c->cr);
}
