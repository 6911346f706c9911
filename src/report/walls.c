#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/figures/plot.h"
#include "imgproc/walls/family.h"
#include "report/map_figures.h"
#include "report/maps.h"
#include "report/sections.h"
#include "report/wall_data.h"

enum { TABLE_ROWS = 60, NUMBERED = 40 };

typedef rs_report_walls_data wall_part;

static const char *length_unit(const wall_part *w)
{
    return w->sized ? "m" : "px";
}

/* -------------------------------------------------------------------------------------- picture */
/* Adds a picture of the walls, with numbers on the longest. */
static void put_map(rs_page *page, const wall_part *w)
{
    const rs_report_data *d = w->d;
    const rs_wallgraph *g = &w->found.graph;
    rs_segments s = {0};
    double *x = NULL;
    int *number = NULL;
    reshed_error err = {0};
    int n = g->walls < NUMBERED ? g->walls : NUMBERED;
    reshed_status st = rs_skeleton_segments(g->skeleton, d->rows, d->cols, &s, &err);
    if (st != RESHED_OK) goto done;
    x = rs_alloc((size_t)n, 2 * sizeof *x);
    number = rs_alloc((size_t)n, sizeof *number);
    if (!x || !number) {
        st = rs_fail_nomem(&err, "numbers of walls", (size_t)n * 20);
        goto done;
    }
    for (int i = 0; i < n; i++) {
        const rs_wall_line *l = &g->wall[i].line;
        rs_pixel at = g->pixel[l->first + l->count / 2];
        x[i] = at.col;
        x[n + i] = at.row;
        number[i] = i + 1;
    }
    const rs_render_layer layer[] = {{.shape = RS_RENDER_SEGMENTS,
                                      .x = s.x,
                                      .y = s.y,
                                      .n = 2 * s.n,
                                      .colour = RS_REPORT_SKELETON_COLOUR,
                                      .size = 2},
                                     {.shape = RS_RENDER_DISCS,
                                      .x = x,
                                      .y = x + n,
                                      .n = n,
                                      .colour = 0xffffff,
                                      .rim = 0,
                                      .size = 6,
                                      .rim_width = 1,
                                      .number = number}};
    rs_report_overlay(page, d, layer, 2, RS_REPORT_SMALL,
                      n < g->walls ? "The longest walls by their numbers in the table"
                                   : "Walls by their numbers in the table");
done:
    rs_page_fail(page, st, &err);
    rs_segments_clear(&s);
    rs_free(x);
    rs_free(number);
}

/* ---------------------------------------------------------------------------------------- table */
static void put_table(rs_page *page, const wall_part *w)
{
    const rs_wallgraph *g = &w->found.graph;
    const rs_wall_tests *s = &w->stats;
    const char *unit = w->role < RS_REPORT_ROLES ? rs_report_unit(w->d, w->role) : "";
    bool measured = s->measured > 0;
    int rows = measured ? s->measured : g->walls, shown = rows < TABLE_ROWS ? rows : TABLE_ROWS;
    rs_page_raw(page, "<table><tr><th>Wall</th><th>Length</th><th>Direction</th><th>Family</th>");
    if (measured)
        rs_page_format(page, "<th>Points</th><th>%s, mean &#177; sd</th>",
                       rs_report_role_name(w->role));
    rs_page_raw(page, "</tr>\n");
    for (int i = 0; i < shown; i++) {
        const rs_wall *wall = &g->wall[measured ? s->wall[i].wall : i];
        rs_page_format(page, "<tr><td>%d</td><td>", (measured ? s->wall[i].wall : i) + 1);
        rs_page_quantity(page, wall->line.length, 3, length_unit(w));
        if (isfinite(wall->line.orientation))
            rs_page_format(page, "</td><td>%.0f&#176;</td>", wall->line.orientation / RS_DEGREE);
        else
            rs_page_raw(page, "</td><td>&#8211;</td>");
        if (wall->family >= 0)
            rs_page_format(page, "<td>%d</td>", wall->family + 1);
        else
            rs_page_raw(page, "<td>&#8211;</td>");
        if (measured) {
            rs_page_format(page, "<td>%d</td><td>", s->wall[i].n);
            if (s->wall[i].n > 1)
                rs_page_pair(page, s->wall[i].mean, " &#177; ", s->wall[i].sd, 3, unit);
            else
                rs_page_quantity(page, s->wall[i].mean, 3, unit);
            rs_page_raw(page, "</td>");
        }
        rs_page_raw(page, "</tr>\n");
    }
    rs_page_raw(page, "</table>\n");
    if (shown < rows) rs_page_format(page, "<p>The %d longest of %d.</p>\n", shown, rows);
}

