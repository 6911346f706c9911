/* Layout of an .ardf file, little-endian. It is a chain of nodes, each
 *
 *   uint32 CRC-32 of what follows in the node, uint32 its size, char[4] name, uint32 flags
 *
 * and some begin a table: uint64 size of it from the node on, uint32 entries, uint32 bytes of an entry,
 * then the entries, which begin like nodes; those of zeros at the end are spare.
 *
 *   0        "ARDF"
 *   16       "FTOC", a table: "IMAG" and uint64 where an image is, "VOLM" a map of force curves, ...
 *   next     "TTOC", a table: "TOFF", uint64 index, uint64 where a "TEXT" is: node, uint32 index, uint32
 *            length, the note as in an Igor wave, lines that end with CR
 *   an image "IMAG", a table; behind it its "TTOC"; behind that
 *            "IDEF": uint32 points, uint32 lines, uint64 0, uint64 0, float64 dx, float64 dy, char[32]
 *            each of x unit, y unit, name, unit of the values; behind it
 *            "IBOX", a table: each entry, "IDAT", is a line of float32, the bottom one first; then "GAMI"
 *
 * A scan that was interrupted has entries of zeros for the lines that are not there. (What the public
 * readers of these files agree on; the maker gives no description.) */
#include "io/instruments/ardf.h"

#include <math.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "io/common/header.h"
#include "io/common/sample.h"
#include "io/common/units.h"

enum { NODE = 16, TABLE = 32, IDEF = NODE + 40 + 4 * 32, TEXT_MAX = 32 };

bool rs_ardf_is(const uint8_t *head, size_t n)
{
    return n >= NODE && memcmp(head + 8, "ARDF", 4) == 0;
}

/* CRC-32 as of zlib. */
static uint32_t checksum(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (0xedb88320u & (0u - (c & 1)));
    }
    return ~c;
}

typedef struct file {
    const uint8_t *p;
    size_t n;
} file;

/* The node `name` of `least` to `most` bytes at `at`. */
static reshed_status check_node(file f, uint64_t at, const char *name, size_t least, size_t most,
                                reshed_error *err)
{
    const char *what = "nothing";
    if (at <= f.n && f.n - at >= NODE) {
        const uint8_t *p = f.p + at;
        const uint32_t size = rs_le32(p + 4);
        what = "another node";
        if (memcmp(p + 8, name, 4) == 0) {
            what = "another size";
            if (size >= least && size <= most && size <= f.n - at) {
                if (checksum(p + 4, size - 4) == rs_le32(p)) return RESHED_OK;
                what = "a wrong checksum";
            }
        }
    }
    return rs_fail(err, RESHED_ECORRUPT, "a node of the ARDF file|%s|%s|offset %llu", name, what,
                   (unsigned long long)at);
}

typedef struct table {
    uint64_t at, end; /* of its entries, and what follows the table */
    size_t n, stride;
} table;

/* The table at `at`, its entries of `stride` bytes (0: any) inside the file. */
static reshed_status read_table(file f, uint64_t at, const char *name, size_t stride, table *t,
                                reshed_error *err)
{
    reshed_status st = check_node(f, at, name, TABLE, TABLE, err);
    if (st != RESHED_OK) return st;
    const uint64_t size = rs_le64(f.p + at + 16);
    t->n = rs_le32(f.p + at + 24);
    t->stride = rs_le32(f.p + at + 28);
    t->at = at + TABLE;
    t->end = at + size;
    if (t->stride < NODE || (stride && t->stride != stride) || size < TABLE || size > f.n - at ||
        (size - TABLE) / t->stride < t->n)
        return rs_fail(err, RESHED_ECORRUPT,
                       "table %s of the ARDF file|entries inside the file|%zu of %zu bytes", name,
                       t->n, t->stride);
    return RESHED_OK;
}

static bool is_entry(file f, const table *t, size_t i, const char *name)
{
    return memcmp(f.p + t->at + i * t->stride + 8, name, 4) == 0;
}

typedef struct definition {
    size_t points, lines, stride;
    double dx, dy;
    const uint8_t *text; /* char[4][TEXT_MAX]: x unit, y unit, name, unit */
    const uint8_t *data; /* of the first line, its node before it */
} definition;

static reshed_status read_definition(file f, uint64_t at, definition *d, reshed_error *err)
{
    table t;
    reshed_status st = read_table(f, at, "IMAG", 0, &t, err);
    if (st == RESHED_OK) st = read_table(f, t.end, "TTOC", 0, &t, err);
    if (st == RESHED_OK) st = check_node(f, t.end, "IDEF", IDEF, 2 * IDEF, err);
    if (st != RESHED_OK) return st;
    const uint8_t *p = f.p + t.end + NODE;
    d->points = rs_le32(p);
    d->lines = rs_le32(p + 4);
    rs_sample_to_double(RS_SAMPLE_F64, false, p + 24, 1, &d->dx);
    rs_sample_to_double(RS_SAMPLE_F64, false, p + 32, 1, &d->dy);
    d->text = p + 40;
    st = read_table(f, t.end + rs_le32(f.p + t.end + 4), "IBOX", 0, &t, err);
    if (st != RESHED_OK) return st;
    d->stride = t.stride;
    d->data = f.p + t.at;
    if (d->points < 1 || d->lines < 1 || d->points > RS_IMAGE_MAX_SIDE ||
        d->lines > RS_IMAGE_MAX_SIDE || d->lines != t.n || (t.stride - NODE) / 4 != d->points)
        return rs_fail(err, RESHED_ECORRUPT,
                       "image of the ARDF file|%zu lines of %zu points|%zu of %zu", d->lines,
                       d->points, t.n, (t.stride - NODE) / 4);
    return RESHED_OK;
}

