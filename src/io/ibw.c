/* Layout of a version 5 file (WaveMetrics Technical Note 003, "Igor Binary Format"):
 *
 *     0  int16  version, 5            the byte order is told by which of its bytes is zero
 *     2  int16  checksum              makes the int16s of bytes 0..383 add up to 0 (mod 2^16)
 *     4  int32  wfmSize               320 + bytes of data
 *     8  int32  formula, note, data unit sizes, [4] dimension unit, [4] label, string index sizes
 *    64         wave header, 320 bytes: dates at 68, points at 76, type at 80, name at 92,
 *               [4] dimensions at 132, deltas at 148, starts at 180, units at 212
 *   384         data, dimension 0 fastest
 *     .         formula, note, units, labels, string indices, in that order, of the sizes above
 *
 * A label block of a dimension of n points has n + 1 names of 32 bytes, the first one for the whole
 * dimension. What Asylum appends after all that (thumbnails, a footer) is not read. */
#include "io/ibw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/number.h"
#include "base/text.h"
#include "io/common/header.h"
#include "io/common/sample.h"
#include "io/common/units.h"

#define HEADER 384
#define LABEL 32

enum {
    COMPLEX = 1,
    FLOAT32 = 2,
    FLOAT64 = 4,
    INT8 = 8,
    INT16 = 16,
    INT32 = 32,
    UNSIGNED = 64,
    INT64 = 128
};

/* ----------------------------------------------------------------------------------- the header */
static reshed_status check_start(const uint8_t *bytes, size_t len, rs_ibw *w, reshed_error *err)
{
    if (len < HEADER)
        return rs_fail(err, RESHED_ECORRUPT, "IBW header|%d bytes|%zu bytes", HEADER, len);
    w->big_endian = bytes[0] == 0;
    rs_cursor c = rs_cursor_make(bytes, len, w->big_endian);
    w->version = rs_i16(&c);
    w->checksum = rs_i16(&c);
    if (w->version == 1 || w->version == 2 || w->version == 3)
        return rs_fail(err, RESHED_EUNSUPPORTED, "version of the IBW file|5|%d|offset 0",
                       w->version);
    if (w->version != 5)
        return rs_fail(err, RESHED_ECORRUPT, "not an Igor binary wave|version 5|%d|offset 0",
                       w->version);
    uint16_t sum = 0;
    rs_seek(&c, 0);
    for (int i = 0; i < HEADER / 2; i++) sum = (uint16_t)(sum + rs_u16(&c));
    if (sum != 0)
        return rs_fail(err, RESHED_ECORRUPT, "checksum of the IBW header|0|%u|offset 2", sum);
    return RESHED_OK;
}

/* Sizes of the parts after the data, in file order. */
enum { FORMULA, NOTE, DATA_UNIT, DIM_UNIT, LABELS = DIM_UNIT + 4, INDICES = LABELS + 4, PARTS };

static reshed_status find_parts(rs_ibw *w, const int32_t size[PARTS], reshed_error *err)
{
    rs_cursor c = rs_cursor_make(w->bytes, w->len, w->big_endian);
    rs_seek(&c, 64);
    rs_take(&c, w->wave_size);
    for (int i = 0; i < PARTS && !c.overrun; i++) {
        size_t at = c.pos, n = (size_t)size[i];
        if (size[i] < 0)
            return rs_fail(err, RESHED_ECORRUPT, "size of part %d of the IBW file|0 or more|%ld", i,
                           (long)size[i]);
        const uint8_t *p = rs_take(&c, n);
        if (!p) break;
        if (i == NOTE) {
            w->note = at;
            w->note_size = n;
        } else if (i == DATA_UNIT && n > 0) {
            rs_header_text(w->unit, sizeof w->unit, p, n);
        } else if (i >= DIM_UNIT && i < LABELS && n > 0) {
            rs_header_text(w->dim_unit[i - DIM_UNIT], sizeof w->dim_unit[0], p, n);
        } else if (i >= LABELS && i < INDICES) {
            w->labels[i - LABELS] = at;
            w->labels_size[i - LABELS] = n;
        }
    }
    if (c.overrun)
        return rs_fail(err, RESHED_ECORRUPT, "size of the IBW file|at least %zu bytes|%zu bytes",
                       c.need_at, w->len);
    return RESHED_OK;
}

