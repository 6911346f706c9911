/* bruker.h - reads images of Bruker's NanoScope (.spm, .000, .001, ...). */
#ifndef RS_IO_INSTRUMENTS_BRUKER_H
#define RS_IO_INSTRUMENTS_BRUKER_H

#include "io/common/reader.h"

/* Channels are named "Height Retrace", ...; a plain "Height" finds the first of them. */
extern const rs_reader rs_bruker_reader;

#endif
