/* tiff.h - reads TIFF images (a thin layer over libtiff): 1, 8, 16, 32 and 64 bits, integers and floats. */
#ifndef RS_IO_TIFF_H
#define RS_IO_TIFF_H

#include "io/common/reader.h"

/* Each page is a channel, named by its PageName, else "page 0", ...; "image" when it is the only one. */
extern const rs_reader rs_tiff_reader;

#endif
