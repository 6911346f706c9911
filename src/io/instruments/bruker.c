/* Layout of a NanoScope image: lines of text, CR LF at their ends, then the data of each channel.
 *
 *   \*File list                       sections begin with \*
 *   \Version: 0x09200201
 *   \*Scanner list, \*Ciao scan list  what holds for all channels:
 *   \Scan Size: 3000 nm               of the fast axis; "~m" is a micrometre
 *   \@Sens. Zsens: V 10.5 nm/V        sensitivities
 *   \*Ciao image list                 once for each channel:
 *   \Data offset: 40960, \Bytes/pixel: 2, \Samps/line: 256, \Number of lines: 256
 *   \Line Direction: Retrace
 *   \@2:Image Data: S [Height] "Height"
 *   \@2:Z scale: V [Sens. Zsens] (0.0067 V/LSB) 440.0 V
 *   \*File list end, 1A
 *
 * Numbers are int16, from version 9.20 on int32 whatever Bytes/pixel says, little-endian; value = number /
 * 256^(Bytes/pixel) * the last number of Z scale * the sensitivity that it names. The bottom line comes
 * first, and both directions are stored from -x to +x. */
#include "io/instruments/bruker.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/common/header.h"
#include "io/common/sample.h"
#include "io/common/units.h"

#define HEADER_MAX ((size_t)4 << 20)
#define INT32_VERSION 0x09200000

typedef struct header {
    const uint8_t *bytes;
    size_t len;
    rs_span text, scan; /* all lines; those of the scan list */
    bool wide;          /* int32 */
} header;

/* A channel. */
typedef struct layer {
    rs_span text; /* the lines of its list */
    int width, height;
    size_t offset;
    rs_sample sample;
    double scale;
    char unit[16], name[48], direction[16];
} layer;

/* ------------------------------------------------------------------------------------- the text */
/* The next section: its title, without the backslash and the asterisk, and its lines. */
static bool next_section(rs_span *rest, rs_span *title, rs_span *lines)
{
    rs_span line;
    while (rs_span_line(rest, &line))
        if (rs_span_begins(line, "\\*")) {
            *title = rs_span_trim((rs_span){line.s + 2, line.n - 2});
            *lines = (rs_span){rest->s, 0};
            for (rs_span look = *rest;
                 rs_span_line(&look, &line) && !rs_span_begins(line, "\\*");) {
                *rest = look;
                lines->n = (size_t)(look.s - lines->s);
            }
            return true;
        }
    return false;
}

/* The value of "\KEY: value" or "\@2:KEY: value" in those lines. */
static bool find_value(rs_span lines, const char *key, rs_span *value)
{
    rs_span line;
    const size_t k = strlen(key);
    while (rs_span_line(&lines, &line)) {
        size_t at = 1;
        if (line.n < 2 || line.s[0] != '\\') continue;
        if (line.s[1] == '@') {
            at = 2;
            while (at < line.n && line.s[at] >= '0' && line.s[at] <= '9') at++;
            if (at > 2 && at < line.n && line.s[at] == ':') at++;
        }
        if (line.n - at > k && memcmp(line.s + at, key, k) == 0 && line.s[at + k] == ':') {
            *value = rs_span_trim((rs_span){line.s + at + k + 1, line.n - at - k - 1});
            return true;
        }
    }
    return false;
}

/* The first word of a value, as a whole number in [1, most]. */
static bool find_count(rs_span lines, const char *key, double most, double *out)
{
    rs_span value, word;
    return find_value(lines, key, &value) && rs_span_word(&value, &word) &&
           rs_span_number(word, out) && *out >= 1 && *out <= most && *out == floor(*out);
}

static void unit_text(char *dst, size_t n, rs_span unit)
{
    rs_span_text(dst, n, rs_span_trim(unit));
    if (dst[0] == '~') dst[0] = 'u';
}

