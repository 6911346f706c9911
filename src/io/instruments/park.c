/* Park's TIFF: the first directory has, beside the tags of a coloured picture,
 *
 *   50432  magic 0x0E031301        50434  the numbers, bottom row first
 *   50433  version 0x01000001, -2  50435  header:
 *
 *     0 u32 kind (0 image)   4 UTF-16[32] channel   100 u32 columns   104 u32 rows
 *   108 f64 angle (degrees)  128 u32 forward        132 u32 upwards   136 u32 axes swapped
 *   140 f64 width, height, x, y offset (um)         220 f64 gain, scale (0: 1), offset
 *   244 UTF-16[8] unit       348 u32 type of the numbers, from version 2 on (0 int16, 1 int32, 2 float)
 *
 * A value is gain times (scale times number plus offset). All little-endian. (The layout as Gwyddion's and
 * others' readers have it.) */
#include "io/instruments/park.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "io/common/sample.h"

#define MAGIC 0x0E031301u
#define VERSION 0x01000001u
#define HEADER 284 /* bytes that every version has */
#define HEADER_TYPE 352

typedef struct park {
    const uint8_t *data, *header;
    size_t data_bytes, header_bytes;
    uint32_t magic, version;
} park;

static double f64_at(const uint8_t *p)
{
    double v;
    rs_sample_to_double(RS_SAMPLE_F64, false, p, 1, &v);
    return v;
}

/* The bytes of an entry, which lie in it when there are four at most; NULL: beyond the file. */
static const uint8_t *value_of(const uint8_t *bytes, size_t len, const uint8_t *entry, size_t *n)
{
    static const uint8_t size[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
    const unsigned type = (unsigned)entry[2] | (unsigned)entry[3] << 8;
    const size_t count = rs_le32(entry + 4);
    *n = type < sizeof size ? count * size[type] : 0; /* below 2^35 */
    if (*n <= 4) return entry + 8;
    const size_t at = rs_le32(entry + 8);
    return at <= len && *n <= len - at ? bytes + at : NULL;
}

static uint64_t uint_at(const uint8_t *p, int size, bool big)
{
    uint64_t v = 0;
    for (int i = 0; i < size; i++) v |= (uint64_t)p[big ? size - 1 - i : i] << (8 * i);
    return v;
}

/* Returns whether the first directory of a TIFF of any kind has the tag, as far as it is there: without
 * its numbers such a file is nothing, as its picture is a coloured preview. */
static bool has_tag(const uint8_t *bytes, size_t len)
{
    if (len < 16) return false;
    const bool big = bytes[0] == 'M', wide = bytes[big ? 3 : 2] == 43;
    const size_t entry = wide ? 20 : 12, head = wide ? 8 : 2;
    const uint64_t at = uint_at(bytes + (wide ? 8 : 4), wide ? 8 : 4, big);
    if (at > len || len - at < head) return false;
    const uint64_t entries = uint_at(bytes + at, (int)head, big),
                   most = (len - (size_t)at - head) / entry;
    for (size_t i = 0; i < entries && i < most; i++)
        if (uint_at(bytes + (size_t)at + head + entry * i, 2, big) == 50432) return true;
    return false;
}

/* Finds the tags in the first directory; false when there are none. */
static bool find(const uint8_t *bytes, size_t len, park *p)
{
    memset(p, 0, sizeof *p);
    if (!has_tag(bytes, len)) return false;
    if (memcmp(bytes, "II*\0", 4) != 0) return true;
    const size_t at = rs_le32(bytes + 4), entries = (size_t)bytes[at] | (size_t)bytes[at + 1] << 8;
    for (size_t i = 0; i < entries && i < (len - at - 2) / 12; i++) {
        const uint8_t *e = bytes + at + 2 + 12 * i;
        size_t n;
        const uint8_t *v = value_of(bytes, len, e, &n);
        switch ((unsigned)e[0] | (unsigned)e[1] << 8) {
        case 50432: p->magic = v && n == 4 ? rs_le32(v) : 0; break;
        case 50433: p->version = v && n == 4 ? rs_le32(v) : 0; break;
        case 50434: p->data = v, p->data_bytes = v ? n : 0; break;
        case 50435: p->header = v, p->header_bytes = v ? n : 0; break;
        default: break;
        }
    }
    return true;
}

bool rs_park_is(const uint8_t *bytes, size_t len)
{
    return has_tag(bytes, len);
}

/* UTF-16 of n units at s into dst[size], as UTF-8; what is beyond the first plane becomes '?'. */
static void take_text(char *dst, size_t size, const uint8_t *s, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned u = (unsigned)s[2 * i] | (unsigned)s[2 * i + 1] << 8;
        if (u == 0) break;
        char utf8[4];
        int k = 0;
        if (u < 0x80) {
            utf8[k++] = (char)u;
        } else if (u < 0x800) {
            utf8[k++] = (char)(0xc0 | u >> 6);
            utf8[k++] = (char)(0x80 | (u & 0x3f));
        } else if (u >= 0xd800 && u < 0xe000) {
            utf8[k++] = '?';
        } else {
            utf8[k++] = (char)(0xe0 | u >> 12);
            utf8[k++] = (char)(0x80 | (u >> 6 & 0x3f));
            utf8[k++] = (char)(0x80 | (u & 0x3f));
        }
        if (used + (size_t)k >= size) break;
        memcpy(dst + used, utf8, (size_t)k);
        used += (size_t)k;
    }
    dst[used] = '\0';
}

