/* sxm.h - reads images of Nanonis controllers (.sxm). */
#ifndef RS_IO_INSTRUMENTS_SXM_H
#define RS_IO_INSTRUMENTS_SXM_H

#include "io/common/reader.h"

/* Channels are named "Z forward", "Z backward", ...; "Z" alone finds the forward one. */
extern const rs_reader rs_sxm_reader;

#endif