/* Lengths in a value: one or two numbers and their unit, in metres. Returns how many. */
static int find_lengths(rs_span lines, const char *key, double v[2])
{
    rs_span value, word;
    char unit[16];
    int n = 0;
    if (!find_value(lines, key, &value)) return 0;
    while (n < 2) {
        const rs_span before = value;
        if (!rs_span_word(&value, &word) || !rs_span_number(word, &v[n])) {
            value = before;
            break;
        }
        n++;
    }
    unit_text(unit, sizeof unit, value);
    const double metres = rs_metres_per(unit);
    for (int i = 0; i < n; i++) {
        v[i] *= metres;
        if (!isfinite(v[i])) return 0;
    }
    return metres > 0 ? n : 0;
}

static reshed_status read_header(const uint8_t *bytes, size_t len, header *h, reshed_error *err)
{
    rs_span all = {(const char *)bytes, len < HEADER_MAX ? len : HEADER_MAX}, rest, title, lines, v;
    char version[16] = "";
    unsigned long number = 0;
    *h = (header){.bytes = bytes, .len = len};
    if (rs_span_begins(all, "\\*Force file list"))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "force curves of a NanoScope, not an image|a file of images|a force file");
    if (!rs_span_begins(all, "\\*File list"))
        return rs_fail(err, RESHED_ECORRUPT,
                       "not a NanoScope file|\\*File list|other bytes|offset 0");
    all.n = rs_span_find(all, "\\*File list end");
    h->text = all;
    if (find_value(all, "Version", &v)) {
        rs_span_text(version, sizeof version, v);
        if (sscanf(version, "0x%8lx", &number) == 1) h->wide = number >= INT32_VERSION;
    }
    for (rest = all; next_section(&rest, &title, &lines);)
        if (rs_span_is(title, "Ciao scan list") && !h->scan.s) h->scan = lines;
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------ the layers */
/* A number and its unit; what stands in brackets before them goes to *soft. */
static bool split_scale(rs_span value, rs_span *soft, double *number, char unit[16])
{
    rs_span word;
    *soft = (rs_span){"", 0};
    const char *open = memchr(value.s, '[', value.n), *close = memchr(value.s, ']', value.n);
    if (open && close && close > open) {
        *soft = (rs_span){open + 1, (size_t)(close - open - 1)};
        value = (rs_span){close + 1, value.n - (size_t)(close + 1 - value.s)};
    }
    close = memchr(value.s, ')', value.n);
    if (close) value = (rs_span){close + 1, value.n - (size_t)(close + 1 - value.s)};
    if (!rs_span_word(&value, &word)) return false;
    if (!rs_span_number(word, number) && /* "V 10.5 nm/V" */
        !(rs_span_word(&value, &word) && rs_span_number(word, number)))
        return false;
    unit_text(unit, 16, value);
    return isfinite(*number);
}

/* Volts in one unit, where it is one. */
static double volts_in(const char *unit)
{
    static const struct {
        const char *unit;
        double volts;
    } known[] = {{"mV", 1e-3}, {"uV", 1e-6}, {"nV", 1e-9}, {"kV", 1e3}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(unit, known[i].unit) == 0) return known[i].volts;
    return 1;
}

/* Finds the physical value of one step of the stored numbers. */
static reshed_status find_scale(const header *h, int stated, layer *l, reshed_error *err)
{
    rs_span value, soft, none;
    double hard, sens;
    char key[64], unit[16];
    if (!find_value(l->text, "Z scale", &value) || !split_scale(value, &soft, &hard, l->unit))
        return rs_fail(err, RESHED_ECORRUPT, "channel of the NanoScope file|a Z scale|none");
    l->scale = hard * pow(256, -stated);
    rs_span_text(key, sizeof key, soft);
    if (key[0] && find_value(h->text, key, &value) && split_scale(value, &none, &sens, unit)) {
        l->scale *= sens * volts_in(l->unit);
        char *slash = strchr(unit, '/');
        if (slash) *slash = '\0';
        memcpy(l->unit, unit, sizeof unit);
    } else if (!l->unit[0] && strcmp(key, "Sens. Phase") == 0) {
        strcpy(l->unit, "deg");
    }
    return isfinite(l->scale) ? RESHED_OK
                              : rs_fail(err, RESHED_ECORRUPT,
                                        "Z scale of the NanoScope file|a number|"
                                        "an infinite one");
}

