#include "imgproc/figures/plot_ink.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

#define CELL 4.0 /* picture pixels */
#define OUTSIDE 200.0

reshed_status rs_ink_open(rs_ink *ink, rs_plot_box box, reshed_error *err)
{
    *ink = (rs_ink){.box = box, .nx = (int)(box.w / CELL) + 1, .ny = (int)(box.h / CELL) + 1};
    size_t n = (size_t)ink->nx * (size_t)ink->ny;
    ink->cell = rs_zalloc(n, 1);
    return ink->cell ? RESHED_OK : rs_fail_nomem(err, "a figure", n);
}

void rs_ink_close(rs_ink *ink)
{
    rs_free(ink->cell);
    memset(ink, 0, sizeof *ink);
}

static void blot(rs_ink *ink, int i, int j, int weight)
{
    if (i < 0 || j < 0 || i >= ink->nx || j >= ink->ny) return;
    uint8_t *c = &ink->cell[(size_t)j * (size_t)ink->nx + (size_t)i];
    *c = (uint8_t)(*c + weight > 255 ? 255 : *c + weight);
}

/* Walks only the part that lies in the frame. */
void rs_ink_segment(rs_ink *ink, double x0, double y0, double x1, double y1, int weight)
{
    double dx = x1 - x0, dy = y1 - y0, from = 0, to = 1;
    const double p[4] = {-dx, dx, -dy, dy};
    const double q[4] = {x0 - ink->box.x, ink->box.x + ink->box.w - x0, y0 - ink->box.y,
                         ink->box.y + ink->box.h - y0};
    for (int k = 0; k < 4; k++) { /* Liang and Barsky (1984) */
        if (p[k] == 0 && q[k] < 0) return;
        if (p[k] < 0) from = fmax(from, q[k] / p[k]);
        if (p[k] > 0) to = fmin(to, q[k] / p[k]);
    }
    if (!(from <= to)) return;
    int steps = (int)(hypot(dx, dy) * (to - from) / CELL) + 1;
    for (int k = 0; k <= steps; k++) {
        double t = from + (to - from) * k / steps;
        blot(ink, (int)((x0 + t * dx - ink->box.x) / CELL),
             (int)((y0 + t * dy - ink->box.y) / CELL), weight);
    }
}

/* The cells of b: [i0,i1) x [j0,j1), not yet cut to the frame. */
static void cells_of(const rs_ink *ink, rs_plot_box b, int *i0, int *i1, int *j0, int *j1)
{
    *i0 = (int)floor((b.x - ink->box.x) / CELL);
    *i1 = (int)ceil((b.x + b.w - ink->box.x) / CELL);
    *j0 = (int)floor((b.y - ink->box.y) / CELL);
    *j1 = (int)ceil((b.y + b.h - ink->box.y) / CELL);
}

void rs_ink_box(rs_ink *ink, rs_plot_box b, int weight)
{
    int i0, i1, j0, j1;
    b.x = fmin(fmax(b.x, ink->box.x - 1e4), ink->box.x + 1e4 + ink->box.w);
    b.y = fmin(fmax(b.y, ink->box.y - 1e4), ink->box.y + 1e4 + ink->box.h);
    b.w = fmin(b.w, 4e4);
    b.h = fmin(b.h, 4e4);
    cells_of(ink, b, &i0, &i1, &j0, &j1);
    for (int j = j0 < 0 ? 0 : j0; j < j1 && j < ink->ny; j++)
        for (int i = i0 < 0 ? 0 : i0; i < i1 && i < ink->nx; i++) blot(ink, i, j, weight);
}

double rs_ink_cost(const rs_ink *ink, rs_plot_box b)
{
    int i0, i1, j0, j1;
    double cost = 0;
    const rs_plot_box *f = &ink->box;
    cells_of(ink, b, &i0, &i1, &j0, &j1);
    for (int j = j0; j < j1; j++)
        for (int i = i0; i < i1; i++) {
            bool inside = i >= 0 && j >= 0 && i < ink->nx && j < ink->ny;
            if (inside) cost += ink->cell[(size_t)j * (size_t)ink->nx + (size_t)i];
        }
    double out = fmax(0, f->x - b.x) + fmax(0, b.x + b.w - f->x - f->w) + fmax(0, f->y - b.y) +
                 fmax(0, b.y + b.h - f->y - f->h);
    return cost + OUTSIDE * out;
}

int rs_ink_best(const rs_ink *ink, const rs_plot_box *candidates, int n)
{
    int best = 0;
    double least = INFINITY;
    for (int i = 0; i < n; i++) {
        double cost = rs_ink_cost(ink, candidates[i]);
        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    return best;
}
