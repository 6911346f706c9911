/* A .gwy file is "GWYP" and one object. An object is its type's name, a size in bytes and components; a
 * component is a name, a letter and a value: i int32, d double, s text, o object, and D, O arrays of so
 * many doubles and objects. All little-endian. (The format as Gwyddion's user guide describes it.)
 *
 * Curves have equal steps in x, as Gwyddion's data lines have. A voltage that turns back has not: then x
 * is the number of the step, and the voltages are in the metadata of the first map. */
#include "io/gwy_write.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/number.h"
#include "base/os.h"
#include "io/common/sample.h"

typedef struct out {
    uint8_t *data; /* owned */
    size_t n, room;
    bool failed;
} out;

static void put(out *o, const void *bytes, size_t n)
{
    if (o->failed) return;
    if (n > o->room - o->n) {
        const size_t room = (o->n + n) * 2 + 4096;
        uint8_t *grown = rs_regrow(o->data, o->n, room, 1);
        o->failed = !grown;
        if (!grown) return;
        o->data = grown;
        o->room = room;
    }
    memcpy(o->data + o->n, bytes, n);
    o->n += n;
}

static void put_u32(out *o, uint32_t v)
{
    uint8_t b[4];
    rs_put_u32(b, v);
    put(o, b, 4);
}

static void put_f64(out *o, double v)
{
    uint8_t b[8];
    uint64_t u;
    memcpy(&u, &v, sizeof u);
    for (int i = 0; i < 8; i++) b[i] = (uint8_t)(u >> (8 * i));
    put(o, b, 8);
}

static void put_text(out *o, const char *s)
{
    put(o, s, strlen(s) + 1);
}

static void component(out *o, const char *name, char kind)
{
    put_text(o, name);
    put(o, &kind, 1);
}

static void put_int(out *o, const char *name, int v)
{
    component(o, name, 'i');
    put_u32(o, (uint32_t)v);
}

static void put_double(out *o, const char *name, double v)
{
    component(o, name, 'd');
    put_f64(o, v);
}

static void put_string(out *o, const char *name, const char *s)
{
    component(o, name, 's');
    put_text(o, s);
}

/* Begins an object; returns where its size stands, for end. */
static size_t begin(out *o, const char *type)
{
    put_text(o, type);
    put_u32(o, 0);
    return o->n - 4;
}

static void end(out *o, size_t at)
{
    if (!o->failed) rs_put_u32(o->data + at, (uint32_t)(o->n - at - 4));
}

static void put_unit(out *o, const char *name, const char *unit)
{
    component(o, name, 'o');
    const size_t at = begin(o, "GwySIUnit");
    put_string(o, "unitstr", unit);
    end(o, at);
}

/* ----------------------------------------------------------------------------------------- maps */

typedef struct scale {
    double dx, dy, x, y; /* of a pixel, and of the corner */
    const char *unit;
} scale;

static scale scale_of(const rs_gwy_content *c)
{
    if (!(c->dx > 0 && c->dy > 0)) return (scale){1, 1, 0, 0, ""};
    return (scale){c->dx, c->dy, c->x0 - 0.5 * c->width * c->dx, c->y0 - 0.5 * c->height * c->dy,
                   "m"};
}

/* data or mask; returns how many values were not finite. */
static size_t put_field(out *o, const char *name, const rs_gwy_content *c, const char *unit,
                        const float *data, const uint8_t *mask)
{
    const scale s = scale_of(c);
    const size_t n = (size_t)c->height * (size_t)c->width;
    size_t missing = 0;
    double sum = 0;
    for (size_t i = 0; data && i < n; i++) {
        if (isfinite(data[i]))
            sum += (double)data[i];
        else
            missing++;
    }
    const double mean = missing < n ? sum / (double)(n - missing) : 0;
    component(o, name, 'o');
    const size_t at = begin(o, "GwyDataField");
    put_int(o, "xres", c->width);
    put_int(o, "yres", c->height);
    put_double(o, "xreal", c->width * s.dx);
    put_double(o, "yreal", c->height * s.dy);
    put_double(o, "xoff", s.x);
    put_double(o, "yoff", s.y);
    put_unit(o, "si_unit_xy", s.unit);
    put_unit(o, "si_unit_z", unit);
    component(o, "data", 'D');
    put_u32(o, (uint32_t)n);
    for (size_t i = 0; i < n && !o->failed; i++)
        put_f64(o, !data ? mask[i] != 0 : isfinite(data[i]) ? (double)data[i] : mean);
    end(o, at);
    return missing;
}

/* A selection's places are from the frame's corner, without its offset. */
static void put_points(out *o, const char *name, const rs_gwy_content *c)
{
    const scale s = scale_of(c);
    component(o, name, 'o');
    const size_t at = begin(o, "GwySelectionPoint");
    put_int(o, "max", c->points_n);
    component(o, "data", 'D');
    put_u32(o, 2 * (uint32_t)c->points_n);
    for (int i = 0; i < c->points_n; i++) {
        put_f64(o, (c->points[2 * i + 1] + 0.5) * s.dx);
        put_f64(o, (c->points[2 * i] + 0.5) * s.dy);
    }
    end(o, at);
}

/* Returns whether x[n] rises in equal steps. */
static bool is_even(const double *x, int n)
{
    const double each = n > 1 ? (x[n - 1] - x[0]) / (n - 1) : 0;
    bool even = isfinite(each) && each > 0;
    for (int i = 0; even && i < n; i++) even = fabs(x[i] - (x[0] + i * each)) <= 1e-6 * each * n;
    return even;
}