static void find_name(layer *l)
{
    rs_span value = {"", 0};
    find_value(l->text, "Image Data", &value);
    const char *first = memchr(value.s, '"', value.n), *end = value.s + value.n, *last;
    if (first && (last = memchr(first + 1, '"', (size_t)(end - first - 1))) != NULL) {
        value = (rs_span){first + 1, (size_t)(last - first - 1)};
    } else if ((first = memchr(value.s, '[', value.n)) != NULL &&
               (last = memchr(first, ']', (size_t)(end - first))) != NULL) {
        value = (rs_span){first + 1, (size_t)(last - first - 1)};
    }
    rs_span_text(l->name, sizeof l->name, value);
    if (find_value(l->text, "Line Direction", &value))
        rs_span_text(l->direction, sizeof l->direction, value);
}

static reshed_status read_layer(const header *h, rs_span text, layer *l, reshed_error *err)
{
    double offset, width, height, stated = 2;
    *l = (layer){.text = text};
    if (!find_count(text, "Data offset", 1e15, &offset) ||
        (!find_count(text, "Samps/line", RS_IMAGE_MAX_SIDE, &width) &&
         !find_count(h->scan, "Samps/line", RS_IMAGE_MAX_SIDE, &width)) ||
        (!find_count(text, "Number of lines", RS_IMAGE_MAX_SIDE, &height) &&
         !find_count(h->scan, "Lines", RS_IMAGE_MAX_SIDE, &height)))
        return rs_fail(
            err, RESHED_ECORRUPT,
            "channel of the NanoScope file|Data offset, Samps/line and Number of lines, sides "
            "from 1 to %d|others",
            RS_IMAGE_MAX_SIDE);
    if (!find_count(text, "Bytes/pixel", 4, &stated) || stated == 3) stated = 2;
    const int size = h->wide || stated == 4 ? 4 : stated == 1 ? 1 : 2;
    l->sample = size == 4 ? RS_SAMPLE_I32 : size == 2 ? RS_SAMPLE_I16 : RS_SAMPLE_I8;
    l->width = (int)width;
    l->height = (int)height;
    l->offset = (size_t)offset;
    const size_t need = (size_t)l->width * (size_t)l->height * (size_t)size;
    if (l->offset > h->len || need > h->len - l->offset)
        return rs_fail(err, RESHED_ECORRUPT,
                       "data of the NanoScope file|%zu bytes from offset %zu|a file of %zu bytes",
                       need, l->offset, h->len);
    find_name(l);
    return find_scale(h, (int)stated, l, err);
}

static bool next_layer(const header *h, rs_span *rest, layer *l, reshed_status *st,
                       reshed_error *err)
{
    rs_span title, lines;
    while (next_section(rest, &title, &lines))
        if (rs_span_is(title, "Ciao image list")) {
            *st = read_layer(h, lines, l, err);
            return *st == RESHED_OK;
        }
    return false;
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    header h;
    layer l;
    rs_channels found = {0};
    reshed_status st = read_header(bytes, len, &h, err);
    rs_span rest = h.text;
    while (st == RESHED_OK && next_layer(&h, &rest, &l, &st, err)) {
        char name[72];
        rs_channel *made;
        snprintf(name, sizeof name, "%s%s%s", l.name, l.direction[0] ? " " : "", l.direction);
        bool first = true;
        for (int i = 0; i < found.n; i++) first = first && strcmp(found.c[i].alias[0], l.name) != 0;
        st = rs_channels_add(&found, name, &made, err);
        if (st != RESHED_OK) break;
        rs_text_copy(made->unit, sizeof made->unit, l.unit);
        if (first) rs_text_copy(made->alias[0], sizeof made->alias[0], l.name);
    }
    if (st == RESHED_OK && found.n == 0)
        st = rs_fail(err, RESHED_EUNSUPPORTED,
                     "no image in the NanoScope file|a section \\*Ciao image list|none");
    if (st != RESHED_OK) {
        rs_channels_clear(&found);
        return st;
    }
    *out = found;
    return RESHED_OK;
}