reshed_status rs_ibw_open_mem(const uint8_t *bytes, size_t len, rs_ibw *out, reshed_error *err)
{
    rs_ibw w = {.bytes = bytes, .len = len, .data = HEADER};
    int32_t size[PARTS];
    reshed_status st = check_start(bytes, len, &w, err);
    if (st != RESHED_OK) return st;

    rs_cursor c = rs_cursor_make(bytes, len, w.big_endian);
    rs_seek(&c, 4);
    int32_t wave_size = rs_i32(&c);
    for (int i = 0; i < PARTS; i++) size[i] = rs_i32(&c);
    rs_seek(&c, 68);
    w.created = rs_u32(&c);
    w.modified = rs_u32(&c);
    int32_t points = rs_i32(&c);
    w.type = rs_u16(&c);
    rs_header_text(w.name, sizeof w.name, bytes + 92, 32);
    rs_seek(&c, 132);
    uint64_t product = 1;
    bool ended = false;
    for (int i = 0; i < 4; i++) {
        w.dims[i] = rs_u32(&c);
        ended = ended || w.dims[i] == 0;
        if (ended)
            w.dims[i] = 0;
        else /* saturates far above any count of points */
            product = product > UINT32_MAX ? product : product * w.dims[i];
    }
    for (int i = 0; i < 4; i++) w.delta[i] = rs_f64(&c);
    for (int i = 0; i < 4; i++) w.start[i] = rs_f64(&c);
    rs_header_text(w.unit, sizeof w.unit, bytes + 212, 4);
    for (int i = 0; i < 4; i++)
        rs_header_text(w.dim_unit[i], sizeof w.dim_unit[i], bytes + 216 + 4 * i, 4);

    if (w.dims[0] == 0) product = 0;
    if (points < 0 || product != (uint64_t)points)
        return rs_fail(err, RESHED_ECORRUPT,
                       "points of the wave|%llu by its dimensions|%ld|offset 76",
                       (unsigned long long)product, (long)points);
    if (wave_size < HEADER - 64)
        return rs_fail(err, RESHED_ECORRUPT, "size of the wave|at least %d bytes|%ld|offset 4",
                       HEADER - 64, (long)wave_size);
    w.wave_size = (size_t)wave_size;
    st = find_parts(&w, size, err);
    if (st == RESHED_OK) *out = w;
    return st;
}

bool rs_ibw_note_number(const rs_ibw *w, const char *key, double *out)
{
    const char *p = (const char *)w->bytes + w->note, *end = p + w->note_size;
    size_t k = strlen(key);
    while (p < end) {
        const char *stop = p;
        while (stop < end && *stop != '\r' && *stop != '\n') stop++;
        if ((size_t)(stop - p) > k && memcmp(p, key, k) == 0 && p[k] == ':')
            return rs_number_parse(p + k + 1, (size_t)(stop - p) - k - 1, out);
        p = stop < end ? stop + 1 : end;
    }
    return false;
}

/* ------------------------------------------------------------------------------------- channels */
static uint32_t layers_of(const rs_ibw *w)
{
    return w->dims[2] ? w->dims[2] : 1;
}

/* The label of element `index` of dimension d, "" when it has none. */
static void label_of(const rs_ibw *w, int d, uint32_t index, char *buf, size_t n)
{
    const size_t at = ((size_t)index + 1) * LABEL;
    buf[0] = '\0';
    if (at + LABEL <= w->labels_size[d])
        rs_header_text(buf, n, w->bytes + w->labels[d] + at, LABEL);
}

static bool is_one_of(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(s, *list) == 0) return true;
    return false;
}

/* Returns whether the wave holds curves: values over time, or over a voltage or a frequency that the
 * other axis does not have, or columns with names of their own (an image names its layers). Writes
 * the columns' names, as far as they fit. */
static bool is_spectroscopy(const rs_ibw *w, char *names, size_t n)
{
    static const char *const time[] = {"s", "ms", "us", "ns", "sec", "seconds", NULL};
    static const char *const other[] = {"V", "mV", "kV", "Hz", "kHz", "MHz", NULL};
    char label[64], layer[64];
    size_t used = 0;
    names[0] = '\0';
    for (uint32_t i = 0; i < w->dims[1] && used + 8 < n; i++) {
        label_of(w, 1, i, label, sizeof label);
        if (!label[0]) continue;
        if (used + strlen(label) + 8 >= n) {
            snprintf(names + used, n - used, ", ...");
            break;
        }
        used += (size_t)snprintf(names + used, n - used, "%s%s", used ? ", " : "", label);
    }
    label_of(w, 2, 0, layer, sizeof layer);
    return is_one_of(w->dim_unit[0], time) ||
           (is_one_of(w->dim_unit[0], other) && strcmp(w->dim_unit[0], w->dim_unit[1]) != 0) ||
           (names[0] && !layer[0]);
}

