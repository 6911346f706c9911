/* Layout of an ISO 28600 file: ASCII, lines that end with LF or CR LF, of which these are used (from 1),
 *
 *   1 "ISO/TC 201 SPM data transfer format"   8 MAP_SC or MAP_MC       17 REGULAR MAPPING
 *   20, 22 fast and slow axis, X or Y         21, 23 their directions, "left to right", "top to bottom"
 *   24, 25 columns and rows                   26, 27 units of x and y  28, 29 field of view
 *   30, 31 units of the offset                32, 33 offset            34 degrees, counter-clockwise
 *   69, 70 channel and unit of MAP_SC         94 channels of MAP_MC; 95, 96 name and unit of the first,
 *   98, 99 of the second, ...                 128 "end of header"
 *
 * then the numbers, of each pixel one after the other channel, and "end of experiment". Units "d" and "n"
 * say that there is none. The offset is that of the corner, as Gwyddion writes it. */
#include "io/instruments/iso28600.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/os.h"
#include "base/text.h"
#include "io/common/header.h"
#include "io/common/units.h"

#define MAGIC "ISO/TC 201 SPM data transfer format"
enum { LINES = 128 };

typedef struct header {
    rs_span line[LINES + 1]; /* by their numbers */
    rs_span data;
    int width, height, channels;
    bool several;
} header;

/* ------------------------------------------------------------------------------------- reading */

static bool find_number(const header *h, int line, double *out)
{
    return rs_span_number(h->line[line], out) && isfinite(*out);
}

static reshed_status read_side(const header *h, int line, int *out, reshed_error *err)
{
    double v = 0;
    if (find_number(h, line, &v) && v >= 1 && v <= RS_IMAGE_MAX_SIDE && v == floor(v)) {
        *out = (int)v;
        return RESHED_OK;
    }
    return rs_fail(err, RESHED_ECORRUPT,
                   "line %d of the ISO 28600 header|a whole number from 1 to %d|%.*s", line,
                   RS_IMAGE_MAX_SIDE, (int)(h->line[line].n < 20 ? h->line[line].n : 20),
                   h->line[line].s);
}

static reshed_status unsupported(const header *h, int line, const char *expected, reshed_error *err)
{
    return rs_fail(err, RESHED_EUNSUPPORTED, "line %d of the ISO 28600 header|%s|%.*s", line,
                   expected, (int)(h->line[line].n < 40 ? h->line[line].n : 40), h->line[line].s);
}

static bool may_be(const header *h, int line, const char *text)
{
    return h->line[line].n == 0 || rs_span_is(h->line[line], text);
}

static reshed_status check_kind(header *h, reshed_error *err)
{
    double n = 1;
    h->several = rs_span_is(h->line[8], "MAP_MC");
    if (!h->several && !rs_span_is(h->line[8], "MAP_SC"))
        return unsupported(h, 8, "MAP_SC or MAP_MC", err);
    if (!rs_span_is(h->line[17], "REGULAR MAPPING"))
        return unsupported(h, 17, "REGULAR MAPPING", err);
    if (!may_be(h, 20, "X")) return unsupported(h, 20, "X", err);
    if (!may_be(h, 22, "Y")) return unsupported(h, 22, "Y", err);
    if (!may_be(h, 21, "left to right") && !may_be(h, 21, "right to left"))
        return unsupported(h, 21, "left to right, or right to left", err);
    if (!may_be(h, 23, "top to bottom") && !may_be(h, 23, "bottom to top"))
        return unsupported(h, 23, "top to bottom, or bottom to top", err);
    if (h->several && (!find_number(h, 94, &n) || n < 1 || n > RS_ISO28600_MAPS || n != floor(n)))
        return unsupported(h, 94, "1 to 8 channels", err);
    h->channels = (int)n;
    return RESHED_OK;
}

