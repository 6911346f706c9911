/* Layout of a .gsf file (Gwyddion user guide, "Gwyddion Simple Field File Format"):
 *
 *   "Gwyddion Simple Field 1.0\n"
 *   "Name = value\n" ...            UTF-8; XRes and YRes must be there
 *   1 to 4 NUL bytes                so that what follows is at a multiple of 4; they end the last line
 *                                   where a program wrote no '\n'
 *   XRes*YRes float32               little-endian, row after row, the top row first; nothing after
 */
#include "io/gsf.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "base/text.h"
#include "io/common/channel.h"
#include "io/common/sample.h"
#include "io/common/units.h"

static const char magic[] = "Gwyddion Simple Field 1.0\n";
/* Of the text; free keys may hold anything, but not endlessly. */
#define HEADER_MAX ((size_t)1 << 20)

typedef struct fields {
    double xres, yres, xreal, yreal, xoffset, yoffset; /* NaN: absent */
    char xyunits[16], zunits[16], title[64];
} fields;

/* Copies n bytes as text without what a terminal would obey, cut to fit. */
static void take_text(char *dst, size_t size, const char *s, size_t n)
{
    char all[256];
    if (n >= sizeof all) n = sizeof all - 1;
    memcpy(all, s, n);
    all[n] = '\0';
    rs_text_copy(dst, size, all);
}

static reshed_status take_number(const char *name, const char *s, size_t n, size_t at, double *out,
                                 reshed_error *err)
{
    if (rs_number_parse(s, n, out)) return RESHED_OK;
    return rs_fail(err, RESHED_ECORRUPT, "%s of the GSF header|a number|'%.*s'|offset %zu", name,
                   (int)(n < 40 ? n : 40), s, at);
}

/* One line, without its '\n', that begins at offset at. */
static reshed_status take_line(const char *line, size_t n, size_t at, fields *f, reshed_error *err)
{
    const struct {
        const char *name;
        double *number;
        char *text;
        size_t size;
    } known[] = {
        {"XRes", &f->xres, NULL, 0},
        {"YRes", &f->yres, NULL, 0},
        {"XReal", &f->xreal, NULL, 0},
        {"YReal", &f->yreal, NULL, 0},
        {"XOffset", &f->xoffset, NULL, 0},
        {"YOffset", &f->yoffset, NULL, 0},
        {"XYUnits", NULL, f->xyunits, sizeof f->xyunits},
        {"ZUnits", NULL, f->zunits, sizeof f->zunits},
        {"Title", NULL, f->title, sizeof f->title},
    };
    const char *equals = memchr(line, '=', n);
    if (!equals)
        return rs_fail(err, RESHED_ECORRUPT,
                       "line of the GSF header|Name = value|'%.*s'|offset %zu",
                       (int)(n < 40 ? n : 40), line, at);
    const char *value = equals + 1, *end = line + n, *name_end = equals;
    while (name_end > line && (name_end[-1] == ' ' || name_end[-1] == '\t')) name_end--;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
    size_t k = (size_t)(name_end - line), m = (size_t)(end - value);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) != k || memcmp(line, known[i].name, k) != 0) continue;
        if (known[i].number) return take_number(known[i].name, value, m, at, known[i].number, err);
        take_text(known[i].text, known[i].size, value, m);
    }
    return RESHED_OK;
}

/* Fills *f and gives the offset of the pixels. */
static reshed_status read_header(const uint8_t *bytes, size_t len, fields *f, size_t *data,
                                 reshed_error *err)
{
    size_t at = sizeof magic - 1;
    if (len < at || memcmp(bytes, magic, at) != 0)
        return rs_fail(err, RESHED_ECORRUPT,
                       "not a GSF file|'Gwyddion Simple Field 1.0'|other bytes|"
                       "offset 0");
    size_t room = len < HEADER_MAX ? len : HEADER_MAX;
    while (at < room && bytes[at] != 0) {
        size_t n = 0;
        while (at + n < room && bytes[at + n] != '\n' && bytes[at + n] != 0) n++;
        if (at + n == room)
            return rs_fail(err, RESHED_ECORRUPT,
                           "line of the GSF header|a line end|none|offset %zu", at);
        reshed_status st = n ? take_line((const char *)bytes + at, n, at, f, err) : RESHED_OK;
        if (st != RESHED_OK) return st;
        at += n + (bytes[at + n] == '\n');
    }
    size_t end = (at / 4 + 1) * 4; /* at least one NUL, four when the text ends at a multiple */
    for (size_t i = at; i < end; i++)
        if (i >= len || bytes[i] != 0)
            return rs_fail(err, RESHED_ECORRUPT,
                           "end of the GSF header|%zu NUL bytes|%s|offset %zu", end - at,
                           i >= len ? "the end of the file" : "another byte", i);
    *data = end;
    return RESHED_OK;
}

static bool is_side(double v)
{
    return v >= 1 && v <= RS_IMAGE_MAX_SIDE && v == floor(v);
}

/* Lengths below zero are taken without their sign, as Gwyddion does; it takes 1 for 0 and NaN, which
 * would be an invention here. */