static reshed_status check_type(const rs_ibw *w, rs_sample *sample, reshed_error *err)
{
    bool u = (w->type & UNSIGNED) != 0;
    if (w->dims[1] == 0 || w->dims[3] > 1)
        return rs_fail(err, RESHED_EUNSUPPORTED, "dimensions of the wave|2 or 3|%d|offset 132",
                       w->dims[1] == 0 ? w->dims[0] != 0 : 4);
    switch (w->type & ~UNSIGNED) {
    case FLOAT32: *sample = RS_SAMPLE_F32; break;
    case FLOAT64: *sample = RS_SAMPLE_F64; break;
    case INT8: *sample = u ? RS_SAMPLE_U8 : RS_SAMPLE_I8; break;
    case INT16: *sample = u ? RS_SAMPLE_U16 : RS_SAMPLE_I16; break;
    case INT32: *sample = u ? RS_SAMPLE_U32 : RS_SAMPLE_I32; break;
    case INT64: *sample = u ? RS_SAMPLE_U64 : RS_SAMPLE_I64; break;
    default:
        return rs_fail(err, RESHED_EUNSUPPORTED, "type of the wave|real numbers|%s|offset 80",
                       w->type & COMPLEX ? "complex numbers"
                       : w->type == 0    ? "text"
                                         : "an unknown type");
    }
    uint64_t need = rs_sample_size(*sample);
    for (int i = 0; i < 4 && w->dims[i]; i++) need *= w->dims[i]; /* < 2^31 points */
    if (w->wave_size - (HEADER - 64) < need)
        return rs_fail(err, RESHED_ECORRUPT, "data of the wave|%llu bytes|%zu bytes|offset 384",
                       (unsigned long long)need, w->wave_size - (HEADER - 64));
    return RESHED_OK;
}

static reshed_status check_kind(const rs_ibw *w, rs_sample *sample, reshed_error *err)
{
    char names[80];
    if (w->dims[0] > 0 && is_spectroscopy(w, names, sizeof names))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "spectroscopy, not an image: images are for reshed-infer and reshed-walls, "
                       "hysteresis loops for reshed-beps loops|two axes of length|%lu x %lu "
                       "values%s%s%s%s%s",
                       (unsigned long)w->dims[0], (unsigned long)(w->dims[1] ? w->dims[1] : 1),
                       w->dim_unit[0][0] ? " along " : "", w->dim_unit[0], names[0] ? " (" : "",
                       names, names[0] ? ")" : "");
    return check_type(w, sample, err);
}

static void layer_name(const rs_ibw *w, uint32_t layer, char *buf, size_t n)
{
    label_of(w, 2, layer, buf, n);
    if (buf[0]) return;
    if (layers_of(w) == 1 && w->name[0])
        rs_text_copy(buf, n, w->name);
    else
        snprintf(buf, n, "layer %lu", (unsigned long)layer);
}

bool rs_ibw_is(const uint8_t *bytes, size_t n)
{
    rs_ibw w;
    return n >= HEADER && check_start(bytes, n, &w, NULL) == RESHED_OK;
}

reshed_status rs_ibw_columns(const rs_ibw *w, rs_channels *out, reshed_error *err)
{
    rs_channels list = {0};
    rs_sample sample;
    char name[64];
    reshed_status st = check_type(w, &sample, err);
    for (uint32_t k = 0; st == RESHED_OK && k < w->dims[1]; k++) {
        label_of(w, 1, k, name, sizeof name);
        if (!name[0]) snprintf(name, sizeof name, "column %lu", (unsigned long)k);
        st = rs_channels_add(&list, name, NULL, err);
    }
    if (st == RESHED_OK)
        *out = list;
    else
        rs_channels_clear(&list);
    return st;
}

reshed_status rs_ibw_column(const rs_ibw *w, uint32_t column, uint32_t point, double *out,
                            reshed_error *err)
{
    rs_sample sample;
    reshed_status st = check_type(w, &sample, err);
    if (st != RESHED_OK) return st;
    const size_t n = w->dims[0], size = rs_sample_size(sample);
    const size_t at = ((size_t)point * w->dims[1] + column) * n * size;
    rs_sample_to_double(sample, w->big_endian, w->bytes + w->data + at, n, out);
    return RESHED_OK;
}

