/* At a junction two of the branches are usually one wall, which others run into. They are found by
 * direction: of all pairs of branch ends the straightest is joined first, then the straightest of
 * the rest, as long as the turn is below a limit.
 *
 * Thinning pulls a crossing of two walls apart into two junctions with a short piece between. Such
 * pieces ("bridges") are part of the junction: all branch ends of the junctions that bridges
 * connect are compared with each other, and a wall that enters at one and leaves at another takes
 * the bridge along. */
#include "imgproc/walls/graph/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/graph/line.h"

/* End e of the skeleton's branches: the first (e even) or last pixel of branch e/2. */
typedef struct joint {
    int a, b; /* ends */
    double turn;
} joint;

typedef struct merger {
    rs_wallgraph *g;
    const rs_xy *smooth;
    const rs_wallgraph_options *options;
    int *mate;      /* [2*branches] the end that continues an end, or -1 */
    rs_xy *outward; /* [2*branches] direction of a branch as it leaves its end */
    bool *bridge;   /* [branches] */
    bool *used;     /* [branches] part of a wall */
    int *group;     /* [nodes] union-find: nodes that bridges connect */
    int *first;     /* [nodes+1] where a node's ends begin in end_at */
    int *end_at;    /* [2*branches] ends by node */
    int *sorted;    /* [2*branches] ends at junctions that are no bridges, by group */
    int *came_from; /* [nodes] scratch of the search through bridges: the end it came by */
    int *queue;     /* [nodes] */
    uint8_t *inner; /* [H,W] pixels of branches that are not at a junction */
    int32_t *way;   /* [H,W] scratch of the search inside a junction: the next pixel, or -1 */
    int32_t *found; /* [H,W] pixels to look at */
    int sorted_count, pixel_room, wall_room;
} merger;

static int node_of_end(const merger *m, int e)
{
    return m->g->branch[e / 2].node[e % 2];
}

/* ----------------------------------------------------------------------------------- directions */

static rs_xy outward_direction(const merger *m, int e)
{
    const rs_wall_line *line = &m->g->branch[e / 2].line;
    const rs_xy *s = m->smooth + line->first;
    int last = line->count - 1, reach = (int)m->options->reach;
    int far = reach < last ? reach : last;
    int near = far / 4 < 2 ? far / 4 : 2; /* right at a junction the skeleton is bent */
    rs_xy a = e % 2 ? s[last - near] : s[near], b = e % 2 ? s[last - far] : s[far];
    double x = b.x - a.x, y = b.y - a.y, size = hypot(x, y);
    if (!(size > 0)) return (rs_xy){0, 0};
    return (rs_xy){x / size, y / size};
}

/* The turn of a wall that comes in by end a and leaves by end b. */
static double turn_between(const merger *m, int a, int b)
{
    rs_xy u = m->outward[a], v = m->outward[b];
    return fabs(atan2(u.x * v.y - u.y * v.x, -(u.x * v.x + u.y * v.y)));
}

/* -------------------------------------------------------------------------------------- bridges */

static int root(const merger *m, int node)
{
    while (m->group[node] != node) node = m->group[node] = m->group[m->group[node]];
    return node;
}

static bool is_bridge(const rs_wallgraph *g, const rs_branch *b)
{
    if (b->node[0] < 0 || b->node[0] == b->node[1]) return false;
    for (int e = 0; e < 2; e++)
        if (g->node[b->node[e]].kind != RS_NODE_JUNCTION) return false;
    return b->line.length_px <= 3 || b->line.length <= 2 * b->line.width; /* false for NaN */
}

static void find_bridges(merger *m)
{
    for (int i = 0; i < m->g->nodes; i++) m->group[i] = i;
    for (int i = 0; i < m->g->branches; i++) {
        const rs_branch *b = &m->g->branch[i];
        m->bridge[i] = is_bridge(m->g, b);
        if (!m->bridge[i]) continue;
        int r = root(m, b->node[0]), s = root(m, b->node[1]);
        if (r < s)
            m->group[s] = r;
        else
            m->group[r] = s;
    }
}

