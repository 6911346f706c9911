#include "python/rooms.h"

#include "base/alloc.h"
#include "imgproc/walls/find.h"
#include "imgproc/walls/route.h"

struct rs_py_walls {
    rs_found found;
    rs_py_wall *wall;
    rs_py_point *point;
    int32_t *pixel;
};

static rs_py_wall flat_wall(const rs_wall *w)
{
    const rs_wall_line *l = &w->line;
    return (rs_py_wall){.length = l->length,
                        .length_px = l->length_px,
                        .chord = l->chord,
                        .orientation = l->orientation,
                        .width = l->width,
                        .width_sd = l->width_sd,
                        .probability = l->probability,
                        .variance = l->variance,
                        .place = w->place,
                        .sure = w->sure,
                        .family = w->family,
                        .pair = w->pair,
                        .kind = w->kind,
                        .end = {(int)w->end[0], (int)w->end[1]},
                        .first = l->first,
                        .count = l->count};
}

/* The same as arrays of flat numbers. */
static reshed_status flatten(rs_py_walls *p, reshed_error *err)
{
    const rs_wallgraph *g = &p->found.graph;
    const int points = p->found.points.n;
    p->wall = rs_alloc((size_t)g->walls, sizeof *p->wall);
    p->point = rs_alloc((size_t)points, sizeof *p->point);
    p->pixel = rs_alloc((size_t)g->pixels * 2, sizeof *p->pixel);
    if (!p->wall || !p->point || !p->pixel)
        return rs_fail_nomem(err, "walls", (size_t)g->walls * sizeof *p->wall);
    for (int i = 0; i < g->walls; i++) p->wall[i] = flat_wall(&g->wall[i]);
    for (int i = 0; i < g->pixels; i++) {
        p->pixel[2 * i] = g->pixel[i].row;
        p->pixel[2 * i + 1] = g->pixel[i].col;
    }
    for (int i = 0; i < points; i++) {
        const rs_point *q = &p->found.points.p[i];
        p->point[i] = (rs_py_point){q->at.row, q->at.col, (int)q->kind,
                                    q->wall,   q->along,  p->found.target[i]};
    }
    return RESHED_OK;
}

reshed_status rs_py_walls_find(const rs_py_walls_input *in, const rs_py_setting *setting, int n,
                               rs_py_walls **out, reshed_error *err)
{
    rs_find_options o;
    const rs_find_input input = {.grid = {in->height, in->width, in->dx, in->dy},
                                 .map = in->map,
                                 .variance = in->variance,
                                 .amplitude = in->amplitude,
                                 .phase = in->phase,
                                 .skeleton = in->skeleton,
                                 .start = in->start};
    rs_find_defaults(&o);
    for (int i = 0; i < n; i++)
        if (!rs_find_set(&o, setting[i].name, setting[i].value))
            return rs_fail(err, RESHED_EINVAL, "option|a known name|%s", setting[i].name);
    rs_py_walls *p = rs_zalloc(1, sizeof *p);
    if (!p) return rs_fail_nomem(err, "walls", sizeof *p);
    reshed_status st = rs_find(&input, &o, &p->found, err);
    if (st == RESHED_OK) st = flatten(p, err);
    if (st != RESHED_OK) {
        rs_py_walls_free(p);
        return st;
    }
    *out = p;
    return RESHED_OK;
}

void rs_py_walls_free(rs_py_walls *p)
{
    if (!p) return;
    rs_found_clear(&p->found);
    rs_free(p->wall);
    rs_free(p->point);
    rs_free(p->pixel);
    rs_free(p);
}

void rs_py_walls_get(const rs_py_walls *p, rs_py_walls_view *v)
{
    const rs_wallgraph *g = &p->found.graph;
    *v = (rs_py_walls_view){.walls = g->walls,
                            .pixels = g->pixels,
                            .pairs = g->pairs,
                            .junctions = rs_wallgraph_junctions(g),
                            .families = p->found.families,
                            .points = p->found.points.n,
                            .threshold = p->found.threshold,
                            .length = rs_wallgraph_length(g),
                            .wall = p->wall,
                            .pixel = p->pixel,
                            .mask = p->found.mask,
                            .skeleton = g->skeleton,
                            .wall_at = g->wall_at,
                            .point = p->point};
}

reshed_status rs_py_route(const double *xy, int n, const double *start, int32_t *order,
                          double *length, reshed_error *err)
{
    if (n < 0) return rs_fail(err, RESHED_EINVAL, "points|0 or more|%d", n);
    rs_xy *at = rs_alloc((size_t)n, sizeof *at);
    if (!at) return rs_fail_nomem(err, "points", (size_t)n * sizeof *at);
    for (int i = 0; i < n; i++) at[i] = (rs_xy){xy[2 * i], xy[2 * i + 1]};
    const rs_xy from = start ? (rs_xy){start[0], start[1]} : (rs_xy){0, 0};
    const reshed_status st = rs_route_short(at, n, start ? &from : NULL, order, err);
    if (st == RESHED_OK) *length = rs_route_length(at, n, order, NULL);
    rs_free(at);
    return st;
}
