#include "io/image_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "io/gsf.h"
#include "io/gwy.h"
#include "io/ibw.h"
#include "io/instruments/ardf.h"
#include "io/instruments/bruker.h"
#include "io/instruments/iso28600.h"
#include "io/instruments/sxm.h"
#include "io/instruments/wsxm.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/nsid/nsid.h"
#include "io/nsid/image.h"
#include "io/png.h"
#include "io/tiff.h"
#include "io/unreadable.h"

/* Of a file that is read whole. The largest image that rs_image holds, as 8-byte numbers with
 * several channels, stays below. */
#define FILE_MAX ((size_t)1 << 34)

/* The kinds that are read: for messages. */
#define KNOWN                                                                                      \
    "a PNG, NPY, NPZ, GSF, IBW (version 5), ARDF, SXM, GWY, NanoScope, TIFF, WSxM, ISO 28600 or "  \
    "HDF5 image"

static const struct {
    rs_format format;
    const char *name, *endings; /* each with its dot */
    const char *magic;
    size_t magic_len;
    const rs_reader *reader; /* NULL: a reader of its own, see read_bytes */
} formats[] = {
    {RS_FORMAT_PNG, "PNG", ".png", "\x89PNG\r\n\x1a\n", 8, NULL},
    {RS_FORMAT_NPY, "NPY", ".npy", "\x93NUMPY", 6, NULL},
    {RS_FORMAT_GSF, "GSF", ".gsf", "Gwyddion Simple Field ", 22, NULL},
    {RS_FORMAT_IBW, "IBW", ".ibw", NULL, 0, NULL},
    {RS_FORMAT_ARDF, "ARDF", ".ardf", NULL, 0, &rs_ardf_reader},
    {RS_FORMAT_ISO28600, "ISO 28600", "", "ISO/TC 201 SPM data transfer format", 35,
     &rs_iso28600_reader},
    {RS_FORMAT_SXM, "SXM", ".sxm", ":NANONIS_VERSION:", 17, &rs_sxm_reader},
    {RS_FORMAT_GWY, "GWY", ".gwy", "GWYP", 4, &rs_gwy_reader},
    {RS_FORMAT_BRUKER, "NanoScope", ".spm.000.001.002.003.004.005", "\\*File list", 11,
     &rs_bruker_reader},
    {RS_FORMAT_BRUKER, "NanoScope", "", "\\*Force file list", 17, &rs_bruker_reader},
    {RS_FORMAT_TIFF, "TIFF", ".tif.tiff", "II*\0", 4, &rs_tiff_reader},
    {RS_FORMAT_TIFF, "TIFF", "", "MM\0*", 4, &rs_tiff_reader},
    {RS_FORMAT_TIFF, "TIFF", "", "II+\0", 4, &rs_tiff_reader},
    {RS_FORMAT_TIFF, "TIFF", "", "MM\0+", 4, &rs_tiff_reader},
    {RS_FORMAT_WSXM, "WSxM", ".stp.top.tom.cur", "WSxM file copyright", 19, &rs_wsxm_reader},
    {RS_FORMAT_NPZ, "NPZ", ".npz", "PK\3\4", 4, &rs_npz_reader},
    {RS_FORMAT_HDF5, "HDF5", ".h5.hdf5.hf5.hdf.nsid.mat.topostats.hspy.nxs", "\x89HDF\r\n\x1a\n", 8,
     NULL},
};
#define FORMATS (sizeof formats / sizeof *formats)

static bool ends_with(const char *s, const char *ending, size_t k)
{
    size_t n = strlen(s);
    return n >= k && rs_text_same(s + n - k, ending, k);
}

rs_format rs_format_of_name(const char *path)
{
    for (size_t i = 0; i < FORMATS; i++)
        for (const char *e = formats[i].endings; *e;) {
            size_t k = 1 + strcspn(e + 1, ".");
            if (ends_with(path, e, k)) return formats[i].format;
            e += k;
        }
    return RS_FORMAT_UNKNOWN;
}

/* An Igor wave has no signature: its version as an int16 of either byte order, and header bytes
 * that add up to zero when all of them are there. */
static bool is_ibw(const uint8_t *head, size_t n)
{
    uint16_t sum = 0;
    if (n < 2 || !((head[0] == 5 && head[1] == 0) || (head[0] == 0 && head[1] == 5))) return false;
    for (size_t i = 0; i + 1 < 384 && i + 1 < n; i += 2)
        sum = (uint16_t)(sum +
                         (head[0] == 5 ? head[i] | head[i + 1] << 8 : head[i] << 8 | head[i + 1]));
    return n >= 384 && sum == 0;
}

