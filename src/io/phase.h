/* phase.h - the phase that belongs to an amplitude image: of the same file, in radians. */
#ifndef RS_IO_PHASE_H
#define RS_IO_PHASE_H

#include "base/image.h"
#include "io/common/stack.h"

/* Reads the phase of path into *out (rs_image_clear). wanted: its channel, as rs_channel_find takes
 * it; NULL: the one named like `amplitude` but for the quantity ("NapAmplitudeRetrace",
 * "NapPhaseRetrace"; "Amp2", "Pha2"; blanks and underscores do not count), else the only phase of the
 * file unless its number is another, and only when `amplitude` (may be "") is no other quantity than an
 * amplitude. With NULL, a file that has none is no error: out->data is then NULL. The values become
 * radians (rs_phase_to_radians). frame: as rs_image_read_frame has it; a phase of one image stands for
 * every frame. Errors: those of rs_image_read. */
reshed_status rs_phase_read(const char *path, const char *wanted, const char *amplitude, int frame,
                            rs_image *out, reshed_error *err);

/* Turns the values of a phase to radians: from degrees or radians where its unit is one, in any letter
 * case; else they are degrees when they reach beyond two turns of radians, which is noted. */
void rs_phase_to_radians(rs_image *im);

#endif
