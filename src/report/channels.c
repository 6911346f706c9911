#include "base/numeric.h"
#include "report/maps.h"
#include "report/sections.h"

void rs_report_channels(rs_page *p, const rs_report_data *d)
{
    static const struct {
        rs_session_map map;
        const char *name, *unit, *caption;
        rs_colour_map colours;
    } channel[] = {
        {RS_SESSION_AMPLITUDE, "amplitude", NULL, "Amplitude", RS_MAP_GREY},
        {RS_SESSION_FREQUENCY, "resonance frequency", "Hz", "Resonance frequency", RS_MAP_VIRIDIS},
        {RS_SESSION_Q, "Q", "", "Quality factor", RS_MAP_VIRIDIS},
        {RS_SESSION_PHASE, "phase", "rad", "Phase", RS_MAP_CYCLIC},
    };
    rs_report_fresh marks = {0};
    int shown = 0;
    rs_page_raw(p, "<h2>Channels</h2>\n");
    rs_report_fresh_take(p, d, &marks);
    const rs_render_options o = rs_report_map_options(d, &marks.layer, 1);
    for (size_t i = 0; rs_page_sound(p) && i < sizeof channel / sizeof *channel; i++) {
        rs_session_map map = channel[i].map;
        double lo = -RS_PI, hi = RS_PI;
        if (!d->has_map[map]) continue;
        if (map != RS_SESSION_PHASE && !rs_report_map_range(p, d, map, &lo, &hi)) break;
        if (!shown++) rs_page_raw(p, "<div class=\"row\">\n");
        rs_report_map(p, d, map, lo, hi, channel[i].colours, channel[i].name,
                      channel[i].unit ? channel[i].unit : rs_report_amplitude_unit(d), &o,
                      channel[i].caption);
    }
    if (shown)
        rs_page_raw(p, "</div>\n<p>Colours span the percentiles 0.5 to 99.5 of the map. Grey: "
                       "not measured.</p>\n");
    else
        rs_page_raw(p, "<p class=\"none\">No line has been processed yet.</p>\n");
    rs_segments_clear(&marks.rows);
}
