/* An a-domain in a c-film is a plate with two nearly parallel faces, so its two walls see each
 * other. From every pixel of a wall we look along its normal, to both sides, for the first other
 * wall; two walls that see each other along enough of the shorter one, and farther than they are
 * apart, are candidates. The gap between two neighbouring a-domains looks the same, so candidates
 * compete: the most plate-like is taken first, which is the longest for its width, and since the
 * in-plane material lies on one side of a wall, a wall that has been taken is open on that side
 * only. (There it may have a second partner, when the opposite face is drawn as several walls.)
 * With an amplitude image the darkness of the plate counts as well, because the vertical response
 * of in-plane material is small, and what is brighter than its surroundings is no a-domain. */
#include "imgproc/walls/graph/pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/graph/line.h"

#define PARALLEL 0.43 /* sine of the largest angle between two faces: 25 degrees */
#define TANGENT_REACH 5
#define DOMAIN_PIXELS 24
#define BEHIND 6 /* steps of half a pixel */

/* The part of wall b that the pixels of wall a face on one side. */
typedef struct facing {
    int a, b, side;
    int hits, from, to;  /* pixels of a */
    double length;       /* metres of a */
    double sum, squares; /* of the separations */
    double inside, outside;
    int amplitudes;
} facing;

typedef struct candidate {
    const facing *a, *b;
    double separation, merit;
} candidate;

typedef struct pairer {
    rs_wallgraph *g;
    const float *amplitude;
    double far;     /* metres */
    int32_t *place; /* [H,W] index of a pixel in its wall's line, -1 elsewhere */
    rs_xy *tangent; /* [pixels] where walls have their pixels */
    rs_xy *smooth;  /* [pixels] */
    int *slot;      /* [2*walls] facing of this wall with (wall,side), or -1 */
    facing *list;   /* in the order of a */
    int *first;     /* [walls+1] where a wall's begin */
    int count, room;
} pairer;

static size_t index_of(const rs_grid *grid, int row, int col)
{
    return (size_t)row * (size_t)grid->width + (size_t)col;
}

static bool on_grid(const rs_grid *grid, double row, double col)
{
    return row > -0.5 && col > -0.5 && row < grid->height - 0.5 && col < grid->width - 0.5;
}

/* ----------------------------------------------------------------------------------------- rays */

typedef struct ray {
    double row, col, drow, dcol; /* of a step of half a pixel */
    double step;                 /* metres */
} ray;

static ray ray_from(const rs_grid *grid, rs_pixel p, rs_xy direction)
{
    double dc = direction.x / grid->dx, dr = -direction.y / grid->dy;
    double scale = 0.5 / fmax(fabs(dc), fabs(dr));
    return (ray){p.row, p.col, dr * scale, dc * scale, scale};
}

/* The first pixel of another wall that the ray from wall `self` meets within `far` metres; false
 * when it meets none, the edge of the map, or its own wall again. */
static bool look(const pairer *m, int self, const ray *r, rs_pixel *hit)
{
    const rs_grid *grid = &m->g->grid;
    int row = (int)lround(r->row), col = (int)lround(r->col);
    for (int k = 1; k * r->step <= m->far + r->step; k++) {
        double y = r->row + k * r->drow, x = r->col + k * r->dcol;
        if (!on_grid(grid, y, x)) return false;
        int next_row = (int)lround(y), next_col = (int)lround(x);
        /* A diagonal move could slip through a diagonal line: look at a pixel beside it too. */
        bool diagonal = next_row != row && next_col != col;
        for (int beside = diagonal ? 0 : 1; beside < 2; beside++) {
            int at_col = beside ? next_col : col;
            int32_t w = m->g->wall_at[index_of(grid, next_row, at_col)];
            if (w == self && k > 4) return false;
            if (w < 0 || w == self) continue;
            *hit = (rs_pixel){next_row, at_col};
            return true;
        }
        row = next_row;
        col = next_col;
    }
    return false;
}

/* Adds the amplitude at k steps along the ray to *sum. */
static bool add_amplitude(const pairer *m, const ray *r, double k, double *sum)
{
    double row = r->row + k * r->drow, col = r->col + k * r->dcol;
    if (!m->amplitude || !on_grid(&m->g->grid, row, col)) return false;
    float v = m->amplitude[index_of(&m->g->grid, (int)lround(row), (int)lround(col))];
    if (!isfinite(v)) return false;
    *sum += v;
    return true;
}

