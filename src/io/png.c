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
/* Pixels that take more memory than this, and than STORED_TIMES the file, are inflated once without
 * being kept before room is made for them. */
#define FREE_BYTES ((size_t)24 << 20)
#define STORED_TIMES 8u
/* Of files that hold what was drawn, with colours, bars and text, rather than what was measured. */
#define PICTURE_KEY "Software"
#define PICTURE_TEXT "reshed: a picture to look at, no data"

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
    int height, width, channels, depth, passes;
    size_t row_bytes;
    /* writing */
    bool quick, picture;
    double dpi; /* 0: not said */
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

/* The chunks must lie within the file: libpng takes memory for the length that a chunk states, up to
 * 2 GiB, before it reads. What follows IEND is nobody's. */
static bool check_chunks(job *j)
{
    for (size_t at = 8; at < j->len;) {
        const uint8_t *p = j->bytes + at;
        if (j->len - at < 12) break;
        const size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        if (n > j->len - at - 12) {
            j->status = RESHED_ECORRUPT;
            j->pos = at;
            snprintf(j->why, sizeof j->why, "a chunk of %zu bytes where %zu are left", n,
                     j->len - at - 12);
            return false;
        }
        if (memcmp(p + 4, "IEND", 4) == 0) break;
        at += n + 12;
    }
    return true;
}

/* Reads up to the pixels: checks the sizes and sets the conversions that leave 8 or 16 bits in 1 to
 * 4 channels. */
