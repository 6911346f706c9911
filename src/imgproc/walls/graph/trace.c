/* Neighbours on a skeleton. If all eight pixels around one counted, every corner of a staircase
 * would be a junction: in
 *
 *     . . # #          the two pixels left of and above the corner x touch each other as well
 *     # x # .
 *
 * So mixed adjacency is used: a diagonal neighbour counts only when the two pixels share no other
 * neighbour along an axis. A pixel is then an end (one neighbour), part of a line (two), or a
 * junction (three or more); junction pixels that touch form one node. Any two junction pixels next
 * to each other are of the same node, so each branch has at least one pixel of its own, which is
 * marked when the branch has been walked. */
#include "imgproc/walls/graph/trace.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/graph/line.h"

/* Bit k of a neighbour set is the neighbour in direction k: along the axes first. */
static const int ROW[8] = {-1, 0, 1, 0, -1, 1, 1, -1};
static const int COL[8] = {0, 1, 0, -1, 1, 1, -1, -1};

typedef struct tracer {
    rs_wallgraph *g;
    int stride;       /* of the padded maps: width + 2 */
    uint8_t *links;   /* [H+2,W+2] neighbour sets */
    uint8_t *walked;  /* [H+2,W+2] */
    int32_t *node_of; /* [H+2,W+2] node of an end, isolated or junction pixel, else -1 */
    int32_t *stack;   /* pixels of a junction to be visited */
    int node_room, branch_room, pixel_room;
} tracer;

static int count_links(uint8_t set)
{
    int n = 0;
    for (; set; set &= (uint8_t)(set - 1)) n++;
    return n;
}

static int32_t neighbour(const tracer *t, int32_t p, int k)
{
    return p + ROW[k] * t->stride + COL[k];
}

static rs_pixel pixel_of(const tracer *t, int32_t p)
{
    return (rs_pixel){p / t->stride - 1, p % t->stride - 1};
}

static int32_t at_pixel(const tracer *t, int row, int col)
{
    return (row + 1) * t->stride + col + 1;
}

static bool is_set(const rs_wallgraph *g, int row, int col)
{
    return row >= 0 && row < g->grid.height && col >= 0 && col < g->grid.width &&
           g->skeleton[(size_t)row * (size_t)g->grid.width + (size_t)col];
}

static uint8_t links_of(const rs_wallgraph *g, int row, int col)
{
    uint8_t set = 0;
    for (int k = 0; k < 8; k++) {
        if (!is_set(g, row + ROW[k], col + COL[k])) continue;
        if (k >= 4 && (is_set(g, row + ROW[k], col) || is_set(g, row, col + COL[k]))) continue;
        set |= (uint8_t)(1 << k);
    }
    return set;
}

/* ------------------------------------------------------------------------------ lists that grow */

/* list with room for one more element after its `count`; NULL when memory is short, and list stays
 * valid. */
static void *with_room(void *list, int count, int *room, size_t size)
{
    if (count < *room) return list;
    int more = *room ? 2 * *room : 64;
    void *grown = rs_regrow(list, (size_t)count, (size_t)more, size);
    if (grown) *room = more;
    return grown;
}

static reshed_status add_node(tracer *t, rs_node_kind kind, reshed_error *err)
{
    rs_wallgraph *g = t->g;
    rs_node *list = with_room(g->node, g->nodes, &t->node_room, sizeof *list);
    if (!list) return rs_fail_nomem(err, "nodes", (size_t)g->nodes * 2 * sizeof *list);
    g->node = list;
    g->node[g->nodes++] = (rs_node){.kind = kind};
    return RESHED_OK;
}

static reshed_status add_branch(tracer *t, reshed_error *err)
{
    rs_wallgraph *g = t->g;
    rs_branch *list = with_room(g->branch, g->branches, &t->branch_room, sizeof *list);
    if (!list) return rs_fail_nomem(err, "branches", (size_t)g->branches * 2 * sizeof *list);
    g->branch = list;
    g->branch[g->branches++] = (rs_branch){.line.first = g->pixels, .node = {-1, -1}, .wall = -1};
    return RESHED_OK;
}

