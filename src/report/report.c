#include "report/report.h"

#include <stdio.h>

#include "base/os.h"
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

reshed_status rs_report_write_figures(rs_session *s, const char *folder, const char *ending,
                                      const rs_paper *paper, int *count, reshed_error *err)
{
    static void (*const figures[])(rs_page * p, const rs_report_data *d) = {
        rs_report_map_figures, rs_report_loops, rs_report_walls, rs_report_timings};
    rs_report_data d = {0};
    rs_page captions = {0};
    rs_page_export export = {
        .folder = folder, .ending = ending, .paper = paper, .captions = &captions};
    rs_page page = {.export = &export};
    char path[4096];
    *count = 0;
    reshed_status st = rs_report_data_read(s, &d, err);
    if (st == RESHED_OK) st = rs_os_make_folder(folder, err);
    if (st == RESHED_OK &&
        snprintf(path, sizeof path, "%s/captions.txt", folder) >= (int)sizeof path)
        st = rs_fail(err, RESHED_EINVAL, "path|less than %zu bytes|longer", sizeof path);
    if (st == RESHED_OK) {
        for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) figures[i](&page, &d);
        rs_page_fail(&captions, page.failure.status, &page.failure);
        st = rs_page_save(&captions, path, err);
        *count = export.count;
    }
    rs_page_clear(&page);
    rs_page_clear(&captions);
    rs_report_data_clear(&d);
    return st;
}
