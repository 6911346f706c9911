/* Layout of a WSxM image: lines of text in Latin-1, CR LF at their ends,
 *
 *   WSxM file copyright ...
 *   SxM Image file
 *   Image header size: 5272          not to be relied on
 *   [Control]                        sections; X Amplitude: 500 nm, Y Amplitude, X Offset, Y Offset, Angle,
 *                                    X scanning direction
 *   [General Info]                   Number of columns, Number of rows, Z Amplitude: 59.7 nm,
 *                                    Image Data Type: double, float or short; Acquisition channel
 *   [Header end]
 *
 * then the numbers, little-endian, from the bottom right: row after row upwards, each from +x to -x. A short
 * counts steps of Z Amplitude over their range; others are in its unit. */
#include "io/instruments/wsxm.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "io/common/header.h"
#include "io/common/sample.h"
#include "io/common/units.h"

#define HEADER_MAX ((size_t)4 << 20)

typedef struct header {
    rs_span text;
    const uint8_t *data;
    int width, height;
    rs_sample sample;
    double range; /* of the values; 0 when unknown */
    char unit[16], name[64];
} header;

/* The value of "KEY: value" in a section. */
static bool find_value(rs_span text, const char *section, const char *key, rs_span *value)
{
    rs_span line;
    bool inside = false;
    const size_t k = strlen(key);
    while (rs_span_line(&text, &line)) {
        line = rs_span_trim(line);
        if (rs_span_begins(line, "[")) inside = rs_span_is(line, section);
        if (!inside || !rs_span_begins(line, key) || line.n <= k || line.s[k] != ':') continue;
        *value = rs_span_trim((rs_span){line.s + k + 1, line.n - k - 1});
        return true;
    }
    return false;
}

/* A number with its unit. */
static bool find_quantity(rs_span text, const char *section, const char *key, double *v,
                          char unit[16])
{
    rs_span value, word;
    if (!find_value(text, section, key, &value) || !rs_span_word(&value, &word) ||
        !rs_span_number(word, v) || !isfinite(*v))
        return false;
    rs_span_text(unit, 16, rs_span_trim(value));
    return true;
}

static double find_metres(rs_span text, const char *key)
{
    double v;
    char unit[16];
    if (!find_quantity(text, "[Control]", key, &v, unit)) return 0;
    v *= rs_metres_per(unit);
    return isfinite(v) ? v : 0;
}

static reshed_status read_header(const uint8_t *bytes, size_t len, header *h, reshed_error *err)
{
    static const char end[] = "[Header end]";
    const rs_span all = {(const char *)bytes, len < HEADER_MAX ? len : HEADER_MAX};
    rs_span value, rest;
    double side[2] = {0, 0};
    char unit[16];
    *h = (header){.text = all, .sample = RS_SAMPLE_I16};
    h->text.n = rs_span_find(all, end);
    if (!rs_span_begins(all, "WSxM file copyright") || h->text.n == all.n)
        return rs_fail(err, RESHED_ECORRUPT, "not a WSxM file|its title, and a line %s|others",
                       end);
    rest = (rs_span){all.s + h->text.n, all.n - h->text.n};
    if (!rs_span_line(&rest, &value)) rest.n = 0;
    h->data = (const uint8_t *)rest.s;
    if (rs_span_find(h->text, "SxM Image file") == h->text.n)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "kind of the WSxM file|SxM Image file|another kind");
    for (int i = 0; i < 2; i++)
        if (!find_quantity(h->text, "[General Info]", i ? "Number of rows" : "Number of columns",
                           &side[i], unit) ||
            side[i] < 1 || side[i] > RS_IMAGE_MAX_SIDE || side[i] != floor(side[i]))
            return rs_fail(
                err, RESHED_ECORRUPT,
                "Number of columns and rows of the WSxM file|whole numbers from 1 to %d|others",
                RS_IMAGE_MAX_SIDE);
    h->width = (int)side[0];
    h->height = (int)side[1];
    if (find_value(h->text, "[General Info]", "Image Data Type", &value)) {
        if (rs_span_is(value, "double"))
            h->sample = RS_SAMPLE_F64;
        else if (rs_span_is(value, "float"))
            h->sample = RS_SAMPLE_F32;
        else if (!rs_span_is(value, "short"))
            return rs_fail(err, RESHED_EUNSUPPORTED, "Image Data Type|double, float or short|%.*s",
                           (int)(value.n < 20 ? value.n : 20), value.s);
    }
    const size_t need = side[0] * side[1] > 1e12
                            ? 0
                            : (size_t)h->width * (size_t)h->height * rs_sample_size(h->sample);
    const size_t left = len - (size_t)(h->data - bytes);
    if (left < need)
        return rs_fail(err, RESHED_ECORRUPT, "data of the WSxM file|%zu bytes|%zu bytes", need,
                       left);
    find_quantity(h->text, "[General Info]", "Z Amplitude", &h->range, h->unit);
    if (find_value(h->text, "[General Info]", "Acquisition channel", &value))
        rs_span_text(h->name, sizeof h->name, value);
    return RESHED_OK;
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    header h;
    rs_channel *made;
    rs_channels found = {0};
    reshed_status st = read_header(bytes, len, &h, err);
    if (st == RESHED_OK) st = rs_channels_add(&found, h.name[0] ? h.name : "image", &made, err);
    if (st != RESHED_OK) return st;
    rs_text_copy(made->unit, sizeof made->unit, h.unit);
    *out = found;
    return RESHED_OK;
}

