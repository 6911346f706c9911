/* Thinning peels a blunt end from three sides, and what is left of the last piece of a line depends
 * on the direction of the wall: it stops short of the end by up to the wall's width, or it bends
 * into a corner. For the bar of width w and length l the middle line of its shape ends w/2 before
 * either end, and this is what is drawn here:
 *
 *      ---------------------------+
 *                                 |       s s s s   the line, as far as it is sure
 *      s s s s s s q . . . e      |  w    q         the last pixel that is sure
 *                            x    |       . . . e   drawn anew
 *      ---------------------------+       x         the end of the thinned line, erased
 *
 * A line is sure from a width and a pixel on. The width is measured across the sure part. */
#include "imgproc/walls/graph/ends.h"

#include <math.h>
#include <stdlib.h>

#include "base/numeric.h"
#include "imgproc/walls/graph/line.h"

enum { WINDOW = 12, LEAST = 4 }; /* pixels of the sure part that tell the direction */
#define THIN 2.5  /* pixels: no end is drawn on a wall less wide, which has no corners */
#define ROUGH 2.9 /* pixels */
#define STEP 0.25 /* pixels, of the way to an edge */

/* A line seen from one end: pixel 0 is the last one. */
typedef struct view {
    const rs_grid *grid;
    const rs_pixel *pixel;
    int step, n;
} view;

typedef struct end {
    int sure;      /* the first pixel that stays */
    double dr, dc; /* outward, a unit vector in pixels */
    double way;    /* pixels from there to the end that is drawn */
} end;

static rs_pixel pixel_at(const view *v, int i)
{
    return v->pixel[v->step * i];
}

static size_t index_of(const rs_grid *grid, rs_pixel p)
{
    return (size_t)p.row * (size_t)grid->width + (size_t)p.col;
}

static bool inside(const rs_grid *grid, double row, double col)
{
    return row > -0.5 && col > -0.5 && row < grid->height - 0.5 && col < grid->width - 0.5;
}

/* Pixels from a place to the edge of the mask in a direction. *leaves: the frame ends before it. */
static double way_out(const rs_grid *grid, const uint8_t *mask, double row, double col, double dr,
                      double dc, bool *leaves)
{
    double t = 0;
    *leaves = false;
    for (;; t += STEP) {
        const double r = row + t * dr, c = col + t * dc;
        *leaves = !inside(grid, r, c);
        if (*leaves) return t;
        if (!mask[index_of(grid, (rs_pixel){(int)lround(r), (int)lround(c)})]) break;
    }
    return t - STEP / 2;
}

/* The number of pixels that are not sure: their way is longer than the wall is wide there. */
static int unsure(const view *v, const double *depth)
{
    const double pixel = sqrt(v->grid->dx) * sqrt(v->grid->dy);
    double way = 0, deepest = 0;
    for (int i = 0; i < v->n; i++) {
        const rs_pixel p = pixel_at(v, i);
        if (i) way += rs_pixel_distance(v->grid, pixel_at(v, i - 1), p);
        deepest = fmax(deepest, depth[index_of(v->grid, p)]);
        if (way > 2 * deepest + pixel) return i;
    }
    return v->n;
}

static double middle(double *v, int n)
{
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && v[k] < v[k - 1]; k--) {
            const double x = v[k];
            v[k] = v[k - 1];
            v[k - 1] = x;
        }
    return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

/* Finds where the end should be; false when the line does not tell. */
static bool find_end(const view *v, const uint8_t *mask, const double *depth, end *out)
{
    const int sure = unsure(v, depth);
    const int n = rs_min_int(v->n - sure, WINDOW);
    if (n < LEAST) return false;
    double row = 0, col = 0;
    for (int i = 0; i < n; i++) {
        row += (double)pixel_at(v, sure + i).row / n;
        col += (double)pixel_at(v, sure + i).col / n;
    }
    double rr = 0, rc = 0, cc = 0;
    for (int i = 0; i < n; i++) {
        const double r = pixel_at(v, sure + i).row - row, c = pixel_at(v, sure + i).col - col;
        rr += r * r;
        rc += r * c;
        cc += c * c;
    }
    const double angle = atan2(2 * rc, cc - rr) / 2; /* of the long axis, from +column to +row */
    const rs_pixel q = pixel_at(v, sure);
    double dr = sin(angle), dc = cos(angle);
    if ((q.row - row) * dr + (q.col - col) * dc < 0) dr = -dr, dc = -dc;
    const double at = (q.row - row) * dr + (q.col - col) * dc;
    double across[WINDOW];
    bool frame;
    for (int i = 0; i < n; i++) {
        const double t = at * (1 - 2.0 * i / (n - 1)), r = row + t * dr, c = col + t * dc;
        across[i] = way_out(v->grid, mask, r, c, dc, -dr, &frame) +
                    way_out(v->grid, mask, r, c, -dc, dr, &frame);
    }
    const double width = middle(across, n);
    if (width < THIN) return false;
    double edge[3]; /* on three ways */
    bool leaves = false;
    for (int k = 0; k < 3; k++) {
        const double side = (k - 1) * width / 4;
        edge[k] = way_out(v->grid, mask, row + at * dr + side * dc, col + at * dc - side * dr, dr,
                          dc, &frame);
        leaves = leaves || frame;
    }
    const double least = fmin(edge[0], edge[1]), most = fmax(edge[0], edge[1]);
    /* The middle one; of a thin wall, whose rough sides two of them may meet, the longest. */
    const double far = width < ROUGH ? fmax(most, edge[2]) : fmax(least, fmin(most, edge[2]));
    *out = (end){sure, dr, dc, leaves ? far - 0.5 : far - width / 2};
    /* Thinning does not move an end by more than the width: if so, this is no plain end. */
    const rs_pixel tip = pixel_at(v, 0);
    const double moved = hypot(q.row + out->way * dr - tip.row, q.col + out->way * dc - tip.col);
    return out->way >= 0 && (leaves || moved <= width + 1);
}

