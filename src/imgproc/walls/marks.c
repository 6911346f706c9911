#include "imgproc/walls/marks.h"

#include <math.h>
#include <stddef.h>

/* The row of a wall that is straight along it, or -1. */
static int row_of(const rs_pixel *p, int n)
{
    const int row = p[n / 2].row;
    int in_row = 0;
    for (int i = 0; i < n; i++) in_row += p[i].row == row;
    return 10 * in_row >= 9 * n ? row : -1;
}

/* True where the mask is one pixel high along nine of ten pixels of the row. */
static bool is_low(const uint8_t *mask, const rs_grid *g, const rs_pixel *p, int n, int row)
{
    int low = 0;
    if (!mask) return false;
    for (int i = 0; i < n; i++) {
        const uint8_t *at = mask + (size_t)row * (size_t)g->width + (size_t)p[i].col;
        low += (row == 0 || !*(at - g->width)) && (row == g->height - 1 || !at[g->width]);
    }
    return 10 * low >= 9 * n;
}

/* Mean step of the amplitude from row a to row b along the wall; 0 outside of the frame. */
static double step(const float *amplitude, const rs_grid *g, const rs_pixel *p, int n, int a, int b)
{
    double sum = 0;
    int counted = 0;
    if (a < 0 || b < 0 || a >= g->height || b >= g->height) return 0;
    for (int i = 0; i < n; i++) {
        const double d = (double)amplitude[(size_t)b * (size_t)g->width + (size_t)p[i].col] -
                         (double)amplitude[(size_t)a * (size_t)g->width + (size_t)p[i].col];
        if (!isfinite(d)) continue;
        sum += d;
        counted++;
    }
    return counted ? sum / counted : 0;
}

/* One line that differs from both neighbours, which go on as if it were not there: the dip of a wall
 * takes in the lines beside it as well. */
static bool is_one_line(const float *amplitude, const rs_grid *g, const rs_pixel *p, int n, int row)
{
    enum { SHARP = 4 };
    if (!amplitude || row < 2 || row > g->height - 3) return false;
    const double in = step(amplitude, g, p, n, row - 1, row),
                 out = step(amplitude, g, p, n, row, row + 1),
                 above = step(amplitude, g, p, n, row - 2, row - 1),
                 below = step(amplitude, g, p, n, row + 1, row + 2);
    if (!(in * out < 0)) return false;
    return fmin(fabs(in), fabs(out)) > SHARP * fmax(fabs(above), fabs(below));
}

int rs_wall_marks(rs_wallgraph *graph, const uint8_t *mask, const float *amplitude)
{
    const rs_grid *g = &graph->grid;
    int marks = 0;
    for (int w = 0; w < graph->walls; w++) {
        rs_wall *wall = &graph->wall[w];
        const rs_pixel *p = graph->pixel + wall->line.first;
        const int n = wall->line.count, row = n ? row_of(p, n) : -1;
        wall->scan_line = false;
        if (row < 0) continue;
        wall->scan_line = is_low(mask, g, p, n, row);
        for (int r = row - 1; r <= row + 1; r++)
            wall->scan_line = wall->scan_line || is_one_line(amplitude, g, p, n, r);
        marks += wall->scan_line;
    }
    return marks;
}