static reshed_status read_header(const uint8_t *bytes, size_t len, header *h, reshed_error *err)
{
    rs_span rest = {(const char *)bytes, len}, line;
    memset(h, 0, sizeof *h);
    if (!rs_span_begins(rest, MAGIC))
        return rs_fail(err, RESHED_ECORRUPT, "not an ISO 28600 file|%s|other bytes|offset 0",
                       MAGIC);
    for (int i = 1; i <= LINES; i++) {
        if (!rs_span_line(&rest, &line))
            return rs_fail(err, RESHED_ECORRUPT, "header of the ISO 28600 file|%d lines|%d", LINES,
                           i - 1);
        h->line[i] = rs_span_trim(line);
    }
    if (!rs_span_is(h->line[LINES], "end of header"))
        return rs_fail(err, RESHED_ECORRUPT, "line %d of the ISO 28600 header|end of header|%.*s",
                       LINES, (int)(h->line[LINES].n < 40 ? h->line[LINES].n : 40),
                       h->line[LINES].s);
    reshed_status st = check_kind(h, err);
    if (st == RESHED_OK) st = read_side(h, 24, &h->width, err);
    if (st == RESHED_OK) st = read_side(h, 25, &h->height, err);
    if (st != RESHED_OK) return st;
    h->data = rest;
    /* Two bytes a number at least; no product overflows with these sides. */
    const uint64_t numbers = (uint64_t)h->width * (uint64_t)h->height * (uint64_t)h->channels;
    if (rest.n / 2 < numbers)
        return rs_fail(err, RESHED_ECORRUPT,
                       "data of the ISO 28600 file|%d x %d x %d numbers|%zu bytes", h->height,
                       h->width, h->channels, rest.n);
    return RESHED_OK;
}

/* "d" and "n" stand for none. */
static void take_unit(char *dst, size_t size, rs_span unit)
{
    if (rs_span_is(unit, "d") || rs_span_is(unit, "n")) unit.n = 0;
    rs_span_text(dst, size, unit);
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    header h;
    rs_channels found = {0};
    reshed_status st = read_header(bytes, len, &h, err);
    for (int i = 0; st == RESHED_OK && i < h.channels; i++) {
        const int at = h.several ? 95 + 3 * i : 69;
        char name[64];
        rs_channel *made;
        rs_span_text(name, sizeof name, h.line[at]);
        if (!name[0]) snprintf(name, sizeof name, "channel %d", i);
        st = rs_channels_add(&found, name, &made, err);
        if (st == RESHED_OK) take_unit(made->unit, sizeof made->unit, h.line[at + 1]);
    }
    if (st != RESHED_OK) {
        rs_channels_clear(&found);
        return st;
    }
    *out = found;
    return RESHED_OK;
}

static bool is_gap(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ';';
}

static bool next_word(rs_span *rest, rs_span *word)
{
    size_t n = 0;
    while (rest->n > 0 && is_gap(rest->s[0])) rest->s++, rest->n--;
    while (n < rest->n && !is_gap(rest->s[n])) n++;
    *word = (rs_span){rest->s, n};
    rest->s += n;
    rest->n -= n;
    return n > 0;
}

/* The numbers of one channel, and the end. */
static reshed_status read_values(const header *h, int index, float *out, reshed_error *err)
{
    const size_t n = (size_t)h->width * (size_t)h->height, channels = (size_t)h->channels;
    rs_span rest = h->data, word;
    for (size_t i = 0; i < n * channels; i++) {
        double v;
        if (!next_word(&rest, &word) || !rs_span_number(word, &v))
            return rs_fail(err, RESHED_ECORRUPT, "data of the ISO 28600 file|%zu numbers|%zu",
                           n * channels, i);
        if (i % channels == (size_t)index) out[i / channels] = (float)v;
    }
    if (!rs_span_begins(rs_span_trim(rest), "end of experiment"))
        return rs_fail(err, RESHED_ECORRUPT,
                       "data of the ISO 28600 file|%zu numbers and 'end of experiment'|more",
                       n * channels);
    return RESHED_OK;
}

static void swap(float *a, float *b)
{
    const float v = *a;
    *a = *b;
    *b = v;
}

/* Rows from the top, columns from the left. */
static void put_upright(const header *h, rs_image *im)
{
    const size_t rows = (size_t)im->height, columns = (size_t)im->width;
    for (size_t r = 0; rs_span_is(h->line[23], "bottom to top") && r < rows / 2; r++)
        for (size_t c = 0; c < columns; c++)
            swap(im->data + r * columns + c, im->data + (rows - 1 - r) * columns + c);
    for (size_t r = 0; rs_span_is(h->line[21], "right to left") && r < rows; r++)
        for (size_t c = 0; c < columns / 2; c++)
            swap(im->data + r * columns + c, im->data + r * columns + columns - 1 - c);
}

