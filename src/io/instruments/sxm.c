/* Layout of a .sxm file:
 *
 *   ":NANONIS_VERSION:\n2\n"        tags, each on a line of its own, and lines of values up to the next
 *   ":SCAN_PIXELS:\n 256 256\n"     columns and rows (the other way round before version 2)
 *   ":SCAN_RANGE:", ":SCAN_OFFSET:" width and height, centre; metres
 *   ":SCAN_ANGLE:"                  degrees, clockwise
 *   ":SCAN_DIR:"                    "down": the first line is the top one; "up": the bottom one
 *   ":DATA_INFO:"                   a table: Channel, Name, Unit, Direction (both, forward, backward), ...
 *   ":SCANIT_END:" ... 1A 04
 *   float32, big-endian whatever SCANIT_TYPE says: for each channel its forward frame, then its
 *   backward frame, line after line as they were scanned; NaN where no line was
 *
 * Backward lines are stored as they were scanned, from +x to -x. Files that programs make out of others
 * may say "both" where one frame of each channel follows. */
#include "io/instruments/sxm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/common/header.h"
#include "io/common/sample.h"

#define HEADER_MAX ((size_t)4 << 20)

typedef struct header {
    rs_span text; /* the tags */
    const uint8_t *data;
    size_t frames; /* that the data have room for */
    int width, height;
    bool up, single; /* single: one frame of each channel, whatever its direction says */
    double range[2], centre[2], angle;
    rs_span table;             /* the lines of DATA_INFO after its first */
    int name, unit, direction; /* columns */
} header;

/* ------------------------------------------------------------------------------------ the header */
/* The lines of values below ":TAG:". */
static bool find_tag(rs_span text, const char *tag, rs_span *values)
{
    char wanted[64];
    rs_span line;
    snprintf(wanted, sizeof wanted, ":%s:", tag);
    while (rs_span_line(&text, &line)) {
        if (!rs_span_is(rs_span_trim(line), wanted)) continue;
        values->s = text.s;
        values->n = 0;
        while (rs_span_line(&text, &line) && !(line.n > 1 && line.s[0] == ':'))
            values->n = (size_t)(text.s - values->s);
        return true;
    }
    return false;
}

static bool find_numbers(const header *h, const char *tag, double *v, int n)
{
    rs_span values, word;
    if (!find_tag(h->text, tag, &values)) return false;
    for (int i = 0; i < n; i++)
        if (!rs_span_word(&values, &word) || !rs_span_number(word, &v[i])) return false;
    return true;
}

static reshed_status find_table(header *h, reshed_error *err)
{
    rs_span line, field;
    int k = 0;
    h->name = h->unit = h->direction = -1;
    if (!find_tag(h->text, "DATA_INFO", &h->table) || !rs_span_line(&h->table, &line))
        return rs_fail(err, RESHED_ECORRUPT, "header of the SXM file|:DATA_INFO:|none");
    for (; line.n > 0 && line.s[0] == '\t'; line.s++) line.n--;
    for (; rs_span_field(&line, '\t', &field); k++) {
        if (rs_span_is(rs_span_trim(field), "Name")) h->name = k;
        if (rs_span_is(rs_span_trim(field), "Unit")) h->unit = k;
        if (rs_span_is(rs_span_trim(field), "Direction")) h->direction = k;
    }
    if (h->name < 0 || h->direction < 0)
        return rs_fail(err, RESHED_ECORRUPT,
                       "table :DATA_INFO: of the SXM file|columns Name and Direction|others");
    return RESHED_OK;
}

typedef struct channel {
    rs_span name, unit, direction;
} channel;

/* The next line of the table. */
static bool next_channel(const header *h, rs_span *rest, channel *c)
{
    rs_span line, field;
    while (rs_span_line(rest, &line)) {
        if (rs_span_trim(line).n == 0) continue;
        *c = (channel){{"", 0}, {"", 0}, {"", 0}};
        for (; line.n > 0 && line.s[0] == '\t'; line.s++) line.n--;
        for (int k = 0; rs_span_field(&line, '\t', &field); k++) {
            if (k == h->name) c->name = rs_span_trim(field);
            if (k == h->unit) c->unit = rs_span_trim(field);
            if (k == h->direction) c->direction = rs_span_trim(field);
        }
        return true;
    }
    return false;
}

static int frames_of(const header *h, const channel *c)
{
    return !h->single && rs_span_is(c->direction, "both") ? 2 : 1;
}

/* Counts the frames of the table; both where a channel says so, or one each. */
static reshed_status check_size(header *h, size_t left, reshed_error *err)
{
    rs_span rest = h->table;
    channel c;
    size_t both = 0, each = 0;
    const size_t frame = (size_t)h->width * (size_t)h->height * 4;
    while (next_channel(h, &rest, &c)) {
        if (each++ == RS_CHANNEL_MAX)
            return rs_fail(err, RESHED_EUNSUPPORTED, "channels of the SXM file|at most %d|more",
                           RS_CHANNEL_MAX);
        both += (size_t)frames_of(h, &c);
    }
    h->frames = left / frame;
    h->single = h->frames < both;
    if (each == 0 || h->frames < each)
        return rs_fail(err, RESHED_ECORRUPT,
                       "data of the SXM file|%zu frames of %d x %d float32|%zu bytes", both,
                       h->height, h->width, left);
    return RESHED_OK;
}

