/* pick.h - the loop of the point that is pointed at. Private to this room. */
#ifndef RS_REPORT_PICK_H
#define RS_REPORT_PICK_H

#include "report/data.h"
#include "report/page.h"

/* Adds the picture with its points; nothing where there are no loops, or too many for one page. */
void rs_report_pick(rs_page *p, const rs_report_data *d);

#endif
