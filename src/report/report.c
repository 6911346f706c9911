#include "report/report.h"

#include <stdio.h>

#include "report/sections.h"

static void (*const section[])(rs_page *p, const rs_report_data *d) = {
    rs_report_head,    rs_report_channels, rs_report_prediction, rs_report_points,
    rs_report_loops,   rs_report_walls,    rs_report_drift,      rs_report_events,
    rs_report_timings, rs_report_settings};

reshed_status rs_report_write(rs_session *s, const char *path, reshed_error *err)
{
    rs_report_data d = {0};
    rs_page page = {0};
    char title[256];
    reshed_status st = rs_report_data_read(s, &d, err);
    if (st == RESHED_OK) {
        const char *sample = d.setup->sample && *d.setup->sample ? d.setup->sample : "scan";
        snprintf(title, sizeof title, "%.200s - reshed report", sample);
        rs_page_open(&page, title);
        for (size_t i = 0; i < sizeof section / sizeof *section; i++) section[i](&page, &d);
        rs_page_close(&page);
        st = rs_page_save(&page, path, err);
    }
    rs_page_clear(&page);
    rs_report_data_clear(&d);
    return st;
}
