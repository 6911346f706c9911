/* work.h - the steps of reshed-walls between reading and reporting. Each returns false after a
 * message. */
#ifndef RS_TOOLS_WALLS_WORK_H
#define RS_TOOLS_WALLS_WORK_H

#include "tools/walls/job.h"

/* Walls, points in their order, and the length of the tour. */
bool walls_find(walls_job *job);

/* Write what the request names. */
bool walls_write_skeleton(const walls_job *job);
bool walls_write_picture(const walls_job *job);
/* The figure of --figure. */
bool walls_write_figure(const walls_job *job);

#endif
