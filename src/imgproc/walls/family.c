#include "imgproc/walls/family.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/walls/graph/line.h"

/* Directions of lines add up with their angles doubled: 0 and pi are the same. */
typedef struct group {
    int id;
    double x, y; /* sum of length * (cos, sin) of twice the orientation */
    double length;
} group;

static double mean_orientation(const group *g)
{
    return atan2(g->y, g->x) / 2;
}

/* In [0, pi/2]. */
static double angle_between(double a, double b)
{
    return fabs(remainder(a - b, RS_PI));
}

static void add_to(group *g, const rs_wall_line *line)
{
    g->x += line->length * cos(2 * line->orientation);
    g->y += line->length * sin(2 * line->orientation);
    g->length += line->length;
}

static int longest_group(const void *a, const void *b)
{
    const group *x = a, *y = b;
    if (x->length != y->length) return x->length > y->length ? -1 : 1;
    return x->id - y->id;
}

static double place_along(const rs_wallgraph *g, const rs_wall_line *line, double orientation)
{
    double nx = -sin(orientation), ny = cos(orientation), sum = 0;
    for (int i = 0; i < line->count; i++) {
        rs_xy p = rs_pixel_xy(&g->grid, g->pixel[line->first + i]);
        sum += p.x * nx + p.y * ny;
    }
    return sum / line->count;
}

/* Puts every wall in the group it is closest to in direction, or in a new one. Walls come longest
 * first, so a group's direction is soon settled. */
static int make_groups(rs_wallgraph *g, double angle, double min_length, group *list)
{
    int n = 0;
    for (int w = 0; w < g->walls; w++) {
        const rs_wall_line *line = &g->wall[w].line;
        g->wall[w].family = -1;
        g->wall[w].place = 0;
        if (line->length < min_length || !(line->length > 0) || isnan(line->orientation)) continue;
        int best = -1;
        double least = angle;
        for (int k = 0; k < n; k++) {
            double d = angle_between(line->orientation, mean_orientation(&list[k]));
            if (d > least) continue;
            least = d;
            best = k;
        }
        if (best < 0) {
            best = n++;
            list[best] = (group){.id = best};
        }
        add_to(&list[best], line);
        g->wall[w].family = best;
    }
    return n;
}

reshed_status rs_wall_families(rs_wallgraph *graph, double angle, double min_length, int *families,
                               reshed_error *err)
{
    if (!(angle >= 0 && angle <= RS_PI / 2))
        return rs_fail(err, RESHED_EINVAL, "angle within a family|0 to %g rad|%g", RS_PI / 2,
                       angle);
    if (!(min_length >= 0))
        return rs_fail(err, RESHED_EINVAL, "least length of a wall|at least 0 m|%g", min_length);
    size_t walls = (size_t)graph->walls;
    group *list = rs_alloc(walls, sizeof *list);
    int *rank = rs_alloc(walls, sizeof *rank);
    reshed_status st = RESHED_OK;
    if (!list || !rank) {
        st = rs_fail_nomem(err, "families of walls", walls * (sizeof *list + sizeof *rank));
        goto done;
    }
    int n = make_groups(graph, angle, min_length, list);
    qsort(list, (size_t)n, sizeof *list, longest_group);
    for (int k = 0; k < n; k++) rank[list[k].id] = k;
    for (int w = 0; w < graph->walls; w++) {
        rs_wall *wall = &graph->wall[w];
        if (wall->family < 0) continue;
        wall->family = rank[wall->family];
        wall->place = place_along(graph, &wall->line, mean_orientation(&list[wall->family]));
    }
    if (families) *families = n;
done:
    rs_free(rank);
    rs_free(list);
    return st;
}

int rs_family_walls(const rs_wallgraph *graph, int family, int *wall)
{
    int n = 0;
    for (int w = 0; w < graph->walls; w++) {
        if (graph->wall[w].family != family) continue;
        int i = n++;
        for (; i > 0 && graph->wall[wall[i - 1]].place > graph->wall[w].place; i--)
            wall[i] = wall[i - 1];
        wall[i] = w;
    }
    return n;
}

void rs_family_pieces(const rs_wallgraph *g, const int *wall, int n, double apart, int *piece_of)
{
    for (int i = 0; i < n; i++) {
        const bool same = i > 0 && g->wall[wall[i]].place - g->wall[wall[i - 1]].place < apart;
        piece_of[i] = same ? piece_of[i - 1] : i;
    }
}
