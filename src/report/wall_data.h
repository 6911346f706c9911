/* wall_data.h - the walls of a session, found as its scan found them, and its first metric tested on
 * them. Private to this room. */
#ifndef RS_REPORT_WALL_DATA_H
#define RS_REPORT_WALL_DATA_H

#include "imgproc/walls/find.h"
#include "imgproc/walls/tests.h"
#include "report/data.h"
#include "report/page.h"

typedef struct rs_report_walls_data {
    const rs_report_data *d;
    rs_report_role role; /* the first that the session has; RS_REPORT_ROLES: none */
    rs_grid grid;
    bool sized; /* the grid is in metres */
    bool
        recorded; /* the walls are those of the recorded skeleton, which the recipe does not give */
    rs_found found;
    rs_wall_tests stats;
} rs_report_walls_data;

/* *w is to be cleared also after a failure. The session has a skeleton. */
reshed_status rs_report_walls_take(const rs_report_data *d, rs_report_walls_data *w,
                                   reshed_error *err);
void rs_report_walls_clear(rs_report_walls_data *w);
/* What the tests say: findings.c. */
void rs_report_findings(rs_page *page, const rs_report_walls_data *w);

#endif