static void take_scale(const fields *f, rs_image *im)
{
    const double xreal = fabs(f->xreal), yreal = fabs(f->yreal);
    if (isnan(f->xreal) && isnan(f->yreal)) return; /* none was given */
    if (!(isfinite(xreal) && isfinite(yreal) && xreal > 0 && yreal > 0)) {
        rs_image_note(im, "XReal = %g and YReal = %g are no lengths, so the pixel size is unknown",
                      f->xreal, f->yreal);
        return;
    }
    const double metres = rs_metres_or_note(f->xyunits, "the frame", im);
    if (metres <= 0) return;
    if (f->xreal < 0 || f->yreal < 0)
        rs_image_note(im, "XReal = %g and YReal = %g are taken without their sign, as in Gwyddion",
                      f->xreal, f->yreal);
    im->dx = xreal / f->xres * metres;
    im->dy = yreal / f->yres * metres;
    im->x0 = isfinite(f->xoffset) ? (f->xoffset + 0.5 * xreal) * metres : 0;
    im->y0 = isfinite(f->yoffset) ? (f->yoffset + 0.5 * yreal) * metres : 0;
}

reshed_status rs_gsf_read_mem(const uint8_t *bytes, size_t len, rs_image *out, reshed_error *err)
{
    fields f = {NAN, NAN, NAN, NAN, NAN, NAN, "", "", ""};
    rs_image im;
    size_t data = 0;
    reshed_status st = read_header(bytes, len, &f, &data, err);
    if (st != RESHED_OK) return st;
    if (!is_side(f.xres) || !is_side(f.yres))
        return rs_fail(err, RESHED_ECORRUPT,
                       "XRes and YRes of the GSF header|whole numbers from 1 to "
                       "%d|%g and %g",
                       RS_IMAGE_MAX_SIDE, f.xres, f.yres);
    size_t count = (size_t)f.xres * (size_t)f.yres;
    if (len - data != 4 * count)
        return rs_fail(err, RESHED_ECORRUPT,
                       "pixels of the GSF file|%zu bytes|%zu bytes|offset %zu", 4 * count,
                       len - data, data);
    st = rs_image_init(&im, (int64_t)f.yres, (int64_t)f.xres, err);
    if (st != RESHED_OK) return st;
    rs_sample_to_float(RS_SAMPLE_F32, false, bytes + data, count, im.data);

    take_scale(&f, &im);
    rs_text_copy(im.unit, sizeof im.unit, f.zunits);
    rs_text_copy(im.channel, sizeof im.channel, f.title);
    *out = im;
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- writing */
/* A text value on one line. */
static int text_line(char *buf, size_t n, const char *name, const char *text)
{
    int k = snprintf(buf, n, "%s = %s\n", name, text);
    for (int i = 0; i + 1 < k; i++)
        if (buf[i] == '\n' || buf[i] == '\r') buf[i] = ' ';
    return k;
}

static int number_line(char *buf, size_t n, const char *name, double v)
{
    char number[RS_NUMBER_TEXT];
    return snprintf(buf, n, "%s = %s\n", name, rs_number_format(number, v));
}

reshed_status rs_gsf_write_mem(const rs_image *im, uint8_t **bytes, size_t *len, reshed_error *err)
{
    char head[1024];
    size_t k = 0, n = sizeof head;
    double xreal = im->dx * im->width, yreal = im->dy * im->height;
    k += (size_t)snprintf(head, n, "%sXRes = %d\nYRes = %d\n", magic, im->width, im->height);
    if (im->dx > 0 && im->dy > 0) {
        k += (size_t)number_line(head + k, n - k, "XReal", xreal);
        k += (size_t)number_line(head + k, n - k, "YReal", yreal);
        k += (size_t)number_line(head + k, n - k, "XOffset", im->x0 - 0.5 * xreal);
        k += (size_t)number_line(head + k, n - k, "YOffset", im->y0 - 0.5 * yreal);
        k += (size_t)text_line(head + k, n - k, "XYUnits", "m");
    }
    if (im->unit[0]) k += (size_t)text_line(head + k, n - k, "ZUnits", im->unit);
    k += (size_t)text_line(head + k, n - k, "Title", im->channel[0] ? im->channel : "untitled");

    size_t data = (k / 4 + 1) * 4, count = (size_t)im->height * (size_t)im->width;
    uint8_t *b = rs_alloc(data + 4 * count, 1);
    if (!b) return rs_fail_nomem(err, "a GSF file", data + 4 * count);
    memset(b, 0, data);
    memcpy(b, head, k);
    rs_sample_native(4, false, (const uint8_t *)im->data, count, b + data);
    *bytes = b;
    *len = data + 4 * count;
    return RESHED_OK;
}

reshed_status rs_gsf_write(const char *path, const rs_image *im, reshed_error *err)
{
    uint8_t *bytes;
    size_t len;
    reshed_status st = rs_gsf_write_mem(im, &bytes, &len, err);
    if (st != RESHED_OK) return st;
    st = rs_os_write_file(path, bytes, len, err);
    rs_free(bytes);
    return st;
}