/* "0 0.5 1 ..." as a text. */
static void put_list(out *o, const char *name, const double *x, int n)
{
    char number[RS_NUMBER_TEXT];
    component(o, name, 's');
    for (int i = 0; i < n; i++) {
        rs_number_format(number, x[i]);
        if (i) put(o, " ", 1);
        put(o, number, strlen(number));
    }
    put(o, "", 1);
}

static void put_map(out *o, const rs_gwy_content *c, int k)
{
    const rs_gwy_map *m = &c->maps[k];
    char key[64], count[32];
    snprintf(key, sizeof key, "/%d/data", k);
    const size_t missing = put_field(o, key, c, m->unit, m->data, NULL);
    snprintf(key, sizeof key, "/%d/data/title", k);
    put_string(o, key, m->title);
    snprintf(key, sizeof key, "/%d/data/visible", k);
    component(o, key, 'b');
    put(o, "\1", 1);
    snprintf(key, sizeof key, "/%d/mask", k);
    if (m->mask) put_field(o, key, c, "", NULL, m->mask);
    snprintf(key, sizeof key, "/%d/select/pointer", k);
    if (c->points_n > 0) put_points(o, key, c);
    snprintf(key, sizeof key, "/%d/meta", k);
    component(o, key, 'o');
    const size_t at = begin(o, "GwyContainer");
    put_string(o, "program", "reshed " RESHED_VERSION);
    snprintf(count, sizeof count, "%zu", missing);
    if (missing) put_string(o, "pixels without a value", count);
    if (k == 0 && c->curves > 0 && !is_even(c->x, c->steps))
        put_list(o, "steps of the curves", c->x, c->steps);
    end(o, at);
}

/* --------------------------------------------------------------------------------------- curves */

static void put_line(out *o, const double *y, int n, double real, double off, const char *x_unit,
                     const char *y_unit)
{
    const size_t at = begin(o, "GwyDataLine");
    double last = 0;
    put_int(o, "res", n);
    put_double(o, "real", real);
    put_double(o, "off", off);
    put_unit(o, "si_unit_x", x_unit);
    put_unit(o, "si_unit_y", y_unit);
    component(o, "data", 'D');
    put_u32(o, (uint32_t)n);
    for (int i = 0; i < n; i++) {
        if (isfinite(y[i])) last = y[i];
        put_f64(o, last);
    }
    end(o, at);
}

static void put_spectra(out *o, const char *name, const rs_gwy_content *c)
{
    const scale s = scale_of(c);
    const bool even = is_even(c->x, c->steps);
    const double each = even ? (c->x[c->steps - 1] - c->x[0]) / (c->steps - 1) : 1;
    const char *x_unit = even ? c->x_unit : "";
    component(o, name, 'o');
    const size_t at = begin(o, "GwySpectra");
    put_string(o, "title", c->curve_title);
    put_string(o, "spec_xlabel", even ? c->x_label : "Step");
    put_string(o, "spec_ylabel", c->y_label);
    put_unit(o, "si_unit_xy", s.unit);
    component(o, "coords", 'D');
    put_u32(o, 2 * (uint32_t)c->curves);
    for (int i = 0; i < c->curves; i++) {
        put_f64(o, s.x + (c->places[2 * i + 1] + 0.5) * s.dx);
        put_f64(o, s.y + (c->places[2 * i] + 0.5) * s.dy);
    }
    component(o, "data", 'O');
    put_u32(o, (uint32_t)c->curves);
    for (int i = 0; i < c->curves && !o->failed; i++)
        put_line(o, c->y + (size_t)i * (size_t)c->steps, c->steps, c->steps * each,
                 even ? c->x[0] - 0.5 * each : 0, x_unit, c->y_unit);
    component(o, "selected", 'I');
    put_u32(o, ((uint32_t)c->curves + 31) / 32);
    for (int i = 0; i < c->curves; i += 32) put_u32(o, 0);
    end(o, at);
}

/* ---------------------------------------------------------------------------------------- whole */

static reshed_status check(const rs_gwy_content *c, reshed_error *err)
{
    if (c->height < 1 || c->width < 1 || c->height > RS_IMAGE_MAX_SIDE ||
        c->width > RS_IMAGE_MAX_SIDE || (size_t)c->height * (size_t)c->width > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL, "size of a map|sides from 1 to %d|%d x %d",
                       RS_IMAGE_MAX_SIDE, c->height, c->width);
    const size_t pixels = (size_t)c->height * (size_t)c->width;
    if (c->n < 1 || c->points_n < 0 || c->curves < 0 || (c->curves > 0 && c->steps < 1))
        return rs_fail(err, RESHED_EINVAL, "content of a Gwyddion file|maps|%d", c->n);
    /* Sizes of objects are 32 bits. */
    if (pixels * 8 * 2 * (size_t)c->n + (size_t)c->curves * (size_t)c->steps * 8 > UINT32_MAX / 2)
        return rs_fail(err, RESHED_EUNSUPPORTED, "size of a Gwyddion file|at most 2 GiB|more");
    return RESHED_OK;
}

reshed_status rs_gwy_write(const char *path, const rs_gwy_content *c, reshed_error *err)
{
    out o = {0};
    reshed_status st = check(c, err);
    if (st != RESHED_OK) return st;
    put(&o, "GWYP", 4);
    const size_t at = begin(&o, "GwyContainer");
    for (int k = 0; k < c->n; k++) put_map(&o, c, k);
    if (c->curves > 0) put_spectra(&o, "/sps/0", c);
    end(&o, at);
    st = o.failed ? rs_fail_nomem(err, "a Gwyddion file", o.room)
                  : rs_os_write_file(path, o.data, o.n, err);
    rs_free(o.data);
    return st;
}