/* True when a pixel touches one of the skeleton besides `but`. */
static bool touches(const rs_wallgraph *g, rs_pixel p, rs_pixel but)
{
    for (int k = 0; k < 9; k++) {
        const int r = p.row + k / 3 - 1, c = p.col + k % 3 - 1;
        if (r < 0 || c < 0 || r >= g->grid.height || c >= g->grid.width) continue;
        if (r == but.row && c == but.col) continue;
        if (g->skeleton[index_of(&g->grid, (rs_pixel){r, c})]) return true;
    }
    return false;
}

/* Pixel k of the straight line from q. */
static rs_pixel straight(rs_pixel q, const end *e, int k)
{
    const double most = fmax(fabs(e->dr), fabs(e->dc));
    return (rs_pixel){q.row + (int)lround(k * e->dr / most), q.col + (int)lround(k * e->dc / most)};
}

/* Draws the end, or leaves the line as it was; true when drawn. */
static bool draw(rs_wallgraph *g, const view *v, const uint8_t *mask, const end *e)
{
    const rs_pixel q = pixel_at(v, e->sure);
    const int steps = (int)lround(e->way * fmax(fabs(e->dr), fabs(e->dc)));
    for (int i = 0; i < e->sure; i++) g->skeleton[index_of(v->grid, pixel_at(v, i))] = 0;
    rs_pixel before = q;
    int k = 1;
    for (; k <= steps; k++) {
        const rs_pixel p = straight(q, e, k);
        if (!inside(v->grid, p.row, p.col) || !mask[index_of(v->grid, p)]) break;
        if (touches(g, p, before)) break;
        before = p;
        g->skeleton[index_of(v->grid, p)] = 1;
    }
    if (k > steps) return true;
    while (--k > 0) g->skeleton[index_of(v->grid, straight(q, e, k))] = 0;
    for (int i = 0; i < e->sure; i++) g->skeleton[index_of(v->grid, pixel_at(v, i))] = 1;
    return false;
}

/* The pixels of a line without those in the other wall that it begins at. */
static int own_pixels(const rs_wallgraph *g, const rs_branch *b, int e, const double *depth)
{
    const rs_grid *grid = &g->grid;
    if (g->node[b->node[e]].kind != RS_NODE_JUNCTION) return b->line.count;
    const rs_pixel at = g->pixel[b->line.first + (e ? b->line.count - 1 : 0)];
    const double inside = depth[index_of(grid, at)] / (sqrt(grid->dx) * sqrt(grid->dy));
    return b->line.count - (int)fmin(ceil(inside), b->line.count);
}

static bool is_free(const rs_wallgraph *g, const rs_branch *b, int e)
{
    const rs_node_kind kind = g->node[b->node[e]].kind;
    return kind == RS_NODE_END || kind == RS_NODE_BORDER;
}

int rs_redraw_ends(rs_wallgraph *g, const uint8_t *mask, const double *depth)
{
    int drawn = 0;
    for (int i = 0; i < g->branches; i++) {
        const rs_branch *b = &g->branch[i];
        const rs_pixel *line = g->pixel + b->line.first;
        if (b->node[0] < 0) continue;
        const view v[2] = {{&g->grid, line, 1, own_pixels(g, b, 1, depth)},
                           {&g->grid, line + b->line.count - 1, -1, own_pixels(g, b, 0, depth)}};
        end e[2];
        bool ok[2];
        for (int k = 0; k < 2; k++) ok[k] = is_free(g, b, k) && find_end(&v[k], mask, depth, &e[k]);
        if (ok[0] && ok[1] && e[0].sure + e[1].sure + LEAST > b->line.count) continue;
        for (int k = 0; k < 2; k++)
            if (ok[k] && draw(g, &v[k], mask, &e[k])) drawn++;
    }
    return drawn;
}
