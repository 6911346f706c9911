#include "io/tiff.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <tiffio.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/common/header.h"
#include "io/common/sample.h"
#include "io/common/stack.h"
#include "io/common/units.h"
#include "io/instruments/park.h"

#if TIFFLIB_VERSION < 20221213
#error "libtiff 4.5 or newer is needed: older ones print to standard error"
#endif

/* Pixels that take more memory than this, and than STORED_TIMES the file, are decoded once without being
 * kept before room is made for them; and what the library may take in one piece. */
#define FREE_BYTES ((size_t)24 << 20)
#define STORED_TIMES 8u
typedef struct source {
    TIFF *tiff;
    const uint8_t *bytes;
    size_t len;
    toff_t pos;
    char why[128]; /* the library's first complaint */
} source;

typedef struct page {
    uint32_t width, height;
    uint16_t bits, samples, format, photometric;
    bool tiled;
    rs_sample sample;
} page;

/* ---------------------------------------------------------------------------------- the library */
static tmsize_t on_read(thandle_t handle, void *dst, tmsize_t n)
{
    source *s = handle;
    if (n < 0 || s->pos > s->len) return 0;
    size_t k = s->len - (size_t)s->pos;
    if (k > (size_t)n) k = (size_t)n;
    memcpy(dst, s->bytes + s->pos, k);
    s->pos += k;
    return (tmsize_t)k;
}

static tmsize_t on_write(thandle_t handle, void *src, tmsize_t n)
{
    (void)handle, (void)src, (void)n;
    return -1;
}

static toff_t on_seek(thandle_t handle, toff_t offset, int from)
{
    source *s = handle;
    const toff_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? s->pos : s->len;
    s->pos = base + offset;
    return s->pos;
}

static int on_close(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t on_size(thandle_t handle)
{
    return ((source *)handle)->len;
}

static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    source *s = user;
    (void)tiff, (void)module;
    if (!s->why[0]) vsnprintf(s->why, sizeof s->why, format, args);
    return 1;
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    (void)tiff, (void)user, (void)module, (void)format, (void)args;
    return 1;
}

static reshed_status corrupt(const source *s, reshed_error *err)
{
    return rs_fail(err, RESHED_ECORRUPT, "the TIFF file|a sound one|%s",
                   s->why[0] ? s->why : "a damaged one");
}

static reshed_status open_source(const uint8_t *bytes, size_t len, source *s, reshed_error *err)
{
    *s = (source){.bytes = bytes, .len = len};
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
    if (!o) return rs_fail_nomem(err, "a TIFF reader", 0);
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)(FREE_BYTES + len));
    TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, s);
    TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, s);
    s->tiff = TIFFClientOpenExt("memory", "rm", s, on_read, on_write, on_seek, on_close, on_size,
                                NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    return s->tiff ? RESHED_OK : corrupt(s, err);
}

static void close_source(source *s)
{
    if (s->tiff) TIFFClose(s->tiff);
}

/* ------------------------------------------------------------------------------------- the pages */
static bool find_sample(page *p)
{
    static const rs_sample u[] = {RS_SAMPLE_U8, RS_SAMPLE_U16, RS_SAMPLE_U32, RS_SAMPLE_U64},
                           i[] = {RS_SAMPLE_I8, RS_SAMPLE_I16, RS_SAMPLE_I32, RS_SAMPLE_I64},
                           f[] = {RS_SAMPLE_U8, RS_SAMPLE_F16, RS_SAMPLE_F32, RS_SAMPLE_F64};
    const int k = p->bits == 8 ? 0 : p->bits == 16 ? 1 : p->bits == 32 ? 2 : p->bits == 64 ? 3 : -1;
    p->sample = RS_SAMPLE_U8;
    if (p->bits == 1) return p->samples == 1;
    if (k < 0 || (p->format == SAMPLEFORMAT_IEEEFP && k == 0)) return false;
    p->sample = p->format == SAMPLEFORMAT_IEEEFP ? f[k]
                : p->format == SAMPLEFORMAT_INT  ? i[k]
                                                 : u[k];
    return p->format <= SAMPLEFORMAT_IEEEFP || p->format == SAMPLEFORMAT_VOID;
}

