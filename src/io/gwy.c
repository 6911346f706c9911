/* Layout of a .gwy file (Gwyddion user guide, "Gwyddion Native Format"), all numbers little-endian:
 *
 *   "GWYP", then an object
 *   object     name NUL, uint32 size, components of that size together
 *   component  name NUL, type, value
 *   types      b 1 byte, c 1 byte, i int32, q int64, d float64, s text NUL, o object;
 *              C I Q D S O: uint32 count, then so many of them
 *
 * The outer object is a GwyContainer, with these components among others:
 *
 *   /N/data        o  GwyDataField of channel N: xres, yres (i), xreal, yreal, xoff, yoff (d), si_unit_xy,
 *                     si_unit_z (o GwySIUnit: unitstr (s)), data (D: row after row, the top one first)
 *   /N/mask        o  the same, 1 where the mask is
 *   /N/data/title  s
 */
#include "io/gwy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/text.h"
#include "io/common/header.h"
#include "io/common/sample.h"
#include "io/common/units.h"

typedef struct component {
    rs_span name;
    char type;
    rs_cursor value; /* from its first byte to its last */
} component;

typedef struct channel {
    uint32_t number;
    bool has[2]; /* data, mask */
    rs_cursor field[2];
    rs_span title;
} channel;

typedef struct contents {
    int n, room, images; /* images: data and masks */
    channel *c;          /* [room]; owned; by number */
} contents;

/* -------------------------------------------------------------------------------- the encoding */
/* A text that ends with a NUL. */
static bool take_text(rs_cursor *c, rs_span *text)
{
    const uint8_t *p = c->base + c->pos, *end = memchr(p, 0, rs_cursor_left(c));
    if (!end) return false;
    *text = (rs_span){(const char *)p, (size_t)(end - p)};
    rs_take(c, text->n + 1);
    return true;
}

/* An object's name, and its components. */
static bool take_object(rs_cursor *c, rs_span *name, rs_cursor *inside)
{
    if (!take_text(c, name)) return false;
    const size_t n = rs_u32(c);
    const uint8_t *p = rs_take(c, n);
    if (!p) return false;
    *inside = rs_cursor_make(p, n, false);
    return true;
}

static size_t size_of(char type)
{
    switch (type) {
    case 'b':
    case 'c':
    case 'C': return 1;
    case 'i':
    case 'I': return 4;
    case 'q':
    case 'Q':
    case 'd':
    case 'D': return 8;
    default: return 0;
    }
}

/* Passes over a value of that type. */
static bool skip_value(rs_cursor *c, char type)
{
    rs_span text;
    rs_cursor inside;
    const bool many = type >= 'A' && type <= 'Z';
    uint64_t n = many ? rs_u32(c) : 1;
    const size_t each = size_of(type);
    if (c->overrun) return false;
    if (each) return n <= rs_cursor_left(c) / each && rs_take(c, (size_t)n * each);
    if (type != 's' && type != 'S' && type != 'o' && type != 'O') return false;
    for (; n > 0; n--)
        if (type == 's' || type == 'S' ? !take_text(c, &text) : !take_object(c, &text, &inside))
            return false;
    return true;
}

/* The next component; false at the end, and where something does not fit, which *bad tells. */
static bool next(rs_cursor *c, component *out, bool *bad)
{
    if (rs_cursor_left(c) == 0) return false;
    *bad = true;
    if (!take_text(c, &out->name)) return false;
    out->type = (char)rs_u8(c);
    const size_t start = c->pos;
    if (c->overrun || !skip_value(c, out->type)) return false;
    out->value = rs_cursor_make(c->base + start, c->pos - start, false);
    *bad = false;
    return true;
}

static reshed_status broken(const char *what, reshed_error *err)
{
    return rs_fail(err, RESHED_ECORRUPT, "%s of the GWY file|components within the file|others",
                   what);
}

/* --------------------------------------------------------------------------------- the contents */
/* N and what follows it in "/N/data", "/N/mask", "/N/data/title"; NULL for other names. */
static const char *split_name(rs_span name, uint32_t *number, size_t *left)
{
    uint64_t v = 0;
    size_t i = 1;
    if (name.n < 3 || name.s[0] != '/') return NULL;
    for (; i < name.n && name.s[i] >= '0' && name.s[i] <= '9'; i++) {
        v = 10 * v + (uint64_t)(name.s[i] - '0');
        if (v > UINT32_MAX) return NULL;
    }
    if (i == 1) return NULL;
    *number = (uint32_t)v;
    *left = name.n - i;
    return name.s + i;
}