/* Lists the ends of each node, and by group those at junctions that may be joined. */
static void list_ends(merger *m)
{
    rs_wallgraph *g = m->g;
    memset(m->first, 0, ((size_t)g->nodes + 1) * sizeof *m->first);
    for (int e = 0; e < 2 * g->branches; e++)
        if (node_of_end(m, e) >= 0) m->first[node_of_end(m, e)]++;
    for (int i = 0, sum = 0; i <= g->nodes; i++) {
        int n = i < g->nodes ? m->first[i] : 0;
        m->first[i] = sum;
        sum += n;
    }
    for (int i = 0; i < g->nodes; i++) m->queue[i] = m->first[i];
    for (int e = 0; e < 2 * g->branches; e++)
        if (node_of_end(m, e) >= 0) m->end_at[m->queue[node_of_end(m, e)]++] = e;
    /* By group: nodes in the order of their roots. came_from counts, queue places. */
    memset(m->came_from, 0, (size_t)g->nodes * sizeof *m->came_from);
    for (int e = 0; e < 2 * g->branches; e++) {
        int node = node_of_end(m, e);
        if (node < 0 || m->bridge[e / 2] || g->node[node].kind != RS_NODE_JUNCTION) continue;
        m->came_from[root(m, node)]++;
        m->sorted_count++;
    }
    for (int i = 0, sum = 0; i < g->nodes; i++) {
        m->queue[i] = sum;
        sum += m->came_from[i];
    }
    for (int e = 0; e < 2 * g->branches; e++) {
        int node = node_of_end(m, e);
        if (node < 0 || m->bridge[e / 2] || g->node[node].kind != RS_NODE_JUNCTION) continue;
        m->sorted[m->queue[root(m, node)]++] = e;
    }
}

/* --------------------------------------------------------------------------------------- joints */

static int by_turn(const void *x, const void *y)
{
    const joint *a = x, *b = y;
    if (a->turn != b->turn) return a->turn < b->turn ? -1 : 1;
    return a->a != b->a ? a->a - b->a : a->b - b->b;
}

/* The pixel of an end. */
static rs_pixel pixel_of_end(const merger *m, int e)
{
    const rs_wall_line *line = &m->g->branch[e / 2].line;
    return m->g->pixel[line->first + (e % 2 ? line->count - 1 : 0)];
}

/* True when two ends are no farther apart than those of a bridge. Where walls are dense, one bridge
 * leads to the next, and branches from one end of the net to the other would be joined. */
static bool are_near(const merger *m, int a, int b)
{
    const rs_grid *grid = &m->g->grid;
    const double u = m->g->branch[a / 2].line.width, v = m->g->branch[b / 2].line.width;
    const double pixel = sqrt(grid->dx) * sqrt(grid->dy);
    const double limit = fmax(5 * pixel, 2 * fmin(u, v));
    return rs_pixel_distance(grid, pixel_of_end(m, a), pixel_of_end(m, b)) <= limit;
}

/* Joins the ends sorted[from..to) of one group. */
static reshed_status join_group(merger *m, int from, int to, reshed_error *err)
{
    size_t n = 0;
    for (int pass = 0;; pass++) {
        joint *list = NULL;
        if (pass) {
            list = rs_alloc(n, sizeof *list);
            if (!list) return rs_fail_nomem(err, "pairs of branches", n * sizeof *list);
        }
        n = 0;
        for (int i = from; i < to; i++)
            for (int k = i + 1; k < to; k++) {
                int a = m->sorted[i], b = m->sorted[k];
                double turn = turn_between(m, a, b);
                if (!(turn <= m->options->turn)) continue;
                if (m->options->near_joints && !are_near(m, a, b)) continue;
                if (pass) list[n] = (joint){a, b, turn};
                n++;
            }
        if (!pass) continue;
        qsort(list, n, sizeof *list, by_turn);
        for (size_t i = 0; i < n; i++) {
            if (m->mate[list[i].a] >= 0 || m->mate[list[i].b] >= 0) continue;
            m->mate[list[i].a] = list[i].b;
            m->mate[list[i].b] = list[i].a;
        }
        rs_free(list);
        return RESHED_OK;
    }
}

static reshed_status join_all(merger *m, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int from = 0, to; from < m->sorted_count && st == RESHED_OK; from = to) {
        int group = root(m, node_of_end(m, m->sorted[from]));
        for (to = from + 1; to < m->sorted_count;) {
            if (root(m, node_of_end(m, m->sorted[to])) != group) break;
            to++;
        }
        st = join_group(m, from, to, err);
    }
    return st;
}

/* --------------------------------------------------------------------------------------- chains */

