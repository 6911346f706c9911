#include "report/map_figures.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/numeric.h"

enum { PANEL = 420, BAR = 90 }; /* picture pixels: of a map, and beside it for its colour bar */

/* Size of a pixel in the units of the axes. */
static double step_x(const rs_mapped *in)
{
    return in->dx > 0 && in->dy > 0 ? in->dx : 1;
}

static double step_y(const rs_mapped *in)
{
    return in->dx > 0 && in->dy > 0 ? in->dy : 1;
}

static double height_of(const rs_mapped *in)
{
    return in->height * step_y(in);
}

void rs_mapped_put(rs_panel *p, const rs_mapped *in, const float *map, const char *title,
                   const rs_colour_scale *scale)
{
    rs_panel_title(p, title);
    rs_panel_image(p, map, in->height, in->width, 0, in->width * step_x(in), 0, height_of(in),
                   scale);
    if (in->dx > 0 && in->dy > 0) {
        rs_panel_scale_bar(p);
    } else {
        rs_panel_x_axis(p, "x", "px");
        rs_panel_y_axis(p, "y", "px");
    }
}

reshed_status rs_mapped_create(const rs_mapped *in, int columns, rs_figure **out, reshed_error *err)
{
    const double ratio = height_of(in) / (in->width * step_x(in));
    const double h = fmin(fmax(PANEL * ratio, 120), 4000);
    return rs_figure_create(columns * (PANEL + BAR), (int)h + 40, 1, columns, out, err);
}

static rs_colour_scale image_scale(const rs_mapped *in)
{
    const char *name = in->channel && *in->channel ? in->channel : "Image";
    return (rs_colour_scale){.map = RS_MAP_GREY, .name = name, .unit = in->unit};
}

reshed_status rs_mapped_figure(const rs_mapped *in, rs_figure **out, reshed_error *err)
{
    const size_t n = (size_t)in->height * (size_t)in->width;
    const int columns = (in->image ? 1 : 0) + 1 + (in->variance ? 1 : 0);
    float *sd = in->variance ? rs_alloc(n, sizeof *sd) : NULL;
    rs_figure *f = NULL;
    int column = 0;
    if (in->variance && !sd) return rs_fail_nomem(err, "a figure", n * sizeof *sd);
    reshed_status st = rs_mapped_create(in, columns, &f, err);
    if (st != RESHED_OK) goto done;
    const rs_colour_scale image = image_scale(in);
    if (in->image)
        rs_mapped_put(rs_figure_panel(f, 0, column++, 1, 1), in, in->image, "Image", &image);
    rs_mapped_put(
        rs_figure_panel(f, 0, column++, 1, 1), in, in->wall, "Walls",
        &(rs_colour_scale){.map = RS_MAP_VIRIDIS, .lo = 0, .hi = 1, .name = "Wall probability"});
    if (sd) {
        float most = 0;
        for (size_t i = 0; i < n; i++) {
            sd[i] = sqrtf(fmaxf(in->variance[i], 0));
            if (sd[i] > most) most = sd[i];
        }
        rs_mapped_put(rs_figure_panel(f, 0, column, 1, 1), in, sd, "Uncertainty",
                      &(rs_colour_scale){.map = RS_MAP_MAGMA,
                                         .lo = 0,
                                         .hi = most > 0 ? (double)most : 0.5,
                                         .name = "Standard deviation"});
    }
    *out = f;
done:
    rs_free(sd);
    return st;
}

/* ---------------------------------------------------------------------------------------- walls */

enum { COLOURED = 6 }; /* families with a colour of their own; the others are grey */

/* One family of walls: all their lengths, and their direction. */
typedef struct family {
    int number;
    double length, orientation; /* metres or pixels; degrees, 0 to 180 */
    uint32_t colour;
} family;

static int longer_first(const void *a, const void *b)
{
    const family *p = a, *q = b;
    if (p->length != q->length) return p->length < q->length ? 1 : -1;
    return (p->number > q->number) - (p->number < q->number);
}

/* out[found->families], the longest first. The direction is the mean of the walls' own as axes (of
 * twice their angle), each with its length. */