static reshed_status add_pixel(tracer *t, int32_t p, reshed_error *err)
{
    rs_wallgraph *g = t->g;
    rs_pixel *list = with_room(g->pixel, g->pixels, &t->pixel_room, sizeof *list);
    if (!list)
        return rs_fail_nomem(err, "pixels of branches", (size_t)g->pixels * 2 * sizeof *list);
    g->pixel = list;
    g->pixel[g->pixels++] = pixel_of(t, p);
    g->branch[g->branches - 1].line.count++;
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- nodes */

/* Gives the junction pixels connected with p to the last node. */
static void flood_junction(tracer *t, int32_t p)
{
    rs_node *node = &t->g->node[t->g->nodes - 1];
    int top = 0, size = 0;
    t->stack[top++] = p;
    t->node_of[p] = t->g->nodes - 1;
    while (top) {
        p = t->stack[--top];
        rs_pixel at = pixel_of(t, p);
        node->row += at.row;
        node->col += at.col;
        size++;
        for (int k = 0; k < 8; k++) {
            int32_t q = neighbour(t, p, k);
            if (!(t->links[p] >> k & 1) || count_links(t->links[q]) < 3 || t->node_of[q] >= 0)
                continue;
            t->node_of[q] = t->g->nodes - 1;
            t->stack[top++] = q;
        }
    }
    node->row /= size;
    node->col /= size;
}

static bool near_edge(const rs_grid *grid, rs_pixel p, double border)
{
    return p.row < border || p.col < border || grid->height - 1 - p.row < border ||
           grid->width - 1 - p.col < border;
}

static reshed_status find_nodes(tracer *t, double border, reshed_error *err)
{
    const rs_grid *grid = &t->g->grid;
    for (int row = 0; row < grid->height; row++)
        for (int col = 0; col < grid->width; col++) {
            int32_t p = at_pixel(t, row, col);
            if (!is_set(t->g, row, col) || t->node_of[p] >= 0) continue;
            int degree = count_links(t->links[p]);
            if (degree == 2) continue;
            rs_node_kind kind = degree == 0                                     ? RS_NODE_ISOLATED
                                : degree > 2                                    ? RS_NODE_JUNCTION
                                : near_edge(grid, (rs_pixel){row, col}, border) ? RS_NODE_BORDER
                                                                                : RS_NODE_END;
            reshed_status st = add_node(t, kind, err);
            if (st != RESHED_OK) return st;
            if (kind == RS_NODE_JUNCTION) {
                flood_junction(t, p);
            } else {
                rs_node *node = &t->g->node[t->g->nodes - 1];
                node->row = row;
                node->col = col;
                t->node_of[p] = t->g->nodes - 1;
            }
        }
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- branches */

/* Walks from p over its neighbour q to the next node, or around to p again. */
static reshed_status walk(tracer *t, int32_t p, int32_t q, reshed_error *err)
{
    rs_wallgraph *g = t->g;
    int32_t begin = p;
    reshed_status st = add_branch(t, err);
    if (st == RESHED_OK) st = add_pixel(t, p, err);
    while (st == RESHED_OK) {
        if (q == begin && t->node_of[q] < 0) break; /* a ring without nodes: p is its last pixel */
        st = add_pixel(t, q, err);
        if (st != RESHED_OK || t->node_of[q] >= 0) break;
        t->walked[q] = 1;
        uint8_t ahead = t->links[q];
        int32_t from = p;
        p = q;
        for (int k = 0; k < 8; k++)
            if (ahead >> k & 1 && neighbour(t, p, k) != from) {
                q = neighbour(t, p, k);
                break;
            }
    }
    if (st != RESHED_OK) return st;
    rs_branch *b = &g->branch[g->branches - 1];
    bool ring = t->node_of[begin] < 0;
    b->line.length_px = rs_chain_length(g->pixel + b->line.first, b->line.count, ring);
    if (ring) {
        t->walked[begin] = 1;
        return RESHED_OK;
    }
    b->node[0] = t->node_of[begin];
    b->node[1] = t->node_of[q];
    for (int e = 0; e < 2; e++) g->node[b->node[e]].degree++;
    if (count_links(t->links[begin]) < 3) t->walked[begin] = 1;
    if (count_links(t->links[q]) < 3) t->walked[q] = 1;
    return RESHED_OK;
}

/* Walks every branch that leaves p and has not been walked. */
static reshed_status walk_from(tracer *t, int32_t p, reshed_error *err)
{
    bool junction = count_links(t->links[p]) >= 3;
    for (int k = 0; k < 8; k++) {
        int32_t q = neighbour(t, p, k);
        if (!(t->links[p] >> k & 1) || t->walked[q] || (!junction && t->walked[p])) continue;
        if (junction && t->node_of[q] == t->node_of[p]) continue; /* inside the junction */
        reshed_status st = walk(t, p, q, err);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

static reshed_status add_isolated(tracer *t, int32_t p, reshed_error *err)
{
    reshed_status st = add_branch(t, err);
    if (st == RESHED_OK) st = add_pixel(t, p, err);
    if (st != RESHED_OK) return st;
    rs_branch *b = &t->g->branch[t->g->branches - 1];
    b->node[0] = b->node[1] = t->node_of[p];
    return RESHED_OK;
}

/* First what begins at junctions, then lines between two ends, single pixels, and rings. */
static reshed_status find_branches(tracer *t, reshed_error *err)
{
    const rs_grid *grid = &t->g->grid;
    for (int round = 0; round < 3; round++)
        for (int row = 0; row < grid->height; row++)
            for (int col = 0; col < grid->width; col++) {
                int32_t p = at_pixel(t, row, col);
                if (!is_set(t->g, row, col) || t->walked[p]) continue;
                int degree = count_links(t->links[p]);
                reshed_status st = RESHED_OK;
                if (round == 0 ? degree >= 3 : round == 1 ? degree == 1 : degree == 2)
                    st = walk_from(t, p, err);
                else if (round == 1 && degree == 0)
                    st = add_isolated(t, p, err);
                if (st != RESHED_OK) return st;
            }
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- whole */

reshed_status rs_trace(rs_wallgraph *graph, double border, reshed_error *err)
{
    const rs_grid *grid = &graph->grid;
    reshed_status st = RESHED_OK;
    tracer t = {.g = graph, .stride = grid->width + 2};
    size_t n = ((size_t)grid->height + 2) * (size_t)t.stride;
    t.links = rs_zalloc(n, sizeof *t.links);
    t.walked = rs_zalloc(n, sizeof *t.walked);
    t.node_of = rs_alloc(n, sizeof *t.node_of);
    t.stack = rs_alloc(n, sizeof *t.stack);
    if (!t.links || !t.walked || !t.node_of || !t.stack) {
        st = rs_fail_nomem(err, "a map of neighbours", n * (2 + 2 * sizeof *t.node_of));
        goto done;
    }
    for (size_t i = 0; i < n; i++) t.node_of[i] = -1;
    for (int row = 0; row < grid->height; row++)
        for (int col = 0; col < grid->width; col++)
            if (is_set(graph, row, col))
                t.links[at_pixel(&t, row, col)] = links_of(graph, row, col);
    st = find_nodes(&t, border, err);
    if (st == RESHED_OK) st = find_branches(&t, err);
done:
    rs_free(t.stack);
    rs_free(t.node_of);
    rs_free(t.walked);
    rs_free(t.links);
    if (st != RESHED_OK) rs_wallgraph_clear_lines(graph);
    return st;
}
