#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "report/maps.h"
#include "report/sections.h"

enum { MANY_POINTS = 120 }; /* from here on only every fifth or tenth has its number */

/* Adds an entry to the legend, drawn like the marks of the picture. */
static void put_key(rs_page *p, rs_session_point_state state, int n)
{
    unsigned colour = (unsigned)rs_report_state_colour(state);
    if (!n) return;
    rs_page_raw(p, "<span><svg width=\"14\" height=\"14\" viewBox=\"0 0 14 14\">");
    if (state == RS_SESSION_MEASURED)
        rs_page_format(p, "<circle cx=\"7\" cy=\"7\" r=\"5\" fill=\"#%06x\" stroke=\"#000\"/>",
                       colour);
    else if (state == RS_SESSION_POINT_LOST)
        for (int i = 0; i < 2; i++)
            rs_page_format(p,
                           "<path d=\"M3 3L11 11M3 11L11 3\" stroke=\"#%06x\" "
                           "stroke-width=\"%d\" stroke-linecap=\"round\"/>",
                           i ? colour : 0, i ? 2 : 4);
    else
        for (int i = 0; i < 2; i++)
            rs_page_format(p,
                           "<circle cx=\"7\" cy=\"7\" r=\"4.5\" fill=\"none\" "
                           "stroke=\"#%06x\" stroke-width=\"%d\"/>",
                           i ? colour : 0, i ? 2 : 4);
    rs_page_format(p, "</svg>%s (%d)</span>", rs_report_state_name(state), n);
}

/* The way from point to point. */
static reshed_status route(const rs_report_data *d, rs_segments *out, reshed_error *err)
{
    int n = d->progress.points;
    rs_segments s = {.x = rs_alloc(2 * (size_t)n, sizeof *s.x),
                     .y = rs_alloc(2 * (size_t)n, sizeof *s.y)};
    if (!s.x || !s.y) {
        rs_segments_clear(&s);
        return rs_fail_nomem(err, "a route", 4 * (size_t)n * sizeof *s.x);
    }
    for (int i = 0; i + 1 < n; i++)
        for (int k = 0; k < 2; k++) {
            s.x[2 * i + k] = d->point[i + k].col;
            s.y[2 * i + k] = d->point[i + k].row;
            s.n = i + 1;
        }
    *out = s;
    return RESHED_OK;
}

static void put_points(rs_page *p, const rs_report_data *d)
{
    int n = d->progress.points, each = n < MANY_POINTS ? 1 : n < 4 * MANY_POINTS ? 5 : 10;
    rs_report_marks marks = {0};
    rs_segments way = {0};
    reshed_error err = {0};
    reshed_status st = rs_report_marks_take(d->point, n, n < MANY_POINTS ? 15 : 11, &marks, &err);
    if (st == RESHED_OK) st = route(d, &way, &err);
    rs_page_fail(p, st, &err);
    if (st == RESHED_OK) {
        char caption[160];
        rs_render_layer layer[RS_REPORT_STATES + 1] = {{.shape = RS_RENDER_SEGMENTS,
                                                        .x = way.x,
                                                        .y = way.y,
                                                        .n = 2 * way.n,
                                                        .colour = 0xffffff,
                                                        .size = 1.5}};
        for (int i = 0; i < n; i++)
            if (marks.number[i] != 1 && marks.number[i] % each) marks.number[i] = 0;
        memcpy(layer + 1, marks.layer, (size_t)marks.layers * sizeof *layer);
        snprintf(caption, sizeof caption,
                 "Points over the amplitude, %s in the order of measurement (white line)",
                 each == 1   ? "numbered"
                 : each == 5 ? "every fifth numbered"
                             : "every tenth numbered");
        rs_report_overlay(p, d, layer, marks.layers + 1, RS_REPORT_LARGE, caption);
    }
    rs_report_marks_clear(&marks);
    rs_segments_clear(&way);
}

void rs_report_points(rs_page *p, const rs_report_data *d)
{
    rs_page_raw(p, "<h2>Points</h2>\n");
    if (d->progress.points == 0) {
        rs_page_raw(p, d->setup->spectroscopy.steps > 0
                           ? "<p class=\"none\">No points have been chosen yet.</p>\n"
                           : "<p class=\"none\">No points: this session has no "
                             "spectroscopy.</p>\n");
        return;
    }
    if (rs_page_sound(p)) put_points(p, d);
    rs_page_raw(p, "<p class=\"key\">");
    for (int s = 0; s < RS_REPORT_STATES; s++)
        put_key(p, (rs_session_point_state)s, d->of_state[s]);
    rs_page_raw(p, "</p>\n");
    rs_report_pick(p, d);
}
