/* gwy.h - the maps for Gwyddion and other programs. */
#ifndef RS_TOOLS_WALLS_GWY_H
#define RS_TOOLS_WALLS_GWY_H

#include "tools/walls/job.h"

/* The maps with the skeleton as their mask, the points as a selection, and of a session the loops that it
 * has measured. false after an error message. */
bool walls_write_gwy(const walls_job *job);

/* The skeleton alone as a simple field of Gwyddion's, and the maps with it as text after ISO 28600; false after an
 * error message. */
bool walls_write_exchange(const walls_job *job);

#endif