/* ---------------------------------------------------------------------------------------- tests */
/* Draws the mean of each wall across the family, even walls apart from odd ones. */
static reshed_status draw_alternation(rs_panel *p, const wall_part *w, reshed_error *err)
{
    const rs_wallgraph *g = &w->found.graph;
    const rs_wall_tests *s = &w->stats;
    size_t walls = (size_t)g->walls;
    int *order = rs_alloc(walls, sizeof *order), *at = rs_alloc(walls, sizeof *at);
    double *x = rs_alloc(walls, 3 * sizeof *x), *y = x ? x + walls : NULL;
    double *alternate = x ? y + walls : NULL;
    reshed_status st = RESHED_OK;
    char title[64];
    if (!order || !at || !x) {
        st = rs_fail_nomem(err, "a family of walls", walls * 24);
        goto done;
    }
    for (size_t i = 0; i < walls; i++) at[i] = -1;
    for (int i = 0; i < s->measured; i++) at[s->wall[i].wall] = i;
    int n = rs_family_walls(g, s->family, order), k = 0;
    for (int i = 0; i < n; i++) {
        int m = at[order[i]];
        if (m < 0) continue;
        x[k] = g->wall[order[i]].place - g->wall[order[0]].place;
        y[k++] = s->wall[m].mean;
    }
    rs_style line = {.colour = RS_GREY, .width = 1};
    rs_panel_line(p, x, y, (size_t)k, &line, NULL);
    for (int odd = 0; odd < 2; odd++) {
        rs_style dot = {
            .colour = odd ? RS_VERMILION : RS_BLUE, .marker = RS_MARKER_DISC, .marker_size = 9};
        for (int i = 0; i < k; i++) alternate[i] = i % 2 == odd ? y[i] : NAN;
        rs_panel_line(p, x, alternate, (size_t)k, &dot, odd ? "2nd, 4th, ..." : "1st, 3rd, ...");
    }
    snprintf(title, sizeof title, "Across family %d", s->family + 1);
    rs_panel_title(p, title);
    rs_panel_x_axis(p, "Place across the walls", length_unit(w));
    rs_panel_y_axis(p, rs_report_role_name(w->role), rs_report_unit(w->d, w->role));
    rs_panel_grid(p);
done:
    rs_free(order);
    rs_free(at);
    rs_free(x);
    return st;
}

static reshed_status draw_lengths(rs_panel *p, const wall_part *w, reshed_error *err)
{
    const rs_wall_tests *s = &w->stats;
    size_t n = (size_t)s->measured;
    double *x = rs_alloc(n, 2 * sizeof *x), *y = x ? x + n : NULL;
    if (!x) return rs_fail_nomem(err, "lengths of walls", n * 16);
    for (size_t i = 0; i < n; i++) {
        x[i] = w->found.graph.wall[s->wall[i].wall].line.length;
        y[i] = s->wall[i].mean;
    }
    rs_style dot = {.colour = RS_BLUE, .marker = RS_MARKER_DISC, .marker_size = 9};
    rs_style dashed = {.colour = RS_GREY, .width = 1.5, .dash = RS_DASHED};
    rs_panel_line(p, x, y, n, &dot, NULL);
    rs_panel_vertical(p, s->limit, &dashed, "long from here");
    rs_panel_title(p, "Against the length of the wall");
    rs_panel_x_axis(p, "Length", length_unit(w));
    rs_panel_y_axis(p, rs_report_role_name(w->role), rs_report_unit(w->d, w->role));
    rs_panel_grid(p);
    rs_free(x);
    return RESHED_OK;
}