static reshed_status add_pixel(merger *m, rs_pixel p, reshed_error *err)
{
    rs_wallgraph *g = m->g;
    if (g->pixels == m->pixel_room) {
        int more = 2 * m->pixel_room + 64;
        rs_pixel *grown = rs_regrow(g->pixel, (size_t)g->pixels, (size_t)more, sizeof *grown);
        if (!grown) return rs_fail_nomem(err, "pixels of walls", (size_t)more * sizeof *grown);
        g->pixel = grown;
        m->pixel_room = more;
    }
    g->pixel[g->pixels++] = p;
    return RESHED_OK;
}

/* Adds the pixels of a junction that lead from the last pixel of the run to `to`, without `to`: the
 * fewest, searched from `to` backwards. Nothing when the two are neighbours. */
static reshed_status cross_junction(merger *m, rs_pixel to, reshed_error *err)
{
    rs_wallgraph *g = m->g;
    int width = g->grid.width, height = g->grid.height, head = 0, tail = 0;
    rs_pixel from = g->pixel[g->pixels - 1];
    if (abs(from.row - to.row) <= 1 && abs(from.col - to.col) <= 1) return RESHED_OK;
    int32_t goal = from.row * width + from.col, start = to.row * width + to.col;
    m->way[start] = start;
    m->found[tail++] = start;
    while (head < tail && m->way[goal] < 0) {
        int32_t p = m->found[head++];
        int row = p / width, col = p % width;
        for (int k = 0; k < 9; k++) {
            int r = row + k / 3 - 1, c = col + k % 3 - 1;
            if (r < 0 || c < 0 || r >= height || c >= width) continue;
            int32_t q = r * width + c;
            if (!g->skeleton[q] || m->inner[q] || m->way[q] >= 0) continue;
            m->way[q] = p;
            m->found[tail++] = q;
        }
    }
    reshed_status st = RESHED_OK;
    for (int32_t p = m->way[goal]; p >= 0 && p != start && st == RESHED_OK; p = m->way[p])
        st = add_pixel(m, (rs_pixel){p / width, p % width}, err);
    while (tail > 0) m->way[m->found[--tail]] = -1;
    return st;
}

/* Adds the pixels of branch e/2 from end e to its other end; a pixel equal to the last one of the
 * run that began at `run` is not repeated. */