static bool read_info(job *j)
{
    if (setjmp(png_jmpbuf(j->png))) return false;
    png_set_user_limits(j->png, RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(j->png, (png_alloc_size_t)8 << 20);
    png_set_chunk_cache_max(j->png, 64);
    png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL,
                                -1); /* texts, profiles, ... */
    png_set_read_fn(j->png, j, on_read);
    png_read_info(j->png, j->info);

    png_uint_32 w = png_get_image_width(j->png, j->info);
    png_uint_32 h = png_get_image_height(j->png, j->info);
    int colour = png_get_color_type(j->png, j->info), depth = png_get_bit_depth(j->png, j->info);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(j->png);
    if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(j->png);
    if (colour & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(j->png);
    j->passes = png_set_interlace_handling(j->png);
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

/* Inflates everything into one row: whether the file holds the pixels that it claims. */
static bool try_pixels(job *j)
{
    if (setjmp(png_jmpbuf(j->png))) return false;
    for (int pass = 0; pass < j->passes; pass++)
        for (int r = 0; r < j->height; r++) png_read_row(j->png, j->pixels, NULL);
    return true;
}

static bool read_pixels(job *j)
{
    if (setjmp(png_jmpbuf(j->png))) return false;
    png_read_image(j->png, j->rows);
    png_read_end(j->png, NULL);
    return true;
}

static bool no_memory(job *j, size_t bytes)
{
    j->status = RESHED_ENOMEM;
    snprintf(j->why, sizeof j->why, "%zu bytes", bytes);
    return false;
}

static bool alloc_pixels(job *j)
{
    j->pixels = rs_alloc((size_t)j->height, j->row_bytes);
    j->rows = rs_alloc((size_t)j->height, sizeof *j->rows);
    if (!j->pixels || !j->rows) return no_memory(j, (size_t)j->height * j->row_bytes);
    for (int i = 0; i < j->height; i++) j->rows[i] = j->pixels + (size_t)i * j->row_bytes;
    return true;
}

static bool begin(job *j)
{
    j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, on_error, on_warning, j, on_malloc,
                                      on_free);
    if (j->png) j->info = png_create_info_struct(j->png);
    return j->png && j->info ? read_info(j) : no_memory(j, 0);
}

/* From the signature to the rows. */
static bool read_all(job *j)
{
    if (!check_chunks(j) || !begin(j)) return false;
    const size_t pixels = (size_t)j->height * (size_t)j->width;
    const size_t need = (size_t)j->height * j->row_bytes + pixels * sizeof(float);
    if (need > FREE_BYTES && need / STORED_TIMES > j->len) {
        if (!(j->pixels = rs_zalloc(j->row_bytes, 1))) return no_memory(j, j->row_bytes);
        if (!try_pixels(j)) return false;
        rs_free(j->pixels);
        j->pixels = NULL;
        png_destroy_read_struct(&j->png, &j->info, NULL);
        j->pos = 0;
        if (!begin(j)) return false;
    }
    /* libpng goes on without the memory for some optional chunk; then the status tells. */
    return alloc_pixels(j) && read_pixels(j) && j->status == RESHED_OK;
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
    if (!read_all(&j)) {
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

/* A text chunk by which rs_png_is_picture knows what was drawn, and the size on paper. */
static void write_marks(job *j)
{
    char key[] = PICTURE_KEY, value[] = PICTURE_TEXT;
    png_text text = {.compression = PNG_TEXT_COMPRESSION_NONE, .key = key, .text = value};
    if (j->picture) png_set_text(j->png, j->info, &text, 1);
    const double per_metre = j->dpi / 0.0254 + 0.5;
    if (j->dpi > 0)
        png_set_pHYs(j->png, j->info, (png_uint_32)per_metre, (png_uint_32)per_metre,
                     PNG_RESOLUTION_METER);
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
    write_marks(j);
    png_write_info(j->png, j->info);
    if (j->depth == 16 && *(const uint8_t *)&one == 1) png_set_swap(j->png);
    png_write_image(j->png, j->rows);
    png_write_end(j->png, NULL);
    return true;
}

/* mark: what was drawn rather than measured, `dpi` dots per inch (0: not said). */
static reshed_status write_mem(rs_png_kind kind, bool mark, double dpi, int height, int width,
                               const void *pixels, uint8_t **bytes, size_t *len, reshed_error *err)
{
    job j = {.height = height,
             .width = width,
             .depth = kind == RS_PNG_GREY16 ? 16 : 8,
             .quick = kind == RS_PNG_RGB8_QUICK,
             .picture = mark,
             .dpi = dpi};
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

reshed_status rs_png_write_mem(rs_png_kind kind, int height, int width, const void *pixels,
                               uint8_t **bytes, size_t *len, reshed_error *err)
{
    return write_mem(kind, false, 0, height, width, pixels, bytes, len, err);
}

static reshed_status write_file(const char *path, rs_png_kind kind, bool mark, double dpi,
                                int height, int width, const void *pixels, reshed_error *err)
{
    uint8_t *bytes;
    size_t len;
    reshed_status st = write_mem(kind, mark, dpi, height, width, pixels, &bytes, &len, err);
    if (st != RESHED_OK) return st;
    st = rs_os_write_file(path, bytes, len, err);
    rs_free(bytes);
    return st;
}

reshed_status rs_png_write(const char *path, rs_png_kind kind, int height, int width,
                           const void *pixels, reshed_error *err)
{
    return write_file(path, kind, false, 0, height, width, pixels, err);
}

reshed_status rs_png_write_picture(const char *path, rs_png_kind kind, double dpi, int height,
                                   int width, const void *pixels, reshed_error *err)
{
    return write_file(path, kind, true, dpi, height, width, pixels, err);
}

bool rs_png_is_picture(const uint8_t *bytes, size_t len)
{
    static const char mark[] = PICTURE_KEY "\0" PICTURE_TEXT;
    const size_t size = sizeof mark - 1;
    if (len < 8 || png_sig_cmp(bytes, 0, 8) != 0) return false;
    for (size_t at = 8; len - at >= 12;) {
        const uint8_t *p = bytes + at;
        const size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        if (n > len - at - 12 || memcmp(p + 4, "IDAT", 4) == 0) return false;
        if (memcmp(p + 4, "tEXt", 4) == 0 && n == size && memcmp(p + 8, mark, size) == 0)
            return true;
        at += n + 12;
    }
    return false;
}