static void take_place(const header *h, rs_image *im)
{
    double size[2] = {0, 0}, centre[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        char unit[32];
        double v;
        take_unit(unit, sizeof unit, h->line[26 + i]);
        if (!unit[0] || !find_number(h, 28 + i, &v) || v == 0) continue;
        size[i] = fabs(v) * rs_metres_or_note(unit, i ? "the y axis" : "the x axis", im);
        take_unit(unit, sizeof unit, h->line[30 + i]);
        if (find_number(h, 32 + i, &v) && isfinite(v * rs_metres_per(unit)))
            centre[i] = v * rs_metres_per(unit) + 0.5 * size[i];
    }
    if (size[0] > 0 && size[1] > 0 && isfinite(size[0]) && isfinite(size[1])) {
        im->dx = size[0] / im->width;
        im->dy = size[1] / im->height;
        im->x0 = isfinite(centre[0]) ? centre[0] : 0;
        im->y0 = isfinite(centre[1]) ? centre[1] : 0;
    }
    if (!find_number(h, 34, &im->angle)) im->angle = 0;
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    header h;
    rs_image im;
    reshed_status st = read_header(bytes, len, &h, err);
    if (st == RESHED_OK && (index < 0 || index >= h.channels))
        st =
            rs_fail(err, RESHED_EINVAL, "channel number|a channel of the ISO 28600 file|%d", index);
    if (st == RESHED_OK) st = rs_image_init(&im, h.height, h.width, err);
    if (st != RESHED_OK) return st;
    st = read_values(&h, index, im.data, err);
    if (st != RESHED_OK) {
        rs_image_clear(&im);
        return st;
    }
    put_upright(&h, &im);
    take_place(&h, &im);
    take_unit(im.unit, sizeof im.unit, h.line[h.several ? 96 + 3 * index : 70]);
    *out = im;
    return RESHED_OK;
}

const rs_reader rs_iso28600_reader = {list, read, NULL};

/* ------------------------------------------------------------------------------------- writing */

typedef struct out {
    char *text; /* owned */
    size_t n, room;
} out;

/* Room for each line is proved by the caller's count. */
static void put(out *o, const char *s)
{
    const size_t n = strlen(s);
    if (n + 1 > o->room - o->n) return;
    memcpy(o->text + o->n, s, n);
    o->n += n;
    o->text[o->n++] = '\n';
}

static void put_number(out *o, double v)
{
    char number[RS_NUMBER_TEXT];
    put(o, rs_number_format(number, v));
}

/* On one line, in ASCII. */
static void put_text(out *o, const char *s)
{
    char line[96];
    size_t n = 0;
    if (strcmp(s, "\xc2\xb0") == 0) s = "deg";
    for (; *s && n + 1 < sizeof line; s++) {
        if (((unsigned char)*s & 0xc0) == 0x80) continue; /* the rest of a character */
        line[n++] = (char)(*s >= ' ' && *s < 0x7f ? *s : '?');
    }
    line[n] = '\0';
    put(o, line);
}

static void put_unit(out *o, const char *unit)
{
    put_text(o, unit[0] ? unit : "d");
}

static void put_empty(out *o, int lines)
{
    for (int i = 0; i < lines; i++) put(o, "");
}

static void put_zeros(out *o, int lines)
{
    for (int i = 0; i < lines; i++) put(o, "0");
}

/* Lines 1 to 47. */
static void put_scan(out *o, const rs_iso28600_content *c, size_t missing)
{
    const bool sized = c->dx > 0 && c->dy > 0;
    const double width = c->width * (sized ? c->dx : 1), height = c->height * (sized ? c->dy : 1);
    char comment[96];
    snprintf(comment, sizeof comment, "written by reshed %s", RESHED_VERSION);
    if (missing)
        snprintf(comment, sizeof comment,
                 "written by reshed %s; %zu values without a number are means", RESHED_VERSION,
                 missing);
    put(o, MAGIC);
    put(o, "general information");
    put_empty(o, 4);
    put(o, comment);
    put(o, c->n == 1 ? "MAP_SC" : "MAP_MC");
    for (int i = 0; i < 7; i++) put(o, "-1");
    put(o, "scan information");
    put(o, "REGULAR MAPPING");
    put_empty(o, 2);
    put(o, "X");
    put(o, "left to right");
    put(o, "Y");
    put(o, "top to bottom");
    put_number(o, c->width);
    put_number(o, c->height);
    for (int i = 0; i < 2; i++) put(o, sized ? "m" : "d");
    put_number(o, width);
    put_number(o, height);
    for (int i = 0; i < 2; i++) put(o, sized ? "m" : "d");
    put_number(o, sized ? c->x0 - 0.5 * width : 0);
    put_number(o, sized ? c->y0 - 0.5 * height : 0);
    put_number(o, c->angle);
    put(o, "m/s");
    put(o, "0");
    put(o, "Hz");
    put(o, "0");
    put_empty(o, 2);
    put_zeros(o, 2);
    put_empty(o, 5);
}

