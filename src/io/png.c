/* libpng reports an error by calling back and then jumping out of the call. Two rules keep that
 * free of leaks and of clobbered variables: everything that must survive a jump lives in one job
 * struct behind a pointer, and the functions that hold a setjmp do nothing else. libpng's memory
 * comes from rs_alloc, so that its failures are ours. */
#include "io/png.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#include "base/alloc.h"
#include "base/os.h"

/* Deflate's best ratio (RFC 1951: 258 bytes from 2 bits), rounded up. */
#define DEFLATE_LIMIT 1032u

typedef struct job {
    png_structp png;
    png_infop info;
    reshed_status status; /* of the failure */
    char why[96];
    /* reading */
    const uint8_t *bytes;
    size_t len, pos;
    uint8_t *pixels; /* [height][row_bytes] */
    png_bytep *rows;
    int height, width, channels, depth;
    size_t row_bytes;
    /* writing */
    bool quick;
    uint8_t *out;
    size_t used, room;
} job;

static void on_error(png_structp png, png_const_charp text)
{
    job *j = png_get_error_ptr(png);
    if (j->status == RESHED_OK) {
        j->status = RESHED_ECORRUPT;
        snprintf(j->why, sizeof j->why, "%s", text ? text : "");
    }
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t n)
{
    job *j = png_get_mem_ptr(png);
    void *p = rs_alloc(n, 1);
    if (!p) {
        j->status = RESHED_ENOMEM;
        snprintf(j->why, sizeof j->why, "%zu bytes", (size_t)n);
    }
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    (void)png;
    rs_free(p);
}

static void job_clear(job *j, bool writing)
{
    if (j->png && writing) png_destroy_write_struct(&j->png, &j->info);
    if (j->png) png_destroy_read_struct(&j->png, &j->info, NULL);
    rs_free(j->rows);
    rs_free(j->pixels);
    rs_free(j->out);
}

static reshed_status job_fail(const job *j, const char *doing, reshed_error *err)
{
    if (j->status == RESHED_ENOMEM)
        return rs_fail(err, RESHED_ENOMEM, "cannot allocate memory for %s||%s", doing, j->why);
    if (j->status == RESHED_EUNSUPPORTED)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "size of %s|sides from 1 to %d and at most %zu "
                       "pixels|%s",
                       doing, RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_PIXELS, j->why);
    return rs_fail(err, j->status == RESHED_OK ? RESHED_ECORRUPT : j->status,
                   "%s|a whole PNG file|%s|offset %zu", doing, j->why, j->pos);
}

/* -------------------------------------------------------------------------------------- reading */
static void on_read(png_structp png, png_bytep dst, size_t n)
{
    job *j = png_get_io_ptr(png);
    if (n > j->len - j->pos) png_error(png, "the end of the file");
    memcpy(dst, j->bytes + j->pos, n);
    j->pos += n;
}

/* Reads up to the pixels: checks the sizes and sets the conversions that leave 8 or 16 bits in 1 to
 * 4 channels. */