/* Describes the current page, and refuses what is not read. */
static reshed_status read_page(const source *s, page *p, reshed_error *err)
{
    uint16_t planar = PLANARCONFIG_CONTIG, compression = COMPRESSION_NONE;
    TIFF *t = s->tiff;
    memset(p, 0, sizeof *p);
    if (!TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &p->width) ||
        !TIFFGetField(t, TIFFTAG_IMAGELENGTH, &p->height))
        return corrupt(s, err);
    TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &p->bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &p->samples);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &p->format);
    TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &compression);
    if (!TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &p->photometric))
        p->photometric = PHOTOMETRIC_MINISBLACK;
    p->tiled = TIFFIsTiled(t);
    const bool grey =
        p->photometric <= PHOTOMETRIC_MINISBLACK && p->samples >= 1 && p->samples <= 2;
    const bool colour = p->photometric == PHOTOMETRIC_RGB && (p->samples == 3 || p->samples == 4);
    if (!grey && !colour)
        return rs_fail(
            err, RESHED_EUNSUPPORTED,
            "colours of the TIFF file|grey or RGB|photometric interpretation %u of %u samples",
            p->photometric, p->samples);
    if (!find_sample(p))
        return rs_fail(
            err, RESHED_EUNSUPPORTED,
            "numbers of the TIFF file|1, 8, 16, 32 or 64 bits, integers or floats|%u bits of "
            "format %u",
            p->bits, p->format);
    if (planar != PLANARCONFIG_CONTIG && p->samples > 1)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "samples of the TIFF file|one pixel after the other|planes");
    if (!TIFFIsCODECConfigured(compression))
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "compression of the TIFF file|one that libtiff knows here|number %u",
                       compression);
    if (p->width < 1 || p->height < 1 || p->width > RS_IMAGE_MAX_SIDE ||
        p->height > RS_IMAGE_MAX_SIDE || (size_t)p->width * p->height > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "size of the TIFF image|sides from 1 to %d|%lu x %lu", RS_IMAGE_MAX_SIDE,
                       (unsigned long)p->height, (unsigned long)p->width);
    return RESHED_OK;
}

static bool is_reduced(const source *s)
{
    uint32_t kind = 0;
    return TIFFGetField(s->tiff, TIFFTAG_SUBFILETYPE, &kind) && (kind & FILETYPE_REDUCEDIMAGE);
}

/* Goes to page `index` of those that are no thumbnails. */
static bool go_to(source *s, int index)
{
    do {
        if (!is_reduced(s) && index-- == 0) return true;
    } while (TIFFReadDirectory(s->tiff));
    return false;
}

/* What the pages that are no thumbnails are: channels with names, or, when none has a name and all have one
 * size and kind of numbers, the frames of a stack. */
typedef struct book {
    rs_channels pages;
    bool stack;
} book;

static reshed_status read_book(source *s, book *b, reshed_error *err)
{
    page p, first = {0};
    bool named = false, same = true;
    reshed_status st = RESHED_OK;
    do {
        char name[64];
        const char *text = NULL;
        if (is_reduced(s)) continue;
        st = read_page(s, &p, err);
        if (st != RESHED_OK) break;
        if (b->pages.n == 0) first = p;
        same = same && p.width == first.width && p.height == first.height &&
               p.samples == first.samples && p.bits == first.bits && p.format == first.format;
        snprintf(name, sizeof name, "page %d", b->pages.n);
        if (TIFFGetField(s->tiff, TIFFTAG_PAGENAME, &text) && text && *text) {
            named = true;
            rs_header_text(name, sizeof name, (const uint8_t *)text, strlen(text));
        }
        st = rs_channels_add(&b->pages, name, NULL, err);
    } while (st == RESHED_OK && TIFFReadDirectory(s->tiff));
    if (st == RESHED_OK && b->pages.n == 0) st = corrupt(s, err);
    b->stack = !named && same && b->pages.n > 1;
    if (st == RESHED_OK && b->pages.n == 1 && !named) strcpy(b->pages.c[0].name, "image");
    return st;
}