static reshed_status note_hit(pairer *m, int a, int i, int side, const ray *r, rs_pixel hit,
                              rs_xy normal, reshed_error *err)
{
    rs_wallgraph *g = m->g;
    const rs_wall_line *line = &g->wall[a].line;
    int b = g->wall_at[index_of(&g->grid, hit.row, hit.col)];
    int32_t place = m->place[index_of(&g->grid, hit.row, hit.col)];
    if (place < 0) return RESHED_OK;
    rs_xy u = m->tangent[line->first + i], v = m->tangent[g->wall[b].line.first + place];
    if (!(fabs(u.x * v.y - u.y * v.x) <= PARALLEL)) return RESHED_OK;
    rs_xy p = rs_pixel_xy(&g->grid, g->pixel[line->first + i]), q = rs_pixel_xy(&g->grid, hit);
    double across = (q.x - p.x) * normal.x + (q.y - p.y) * normal.y;
    if (across > m->far) return RESHED_OK;

    int *slot = &m->slot[2 * b + side];
    if (*slot < 0) {
        if (m->count == m->room) {
            int more = 2 * m->room + 64;
            facing *grown = rs_regrow(m->list, (size_t)m->count, (size_t)more, sizeof *grown);
            if (!grown) return rs_fail_nomem(err, "facing walls", (size_t)more * sizeof *grown);
            m->list = grown;
            m->room = more;
        }
        *slot = m->count;
        m->list[m->count++] = (facing){.a = a, .b = b, .side = side, .from = i};
    }
    facing *f = &m->list[*slot];
    f->hits++;
    f->to = i;
    f->sum += across;
    f->squares += across * across;
    const rs_xy *s = m->smooth + line->first;
    int before = i > 0 ? i - 1 : i, after = i < line->count - 1 ? i + 1 : i;
    f->length += hypot(s[after].x - s[before].x, s[after].y - s[before].y) / 2;
    /* Half-way between the walls, and close behind this one: the next domain may be near. */
    double middle = across / r->step / 2, behind = fmin(middle, BEHIND), in = 0, out = 0;
    if (add_amplitude(m, r, middle, &in) && add_amplitude(m, r, -behind, &out)) {
        f->inside += in;
        f->outside += out;
        f->amplitudes++;
    }
    return RESHED_OK;
}

