/* Thinning a wall with a blunt end leaves a fork or a hook there: the line runs into one corner of
 * the end, or into both:
 *
 *     . . . . . . . .
 *     # . . . . . . .        a bar five pixels wide and its line; the legs are as long as the bar's
 *     . # . . . . . .        half diagonal, so by length alone they cannot be told from short walls
 *     . . # # # # # #        that begin at a thin one
 *     . # . . . . . .
 *     # . . . . . . .
 *
 * The distance to the background tells them: the largest disc around the fork's pixel that fits
 * into the mask reaches the leg's side, and a leg to a corner is sqrt(2) as long as its radius. */
#include "imgproc/walls/graph/prune.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/distance.h"
#include "imgproc/walls/graph/ends.h"
#include "imgproc/walls/graph/trace.h"

#define LEG 1.5    /* length of a leg over the radius at its junction, and ... */
#define RASTER 1.5 /* ... pixels more */

typedef struct pruner {
    rs_wallgraph *g;
    double *depth; /* [H,W] metres to the nearest pixel of the background; NULL: not looked at */
    double spur, pixel;
    double *length; /* [nodes] of the shortest spur at each node */
    int *shortest;  /* [nodes] its branch, or -1 */
} pruner;

static size_t index_of(const rs_grid *grid, rs_pixel p)
{
    return (size_t)p.row * (size_t)grid->width + (size_t)p.col;
}

/* ---------------------------------------------------------------------------------------- spurs */

static double chain_metres(const rs_wallgraph *g, const rs_wall_line *line)
{
    double sum = 0;
    const rs_pixel *p = g->pixel + line->first;
    for (int i = 1; i < line->count; i++) sum += rs_pixel_distance(&g->grid, p[i - 1], p[i]);
    return sum;
}

/* Returns the end (0 or 1) of a spur that is its junction; -1 when the branch is no spur. */
static int junction_end(const rs_wallgraph *g, const rs_branch *b)
{
    if (b->node[0] < 0) return -1;
    rs_node_kind a = g->node[b->node[0]].kind, z = g->node[b->node[1]].kind;
    if (a == RS_NODE_JUNCTION && (z == RS_NODE_END || z == RS_NODE_BORDER)) return 0;
    if (z == RS_NODE_JUNCTION && (a == RS_NODE_END || a == RS_NODE_BORDER)) return 1;
    return -1;
}

static void erase_spur(rs_wallgraph *g, const rs_branch *b)
{
    int keep = junction_end(g, b) == 0 ? 0 : b->line.count - 1;
    for (int i = 0; i < b->line.count; i++)
        if (i != keep) g->skeleton[index_of(&g->grid, g->pixel[b->line.first + i])] = 0;
    g->spurs_removed++;
}

/* The radius of the largest disc within the mask around a pixel of a line or one next to it. */
static double radius_near(const pruner *p, rs_pixel at)
{
    const rs_grid *grid = &p->g->grid;
    double deepest = 0;
    for (int k = 0; k < 9; k++) {
        const int r = at.row + k / 3 - 1, c = at.col + k % 3 - 1;
        if (r < 0 || c < 0 || r >= grid->height || c >= grid->width) continue;
        deepest = fmax(deepest, p->depth[index_of(grid, (rs_pixel){r, c})]);
    }
    return deepest - p->pixel;
}

/* True for a leg: a spur that hardly leaves the largest disc within the mask around its junction. */
static bool is_leg(const pruner *p, const rs_branch *b, int end)
{
    if (!p->depth) return false;
    const rs_pixel *line = p->g->pixel + b->line.first, *last = line + b->line.count - 1;
    const rs_pixel from = end ? *last : *line, tip = end ? *line : *last;
    return rs_pixel_distance(&p->g->grid, from, tip) <=
           LEG * radius_near(p, from) + RASTER * p->pixel;
}

/* Erases the shortest of the spurs and legs at each junction; returns how many there were. */
static int erase_spurs(pruner *p)
{
    rs_wallgraph *g = p->g;
    int erased = 0;
    for (int i = 0; i < g->nodes; i++) p->shortest[i] = -1;
    for (int i = 0; i < g->branches; i++) {
        const rs_branch *b = &g->branch[i];
        const int e = junction_end(g, b);
        if (e < 0) continue;
        const int node = b->node[e];
        const double m = chain_metres(g, &b->line);
        if (!(m < p->spur) && !is_leg(p, b, e)) continue;
        if (p->shortest[node] >= 0 && m >= p->length[node]) continue;
        p->shortest[node] = i;
        p->length[node] = m;
    }
    for (int i = 0; i < g->nodes; i++)
        if (p->shortest[i] >= 0) {
            erase_spur(g, &g->branch[p->shortest[i]]);
            erased++;
        }
    return erased;
}

/* Traces, and erases spurs until there are none. */
static reshed_status trace_without_spurs(pruner *p, double border, reshed_error *err)
{
    rs_wallgraph *g = p->g;
    for (;;) {
        reshed_status st = rs_trace(g, border, err);
        if (st != RESHED_OK || (!(p->spur > 0) && !p->depth)) return st;
        const size_t nodes = (size_t)g->nodes;
        p->shortest = rs_alloc(nodes, sizeof *p->shortest);
        p->length = rs_alloc(nodes, sizeof *p->length);
        int erased = -1;
        if (p->shortest && p->length)
            erased = erase_spurs(p);
        else
            st = rs_fail_nomem(err, "spurs", nodes * (sizeof(int) + sizeof(double)));
        rs_free(p->length);
        rs_free(p->shortest);
        if (erased == 0) return RESHED_OK;
        rs_wallgraph_clear_lines(g);
        if (erased < 0) return st;
    }
}

/* ---------------------------------------------------------------------------------------- whole */

/* depth[H,W] of the mask; NULL in p->depth where there is no background. */
static reshed_status find_depth(pruner *p, const uint8_t *mask, reshed_error *err)
{
    const rs_grid *grid = &p->g->grid;
    const size_t n = rs_grid_count(grid);
    uint8_t *background = rs_alloc(n, 1);
    p->depth = rs_alloc(n, sizeof *p->depth);
    reshed_status st = RESHED_OK;
    if (!background || !p->depth)
        st = rs_fail_nomem(err, "the depth of walls", n * (1 + sizeof *p->depth));
    for (size_t i = 0; i < n && st == RESHED_OK; i++) background[i] = !mask[i];
    if (st == RESHED_OK)
        st = rs_distance_metres(background, grid->height, grid->width, grid->dx, grid->dy, p->depth,
                                NULL, err);
    rs_free(background);
    if (st != RESHED_OK || !isinf(p->depth[0])) return st;
    rs_free(p->depth);
    p->depth = NULL;
    return RESHED_OK;
}

reshed_status rs_trace_pruned(rs_wallgraph *graph, double border, double spur, const uint8_t *mask,
                              reshed_error *err)
{
    pruner p = {.g = graph, .spur = spur, .pixel = sqrt(graph->grid.dx) * sqrt(graph->grid.dy)};
    reshed_status st = mask ? find_depth(&p, mask, err) : RESHED_OK;
    if (st == RESHED_OK) st = trace_without_spurs(&p, border, err);
    if (st == RESHED_OK && p.depth && rs_redraw_ends(graph, mask, p.depth) > 0) {
        rs_wallgraph_clear_lines(graph);
        st = rs_trace(graph, border, err);
    }
    rs_free(p.depth);
    return st;
}
