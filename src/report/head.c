#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/numeric.h"

static bool given(const char *s)
{
    return s && *s;
}

static void item(rs_page *p, const char *name, const char *text)
{
    if (!given(text)) return;
    rs_page_format(p, "<dt>%s</dt><dd>", name);
    rs_page_text(p, text);
    rs_page_raw(p, "</dd>\n");
}

static void item_begin(rs_page *p, const char *name)
{
    rs_page_format(p, "<dt>%s</dt><dd>", name);
}

static void item_end(rs_page *p)
{
    rs_page_raw(p, "</dd>\n");
}

static void frame_items(rs_page *p, const rs_report_data *d)
{
    const rs_frame *f = &d->setup->frame;
    item_begin(p, "Frame");
    rs_page_format(p, "%.4g &#215; %.4g &#181;m, ", f->width * 1e6, f->height * 1e6);
    rs_page_format(p, "%d &#215; %d pixels", f->cols, f->rows);
    if (d->dx > 0) {
        rs_page_raw(p, " of ");
        rs_page_quantity(p, d->dx, 3, "m");
        if (fabs(d->dy - d->dx) > 1e-3 * d->dx) {
            rs_page_raw(p, " &#215; ");
            rs_page_quantity(p, d->dy, 3, "m");
        }
    }
    item_end(p);
    item_begin(p, "Place");
    rs_page_format(p, "centre (%.4g, %.4g) &#181;m, turned by %.3g&#176;, scanned %s", f->cx * 1e6,
                   f->cy * 1e6, f->angle * RS_RADIAN, f->upward ? "upwards" : "downwards");
    if (f->line_rate > 0) rs_page_format(p, ", line rate %.3g Hz", f->line_rate);
    item_end(p);
}

static void instrument_items(rs_page *p, const rs_report_data *d)
{
    const rs_session_setup *s = d->setup;
    item_begin(p, "Instrument");
    rs_page_text(p, s->caps.instrument);
    if (given(s->driver)) {
        rs_page_raw(p, " (driver ");
        rs_page_text(p, s->driver);
        rs_page_raw(p, ")");
    }
    if (s->caps.simulated) rs_page_raw(p, ", simulated");
    item_end(p);
    if (s->caps.bins > 0) {
        item_begin(p, "Band excitation");
        rs_page_format(p, "%d bins, ", s->caps.bins);
        rs_page_quantity(p, s->be.centre, 4, "Hz");
        rs_page_raw(p, " &#177; ");
        rs_page_quantity(p, s->be.band / 2, 3, "Hz");
        rs_page_raw(p, ", ");
        rs_page_quantity(p, s->be.amplitude, 3, "V");
        item_end(p);
    }
    if (s->spectroscopy.steps > 0) {
        double lo = INFINITY, hi = -INFINITY;
        for (int i = 0; i < s->spectroscopy.steps; i++) {
            lo = fmin(lo, s->spectroscopy.voltage[i]);
            hi = fmax(hi, s->spectroscopy.voltage[i]);
        }
        item_begin(p, "Spectroscopy");
        const int period = d->steps > 0 ? d->steps : s->spectroscopy.steps;
        const int cycles = s->spectroscopy.steps / period;
        rs_page_format(p, "%d cycle%s of %d steps from %.3g to %.3g V, dwell ", cycles,
                       cycles == 1 ? "" : "s", period, lo, hi);
        rs_page_quantity(p, s->spectroscopy.dwell, 3, "s");
        rs_page_raw(p, ", settling ");
        rs_page_quantity(p, s->spectroscopy.settle, 3, "s");
        if (s->spectroscopy.off_field) {
            rs_page_raw(p, ", read on and off field (at ");
            rs_page_quantity(p, s->spectroscopy.read_bias, 3, "V");
            rs_page_raw(p, ")");
        } else {
            rs_page_raw(p, ", read on field");
        }
        if (d->first) rs_page_raw(p, "; the first cycle is left out");
        item_end(p);
    }
}

