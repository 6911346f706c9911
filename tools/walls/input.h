/* input.h - reads the maps of reshed-walls. */
#ifndef RS_TOOLS_WALLS_INPUT_H
#define RS_TOOLS_WALLS_INPUT_H

#include "tools/walls/job.h"

/* Fills grid, coords and the maps of the job from the files of its request. Returns false after a
 * message. */
bool walls_read_input(walls_job *job);

/* Opens the map's session when it is one, and takes what was not typed of the request from it.
 * Returns false after a message. */
bool walls_open_session(walls_job *job, walls_request *request);

#endif
