/* options.h - the command line of reshed-walls. */
#ifndef RS_TOOLS_WALLS_OPTIONS_H
#define RS_TOOLS_WALLS_OPTIONS_H

#include "tools/walls/job.h"

void walls_request_defaults(walls_request *request);

/* Fills *request, whose texts point into argv. -1: go on; else the exit status. */
int walls_parse(const cli_program *program, int argc, char **argv, walls_request *request);

/* Takes from the recipe of a session what was not typed. */
void walls_take_recipe(walls_request *request, const rs_find_options *recipe);

#endif