rs_format rs_format_of_bytes(const uint8_t *head, size_t n)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].magic && n >= formats[i].magic_len &&
            memcmp(head, formats[i].magic, formats[i].magic_len) == 0)
            return formats[i].format;
    for (size_t at = 512; at <= 1024;
         at *= 2) /* HDF5 after a block of another program, as MATLAB's */
        if (n >= at + 8 && memcmp(head + at, "\x89HDF\r\n\x1a\n", 8) == 0) return RS_FORMAT_HDF5;
    if (rs_ardf_is(head, n)) return RS_FORMAT_ARDF;
    return is_ibw(head, n) ? RS_FORMAT_IBW : RS_FORMAT_UNKNOWN;
}

const char *rs_format_name(rs_format format)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].format == format) return formats[i].name;
    return "unknown";
}

static const rs_reader *reader_of(rs_format format)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].format == format) return formats[i].reader;
    return NULL;
}

/* Says what a file is that no reader knows, from its first n bytes, n > 0. */
static reshed_status not_known(const uint8_t *head, size_t n, reshed_error *err)
{
    const rs_unreadable *kind = rs_unreadable_find(head, n);
    if (kind)
        return rs_fail(err, RESHED_EUNSUPPORTED, "%s is not read: %s|" KNOWN "|%s", kind->name,
                       kind->advice, kind->name);
    return rs_fail(err, RESHED_EUNSUPPORTED,
                   "kind of the file|" KNOWN "|bytes %02x %02x %02x %02x ...|offset 0", head[0],
                   n > 1 ? head[1] : 0, n > 2 ? head[2] : 0, n > 3 ? head[3] : 0);
}

/* The format of path by its bytes, else by its name: then the reader says what is wrong with it. */
static reshed_status detect(const char *path, rs_format *format, reshed_error *err)
{
    uint8_t head[RS_FORMAT_HEAD];
    size_t n = 0;
    reshed_status st = rs_os_read_head(path, head, sizeof head, &n, err);
    if (st != RESHED_OK) return st;
    *format = rs_format_of_bytes(head, n);
    if (*format == RS_FORMAT_UNKNOWN && rs_unreadable_find(head, n)) return not_known(head, n, err);
    if (*format == RS_FORMAT_UNKNOWN) *format = rs_format_of_name(path);
    if (*format != RS_FORMAT_UNKNOWN) return RESHED_OK;
    if (n == 0) return rs_fail(err, RESHED_ECORRUPT, "the file is empty|an image|0 bytes");
    return not_known(head, n, err);
}

static reshed_status read_bytes(rs_format format, const uint8_t *bytes, size_t len,
                                const char *channel, int frame, rs_image *out, reshed_error *err)
{
    rs_image im;
    reshed_status st = RESHED_EINTERNAL;
    const rs_reader *reader = reader_of(format);
    if (reader) return rs_reader_image(reader, bytes, len, channel, frame, out, err);
    if (format == RS_FORMAT_HDF5)
        return rs_nsid_image_read_mem(bytes, len, channel, frame, out, err);
    if (format != RS_FORMAT_NPY) st = rs_stack_choose(1, frame, &frame, err);
    if (format != RS_FORMAT_NPY && st != RESHED_OK) return st;
    switch (format) {
    case RS_FORMAT_IBW: return rs_ibw_image_read_mem(bytes, len, channel, out, err);
    case RS_FORMAT_PNG:
        if (rs_png_is_picture(bytes, len))
            return rs_fail(err, RESHED_EUNSUPPORTED,
                           "a picture that reshed drew|an image or a map (the _walls.h5, .npy or "
                           "session beside it)|colours and bars to look at, no data");
        st = rs_png_read_mem(bytes, len, &im, err);
        break;
    case RS_FORMAT_NPY: st = rs_npy_image_read_mem(bytes, len, frame, &im, err); break;
    case RS_FORMAT_GSF: st = rs_gsf_read_mem(bytes, len, &im, err); break;
    default:
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "kind of the file|" KNOWN "|something else|offset 0");
    }
    if (st != RESHED_OK) return st;
    st = rs_channel_only(im.channel, channel, err);
    if (st != RESHED_OK) {
        rs_image_clear(&im);
        return st;
    }
    *out = im;
    return RESHED_OK;
}

