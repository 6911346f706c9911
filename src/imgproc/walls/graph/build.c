#include "imgproc/walls/graph/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/image/distance.h"
#include "imgproc/walls/graph/line.h"
#include "imgproc/walls/graph/merge.h"
#include "imgproc/walls/graph/pair.h"
#include "imgproc/walls/graph/prune.h"

/* ------------------------------------------------------------------------------------- measures */

static size_t index_of(const rs_grid *grid, rs_pixel p)
{
    return (size_t)p.row * (size_t)grid->width + (size_t)p.col;
}

/* area[H,W]: for each skeleton pixel, how many pixels of the mask have it as their nearest. */
static reshed_status share_mask(const rs_wallgraph *g, const uint8_t *mask, int32_t *area,
                                reshed_error *err)
{
    const rs_grid *grid = &g->grid;
    size_t n = rs_grid_count(grid);
    double *distance = rs_alloc(n, sizeof *distance);
    int32_t *nearest = rs_alloc(n, sizeof *nearest);
    reshed_status st = RESHED_OK;
    if (!distance || !nearest) {
        st = rs_fail_nomem(err, "distances to the walls", n * (sizeof *distance + sizeof *nearest));
        goto done;
    }
    st = rs_distance_metres(g->skeleton, grid->height, grid->width, grid->dx, grid->dy, distance,
                            nearest, err);
    if (st != RESHED_OK) goto done;
    memset(area, 0, n * sizeof *area);
    for (size_t i = 0; i < n; i++)
        if (mask[i] && nearest[i] >= 0) area[nearest[i]]++;
done:
    rs_free(nearest);
    rs_free(distance);
    return st;
}

/* Length of the line that belongs to pixel i: half of each step beside it. */
static double own_length(const rs_xy *s, int n, bool closed, int i)
{
    double sum = 0;
    int before = i > 0 ? i - 1 : closed ? n - 1 : i, after = i < n - 1 ? i + 1 : closed ? 0 : i;
    sum += hypot(s[i].x - s[before].x, s[i].y - s[before].y) / 2;
    sum += hypot(s[i].x - s[after].x, s[i].y - s[after].y) / 2;
    return sum;
}

/* The mask's area nearest to the line, over the line's length. An end, where the area beyond the
 * last pixel or of a junction comes in, is left out as far as the line is wide. The width of a
 * piece scatters with the raster; width_sd is between pieces of seven pixels. */
static void measure_width(const rs_grid *grid, const int32_t *area, const rs_pixel *p,
                          const rs_xy *s, int n, bool closed, rs_wall_line *line)
{
    enum { PIECE = 7 };
    double all = 0, length = line->length, pixel_area = grid->dx * grid->dy;
    line->width = line->width_sd = NAN;
    for (int i = 0; i < n; i++) all += area[index_of(grid, p[i])];
    if (!(length > 0)) return;
    double wide = all * pixel_area / length; /* in metres; ends included */
    int skip = closed ? 0 : (int)fmin(ceil(wide / sqrt(pixel_area)), (n - 1) / 3);
    double piece_area = 0, piece_length = 0, sum = 0, squares = 0;
    int in_piece = 0, pieces = 0;
    all = length = 0;
    for (int i = skip; i < n - skip; i++) {
        double a = area[index_of(grid, p[i])] * pixel_area, l = own_length(s, n, closed, i);
        all += a;
        length += l;
        piece_area += a;
        piece_length += l;
        if (++in_piece < PIECE) continue;
        double w = piece_area / piece_length;
        sum += w;
        squares += w * w;
        pieces++;
        in_piece = 0;
        piece_area = piece_length = 0;
    }
    if (length > 0) line->width = all / length;
    if (pieces > 1) {
        double mean = sum / pieces;
        line->width_sd = sqrt(fmax(0, (squares - pieces * mean * mean) / (pieces - 1)));
    }
}

/* Mean of a map over the pixels of a line, NaN pixels left out; NaN without a map. */
static double mean_over(const rs_grid *grid, const float *map, const rs_pixel *p, int n)
{
    double sum = 0;
    int kept = 0;
    for (int i = 0; map && i < n; i++) {
        double v = map[index_of(grid, p[i])];
        if (!isfinite(v)) continue;
        sum += v;
        kept++;
    }
    return kept ? sum / kept : NAN;
}