static reshed_status read_header(const uint8_t *bytes, size_t len, header *h, reshed_error *err)
{
    static const char magic[] = ":NANONIS_VERSION:";
    rs_span all = {(const char *)bytes, len < HEADER_MAX ? len : HEADER_MAX}, values;
    double version[1] = {2}, pixels[2];
    *h = (header){.text = all};
    if (!rs_span_begins(all, magic))
        return rs_fail(err, RESHED_ECORRUPT, "not a Nanonis SXM file|%s|other bytes|offset 0",
                       magic);
    h->text.n = rs_span_find(all, ":SCANIT_END:");
    rs_span rest = {all.s + h->text.n, all.n - h->text.n};
    const size_t end = rs_span_find(rest, "\x1a\x04");
    if (end == rest.n)
        return rs_fail(err, RESHED_ECORRUPT,
                       "header of the SXM file|:SCANIT_END: and the bytes 1A 04|none");
    h->data = (const uint8_t *)rest.s + end + 2;
    find_numbers(h, "NANONIS_VERSION", version, 1);
    if (!find_numbers(h, "SCAN_PIXELS", pixels, 2))
        return rs_fail(err, RESHED_ECORRUPT, "header of the SXM file|:SCAN_PIXELS:|none");
    const int x = version[0] < 2;
    for (int i = 0; i < 2; i++)
        if (!(pixels[i] >= 1 && pixels[i] <= RS_IMAGE_MAX_SIDE && pixels[i] == floor(pixels[i])))
            return rs_fail(err, RESHED_ECORRUPT,
                           "SCAN_PIXELS of the SXM file|whole numbers from 1 to %d|%g and %g",
                           RS_IMAGE_MAX_SIDE, pixels[0], pixels[1]);
    h->width = (int)pixels[x];
    h->height = (int)pixels[!x];
    find_numbers(h, "SCAN_RANGE", h->range, 2);
    find_numbers(h, "SCAN_OFFSET", h->centre, 2);
    find_numbers(h, "SCAN_ANGLE", &h->angle, 1);
    h->up = find_tag(h->text, "SCAN_DIR", &values) && rs_span_is(rs_span_trim(values), "up");
    reshed_status st = find_table(h, err);
    return st == RESHED_OK ? check_size(h, len - (size_t)(h->data - bytes), err) : st;
}

/* --------------------------------------------------------------------------------- the channels */
static bool is_backward(const header *h, const channel *c, int frame)
{
    return frame == 1 || (!h->single && rs_span_is(c->direction, "backward"));
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    header h;
    channel c;
    rs_channels found = {0};
    reshed_status st = read_header(bytes, len, &h, err);
    rs_span rest = h.table;
    while (st == RESHED_OK && next_channel(&h, &rest, &c))
        for (int i = 0; st == RESHED_OK && i < frames_of(&h, &c); i++) {
            char plain[48], name[64];
            rs_channel *made;
            rs_span_text(plain, sizeof plain, c.name);
            snprintf(name, sizeof name, "%s %s", plain,
                     is_backward(&h, &c, i) ? "backward" : "forward");
            st = rs_channels_add(&found, name, &made, err);
            if (st != RESHED_OK) break;
            rs_span_text(made->unit, sizeof made->unit, c.unit);
            if (i == 0) rs_text_copy(made->alias[0], sizeof made->alias[0], plain);
        }
    if (st != RESHED_OK) {
        rs_channels_clear(&found);
        return st;
    }
    *out = found;
    return RESHED_OK;
}

static void take_place(const header *h, rs_image *im)
{
    const double *r = h->range, *c = h->centre;
    if (isfinite(r[0]) && isfinite(r[1]) && r[0] > 0 && r[1] > 0) {
        im->dx = r[0] / h->width;
        im->dy = r[1] / h->height;
        if (!isfinite(im->dx) || !isfinite(im->dy)) im->dx = im->dy = 0;
    }
    im->x0 = isfinite(c[0]) ? c[0] : 0;
    im->y0 = isfinite(c[1]) ? c[1] : 0;
    im->angle = isfinite(h->angle) ? -h->angle : 0;
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    header h;
    channel c = {{"", 0}, {"", 0}, {"", 0}};
    rs_image im;
    int at = 0, frame = 0;
    reshed_status st = read_header(bytes, len, &h, err);
    if (st != RESHED_OK) return st;
    rs_span rest = h.table;
    while (next_channel(&h, &rest, &c) && at + frames_of(&h, &c) <= index) at += frames_of(&h, &c);
    frame = index - at;
    if (frame < 0 || frame >= frames_of(&h, &c) || (size_t)index >= h.frames)
        return rs_fail(err, RESHED_EINVAL, "channel number|a channel of the SXM file|%d", index);
    st = rs_image_init(&im, h.height, h.width, err);
    if (st != RESHED_OK) return st;
    const bool backward = is_backward(&h, &c, frame);
    const size_t w = (size_t)h.width, n = (size_t)h.height;
    const uint8_t *base = h.data + (size_t)index * w * n * 4;
    for (size_t r = 0; r < n; r++) {
        float *row = im.data + r * w;
        rs_sample_to_float(RS_SAMPLE_F32, true, base + (h.up ? n - 1 - r : r) * w * 4, w, row);
        for (size_t i = 0; backward && i < w / 2; i++) {
            const float v = row[i];
            row[i] = row[w - 1 - i];
            row[w - 1 - i] = v;
        }
    }
    take_place(&h, &im);
    rs_span_text(im.unit, sizeof im.unit, c.unit);
    snprintf(im.scan, sizeof im.scan, "%s, %s", backward ? "backward" : "forward",
             h.up ? "up" : "down");
    *out = im;
    return RESHED_OK;
}

const rs_reader rs_sxm_reader = {list, read, NULL};