/* The index-th image; *images is how many there are. */
static reshed_status find_image(file f, int index, definition *d, int *images, reshed_error *err)
{
    table t;
    int n = 0;
    bool curves = false;
    reshed_status st = check_node(f, 0, "ARDF", NODE, NODE, err);
    if (st == RESHED_OK) st = read_table(f, rs_le32(f.p + 4), "FTOC", 24, &t, err);
    for (size_t i = 0; st == RESHED_OK && i < t.n; i++) {
        curves = curves || is_entry(f, &t, i, "VOLM");
        if (!is_entry(f, &t, i, "IMAG")) continue;
        if (n == RS_CHANNEL_MAX)
            return rs_fail(err, RESHED_EUNSUPPORTED, "images of the ARDF file|at most %d|more",
                           RS_CHANNEL_MAX);
        if (n++ == index)
            st = read_definition(f, rs_le64(f.p + t.at + i * t.stride + NODE), d, err);
    }
    if (st == RESHED_OK && n == 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "content of the ARDF file|images|%s",
                       curves ? "force curves alone" : "none");
    *images = n;
    return st;
}

/* ------------------------------------------------------------------------------------ the note */

/* A number of the file's first note. */
static bool note_number(file f, const char *key, double *out)
{
    table t;
    if (read_table(f, rs_le32(f.p + 4), "FTOC", 24, &t, NULL) != RESHED_OK ||
        read_table(f, t.end, "TTOC", 32, &t, NULL) != RESHED_OK || t.n == 0)
        return false;
    const uint64_t at = rs_le64(f.p + t.at + NODE + 8);
    if (check_node(f, at, "TEXT", NODE + 8, SIZE_MAX, NULL) != RESHED_OK) return false;
    const size_t length = rs_le32(f.p + at + NODE + 4), size = rs_le32(f.p + at + 4) - NODE - 8;
    rs_span rest = {(const char *)f.p + at + NODE + 8, length < size ? length : size}, line;
    while (rs_span_line(&rest, &line)) {
        const size_t k = strlen(key);
        if (rs_span_begins(line, key) && line.n > k && line.s[k] == ':')
            return rs_span_number((rs_span){line.s + k + 1, line.n - k - 1}, out) && isfinite(*out);
    }
    return false;
}

/* ------------------------------------------------------------------------------------ channels */

static void take_text(char *dst, size_t size, const definition *d, int which)
{
    rs_header_text(dst, size, d->text + (size_t)which * TEXT_MAX, TEXT_MAX);
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    const file f = {bytes, len};
    definition d;
    rs_channels found = {0};
    int images = 1;
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < images; i++) {
        char name[64];
        rs_channel *made;
        st = find_image(f, i, &d, &images, err);
        if (st != RESHED_OK) break;
        take_text(name, sizeof name, &d, 2);
        st = rs_channels_add(&found, name[0] ? name : "image", &made, err);
        if (st == RESHED_OK) take_text(made->unit, sizeof made->unit, &d, 3);
    }
    if (st != RESHED_OK) {
        rs_channels_clear(&found);
        return st;
    }
    *out = found;
    return RESHED_OK;
}

/* Metres of a step; 0 with a note when the unit is no length. */
static double step_of(const definition *d, double step, int axis, rs_image *im)
{
    char unit[TEXT_MAX + 1];
    take_text(unit, sizeof unit, d, axis);
    if (!isfinite(step) || step == 0) return 0;
    step = fabs(step) * rs_metres_or_note(unit, axis ? "the y axis" : "the x axis", im);
    return isfinite(step) ? step : 0;
}

static void take_place(file f, const definition *d, rs_image *im)
{
    double v;
    im->dx = step_of(d, d->dx, 0, im);
    im->dy = step_of(d, d->dy, 1, im);
    if (!(im->dx > 0 && im->dy > 0)) im->dx = im->dy = 0;
    if (note_number(f, "XOffset", &v)) im->x0 = v;
    if (note_number(f, "YOffset", &v)) im->y0 = v;
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    const file f = {bytes, len};
    definition d;
    rs_image im;
    int images = 0, missing = 0;
    reshed_status st = find_image(f, index, &d, &images, err);
    if (st == RESHED_OK && (index < 0 || index >= images))
        st = rs_fail(err, RESHED_EINVAL, "channel number|an image of the ARDF file|%d", index);
    if (st == RESHED_OK) st = rs_image_init(&im, (int64_t)d.lines, (int64_t)d.points, err);
    if (st != RESHED_OK) return st;
    for (size_t r = 0; r < d.lines; r++) {
        const uint8_t *line = d.data + r * d.stride;
        float *row = im.data + (d.lines - 1 - r) * d.points; /* the bottom one is first */
        if (memcmp(line + 8, "IDAT", 4) == 0) {
            rs_sample_to_float(RS_SAMPLE_F32, false, line + NODE, d.points, row);
            continue;
        }
        if (rs_le32(line + 8) != 0) {
            rs_image_clear(&im);
            return rs_fail(err, RESHED_ECORRUPT, "line %zu of the ARDF image|IDAT|another node", r);
        }
        for (size_t i = 0; i < d.points; i++) row[i] = NAN;
        missing++;
    }
    if (missing) rs_image_note(&im, "%d lines of the image were not scanned", missing);
    take_place(f, &d, &im);
    take_text(im.unit, sizeof im.unit, &d, 3);
    *out = im;
    return RESHED_OK;
}

const rs_reader rs_ardf_reader = {list, read, NULL};
