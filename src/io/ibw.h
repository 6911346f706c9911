/* ibw.h - Igor Binary Wave files, version 5: what Asylum Research microscopes save. */
#ifndef RS_IO_IBW_H
#define RS_IO_IBW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/image.h"
#include "io/common/channel.h"

/* A wave in memory: its header, and where its parts lie in bytes, which is borrowed and must
 * outlive it. Nothing to free. */
typedef struct rs_ibw {
    const uint8_t *bytes;
    size_t len;
    bool big_endian;
    int16_t version, checksum;
    int type;         /* 1 complex, 2 float32, 4 float64, 8/16/32/128 integers, 64 unsigned */
    size_t wave_size; /* the field wfmSize: wave header and data */
    uint32_t created, modified; /* seconds since 1904-01-01, local time */
    char name[64];
    uint32_t dims[4]; /* the first 0 ends them */
    double delta[4], start[4];
    char unit[32], dim_unit[4][32];
    size_t data, note, note_size, labels[4], labels_size[4]; /* offsets and sizes in bytes */
} rs_ibw;

/* Reads the header, with its checksum, and finds the parts; every size is checked against len.
 * RESHED_EUNSUPPORTED for other versions of the format. */
reshed_status rs_ibw_open_mem(const uint8_t *bytes, size_t len, rs_ibw *out, reshed_error *err);

/* The number after "key:" in the wave's note ("ScanSize: 5e-06"); false when there is none. */
bool rs_ibw_note_number(const rs_ibw *w, const char *key, double *out);

/* Returns whether bytes [n], the start of a file of at least 384 bytes, are those of such a wave. */
bool rs_ibw_is(const uint8_t *bytes, size_t n);

/* The columns of a spectroscopy wave, [samples, columns] or [samples, columns, points], as channels
 * (rs_channels_clear), and the values of one of them, out [dims[0]]; column < dims[1], point < dims[2]
 * or 0. Any wave of two or three dimensions of real numbers; else RESHED_EUNSUPPORTED. */
reshed_status rs_ibw_columns(const rs_ibw *w, rs_channels *out, reshed_error *err);
reshed_status rs_ibw_column(const rs_ibw *w, uint32_t column, uint32_t point, double *out,
                            reshed_error *err);

/* The layers of a two- or three-dimensional wave as channels (rs_channels_clear). Layers without a
 * label are called "layer 0", ... */
reshed_status rs_ibw_list(const rs_ibw *w, rs_channels *out, reshed_error *err);

/* One layer as an image (rs_image_clear). Dimension 0 is x and dimension 1 is y upwards, as Igor
 * draws images and Asylum stores frames; a negative delta turns it round. dx and dy are the deltas
 * (Asylum: scan size over points - 1), else from the note; x0 and y0 are the note's XOffset and
 * YOffset, else the middle of the scale. The wave of an Asylum file has one unit, "m", for all its
 * channels: phases are given "deg", frequencies "Hz", currents "A", user inputs "V". Complex, text,
 * one- and four-dimensional waves are RESHED_EUNSUPPORTED, and so is spectroscopy: values over time,
 * or in columns that have names. */
reshed_status rs_ibw_image(const rs_ibw *w, const char *channel, rs_image *out, reshed_error *err);

reshed_status rs_ibw_image_read_mem(const uint8_t *bytes, size_t len, const char *channel,
                                    rs_image *out, reshed_error *err);

#endif
