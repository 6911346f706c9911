/* wall_tests.h - tests of a metric with the wall as the unit, as all programs give them in --json. */
#ifndef RS_TOOLS_CLI_WALL_TESTS_H
#define RS_TOOLS_CLI_WALL_TESTS_H

#include "base/json.h"
#include "imgproc/walls/tests.h"

/* Adds the tests to the open object, as "stats". */
void cli_wall_tests_json(rs_json *j, const char *metric, const rs_wall_tests *tests);

#endif