static void put_plots(rs_page *page, const wall_part *w)
{
    const rs_wall_tests *s = &w->stats;
    int n = s->has_alternation + s->has_lengths, at = 0;
    rs_figure *f = NULL;
    reshed_error err = {0};
    if (!n || !rs_page_sound(page)) return;
    reshed_status st = rs_figure_create(560 * n, 400, 1, n, &f, &err);
    if (st == RESHED_OK && s->has_alternation)
        st = draw_alternation(rs_figure_panel(f, 0, at++, 1, 1), w, &err);
    if (st == RESHED_OK && s->has_lengths)
        st = draw_lengths(rs_figure_panel(f, 0, at, 1, 1), w, &err);
    rs_page_fail(page, st, &err);
    if (st == RESHED_OK)
        rs_page_figure(page, f, RS_PAGE_SVG, 560 * n, "Mean of each measured wall");
    else
        rs_figure_free(f);
}

static void put_walls(rs_page *page, const wall_part *w)
{
    int walls = w->found.graph.walls;
    if (walls == 0) {
        rs_page_raw(page, "<p class=\"none\">The skeleton holds no wall.</p>\n");
        return;
    }
    if (w->stats.measured == 0)
        rs_page_format(page, "<p>%d walls; none of them has a measured loop yet.</p>\n", walls);
    if (w->found.scan_lines)
        rs_page_format(
            page,
            "<p>%d of the %d walls run straight along a row and are one pixel high: "
            "lines of the scan rather than walls, perhaps. They are counted as walls.</p>\n",
            w->found.scan_lines, walls);
    if (w->stats.measured > 0) rs_report_findings(page, w);
    put_plots(page, w);
    rs_page_raw(page, "<div class=\"row\">\n");
    if (rs_page_sound(page)) put_map(page, w);
    rs_page_raw(page, "<div>\n");
    put_table(page, w);
    rs_page_raw(page, "</div>\n</div>\n");
}

/* Walls and points over the amplitude, for papers. */
static void put_figure(rs_page *page, const wall_part *w)
{
    const rs_report_data *d = w->d;
    const size_t n = (size_t)d->progress.points;
    const rs_mapped frame = {
        .height = d->rows,
        .width = d->cols,
        .dx = d->dx,
        .dy = d->dy,
        .image = d->has_map[RS_SESSION_AMPLITUDE] ? d->map[RS_SESSION_AMPLITUDE] : NULL,
        .wall = d->map[RS_SESSION_MEAN]};
    rs_found found = w->found; /* its arrays are borrowed */
    rs_figure *f = NULL;
    reshed_error err = {0};
    found.points = (rs_points){(int)n, rs_zalloc(n + 1, sizeof *found.points.p)};
    if (!found.points.p) {
        rs_page_fail(page, rs_fail_nomem(&err, "a figure", n * sizeof *found.points.p), &err);
        return;
    }
    for (size_t i = 0; i < n; i++)
        found.points.p[i].at = (rs_pixel){d->point[i].row, d->point[i].col};
    const reshed_status st = rs_walls_figure(&frame, &found, &f, &err);
    rs_page_fail(page, st, &err);
    if (st == RESHED_OK)
        rs_page_figure(page, f, RS_PAGE_SVG, 0,
                       "Walls by family, with the points measured on them (yellow), and the length "
                       "of each family over its direction");
    rs_free(found.points.p);
}

void rs_report_walls(rs_page *page, const rs_report_data *d)
{
    wall_part w;
    reshed_error err = {0};
    rs_page_raw(page, "<h2>Wall statistics</h2>\n");
    if (!d->has_mask[RS_SESSION_SKELETON]) {
        rs_page_raw(page, "<p class=\"none\">No skeleton has been recorded.</p>\n");
        return;
    }
    if (!rs_page_sound(page)) return;
    rs_page_fail(page, rs_report_walls_take(d, &w, &err), &err);
    if (rs_page_sound(page) && page->export) put_figure(page, &w);
    if (rs_page_sound(page)) put_walls(page, &w);
    rs_report_walls_clear(&w);
}