static void sum_families(const rs_found *found, family *out)
{
    const rs_wallgraph *g = &found->graph;
    for (int k = 0; k < found->families; k++) {
        double x = 0, y = 0;
        out[k] = (family){.number = k};
        for (int w = 0; w < g->walls; w++) {
            const rs_wall_line *l = &g->wall[w].line;
            if (g->wall[w].family != k || isnan(l->orientation)) continue;
            out[k].length += l->length;
            x += l->length * cos(2 * l->orientation);
            y += l->length * sin(2 * l->orientation);
        }
        out[k].orientation = atan2(y, x) / 2 / RS_DEGREE;
        if (out[k].orientation < 0) out[k].orientation += 180;
    }
    qsort(out, (size_t)found->families, sizeof *out, longer_first);
    for (int k = 0; k < found->families; k++)
        out[k].colour = k < COLOURED ? rs_series_colour(k) : RS_GREY;
}

static uint32_t colour_of(const family *list, int families, int number)
{
    for (int k = 0; k < families; k++)
        if (list[k].number == number) return list[k].colour;
    return RS_GREY;
}

/* Draws wall w as a line through the centres of its pixels. x, y: scratch, for all pixels. */
static void put_wall(rs_panel *p, const rs_mapped *in, const rs_wallgraph *g, int w,
                     uint32_t colour, double *x, double *y)
{
    const rs_wall_line *line = &g->wall[w].line;
    const rs_style style = {.colour = colour, .width = 1.6};
    for (int i = 0; i < line->count; i++) {
        const rs_pixel *at = &g->pixel[line->first + i];
        x[i] = (at->col + 0.5) * step_x(in);
        y[i] = height_of(in) - (at->row + 0.5) * step_y(in);
    }
    if (g->wall[w].end[0] == RS_END_CLOSED)
        rs_panel_loop(p, x, y, (size_t)line->count, &style, NULL);
    else
        rs_panel_line(p, x, y, (size_t)line->count, &style, NULL);
}

static void put_points(rs_panel *p, const rs_mapped *in, const rs_points *points, double *x,
                       double *y)
{
    for (int i = 0; i < points->n; i++) {
        x[i] = (points->p[i].at.col + 0.5) * step_x(in);
        y[i] = height_of(in) - (points->p[i].at.row + 0.5) * step_y(in);
    }
    rs_panel_line(p, x, y, (size_t)points->n,
                  &(rs_style){.colour = RS_YELLOW, .marker = RS_MARKER_DISC, .marker_size = 3},
                  NULL);
}

static void put_families(rs_panel *p, const rs_mapped *in, const family *list, int families)
{
    rs_panel_title(p, "Length by direction");
    rs_panel_x_axis(p, "Direction from +x", "°");
    rs_panel_y_axis(p, "Length of all walls", in->dx > 0 && in->dy > 0 ? "m" : "px");
    rs_panel_x_limits(p, -5, 185);
    for (int k = families - 1; k >= 0; k--)
        rs_panel_bars(p, &list[k].orientation, &list[k].length, 1, 5, list[k].colour, 1, NULL);
}

reshed_status rs_walls_figure(const rs_mapped *in, const rs_found *found, rs_figure **out,
                              reshed_error *err)
{
    const rs_wallgraph *g = &found->graph;
    const size_t room = (size_t)(found->points.n > g->pixels ? found->points.n : g->pixels) + 1;
    const size_t families = (size_t)found->families;
    double *xy = rs_alloc(2 * room, sizeof *xy);
    family *list = rs_alloc(families + 1, sizeof *list);
    reshed_status st = RESHED_OK;
    rs_figure *f = NULL;
    if (!xy || !list)
        st = rs_fail_nomem(err, "a figure", 2 * room * sizeof *xy + families * sizeof *list);
    if (st == RESHED_OK) st = rs_mapped_create(in, 2, &f, err);
    if (st == RESHED_OK) {
        const rs_colour_scale grey = {.map = RS_MAP_GREY};
        sum_families(found, list);
        rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
        rs_mapped_put(p, in, in->image ? in->image : in->wall, "Walls and points", &grey);
        for (int w = 0; w < g->walls; w++)
            put_wall(p, in, g, w, colour_of(list, found->families, g->wall[w].family), xy,
                     xy + room);
        if (found->points.n > 0) put_points(p, in, &found->points, xy, xy + room);
        put_families(rs_figure_panel(f, 0, 1, 1, 1), in, list, found->families);
        *out = f;
    }
    rs_free(list);
    rs_free(xy);
    return st;
}