/* Sets everything but first and count, and smooth[line->count]. area NULL: widths are NaN. */
static void measure(const rs_wallgraph_input *in, const rs_pixel *pixel, const int32_t *area,
                    bool closed, rs_xy *smooth, rs_wall_line *line)
{
    const rs_pixel *p = pixel + line->first;
    int n = line->count;
    rs_line_smooth(&in->grid, p, n, closed, smooth);
    line->length_px = rs_chain_length(p, n, closed);
    line->length = rs_line_length(smooth, n, closed);
    line->chord = closed ? 0 : rs_pixel_distance(&in->grid, p[0], p[n - 1]);
    line->orientation = rs_line_orientation(smooth, n);
    line->probability = mean_over(&in->grid, in->probability, p, n);
    line->variance = mean_over(&in->grid, in->variance, p, n);
    if (area)
        measure_width(&in->grid, area, p, smooth, n, closed, line);
    else
        line->width = line->width_sd = NAN;
}

static reshed_status measure_walls(const rs_wallgraph_input *in, rs_wallgraph *g,
                                   const int32_t *area, reshed_error *err)
{
    int longest = 1;
    for (int w = 0; w < g->walls; w++)
        if (g->wall[w].line.count > longest) longest = g->wall[w].line.count;
    rs_xy *smooth = rs_alloc((size_t)longest, sizeof *smooth);
    if (!smooth) return rs_fail_nomem(err, "a line", (size_t)longest * sizeof *smooth);
    for (int w = 0; w < g->walls; w++)
        measure(in, g->pixel, area, g->wall[w].end[0] == RS_END_CLOSED, smooth, &g->wall[w].line);
    rs_free(smooth);
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- labels */

static int longest_first(const void *a, const void *b)
{
    const rs_wall_line *x = &((const rs_wall *)a)->line, *y = &((const rs_wall *)b)->line;
    if (x->length != y->length) return x->length > y->length ? -1 : 1;
    return x->first - y->first;
}

/* Spreads labels over the skeleton pixels without one that touch a labelled one: pixels of a
 * junction that no wall's line passes over. One sweep adds what touches the labels of the sweep
 * before, and it takes few. */
static void spread_labels(rs_wallgraph *g)
{
    const rs_grid *grid = &g->grid;
    bool again = true;
    while (again) {
        again = false;
        for (int row = 0; row < grid->height; row++)
            for (int col = 0; col < grid->width; col++) {
                size_t i = index_of(grid, (rs_pixel){row, col});
                if (!g->skeleton[i] || g->wall_at[i] >= 0) continue;
                for (int k = 0; k < 9 && g->wall_at[i] < 0; k++) {
                    int r = row + k / 3 - 1, c = col + k % 3 - 1;
                    if (r < 0 || c < 0 || r >= grid->height || c >= grid->width) continue;
                    g->wall_at[i] = g->wall_at[index_of(grid, (rs_pixel){r, c})];
                }
                again = again || g->wall_at[i] >= 0;
            }
    }
}

/* Labels the pixels of all walls, longest first; drops those shorter than min_wall. */
static void label_walls(rs_wallgraph *g, double min_wall)
{
    size_t n = rs_grid_count(&g->grid);
    int kept = g->walls;
    if (kept > 1) qsort(g->wall, (size_t)kept, sizeof *g->wall, longest_first);
    while (kept > 0 && g->wall[kept - 1].line.length < min_wall) kept--;
    for (size_t i = 0; i < n; i++) g->wall_at[i] = -1;
    for (int w = 0; w < g->walls; w++) {
        const rs_wall_line *line = &g->wall[w].line;
        for (int i = 0; i < line->count; i++) {
            size_t k = index_of(&g->grid, g->pixel[line->first + i]);
            if (w < kept && g->wall_at[k] < 0)
                g->wall_at[k] = w;
            else if (w >= kept && g->wall_at[k] < 0)
                g->skeleton[k] = 0;
        }
    }
    g->walls = kept;
    spread_labels(g);
    for (size_t i = 0; i < n; i++) g->skeleton[i] = g->wall_at[i] >= 0;
    for (int b = 0; b < g->branches; b++) {
        const rs_wall_line *line = &g->branch[b].line;
        g->branch[b].wall = g->wall_at[index_of(&g->grid, g->pixel[line->first + line->count / 2])];
    }
}

/* Sets the walls' own lengths: the steps of their lines of which at least one pixel is theirs. */
static reshed_status measure_own(rs_wallgraph *g, reshed_error *err)
{
    int longest = 1;
    for (int w = 0; w < g->walls; w++) longest = rs_max_int(longest, g->wall[w].line.count);
    rs_xy *s = rs_alloc((size_t)longest, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a line", (size_t)longest * sizeof *s);
    for (int w = 0; w < g->walls; w++) {
        const rs_wall_line *line = &g->wall[w].line;
        const rs_pixel *p = g->pixel + line->first;
        const bool closed = g->wall[w].end[0] == RS_END_CLOSED;
        double own = 0;
        rs_line_smooth(&g->grid, p, line->count, closed, s);
        for (int i = closed ? 0 : 1; i < line->count; i++) {
            const int before = i > 0 ? i - 1 : line->count - 1;
            if (g->wall_at[index_of(&g->grid, p[i])] != w &&
                g->wall_at[index_of(&g->grid, p[before])] != w)
                continue;
            own += hypot(s[i].x - s[before].x, s[i].y - s[before].y);
        }
        g->wall[w].own_length = own;
    }
    rs_free(s);
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------------------- whole */

static reshed_status measure_branches(const rs_wallgraph_input *in, rs_wallgraph *g,
                                      const int32_t *area, rs_xy **smooth, reshed_error *err)
{
    *smooth = rs_alloc((size_t)g->pixels, sizeof **smooth);
    if (!*smooth) return rs_fail_nomem(err, "lines", (size_t)g->pixels * sizeof **smooth);
    for (int b = 0; b < g->branches; b++) {
        rs_wall_line *line = &g->branch[b].line;
        measure(in, g->pixel, area, g->branch[b].node[0] < 0, *smooth + line->first, line);
    }
    return RESHED_OK;
}

static reshed_status check_input(const rs_wallgraph_input *in, const rs_wallgraph_options *options,
                                 reshed_error *err)
{
    reshed_status st = rs_grid_check(&in->grid, err);
    if (st == RESHED_OK) st = rs_wallgraph_options_check(options, err);
    if (st == RESHED_OK && !in->skeleton) st = rs_fail(err, RESHED_EINVAL, "skeleton|a map|none");
    return st;
}

reshed_status rs_wallgraph_build(const rs_wallgraph_input *in, const rs_wallgraph_options *options,
                                 rs_wallgraph *out, reshed_error *err)
{
    reshed_status st = check_input(in, options, err);
    if (st != RESHED_OK) return st;
    size_t n = rs_grid_count(&in->grid);
    rs_wallgraph g = {.grid = in->grid};
    rs_xy *smooth = NULL;
    int32_t *area = NULL;
    g.skeleton = rs_alloc(n, sizeof *g.skeleton);
    g.wall_at = rs_alloc(n, sizeof *g.wall_at);
    area = in->mask ? rs_alloc(n, sizeof *area) : NULL;
    if (!g.skeleton || !g.wall_at || (in->mask && !area)) {
        st = rs_fail_nomem(err, "a map of walls", n * (1 + 2 * sizeof *g.wall_at));
        goto done;
    }
    for (size_t i = 0; i < n; i++) g.skeleton[i] = in->skeleton[i] != 0;
    st = rs_trace_pruned(&g, options->border, options->spur, options->blunt_ends ? in->mask : NULL,
                         err);
    if (st == RESHED_OK && area) st = share_mask(&g, in->mask, area, err);
    if (st == RESHED_OK) st = measure_branches(in, &g, area, &smooth, err);
    if (st == RESHED_OK) st = rs_merge_walls(&g, smooth, options, err);
    if (st == RESHED_OK) st = measure_walls(in, &g, area, err);
    if (st != RESHED_OK) goto done;
    label_walls(&g, options->min_wall);
    st = measure_own(&g, err);
    if (st == RESHED_OK) st = rs_pair_walls(&g, in->amplitude, options, err);
done:
    rs_free(smooth);
    rs_free(area);
    if (st != RESHED_OK)
        rs_wallgraph_clear(&g);
    else
        *out = g;
    return st;
}
