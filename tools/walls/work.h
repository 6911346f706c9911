/* work.h - the steps of reshed-walls between reading and reporting. Each is false after a
 * message. */
#ifndef RS_TOOLS_WALLS_WORK_H
#define RS_TOOLS_WALLS_WORK_H

#include "tools/walls/job.h"

/* Mask, skeleton, walls and their families. */
bool walls_make_graph(walls_job *job);
/* Points, their order, and the length of the tour. */
bool walls_make_points(walls_job *job);

/* Write what the request names. */
bool walls_write_skeleton(const walls_job *job);
bool walls_write_picture(const walls_job *job);

#endif
