/* iso28600.h - images as the text that ISO 28600 lays down: 128 lines of header, then one number after the
 * other. What Gwyddion and the instrument makers' programs exchange.
 *
 *     const rs_iso28600_map maps[] = {{"Amplitude", "V", amplitude}, {"Wall probability", "", mean}};
 *     const rs_iso28600_content c = {.height = h, .width = w, .dx = dx, .dy = dy, .maps = maps, .n = 2};
 *     st = rs_iso28600_write("scan.spm", &c, err); */
#ifndef RS_IO_INSTRUMENTS_ISO28600_H
#define RS_IO_INSTRUMENTS_ISO28600_H

#include "io/common/reader.h"

/* Regular mappings of one channel (MAP_SC) or of up to eight (MAP_MC); spectra are refused. */
extern const rs_reader rs_iso28600_reader;

#define RS_ISO28600_MAPS 8

typedef struct rs_iso28600_map {
    const char *title, *unit; /* "" for none; what is not ASCII is written as "?", "°" as "deg" */
    const float *data; /* [height,width], row 0 at the top. The format knows no NaN: such pixels are
                           the mean of the others, and counted in the comment */
} rs_iso28600_map;

typedef struct rs_iso28600_content {
    int height, width;
    double dx, dy, x0, y0, angle; /* as in rs_image; dx or dy 0: unknown, lengths are then pixels */
    const rs_iso28600_map *maps;
    int n; /* 1 to RS_ISO28600_MAPS */
} rs_iso28600_content;

/* Numbers have the nine digits that give the same float back. Errors: RESHED_EINVAL (sizes, maps),
 * RESHED_ENOMEM, RESHED_EIO. */
reshed_status rs_iso28600_write(const char *path, const rs_iso28600_content *c, reshed_error *err);

#endif
