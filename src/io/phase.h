/* phase.h - the phase that belongs to an amplitude image: of the same file, in radians. */
#ifndef RS_IO_PHASE_H
#define RS_IO_PHASE_H

#include "base/image.h"
#include "io/common/stack.h"

/* Reads the phase of path into *out (rs_image_clear). wanted: its channel, as rs_channel_find takes
 * it; NULL: the one named like `amplitude` but for the quantity ("NapAmplitudeRetrace",
 * "NapPhaseRetrace"), else the first phase of the file, and only when `amplitude` (may be "") is
 * no other quantity than an amplitude. With NULL, a file that has none is no error: out->data is
 * then NULL. Values in degrees become radians; without a unit they are degrees when they reach
 * beyond two turns of radians. frame: as rs_image_read_frame has
 * it. Errors: those of rs_image_read. */
reshed_status rs_phase_read(const char *path, const char *wanted, const char *amplitude, int frame,
                            rs_image *out, reshed_error *err);

#endif