reshed_status rs_image_read_mem(const uint8_t *bytes, size_t len, const char *channel,
                                rs_image *out, reshed_error *err)
{
    return read_bytes(rs_format_of_bytes(bytes, len), bytes, len, channel, RS_FRAME_ONLY, out, err);
}

static reshed_status read_frame(const char *path, const char *channel, int frame, rs_image *out,
                                reshed_error *err)
{
    rs_format format = RS_FORMAT_UNKNOWN;
    reshed_status st = detect(path, &format, err);
    if (st != RESHED_OK) return st;
    if (format == RS_FORMAT_HDF5) { /* read in parts: such a file may be larger than memory */
        rs_nsid_file *f = NULL;
        st = rs_nsid_open(path, &f, err);
        if (st == RESHED_OK) st = rs_nsid_image_read(f, channel, frame, out, err);
        rs_nsid_close(f);
        return st;
    }
    uint8_t *bytes;
    size_t len;
    st = rs_os_read_file(path, FILE_MAX, &bytes, &len, err);
    if (st != RESHED_OK) return st;
    st = read_bytes(format, bytes, len, channel, frame, out, err);
    rs_free(bytes);
    return st;
}

reshed_status rs_image_read(const char *path, const char *channel, rs_image *out, reshed_error *err)
{
    return read_frame(path, channel, RS_FRAME_ONLY, out, err);
}

static reshed_status list_bytes(const char *path, rs_format format, rs_channels *out,
                                reshed_error *err)
{
    uint8_t *bytes;
    size_t len;
    rs_ibw w;
    rs_image im;
    rs_channels list = {0};
    reshed_status st = rs_os_read_file(path, FILE_MAX, &bytes, &len, err);
    if (st != RESHED_OK) return st;
    if (reader_of(format)) {
        st = reader_of(format)->list(bytes, len, out, err);
    } else if (format == RS_FORMAT_IBW) {
        st = rs_ibw_open_mem(bytes, len, &w, err);
        if (st == RESHED_OK) st = rs_ibw_list(&w, out, err);
    } else {
        st = read_bytes(format, bytes, len, NULL, format == RS_FORMAT_NPY ? 0 : RS_FRAME_ONLY, &im,
                        err);
        if (st == RESHED_OK) {
            st = rs_channels_add(&list, im.channel, NULL, err);
            rs_image_clear(&im);
            if (st == RESHED_OK) *out = list;
        }
    }
    rs_free(bytes);
    return st;
}

reshed_status rs_image_list(const char *path, rs_channels *out, reshed_error *err)
{
    rs_format format = RS_FORMAT_UNKNOWN;
    reshed_status st = detect(path, &format, err);
    if (st != RESHED_OK) return st;
    if (format != RS_FORMAT_HDF5) return list_bytes(path, format, out, err);
    rs_nsid_file *f = NULL;
    st = rs_nsid_open(path, &f, err);
    if (st == RESHED_OK) st = rs_nsid_image_list(f, out, err);
    if (st == RESHED_OK && (st = rs_nsid_check(f, st, err)) != RESHED_OK) rs_channels_clear(out);
    rs_nsid_close(f);
    return st;
}

reshed_status rs_image_read_frame(const char *path, const char *channel, rs_quantity quantity,
                                  int frame, rs_image *out, reshed_error *err)
{
    rs_channels list = {0};
    char number[16];
    int index = 0;
    if (channel || quantity == RS_QUANTITY_AMPLITUDE)
        return read_frame(path, channel, frame, out, err);
    reshed_status st = rs_image_list(path, &list, err);
    if (st == RESHED_OK) st = rs_channel_choose(&list, NULL, quantity, &index, err);
    if (st == RESHED_OK) {
        snprintf(number, sizeof number, "%d", index);
        st = read_frame(path, number, frame, out, err);
    }
    if (st == RESHED_OK) rs_channel_note(&list, NULL, quantity, index, out);
    rs_channels_clear(&list);
    return st;
}

reshed_status rs_image_read_quantity(const char *path, const char *channel, rs_quantity quantity,
                                     rs_image *out, reshed_error *err)
{
    return rs_image_read_frame(path, channel, quantity, RS_FRAME_ONLY, out, err);
}

reshed_status rs_image_frames(const char *path, const char *channel, rs_quantity quantity,
                              int *frames, reshed_error *err)
{
    rs_image im = {0};
    const reshed_status st = rs_image_read_frame(path, channel, quantity, 0, &im, err);
    if (st == RESHED_OK) *frames = im.frames > 1 ? im.frames : 1;
    rs_image_clear(&im);
    return st;
}