typedef struct shape {
    size_t width, height;
    rs_sample sample;
} shape;

/* Proves sizes, so that reading takes no more than the file has. */
static reshed_status check(const uint8_t *bytes, size_t len, park *p, shape *s, reshed_error *err)
{
    static const rs_sample samples[] = {RS_SAMPLE_I16, RS_SAMPLE_I32, RS_SAMPLE_F32};
    const bool found = find(bytes, len, p);
    if (found && p->magic != MAGIC)
        return rs_fail(err, RESHED_ECORRUPT,
                       "tag 50432 of the TIFF file, Park's|0x%08lX, little-endian|another value",
                       (unsigned long)MAGIC);
    if (!found || !p->data || !p->header || p->header_bytes < HEADER)
        return rs_fail(err, RESHED_ECORRUPT, "the Park file|a header and data|%s",
                       p->header && p->header_bytes < HEADER ? "a shorter header" : "a part of it");
    if (rs_le32(p->header) != 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "kind of the Park file|an image|%s",
                       rs_le32(p->header) == 1 ? "a line profile" : "spectroscopy");
    const bool old = p->version == VERSION || p->header_bytes < HEADER_TYPE;
    const uint32_t type = old ? 0 : rs_le32(p->header + 348);
    if (type > 2)
        return rs_fail(err, RESHED_EUNSUPPORTED, "numbers of the Park file|types 0 to 2|%lu",
                       (unsigned long)type);
    s->width = rs_le32(p->header + 100);
    s->height = rs_le32(p->header + 104);
    s->sample = samples[type];
    if (s->width < 1 || s->height < 1 || s->width > RS_IMAGE_MAX_SIDE ||
        s->height > RS_IMAGE_MAX_SIDE || s->width * s->height > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "size of the Park image|sides from 1 to %d|%zu x %zu", RS_IMAGE_MAX_SIDE,
                       s->height, s->width);
    if (p->data_bytes < s->width * s->height * rs_sample_size(s->sample))
        return rs_fail(err, RESHED_ECORRUPT, "data of the Park file|%zu bytes|%zu bytes",
                       s->width * s->height * rs_sample_size(s->sample), p->data_bytes);
    return RESHED_OK;
}

reshed_status rs_park_list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    park p;
    shape s;
    char name[64];
    rs_channels list = {0};
    rs_channel *c;
    reshed_status st = check(bytes, len, &p, &s, err);
    if (st != RESHED_OK) return st;
    take_text(name, sizeof name, p.header + 4, 32);
    st = rs_channels_add(&list, name[0] ? name : "image", &c, err);
    if (st != RESHED_OK) return st;
    take_text(c->unit, sizeof c->unit, p.header + 244, 8);
    *out = list;
    return RESHED_OK;
}

static double finite(double v)
{
    return isfinite(v) ? v : 0;
}

/* Sizes that make no sense are unknown. */
static double pixel_size(double micrometres, size_t n)
{
    const double v = micrometres * 1e-6 / (double)n;
    return v > 0 && isfinite(v) ? v : 0;
}

reshed_status rs_park_read(const uint8_t *bytes, size_t len, rs_image *out, reshed_error *err)
{
    park p;
    shape s;
    rs_image im;
    reshed_status st = check(bytes, len, &p, &s, err);
    if (st == RESHED_OK) st = rs_image_init(&im, (int64_t)s.height, (int64_t)s.width, err);
    if (st != RESHED_OK) return st;
    const uint8_t *h = p.header;
    const double gain = f64_at(h + 220), offset = f64_at(h + 236);
    const double scale = f64_at(h + 228) != 0 ? f64_at(h + 228) : 1;
    const size_t row = s.width * rs_sample_size(s.sample);
    for (size_t r = 0; r < s.height; r++) {
        float *dst = im.data + r * s.width;
        const uint8_t *src = p.data + (s.height - 1 - r) * row;
        for (size_t c = 0; c < s.width; c++) {
            double v;
            rs_sample_to_double(s.sample, false, src + c * rs_sample_size(s.sample), 1, &v);
            dst[c] = (float)(gain * (scale * v + offset));
        }
    }
    im.dx = pixel_size(f64_at(h + 140), s.width);
    im.dy = pixel_size(f64_at(h + 148), s.height);
    im.x0 = finite(f64_at(h + 156) * 1e-6);
    im.y0 = finite(f64_at(h + 164) * 1e-6);
    im.angle = finite(f64_at(h + 108));
    snprintf(im.scan, sizeof im.scan, "%s, %s", rs_le32(h + 128) ? "forward" : "backward",
             rs_le32(h + 132) ? "up" : "down");
    char unit[32];
    take_text(unit, sizeof unit, h + 244, 8);
    rs_text_copy(im.unit, sizeof im.unit, unit);
    take_text(im.channel, sizeof im.channel, h + 4, 32);
    if (rs_le32(h + 136))
        rs_image_note(&im, "the file says that its axes are swapped; the image is as it is stored");
    *out = im;
    return RESHED_OK;
}