static reshed_status list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err)
{
    source s;
    book b = {0};
    if (rs_park_is(bytes, len)) return rs_park_list(bytes, len, out, err);
    reshed_status st = open_source(bytes, len, &s, err);
    if (st != RESHED_OK) return st;
    st = read_book(&s, &b, err);
    close_source(&s);
    if (st != RESHED_OK) {
        rs_channels_clear(&b.pages);
        return st;
    }
    if (b.stack) {
        b.pages.n = 1;
        strcpy(b.pages.c[0].name, "image");
    }
    *out = b.pages;
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------ the pixels */
static bool host_is_big(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 0;
}

/* n pixels at src as floats. */
static void take_pixels(const page *p, const uint8_t *src, size_t n, float *dst)
{
    static const double weight[3] = {0.2126, 0.7152, 0.0722};
    const size_t size = rs_sample_size(p->sample);
    const double most = p->bits == 1 ? 1 : p->bits == 8 ? 255 : 65535;
    const bool white =
        p->photometric == PHOTOMETRIC_MINISWHITE && p->format <= SAMPLEFORMAT_UINT && p->bits <= 16;
    for (size_t i = 0; i < n; i++) {
        double v[3] = {0};
        if (p->bits == 1)
            v[0] = src[i / 8] >> (7 - i % 8) & 1;
        else
            rs_sample_to_double(p->sample, host_is_big(), src + i * p->samples * size,
                                p->samples < 3 ? 1 : 3, v);
        double sum = p->samples < 3 ? v[0] : 0;
        for (int k = 0; k < 3 && p->samples >= 3; k++) sum += weight[k] * v[k];
        dst[i] = (float)(white ? most - sum : sum);
    }
}

/* Decodes everything; dst NULL: to see whether it is there. buf holds a line, or a tile. */
static bool decode_lines(const source *s, const page *p, uint8_t *buf, float *dst)
{
    for (uint32_t r = 0; r < p->height; r++) {
        if (TIFFReadScanline(s->tiff, buf, r, 0) < 0) return false;
        if (dst) take_pixels(p, buf, p->width, dst + (size_t)r * p->width);
    }
    return true;
}

static bool decode_tiles(const source *s, const page *p, uint8_t *buf, float *dst)
{
    uint32_t tw = 0, th = 0;
    const tmsize_t row = TIFFTileRowSize(s->tiff);
    if (!TIFFGetField(s->tiff, TIFFTAG_TILEWIDTH, &tw) ||
        !TIFFGetField(s->tiff, TIFFTAG_TILELENGTH, &th) || tw == 0 || th == 0)
        return false;
    for (uint32_t y = 0; y < p->height; y += th)
        for (uint32_t x = 0; x < p->width; x += tw) {
            if (TIFFReadTile(s->tiff, buf, x, y, 0, 0) < 0) return false;
            const uint32_t w = p->width - x < tw ? p->width - x : tw;
            for (uint32_t r = 0; dst && r < th && y + r < p->height; r++)
                take_pixels(p, buf + (size_t)r * (size_t)row, w,
                            dst + (size_t)(y + r) * p->width + x);
        }
    return true;
}

static reshed_status decode(const source *s, const page *p, rs_image *im, reshed_error *err)
{
    const tmsize_t size = p->tiled ? TIFFTileSize(s->tiff) : TIFFScanlineSize(s->tiff);
    const size_t need = (size_t)p->width * p->height * sizeof *im->data;
    bool (*const run)(const source *, const page *, uint8_t *, float *) =
        p->tiled ? decode_tiles : decode_lines;
    if (size <= 0 || (size_t)size > FREE_BYTES + STORED_TIMES * s->len) return corrupt(s, err);
    uint8_t *buf = rs_zalloc((size_t)size, 1);
    if (!buf) return rs_fail_nomem(err, "a TIFF image", (size_t)size);
    reshed_status st = RESHED_OK;
    if (need > FREE_BYTES && need / STORED_TIMES > s->len && !run(s, p, buf, NULL))
        st = corrupt(s, err);
    if (st == RESHED_OK) st = rs_image_init(im, p->height, p->width, err);
    if (st == RESHED_OK && !run(s, p, buf, im->data)) {
        st = corrupt(s, err);
        rs_image_clear(im);
    }
    rs_free(buf);
    return st;
}

/* The size of a pixel, which ImageJ gives as its resolution in a unit that stands in the description;
 * the unit of the resolution tags themselves is an inch of a screen or printer. */
static void take_scale(const source *s, rs_image *im)
{
    char *text = NULL, unit[16];
    float x = 0, y = 0;
    rs_span line;
    if (!TIFFGetField(s->tiff, TIFFTAG_IMAGEDESCRIPTION, &text) || !text ||
        strncmp(text, "ImageJ=", 7) != 0 || !TIFFGetField(s->tiff, TIFFTAG_XRESOLUTION, &x) ||
        !TIFFGetField(s->tiff, TIFFTAG_YRESOLUTION, &y) ||
        !(x > 0 && y > 0 && isfinite(x) && isfinite(y)))
        return;
    rs_span rest = {text, strlen(text)};
    while (rs_span_line(&rest, &line)) {
        if (!rs_span_begins(line, "unit=")) continue;
        rs_span_text(unit, sizeof unit, (rs_span){line.s + 5, line.n - 5});
        if (strcmp(unit, "\\u00B5m") == 0) strcpy(unit, "um");
        const double metres = rs_metres_or_note(unit, "a pixel", im);
        im->dx = metres / (double)x;
        im->dy = metres / (double)y;
        if (!isfinite(im->dx) || !isfinite(im->dy)) im->dx = im->dy = 0;
    }
}

static reshed_status read_frame(const uint8_t *bytes, size_t len, int index, int frame,
                                rs_image *out, reshed_error *err)
{
    source s;
    page p;
    book b = {0};
    rs_image im = {0};
    reshed_status st = RESHED_OK;
    if (rs_park_is(bytes, len)) st = rs_stack_choose(1, frame, &frame, err);
    if (st == RESHED_OK && rs_park_is(bytes, len)) return rs_park_read(bytes, len, out, err);
    if (st == RESHED_OK) st = open_source(bytes, len, &s, err);
    if (st != RESHED_OK) return st;
    st = read_book(&s, &b, err);
    const int frames = b.stack ? b.pages.n : 1;
    if (st == RESHED_OK) st = rs_stack_choose(frames, frame, &frame, err);
    if (st == RESHED_OK && (!TIFFSetDirectory(s.tiff, 0) || !go_to(&s, b.stack ? frame : index)))
        st = rs_fail(err, RESHED_EINVAL, "page number|a page of the TIFF file|%d", index);
    if (st == RESHED_OK) st = read_page(&s, &p, err);
    if (st == RESHED_OK) st = decode(&s, &p, &im, err);
    if (st == RESHED_OK) {
        /* ImageJ describes a stack in its first page. */
        if (!b.stack || frame == 0 || (TIFFSetDirectory(s.tiff, 0) && go_to(&s, 0)))
            take_scale(&s, &im);
        im.frame = b.stack ? frame : 0;
        im.frames = b.stack ? frames : 0;
        *out = im;
    }
    rs_channels_clear(&b.pages);
    close_source(&s);
    return st;
}

static reshed_status read(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err)
{
    return read_frame(bytes, len, index, RS_FRAME_ONLY, out, err);
}

const rs_reader rs_tiff_reader = {list, read, read_frame};