static bool read_info(job *j)
{
    if (setjmp(png_jmpbuf(j->png))) return false;
    png_set_user_limits(j->png, RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(j->png, (png_alloc_size_t)8 << 20);
    png_set_chunk_cache_max(j->png, 64);
    png_set_read_fn(j->png, j, on_read);
    png_read_info(j->png, j->info);

    png_uint_32 w = png_get_image_width(j->png, j->info);
    png_uint_32 h = png_get_image_height(j->png, j->info);
    int colour = png_get_color_type(j->png, j->info), depth = png_get_bit_depth(j->png, j->info);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(j->png);
    if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(j->png);
    if (colour & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(j->png);
    png_set_interlace_handling(j->png);
    png_read_update_info(j->png, j->info);
    j->height = (int)h;
    j->width = (int)w;
    j->channels = png_get_channels(j->png, j->info);
    j->depth = png_get_bit_depth(j->png, j->info);
    j->row_bytes = png_get_rowbytes(j->png, j->info);

    /* The bytes that the file would inflate to: at least a bit per pixel, a filter byte per row. */
    uint64_t bits = (uint64_t)w * (uint64_t)depth *
                    (uint64_t)(colour == PNG_COLOR_TYPE_RGB         ? 3
                               : colour == PNG_COLOR_TYPE_RGB_ALPHA ? 4
                               : colour & PNG_COLOR_MASK_ALPHA      ? 2
                                                                    : 1);
    uint64_t inflated = ((bits + 7) / 8) * h; /* < 2^16 * 8 * 2^16 */
    if ((uint64_t)w * h > RS_IMAGE_MAX_PIXELS) {
        j->status = RESHED_EUNSUPPORTED;
        snprintf(j->why, sizeof j->why, "%u x %u", (unsigned)h, (unsigned)w);
        return false;
    }
    if (inflated / DEFLATE_LIMIT > j->len) {
        j->status = RESHED_ECORRUPT;
        snprintf(j->why, sizeof j->why, "%zu bytes for %u x %u pixels", j->len, (unsigned)h,
                 (unsigned)w);
        return false;
    }
    return true;
}

static bool read_pixels(job *j)
{
    if (setjmp(png_jmpbuf(j->png))) return false;
    png_read_image(j->png, j->rows);
    png_read_end(j->png, NULL);
    return true;
}

static bool alloc_pixels(job *j)
{
    j->pixels = rs_alloc((size_t)j->height, j->row_bytes);
    j->rows = rs_alloc((size_t)j->height, sizeof *j->rows);
    if (!j->pixels || !j->rows) {
        j->status = RESHED_ENOMEM;
        snprintf(j->why, sizeof j->why, "%zu bytes", (size_t)j->height * j->row_bytes);
        return false;
    }
    for (int i = 0; i < j->height; i++) j->rows[i] = j->pixels + (size_t)i * j->row_bytes;
    return true;
}

/* Sample k of a row. */
static unsigned sample(const job *j, const uint8_t *row, size_t k)
{
    return j->depth == 16 ? (unsigned)row[2 * k] << 8 | row[2 * k + 1] : row[k];
}

static void to_grey(const job *j, float *dst)
{
    const double top = j->depth == 16 ? 65535 : 255;
    for (int r = 0; r < j->height; r++) {
        const uint8_t *row = j->rows[r];
        float *to = dst + (size_t)r * (size_t)j->width;
        for (size_t c = 0; c < (size_t)j->width; c++) {
            if (j->channels < 3) {
                to[c] = (float)(sample(j, row, c * (size_t)j->channels) / top);
            } else { /* whole numbers: R = G = B = v gives 10000 v exactly */
                size_t k = c * (size_t)j->channels;
                double y = 2126.0 * sample(j, row, k) + 7152.0 * sample(j, row, k + 1) +
                           722.0 * sample(j, row, k + 2);
                to[c] = (float)(y / 10000 / top);
            }
        }
    }
}

reshed_status rs_png_read_mem(const uint8_t *bytes, size_t len, rs_image *out, reshed_error *err)
{
    job j = {.bytes = bytes, .len = len};
    rs_image im = {.data = NULL};
    reshed_status st = RESHED_OK;
    if (len < 8 || png_sig_cmp(bytes, 0, 8) != 0)
        return rs_fail(err, RESHED_ECORRUPT,
                       "not a PNG file|the PNG signature|other bytes|offset 0");
    j.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning, &j, on_malloc,
                                     on_free);
    if (j.png) j.info = png_create_info_struct(j.png);
    if (!j.png || !j.info) {
        st = rs_fail_nomem(err, "a PNG reader", 0);
        goto done;
    }
    /* libpng goes on without the memory for some optional chunk; then the status tells. */
    if (!read_info(&j) || !alloc_pixels(&j) || !read_pixels(&j) || j.status != RESHED_OK) {
        st = job_fail(&j, "the PNG image", err);
        goto done;
    }
    st = rs_image_init(&im, j.height, j.width, err);
    if (st != RESHED_OK) goto done;
    to_grey(&j, im.data);
    *out = im;
done:
    job_clear(&j, false);
    return st;
}

/* -------------------------------------------------------------------------------------- writing */
static void on_write(png_structp png, png_bytep src, size_t n)
{
    job *j = png_get_io_ptr(png);
    if (n > j->room - j->used) {
        size_t want = j->room + n + j->room / 2 + 4096;
        uint8_t *p = rs_regrow(j->out, j->used, want, 1);
        if (!p) {
            j->status = RESHED_ENOMEM;
            snprintf(j->why, sizeof j->why, "%zu bytes", want);
            png_error(png, "out of memory");
        }
        j->out = p;
        j->room = want;
    }
    memcpy(j->out + j->used, src, n);
    j->used += n;
}

static void on_flush(png_structp png)
{
    (void)png;
}

static bool write_all(job *j, int colour)
{
    const uint16_t one = 1;
    if (setjmp(png_jmpbuf(j->png))) return false;
    png_set_user_limits(j->png, RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_SIDE);
    png_set_write_fn(j->png, j, on_write, on_flush);
    png_set_IHDR(j->png, j->info, (png_uint_32)j->width, (png_uint_32)j->height, j->depth, colour,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (j->quick) {
        png_set_compression_level(j->png, 1);
        png_set_filter(j->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    }
    png_write_info(j->png, j->info);
    if (j->depth == 16 && *(const uint8_t *)&one == 1) png_set_swap(j->png);
    png_write_image(j->png, j->rows);
    png_write_end(j->png, NULL);
    return true;
}

reshed_status rs_png_write_mem(rs_png_kind kind, int height, int width, const void *pixels,
                               uint8_t **bytes, size_t *len, reshed_error *err)
{
    job j = {.height = height,
             .width = width,
             .depth = kind == RS_PNG_GREY16 ? 16 : 8,
             .quick = kind == RS_PNG_RGB8_QUICK};
    bool rgb = kind == RS_PNG_RGB8 || kind == RS_PNG_RGB8_QUICK;
    reshed_status st = RESHED_OK;
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of a PNG image|sides from 1 to %d|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    j.row_bytes = (size_t)width * (rgb ? 3 : kind == RS_PNG_GREY16 ? 2 : 1);
    j.rows = rs_alloc((size_t)height, sizeof *j.rows);
    j.png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning, &j,
                                      on_malloc, on_free);
    if (j.png) j.info = png_create_info_struct(j.png);
    if (!j.rows || !j.png || !j.info) {
        st = rs_fail_nomem(err, "a PNG writer", (size_t)height * sizeof *j.rows);
        goto done;
    }
    /* libpng takes rows that it does not write to as pointers to non-const. */
    for (int i = 0; i < height; i++)
        j.rows[i] = (png_bytep)(uintptr_t)pixels + (size_t)i * j.row_bytes;
    if (!write_all(&j, rgb ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY)) {
        if (j.status == RESHED_ECORRUPT) j.status = RESHED_EINTERNAL;
        st = job_fail(&j, "the PNG image", err);
        goto done;
    }
    *bytes = j.out;
    *len = j.used;
    j.out = NULL;
done:
    job_clear(&j, true);
    return st;
}

reshed_status rs_png_write(const char *path, rs_png_kind kind, int height, int width,
                           const void *pixels, reshed_error *err)
{
    uint8_t *bytes;
    size_t len;
    reshed_status st = rs_png_write_mem(kind, height, width, pixels, &bytes, &len, err);
    if (st != RESHED_OK) return st;
    st = rs_os_write_file(path, bytes, len, err);
    rs_free(bytes);
    return st;
}