/* Counts to values: their range is Z Amplitude. */
static void stretch(const header *h, rs_image *im)
{
    const size_t n = (size_t)im->width * (size_t)im->height;
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if ((double)im->data[i] < lo) lo = (double)im->data[i];
        if ((double)im->data[i] > hi) hi = (double)im->data[i];
    }
    if (!(h->range > 0) || !(hi > lo)) {
        if (h->range <= 0)
            rs_image_note(im, "the file gives no Z Amplitude, so the values are counts");
        im->unit[0] = '\0';
        return;
    }
    for (size_t i = 0; i < n; i++)
        im->data[i] = (float)((double)im->data[i] * h->range / (hi - lo));
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    header h;
    rs_image im;
    rs_span value;
    double turn;
    char unit[16];
    reshed_status st = read_header(bytes, len, &h, err);
    if (st == RESHED_OK && index != 0)
        st = rs_fail(err, RESHED_EINVAL, "channel number|0, the only one of a WSxM file|%d", index);
    if (st == RESHED_OK) st = rs_image_init(&im, h.height, h.width, err);
    if (st != RESHED_OK) return st;
    const size_t n = (size_t)h.width * (size_t)h.height;
    rs_sample_to_float(h.sample, false, h.data, n, im.data);
    for (size_t i = 0; i < n / 2; i++) { /* turned by 180 degrees */
        const float v = im.data[i];
        im.data[i] = im.data[n - 1 - i];
        im.data[n - 1 - i] = v;
    }
    rs_text_copy(im.unit, sizeof im.unit, h.unit);
    if (h.sample == RS_SAMPLE_I16) stretch(&h, &im);
    im.dx = fabs(find_metres(h.text, "X Amplitude")) / h.width;
    im.dy = fabs(find_metres(h.text, "Y Amplitude")) / h.height;
    im.x0 = find_metres(h.text, "X Offset");
    im.y0 = find_metres(h.text, "Y Offset");
    if (find_quantity(h.text, "[Control]", "Angle", &turn, unit)) im.angle = turn;
    if (find_value(h.text, "[General Info]", "X scanning direction", &value) ||
        find_value(h.text, "[Control]", "X scanning direction", &value))
        rs_text_copy(im.scan, sizeof im.scan,
                     rs_span_is(value, "Backward") ? "backward" : "forward");
    *out = im;
    return RESHED_OK;
}

const rs_reader rs_wsxm_reader = {list, read, NULL};
