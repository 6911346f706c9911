/* tables.h - the tables of reshed-walls. Lengths are in metres, or in pixels when the pixel
 * size is unknown; the headings say which. */
#ifndef RS_TOOLS_WALLS_TABLES_H
#define RS_TOOLS_WALLS_TABLES_H

#include "tools/walls/job.h"

/* Writes the tables that the request names. false after a message. */
bool walls_write_tables(const walls_job *job);

#endif