/* Lines 48 to 128. */
static void put_channels(out *o, const rs_iso28600_content *c)
{
    put(o, "environment description");
    put_empty(o, 1);
    put_zeros(o, 3);
    put_empty(o, 1);
    put(o, "probe description");
    put_empty(o, 2);
    put_zeros(o, 6);
    put_empty(o, 1);
    put(o, "sample description");
    put_empty(o, 3);
    put(o, "single-channel mapping description");
    put_text(o, c->maps[0].title);
    put_unit(o, c->maps[0].unit);
    put_empty(o, 1);
    put(o, "spectroscopy description");
    put_empty(o, 1);
    put(o, "REGULAR");
    put_empty(o, 1);
    put(o, "n");
    put_zeros(o, 6);
    put_empty(o, 1);
    put(o, "n");
    put(o, "0");
    put_empty(o, 1);
    put(o, "data treatment description");
    put(o, "post-treated data");
    put_empty(o, 4);
    put(o, "multi-channel mapping description");
    put_number(o, c->n);
    for (int i = 0; i < RS_ISO28600_MAPS; i++) {
        put_text(o, i < c->n ? c->maps[i].title : "");
        if (i < c->n)
            put_unit(o, c->maps[i].unit);
        else
            put(o, "n");
        put_empty(o, 1);
    }
    put_empty(o, 9);
    put(o, "end of header");
}

static reshed_status check(const rs_iso28600_content *c, reshed_error *err)
{
    if (c->height < 1 || c->width < 1 || c->height > RS_IMAGE_MAX_SIDE ||
        c->width > RS_IMAGE_MAX_SIDE || (size_t)c->height * (size_t)c->width > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL, "size of a map|sides from 1 to %d|%d x %d",
                       RS_IMAGE_MAX_SIDE, c->height, c->width);
    if (c->n < 1 || c->n > RS_ISO28600_MAPS)
        return rs_fail(err, RESHED_EINVAL, "content of an ISO 28600 file|1 to %d maps|%d",
                       RS_ISO28600_MAPS, c->n);
    return RESHED_OK;
}

/* What stands for the values that are none; *missing grows by their number. */
static double mean_of(const float *v, size_t n, size_t *missing)
{
    double sum = 0;
    size_t there = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            sum += (double)v[i];
            there++;
        }
    *missing += n - there;
    return there ? sum / (double)there : 0;
}

/* Nine digits, which give the same float back, with a point in every locale; returns their number. */
static size_t put_float(char *dst, float v)
{
    char text[40];
    const int n = snprintf(text, sizeof text, "%.9g", (double)v);
    size_t used = 0;
    for (int i = 0; i < n; i++) {
        if (strchr("0123456789+-e", text[i]))
            dst[used++] = text[i];
        else if (used == 0 || dst[used - 1] != '.')
            dst[used++] = '.';
    }
    return used;
}

reshed_status rs_iso28600_write(const char *path, const rs_iso28600_content *c, reshed_error *err)
{
    enum { HEADER = LINES * 100, NUMBER = 18, END = 32 };
    double mean[RS_ISO28600_MAPS];
    size_t missing = 0;
    reshed_status st = check(c, err);
    if (st != RESHED_OK) return st;
    const size_t n = (size_t)c->height * (size_t)c->width, maps = (size_t)c->n;
    out o = {.room = HEADER + n * maps * NUMBER + END};
    o.text = rs_alloc(o.room, 1);
    if (!o.text) return rs_fail_nomem(err, "an ISO 28600 file", o.room);
    for (size_t k = 0; k < maps; k++) mean[k] = mean_of(c->maps[k].data, n, &missing);
    put_scan(&o, c, missing);
    put_channels(&o, c);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < maps; k++) {
            const float v = c->maps[k].data[i];
            o.n += put_float(o.text + o.n, isfinite(v) ? v : (float)mean[k]);
            o.text[o.n++] = k + 1 < maps ? ' ' : '\n';
        }
    put(&o, "end of experiment");
    st = rs_os_write_file(path, o.text, o.n, err);
    rs_free(o.text);
    return st;
}