/* The size of the frame: that of the scan list, since those of the images may be anything; how long it is
 * for its width is told by an image's two numbers, or by the aspect ratio. */
static void take_place(const header *h, const layer *l, rs_image *im)
{
    double all[2] = {0}, own[2] = {0}, x[2] = {0}, y[2] = {0}, turn;
    double a = 1, b = 1;
    rs_span value, part;
    const int mine = find_lengths(l->text, "Scan Size", own);
    const int global = find_lengths(h->scan, "Scan Size", all);
    const double width = global ? all[0] : own[0];
    double ratio = 1;
    if (mine == 2 && own[0] > 0)
        ratio = own[1] / own[0];
    else if (find_value(l->text, "Aspect Ratio", &value) ||
             find_value(h->scan, "Aspect Ratio", &value))
        if (rs_span_field(&value, ':', &part) && rs_span_number(part, &a) &&
            rs_span_number(value, &b) && a > 0 && b > 0)
            ratio = b / a;
    if (isfinite(width) && width > 0 && isfinite(ratio) && ratio > 0) {
        im->dx = width / l->width;
        im->dy = width * ratio / l->height;
        if (!isfinite(im->dx) || !isfinite(im->dy)) im->dx = im->dy = 0;
    }
    if (find_lengths(h->scan, "X Offset", x)) im->x0 = x[0];
    if (find_lengths(h->scan, "Y Offset", y)) im->y0 = y[0];
    if (find_value(h->scan, "Rotate Ang.", &value) && rs_span_word(&value, &part) &&
        rs_span_number(part, &turn) && isfinite(turn))
        im->angle = turn;
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    header h;
    layer l;
    rs_image im;
    rs_span value;
    int k = -1;
    char frame[8] = "";
    reshed_status st = read_header(bytes, len, &h, err);
    rs_span rest = h.text;
    while (st == RESHED_OK && k < index && next_layer(&h, &rest, &l, &st, err)) k++;
    if (st == RESHED_OK && (k != index || index < 0))
        st =
            rs_fail(err, RESHED_EINVAL, "channel number|a channel of the NanoScope file|%d", index);
    if (st == RESHED_OK) st = rs_image_init(&im, l.height, l.width, err);
    if (st != RESHED_OK) return st;
    const size_t w = (size_t)l.width, n = (size_t)l.height, size = rs_sample_size(l.sample);
    for (size_t r = 0; r < n; r++) {
        float *row = im.data + r * w;
        const uint8_t *src = bytes + l.offset + (n - 1 - r) * w * size;
        for (size_t c = 0; c < w; c++) {
            double v;
            rs_sample_to_double(l.sample, false, src + c * size, 1, &v);
            row[c] = (float)(v * l.scale);
        }
    }
    take_place(&h, &l, &im);
    rs_text_copy(im.unit, sizeof im.unit, l.unit);
    if (find_value(l.text, "Frame direction", &value)) rs_span_text(frame, sizeof frame, value);
    if (l.direction[0])
        snprintf(im.scan, sizeof im.scan, "%s%s",
                 rs_text_same(l.direction, "retrace", 7) ? "backward" : "forward",
                 rs_text_same(frame, "up", 2)     ? ", up"
                 : rs_text_same(frame, "down", 4) ? ", down"
                                                  : "");
    *out = im;
    return RESHED_OK;
}

const rs_reader rs_bruker_reader = {list, read, NULL};
