/* device.h - the points as the file that an instrument's program loads. */
#ifndef RS_TOOLS_WALLS_DEVICE_H
#define RS_TOOLS_WALLS_DEVICE_H

#include "tools/walls/job.h"

/* Writes the file that --device names, if it does; says why not, and returns false. */
bool walls_write_device(const walls_job *job);

#endif
