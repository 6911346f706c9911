#include "report/report.h"

#include <stdio.h>

#include "report/page.h"
#include "report/part.h"

reshed_status scan_report_write(rs_session *s, const char *path, reshed_error *err)
{
    scan_data d = {0};
    scan_page page = {0};
    char title[256];
    reshed_status st = scan_data_read(s, &d, err);
    if (st == RESHED_OK) {
        const char *sample = d.setup->sample && *d.setup->sample ? d.setup->sample : "scan";
        snprintf(title, sizeof title, "%.200s - reshed report", sample);
        scan_page_open(&page, title);
        scan_report_head(&page, &d);
        scan_report_channels(&page, &d);
        scan_report_prediction(&page, &d);
        scan_report_points(&page, &d);
        scan_report_loops(&page, &d);
        scan_report_walls(&page, &d);
        scan_report_log(&page, &d);
        scan_page_close(&page);
        st = scan_page_save(&page, path, err);
    }
    scan_page_clear(&page);
    scan_data_clear(&d);
    return st;
}
