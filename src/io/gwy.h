/* gwy.h - reads the channels of Gwyddion's own files (.gwy), and their masks. */
#ifndef RS_IO_GWY_H
#define RS_IO_GWY_H

#include "io/common/reader.h"

/* Channels have their titles, a mask the title of its channel and " mask"; in the order of Gwyddion's
 * numbers. */
extern const rs_reader rs_gwy_reader;

#endif