static void network_items(rs_page *p, const rs_report_data *d)
{
    const rs_session_setup *s = d->setup;
    if (given(s->weights) || given(s->weights_sha256)) {
        item_begin(p, "Weights");
        rs_page_text(p, given(s->weights) ? s->weights : "");
        if (given(s->weights_sha256)) {
            rs_page_raw(p, "<br><code>SHA-256 ");
            rs_page_text(p, s->weights_sha256);
            rs_page_raw(p, "</code>");
        }
        item_end(p);
    }
    item(p, "Normalisation", s->norm);
}

/* Adds " (rows 7, 20, 21)" for the rows that are lost, or have an alarm: the first dozen. */
static void row_list(rs_page *p, const rs_report_data *d, bool lost)
{
    int n = 0, total = 0;
    for (int r = 0; r < d->rows; r++) {
        if (lost ? d->arrival[r].state != RS_SESSION_LOST : !(d->processed[r].alarm > 0)) continue;
        total++;
        if (n < 12) rs_page_format(p, "%s%d", n ? ", " : " (rows ", r);
        n++;
    }
    if (n) rs_page_raw(p, total > 12 ? ", ...)" : ")");
}

static void progress_items(rs_page *p, const rs_report_data *d)
{
    const rs_session_progress *g = &d->progress;
    item_begin(p, "Lines");
    rs_page_format(p, "%d of %d", g->lines, d->rows);
    item_end(p);
    item_begin(p, "Lost lines");
    rs_page_format(p, "%d", g->lost);
    row_list(p, d, true);
    item_end(p);
    item_begin(p, "Points");
    rs_page_format(p, "%d, %d measured", g->points, g->measured);
    if (d->of_state[RS_SESSION_POINT_LOST])
        rs_page_format(p, ", %d lost", d->of_state[RS_SESSION_POINT_LOST]);
    if (d->of_state[RS_SESSION_SKIPPED])
        rs_page_format(p, ", %d skipped", d->of_state[RS_SESSION_SKIPPED]);
    if (d->of_state[RS_SESSION_PENDING])
        rs_page_format(p, ", %d pending", d->of_state[RS_SESSION_PENDING]);
    if (g->references) rs_page_format(p, "; %d reference loops", g->references);
    item_end(p);
    item_begin(p, "Alarms");
    rs_page_format(p, "%d", d->alarms);
    row_list(p, d, false);
    item_end(p);
}

void rs_report_head(rs_page *p, const rs_report_data *d)
{
    const rs_session_setup *s = d->setup;
    const rs_session_progress *g = &d->progress;
    rs_page_raw(p, "<h1>");
    rs_page_text(p, given(s->sample) ? s->sample : "Scan");
    if (given(s->region)) {
        rs_page_raw(p, ", region ");
        rs_page_text(p, s->region);
    }
    rs_page_raw(p, "</h1>\n<p class=\"lead\">Domain walls found while scanning, and hysteresis "
                   "measured on them. Report by reshed " RESHED_VERSION ".</p>\n");
    bool open = g->first_missing < d->rows || g->first_pending < g->points;
    if (!g->complete && open) {
        rs_page_raw(p, "<p class=\"note\">");
        rs_page_raw(p, g->live ? "This session is being recorded: the report shows it as it was "
                                 "when the report was made."
                               : "This session is not finished: the report shows what there is.");
        rs_page_format(p, " %d of %d lines, %d of %d points.</p>\n", g->lines, d->rows, g->measured,
                       g->points);
    }
    rs_page_raw(p, "<dl>\n");
    item(p, "Start", s->start_time);
    item(p, "Operator", s->operator_name);
    instrument_items(p, d);
    frame_items(p, d);
    network_items(p, d);
    progress_items(p, d);
    item(p, "Recorded by", s->program);
    rs_page_raw(p, "</dl>\n");
}
