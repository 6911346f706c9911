#include "support/walls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/walls/graph/build.h"

void drawing_init(drawing *d, int height, int width)
{
    size_t n = (size_t)height * (size_t)width;
    *d = (drawing){height, width, rs_zalloc(n, 1), rs_zalloc(n, 1)};
    assert_non_null(d->mask);
    assert_non_null(d->skeleton);
}

void drawing_clear(drawing *d)
{
    rs_free(d->mask);
    rs_free(d->skeleton);
}

void draw_segment(drawing *d, double x0, double y0, double x1, double y1, double half)
{
    double dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy;
    for (int y = 0; y < d->height; y++)
        for (int x = 0; x < d->width; x++) {
            double t = length2 > 0 ? ((x - x0) * dx + (y - y0) * dy) / length2 : 0;
            t = fmin(1, fmax(0, t));
            if (hypot(x - x0 - t * dx, y - y0 - t * dy) <= half) d->mask[y * d->width + x] = 1;
        }
}

void draw_circle(drawing *d, double x, double y, double radius, double half)
{
    for (int row = 0; row < d->height; row++)
        for (int col = 0; col < d->width; col++)
            if (fabs(hypot(col - x, row - y) - radius) <= half) d->mask[row * d->width + col] = 1;
}

void thin(drawing *d)
{
    reshed_error err = {0};
    assert_ok(rs_skeletonize(d->mask, d->height, d->width, d->skeleton, &err), &err);
}

void drawing_from_text(drawing *d, const char *const *rows, int height)
{
    drawing_init(d, height, (int)strlen(rows[0]));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < d->width; x++) {
            d->skeleton[y * d->width + x] = rows[y][x] == '#';
            d->mask[y * d->width + x] = rows[y][x] == '#' || rows[y][x] == '+';
        }
}

void build_graph(const drawing *d, double size, const rs_wallgraph_options *options,
                 rs_wallgraph *graph)
{
    reshed_error err = {0};
    rs_wallgraph_options defaults;
    rs_wallgraph_options_defaults(&defaults);
    rs_wallgraph_input in = {
        .grid = {d->height, d->width, size, size}, .skeleton = d->skeleton, .mask = d->mask};
    assert_ok(rs_wallgraph_build(&in, options ? options : &defaults, graph, &err), &err);
    assert_graph_is_sound(graph);
}

static void *copy_of(const void *list, size_t n, size_t size)
{
    void *copy = rs_alloc(n, size);
    assert_non_null(copy);
    if (n) memcpy(copy, list, n * size);
    return copy;
}

void copy_graph(const rs_wallgraph *g, rs_wallgraph *copy)
{
    const size_t pixels = rs_grid_count(&g->grid);
    *copy = *g;
    copy->node = copy_of(g->node, (size_t)g->nodes, sizeof *g->node);
    copy->branch = copy_of(g->branch, (size_t)g->branches, sizeof *g->branch);
    copy->wall = copy_of(g->wall, (size_t)g->walls, sizeof *g->wall);
    copy->pair = copy_of(g->pair, (size_t)g->pairs, sizeof *g->pair);
    copy->pixel = copy_of(g->pixel, (size_t)g->pixels, sizeof *g->pixel);
    copy->skeleton = copy_of(g->skeleton, pixels, sizeof *g->skeleton);
    copy->wall_at = copy_of(g->wall_at, pixels, sizeof *g->wall_at);
}

int count_ends(const rs_wallgraph *g, rs_wall_end kind)
{
    int n = 0;
    for (int w = 0; w < g->walls; w++)
        for (int e = 0; e < 2; e++) n += g->wall[w].end[e] == kind;
    return n;
}

static void assert_line_is_sound(const rs_wallgraph *g, const rs_wall_line *line)
{
    assert_in_range(line->count, 1, g->pixels);
    assert_true(line->first >= 0 && line->first + line->count <= g->pixels);
    for (int i = 0; i < line->count; i++) {
        rs_pixel p = g->pixel[line->first + i];
        assert_true(p.row >= 0 && p.row < g->grid.height && p.col >= 0 && p.col < g->grid.width);
        if (i == 0) continue;
        rs_pixel q = g->pixel[line->first + i - 1];
        int dr = abs(p.row - q.row), dc = abs(p.col - q.col);
        assert_true(dr + dc > 0 && dr <= 1 && dc <= 1);
    }
    assert_true(line->length >= 0 && line->length_px >= 0);
    assert_true(line->chord <= line->length * (1 + 1e-12));
    assert_true(isnan(line->orientation) || (line->orientation >= 0 && line->orientation < 3.1416));
}

void assert_graph_is_sound(const rs_wallgraph *g)
{
    for (int b = 0; b < g->branches; b++) {
        const rs_branch *branch = &g->branch[b];
        assert_line_is_sound(g, &branch->line);
        for (int e = 0; e < 2; e++)
            assert_true(branch->node[e] >= -1 && branch->node[e] < g->nodes);
        assert_int_equal(branch->node[0] < 0, branch->node[1] < 0);
        assert_true(branch->wall >= -1 && branch->wall < g->walls);
    }
    for (int w = 0; w < g->walls; w++) {
        const rs_wall *wall = &g->wall[w];
        assert_line_is_sound(g, &wall->line);
        assert_true(wall->own_length >= 0 && wall->own_length <= wall->line.length * (1 + 1e-12));
        if (w) assert_true(wall->line.length <= g->wall[w - 1].line.length);
        assert_true(wall->pair >= -1 && wall->pair < g->pairs);
        assert_int_equal(wall->end[0] == RS_END_CLOSED, wall->end[1] == RS_END_CLOSED);
    }
    for (int i = 0; i < g->grid.height * g->grid.width; i++) {
        assert_true(g->skeleton[i] <= 1);
        assert_true(g->wall_at[i] >= -1 && g->wall_at[i] < g->walls);
        assert_int_equal(g->skeleton[i], g->wall_at[i] >= 0);
    }
    for (int k = 0; k < g->pairs; k++)
        for (int e = 0; e < 2; e++) {
            const rs_wall_pair *pair = &g->pair[k];
            assert_true(pair->wall[e] >= 0 && pair->wall[e] < g->walls);
            assert_true(pair->from[e] >= 0 && pair->from[e] <= pair->to[e] &&
                        pair->to[e] < g->wall[pair->wall[e]].line.count);
        }
}
