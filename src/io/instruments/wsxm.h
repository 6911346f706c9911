/* wsxm.h - reads images of WSxM (.stp, .top, .tom, ...). */
#ifndef RS_IO_INSTRUMENTS_WSXM_H
#define RS_IO_INSTRUMENTS_WSXM_H

#include "io/common/reader.h"

/* One channel, named as it was acquired ("Topography"). */
extern const rs_reader rs_wsxm_reader;

#endif