reshed_status rs_ibw_list(const rs_ibw *w, rs_channels *out, reshed_error *err)
{
    rs_channels list = {0};
    rs_sample sample;
    char name[64];
    reshed_status st = check_kind(w, &sample, err);
    for (uint32_t k = 0; st == RESHED_OK && k < layers_of(w); k++) {
        layer_name(w, k, name, sizeof name);
        st = rs_channels_add(&list, name, NULL, err);
    }
    if (st != RESHED_OK) {
        rs_channels_clear(&list);
        return st;
    }
    *out = list;
    return RESHED_OK;
}

static const char *unit_of(const rs_ibw *w, const char *channel)
{
    if (strcmp(w->unit, "m") != 0) return w->unit;
    if (rs_text_contains(channel, "phase")) return "deg";
    if (rs_text_contains(channel, "frequency")) return "Hz";
    if (rs_text_contains(channel, "current")) return "A";
    if (rs_text_contains(channel, "userin")) return "V";
    return w->unit;
}

/* Step between points of dimension d in metres, 0 when unknown, which im is told. */
static double step_of(const rs_ibw *w, int d, const char *size_key, rs_image *im)
{
    double step = fabs(w->delta[d]) * rs_metres_per(w->dim_unit[d]), size;
    if (isfinite(step) && step > 0) return step;
    if (rs_ibw_note_number(w, size_key, &size) && isfinite(size) && size > 0 && w->dims[d] > 1)
        return size / (w->dims[d] - 1);
    if (w->dim_unit[d][0])
        rs_metres_or_note(w->dim_unit[d], d == 0 ? "the x axis" : "the y axis", im);
    return 0;
}

static double middle_of(const rs_ibw *w, int d, const char *offset_key)
{
    double offset, metres = rs_metres_per(w->dim_unit[d]);
    if (rs_ibw_note_number(w, offset_key, &offset) && isfinite(offset)) return offset;
    double middle = (w->start[d] + 0.5 * (w->dims[d] - 1) * w->delta[d]) * metres;
    return isfinite(middle) ? middle : 0;
}

reshed_status rs_ibw_image(const rs_ibw *w, const char *channel, rs_image *out, reshed_error *err)
{
    rs_channels list = {0};
    rs_sample sample = RS_SAMPLE_F32;
    rs_image im;
    int layer = 0;
    reshed_status st = check_kind(w, &sample, err);
    if (st == RESHED_OK) st = rs_ibw_list(w, &list, err);
    if (st == RESHED_OK) st = rs_channel_choose(&list, channel, RS_QUANTITY_AMPLITUDE, &layer, err);
    if (st == RESHED_OK) st = rs_image_init(&im, w->dims[1], w->dims[0], err);
    if (st != RESHED_OK) goto done;

    size_t nx = w->dims[0], ny = w->dims[1], size = rs_sample_size(sample);
    const uint8_t *base = w->bytes + w->data + (size_t)layer * nx * ny * size;
    for (size_t r = 0; r < ny; r++) {
        size_t j = w->delta[1] < 0 ? r : ny - 1 - r;
        float *row = im.data + r * nx;
        rs_sample_to_float(sample, w->big_endian, base + j * nx * size, nx, row);
        for (size_t c = 0; w->delta[0] < 0 && c < nx / 2; c++) {
            float v = row[c];
            row[c] = row[nx - 1 - c];
            row[nx - 1 - c] = v;
        }
    }
    im.dx = step_of(w, 0, "FastScanSize", &im);
    im.dy = step_of(w, 1, "SlowScanSize", &im);
    im.x0 = middle_of(w, 0, "XOffset");
    im.y0 = middle_of(w, 1, "YOffset");
    rs_text_copy(im.channel, sizeof im.channel, list.c[layer].name);
    rs_text_copy(im.unit, sizeof im.unit, unit_of(w, im.channel));
    rs_channel_note(&list, channel, RS_QUANTITY_AMPLITUDE, layer, &im);
    *out = im;
done:
    rs_channels_clear(&list);
    return st;
}

reshed_status rs_ibw_image_read_mem(const uint8_t *bytes, size_t len, const char *channel,
                                    rs_image *out, reshed_error *err)
{
    rs_ibw w;
    reshed_status st = rs_ibw_open_mem(bytes, len, &w, err);
    return st == RESHED_OK ? rs_ibw_image(&w, channel, out, err) : st;
}