static reshed_status add_branch_pixels(merger *m, int e, int run, reshed_error *err)
{
    rs_wallgraph *g = m->g;
    rs_wall_line line = g->branch[e / 2].line;
    m->used[e / 2] = true;
    for (int i = 0; i < line.count; i++) {
        rs_pixel p = g->pixel[line.first + (e % 2 ? line.count - 1 - i : i)];
        reshed_status st = RESHED_OK;
        if (g->pixels > run) {
            rs_pixel last = g->pixel[g->pixels - 1];
            if (last.row == p.row && last.col == p.col) continue;
            st = cross_junction(m, p, err);
        }
        if (st == RESHED_OK) st = add_pixel(m, p, err);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

/* Marks the pixels of branches but those at junctions. */
static void mark_inner(merger *m)
{
    const rs_wallgraph *g = m->g;
    for (int b = 0; b < g->branches; b++) {
        const rs_branch *branch = &g->branch[b];
        for (int i = 0; i < branch->line.count; i++) {
            int end = i == 0 ? 0 : i == branch->line.count - 1 ? 1 : -1;
            int node = end < 0 ? -1 : branch->node[end];
            rs_pixel p = g->pixel[branch->line.first + i];
            if (node < 0 || g->node[node].kind != RS_NODE_JUNCTION)
                m->inner[(size_t)p.row * (size_t)g->grid.width + (size_t)p.col] = 1;
        }
    }
}

/* Adds the bridges on the way between two nodes of one group, the fewest (breadth first). */
static reshed_status add_bridges(merger *m, int from, int to, int run, reshed_error *err)
{
    int head = 0, tail = 0;
    if (from == to) return RESHED_OK;
    for (int i = 0; i < m->g->nodes; i++) m->came_from[i] = -1;
    m->queue[tail++] = to; /* backwards, so that the way is then read off forwards */
    while (head < tail && m->came_from[from] < 0) {
        int node = m->queue[head++];
        for (int k = m->first[node]; k < m->first[node + 1]; k++) {
            int e = m->end_at[k], other = node_of_end(m, e ^ 1);
            if (!m->bridge[e / 2] || other == to || m->came_from[other] >= 0) continue;
            m->came_from[other] = e ^ 1;
            m->queue[tail++] = other;
        }
    }
    reshed_status st = RESHED_OK;
    for (int node = from; node != to && st == RESHED_OK;) {
        int e = m->came_from[node];
        st = add_branch_pixels(m, e, run, err);
        node = node_of_end(m, e ^ 1);
    }
    return st;
}

static rs_wall_end end_of(const merger *m, int e)
{
    int node = node_of_end(m, e);
    if (node < 0) return RS_END_CLOSED;
    switch (m->g->node[node].kind) {
    case RS_NODE_JUNCTION: return RS_END_JUNCTION;
    case RS_NODE_BORDER: return RS_END_BORDER;
    case RS_NODE_END:
    case RS_NODE_ISOLATED: break;
    }
    return RS_END_FREE;
}

static reshed_status add_wall(merger *m, int first, int count, rs_wall_end a, rs_wall_end b,
                              reshed_error *err)
{
    rs_wallgraph *g = m->g;
    if (g->walls == m->wall_room) {
        int more = 2 * m->wall_room + 64;
        rs_wall *grown = rs_regrow(g->wall, (size_t)g->walls, (size_t)more, sizeof *grown);
        if (!grown) return rs_fail_nomem(err, "walls", (size_t)more * sizeof *grown);
        g->wall = grown;
        m->wall_room = more;
    }
    g->wall[g->walls++] = (rs_wall){.line = {.first = first, .count = count},
                                    .end = {a, b},
                                    .pair = -1,
                                    .family = -1,
                                    .kind = -1,
                                    .sure = NAN};
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- corners */

/* True where the line turns sharply at i, and nowhere within reach more so. */
static bool is_corner(const double *turn, int n, bool closed, int i, int reach, double limit)
{
    if (!(turn[i] > limit)) return false;
    for (int k = -reach; k <= reach; k++) {
        int j = i + k;
        if (closed)
            j = ((j % n) + n) % n;
        else if (j < 0 || j >= n)
            continue;
        if (turn[j] > turn[i] || (turn[j] == turn[i] && j < i)) return false;
    }
    return true;
}

/* Turns the run round so that pixel k comes first, and repeats it at the end. */
static reshed_status open_ring(merger *m, int run, int k, reshed_error *err)
{
    rs_wallgraph *g = m->g;
    int n = g->pixels - run;
    reshed_status st = RESHED_OK;
    for (int i = 0; i <= n && st == RESHED_OK; i++)
        st = add_pixel(m, g->pixel[run + (k + i) % n], err);
    if (st != RESHED_OK) return st;
    memmove(g->pixel + run, g->pixel + run + n, ((size_t)n + 1) * sizeof *g->pixel);
    g->pixels -= n;
    return RESHED_OK;
}

/* Makes walls of the run of pixels that begins at `run`, cut at its corners. */
static reshed_status cut_run(merger *m, int run, bool closed, rs_wall_end a, rs_wall_end b,
                             reshed_error *err)
{
    rs_wallgraph *g = m->g;
    int n = g->pixels - run, reach = (int)m->options->reach, from = 0, cuts = 0;
    reshed_status st = RESHED_OK;
    rs_xy *smooth = rs_alloc((size_t)n, sizeof *smooth);
    double *turn = rs_alloc((size_t)n, sizeof *turn);
    bool *cut = rs_zalloc((size_t)n + 1, sizeof *cut);
    if (!smooth || !turn || !cut) {
        st = rs_fail_nomem(err, "corners", (size_t)n * (sizeof *smooth + sizeof *turn + 1));
        goto done;
    }
    rs_line_smooth(&g->grid, g->pixel + run, n, closed, smooth);
    for (int i = 0; i < n; i++) turn[i] = rs_line_turn(smooth, n, closed, i, reach);
    for (int i = 0; n > 2 * reach && i < n; i++) {
        cut[i] = is_corner(turn, n, closed, i, reach, m->options->corner);
        cuts += cut[i];
    }
    int shift = 0, ring = n; /* pixel i of the opened run was pixel (i + shift) % ring */
    if (closed && cuts) {
        while (!cut[shift]) shift++;
        st = open_ring(m, run, shift, err);
        if (st != RESHED_OK) goto done;
        a = b = RS_END_CORNER;
        n++;
    }
    for (int i = 1; i < n - 1 && st == RESHED_OK; i++) {
        if (!cut[(i + shift) % ring]) continue;
        st = add_wall(m, run + from, i - from + 1, from ? RS_END_CORNER : a, RS_END_CORNER, err);
        from = i;
    }
    if (st == RESHED_OK) st = add_wall(m, run + from, n - from, from ? RS_END_CORNER : a, b, err);
done:
    rs_free(cut);
    rs_free(turn);
    rs_free(smooth);
    return st;
}

/* Makes the wall that begins at end e and follows the mates. */
static reshed_status follow(merger *m, int e, reshed_error *err)
{
    int run = m->g->pixels, begin = e;
    bool closed = node_of_end(m, e) < 0;
    reshed_status st = add_branch_pixels(m, e, run, err);
    while (st == RESHED_OK && !closed) {
        int next = m->mate[e ^ 1];
        if (next < 0) break;
        closed = next == begin;
        st = add_bridges(m, node_of_end(m, e ^ 1), node_of_end(m, next), run, err);
        if (st != RESHED_OK || closed) break;
        st = add_branch_pixels(m, next, run, err);
        e = next;
    }
    if (st != RESHED_OK) return st;
    if (!closed) return cut_run(m, run, false, end_of(m, begin), end_of(m, e ^ 1), err);
    st = cross_junction(m, m->g->pixel[run], err);
    if (st != RESHED_OK) return st;
    rs_pixel first = m->g->pixel[run], last = m->g->pixel[m->g->pixels - 1];
    if (m->g->pixels - run > 1 && first.row == last.row && first.col == last.col) m->g->pixels--;
    return cut_run(m, run, true, RS_END_CLOSED, RS_END_CLOSED, err);
}

static reshed_status follow_all(merger *m, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    /* Chains with an end first, then rings, then bridges that no wall passes over. */
    for (int round = 0; round < 3; round++)
        for (int e = 0; e < 2 * m->g->branches && st == RESHED_OK; e++) {
            if (m->used[e / 2] || (round < 2 && m->bridge[e / 2])) continue;
            if (round == 0 && (m->mate[e] >= 0 || node_of_end(m, e) < 0)) continue;
            st = follow(m, e, err);
        }
    return st;
}

/* ---------------------------------------------------------------------------------------- whole */

reshed_status rs_merge_walls(rs_wallgraph *graph, const rs_xy *smooth,
                             const rs_wallgraph_options *options, reshed_error *err)
{
    size_t branches = (size_t)graph->branches, nodes = (size_t)graph->nodes;
    size_t area = rs_grid_count(&graph->grid);
    merger m = {.g = graph, .smooth = smooth, .options = options, .pixel_room = graph->pixels};
    reshed_status st = RESHED_OK;
    int *ints = rs_alloc(branches * 6 + nodes * 4 + 1, sizeof *ints);
    m.outward = rs_alloc(branches * 2, sizeof *m.outward);
    m.bridge = rs_zalloc(branches * 2, sizeof *m.bridge);
    m.inner = rs_zalloc(area, sizeof *m.inner);
    m.way = rs_alloc(area, sizeof *m.way);
    m.found = rs_alloc(area, sizeof *m.found);
    if (!ints || !m.outward || !m.bridge || !m.inner || !m.way || !m.found) {
        st = rs_fail_nomem(err, "ends of branches", (branches * 6 + nodes * 4 + area * 2) * 4);
        goto done;
    }
    for (size_t i = 0; i < area; i++) m.way[i] = -1;
    mark_inner(&m);
    m.used = m.bridge + branches;
    m.mate = ints;
    m.end_at = m.mate + 2 * branches;
    m.sorted = m.end_at + 2 * branches;
    m.group = m.sorted + 2 * branches;
    m.came_from = m.group + nodes;
    m.queue = m.came_from + nodes;
    m.first = m.queue + nodes;
    for (int e = 0; e < 2 * graph->branches; e++) {
        m.mate[e] = -1;
        m.outward[e] = outward_direction(&m, e);
    }
    find_bridges(&m);
    list_ends(&m);
    st = join_all(&m, err);
    if (st == RESHED_OK) st = follow_all(&m, err);
done:
    rs_free(m.found);
    rs_free(m.way);
    rs_free(m.inner);
    rs_free(m.bridge);
    rs_free(m.outward);
    rs_free(ints);
    if (st != RESHED_OK) {
        rs_free(graph->wall);
        graph->wall = NULL;
        graph->walls = 0;
    }
    return st;
}
