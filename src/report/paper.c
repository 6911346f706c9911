/* Figures that the page shows as pictures of pixels, made anew for papers. */
#include <string.h>

#include "base/numeric.h"
#include "report/map_figures.h"
#include "report/maps.h"
#include "report/sections.h"

static rs_mapped mapped(const rs_report_data *d)
{
    rs_mapped m = {.height = d->rows, .width = d->cols, .dx = d->dx, .dy = d->dy};
    m.image = d->has_map[RS_SESSION_AMPLITUDE] ? d->map[RS_SESSION_AMPLITUDE] : NULL;
    m.wall = d->map[RS_SESSION_MEAN];
    m.variance = d->has_map[RS_SESSION_VARIANCE] ? d->map[RS_SESSION_VARIANCE] : NULL;
    m.channel = "Amplitude";
    m.unit = rs_report_amplitude_unit(d);
    return m;
}

static void put_channels(rs_page *p, const rs_report_data *d)
{
    static const struct {
        rs_session_map map;
        const char *title, *name, *unit;
        rs_colour_map colours;
    } channel[] = {{RS_SESSION_AMPLITUDE, "Amplitude", "Amplitude", NULL, RS_MAP_GREY},
                   {RS_SESSION_PHASE, "Phase", "Phase", "rad", RS_MAP_CYCLIC},
                   {RS_SESSION_FREQUENCY, "Resonance", "Frequency", "Hz", RS_MAP_VIRIDIS}};
    const rs_mapped frame = mapped(d);
    rs_figure *f = NULL;
    reshed_error err = {0};
    int n = 0, column = 0;
    for (size_t i = 0; i < sizeof channel / sizeof *channel; i++) n += d->has_map[channel[i].map];
    if (n == 0) return;
    const reshed_status st = rs_mapped_create(&frame, n, &f, &err);
    rs_page_fail(p, st, &err);
    for (size_t i = 0; st == RESHED_OK && i < sizeof channel / sizeof *channel; i++) {
        rs_colour_scale scale = {.map = channel[i].colours,
                                 .name = channel[i].name,
                                 .unit = channel[i].unit ? channel[i].unit : frame.unit};
        if (!d->has_map[channel[i].map]) continue;
        if (channel[i].map == RS_SESSION_PHASE) scale.lo = -RS_PI, scale.hi = RS_PI;
        rs_mapped_put(rs_figure_panel(f, 0, column++, 1, 1), &frame, d->map[channel[i].map],
                      channel[i].title, &scale);
    }
    if (st == RESHED_OK) rs_page_figure(p, f, RS_PAGE_SVG, 0, "Channels of the scan");
}

void rs_report_map_figures(rs_page *p, const rs_report_data *d)
{
    rs_figure *f = NULL;
    reshed_error err = {0};
    put_channels(p, d);
    if (!rs_page_sound(p) || !d->has_map[RS_SESSION_MEAN]) return;
    const rs_mapped frame = mapped(d);
    const reshed_status st = rs_mapped_figure(&frame, &f, &err);
    rs_page_fail(p, st, &err);
    if (st == RESHED_OK)
        rs_page_figure(p, f, RS_PAGE_SVG, 0,
                       "Amplitude, wall probability (mean of the ensemble) and its standard "
                       "deviation over the ensemble");
}