/* The channel of that number, made when it is new. */
static channel *get_channel(contents *all, uint32_t number, reshed_status *st, reshed_error *err)
{
    int at = all->n;
    while (at > 0 && all->c[at - 1].number > number) at--;
    if (at > 0 && all->c[at - 1].number == number) return &all->c[at - 1];
    if (all->n >= RS_CHANNEL_MAX / 2) {
        *st = rs_fail(err, RESHED_EUNSUPPORTED, "channels of the GWY file|at most %d|more",
                      RS_CHANNEL_MAX / 2);
        return NULL;
    }
    if (all->n == all->room) {
        const int want = all->room ? 2 * all->room : 8;
        channel *c = rs_regrow(all->c, (size_t)all->n, (size_t)want, sizeof *c);
        if (!c) {
            *st = rs_fail_nomem(err, "the channels", (size_t)want * sizeof *c);
            return NULL;
        }
        all->c = c;
        all->room = want;
    }
    memmove(all->c + at + 1, all->c + at, (size_t)(all->n - at) * sizeof *all->c);
    memset(&all->c[at], 0, sizeof *all->c);
    all->c[at].number = number;
    all->n++;
    return &all->c[at];
}

static reshed_status take_component(contents *all, const component *p, reshed_error *err)
{
    uint32_t number = 0;
    size_t left = 0;
    rs_cursor value = p->value, inside;
    rs_span name;
    reshed_status st = RESHED_OK;
    const char *what = split_name(p->name, &number, &left);
    const rs_span kind = {what ? what : "", what ? left : 0};
    const bool data = rs_span_is(kind, "/data"), mask = rs_span_is(kind, "/mask");
    const bool title = rs_span_is(kind, "/data/title");
    if (!((data || mask) && p->type == 'o') && !(title && p->type == 's')) return RESHED_OK;
    channel *c = get_channel(all, number, &st, err);
    if (!c) return st;
    if (title) {
        take_text(&value, &c->title);
    } else if (take_object(&value, &name, &inside) && rs_span_is(name, "GwyDataField")) {
        if (c->has[mask])
            return rs_fail(err, RESHED_ECORRUPT, "channel %u of the GWY file|once|twice",
                           (unsigned)number);
        c->has[mask] = true;
        c->field[mask] = inside;
        all->images++;
    }
    return RESHED_OK;
}

/* *all: rs_free its channels. */
static reshed_status read_contents(const uint8_t *bytes, size_t len, contents *all,
                                   reshed_error *err)
{
    rs_cursor c = rs_cursor_make(bytes, len, false), inside;
    rs_span name;
    component p;
    bool bad = false;
    reshed_status st = RESHED_OK;
    const uint8_t *magic = rs_take(&c, 4);
    *all = (contents){0};
    if (!magic || memcmp(magic, "GWYP", 4) != 0)
        return rs_fail(err, RESHED_ECORRUPT, "not a GWY file|GWYP|other bytes|offset 0");
    if (!take_object(&c, &name, &inside) || !rs_span_is(name, "GwyContainer"))
        return broken("outer object", err);
    while (st == RESHED_OK && next(&inside, &p, &bad)) st = take_component(all, &p, err);
    if (st == RESHED_OK && bad) st = broken("components", err);
    if (st == RESHED_OK && all->images == 0)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "no image in the GWY file|a channel /0/data|none");
    if (st != RESHED_OK) {
        rs_free(all->c);
        *all = (contents){0};
    }
    return st;
}

/* -------------------------------------------------------------------------------------- a field */
typedef struct field {
    int32_t xres, yres;
    double xreal, yreal, xoff, yoff; /* NaN: absent */
    char unit_xy[16], unit_z[16];
    const uint8_t *data;
    size_t count;
} field;

static void take_unit(rs_cursor value, char *dst, size_t size)
{
    rs_span name;
    rs_cursor inside;
    component p;
    bool bad = false;
    if (!take_object(&value, &name, &inside)) return;
    while (next(&inside, &p, &bad))
        if (p.type == 's' && rs_span_is(p.name, "unitstr") && take_text(&p.value, &name))
            rs_span_text(dst, size, name);
}

