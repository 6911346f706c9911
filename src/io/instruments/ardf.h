/* ardf.h - reads the images of Asylum Research's data files (.ardf). */
#ifndef RS_IO_INSTRUMENTS_ARDF_H
#define RS_IO_INSTRUMENTS_ARDF_H

#include <stdbool.h>

#include "io/common/reader.h"

/* head[n] begins an ARDF file. */
bool rs_ardf_is(const uint8_t *head, size_t n);

/* The images, named as in the file ("Amplitude1Trace", ...). Maps of force curves are none. */
extern const rs_reader rs_ardf_reader;

#endif