static reshed_status look_around(pairer *m, int a, reshed_error *err)
{
    const rs_wall_line *line = &m->g->wall[a].line;
    for (int i = 0; i < line->count; i++) {
        rs_xy t = m->tangent[line->first + i];
        if (t.x == 0 && t.y == 0) continue;
        for (int side = 0; side < 2; side++) {
            rs_xy normal = side ? (rs_xy){t.y, -t.x} : (rs_xy){-t.y, t.x};
            ray r = ray_from(&m->g->grid, m->g->pixel[line->first + i], normal);
            rs_pixel hit;
            if (!look(m, a, &r, &hit)) continue;
            reshed_status st = note_hit(m, a, i, side, &r, hit, normal, err);
            if (st != RESHED_OK) return st;
        }
    }
    for (int k = m->first[a]; k < m->count; k++) m->slot[2 * m->list[k].b + m->list[k].side] = -1;
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- choosing */

/* Returns the part of a that b faces, on the side where that is longest; NULL for none. */
static const facing *faced_back(const pairer *m, const facing *f)
{
    const facing *best = NULL;
    for (int k = m->first[f->b]; k < m->first[f->b + 1]; k++)
        if (m->list[k].b == f->a && (!best || m->list[k].length > best->length)) best = &m->list[k];
    return best;
}

static double both_contrast(const facing *a, const facing *b)
{
    double in = a->inside + b->inside, out = a->outside + b->outside;
    return a->amplitudes + b->amplitudes && in + out > 0 ? (in - out) / (in + out) : NAN;
}

static double cover(const rs_wallgraph *g, const facing *a, const facing *b)
{
    double shorter = fmin(g->wall[a->a].line.length, g->wall[b->a].line.length);
    return fmin(1, fmin(a->length, b->length) / shorter);
}

static int best_first(const void *x, const void *y)
{
    const candidate *a = x, *b = y;
    if (a->merit != b->merit) return a->merit > b->merit ? -1 : 1;
    if (a->a->a != b->a->a) return a->a->a - b->a->a;
    return a->a->b != b->a->b ? a->a->b - b->a->b : a->a->side - b->a->side;
}

static int find_candidates(const pairer *m, double least_cover, candidate *out)
{
    int n = 0;
    for (int k = 0; k < m->count; k++) {
        const facing *a = &m->list[k], *b = a->a < a->b ? faced_back(m, a) : NULL;
        if (!b || cover(m->g, a, b) < least_cover) continue;
        candidate c = {a, b, (a->sum + b->sum) / (a->hits + b->hits), 0};
        double overlap = (a->length + b->length) / 2, contrast = both_contrast(a, b);
        if (overlap < c.separation || contrast >= 0) continue;
        c.merit = overlap / c.separation * (isnan(contrast) ? 1 : -contrast);
        out[n++] = c;
    }
    qsort(out, (size_t)n, sizeof *out, best_first);
    return n;
}

static rs_wall_pair pair_of(const rs_wallgraph *g, const candidate *c)
{
    const facing *a = c->a, *b = c->b;
    int n = a->hits + b->hits;
    double mean = c->separation;
    return (rs_wall_pair){
        .wall = {a->a, b->a},
        .from = {a->from, b->from},
        .to = {a->to, b->to},
        .separation = mean,
        .separation_sd =
            n > 1 ? sqrt(fmax(0, (a->squares + b->squares - n * mean * mean) / (n - 1))) : NAN,
        .overlap = (a->length + b->length) / 2,
        .cover = cover(g, a, b),
        .contrast = both_contrast(a, b),
    };
}

static reshed_status choose(pairer *m, double least_cover, reshed_error *err)
{
    rs_wallgraph *g = m->g;
    reshed_status st = RESHED_OK;
    candidate *list = rs_alloc((size_t)m->count, sizeof *list);
    g->pair = rs_alloc((size_t)m->count, sizeof *g->pair);
    if (!list || !g->pair) {
        st = rs_fail_nomem(err, "pairs of walls", (size_t)m->count * sizeof *g->pair);
        rs_free(g->pair);
        g->pair = NULL;
        goto done;
    }
    int n = find_candidates(m, least_cover, list);
    int *side = m->slot; /* of the in-plane material, -1: not known yet; slot is free by now */
    for (int i = 0; i < n; i++) {
        const candidate *c = &list[i];
        int a = c->a->a, b = c->b->a;
        if ((side[a] >= 0 && side[a] != c->a->side) || (side[b] >= 0 && side[b] != c->b->side))
            continue;
        side[a] = c->a->side;
        side[b] = c->b->side;
        if (g->wall[a].pair < 0) g->wall[a].pair = g->pairs;
        if (g->wall[b].pair < 0) g->wall[b].pair = g->pairs;
        g->pair[g->pairs++] = pair_of(g, c);
    }
done:
    rs_free(list);
    return st;
}

/* Fills place, smooth and tangent. */
static void prepare(pairer *m)
{
    rs_wallgraph *g = m->g;
    size_t n = rs_grid_count(&g->grid);
    for (size_t i = 0; i < n; i++) m->place[i] = -1;
    for (int w = 0; w < g->walls; w++) {
        const rs_wall_line *line = &g->wall[w].line;
        const rs_pixel *p = g->pixel + line->first;
        rs_xy *s = m->smooth + line->first;
        bool closed = g->wall[w].end[0] == RS_END_CLOSED;
        rs_line_smooth(&g->grid, p, line->count, closed, s);
        for (int i = 0; i < line->count; i++) {
            size_t k = index_of(&g->grid, p[i].row, p[i].col);
            m->tangent[line->first + i] = rs_line_tangent(s, line->count, closed, i, TANGENT_REACH);
            if (g->wall_at[k] == w) m->place[k] = i;
        }
    }
    for (int i = 0; i < 2 * g->walls; i++) m->slot[i] = -1;
}

reshed_status rs_pair_walls(rs_wallgraph *graph, const float *amplitude,
                            const rs_wallgraph_options *options, reshed_error *err)
{
    const rs_grid *grid = &graph->grid;
    size_t n = rs_grid_count(grid), walls = (size_t)graph->walls, pixels = (size_t)graph->pixels;
    reshed_status st = RESHED_OK;
    pairer m = {.g = graph, .amplitude = amplitude};
    m.far =
        options->domain_max > 0 ? options->domain_max : DOMAIN_PIXELS * sqrt(grid->dx * grid->dy);
    m.place = rs_alloc(n, sizeof *m.place);
    m.tangent = rs_alloc(pixels, sizeof *m.tangent);
    m.smooth = rs_alloc(pixels, sizeof *m.smooth);
    m.slot = rs_alloc(walls, 2 * sizeof *m.slot);
    m.first = rs_alloc(walls + 1, sizeof *m.first);
    if (!m.place || !m.tangent || !m.smooth || !m.slot || !m.first) {
        st = rs_fail_nomem(err, "facing walls", n * sizeof *m.place + pixels * 32 + walls * 12);
        goto done;
    }
    prepare(&m);
    for (int w = 0; w < graph->walls && st == RESHED_OK; w++) {
        m.first[w] = m.count;
        st = look_around(&m, w, err);
    }
    m.first[walls] = m.count;
    if (st == RESHED_OK) st = choose(&m, options->domain_cover, err);
done:
    rs_free(m.list);
    rs_free(m.first);
    rs_free(m.slot);
    rs_free(m.smooth);
    rs_free(m.tangent);
    rs_free(m.place);
    return st;
}