static reshed_status read_field(rs_cursor inside, field *f, reshed_error *err)
{
    component p;
    bool bad = false;
    *f = (field){.xreal = NAN, .yreal = NAN, .xoff = 0, .yoff = 0};
    const struct {
        const char *name;
        double *to;
    } reals[] = {
        {"xreal", &f->xreal}, {"yreal", &f->yreal}, {"xoff", &f->xoff}, {"yoff", &f->yoff}};
    while (next(&inside, &p, &bad)) {
        if (p.type == 'i' && rs_span_is(p.name, "xres")) f->xres = rs_i32(&p.value);
        if (p.type == 'i' && rs_span_is(p.name, "yres")) f->yres = rs_i32(&p.value);
        for (size_t i = 0; p.type == 'd' && i < sizeof reals / sizeof *reals; i++)
            if (rs_span_is(p.name, reals[i].name))
                rs_sample_to_double(RS_SAMPLE_F64, false, p.value.base, 1, reals[i].to);
        if (p.type == 'o' && rs_span_is(p.name, "si_unit_xy"))
            take_unit(p.value, f->unit_xy, sizeof f->unit_xy);
        if (p.type == 'o' && rs_span_is(p.name, "si_unit_z"))
            take_unit(p.value, f->unit_z, sizeof f->unit_z);
        if (p.type == 'D' && rs_span_is(p.name, "data")) {
            f->count = rs_u32(&p.value);
            f->data = p.value.base + 4;
        }
    }
    if (bad) return broken("GwyDataField", err);
    if (f->xres < 1 || f->yres < 1 || f->xres > RS_IMAGE_MAX_SIDE || f->yres > RS_IMAGE_MAX_SIDE ||
        f->count != (size_t)f->xres * (size_t)f->yres)
        return rs_fail(err, RESHED_ECORRUPT,
                       "GwyDataField|xres times yres numbers, each from 1 to %d|%ld, %ld and %zu",
                       RS_IMAGE_MAX_SIDE, (long)f->xres, (long)f->yres, f->count);
    return RESHED_OK;
}

/* As in GSF, the offset is that of the edges. */
static void take_place(const field *f, rs_image *im)
{
    if (!(isfinite(f->xreal) && isfinite(f->yreal) && f->xreal > 0 && f->yreal > 0)) return;
    const double metres = f->unit_xy[0] ? rs_metres_or_note(f->unit_xy, "the frame", im) : 0;
    const double dx = f->xreal / f->xres * metres, dy = f->yreal / f->yres * metres;
    if (!(isfinite(dx) && isfinite(dy) && dx > 0 && dy > 0)) return;
    im->dx = dx;
    im->dy = dy;
    const double x = (f->xoff + 0.5 * f->xreal) * metres, y = (f->yoff + 0.5 * f->yreal) * metres;
    im->x0 = isfinite(x) ? x : 0;
    im->y0 = isfinite(y) ? y : 0;
}

/* Image `index`: its channel, and whether it is the mask. */
static const channel *find_image(const contents *all, int index, bool *mask)
{
    for (int i = 0; i < all->n; i++)
        for (int k = 0; k < 2; k++)
            if (all->c[i].has[k] && index-- == 0) {
                *mask = k == 1;
                return &all->c[i];
            }
    return NULL;
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    contents all;
    rs_channels found = {0};
    reshed_status st = read_contents(bytes, len, &all, err);
    for (int i = 0; st == RESHED_OK && i < all.images; i++) {
        bool mask = false;
        field f;
        char title[56], name[64];
        rs_channel *made;
        const channel *c = find_image(&all, i, &mask);
        st = read_field(c->field[mask], &f, err);
        if (st != RESHED_OK) break;
        rs_span_text(title, sizeof title, rs_span_trim(c->title));
        if (!title[0]) snprintf(title, sizeof title, "channel %u", (unsigned)c->number);
        snprintf(name, sizeof name, "%s%s", title, mask ? " mask" : "");
        st = rs_channels_add(&found, name, &made, err);
        if (st == RESHED_OK && !mask) rs_text_copy(made->unit, sizeof made->unit, f.unit_z);
    }
    rs_free(all.c);
    if (st != RESHED_OK) {
        rs_channels_clear(&found);
        return st;
    }
    *out = found;
    return RESHED_OK;
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    contents all;
    field f;
    rs_image im;
    bool mask = false;
    reshed_status st = read_contents(bytes, len, &all, err);
    if (st != RESHED_OK) return st;
    const channel *c = find_image(&all, index, &mask);
    if (!c)
        st = rs_fail(err, RESHED_EINVAL, "channel number|0 to %d|%d", all.images - 1, index);
    else
        st = read_field(c->field[mask], &f, err);
    rs_free(all.c);
    if (st == RESHED_OK) st = rs_image_init(&im, f.yres, f.xres, err);
    if (st != RESHED_OK) return st;
    rs_sample_to_float(RS_SAMPLE_F64, false, f.data, f.count, im.data);
    take_place(&f, &im);
    if (!mask) rs_text_copy(im.unit, sizeof im.unit, f.unit_z);
    *out = im;
    return RESHED_OK;
}

const rs_reader rs_gwy_reader = {list, read, NULL};
